/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of days to come from one secret. Figures were computed apart, from token_chain.h's words. */
#include "harness.h"

#include "crypto.h"
#include "token_chain.h"

enum { DAY = 20500 };

#define VALUE "0101010101010101010101010101010101010101010101010101010101010101"
#define TEXT  "day = 20500\nvalue = " VALUE "\n"

static struct pp_token_chain chain(void)
{
    struct pp_token_chain c = { 0 };

    assert_ok(pp_token_chain_parse(PP_STR(TEXT), NULL, &c));
    return c;
}

static void key_of(const struct pp_token_chain *c, uint32_t day, struct pp_cred_public *ret)
{
    struct pp_secret seed = { 0 };
    struct pp_cred_key key = { 0 };

    assert_ok(pp_token_chain_seed(c, day, &seed));
    assert_ok(pp_cred_key_derive(5, pp_secret_span(&seed), &key));
    *ret = key.pub;
    pp_cred_key_done(&key);
    pp_secret_done(&seed);
}

static void a_chain_is_written_and_read_back(void **state)
{
    (void)state;
    char text[PP_TOKEN_CHAIN_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_token_chain c = chain();

    assert_ok(pp_token_chain_write(&c, &wr));
    assert_true(pp_span_eq(pp_wr_done(&wr), PP_STR(TEXT)));
    pp_token_chain_done(&c);
    wr = pp_wr_over(text, sizeof text);
    struct pp_random random = pp_random_system();
    assert_ok(pp_token_chain_new(UINT32_MAX - PP_TOKEN_CHAIN_AHEAD_MAX, &random, &c));
    assert_ok(pp_token_chain_write(&c, &wr));
    pp_token_chain_done(&c);
    assert_ok(pp_token_chain_parse(pp_wr_done(&wr), NULL, &c));
    pp_token_chain_done(&c);
}

static void wrong_texts_are_refused_without_a_word_of_the_secret(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "day = 20500\n",
                                       "value = " VALUE "\n",
                                       "day = 20500\nvalue = " VALUE "01\n",
                                       "day = 20500\nvalue = 01\n",
                                       "day = 20500\nday = 20500\nvalue = " VALUE "\n",
                                       "day = 20500\nmore = 1\nvalue = " VALUE "\n",
                                       "day = 4294966896\nvalue = " VALUE "\n",
                                       "day = 20500\nvalue = "
                                       "01010101010101010101010101010101"
                                       "0101010101010101010101010101010G\n" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        struct pp_problem problem = { 0 };
        struct pp_token_chain c = { 0 };
        assert_code(pp_token_chain_parse(pp_span_cstr(bad[i]), &problem, &c), PP_E_CONFIG);
        assert_null(c.value_secret.bytes);
        assert_null(strstr(problem.got, "0101"));
    }
}

static void seeds_and_values_are_those_of_the_text(void **state)
{
    (void)state;
    struct pp_token_chain c = chain();
    struct pp_secret seed = { 0 };

    assert_ok(pp_token_chain_seed(&c, DAY, &seed));
    assert_hex(seed.bytes, seed.len,
               "8104105f7714241231a3a82544f6ee8569089b52ed9ba426f07511b6bfa18fff");
    pp_secret_done(&seed);
    assert_ok(pp_token_chain_seed(&c, DAY + 2, &seed));
    assert_hex(seed.bytes, seed.len,
               "b2cfec8a32d5c9136ad0945c4cafb0cce29cd5a88ecabd8819a4e7c3de34ae91");
    pp_secret_done(&seed);
    assert_int_equal(c.day, DAY); /* looking ahead moves nothing */
    assert_ok(pp_token_chain_advance(&c, DAY + 2));
    assert_hex(c.value_secret.bytes, c.value_secret.len,
               "41009d1b6f0db7fce826f94377a86bf33c4075fcc9b3f455a16023b4a7de0f43");
    pp_token_chain_done(&c);
}

static void two_who_hold_the_chain_make_the_same_key_whenever_they_moved_it(void **state)
{
    (void)state;
    struct pp_token_chain ahead = chain(), behind = chain();
    struct pp_cred_public a, b;

    assert_ok(pp_token_chain_advance(&ahead, DAY + 3));
    assert_ok(pp_token_chain_advance(&behind, DAY + 1));
    key_of(&ahead, DAY + 5, &a);
    key_of(&behind, DAY + 5, &b);
    assert_memory_equal(a.key_id, b.key_id, sizeof a.key_id);
    pp_token_chain_done(&ahead);
    pp_token_chain_done(&behind);
}

/* The loader refuses two keys that a request could mean alike; live ones are at most eight. */
static void keys_of_eight_days_in_a_row_end_in_eight_bytes(void **state)
{
    (void)state;
    struct pp_token_chain c = chain();
    struct pp_cred_public k;

    for (uint32_t day = DAY; day < DAY + 24; day++) {
        key_of(&c, day, &k);
        assert_int_equal(k.key_id[31] % 8, day % 8);
    }
    pp_token_chain_done(&c);
}

static void keys_of_days_that_are_over_cannot_be_made_again(void **state)
{
    (void)state;
    struct pp_token_chain c = chain();
    struct pp_secret seed = { 0 };

    assert_ok(pp_token_chain_advance(&c, DAY));
    assert_ok(pp_token_chain_advance(&c, DAY + 1));
    assert_code(pp_token_chain_seed(&c, DAY, &seed), PP_E_RANGE);
    assert_code(pp_token_chain_advance(&c, DAY), PP_E_RANGE);
    assert_int_equal(c.day, DAY + 1);
    assert_code(pp_token_chain_advance(&c, DAY + 2 + PP_TOKEN_CHAIN_AHEAD_MAX), PP_E_RANGE);
    assert_ok(pp_token_chain_advance(&c, DAY + 1 + PP_TOKEN_CHAIN_AHEAD_MAX));
    assert_null(seed.bytes);
    pp_token_chain_done(&c);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_chain_is_written_and_read_back),
    cmocka_unit_test(wrong_texts_are_refused_without_a_word_of_the_secret),
    cmocka_unit_test(seeds_and_values_are_those_of_the_text),
    cmocka_unit_test(two_who_hold_the_chain_make_the_same_key_whenever_they_moved_it),
    cmocka_unit_test(keys_of_eight_days_in_a_row_end_in_eight_bytes),
    cmocka_unit_test(keys_of_days_that_are_over_cannot_be_made_again),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
