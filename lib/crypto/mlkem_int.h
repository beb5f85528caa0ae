/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_int.h: ML-KEM-768 (FIPS 203), with its randomness as an input.
 *
 * Two implementations stand behind this header: mlkem.c, and OpenSSL's own where the build finds
 * one that has it (3.5 or later). Both are constant time in everything but lengths and public keys.
 */
#ifndef PP_MLKEM_INT_H
#define PP_MLKEM_INT_H

#include "result.h"
#include "span.h"

enum {
    PP_MLKEM_SEED_BYTES = 64, /* d || z: the form in which private keys are kept */
    PP_MLKEM_PK_BYTES = 1184,
    PP_MLKEM_CT_BYTES = 1088,
    PP_MLKEM_RANDOM_BYTES = 32, /* m of an encapsulation */
    PP_MLKEM_SECRET_BYTES = 32,
};

/* A decapsulation key, expanded once and used by one thread at a time. */
struct pp_mlkem_key;

/* ML-KEM.KeyGen_internal (FIPS 203, 6.1); also writes the encapsulation key. NO_MEMORY, CRYPTO. */
PP_MUST pp_res pp_mlkem_key_new(const uint8_t seed[PP_MLKEM_SEED_BYTES],
                                uint8_t ret_pk[PP_MLKEM_PK_BYTES], struct pp_mlkem_key **ret);
void pp_mlkem_key_free(struct pp_mlkem_key *k); /* NULL is fine; wipes */

/* The check of an encapsulation key (7.2). KEY: a coefficient is not reduced. */
PP_MUST pp_res pp_mlkem_check(const uint8_t pk[PP_MLKEM_PK_BYTES]);

/*
 * ML-KEM.Encaps_internal behind the checks of 7.2. KEY: a coefficient of `pk` is not reduced; then
 * nothing is written.
 */
PP_MUST pp_res pp_mlkem_encap(const uint8_t pk[PP_MLKEM_PK_BYTES],
                              const uint8_t m[PP_MLKEM_RANDOM_BYTES],
                              uint8_t ret_ct[PP_MLKEM_CT_BYTES],
                              uint8_t ret_shared[PP_MLKEM_SECRET_BYTES]);

/*
 * ML-KEM.Decaps_internal (6.3). A ciphertext that nobody made for this key gives a secret that
 * nobody else knows (implicit rejection), after the same work; it is no error.
 */
PP_MUST pp_res pp_mlkem_decap(const struct pp_mlkem_key *k, const uint8_t ct[PP_MLKEM_CT_BYTES],
                              uint8_t ret_shared[PP_MLKEM_SECRET_BYTES]);

#endif
