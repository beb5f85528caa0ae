/* SPDX-License-Identifier: Apache-2.0 */
#include "spent_int.h"

#include <stdlib.h>

#include "db.h"

enum { APPLICATION_ID = 0x70707370 /* "ppsp" */ };

/*
 * Keys come in no order, so a batch of a thousand touches almost as many pages, and each goes into
 * the log whole: small pages are a quarter of the bytes. A longer log than SQLite's own choice
 * means that a page which many batches touched goes into the file once.
 */
static const char TUNING[] = "PRAGMA cache_size=-65536;"            /* KiB, as they are needed */
                             "PRAGMA wal_autocheckpoint=65536;"     /* pages: 64 MiB */
                             "PRAGMA journal_size_limit=67108864;"; /* bytes */

static const struct pp_db_schema SCHEMA = {
    .application_id = APPLICATION_ID,
    .version = 1,
    .page_bytes = 1024,
    .sql = "CREATE TABLE floor (day INTEGER NOT NULL); INSERT INTO floor VALUES (0)",
};

/* The insert statement of one epoch. */
struct epoch {
    uint32_t day;
    sqlite3_stmt *insert; /* NULL: a free place */
};

struct store {
    struct pp_spent base;
    struct pp_db db;
    sqlite3_stmt *floor;
    struct epoch epochs[PP_SPENT_EPOCHS_MAX];
    size_t next; /* the place to use again when all are taken */
};

static struct store *store_of(struct pp_spent *s)
{
    return (struct store *)s;
}

/* Statements whose epochs lie before `first_day`. */
static void forget_before(struct store *s, uint64_t first_day)
{
    for (size_t i = 0; i < PP_SPENT_EPOCHS_MAX; i++)
        if (s->epochs[i].insert != NULL && s->epochs[i].day < first_day) {
            (void)sqlite3_finalize(s->epochs[i].insert);
            s->epochs[i] = (struct epoch){ 0 };
        }
}

static void close_store(struct pp_spent *spent)
{
    struct store *s = store_of(spent);

    forget_before(s, UINT64_MAX);
    (void)sqlite3_finalize(s->floor);
    pp_db_done(&s->db);
    free(s);
}

/* The number that the statement's one row gives, or `absent` without a row. */
static pp_res step_number(sqlite3_stmt *stmt, uint64_t absent, uint64_t *ret)
{
    int row = 0;

    PP_TRY(pp_db_step(stmt, &row));
    *ret = row == 1 ? (uint64_t)sqlite3_column_int64(stmt, 0) : absent;
    (void)sqlite3_reset(stmt);
    return PP_OK;
}

static pp_res query_number(const struct store *s, const char *sql, uint64_t absent, uint64_t *ret)
{
    sqlite3_stmt *stmt = NULL;

    PP_TRY(pp_db_prepare(&s->db, sql, &stmt));
    pp_res r = step_number(stmt, absent, ret);
    (void)sqlite3_finalize(stmt);
    return r;
}

/* --- inserting, inside one transaction -------------------------------------------------------- */

static pp_res prepare(struct store *s, uint32_t day, struct epoch **ret)
{
    char sql[PP_SPENT_SQL_BYTES_MAX];
    struct epoch *e = &s->epochs[s->next];

    PP_TRY(pp_db_exec(&s->db, pp_spent_sql_(sql, "CREATE TABLE IF NOT EXISTS spent_", day,
                                            " (key BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID")));
    (void)sqlite3_finalize(e->insert);
    *e = (struct epoch){ .day = day };
    PP_TRY(pp_db_prepare(&s->db,
                         pp_spent_sql_(sql, "INSERT OR IGNORE INTO spent_", day, " VALUES (?1)"),
                         &e->insert));
    s->next = (s->next + 1) % PP_SPENT_EPOCHS_MAX;
    *ret = e;
    return PP_OK;
}

static pp_res find(struct store *s, uint32_t day, struct epoch **ret)
{
    for (size_t i = 0; i < PP_SPENT_EPOCHS_MAX; i++)
        if (s->epochs[i].insert != NULL && s->epochs[i].day == day) {
            *ret = &s->epochs[i];
            return PP_OK;
        }
    return prepare(s, day, ret);
}

static pp_res insert_one(struct store *s, struct pp_spent_item *item)
{
    struct epoch *e = NULL;

    PP_TRY(find(s, item->day, &e));
    if (sqlite3_bind_blob(e->insert, 1, item->key, PP_SPEND_KEY_BYTES, SQLITE_STATIC) != SQLITE_OK)
        return PP_FAIL(PP_E_STORE, sqlite3_extended_errcode(s->db.handle));
    PP_TRY(pp_db_run(e->insert));
    item->result = sqlite3_changes(s->db.handle) == 1 ? PP_OK : PP_FAIL(PP_E_SPENT, item->day);
    return PP_OK;
}

static pp_res insert_each(struct store *s, struct pp_spent_item *items, size_t count)
{
    uint64_t floor = UINT64_MAX;

    PP_TRY(step_number(s->floor, UINT64_MAX, &floor));
    for (size_t i = 0; i < count; i++) {
        if (items[i].day < floor) /* a retired epoch gets no table again */
            items[i].result = PP_FAIL(PP_E_SPENT, items[i].day);
        else
            PP_TRY(insert_one(s, &items[i]));
    }
    return PP_OK;
}

/*
 * The transaction holds the file's write lock from its start: processes that race for a key are
 * ordered by it and only the first one changes a row; and what the floor says stays true until the
 * rows are in.
 */
static pp_res insert(struct pp_spent *spent, struct pp_spent_item *items, size_t count)
{
    struct store *s = store_of(spent);

    PP_TRY(pp_db_begin(&s->db));
    pp_res r = pp_db_end(&s->db, insert_each(s, items, count));
    if (!pp_is_ok(r))
        forget_before(s, UINT64_MAX); /* tables that were made are gone again */
    return r;
}

/* --- retiring -------------------------------------------------------------------------------- */

/* The lowest epoch that still has a table below `first_day`; 0 in `*ret_is` when there is none. */
static pp_res find_old(const struct store *s, uint32_t first_day, uint32_t *ret_day, int *ret_is)
{
    sqlite3_stmt *stmt = NULL;
    int row = 0;
    int is = 0;

    PP_TRY(pp_db_prepare(&s->db, "SELECT name FROM sqlite_master WHERE type = 'table'", &stmt));
    pp_res r = pp_db_step(stmt, &row);
    while (pp_is_ok(r) && row == 1 && !is) {
        *ret_day = pp_spent_table_day_(pp_db_column(stmt, 0), &is);
        is = is && *ret_day < first_day;
        if (!is)
            r = pp_db_step(stmt, &row);
    }
    (void)sqlite3_finalize(stmt);
    *ret_is = is;
    return r;
}

static pp_res drop_before(const struct store *s, uint32_t first_day)
{
    char sql[PP_SPENT_SQL_BYTES_MAX], end[PP_SPENT_SQL_BYTES_MAX];
    uint32_t day = 0;
    int is = 0;

    PP_TRY(pp_db_exec(&s->db, pp_spent_sql_(sql, "UPDATE floor SET day = ", first_day,
                                            pp_spent_sql_(end, " WHERE day < ", first_day, ""))));
    for (;;) {
        PP_TRY(find_old(s, first_day, &day, &is));
        if (!is)
            return PP_OK;
        PP_TRY(pp_db_exec(&s->db, pp_spent_sql_(sql, "DROP TABLE spent_", day, "")));
    }
}

static pp_res retire(struct pp_spent *spent, uint32_t first_day)
{
    struct store *s = store_of(spent);

    forget_before(s, first_day);
    PP_TRY(pp_db_begin(&s->db));
    return pp_db_end(&s->db, drop_before(s, first_day));
}

static pp_res count_epoch(struct pp_spent *spent, uint32_t day, uint64_t *ret)
{
    const struct store *s = store_of(spent);
    char sql[PP_SPENT_SQL_BYTES_MAX];
    uint64_t tables = 0;

    PP_TRY(query_number(
        s, pp_spent_sql_(sql, "SELECT count(*) FROM sqlite_master WHERE name = 'spent_", day, "'"),
        0, &tables));
    if (tables == 0) {
        *ret = 0;
        return PP_OK;
    }
    return query_number(s, pp_spent_sql_(sql, "SELECT count(*) FROM spent_", day, ""), 0, ret);
}

/* --- opening ---------------------------------------------------------------------------------- */

pp_res pp_spent_open_sqlite_(const char *path, struct pp_problem *problem, struct pp_spent **ret)
{
    static const struct pp_spent_kind SQLITE = { close_store, insert, retire, count_epoch };
    struct store *s = calloc(1, sizeof *s);

    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    s->base.kind = &SQLITE;
    pp_res r = pp_db_open(path, &SCHEMA, problem, &s->db);
    if (pp_is_ok(r))
        r = pp_db_exec(&s->db, TUNING);
    if (pp_is_ok(r))
        r = pp_db_prepare(&s->db, "SELECT day FROM floor", &s->floor);
    if (!pp_is_ok(r)) {
        close_store(&s->base);
        return r;
    }
    *ret = &s->base;
    return PP_OK;
}
