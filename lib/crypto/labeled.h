/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labeled.h: LabeledExtract and LabeledExpand (RFC 9180, section 4), and LabeledDerive of the
 * one-stage KDFs (draft-ietf-hpke-hpke), for lib/crypto alone.
 */
#ifndef PP_LABELED_H
#define PP_LABELED_H

#include "hash.h"
#include "keccak_int.h"

/* prk = HKDF-Extract(salt, "HPKE-v1" || suite_id || label || ikm); pp_hash_len bytes. */
void pp_labeled_extract(enum pp_hash_id hash, struct pp_span suite_id, struct pp_span salt,
                        struct pp_span label, struct pp_span ikm, uint8_t *ret_prk);

/* HKDF-Expand(prk, I2OSP(L, 2) || "HPKE-v1" || suite_id || label || info, L); RANGE as there. */
PP_MUST pp_res pp_labeled_expand(enum pp_hash_id hash, struct pp_span suite_id,
                                 const struct pp_hmac_key *prk, struct pp_span label,
                                 struct pp_span info, uint8_t *ret, size_t out_len);

/*
 * What `k`, which has absorbed the key material, gives behind "HPKE-v1" || suite_id ||
 * I2OSP(len, 2) || label || I2OSP(L, 2) || context. Wipes `k`. RANGE for more than 65,535 bytes.
 */
PP_MUST pp_res pp_labeled_derive(struct pp_keccak *k, struct pp_span suite_id, struct pp_span label,
                                 struct pp_span context, uint8_t *ret, size_t out_len);

#endif
