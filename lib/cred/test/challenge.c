/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_test.h"

#include "hash.h"

/* RFC 9577 A.1, first case: type 2, a context and an origin. */
#define CONTEXT "476ac2c935f458e9b2d7af32dacfbd22dd6023ef5887a789f1abe004e79bb5bb"
#define DIGEST  "8e1d5518ec82964255526efd8f9db88205a8ddd3ffb1db298fcc3ad36c42388f"
#define CHALLENGE                                                                                  \
    "0002"                                                                                         \
    "000e"                                                                                         \
    "6973737565722e6578616d706c65"                                                                 \
    "20" CONTEXT "000e"                                                                            \
    "6f726967696e2e6578616d706c65"

static void a_challenge_is_read_and_written_as_rfc_9577_has_it(void **state)
{
    (void)state;
    PP_HEX(bytes, CHALLENGE);
    struct pp_token_challenge c;
    uint8_t again[128], digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_wr wr = pp_wr_over(again, sizeof again);

    assert_ok(pp_token_challenge_parse(pp_span(bytes, bytes_len), &c));
    assert_int_equal(c.type, 2);
    assert_true(pp_span_eq(c.issuer_name, PP_STR("issuer.example")));
    assert_hex(c.redemption_context.at, c.redemption_context.len, CONTEXT);
    assert_true(pp_span_eq(c.origin_info, PP_STR("origin.example")));
    assert_ok(pp_token_challenge_write(&c, &wr));
    assert_hex(again, wr.len, CHALLENGE);
    assert_ok(pp_token_challenge_digest(&c, digest));
    assert_hex(digest, sizeof digest, DIGEST);
}

static void every_truncation_of_a_challenge_is_refused(void **state)
{
    (void)state;
    PP_HEX(bytes, CHALLENGE);
    struct pp_token_challenge c;

    for (size_t n = 0; n < bytes_len; n++)
        assert_code(pp_token_challenge_parse(pp_span(bytes, n), &c), PP_E_TRUNCATED);
    assert_code(pp_token_challenge_parse(pp_span(bytes, bytes_len + 1), &c), PP_E_TRAILING);
}

static void a_challenge_has_an_issuer_and_a_context_of_0_or_32_bytes(void **state)
{
    (void)state;
    PP_HEX(no_issuer, "0005000000"
                      "0000");
    PP_HEX(short_context, "0005000161"
                          "01aa"
                          "0000");
    PP_HEX(long_context, "0005000161"
                         "21" CONTEXT "aa"
                         "0000");
    PP_HEX(no_context, "0005000161"
                       "00"
                       "0000");
    struct pp_token_challenge c;

    assert_code(pp_token_challenge_parse(pp_span(no_issuer, no_issuer_len), &c), PP_E_RANGE);
    assert_code(pp_token_challenge_parse(pp_span(short_context, short_context_len), &c),
                PP_E_RANGE);
    assert_code(pp_token_challenge_parse(pp_span(long_context, long_context_len), &c), PP_E_RANGE);
    assert_ok(pp_token_challenge_parse(pp_span(no_context, no_context_len), &c));
    assert_int_equal(c.redemption_context.len, 0);
    assert_int_equal(c.origin_info.len, 0);
}

static void names_have_at_most_65535_bytes(void **state)
{
    (void)state;
    static uint8_t name[UINT16_MAX + 1];
    static uint8_t out[2 * sizeof name + 64];
    uint8_t digest[PP_TOKEN_DIGEST_BYTES];
    struct pp_token_challenge c = { .type = 5,
                                    .issuer_name = pp_span(name, UINT16_MAX),
                                    .origin_info = pp_span(name, UINT16_MAX) };
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(pp_token_challenge_write(&c, &wr));
    assert_ok(pp_token_challenge_parse(pp_wr_done(&wr), &c));
    c.issuer_name.len++;
    assert_code(pp_token_challenge_write(&c, &wr), PP_E_RANGE);
    assert_code(pp_token_challenge_digest(&c, digest), PP_E_RANGE);
    c.issuer_name.len--;
    c.origin_info.len++;
    assert_code(pp_token_challenge_digest(&c, digest), PP_E_RANGE);
}

/* pp-wire 10, with the figures of tests/vectors/pp-wire/challenge.json. */
static void the_epoch_challenge_is_bound_to_issuer_gateway_day_and_type(void **state)
{
    (void)state;
    uint8_t digest[32], other[32];

    test_digest(DAY, digest);
    assert_hex(digest, sizeof digest,
               "019bc55b94d7db4b0355ce6b638465dfeec6dab5768675e251a9f82660e37985");
    test_digest(DAY + 1, other);
    assert_memory_not_equal(digest, other, 32);
    assert_ok(pp_token_epoch_digest(5, PP_STR(ISSUER), PP_STR("other.example"), DAY, other));
    assert_memory_not_equal(digest, other, 32);
    assert_ok(pp_token_epoch_digest(5, PP_STR("other.example"), PP_STR(AUTHORITY), DAY, other));
    assert_memory_not_equal(digest, other, 32);
    assert_ok(pp_token_epoch_digest(2, PP_STR(ISSUER), PP_STR(AUTHORITY), DAY, other));
    assert_memory_not_equal(digest, other, 32);
    assert_code(pp_token_epoch_digest(5, PP_STR(""), PP_STR(AUTHORITY), DAY, other), PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_challenge_is_read_and_written_as_rfc_9577_has_it),
    cmocka_unit_test(every_truncation_of_a_challenge_is_refused),
    cmocka_unit_test(a_challenge_has_an_issuer_and_a_context_of_0_or_32_bytes),
    cmocka_unit_test(names_have_at_most_65535_bytes),
    cmocka_unit_test(the_epoch_challenge_is_bound_to_issuer_gateway_day_and_type),
};

CRED_TEST_MAIN(TESTS)
