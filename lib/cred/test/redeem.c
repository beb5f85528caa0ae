/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_test.h"

#include "oprf.h"

enum { TOKEN_BYTES = 162, NONCE_AT = 2, DIGEST_AT = 34, KEY_ID_AT = 66, AUTHENTICATOR_AT = 98 };

/* A gateway with the keys of three epochs, and a token of the middle one. */
struct gateway {
    struct pp_cred_key keys[3];
    struct pp_cred_epoch epochs[3];
    uint8_t token[TOKEN_BYTES];
};

static void gateway_init(struct gateway *g)
{
    for (uint32_t i = 0; i < 3; i++) {
        g->keys[i] = test_key((uint8_t)(i + 1));
        assert_ok(pp_cred_epoch_init(&g->epochs[i], &g->keys[i], DAY - 1 + i, PP_STR(ISSUER),
                                     PP_STR(AUTHORITY)));
    }
    struct pp_secret tokens = test_tokens(&g->keys[1], DAY, 1);
    memcpy(g->token, tokens.bytes, TOKEN_BYTES);
    pp_secret_done(&tokens);
}

static void gateway_done(struct gateway *g)
{
    for (size_t i = 0; i < 3; i++)
        pp_cred_key_done(&g->keys[i]);
}

static pp_res redeem(const struct gateway *g, struct pp_span token, uint64_t now_s,
                     struct pp_cred_redeemed *ret)
{
    char field[PP_TOKEN_FIELD_BYTES_MAX + 64];
    struct pp_wr wr = pp_wr_over(field, sizeof field);

    pp_token_field_write(token, &wr);
    assert_ok(pp_wr_ok(&wr));
    return pp_cred_redeem_check(g->epochs, 3, now_s, pp_wr_done(&wr), ret);
}

/* One code outside, the precise one as its detail. */
static void assert_refused(pp_res r, enum pp_code inner)
{
    assert_code(r, PP_E_TOKEN_REFUSED);
    assert_int_equal(r.detail, inner);
}

static void a_good_token_names_its_epoch_and_spend_key(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r = { 0 };
    struct pp_token t;
    uint8_t expected[PP_SPEND_KEY_BYTES];

    gateway_init(&g);
    assert_ok(redeem(&g, PP_BYTES(g.token), NOON_S, &r));
    assert_int_equal(r.day, DAY);
    assert_ok(pp_token_parse(PP_BYTES(g.token), &t));
    pp_spend_key(&t, expected);
    assert_memory_equal(r.spend_key, expected, sizeof expected);
    gateway_done(&g);
}

/* W4.T2: the check is stateless: a second redemption has the spend key that the store holds. */
static void w4_t2_a_second_redemption_has_the_same_spend_key(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed first, second;

    gateway_init(&g);
    assert_ok(redeem(&g, PP_BYTES(g.token), NOON_S, &first));
    assert_ok(redeem(&g, PP_BYTES(g.token), NOON_S + 1, &second));
    assert_int_equal(first.day, second.day);
    assert_memory_equal(first.spend_key, second.spend_key, PP_SPEND_KEY_BYTES);
    gateway_done(&g);
}

static void every_changed_bit_of_a_token_is_refused_with_one_code(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r = { 0 };

    gateway_init(&g);
    for (size_t i = 0; i < TOKEN_BYTES * 8; i += i < AUTHENTICATOR_AT * 8 ? 5 : 3) {
        enum pp_code inner = i / 8 < NONCE_AT           ? PP_E_UNSUPPORTED
                             : i / 8 < DIGEST_AT        ? PP_E_AUTH
                             : i / 8 < KEY_ID_AT        ? PP_E_MISMATCH
                             : i / 8 < AUTHENTICATOR_AT ? PP_E_NOT_FOUND
                                                        : PP_E_AUTH;
        g.token[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_refused(redeem(&g, PP_BYTES(g.token), NOON_S, &r), inner);
        g.token[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_int_equal(r.day, 0);
    gateway_done(&g);
}

static void every_truncation_of_a_token_is_refused_with_one_code(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r;
    uint8_t longer[TOKEN_BYTES + 1] = { 0 };

    gateway_init(&g);
    for (size_t n = 0; n < TOKEN_BYTES; n++)
        assert_refused(redeem(&g, pp_span(g.token, n), NOON_S, &r), PP_E_TRUNCATED);
    memcpy(longer, g.token, TOKEN_BYTES);
    assert_refused(redeem(&g, PP_BYTES(longer), NOON_S, &r), PP_E_TRAILING);
    assert_refused(pp_cred_redeem_check(g.epochs, 3, NOON_S, PP_STR("Bearer x"), &r), PP_E_FORMAT);
    assert_refused(pp_cred_redeem_check(g.epochs, 3, NOON_S, PP_STR(""), &r), PP_E_FORMAT);
    assert_refused(pp_cred_redeem_check(g.epochs, 0, NOON_S, PP_STR("PrivateToken token=\"\""), &r),
                   PP_E_TRUNCATED);
    gateway_done(&g);
}

/* transparency-log B4: from 10 minutes before the epoch's day until 10 minutes after it. */
static void a_token_lives_for_its_day_and_10_minutes_around_it(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r;
    const uint64_t from = (uint64_t)DAY * 86400, until = from + 86400;

    gateway_init(&g);
    assert_refused(redeem(&g, PP_BYTES(g.token), from - 601, &r), PP_E_NOT_FOUND);
    assert_ok(redeem(&g, PP_BYTES(g.token), from - 600, &r));
    assert_ok(redeem(&g, PP_BYTES(g.token), until + 599, &r));
    assert_refused(redeem(&g, PP_BYTES(g.token), until + 600, &r), PP_E_NOT_FOUND);
    assert_refused(redeem(&g, PP_BYTES(g.token), 0, &r), PP_E_NOT_FOUND);
    assert_refused(redeem(&g, PP_BYTES(g.token), UINT64_MAX, &r), PP_E_NOT_FOUND);
    gateway_done(&g);
}

/* The key of one epoch, the challenge of another: made by the issuer for nobody's good. */
static void a_token_for_another_epochs_challenge_is_refused(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r;

    gateway_init(&g);
    struct pp_secret tokens = test_tokens(&g.keys[1], DAY + 1, 1);
    assert_refused(redeem(&g, pp_secret_span(&tokens), NOON_S, &r), PP_E_MISMATCH);
    pp_secret_done(&tokens);
    gateway_done(&g);
}

static void a_token_for_another_gateway_is_refused(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r;

    gateway_init(&g);
    assert_ok(
        pp_cred_epoch_init(&g.epochs[1], &g.keys[1], DAY, PP_STR(ISSUER), PP_STR("other.example")));
    assert_refused(redeem(&g, PP_BYTES(g.token), NOON_S, &r), PP_E_MISMATCH);
    gateway_done(&g);
}

/* W2.T8 at redemption: an authenticator of OPRF mode under the same key. */
static void w2_t8_a_token_of_another_mode_is_refused(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_redeemed r;

    gateway_init(&g);
    assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_OPRF,
                               pp_secret_span(&g.keys[1].sk_secret),
                               pp_span(g.token, AUTHENTICATOR_AT), g.token + AUTHENTICATOR_AT));
    assert_refused(redeem(&g, PP_BYTES(g.token), NOON_S, &r), PP_E_AUTH);
    gateway_done(&g);
}

static void an_epoch_needs_an_issuer_name(void **state)
{
    (void)state;
    struct gateway g;
    struct pp_cred_epoch e = { .day = 7 };

    gateway_init(&g);
    assert_code(pp_cred_epoch_init(&e, &g.keys[0], DAY, PP_STR(""), PP_STR(AUTHORITY)), PP_E_RANGE);
    assert_int_equal(e.day, 7);
    gateway_done(&g);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_good_token_names_its_epoch_and_spend_key),
    cmocka_unit_test(w4_t2_a_second_redemption_has_the_same_spend_key),
    cmocka_unit_test(every_changed_bit_of_a_token_is_refused_with_one_code),
    cmocka_unit_test(every_truncation_of_a_token_is_refused_with_one_code),
    cmocka_unit_test(a_token_lives_for_its_day_and_10_minutes_around_it),
    cmocka_unit_test(a_token_for_another_epochs_challenge_is_refused),
    cmocka_unit_test(a_token_for_another_gateway_is_refused),
    cmocka_unit_test(w2_t8_a_token_of_another_mode_is_refused),
    cmocka_unit_test(an_epoch_needs_an_issuer_name),
};

CRED_TEST_MAIN(TESTS)
