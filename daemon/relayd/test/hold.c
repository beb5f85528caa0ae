/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for each other: who leaves when, and in which order. */
#include "harness.h"

#include "hold.h"

enum { COUNT = 4, MS = 50, PATIENCE_MS = 20000 };

struct one {
    struct relay_held held;
    char name;
};

static struct world {
    struct pp_loop *loop;
    struct pp_timer *patience;
    struct relay_hold hold;
    struct one ones[RELAY_HOLD_MAX];
    char left[RELAY_HOLD_MAX + 1]; /* the names of those that left, in their order */
    size_t left_count, refused;
    size_t wanted; /* the loop ends when so many have left */
} w;

static void leave(void *ctx, int may_go)
{
    struct one *one = ctx;

    w.left[w.left_count++] = one->name;
    w.refused += !may_go;
    if (w.left_count == w.wanted)
        pp_loop_stop(w.loop);
}

static void on_impatient(void *ctx)
{
    (void)ctx;
    fail_msg("%s", "nobody left in time");
}

static int set_up(void **state)
{
    (void)state;
    w = (struct world){ 0 };
    for (size_t i = 0; i < RELAY_HOLD_MAX; i++)
        w.ones[i] = (struct one){ { .leave = leave, .ctx = &w.ones[i] }, (char)('a' + i % 26) };
    assert_ok(pp_loop_new(&w.loop));
    assert_ok(pp_timer_new(w.loop, on_impatient, NULL, &w.patience));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    relay_hold_done(&w.hold);
    pp_timer_free(w.patience);
    pp_loop_free(w.loop);
    return 0;
}

static void begin(struct pp_random random, size_t full)
{
    assert_ok(relay_hold_init(&w.hold, w.loop, random, MS, full));
}

static void add(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        relay_hold_add(&w.hold, &w.ones[i].held);
}

static void wait_for(size_t count)
{
    w.wanted = count;
    pp_timer_set(w.patience, PATIENCE_MS);
    assert_ok(pp_loop_run(w.loop));
    pp_timer_cancel(w.patience);
}

static void a_full_batch_leaves_at_once_and_one_fewer_waits(void **state)
{
    (void)state;
    begin(pp_random_system(), COUNT);
    add(0, COUNT - 1);
    assert_int_equal(w.left_count, 0);
    add(COUNT - 1, COUNT);
    assert_int_equal(w.left_count, COUNT);
    assert_int_equal(w.refused, 0);
}

static void what_waits_leaves_when_the_time_is_over(void **state)
{
    (void)state;
    begin(pp_random_system(), COUNT);
    add(0, 2);
    wait_for(2);
    add(2, 3); /* and the next one waits anew */
    assert_int_equal(w.left_count, 2);
    wait_for(3);
    assert_int_equal(w.refused, 0);
}

/*
 * Of three, each of the six orders has a sixth: 6000 batches, five standard deviations of 28.9. As
 * many as it takes to see a draw that begins with all three each time: 667 and 1333 in place of
 * 1000.
 */
static void s_6_every_order_has_the_same_chance(void **state)
{
    static const char *const ORDERS[] = { "abc", "acb", "bac", "bca", "cab", "cba" };
    size_t seen[PP_ARRAY_COUNT(ORDERS)] = { 0 };

    (void)state;
    begin(pp_random_system(), 3);
    for (int i = 0; i < 6000; i++) {
        w.left_count = 0;
        add(0, 3);
        w.left[3] = 0;
        for (size_t k = 0; k < PP_ARRAY_COUNT(ORDERS); k++)
            seen[k] += strcmp(w.left, ORDERS[k]) == 0;
    }
    for (size_t k = 0; k < PP_ARRAY_COUNT(ORDERS); k++)
        assert_in_range(seen[k], 1000 - 145, 1000 + 145);
}

static void without_randomness_all_are_refused(void **state)
{
    struct pp_span nothing = { 0 };

    (void)state;
    begin(pp_random_script(&nothing), COUNT);
    add(0, COUNT);
    assert_int_equal(w.left_count, COUNT);
    assert_int_equal(w.refused, COUNT);
}

static void one_that_is_gone_leaves_no_more(void **state)
{
    (void)state;
    begin(pp_random_system(), COUNT);
    add(0, 3);
    relay_hold_remove(&w.hold, &w.ones[0].held);
    relay_hold_remove(&w.hold, &w.ones[0].held); /* twice is fine */
    relay_hold_remove(&w.hold, &w.ones[3].held); /* never waited */
    wait_for(2);
    assert_null(memchr(w.left, 'a', 2));
}

static void at_the_end_what_waits_leaves_and_nobody_waits_any_more(void **state)
{
    (void)state;
    begin(pp_random_system(), COUNT);
    add(0, 2);
    relay_hold_end(&w.hold);
    assert_int_equal(w.left_count, 2);
    add(2, 3);
    assert_int_equal(w.left_count, 3);
    assert_int_equal(w.refused, 0);
}

static void the_largest_batch_leaves_whole_and_larger_ones_do_not_exist(void **state)
{
    struct relay_hold other;

    (void)state;
    begin(pp_random_system(), RELAY_HOLD_MAX);
    add(0, RELAY_HOLD_MAX);
    assert_int_equal(w.left_count, RELAY_HOLD_MAX);
    assert_code(relay_hold_init(&other, w.loop, pp_random_system(), MS, RELAY_HOLD_MAX + 1),
                PP_E_RANGE);
    assert_code(relay_hold_init(&other, w.loop, pp_random_system(), MS, 1), PP_E_RANGE);
    assert_code(relay_hold_init(&other, w.loop, pp_random_system(), RELAY_HOLD_MS_MAX + 1, COUNT),
                PP_E_RANGE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest TESTS[] = {
    TEST(a_full_batch_leaves_at_once_and_one_fewer_waits),
    TEST(what_waits_leaves_when_the_time_is_over),
    TEST(s_6_every_order_has_the_same_chance),
    TEST(without_randomness_all_are_refused),
    TEST(one_that_is_gone_leaves_no_more),
    TEST(at_the_end_what_waits_leaves_and_nobody_waits_any_more),
    TEST(the_largest_batch_leaves_whole_and_larger_ones_do_not_exist),
};

PP_TEST_MAIN(TESTS)
