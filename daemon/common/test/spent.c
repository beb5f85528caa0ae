/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"
#include "postgres.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spent.h"

/* What both stores promise. What each can suffer is in spent_sqlite.c and spent_pg.c. */

enum { DAY = 20500 };

static char folder[64];
static char where[160];
static struct pp_test_postgres postgres;

static int fresh_file(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(where, sizeof where, "%s/spent.db", folder);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static int start_server(void **state)
{
    (void)state;
    return pp_test_postgres_new(&postgres);
}

static int end_server(void **state)
{
    (void)state;
    return pp_test_postgres_free(&postgres);
}

static int fresh_database(void **state)
{
    (void)state;
    return pp_test_postgres_database(&postgres, where);
}

static struct pp_spent *open_store(void)
{
    struct pp_spent *s = NULL;

    assert_ok(pp_spent_open(where, NULL, &s));
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

/* Of those that are equal the first one is accepted, whatever order the store puts them in. */
static void of_a_token_that_fills_a_batch_the_first_is_accepted(void **state)
{
    enum { TIMES = 9 };
    struct pp_spent_item items[TIMES];
    struct pp_spent *s = open_store();

    (void)state;
    for (size_t i = 0; i < TIMES; i++)
        set_item(&items[i], DAY, 7);
    assert_ok(pp_spent_insert_many(s, items, TIMES));
    for (size_t i = 0; i < TIMES; i++)
        assert_code(items[i].result, i == 0 ? PP_E_OK : PP_E_SPENT);
    assert_int_equal(count(s, DAY), 1);
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

enum { RACERS = 4, RACED_KEYS = 4000, RACED_BATCH = 100 };

/* The keys from `from` on, backwards for every other racer, so that batches cross each other. */
static int race_batch(struct pp_spent *s, uint32_t racer, uint32_t from, uint8_t *given)
{
    struct pp_spent_item items[RACED_BATCH];
    uint32_t numbers[RACED_BATCH];

    for (uint32_t i = 0; i < RACED_BATCH; i++) {
        numbers[i] = racer % 2 == 0 ? from + i : from + RACED_BATCH - 1 - i;
        set_item(&items[i], DAY, numbers[i]);
    }
    if (!pp_is_ok(pp_spent_insert_many(s, items, RACED_BATCH)))
        return 2;
    for (uint32_t i = 0; i < RACED_BATCH; i++) {
        if (!pp_is_ok(items[i].result) && items[i].result.code != PP_E_SPENT)
            return 3;
        given[numbers[i]] = pp_is_ok(items[i].result) ? 1 : 0;
    }
    return 0;
}

/* Tries every key, in an order of its own, and says which ones it was given. */
static int race(int gate, int out, uint32_t racer)
{
    static uint8_t given[RACED_KEYS];
    struct pp_spent *s = NULL;
    char c;
    int r = 0;

    if (!pp_is_ok(pp_spent_open(where, NULL, &s)) || read(gate, &c, 1) != 0)
        return 1;
    for (uint32_t i = 0; i < RACED_KEYS && r == 0; i += RACED_BATCH)
        r = race_batch(s, racer, racer < 2 ? i : RACED_KEYS - RACED_BATCH - i, given);
    pp_spent_close(s);
    for (size_t at = 0; at < sizeof given && r == 0;) {
        ssize_t n = write(out, given + at, sizeof given - at);
        if (n <= 0)
            r = 4;
        else
            at += (size_t)n;
    }
    return r;
}

static void w4_t2_verifiers_that_race_accept_a_token_once(void **state)
{
    (void)state;
    static unsigned times[RACED_KEYS];
    int gate[2], results[RACERS];
    pid_t children[RACERS];

    memset(times, 0, sizeof times);
    assert_int_equal(pipe(gate), 0);
    for (uint32_t i = 0; i < RACERS; i++) {
        int out[2];
        assert_int_equal(pipe(out), 0);
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            close(gate[1]);
            _exit(race(gate[0], out[1], i));
        }
        close(out[1]);
        results[i] = out[0];
    }
    close(gate[0]);
    close(gate[1]); /* the gate opens: all read its end */
    for (size_t i = 0; i < RACERS; i++) {
        static uint8_t given[RACED_KEYS];
        int status = 0;
        for (size_t at = 0; at < sizeof given;) {
            ssize_t n = read(results[i], given + at, sizeof given - at);
            assert_true(n > 0);
            at += (size_t)n;
        }
        close(results[i]);
        for (size_t k = 0; k < RACED_KEYS; k++)
            times[k] += given[k];
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    for (size_t k = 0; k < RACED_KEYS; k++)
        assert_int_equal(times[k], 1);
}

/* --- kill -9 ---------------------------------------------------------------------------------- */

enum { KILLS = 15 };

/* Inserts one key after the other and acknowledges each through the pipe, until it is killed. */
static void insert_until_killed(int out, uint32_t from)
{
    struct pp_spent *s = NULL;

    if (!pp_is_ok(pp_spent_open(where, NULL, &s)))
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

#define ON_BOTH(test)                                                                              \
    { #test " (SQLite)", test, fresh_file, remove_file, NULL },                                    \
    {                                                                                              \
#test " (PostgreSQL)", test, fresh_database, NULL, NULL                                    \
    }

static const struct CMUnitTest TESTS[] = {
    ON_BOTH(w4_t2_a_token_is_accepted_once_and_never_again),
    ON_BOTH(more_epochs_than_kept_statements_work_as_well),
    ON_BOTH(a_retired_epoch_is_dropped_whole_and_stays_closed),
    ON_BOTH(of_a_token_that_fills_a_batch_the_first_is_accepted),
    cmocka_unit_test(an_epoch_is_retired_10_minutes_after_its_day),
    ON_BOTH(w4_t2_a_batch_answers_each_token_as_if_it_had_come_alone),
    ON_BOTH(a_batch_has_a_limit),
    ON_BOTH(w4_t2_verifiers_that_race_accept_a_token_once),
    ON_BOTH(every_acknowledged_insert_survives_kill_9),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, start_server, end_server);
}
