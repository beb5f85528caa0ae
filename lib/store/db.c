/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wr.h"

enum { SQL_BYTES_MAX = 128, PATH_BYTES_MAX = 4096 };

static pp_res store_failed(sqlite3 *handle)
{
    /* That the log's shared index cannot grow has a code of its own. */
    if (handle != NULL && (sqlite3_errcode(handle) == SQLITE_FULL ||
                           sqlite3_extended_errcode(handle) == SQLITE_IOERR_SHMSIZE ||
                           sqlite3_system_errno(handle) == ENOSPC))
        return PP_FAIL(PP_E_DISK_FULL, ENOSPC);
    return PP_FAIL(PP_E_STORE, handle == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(handle));
}

pp_res pp_db_exec(const struct pp_db *db, const char *sql)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_failed(db->handle);
    return PP_OK;
}

pp_res pp_db_prepare(const struct pp_db *db, const char *sql, sqlite3_stmt **ret)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
        SQLITE_OK)
        return store_failed(db->handle);
    *ret = stmt;
    return PP_OK;
}

pp_res pp_db_step(sqlite3_stmt *stmt, int *ret_row)
{
    int rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *ret_row = 1;
        return PP_OK;
    }
    pp_res r = rc == SQLITE_DONE ? PP_OK : store_failed(sqlite3_db_handle(stmt));
    (void)sqlite3_reset(stmt); /* repeats the error of the step */
    if (pp_is_ok(r))
        *ret_row = 0;
    return r;
}

pp_res pp_db_run(sqlite3_stmt *stmt)
{
    int row = 0;

    PP_TRY(pp_db_step(stmt, &row));
    if (row == 1) {
        (void)sqlite3_reset(stmt);
        return PP_FAIL(PP_E_STORE, SQLITE_MISUSE);
    }
    return PP_OK;
}

struct pp_span pp_db_column(sqlite3_stmt *stmt, int column)
{
    const void *bytes = sqlite3_column_blob(stmt, column);

    return pp_span(bytes, (size_t)sqlite3_column_bytes(stmt, column));
}

pp_res pp_db_begin(const struct pp_db *db)
{
    return pp_db_exec(db, "BEGIN IMMEDIATE");
}

pp_res pp_db_end(const struct pp_db *db, pp_res work)
{
    pp_res r = work;

    if (pp_is_ok(r))
        r = pp_db_exec(db, "COMMIT");
    if (!pp_is_ok(r) && sqlite3_get_autocommit(db->handle) == 0)
        pp_ignore(pp_db_exec(db, "ROLLBACK"), "closing the handle rolls back as well");
    return r;
}

/* --- opening --------------------------------------------------------------------------------- */

/* A statement whose one row has one number or word. */
static pp_res query_is(const struct pp_db *db, const char *sql, struct pp_span expected,
                       struct pp_problem *problem)
{
    sqlite3_stmt *stmt = NULL;
    int row = 0;

    PP_TRY(pp_db_prepare(db, sql, &stmt));
    pp_res r = pp_db_step(stmt, &row);
    if (pp_is_ok(r) && (row != 1 || !pp_span_eq(pp_db_column(stmt, 0), expected))) {
        pp_problem_set(problem, sql, (const char *)expected.at,
                       row == 1 ? pp_db_column(stmt, 0) : PP_STR("nothing"));
        r = PP_FAIL(PP_E_STORE, 0);
    }
    (void)sqlite3_finalize(stmt);
    return r;
}

static const char *number_sql(char *buf, const char *before, uint32_t number)
{
    struct pp_wr wr = pp_wr_over(buf, SQL_BYTES_MAX);

    pp_wr_text(&wr, before);
    pp_wr_decimal(&wr, number);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(wr.failed == PP_E_OK);
    return buf;
}

static pp_res query_is_number(const struct pp_db *db, const char *sql, uint32_t number,
                              struct pp_problem *problem)
{
    char text[SQL_BYTES_MAX];

    (void)number_sql(text, "", number);
    return query_is(db, sql, pp_span_cstr(text), problem);
}

static pp_res configure(const struct pp_db *db, struct pp_problem *problem)
{
    if (sqlite3_busy_timeout(db->handle, PP_DB_WAIT_MS) != SQLITE_OK)
        return store_failed(db->handle);
    PP_TRY(query_is(db, "PRAGMA journal_mode=WAL", PP_STR("wal"), problem));
    PP_TRY(pp_db_exec(db, "PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF;"
                          "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY"));
    return query_is(db, "PRAGMA synchronous", PP_STR("2"), problem);
}

static pp_res open_handle(const char *path, struct pp_problem *problem, uint32_t page_bytes,
                          struct pp_db *db)
{
    char sql[SQL_BYTES_MAX];

    if (sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return store_failed(db->handle);
    if (page_bytes != 0) /* before the log, with which the size is settled */
        PP_TRY(pp_db_exec(db, number_sql(sql, "PRAGMA page_size=", page_bytes)));
    return configure(db, problem);
}

static pp_res fill(const struct pp_db *db, const struct pp_db_schema *schema)
{
    char sql[SQL_BYTES_MAX];

    PP_TRY(pp_db_exec(db, schema->sql));
    PP_TRY(pp_db_exec(db, number_sql(sql, "PRAGMA application_id=", schema->application_id)));
    return pp_db_exec(db, number_sql(sql, "PRAGMA user_version=", schema->version));
}

static pp_res fill_file(const char *path, const struct pp_db_schema *schema,
                        struct pp_problem *problem)
{
    struct pp_db db = { 0 };
    pp_res r = open_handle(path, problem, schema->page_bytes, &db);

    if (pp_is_ok(r))
        r = pp_db_begin(&db);
    if (pp_is_ok(r))
        r = pp_db_end(&db, fill(&db, schema));
    pp_db_done(&db); /* the last handle: what is in the log moves into the file */
    return r;
}

static void sync_folder_of(const char *path)
{
    char folder[PATH_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(folder, sizeof folder);
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        pp_wr_text(&wr, ".");
    else
        pp_wr_bytes(&wr, path, (size_t)(slash - path) + 1);
    pp_wr_u8(&wr, 0);
    int fd = wr.failed == PP_E_OK ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd); /* a store that vanishes with the power has acknowledged nothing yet */
        (void)close(fd);
    }
}

/*
 * A new store appears under its name complete, with the right mode, and at once: processes that
 * find no file all make one, the first rename wins, and the others use it. No descriptor of ours is
 * open on the file once SQLite may be, since closing it would drop the locks of the whole
 * process.
 */
static pp_res make(const char *path, const struct pp_db_schema *schema, struct pp_problem *problem)
{
    char new_path[PATH_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(new_path, sizeof new_path);

    pp_wr_text(&wr, path);
    pp_wr_text(&wr, ".XXXXXX");
    pp_wr_u8(&wr, 0);
    PP_TRY_AS(PP_E_STORE, pp_wr_ok(&wr));
    int fd = mkostemp(new_path, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        int e = errno;
        pp_problem_set(problem, path, "a folder in which a file can be made",
                       pp_span_cstr(strerror(e)));
        return PP_FAIL(PP_E_STORE, e);
    }
    (void)close(fd);
    pp_res r = fill_file(new_path, schema, problem);
    int named = pp_is_ok(r) && renameat2(AT_FDCWD, new_path, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    if (pp_is_ok(r) && !named && errno != EEXIST)
        r = PP_FAIL(PP_E_STORE, errno);
    if (!named)
        (void)unlink(new_path);
    if (pp_is_ok(r))
        sync_folder_of(path);
    return r;
}

/* Others who may open the file may have opened it already, so its mode is checked, not changed. */
static pp_res check_file(const char *path, struct pp_problem *problem)
{
    struct stat st;

    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        pp_problem_set(problem, path, "a file that its owner alone can open",
                       PP_STR("no such file, another kind of file, or another mode"));
        return PP_FAIL(PP_E_STORE, 0);
    }
    return PP_OK;
}

static pp_res open_existing(const char *path, const struct pp_db_schema *schema,
                            struct pp_problem *problem, struct pp_db *db)
{
    pp_res r = open_handle(path, problem, 0, db);

    if (!pp_is_ok(r) && problem != NULL && problem->field[0] == '\0')
        pp_problem_set(problem, path, "a store that works",
                       pp_span_cstr(sqlite3_errmsg(db->handle)));
    PP_TRY(r);
    PP_TRY(query_is_number(db, "PRAGMA application_id", schema->application_id, problem));
    return query_is_number(db, "PRAGMA user_version", schema->version, problem);
}

pp_res pp_db_open(const char *path, const struct pp_db_schema *schema, struct pp_problem *problem,
                  struct pp_db *ret)
{
    struct pp_db db = { 0 };

    if (access(path, F_OK) != 0)
        PP_TRY(make(path, schema, problem));
    PP_TRY(check_file(path, problem));
    pp_res r = open_existing(path, schema, problem, &db);
    if (!pp_is_ok(r)) {
        pp_db_done(&db);
        return r;
    }
    *ret = db;
    return PP_OK;
}

void pp_db_done(struct pp_db *db)
{
    if (db->handle != NULL)
        PP_ASSERT(sqlite3_close(db->handle) == SQLITE_OK); /* else a statement is still open */
    *db = (struct pp_db){ 0 };
}
