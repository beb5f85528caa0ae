/* SPDX-License-Identifier: Apache-2.0 */
/* x25519_int.h: X25519 with an imported key, for the KEMs that are built on it. */
#ifndef PP_X25519_INT_H
#define PP_X25519_INT_H

#include "kem.h"

/* A private key ready for many derivations; `_done` wipes and is safe on the zero state. */
struct pp_x25519_key {
    void *derive, *peer; /* of OpenSSL */
};

/* Writes the public key. CRYPTO. */
PP_MUST pp_res pp_x25519_key_init(struct pp_x25519_key *k, struct pp_span sk, uint8_t *ret_pk);
void pp_x25519_key_done(struct pp_x25519_key *k);

/* The shared point of an imported key and a peer's. KEY on an all-zero result. */
PP_MUST pp_res pp_x25519_dh(const struct pp_x25519_key *own, const uint8_t *peer_pk,
                            uint8_t ret[PP_X25519_BYTES]);

#endif
