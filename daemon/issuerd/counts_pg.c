/* SPDX-License-Identifier: Apache-2.0 */
#include "counts_int.h"

#include <stdlib.h>

#include "pg.h"
#include "wr.h"

enum {
    SQL_BYTES_MAX = 256,
    TRIES = 4, /* while others make the table, or count the same account */
};

struct store {
    struct iss_counts base;
    struct pp_pg *pg;
};

static struct store *store_of(struct iss_counts *c)
{
    return (struct store *)c;
}

static void close_store(struct iss_counts *counts)
{
    pp_pg_free(store_of(counts)->pg);
    free(counts);
}

/* `before` number `after`, as a C string. */
static const char *sql_of(char buf[SQL_BYTES_MAX], const char *before, uint32_t number,
                          const char *after)
{
    struct pp_wr wr = pp_wr_over(buf, SQL_BYTES_MAX);

    pp_wr_text(&wr, before);
    pp_wr_decimal(&wr, number);
    pp_wr_text(&wr, after);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return buf;
}

/* One statement in a transaction of its own; the caller clears it. */
static pp_res run(struct store *c, struct pp_pg_step *step)
{
    pp_res r = PP_OK;

    for (int i = 0; i < TRIES; i++) {
        r = pp_pg_run(c->pg, PP_PG_WHOLE, step, 1);
        if (!pp_pg_is_race(r))
            return r;
    }
    return r;
}

static pp_res check(struct iss_counts *counts, uint32_t day, const struct iss_account *account,
                    uint32_t max)
{
    char sql[SQL_BYTES_MAX];
    uint64_t count = 0;
    struct pp_pg_step step = {
        .sql = sql_of(sql, "SELECT count FROM batch WHERE account = $1::bytea AND day = ", day, ""),
        .bytes = pp_span(account->bytes, ISS_ACCOUNT_BYTES),
    };

    PP_TRY(run(store_of(counts), &step));
    pp_res r = pp_pg_rows(&step) == 0 ? PP_OK : pp_pg_number(&step, 0, 0, &count);
    pp_pg_clear(&step, 1);
    PP_TRY(r);
    PP_CHECK(count < max, PP_E_LIMIT, max);
    return PP_OK;
}

static pp_res add(struct iss_counts *counts, uint32_t day, const struct iss_account *account,
                  uint32_t max)
{
    char sql[SQL_BYTES_MAX], end[SQL_BYTES_MAX];
    struct pp_pg_step step = {
        .sql = sql_of(sql, "INSERT INTO batch (account, count, day) VALUES ($1::bytea, 1, ", day,
                      sql_of(end,
                             ") ON CONFLICT (day, account) DO UPDATE SET count = batch.count + 1"
                             " WHERE batch.count < ",
                             max, "")),
        .bytes = pp_span(account->bytes, ISS_ACCOUNT_BYTES),
    };

    PP_TRY(run(store_of(counts), &step));
    size_t changed = pp_pg_changed(&step);
    pp_pg_clear(&step, 1);
    PP_CHECK(changed == 1, PP_E_LIMIT, max);
    return PP_OK;
}

static pp_res run_and_clear(struct store *c, const char *sql)
{
    struct pp_pg_step step = { .sql = sql };

    PP_TRY(run(c, &step));
    pp_pg_clear(&step, 1);
    return PP_OK;
}

/* Counts are those of all issuers: one whose clock runs ahead must not forget what is not over. */
static pp_res retire(struct iss_counts *counts, uint32_t first_day)
{
    char sql[SQL_BYTES_MAX];

    return run_and_clear(store_of(counts), sql_of(sql, "DELETE FROM batch WHERE day < ", first_day,
                                                  " AND day < " PP_PG_FIRST_DAY));
}

pp_res iss_counts_open_pg_(const char *url, struct pp_problem *problem, struct iss_counts **ret)
{
    static const struct iss_counts_kind POSTGRESQL = { close_store, check, add, retire };
    struct store *c = calloc(1, sizeof *c);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);
    c->base.kind = &POSTGRESQL;
    pp_res r = pp_pg_new(url, problem, &c->pg);
    if (pp_is_ok(r)) {
        r = run_and_clear(c, "CREATE TABLE IF NOT EXISTS batch (day BIGINT NOT NULL,"
                             " account BYTEA NOT NULL, count BIGINT NOT NULL,"
                             " PRIMARY KEY (day, account))");
        if (!pp_is_ok(r))
            pp_problem_set(problem, "store", "a database in which this user may make tables",
                           PP_STR("a refusal"));
    }
    if (!pp_is_ok(r)) {
        close_store(&c->base);
        return r;
    }
    *ret = &c->base;
    return PP_OK;
}
