/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9497 3.3.3, and what only this mode has to refuse. Published figures: ppctl vectors oprf. */
#include "harness.h"

#include "crypto.h"
#include "oprf_int.h"

#define SUITE (&PP_RISTRETTO255_SHA512)

enum { BATCH = 4, ELEMENT = PP_OPRF_ELEMENT_BYTES };

/* Bytes that differ from call to call and are the same in every run. */
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

static const struct pp_span INFO = { (const uint8_t *)"day 20500", 9 };

/* A batch as both sides hold it after issuing. */
struct batch {
    struct pp_secret sk;
    uint8_t pk[ELEMENT], tweaked[ELEMENT];
    uint8_t inputs[BATCH][98], blinds[BATCH][PP_OPRF_SCALAR_BYTES];
    uint8_t blinded[BATCH * ELEMENT], evaluated[BATCH * ELEMENT];
    uint8_t proof[PP_OPRF_PROOF_BYTES];
};

static pp_res issue(struct batch *b, struct pp_span info)
{
    return pp_poprf_evaluate_batch(SUITE, pp_secret_span(&b->sk), info, b->blinded, BATCH, &RANDOM,
                                   b->evaluated, b->proof);
}

static pp_res verify(const struct batch *b)
{
    return pp_poprf_verify_batch(SUITE, b->tweaked, b->blinded, b->evaluated, BATCH, b->proof);
}

static void batch_init(struct batch *b)
{
    uint8_t seed[PP_OPRF_SEED_BYTES] = { 5 };

    *b = (struct batch){ 0 };
    assert_ok(pp_oprf_derive_key(SUITE, PP_POPRF, PP_BYTES(seed), PP_STR("test"), &b->sk, b->pk));
    assert_ok(pp_poprf_tweak(SUITE, b->pk, INFO, b->tweaked));
    for (size_t i = 0; i < BATCH; i++) {
        memset(b->inputs[i], (int)i + 1, sizeof b->inputs[i]);
        assert_ok(pp_oprf_blind(SUITE, PP_POPRF, PP_BYTES(b->inputs[i]), &RANDOM, b->blinds[i],
                                b->blinded + i * ELEMENT));
    }
    assert_ok(issue(b, INFO));
}

static void batch_done(struct batch *b)
{
    pp_secret_done(&b->sk);
}

static void both_sides_compute_one_output(void **state)
{
    (void)state;
    struct batch b;
    uint8_t mine[PP_OPRF_OUTPUT_BYTES], theirs[PP_OPRF_OUTPUT_BYTES];

    batch_init(&b);
    assert_ok(verify(&b));
    for (size_t i = 0; i < BATCH; i++) {
        assert_ok(pp_poprf_finalize(SUITE, PP_BYTES(b.inputs[i]), INFO, PP_BYTES(b.blinds[i]),
                                    b.evaluated + i * ELEMENT, mine));
        assert_ok(
            pp_poprf_evaluate(SUITE, pp_secret_span(&b.sk), PP_BYTES(b.inputs[i]), INFO, theirs));
        assert_memory_equal(mine, theirs, sizeof mine);
    }
    batch_done(&b);
}

static void a_batch_under_another_info_is_refused(void **state)
{
    (void)state;
    struct batch b;
    uint8_t a[PP_OPRF_OUTPUT_BYTES], c[PP_OPRF_OUTPUT_BYTES];

    batch_init(&b);
    assert_ok(issue(&b, PP_STR("day 20501"))); /* the server takes another day than it says */
    assert_code(verify(&b), PP_E_PROOF);
    assert_ok(issue(&b, INFO));
    assert_ok(verify(&b));
    assert_ok(pp_poprf_tweak(SUITE, b.pk, PP_STR("day 20501"), b.tweaked));
    assert_code(verify(&b), PP_E_PROOF);

    assert_ok(pp_poprf_evaluate(SUITE, pp_secret_span(&b.sk), PP_STR("x"), INFO, a));
    assert_ok(pp_poprf_evaluate(SUITE, pp_secret_span(&b.sk), PP_STR("x"), PP_STR(""), c));
    assert_memory_not_equal(a, c, sizeof a);
    batch_done(&b);
}

static void a_batch_under_another_key_is_refused(void **state)
{
    (void)state;
    struct batch b;
    uint8_t seed[PP_OPRF_SEED_BYTES] = { 6 }, pk[ELEMENT];

    batch_init(&b);
    pp_secret_done(&b.sk);
    assert_ok(pp_oprf_derive_key(SUITE, PP_POPRF, PP_BYTES(seed), PP_STR("test"), &b.sk, pk));
    assert_ok(issue(&b, INFO));
    assert_code(verify(&b), PP_E_PROOF);
    batch_done(&b);
}

static void w2_t5_a_poprf_proof_for_a_permuted_batch_is_refused(void **state)
{
    (void)state;
    struct batch b;
    uint8_t t[ELEMENT];

    batch_init(&b);
    memcpy(t, b.evaluated, ELEMENT);
    memmove(b.evaluated, b.evaluated + ELEMENT, ELEMENT);
    memcpy(b.evaluated + ELEMENT, t, ELEMENT);
    assert_code(verify(&b), PP_E_PROOF);
    batch_done(&b);
}

/* In VOPRF mode the same lists stand the other way round, under another context. */
static void w2_t8_a_proof_of_voprf_mode_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    assert_ok(pp_voprf_evaluate_batch(SUITE, pp_secret_span(&b.sk), b.pk, b.blinded, BATCH, &RANDOM,
                                      b.evaluated, b.proof));
    assert_code(verify(&b), PP_E_PROOF);
    assert_code(pp_poprf_verify_batch(SUITE, b.pk, b.blinded, b.evaluated, BATCH, b.proof),
                PP_E_PROOF);
    assert_code(pp_poprf_verify_batch(SUITE, b.pk, b.evaluated, b.blinded, BATCH, b.proof),
                PP_E_PROOF);
    batch_done(&b);
}

static void w2_t2_the_identity_or_a_bad_element_in_a_batch_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    for (int byte = 0; byte <= 0xff; byte += 0xff) {
        memset(b.evaluated + 2 * ELEMENT, byte, ELEMENT);
        pp_res r = verify(&b);
        assert_code(r, PP_E_KEY);
        assert_int_equal(r.detail, 2);
        assert_ok(issue(&b, INFO));
    }
    memset(b.blinded + 3 * ELEMENT, 0, ELEMENT);
    pp_res r = issue(&b, INFO);
    assert_code(r, PP_E_KEY);
    assert_int_equal(r.detail, 3);
    r = verify(&b);
    assert_code(r, PP_E_KEY);
    assert_int_equal(r.detail, 3);
    batch_done(&b);
}

/* The key whose sum with the info's scalar is zero: only a server that looked for it has it. */
static void w2_t2_the_identity_as_tweaked_key_and_a_zero_sum_are_refused(void **state)
{
    (void)state;
    struct batch b;
    struct pp_hash h;
    uint8_t m[PP_OPRF_SCALAR_BYTES], zero[PP_OPRF_SCALAR_BYTES] = { 0 };
    uint8_t output[PP_OPRF_OUTPUT_BYTES];

    batch_init(&b);
    pp_oprf_expand_begin(SUITE, &h);
    pp_hash_update(&h, PP_STR("Info"));
    pp_oprf_hash_block16(&h, INFO);
    assert_ok(pp_oprf_scalar_end(SUITE, PP_POPRF, "HashToScalar-", &h, m));
    assert_ok(SUITE->scalar_sub(zero, m, b.sk.bytes));
    assert_ok(pp_oprf_public(SUITE, pp_secret_span(&b.sk), b.pk));

    assert_code(pp_poprf_tweak(SUITE, b.pk, INFO, b.tweaked), PP_E_KEY);
    assert_code(issue(&b, INFO), PP_E_KEY);
    assert_code(pp_poprf_evaluate(SUITE, pp_secret_span(&b.sk), PP_STR("x"), INFO, output),
                PP_E_KEY);
    assert_ok(pp_poprf_tweak(SUITE, b.pk, PP_STR("another"), b.tweaked));

    memset(b.tweaked, 0, ELEMENT);
    assert_code(verify(&b), PP_E_KEY);
    memset(b.pk, 0, ELEMENT);
    assert_code(pp_poprf_tweak(SUITE, b.pk, INFO, b.tweaked), PP_E_KEY);
    batch_done(&b);
}

static void zero_and_non_canonical_keys_and_blinds_are_refused(void **state)
{
    (void)state;
    struct batch b;
    uint8_t bad[2][PP_OPRF_SCALAR_BYTES] = { { 0 } };
    uint8_t output[PP_OPRF_OUTPUT_BYTES];

    batch_init(&b);
    memset(bad[1], 0xff, sizeof bad[1]);
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        memcpy(b.sk.bytes, bad[i], sizeof bad[i]);
        assert_code(issue(&b, INFO), PP_E_KEY);
        assert_code(pp_poprf_evaluate(SUITE, pp_secret_span(&b.sk), PP_STR("x"), INFO, output),
                    PP_E_KEY);
        assert_code(
            pp_poprf_finalize(SUITE, PP_STR("x"), INFO, PP_BYTES(bad[i]), b.evaluated, output),
            PP_E_KEY);
    }
    batch_done(&b);
}

static void every_changed_bit_of_a_poprf_proof_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    for (size_t i = 0; i < sizeof b.proof * 8; i += 5) {
        b.proof[i / 8] ^= (uint8_t)(1U << i % 8);
        pp_res r = verify(&b);
        assert_true(r.code == PP_E_PROOF || r.code == PP_E_ENCODING);
        b.proof[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_ok(verify(&b));
    batch_done(&b);
}

static void info_has_up_to_65535_bytes(void **state)
{
    (void)state;
    static uint8_t info[PP_OPRF_INPUT_BYTES_MAX + 1];
    struct pp_span longest = pp_span(info, PP_OPRF_INPUT_BYTES_MAX);
    struct pp_span longer = PP_BYTES(info);
    struct batch b;
    uint8_t output[PP_OPRF_OUTPUT_BYTES];

    batch_init(&b);
    assert_ok(pp_poprf_tweak(SUITE, b.pk, longest, b.tweaked));
    assert_ok(issue(&b, longest));
    assert_ok(verify(&b));
    assert_code(pp_poprf_tweak(SUITE, b.pk, longer, b.tweaked), PP_E_RANGE);
    assert_code(issue(&b, longer), PP_E_RANGE);
    assert_code(pp_poprf_evaluate(SUITE, pp_secret_span(&b.sk), PP_STR("x"), longer, output),
                PP_E_RANGE);
    assert_code(
        pp_poprf_finalize(SUITE, PP_STR("x"), longer, PP_BYTES(b.blinds[0]), b.evaluated, output),
        PP_E_RANGE);
    assert_code(pp_poprf_finalize(SUITE, longer, INFO, PP_BYTES(b.blinds[0]), b.evaluated, output),
                PP_E_RANGE);
    batch_done(&b);
}

static void poprf_batches_have_1_to_128_elements(void **state)
{
    (void)state;
    static uint8_t blinded[(PP_OPRF_BATCH_MAX + 1) * ELEMENT], evaluated[sizeof blinded];
    struct batch b;

    batch_init(&b);
    for (size_t i = 0; i <= PP_OPRF_BATCH_MAX; i++)
        memcpy(blinded + i * ELEMENT, b.blinded, ELEMENT);
    const size_t counts[] = { 0, 1, PP_OPRF_BATCH_MAX, PP_OPRF_BATCH_MAX + 1 };
    for (size_t i = 0; i < PP_ARRAY_COUNT(counts); i++) {
        enum pp_code expected = i == 0 || i == 3 ? PP_E_RANGE : PP_E_OK;
        assert_code(pp_poprf_evaluate_batch(SUITE, pp_secret_span(&b.sk), INFO, blinded, counts[i],
                                            &RANDOM, evaluated, b.proof),
                    expected);
        assert_code(pp_poprf_verify_batch(SUITE, b.tweaked, blinded, evaluated, counts[i], b.proof),
                    expected);
    }
    batch_done(&b);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(both_sides_compute_one_output),
    cmocka_unit_test(a_batch_under_another_info_is_refused),
    cmocka_unit_test(a_batch_under_another_key_is_refused),
    cmocka_unit_test(w2_t5_a_poprf_proof_for_a_permuted_batch_is_refused),
    cmocka_unit_test(w2_t8_a_proof_of_voprf_mode_is_refused),
    cmocka_unit_test(w2_t2_the_identity_or_a_bad_element_in_a_batch_is_refused),
    cmocka_unit_test(w2_t2_the_identity_as_tweaked_key_and_a_zero_sum_are_refused),
    cmocka_unit_test(zero_and_non_canonical_keys_and_blinds_are_refused),
    cmocka_unit_test(every_changed_bit_of_a_poprf_proof_is_refused),
    cmocka_unit_test(info_has_up_to_65535_bytes),
    cmocka_unit_test(poprf_batches_have_1_to_128_elements),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
