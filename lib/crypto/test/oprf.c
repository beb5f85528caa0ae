/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "oprf_int.h"

/* RFC 9497 A.1.2, ristretto255-SHA512 in VOPRF mode, test vector 1. */
#define SEED      "a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3"
#define KEY       "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
#define PUBLIC    "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
#define BLIND     "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
#define BLINDED   "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"
#define EVALUATED "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"
#define PROOF                                                                                      \
    "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"                             \
    "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d"
#define PROOF_RANDOM "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
#define OUTPUT                                                                                     \
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"                             \
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"

/* The group order, and elements that RFC 9496 A.2 wants refused. */
#define ORDER "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
static const char *const BAD_ELEMENTS[] = {
    /* the identity */
    "0000000000000000000000000000000000000000000000000000000000000000",
    /* non-canonical field elements */
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    /* negative field element */
    "0100000000000000000000000000000000000000000000000000000000000000",
    /* no square root */
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
};

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

/* The scalar of a published vector as the 64 random bytes that reduce to it. */
static void wide_scalar(const char *hex, uint8_t wide[PP_OPRF_RANDOM_BYTES])
{
    memset(wide, 0, PP_OPRF_RANDOM_BYTES);
    pp_test_hex(hex, wide, PP_OPRF_RANDOM_BYTES);
}

/* A batch as both sides hold it after issuing. */
struct batch {
    struct pp_secret sk;
    uint8_t pk[ELEMENT];
    uint8_t inputs[BATCH][98], blinds[BATCH][PP_OPRF_SCALAR_BYTES];
    uint8_t blinded[BATCH * ELEMENT], evaluated[BATCH * ELEMENT];
    uint8_t proof[PP_OPRF_PROOF_BYTES];
};

static void batch_init(struct batch *b)
{
    PP_HEX(seed, SEED);

    *b = (struct batch){ 0 };
    assert_ok(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(seed, 32),
                                 PP_STR("test key"), &b->sk, b->pk));
    for (size_t i = 0; i < BATCH; i++) {
        memset(b->inputs[i], (int)i + 1, sizeof b->inputs[i]);
        assert_ok(pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(b->inputs[i]), &RANDOM,
                                b->blinds[i], b->blinded + i * ELEMENT));
    }
    assert_ok(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_secret_span(&b->sk), b->pk,
                                      b->blinded, BATCH, &RANDOM, b->evaluated, b->proof));
}

static pp_res verify(const struct batch *b)
{
    return pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, b->pk, b->blinded, b->evaluated, BATCH,
                                 b->proof);
}

static void derived_keys_are_those_of_rfc_9497(void **state)
{
    (void)state;
    PP_HEX(seed, SEED);
    PP_AUTO(pp_secret) sk = { 0 };
    PP_AUTO(pp_secret) other = { 0 };
    uint8_t pk[ELEMENT];

    assert_ok(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(seed, 32),
                                 PP_STR("test key"), &sk, pk));
    assert_hex(sk.bytes, sk.len, KEY);
    assert_hex(pk, sizeof pk, PUBLIC);
    assert_ok(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_OPRF, pp_span(seed, 32),
                                 PP_STR("test key"), &other, pk));
    assert_hex(other.bytes, other.len,
               "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e");
}

static void a_seed_of_another_length_or_too_long_an_info_is_refused(void **state)
{
    (void)state;
    struct pp_secret sk = { 0 };
    uint8_t seed[33] = { 1 };
    uint8_t pk[ELEMENT];

    assert_code(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(seed, 31), PP_STR(""),
                                   &sk, pk),
                PP_E_RANGE);
    assert_code(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(seed, 33), PP_STR(""),
                                   &sk, pk),
                PP_E_RANGE);
    static uint8_t info[PP_OPRF_INPUT_BYTES_MAX + 1];
    assert_code(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(seed, 32),
                                   PP_BYTES(info), &sk, pk),
                PP_E_RANGE);
    assert_null(sk.bytes);
}

static void one_exchange_is_that_of_rfc_9497(void **state)
{
    (void)state;
    PP_HEX(sk, KEY);
    uint8_t blind[PP_OPRF_SCALAR_BYTES], blinded[ELEMENT], evaluated[ELEMENT], pk[ELEMENT];
    uint8_t proof[PP_OPRF_PROOF_BYTES], output[PP_OPRF_OUTPUT_BYTES], wide[PP_OPRF_RANDOM_BYTES];
    struct pp_span script = PP_BYTES(wide);
    struct pp_random random = pp_random_script(&script);

    wide_scalar(BLIND, wide);
    assert_ok(
        pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_STR("\0"), &random, blind, blinded));
    assert_hex(blind, sizeof blind, BLIND);
    assert_hex(blinded, sizeof blinded, BLINDED);

    assert_ok(pp_oprf_public(&PP_RISTRETTO255_SHA512, pp_span(sk, 32), pk));
    assert_hex(pk, sizeof pk, PUBLIC);
    wide_scalar(PROOF_RANDOM, wide);
    script = PP_BYTES(wide);
    assert_ok(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_span(sk, 32), pk, blinded, 1,
                                      &random, evaluated, proof));
    assert_hex(evaluated, sizeof evaluated, EVALUATED);
    assert_hex(proof, sizeof proof, PROOF);

    assert_ok(pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, pk, blinded, evaluated, 1, proof));
    assert_ok(pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_STR("\0"), PP_BYTES(blind), evaluated,
                               output));
    assert_hex(output, sizeof output, OUTPUT);
    assert_ok(
        pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(sk, 32), PP_STR("\0"), output));
    assert_hex(output, sizeof output, OUTPUT);
}

static void both_sides_of_a_batch_agree(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    assert_ok(verify(&b));
    for (size_t i = 0; i < BATCH; i++) {
        uint8_t a[PP_OPRF_OUTPUT_BYTES], c[PP_OPRF_OUTPUT_BYTES];
        assert_ok(pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_BYTES(b.inputs[i]),
                                   PP_BYTES(b.blinds[i]), b.evaluated + i * ELEMENT, a));
        assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_secret_span(&b.sk),
                                   PP_BYTES(b.inputs[i]), c));
        assert_memory_equal(a, c, sizeof a);
    }
    pp_secret_done(&b.sk);
}

/* RFC 9497 3.1: the context string keeps the modes of one key apart. */
static void modes_give_different_outputs(void **state)
{
    (void)state;
    PP_HEX(sk, KEY);
    uint8_t a[PP_OPRF_OUTPUT_BYTES], b[PP_OPRF_OUTPUT_BYTES];

    assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_OPRF, pp_span(sk, 32), PP_STR("x"), a));
    assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(sk, 32), PP_STR("x"), b));
    assert_memory_not_equal(a, b, sizeof a);
}

static void any_changed_bit_of_a_proof_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    for (size_t i = 0; i < sizeof b.proof * 8; i++) {
        b.proof[i / 8] ^= (uint8_t)(1U << i % 8);
        pp_res r = verify(&b);
        assert_true(r.code == PP_E_PROOF || r.code == PP_E_ENCODING);
        b.proof[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_ok(verify(&b));
    pp_secret_done(&b.sk);
}

static void swap_elements(uint8_t *list, size_t i, size_t k)
{
    uint8_t t[ELEMENT];

    memcpy(t, list + i * ELEMENT, ELEMENT);
    memcpy(list + i * ELEMENT, list + k * ELEMENT, ELEMENT);
    memcpy(list + k * ELEMENT, t, ELEMENT);
}

static void a_proof_of_other_elements_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    swap_elements(b.evaluated, 0, 1);
    assert_code(verify(&b), PP_E_PROOF);
    swap_elements(b.blinded, 0, 1); /* the pairs fit again, their order is another */
    assert_code(verify(&b), PP_E_PROOF);
    swap_elements(b.evaluated, 0, 1);
    swap_elements(b.blinded, 0, 1);
    assert_ok(verify(&b));
    assert_code(pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, b.pk, b.blinded, b.evaluated,
                                      BATCH - 1, b.proof),
                PP_E_PROOF);
    memcpy(b.evaluated + 2 * ELEMENT, b.blinded, ELEMENT);
    assert_code(verify(&b), PP_E_PROOF);
    pp_secret_done(&b.sk);
}

static void a_proof_under_another_key_is_refused(void **state)
{
    (void)state;
    struct batch b;
    uint8_t seed[32] = { 9 };
    PP_AUTO(pp_secret) other = { 0 };
    uint8_t pk[ELEMENT];

    batch_init(&b);
    assert_ok(pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(seed),
                                 PP_STR("test key"), &other, pk));
    assert_code(
        pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, pk, b.blinded, b.evaluated, BATCH, b.proof),
        PP_E_PROOF);
    assert_ok(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_secret_span(&other), pk,
                                      b.blinded, BATCH, &RANDOM, b.evaluated, b.proof));
    assert_code(verify(&b), PP_E_PROOF);
    assert_ok(
        pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, pk, b.blinded, b.evaluated, BATCH, b.proof));
    pp_secret_done(&b.sk);
}

/* The right key and elements, but the context string of another mode. */
static void w2_t8_a_proof_of_another_context_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    struct pp_oprf_statement s = {
        &PP_RISTRETTO255_SHA512, PP_OPRF, b.pk, b.blinded, b.evaluated, BATCH
    };
    assert_ok(pp_oprf_prove(&s, b.sk.bytes, &RANDOM, b.proof));
    assert_ok(pp_oprf_prove_check(&s, b.proof));
    assert_code(verify(&b), PP_E_PROOF);
    s.mode = PP_VOPRF;
    assert_ok(pp_oprf_prove(&s, b.sk.bytes, &RANDOM, b.proof));
    assert_ok(verify(&b));
    pp_secret_done(&b.sk);
}

/* c and s zero make both commitments the identity, whatever the elements are. */
static void a_proof_of_zeros_is_refused(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    memset(b.proof, 0, sizeof b.proof);
    assert_code(verify(&b), PP_E_PROOF);
    pp_secret_done(&b.sk);
}

static void scalars_of_a_proof_have_one_encoding(void **state)
{
    (void)state;
    PP_HEX(order, ORDER);
    struct batch b;

    for (size_t half = 0; half < 2; half++) {
        unsigned carry = 0;
        batch_init(&b);
        for (size_t i = 0; i < 32; i++) {
            carry += b.proof[32 * half + i] + (unsigned)order[i];
            b.proof[32 * half + i] = (uint8_t)carry;
            carry >>= 8;
        }
        assert_code(verify(&b), PP_E_ENCODING);
        pp_secret_done(&b.sk);
    }
}

static void bad_elements_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    struct batch b;

    batch_init(&b);
    for (size_t k = 0; k < PP_ARRAY_COUNT(BAD_ELEMENTS); k++) {
        uint8_t bad[ELEMENT], out[64], was[ELEMENT];
        uint8_t evaluated[BATCH * ELEMENT] = { 0 };

        pp_test_hex(BAD_ELEMENTS[k], bad, sizeof bad);
        assert_code(pp_oprf_element_check(&PP_RISTRETTO255_SHA512, bad), PP_E_KEY);
        assert_code(
            pp_oprf_evaluate_blinded(&PP_RISTRETTO255_SHA512, pp_secret_span(&b.sk), bad, out),
            PP_E_KEY);
        assert_code(
            pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_STR("x"), PP_BYTES(b.blinds[0]), bad, out),
            PP_E_KEY);
        assert_code(pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, bad, b.blinded, b.evaluated,
                                          BATCH, b.proof),
                    PP_E_KEY);
        for (size_t i = 0; i < BATCH; i++) {
            memcpy(was, b.blinded + i * ELEMENT, ELEMENT);
            memcpy(b.blinded + i * ELEMENT, bad, ELEMENT);
            pp_res r = pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_secret_span(&b.sk), b.pk,
                                               b.blinded, BATCH, &RANDOM, evaluated, out);
            assert_code(r, PP_E_KEY);
            assert_int_equal(r.detail, i);
            assert_int_equal(evaluated[0], 0); /* nothing of the batch came out */
            assert_code(verify(&b), PP_E_KEY);
            memcpy(b.blinded + i * ELEMENT, was, ELEMENT);

            memcpy(was, b.evaluated + i * ELEMENT, ELEMENT);
            memcpy(b.evaluated + i * ELEMENT, bad, ELEMENT);
            assert_code(verify(&b), PP_E_KEY);
            memcpy(b.evaluated + i * ELEMENT, was, ELEMENT);
        }
    }
    assert_ok(verify(&b));
    pp_secret_done(&b.sk);
}

static void zero_and_unreduced_private_keys_are_refused(void **state)
{
    (void)state;
    PP_HEX(order, ORDER);
    PP_HEX(good, BLINDED);
    uint8_t zero[32] = { 0 };
    uint8_t out[64];
    const struct pp_span bad[] = { PP_BYTES(zero), pp_span(order, 32), pp_span(order, 31),
                                   pp_span(NULL, 0) };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        assert_code(pp_oprf_public(&PP_RISTRETTO255_SHA512, bad[i], out), PP_E_KEY);
        assert_code(pp_oprf_evaluate_blinded(&PP_RISTRETTO255_SHA512, bad[i], good, out), PP_E_KEY);
        assert_code(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, bad[i], PP_STR("x"), out),
                    PP_E_KEY);
        assert_code(pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_STR("x"), bad[i], good, out),
                    PP_E_KEY);
        assert_code(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, bad[i], good, good, 1, &RANDOM,
                                            out, out),
                    PP_E_KEY);
    }
}

static void batches_have_at_least_one_and_at_most_128_elements(void **state)
{
    (void)state;
    PP_HEX(sk, KEY);
    PP_HEX(pk, PUBLIC);
    PP_HEX(element, BLINDED);
    static uint8_t blinded[(PP_OPRF_BATCH_MAX + 1) * ELEMENT];
    static uint8_t evaluated[(PP_OPRF_BATCH_MAX + 1) * ELEMENT];
    uint8_t proof[PP_OPRF_PROOF_BYTES];
    const size_t counts[] = { 0, PP_OPRF_BATCH_MAX + 1 };

    for (size_t i = 0; i < PP_OPRF_BATCH_MAX; i++)
        memcpy(blinded + i * ELEMENT, element, ELEMENT);
    assert_ok(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_span(sk, 32), pk, blinded,
                                      PP_OPRF_BATCH_MAX, &RANDOM, evaluated, proof));
    assert_ok(pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, pk, blinded, evaluated,
                                    PP_OPRF_BATCH_MAX, proof));
    for (size_t i = 0; i < PP_ARRAY_COUNT(counts); i++) {
        assert_code(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_span(sk, 32), pk, blinded,
                                            counts[i], &RANDOM, evaluated, proof),
                    PP_E_RANGE);
        assert_code(pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, pk, blinded, evaluated,
                                          counts[i], proof),
                    PP_E_RANGE);
    }
}

static void inputs_have_at_most_65535_bytes(void **state)
{
    (void)state;
    PP_HEX(sk, KEY);
    PP_HEX(element, BLINDED);
    static uint8_t input[PP_OPRF_INPUT_BYTES_MAX + 1];
    uint8_t blind[32], out[64];

    assert_ok(pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(input, sizeof input - 1),
                            &RANDOM, blind, out));
    assert_code(
        pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_BYTES(input), &RANDOM, blind, out),
        PP_E_RANGE);
    assert_ok(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(sk, 32),
                               pp_span(input, sizeof input - 1), out));
    assert_code(
        pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_span(sk, 32), PP_BYTES(input), out),
        PP_E_RANGE);
    assert_ok(pp_oprf_finalize(&PP_RISTRETTO255_SHA512, pp_span(input, sizeof input - 1),
                               PP_BYTES(blind), element, out));
    assert_code(
        pp_oprf_finalize(&PP_RISTRETTO255_SHA512, PP_BYTES(input), PP_BYTES(blind), element, out),
        PP_E_RANGE);
}

static void a_failed_random_source_gives_no_blind_and_no_proof(void **state)
{
    (void)state;
    PP_HEX(sk, KEY);
    PP_HEX(pk, PUBLIC);
    PP_HEX(element, BLINDED);
    uint8_t zeros[PP_OPRF_RANDOM_BYTES] = { 0 };
    uint8_t blind[32] = { 0x77 };
    uint8_t out[64] = { 0x77 };
    const struct pp_span scripts[] = { { 0 }, PP_BYTES(zeros) }; /* too few bytes; a zero scalar */

    for (size_t i = 0; i < PP_ARRAY_COUNT(scripts); i++) {
        struct pp_span script = scripts[i];
        struct pp_random random = pp_random_script(&script);
        assert_code(
            pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, PP_STR("x"), &random, blind, out),
            PP_E_RANDOM);
        script = scripts[i];
        assert_code(pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_span(sk, 32), pk, element,
                                            1, &random, out, out),
                    PP_E_RANDOM);
        assert_true(blind[0] == 0x77 && out[0] == 0x77);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(derived_keys_are_those_of_rfc_9497),
    cmocka_unit_test(a_seed_of_another_length_or_too_long_an_info_is_refused),
    cmocka_unit_test(one_exchange_is_that_of_rfc_9497),
    cmocka_unit_test(both_sides_of_a_batch_agree),
    cmocka_unit_test(modes_give_different_outputs),
    cmocka_unit_test(any_changed_bit_of_a_proof_is_refused),
    cmocka_unit_test(a_proof_of_other_elements_is_refused),
    cmocka_unit_test(a_proof_under_another_key_is_refused),
    cmocka_unit_test(w2_t8_a_proof_of_another_context_is_refused),
    cmocka_unit_test(a_proof_of_zeros_is_refused),
    cmocka_unit_test(scalars_of_a_proof_have_one_encoding),
    cmocka_unit_test(bad_elements_are_refused_wherever_they_stand),
    cmocka_unit_test(zero_and_unreduced_private_keys_are_refused),
    cmocka_unit_test(batches_have_at_least_one_and_at_most_128_elements),
    cmocka_unit_test(inputs_have_at_most_65535_bytes),
    cmocka_unit_test(a_failed_random_source_gives_no_blind_and_no_proof),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
