/* SPDX-License-Identifier: Apache-2.0 */
/* The NIST suites of the OPRF. Published exchanges: ppctl vectors oprf. */
#include "harness.h"

#include "crypto.h"
#include "nist_int.h"
#include "oprf_int.h"

static pp_res counting_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint32_t *state = ctx;

    for (size_t i = 0; i < len; i++) {
        *state = *state * 1664525U + 1013904223U;
        ret[i] = (uint8_t)(*state >> 24);
    }
    return PP_OK;
}

static uint32_t counter;
static const struct pp_random RANDOM = { .fill = counting_fill, .ctx = &counter };
static const struct pp_oprf_suite *const SUITES[] = { &PP_P256_SHA256, &PP_P384_SHA384 };

/* The order of P-256. */
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
/* RFC 9380 J.1.1, the first message of P256_XMD:SHA-256_SSWU_RO_: u[0], u[1] and P.x. */
#define U0 "ad5342c66a6dd0ff080df1da0ea1c04b96e0330dd89406465eeba11582515009"
#define U1 "8c0f1d43204bd6f6ea70ae8013070a1518b43873bcd850aafa0a9e220e2eea5a"
#define PX "2c15230b26dbc6fc9a37051158c95b79656e17a1a920b11394ca91c44247d3e4"

static void two_field_elements_map_to_the_point_of_rfc_9380(void **state)
{
    (void)state;
    uint8_t uniform[96] = { 0 }, element[33];

    assert_int_equal(pp_test_hex(U0, uniform + 16, 32), 32);
    assert_int_equal(pp_test_hex(U1, uniform + 64, 32), 32);
    assert_ok(PP_P256_SHA256.map(uniform, element));
    assert_hex(element, sizeof element, "03" PX); /* P.y is odd */
}

/* RFC 9380 6.6.2: u = 0 makes the denominator zero, and b / (z * a) is the x to try. The figures
 * are twice that point, computed apart. */
static void the_exceptional_case_of_the_map_gives_the_point_of_its_own(void **state)
{
    static const char *const twice[] = {
        "03b2e54cbf5f47349af8a9d4f03e0a3fead0898607930833c7249bd33c38c7f942",
        "031e5ed03942d5c1abea00d062c0854293924a6bb4d1ceb124480911de2c2e7cbd"
        "47c1dbd2b9d6dba881eddb1ed4c64460",
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SUITES); i++) {
        uint8_t zero[PP_OPRF_UNIFORM_BYTES_MAX] = { 0 }, element[PP_OPRF_ELEMENT_BYTES_MAX];
        uint8_t again[PP_OPRF_ELEMENT_BYTES_MAX];

        assert_ok(SUITES[i]->map(zero, element));
        assert_hex(element, SUITES[i]->element_bytes, twice[i]);
        assert_ok(SUITES[i]->element_check(element));
        zero[0] = 1;
        assert_ok(SUITES[i]->map(zero, again));
        assert_memory_not_equal(element, again, SUITES[i]->element_bytes);
    }
}

static void elements_have_one_encoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SUITES); i++) {
        const struct pp_oprf_suite *s = SUITES[i];
        uint8_t e[PP_OPRF_ELEMENT_BYTES_MAX];

        assert_ok(pp_oprf_hash_to_group(s, PP_OPRF, PP_STR("x"), e));
        assert_ok(pp_oprf_element_check(s, e));
        uint8_t form = e[0];
        const uint8_t others[] = { 0, 1, 4, 5, 6, 7, 0xff };
        for (size_t k = 0; k < sizeof others; k++) {
            e[0] = others[k];
            assert_code(pp_oprf_element_check(s, e), PP_E_KEY);
        }
        e[0] = form;
        memset(e + 1, 0xff, s->element_bytes - 1); /* above p */
        assert_code(pp_oprf_element_check(s, e), PP_E_KEY);
        memset(e, 0, sizeof e);
        assert_code(pp_oprf_element_check(s, e), PP_E_KEY);
    }
}

static void sums_that_are_the_identity_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SUITES); i++) {
        const struct pp_oprf_suite *s = SUITES[i];
        uint8_t a[PP_OPRF_ELEMENT_BYTES_MAX], b[PP_OPRF_ELEMENT_BYTES_MAX];
        uint8_t sum[PP_OPRF_ELEMENT_BYTES_MAX], zero[PP_OPRF_SCALAR_BYTES_MAX] = { 0 };

        assert_ok(pp_oprf_hash_to_group(s, PP_OPRF, PP_STR("x"), a));
        memcpy(b, a, sizeof b);
        b[0] ^= 1; /* the other root is the negative */
        assert_code(s->add(a, b, sum), PP_E_KEY);
        assert_ok(s->add(a, a, sum));
        assert_code(s->multiply(zero, a, sum), PP_E_KEY);
        assert_code(s->multiply_base(zero, sum), PP_E_KEY);
    }
}

static void scalars_are_below_the_order(void **state)
{
    (void)state;
    PP_HEX(order, ORDER);
    uint8_t pk[PP_OPRF_ELEMENT_BYTES_MAX];

    assert_code(PP_P256_SHA256.canonical(order), PP_E_ENCODING);
    assert_code(pp_oprf_public(&PP_P256_SHA256, pp_span(order, 32), pk), PP_E_KEY);
    order[31]--;
    assert_ok(PP_P256_SHA256.canonical(order));
    assert_ok(pp_oprf_public(&PP_P256_SHA256, pp_span(order, 32), pk));
    assert_code(pp_oprf_public(&PP_P256_SHA256, pp_span(order, 31), pk), PP_E_KEY);
}

static void an_exchange_ends_in_one_output_and_a_wrong_proof_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SUITES); i++) {
        const struct pp_oprf_suite *s = SUITES[i];
        PP_AUTO(pp_secret) sk = { 0 };
        uint8_t seed[PP_OPRF_SEED_BYTES] = { 1 }, pk[PP_OPRF_ELEMENT_BYTES_MAX];
        uint8_t blind[PP_OPRF_SCALAR_BYTES_MAX], blinded[2 * PP_OPRF_ELEMENT_BYTES_MAX];
        uint8_t evaluated[2 * PP_OPRF_ELEMENT_BYTES_MAX], proof[PP_OPRF_PROOF_BYTES_MAX];
        uint8_t mine[PP_OPRF_OUTPUT_BYTES_MAX], theirs[PP_OPRF_OUTPUT_BYTES_MAX];

        assert_ok(pp_oprf_derive_key(s, PP_VOPRF, PP_BYTES(seed), PP_STR("t"), &sk, pk));
        assert_ok(pp_oprf_blind(s, PP_VOPRF, PP_STR("y"), &RANDOM, blind, blinded));
        assert_ok(pp_oprf_blind(s, PP_VOPRF, PP_STR("x"), &RANDOM, blind,
                                blinded + pp_oprf_element_bytes(s)));
        assert_ok(pp_voprf_evaluate_batch(s, pp_secret_span(&sk), pk, blinded, 2, &RANDOM,
                                          evaluated, proof));
        assert_ok(pp_voprf_verify_batch(s, pk, blinded, evaluated, 2, proof));
        assert_ok(pp_oprf_finalize(s, PP_STR("x"), pp_span(blind, pp_oprf_scalar_bytes(s)),
                                   evaluated + pp_oprf_element_bytes(s), mine));
        assert_ok(pp_oprf_evaluate(s, PP_VOPRF, pp_secret_span(&sk), PP_STR("x"), theirs));
        assert_memory_equal(mine, theirs, pp_oprf_output_bytes(s));
        evaluated[0] ^= 1; /* the negative: an element, and the wrong one */
        assert_code(pp_voprf_verify_batch(s, pk, blinded, evaluated, 2, proof), PP_E_PROOF);
        evaluated[0] ^= 1;
        proof[0] ^= 1;
        assert_code(pp_voprf_verify_batch(s, pk, blinded, evaluated, 2, proof), PP_E_PROOF);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(two_field_elements_map_to_the_point_of_rfc_9380),
    cmocka_unit_test(the_exceptional_case_of_the_map_gives_the_point_of_its_own),
    cmocka_unit_test(elements_have_one_encoding),
    cmocka_unit_test(sums_that_are_the_identity_are_refused),
    cmocka_unit_test(scalars_are_below_the_order),
    cmocka_unit_test(an_exchange_ends_in_one_output_and_a_wrong_proof_is_refused),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
