/* SPDX-License-Identifier: Apache-2.0 */
#include "spent_int.h"

#include <stdlib.h>

#include "pg.h"
#include "rd.h"
#include "wr.h"

enum {
    VERSION = 1, /* of the tables */
    TRIES = 4,   /* of a batch, while others make tables or hold locks in another order */
    UUID = 2950, /* PostgreSQL's number of the type */
    ARRAY_HEAD_BYTES = 20,
    ARRAY_BYTES_MAX = PP_SPENT_BATCH_MAX *
                      (ARRAY_HEAD_BYTES + 4 + PP_SPEND_KEY_BYTES), /* in binary form */
};

_Static_assert(PP_SPEND_KEY_BYTES == 16, "a key is as long as a UUID");

struct store {
    struct pp_spent base;
    struct pp_pg *pg;
    /* A batch under way, in the order of (day, key). */
    struct pp_spent_item *sorted[PP_SPENT_BATCH_MAX];
    size_t sorted_count;
    struct pp_pg_step steps[PP_SPENT_BATCH_MAX];           /* one a day */
    struct pp_spent_item **groups[PP_SPENT_BATCH_MAX + 1]; /* where each day begins in `sorted` */
    char sql[PP_SPENT_BATCH_MAX][PP_SPENT_SQL_BYTES_MAX];
    uint8_t arrays[ARRAY_BYTES_MAX];
};

static struct store *store_of(struct pp_spent *s)
{
    return (struct store *)s;
}

static void close_store(struct pp_spent *spent)
{
    struct store *s = store_of(spent);

    pp_pg_free(s->pg);
    free(s);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Also for what runs in one transaction after what came before it. */
static pp_res run_one(struct store *s, unsigned ends, const char *sql, uint64_t absent,
                      uint64_t *ret)
{
    struct pp_pg_step step = { .sql = sql };
    pp_res r;

    PP_TRY(pp_pg_run(s->pg, ends, &step, 1));
    if (ret == NULL)
        r = PP_OK;
    else if (pp_pg_rows(&step) == 0) {
        *ret = absent;
        r = PP_OK;
    } else
        r = pp_pg_number(&step, 0, 0, ret);
    pp_pg_clear(&step, 1);
    return r;
}

/*
 * Makes the table of an epoch, unless the epoch is retired: SPENT. The floor's row is locked from
 * its reading to the table's making, so that a gateway that retires waits, and drops this one too.
 */
static pp_res make_table(struct store *s, uint32_t day)
{
    char sql[PP_SPENT_SQL_BYTES_MAX];
    uint64_t floor = UINT64_MAX;

    PP_TRY(run_one(s, PP_PG_BEGIN, "SELECT day FROM spent_floor WHERE one = 1 FOR UPDATE",
                   UINT64_MAX, &floor));
    if (day < floor) {
        pp_pg_rollback(s->pg);
        return PP_FAIL(PP_E_SPENT, day);
    }
    return run_one(s, PP_PG_COMMIT,
                   pp_spent_sql_(sql, "CREATE TABLE IF NOT EXISTS spent_", day,
                                 " (key UUID NOT NULL PRIMARY KEY)"),
                   0, NULL);
}

/* --- a batch ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct pp_spent_item *x = *(struct pp_spent_item *const *)a;
    const struct pp_spent_item *y = *(struct pp_spent_item *const *)b;

    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    int order = memcmp(x->key, y->key, PP_SPEND_KEY_BYTES);
    if (order != 0)
        return order;
    return x < y ? -1 : x > y; /* of two that are equal the first one is accepted */
}

static int is_same(const struct pp_spent_item *a, const struct pp_spent_item *b)
{
    return a->day == b->day && memcmp(a->key, b->key, PP_SPEND_KEY_BYTES) == 0;
}

/*
 * In one order for everybody: gateways that hand in the same tokens wait for each other and never
 * in a circle. What stands twice is answered here.
 */
static void sort(struct store *s, struct pp_spent_item *items, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        s->sorted[i] = &items[i];
    qsort(s->sorted, count, sizeof s->sorted[0], compare);
    for (size_t i = 0; i < count; i++) {
        s->sorted[i]->result = PP_FAIL(PP_E_SPENT, s->sorted[i]->day);
        if (kept == 0 || !is_same(s->sorted[kept - 1], s->sorted[i]))
            s->sorted[kept++] = s->sorted[i];
    }
    s->sorted_count = kept;
}

/*
 * A one-dimensional UUID[] in PostgreSQL's binary form. The keys are no UUIDs, but that type is any
 * 16 bytes without a length beside them: a fifth less room than BYTEA.
 */
static void write_keys(struct pp_wr *wr, struct pp_spent_item *const *items, size_t count)
{
    pp_wr_u32(wr, 1); /* dimensions */
    pp_wr_u32(wr, 0); /* no NULL among them */
    pp_wr_u32(wr, UUID);
    pp_wr_u32(wr, (uint32_t)count);
    pp_wr_u32(wr, 1); /* the first index */
    for (size_t i = 0; i < count; i++) {
        pp_wr_u32(wr, PP_SPEND_KEY_BYTES);
        pp_wr_bytes(wr, items[i]->key, PP_SPEND_KEY_BYTES);
    }
}

/* One statement for each day of `sorted`; gives their number. */
static size_t prepare(struct store *s)
{
    struct pp_wr wr = pp_wr_over(s->arrays, sizeof s->arrays);
    size_t n = 0;

    for (size_t i = 0; i < s->sorted_count; n++) {
        size_t first = i;
        size_t from = wr.len;
        while (i < s->sorted_count && s->sorted[i]->day == s->sorted[first]->day)
            i++;
        s->groups[n] = &s->sorted[first];
        write_keys(&wr, s->groups[n], i - first);
        s->steps[n] = (struct pp_pg_step){
            .sql = pp_spent_sql_(s->sql[n], "INSERT INTO spent_", s->sorted[first]->day,
                                 " (key) SELECT unnest($1::uuid[])"
                                 " ON CONFLICT (key) DO NOTHING RETURNING key"),
            .bytes = pp_span(s->arrays + from, wr.len - from),
        };
    }
    s->groups[n] = s->sorted + s->sorted_count;
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return n;
}

static int compare_key(const void *key, const void *item)
{
    const struct pp_spent_item *i = *(struct pp_spent_item *const *)item;

    return memcmp(key, i->key, PP_SPEND_KEY_BYTES);
}

/* The rows that came back are those that were not there. */
static pp_res accept(const struct pp_pg_step *step, struct pp_spent_item **from,
                     struct pp_spent_item **to)
{
    for (size_t row = 0; row < pp_pg_rows(step); row++) {
        struct pp_span key = pp_pg_value(step, row, 0);
        PP_CHECK(key.len == PP_SPEND_KEY_BYTES, PP_E_STORE, key.len);
        struct pp_spent_item **hit = bsearch(key.at, from, (size_t)(to - from), sizeof *from,
                                             compare_key);
        PP_CHECK(hit != NULL, PP_E_STORE, row);
        (*hit)->result = PP_OK;
    }
    return PP_OK;
}

static pp_res try_insert(struct store *s)
{
    size_t days = prepare(s);

    PP_TRY(pp_pg_run(s->pg, PP_PG_WHOLE, s->steps, days));
    pp_res r = PP_OK;
    for (size_t i = 0; i < days && pp_is_ok(r); i++)
        r = accept(&s->steps[i], s->groups[i], s->groups[i + 1]);
    pp_pg_clear(s->steps, days);
    return r;
}

/* Makes the tables of the batch's epochs; the tokens of retired ones leave it, SPENT. */
static pp_res make_tables(struct store *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->sorted_count;) {
        uint32_t day = s->sorted[i]->day;
        pp_res r = make_table(s, day);
        if (!pp_is_ok(r) && r.code != PP_E_SPENT && !pp_pg_is_race(r))
            return r;
        for (; i < s->sorted_count && s->sorted[i]->day == day; i++)
            if (r.code != PP_E_SPENT)
                s->sorted[kept++] = s->sorted[i];
    }
    s->sorted_count = kept;
    return PP_OK;
}

static pp_res insert(struct pp_spent *spent, struct pp_spent_item *items, size_t count)
{
    struct store *s = store_of(spent);
    pp_res r = PP_OK;

    sort(s, items, count);
    for (int i = 0; i < TRIES && s->sorted_count > 0; i++) {
        r = try_insert(s);
        if (r.code == PP_E_STORE && r.detail == pp_pg_state("42P01")) /* no such table */
            PP_TRY(make_tables(s));
        else if (!pp_pg_is_race(r))
            return r;
    }
    return s->sorted_count == 0 ? PP_OK : r;
}

/* --- retiring -------------------------------------------------------------------------------- */

/* Drops the tables of the list's epochs below the floor, and commits. */
static pp_res drop_listed(struct store *s, const struct pp_pg_step *list, uint64_t floor)
{
    size_t n = 0;
    int is = 0;

    for (size_t row = 0; row < pp_pg_rows(list) && n < PP_SPENT_BATCH_MAX; row++) {
        uint32_t day = pp_spent_table_day_(pp_pg_value(list, row, 0), &is);
        if (is && day < floor) {
            pp_spent_sql_(s->sql[n], "DROP TABLE IF EXISTS spent_", day, "");
            s->steps[n] = (struct pp_pg_step){ .sql = s->sql[n] };
            n++;
        }
    }
    PP_TRY(pp_pg_run(s->pg, PP_PG_COMMIT, s->steps, n));
    pp_pg_clear(s->steps, n);
    return PP_OK;
}

/*
 * The floor is the fleet's and never sinks: one gateway whose clock runs ahead would close the
 * epochs of all. So it rises only where the server's clock says as well that they are over.
 */
static pp_res retire(struct pp_spent *spent, uint32_t first_day)
{
    struct store *s = store_of(spent);
    char sql[PP_SPENT_SQL_BYTES_MAX], end[PP_SPENT_SQL_BYTES_MAX], too[PP_SPENT_SQL_BYTES_MAX];
    uint64_t floor = 0;
    struct pp_pg_step steps[] = {
        { .sql = pp_spent_sql_(
              sql, "UPDATE spent_floor SET day = ", first_day,
              pp_spent_sql_(end, " WHERE one = 1 AND day < ", first_day,
                            pp_spent_sql_(too, " AND " PP_PG_FIRST_DAY " >= ", first_day, ""))) },
        { .sql = "SELECT day FROM spent_floor WHERE one = 1" },
        { .sql = "SELECT table_name::text FROM information_schema.tables"
                 " WHERE table_schema = current_schema() AND table_name LIKE 'spent_%'" },
    };

    PP_TRY(pp_pg_run(s->pg, PP_PG_BEGIN, steps, PP_ARRAY_COUNT(steps)));
    pp_res r = pp_pg_number(&steps[1], 0, 0, &floor);
    if (pp_is_ok(r))
        r = drop_listed(s, &steps[2], floor);
    else
        pp_pg_rollback(s->pg);
    pp_pg_clear(steps, PP_ARRAY_COUNT(steps));
    return r;
}

static pp_res count_epoch(struct pp_spent *spent, uint32_t day, uint64_t *ret)
{
    struct store *s = store_of(spent);
    char sql[PP_SPENT_SQL_BYTES_MAX];
    uint64_t n = 0;
    pp_res r = run_one(s, 0, pp_spent_sql_(sql, "SELECT count(*)::bigint FROM spent_", day, ""), 0,
                       &n);

    if (r.code == PP_E_STORE && r.detail == pp_pg_state("42P01"))
        r = PP_OK; /* no such table */
    PP_TRY(r);
    *ret = n;
    return PP_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Gateways that start together make the same tables. */
static pp_res make_floor(struct store *s)
{
    struct pp_pg_step steps[] = {
        { .sql = "CREATE TABLE IF NOT EXISTS spent_floor (one INTEGER NOT NULL PRIMARY KEY,"
                 " version BIGINT NOT NULL, day BIGINT NOT NULL)" },
        { .sql = "INSERT INTO spent_floor (one, version, day) VALUES (1, " PP_STRINGIFY(
              1) ", 0)"
                 " ON CONFLICT (one) DO NOTHING" },
    };
    pp_res r = PP_OK;

    _Static_assert(VERSION == 1, "it is a text above");
    for (int i = 0; i < TRIES; i++) {
        r = pp_pg_run(s->pg, PP_PG_WHOLE, steps, 2);
        pp_pg_clear(steps, 2);
        if (!pp_pg_is_race(r))
            return r;
    }
    return r;
}

/*
 * In which schema a table is made is a matter of the role. Gateways that have one each would accept
 * each token once each, so they see to it that the database has one set of tables.
 */
static pp_res check_alone(struct store *s, struct pp_problem *problem)
{
    uint64_t count = 0;

    PP_TRY(run_one(s, 0,
                   "SELECT count(*)::bigint FROM pg_catalog.pg_class"
                   " WHERE relname = 'spent_floor' AND relkind IN ('r', 'p')",
                   0, &count));
    if (count == 1)
        return PP_OK;
    pp_problem_numbers(problem, "schemas with spent_floor", 1, count);
    return PP_FAIL(PP_E_STORE, count);
}

static pp_res open_tables(struct store *s, struct pp_problem *problem)
{
    uint64_t version = 0;
    pp_res r = make_floor(s);

    if (pp_is_ok(r))
        r = run_one(s, 0, "SELECT version FROM spent_floor WHERE one = 1", 0, &version);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "store", "a database in which this user may make tables",
                       PP_STR("a refusal"));
        return r;
    }
    if (version != VERSION) {
        pp_problem_numbers(problem, "spent_floor", VERSION, version);
        return PP_FAIL(PP_E_STORE, version);
    }
    return check_alone(s, problem);
}

pp_res pp_spent_open_pg_(const char *url, struct pp_problem *problem, struct pp_spent **ret)
{
    static const struct pp_spent_kind POSTGRESQL = { close_store, insert, retire, count_epoch };
    struct store *s = calloc(1, sizeof *s);

    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    s->base.kind = &POSTGRESQL;
    pp_res r = pp_pg_new(url, problem, &s->pg);
    if (pp_is_ok(r))
        r = open_tables(s, problem);
    if (!pp_is_ok(r)) {
        close_store(&s->base);
        return r;
    }
    *ret = &s->base;
    return PP_OK;
}
