/* SPDX-License-Identifier: Apache-2.0 */
/* ohttp_int.h: what both sides and both forms of an exchange share. */
#ifndef PP_OHTTP_INT_H
#define PP_OHTTP_INT_H

#include "ohttp.h"

/* The key-schedule context of a key and suite: the header stands in HPKE's info (section 4.3). */
PP_MUST pp_res pp_ohttp_info(struct pp_hpke_info *ret, enum pp_ohttp_form form, uint8_t id,
                             struct pp_hpke_suite suite);

/* Device: appends header and encapsulated key, and leaves the sender's context in `x`. */
PP_MUST pp_res pp_ohttp_encap(struct pp_ohttp *x, enum pp_ohttp_form form,
                              const struct pp_keyconf *kc, struct pp_hpke_suite suite,
                              const struct pp_random *random, struct pp_wr *wr);

/* Gateway: the key and the context that a request's header names. */
struct pp_ohttp_named {
    const struct pp_ohttp_gateway_key *key; /* both borrow from the gateway */
    const struct pp_hpke_info *info;
    size_t enc_len;
};

/*
 * Reads the header and looks up what it names: AUTH with enum pp_ohttp_refusal. A body of `len`
 * bytes that is shorter than any request is TRUNCATED, whatever it names: that says nothing of the
 * keys held.
 */
PP_MUST pp_res pp_ohttp_lookup(const struct pp_ohttp_gateway *gw, enum pp_ohttp_form form,
                               struct pp_rd *rd, size_t len, struct pp_ohttp_named *ret);

/* Gateway: leaves the receiver's context in `x`. AUTH. */
PP_MUST pp_res pp_ohttp_decap(struct pp_ohttp *x, const struct pp_ohttp_named *named,
                              struct pp_span enc);

/* L of RFC 9458, 4.4: max(Nn, Nk). */
size_t pp_ohttp_response_nonce_len(uint16_t aead);

/* The response's key and nonce (section 4.4): plain HKDF of the suite's KDF. */
struct pp_ohttp_response_keys {
    uint8_t key[PP_AEAD_KEY_BYTES_MAX];
    uint8_t nonce[PP_AEAD_NONCE_BYTES];
};

void pp_ohttp_response_keys_done(struct pp_ohttp_response_keys *k); /* wipes */

/* The response nonce stands behind the encapsulated key in x->salt already. */
PP_MUST pp_res pp_ohttp_response_derive(const struct pp_ohttp *x, enum pp_ohttp_form form,
                                        struct pp_ohttp_response_keys *ret);

#endif
