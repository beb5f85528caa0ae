/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock_file.h"

enum { HOUR_S = 3600, SLACK_S = 600 }; /* the machine may stand still between two readings */

static int open_file(const void *bytes, size_t len)
{
    FILE *f = tmpfile();

    assert_non_null(f);
    int fd = dup(fileno(f));
    fclose(f);
    assert_int_equal(pwrite(fd, bytes, len, 0), len);
    return fd;
}

static void assert_ahead(const struct pp_clock *c, int64_t ahead_s)
{
    const struct pp_clock system = pp_clock_system();
    int64_t difference = (int64_t)(pp_clock_posix_s(c) - pp_clock_posix_s(&system)) - ahead_s;

    assert_true(difference > -SLACK_S && difference < SLACK_S);
}

static void a_clock_is_where_its_file_says_also_in_a_child_that_was_forked_before(void **state)
{
    (void)state;
    int64_t ahead_ms = HOUR_S * 1000;
    int fd = open_file(&ahead_ms, sizeof ahead_ms);
    struct pp_clock c;
    int go[2], status;

    assert_ok(pp_clock_file_follow(fd, &c));
    assert_ahead(&c, HOUR_S);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        const struct pp_clock system = pp_clock_system();
        int ok = read(go[0], &byte, 1) == 1 &&
                 pp_clock_posix_s(&c) + HOUR_S < pp_clock_posix_s(&system);
        _exit(ok ? 0 : 1);
    }
    ahead_ms = -24LL * HOUR_S * 1000;
    assert_int_equal(pwrite(fd, &ahead_ms, sizeof ahead_ms, 0), sizeof ahead_ms);
    close(fd); /* the clock does not need it */
    assert_ahead(&c, -24 * HOUR_S);
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(go[0]);
    close(go[1]);
}

static void monotonic_time_does_not_move_with_it(void **state)
{
    (void)state;
    const struct pp_clock system = pp_clock_system();
    int64_t ahead_ms = INT64_C(365) * 24 * HOUR_S * 1000;
    int fd = open_file(&ahead_ms, sizeof ahead_ms);
    struct pp_clock c;

    assert_ok(pp_clock_file_follow(fd, &c));
    close(fd);
    uint64_t before = pp_clock_mono_ms(&system);
    uint64_t between = pp_clock_mono_ms(&c);
    assert_true(before <= between && between <= pp_clock_mono_ms(&system));
}

static void a_file_of_another_length_is_no_clock(void **state)
{
    (void)state;
    static const uint8_t BYTES[9] = { 0 };
    static const size_t LENS[] = { 0, 7, 9 };
    struct pp_clock c = { 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(LENS); i++) {
        int fd = open_file(BYTES, LENS[i]);
        assert_code(pp_clock_file_follow(fd, &c), PP_E_RANGE);
        close(fd);
    }
    assert_code(pp_clock_file_follow(-1, &c), PP_E_SYSTEM);
    assert_null(c.posix_ms);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_clock_is_where_its_file_says_also_in_a_child_that_was_forked_before),
    cmocka_unit_test(monotonic_time_does_not_move_with_it),
    cmocka_unit_test(a_file_of_another_length_is_no_clock),
};

PP_TEST_MAIN(TESTS)
