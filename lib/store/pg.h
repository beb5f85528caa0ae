/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pg.h: PostgreSQL, and what speaks its protocol, as every store of ours uses it: what was
 * acknowledged is on the disk, and on the standby that the server is told to wait for.
 *
 * Statements go out as one pipeline, a transaction in one round trip. Everything has a deadline.
 * A connection that is lost is made again by a later call; until then every call fails at once.
 * What a transaction came to is believed only from the server's own word behind COMMIT: where that
 * does not come, or comes with a warning, the call fails, whatever the database has by then.
 *
 * A handle belongs to one thread; open it after the last fork. Calls wait: a daemon makes them on
 * its worker threads. libpq keeps the password in memory of its own.
 */
#ifndef PP_PG_H
#define PP_PG_H

#include "problem.h"
#include "result.h"
#include "span.h"

enum {
    PP_PG_CONNECT_S = 3,    /* for each host of the URL */
    PP_PG_ANSWER_MS = 5000, /* for a pipeline; then the connection is given up */
    PP_PG_STATEMENT_MS = 3000,
    PP_PG_LOCK_MS = 2000,   /* for other transactions' locks */
    PP_PG_RETRY_MS = 500,   /* after a connection that could not be made */
    PP_PG_STEPS_MAX = 1100, /* of one pipeline */
};

struct pp_pg;

/* SQL: the first UTC day that was not over ten minutes ago, by the server's clock. */
#define PP_PG_FIRST_DAY "FLOOR((EXTRACT(EPOCH FROM now()) - 600) / 86400)"

/* One statement and its answer. Columns come in PostgreSQL's binary form. */
struct pp_pg_step {
    const char *sql;
    struct pp_span bytes; /* $1 in binary form; NULL: there is none */
    void *result;         /* private; pp_pg_clear releases it */
};

/*
 * Reads the URL (where.h) and connects. CONFIG (the URL), STORE (nobody there, no right, a server
 * that does not sync its disk) with the words in `problem` (may be NULL), NO_MEMORY.
 */
PP_MUST pp_res pp_pg_new(const char *url, struct pp_problem *problem, struct pp_pg **ret);
void pp_pg_free(struct pp_pg *pg); /* NULL is fine */

/* Which ends of a transaction a call has. */
enum { PP_PG_BEGIN = 1, PP_PG_COMMIT = 2, PP_PG_WHOLE = 3 };

/*
 * Runs the steps, between BEGIN and COMMIT where `ends` has them, and fills their results. A
 * transaction that is begun must be committed by a later call. STORE (detail: pp_pg_state of the
 * server's SQLSTATE, 0 without one), DISK_FULL: the transaction is rolled back, unless the
 * connection was lost behind COMMIT, when nobody knows; no step has a result.
 */
PP_MUST pp_res pp_pg_run(struct pp_pg *pg, unsigned ends, struct pp_pg_step *steps, size_t count);

/* Ends a transaction without a trace. */
void pp_pg_rollback(struct pp_pg *pg);

/* Releases the results of steps that were run. */
void pp_pg_clear(struct pp_pg_step *steps, size_t count);

size_t pp_pg_rows(const struct pp_pg_step *step);
size_t pp_pg_changed(const struct pp_pg_step *step); /* rows that the statement wrote */

/* A value, borrowed from the step; empty for NULL. */
struct pp_span pp_pg_value(const struct pp_pg_step *step, size_t row, size_t column);

/* A BIGINT; STORE when it is none, or negative. */
PP_MUST pp_res pp_pg_number(const struct pp_pg_step *step, size_t row, size_t column,
                            uint64_t *ret);

/* A SQLSTATE, "42P01", as the detail of a result. */
uint32_t pp_pg_state(const char *sqlstate);

/*
 * 1 for failures that mean no more than "again": a deadlock, a serialization failure, two who made
 * one table.
 */
int pp_pg_is_race(pp_res r);

#endif
