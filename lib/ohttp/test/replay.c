/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "replay.h"

enum { SLOTS = 64, WINDOW_MS = 3000 };

static _Alignas(16) uint8_t memory[4 * 64 * 16 * 4];

static struct pp_replay started(size_t slots, uint64_t now_ms)
{
    struct pp_replay r;
    struct pp_random random = pp_random_system();

    assert_true(pp_replay_bytes(slots) <= sizeof memory);
    assert_ok(pp_replay_init(&r, memory, slots, WINDOW_MS, now_ms, &random));
    return r;
}

static struct pp_span enc_of(uint32_t n)
{
    static uint8_t enc[32];

    memset(enc, 0x5a, sizeof enc);
    for (size_t i = 0; i < 4; i++)
        enc[i] = (uint8_t)(n >> (8 * i));
    return PP_BYTES(enc);
}

/* pp-wire 12, "#2 twice: same gateway". */
static void the_second_insert_of_a_key_within_the_window_is_a_replay(void **state)
{
    (void)state;
    struct pp_replay r = started(SLOTS, 500);

    assert_false(pp_replay_seen(&r, enc_of(1), 1000));
    assert_false(pp_replay_seen(&r, enc_of(1), 1000)); /* asking is not inserting */
    assert_ok(pp_replay_insert(&r, enc_of(1), 1000));
    assert_true(pp_replay_seen(&r, enc_of(1), 1000));
    assert_ok(pp_replay_insert(&r, enc_of(2), 1000));
    assert_code(pp_replay_insert(&r, enc_of(1), 1000), PP_E_REPLAY);
    assert_code(pp_replay_insert(&r, enc_of(2), 2000), PP_E_REPLAY);
    assert_code(pp_replay_insert(&r, enc_of(1), 4000), PP_E_REPLAY);
    pp_replay_done(&r);
}

static void a_key_is_remembered_for_the_whole_window_wherever_it_starts(void **state)
{
    (void)state;
    for (uint64_t from = 0; from < 2 * WINDOW_MS; from += 50) {
        struct pp_replay r = started(SLOTS, 100);
        for (uint64_t now = 100; now < 100 + from; now += 333) /* the table has a past */
            assert_ok(pp_replay_insert(&r, enc_of((uint32_t)now), now));
        assert_ok(pp_replay_insert(&r, enc_of(1), 100 + from));
        assert_code(pp_replay_insert(&r, enc_of(1), 100 + from + WINDOW_MS / 2), PP_E_REPLAY);
        assert_code(pp_replay_insert(&r, enc_of(1), 100 + from + WINDOW_MS), PP_E_REPLAY);
        /* Four thirds of the window later it is forgotten, and its memory is free again. */
        assert_ok(pp_replay_insert(&r, enc_of(1), 100 + from + WINDOW_MS / 3 * 4));
        pp_replay_done(&r);
    }
}

/* Four buckets of a second: a key inserted in any millisecond of one is there until the third
 * boundary behind it, and gone with that millisecond. */
static void each_bucket_is_emptied_at_its_boundary_and_not_a_millisecond_before(void **state)
{
    static const uint64_t OFFSETS[] = { 0, 1, 500, 998, 999 };

    (void)state;
    for (uint64_t bucket = 0; bucket < 9; bucket++)
        for (size_t i = 0; i < PP_ARRAY_COUNT(OFFSETS); i++) {
            struct pp_replay r = started(SLOTS, 0);
            uint64_t at = bucket * 1000 + OFFSETS[i], gone = (bucket + 4) * 1000;
            assert_ok(pp_replay_insert(&r, enc_of(1), at));
            assert_true(pp_replay_seen(&r, enc_of(1), at + WINDOW_MS)); /* the whole window */
            assert_true(pp_replay_seen(&r, enc_of(1), gone - 1));
            assert_false(pp_replay_seen(&r, enc_of(1), gone));
            pp_replay_done(&r);
        }
}

/* Whatever comes, memory stays what it was: a flood fills its own bucket and no other. */
static void a_flood_neither_grows_the_table_nor_pushes_out_what_was_there(void **state)
{
    static uint8_t behind[64];
    struct pp_replay r = started(SLOTS, 0);
    size_t refused = 0;

    (void)state;
    memset(memory + pp_replay_bytes(SLOTS), 0xA5, sizeof memory - pp_replay_bytes(SLOTS));
    memset(behind, 0xA5, sizeof behind);
    assert_ok(pp_replay_insert(&r, enc_of(1), 0));
    for (uint32_t i = 0; i < 10000; i++)
        refused += !pp_is_ok(pp_replay_insert(&r, enc_of(1000 + i), 1000 + i / 5));
    assert_true(refused > 9800);
    assert_true(pp_replay_seen(&r, enc_of(1), WINDOW_MS));
    assert_memory_equal(memory + pp_replay_bytes(SLOTS), behind, sizeof behind);
    assert_ok(pp_replay_insert(&r, enc_of(2), WINDOW_MS)); /* the next bucket takes again */
    pp_replay_done(&r);
}

static void a_long_silence_empties_every_bucket(void **state)
{
    (void)state;
    struct pp_replay r = started(SLOTS, 0);

    for (uint32_t i = 0; i < 4; i++)
        assert_ok(pp_replay_insert(&r, enc_of(i), 1000 * i));
    for (uint32_t i = 0; i < 4; i++)
        assert_ok(pp_replay_insert(&r, enc_of(i), UINT64_C(1) << 50));
    assert_code(pp_replay_insert(&r, enc_of(3), UINT64_C(1) << 50), PP_E_REPLAY);
    pp_replay_done(&r);
}

static void a_clock_that_steps_back_forgets_nothing(void **state)
{
    (void)state;
    struct pp_replay r = started(SLOTS, 5000);

    assert_ok(pp_replay_insert(&r, enc_of(1), 6000));
    assert_code(pp_replay_insert(&r, enc_of(1), 10), PP_E_REPLAY);
    assert_ok(pp_replay_insert(&r, enc_of(2), 10));
    assert_code(pp_replay_insert(&r, enc_of(2), 6000), PP_E_REPLAY);
    pp_replay_done(&r);
}

static void a_full_bucket_refuses_rather_than_forgets(void **state)
{
    (void)state;
    struct pp_replay r = started(SLOTS, 0);

    for (uint32_t i = 0; i < SLOTS / 4 * 3; i++)
        assert_ok(pp_replay_insert(&r, enc_of(i), 1));
    assert_code(pp_replay_insert(&r, enc_of(1000), 1), PP_E_BUSY);
    assert_false(pp_replay_seen(&r, enc_of(1000), 1));
    for (uint32_t i = 0; i < SLOTS / 4 * 3; i++)
        assert_code(pp_replay_insert(&r, enc_of(i), 1), PP_E_REPLAY);
    assert_ok(pp_replay_insert(&r, enc_of(1000), WINDOW_MS / 3)); /* the next bucket has room */
    assert_code(pp_replay_insert(&r, enc_of(0), WINDOW_MS / 3), PP_E_REPLAY);
    pp_replay_done(&r);
}

static void encapsulated_keys_of_any_length_are_told_apart(void **state)
{
    (void)state;
    static uint8_t large[1120];
    struct pp_replay r = started(SLOTS, 0);

    assert_ok(pp_replay_insert(&r, PP_BYTES(large), 0));
    large[1119] = 1;
    assert_ok(pp_replay_insert(&r, PP_BYTES(large), 0));
    assert_ok(pp_replay_insert(&r, pp_span(large, 1119), 0));
    assert_code(pp_replay_insert(&r, PP_BYTES(large), 0), PP_E_REPLAY);
    pp_replay_done(&r);
}

static void two_processes_do_not_share_slots(void **state)
{
    (void)state;
    static uint8_t first[sizeof memory];
    struct pp_replay r = started(SLOTS, 0);

    assert_ok(pp_replay_insert(&r, enc_of(1), 0));
    memcpy(first, memory, sizeof memory);
    r = started(SLOTS, 0);
    assert_ok(pp_replay_insert(&r, enc_of(1), 0));
    assert_memory_not_equal(first, memory, pp_replay_bytes(SLOTS));
    pp_replay_done(&r);
    for (size_t i = 0; i < pp_replay_bytes(SLOTS); i++)
        assert_int_equal(memory[i], 0);
}

static void sizes_and_windows_outside_the_limits_are_refused(void **state)
{
    (void)state;
    struct pp_replay r;
    struct pp_random random = pp_random_system();
    struct pp_span nothing = { 0 };
    struct pp_random none = pp_random_script(&nothing);
    static const size_t wrong[] = { 0, 32, 63, 65, 96, (size_t)PP_REPLAY_SLOTS_MAX * 2 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        assert_code(pp_replay_init(&r, memory, wrong[i], WINDOW_MS, 0, &random), PP_E_RANGE);
    assert_code(pp_replay_init(&r, memory, SLOTS, 0, 0, &random), PP_E_RANGE);
    assert_code(pp_replay_init(&r, memory, SLOTS, WINDOW_MS, 0, &none), PP_E_RANDOM);
    assert_ok(pp_replay_init(&r, memory, SLOTS, 1, 0, &random)); /* the shortest window */
    assert_ok(pp_replay_insert(&r, enc_of(1), 0));
    assert_code(pp_replay_insert(&r, enc_of(1), 1), PP_E_REPLAY);
    pp_replay_done(&r);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_second_insert_of_a_key_within_the_window_is_a_replay),
    cmocka_unit_test(a_key_is_remembered_for_the_whole_window_wherever_it_starts),
    cmocka_unit_test(each_bucket_is_emptied_at_its_boundary_and_not_a_millisecond_before),
    cmocka_unit_test(a_flood_neither_grows_the_table_nor_pushes_out_what_was_there),
    cmocka_unit_test(a_long_silence_empties_every_bucket),
    cmocka_unit_test(a_clock_that_steps_back_forgets_nothing),
    cmocka_unit_test(a_full_bucket_refuses_rather_than_forgets),
    cmocka_unit_test(encapsulated_keys_of_any_length_are_told_apart),
    cmocka_unit_test(two_processes_do_not_share_slots),
    cmocka_unit_test(sizes_and_windows_outside_the_limits_are_refused),
};

PP_TEST_MAIN(TESTS)
