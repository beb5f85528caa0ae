/* SPDX-License-Identifier: Apache-2.0 */
#include "shake_kem_int.h"

#include "dhkem.h"
#include "hpke.h"
#include "one_stage_int.h"

pp_res pp_shake_kem_derive(const struct pp_kem_info *info, struct pp_span ikm, uint8_t *ret_sk)
{
    struct pp_keccak k = pp_one_stage_begin(PP_SHAKE256);
    uint8_t id[PP_KEM_SUITE_ID_BYTES];

    pp_dhkem_suite_id(info, id);
    pp_keccak_absorb(&k, ikm);
    pp_one_stage_end(&k, PP_BYTES(id), PP_STR("DeriveKeyPair"), PP_STR(""), ret_sk, info->sk_len);
    return PP_OK;
}
