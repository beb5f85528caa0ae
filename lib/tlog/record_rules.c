/* SPDX-License-Identifier: Apache-2.0 */
#include "record_rules.h"

#include <stdlib.h>

void pp_rules_init(struct pp_rules *r, const struct pp_rules_config *config)
{
    *r = (struct pp_rules){ .config = *config };
    for (unsigned i = 0; i < PP_RECORD_ROLES; i++)
        r->state.min_serial[i] = 1;
    r->state.batch_release_from = r->state.batch_key_from = UINT64_MAX;
}

struct pp_rules_state pp_rules_save(const struct pp_rules *r)
{
    return r->state;
}

void pp_rules_restore(struct pp_rules *r, const struct pp_rules_state *saved)
{
    PP_ASSERT(saved->entries <= r->state.entries);
    r->state = *saved;
    for (size_t i = 0; i < r->state.record_count; i++)
        if (r->config.records[i].revoked_at > r->state.entries)
            r->config.records[i].revoked_at = 0;
}

pp_res pp_rules_closed(const struct pp_rules *r)
{
    PP_CHECK(r->state.closed, PP_E_LEDGER_NOT_LAST, 0);
    return PP_OK;
}

static struct pp_rules_record *find(const struct pp_rules *r, const struct pp_record_id *id)
{
    for (size_t i = 0; i < r->state.record_count; i++)
        if (pp_record_id_same(&r->config.records[i].id, id))
            return &r->config.records[i];
    return NULL;
}

static int waits(const struct pp_rules *r)
{
    return r->config.environment != PP_RECORD_DEV;
}

static unsigned role_or_kind(const struct pp_record *rec)
{
    if (rec->type == PP_RECORD_RELEASE)
        return rec->release.role;
    if (rec->type == PP_RECORD_KEY_EPOCH)
        return rec->key_epoch.kind;
    return 0;
}

/* --- single records ------------------------------------------------------------------------ */

static pp_res check_serial(const struct pp_rules *r, const struct pp_record *rec)
{
    uint64_t last = r->state.serials[rec->type][role_or_kind(rec)];

    PP_CHECK(rec->serial > last, PP_E_LEDGER_SERIAL, 0);
    PP_CHECK(rec->serial - last <= PP_RULES_SERIAL_STEP_MAX, PP_E_LEDGER_SERIAL, 1);
    return PP_OK;
}

/* The rules of roles and revocation, for one row against all rows ever logged. */
static pp_res check_measurement(const struct pp_rules *r, const uint8_t digest[PP_SHA384_BYTES],
                                enum pp_record_role role)
{
    for (size_t i = 0; i < r->state.measurement_count; i++) {
        const struct pp_rules_measurement *m = &r->config.measurements[i];
        if (memcmp(m->digest, digest, sizeof m->digest) != 0)
            continue;
        const struct pp_rules_record *of = &r->config.records[m->record];
        PP_CHECK(of->role_or_kind == (unsigned)role, PP_E_LEDGER_TWO_ROLES, m->record);
        PP_CHECK(of->revoked_at == 0, PP_E_LEDGER_REVOKED, m->record);
    }
    return PP_OK;
}

static void tdx_digest(const struct pp_release_tdx *row, uint8_t ret[PP_SHA384_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA384);
    pp_hash_update(&h, PP_BYTES(row->mrtd));
    for (size_t i = 0; i < PP_ARRAY_COUNT(row->rtmr); i++)
        pp_hash_update(&h, PP_BYTES(row->rtmr[i]));
    pp_hash_final(&h, ret);
}

/* The measurement of row `i`, SNP rows first. */
static void row_digest(const struct pp_release *rel, size_t i, uint8_t ret[PP_SHA384_BYTES])
{
    if (i < rel->snp_count)
        memcpy(ret, rel->snp[i].measurement, PP_SHA384_BYTES);
    else
        tdx_digest(&rel->tdx[i - rel->snp_count], ret);
}

static pp_res check_release(const struct pp_rules *r, const struct pp_release *rel)
{
    size_t rows = rel->snp_count + rel->tdx_count;

    PP_CHECK(rows <= r->config.measurement_cap - r->state.measurement_count, PP_E_LIMIT, rows);
    for (size_t i = 0; i < rows; i++) {
        uint8_t digest[PP_SHA384_BYTES];
        row_digest(rel, i, digest);
        PP_TRY(check_measurement(r, digest, rel->role));
    }
    return PP_OK;
}

/*
 * Epochs follow each other, so that at any instant exactly one key of a kind is in use. After a
 * pause in which none was, the next record may start anew; it may not leave a planned hole.
 */
static pp_res check_key_epoch(const struct pp_rules *r, const struct pp_record *rec)
{
    uint64_t last = r->state.last_epoch[rec->key_epoch.kind];

    PP_CHECK(rec->key_epoch.use_from <= rec->time + PP_RULES_KEYS_AHEAD_S, PP_E_LEDGER_WINDOW,
             last);
    if (last == 0 || rec->key_epoch.epoch == last + 1)
        return PP_OK;
    PP_CHECK(rec->key_epoch.epoch > last, PP_E_LEDGER_WINDOW, last);
    PP_CHECK(rec->time >= (last + 1) * PP_DAY_S, PP_E_LEDGER_WINDOW, last);
    return PP_OK;
}

static size_t unexpired_revoked(const struct pp_rules *r, uint64_t time)
{
    size_t count = 0;

    for (size_t i = r->state.record_live; i < r->state.record_count; i++)
        count += r->config.records[i].revoked_at != 0 && r->config.records[i].until > time;
    return count;
}

static pp_res check_revoke(const struct pp_rules *r, const struct pp_record *rec)
{
    const struct pp_rules_record *target = find(r, &rec->revoke.target);

    PP_CHECK(target != NULL, PP_E_NOT_FOUND, 0);
    PP_CHECK(target->revoked_at == 0, PP_E_DUPLICATE, 0);
    /* One more than the status can list would stop the log from publishing at all. */
    PP_CHECK(unexpired_revoked(r, rec->time) < PP_STATUS_REVOKED_MAX, PP_E_LIMIT, 0);
    return PP_OK;
}

/* --- status -------------------------------------------------------------------------------- */

static int in_force(const struct pp_rules_record *rec, unsigned role, uint64_t time)
{
    return rec->type == PP_RECORD_RELEASE && rec->role_or_kind == role && rec->revoked_at == 0 &&
           rec->from <= time && time < rec->until;
}

static size_t releases_from(const struct pp_rules *r, unsigned role, uint64_t time, uint64_t serial)
{
    size_t count = 0;

    for (size_t i = r->state.record_live; i < r->state.record_count; i++)
        count += in_force(&r->config.records[i], role, time) &&
                 r->config.records[i].serial >= serial;
    return count;
}

/* Serials rise along the table, so the last of a role is its newest. */
static uint64_t raised_min_serial(const struct pp_rules *r, unsigned role, uint64_t time)
{
    uint64_t min = r->state.min_serial[role];

    for (size_t i = r->state.record_live; i < r->state.record_count; i++) {
        if (releases_from(r, role, time, min) <= PP_STATUS_RELEASES_PER_ROLE)
            break;
        const struct pp_rules_record *rec = &r->config.records[i];
        if (in_force(rec, role, time) && rec->serial >= min)
            min = rec->serial + 1;
    }
    return min;
}

static int compare_ids(const void *a, const void *b)
{
    return pp_record_id_cmp(a, b);
}

static int compare_keys(const void *a, const void *b)
{
    const struct pp_status_key *x = a;
    const struct pp_status_key *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return pp_record_id_cmp(&x->id, &y->id);
}

static pp_res list_releases(const struct pp_rules *r, uint64_t time, struct pp_status *s)
{
    for (unsigned role = 0; role < PP_RECORD_ROLES; role++)
        for (size_t i = r->state.record_live; i < r->state.record_count; i++) {
            const struct pp_rules_record *rec = &r->config.records[i];
            if (!in_force(rec, role, time) || rec->serial < s->min_serial[role])
                continue;
            PP_CHECK(s->release_count < PP_ARRAY_COUNT(s->releases), PP_E_LIMIT, role);
            s->releases[s->release_count++] = rec->id;
        }
    qsort(s->releases, s->release_count, sizeof s->releases[0], compare_ids);
    return PP_OK;
}

/*
 * The newest host-set, whatever became of it: falling back to an older one when the newest is
 * revoked or has expired would let machines in again that had left.
 */
static pp_res list_hosts(const struct pp_rules *r, struct pp_status *s)
{
    for (size_t i = r->state.record_count; i > 0; i--)
        if (r->config.records[i - 1].type == PP_RECORD_HOST_SET) {
            s->hosts = r->config.records[i - 1].id;
            return PP_OK;
        }
    return PP_FAIL(PP_E_MISSING, 0);
}

/* Current and next: the records of this UTC day and of the one after it. */
static void list_keys(const struct pp_rules *r, uint64_t time, struct pp_status *s)
{
    for (size_t i = r->state.record_live; i < r->state.record_count; i++) {
        const struct pp_rules_record *rec = &r->config.records[i];
        if (rec->type != PP_RECORD_KEY_EPOCH || rec->revoked_at != 0 || time >= rec->until ||
            time + PP_DAY_S < rec->from)
            continue;
        PP_ASSERT(s->key_count < PP_ARRAY_COUNT(s->keys)); /* epochs of a kind are distinct days */
        s->keys[s->key_count++] = (struct pp_status_key){
            .kind = (enum pp_record_kind)rec->role_or_kind,
            .id = rec->id,
        };
    }
    qsort(s->keys, s->key_count, sizeof s->keys[0], compare_keys);
}

static pp_res list_revoked(const struct pp_rules *r, uint64_t time, struct pp_status *s)
{
    for (size_t i = r->state.record_live; i < r->state.record_count; i++) {
        const struct pp_rules_record *rec = &r->config.records[i];
        if (rec->revoked_at == 0 || rec->until <= time)
            continue;
        PP_CHECK(s->revoked_count < PP_ARRAY_COUNT(s->revoked), PP_E_LIMIT, s->revoked_count);
        s->revoked[s->revoked_count++] = rec->id;
    }
    qsort(s->revoked, s->revoked_count, sizeof s->revoked[0], compare_ids);
    return PP_OK;
}

/* The lists that the records ask for, given the min-serials in `s`. */
static pp_res fill_status(const struct pp_rules *r, uint64_t time, struct pp_status *s)
{
    PP_TRY(list_releases(r, time, s));
    PP_TRY(list_hosts(r, s));
    list_keys(r, time, s);
    return list_revoked(r, time, s);
}

pp_res pp_rules_status(const struct pp_rules *r, uint64_t time, struct pp_record *ret)
{
    struct pp_record rec = {
        .type = PP_RECORD_STATUS,
        .ledger = r->config.ledger,
        .name_space = r->config.name_space,
        .environment = r->config.environment,
        .serial = r->state.serials[PP_RECORD_STATUS][0] + 1,
        .time = time,
        .status.valid_until = time + PP_STATUS_LIFE_S,
    };

    for (unsigned role = 0; role < PP_RECORD_ROLES; role++)
        rec.status.min_serial[role] = raised_min_serial(r, role, time);
    PP_TRY(fill_status(r, time, &rec.status));
    *ret = rec;
    return PP_OK;
}

static int same_lists(const struct pp_status *a, const struct pp_status *b)
{
    if (a->release_count != b->release_count || a->key_count != b->key_count ||
        a->revoked_count != b->revoked_count || !pp_record_id_same(&a->hosts, &b->hosts))
        return 0;
    for (size_t i = 0; i < a->release_count; i++)
        if (!pp_record_id_same(&a->releases[i], &b->releases[i]))
            return 0;
    for (size_t i = 0; i < a->key_count; i++)
        if (compare_keys(&a->keys[i], &b->keys[i]) != 0)
            return 0;
    for (size_t i = 0; i < a->revoked_count; i++)
        if (!pp_record_id_same(&a->revoked[i], &b->revoked[i]))
            return 0;
    return 1;
}

/*
 * Waiting times count from the status that closes a batch, not only from a record's own `time`, so
 * that nothing is gained by dating a record back.
 */
pp_res pp_rules_waited(const struct pp_rules *r, uint64_t time)
{
    const struct pp_rules_state *s = &r->state;

    PP_CHECK(time >= s->batch_time_max, PP_E_LEDGER_WINDOW, 1);
    if (!waits(r))
        return PP_OK;
    PP_CHECK(s->batch_release_from >= time + PP_RELEASE_LOGGED_S, PP_E_LEDGER_WINDOW, 2);
    PP_CHECK(s->batch_key_from >= time + PP_KEY_EPOCH_DELAY_S, PP_E_LEDGER_WINDOW, 3);
    return PP_OK;
}

static pp_res check_status_time(const struct pp_rules *r, uint64_t time, uint64_t now)
{
    const struct pp_rules_state *s = &r->state;

    PP_CHECK(time <= now + PP_RULES_SKEW_S, PP_E_LEDGER_FUTURE, time - now);
    PP_CHECK(time >= s->status_time, PP_E_LEDGER_WINDOW, 0);
    PP_TRY(pp_rules_waited(r, time));
    PP_CHECK(!waits(r) || s->batch_revokes || time % 3600 < PP_RULES_ON_THE_HOUR_S,
             PP_E_LEDGER_WINDOW, 4);
    return PP_OK;
}

static pp_res check_status(const struct pp_rules *r, const struct pp_record *rec, uint64_t now)
{
    struct pp_status want = { 0 };

    PP_TRY(check_status_time(r, rec->time, now));
    for (unsigned role = 0; role < PP_RECORD_ROLES; role++) {
        want.min_serial[role] = rec->status.min_serial[role];
        PP_CHECK(want.min_serial[role] >= r->state.min_serial[role], PP_E_LEDGER_STATUS, role);
        /* Devices keep it for ever, so it may not run ahead of the releases that exist. */
        PP_CHECK(want.min_serial[role] <= r->state.serials[PP_RECORD_RELEASE][role] + 1,
                 PP_E_LEDGER_STATUS, role);
        PP_CHECK(releases_from(r, role, rec->time, want.min_serial[role]) <=
                     PP_STATUS_RELEASES_PER_ROLE,
                 PP_E_LEDGER_STATUS, role);
    }
    PP_TRY(fill_status(r, rec->time, &want));
    PP_CHECK(same_lists(&want, &rec->status), PP_E_LEDGER_STATUS, PP_RECORD_ROLES);
    return PP_OK;
}

/* --- applying ------------------------------------------------------------------------------ */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

pp_res pp_rules_check(const struct pp_rules *r, const struct pp_record *rec, uint64_t now)
{
    PP_TRY(check_serial(r, rec));
    if (rec->type != PP_RECORD_STATUS && rec->type != PP_RECORD_REVOKE)
        PP_CHECK(r->state.record_count < r->config.record_cap, PP_E_LIMIT, r->config.record_cap);
    switch (rec->type) {
    case PP_RECORD_RELEASE:
        return check_release(r, &rec->release);
    case PP_RECORD_HOST_SET:
        return PP_OK;
    case PP_RECORD_KEY_EPOCH:
        return check_key_epoch(r, rec);
    case PP_RECORD_REVOKE:
        return check_revoke(r, rec);
    case PP_RECORD_STATUS:
        return check_status(r, rec, now);
    }
    return PP_FAIL(PP_E_UNVERIFIED, rec->type);
}

static void keep(struct pp_rules *r, const struct pp_record *rec, const struct pp_record_id *id)
{
    size_t index = r->state.record_count++;
    struct pp_rules_record *kept = &r->config.records[index];

    *kept = (struct pp_rules_record){
        .id = *id,
        .type = rec->type,
        .role_or_kind = role_or_kind(rec),
        .serial = rec->serial,
    };
    pp_record_window(rec, &kept->from, &kept->until);
    if (rec->type != PP_RECORD_RELEASE)
        return;
    for (size_t i = 0; i < rec->release.snp_count + rec->release.tdx_count; i++) {
        struct pp_rules_measurement *m = &r->config.measurements[r->state.measurement_count++];
        row_digest(&rec->release, i, m->digest);
        m->record = (uint32_t)index;
    }
}

/* Statuses do not go back in time, so what has ended by now is past for all of them: a log of many
 * years is read at the cost of the weeks that are alive. */
static void apply_status(struct pp_rules *r, const struct pp_record *rec)
{
    struct pp_rules_state *s = &r->state;

    s->status_time = rec->time;
    while (s->record_live < s->record_count && r->config.records[s->record_live].until <= rec->time)
        s->record_live++;
    memcpy(s->min_serial, rec->status.min_serial, sizeof s->min_serial);
    s->batch_time_max = 0;
    s->batch_release_from = s->batch_key_from = UINT64_MAX;
    s->batch_revokes = 0;
}

static void apply(struct pp_rules *r, const struct pp_record *rec, const struct pp_record_id *id)
{
    struct pp_rules_state *s = &r->state;

    s->entries++;
    s->serials[rec->type][role_or_kind(rec)] = rec->serial;
    s->closed = rec->type == PP_RECORD_STATUS;
    if (rec->time > s->batch_time_max)
        s->batch_time_max = rec->time;
    switch (rec->type) {
    case PP_RECORD_RELEASE:
        keep(r, rec, id);
        s->batch_release_from = smaller(s->batch_release_from, rec->release.not_before);
        break;
    case PP_RECORD_HOST_SET:
        keep(r, rec, id);
        break;
    case PP_RECORD_KEY_EPOCH:
        keep(r, rec, id);
        s->batch_key_from = smaller(s->batch_key_from, rec->key_epoch.use_from);
        s->last_epoch[rec->key_epoch.kind] = rec->key_epoch.epoch;
        break;
    case PP_RECORD_REVOKE:
        find(r, &rec->revoke.target)->revoked_at = s->entries;
        s->batch_revokes = 1;
        break;
    case PP_RECORD_STATUS:
        apply_status(r, rec);
        break;
    }
}

pp_res pp_rules_feed(struct pp_rules *r, struct pp_span entry, uint64_t now)
{
    struct pp_record_id id;
    struct pp_record rec;
    struct pp_note note;

    PP_TRY(pp_record_open(entry, &note, &rec));
    PP_TRY(
        pp_record_check_place(&rec, r->config.ledger, r->config.name_space, r->config.environment));
    PP_TRY(pp_record_check_logged(&note, &rec, &r->config.keys, r->state.entries));
    PP_TRY(pp_rules_check(r, &rec, now));
    pp_record_id_of(note.text, &id);
    apply(r, &rec, &id);
    return PP_OK;
}

/* 1 if the record can stand in the tables beside those that are there. */
static int can_apply(struct pp_rules *r, const struct pp_record *rec)
{
    const struct pp_rules_record *target;

    switch (rec->type) {
    case PP_RECORD_RELEASE:
        return r->state.record_count < r->config.record_cap &&
               rec->release.snp_count + rec->release.tdx_count <=
                   r->config.measurement_cap - r->state.measurement_count;
    case PP_RECORD_HOST_SET:
        return r->state.record_count < r->config.record_cap;
    case PP_RECORD_KEY_EPOCH: /* one record a day: list_keys relies on it */
        return r->state.record_count < r->config.record_cap &&
               rec->key_epoch.epoch > r->state.last_epoch[rec->key_epoch.kind];
    case PP_RECORD_REVOKE:
        target = find(r, &rec->revoke.target);
        return target != NULL && target->revoked_at == 0 &&
               unexpired_revoked(r, rec->time) < PP_STATUS_REVOKED_MAX; /* what a status can list */
    case PP_RECORD_STATUS:
        return 1;
    }
    return 0;
}

void pp_rules_feed_broken(struct pp_rules *r, struct pp_span entry)
{
    struct pp_rules_state before = r->state;
    struct pp_record_id id;
    struct pp_record rec;
    struct pp_note note;

    r->state.entries++;
    r->state.closed = 0;
    if (!pp_is_ok(pp_record_open(entry, &note, &rec)) ||
        !pp_is_ok(pp_record_check_place(&rec, r->config.ledger, r->config.name_space,
                                        r->config.environment)))
        return;
    pp_record_id_of(note.text, &id);
    /* The same text again is the record that is there. */
    if (find(r, &id) != NULL || !can_apply(r, &rec))
        return;
    r->state.entries--;
    apply(r, &rec, &id);
    uint64_t *serial = &r->state.serials[rec.type][role_or_kind(&rec)];
    *serial = larger(*serial, before.serials[rec.type][role_or_kind(&rec)]);
    if (*serial - before.serials[rec.type][role_or_kind(&rec)] > PP_RULES_SERIAL_STEP_MAX)
        *serial = before.serials[rec.type][role_or_kind(&rec)];
    if (rec.type == PP_RECORD_STATUS) { /* it closes its batch, and nothing that it says counts */
        *serial = before.serials[PP_RECORD_STATUS][0];
        r->state.status_time = before.status_time;
        r->state.record_live = before.record_live;
        memcpy(r->state.min_serial, before.min_serial, sizeof before.min_serial);
    }
}
