/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aead.h: AES-GCM and ChaCha20-Poly1305 with 12-byte nonces and 16-byte tags.
 *
 * Sealed text is ciphertext || tag. In-place operation (out == in) is allowed; other overlaps are
 * not.
 */
#ifndef PP_AEAD_H
#define PP_AEAD_H

#include "result.h"
#include "secret.h"
#include "span.h"

/* IANA HPKE AEAD ids. */
enum pp_aead_id {
    PP_AES_128_GCM = 0x0001,
    PP_AES_256_GCM = 0x0002,
    PP_CHACHA20_POLY1305 = 0x0003,
};

enum {
    PP_AEAD_TAG_BYTES = 16,
    PP_AEAD_NONCE_BYTES = 12,
    PP_AEAD_KEY_BYTES_MAX = 32,
};

/* 16 or 32; 0 for an id that is not supported. */
size_t pp_aead_key_len(uint16_t id);

/* A key with its schedule, for many messages. One thread at a time. */
struct pp_aead;

PP_MUST pp_res pp_aead_new(uint16_t id, struct pp_span key,
                           struct pp_aead **ret); /* UNSUPPORTED, RANGE, NO_MEMORY */
void pp_aead_free(struct pp_aead *a);             /* NULL is fine; wipes */

/* `out` has room for pt.len + 16 bytes. A nonce must never be used twice under one key. */
PP_MUST pp_res pp_aead_seal(struct pp_aead *a, const uint8_t nonce[PP_AEAD_NONCE_BYTES],
                            struct pp_span aad, struct pp_span pt, uint8_t *out);

/*
 * `out` has room for ct.len - 16 bytes; on failure it is zeroed. AUTH on any failure to open, a
 * text shorter than a tag included.
 */
PP_MUST pp_res pp_aead_open(struct pp_aead *a, const uint8_t nonce[PP_AEAD_NONCE_BYTES],
                            struct pp_span aad, struct pp_span ct, uint8_t *out);

/*
 * The same for a key that serves one message: no object to keep, the schedule is overwritten at
 * once. After a thread's first message with an algorithm nothing is allocated.
 */
PP_MUST pp_res pp_aead_seal_once(uint16_t id, struct pp_span key,
                                 const uint8_t nonce[PP_AEAD_NONCE_BYTES], struct pp_span aad,
                                 struct pp_span pt, uint8_t *out);
PP_MUST pp_res pp_aead_open_once(uint16_t id, struct pp_span key,
                                 const uint8_t nonce[PP_AEAD_NONCE_BYTES], struct pp_span aad,
                                 struct pp_span ct, uint8_t *out);

#endif
