/* SPDX-License-Identifier: Apache-2.0 */
/* Many files made durable together: all of them or an error, and no leftovers. */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fileset.h"

static char folder[64];
static int dir = -1;
static struct pp_fileset set;

static int drop_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pp-test-fileset-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    set = pp_fileset_in(dir);
    return dir < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    close(dir);
    return nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
}

static size_t files;

static int count_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)path;
    (void)st;
    (void)walk;
    files += type == FTW_F;
    return 0;
}

static size_t file_count(void)
{
    files = 0;
    assert_int_equal(nftw(folder, count_file, 16, FTW_PHYS), 0);
    return files;
}

static void check_file(const char *path, struct pp_span content)
{
    struct pp_buf b = { 0 };

    assert_ok(pp_file_read(dir, path, 1 << 16, &b));
    assert_true(pp_span_eq(pp_buf_span(&b), content));
    pp_buf_done(&b);
}

static void files_have_their_names_when_they_are_committed_and_not_before(void **state)
{
    (void)state;
    assert_ok(pp_file_write(dir, "b", 0600, PP_STR("old")));
    assert_ok(pp_fileset_add(&set, "a/x/1", 0644, PP_STR("one")));
    assert_ok(pp_fileset_add(&set, "b", 0644, PP_STR("new")));
    assert_int_equal(faccessat(dir, "a/x/1", F_OK, 0), -1);
    check_file("b", PP_STR("old"));
    assert_ok(pp_fileset_commit(&set));
    check_file("a/x/1", PP_STR("one"));
    check_file("b", PP_STR("new"));
    struct stat st;
    assert_int_equal(fstatat(dir, "b", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(file_count(), 2);
}

static void more_files_and_folders_than_fit_are_committed_in_parts(void **state)
{
    (void)state;
    char path[32];

    for (unsigned i = 0; i < 3 * PP_FILESET_FILES_MAX; i++) {
        snprintf(path, sizeof path, "d%u/%u", i % (3 * PP_FILESET_FOLDERS_MAX), i);
        assert_ok(pp_fileset_add(&set, path, 0644, pp_span_cstr(path)));
    }
    assert_ok(pp_fileset_commit(&set));
    assert_int_equal(file_count(), 3 * PP_FILESET_FILES_MAX);
    check_file("d1/145", PP_STR("d1/145"));
}

static void what_is_dropped_leaves_nothing(void **state)
{
    (void)state;
    assert_ok(pp_fileset_add(&set, "a/1", 0644, PP_STR("one")));
    pp_fileset_drop(&set);
    assert_int_equal(file_count(), 0);
    assert_ok(pp_fileset_commit(&set)); /* nothing in it */
}

static void a_path_has_a_limit(void **state)
{
    (void)state;
    char path[PP_FILESET_PATH_MAX + 1];

    memset(path, 'a', sizeof path);
    path[PP_FILESET_PATH_MAX] = '\0';
    assert_code(pp_fileset_add(&set, path, 0644, PP_STR("x")), PP_E_RANGE);
    path[PP_FILESET_PATH_MAX - 1] = '\0';
    assert_ok(pp_fileset_add(&set, path, 0644, PP_STR("x")));
    assert_ok(pp_fileset_commit(&set));
    assert_int_equal(file_count(), 1);
}

static void a_file_that_cannot_be_written_takes_the_set_with_it(void **state)
{
    (void)state;
    struct rlimit old;

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { 10, old.rlim_max };
    assert_ok(pp_fileset_add(&set, "small", 0644, PP_STR("x")));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    pp_res r = pp_fileset_add(&set, "large", 0644, PP_STR("more than ten bytes"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_code(r, PP_E_SYSTEM);
    assert_int_equal(file_count(), 0);
    assert_int_equal(set.file_count, 0);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    assert_ok(pp_file_write(dir, "file", 0600, PP_STR("x")));
    assert_code(pp_fileset_add(&set, "file/1", 0644, PP_STR("x")), PP_E_SYSTEM);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(files_have_their_names_when_they_are_committed_and_not_before),
    IN_FOLDER(more_files_and_folders_than_fit_are_committed_in_parts),
    IN_FOLDER(what_is_dropped_leaves_nothing),
    IN_FOLDER(a_path_has_a_limit),
    IN_FOLDER(a_file_that_cannot_be_written_takes_the_set_with_it),
    IN_FOLDER(a_folder_that_cannot_be_made_is_an_error),
};

PP_TEST_MAIN(TESTS)
