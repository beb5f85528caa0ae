/* SPDX-License-Identifier: Apache-2.0 */
/* ec_int.h: what keys and certificates share inside lib/crypto. */
#ifndef PP_EC_INT_H
#define PP_EC_INT_H

#include <openssl/evp.h>

#include "sign.h"

enum { PP_EC_PKCS8_BYTES_MAX = 512 };

/* The bytes of a SubjectPublicKeyInfo in front of the uncompressed point; there is no other form.
 */
struct pp_span pp_ec_spki_head(enum pp_curve curve);

/* PKCS#8 DER of any private key. */
PP_MUST pp_res pp_pkey_export_der(const EVP_PKEY *pkey, struct pp_secret *ret);

/* A key from its uncompressed point, which must be on the curve. KEY. The caller frees it. */
PP_MUST pp_res pp_ec_point_import(enum pp_curve curve, struct pp_span point, EVP_PKEY **ret);

/*
 * A key that is made ready for many verifications; the caller frees it, and may free `pkey` before.
 * NULL: no memory. Any thread: a verification works on a copy. SIGNATURE, also where `ready` is
 * NULL.
 */
EVP_PKEY_CTX *pp_ecdsa_ready(EVP_PKEY *pkey);
PP_MUST pp_res pp_ecdsa_verify_ready(const EVP_PKEY_CTX *ready, enum pp_hash_id hash,
                                     struct pp_span message, struct pp_span der);

/* Verifies with an RSA key that is already imported. SIGNATURE. */
PP_MUST pp_res pp_rsa_pss_verify_pkey(EVP_PKEY *pkey, enum pp_hash_id hash, size_t salt_len,
                                      struct pp_span message, struct pp_span signature);

#endif
