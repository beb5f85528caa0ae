/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "ct.h"

static void equality_looks_at_every_byte(void **state)
{
    (void)state;
    uint8_t a[33] = { 0 };
    uint8_t b[33] = { 0 };

    assert_int_equal(pp_ct_eq(a, b, sizeof a), 1);
    assert_int_equal(pp_ct_eq(a, b, 0), 1);
    for (size_t i = 0; i < sizeof a; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            b[i] = (uint8_t)(1U << bit);
            assert_int_equal(pp_ct_eq(a, b, sizeof a), 0);
            assert_int_equal(pp_ct_is_zero(b, sizeof b), 0);
        }
        b[i] = 0;
    }
    assert_int_equal(pp_ct_is_zero(b, sizeof b), 1);
}

static void selection_takes_one_side_whole(void **state)
{
    (void)state;
    uint8_t out[4];

    pp_ct_select(out, (const uint8_t *)"abcd", (const uint8_t *)"wxyz", 4, 1);
    assert_memory_equal(out, "abcd", 4);
    pp_ct_select(out, (const uint8_t *)"abcd", (const uint8_t *)"wxyz", 4, 0);
    assert_memory_equal(out, "wxyz", 4);
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    uint8_t a[8];

    memset(a, 0xaa, sizeof a);
    pp_wipe(a, 7);
    assert_int_equal(pp_ct_is_zero(a, 7), 1);
    assert_int_equal(a[7], 0xaa);
    pp_wipe(NULL, 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(equality_looks_at_every_byte),
    cmocka_unit_test(selection_takes_one_side_whole),
    cmocka_unit_test(wiping_leaves_zeros),
};

PP_TEST_MAIN(TESTS)
