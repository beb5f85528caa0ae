/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "rd.h"
#include "text.h"

#include "record_int.h"

static const char *const TYPES[] = { "cvm-release/v1", "host-set/v1", "key-epoch/v1", "revoke/v1",
                                     "status/v1" };
static const char *const TYPE_NAMES[] = { "cvm-release", "host-set", "key-epoch", "revoke",
                                          "status" };
static const char *const ENVS[] = { "prod", "staging", "dev" };
static const char *const REASONS[PP_RECORD_REASONS] = { "compromise", "error", "superseded",
                                                        "vulnerability" };

const char *const PP_REC_ROLES[PP_RECORD_ROLES] = { "gateway", "guard", "orchestrator",
                                                    "predictor" };
const char *const PP_REC_KINDS[PP_RECORD_KINDS] = { "issuer", "ohttp" };
const char *const PP_REC_FAMILIES[PP_RECORD_FAMILIES] = { "genoa", "milan", "turin" };

const char *pp_record_env_name(enum pp_record_env env)
{
    PP_ASSERT(env >= PP_RECORD_PROD && env <= PP_RECORD_DEV);
    return ENVS[env - PP_RECORD_PROD];
}

const char *pp_record_role_name(enum pp_record_role role)
{
    PP_ASSERT(role < PP_RECORD_ROLES);
    return PP_REC_ROLES[role];
}

const char *pp_record_kind_name(enum pp_record_kind kind)
{
    PP_ASSERT(kind < PP_RECORD_KINDS);
    return PP_REC_KINDS[kind];
}

const char *pp_record_reason_name(enum pp_record_reason reason)
{
    PP_ASSERT(reason < PP_RECORD_REASONS);
    return REASONS[reason];
}

const char *pp_record_type_name(enum pp_record_type type)
{
    PP_ASSERT(type >= PP_RECORD_RELEASE && type <= PP_RECORD_STATUS);
    return TYPE_NAMES[type - PP_RECORD_RELEASE];
}

pp_res pp_record_env_parse(struct pp_span word, enum pp_record_env *ret)
{
    unsigned i;

    PP_TRY(pp_rec_find(word, ENVS, PP_ARRAY_COUNT(ENVS), &i));
    *ret = (enum pp_record_env)(PP_RECORD_PROD + i);
    return PP_OK;
}

pp_res pp_record_role_parse(struct pp_span word, enum pp_record_role *ret)
{
    unsigned i;

    PP_TRY(pp_rec_find(word, PP_REC_ROLES, PP_RECORD_ROLES, &i));
    *ret = (enum pp_record_role)i;
    return PP_OK;
}

void pp_record_id_of(struct pp_span text, struct pp_record_id *ret)
{
    pp_sha256(text, ret->bytes);
}

int pp_record_id_same(const struct pp_record_id *a, const struct pp_record_id *b)
{
    return pp_record_id_cmp(a, b) == 0;
}

int pp_record_id_cmp(const struct pp_record_id *a, const struct pp_record_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* --- reading ------------------------------------------------------------------------------- */

static struct pp_span read_word(struct pp_rec_rd *rd, const char *key)
{
    pp_rec_take(rd, key);
    struct pp_span word = pp_rec_word(rd);
    pp_rec_done(rd);
    return word;
}

static uint64_t read_time(struct pp_rec_rd *rd, const char *key)
{
    pp_rec_take(rd, key);
    uint64_t v = pp_rec_time(rd);
    pp_rec_done(rd);
    return v;
}

static void read_id(struct pp_rec_rd *rd, const char *key, struct pp_record_id *ret)
{
    pp_rec_take(rd, key);
    pp_rec_hex(rd, ret->bytes, sizeof ret->bytes);
    pp_rec_done(rd);
}

static void read_window(struct pp_rec_rd *rd, const char *key, uint64_t from, uint64_t until)
{
    pp_rec_take(rd, key);
    pp_rec_require(rd, pp_rec_time(rd) == from, PP_E_LEDGER_WINDOW);
    pp_rec_require(rd, pp_rec_time(rd) == until, PP_E_LEDGER_WINDOW);
    pp_rec_done(rd);
}

static void read_head(struct pp_rec_rd *rd, struct pp_record *r)
{
    unsigned i;

    pp_rec_take(rd, "type");
    struct pp_span type = pp_rec_word(rd);
    pp_rec_done(rd);
    if (pp_is_ok(rd->r) && !pp_is_ok(pp_rec_find(type, TYPES, PP_ARRAY_COUNT(TYPES), &i)))
        pp_rec_fail(rd, PP_E_UNSUPPORTED);
    else if (pp_is_ok(rd->r))
        r->type = (enum pp_record_type)(PP_RECORD_RELEASE + i);
    r->ledger = read_word(rd, "ledger");
    r->name_space = read_word(rd, "namespace");
    pp_rec_take(rd, "environment");
    i = pp_rec_choice(rd, ENVS, PP_ARRAY_COUNT(ENVS));
    pp_rec_done(rd);
    r->environment = (enum pp_record_env)(PP_RECORD_PROD + i);
    pp_rec_take(rd, "serial");
    r->serial = pp_rec_number(rd, 1, PP_RECORD_NUMBER_MAX);
    pp_rec_done(rd);
    r->time = read_time(rd, "time");
}

static void read_host_set(struct pp_rec_rd *rd, const struct pp_record *head, struct pp_host_set *r)
{
    r->not_after = read_time(rd, "not-after");
    pp_rec_require(rd, r->not_after > head->time && r->not_after - head->time <= PP_HOST_SET_LIFE_S,
                   PP_E_LEDGER_WINDOW);
    pp_rec_take(rd, "count");
    r->count = pp_rec_number(rd, 1, PP_HOST_SET_MAX);
    pp_rec_done(rd);
    pp_rec_take(rd, "root");
    pp_rec_hex(rd, r->root.bytes, sizeof r->root.bytes);
    pp_rec_done(rd);
    pp_rec_take(rd, "list");
    pp_rec_sha256(rd, r->list);
    r->where = pp_rec_word(rd);
    pp_rec_done(rd);
}

/* The times of a key follow from its epoch; the lines are there for people and are compared. */
static void key_times(const struct pp_record *head, struct pp_key_epoch *k)
{
    uint64_t after = head->environment == PP_RECORD_DEV ? PP_DAY_S : PP_KEY_ISSUE_AFTER_S;

    k->use_from = k->epoch * PP_DAY_S;
    k->use_until = k->use_from + PP_DAY_S;
    k->issue_from = k->issue_until = 0;
    if (k->kind == PP_RECORD_ISSUER) {
        k->issue_from = k->use_from - PP_KEY_ISSUE_BEFORE_S;
        k->issue_until = k->use_from + after;
    }
}

/*
 * issuer: u16 token type || public key. ohttp: an application/ohttp-keys list (RFC 9458 3.2) of one
 * or two configurations with different key ids. What a configuration holds is for lib/ohttp.
 */
static pp_res check_config(enum pp_record_kind kind, struct pp_span config)
{
    struct pp_rd rd = pp_rd_span(config);
    uint8_t ids[2];
    size_t count = 0;

    if (kind == PP_RECORD_ISSUER) {
        (void)pp_rd_u16(&rd);
        PP_TRY(pp_rd_ok(&rd));
        PP_CHECK(rd.left > 0, PP_E_TRUNCATED, 0);
        return PP_OK;
    }
    while (rd.left > 0) {
        struct pp_rd one = pp_rd_block16(&rd);
        PP_CHECK(count < PP_ARRAY_COUNT(ids), PP_E_LIMIT, count);
        ids[count++] = pp_rd_u8(&one);
        PP_TRY(pp_rd_ok(&one));
        PP_CHECK(one.left > 0, PP_E_TRUNCATED, 0);
    }
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(count > 0, PP_E_TRUNCATED, 0);
    PP_CHECK(count < 2 || ids[0] != ids[1], PP_E_DUPLICATE, ids[0]);
    return PP_OK;
}

static void read_key_epoch(struct pp_rec_rd *rd, const struct pp_record *head,
                           struct pp_key_epoch *r)
{
    uint64_t delay = head->environment == PP_RECORD_DEV ? 0 : PP_KEY_EPOCH_DELAY_S;

    pp_rec_take(rd, "kind");
    r->kind = (enum pp_record_kind)pp_rec_choice(rd, PP_REC_KINDS, PP_RECORD_KINDS);
    pp_rec_done(rd);
    pp_rec_take(rd, "epoch");
    r->epoch = pp_rec_number(rd, 2, PP_RECORD_TIME_MAX / PP_DAY_S - 2);
    pp_rec_done(rd);
    key_times(head, r);
    if (r->kind == PP_RECORD_ISSUER)
        read_window(rd, "issue", r->issue_from, r->issue_until);
    read_window(rd, "use", r->use_from, r->use_until);
    /* In dev a key may be logged in the middle of its own day, but not after it. */
    pp_rec_require(rd, delay == 0 ? head->time < r->use_until : head->time + delay <= r->use_from,
                   PP_E_LEDGER_WINDOW);
    pp_rec_take(rd, "config");
    pp_rec_b64(rd, r->config, sizeof r->config, &r->config_len);
    pp_rec_done(rd);
    if (!pp_is_ok(rd->r))
        return;
    pp_res c = check_config(r->kind, pp_span(r->config, r->config_len));
    if (!pp_is_ok(c))
        pp_rec_fail(rd, (enum pp_code)c.code);
}

static void read_revoke(struct pp_rec_rd *rd, const struct pp_record *head, struct pp_revoke *r)
{
    read_id(rd, "target", &r->target);
    pp_rec_take(rd, "reason");
    r->reason = (enum pp_record_reason)pp_rec_choice(rd, REASONS, PP_RECORD_REASONS);
    pp_rec_done(rd);
    r->effective = read_time(rd, "effective");
    pp_rec_require(rd, r->effective <= head->time, PP_E_LEDGER_WINDOW);
    pp_rec_take(rd, "notice");
    pp_rec_sha256(rd, r->notice);
    pp_rec_done(rd);
}

static size_t read_ids(struct pp_rec_rd *rd, const char *key, struct pp_record_id *ret, size_t max)
{
    size_t count = 0;

    while (pp_rec_is(rd, key)) {
        if (count == max) {
            pp_rec_fail(rd, PP_E_LIMIT);
            return count;
        }
        read_id(rd, key, &ret[count++]);
    }
    return count;
}

static void read_status(struct pp_rec_rd *rd, const struct pp_record *head, struct pp_status *r)
{
    r->valid_until = read_time(rd, "valid-until");
    pp_rec_require(rd, r->valid_until == head->time + PP_STATUS_LIFE_S, PP_E_LEDGER_WINDOW);
    for (unsigned role = 0; role < PP_RECORD_ROLES; role++) {
        pp_rec_take(rd, "min-serial");
        unsigned named = pp_rec_choice(rd, PP_REC_ROLES, PP_RECORD_ROLES);
        pp_rec_require(rd, named == role, PP_E_MISSING);
        r->min_serial[role] = pp_rec_number(rd, 1, PP_RECORD_NUMBER_MAX);
        pp_rec_done(rd);
    }
    r->release_count = read_ids(rd, "release", r->releases, PP_ARRAY_COUNT(r->releases));
    read_id(rd, "hosts", &r->hosts);
    size_t of_kind[PP_RECORD_KINDS] = { 0 };
    while (pp_rec_is(rd, "keys")) {
        pp_rec_take(rd, "keys");
        enum pp_record_kind kind = (enum pp_record_kind)pp_rec_choice(rd, PP_REC_KINDS,
                                                                      PP_RECORD_KINDS);
        pp_rec_require(rd, of_kind[kind]++ < 2, PP_E_LIMIT);
        if (!pp_is_ok(rd->r))
            return;
        r->keys[r->key_count].kind = kind;
        pp_rec_hex(rd, r->keys[r->key_count].id.bytes, sizeof r->keys[0].id.bytes);
        pp_rec_done(rd);
        r->key_count++;
    }
    r->revoked_count = read_ids(rd, "revoked", r->revoked, PP_STATUS_REVOKED_MAX);
}

pp_res pp_record_parse(struct pp_span text, struct pp_record *ret)
{
    struct pp_rec_rd rd = pp_rec_rd_over(text);
    struct pp_record r = { 0 };

    read_head(&rd, &r);
    PP_TRY(rd.r);
    switch (r.type) {
    case PP_RECORD_RELEASE:
        pp_rec_release_read(&rd, &r, &r.release);
        break;
    case PP_RECORD_HOST_SET:
        read_host_set(&rd, &r, &r.host_set);
        break;
    case PP_RECORD_KEY_EPOCH:
        read_key_epoch(&rd, &r, &r.key_epoch);
        break;
    case PP_RECORD_REVOKE:
        read_revoke(&rd, &r, &r.revoke);
        break;
    case PP_RECORD_STATUS:
        read_status(&rd, &r, &r.status);
        break;
    }
    PP_TRY(pp_rec_rd_end(&rd));
    *ret = r;
    return PP_OK;
}

void pp_record_window(const struct pp_record *r, uint64_t *ret_from, uint64_t *ret_until)
{
    *ret_from = r->time;
    *ret_until = UINT64_MAX;
    switch (r->type) {
    case PP_RECORD_RELEASE:
        *ret_from = r->release.not_before;
        *ret_until = r->release.not_after;
        break;
    case PP_RECORD_HOST_SET:
        *ret_until = r->host_set.not_after;
        break;
    case PP_RECORD_KEY_EPOCH:
        *ret_from = r->key_epoch.use_from;
        *ret_until = r->key_epoch.use_until;
        break;
    case PP_RECORD_REVOKE:
        break;
    case PP_RECORD_STATUS:
        *ret_until = r->status.valid_until;
        break;
    }
}

/* --- writing ------------------------------------------------------------------------------- */

static void write_word(struct pp_wr *wr, const char *key, struct pp_span word)
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_word(wr, word);
    pp_rec_wr_end(wr);
}

static void write_number(struct pp_wr *wr, const char *key, uint64_t v)
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_number(wr, v);
    pp_rec_wr_end(wr);
}

static void write_id(struct pp_wr *wr, const char *key, const struct pp_record_id *id)
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_hex(wr, id->bytes, sizeof id->bytes);
    pp_rec_wr_end(wr);
}

static void write_window(struct pp_wr *wr, const char *key, uint64_t from, uint64_t until)
{
    pp_rec_wr_key(wr, key);
    pp_rec_wr_number(wr, from);
    pp_rec_wr_number(wr, until);
    pp_rec_wr_end(wr);
}

static void write_host_set(struct pp_wr *wr, const struct pp_host_set *r)
{
    write_number(wr, "not-after", r->not_after);
    write_number(wr, "count", r->count);
    pp_rec_wr_key(wr, "root");
    pp_rec_wr_hex(wr, r->root.bytes, sizeof r->root.bytes);
    pp_rec_wr_end(wr);
    pp_rec_wr_key(wr, "list");
    pp_rec_wr_sha256(wr, r->list);
    pp_rec_wr_word(wr, r->where);
    pp_rec_wr_end(wr);
}

static void write_key_epoch(struct pp_wr *wr, const struct pp_record *head)
{
    const struct pp_key_epoch *r = &head->key_epoch;
    struct pp_key_epoch times = { .kind = r->kind, .epoch = r->epoch };

    key_times(head, &times);
    write_word(wr, "kind", pp_span_cstr(pp_record_kind_name(r->kind)));
    write_number(wr, "epoch", r->epoch);
    if (r->kind == PP_RECORD_ISSUER)
        write_window(wr, "issue", times.issue_from, times.issue_until);
    write_window(wr, "use", times.use_from, times.use_until);
    pp_wr_text(wr, "config b64:");
    pp_wr_base64(wr, pp_span(r->config, r->config_len));
    pp_rec_wr_end(wr);
}

static void write_revoke(struct pp_wr *wr, const struct pp_revoke *r)
{
    PP_ASSERT(r->reason < PP_RECORD_REASONS);
    write_id(wr, "target", &r->target);
    write_word(wr, "reason", pp_span_cstr(REASONS[r->reason]));
    write_number(wr, "effective", r->effective);
    pp_rec_wr_key(wr, "notice");
    pp_rec_wr_sha256(wr, r->notice);
    pp_rec_wr_end(wr);
}

static void write_status(struct pp_wr *wr, const struct pp_record *head)
{
    const struct pp_status *r = &head->status;

    write_number(wr, "valid-until", head->time + PP_STATUS_LIFE_S);
    for (unsigned role = 0; role < PP_RECORD_ROLES; role++) {
        pp_rec_wr_key(wr, "min-serial");
        pp_rec_wr_text(wr, PP_REC_ROLES[role]);
        pp_rec_wr_number(wr, r->min_serial[role]);
        pp_rec_wr_end(wr);
    }
    for (size_t i = 0; i < r->release_count; i++)
        write_id(wr, "release", &r->releases[i]);
    write_id(wr, "hosts", &r->hosts);
    for (size_t i = 0; i < r->key_count; i++) {
        pp_rec_wr_key(wr, "keys");
        pp_rec_wr_text(wr, pp_record_kind_name(r->keys[i].kind));
        pp_rec_wr_hex(wr, r->keys[i].id.bytes, sizeof r->keys[i].id.bytes);
        pp_rec_wr_end(wr);
    }
    for (size_t i = 0; i < r->revoked_count; i++)
        write_id(wr, "revoked", &r->revoked[i]);
}

static void write_record(struct pp_wr *wr, const struct pp_record *r)
{
    write_word(wr, "type", pp_span_cstr(TYPES[r->type - PP_RECORD_RELEASE]));
    write_word(wr, "ledger", r->ledger);
    write_word(wr, "namespace", r->name_space);
    write_word(wr, "environment", pp_span_cstr(pp_record_env_name(r->environment)));
    write_number(wr, "serial", r->serial);
    write_number(wr, "time", r->time);
    switch (r->type) {
    case PP_RECORD_RELEASE:
        pp_rec_release_write(wr, &r->release);
        break;
    case PP_RECORD_HOST_SET:
        write_host_set(wr, &r->host_set);
        break;
    case PP_RECORD_KEY_EPOCH:
        write_key_epoch(wr, r);
        break;
    case PP_RECORD_REVOKE:
        write_revoke(wr, &r->revoke);
        break;
    case PP_RECORD_STATUS:
        write_status(wr, r);
        break;
    }
}

pp_res pp_record_write(struct pp_wr *wr, const struct pp_record *r)
{
    struct pp_record again;
    size_t from = wr->len;

    PP_CHECK(r->type >= PP_RECORD_RELEASE && r->type <= PP_RECORD_STATUS, PP_E_UNSUPPORTED,
             r->type);
    PP_TRY(pp_wr_ok(wr));
    write_record(wr, r);
    PP_TRY(pp_wr_ok(wr));
    return pp_record_parse(pp_span(wr->at + from, wr->len - from), &again);
}
