/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9577 2.1 in the list grammar of RFC 9110 11.6.1. */
#include "cred_test.h"

static _Alignas(16) uint8_t memory[4096];

static pp_res parse(const char *field, struct pp_token_offer *ret, size_t *ret_count)
{
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);

    return pp_token_offers_parse(pp_span_cstr(field), &arena, ret, ret_count);
}

static pp_res outcome(const char *field)
{
    struct pp_token_offer offers[PP_TOKEN_OFFERS_MAX];
    size_t count;

    return parse(field, offers, &count);
}

static void one_challenge_with_all_parameters_is_read(void **state)
{
    (void)state;
    struct pp_token_offer o[PP_TOKEN_OFFERS_MAX];
    size_t count = 0;

    assert_ok(parse("PrivateToken challenge=\"AAU=\", token-key=\"AQID\", max-age=10", o, &count));
    assert_int_equal(count, 1);
    assert_hex(o[0].challenge.at, o[0].challenge.len, "0005");
    assert_hex(o[0].token_key.at, o[0].token_key.len, "010203");
    assert_int_equal(o[0].max_age_s, 10);
}

static void key_and_age_may_be_absent_and_values_unquoted(void **state)
{
    (void)state;
    struct pp_token_offer o[PP_TOKEN_OFFERS_MAX];
    size_t count = 0;

    assert_ok(parse("privatetoken CHALLENGE=AAU=", o, &count));
    assert_int_equal(count, 1);
    assert_hex(o[0].challenge.at, o[0].challenge.len, "0005");
    assert_int_equal(o[0].token_key.len, 0);
    assert_true(o[0].max_age_s == UINT64_MAX);
}

static void other_schemes_and_parameters_are_passed_over(void **state)
{
    (void)state;
    struct pp_token_offer o[PP_TOKEN_OFFERS_MAX];
    size_t count = 0;

    assert_ok(parse("Basic realm=\"a, PrivateToken challenge=\\\"AAAA\\\"\", Negotiate YWJj==,"
                    " PrivateToken challenge = \"AAU=\" , , odd=\"x,y\",token-key=\"AQID\","
                    "PrivateToken max-age=\"7\", challenge=\"AAI=\", Digest",
                    o, &count));
    assert_int_equal(count, 2);
    assert_hex(o[0].challenge.at, o[0].challenge.len, "0005");
    assert_hex(o[0].token_key.at, o[0].token_key.len, "010203");
    assert_hex(o[1].challenge.at, o[1].challenge.len, "0002");
    assert_int_equal(o[1].max_age_s, 7);
    assert_ok(parse("", o, &count));
    assert_int_equal(count, 0);
    assert_ok(parse("Basic", o, &count));
    assert_int_equal(count, 0);
}

static void other_schemes_hold_anything_and_are_not_ours_by_their_beginning(void **state)
{
    (void)state;
    static const char *const others[] = {
        "Negotiate YWJj",
        "Negotiate YWJj, Private challenge=\"AAU=\"",
        "PrivateToken1 challenge=\"AAU=\"",
        "Basic challenge=\"?\", challenge=\"?\", max-age=1h",
    };
    struct pp_token_offer o[PP_TOKEN_OFFERS_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        size_t count = 77;
        assert_ok(parse(others[i], o, &count));
        assert_int_equal(count, 0);
    }
}

static void malformed_fields_are_refused(void **state)
{
    (void)state;
    assert_code(outcome("challenge=\"AAU=\""), PP_E_FORMAT); /* of no scheme */
    assert_code(outcome("PrivateToken challenge=\"AAU="), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge=\"AAU=\\"), PP_E_FORMAT);
    assert_code(outcome("Basic realm=\"a"), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge=\"AAU=\", odd=\"a\"x"), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge="), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge"), PP_E_FORMAT);
    assert_code(outcome("PrivateToken =\"AAU=\""), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge=\"AAU=\"x"), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge=\"AAU\""), PP_E_FORMAT); /* no padding */
    assert_code(outcome("PrivateToken challenge=\"AA/=\""), PP_E_FORMAT);
    assert_code(outcome("PrivateToken challenge=\"AAV=\""), PP_E_ENCODING);
    assert_code(outcome("PrivateToken challenge=\"AAU=\", max-age=1h"), PP_E_FORMAT);
    assert_code(outcome("PrivateToken"), PP_E_MISSING);
    assert_code(outcome("PrivateToken token-key=\"AAU=\", Basic realm=x"), PP_E_MISSING);
    assert_code(outcome("PrivateToken challenge=\"AAU=\", challenge=\"AAU=\""), PP_E_DUPLICATE);
    assert_code(outcome("PrivateToken challenge=\"AAU=\", max-age=1, max-age=1"), PP_E_DUPLICATE);
}

static void a_field_has_at_most_8_challenges(void **state)
{
    (void)state;
    struct pp_token_offer o[PP_TOKEN_OFFERS_MAX];
    char field[512];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    size_t count = 0;

    for (size_t i = 0; i < PP_TOKEN_OFFERS_MAX; i++)
        pp_wr_text(&wr, "PrivateToken challenge=\"AAU=\",");
    assert_ok(pp_token_offers_parse(pp_wr_done(&wr), &arena, o, &count));
    assert_int_equal(count, PP_TOKEN_OFFERS_MAX);
    pp_wr_text(&wr, "Basic realm=x,"); /* takes no place */
    assert_ok(pp_token_offers_parse(pp_wr_done(&wr), &arena, o, &count));
    assert_int_equal(count, PP_TOKEN_OFFERS_MAX);
    pp_wr_text(&wr, "PrivateToken challenge=\"AAU=\"");
    assert_ok(pp_wr_ok(&wr));
    assert_code(pp_token_offers_parse(pp_wr_done(&wr), &arena, o, &count), PP_E_LIMIT);
}

static void values_fit_the_arena_or_are_refused(void **state)
{
    (void)state;
    struct pp_token_offer o[PP_TOKEN_OFFERS_MAX];
    struct pp_arena arena = pp_arena_over(memory, 16);
    size_t count = 0;

    assert_code(pp_token_offers_parse(PP_STR("PrivateToken challenge=\"AAAAAAAAAAAAAAAAAAAAAAAA\""),
                                      &arena, o, &count),
                PP_E_NO_MEMORY);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(one_challenge_with_all_parameters_is_read),
    cmocka_unit_test(key_and_age_may_be_absent_and_values_unquoted),
    cmocka_unit_test(other_schemes_and_parameters_are_passed_over),
    cmocka_unit_test(other_schemes_hold_anything_and_are_not_ours_by_their_beginning),
    cmocka_unit_test(malformed_fields_are_refused),
    cmocka_unit_test(a_field_has_at_most_8_challenges),
    cmocka_unit_test(values_fit_the_arena_or_are_refused),
};

CRED_TEST_MAIN(TESTS)
