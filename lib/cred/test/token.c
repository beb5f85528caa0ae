/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_test.h"

#include "hash.h"

/* Batched tokens -07, type 5, first vector: a whole token. */
#define NONCE  "678dd032dc3dd290a524c9525b59e9fa2a1426f2ebe07d71be44e410235c5bc9"
#define DIGEST "ead0d1e696ccbef94da0dd33e0e265d97a8015532f429d968fa41fb0af0cb385"
#define KEY_ID "47fe05e1fd8dac4eb493924ea617a4d5b950e2d6deec99806bce058929d0d3a3"
#define AUTHENTICATOR                                                                              \
    "86b38c783958b8f975795b2e3544cb58ea24eadb236c970641bb275095aedfa5"                             \
    "da76bb808f55ba51aa407be433d5598fe708cfc3d2a1f6c9b40fa9d9a7fa65c5"
#define TOKEN "0005" NONCE DIGEST KEY_ID AUTHENTICATOR

enum { TOKEN_BYTES = 162 };

static void a_token_is_read_and_written_as_the_draft_has_it(void **state)
{
    (void)state;
    PP_HEX(bytes, TOKEN);
    uint8_t again[PP_TOKEN_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_token t;

    assert_int_equal(pp_token_bytes(5), TOKEN_BYTES);
    assert_ok(pp_token_parse(pp_span(bytes, TOKEN_BYTES), &t));
    assert_int_equal(t.type, 5);
    assert_hex(t.nonce, 32, NONCE);
    assert_hex(t.challenge_digest, 32, DIGEST);
    assert_hex(t.key_id, 32, KEY_ID);
    assert_hex(t.authenticator.at, t.authenticator.len, AUTHENTICATOR);
    pp_token_write(&t, &wr);
    assert_ok(pp_wr_ok(&wr));
    assert_hex(again, wr.len, TOKEN);
}

static void every_truncation_of_a_token_is_refused(void **state)
{
    (void)state;
    PP_HEX(bytes, TOKEN);
    struct pp_token t;

    for (size_t n = 0; n < TOKEN_BYTES; n++)
        assert_code(pp_token_parse(pp_span(bytes, n), &t), PP_E_TRUNCATED);
    assert_code(pp_token_parse(pp_span(bytes, TOKEN_BYTES + 1), &t), PP_E_TRAILING);
}

static void tokens_of_other_types_are_refused(void **state)
{
    (void)state;
    PP_HEX(bytes, TOKEN);
    struct pp_token t;
    const uint16_t others[] = { 0, 1, 3, 4, 6, 0xDA7A, 0xE5AC, 0xFFFF };

    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        bytes[0] = (uint8_t)(others[i] >> 8);
        bytes[1] = (uint8_t)others[i];
        assert_code(pp_token_parse(pp_span(bytes, TOKEN_BYTES), &t), PP_E_UNSUPPORTED);
        assert_int_equal(pp_token_bytes(others[i]), 0);
    }
}

/* W4.T2: the store knows a token by key and nonce, whatever else somebody changes about it. */
static void w4_t2_the_spend_key_is_that_of_key_id_and_nonce_alone(void **state)
{
    (void)state;
    PP_HEX(bytes, TOKEN);
    uint8_t a[PP_SPEND_KEY_BYTES], b[PP_SPEND_KEY_BYTES];
    uint8_t joined[64], digest[32];
    struct pp_token t;

    assert_ok(pp_token_parse(pp_span(bytes, TOKEN_BYTES), &t));
    pp_spend_key(&t, a);
    memcpy(joined, t.key_id, 32);
    memcpy(joined + 32, t.nonce, 32);
    pp_sha256(PP_BYTES(joined), digest);
    assert_memory_equal(a, digest, sizeof a);
    assert_hex(a, sizeof a, "65fdccdb11b31c8489126e6457648c1f");

    t.challenge_digest[0] ^= 1;
    t.authenticator = PP_STR("other");
    pp_spend_key(&t, b);
    assert_memory_equal(a, b, sizeof a);
    t.nonce[31] ^= 1;
    pp_spend_key(&t, b);
    assert_memory_not_equal(a, b, sizeof a);
    t.nonce[31] ^= 1;
    t.key_id[0] ^= 1;
    pp_spend_key(&t, b);
    assert_memory_not_equal(a, b, sizeof a);
}

static size_t write_field(const uint8_t *token, size_t len, char *ret, size_t cap)
{
    struct pp_wr wr = pp_wr_over(ret, cap);

    pp_token_field_write(pp_span(token, len), &wr);
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

static void a_token_travels_in_an_authorization_field(void **state)
{
    (void)state;
    PP_HEX(bytes, TOKEN);
    char field[PP_TOKEN_FIELD_BYTES_MAX];
    uint8_t token[PP_TOKEN_BYTES_MAX];
    size_t len = write_field(bytes, TOKEN_BYTES, field, sizeof field);
    size_t token_len = 0;

    assert_int_equal(len, 20 + TOKEN_BYTES / 3 * 4 + 1);
    assert_memory_equal(field, "PrivateToken token=\"AAVn", 24);
    assert_ok(pp_token_field_parse(pp_span(field, len), token, &token_len));
    assert_int_equal(token_len, TOKEN_BYTES);
    assert_memory_equal(token, bytes, TOKEN_BYTES);
}

static void the_longest_token_fits_a_field_and_one_byte_more_does_not(void **state)
{
    (void)state;
    uint8_t bytes[PP_TOKEN_BYTES_MAX + 1] = { 0, 2 };
    char field[PP_TOKEN_FIELD_BYTES_MAX + 4];
    uint8_t token[PP_TOKEN_BYTES_MAX];
    size_t len = write_field(bytes, PP_TOKEN_BYTES_MAX, field, sizeof field);
    size_t token_len = 0;

    assert_int_equal(PP_TOKEN_BYTES_MAX, 354);
    assert_int_equal(len, PP_TOKEN_FIELD_BYTES_MAX);
    assert_ok(pp_token_field_parse(pp_span(field, len), token, &token_len));
    assert_int_equal(token_len, PP_TOKEN_BYTES_MAX);
    len = write_field(bytes, sizeof bytes, field, sizeof field);
    assert_code(pp_token_field_parse(pp_span(field, len), token, &token_len), PP_E_NO_SPACE);
}

static void padding_is_written_and_wanted(void **state)
{
    (void)state;
    char field[64];
    uint8_t token[PP_TOKEN_BYTES_MAX];
    size_t len = write_field((const uint8_t *)"\xfb\xff", 2, field, sizeof field);

    assert_int_equal(len, 25);
    assert_memory_equal(field, "PrivateToken token=\"-_8=\"", 25);
    assert_ok(pp_token_field_parse(PP_STR("PrivateToken token=\"-_8=\""), token, &len));
    assert_int_equal(len, 2);
    assert_code(pp_token_field_parse(PP_STR("PrivateToken token=\"-_8\""), token, &len),
                PP_E_FORMAT);
    assert_code(pp_token_field_parse(PP_STR("PrivateToken token=\"-_9=\""), token, &len),
                PP_E_ENCODING);
}

/* pp-wire 3: names as printed, in double quotes, nothing else. */
static void a_field_has_one_form(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "PrivateToken",
        "PrivateToken ",
        "PrivateToken token=",
        "PrivateToken token=\"",
        "PrivateToken token=AAAA",
        "PrivateToken token=\"AAAAx",
        "privatetoken token=\"AAAA\"",
        "PrivateToken Token=\"AAAA\"",
        "PrivateToken  token=\"AAAA\"",
        " PrivateToken token=\"AAAA\"",
        "PrivateToken token=\"AAAA\" ",
        "PrivateToken token = \"AAAA\"",
        "PrivateToken token=\"AAAA\", token=\"AAAA\"",
        "PrivateToken token=\"AAAA\"\"",
        "PrivateToken token=\"AA A\"",
        "PrivateToken token=\"AA+/\"",
        "PrivateToken token=\"AA\n=\"",
        "Bearer token=\"AAAA\"",
    };
    uint8_t token[PP_TOKEN_BYTES_MAX];
    size_t len = 77;

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_token_field_parse(pp_span_cstr(bad[i]), token, &len), PP_E_FORMAT);
    assert_int_equal(len, 77);
}

static void a_field_longer_than_any_token_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[PP_TOKEN_BYTES_MAX + 3] = { 0 };
    char field[PP_TOKEN_FIELD_BYTES_MAX + 8];
    uint8_t token[PP_TOKEN_BYTES_MAX];
    size_t token_len = 0;

    size_t len = write_field(bytes, PP_TOKEN_BYTES_MAX, field, sizeof field);
    assert_ok(pp_token_field_parse(pp_span(field, len), token, &token_len));
    len = write_field(bytes, PP_TOKEN_BYTES_MAX + 1, field, sizeof field);
    assert_code(pp_token_field_parse(pp_span(field, len), token, &token_len), PP_E_NO_SPACE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_token_is_read_and_written_as_the_draft_has_it),
    cmocka_unit_test(every_truncation_of_a_token_is_refused),
    cmocka_unit_test(tokens_of_other_types_are_refused),
    cmocka_unit_test(w4_t2_the_spend_key_is_that_of_key_id_and_nonce_alone),
    cmocka_unit_test(a_token_travels_in_an_authorization_field),
    cmocka_unit_test(the_longest_token_fits_a_field_and_one_byte_more_does_not),
    cmocka_unit_test(padding_is_written_and_wanted),
    cmocka_unit_test(a_field_has_one_form),
    cmocka_unit_test(a_field_longer_than_any_token_is_refused),
};

CRED_TEST_MAIN(TESTS)
