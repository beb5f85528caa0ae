/* SPDX-License-Identifier: Apache-2.0 */
#include "shake_kem_int.h"

#include "kem_int.h"
#include "labeled.h"

pp_res pp_shake_kem_derive(const struct pp_kem_info *info, struct pp_span ikm, uint8_t *ret_sk)
{
    uint8_t id[PP_KEM_SUITE_ID_BYTES];
    struct pp_keccak k = pp_shake256();

    pp_kem_suite_id(info, id);
    pp_keccak_absorb(&k, ikm);
    return pp_labeled_derive(&k, PP_BYTES(id), PP_STR("DeriveKeyPair"), PP_STR(""), ret_sk,
                             info->sk_len);
}
