/* SPDX-License-Identifier: Apache-2.0 */
/* kem_int.h: one table row per KEM: its sizes and its four operations. */
#ifndef PP_KEM_INT_H
#define PP_KEM_INT_H

#include "kem.h"

/* "KEM" || I2OSP(kem_id, 2) (RFC 9180, section 4.1). */
enum { PP_KEM_SUITE_ID_BYTES = 5 };

struct pp_kem_ops {
    struct pp_kem_info info;
    /* Library form of a private key; NULL-safe release. KEY, NO_MEMORY. */
    pp_res (*import)(struct pp_span sk, void **ret_handle, uint8_t *ret_pk);
    void (*release)(void *handle);
    /* `random_bytes` are sk_len fresh bytes: the ephemeral private key. */
    pp_res (*encap)(const struct pp_kem_ops *ops, struct pp_span pk, struct pp_span random_bytes,
                    uint8_t *ret_enc, uint8_t *ret_shared);
    pp_res (*decap)(const struct pp_kem_ops *ops, void *handle, struct pp_span own_pk,
                    struct pp_span enc, uint8_t *ret_shared);
    pp_res (*derive)(const struct pp_kem_ops *ops, struct pp_span ikm, uint8_t *ret_sk);
};

extern const struct pp_kem_ops PP_KEM_OPS_X25519;

#endif
