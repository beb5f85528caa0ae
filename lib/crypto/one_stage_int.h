/* SPDX-License-Identifier: Apache-2.0 */
/*
 * one_stage_int.h: KDFs of one stage (draft-ietf-hpke-hpke): one call of an extendable output
 * function in the place of HKDF's Extract and Expand.
 *
 *     LabeledDerive(ikm, label, context, L) =
 *         XOF(ikm || "HPKE-v1" || suite_id || lp(label) || I2OSP(L, 2) || context, L)
 *
 * where lp(x) is x behind its length in two bytes. The key material is absorbed between the two
 * calls, in as many pieces as it has.
 */
#ifndef PP_ONE_STAGE_INT_H
#define PP_ONE_STAGE_INT_H

#include "keccak_int.h"

/* The output length of an exporter secret, Nh; 0 for an id that is no KDF of one stage. */
size_t pp_one_stage_len(uint16_t kdf);

struct pp_keccak pp_one_stage_begin(uint16_t kdf);                 /* which must be one */
void pp_one_stage_prefixed(struct pp_keccak *k, struct pp_span x); /* lp(x); x.len <= 65535 */

/* Gives `len` bytes, at most 65535, and wipes the state. */
void pp_one_stage_end(struct pp_keccak *k, struct pp_span suite_id, struct pp_span label,
                      struct pp_span context, uint8_t *ret, size_t len);

#endif
