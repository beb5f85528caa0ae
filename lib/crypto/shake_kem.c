/* SPDX-License-Identifier: Apache-2.0 */
#include "shake_kem_int.h"

#include "keccak_int.h"
#include "wr.h"

pp_res pp_shake_kem_derive(const struct pp_kem_info *info, struct pp_span ikm, uint8_t *ret_sk)
{
    static const char label[] = "DeriveKeyPair";
    uint8_t behind[64]; /* what LabeledDerive puts behind the key material */
    struct pp_wr wr = pp_wr_over(behind, sizeof behind);

    pp_wr_text(&wr, "HPKE-v1");
    pp_wr_text(&wr, "KEM");
    pp_wr_u16(&wr, info->id);
    pp_wr_u16(&wr, sizeof label - 1);
    pp_wr_text(&wr, label);
    pp_wr_u16(&wr, (uint16_t)info->sk_len);
    PP_TRY(pp_wr_ok(&wr));
    pp_shake256_of(ikm, pp_wr_done(&wr), ret_sk, info->sk_len);
    return PP_OK;
}
