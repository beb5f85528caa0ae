/* SPDX-License-Identifier: Apache-2.0 */
/* ML-KEM-768 (FIPS 203, sections 5 to 7) on the arithmetic of mlkem_poly.c. */
#include "mlkem_int.h"

#include <stdlib.h>

#include "ct.h"
#include "keccak_int.h"
#include "mlkem_poly_int.h"
#include "secret.h"

enum { K = PP_MLKEM_K, SEED_BYTES = 32, CT_U_BYTES = K * PP_POLY_10_BYTES };

/* What one encryption needs of an encapsulation key: all of it public. */
struct public_key {
    struct pp_poly matrix[K][K]; /* [row][column] of A; expanded, as decapsulation encrypts too */
    struct pp_poly t[K];
    uint8_t hash[PP_SHA3_256_BYTES]; /* H(ek) */
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

static void expand_matrix(const uint8_t rho[SEED_BYTES], struct pp_poly ret[K][K])
{
    for (uint8_t i = 0; i < K; i++)
        for (uint8_t j = 0; j < K; j++)
            pp_poly_sample_public(rho, j, i, &ret[i][j]);
}

/* PRF with eta = 2 and SamplePolyCBD (FIPS 203, 4.1 and algorithm 8). */
static void noise(const uint8_t seed[SEED_BYTES], uint8_t number, struct pp_poly *ret)
{
    uint8_t bytes[PP_POLY_NOISE_BYTES];

    pp_shake256_of(pp_span(seed, SEED_BYTES), pp_span(&number, 1), bytes, sizeof bytes);
    pp_poly_noise(bytes, ret);
    pp_wipe(bytes, sizeof bytes);
}

/* K-PKE.KeyGen (algorithm 13). */
static void generate(const uint8_t d[SEED_BYTES], struct private_part *ret,
                     uint8_t ret_pk[PP_MLKEM_PK_BYTES])
{
    static const uint8_t rank = K;
    uint8_t seeds[2 * SEED_BYTES]; /* rho || sigma */
    struct pp_poly e;

    pp_sha3_512(pp_span(d, SEED_BYTES), pp_span(&rank, 1), seeds);
    PP_REVEAL(seeds, SEED_BYTES, "rho stands in the public key");
    expand_matrix(seeds, ret->pk.matrix);
    for (uint8_t i = 0; i < K; i++) {
        noise(seeds + SEED_BYTES, i, &ret->s.p[i]);
        pp_poly_ntt(&ret->s.p[i]);
    }
    pp_polyvec_prepare(&ret->s);
    for (uint8_t i = 0; i < K; i++) {
        const struct pp_poly *const row[K] = { &ret->pk.matrix[i][0], &ret->pk.matrix[i][1],
                                               &ret->pk.matrix[i][2] };

        noise(seeds + SEED_BYTES, (uint8_t)(K + i), &e);
        pp_poly_ntt(&e);
        pp_polyvec_dot(row, &ret->s, &ret->pk.t[i]);
        pp_poly_lift(&ret->pk.t[i]);
        pp_poly_add(&ret->pk.t[i], &e);
        pp_poly_reduce(&ret->pk.t[i]);
        pp_poly_write(&ret->pk.t[i], ret_pk + i * PP_POLY_BYTES);
    }
    memcpy(ret_pk + K * PP_POLY_BYTES, seeds, SEED_BYTES);
    pp_sha3_256(pp_span(ret_pk, PP_MLKEM_PK_BYTES), PP_STR(""), ret->pk.hash);
    pp_wipe(seeds, sizeof seeds);
    pp_wipe(&e, sizeof e);
}

pp_res pp_mlkem_key_new(const uint8_t seed[PP_MLKEM_SEED_BYTES], uint8_t ret_pk[PP_MLKEM_PK_BYTES],
                        struct pp_mlkem_key **ret)
{
    struct pp_mlkem_key *k = calloc(1, sizeof *k);

    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    pp_res r = pp_secret_alloc(&k->locked, sizeof *k->at);
    if (!pp_is_ok(r)) {
        free(k);
        return r;
    }
    k->at = (struct private_part *)(void *)k->locked.bytes; /* page-aligned: it is no vault slot */
    generate(seed, k->at, ret_pk);
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
                    const uint8_t r[SEED_BYTES], uint8_t ret_ct[PP_MLKEM_CT_BYTES])
{
    struct encryption w;
    const struct pp_poly *const t[K] = { &pk->t[0], &pk->t[1], &pk->t[2] };

    for (uint8_t i = 0; i < K; i++) {
        noise(r, i, &w.y.p[i]);
        pp_poly_ntt(&w.y.p[i]);
    }
    pp_polyvec_prepare(&w.y);
    for (uint8_t i = 0; i < K; i++) {
        const struct pp_poly *const column[K] = { &pk->matrix[0][i], &pk->matrix[1][i],
                                                  &pk->matrix[2][i] };

        pp_polyvec_dot(column, &w.y, &w.sum);
        pp_poly_invert_ntt(&w.sum);
        noise(r, (uint8_t)(K + i), &w.e);
        pp_poly_add(&w.sum, &w.e);
        pp_poly_reduce(&w.sum);
        pp_poly_write_10(&w.sum, ret_ct + i * PP_POLY_10_BYTES);
    }
    pp_polyvec_dot(t, &w.y, &w.sum);
    pp_poly_invert_ntt(&w.sum);
    noise(r, 2 * K, &w.e);
    pp_poly_add(&w.sum, &w.e);
    pp_poly_read_1(m, &w.e);
    pp_poly_add(&w.sum, &w.e);
    pp_poly_reduce(&w.sum);
    pp_poly_write_4(&w.sum, ret_ct + CT_U_BYTES);
    pp_wipe(&w, sizeof w);
}

/* K-PKE.Decrypt (algorithm 15). */
static void decrypt(const struct pp_polyvec *s, const uint8_t ct[PP_MLKEM_CT_BYTES],
                    uint8_t ret_m[PP_POLY_1_BYTES])
{
    struct pp_poly u[K], v, w;
    const struct pp_poly *const row[K] = { &u[0], &u[1], &u[2] };

    for (size_t i = 0; i < K; i++) {
        pp_poly_read_10(ct + i * PP_POLY_10_BYTES, &u[i]);
        pp_poly_ntt(&u[i]);
    }
    pp_polyvec_dot(row, s, &w);
    pp_poly_invert_ntt(&w);
    pp_poly_read_4(ct + CT_U_BYTES, &v);
    for (size_t i = 0; i < PP_MLKEM_N; i++)
        w.c[i] = (int16_t)(v.c[i] - w.c[i]);
    pp_poly_reduce(&w);
    pp_poly_write_1(&w, ret_m);
    pp_wipe(&w, sizeof w);
}

/* Input check (7.2): every coefficient is below q, which is what re-encoding would show. */
static pp_res read_coefficients(const uint8_t pk[PP_MLKEM_PK_BYTES], struct pp_poly ret[K])
{
    uint32_t reduced = 1;

    for (size_t i = 0; i < K; i++)
        reduced &= pp_poly_read(pk + i * PP_POLY_BYTES, &ret[i]);
    PP_CHECK(reduced == 1, PP_E_KEY, 0);
    return PP_OK;
}

pp_res pp_mlkem_check(const uint8_t pk[PP_MLKEM_PK_BYTES])
{
    struct pp_poly t[K];

    return read_coefficients(pk, t);
}

static pp_res read_public(const uint8_t pk[PP_MLKEM_PK_BYTES], struct public_key *ret)
{
    PP_TRY(read_coefficients(pk, ret->t));
    expand_matrix(pk + K * PP_POLY_BYTES, ret->matrix);
    pp_sha3_256(pp_span(pk, PP_MLKEM_PK_BYTES), PP_STR(""), ret->hash);
    return PP_OK;
}

pp_res pp_mlkem_encap(const uint8_t pk[PP_MLKEM_PK_BYTES], const uint8_t m[PP_MLKEM_RANDOM_BYTES],
                      uint8_t ret_ct[PP_MLKEM_CT_BYTES], uint8_t ret_shared[PP_MLKEM_SECRET_BYTES])
{
    struct public_key k;
    uint8_t kr[2 * SEED_BYTES]; /* K || r */

    PP_TRY(read_public(pk, &k));
    pp_sha3_512(pp_span(m, PP_MLKEM_RANDOM_BYTES), PP_BYTES(k.hash), kr);
    encrypt(&k, m, kr + SEED_BYTES, ret_ct);
    memcpy(ret_shared, kr, PP_MLKEM_SECRET_BYTES);
    pp_wipe(kr, sizeof kr);
    return PP_OK;
}

pp_res pp_mlkem_decap(const struct pp_mlkem_key *k, const uint8_t ct[PP_MLKEM_CT_BYTES],
                      uint8_t ret_shared[PP_MLKEM_SECRET_BYTES])
{
    const struct private_part *p = k->at;
    uint8_t m[PP_POLY_1_BYTES], kr[2 * SEED_BYTES], rejected[PP_MLKEM_SECRET_BYTES];
    uint8_t again[PP_MLKEM_CT_BYTES];

    decrypt(&p->s, ct, m);
    pp_sha3_512(PP_BYTES(m), PP_BYTES(p->pk.hash), kr);
    pp_shake256_of(PP_BYTES(p->z), pp_span(ct, PP_MLKEM_CT_BYTES), rejected, sizeof rejected);
    encrypt(&p->pk, m, kr + SEED_BYTES, again);
    pp_ct_select(ret_shared, kr, rejected, PP_MLKEM_SECRET_BYTES,
                 pp_ct_eq(ct, again, PP_MLKEM_CT_BYTES));
    pp_wipe(m, sizeof m);
    pp_wipe(kr, sizeof kr);
    pp_wipe(rejected, sizeof rejected);
    pp_wipe(again, sizeof again);
    return PP_OK;
}
