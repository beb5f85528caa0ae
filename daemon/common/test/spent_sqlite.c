/* SPDX-License-Identifier: Apache-2.0 */
/* What a store in an SQLite file can suffer, and that it accepts nothing then. */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spent.h"

enum { DAY = 20500 };

static char folder[64];
static int can_mount; /* a disk that nobody else sees */
static char path[96];

static int fresh_folder(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/spent.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static struct pp_spent *open_store(void)
{
    struct pp_spent *s = NULL;

    assert_ok(pp_spent_open(path, NULL, &s));
    return s;
}

static void set_item(struct pp_spent_item *item, uint32_t day, uint32_t n)
{
    *item = (struct pp_spent_item){ .day = day };
    item->key[0] = (uint8_t)(n * 151); /* not in order */
    memcpy(item->key + 12, &n, sizeof n);
}

static pp_res insert(struct pp_spent *s, uint32_t day, uint32_t n)
{
    struct pp_spent_item item;

    set_item(&item, day, n);
    return pp_spent_insert(s, day, item.key);
}

static void a_store_that_cannot_be_opened_says_so(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct pp_spent *s = NULL;
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "garbage that no database begins with, and more of it", 52), 52);
    close(fd);
    assert_code(pp_spent_open(path, &problem, &s), PP_E_STORE);
    assert_string_equal(problem.field, path);
    assert_null(s);
    assert_code(pp_spent_open("/proc/none/spent.db", &problem, &s), PP_E_STORE);
}

static int child_meets_a_full_disk(void)
{
    struct rlimit limit;
    struct pp_spent *s = NULL;
    pp_res r = PP_OK;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (!pp_is_ok(pp_spent_open(path, NULL, &s)) || getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    const struct rlimit full = { .rlim_cur = 1 << 16, .rlim_max = limit.rlim_max };
    if (setrlimit(RLIMIT_FSIZE, &full) != 0)
        return 2;
    for (uint32_t n = 0; n < 10000 && pp_is_ok(r); n++)
        r = insert(s, DAY, n);
    if (r.code != PP_E_STORE || insert(s, DAY, 20000).code != PP_E_STORE)
        return 1; /* and it stays so: the store never guesses */
    static struct pp_spent_item items[PP_SPENT_BATCH_MAX];
    for (uint32_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
        set_item(&items[i], DAY + 1, i); /* an epoch whose table cannot be made either */
    if (pp_spent_insert_many(s, items, PP_SPENT_BATCH_MAX).code != PP_E_STORE)
        return 3;
    for (uint32_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
        if (items[i].result.code != PP_E_STORE)
            return 4;
    /* Room again: the tables that were taken back are made anew, by the same handle. */
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || !pp_is_ok(insert(s, DAY + 1, 1)))
        return 5;
    return insert(s, DAY + 1, 1).code == PP_E_SPENT ? 0 : 6;
}

static void a_full_disk_accepts_nothing(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(child_meets_a_full_disk());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Another process damages the file under an open handle. */
static void a_damaged_file_accepts_nothing(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();

    for (uint32_t n = 0; n < 50; n++)
        assert_ok(insert(s, DAY, n));
    pp_spent_close(s);
    int fd = open(path, O_WRONLY);
    uint8_t noise[1024];
    memset(noise, 0xa5, sizeof noise);
    assert_true(fd >= 0);
    for (off_t at = 1024; at < 24 * 1024; at += 1024)
        assert_int_equal(pwrite(fd, noise, sizeof noise, at), sizeof noise);
    close(fd);
    pp_res r = pp_spent_open(path, NULL, &s);
    if (pp_is_ok(r)) {
        for (uint32_t n = 0; n < 60; n++)
            assert_code(insert(s, DAY, n), PP_E_STORE);
        pp_spent_close(s);
    }
    assert_true(pp_is_ok(r) || r.code == PP_E_STORE);
}

/* A disk of 256 KiB that this process alone sees. */
static void a_disk_that_fills_up_accepts_nothing(void **state)
{
    (void)state;
    static struct pp_spent_item items[PP_SPENT_BATCH_MAX];
    uint32_t n = 0;
    pp_res r;

    if (!can_mount)
        skip(); /* nobody else can mount a disk; the case above has a limit that all can set */
    assert_int_equal(mount("pp-test", folder, "tmpfs", 0, "size=256k,mode=700"), 0);
    struct pp_spent *s = open_store();
    do {
        for (uint32_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
            set_item(&items[i], DAY, n + i);
        r = pp_spent_insert_many(s, items, PP_SPENT_BATCH_MAX);
        n += PP_SPENT_BATCH_MAX;
    } while (pp_is_ok(r) && n < 1 << 20);
    assert_code(r, PP_E_DISK_FULL);
    for (size_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
        assert_code(items[i].result, PP_E_DISK_FULL);
    assert_true(n > PP_SPENT_BATCH_MAX);
    pp_res first = insert(s, DAY, 0); /* acknowledged; whether it can be told now or not */
    assert_true(first.code == PP_E_SPENT || first.code == PP_E_DISK_FULL);
    pp_spent_close(s);
    assert_int_equal(umount2(folder, MNT_DETACH), 0);
}

/* --- a log that was torn ---------------------------------------------------------------------- */

enum { TORN_BATCH = 10, TORN_CUTS = 40, FILE_BYTES_MAX = 1 << 20 };

static uint8_t database[FILE_BYTES_MAX], before[FILE_BYTES_MAX], after[FILE_BYTES_MAX];

static size_t read_file(const char *suffix, uint8_t *ret)
{
    char name[128];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    size_t n = fread(ret, 1, FILE_BYTES_MAX, f);
    assert_true(n < FILE_BYTES_MAX);
    fclose(f);
    return n;
}

static void write_file(const char *suffix, const uint8_t *bytes, size_t n)
{
    char name[128];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    (void)unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static void insert_batch(struct pp_spent *s, uint32_t from)
{
    struct pp_spent_item items[TORN_BATCH];

    for (uint32_t i = 0; i < TORN_BATCH; i++)
        set_item(&items[i], DAY, from + i);
    assert_ok(pp_spent_insert_many(s, items, TORN_BATCH));
    for (uint32_t i = 0; i < TORN_BATCH; i++)
        assert_ok(items[i].result);
}

/* Every acknowledged token is there, and the batch that was under way is there whole or not. */
static void check_torn(void)
{
    char shared[128];
    uint32_t there = 0;

    snprintf(shared, sizeof shared, "%s-shm", path);
    (void)unlink(shared); /* memory, which a power cut empties */
    struct pp_spent *s = open_store();
    for (uint32_t n = 0; n < 3 * TORN_BATCH; n++)
        assert_code(insert(s, DAY, n), PP_E_SPENT);
    for (uint32_t n = 3 * TORN_BATCH; n < 4 * TORN_BATCH; n++)
        there += insert(s, DAY, n).code == PP_E_SPENT ? 1 : 0;
    assert_true(there == 0 || there == TORN_BATCH);
    for (uint32_t n = 0; n < 4 * TORN_BATCH; n++)
        assert_code(insert(s, DAY, n), PP_E_SPENT);
    pp_spent_close(s);
}

static void a_log_torn_by_a_power_cut_keeps_what_was_acknowledged(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();

    for (uint32_t n = 0; n < 3; n++)
        insert_batch(s, n * TORN_BATCH);
    size_t database_len = read_file("", database);
    size_t before_len = read_file("-wal", before);
    insert_batch(s, 3 * TORN_BATCH);
    size_t after_len = read_file("-wal", after);
    pp_spent_close(s);
    assert_true(after_len > before_len);
    assert_memory_equal(after, before, before_len);
    size_t step = (after_len - before_len) / TORN_CUTS + 1;
    for (size_t len = before_len; len <= after_len; len += step) {
        write_file("", database, database_len);
        write_file("-wal", after, len);
        check_torn();
        /* Sectors that never came: the end is there, and what is before it is not. */
        write_file("", database, database_len);
        memset(before + before_len, 0, len - before_len);
        memcpy(before + len, after + len, after_len - len);
        write_file("-wal", before, after_len);
        check_torn();
    }
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_A_FOLDER(a_store_that_cannot_be_opened_says_so),
    IN_A_FOLDER(a_full_disk_accepts_nothing),
    IN_A_FOLDER(a_disk_that_fills_up_accepts_nothing),
    IN_A_FOLDER(a_log_torn_by_a_power_cut_keeps_what_was_acknowledged),
    IN_A_FOLDER(a_damaged_file_accepts_nothing),
};

int main(void)
{
    /* Mounts of this process are nobody else's. Not everybody may, nor root in every container. */
    can_mount = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
