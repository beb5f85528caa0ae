/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counts.h"

enum { DAY = 20500 };

static char folder[64];
static char where[160];
static struct pp_test_postgres postgres;

static int fresh_file(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(where, sizeof where, "%s/counts.db", folder);
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

static struct iss_counts *open_counts(void)
{
    struct iss_counts *c = NULL;

    assert_ok(iss_counts_open(where, NULL, &c));
    return c;
}

static const struct iss_account ALICE = { { 1 } }, BOB = { { 2 } };

static void an_account_has_its_batches_of_an_epoch_and_no_more(void **state)
{
    (void)state;
    struct iss_counts *c = open_counts();

    for (int i = 0; i < 3; i++) {
        assert_ok(iss_counts_check(c, DAY, &ALICE, 3));
        assert_ok(iss_counts_add(c, DAY, &ALICE, 3));
    }
    assert_code(iss_counts_check(c, DAY, &ALICE, 3), PP_E_LIMIT);
    assert_code(iss_counts_add(c, DAY, &ALICE, 3), PP_E_LIMIT);
    assert_ok(iss_counts_add(c, DAY, &BOB, 1));
    assert_ok(iss_counts_add(c, DAY + 1, &ALICE, 3));
    iss_counts_close(c);
    c = open_counts(); /* a restart forgets nothing */
    assert_code(iss_counts_check(c, DAY, &ALICE, 3), PP_E_LIMIT);
    assert_ok(iss_counts_check(c, DAY, &ALICE, 4));
    assert_code(iss_counts_add(c, DAY, &BOB, 0), PP_E_LIMIT);
    assert_code(iss_counts_add(c, DAY + 2, &BOB, 0), PP_E_LIMIT);
    iss_counts_close(c);
    iss_counts_close(NULL);
}

static void old_epochs_are_forgotten(void **state)
{
    (void)state;
    struct iss_counts *c = open_counts();

    assert_ok(iss_counts_add(c, DAY, &ALICE, 1));
    assert_ok(iss_counts_add(c, DAY + 1, &ALICE, 1));
    assert_ok(iss_counts_retire(c, DAY + 1));
    assert_ok(iss_counts_check(c, DAY, &ALICE, 1));
    assert_code(iss_counts_check(c, DAY + 1, &ALICE, 1), PP_E_LIMIT);
    iss_counts_close(c);
}

/* Its accounts would all be new ones, at every issuer. */
static void an_issuer_whose_clock_runs_ahead_forgets_no_epoch_that_is_not_over(void **state)
{
    const uint32_t today = (uint32_t)(time(NULL) / 86400);
    (void)state;
    struct iss_counts *c = open_counts();

    assert_ok(iss_counts_add(c, DAY, &ALICE, 1));
    assert_ok(iss_counts_add(c, today, &ALICE, 1));
    assert_ok(iss_counts_add(c, today + 1, &ALICE, 1));
    assert_ok(iss_counts_retire(c, today + 9));
    assert_ok(iss_counts_check(c, DAY, &ALICE, 1));
    assert_code(iss_counts_check(c, today, &ALICE, 1), PP_E_LIMIT);
    assert_code(iss_counts_check(c, today + 1, &ALICE, 1), PP_E_LIMIT);
    iss_counts_close(c);
}

enum { RACERS = 4, MAX = 25 };

static int count_all(void)
{
    struct iss_counts *c = NULL;
    int added = 0;
    pp_res r = iss_counts_open(where, NULL, &c);

    while (pp_is_ok(r)) {
        r = iss_counts_add(c, DAY, &ALICE, MAX);
        added += pp_is_ok(r);
    }
    iss_counts_close(c);
    return r.code == PP_E_LIMIT ? added : 255;
}

static void processes_together_count_to_the_limit_and_not_past_it(void **state)
{
    (void)state;
    int sum = 0;

    for (size_t i = 0; i < RACERS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(count_all());
    }
    for (size_t i = 0; i < RACERS; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
        sum += WEXITSTATUS(status);
    }
    assert_int_equal(sum, MAX);
}

/* What went out before the kill was counted before it went out. */
static void a_counted_batch_survives_kill_9(void **state)
{
    (void)state;
    for (int round = 1; round <= 5; round++) {
        const struct iss_account account = { { (uint8_t)(round + 10) } };
        struct iss_counts *c;
        int ack[2];
        char byte;
        int acknowledged = 0;

        assert_int_equal(pipe(ack), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ack[0]);
            if (pp_is_ok(iss_counts_open(where, NULL, &c)))
                while (pp_is_ok(iss_counts_add(c, DAY, &account, 100000)) &&
                       write(ack[1], "x", 1) == 1)
                    continue;
            _exit(1);
        }
        close(ack[1]);
        for (int i = 0; i < round; i++)
            acknowledged += read(ack[0], &byte, 1) == 1;
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(ack[0], &byte, 1) == 1)
            acknowledged++;
        close(ack[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        c = open_counts();
        assert_code(iss_counts_check(c, DAY, &account, (uint32_t)acknowledged), PP_E_LIMIT);
        assert_ok(iss_counts_check(c, DAY, &account, (uint32_t)acknowledged + 2));
        iss_counts_close(c);
    }
}

static void a_store_that_cannot_be_opened_says_so(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct iss_counts *c = NULL;

    assert_code(iss_counts_open("/proc/none/counts.db", &problem, &c), PP_E_STORE);
    assert_string_equal(problem.field, "/proc/none/counts.db");
    assert_null(c);
}

static void a_database_that_is_down_counts_nothing(void **state)
{
    (void)state;
    struct iss_counts *c = open_counts();
    pp_res r;

    assert_ok(iss_counts_add(c, DAY, &ALICE, 2));
    pp_test_postgres_kill(&postgres);
    assert_code(iss_counts_add(c, DAY, &ALICE, 2), PP_E_STORE);
    assert_code(iss_counts_check(c, DAY, &ALICE, 2), PP_E_STORE);
    assert_code(iss_counts_retire(c, DAY), PP_E_STORE);
    assert_int_equal(pp_test_postgres_start(&postgres, NULL), 0);
    do
        r = iss_counts_add(c, DAY, &ALICE, 2);
    while (r.code == PP_E_STORE); /* a lost connection is not tried again at once */
    assert_ok(r);
    assert_code(iss_counts_add(c, DAY, &ALICE, 2), PP_E_LIMIT);
    iss_counts_close(c);
}

#define ON_BOTH(test)                                                                              \
    { #test " (SQLite)", test, fresh_file, remove_file, NULL },                                    \
    {                                                                                              \
#test " (PostgreSQL)", test, fresh_database, NULL, NULL                                    \
    }

static const struct CMUnitTest TESTS[] = {
    ON_BOTH(an_account_has_its_batches_of_an_epoch_and_no_more),
    ON_BOTH(old_epochs_are_forgotten),
    ON_BOTH(processes_together_count_to_the_limit_and_not_past_it),
    ON_BOTH(a_counted_batch_survives_kill_9),
    cmocka_unit_test(a_store_that_cannot_be_opened_says_so),
    cmocka_unit_test_setup(an_issuer_whose_clock_runs_ahead_forgets_no_epoch_that_is_not_over,
                           fresh_database),
    cmocka_unit_test_setup(a_database_that_is_down_counts_nothing, fresh_database),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, start_server, end_server);
}
