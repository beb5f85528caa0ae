/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db.h"

static char folder[64];
static char path[96];

static const struct pp_db_schema SCHEMA = {
    .application_id = 0x70700001,
    .version = 3,
    .sql = "CREATE TABLE numbers (n INTEGER PRIMARY KEY)",
};

static int fresh_folder(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/a.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static void write_file(const char *content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

static pp_res outcome(struct pp_problem *problem)
{
    struct pp_db db = { 0 };
    pp_res r = pp_db_open(path, &SCHEMA, problem, &db);

    pp_db_done(&db);
    return r;
}

static int64_t count(const struct pp_db *db)
{
    sqlite3_stmt *stmt = NULL;
    int row = 0;

    assert_ok(pp_db_prepare(db, "SELECT count(*) FROM numbers", &stmt));
    assert_ok(pp_db_step(stmt, &row));
    assert_int_equal(row, 1);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

static void a_new_store_is_its_owners_alone_and_found_again(void **state)
{
    (void)state;
    struct pp_db db = { 0 };
    struct stat st;
    char wal[128];

    pp_db_done(&db); /* the zero state is a valid state */
    (void)umask(0);
    assert_ok(pp_db_open(path, &SCHEMA, NULL, &db));
    assert_ok(pp_db_exec(&db, "INSERT INTO numbers VALUES (7)"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    pp_db_done(&db);
    assert_ok(pp_db_open(path, &SCHEMA, NULL, &db));
    assert_int_equal(count(&db), 1);
    pp_db_done(&db);
}

static void files_that_are_not_ours_are_refused_and_left_alone(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_db_schema other = SCHEMA;
    struct pp_db db = { 0 };

    write_file("this is a letter to somebody, long enough to be a header of a database", 0600);
    assert_code(outcome(&problem), PP_E_STORE);
    assert_string_equal(problem.field, path);
    assert_int_equal(unlink(path), 0);

    other.application_id++;
    assert_ok(pp_db_open(path, &other, NULL, &db));
    pp_db_done(&db);
    assert_code(outcome(NULL), PP_E_STORE);
    assert_int_equal(unlink(path), 0);

    other = SCHEMA;
    other.version++;
    assert_ok(pp_db_open(path, &other, NULL, &db));
    pp_db_done(&db);
    memset(&problem, 0, sizeof problem);
    assert_code(outcome(&problem), PP_E_STORE);
    assert_string_equal(problem.field, "PRAGMA user_version");
    assert_string_equal(problem.expected, "3");
    assert_string_equal(problem.got, "4");
}

static void a_file_that_others_may_open_is_refused(void **state)
{
    (void)state;
    write_file("", 0640);
    assert_code(outcome(NULL), PP_E_STORE);
    write_file("", 0604);
    assert_code(outcome(NULL), PP_E_STORE);
    assert_int_equal(unlink(path), 0);
    assert_ok(outcome(NULL));
    assert_int_equal(chmod(path, 0660), 0);
    assert_code(outcome(NULL), PP_E_STORE);
}

static void a_folder_a_link_or_no_folder_is_refused(void **state)
{
    (void)state;
    struct pp_db db = { 0 };
    char target[128];

    assert_int_equal(mkdir(path, 0700), 0);
    assert_code(outcome(NULL), PP_E_STORE);
    assert_int_equal(rmdir(path), 0);
    snprintf(target, sizeof target, "%s/elsewhere", folder);
    assert_int_equal(symlink(target, path), 0);
    assert_code(outcome(NULL), PP_E_STORE);
    assert_int_not_equal(access(target, F_OK), 0);
    snprintf(target, sizeof target, "%s/none/a.db", folder);
    assert_code(pp_db_open(target, &SCHEMA, NULL, &db), PP_E_STORE);
    assert_null(db.handle);
}

static void a_transaction_ends_with_the_verdict_of_its_work(void **state)
{
    (void)state;
    struct pp_db db = { 0 };

    assert_ok(pp_db_open(path, &SCHEMA, NULL, &db));
    assert_ok(pp_db_begin(&db));
    assert_ok(pp_db_exec(&db, "INSERT INTO numbers VALUES (1)"));
    assert_ok(pp_db_end(&db, PP_OK));
    assert_ok(pp_db_begin(&db));
    assert_ok(pp_db_exec(&db, "INSERT INTO numbers VALUES (2)"));
    assert_code(pp_db_end(&db, PP_FAIL(PP_E_SPENT, 0)), PP_E_SPENT);
    assert_int_equal(count(&db), 1);
    assert_code(pp_db_exec(&db, "INSERT INTO numbers VALUES (1)"), PP_E_STORE);
    assert_code(pp_db_exec(&db, "no such statement"), PP_E_STORE);
    assert_ok(pp_db_begin(&db)); /* a failure leaves no transaction behind */
    assert_ok(pp_db_end(&db, PP_OK));
    pp_db_done(&db);
}

/* In a child: the limit on file sizes stands for a full disk. */
static int child_meets_a_full_disk(void)
{
    const struct rlimit limit = { .rlim_cur = 1 << 15, .rlim_max = 1 << 15 };
    struct pp_db db = { 0 };
    pp_res r = PP_OK;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (!pp_is_ok(pp_db_open(path, &SCHEMA, NULL, &db)) || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    for (int i = 0; i < 1000 && pp_is_ok(r); i++)
        r = pp_db_exec(&db, "INSERT INTO numbers SELECT coalesce(max(n), 0) + 1 FROM numbers");
    return r.code == PP_E_STORE ? 0 : 1;
}

static void a_full_disk_is_a_refusal_and_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    struct pp_db db = { 0 };
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(child_meets_a_full_disk());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_ok(pp_db_open(path, &SCHEMA, NULL, &db));
    assert_true(count(&db) > 0);
    pp_db_done(&db);
}

enum { OPENERS = 6 };

static void processes_that_make_one_store_at_once_all_succeed(void **state)
{
    (void)state;
    int gate[2];
    pid_t children[OPENERS];

    assert_int_equal(pipe(gate), 0);
    for (size_t i = 0; i < OPENERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            char c;
            close(gate[1]);
            (void)!read(gate[0], &c, 1); /* until the gate is shut behind all */
            _exit(pp_is_ok(outcome(NULL)) ? 0 : 1);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (size_t i = 0; i < OPENERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_A_FOLDER(a_new_store_is_its_owners_alone_and_found_again),
    IN_A_FOLDER(files_that_are_not_ours_are_refused_and_left_alone),
    IN_A_FOLDER(a_file_that_others_may_open_is_refused),
    IN_A_FOLDER(a_folder_a_link_or_no_folder_is_refused),
    IN_A_FOLDER(a_transaction_ends_with_the_verdict_of_its_work),
    IN_A_FOLDER(a_full_disk_is_a_refusal_and_keeps_what_was_acknowledged),
    IN_A_FOLDER(processes_that_make_one_store_at_once_all_succeed),
};

PP_TEST_MAIN(TESTS)
