/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h: SHA-2, HMAC (RFC 2104) and HKDF (RFC 5869).
 *
 * States are plain copyable values: no allocation, no fetch, nothing to release (but wipe those
 * that held a secret). A keyed HMAC state is computed once and copied per message. Any thread.
 */
#ifndef PP_HASH_H
#define PP_HASH_H

#include "result.h"
#include "span.h"

enum {
    PP_SHA256_BYTES = 32,
    PP_SHA384_BYTES = 48,
    PP_SHA512_BYTES = 64,
    PP_HASH_BYTES_MAX = 64,
    PP_HASH_BLOCK_MAX = 128,
};

enum pp_hash_id { PP_SHA256 = 1, PP_SHA384 = 2, PP_SHA512 = 3 };

/* A running hash. Opaque; copy it to fork the computation. */
struct pp_hash {
    enum pp_hash_id id;
    _Alignas(8) uint8_t state[216];
};

size_t pp_hash_len(enum pp_hash_id id);   /* 32, 48 or 64 */
size_t pp_hash_block(enum pp_hash_id id); /* 64 or 128 */

void pp_hash_init(struct pp_hash *h, enum pp_hash_id id);
void pp_hash_update(struct pp_hash *h, struct pp_span data);
void pp_hash_u8(struct pp_hash *h, uint8_t v);
void pp_hash_u16(struct pp_hash *h, uint16_t v); /* big-endian */
void pp_hash_u32(struct pp_hash *h, uint32_t v);
void pp_hash_u64(struct pp_hash *h, uint64_t v);
void pp_hash_final(struct pp_hash *h, uint8_t *ret); /* pp_hash_len bytes; wipes the state */

/* One-shot forms. */
void pp_hash_of(enum pp_hash_id id, struct pp_span data, uint8_t *ret);
void pp_sha256(struct pp_span data, uint8_t ret[PP_SHA256_BYTES]);
void pp_sha384(struct pp_span data, uint8_t ret[PP_SHA384_BYTES]);

/* SHA-256(prefix byte || a || b): the Merkle hashes of RFC 6962, without overhead. */
void pp_sha256_pair(uint8_t prefix, struct pp_span a, struct pp_span b,
                    uint8_t ret[PP_SHA256_BYTES]);

/* A keyed HMAC: the two inner states after the key block. Holds key material: wipe with _done. */
struct pp_hmac_key {
    struct pp_hash inner, outer;
};

/* A running HMAC. */
struct pp_hmac {
    struct pp_hash inner, outer;
};

void pp_hmac_key_init(struct pp_hmac_key *k, enum pp_hash_id id, struct pp_span key);
void pp_hmac_key_done(struct pp_hmac_key *k);
void pp_hmac_init(struct pp_hmac *m, const struct pp_hmac_key *k);
void pp_hmac_update(struct pp_hmac *m, struct pp_span data);
void pp_hmac_final(struct pp_hmac *m, uint8_t *ret); /* wipes the state */
void pp_hmac_of(enum pp_hash_id id, struct pp_span key, struct pp_span data, uint8_t *ret);

/* prk = HMAC(salt, ikm); pp_hash_len bytes. An empty salt means that many zero bytes. */
void pp_hkdf_extract(enum pp_hash_id id, struct pp_span salt, struct pp_span ikm, uint8_t *ret_prk);

/* Fails with RANGE when out_len > 255 * pp_hash_len. */
PP_MUST pp_res pp_hkdf_expand(enum pp_hash_id id, struct pp_span prk, struct pp_span info,
                              uint8_t *ret, size_t out_len);

#endif
