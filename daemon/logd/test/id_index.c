/* SPDX-License-Identifier: Apache-2.0 */
/* The index of ids: what it finds, what it forgets, and that it does not grow. */
#include "harness.h"

#include "id_index.h"

enum { MANY = 5000 };

static struct pp_id_index x;
static uint64_t asked;

static struct pp_record_id id_of(uint64_t n)
{
    struct pp_record_id id = { { 0 } };

    /* Like a hash: the first bytes differ in many bits. */
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n ^= n >> 29;
    memcpy(id.bytes, &n, sizeof n);
    memcpy(id.bytes + 16, &n, sizeof n);
    return id;
}

static int has(void *ctx, uint64_t number, const struct pp_record_id *id)
{
    uint64_t first = ctx == NULL ? 0 : *(const uint64_t *)ctx;
    struct pp_record_id own = id_of(number - first);

    asked++;
    return pp_record_id_same(&own, id);
}

static int found(uint64_t n, uint64_t first)
{
    struct pp_record_id id = id_of(n);
    uint64_t number = UINT64_MAX;
    int yes = pp_id_index_find(&x, &id, has, &first, &number);

    assert_true(!yes || number == first + n);
    return yes;
}

static void put(uint64_t n, uint64_t first)
{
    struct pp_record_id id = id_of(n);

    assert_ok(pp_id_index_reserve(&x, 1));
    pp_id_index_add(&x, &id, first + n);
}

static void an_index_that_keeps_all_grows_and_finds_each(void **state)
{
    (void)state;
    assert_ok(pp_id_index_init(&x, 42, 0));
    for (uint64_t n = 0; n < MANY; n++) {
        assert_false(found(n, 0));
        put(n, 0);
    }
    asked = 0;
    for (uint64_t n = 0; n < MANY; n++)
        assert_true(found(n, 0));
    assert_true(asked < MANY + 100); /* hardly any candidate is a wrong one */
    pp_id_index_clear(&x);
    assert_false(found(7, 0));
    pp_id_index_done(&x);
}

static void a_window_remembers_at_least_so_many_and_never_grows(void **state)
{
    (void)state;
    enum { WINDOW = 600 };
    assert_ok(pp_id_index_init(&x, 0, WINDOW));
    unsigned bits = x.young.bits;
    for (uint64_t n = 0; n < MANY; n++) {
        put(n, 0);
        for (uint64_t back = 0; back < WINDOW && back <= n; back += 61)
            assert_true(found(n - back, 0));
        if (n >= 2 * WINDOW)
            assert_false(found(n - 2 * WINDOW, 0));
    }
    assert_int_equal(x.young.bits, bits);
    assert_int_equal(x.old.bits, bits);
    pp_id_index_done(&x);
}

/* Half of a number is kept; the newest one says what the other half is. */
static void numbers_beyond_32_bits_are_found(void **state)
{
    (void)state;
    uint64_t first = (UINT64_C(1) << 32) - 100;

    assert_ok(pp_id_index_init(&x, 3, 1 << 10));
    for (uint64_t n = 0; n < 200; n++)
        put(n, first);
    for (uint64_t n = 0; n < 200; n++)
        assert_true(found(n, first));
    pp_id_index_done(&x);
}

/* Ids that agree in what the index keeps are candidates for each other, and no more. */
static void ids_that_share_a_place_are_told_apart(void **state)
{
    (void)state;
    struct pp_record_id ids[3] = { 0 };
    uint64_t number;

    assert_ok(pp_id_index_init(&x, 9, 0));
    for (uint8_t i = 0; i < 3; i++)
        ids[i].bytes[31] = i; /* behind the bytes that the index looks at */
    assert_ok(pp_id_index_reserve(&x, 1));
    pp_id_index_add(&x, &ids[0], 0);
    asked = 0;
    assert_false(pp_id_index_find(&x, &ids[1], has, NULL, &number));
    assert_int_equal(asked, 1);
    pp_id_index_done(&x);
}

static void another_seed_puts_ids_in_other_places(void **state)
{
    (void)state;
    size_t places[2] = { 0 };

    for (unsigned i = 0; i < 2; i++) {
        assert_ok(pp_id_index_init(&x, i == 0 ? 1 : UINT64_C(0xC2B2AE3D27D4EB4F), 0));
        put(1, 0);
        while (x.young.places[places[i]] == 0)
            places[i]++;
        assert_true(found(1, 0));
        pp_id_index_done(&x);
    }
    assert_int_not_equal(places[0], places[1]);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_index_that_keeps_all_grows_and_finds_each),
    cmocka_unit_test(a_window_remembers_at_least_so_many_and_never_grows),
    cmocka_unit_test(numbers_beyond_32_bits_are_found),
    cmocka_unit_test(ids_that_share_a_place_are_told_apart),
    cmocka_unit_test(another_seed_puts_ids_in_other_places),
};

PP_TEST_MAIN(TESTS)
