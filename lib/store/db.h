/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h: SQLite as every store of ours opens it: what was acknowledged is on the disk.
 *
 * Write-ahead log, synchronous=FULL, file mode 0600, one owner's schema, a deadline instead of
 * waiting. Several processes may open one file. A handle belongs to one thread; open it after the
 * last fork. Everything that goes wrong is STORE, or DISK_FULL: whoever asks a store that is down
 * gets no answer, and never a favourable one.
 *
 * Calls wait for the disk: a daemon makes them on its worker threads.
 */
#ifndef PP_DB_H
#define PP_DB_H

#include <sqlite3.h>

#include "problem.h"
#include "result.h"
#include "span.h"

enum {
    PP_DB_WAIT_MS = 5000, /* for other processes' transactions; then STORE */
};

/* Whose file it is, and how an empty one is filled. */
struct pp_db_schema {
    uint32_t application_id; /* PRAGMA application_id */
    uint32_t version;        /* PRAGMA user_version, 1 or more; there is no migration yet */
    const char *sql;         /* run once, in one transaction, on a new file */
    uint32_t page_bytes;     /* of a new file; 0: SQLite's own choice */
};

struct pp_db {
    sqlite3 *handle; /* NULL in the zero state */
};

/*
 * Opens or makes the file. STORE (detail = SQLite's extended code, 0 for a rule of ours) with the
 * words in `problem`: the folder is missing, others may open the file, it is of
 * another program or version, the file system cannot do write-ahead logs. DISK_FULL.
 */
PP_MUST pp_res pp_db_open(const char *path, const struct pp_db_schema *schema,
                          struct pp_problem *problem, struct pp_db *ret);
void pp_db_done(struct pp_db *db); /* zero state is fine; prepared statements first */

/* One or more statements without results. STORE. */
PP_MUST pp_res pp_db_exec(const struct pp_db *db, const char *sql);

/* A statement to keep; sqlite3_finalize releases it (NULL is fine). STORE. */
PP_MUST pp_res pp_db_prepare(const struct pp_db *db, const char *sql, sqlite3_stmt **ret);

/*
 * Steps to the next row: 1 in `*ret_row` while there is one, else 0 and the statement is reset. The
 * values of a row live until the next step. STORE, and the statement is reset.
 */
PP_MUST pp_res pp_db_step(sqlite3_stmt *stmt, int *ret_row);

/* Runs a statement that gives no rows, and resets it. STORE. */
PP_MUST pp_res pp_db_run(sqlite3_stmt *stmt);

/* The bytes of a column of the current row; borrowed until the next step. */
struct pp_span pp_db_column(sqlite3_stmt *stmt, int column);

/*
 * A write transaction from the start, so that what it read still holds when it writes. It ends with
 * the verdict of the work: committed if `work` is OK, else rolled back and `work` returned. STORE
 * when the commit fails: then nothing of it happened.
 */
PP_MUST pp_res pp_db_begin(const struct pp_db *db);
PP_MUST pp_res pp_db_end(const struct pp_db *db, pp_res work);

#endif
