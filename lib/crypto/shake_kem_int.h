/* SPDX-License-Identifier: Apache-2.0 */
/* shake_kem_int.h: DeriveKeyPair of the KEMs that are built on SHAKE256 (draft-ietf-hpke-pq). */
#ifndef PP_SHAKE_KEM_INT_H
#define PP_SHAKE_KEM_INT_H

#include "kem.h"

/* SHAKE256.LabeledDerive(ikm, "DeriveKeyPair", "", Nsk). */
PP_MUST pp_res pp_shake_kem_derive(const struct pp_kem_info *info, struct pp_span ikm,
                                   uint8_t *ret_sk);

#endif
