/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_test.h"

#include "assertion.h"
#include "hash.h"
#include "text.h"

#define FIELD                                                                                      \
    "PP-Assertion AQVhbGljZQAAAABpkwkYjd9aaHFo0BNqSlyqqd7XG800keh"                                 \
    "thuvmGWWrWgteW1o"

static const uint8_t KEY_A[PP_ASSERTION_KEY_BYTES] = { 1 };
static const uint8_t KEY_B[PP_ASSERTION_KEY_BYTES] = { 2 };

static struct pp_assertion alice(uint64_t expiry_s)
{
    struct pp_assertion a = { .account_len = 5, .expiry_s = expiry_s };

    memcpy(a.account, "alice", 5);
    return a;
}

struct field {
    char text[PP_ASSERTION_FIELD_BYTES_MAX + 8];
    size_t len;
};

static struct field field_of(const struct pp_assertion *a, const char *issuer, const uint8_t *key)
{
    struct field f;
    struct pp_wr wr = pp_wr_over(f.text, sizeof f.text);

    assert_ok(pp_assertion_write(a, pp_span_cstr(issuer), pp_span(key, 32), &wr));
    f.len = wr.len;
    return f;
}

static pp_res check(struct pp_span field, uint64_t now_s, struct pp_assertion *ret)
{
    const struct pp_span keys[] = { PP_BYTES(KEY_A), PP_BYTES(KEY_B) };

    return pp_assertion_check(field, PP_STR(ISSUER), keys, 2, now_s, ret);
}

static void assert_refused(pp_res r, uint32_t detail)
{
    assert_code(r, PP_E_AUTH);
    assert_int_equal(r.detail, detail);
}

static void an_assertion_names_its_account_under_either_key(void **state)
{
    (void)state;
    struct pp_assertion a = alice(NOON_S + 600);
    struct pp_assertion got = { 0 };
    struct field f = field_of(&a, ISSUER, KEY_A);

    assert_memory_equal(f.text, "PP-Assertion AQVhbGljZ", 22);
    assert_ok(check(pp_span(f.text, f.len), NOON_S, &got));
    assert_int_equal(got.account_len, 5);
    assert_memory_equal(got.account, "alice", 5);
    assert_true(got.expiry_s == NOON_S + 600);
    f = field_of(&a, ISSUER, KEY_B);
    assert_ok(check(pp_span(f.text, f.len), NOON_S, &got));
}

/* The figures of tests/vectors/pp-wire/assertion.json. */
static void an_assertion_has_the_bytes_of_the_vectors(void **state)
{
    (void)state;
    struct pp_assertion a = alice(NOON_S + 600);
    struct field f = field_of(&a, ISSUER, KEY_A);

    assert_int_equal(f.len, sizeof FIELD - 1);
    assert_memory_equal(f.text, FIELD, sizeof FIELD - 1);
}

static void every_changed_byte_and_every_truncation_is_refused(void **state)
{
    (void)state;
    struct pp_assertion a = alice(NOON_S + 600);
    struct pp_assertion got = { .account_len = 99 };
    struct field f = field_of(&a, ISSUER, KEY_A);

    for (size_t i = 0; i < f.len; i++) {
        f.text[i] ^= 1;
        assert_code(check(pp_span(f.text, f.len), NOON_S, &got), PP_E_AUTH);
        f.text[i] ^= 1;
        assert_code(check(pp_span(f.text, i), NOON_S, &got), PP_E_AUTH);
    }
    assert_int_equal(got.account_len, 99);
    assert_ok(check(pp_span(f.text, f.len), NOON_S, &got));
}

static void an_assertion_lives_at_most_an_hour(void **state)
{
    (void)state;
    struct pp_assertion a = alice(NOON_S);
    struct pp_assertion got;
    struct field f = field_of(&a, ISSUER, KEY_A);

    assert_ok(check(pp_span(f.text, f.len), NOON_S - 1, &got));
    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 3);
    assert_ok(check(pp_span(f.text, f.len), NOON_S - 3600, &got));
    assert_refused(check(pp_span(f.text, f.len), NOON_S - 3601, &got), 4);
    a.expiry_s = UINT64_MAX;
    f = field_of(&a, ISSUER, KEY_A);
    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 4);
}

static void another_issuer_or_key_is_refused(void **state)
{
    (void)state;
    const uint8_t other[32] = { 3 };
    struct pp_assertion a = alice(NOON_S + 600);
    struct pp_assertion got;
    struct field f = field_of(&a, "other.example", KEY_A);

    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 2);
    f = field_of(&a, ISSUER, other);
    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 2);
    f = field_of(&a, ISSUER, KEY_A);
    assert_refused(
        pp_assertion_check(pp_span(f.text, f.len), PP_STR(ISSUER), NULL, 0, NOON_S, &got), 2);
}

static void accounts_have_1_to_64_bytes(void **state)
{
    (void)state;
    struct pp_assertion a = alice(NOON_S + 600);
    struct pp_assertion got;
    char text[PP_ASSERTION_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    a.account_len = PP_ASSERTION_ACCOUNT_BYTES_MAX;
    struct field f = field_of(&a, ISSUER, KEY_A);
    assert_int_equal(f.len, PP_ASSERTION_FIELD_BYTES_MAX);
    assert_ok(check(pp_span(f.text, f.len), NOON_S, &got));
    assert_int_equal(got.account_len, 64);
    a.account_len = 0;
    assert_code(pp_assertion_write(&a, PP_STR(ISSUER), PP_BYTES(KEY_A), &wr), PP_E_RANGE);
    a.account_len = 65;
    assert_code(pp_assertion_write(&a, PP_STR(ISSUER), PP_BYTES(KEY_A), &wr), PP_E_RANGE);
    a = alice(NOON_S);
    assert_code(pp_assertion_write(&a, PP_STR(ISSUER), pp_span(KEY_A, 31), &wr), PP_E_RANGE);
    assert_code(pp_assertion_write(&a, PP_STR(""), PP_BYTES(KEY_A), &wr), PP_E_RANGE);
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "PP-Assertion",
        "PP-Assertion ",
        "PP-Assertion  AQ",
        "pp-assertion AQ",
        "Bearer AQ",
        "PP-Assertion AQ=",
        "PP-Assertion AQVhbGljZQAAAABpkAAAPP==",
        "PP-Assertion AgVhbGljZQ",
    };
    struct pp_assertion got;

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_refused(check(pp_span_cstr(bad[i]), NOON_S, &got), 1);
}

/* What a holder of the key could sign, `after` behind it: the tag is right. */
static struct field signed_by_hand(size_t account_len, struct pp_span after)
{
    uint8_t bytes[256], tagged[512];
    struct pp_wr body = pp_wr_over(bytes, sizeof bytes), m = pp_wr_over(tagged, sizeof tagged);
    struct field f;
    struct pp_wr wr = pp_wr_over(f.text, sizeof f.text);

    pp_wr_u8(&body, 1);
    pp_wr_u8(&body, (uint8_t)account_len);
    pp_wr_zeros(&body, account_len);
    pp_wr_u64(&body, NOON_S + 600);
    pp_wr_text(&m, "pp-assertion-v1");
    pp_wr_u8(&m, 0);
    pp_wr_u8(&m, sizeof ISSUER - 1);
    pp_wr_text(&m, ISSUER);
    pp_wr_span(&m, pp_wr_done(&body));
    uint8_t *tag = pp_wr_reserve(&body, PP_SHA256_BYTES);
    pp_hmac_of(PP_SHA256, PP_BYTES(KEY_A), pp_wr_done(&m), tag);
    pp_wr_span(&body, after);
    pp_wr_text(&wr, "PP-Assertion ");
    pp_wr_base64url(&wr, pp_wr_done(&body), 0);
    assert_ok(pp_wr_ok(&wr));
    f.len = wr.len;
    return f;
}

static void a_right_tag_makes_no_wrong_form_right(void **state)
{
    (void)state;
    struct pp_assertion got;
    struct field f = signed_by_hand(5, PP_STR(""));

    assert_ok(check(pp_span(f.text, f.len), NOON_S, &got));
    f = signed_by_hand(5, PP_STR("x"));
    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 1);
    f = signed_by_hand(0, PP_STR(""));
    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 1);
    f = signed_by_hand(65, PP_STR(""));
    assert_refused(check(pp_span(f.text, f.len), NOON_S, &got), 1);
}

static void nothing_is_checked_under_a_key_or_for_an_issuer_of_another_length(void **state)
{
    (void)state;
    static const char LONG[PP_ASSERTION_ISSUER_BYTES_MAX + 1];
    const struct pp_span short_key = pp_span(KEY_A, 31), key = PP_BYTES(KEY_A);
    struct pp_assertion a = alice(NOON_S + 600);
    struct pp_assertion got;
    struct field f = field_of(&a, ISSUER, KEY_A);
    struct pp_span text = pp_span(f.text, f.len);

    assert_code(pp_assertion_check(text, PP_STR(ISSUER), &short_key, 1, NOON_S, &got), PP_E_RANGE);
    assert_code(pp_assertion_check(text, PP_STR(""), &key, 1, NOON_S, &got), PP_E_RANGE);
    assert_code(pp_assertion_check(text, pp_span(LONG, sizeof LONG), &key, 1, NOON_S, &got),
                PP_E_RANGE);
    assert_refused(pp_assertion_check(text, pp_span(LONG, sizeof LONG - 1), &key, 1, NOON_S, &got),
                   2);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_assertion_names_its_account_under_either_key),
    cmocka_unit_test(an_assertion_has_the_bytes_of_the_vectors),
    cmocka_unit_test(every_changed_byte_and_every_truncation_is_refused),
    cmocka_unit_test(an_assertion_lives_at_most_an_hour),
    cmocka_unit_test(another_issuer_or_key_is_refused),
    cmocka_unit_test(accounts_have_1_to_64_bytes),
    cmocka_unit_test(other_forms_are_refused),
    cmocka_unit_test(a_right_tag_makes_no_wrong_form_right),
    cmocka_unit_test(nothing_is_checked_under_a_key_or_for_an_issuer_of_another_length),
};

CRED_TEST_MAIN(TESTS)
