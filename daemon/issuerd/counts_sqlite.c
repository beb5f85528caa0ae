/* SPDX-License-Identifier: Apache-2.0 */
#include "counts_int.h"

#include <stdlib.h>

#include "db.h"

enum { APPLICATION_ID = 0x70706973 /* "ppis" */ };

static const struct pp_db_schema SCHEMA = {
    .application_id = APPLICATION_ID,
    .version = 1,
    .sql = "CREATE TABLE batch (day INTEGER NOT NULL, account BLOB NOT NULL,"
           " count INTEGER NOT NULL, PRIMARY KEY (day, account)) WITHOUT ROWID",
};

struct store {
    struct iss_counts base;
    struct pp_db db;
    sqlite3_stmt *check, *add, *retire;
};

static struct store *store_of(struct iss_counts *c)
{
    return (struct store *)c;
}

static pp_res prepare(struct store *c)
{
    PP_TRY(pp_db_prepare(
        &c->db, "SELECT 1 FROM batch WHERE day = ?1 AND account = ?2 AND count >= ?3", &c->check));
    PP_TRY(pp_db_prepare(&c->db,
                         "INSERT INTO batch VALUES (?1, ?2, 1) ON CONFLICT (day, account)"
                         " DO UPDATE SET count = count + 1 WHERE count < ?3",
                         &c->add));
    return pp_db_prepare(&c->db, "DELETE FROM batch WHERE day < ?1", &c->retire);
}

static void close_store(struct iss_counts *counts)
{
    struct store *c = store_of(counts);

    (void)sqlite3_finalize(c->check);
    (void)sqlite3_finalize(c->add);
    (void)sqlite3_finalize(c->retire);
    pp_db_done(&c->db);
    free(c);
}

static pp_res bind(const struct store *c, sqlite3_stmt *stmt, uint32_t day,
                   const struct iss_account *account, uint32_t max)
{
    if (sqlite3_bind_int64(stmt, 1, day) != SQLITE_OK ||
        sqlite3_bind_blob(stmt, 2, account->bytes, ISS_ACCOUNT_BYTES, SQLITE_TRANSIENT) !=
            SQLITE_OK ||
        sqlite3_bind_int64(stmt, 3, max) != SQLITE_OK)
        return PP_FAIL(PP_E_STORE, sqlite3_extended_errcode(c->db.handle));
    return PP_OK;
}

static pp_res check(struct iss_counts *counts, uint32_t day, const struct iss_account *account,
                    uint32_t max)
{
    struct store *c = store_of(counts);
    int reached = 0;

    PP_TRY(bind(c, c->check, day, account, max));
    PP_TRY(pp_db_step(c->check, &reached));
    if (reached)
        (void)sqlite3_reset(c->check);
    PP_CHECK(!reached, PP_E_LIMIT, max);
    return PP_OK;
}

static pp_res add(struct iss_counts *counts, uint32_t day, const struct iss_account *account,
                  uint32_t max)
{
    struct store *c = store_of(counts);

    PP_TRY(bind(c, c->add, day, account, max));
    PP_TRY(pp_db_run(c->add));
    PP_CHECK(sqlite3_changes(c->db.handle) == 1, PP_E_LIMIT, max);
    return PP_OK;
}

static pp_res retire(struct iss_counts *counts, uint32_t first_day)
{
    struct store *c = store_of(counts);

    if (sqlite3_bind_int64(c->retire, 1, first_day) != SQLITE_OK)
        return PP_FAIL(PP_E_STORE, sqlite3_extended_errcode(c->db.handle));
    return pp_db_run(c->retire);
}

pp_res iss_counts_open_sqlite_(const char *path, struct pp_problem *problem,
                               struct iss_counts **ret)
{
    static const struct iss_counts_kind SQLITE = { close_store, check, add, retire };
    struct store *c = calloc(1, sizeof *c);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);
    c->base.kind = &SQLITE;
    pp_res r = pp_db_open(path, &SCHEMA, problem, &c->db);
    if (pp_is_ok(r))
        r = prepare(c);
    if (!pp_is_ok(r)) {
        close_store(&c->base);
        return r;
    }
    *ret = &c->base;
    return PP_OK;
}
