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
    PP_EC_FIELD_BYTES_MAX = 48,
    PP_P256_SPKI_BYTES = 91, /* uncompressed form, the only one we accept */
    PP_P384_SPKI_BYTES = 120,
    PP_ECDSA_DER_BYTES_MAX = 112,
    PP_RSA_SPKI_BYTES_MAX = 1024,
};

/* --- Ed25519 ------------------------------------------------------------------------------- */

/* Small-order and non-canonical keys and R, and s >= L, are refused (KEY, SIGNATURE). */
PP_MUST pp_res pp_ed25519_verify(const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_span message,
                                 struct pp_span signature);
PP_MUST pp_res pp_ed25519_public(struct pp_span seed_secret, uint8_t ret_pk[PP_ED25519_PK_BYTES]);
PP_MUST pp_res pp_ed25519_sign(struct pp_span seed_secret, struct pp_span message,
                               uint8_t ret[PP_ED25519_SIG_BYTES]);

/*
 * The seed of an Ed25519 private key file: PKCS#8 (RFC 5958, RFC 8410 7) as DER, or as PEM with
 * nothing around it (RFC 7468 10, lines of 64). Version 1, or version 2 with the public key, which
 * must be the seed's; no attributes, not encrypted. FORMAT, MISMATCH, and those of pp_secret_alloc.
 */
PP_MUST pp_res pp_ed25519_pkcs8_parse(struct pp_span file, struct pp_secret *ret_seed);

/* --- ECDSA --------------------------------------------------------------------------------- */

enum pp_curve { PP_P256 = 1, PP_P384 = 2 };

size_t pp_curve_len(enum pp_curve curve); /* bytes of a coordinate, and of R or S: 32 or 48 */

/*
 * An EC key pair of ours: session certificates of the CVM, and the simulator's chip keys. The
 * caller owns what _generate and _import give. Signing is safe from any thread.
 */
struct pp_ec_key;

PP_MUST pp_res pp_ec_key_generate(enum pp_curve curve, struct pp_ec_key **ret); /* CRYPTO */

/* PKCS#8 DER, as _export writes it. KEY: malformed, another curve, or halves that do not match. */
PP_MUST pp_res pp_ec_key_import_der(struct pp_span der, struct pp_ec_key **ret);
PP_MUST pp_res pp_ec_key_export_der(const struct pp_ec_key *k, struct pp_secret *ret);
void pp_ec_key_free(struct pp_ec_key *k); /* NULL is fine */

/* OpenSSL's object (EVP_PKEY), borrowed: for lib/ratls, which hands it to a TLS session. Through
 * DER the same would cost more than the key's generation. */
struct evp_pkey_st *pp_ec_key_handle(const struct pp_ec_key *k);

enum pp_curve pp_ec_key_curve(const struct pp_ec_key *k);

/* 04 || X || Y: 65 or 97 bytes. NO_SPACE. */
PP_MUST pp_res pp_ec_key_point(const struct pp_ec_key *k, uint8_t *ret, size_t cap,
                               size_t *ret_len);

/* The SubjectPublicKeyInfo (RFC 5480, named curve, uncompressed): 91 or 120 bytes. NO_SPACE. */
PP_MUST pp_res pp_ec_key_spki(const struct pp_ec_key *k, uint8_t *ret, size_t cap, size_t *ret_len);

/* Borrowed: OpenSSL's EVP_PKEY, for the libraries that hand it to an SSL object. */
struct evp_pkey_st *pp_ec_key_evp(const struct pp_ec_key *k);

/* Signs hash(message); DER, at most PP_ECDSA_DER_BYTES_MAX bytes. NO_SPACE, CRYPTO. */
PP_MUST pp_res pp_ec_sign(const struct pp_ec_key *k, enum pp_hash_id hash, struct pp_span message,
                          uint8_t *ret_der, size_t cap, size_t *ret_len);

/*
 * `point` uncompressed and on the curve (else KEY); the signature strict DER (pp_ecdsa_verify) or
 * two big-endian integers of the field's length each (pp_ecdsa_verify_raw).
 */
PP_MUST pp_res pp_ecdsa_verify(enum pp_curve curve, struct pp_span point, enum pp_hash_id hash,
                               struct pp_span message, struct pp_span der);
PP_MUST pp_res pp_ecdsa_verify_raw(enum pp_curve curve, struct pp_span point, enum pp_hash_id hash,
                                   struct pp_span message, const uint8_t *r, const uint8_t *s);

/* The same for a key that verifies more than once, owned by the caller. KEY; any thread. */
struct pp_ec_public;
PP_MUST pp_res pp_ec_public_import(enum pp_curve curve, struct pp_span point,
                                   struct pp_ec_public **ret);
void pp_ec_public_free(struct pp_ec_public *k); /* NULL is fine */
PP_MUST pp_res pp_ec_public_verify_raw(const struct pp_ec_public *k, enum pp_hash_id hash,
                                       struct pp_span message, const uint8_t *r, const uint8_t *s);

/*
 * The integers of a DER signature, each left-padded to `len` bytes (32 or 48), and back. The DER
 * form is the only one of its value: FORMAT (not two minimal positive INTEGERs), RANGE (more than
 * `len` bytes). Zero is passed on: it is the verification that refuses it.
 */
PP_MUST pp_res pp_ecdsa_der_to_raw(struct pp_span der, size_t len, uint8_t *ret_r, uint8_t *ret_s);
PP_MUST pp_res pp_ecdsa_raw_to_der(const uint8_t *r, const uint8_t *s, size_t len, uint8_t *ret_der,
                                   size_t cap, size_t *ret_len);

/* --- RSA-PSS ------------------------------------------------------------------------------- */

/*
 * RSASSA-PSS (RFC 8017, 8.1) with MGF1 of the same hash and exactly `salt_len` bytes of salt;
 * `spki` is a DER SubjectPublicKeyInfo (rsaEncryption or id-RSASSA-PSS) of 2048 to 4096 bits, else
 * KEY.
 */
PP_MUST pp_res pp_rsa_pss_verify(struct pp_span spki, enum pp_hash_id hash, size_t salt_len,
                                 struct pp_span message, struct pp_span signature);

#endif
