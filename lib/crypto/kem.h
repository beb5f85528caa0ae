/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kem.h: key encapsulation mechanisms (RFC 9180, sections 4 and 7.1), one table row each.
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
    PP_KEM_X25519_SHA256 = 0x0020,
    PP_KEM_XWING = 0x647a,
};

enum {
    PP_X25519_BYTES = 32,
    PP_KEM_PK_BYTES_MAX = 1216,
    PP_KEM_ENC_BYTES_MAX = 1120,
    PP_KEM_SECRET_BYTES_MAX = 32, /* shared secret */
    PP_KEM_SK_BYTES_MAX = 32,
};

struct pp_kem_info {
    uint16_t id;
    size_t pk_len, sk_len, enc_len, secret_len; /* Npk, Nsk, Nenc, Nsecret */
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
 * Encapsulation to a public key: writes enc_len bytes and a fresh shared secret of secret_len
 * bytes. KEY: wrong length, not on the curve, or an all-zero Diffie-Hellman result.
 */
PP_MUST pp_res pp_kem_encap(uint16_t id, struct pp_span pk, const struct pp_random *random,
                            uint8_t *ret_enc, struct pp_secret *ret_shared);

/* AUTH for every kind of bad `enc`: a caller cannot tell them apart, and neither can a peer. */
PP_MUST pp_res pp_kem_decap(const struct pp_kem_key *k, struct pp_span enc,
                            struct pp_secret *ret_shared);

/* Bare X25519 (RFC 7748), for the published vectors of that function. KEY on an all-zero result. */
PP_MUST pp_res pp_x25519(const uint8_t sk[PP_X25519_BYTES], const uint8_t pk[PP_X25519_BYTES],
                         uint8_t ret[PP_X25519_BYTES]);

#endif
