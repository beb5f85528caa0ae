/* SPDX-License-Identifier: Apache-2.0 */
/* x25519_int.h: X25519 with an imported key, for the KEMs that are built on it. */
#ifndef PP_X25519_INT_H
#define PP_X25519_INT_H

#include "kem.h"

/* A private key ready for many derivations, and its public key. CRYPTO. */
PP_MUST pp_res pp_x25519_import(struct pp_span sk, void **ret_handle, uint8_t *ret_pk);
void pp_x25519_release(void *handle); /* NULL is fine; wipes */

/* The shared point of an imported key and a peer's. KEY on an all-zero result. */
PP_MUST pp_res pp_x25519_dh(void *handle, const uint8_t *peer_pk, uint8_t ret[PP_X25519_BYTES]);

#endif
