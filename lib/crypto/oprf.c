/* SPDX-License-Identifier: Apache-2.0 */
#include "oprf_int.h"

#include <sodium.h>

#include "ct.h"
#include "hash.h"
#include "wr.h"

_Static_assert(PP_OPRF_ELEMENT_BYTES == crypto_core_ristretto255_BYTES, "sizes agree");
_Static_assert(PP_OPRF_SCALAR_BYTES == crypto_core_ristretto255_SCALARBYTES, "sizes agree");
_Static_assert(PP_OPRF_RANDOM_BYTES == crypto_core_ristretto255_NONREDUCEDSCALARBYTES,
               "sizes agree");
_Static_assert(PP_SHA512_BYTES == crypto_core_ristretto255_HASHBYTES, "sizes agree");

enum { DST_BYTES_MAX = 64 };

/* A scalar or element on the stack that may be secret: PP_AUTO wipes it however we leave. */
struct scratch {
    uint8_t bytes[PP_SHA512_BYTES];
};

static void scratch_done(struct scratch *s)
{
    pp_wipe(s, sizeof *s);
}

/* --- hashing ------------------------------------------------------------------------------- */

/* `label` || contextString (RFC 9497 3.1). */
static struct pp_span context(enum pp_oprf_mode mode, const char *label, uint8_t *buf, size_t cap)
{
    struct pp_wr wr = pp_wr_over(buf, cap);

    pp_wr_text(&wr, label);
    pp_wr_text(&wr, "OPRFV1-");
    pp_wr_u8(&wr, (uint8_t)mode);
    pp_wr_text(&wr, "-ristretto255-SHA512");
    PP_ASSERT(wr.failed == PP_E_OK);
    return pp_wr_done(&wr);
}

static void hash_block16(struct pp_hash *h, struct pp_span bytes)
{
    pp_hash_u16(h, (uint16_t)bytes.len);
    pp_hash_update(h, bytes);
}

static void hash_element(struct pp_hash *h, const uint8_t *element)
{
    hash_block16(h, pp_span(element, PP_OPRF_ELEMENT_BYTES));
}

/*
 * expand_message_xmd (RFC 9380 5.3.1) with SHA-512 and 64 output bytes, which is one block. The
 * message is hashed between _begin and _end.
 */
static void expand_begin(struct pp_hash *h)
{
    static const uint8_t zeros[PP_HASH_BLOCK_MAX];

    pp_hash_init(h, PP_SHA512);
    pp_hash_update(h, PP_BYTES(zeros));
}

static void expand_end(struct pp_hash *h, enum pp_oprf_mode mode, const char *label,
                       uint8_t ret[PP_SHA512_BYTES])
{
    uint8_t buf[DST_BYTES_MAX];
    struct pp_span dst = context(mode, label, buf, sizeof buf);
    PP_AUTO(scratch) b0;

    pp_hash_u16(h, PP_SHA512_BYTES);
    pp_hash_u8(h, 0);
    pp_hash_update(h, dst);
    pp_hash_u8(h, (uint8_t)dst.len);
    pp_hash_final(h, b0.bytes);

    pp_hash_init(h, PP_SHA512);
    pp_hash_update(h, PP_BYTES(b0.bytes));
    pp_hash_u8(h, 1);
    pp_hash_update(h, dst);
    pp_hash_u8(h, (uint8_t)dst.len);
    pp_hash_final(h, ret);
}

static void scalar_end(struct pp_hash *h, enum pp_oprf_mode mode, const char *label, uint8_t *ret)
{
    PP_AUTO(scratch) wide;

    expand_end(h, mode, label, wide.bytes);
    crypto_core_ristretto255_scalar_reduce(ret, wide.bytes);
}

/* HashToGroup. The identity comes out with probability 2^-252 and is refused all the same. */
static pp_res hash_to_group(enum pp_oprf_mode mode, struct pp_span input, uint8_t *ret)
{
    PP_AUTO(scratch) wide;
    struct pp_hash h;

    PP_CHECK(input.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, input.len);
    expand_begin(&h);
    pp_hash_update(&h, input);
    expand_end(&h, mode, "HashToGroup-", wide.bytes);
    PP_CHECK(crypto_core_ristretto255_from_hash(ret, wide.bytes) == 0, PP_E_CRYPTO, 0);
    PP_REVEAL(
        ret, PP_OPRF_ELEMENT_BYTES,
        "libsodium checks every element that it reads; one that it wrote itself always passes");
    PP_CHECK(pp_ct_is_zero(ret, PP_OPRF_ELEMENT_BYTES) == 0, PP_E_KEY, 0);
    return PP_OK;
}

static void output_hash(struct pp_span input, const uint8_t *element, uint8_t *ret)
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA512);
    hash_block16(&h, input);
    hash_element(&h, element);
    pp_hash_update(&h, PP_STR("Finalize"));
    pp_hash_final(&h, ret);
}

/* --- scalars and elements ------------------------------------------------------------------ */

/* 1 for a scalar below the group order, without telling which one it is. */
static uint32_t scalar_is_canonical(const uint8_t *scalar)
{
    PP_AUTO(scratch) wide = { 0 };
    PP_AUTO(scratch) reduced;

    memcpy(wide.bytes, scalar, PP_OPRF_SCALAR_BYTES);
    crypto_core_ristretto255_scalar_reduce(reduced.bytes, wide.bytes);
    return pp_ct_eq(reduced.bytes, scalar, PP_OPRF_SCALAR_BYTES);
}

static pp_res secret_scalar_check(struct pp_span scalar)
{
    PP_CHECK(scalar.len == PP_OPRF_SCALAR_BYTES, PP_E_KEY, scalar.len);
    uint32_t good = scalar_is_canonical(scalar.at) &
                    (1U ^ pp_ct_is_zero(scalar.at, PP_OPRF_SCALAR_BYTES));
    PP_REVEAL(&good, sizeof good, "that a key is usable says nothing about which one it is");
    PP_CHECK(good == 1, PP_E_KEY, 0);
    return PP_OK;
}

static pp_res random_scalar(const struct pp_random *random, uint8_t *ret)
{
    PP_AUTO(scratch) wide;

    PP_TRY(pp_random_fill(random, wide.bytes, PP_OPRF_RANDOM_BYTES));
    crypto_core_ristretto255_scalar_reduce(ret, wide.bytes);
    uint32_t zero = pp_ct_is_zero(ret, PP_OPRF_SCALAR_BYTES);
    PP_REVEAL(&zero, sizeof zero, "a zero here means a broken random source, not a secret");
    PP_CHECK(zero == 0, PP_E_RANDOM, 0);
    return PP_OK;
}

/*
 * ret = scalar * element. libsodium refuses non-canonical encodings and the identity as a result,
 * and a result is the identity only if the scalar is zero or the element was the identity.
 */
static pp_res multiply(const uint8_t *scalar, const uint8_t *element, uint8_t *ret)
{
    PP_AUTO(scratch) product;
    int failed = crypto_scalarmult_ristretto255(product.bytes, scalar, element);

    PP_REVEAL(&failed, sizeof failed, "scalars are not zero here: this tells of the element alone");
    PP_CHECK(failed == 0, PP_E_KEY, 0);
    memcpy(ret, product.bytes, PP_OPRF_ELEMENT_BYTES);
    return PP_OK;
}

static pp_res multiply_base(const uint8_t *scalar, uint8_t *ret)
{
    PP_AUTO(scratch) product;
    int failed = crypto_scalarmult_ristretto255_base(product.bytes, scalar);

    PP_REVEAL(&failed, sizeof failed, "set for a zero scalar alone, which no key or nonce is");
    PP_CHECK(failed == 0, PP_E_KEY, 0);
    memcpy(ret, product.bytes, PP_OPRF_ELEMENT_BYTES);
    return PP_OK;
}

pp_res pp_oprf_element_check(const uint8_t element[PP_OPRF_ELEMENT_BYTES])
{
    PP_CHECK(crypto_core_ristretto255_is_valid_point(element) == 1, PP_E_KEY, 0);
    PP_CHECK(pp_ct_is_zero(element, PP_OPRF_ELEMENT_BYTES) == 0, PP_E_KEY, 0);
    return PP_OK;
}

/* --- keys ---------------------------------------------------------------------------------- */

pp_res pp_oprf_public(struct pp_span sk_secret, uint8_t ret_pk[PP_OPRF_ELEMENT_BYTES])
{
    PP_TRY(secret_scalar_check(sk_secret));
    return multiply_base(sk_secret.at, ret_pk);
}

pp_res pp_oprf_derive_key(enum pp_oprf_mode mode, struct pp_span seed_secret, struct pp_span info,
                          struct pp_secret *ret_sk, uint8_t ret_pk[PP_OPRF_ELEMENT_BYTES])
{
    PP_AUTO(pp_secret) sk = { 0 };
    pp_res r = PP_FAIL(PP_E_KEY, 0);

    PP_CHECK(seed_secret.len == PP_OPRF_SEED_BYTES, PP_E_RANGE, seed_secret.len);
    PP_CHECK(info.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, info.len);
    PP_TRY(pp_secret_alloc(&sk, PP_OPRF_SCALAR_BYTES));
    for (unsigned counter = 0; counter <= 255 && !pp_is_ok(r); counter++) {
        struct pp_hash h;

        expand_begin(&h);
        pp_hash_update(&h, seed_secret);
        hash_block16(&h, info);
        pp_hash_u8(&h, (uint8_t)counter);
        scalar_end(&h, mode, "DeriveKeyPair", sk.bytes);
        r = pp_oprf_public(pp_secret_span(&sk), ret_pk);
    }
    PP_TRY(r);
    *ret_sk = sk;
    sk = (struct pp_secret){ 0 };
    return PP_OK;
}

/* --- evaluation ---------------------------------------------------------------------------- */

pp_res pp_oprf_blind(enum pp_oprf_mode mode, struct pp_span input, const struct pp_random *random,
                     uint8_t ret_blind_secret[PP_OPRF_SCALAR_BYTES],
                     uint8_t ret_blinded[PP_OPRF_ELEMENT_BYTES])
{
    PP_AUTO(scratch) element;
    PP_AUTO(scratch) blind;

    PP_TRY(hash_to_group(mode, input, element.bytes));
    PP_TRY(random_scalar(random, blind.bytes));
    PP_TRY(multiply(blind.bytes, element.bytes, ret_blinded));
    memcpy(ret_blind_secret, blind.bytes, PP_OPRF_SCALAR_BYTES);
    return PP_OK;
}

pp_res pp_oprf_evaluate_blinded(struct pp_span sk_secret,
                                const uint8_t blinded[PP_OPRF_ELEMENT_BYTES],
                                uint8_t ret[PP_OPRF_ELEMENT_BYTES])
{
    PP_TRY(secret_scalar_check(sk_secret));
    return multiply(sk_secret.at, blinded, ret);
}

pp_res pp_oprf_finalize(struct pp_span input, struct pp_span blind_secret,
                        const uint8_t evaluated[PP_OPRF_ELEMENT_BYTES],
                        uint8_t ret_output[PP_OPRF_OUTPUT_BYTES])
{
    PP_AUTO(scratch) inverse;
    PP_AUTO(scratch) element;

    PP_CHECK(input.len <= PP_OPRF_INPUT_BYTES_MAX, PP_E_RANGE, input.len);
    PP_TRY(secret_scalar_check(blind_secret));
    int failed = crypto_core_ristretto255_scalar_invert(inverse.bytes, blind_secret.at);
    PP_REVEAL(&failed, sizeof failed, "set for a zero blind alone, which was refused before");
    PP_CHECK(failed == 0, PP_E_CRYPTO, 0);
    PP_TRY(multiply(inverse.bytes, evaluated, element.bytes));
    output_hash(input, element.bytes, ret_output);
    return PP_OK;
}

pp_res pp_oprf_evaluate(enum pp_oprf_mode mode, struct pp_span sk_secret, struct pp_span input,
                        uint8_t ret_output[PP_OPRF_OUTPUT_BYTES])
{
    PP_AUTO(scratch) element;
    PP_AUTO(scratch) evaluated;

    PP_TRY(secret_scalar_check(sk_secret));
    PP_TRY(hash_to_group(mode, input, element.bytes));
    PP_TRY(multiply(sk_secret.at, element.bytes, evaluated.bytes));
    output_hash(input, evaluated.bytes, ret_output);
    return PP_OK;
}

/* --- the proof of equal discrete logarithms (RFC 9497 2.2) --------------------------------- */

static void composite_seed(const struct pp_oprf_statement *s, uint8_t ret[PP_SHA512_BYTES])
{
    uint8_t dst[DST_BYTES_MAX];
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA512);
    hash_element(&h, s->pk);
    hash_block16(&h, context(s->mode, "Seed-", dst, sizeof dst));
    pp_hash_final(&h, ret);
}

/* *sum += weight * element; the first term starts the sum. */
static pp_res add_weighted(uint8_t *sum, int first, const uint8_t *weight, const uint8_t *element)
{
    uint8_t term[PP_OPRF_ELEMENT_BYTES];

    if (first)
        return multiply(weight, element, sum);
    PP_TRY(multiply(weight, element, term));
    PP_CHECK(crypto_core_ristretto255_add(sum, sum, term) == 0, PP_E_KEY, 0);
    return PP_OK;
}

/*
 * ComputeComposites: M = sum d_i * C[i] and, unless `ret_z` is NULL, Z = sum d_i * D[i]. The prover
 * has Z = k * M at the price of one multiplication (ComputeCompositesFast) and passes NULL.
 */
static pp_res composites(const struct pp_oprf_statement *s, uint8_t ret_m[PP_OPRF_ELEMENT_BYTES],
                         uint8_t *ret_z)
{
    uint8_t seed[PP_SHA512_BYTES];
    uint8_t weight[PP_OPRF_SCALAR_BYTES];

    composite_seed(s, seed);
    for (size_t i = 0; i < s->count; i++) {
        const uint8_t *c = s->c + i * PP_OPRF_ELEMENT_BYTES;
        const uint8_t *d = s->d + i * PP_OPRF_ELEMENT_BYTES;
        struct pp_hash h;

        expand_begin(&h);
        hash_block16(&h, PP_BYTES(seed));
        pp_hash_u16(&h, (uint16_t)i);
        hash_element(&h, c);
        hash_element(&h, d);
        pp_hash_update(&h, PP_STR("Composite"));
        scalar_end(&h, s->mode, "HashToScalar-", weight);
        PP_TRY(add_weighted(ret_m, i == 0, weight, c));
        if (ret_z != NULL)
            PP_TRY(add_weighted(ret_z, i == 0, weight, d));
    }
    return PP_OK;
}

static void challenge(const struct pp_oprf_statement *s, const uint8_t *m, const uint8_t *z,
                      const uint8_t *t2, const uint8_t *t3, uint8_t ret_c[PP_OPRF_SCALAR_BYTES])
{
    struct pp_hash h;

    expand_begin(&h);
    hash_element(&h, s->pk);
    hash_element(&h, m);
    hash_element(&h, z);
    hash_element(&h, t2);
    hash_element(&h, t3);
    pp_hash_update(&h, PP_STR("Challenge"));
    scalar_end(&h, s->mode, "HashToScalar-", ret_c);
}

/* `ret_proof` = c || s with s = r - c * k. Whoever learns r learns k. */
pp_res pp_oprf_prove(const struct pp_oprf_statement *s, const uint8_t *k_secret,
                     const struct pp_random *random, uint8_t ret_proof[PP_OPRF_PROOF_BYTES])
{
    PP_AUTO(scratch) r;
    PP_AUTO(scratch) ck;
    uint8_t m[PP_OPRF_ELEMENT_BYTES], z[PP_OPRF_ELEMENT_BYTES];
    uint8_t t2[PP_OPRF_ELEMENT_BYTES], t3[PP_OPRF_ELEMENT_BYTES];
    uint8_t *c = ret_proof;

    PP_TRY(composites(s, m, NULL));
    PP_TRY(random_scalar(random, r.bytes));
    PP_TRY(multiply(k_secret, m, z));
    PP_TRY(multiply_base(r.bytes, t2));
    PP_TRY(multiply(r.bytes, m, t3));
    challenge(s, m, z, t2, t3, c);
    crypto_core_ristretto255_scalar_mul(ck.bytes, c, k_secret);
    crypto_core_ristretto255_scalar_sub(ret_proof + PP_OPRF_SCALAR_BYTES, r.bytes, ck.bytes);
    return PP_OK;
}

pp_res pp_oprf_prove_check(const struct pp_oprf_statement *st,
                           const uint8_t proof[PP_OPRF_PROOF_BYTES])
{
    const uint8_t *c = proof;
    const uint8_t *s = proof + PP_OPRF_SCALAR_BYTES;
    uint8_t m[PP_OPRF_ELEMENT_BYTES], z[PP_OPRF_ELEMENT_BYTES];
    uint8_t t2[PP_OPRF_ELEMENT_BYTES], t3[PP_OPRF_ELEMENT_BYTES];
    uint8_t expected[PP_OPRF_SCALAR_BYTES];

    PP_CHECK(scalar_is_canonical(c) == 1 && scalar_is_canonical(s) == 1, PP_E_ENCODING, 0);
    /* Elements are good by now: what fails below is a sum that no honest prover makes. */
    PP_TRY_AS(PP_E_PROOF, composites(st, m, z));
    PP_TRY_AS(PP_E_PROOF, multiply_base(s, t2)); /* t2 = s * G + c * pk */
    PP_TRY_AS(PP_E_PROOF, add_weighted(t2, 0, c, st->pk));
    PP_TRY_AS(PP_E_PROOF, multiply(s, m, t3)); /* t3 = s * M + c * Z */
    PP_TRY_AS(PP_E_PROOF, add_weighted(t3, 0, c, z));
    challenge(st, m, z, t2, t3, expected);
    PP_CHECK(pp_ct_eq(expected, c, sizeof expected) == 1, PP_E_PROOF, 0);
    return PP_OK;
}

pp_res pp_voprf_evaluate_batch(struct pp_span sk_secret, const uint8_t pk[PP_OPRF_ELEMENT_BYTES],
                               const uint8_t *blinded, size_t count, const struct pp_random *random,
                               uint8_t *ret_evaluated, uint8_t ret_proof[PP_OPRF_PROOF_BYTES])
{
    uint8_t evaluated[PP_OPRF_BATCH_MAX * PP_OPRF_ELEMENT_BYTES];
    uint8_t proof[PP_OPRF_PROOF_BYTES];

    PP_CHECK(count >= 1 && count <= PP_OPRF_BATCH_MAX, PP_E_RANGE, count);
    PP_TRY(secret_scalar_check(sk_secret));
    for (size_t i = 0; i < count; i++)
        PP_CHECK(pp_is_ok(multiply(sk_secret.at, blinded + i * PP_OPRF_ELEMENT_BYTES,
                                   evaluated + i * PP_OPRF_ELEMENT_BYTES)),
                 PP_E_KEY, i);
    PP_REVEAL(evaluated, sizeof evaluated, "the evaluated elements are the answer to the client");

    const struct pp_oprf_statement s = { PP_VOPRF, pk, blinded, evaluated, count };
    PP_TRY(pp_oprf_prove(&s, sk_secret.at, random, proof));
    memcpy(ret_evaluated, evaluated, count * PP_OPRF_ELEMENT_BYTES);
    memcpy(ret_proof, proof, sizeof proof);
    return PP_OK;
}

pp_res pp_voprf_verify_batch(const uint8_t pk[PP_OPRF_ELEMENT_BYTES], const uint8_t *blinded,
                             const uint8_t *evaluated, size_t count,
                             const uint8_t proof[PP_OPRF_PROOF_BYTES])
{
    PP_CHECK(count >= 1 && count <= PP_OPRF_BATCH_MAX, PP_E_RANGE, count);
    PP_TRY(pp_oprf_element_check(pk));
    for (size_t i = 0; i < count; i++) {
        PP_CHECK(pp_is_ok(pp_oprf_element_check(blinded + i * PP_OPRF_ELEMENT_BYTES)), PP_E_KEY, i);
        PP_CHECK(pp_is_ok(pp_oprf_element_check(evaluated + i * PP_OPRF_ELEMENT_BYTES)), PP_E_KEY,
                 i);
    }
    const struct pp_oprf_statement s = { PP_VOPRF, pk, blinded, evaluated, count };
    return pp_oprf_prove_check(&s, proof);
}
