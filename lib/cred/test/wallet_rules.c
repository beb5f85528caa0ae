/* SPDX-License-Identifier: Apache-2.0 */
/* pp-wire 10: wallet entries, and the rules of fetching and spending. */
#include "cred_test.h"

#include "wallet_rules.h"

#define MIDNIGHT_S ((uint64_t)DAY * 86400)

/* --- the entry ------------------------------------------------------------------------------- */

static void an_entry_is_written_and_read_back(void **state)
{
    (void)state;
    struct pp_cred_key key = test_key(1);
    struct pp_secret token = test_tokens(&key, DAY, 1);
    uint8_t bytes[14 + 162 + 1] = { 0 };
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    const struct pp_wallet_entry e = {
        .type = 5, .day = DAY, .usable_from_s = NOON_S + 300, .token = pp_secret_span(&token)
    };
    struct pp_wallet_entry again;

    pp_wallet_entry_write(&e, &wr);
    assert_int_equal(wr.len, 14 + 162);
    assert_ok(pp_wallet_entry_parse(pp_wr_done(&wr), &again));
    assert_int_equal(again.day, DAY);
    assert_true(again.usable_from_s == NOON_S + 300);
    assert_true(pp_span_eq(again.token, e.token));

    for (size_t n = 0; n < wr.len; n++)
        assert_code(pp_wallet_entry_parse(pp_span(bytes, n), &again), PP_E_TRUNCATED);
    assert_code(pp_wallet_entry_parse(PP_BYTES(bytes), &again), PP_E_TRAILING);
    bytes[1] = 2; /* entry says type 2, token type 5 */
    assert_code(pp_wallet_entry_parse(pp_wr_done(&wr), &again), PP_E_MISMATCH);
    bytes[1] = 5;
    bytes[15] = 1;
    assert_code(pp_wallet_entry_parse(pp_wr_done(&wr), &again), PP_E_UNSUPPORTED);
    pp_secret_done(&token);
    pp_cred_key_done(&key);
}

/* --- the policy ------------------------------------------------------------------------------ */

static struct pp_wallet_policy policy(int dev)
{
    struct pp_wallet_policy p;

    assert_ok(pp_wallet_policy_init(&p, dev, 1));
    return p;
}

static void an_epoch_has_1_to_8_batches(void **state)
{
    (void)state;
    struct pp_wallet_policy p;

    assert_code(pp_wallet_policy_init(&p, 0, 0), PP_E_RANGE);
    assert_ok(pp_wallet_policy_init(&p, 0, PP_WALLET_BATCHES_MAX));
    assert_int_equal(p.batches, 8);
    assert_code(pp_wallet_policy_init(&p, 0, PP_WALLET_BATCHES_MAX + 1), PP_E_RANGE);
}

static void w4_t1_a_token_rests_5_minutes_except_in_dev(void **state)
{
    (void)state;
    struct pp_wallet_policy prod = policy(0);
    struct pp_wallet_policy dev = policy(1);

    assert_true(pp_wallet_usable_from(&prod, NOON_S) == NOON_S + 300);
    assert_true(pp_wallet_usable_from(&dev, NOON_S) == NOON_S);
}

/* --- which epoch ----------------------------------------------------------------------------- */

static void an_epoch_has_a_neighbour_within_10_minutes_of_a_boundary(void **state)
{
    (void)state;
    struct {
        uint64_t at;
        uint32_t today;
        int has_neighbour;
        uint32_t neighbour;
    } cases[] = {
        { MIDNIGHT_S - 601, DAY - 1, 0, 0 },
        { MIDNIGHT_S - 600, DAY - 1, 1, DAY },
        { MIDNIGHT_S - 1, DAY - 1, 1, DAY },
        { MIDNIGHT_S, DAY, 1, DAY - 1 },
        { MIDNIGHT_S + 599, DAY, 1, DAY - 1 },
        { MIDNIGHT_S + 600, DAY, 0, 0 },
        { NOON_S, DAY, 0, 0 },
        { 0, 0, 0, 0 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(cases); i++) {
        struct pp_wallet_days d = pp_wallet_days(cases[i].at);
        assert_int_equal(d.today, cases[i].today);
        assert_int_equal(d.has_neighbour, cases[i].has_neighbour);
        assert_int_equal(d.neighbour, cases[i].neighbour);
    }
}

static void the_coin_is_fair_and_thrown_only_between_two_ready_epochs(void **state)
{
    (void)state;
    struct pp_wallet_days near = pp_wallet_days(MIDNIGHT_S + 10);
    struct pp_wallet_days noon = pp_wallet_days(NOON_S);
    struct pp_span nothing = { 0 };
    struct pp_random no_coin = pp_random_script(&nothing);
    unsigned neighbours = 0;
    uint32_t day = 0;

    for (unsigned i = 0; i < 1000; i++) {
        assert_ok(pp_wallet_choose_day(&near, 1, 1, &RANDOM, &day));
        assert_true(day == DAY || day == DAY - 1);
        neighbours += day == DAY - 1;
    }
    assert_in_range(neighbours, 420, 580);

    assert_ok(pp_wallet_choose_day(&near, 1, 0, &no_coin, &day));
    assert_int_equal(day, DAY);
    assert_ok(pp_wallet_choose_day(&noon, 1, 1, &no_coin, &day));
    assert_int_equal(day, DAY);
    assert_code(pp_wallet_choose_day(&near, 1, 1, &no_coin, &day), PP_E_RANDOM);
    assert_code(pp_wallet_choose_day(&near, 0, 1, &RANDOM, &day), PP_E_NO_TOKENS);
    assert_code(pp_wallet_choose_day(&noon, 0, 0, &RANDOM, &day), PP_E_NO_TOKENS);
}

static void an_epoch_is_dead_10_minutes_after_its_day(void **state)
{
    (void)state;
    assert_int_equal(pp_wallet_epoch_is_dead(DAY, NOON_S), 0);
    assert_int_equal(pp_wallet_epoch_is_dead(DAY, MIDNIGHT_S + 86400 + 599), 0);
    assert_int_equal(pp_wallet_epoch_is_dead(DAY, MIDNIGHT_S + 86400 + 600), 1);
    assert_int_equal(pp_wallet_epoch_is_dead(DAY, 0), 0);
    /* Whoever holds a token that is not dead finds a verifier that takes it, and the other way. */
    for (uint64_t t = MIDNIGHT_S; t < MIDNIGHT_S + 90000; t += 299)
        assert_int_equal(pp_wallet_epoch_is_dead(DAY, t), !pp_cred_epoch_accepts(DAY, t));
}

/* --- when to fetch --------------------------------------------------------------------------- */

/* [day - 24 h, day + 23 h) */
static struct pp_wallet_window window(void)
{
    return (struct pp_wallet_window){ DAY, MIDNIGHT_S - 86400, MIDNIGHT_S + 82800 };
}

struct spread {
    uint64_t lowest, highest, mean;
};

static struct spread moments(uint64_t now_s, int first_ever)
{
    struct pp_wallet_policy prod = policy(0);
    struct pp_wallet_window w = window();
    struct spread s = { .lowest = UINT64_MAX };
    uint64_t sum = 0;

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t at = 0;
        assert_ok(pp_wallet_fetch_moment(&prod, &w, now_s, first_ever, &RANDOM, &at));
        s.lowest = at < s.lowest ? at : s.lowest;
        s.highest = at > s.highest ? at : s.highest;
        sum += at - now_s;
    }
    s.mean = now_s + sum / 2000;
    return s;
}

static void assert_spread(struct spread s, uint64_t from, uint64_t until)
{
    uint64_t tenth = (until - from) / 10;

    assert_true(s.lowest >= from && s.lowest < from + tenth);
    assert_true(s.highest < until && s.highest >= until - tenth);
    assert_true(s.mean > from + 4 * tenth && s.mean < from + 6 * tenth);
}

static void fetches_are_spread_evenly_before_the_day_or_over_the_rest_of_the_window(void **state)
{
    (void)state;
    /* the window opened an hour ago; the day begins in 23 hours */
    assert_spread(moments(MIDNIGHT_S - 82800, 0), MIDNIGHT_S - 82800, MIDNIGHT_S);
    /* the window is not open yet */
    assert_spread(moments(MIDNIGHT_S - 90000, 0), MIDNIGHT_S - 86400, MIDNIGHT_S);
    /* the day runs already */
    assert_spread(moments(MIDNIGHT_S + 3600, 0), MIDNIGHT_S + 3600, MIDNIGHT_S + 82800);
}

static void a_new_wallet_fetches_within_30_minutes(void **state)
{
    (void)state;
    assert_spread(moments(NOON_S, 1), NOON_S, NOON_S + 1800);
    /* cut at the end of the window */
    assert_spread(moments(MIDNIGHT_S + 82000, 1), MIDNIGHT_S + 82000, MIDNIGHT_S + 82800);
}

static void nothing_is_fetched_when_the_window_is_over(void **state)
{
    (void)state;
    struct pp_wallet_policy prod = policy(0);
    struct pp_wallet_window w = window();
    uint64_t at = 5;

    assert_ok(pp_wallet_fetch_moment(&prod, &w, MIDNIGHT_S + 82799, 0, &RANDOM, &at));
    assert_true(at == MIDNIGHT_S + 82799);
    assert_code(pp_wallet_fetch_moment(&prod, &w, MIDNIGHT_S + 82800, 0, &RANDOM, &at), PP_E_RANGE);
    assert_code(pp_wallet_fetch_moment(&prod, &w, UINT64_MAX, 1, &RANDOM, &at), PP_E_RANGE);
    w.issue_until_s = w.issue_from_s;
    assert_code(pp_wallet_fetch_moment(&prod, &w, 0, 0, &RANDOM, &at), PP_E_RANGE);
    assert_true(at == MIDNIGHT_S + 82799);
}

static void in_dev_a_fetch_is_due_at_once(void **state)
{
    (void)state;
    struct pp_wallet_policy dev = policy(1);
    struct pp_wallet_window w = window();
    struct pp_span nothing = { 0 };
    struct pp_random no_random = pp_random_script(&nothing);
    uint64_t at = 0;

    assert_ok(pp_wallet_fetch_moment(&dev, &w, NOON_S, 0, &no_random, &at));
    assert_true(at == NOON_S);
    assert_ok(pp_wallet_fetch_moment(&dev, &w, NOON_S - 3 * 86400, 1, &no_random, &at));
    assert_true(at == w.issue_from_s);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_entry_is_written_and_read_back),
    cmocka_unit_test(an_epoch_has_1_to_8_batches),
    cmocka_unit_test(w4_t1_a_token_rests_5_minutes_except_in_dev),
    cmocka_unit_test(an_epoch_has_a_neighbour_within_10_minutes_of_a_boundary),
    cmocka_unit_test(the_coin_is_fair_and_thrown_only_between_two_ready_epochs),
    cmocka_unit_test(an_epoch_is_dead_10_minutes_after_its_day),
    cmocka_unit_test(fetches_are_spread_evenly_before_the_day_or_over_the_rest_of_the_window),
    cmocka_unit_test(a_new_wallet_fetches_within_30_minutes),
    cmocka_unit_test(nothing_is_fetched_when_the_window_is_over),
    cmocka_unit_test(in_dev_a_fetch_is_due_at_once),
};

CRED_TEST_MAIN(TESTS)
