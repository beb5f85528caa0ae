/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keccak_int.h: SHA-3 and SHAKE (FIPS 202) for ML-KEM, X-Wing and HPKE, TurboSHAKE (RFC 9861)
 * for HPKE.
 *
 * Our own, because OpenSSL before 3.3 cannot squeeze twice, and an EVP object for each of the
 * thirty short hashes of one ML-KEM operation costs more than the hashing. Constant time in the
 * data; lengths are public. A state is a plain value: nothing allocated, `_done` wipes.
 */
#ifndef PP_KECCAK_INT_H
#define PP_KECCAK_INT_H

#include "span.h"

enum {
    PP_SHAKE128_RATE = 168, /* bytes of one block */
    PP_SHA3_256_BYTES = 32,
    PP_SHA3_512_BYTES = 64,
};

struct pp_keccak {
    uint64_t lanes[25];
    uint32_t rate;    /* bytes of a block */
    uint32_t at;      /* bytes of the current block that are absorbed, or squeezed */
    uint8_t suffix;   /* domain bits and the first bit of the padding (FIPS 202, B.2) */
    uint8_t rounds;   /* of the permutation: 24, or TurboSHAKE's 12 */
    uint8_t squeezes; /* 1 once the padding is in */
};

struct pp_keccak pp_shake128(void);
struct pp_keccak pp_shake256(void);
struct pp_keccak pp_turboshake128(void); /* domain byte 0x1f, as all of ours */
struct pp_keccak pp_turboshake256(void);

/* Absorbing again after the first squeeze is a bug and aborts. */
void pp_keccak_absorb(struct pp_keccak *k, struct pp_span data);
void pp_keccak_squeeze(struct pp_keccak *k, uint8_t *ret, size_t len);
void pp_keccak_done(struct pp_keccak *k);

/* Whole hashes of a || b; `b` may be empty. */
void pp_sha3_256(struct pp_span a, struct pp_span b, uint8_t ret[PP_SHA3_256_BYTES]);
void pp_sha3_512(struct pp_span a, struct pp_span b, uint8_t ret[PP_SHA3_512_BYTES]);
void pp_shake256_of(struct pp_span a, struct pp_span b, uint8_t *ret, size_t len);

#endif
