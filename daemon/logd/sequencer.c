/* SPDX-License-Identifier: Apache-2.0 */
#include "sequencer.h"

#include <stdlib.h>

#include "directory.h"

/* --- which entries there are ---------------------------------------------------------------- */

/* Room for so many more entries of the signed tree, so that remembering them cannot fail. */
static pp_res reserve_ids(struct pp_sequencer *l, size_t count)
{
    size_t cap = l->id_cap == 0 ? 1024 : l->id_cap;

    PP_TRY(pp_id_index_reserve(&l->index, count));
    while (cap < l->id_count + count)
        cap *= 2;
    if (l->admission.ops->id_window > 0 || cap == l->id_cap)
        return PP_OK;
    struct pp_record_id *more = realloc(l->ids, cap * sizeof *more);
    PP_CHECK(more != NULL, PP_E_NO_MEMORY, cap);
    l->ids = more;
    l->id_cap = cap;
    return PP_OK;
}

/* Remembers entry `number` of the signed tree; room was reserved. */
static void keep_id(struct pp_sequencer *l, const struct pp_record_id *id, uint64_t number)
{
    pp_id_index_add(&l->index, id, number);
    if (l->admission.ops->id_window == 0)
        l->ids[l->id_count++] = *id;
}

static struct pp_merkle_nodes signed_nodes(struct pp_sequencer *l)
{
    uint64_t size = pp_log_store_size(&l->store);

    /* What it holds of a tile that has grown since is too short. */
    if (l->tree->size != size)
        *l->tree = (struct pp_tile_tree){ .source = pp_log_store_source(&l->store), .size = size };
    return pp_tile_nodes(l->tree);
}

/* A log that keeps no list of ids has leaf hashes for ids, and those stand in its tiles. */
static int has_id(void *ctx, uint64_t number, const struct pp_record_id *id)
{
    struct pp_sequencer *l = ctx;
    struct pp_merkle_hash leaf;

    if (l->ids != NULL)
        return pp_record_id_same(&l->ids[number], id);
    struct pp_merkle_nodes nodes = signed_nodes(l);
    return pp_is_ok(nodes.read(nodes.ctx, 0, number, &leaf)) &&
           memcmp(leaf.bytes, id->bytes, sizeof leaf.bytes) == 0;
}

int pp_sequencer_find(struct pp_sequencer *l, const struct pp_record_id *id, uint64_t *ret_index)
{
    return pp_id_index_find(&l->index, id, has_id, l, ret_index);
}

static int waits_with_id(void *ctx, uint64_t number, const struct pp_record_id *id)
{
    const struct pp_sequencer *l = ctx;

    return pp_record_id_same(&l->waiting_ids[number], id);
}

static int is_waiting(struct pp_sequencer *l, const struct pp_record_id *id)
{
    uint64_t number;

    return pp_id_index_find(&l->waiting, id, waits_with_id, l, &number);
}

static void keep_waiting(struct pp_sequencer *l, const struct pp_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        l->waiting_ids[l->waiting_count] = b->ids[i];
        pp_id_index_add(&l->waiting, &b->ids[i], l->waiting_count++);
    }
}

/* --- batches -------------------------------------------------------------------------------- */

static pp_res parse(const struct pp_sequencer *l, struct pp_span bytes, struct pp_batch *ret,
                    size_t *ret_entry)
{
    const struct pp_admission_ops *ops = l->admission.ops;

    PP_TRY(pp_batch_parse(bytes, ops->entry_max, ret, ret_entry));
    for (size_t i = 0; i < ret->count; i++) {
        *ret_entry = i;
        PP_TRY(ops->id(ret->entries[i], &ret->ids[i]));
    }
    return PP_OK;
}

static int stands_before(const struct pp_batch *b, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (pp_record_id_same(&b->ids[k], &b->ids[i]))
            return 1;
    return 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/*
 * Fills in where entries stand that the log holds, and leaves in `fresh` those that it neither
 * holds nor has waiting, with their places in the batch: stored batches share no entry.
 */
static void look_up(struct pp_sequencer *l, const struct pp_batch *b, struct pp_sequencer_answer *a,
                    struct pp_batch *fresh, size_t places[PP_BATCH_MAX])
{
    fresh->count = 0;
    a->state = PP_SEQUENCER_LOGGED;
    a->count = b->count;
    for (size_t i = 0; i < b->count; i++) {
        a->ids[i] = b->ids[i];
        if (pp_sequencer_find(l, &b->ids[i], &a->index[i])) {
            a->size = later(a->size, a->index[i] + 1);
            continue;
        }
        a->state = PP_SEQUENCER_PENDING;
        if (is_waiting(l, &b->ids[i]) || stands_before(b, i))
            continue;
        places[fresh->count] = i;
        fresh->ids[fresh->count] = b->ids[i];
        fresh->entries[fresh->count++] = b->entries[i];
    }
}

/* --- what waits ----------------------------------------------------------------------------- */

static void forget_pending(struct pp_sequencer *l, size_t i)
{
    pp_ignore(pp_log_pending_remove(l->config.dir, l->pending[i].number),
              "it is known by its entries when it is found again");
    l->pending_bytes -= l->pending[i].batch.len;
    pp_buf_done(&l->pending[i].batch);
    l->pending_count--;
    memmove(&l->pending[i], &l->pending[i + 1], (l->pending_count - i) * sizeof l->pending[0]);
}

/* Sees a batch that waits and that could be closed then, or does not see it. */
static pp_res see_again(struct pp_sequencer *l, struct pp_sequencer_pending *p, uint64_t when)
{
    struct pp_rules_state before = pp_admission_save(&l->admission);
    struct pp_batch b;
    size_t at;

    PP_TRY(parse(l, pp_buf_span(&p->batch), &b, &at));
    PP_TRY(l->admission.ops->see(&l->admission, &b, &at));
    pp_res r = l->admission.ops->is_in_time(&l->admission, when);
    if (!pp_is_ok(r)) {
        pp_admission_restore(&l->admission, &before);
        return r;
    }
    p->is_seen = 1;
    keep_waiting(l, &b);
    return PP_OK;
}

/* Sees all that waits anew; what the rules refuse in a tree that is closed then is dropped. */
static void see_all_again(struct pp_sequencer *l, uint64_t when)
{
    pp_admission_restore(&l->admission, &l->logged);
    pp_id_index_clear(&l->waiting);
    l->waiting_count = 0;
    for (size_t i = 0; i < l->pending_count;) {
        if (pp_is_ok(see_again(l, &l->pending[i], when))) {
            i++;
            continue;
        }
        l->dropped++;
        forget_pending(l, i);
    }
}

/*
 * Drops what came too late for a tree that is closed then. That happens seldom: when a waiting
 * time ran out, or after a start with other rules. Else every signature is verified once.
 */
static void drop_refused(struct pp_sequencer *l, uint64_t when)
{
    int all_seen = 1;

    for (size_t i = 0; i < l->pending_count; i++)
        all_seen &= l->pending[i].is_seen;
    if (!all_seen || !pp_is_ok(l->admission.ops->is_in_time(&l->admission, when)))
        see_all_again(l, when);
}

/* --- submitting ---------------------------------------------------------------------------- */

uint64_t pp_sequencer_due(const struct pp_sequencer *l, uint64_t now)
{
    return l->admission.ops->due(&l->admission, l->pending_count, now);
}

/* Would it be taken, behind what waits, in a tree that is closed when it will be? */
static pp_res see_new(struct pp_sequencer *l, const struct pp_batch *b, uint64_t now,
                      size_t *ret_entry)
{
    const struct pp_admission_ops *ops = l->admission.ops;

    PP_TRY(ops->see(&l->admission, b, ret_entry));
    uint64_t due = ops->due(&l->admission, 1, now);
    PP_TRY(ops->is_in_time(&l->admission, later(due, now)));
    return ops->could_close(&l->admission, later(due, now));
}

static pp_res check_room(const struct pp_sequencer *l, size_t len)
{
    PP_CHECK(l->pending_count < PP_SEQUENCER_PENDING_MAX, PP_E_BUSY, l->pending_count);
    PP_CHECK(l->pending_bytes + len <= PP_SEQUENCER_PENDING_BYTES_MAX, PP_E_BUSY, len);
    return PP_OK;
}

/* Keeps the entries of `b`, framed as they came. */
static pp_res add_pending(struct pp_sequencer *l, const struct pp_batch *b, size_t cap)
{
    struct pp_buf copy = { .bytes = malloc(cap + 1) };

    PP_CHECK(copy.bytes != NULL, PP_E_NO_MEMORY, cap);
    struct pp_wr wr = pp_wr_over(copy.bytes, cap);
    for (size_t i = 0; i < b->count; i++)
        pp_batch_write(&wr, b->entries[i]);
    copy.len = wr.len;
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr))); /* no longer than what it was taken from */
    l->pending[l->pending_count++] = (struct pp_sequencer_pending){
        .number = l->next_number++,
        .batch = copy,
        .count = b->count,
        .is_seen = 1,
    };
    l->pending_bytes += copy.len;
    keep_waiting(l, b);
    return PP_OK;
}

static pp_res store_all(struct pp_sequencer *l)
{
    struct pp_fileset files = pp_fileset_in(l->config.dir);

    for (size_t i = 0; i < l->pending_count; i++)
        if (!l->pending[i].is_stored)
            PP_TRY(pp_log_pending_add(&files, l->pending[i].number,
                                      pp_buf_span(&l->pending[i].batch)));
    return pp_fileset_commit(&files);
}

pp_res pp_sequencer_store(struct pp_sequencer *l)
{
    pp_res r = store_all(l);

    for (size_t i = l->pending_count; i > 0; i--) {
        struct pp_sequencer_pending *p = &l->pending[i - 1];
        if (!pp_is_ok(r) && !p->is_stored)
            forget_pending(l, i - 1);
        else
            p->is_stored = 1;
    }
    if (!pp_is_ok(r))
        see_all_again(l, 0); /* at no time is it late for what was in time before */
    return r;
}

static void refuse(struct pp_sequencer_answer *a, pp_res r, size_t entry)
{
    a->state = PP_SEQUENCER_REFUSED;
    a->code = r.code;
    a->entry = entry;
}

pp_res pp_sequencer_take(struct pp_sequencer *l, struct pp_span batch, uint64_t now,
                         struct pp_sequencer_answer *ret)
{
    size_t places[PP_BATCH_MAX];
    struct pp_batch fresh;
    struct pp_batch b;
    size_t entry = 0;
    pp_res r = parse(l, batch, &b, &entry);

    *ret = (struct pp_sequencer_answer){ 0 };
    if (!pp_is_ok(r)) {
        refuse(ret, r, entry);
        return PP_OK;
    }
    drop_refused(l, later(pp_sequencer_due(l, now), now));
    look_up(l, &b, ret, &fresh, places);
    if (fresh.count == 0)
        return PP_OK;
    struct pp_rules_state before = pp_admission_save(&l->admission);
    entry = fresh.count;
    r = check_room(l, batch.len);
    if (pp_is_ok(r))
        r = see_new(l, &fresh, now, &entry);
    if (!pp_is_ok(r)) {
        pp_admission_restore(&l->admission, &before);
        refuse(ret, r, entry < fresh.count ? places[entry] : b.count);
        return PP_OK;
    }
    r = add_pending(l, &fresh, batch.len);
    if (!pp_is_ok(r))
        pp_admission_restore(&l->admission, &before);
    return r;
}

pp_res pp_sequencer_submit(struct pp_sequencer *l, struct pp_span batch, uint64_t now,
                           struct pp_sequencer_answer *ret)
{
    PP_TRY(pp_sequencer_take(l, batch, now, ret));
    return ret->state == PP_SEQUENCER_PENDING ? pp_sequencer_store(l) : PP_OK;
}

/* --- closing a batch ----------------------------------------------------------------------- */

/* What a closing batch holds: entries of pending batches, and the log's own last one. */
struct closing {
    struct pp_span entries[PP_SEQUENCER_WAITING_MAX + 1];
    size_t count;
    uint8_t own[PP_RECORD_ENTRY_MAX];
    size_t own_len; /* 0: none */
    struct pp_record_id own_id;
};

static pp_res gather(struct pp_sequencer *l, uint64_t now, struct closing *c)
{
    struct pp_wr wr = pp_wr_over(c->own, sizeof c->own);

    for (size_t i = 0; i < l->pending_count; i++) {
        struct pp_batch b;
        size_t at;
        PP_TRY(pp_batch_parse(pp_buf_span(&l->pending[i].batch), l->admission.ops->entry_max, &b,
                              &at));
        memcpy(&c->entries[c->count], b.entries, b.count * sizeof b.entries[0]);
        c->count += b.count;
    }
    PP_ASSERT(c->count == l->waiting_count);
    PP_TRY(l->admission.ops->close(&l->admission, now, &wr));
    if (wr.len > 0) {
        c->own_len = wr.len;
        c->entries[c->count++] = pp_wr_done(&wr);
        PP_TRY(l->admission.ops->id(pp_wr_done(&wr), &c->own_id));
    }
    PP_CHECK(c->count > 0, PP_E_MISSING, 0);
    return PP_OK;
}

static pp_res sign_batch(struct pp_sequencer *l, uint64_t now, struct closing *c)
{
    PP_TRY(gather(l, now, c));
    PP_TRY(reserve_ids(l, c->count));
    PP_TRY(pp_log_store_append(&l->store, c->entries, c->count));
    return pp_log_store_sign(&l->store);
}

/* What waited, and the log's own entry behind it, is in the signed tree now. */
static void keep_signed(struct pp_sequencer *l, uint64_t size, const struct closing *c)
{
    for (size_t i = 0; i < l->waiting_count; i++)
        keep_id(l, &l->waiting_ids[i], size++);
    if (c->own_len > 0)
        keep_id(l, &c->own_id, size);
    l->logged = pp_admission_save(&l->admission);
    pp_id_index_clear(&l->waiting);
    l->waiting_count = 0;
    while (l->pending_count > 0)
        forget_pending(l, l->pending_count - 1);
}

pp_res pp_sequencer_close_batch(struct pp_sequencer *l, uint64_t now)
{
    struct closing *c = calloc(1, sizeof *c);
    uint64_t size = pp_log_store_size(&l->store);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, 0);
    drop_refused(l, now);
    struct pp_rules_state before = pp_admission_save(&l->admission);
    pp_res r = sign_batch(l, now, c);
    if (pp_is_ok(r))
        keep_signed(l, size, c);
    else
        pp_admission_restore(&l->admission, &before);
    free(c);
    return r;
}

/* --- the signed tree ------------------------------------------------------------------------ */

pp_res pp_sequencer_consistency(struct pp_sequencer *l, uint64_t old_size,
                                struct pp_merkle_path *ret)
{
    struct pp_merkle_nodes nodes = signed_nodes(l);

    *ret = (struct pp_merkle_path){ 0 };
    if (old_size == 0)
        return PP_OK;
    return pp_merkle_consistency(old_size, pp_log_store_size(&l->store), &nodes, ret);
}

pp_res pp_sequencer_inclusion(struct pp_sequencer *l, uint64_t index, struct pp_merkle_path *ret)
{
    struct pp_merkle_nodes nodes = signed_nodes(l);

    return pp_merkle_inclusion(index, pp_log_store_size(&l->store), &nodes, ret);
}

pp_res pp_sequencer_publish(struct pp_sequencer *l, struct pp_span note)
{
    uint64_t size = pp_log_store_size(&l->store);

    if (size == 0)
        return PP_OK;
    if (l->admission.ops->has_directory)
        PP_TRY(pp_directory_write(l, note));
    return pp_log_store_publish(&l->store, note, size);
}

/* --- life ---------------------------------------------------------------------------------- */

/* An own entry that breaks the rules is a finding, not something to step over. */
static pp_res replay_entry(void *ctx, uint64_t index, struct pp_span entry)
{
    struct pp_sequencer *l = ctx;
    struct pp_record_id id;
    pp_res r = l->admission.ops->replay(&l->admission, entry);

    if (!pp_is_ok(r)) {
        r.detail = (uint32_t)index;
        return r;
    }
    if (l->admission.ops->id_window > 0)
        return PP_OK; /* the window is read from the tiles */
    PP_TRY(l->admission.ops->id(entry, &id));
    PP_TRY(reserve_ids(l, 1));
    keep_id(l, &id, index);
    return PP_OK;
}

static pp_res open_store(struct pp_sequencer *l, int whole)
{
    return pp_log_store_open(&l->store, l->config.dir, &l->config.log, whole ? replay_entry : NULL,
                             l);
}

/* The last leaf hashes of a log that does not keep them all. */
static pp_res load_window(struct pp_sequencer *l)
{
    uint64_t size = pp_log_store_size(&l->store);
    uint64_t window = l->admission.ops->id_window;
    struct pp_merkle_nodes nodes = signed_nodes(l);

    pp_id_index_clear(&l->index);
    for (uint64_t i = size < window ? 0 : size - window; i < size; i++) {
        struct pp_merkle_hash leaf;
        struct pp_record_id id;
        PP_TRY(nodes.read(nodes.ctx, 0, i, &leaf));
        memcpy(id.bytes, leaf.bytes, sizeof id.bytes);
        keep_id(l, &id, i);
    }
    return PP_OK;
}

static pp_res open_windowed(struct pp_sequencer *l)
{
    PP_TRY(open_store(l, l->config.check_all));
    if (pp_is_ok(load_window(l)))
        return PP_OK;
    /* A tile is lost or damaged: the entries make it again. */
    pp_log_store_done(&l->store);
    PP_TRY(open_store(l, 1));
    return load_window(l);
}

static pp_res open_tree(struct pp_sequencer *l)
{
    struct pp_buf last = { 0 };

    if (l->admission.ops->id_window > 0)
        PP_TRY(open_windowed(l));
    else
        PP_TRY(open_store(l, 1));
    if (pp_log_store_size(&l->store) == 0)
        return PP_OK;
    PP_TRY(pp_log_store_entry(&l->store, pp_log_store_size(&l->store) - 1, &last));
    pp_res r = l->admission.ops->recognise(&l->admission, pp_buf_span(&last));
    pp_buf_done(&last);
    return r;
}

static pp_res keep_copy(struct pp_sequencer *l, uint64_t number, struct pp_span batch)
{
    struct pp_buf copy = { .bytes = malloc(batch.len + 1), .len = batch.len };

    if (copy.bytes == NULL || l->pending_count == PP_SEQUENCER_PENDING_MAX) {
        free(copy.bytes);
        return PP_FAIL(PP_E_LIMIT, l->pending_count);
    }
    memcpy(copy.bytes, batch.at, batch.len);
    l->pending[l->pending_count++] = (struct pp_sequencer_pending){
        .number = number,
        .batch = copy,
        .is_stored = 1,
    };
    l->pending_bytes += copy.len;
    return PP_OK;
}

/* What somebody was told is pending is not dropped because its file was damaged. */
static pp_res load_pending(void *ctx, uint64_t number, struct pp_span batch)
{
    struct pp_sequencer *l = ctx;
    struct pp_sequencer_answer a = { 0 };
    size_t places[PP_BATCH_MAX];
    struct pp_batch fresh;
    struct pp_batch b;
    size_t at;

    if (number >= l->next_number)
        l->next_number = number + 1;
    PP_TRY(parse(l, batch, &b, &at));
    PP_TRY(keep_copy(l, number, batch));
    look_up(l, &b, &a, &fresh, places);
    if (a.state == PP_SEQUENCER_LOGGED) {
        /* It was signed before a crash could remove it. */
        forget_pending(l, l->pending_count - 1);
        return PP_OK;
    }
    struct pp_sequencer_pending *p = &l->pending[l->pending_count - 1];
    p->count = b.count;
    p->is_seen = pp_is_ok(l->admission.ops->see(&l->admission, &b, &at));
    if (p->is_seen)
        keep_waiting(l, &b);
    return PP_OK;
}

static pp_res set_up(struct pp_sequencer *l, const struct pp_sequencer_config *c)
{
    const struct pp_admission_config a = { c->kind, c->log, c->name_space, c->environment,
                                           c->keys };

    PP_TRY(pp_admission_init(&l->admission, &a));
    PP_TRY(pp_id_index_init(&l->index, c->index_seed, l->admission.ops->id_window));
    PP_TRY(pp_id_index_init(&l->waiting, c->index_seed, 0));
    PP_TRY(pp_id_index_reserve(&l->waiting, PP_SEQUENCER_WAITING_MAX));
    l->waiting_ids = calloc(PP_SEQUENCER_WAITING_MAX, sizeof *l->waiting_ids);
    l->tree = calloc(1, sizeof *l->tree);
    PP_CHECK(l->waiting_ids != NULL && l->tree != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

pp_res pp_sequencer_open(struct pp_sequencer *l, const struct pp_sequencer_config *config)
{
    *l = (struct pp_sequencer){ .config = *config, .next_number = 1 };
    PP_TRY(set_up(l, config));
    PP_TRY(open_tree(l));
    l->logged = pp_admission_save(&l->admission);
    return pp_log_pending_each(config->dir, load_pending, l);
}

void pp_sequencer_done(struct pp_sequencer *l)
{
    for (size_t i = 0; i < l->pending_count; i++)
        pp_buf_done(&l->pending[i].batch);
    pp_admission_done(&l->admission);
    pp_id_index_done(&l->index);
    pp_id_index_done(&l->waiting);
    free(l->waiting_ids);
    free(l->ids);
    free(l->tree);
    pp_log_store_done(&l->store);
    *l = (struct pp_sequencer){ 0 };
}
