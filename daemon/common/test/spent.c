/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <poll.h>
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

/* The spend key number `n`. */
struct key {
    uint8_t bytes[PP_SPEND_KEY_BYTES];
};

static struct key key_of(uint32_t n)
{
    struct key k = { { 0 } };

    k.bytes[0] = (uint8_t)(n * 151); /* not in order */
    k.bytes[12] = (uint8_t)(n >> 24);
    k.bytes[13] = (uint8_t)(n >> 16);
    k.bytes[14] = (uint8_t)(n >> 8);
    k.bytes[15] = (uint8_t)n;
    return k;
}

static pp_res insert(struct pp_spent *s, uint32_t day, uint32_t n)
{
    struct key k = key_of(n);

    return pp_spent_insert(s, day, k.bytes);
}

static uint64_t count(struct pp_spent *s, uint32_t day)
{
    uint64_t n = 0;

    assert_ok(pp_spent_count(s, day, &n));
    return n;
}

static void w4_t2_a_token_is_accepted_once_and_never_again(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();

    assert_ok(insert(s, DAY, 1));
    assert_code(insert(s, DAY, 1), PP_E_SPENT);
    assert_ok(insert(s, DAY, 2));
    assert_ok(insert(s, DAY + 1, 1)); /* another epoch, another key of the issuer */
    pp_spent_close(s);
    s = open_store();
    assert_code(insert(s, DAY, 1), PP_E_SPENT);
    assert_code(insert(s, DAY, 2), PP_E_SPENT);
    assert_code(insert(s, DAY + 1, 1), PP_E_SPENT);
    assert_int_equal(count(s, DAY), 2);
    assert_int_equal(count(s, DAY + 2), 0);
    pp_spent_close(s);
    pp_spent_close(NULL);
}

static void more_epochs_than_kept_statements_work_as_well(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();

    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t day = DAY; day < DAY + PP_SPENT_EPOCHS_MAX + 2; day++)
            assert_code(insert(s, day, 7), round == 0 ? PP_E_OK : PP_E_SPENT);
    pp_spent_close(s);
}

static void a_retired_epoch_is_dropped_whole_and_stays_closed(void **state)
{
    (void)state;
    struct pp_spent *s = open_store();
    struct pp_spent *other = open_store();

    for (uint32_t n = 0; n < 10; n++)
        assert_ok(insert(s, DAY, n));
    assert_ok(insert(other, DAY, 100));
    assert_ok(insert(s, DAY + 1, 1));
    assert_ok(pp_spent_retire(s, DAY + 1));
    assert_int_equal(count(s, DAY), 0);
    assert_int_equal(count(s, DAY + 1), 1);
    /* A clock that is set back must not open the epoch again, for old tokens or for new ones. */
    assert_code(insert(s, DAY, 1), PP_E_SPENT);
    assert_code(insert(s, DAY, 55), PP_E_SPENT);
    assert_code(insert(s, DAY - 1, 55), PP_E_SPENT);
    assert_code(insert(other, DAY, 56), PP_E_SPENT); /* it had a statement of that epoch ready */
    assert_ok(insert(other, DAY + 1, 2));
    assert_ok(pp_spent_retire(s, DAY - 5));
    assert_code(insert(s, DAY, 57), PP_E_SPENT);
    assert_code(insert(s, DAY + 1, 2), PP_E_SPENT);
    pp_spent_close(s);
    pp_spent_close(other);
}

static void an_epoch_is_retired_10_minutes_after_its_day(void **state)
{
    (void)state;
    const uint64_t midnight = (uint64_t)(DAY + 1) * 86400;

    assert_int_equal(pp_spent_first_day(midnight + 599), DAY);
    assert_int_equal(pp_spent_first_day(midnight + 600), DAY + 1);
    assert_int_equal(pp_spent_first_day(0), 0);
    /* never an epoch that a verifier still accepts */
    for (uint64_t t = midnight - 1000; t < midnight + 1000; t += 7)
        assert_false(pp_cred_epoch_accepts(pp_spent_first_day(t) - 1, t));
}

/* --- batches ---------------------------------------------------------------------------------- */

static void set_item(struct pp_spent_item *item, uint32_t day, uint32_t n)
{
    struct key k = key_of(n);

    *item = (struct pp_spent_item){ .day = day };
    memcpy(item->key, k.bytes, sizeof k.bytes);
}

static void w4_t2_a_batch_answers_each_token_as_if_it_had_come_alone(void **state)
{
    (void)state;
    struct pp_spent_item items[6];
    struct pp_spent *s = open_store();

    assert_ok(insert(s, DAY, 2));
    assert_ok(pp_spent_retire(s, DAY));
    set_item(&items[0], DAY, 1);
    set_item(&items[1], DAY, 2);     /* was there */
    set_item(&items[2], DAY + 1, 1); /* another epoch */
    set_item(&items[3], DAY, 1);     /* twice in the batch */
    set_item(&items[4], DAY - 1, 9); /* retired */
    set_item(&items[5], DAY, 3);
    const uint32_t wants[6] = { PP_E_OK, PP_E_SPENT, PP_E_OK, PP_E_SPENT, PP_E_SPENT, PP_E_OK };
    assert_ok(pp_spent_insert_many(s, items, 6));
    for (size_t i = 0; i < 6; i++)
        assert_code(items[i].result, wants[i]);
    assert_ok(pp_spent_insert_many(s, items, 6));
    for (size_t i = 0; i < 6; i++)
        assert_code(items[i].result, PP_E_SPENT);
    assert_int_equal(count(s, DAY), 3);
    assert_int_equal(count(s, DAY + 1), 1);
    pp_spent_close(s);
}

static void a_batch_has_a_limit(void **state)
{
    (void)state;
    static struct pp_spent_item items[PP_SPENT_BATCH_MAX + 1];
    struct pp_spent *s = open_store();

    for (uint32_t i = 0; i <= PP_SPENT_BATCH_MAX; i++)
        set_item(&items[i], DAY, i);
    assert_code(pp_spent_insert_many(s, items, 0), PP_E_RANGE);
    assert_code(pp_spent_insert_many(s, items, PP_SPENT_BATCH_MAX + 1), PP_E_RANGE);
    for (size_t i = 0; i <= PP_SPENT_BATCH_MAX; i++)
        assert_code(items[i].result, PP_E_RANGE);
    assert_int_equal(count(s, DAY), 0);
    assert_ok(pp_spent_insert_many(s, items, PP_SPENT_BATCH_MAX));
    for (size_t i = 0; i < PP_SPENT_BATCH_MAX; i++)
        assert_ok(items[i].result);
    assert_int_equal(count(s, DAY), PP_SPENT_BATCH_MAX);
    pp_spent_close(s);
}

/* --- several processes ----------------------------------------------------------------------- */

enum { RACERS = 4, RACED_KEYS = 150 };

/* Tries every key, in an order of its own, and says which ones it was given. */
static int race(int gate, int out, uint32_t racer)
{
    uint8_t given[RACED_KEYS] = { 0 };
    struct pp_spent *s = NULL;
    char c;

    if (!pp_is_ok(pp_spent_open(path, NULL, &s)) || read(gate, &c, 1) != 0)
        return 1;
    for (uint32_t i = 0; i < RACED_KEYS; i++) {
        uint32_t n = racer % 2 == 0 ? i : RACED_KEYS - 1 - i;
        pp_res r = insert(s, DAY, n);
        if (!pp_is_ok(r) && r.code != PP_E_SPENT)
            return 2;
        given[n] = pp_is_ok(r) ? 1 : 0;
    }
    pp_spent_close(s);
    return write(out, given, sizeof given) == (ssize_t)sizeof given ? 0 : 3;
}

static void w4_t2_verifiers_that_race_accept_a_token_once(void **state)
{
    (void)state;
    unsigned times[RACED_KEYS] = { 0 };
    int gate[2], results[2];
    pid_t children[RACERS];

    assert_int_equal(pipe(gate), 0);
    assert_int_equal(pipe(results), 0);
    for (uint32_t i = 0; i < RACERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            close(gate[1]);
            _exit(race(gate[0], results[1], i));
        }
    }
    close(gate[0]);
    close(gate[1]); /* the gate opens: all read its end */
    close(results[1]);
    for (size_t i = 0; i < RACERS; i++) {
        uint8_t given[RACED_KEYS];
        int status = 0;
        assert_int_equal(read(results[0], given, sizeof given), sizeof given);
        for (size_t k = 0; k < RACED_KEYS; k++)
            times[k] += given[k];
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    close(results[0]);
    for (size_t k = 0; k < RACED_KEYS; k++)
        assert_int_equal(times[k], 1);
}

/* --- kill -9 ---------------------------------------------------------------------------------- */

enum { KILLS = 15 };

/* Inserts one key after the other and acknowledges each through the pipe, until it is killed. */
static void insert_until_killed(int out, uint32_t from)
{
    struct pp_spent *s = NULL;

    if (!pp_is_ok(pp_spent_open(path, NULL, &s)))
        _exit(1);
    for (uint32_t n = from;; n++) {
        if (!pp_is_ok(insert(s, DAY, n)) || write(out, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(2);
    }
}

/* Kills the child after `acknowledgements` of them, wherever it is by then. Gives one past the last
 * number that it acknowledged. */
static uint32_t kill_one(uint32_t from, uint32_t acknowledgements)
{
    int ack[2];
    uint32_t n = 0;
    uint32_t end = from;

    assert_int_equal(pipe(ack), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        insert_until_killed(ack[1], from);
    close(ack[1]);
    for (uint32_t i = 0; i < acknowledgements; i++) {
        assert_int_equal(read(ack[0], &n, sizeof n), sizeof n);
        assert_int_equal(n, end);
        end++;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ack[0], &n, sizeof n) == (ssize_t)sizeof n)
        end++; /* acknowledged before the signal came */
    close(ack[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return end;
}

static void every_acknowledged_insert_survives_kill_9(void **state)
{
    (void)state;
    uint32_t from = 0;

    for (uint32_t i = 0; i < KILLS; i++) {
        uint32_t end = kill_one(from, (i * 7) % 20);
        struct pp_spent *s = open_store();
        for (uint32_t n = from; n < end; n++)
            assert_code(insert(s, DAY, n), PP_E_SPENT);
        pp_spent_close(s);
        from = end + 2; /* the one in flight may or may not be there */
    }
}

/* --- a store that is down --------------------------------------------------------------------- */

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
    IN_A_FOLDER(w4_t2_a_token_is_accepted_once_and_never_again),
    IN_A_FOLDER(more_epochs_than_kept_statements_work_as_well),
    IN_A_FOLDER(a_retired_epoch_is_dropped_whole_and_stays_closed),
    cmocka_unit_test(an_epoch_is_retired_10_minutes_after_its_day),
    IN_A_FOLDER(w4_t2_a_batch_answers_each_token_as_if_it_had_come_alone),
    IN_A_FOLDER(a_batch_has_a_limit),
    IN_A_FOLDER(w4_t2_verifiers_that_race_accept_a_token_once),
    IN_A_FOLDER(every_acknowledged_insert_survives_kill_9),
    IN_A_FOLDER(a_store_that_cannot_be_opened_says_so),
    IN_A_FOLDER(a_full_disk_accepts_nothing),
    IN_A_FOLDER(a_damaged_file_accepts_nothing),
};

PP_TEST_MAIN(TESTS)
