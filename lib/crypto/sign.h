/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.h: signatures: Ed25519 (RFC 8032, strict), ECDSA on P-256 and P-384, RSA-PSS.
 *
 * Verification is of public data. All verify functions return SIGNATURE for a signature that does
 * not verify, and KEY for a public key that is not acceptable.
 */
#ifndef PP_SIGN_H
#define PP_SIGN_H

#include "env.h"
#include "hash.h"
#include "result.h"
#include "secret.h"
#include "span.h"

enum {
    PP_ED25519_PK_BYTES = 32,
    PP_ED25519_SEED_BYTES = 32,
    PP_ED25519_SIG_BYTES = 64,
    PP_P256_POINT_BYTES = 65, /* 04 || X || Y */
    PP_P384_POINT_BYTES = 97,
    PP_P256_SPKI_BYTES = 91, /* uncompressed form, the only one we accept */
    PP_ECDSA_DER_BYTES_MAX = 112,
};

/* --- Ed25519 ------------------------------------------------------------------------------- */

/* Small-order and non-canonical keys and R, and s >= L, are refused (KEY, SIGNATURE). */
PP_MUST pp_res pp_ed25519_verify(const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_span message,
                                 struct pp_span signature);
PP_MUST pp_res pp_ed25519_public(struct pp_span seed_secret, uint8_t ret_pk[PP_ED25519_PK_BYTES]);
PP_MUST pp_res pp_ed25519_sign(struct pp_span seed_secret, struct pp_span message,
                               uint8_t ret[PP_ED25519_SIG_BYTES]);

/* --- ECDSA --------------------------------------------------------------------------------- */

enum pp_curve { PP_P256 = 1, PP_P384 = 2 };

/* An EC key pair of ours: session certificates of the CVM, and the simulator's chip keys. */
struct pp_ec_key;

PP_MUST pp_res pp_ec_key_generate(enum pp_curve curve, struct pp_ec_key **ret);  /* CRYPTO */
PP_MUST pp_res pp_ec_key_import_der(struct pp_span der, struct pp_ec_key **ret); /* PKCS#8; KEY */
PP_MUST pp_res pp_ec_key_export_der(const struct pp_ec_key *k, struct pp_secret *ret);
void pp_ec_key_free(struct pp_ec_key *k); /* NULL is fine */

/* 04 || X || Y: 65 or 97 bytes. */
PP_MUST pp_res pp_ec_key_point(const struct pp_ec_key *k, uint8_t *ret, size_t cap,
                               size_t *ret_len);

/* Signs hash(message); DER, at most PP_ECDSA_DER_BYTES_MAX bytes. */
PP_MUST pp_res pp_ec_sign(const struct pp_ec_key *k, enum pp_hash_id hash, struct pp_span message,
                          uint8_t *ret_der, size_t cap, size_t *ret_len);

/* `point` uncompressed; the signature strict DER (pp_ecdsa_verify) or two big-endian integers of
 * the field's length each (pp_ecdsa_verify_raw). */
PP_MUST pp_res pp_ecdsa_verify(enum pp_curve curve, struct pp_span point, enum pp_hash_id hash,
                               struct pp_span message, struct pp_span der);
PP_MUST pp_res pp_ecdsa_verify_raw(enum pp_curve curve, struct pp_span point, enum pp_hash_id hash,
                                   struct pp_span message, const uint8_t *r, const uint8_t *s);

/* The integers of a DER signature, each left-padded to `len` bytes (32 or 48). FORMAT, RANGE. */
PP_MUST pp_res pp_ecdsa_der_to_raw(struct pp_span der, size_t len, uint8_t *ret_r, uint8_t *ret_s);

/* --- RSA-PSS ------------------------------------------------------------------------------- */

/* RSASSA-PSS with MGF1 of the same hash; `spki` is a DER SubjectPublicKeyInfo (rsaEncryption or
 * id-RSASSA-PSS), 2048 to 4096 bits. */
PP_MUST pp_res pp_rsa_pss_verify(struct pp_span spki, enum pp_hash_id hash, size_t salt_len,
                                 struct pp_span message, struct pp_span signature);

#endif
