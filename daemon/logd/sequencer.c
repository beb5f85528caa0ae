/* SPDX-License-Identifier: Apache-2.0 */
#include "sequencer.h"

#include <stdlib.h>

#include "arena.h"
#include "bundle.h"
#include "proof.h"

/* --- opening ------------------------------------------------------------------------------- */

static pp_res keep_id(struct pp_sequencer *l, const struct pp_record_id *id)
{
    if (l->id_count == l->id_cap) {
        size_t cap = l->id_cap == 0 ? 1024 : 2 * l->id_cap;
        struct pp_record_id *more = realloc(l->ids, cap * sizeof *more);
        PP_CHECK(more != NULL, PP_E_NO_MEMORY, cap);
        l->ids = more;
        l->id_cap = cap;
    }
    l->ids[l->id_count++] = *id;
    return PP_OK;
}

/* An own entry that breaks the rules is a finding, not something to step over. */
static pp_res replay_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct pp_sequencer *l = ctx;
    struct pp_record_id id;
    pp_res r = pp_rules_feed(&l->rules, entry, PP_RECORD_TIME_MAX);

    if (!pp_is_ok(r)) {
        r.detail = (uint32_t)index;
        return r;
    }
    PP_TRY(pp_entry_id(entry, &id));
    return keep_id(l, &id);
}

static int find_id(const struct pp_sequencer *l, const struct pp_record_id *id, uint64_t *ret_index)
{
    for (size_t i = l->id_count; i > 0; i--)
        if (pp_record_id_same(&l->ids[i - 1], id)) {
            *ret_index = i - 1;
            return 1;
        }
    return 0;
}

/* --- batches ------------------------------------------------------------------------------- */

static int in_pending(const struct pp_sequencer *l, const struct pp_record_id *id)
{
    for (size_t i = 0; i < l->pending_count; i++) {
        struct pp_batch b;
        size_t at;
        if (!pp_is_ok(pp_batch_parse(pp_buf_span(&l->pending[i].batch), &b, &at)))
            continue;
        for (size_t k = 0; k < b.count; k++)
            if (pp_record_id_same(&b.ids[k], id))
                return 1;
    }
    return 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the status is dated: not before anything that it closes or follows. */
static uint64_t status_time(const struct pp_sequencer *l, uint64_t now)
{
    return later(now, later(l->rules.state.batch_time_max, l->rules.state.status_time));
}

/* Feeds a whole batch or nothing. `*ret_entry` is where it stopped. */
static pp_res feed_batch(struct pp_sequencer *l, const struct pp_batch *b, uint64_t now,
                         size_t *ret_entry)
{
    struct pp_rules_state before = pp_rules_save(&l->rules);

    for (size_t i = 0; i < b->count; i++) {
        uint64_t index;
        if (find_id(l, &b->ids[i], &index))
            continue; /* a crash came between signing and forgetting the batch */
        pp_res r = pp_rules_feed(&l->rules, b->entries[i], now);
        if (!pp_is_ok(r)) {
            *ret_entry = i;
            pp_rules_restore(&l->rules, &before);
            return r;
        }
    }
    *ret_entry = b->count;
    pp_res r = pp_rules_waited(&l->rules, status_time(l, now));
    if (!pp_is_ok(r))
        pp_rules_restore(&l->rules, &before);
    return r;
}

/* --- status -------------------------------------------------------------------------------- */

/* The status that closes what was fed, signed, in `ret`; fed as well. */
static pp_res feed_status(struct pp_sequencer *l, uint64_t now, struct pp_wr *ret)
{
    struct pp_record status;

    PP_TRY(pp_rules_status(&l->rules, status_time(l, now), &status));
    PP_TRY(pp_record_sign(ret, &status, l->config.signer, 1));
    return pp_rules_feed(&l->rules, pp_wr_done(ret), now);
}

static uint64_t hour_of(uint64_t time)
{
    return time / PP_SEQUENCER_HOUR_S * PP_SEQUENCER_HOUR_S;
}

/* The hour that is due at `now`, or the next one. */
static uint64_t next_hour(const struct pp_sequencer *l, uint64_t now)
{
    uint64_t hour = hour_of(now);

    if (now - hour < PP_RULES_ON_THE_HOUR_S && l->rules.state.status_time < hour)
        return hour;
    return hour + PP_SEQUENCER_HOUR_S;
}

static int has_revoke(const struct pp_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct pp_record r;
        struct pp_note n;
        if (pp_is_ok(pp_record_open(b->entries[i], &n, &r)) && r.type == PP_RECORD_REVOKE)
            return 1;
    }
    return 0;
}

static int publishes_at_once(const struct pp_sequencer *l, const struct pp_batch *b)
{
    return l->config.environment == PP_RECORD_DEV || has_revoke(b);
}

uint64_t pp_sequencer_due(const struct pp_sequencer *l, uint64_t now)
{
    for (size_t i = 0; i < l->pending_count; i++) {
        struct pp_batch b;
        size_t at;
        if (pp_is_ok(pp_batch_parse(pp_buf_span(&l->pending[i].batch), &b, &at)) &&
            publishes_at_once(l, &b))
            return 0;
    }
    uint64_t due = next_hour(l, now);
    return due <= now ? 0 : due;
}

/* --- submitting ---------------------------------------------------------------------------- */

/* Would it be taken, behind what waits, in a batch that is closed when it will be? */
static pp_res try_batch(struct pp_sequencer *l, const struct pp_batch *b, uint64_t now,
                        size_t *ret_entry)
{
    static uint8_t status[PP_RECORD_ENTRY_MAX];
    struct pp_wr wr = pp_wr_over(status, sizeof status);
    struct pp_rules_state before = pp_rules_save(&l->rules);
    uint64_t when = publishes_at_once(l, b) ? now : next_hour(l, now);
    uint64_t time = later(when, now);

    for (size_t i = 0; i < l->pending_count; i++) {
        struct pp_batch earlier;
        size_t at;
        if (pp_is_ok(pp_batch_parse(pp_buf_span(&l->pending[i].batch), &earlier, &at)))
            pp_ignore(feed_batch(l, &earlier, time, &at), "closing the batch will drop it");
    }
    *ret_entry = 0;
    pp_res r = feed_batch(l, b, time, ret_entry);
    if (pp_is_ok(r)) {
        *ret_entry = b->count;
        r = feed_status(l, time, &wr);
    }
    pp_rules_restore(&l->rules, &before);
    return r;
}

/* Stores the entries of `b`, framed as they came. */
static pp_res add_pending(struct pp_sequencer *l, const struct pp_batch *b)
{
    size_t cap = PP_BATCH_BYTES_MAX;
    struct pp_buf copy = { .bytes = malloc(cap) };

    PP_CHECK(copy.bytes != NULL, PP_E_NO_MEMORY, cap);
    struct pp_wr wr = pp_wr_over(copy.bytes, cap);
    for (size_t i = 0; i < b->count; i++)
        pp_batch_write(&wr, b->entries[i]);
    copy.len = wr.len;
    pp_res r = pp_wr_ok(&wr);
    if (pp_is_ok(r))
        r = pp_log_pending_add(l->config.dir, l->next_number, pp_buf_span(&copy));
    if (!pp_is_ok(r)) {
        pp_buf_done(&copy);
        return r;
    }
    uint8_t *shrunk = realloc(copy.bytes, copy.len + 1);
    copy.bytes = shrunk == NULL ? copy.bytes : shrunk;
    l->pending[l->pending_count++] = (struct pp_sequencer_pending){ l->next_number++, copy };
    return PP_OK;
}

static void refuse(struct pp_sequencer_answer *a, pp_res r, size_t entry)
{
    a->state = PP_SEQUENCER_REFUSED;
    a->code = r.code;
    a->entry = entry;
}

/*
 * Fills in where entries stand that the log holds, and leaves in `fresh` those that it neither
 * holds nor has waiting, with their places in the batch: stored batches share no entry.
 */
static void look_up(const struct pp_sequencer *l, const struct pp_batch *b,
                    struct pp_sequencer_answer *a, struct pp_batch *fresh,
                    size_t places[PP_BATCH_MAX])
{
    fresh->count = 0;
    a->state = PP_SEQUENCER_LOGGED;
    a->count = b->count;
    for (size_t i = 0; i < b->count; i++) {
        a->ids[i] = b->ids[i];
        if (find_id(l, &b->ids[i], &a->index[i])) {
            a->size = later(a->size, a->index[i] + 1);
            continue;
        }
        a->state = PP_SEQUENCER_PENDING;
        if (in_pending(l, &b->ids[i]))
            continue;
        places[fresh->count] = i;
        fresh->ids[fresh->count] = b->ids[i];
        fresh->entries[fresh->count++] = b->entries[i];
    }
}

pp_res pp_sequencer_submit(struct pp_sequencer *l, struct pp_span batch, uint64_t now,
                           struct pp_sequencer_answer *ret)
{
    size_t places[PP_BATCH_MAX];
    struct pp_batch fresh;
    struct pp_batch b;
    size_t entry = 0;
    pp_res r = pp_batch_parse(batch, &b, &entry);

    *ret = (struct pp_sequencer_answer){ 0 };
    if (!pp_is_ok(r)) {
        refuse(ret, r, entry);
        return PP_OK;
    }
    look_up(l, &b, ret, &fresh, places);
    if (fresh.count == 0)
        return PP_OK;
    r = l->pending_count < PP_SEQUENCER_PENDING_MAX ? try_batch(l, &fresh, now, &entry)
                                                    : PP_FAIL(PP_E_BUSY, l->pending_count);
    if (!pp_is_ok(r)) {
        refuse(ret, r, entry < fresh.count ? places[entry] : b.count);
        return PP_OK;
    }
    return add_pending(l, &fresh);
}

/* --- closing a batch ----------------------------------------------------------------------- */

static void forget_pending(struct pp_sequencer *l, size_t i)
{
    pp_ignore(pp_log_pending_remove(l->config.dir, l->pending[i].number),
              "it is known by its entries when it is found again");
    pp_buf_done(&l->pending[i].batch);
    l->pending_count--;
    memmove(&l->pending[i], &l->pending[i + 1], (l->pending_count - i) * sizeof l->pending[0]);
}

/* What a closing batch holds: entries of pending batches, and the status. */
struct closing {
    struct pp_span entries[PP_SEQUENCER_PENDING_MAX * PP_BATCH_MAX + 1];
    struct pp_record_id ids[PP_SEQUENCER_PENDING_MAX * PP_BATCH_MAX + 1];
    size_t count;
    uint8_t status[PP_RECORD_ENTRY_MAX];
};

static void add_new(const struct pp_sequencer *l, const struct pp_batch *b, struct closing *c)
{
    uint64_t index;

    for (size_t i = 0; i < b->count; i++) {
        if (find_id(l, &b->ids[i], &index))
            continue;
        c->entries[c->count] = b->entries[i];
        c->ids[c->count++] = b->ids[i];
    }
}

static pp_res gather(struct pp_sequencer *l, uint64_t now, struct closing *c)
{
    struct pp_wr wr = pp_wr_over(c->status, sizeof c->status);

    for (size_t i = 0; i < l->pending_count;) {
        struct pp_batch b;
        size_t at;
        pp_res r = pp_batch_parse(pp_buf_span(&l->pending[i].batch), &b, &at);
        if (pp_is_ok(r))
            r = feed_batch(l, &b, now, &at);
        if (!pp_is_ok(r)) {
            l->dropped++;
            forget_pending(l, i);
            continue;
        }
        add_new(l, &b, c);
        i++;
    }
    PP_TRY(feed_status(l, now, &wr));
    c->entries[c->count] = pp_wr_done(&wr);
    PP_TRY(pp_entry_id(c->entries[c->count], &c->ids[c->count]));
    c->count++;
    return PP_OK;
}

static pp_res sign_batch(struct pp_sequencer *l, uint64_t now, struct closing *c)
{
    PP_TRY(gather(l, now, c));
    PP_TRY(pp_log_store_append(&l->store, c->entries, c->count));
    for (size_t i = 0; i < c->count; i++)
        PP_TRY(keep_id(l, &c->ids[i]));
    return pp_log_store_sign(&l->store, l->config.signer);
}

pp_res pp_sequencer_close_batch(struct pp_sequencer *l, uint64_t now)
{
    struct pp_rules_state before = pp_rules_save(&l->rules);
    size_t id_count = l->id_count;
    struct closing *c = calloc(1, sizeof *c);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = sign_batch(l, now, c);
    if (!pp_is_ok(r)) {
        pp_rules_restore(&l->rules, &before);
        l->id_count = id_count;
    } else {
        while (l->pending_count > 0)
            forget_pending(l, 0);
    }
    free(c);
    return r;
}

pp_res pp_sequencer_consistency(struct pp_sequencer *l, uint64_t old_size,
                                struct pp_merkle_path *ret)
{
    struct pp_tile_tree *tree;
    uint64_t size = pp_log_store_size(&l->store);

    *ret = (struct pp_merkle_path){ 0 };
    if (old_size == 0)
        return PP_OK;
    PP_CHECK((tree = calloc(1, sizeof *tree)) != NULL, PP_E_NO_MEMORY, 0);
    tree->source = pp_log_store_source(&l->store);
    tree->size = size;
    struct pp_merkle_nodes nodes = pp_tile_nodes(tree);
    pp_res r = pp_merkle_consistency(old_size, size, &nodes, ret);
    free(tree);
    return r;
}

/* --- the directory bundle ------------------------------------------------------------------ */

enum { BUNDLE_MEMORY = 8 << 20 };

struct bundling {
    struct pp_sequencer *l;
    struct pp_arena arena;
    struct pp_tile_tree *tree;
    struct pp_span note;
};

static pp_res bundle_entry(struct bundling *b, uint64_t index, struct pp_bundle_entry *ret)
{
    struct pp_merkle_nodes nodes = pp_tile_nodes(b->tree);
    struct pp_proof p = { .index = index, .checkpoint = b->note };
    struct pp_buf entry = { 0 };

    PP_TRY(pp_merkle_inclusion(index, b->tree->size, &nodes, &p.path));
    PP_TRY(pp_log_store_entry(&b->l->store, index, &entry));
    pp_res r = pp_arena_copy(&b->arena, pp_buf_span(&entry), &ret->entry);
    pp_buf_done(&entry);
    PP_TRY(r);
    uint8_t *bytes = pp_arena_alloc(&b->arena, PP_BUNDLE_PROOF_BYTES_MAX);
    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, PP_BUNDLE_PROOF_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, PP_BUNDLE_PROOF_BYTES_MAX);
    pp_proof_write(&wr, &p);
    PP_TRY(pp_wr_ok(&wr));
    ret->proof = pp_wr_done(&wr);
    return PP_OK;
}

static pp_res bundle_named(struct bundling *b, const struct pp_record_id *id,
                           struct pp_bundle *bundle)
{
    uint64_t index;

    PP_CHECK(bundle->record_count < PP_BUNDLE_RECORD_MAX, PP_E_LIMIT, bundle->record_count);
    PP_CHECK(find_id(b->l, id, &index), PP_E_NOT_FOUND, 0);
    return bundle_entry(b, index, &bundle->records[bundle->record_count++]);
}

/* The status record first, then what its release, hosts and keys lines name, in its order. */
static pp_res fill_bundle(struct bundling *b, struct pp_bundle *bundle)
{
    struct pp_record status;
    struct pp_note n;

    bundle->records = pp_arena_array(&b->arena, PP_BUNDLE_RECORD_MAX, sizeof *bundle->records);
    PP_CHECK(bundle->records != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(bundle_entry(b, b->tree->size - 1, &bundle->status));
    PP_TRY(pp_record_open(bundle->status.entry, &n, &status));
    PP_CHECK(status.type == PP_RECORD_STATUS, PP_E_LEDGER_NOT_LAST, 0);
    for (size_t i = 0; i < status.status.release_count; i++)
        PP_TRY(bundle_named(b, &status.status.releases[i], bundle));
    PP_TRY(bundle_named(b, &status.status.hosts, bundle));
    for (size_t i = 0; i < status.status.key_count; i++)
        PP_TRY(bundle_named(b, &status.status.keys[i].id, bundle));
    return PP_OK;
}

static pp_res write_bundle(struct bundling *b, uint8_t *out)
{
    struct pp_bundle bundle = { 0 };
    struct pp_wr wr = pp_wr_over(out, PP_BUNDLE_BYTES_MAX);

    PP_TRY(fill_bundle(b, &bundle));
    PP_TRY(pp_bundle_write(&wr, &bundle));
    return pp_file_write(b->l->config.dir, "public/directory", 0644, pp_wr_done(&wr));
}

static pp_res make_bundle(struct pp_sequencer *l, struct pp_span note)
{
    uint8_t *memory = aligned_alloc(16, BUNDLE_MEMORY);
    uint8_t *out = malloc(PP_BUNDLE_BYTES_MAX);
    struct pp_tile_tree *tree = calloc(1, sizeof *tree);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    if (memory != NULL && out != NULL && tree != NULL) {
        struct bundling b = { l, pp_arena_over(memory, BUNDLE_MEMORY), tree, note };
        tree->source = pp_log_store_source(&l->store);
        tree->size = pp_log_store_size(&l->store);
        r = write_bundle(&b, out);
    }
    free(memory);
    free(out);
    free(tree);
    return r;
}

pp_res pp_sequencer_publish(struct pp_sequencer *l, struct pp_span note)
{
    uint64_t size = pp_log_store_size(&l->store);

    if (size == 0)
        return PP_OK;
    PP_TRY(make_bundle(l, note));
    return pp_log_store_publish(&l->store, note, size);
}

/* --- life ---------------------------------------------------------------------------------- */

/* What somebody was told is pending is not dropped because its file was damaged. */
static pp_res load_pending(void *ctx, uint64_t number, struct pp_span batch)
{
    struct pp_sequencer *l = ctx;
    struct pp_batch b;
    size_t at;

    PP_TRY(pp_batch_parse(batch, &b, &at));
    struct pp_buf copy = { .bytes = malloc(batch.len + 1), .len = batch.len };
    if (number >= l->next_number)
        l->next_number = number + 1;
    if (copy.bytes == NULL || l->pending_count == PP_SEQUENCER_PENDING_MAX) {
        free(copy.bytes);
        return PP_FAIL(PP_E_LIMIT, l->pending_count);
    }
    memcpy(copy.bytes, batch.at, batch.len);
    l->pending[l->pending_count++] = (struct pp_sequencer_pending){ number, copy };
    return PP_OK;
}

/* Batches whose every entry is in the log were signed before a crash could remove them. */
static void forget_logged(struct pp_sequencer *l)
{
    for (size_t i = l->pending_count; i > 0; i--) {
        size_t places[PP_BATCH_MAX];
        struct pp_sequencer_answer a = { 0 };
        struct pp_batch fresh;
        struct pp_batch b;
        size_t at;
        PP_ASSERT(pp_is_ok(pp_batch_parse(pp_buf_span(&l->pending[i - 1].batch), &b, &at)));
        look_up(l, &b, &a, &fresh, places);
        if (a.state == PP_SEQUENCER_LOGGED)
            forget_pending(l, i - 1);
    }
}

/* Our key as a policy of one log, for the signer of status records. */
static void own_policy(struct pp_sequencer *l)
{
    l->own.kind = PP_POLICY_LOG;
    l->own.log_keys[0] = l->config.signer->key;
    l->own.log_count = 1;
    l->config.keys.log = &l->own;
}

static pp_res start_rules(struct pp_sequencer *l)
{
    struct pp_rules_config c = {
        .ledger = l->config.signer->key.name,
        .name_space = l->config.name_space,
        .environment = l->config.environment,
        .keys = l->config.keys,
        .records = calloc(PP_SEQUENCER_RECORDS_MAX, sizeof *c.records),
        .record_cap = PP_SEQUENCER_RECORDS_MAX,
        .measurements = calloc(PP_SEQUENCER_MEASUREMENTS_MAX, sizeof *c.measurements),
        .measurement_cap = PP_SEQUENCER_MEASUREMENTS_MAX,
    };

    pp_rules_init(&l->rules, &c);
    PP_CHECK(c.records != NULL && c.measurements != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

pp_res pp_sequencer_open(struct pp_sequencer *l, const struct pp_sequencer_config *config)
{
    *l = (struct pp_sequencer){ .config = *config, .next_number = 1 };
    own_policy(l);
    PP_TRY(start_rules(l));
    PP_TRY(pp_log_store_open(&l->store, config->dir, &config->signer->key, replay_entry, l));
    PP_TRY(pp_log_pending_each(config->dir, load_pending, l));
    forget_logged(l);
    return PP_OK;
}

void pp_sequencer_done(struct pp_sequencer *l)
{
    for (size_t i = 0; i < l->pending_count; i++)
        pp_buf_done(&l->pending[i].batch);
    free(l->rules.config.records);
    free(l->rules.config.measurements);
    free(l->ids);
    pp_log_store_done(&l->store);
    *l = (struct pp_sequencer){ 0 };
}
