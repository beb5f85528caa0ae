/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal.h: the request sealed to the message key of one worker, and its answer (pp-wire 8).
 *
 *     SealedRequest  = 01 || enc || ctx.Seal(aad "", pt)
 *     SealedResponse = 01 || r(32) || AEAD.Seal(key, nonce, aad "", pt)
 *
 * HPKE base mode, KEM of the message key, HKDF-SHA256, AES-256-GCM; the HPKE info names the
 * session's binding value B, so what is sealed for one session opens in no other. One request and
 * one answer a session: a pp_seal is finished after its answer, and holds nothing secret then.
 */
#ifndef PP_SEAL_H
#define PP_SEAL_H

#include "env.h"
#include "hpke.h"
#include "kem.h"
#include "wr.h"

enum {
    PP_BINDING_BYTES = 64, /* B of ra-tls 5 */
    PP_SEAL_R_BYTES = 32,
    PP_SEALED_RESPONSE_EXTRA = 1 + PP_SEAL_R_BYTES + PP_AEAD_TAG_BYTES, /* around the plaintext */
};

/* One session's seal, at either end. Zero state is valid; keys live in locked memory. */
struct pp_seal {
    struct pp_hpke ctx;
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    size_t enc_len;
};

void pp_seal_done(struct pp_seal *s); /* wipes; safe on the zero state and twice */

/* Bytes of a SealedRequest around its plaintext: 1 + Nenc + 16. 0 for a KEM not offered. */
size_t pp_sealed_request_extra(uint16_t kem);

/* --- device ---------------------------------------------------------------------------------- */

/* Seals `pt` to the message key. UNSUPPORTED (KEM), KEY, RANDOM, NO_SPACE. On failure *s is
 * done. */
PP_MUST pp_res pp_seal_request(struct pp_seal *s, uint16_t kem, struct pp_span pk,
                               const uint8_t binding[PP_BINDING_BYTES],
                               const struct pp_random *random, struct pp_span pt, struct pp_wr *wr);

/* Opens the answer to it, once: *s is done afterwards. `ret_pt` has room for sealed.len bytes.
 * AUTH for everything that is wrong with `sealed`; STATE without a sealed request. */
PP_MUST pp_res pp_seal_open_response(struct pp_seal *s, struct pp_span sealed, uint8_t *ret_pt,
                                     size_t *ret_len);

/* --- worker ---------------------------------------------------------------------------------- */

/* Opens a request with the session's message key. `ret_pt` has room for sealed.len bytes. AUTH for
 * everything that is wrong with `sealed`; on failure *s is done. */
PP_MUST pp_res pp_seal_open_request(struct pp_seal *s, const struct pp_kem_key *key,
                                    const uint8_t binding[PP_BINDING_BYTES], struct pp_span sealed,
                                    uint8_t *ret_pt, size_t *ret_len);

/* Seals the answer to it, once: *s is done afterwards. NO_SPACE, RANDOM; STATE without a
 * request. */
PP_MUST pp_res pp_seal_response(struct pp_seal *s, const struct pp_random *random,
                                struct pp_span pt, struct pp_wr *wr);

#endif
