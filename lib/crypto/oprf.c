/* SPDX-License-Identifier: Apache-2.0 */
#include "oprf_int.h"

size_t pp_oprf_element_bytes(const struct pp_oprf_suite *s)
{
    return s->element_bytes;
}

size_t pp_oprf_scalar_bytes(const struct pp_oprf_suite *s)
{
    return s->scalar_bytes;
}

size_t pp_oprf_output_bytes(const struct pp_oprf_suite *s)
{
    return pp_hash_len(s->hash);
}

size_t pp_oprf_random_bytes(const struct pp_oprf_suite *s)
{
    return s->wide_bytes;
}

/* --- keys ---------------------------------------------------------------------------------- */

static pp_res secret_scalar_check(const struct pp_oprf_suite *s, struct pp_span scalar)
{
    PP_CHECK(scalar.len == s->scalar_bytes, PP_E_KEY, scalar.len);
    PP_TRY_AS(PP_E_KEY, s->canonical(scalar.at));
    uint32_t zero = pp_ct_is_zero(scalar.at, s->scalar_bytes);
    PP_REVEAL(&zero, sizeof zero, "that a key is usable says nothing about which one it is");
    PP_CHECK(zero == 0, PP_E_KEY, 0);
    return PP_OK;
}

pp_res pp_oprf_element_check(const struct pp_oprf_suite *s, const uint8_t *element)
{
    return s->element_check(element);
}

pp_res pp_oprf_public(const struct pp_oprf_suite *s, struct pp_span sk_secret, uint8_t *ret_pk)
{
    PP_TRY(secret_scalar_check(s, sk_secret));
    return s->multiply_base(sk_secret.at, ret_pk);
}

pp_res pp_oprf_derive_key(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                          struct pp_span seed_secret, struct pp_span info, struct pp_secret *ret_sk,
                          uint8_t *ret_pk)
{
    PP_AUTO(pp_secret) sk = { 0 };
    pp_res r = PP_FAIL(PP_E_KEY, 0);

    PP_CHECK(seed_secret.len == PP_OPRF_SEED_BYTES, PP_E_RANGE, seed_secret.len);
    PP_CHECK(info.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    PP_TRY(pp_secret_alloc(&sk, s->scalar_bytes));
    for (unsigned counter = 0; counter <= 255 && !pp_is_ok(r); counter++) {
        struct pp_hash h;

        pp_oprf_expand_begin(s, &h);
        pp_hash_update(&h, seed_secret);
        pp_oprf_hash_block16(&h, info);
        pp_hash_u8(&h, (uint8_t)counter);
        PP_TRY(pp_oprf_scalar_end(s, mode, "DeriveKeyPair", &h, sk.bytes));
        r = pp_oprf_public(s, pp_secret_span(&sk), ret_pk);
    }
    PP_TRY(r);
    *ret_sk = sk;
    sk = (struct pp_secret){ 0 };
    return PP_OK;
}

/* --- blinding and unblinding ----------------------------------------------------------------- */

pp_res pp_oprf_blind(const struct pp_oprf_suite *s, enum pp_oprf_mode mode, struct pp_span input,
                     const struct pp_random *random, uint8_t *ret_blind_secret,
                     uint8_t *ret_blinded)
{
    PP_AUTO(pp_oprf_scratch) element;
    PP_AUTO(pp_oprf_scratch) blind;

    PP_TRY(pp_oprf_hash_to_group(s, mode, input, element.bytes));
    PP_TRY(pp_oprf_random_scalar(s, random, blind.bytes));
    PP_TRY(s->multiply(blind.bytes, element.bytes, ret_blinded));
    memcpy(ret_blind_secret, blind.bytes, s->scalar_bytes);
    return PP_OK;
}

/* Hash(input, info, element): without `info`, that of the modes which have none. */
static void output_hash(const struct pp_oprf_suite *s, struct pp_span input,
                        const struct pp_span *info, const uint8_t *element, uint8_t *ret)
{
    struct pp_hash h;

    pp_hash_init(&h, s->hash);
    pp_oprf_hash_block16(&h, input);
    if (info != NULL)
        pp_oprf_hash_block16(&h, *info);
    pp_oprf_hash_element(s, &h, element);
    pp_hash_update(&h, PP_STR("Finalize"));
    pp_hash_final(&h, ret);
}

static pp_res finalize(const struct pp_oprf_suite *s, struct pp_span input,
                       const struct pp_span *info, struct pp_span blind_secret,
                       const uint8_t *evaluated, uint8_t *ret_output)
{
    PP_AUTO(pp_oprf_scratch) inverse;
    PP_AUTO(pp_oprf_scratch) element;

    PP_CHECK(input.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, input.len);
    PP_TRY(secret_scalar_check(s, blind_secret));
    PP_TRY(s->scalar_invert(blind_secret.at, inverse.bytes));
    PP_TRY(s->multiply(inverse.bytes, evaluated, element.bytes));
    output_hash(s, input, info, element.bytes, ret_output);
    return PP_OK;
}

pp_res pp_oprf_finalize(const struct pp_oprf_suite *s, struct pp_span input,
                        struct pp_span blind_secret, const uint8_t *evaluated, uint8_t *ret_output)
{
    return finalize(s, input, NULL, blind_secret, evaluated, ret_output);
}

/* --- evaluation with the private key --------------------------------------------------------- */

pp_res pp_oprf_evaluate_blinded(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                                const uint8_t *blinded, uint8_t *ret)
{
    PP_TRY(secret_scalar_check(s, sk_secret));
    return s->multiply(sk_secret.at, blinded, ret);
}

/* The output that unblinding gives, from the factor that every element was multiplied with. */
static pp_res evaluate(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                       const uint8_t *factor_secret, struct pp_span input,
                       const struct pp_span *info, uint8_t *ret_output)
{
    PP_AUTO(pp_oprf_scratch) element;
    PP_AUTO(pp_oprf_scratch) evaluated;

    PP_TRY(pp_oprf_hash_to_group(s, mode, input, element.bytes));
    PP_TRY(s->multiply(factor_secret, element.bytes, evaluated.bytes));
    output_hash(s, input, info, evaluated.bytes, ret_output);
    return PP_OK;
}

pp_res pp_oprf_evaluate(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                        struct pp_span sk_secret, struct pp_span input, uint8_t *ret_output)
{
    PP_TRY(secret_scalar_check(s, sk_secret));
    return evaluate(s, mode, sk_secret.at, input, NULL, ret_output);
}

/* factor * element for each; `ret_evaluated` has room for PP_OPRF_BATCH_MAX. */
static pp_res multiply_all(const struct pp_oprf_suite *s, const uint8_t *factor_secret,
                           const uint8_t *blinded, size_t count, uint8_t *ret_evaluated)
{
    PP_CHECK(count >= 1 && count <= PP_OPRF_BATCH_MAX, PP_E_RANGE, count);
    for (size_t i = 0; i < count; i++)
        PP_CHECK(pp_is_ok(s->multiply(factor_secret, blinded + i * s->element_bytes,
                                      ret_evaluated + i * s->element_bytes)),
                 PP_E_KEY, i);
    PP_REVEAL(ret_evaluated, count * s->element_bytes,
              "the evaluated elements are the answer to the client");
    return PP_OK;
}

pp_res pp_voprf_evaluate_batch(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                               const uint8_t *pk, const uint8_t *blinded, size_t count,
                               const struct pp_random *random, uint8_t *ret_evaluated,
                               uint8_t *ret_proof)
{
    uint8_t evaluated[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t proof[PP_OPRF_PROOF_BYTES_MAX];

    PP_TRY(secret_scalar_check(s, sk_secret));
    PP_TRY(multiply_all(s, sk_secret.at, blinded, count, evaluated));
    const struct pp_oprf_statement st = { s, PP_VOPRF, pk, blinded, evaluated, count };
    PP_TRY(pp_oprf_prove(&st, sk_secret.at, random, proof));
    memcpy(ret_evaluated, evaluated, count * s->element_bytes);
    memcpy(ret_proof, proof, 2 * s->scalar_bytes);
    return PP_OK;
}

pp_res pp_voprf_verify_batch(const struct pp_oprf_suite *s, const uint8_t *pk,
                             const uint8_t *blinded, const uint8_t *evaluated, size_t count,
                             const uint8_t *proof)
{
    const struct pp_oprf_statement st = { s, PP_VOPRF, pk, blinded, evaluated, count };

    PP_CHECK(count >= 1 && count <= PP_OPRF_BATCH_MAX, PP_E_RANGE, count);
    PP_TRY(s->element_check(pk));
    return pp_oprf_prove_check(&st, proof);
}

/* --- POPRF ----------------------------------------------------------------------------------- */

static pp_res hash_info(const struct pp_oprf_suite *s, struct pp_span info, uint8_t *ret)
{
    struct pp_hash h;

    PP_CHECK(info.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    pp_oprf_expand_begin(s, &h);
    pp_hash_update(&h, PP_STR("Info"));
    pp_oprf_hash_block16(&h, info);
    return pp_oprf_scalar_end(s, PP_POPRF, "HashToScalar-", &h, ret);
}

pp_res pp_poprf_tweak(const struct pp_oprf_suite *s, const uint8_t *pk, struct pp_span info,
                      uint8_t *ret_tweaked)
{
    uint8_t m[PP_OPRF_SCALAR_BYTES_MAX], element[PP_OPRF_ELEMENT_BYTES_MAX];

    PP_TRY(s->element_check(pk));
    PP_TRY(hash_info(s, info, m));
    PP_TRY(s->multiply_base(m, element));
    return s->add(element, pk, ret_tweaked);
}

/* t = sk + m, and its inverse, which multiplies elements. */
static pp_res tweak_secret(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                           struct pp_span info, uint8_t *ret_t, uint8_t *ret_inverse)
{
    uint8_t m[PP_OPRF_SCALAR_BYTES_MAX];

    PP_TRY(secret_scalar_check(s, sk_secret));
    PP_TRY(hash_info(s, info, m));
    PP_TRY(s->scalar_add(sk_secret.at, m, ret_t));
    uint32_t zero = pp_ct_is_zero(ret_t, s->scalar_bytes);
    PP_REVEAL(&zero, sizeof zero, "set for one info of 2^252: whoever sends it knows the key");
    PP_CHECK(zero == 0, PP_E_KEY, 0);
    return s->scalar_invert(ret_t, ret_inverse);
}

pp_res pp_poprf_evaluate_batch(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                               struct pp_span info, const uint8_t *blinded, size_t count,
                               const struct pp_random *random, uint8_t *ret_evaluated,
                               uint8_t *ret_proof)
{
    PP_AUTO(pp_oprf_scratch) t;
    PP_AUTO(pp_oprf_scratch) inverse;
    uint8_t evaluated[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t tweaked[PP_OPRF_ELEMENT_BYTES_MAX], proof[PP_OPRF_PROOF_BYTES_MAX];

    PP_TRY(tweak_secret(s, sk_secret, info, t.bytes, inverse.bytes));
    PP_TRY(multiply_all(s, inverse.bytes, blinded, count, evaluated));
    PP_TRY(s->multiply_base(t.bytes, tweaked));
    PP_REVEAL(tweaked, sizeof tweaked, "clients compute the tweaked key from public values");
    /* blinded = t * evaluated: the lists stand the other way round than in VOPRF mode. */
    const struct pp_oprf_statement st = { s, PP_POPRF, tweaked, evaluated, blinded, count };
    PP_TRY(pp_oprf_prove(&st, t.bytes, random, proof));
    memcpy(ret_evaluated, evaluated, count * s->element_bytes);
    memcpy(ret_proof, proof, 2 * s->scalar_bytes);
    return PP_OK;
}

pp_res pp_poprf_verify_batch(const struct pp_oprf_suite *s, const uint8_t *tweaked,
                             const uint8_t *blinded, const uint8_t *evaluated, size_t count,
                             const uint8_t *proof)
{
    const struct pp_oprf_statement st = { s, PP_POPRF, tweaked, evaluated, blinded, count };

    PP_CHECK(count >= 1 && count <= PP_OPRF_BATCH_MAX, PP_E_RANGE, count);
    PP_TRY(s->element_check(tweaked));
    return pp_oprf_prove_check(&st, proof);
}

pp_res pp_poprf_finalize(const struct pp_oprf_suite *s, struct pp_span input, struct pp_span info,
                         struct pp_span blind_secret, const uint8_t *evaluated, uint8_t *ret_output)
{
    PP_CHECK(info.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    return finalize(s, input, &info, blind_secret, evaluated, ret_output);
}

pp_res pp_poprf_evaluate(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                         struct pp_span input, struct pp_span info, uint8_t *ret_output)
{
    PP_AUTO(pp_oprf_scratch) t;
    PP_AUTO(pp_oprf_scratch) inverse;

    PP_TRY(tweak_secret(s, sk_secret, info, t.bytes, inverse.bytes));
    return evaluate(s, PP_POPRF, inverse.bytes, input, &info, ret_output);
}
