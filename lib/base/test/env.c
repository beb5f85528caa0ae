/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "env.h"

static void a_script_replays_and_then_fails(void **state)
{
    (void)state;
    struct pp_span script = PP_STR("abcdef");
    struct pp_random r = pp_random_script(&script);
    uint8_t b[4] = { 0 };

    assert_ok(pp_random_fill(&r, b, 4));
    assert_memory_equal(b, "abcd", 4);
    assert_code(pp_random_fill(&r, b, 4), PP_E_RANDOM);
    assert_ok(pp_random_fill(&r, b, 2));
    assert_memory_equal(b, "ef", 2);
}

/* Values in the part of 2^64 that the bound does not divide are drawn again. */
static void numbers_below_a_bound_are_without_bias(void **state)
{
    (void)state;
    uint64_t draws[3] = { 0, 5, 1 }; /* 2^64 mod 3 is 1: 0 is skipped */
    struct pp_span script = pp_span(draws, sizeof draws);
    struct pp_random r = pp_random_script(&script);
    uint64_t v;

    assert_ok(pp_random_below(&r, 3, &v));
    assert_int_equal(v, 2);
    assert_ok(pp_random_below(&r, 3, &v));
    assert_int_equal(v, 1);
    assert_code(pp_random_below(&r, 0, &v), PP_E_RANGE);
    assert_code(pp_random_below(&r, 3, &v), PP_E_RANDOM);
}

static void the_system_sources_work(void **state)
{
    (void)state;
    struct pp_random r = pp_random_system();
    struct pp_clock c = pp_clock_system();
    uint8_t a[32] = { 0 };
    uint8_t b[32] = { 0 };

    assert_ok(pp_random_fill(&r, a, sizeof a));
    assert_ok(pp_random_fill(&r, b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(pp_clock_posix_s(&c) > 1700000000);
    uint64_t before = pp_clock_mono_ms(&c);
    assert_true(pp_clock_mono_ms(&c) >= before);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_script_replays_and_then_fails),
    cmocka_unit_test(numbers_below_a_bound_are_without_bias),
    cmocka_unit_test(the_system_sources_work),
};

PP_TEST_MAIN(TESTS)
