/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_int.h: what the files of lib/crypto share: algorithms fetched once. */
#ifndef PP_CRYPTO_INT_H
#define PP_CRYPTO_INT_H

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "crypto.h"

struct pp_algorithms {
    /* OpenSSL looks these up by name; what was fetched once is found at once, also by a child that
     * is forked for one session. */
    EVP_KEYMGMT *x25519_keys;
    EVP_KEYEXCH *x25519_exchange;
    EVP_CIPHER *aes_128_gcm, *aes_256_gcm, *chacha20_poly1305;
    EVP_MD *sha256, *sha384, *sha512;
    EC_GROUP *p256, *p384, *p521; /* with their tables, which are what costs */
    /* Curves without a point: keys are copied or made from them, without making a group. */
    EVP_PKEY *p256_frame, *p384_frame;
    /* Knows no algorithm at all. A certificate that is read in it keeps its key as bytes. */
    OSSL_LIB_CTX *bare;
};

/* Constant after pp_crypto_init succeeded; asserts that it did. */
const struct pp_algorithms *pp_algorithms(void);

#endif
