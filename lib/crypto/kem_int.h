/* SPDX-License-Identifier: Apache-2.0 */
/* kem_int.h: how a KEM does its work. A line of kems.def gives its sizes. */
#ifndef PP_KEM_INT_H
#define PP_KEM_INT_H

#include "kem.h"

/*
 * Lengths are checked before an operation is called: `sk`, `pk`, `enc` and `random_bytes` have
 * those of `info`, and outputs have room for them. What a failed operation wrote is given to
 * nobody.
 */
struct pp_kem_ops {
    int any_bytes_are_a_key; /* 1: sk_len random bytes are a private key; 0: derive() makes one */
    /* The form of a private key that is kept for use, and its public key. KEY, NO_MEMORY. */
    pp_res (*import)(const struct pp_kem_info *info, struct pp_span sk, void **ret_handle,
                     uint8_t *ret_pk);
    void (*release)(void *handle); /* wipes; NULL is fine */
    /* Beyond the length of a public key; NULL: there is nothing to see before it is used. KEY. */
    pp_res (*check)(const struct pp_kem_info *info, struct pp_span pk);
    /* `sender` is NULL unless the sender authenticates itself. KEY. */
    pp_res (*encap)(const struct pp_kem_info *info, struct pp_span pk,
                    const struct pp_kem_key *sender, struct pp_span random_bytes, uint8_t *ret_enc,
                    uint8_t *ret_shared);
    /* `sender_pk` is empty unless the sender authenticates itself. */
    pp_res (*decap)(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                    uint8_t *ret_shared);
    /*
     * Bare Diffie-Hellman of an imported key with a public key, for the KEMs that have a DHKEM as
     * their classical half: sk_len bytes. NULL for any other. KEY.
     */
    pp_res (*dh)(const struct pp_kem_info *info, const void *handle, const uint8_t *pk,
                 uint8_t *ret);
    /* DeriveKeyPair. */
    pp_res (*derive)(const struct pp_kem_info *info, struct pp_span ikm, uint8_t *ret_sk);
};

/* "KEM" || I2OSP(kem_id, 2) (RFC 9180, section 4.1). */
enum { PP_KEM_SUITE_ID_BYTES = 5 };
void pp_kem_suite_id(const struct pp_kem_info *info, uint8_t ret[PP_KEM_SUITE_ID_BYTES]);

struct pp_kem_key {
    const struct pp_kem_info *info;
    const struct pp_kem_ops *ops;
    void *handle; /* made by ops->import */
    struct pp_secret sk_secret;
    uint8_t pk[PP_KEM_PK_BYTES_MAX];
};

#define KEM(name, ...) extern const struct pp_kem_ops PP_KEM_OPS_##name;
#include "kems.def"
#undef KEM

#endif
