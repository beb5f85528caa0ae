/* SPDX-License-Identifier: Apache-2.0 */
/* What a store in an SQLite file can suffer, and that it accepts nothing then. */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spent.h"

enum { DAY = 20500 };

static char folder[64];
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
    const struct rlimit limit = { .rlim_cur = 1 << 16, .rlim_max = 1 << 16 };
    struct pp_spent *s = NULL;
    pp_res r = PP_OK;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (!pp_is_ok(pp_spent_open(path, NULL, &s)) || setrlimit(RLIMIT_FSIZE, &limit) != 0)
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
    return 0;
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
    uint8_t noise[4096];
    memset(noise, 0xa5, sizeof noise);
    assert_true(fd >= 0);
    for (off_t at = 4096; at < 6 * 4096; at += 4096)
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

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_A_FOLDER(a_store_that_cannot_be_opened_says_so),
    IN_A_FOLDER(a_full_disk_accepts_nothing),
    IN_A_FOLDER(a_damaged_file_accepts_nothing),
};

PP_TEST_MAIN(TESTS)
