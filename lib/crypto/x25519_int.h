/* SPDX-License-Identifier: Apache-2.0 */
/* x25519_int.h: X25519 with an imported key, for the KEMs that are built on it. */
#ifndef PP_X25519_INT_H
#define PP_X25519_INT_H

#include "kem.h"

/*
 * A private key ready for many derivations. The context keeps the imported key and refers to
 * `peer`, whose bytes alone change from one derivation to the next: making and joining a key object
 * for each peer costs an eighth of the scalar multiplication itself.
 */
struct pp_x25519_key {
    struct evp_pkey_ctx_st *derive;
    struct evp_pkey_st *peer;
};

/* Imports, and gives the public key. CRYPTO; `_done` is due then as well. */
PP_MUST pp_res pp_x25519_key_init(struct pp_x25519_key *k, struct pp_span sk, uint8_t *ret_pk);
void pp_x25519_key_done(struct pp_x25519_key *k); /* wipes; the zero state is fine */

/* The shared point of an own key and a peer's. KEY on an all-zero result. */
PP_MUST pp_res pp_x25519_dh(struct pp_x25519_key *own, const uint8_t *peer_pk,
                            uint8_t ret[PP_X25519_BYTES]);

#endif
