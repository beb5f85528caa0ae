/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_int.h: ML-KEM (FIPS 203) with its three parameter sets, and its randomness as an input.
 *
 * Two implementations stand behind this header: mlkem.c, and OpenSSL's own where the build finds
 * one that has it (3.5 or later). Both are constant time in everything but lengths, the parameter
 * set and public keys.
 */
#ifndef PP_MLKEM_INT_H
#define PP_MLKEM_INT_H

#include "result.h"
#include "span.h"

enum {
    PP_MLKEM_SEED_BYTES = 64,   /* d || z: the form in which private keys are kept */
    PP_MLKEM_RANDOM_BYTES = 32, /* m of an encapsulation */
    PP_MLKEM_SECRET_BYTES = 32,
    PP_MLKEM_K_MAX = 4, /* those of ML-KEM-1024 */
    PP_MLKEM_PK_BYTES_MAX = 1568,
    PP_MLKEM_CT_BYTES_MAX = 1568,
};

/* A parameter set (FIPS 203, section 8). */
struct pp_mlkem {
    const char *name;
    uint8_t k;      /* polynomials in a vector */
    uint8_t eta1;   /* noise of the key and of y; eta2 is 2 in every set */
    uint8_t du, dv; /* bits of a coefficient in the two parts of a ciphertext */
    size_t pk_len;  /* 384 k + 32 bytes */
    size_t ct_len;  /* 32 (du k + dv) bytes */
};

extern const struct pp_mlkem PP_MLKEM_512, PP_MLKEM_768, PP_MLKEM_1024;

/* A decapsulation key, expanded once and used by one thread at a time. */
struct pp_mlkem_key;

/*
 * ML-KEM.KeyGen_internal (FIPS 203, 6.1); also writes the encapsulation key, pk_len bytes.
 * NO_MEMORY, CRYPTO.
 */
PP_MUST pp_res pp_mlkem_key_new(const struct pp_mlkem *set, const uint8_t seed[PP_MLKEM_SEED_BYTES],
                                uint8_t *ret_pk, struct pp_mlkem_key **ret);
void pp_mlkem_key_free(struct pp_mlkem_key *k); /* NULL is fine; wipes */

/* The check of an encapsulation key of pk_len bytes (7.2). KEY: a coefficient is not reduced. */
PP_MUST pp_res pp_mlkem_check(const struct pp_mlkem *set, const uint8_t *pk);

/*
 * ML-KEM.Encaps_internal behind the checks of 7.2; writes ct_len bytes. KEY: a coefficient of `pk`
 * is not reduced; then nothing is written.
 */
PP_MUST pp_res pp_mlkem_encap(const struct pp_mlkem *set, const uint8_t *pk,
                              const uint8_t m[PP_MLKEM_RANDOM_BYTES], uint8_t *ret_ct,
                              uint8_t ret_shared[PP_MLKEM_SECRET_BYTES]);

/*
 * ML-KEM.Decaps_internal (6.3) of ct_len bytes. A ciphertext that nobody made for this key gives a
 * secret that nobody else knows (implicit rejection), after the same work; it is no error.
 */
PP_MUST pp_res pp_mlkem_decap(const struct pp_mlkem_key *k, const uint8_t *ct,
                              uint8_t ret_shared[PP_MLKEM_SECRET_BYTES]);

#endif
