/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static int folder = -1;
static char folder_path[] = "/tmp/pp-test-file-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder_path) == NULL)
        return -1;
    folder = open(folder_path, O_RDONLY | O_DIRECTORY);
    return folder < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlinkat(folder, "a", 0);
    close(folder);
    return rmdir(folder_path); /* fails, and the group with it, if a temporary file was left */
}

static void a_written_file_has_its_content_and_mode(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };
    struct stat st;

    assert_ok(pp_file_write(folder, "a", 0640, PP_STR("one")));
    assert_ok(pp_file_write(folder, "a", 0600, PP_STR("second")));
    assert_ok(pp_file_read(folder, "a", 6, &b));
    assert_string_equal((char *)b.bytes, "second");
    assert_int_equal(fstatat(folder, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    pp_buf_done(&b);
    pp_buf_done(&b);
}

static void a_kept_file_is_no_link_and_nobody_elses(void **state)
{
    static const struct {
        mode_t mode, forbidden;
        uint32_t code;
    } ROWS[] = {
        { 0600, PP_FILE_PRIVATE, PP_E_OK },     { 0400, PP_FILE_PRIVATE, PP_E_OK },
        { 0640, PP_FILE_PRIVATE, PP_E_CONFIG }, { 0604, PP_FILE_PRIVATE, PP_E_CONFIG },
        { 0610, PP_FILE_PRIVATE, PP_E_CONFIG }, { 0644, PP_FILE_OURS, PP_E_OK },
        { 0775, PP_FILE_OURS, PP_E_OK },        { 0646, PP_FILE_OURS, PP_E_CONFIG },
    };
    struct pp_buf b = { 0 };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        assert_ok(pp_file_write(folder, "a", ROWS[i].mode, PP_STR("kept")));
        assert_code(pp_file_read_kept(folder, "a", ROWS[i].forbidden, 4, &b), ROWS[i].code);
        pp_buf_done(&b);
    }
    assert_ok(pp_file_write(folder, "a", 0600, PP_STR("kept.")));
    assert_code(pp_file_read_kept(folder, "a", PP_FILE_PRIVATE, 4, &b), PP_E_LIMIT);
    assert_code(pp_file_read_kept(folder, "absent", PP_FILE_PRIVATE, 4, &b), PP_E_NOT_FOUND);
    assert_code(pp_file_read_kept(folder, ".", 0, 4, &b), PP_E_CONFIG);
    assert_int_equal(symlinkat("a", folder, "link"), 0);
    assert_code(pp_file_read_kept(folder, "link", 0, 5, &b), PP_E_CONFIG);
    assert_ok(pp_file_read(folder, "link", 5, &b));
    pp_buf_done(&b);
    assert_int_equal(unlinkat(folder, "link", 0), 0);
}

static void a_removed_file_is_gone(void **state)
{
    (void)state;
    assert_ok(pp_file_write(folder, "a", 0600, PP_STR("secret")));
    assert_ok(pp_file_remove(folder, "a"));
    assert_int_equal(faccessat(folder, "a", F_OK, 0), -1);
    assert_code(pp_file_remove(folder, "a"), PP_E_NOT_FOUND);
    assert_code(pp_file_remove(AT_FDCWD, "/proc"), PP_E_SYSTEM);
}

static void reading_has_a_limit_and_wants_a_regular_file(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(pp_file_write(folder, "a", 0600, PP_STR("seven..")));
    assert_code(pp_file_read(folder, "a", 6, &b), PP_E_LIMIT);
    assert_code(pp_file_read(folder, "absent", 6, &b), PP_E_NOT_FOUND);
    assert_code(pp_file_read(folder, ".", 6, &b), PP_E_FORMAT);
    assert_code(pp_file_read(AT_FDCWD, "/dev/zero", 6, &b), PP_E_FORMAT);
}

static ino_t inode_of(const char *name)
{
    struct stat st;

    assert_int_equal(fstatat(folder, name, &st, 0), 0);
    return st.st_ino;
}

/* A new file has another inode, which is what tells a write from none. */
static void an_update_writes_only_what_is_new(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(pp_file_update(folder, "a", 0600, PP_STR("first")));
    ino_t at = inode_of("a");
    assert_ok(pp_file_update(folder, "a", 0600, PP_STR("first")));
    assert_true(inode_of("a") == at);
    assert_ok(pp_file_update(folder, "a", 0600, PP_STR("fifth")));
    assert_true(inode_of("a") != at);
    assert_ok(pp_file_read(folder, "a", 100, &b));
    assert_string_equal((char *)b.bytes, "fifth");
    pp_buf_done(&b);
    at = inode_of("a");
    assert_ok(pp_file_update(folder, "a", 0640, PP_STR("fifth"))); /* another mode */
    assert_true(inode_of("a") != at);
    assert_ok(pp_file_update(folder, "a", 0640, PP_STR("fifth and more")));
    assert_ok(pp_file_update(folder, "a", 0640, PP_STR("fifth")));
    assert_ok(pp_file_read(folder, "a", 100, &b));
    assert_int_equal(b.len, 5);
    pp_buf_done(&b);
}

static void a_replaced_file_has_its_new_content_whole(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(pp_file_write(folder, "a", 0600, PP_STR("before")));
    assert_ok(pp_file_replace(folder, "a", 0600, PP_STR("after that")));
    assert_ok(pp_file_read(folder, "a", 100, &b));
    assert_string_equal((char *)b.bytes, "after that");
    pp_buf_done(&b);
}

static void a_created_file_replaces_nothing(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(pp_file_create(folder, "new", 0600, PP_STR("first")));
    assert_code(pp_file_create(folder, "new", 0600, PP_STR("second")), PP_E_EXISTS);
    assert_ok(pp_file_read(folder, "new", 100, &b));
    assert_string_equal((char *)b.bytes, "first");
    pp_buf_done(&b);
    assert_code(pp_file_create(folder, "absent/new", 0600, PP_STR("x")), PP_E_NOT_FOUND);
    assert_ok(pp_file_remove(folder, "new"));
}

/* A write that cannot be finished leaves the old file and nothing else. */
static void a_failed_write_keeps_the_old_file(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };
    struct rlimit old;
    static uint8_t large[100000];

    assert_ok(pp_file_write(folder, "a", 0600, PP_STR("old")));
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { 4096, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_code(pp_file_write(folder, "a", 0600, PP_BYTES(large)), PP_E_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_ok(pp_file_read(folder, "a", 100, &b));
    assert_string_equal((char *)b.bytes, "old");
    pp_buf_done(&b);
    assert_code(pp_file_write(folder, "no/such", 0600, PP_STR("x")), PP_E_NOT_FOUND);
}

/* /dev/full is a device that is always full. */
static void what_a_killed_writer_left_is_removed_and_nothing_else(void **state)
{
    (void)state;
    static const char *const names[] = { "b.7.tmp", "deep/c.7.tmp", "kept", "deep/kept",
                                         "deep/tmp" };

    assert_int_equal(mkdirat(folder, "deep", 0700), 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        close(openat(folder, names[i], O_CREAT | O_WRONLY, 0600));
    pp_file_drop_leftovers(folder, ".");
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        assert_int_equal(unlinkat(folder, names[i], 0), i < 2 ? -1 : 0);
    assert_int_equal(unlinkat(folder, "deep", AT_REMOVEDIR), 0);
    pp_file_drop_leftovers(folder, "absent");
}

static void the_reason_why_a_file_was_not_taken_has_words(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_string_equal(pp_file_reason(pp_file_read(folder, "absent", 9, &b)), "no such file");
    assert_string_equal(pp_file_reason(pp_file_read(folder, "a/b", 9, &b)), strerror(ENOTDIR));
    assert_string_equal(pp_file_reason(pp_file_read(folder, "a", 1, &b)),
                        "more bytes than it may have");
    assert_string_equal(pp_file_reason(pp_file_read(folder, ".", 9999, &b)), "another content");
}

static void a_full_disk_has_its_own_code(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);

    assert_true(fd >= 0);
    assert_code(pp_fd_write(fd, PP_STR("x")), PP_E_DISK_FULL);
    close(fd);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_written_file_has_its_content_and_mode),
    cmocka_unit_test(a_kept_file_is_no_link_and_nobody_elses),
    cmocka_unit_test(a_removed_file_is_gone),
    cmocka_unit_test(reading_has_a_limit_and_wants_a_regular_file),
    cmocka_unit_test(an_update_writes_only_what_is_new),
    cmocka_unit_test(a_replaced_file_has_its_new_content_whole),
    cmocka_unit_test(a_created_file_replaces_nothing),
    cmocka_unit_test(a_failed_write_keeps_the_old_file),
    cmocka_unit_test(what_a_killed_writer_left_is_removed_and_nothing_else),
    cmocka_unit_test(the_reason_why_a_file_was_not_taken_has_words),
    cmocka_unit_test(a_full_disk_has_its_own_code),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_folder, remove_folder);
}
