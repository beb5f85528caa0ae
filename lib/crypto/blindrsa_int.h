/* SPDX-License-Identifier: Apache-2.0 */
/* blindrsa_int.h: what a key holds, and the encoding of a message (RFC 8017 9.1.1). */
#ifndef PP_BLINDRSA_INT_H
#define PP_BLINDRSA_INT_H

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "blindrsa.h"

enum { PP_BLINDRSA_E = 65537 };

struct pp_blindrsa_key {
    EVP_PKEY *pkey;
    BIGNUM *n, *e;
    BN_MONT_CTX *mont; /* of n; never written to after the import */
    size_t bytes;
    int is_private;
};

/*
 * EMSA-PSS-ENCODE with SHA-384 and MGF1 of the same, for a modulus of `len` whole bytes: EM has
 * 8 * len - 1 bits. The caller gives the salt. Constant time in message and salt. RANGE: no room.
 */
PP_MUST pp_res pp_blindrsa_encode(struct pp_span message, struct pp_span salt, uint8_t *ret_em,
                                  size_t len);

#endif
