/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of equal discrete logarithms (RFC 9497 2.2), which the provable modes share. */
#include "oprf_int.h"

pp_res pp_oprf_random_scalar(const struct pp_oprf_suite *s, const struct pp_random *random,
                             uint8_t *ret)
{
    PP_AUTO(pp_oprf_scratch) wide;

    PP_TRY(pp_random_fill(random, wide.bytes, s->wide_bytes));
    PP_TRY(s->reduce(wide.bytes, ret));
    uint32_t zero = pp_ct_is_zero(ret, s->scalar_bytes);
    PP_REVEAL(&zero, sizeof zero, "a zero here means a broken random source, not a secret");
    PP_CHECK(zero == 0, PP_E_RANDOM, 0);
    return PP_OK;
}

static void composite_seed(const struct pp_oprf_statement *st, uint8_t ret[PP_HASH_BYTES_MAX])
{
    struct pp_hash h;

    pp_hash_init(&h, st->suite->hash);
    pp_oprf_hash_element(st->suite, &h, st->pk);
    pp_oprf_hash_context(st->suite, &h, st->mode, "Seed-");
    pp_hash_final(&h, ret);
}

/* d_i: what the element pair `i` counts for in the sums. */
static pp_res weight(const struct pp_oprf_statement *st, struct pp_span seed, size_t i,
                     uint8_t ret[PP_OPRF_SCALAR_BYTES_MAX])
{
    const struct pp_oprf_suite *s = st->suite;
    struct pp_hash h;

    pp_oprf_expand_begin(s, &h);
    pp_oprf_hash_block16(&h, seed);
    pp_hash_u16(&h, (uint16_t)i);
    pp_oprf_hash_element(s, &h, st->c + i * s->element_bytes);
    pp_oprf_hash_element(s, &h, st->d + i * s->element_bytes);
    pp_hash_update(&h, PP_STR("Composite"));
    return pp_oprf_scalar_end(s, st->mode, "HashToScalar-", &h, ret);
}

/* *sum += weight * element; the first term starts the sum. KEY: no element. PROOF: the sum is the
 * identity, which happens to nobody who did not look for it. */
static pp_res add_weighted(const struct pp_oprf_suite *s, uint8_t *sum, int first,
                           const uint8_t *weight, const uint8_t *element)
{
    uint8_t term[PP_OPRF_ELEMENT_BYTES_MAX];

    if (first)
        return s->multiply(weight, element, sum);
    PP_TRY(s->multiply(weight, element, term));
    PP_TRY_AS(PP_E_PROOF, s->add(sum, term, sum));
    return PP_OK;
}

/*
 * ComputeComposites: M = sum d_i * C[i] and, unless `ret_z` is NULL, Z = sum d_i * D[i]. The prover
 * has Z = k * M at the price of one multiplication (ComputeCompositesFast) and passes NULL.
 */
static pp_res composites(const struct pp_oprf_statement *st, uint8_t *ret_m, uint8_t *ret_z)
{
    const struct pp_oprf_suite *s = st->suite;
    uint8_t seed[PP_HASH_BYTES_MAX], d[PP_OPRF_SCALAR_BYTES_MAX];

    composite_seed(st, seed);
    for (size_t i = 0; i < st->count; i++) {
        size_t at = i * s->element_bytes;

        PP_TRY(weight(st, pp_span(seed, pp_hash_len(s->hash)), i, d));
        pp_res r = add_weighted(s, ret_m, i == 0, d, st->c + at);
        if (pp_is_ok(r) && ret_z != NULL)
            r = add_weighted(s, ret_z, i == 0, d, st->d + at);
        PP_CHECK(pp_is_ok(r), r.code, i);
    }
    return PP_OK;
}

static pp_res challenge(const struct pp_oprf_statement *st, const uint8_t *m, const uint8_t *z,
                        const uint8_t *t2, const uint8_t *t3, uint8_t *ret_c)
{
    const uint8_t *const elements[] = { st->pk, m, z, t2, t3 };
    struct pp_hash h;

    pp_oprf_expand_begin(st->suite, &h);
    for (size_t i = 0; i < PP_ARRAY_COUNT(elements); i++)
        pp_oprf_hash_element(st->suite, &h, elements[i]);
    pp_hash_update(&h, PP_STR("Challenge"));
    return pp_oprf_scalar_end(st->suite, st->mode, "HashToScalar-", &h, ret_c);
}

/* `ret_proof` = c || s with s = r - c * k. Whoever learns r learns k. */
pp_res pp_oprf_prove(const struct pp_oprf_statement *st, const uint8_t *k_secret,
                     const struct pp_random *random, uint8_t *ret_proof)
{
    const struct pp_oprf_suite *s = st->suite;
    PP_AUTO(pp_oprf_scratch) r;
    PP_AUTO(pp_oprf_scratch) ck;
    uint8_t m[PP_OPRF_ELEMENT_BYTES_MAX], z[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t t2[PP_OPRF_ELEMENT_BYTES_MAX], t3[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t *c = ret_proof;

    PP_TRY(composites(st, m, NULL));
    PP_TRY(pp_oprf_random_scalar(s, random, r.bytes));
    PP_TRY(s->multiply(k_secret, m, z));
    PP_TRY(s->multiply_base(r.bytes, t2));
    PP_TRY(s->multiply(r.bytes, m, t3));
    PP_TRY(challenge(st, m, z, t2, t3, c));
    PP_TRY(s->scalar_mul(c, k_secret, ck.bytes));
    return s->scalar_sub(r.bytes, ck.bytes, ret_proof + s->scalar_bytes);
}

pp_res pp_oprf_prove_check(const struct pp_oprf_statement *st, const uint8_t *proof)
{
    const struct pp_oprf_suite *g = st->suite;
    const uint8_t *c = proof;
    const uint8_t *s = proof + g->scalar_bytes;
    uint8_t m[PP_OPRF_ELEMENT_BYTES_MAX], z[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t t2[PP_OPRF_ELEMENT_BYTES_MAX], t3[PP_OPRF_ELEMENT_BYTES_MAX];
    uint8_t expected[PP_OPRF_SCALAR_BYTES_MAX];

    PP_TRY(g->canonical(c));
    PP_TRY(g->canonical(s));
    PP_TRY(composites(st, m, z));
    /* Elements are good by now: what fails below is a sum that no honest prover makes. */
    PP_TRY_AS(PP_E_PROOF, g->multiply_base(s, t2)); /* t2 = s * G + c * pk */
    PP_TRY_AS(PP_E_PROOF, add_weighted(g, t2, 0, c, st->pk));
    PP_TRY_AS(PP_E_PROOF, g->multiply(s, m, t3)); /* t3 = s * M + c * Z */
    PP_TRY_AS(PP_E_PROOF, add_weighted(g, t3, 0, c, z));
    PP_TRY(challenge(st, m, z, t2, t3, expected));
    PP_CHECK(pp_ct_eq(expected, c, g->scalar_bytes) == 1, PP_E_PROOF, 0);
    return PP_OK;
}
