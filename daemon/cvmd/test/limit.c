/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <time.h>

#include "limit.h"

static void add_one(void *ctx)
{
    ++*(int *)ctx;
}

static void never_ends(void *ctx)
{
    for (;;)
        ++*(volatile unsigned long *)ctx;
}

static void work_that_ends_is_whole(void **state)
{
    int n = 0;

    (void)state;
    assert_int_equal(cvm_run_limited(add_one, &n, 60000), 1);
    assert_int_equal(n, 1);
}

/* pp-wire 12: inference too slow: outcome 2. */
static void work_that_does_not_end_is_cut_and_the_next_one_runs(void **state)
{
    volatile unsigned long n = 0;
    struct timespec from, to;
    int m = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        clock_gettime(CLOCK_MONOTONIC, &from);
        assert_int_equal(cvm_run_limited(never_ends, (void *)(uintptr_t)&n, 30), 0);
        clock_gettime(CLOCK_MONOTONIC, &to);
        long ms = (long)(to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
        assert_true(ms >= 29); /* that it came back at all is the other end */
    }
    assert_true(n > 0);
    assert_int_equal(cvm_run_limited(add_one, &m, 60000), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(work_that_ends_is_whole),
    cmocka_unit_test(work_that_does_not_end_is_cut_and_the_next_one_runs),
};

PP_TEST_MAIN(tests)
