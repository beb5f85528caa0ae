/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kem.h: key encapsulation mechanisms (RFC 9180, sections 4 and 7.1), one line of kems.def
 * each.
 *
 * A private key is imported once (pp_kem_key) and used many times; its public key is kept beside
 * it.
 */
#ifndef PP_KEM_H
#define PP_KEM_H

#include "env.h"
#include "result.h"
#include "secret.h"
#include "span.h"

/* IANA HPKE KEM ids. The table holds those that this build offers. */
enum pp_kem_id {
    PP_KEM_P256_SHA256 = 0x0010,
    PP_KEM_P384_SHA384 = 0x0011,
    PP_KEM_P521_SHA512 = 0x0012,
    PP_KEM_X25519_SHA256 = 0x0020,
    PP_KEM_X448_SHA512 = 0x0021,
    PP_KEM_MLKEM512 = 0x0040,
    PP_KEM_MLKEM768 = 0x0041,
    PP_KEM_MLKEM1024 = 0x0042,
    PP_KEM_MLKEM768_P256 = 0x0050,
    PP_KEM_MLKEM1024_P384 = 0x0051,
    PP_KEM_XWING = 0x647a,
};

enum { PP_X25519_BYTES = 32, PP_P256_BYTES = 32 };

/* The largest of every size: that of the longest member, one member for each line of kems.def. */
#define KEM(name, pk, sk, enc, secret, random, auth, title) uint8_t name[pk];
union pp_kem_pk_sizes {
#include "kems.def"
};
#undef KEM
#define KEM(name, pk, sk, enc, secret, random, auth, title) uint8_t name[sk];
union pp_kem_sk_sizes {
#include "kems.def"
};
#undef KEM
#define KEM(name, pk, sk, enc, secret, random, auth, title) uint8_t name[enc];
union pp_kem_enc_sizes {
#include "kems.def"
};
#undef KEM
enum {
    PP_KEM_PK_BYTES_MAX = sizeof(union pp_kem_pk_sizes),
    PP_KEM_SK_BYTES_MAX = sizeof(union pp_kem_sk_sizes),
    PP_KEM_ENC_BYTES_MAX = sizeof(union pp_kem_enc_sizes),
};

struct pp_kem_info {
    uint16_t id;
    size_t pk_len, sk_len, enc_len, secret_len; /* Npk, Nsk, Nenc, Nsecret */
    size_t random_len;                          /* drawn by one encapsulation */
    int auth;                                   /* 1: has pp_kem_auth_encap and _decap */
    const char *name;
};

/* The row of a KEM that this build offers, or NULL. */
const struct pp_kem_info *pp_kem_info(uint16_t id);

/* A private key, imported. Decapsulation is safe from one thread at a time. */
struct pp_kem_key;

/*
 * New key pair; deterministic derivation from input key material (RFC 9180 7.1.3; ikm at least
 * sk_len bytes: RANGE); import of a serialised private key. UNSUPPORTED, RANDOM, KEY, NO_MEMORY.
 */
PP_MUST pp_res pp_kem_key_generate(uint16_t id, const struct pp_random *random,
                                   struct pp_kem_key **ret);
PP_MUST pp_res pp_kem_key_derive(uint16_t id, struct pp_span ikm, struct pp_kem_key **ret);
PP_MUST pp_res pp_kem_key_import(uint16_t id, struct pp_span sk, struct pp_kem_key **ret);
void pp_kem_key_free(struct pp_kem_key *k); /* NULL is fine; wipes */

uint16_t pp_kem_key_id(const struct pp_kem_key *k);
struct pp_span pp_kem_key_public(const struct pp_kem_key *k); /* borrowed, pk_len bytes */
PP_MUST pp_res pp_kem_key_export(const struct pp_kem_key *k,
                                 struct pp_secret *ret); /* sk_len bytes */

/*
 * Whether these can be a public key of the KEM: the length, and for ML-KEM, alone or in a hybrid,
 * that every coefficient is reduced (FIPS 203, 7.2). KEY, UNSUPPORTED. An encapsulation asks the
 * same and more.
 */
PP_MUST pp_res pp_kem_public_check(uint16_t id, struct pp_span pk);

/*
 * Encapsulation to a public key: writes enc_len bytes and a fresh shared secret of secret_len
 * bytes. KEY: wrong length, not on the curve, an ML-KEM coefficient that is not reduced,
 * or an all-zero Diffie-Hellman result.
 */
PP_MUST pp_res pp_kem_encap(uint16_t id, struct pp_span pk, const struct pp_random *random,
                            uint8_t *ret_enc, struct pp_secret *ret_shared);

/*
 * The same, and only the holder of `sender` could have made it (AuthEncap, RFC 9180 4.1). Receivers
 * give the public key of the sender that they expect. UNSUPPORTED for a KEM without authentication.
 */
PP_MUST pp_res pp_kem_auth_encap(const struct pp_kem_key *sender, struct pp_span pk,
                                 const struct pp_random *random, uint8_t *ret_enc,
                                 struct pp_secret *ret_shared);
PP_MUST pp_res pp_kem_auth_decap(const struct pp_kem_key *k, struct pp_span enc,
                                 struct pp_span sender_pk, struct pp_secret *ret_shared);

/* AUTH for every kind of bad `enc`: a caller cannot tell them apart, and neither can a peer. */
PP_MUST pp_res pp_kem_decap(const struct pp_kem_key *k, struct pp_span enc,
                            struct pp_secret *ret_shared);

/*
 * Bare X25519 (RFC 7748) and bare Diffie-Hellman on P-256 (the x-coordinate; points uncompressed),
 * for the published vectors of those functions. KEY: bad lengths, an all-zero result, no point of
 * the curve.
 */
PP_MUST pp_res pp_x25519(const uint8_t sk[PP_X25519_BYTES], const uint8_t pk[PP_X25519_BYTES],
                         uint8_t ret[PP_X25519_BYTES]);
PP_MUST pp_res pp_p256_dh(struct pp_span sk, struct pp_span pk, uint8_t ret[PP_P256_BYTES]);

#endif
