/* SPDX-License-Identifier: Apache-2.0 */
/* ML-KEM (FIPS 203, sections 5 to 7) on the arithmetic of mlkem_poly.c. */
#include "mlkem_int.h"

#include <stdlib.h>

#include "ct.h"
#include "keccak_int.h"
#include "mlkem_poly_int.h"
#include "secret.h"

enum { K_MAX = PP_MLKEM_K_MAX, ETA2 = 2, SEED_BYTES = 32, POLY_BYTES_A_BIT = 32 };

/* What one encryption needs of an encapsulation key: all of it public. */
struct public_key {
    const struct pp_mlkem *set;
    uint8_t hash[PP_SHA3_256_BYTES]; /* H(ek) */
    struct pp_poly t[K_MAX];
    struct pp_poly
        matrix[K_MAX * K_MAX]; /* A, row after row; kept, as decapsulation encrypts too */
};

struct private_part {
    struct public_key pk;
    struct pp_polyvec s;
    uint8_t z[SEED_BYTES];
};

struct pp_mlkem_key {
    struct pp_secret locked;
    struct private_part *at; /* inside `locked` */
};

static void expand_matrix(const uint8_t rho[SEED_BYTES], uint8_t k, struct pp_poly *ret)
{
    for (uint8_t i = 0; i < k; i++)
        for (uint8_t j = 0; j < k; j++)
            pp_poly_sample_public(rho, j, i, &ret[i * k + j]);
}

/* PRF and SamplePolyCBD (FIPS 203, 4.1 and algorithm 8). */
static void noise(unsigned eta, const uint8_t seed[SEED_BYTES], uint8_t number, struct pp_poly *ret)
{
    uint8_t bytes[PP_POLY_NOISE_BYTES_MAX];

    pp_shake256_of(pp_span(seed, SEED_BYTES), pp_span(&number, 1), bytes, 64 * eta);
    pp_poly_noise(bytes, eta, ret);
    pp_wipe(bytes, sizeof bytes);
}

/* K-PKE.KeyGen (algorithm 13). */
static void generate(const struct pp_mlkem *set, const uint8_t d[SEED_BYTES],
                     struct private_part *ret, uint8_t *ret_pk)
{
    uint8_t seeds[2 * SEED_BYTES], k = set->k; /* rho || sigma */
    struct pp_poly e;

    pp_sha3_512(pp_span(d, SEED_BYTES), pp_span(&k, 1), seeds);
    PP_REVEAL(seeds, SEED_BYTES, "rho stands in the public key");
    ret->pk.set = set;
    expand_matrix(seeds, k, ret->pk.matrix);
    for (uint8_t i = 0; i < k; i++) {
        noise(set->eta1, seeds + SEED_BYTES, i, &ret->s.p[i]);
        pp_poly_ntt(&ret->s.p[i]);
    }
    pp_polyvec_prepare(&ret->s, k);
    for (uint8_t i = 0; i < k; i++) {
        noise(set->eta1, seeds + SEED_BYTES, (uint8_t)(k + i), &e);
        pp_poly_ntt(&e);
        pp_polyvec_dot(&ret->pk.matrix[i * k], 1, &ret->s, k, &ret->pk.t[i]);
        pp_poly_lift(&ret->pk.t[i]);
        pp_poly_add(&ret->pk.t[i], &e);
        pp_poly_reduce(&ret->pk.t[i]);
        pp_poly_write(&ret->pk.t[i], ret_pk + i * PP_POLY_BYTES);
    }
    memcpy(ret_pk + k * PP_POLY_BYTES, seeds, SEED_BYTES);
    pp_sha3_256(pp_span(ret_pk, set->pk_len), PP_STR(""), ret->pk.hash);
    pp_wipe(seeds, sizeof seeds);
    pp_wipe(&e, sizeof e);
}

pp_res pp_mlkem_key_new(const struct pp_mlkem *set, const uint8_t seed[PP_MLKEM_SEED_BYTES],
                        uint8_t *ret_pk, struct pp_mlkem_key **ret)
{
    struct pp_mlkem_key *k = calloc(1, sizeof *k);

    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    pp_res r = pp_secret_alloc(&k->locked, sizeof *k->at);
    if (!pp_is_ok(r)) {
        free(k);
        return r;
    }
    k->at = (struct private_part *)(void *)k->locked.bytes; /* page-aligned: it is no vault slot */
    generate(set, seed, k->at, ret_pk);
    memcpy(k->at->z, seed + SEED_BYTES, SEED_BYTES);
    *ret = k;
    return PP_OK;
}

void pp_mlkem_key_free(struct pp_mlkem_key *k)
{
    if (k == NULL)
        return;
    pp_secret_done(&k->locked);
    free(k);
}

/* The secrets of one encryption, wiped together. */
struct encryption {
    struct pp_polyvec y;
    struct pp_poly sum, e;
};

/* K-PKE.Encrypt (algorithm 14). */
static void encrypt(const struct public_key *pk, const uint8_t m[PP_POLY_1_BYTES],
                    const uint8_t r[SEED_BYTES], uint8_t *ret_ct)
{
    const struct pp_mlkem *set = pk->set;
    const uint8_t k = set->k;
    size_t u_len = POLY_BYTES_A_BIT * set->du;
    struct encryption w;

    for (uint8_t i = 0; i < k; i++) {
        noise(set->eta1, r, i, &w.y.p[i]);
        pp_poly_ntt(&w.y.p[i]);
    }
    pp_polyvec_prepare(&w.y, k);
    for (uint8_t i = 0; i < k; i++) {
        pp_polyvec_dot(&pk->matrix[i], k, &w.y, k, &w.sum); /* column i: A is transposed */
        pp_poly_invert_ntt(&w.sum);
        noise(ETA2, r, (uint8_t)(k + i), &w.e);
        pp_poly_add(&w.sum, &w.e);
        pp_poly_reduce(&w.sum);
        pp_poly_compress(&w.sum, set->du, ret_ct + i * u_len);
    }
    pp_polyvec_dot(pk->t, 1, &w.y, k, &w.sum);
    pp_poly_invert_ntt(&w.sum);
    noise(ETA2, r, (uint8_t)(2 * k), &w.e);
    pp_poly_add(&w.sum, &w.e);
    pp_poly_read_1(m, &w.e);
    pp_poly_add(&w.sum, &w.e);
    pp_poly_reduce(&w.sum);
    pp_poly_compress(&w.sum, set->dv, ret_ct + k * u_len);
    pp_wipe(&w, sizeof w);
}

/* K-PKE.Decrypt (algorithm 15). */
static void decrypt(const struct private_part *p, const uint8_t *ct, uint8_t ret_m[PP_POLY_1_BYTES])
{
    const struct pp_mlkem *set = p->pk.set;
    size_t u_len = POLY_BYTES_A_BIT * set->du;
    struct pp_poly u[K_MAX], v, w;

    for (size_t i = 0; i < set->k; i++) {
        pp_poly_decompress(ct + i * u_len, set->du, &u[i]);
        pp_poly_ntt(&u[i]);
    }
    pp_polyvec_dot(u, 1, &p->s, set->k, &w);
    pp_poly_invert_ntt(&w);
    pp_poly_decompress(ct + set->k * u_len, set->dv, &v);
    for (size_t i = 0; i < PP_MLKEM_N; i++)
        w.c[i] = (int16_t)(v.c[i] - w.c[i]);
    pp_poly_reduce(&w);
    pp_poly_write_1(&w, ret_m);
    pp_wipe(&w, sizeof w);
}

/* Input check (7.2): every coefficient is below q, which is what re-encoding would show. */
static pp_res read_coefficients(const struct pp_mlkem *set, const uint8_t *pk,
                                struct pp_poly ret[K_MAX])
{
    uint32_t reduced = 1;

    for (size_t i = 0; i < set->k; i++)
        reduced &= pp_poly_read(pk + i * PP_POLY_BYTES, &ret[i]);
    PP_CHECK(reduced == 1, PP_E_KEY, 0);
    return PP_OK;
}

pp_res pp_mlkem_check(const struct pp_mlkem *set, const uint8_t *pk)
{
    struct pp_poly t[K_MAX];

    return read_coefficients(set, pk, t);
}

static pp_res read_public(const struct pp_mlkem *set, const uint8_t *pk, struct public_key *ret)
{
    PP_TRY(read_coefficients(set, pk, ret->t));
    ret->set = set;
    expand_matrix(pk + set->k * PP_POLY_BYTES, set->k, ret->matrix);
    pp_sha3_256(pp_span(pk, set->pk_len), PP_STR(""), ret->hash);
    return PP_OK;
}

pp_res pp_mlkem_encap(const struct pp_mlkem *set, const uint8_t *pk,
                      const uint8_t m[PP_MLKEM_RANDOM_BYTES], uint8_t *ret_ct,
                      uint8_t ret_shared[PP_MLKEM_SECRET_BYTES])
{
    struct public_key k;
    uint8_t kr[2 * SEED_BYTES]; /* K || r */

    PP_TRY(read_public(set, pk, &k));
    pp_sha3_512(pp_span(m, PP_MLKEM_RANDOM_BYTES), PP_BYTES(k.hash), kr);
    encrypt(&k, m, kr + SEED_BYTES, ret_ct);
    memcpy(ret_shared, kr, PP_MLKEM_SECRET_BYTES);
    pp_wipe(kr, sizeof kr);
    return PP_OK;
}

pp_res pp_mlkem_decap(const struct pp_mlkem_key *k, const uint8_t *ct,
                      uint8_t ret_shared[PP_MLKEM_SECRET_BYTES])
{
    const struct private_part *p = k->at;
    size_t ct_len = p->pk.set->ct_len;
    uint8_t m[PP_POLY_1_BYTES], kr[2 * SEED_BYTES], rejected[PP_MLKEM_SECRET_BYTES];
    uint8_t again[PP_MLKEM_CT_BYTES_MAX];

    decrypt(p, ct, m);
    pp_sha3_512(PP_BYTES(m), PP_BYTES(p->pk.hash), kr);
    pp_shake256_of(PP_BYTES(p->z), pp_span(ct, ct_len), rejected, sizeof rejected);
    encrypt(&p->pk, m, kr + SEED_BYTES, again);
    pp_ct_select(ret_shared, kr, rejected, PP_MLKEM_SECRET_BYTES, pp_ct_eq(ct, again, ct_len));
    pp_wipe(m, sizeof m);
    pp_wipe(kr, sizeof kr);
    pp_wipe(rejected, sizeof rejected);
    pp_wipe(again, sizeof again);
    return PP_OK;
}
