/* SPDX-License-Identifier: Apache-2.0 */
/* nist_int.h: P-256 and P-384 as groups of the OPRF: OpenSSL's objects, hashing to the curve. */
#ifndef PP_NIST_INT_H
#define PP_NIST_INT_H

#include <openssl/ec.h>

#include "result.h"

struct pp_nist_curve {
    int nid;
    unsigned z_negated;  /* -Z of RFC 9380 8.2 and 8.3 */
    size_t field_bytes;  /* also of a scalar */
    size_t expand_bytes; /* L */
    /* Made once, then constant. */
    EC_GROUP *group;
    BIGNUM *p, *a, *b, *n;
    BIGNUM *p_minus_2, *n_minus_2; /* exponents that invert */
    BIGNUM *root;                  /* (p + 1) / 4, the exponent of a square root */
};

/*
 * map_to_curve_simple_swu twice, and the sum (RFC 9380 3, 6.6.2): `uniform` are 2 * expand_bytes of
 * expand_message. Fails with CRYPTO.
 */
PP_MUST pp_res pp_nist_hash_to_curve(const struct pp_nist_curve *c, const uint8_t *uniform,
                                     EC_POINT *ret, BN_CTX *ctx);

#endif
