/* SPDX-License-Identifier: Apache-2.0 */
#include "spent.h"

#include <stdlib.h>

#include "db.h"
#include "text.h"
#include "wr.h"

enum { SQL_BYTES_MAX = 192, APPLICATION_ID = 0x70707370 /* "ppsp" */ };

static const struct pp_db_schema SCHEMA = {
    .application_id = APPLICATION_ID,
    .version = 1,
    .sql = "CREATE TABLE floor (day INTEGER NOT NULL); INSERT INTO floor VALUES (0)",
};

/* The insert statement of one epoch. */
struct epoch {
    uint32_t day;
    sqlite3_stmt *insert; /* NULL: a free place */
};

struct pp_spent {
    struct pp_db db;
    struct epoch epochs[PP_SPENT_EPOCHS_MAX];
    size_t next; /* the place to use again when all are taken */
};

/* `before` day `after`, as a C string. Table names cannot be bound, and a day is a number. */
static const char *sql_of(char *buf, const char *before, uint32_t day, const char *after)
{
    struct pp_wr wr = pp_wr_over(buf, SQL_BYTES_MAX);

    pp_wr_text(&wr, before);
    pp_wr_decimal(&wr, day);
    pp_wr_text(&wr, after);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(wr.failed == PP_E_OK);
    return buf;
}

pp_res pp_spent_open(const char *path, struct pp_problem *problem, struct pp_spent **ret)
{
    struct pp_spent *s = calloc(1, sizeof *s);

    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    pp_res r = pp_db_open(path, &SCHEMA, problem, &s->db);
    if (!pp_is_ok(r)) {
        free(s);
        return r;
    }
    *ret = s;
    return PP_OK;
}

void pp_spent_close(struct pp_spent *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < PP_SPENT_EPOCHS_MAX; i++)
        (void)sqlite3_finalize(s->epochs[i].insert);
    pp_db_done(&s->db);
    free(s);
}

/* A number that one row gives, or `absent` without a row. */
static pp_res query_number(const struct pp_spent *s, const char *sql, uint64_t absent,
                           uint64_t *ret)
{
    sqlite3_stmt *stmt = NULL;
    int row = 0;

    PP_TRY(pp_db_prepare(&s->db, sql, &stmt));
    pp_res r = pp_db_step(stmt, &row);
    if (pp_is_ok(r))
        *ret = row == 1 ? (uint64_t)sqlite3_column_int64(stmt, 0) : absent;
    (void)sqlite3_finalize(stmt);
    return r;
}

/* --- inserting ------------------------------------------------------------------------------- */

static pp_res make_table(const struct pp_spent *s, uint32_t day)
{
    char sql[SQL_BYTES_MAX];
    uint64_t floor = 0;

    PP_TRY(query_number(s, "SELECT day FROM floor", UINT32_MAX, &floor));
    PP_CHECK(day >= floor, PP_E_SPENT, day); /* a retired epoch gets no table again */
    return pp_db_exec(&s->db, sql_of(sql, "CREATE TABLE IF NOT EXISTS spent_", day,
                                     " (key BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID"));
}

static pp_res prepare(struct pp_spent *s, uint32_t day, struct epoch **ret)
{
    char sql[SQL_BYTES_MAX];
    struct epoch *e = &s->epochs[s->next];

    PP_TRY(pp_db_begin(&s->db));
    PP_TRY(pp_db_end(&s->db, make_table(s, day)));
    (void)sqlite3_finalize(e->insert);
    *e = (struct epoch){ .day = day };
    PP_TRY(pp_db_prepare(&s->db, sql_of(sql, "INSERT OR IGNORE INTO spent_", day, " VALUES (?1)"),
                         &e->insert));
    s->next = (s->next + 1) % PP_SPENT_EPOCHS_MAX;
    *ret = e;
    return PP_OK;
}

static pp_res find(struct pp_spent *s, uint32_t day, struct epoch **ret)
{
    for (size_t i = 0; i < PP_SPENT_EPOCHS_MAX; i++)
        if (s->epochs[i].insert != NULL && s->epochs[i].day == day) {
            *ret = &s->epochs[i];
            return PP_OK;
        }
    return prepare(s, day, ret);
}

pp_res pp_spent_insert(struct pp_spent *s, uint32_t day, const uint8_t key[PP_SPEND_KEY_BYTES])
{
    struct epoch *e = NULL;

    PP_TRY(find(s, day, &e));
    if (sqlite3_bind_blob(e->insert, 1, key, PP_SPEND_KEY_BYTES, SQLITE_STATIC) != SQLITE_OK)
        return PP_FAIL(PP_E_STORE, sqlite3_extended_errcode(s->db.handle));
    /*
     * One statement in a transaction of its own: two processes that race for a key are ordered by
     * the file's write lock, and only the first one changes a row. When the epoch is retired
     * meanwhile, its table is gone and the statement fails.
     */
    PP_TRY(pp_db_run(e->insert));
    PP_CHECK(sqlite3_changes(s->db.handle) == 1, PP_E_SPENT, day);
    return PP_OK;
}

/* --- retiring -------------------------------------------------------------------------------- */

/* The day of a table spent_<day>, or 0 in `*ret_is` for another name. */
static uint32_t table_day(struct pp_span name, int *ret_is)
{
    struct pp_span prefix = PP_STR("spent_");
    struct pp_rd rd = pp_rd_span(name);
    uint64_t day = 0;

    *ret_is = pp_span_eq(pp_rd_bytes(&rd, prefix.len), prefix) &&
              pp_is_ok(pp_decimal_parse(pp_rd_rest(&rd), UINT32_MAX, &day));
    return (uint32_t)day;
}

/* The lowest epoch that still has a table below `first_day`; 0 in `*ret_is` when there is none. */
static pp_res find_old(const struct pp_spent *s, uint32_t first_day, uint32_t *ret_day, int *ret_is)
{
    sqlite3_stmt *stmt = NULL;
    int row = 0;
    int is = 0;

    PP_TRY(pp_db_prepare(&s->db, "SELECT name FROM sqlite_master WHERE type = 'table'", &stmt));
    pp_res r = pp_db_step(stmt, &row);
    while (pp_is_ok(r) && row == 1 && !is) {
        *ret_day = table_day(pp_db_column(stmt, 0), &is);
        is = is && *ret_day < first_day;
        if (!is)
            r = pp_db_step(stmt, &row);
    }
    (void)sqlite3_finalize(stmt);
    *ret_is = is;
    return r;
}

static pp_res drop_before(const struct pp_spent *s, uint32_t first_day)
{
    char sql[SQL_BYTES_MAX];
    uint32_t day = 0;
    int is = 0;

    PP_TRY(pp_db_exec(&s->db, sql_of(sql, "UPDATE floor SET day = max(day, ", first_day, ")")));
    for (;;) {
        PP_TRY(find_old(s, first_day, &day, &is));
        if (!is)
            return PP_OK;
        PP_TRY(pp_db_exec(&s->db, sql_of(sql, "DROP TABLE spent_", day, "")));
    }
}

pp_res pp_spent_retire(struct pp_spent *s, uint32_t first_day)
{
    for (size_t i = 0; i < PP_SPENT_EPOCHS_MAX; i++)
        if (s->epochs[i].insert != NULL && s->epochs[i].day < first_day) {
            (void)sqlite3_finalize(s->epochs[i].insert);
            s->epochs[i] = (struct epoch){ 0 };
        }
    PP_TRY(pp_db_begin(&s->db));
    return pp_db_end(&s->db, drop_before(s, first_day));
}

pp_res pp_spent_count(struct pp_spent *s, uint32_t day, uint64_t *ret)
{
    char sql[SQL_BYTES_MAX];
    uint64_t tables = 0;

    PP_TRY(query_number(
        s, sql_of(sql, "SELECT count(*) FROM sqlite_master WHERE name = 'spent_", day, "'"), 0,
        &tables));
    if (tables == 0) {
        *ret = 0;
        return PP_OK;
    }
    return query_number(s, sql_of(sql, "SELECT count(*) FROM spent_", day, ""), 0, ret);
}

uint32_t pp_spent_first_day(uint64_t now_s)
{
    uint64_t day = now_s < PP_EPOCH_SLACK_SECONDS
                       ? 0
                       : (now_s - PP_EPOCH_SLACK_SECONDS) / PP_EPOCH_SECONDS;

    return (uint32_t)day;
}
