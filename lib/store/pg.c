/* SPDX-License-Identifier: Apache-2.0 */
#include "pg.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "rd.h"
#include "text.h"
#include "url_int.h"

enum { KEYWORDS_MAX = 32, MS = 1000 };

struct pp_pg {
    PQconninfoOption *parts;
    PGconn *conn;      /* NULL: lost, or not made yet */
    int64_t retry_ms;  /* not to be tried again before; monotonic */
    int64_t answer_ms; /* when the pipeline under way must have been answered */
    int is_open;       /* a transaction is */
    int warned;        /* by the server, since the pipeline was sent */
};

static int64_t now_ms(void)
{
    struct timespec t;

    PP_ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (int64_t)t.tv_sec * MS + t.tv_nsec / (MS * MS);
}

uint32_t pp_pg_state(const char *sqlstate)
{
    uint32_t n = 0;

    for (; sqlstate != NULL && *sqlstate != '\0'; sqlstate++)
        n = n * 36 + (uint32_t)(*sqlstate >= 'A' ? *sqlstate - 'A' + 10 : *sqlstate - '0');
    return n;
}

int pp_pg_is_race(pp_res r)
{
    static const char *const STATES[] = {
        "40001", "40P01",                   /* serialization failure, deadlock */
        "23505", "42P07", "42710", "XX000", /* in the system's own tables: both made one */
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(STATES); i++)
        if (r.code == PP_E_STORE && r.detail == pp_pg_state(STATES[i]))
            return 1;
    return 0;
}

/* --- the connection --------------------------------------------------------------------------- */

static void disconnect(struct pp_pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->is_open = 0;
}

/*
 * A warning is no remark here. The one that matters: a server that was told to give up waiting for
 * its standby answers COMMIT with success and a warning, and then the row is on one disk alone.
 */
static void on_notice(void *ctx, const PGresult *notice)
{
    struct pp_pg *pg = (struct pp_pg *)ctx;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (severity == NULL || strcmp(severity, "WARNING") == 0)
        pg->warned = 1;
}

/*
 * The URL's parts, and ours: no file and no credential that the URL does not name. A name of a file
 * that cannot be keeps libpq from looking for one in the user's home.
 */
static PGconn *connect_now(const struct pp_pg *pg)
{
    static const char NOWHERE[] = "/dev/null/none";
    const char *names[KEYWORDS_MAX] = {
        "gssencmode",       "passfile",         "sslcert",         "sslkey",
        "sslcrl",           "connect_timeout",  "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "application_name"
    };
    const char *values[KEYWORDS_MAX] = { "disable", NOWHERE,         NOWHERE, NOWHERE,
                                         NOWHERE,   PP_STRINGIFY(3), "10",    "5",
                                         "3",       "5000",          "pp" };
    size_t n = 11;

    _Static_assert(PP_PG_CONNECT_S == 3, "it is a text above");
    for (const PQconninfoOption *p = pg->parts; p->keyword != NULL; p++)
        if (p->val != NULL && p->val[0] != '\0') {
            PP_ASSERT(n + 1 < KEYWORDS_MAX);
            names[n] = p->keyword; /* of two values for a name the last one counts */
            values[n] = p->val;
            n++;
        }
    return PQconnectdbParams(names, values, 0);
}

static pp_res refuse(struct pp_pg *pg, struct pp_problem *problem, const char *expected,
                     struct pp_span got)
{
    struct pp_span line;

    (void)pp_text_cut(&got, '\n', &line); /* advice follows */
    pp_problem_set(problem, "store", expected, line);
    disconnect(pg);
    pg->retry_ms = now_ms() + PP_PG_RETRY_MS;
    return PP_FAIL(PP_E_STORE, 0);
}

/* What every statement of ours relies on, whatever the server or the role has been told. */
static pp_res settle(struct pp_pg *pg, struct pp_problem *problem)
{
    struct pp_pg_step steps[] = {
        { .sql = "SET synchronous_commit = 'on'" },
        { .sql = "SET statement_timeout = " PP_STRINGIFY(3000) },
        { .sql = "SET lock_timeout = " PP_STRINGIFY(2000) },
        { .sql = "SET idle_in_transaction_session_timeout = 5000" },
        { .sql = "SELECT COALESCE(current_setting('fsync', true), 'on'),"
                 " COALESCE(current_setting('full_page_writes', true), 'on')" },
    };

    _Static_assert(PP_PG_STATEMENT_MS == 3000 && PP_PG_LOCK_MS == 2000, "they are texts above");
    pp_res r = pp_pg_run(pg, 0, steps, PP_ARRAY_COUNT(steps));
    if (!pp_is_ok(r))
        return refuse(pg, problem, "a database that takes our settings", (struct pp_span){ 0 });
    for (size_t column = 0; column < 2 && pp_is_ok(r); column++)
        if (!pp_span_eq(pp_pg_value(&steps[4], 0, column), PP_STR("on")))
            r = refuse(pg, problem, "a server with fsync and full_page_writes", PP_STR("off"));
    pp_pg_clear(steps, PP_ARRAY_COUNT(steps));
    return r;
}

static pp_res connect_to(struct pp_pg *pg, struct pp_problem *problem)
{
    static const char EXPECTED[] = "a database that can be reached";

    PP_CHECK(now_ms() >= pg->retry_ms, PP_E_STORE, 0);
    pg->conn = connect_now(pg);
    PP_CHECK(pg->conn != NULL, PP_E_NO_MEMORY, 0);
    if (PQstatus(pg->conn) != CONNECTION_OK)
        return refuse(pg, problem, EXPECTED, pp_span_cstr(PQerrorMessage(pg->conn)));
    (void)PQsetNoticeReceiver(pg->conn, on_notice, pg);
    if (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1)
        return refuse(pg, problem, EXPECTED, (struct pp_span){ 0 });
    return settle(pg, problem);
}

pp_res pp_pg_new(const char *url, struct pp_problem *problem, struct pp_pg **ret)
{
    struct pp_pg *pg = calloc(1, sizeof *pg);

    PP_CHECK(pg != NULL, PP_E_NO_MEMORY, sizeof *pg);
    pp_res r = pp_url_parse_(url, problem, &pg->parts);
    if (pp_is_ok(r))
        r = connect_to(pg, problem);
    if (!pp_is_ok(r)) {
        pp_pg_free(pg);
        return r;
    }
    *ret = pg;
    return PP_OK;
}

void pp_pg_free(struct pp_pg *pg)
{
    if (pg == NULL)
        return;
    disconnect(pg);
    PQconninfoFree(pg->parts);
    free(pg);
}

/* --- a pipeline ------------------------------------------------------------------------------- */

static int send_one(struct pp_pg *pg, const char *sql, struct pp_span bytes)
{
    const char *value = (const char *)bytes.at;
    int len = (int)bytes.len;
    int binary = 1;

    return PQsendQueryParams(pg->conn, sql, bytes.at != NULL, NULL, &value, &len, &binary, 1) == 1;
}

static pp_res send_all(struct pp_pg *pg, unsigned ends, const struct pp_pg_step *steps,
                       size_t count)
{
    const struct pp_span none = { 0 };
    int ok = 1;

    if (ends & PP_PG_BEGIN)
        ok = send_one(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", none);
    for (size_t i = 0; i < count && ok; i++)
        ok = send_one(pg, steps[i].sql, steps[i].bytes);
    if (ok && (ends & PP_PG_COMMIT))
        ok = send_one(pg, "COMMIT", none);
    PP_CHECK(ok && PQpipelineSync(pg->conn) == 1, PP_E_STORE, 0);
    return PP_OK;
}

/* Sends and reads until the next result is whole. */
static pp_res await(struct pp_pg *pg)
{
    for (;;) {
        int unsent = PQflush(pg->conn);
        PP_CHECK(unsent >= 0, PP_E_STORE, 0);
        if (!PQisBusy(pg->conn))
            return PP_OK;
        int64_t left = pg->answer_ms - now_ms();
        struct pollfd p = { .fd = PQsocket(pg->conn), .events = POLLIN };
        if (unsent == 1)
            p.events |= POLLOUT;
        PP_CHECK(left > 0, PP_E_STORE, 0);
        (void)poll(&p, 1, (int)left); /* interrupted or late: the clock tells */
        PP_CHECK(PQconsumeInput(pg->conn) == 1, PP_E_STORE, 0);
    }
}

/* OK, or why the statement failed. One behind a failed one failed as well, without a reason. */
static pp_res verdict(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return PP_OK;
    uint32_t state = pp_pg_state(PQresultErrorField(result, PG_DIAG_SQLSTATE));
    PP_CHECK(state != pp_pg_state("53100"), PP_E_DISK_FULL, state);
    return PP_FAIL(PP_E_STORE, state);
}

/* The result of one statement, to be cleared; the connection stands behind it. */
static pp_res take(struct pp_pg *pg, PGresult **ret)
{
    PP_TRY(await(pg));
    PGresult *result = PQgetResult(pg->conn);
    PP_CHECK(result != NULL, PP_E_STORE, 0);
    pp_res r = await(pg);
    PGresult *second = pp_is_ok(r) ? PQgetResult(pg->conn) : NULL;
    if (second != NULL)
        r = PP_FAIL(PP_E_STORE, 0); /* two results for one statement */
    PQclear(second);
    if (!pp_is_ok(r)) {
        PQclear(result);
        return r;
    }
    *ret = result;
    return PP_OK;
}

/* A statement of a transaction's end, whose only result is its name. */
static pp_res take_end(struct pp_pg *pg, const char *name, pp_res *ret)
{
    PGresult *result = NULL;

    PP_TRY(take(pg, &result));
    *ret = verdict(result);
    /* A transaction that has failed answers COMMIT with ROLLBACK and success. */
    if (pp_is_ok(*ret) && strcmp(PQcmdStatus(result), name) != 0)
        *ret = PP_FAIL(PP_E_STORE, 0);
    PQclear(result);
    return PP_OK;
}

static pp_res take_sync(struct pp_pg *pg)
{
    PP_TRY(await(pg));
    PGresult *result = PQgetResult(pg->conn);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    PP_CHECK(status == PGRES_PIPELINE_SYNC, PP_E_STORE, 0);
    return PP_OK;
}

/*
 * Reads all answers. What it returns is about the connection; `*ret` is the first failure of a
 * statement.
 */
static pp_res take_all(struct pp_pg *pg, unsigned ends, struct pp_pg_step *steps, size_t count,
                       pp_res *ret)
{
    pp_res first = PP_OK;
    pp_res r = PP_OK;

    if (ends & PP_PG_BEGIN)
        PP_TRY(take_end(pg, "BEGIN", &first));
    for (size_t i = 0; i < count; i++) {
        PGresult *result = NULL;
        PP_TRY(take(pg, &result));
        steps[i].result = result;
        r = verdict(result);
        if (pp_is_ok(first))
            first = r;
    }
    if (ends & PP_PG_COMMIT)
        PP_TRY(take_end(pg, "COMMIT", &r));
    if (pp_is_ok(first))
        first = r;
    PP_TRY(take_sync(pg));
    *ret = first;
    return PP_OK;
}

pp_res pp_pg_run(struct pp_pg *pg, unsigned ends, struct pp_pg_step *steps, size_t count)
{
    pp_res failed = PP_FAIL(PP_E_UNVERIFIED, 0);

    PP_ASSERT(count <= PP_PG_STEPS_MAX);
    for (size_t i = 0; i < count; i++)
        steps[i].result = NULL;
    if (pg->conn == NULL) {
        /* A transaction's second half is lost with its first. */
        PP_CHECK(ends == 0 || (ends & PP_PG_BEGIN), PP_E_STORE, 0);
        PP_TRY(connect_to(pg, NULL));
    }
    pg->warned = 0;
    pg->answer_ms = now_ms() + PP_PG_ANSWER_MS;
    pp_res r = send_all(pg, ends, steps, count);
    if (pp_is_ok(r))
        r = take_all(pg, ends, steps, count, &failed);
    if (pp_is_ok(r) && pg->warned)
        r = PP_FAIL(PP_E_STORE, 0);
    if (!pp_is_ok(r)) {
        pp_pg_clear(steps, count);
        disconnect(pg);
        return r;
    }
    if (!pp_is_ok(failed))
        pp_pg_clear(steps, count);
    pg->is_open = PQtransactionStatus(pg->conn) != PQTRANS_IDLE;
    if (!pp_is_ok(failed))
        pp_pg_rollback(pg);
    return failed;
}

void pp_pg_rollback(struct pp_pg *pg)
{
    pp_res failed = PP_OK;

    if (pg->conn == NULL || !pg->is_open)
        return;
    pg->answer_ms = now_ms() + PP_PG_ANSWER_MS;
    int sent = send_one(pg, "ROLLBACK", (struct pp_span){ 0 }) && PQpipelineSync(pg->conn) == 1;
    if (!sent || !pp_is_ok(take_end(pg, "ROLLBACK", &failed)) || !pp_is_ok(failed) ||
        !pp_is_ok(take_sync(pg)))
        disconnect(pg); /* and the server does it */
    pg->is_open = 0;
}

/* --- results ---------------------------------------------------------------------------------- */

void pp_pg_clear(struct pp_pg_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PQclear((PGresult *)steps[i].result);
        steps[i].result = NULL;
    }
}

size_t pp_pg_rows(const struct pp_pg_step *step)
{
    return (size_t)PQntuples((const PGresult *)step->result);
}

size_t pp_pg_changed(const struct pp_pg_step *step)
{
    return (size_t)strtoul(PQcmdTuples((PGresult *)step->result), NULL, 10);
}

struct pp_span pp_pg_value(const struct pp_pg_step *step, size_t row, size_t column)
{
    const PGresult *result = (const PGresult *)step->result;

    return pp_span(PQgetvalue(result, (int)row, (int)column),
                   (size_t)PQgetlength(result, (int)row, (int)column));
}

pp_res pp_pg_number(const struct pp_pg_step *step, size_t row, size_t column, uint64_t *ret)
{
    PP_CHECK(row < pp_pg_rows(step), PP_E_STORE, 0);
    struct pp_rd rd = pp_rd_span(pp_pg_value(step, row, column));
    uint64_t n = pp_rd_u64(&rd);

    PP_TRY_AS(PP_E_STORE, pp_rd_end(&rd));
    PP_CHECK(n <= INT64_MAX, PP_E_STORE, 0);
    *ret = n;
    return PP_OK;
}
