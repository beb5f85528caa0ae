/* SPDX-License-Identifier: Apache-2.0 */
#include "wallet.h"

#include <stdlib.h>

#include "aead.h"
#include "ct.h"
#include "db.h"

enum {
    APPLICATION_ID = 0x70707761, /* "ppwa" */
    SEALED_BYTES_MAX = PP_AEAD_NONCE_BYTES + PP_WALLET_ENTRY_BYTES_MAX + PP_AEAD_TAG_BYTES,
};

#define SEAL_LABEL PP_STR("pp-wallet-v1")

/*
 * What stands in clear is how many tokens there are and when batches are fetched; epochs and
 * times of tokens are sealed with them. `planned` is 1 once any fetch was planned.
 */
static const struct pp_db_schema SCHEMA = {
    .application_id = APPLICATION_ID,
    .version = 1,
    .sql = "CREATE TABLE token (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
           "CREATE TABLE fetch (day INTEGER NOT NULL, batch INTEGER NOT NULL, at INTEGER NOT NULL,"
           " until INTEGER NOT NULL, begun INTEGER NOT NULL, PRIMARY KEY (day, batch))"
           " WITHOUT ROWID;"
           "CREATE TABLE state (planned INTEGER NOT NULL); INSERT INTO state VALUES (0)",
};

struct pp_wallet {
    struct pp_db db;
    struct pp_aead *aead;
    struct pp_wallet_policy policy;
    struct pp_random random;
};

static pp_res open_aead(const struct pp_platform_key *key, struct pp_aead **ret)
{
    PP_AUTO(pp_secret) secret = { 0 };

    PP_TRY(key->load(key->ctx, &secret));
    return pp_aead_new(PP_AES_256_GCM, pp_secret_span(&secret), ret);
}

pp_res pp_wallet_open(const char *path, const struct pp_platform_key *key,
                      const struct pp_wallet_policy *policy, const struct pp_random *random,
                      struct pp_problem *problem, struct pp_wallet **ret)
{
    struct pp_wallet *w = calloc(1, sizeof *w);

    PP_CHECK(w != NULL, PP_E_NO_MEMORY, sizeof *w);
    w->policy = *policy;
    w->random = *random;
    pp_res r = open_aead(key, &w->aead);
    if (pp_is_ok(r))
        r = pp_db_open(path, &SCHEMA, problem, &w->db);
    if (!pp_is_ok(r)) {
        pp_wallet_close(w);
        return r;
    }
    *ret = w;
    return PP_OK;
}

void pp_wallet_close(struct pp_wallet *w)
{
    if (w == NULL)
        return;
    pp_aead_free(w->aead);
    pp_db_done(&w->db);
    free(w);
}

/* --- statements with numbers ----------------------------------------------------------------- */

static pp_res bind_numbers(const struct pp_wallet *w, sqlite3_stmt *stmt, const int64_t *numbers,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sqlite3_bind_int64(stmt, (int)i + 1, numbers[i]) != SQLITE_OK)
            return PP_FAIL(PP_E_STORE, sqlite3_extended_errcode(w->db.handle));
    return PP_OK;
}

/* Runs `sql` with numbers for its parameters. `*ret_changes` (may be NULL): rows changed. */
static pp_res run(const struct pp_wallet *w, const char *sql, const int64_t *numbers, size_t count,
                  int *ret_changes)
{
    sqlite3_stmt *stmt = NULL;

    PP_TRY(pp_db_prepare(&w->db, sql, &stmt));
    pp_res r = bind_numbers(w, stmt, numbers, count);
    if (pp_is_ok(r))
        r = pp_db_run(stmt);
    if (pp_is_ok(r) && ret_changes != NULL)
        *ret_changes = sqlite3_changes(w->db.handle);
    (void)sqlite3_finalize(stmt);
    return r;
}

/* The first row's columns of a query. NOT_FOUND without a row. */
static pp_res query(const struct pp_wallet *w, const char *sql, const int64_t *numbers,
                    size_t count, int64_t *ret, size_t column_count)
{
    sqlite3_stmt *stmt = NULL;
    int row = 0;

    PP_TRY(pp_db_prepare(&w->db, sql, &stmt));
    pp_res r = bind_numbers(w, stmt, numbers, count);
    if (pp_is_ok(r))
        r = pp_db_step(stmt, &row);
    if (pp_is_ok(r) && row == 0)
        r = PP_FAIL(PP_E_NOT_FOUND, 0);
    for (size_t i = 0; pp_is_ok(r) && i < column_count; i++)
        ret[i] = sqlite3_column_int64(stmt, (int)i);
    (void)sqlite3_finalize(stmt);
    return r;
}

/* SQLite's integers are signed; a moment that far away is as good as never. */
static int64_t moment(uint64_t at_s)
{
    return at_s > INT64_MAX ? INT64_MAX : (int64_t)at_s;
}

/* --- planning -------------------------------------------------------------------------------- */

static pp_res plan_batch(const struct pp_wallet *w, const struct pp_wallet_window *window,
                         uint32_t batch, uint64_t now_s, int first_ever)
{
    uint64_t at = 0;
    int64_t known = 0;
    const int64_t place[] = { window->day, batch };

    PP_TRY(
        query(w, "SELECT count(*) FROM fetch WHERE day = ?1 AND batch = ?2", place, 2, &known, 1));
    if (known != 0)
        return PP_OK;
    pp_res r = pp_wallet_fetch_moment(&w->policy, window, now_s, first_ever, &w->random, &at);
    if (r.code == PP_E_RANGE)
        return PP_OK; /* the window is over */
    PP_TRY(r);
    const int64_t values[] = { window->day, batch, moment(at), moment(window->issue_until_s) };
    PP_TRY(run(w, "INSERT INTO fetch VALUES (?1, ?2, ?3, ?4, 0)", values, 4, NULL));
    return run(w, "UPDATE state SET planned = 1", NULL, 0, NULL);
}

static pp_res plan_all(const struct pp_wallet *w, const struct pp_wallet_window *windows,
                       size_t window_count, uint64_t now_s)
{
    int64_t planned = 0;

    PP_TRY(query(w, "SELECT planned FROM state", NULL, 0, &planned, 1));
    for (size_t i = 0; i < window_count; i++)
        for (uint32_t batch = 0; batch < w->policy.batches; batch++)
            PP_TRY(plan_batch(w, &windows[i], batch, now_s, planned == 0));
    return PP_OK;
}

pp_res pp_wallet_plan(struct pp_wallet *w, const struct pp_wallet_window *windows,
                      size_t window_count, uint64_t now_s)
{
    PP_TRY(pp_db_begin(&w->db));
    return pp_db_end(&w->db, plan_all(w, windows, window_count, now_s));
}

pp_res pp_wallet_next_fetch(struct pp_wallet *w, uint64_t now_s, struct pp_wallet_fetch *ret)
{
    const int64_t now = moment(now_s);
    int64_t found[3] = { 0 };

    PP_TRY(query(w,
                 "SELECT day, batch, at FROM fetch WHERE begun = 0 AND until > ?1"
                 " ORDER BY at, day, batch LIMIT 1",
                 &now, 1, found, 3));
    *ret = (struct pp_wallet_fetch){
        .day = (uint32_t)found[0],
        .batch = (uint32_t)found[1],
        .at_s = (uint64_t)found[2],
    };
    return PP_OK;
}

pp_res pp_wallet_fetch_begin(struct pp_wallet *w, const struct pp_wallet_fetch *f)
{
    const int64_t place[] = { f->day, f->batch };
    int changes = 0;

    PP_TRY(run(w, "UPDATE fetch SET begun = 1 WHERE day = ?1 AND batch = ?2 AND begun = 0", place,
               2, &changes));
    PP_CHECK(changes == 1, PP_E_STATE, f->day);
    return PP_OK;
}

/* --- tokens ---------------------------------------------------------------------------------- */

/* A row of the table, opened. Holds a token: wiped when done. */
struct row {
    int64_t id;
    struct pp_wallet_entry entry; /* its token lies in `bytes` */
    struct pp_token token;
    uint8_t bytes[PP_WALLET_ENTRY_BYTES_MAX];
};

static void row_done(struct row *r)
{
    pp_wipe(r, sizeof *r);
}

static pp_res row_open(const struct pp_wallet *w, sqlite3_stmt *stmt, struct row *ret)
{
    struct pp_rd rd = pp_rd_span(pp_db_column(stmt, 1));
    uint8_t nonce[PP_AEAD_NONCE_BYTES];

    ret->id = sqlite3_column_int64(stmt, 0);
    pp_rd_copy(&rd, nonce, sizeof nonce);
    struct pp_span sealed = pp_rd_rest(&rd);
    /* Another platform key, or a file that somebody changed: nothing in it can be trusted. */
    PP_CHECK(sealed.len >= PP_AEAD_TAG_BYTES && sealed.len - PP_AEAD_TAG_BYTES <= sizeof ret->bytes,
             PP_E_STORE, 0);
    PP_TRY_AS(PP_E_STORE, pp_aead_open(w->aead, nonce, SEAL_LABEL, sealed, ret->bytes));
    PP_TRY_AS(PP_E_STORE, pp_wallet_entry_parse(pp_span(ret->bytes, sealed.len - PP_AEAD_TAG_BYTES),
                                                &ret->entry));
    PP_TRY_AS(PP_E_STORE, pp_token_parse(ret->entry.token, &ret->token));
    return PP_OK;
}

/* Opens every row and shows it to `each`, which stops the walk with a failure. */
static pp_res walk(const struct pp_wallet *w, pp_res (*each)(void *ctx, const struct row *r),
                   void *ctx)
{
    sqlite3_stmt *stmt = NULL;
    int more = 0;

    PP_TRY(pp_db_prepare(&w->db, "SELECT id, sealed FROM token", &stmt));
    pp_res r = pp_db_step(stmt, &more);
    while (pp_is_ok(r) && more == 1) {
        PP_AUTO(row) row = { 0 };
        r = row_open(w, stmt, &row);
        if (pp_is_ok(r))
            r = each(ctx, &row);
        if (pp_is_ok(r))
            r = pp_db_step(stmt, &more);
    }
    (void)sqlite3_finalize(stmt);
    return r;
}

static pp_res remove_id(const struct pp_wallet *w, int64_t id)
{
    int changes = 0;

    PP_TRY(run(w, "DELETE FROM token WHERE id = ?1", &id, 1, &changes));
    PP_CHECK(changes == 1, PP_E_STORE, 0);
    return PP_OK;
}

struct ids {
    int64_t list[PP_WALLET_TOKENS_MAX];
    size_t count;
};

static pp_res ids_add(struct ids *ids, int64_t id)
{
    PP_CHECK(ids->count < PP_ARRAY_COUNT(ids->list), PP_E_STORE, ids->count);
    ids->list[ids->count++] = id;
    return PP_OK;
}

/* --- adding ---------------------------------------------------------------------------------- */

static pp_res insert_token(const struct pp_wallet *w, sqlite3_stmt *stmt,
                           const struct pp_wallet_entry *e)
{
    uint8_t entry[PP_WALLET_ENTRY_BYTES_MAX];
    uint8_t sealed[SEALED_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(entry, sizeof entry);
    struct pp_token token;

    PP_TRY(pp_token_parse(e->token, &token));
    PP_CHECK(token.type == e->type, PP_E_RANGE, token.type);
    pp_wallet_entry_write(e, &wr);
    PP_TRY(pp_wr_ok(&wr));
    size_t sealed_len = PP_AEAD_NONCE_BYTES + wr.len + PP_AEAD_TAG_BYTES;
    pp_res r = pp_random_fill(&w->random, sealed, PP_AEAD_NONCE_BYTES);
    if (pp_is_ok(r))
        r = pp_aead_seal(w->aead, sealed, SEAL_LABEL, pp_wr_done(&wr),
                         sealed + PP_AEAD_NONCE_BYTES);
    pp_wipe(entry, sizeof entry);
    PP_TRY(r);
    if (sqlite3_bind_blob(stmt, 1, sealed, (int)sealed_len, SQLITE_STATIC) != SQLITE_OK)
        return PP_FAIL(PP_E_STORE, sqlite3_extended_errcode(w->db.handle));
    return pp_db_run(stmt);
}

static pp_res insert_all(const struct pp_wallet *w, uint32_t day, struct pp_span tokens,
                         uint64_t usable_from_s)
{
    struct pp_rd rd = pp_rd_span(tokens);
    struct pp_rd peek = rd;
    sqlite3_stmt *stmt = NULL;
    int64_t held = 0;
    uint16_t type = pp_rd_u16(&peek);
    size_t token_bytes = pp_token_bytes(type);

    PP_CHECK(tokens.len > 0, PP_E_RANGE, 0);
    PP_CHECK(token_bytes > 0, PP_E_UNSUPPORTED, type);
    PP_CHECK(tokens.len % token_bytes == 0, PP_E_RANGE, tokens.len);
    PP_TRY(query(w, "SELECT count(*) FROM token", NULL, 0, &held, 1));
    PP_CHECK(tokens.len / token_bytes + (uint64_t)held <= PP_WALLET_TOKENS_MAX, PP_E_LIMIT, held);

    PP_TRY(pp_db_prepare(&w->db, "INSERT INTO token (sealed) VALUES (?1)", &stmt));
    pp_res r = PP_OK;
    while (pp_is_ok(r) && rd.left > 0) {
        const struct pp_wallet_entry e = {
            .type = type,
            .day = day,
            .usable_from_s = usable_from_s,
            .token = pp_rd_bytes(&rd, token_bytes),
        };
        r = insert_token(w, stmt, &e);
    }
    (void)sqlite3_finalize(stmt);
    return r;
}

pp_res pp_wallet_add(struct pp_wallet *w, uint32_t day, struct pp_span tokens_secret,
                     uint64_t now_s)
{
    uint64_t usable_from_s = pp_wallet_usable_from(&w->policy, now_s);

    PP_TRY(pp_db_begin(&w->db));
    return pp_db_end(&w->db, insert_all(w, day, tokens_secret, usable_from_s));
}

/* --- purging --------------------------------------------------------------------------------- */

struct purge {
    uint64_t now_s;
    struct ids dead;
};

static pp_res purge_each(void *ctx, const struct row *r)
{
    struct purge *p = ctx;

    if (!pp_wallet_epoch_is_dead(r->entry.day, p->now_s))
        return PP_OK;
    return ids_add(&p->dead, r->id);
}

static pp_res purge_all(const struct pp_wallet *w, uint64_t now_s)
{
    struct purge p = { .now_s = now_s };
    const int64_t live_day = now_s < PP_EPOCH_SLACK_SECONDS
                                 ? 0
                                 : moment(now_s - PP_EPOCH_SLACK_SECONDS) / PP_EPOCH_SECONDS;

    PP_TRY(walk(w, purge_each, &p));
    for (size_t i = 0; i < p.dead.count; i++)
        PP_TRY(remove_id(w, p.dead.list[i]));
    return run(w, "DELETE FROM fetch WHERE day < ?1", &live_day, 1, NULL);
}

pp_res pp_wallet_purge(struct pp_wallet *w, uint64_t now_s)
{
    PP_TRY(pp_db_begin(&w->db));
    return pp_db_end(&w->db, purge_all(w, now_s));
}

/* --- taking ---------------------------------------------------------------------------------- */

struct choice {
    const struct pp_wallet_key *keys;
    size_t key_count;
    uint64_t now_s;
    struct pp_wallet_days days;
    struct ids today, neighbour; /* the tokens that may be spent now */
};

static int key_is_listed(const struct choice *c, const struct row *r)
{
    for (size_t i = 0; i < c->key_count; i++)
        if (c->keys[i].day == r->entry.day &&
            pp_span_eq(PP_BYTES(c->keys[i].key_id), PP_BYTES(r->token.key_id)))
            return 1;
    return 0;
}

static pp_res choice_each(void *ctx, const struct row *r)
{
    struct choice *c = ctx;

    if (r->entry.usable_from_s > c->now_s || !key_is_listed(c, r))
        return PP_OK;
    if (r->entry.day == c->days.today)
        return ids_add(&c->today, r->id);
    if (c->days.has_neighbour && r->entry.day == c->days.neighbour)
        return ids_add(&c->neighbour, r->id);
    return PP_OK;
}

static pp_res choose(const struct pp_wallet *w, struct choice *c, int64_t *ret_id)
{
    uint32_t day = 0;
    uint64_t place = 0;

    PP_TRY(walk(w, choice_each, c));
    PP_TRY(pp_wallet_choose_day(&c->days, c->today.count > 0, c->neighbour.count > 0, &w->random,
                                &day));
    const struct ids *ids = day == c->days.today ? &c->today : &c->neighbour;
    PP_TRY(pp_random_below(&w->random, ids->count, &place));
    *ret_id = ids->list[place];
    return PP_OK;
}

static pp_res read_token(const struct pp_wallet *w, int64_t id, struct pp_secret *ret)
{
    PP_AUTO(row) row = { 0 };
    sqlite3_stmt *stmt = NULL;
    int more = 0;

    PP_TRY(pp_db_prepare(&w->db, "SELECT id, sealed FROM token WHERE id = ?1", &stmt));
    pp_res r = bind_numbers(w, stmt, &id, 1);
    if (pp_is_ok(r))
        r = pp_db_step(stmt, &more);
    if (pp_is_ok(r))
        r = more == 1 ? row_open(w, stmt, &row) : PP_FAIL(PP_E_STORE, 0);
    if (pp_is_ok(r))
        r = pp_secret_copy(ret, row.entry.token);
    (void)sqlite3_finalize(stmt);
    return r;
}

static pp_res take(const struct pp_wallet *w, struct choice *c, struct pp_secret *ret)
{
    int64_t id = 0;

    PP_TRY(choose(w, c, &id));
    PP_TRY(read_token(w, id, ret));
    return remove_id(w, id);
}

pp_res pp_wallet_take(struct pp_wallet *w, const struct pp_wallet_key *keys, size_t key_count,
                      uint64_t now_s, struct pp_secret *ret_token)
{
    PP_AUTO(pp_secret) token = { 0 };
    struct choice c = {
        .keys = keys, .key_count = key_count, .now_s = now_s, .days = pp_wallet_days(now_s)
    };

    PP_TRY(pp_wallet_purge(w, now_s));
    PP_TRY(pp_db_begin(&w->db));
    /* Only a token whose deletion is on the disk leaves this function. */
    PP_TRY(pp_db_end(&w->db, take(w, &c, &token)));
    *ret_token = token;
    token = (struct pp_secret){ 0 };
    return PP_OK;
}

/* --- counting -------------------------------------------------------------------------------- */

struct counts {
    uint64_t now_s;
    struct pp_wallet_epoch list[PP_WALLET_EPOCHS_MAX];
    size_t count;
};

static pp_res counts_each(void *ctx, const struct row *r)
{
    struct counts *c = ctx;
    size_t at = 0;

    while (at < c->count && c->list[at].day < r->entry.day)
        at++;
    if (at == c->count || c->list[at].day != r->entry.day) {
        PP_CHECK(c->count < PP_WALLET_EPOCHS_MAX, PP_E_STORE, c->count);
        for (size_t i = c->count++; i > at; i--)
            c->list[i] = c->list[i - 1];
        c->list[at] = (struct pp_wallet_epoch){ .day = r->entry.day };
    }
    c->list[at].held++;
    c->list[at].rested += r->entry.usable_from_s <= c->now_s;
    return PP_OK;
}

pp_res pp_wallet_epochs(struct pp_wallet *w, uint64_t now_s,
                        struct pp_wallet_epoch ret[PP_WALLET_EPOCHS_MAX], size_t *ret_count)
{
    struct counts c = { .now_s = now_s };

    PP_TRY(pp_wallet_purge(w, now_s));
    PP_TRY(walk(w, counts_each, &c));
    for (size_t i = 0; i < c.count; i++)
        ret[i] = c.list[i];
    *ret_count = c.count;
    return PP_OK;
}
