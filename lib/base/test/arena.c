/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "arena.h"
#include "ct.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    _Alignas(16) uint8_t mem[128];
    memset(mem, 0xee, sizeof mem);
    struct pp_arena a = pp_arena_over(mem, sizeof mem);
    uint8_t *p = pp_arena_alloc(&a, 5);
    uint8_t *q = pp_arena_alloc(&a, 20);

    assert_true((uintptr_t)p % 16 == 0 && (uintptr_t)q % 16 == 0);
    assert_true(q >= p + 5);
    assert_int_equal(pp_ct_is_zero(p, 5) & pp_ct_is_zero(q, 20), 1);
}

static void the_budget_is_a_hard_limit(void **state)
{
    (void)state;
    _Alignas(16) uint8_t mem[64];
    struct pp_arena a = pp_arena_over(mem, sizeof mem);

    assert_null(pp_arena_alloc(&a, 65));
    assert_non_null(pp_arena_alloc(&a, 64));
    assert_null(pp_arena_alloc(&a, 1));
    assert_null(pp_arena_array(&a, SIZE_MAX / 2, 3));
    struct pp_span copy;
    assert_code(pp_arena_copy(&a, PP_STR("x"), &copy), PP_E_NO_MEMORY);
}

static void a_reset_wipes_what_was_used(void **state)
{
    (void)state;
    struct pp_arena a = { 0 };

    assert_ok(pp_arena_new_locked(&a, 4096));
    uint8_t *p = pp_arena_alloc(&a, 100);
    memset(p, 0x77, 100);
    pp_arena_reset(&a);
    assert_int_equal(pp_ct_is_zero(p, 100), 1);
    assert_ptr_equal(pp_arena_alloc(&a, 100), p);
    pp_arena_done(&a);
    pp_arena_done(&a);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
    cmocka_unit_test(the_budget_is_a_hard_limit),
    cmocka_unit_test(a_reset_wipes_what_was_used),
};

PP_TEST_MAIN(TESTS)
