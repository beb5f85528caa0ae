/* SPDX-License-Identifier: Apache-2.0 */
#include "dhkem.h"

#include "ct.h"
#include "kem_int.h"
#include "labeled.h"
#include "wr.h"

enum { POINT_BYTES_MAX = 133, CONTEXT_BYTES_MAX = 3 * POINT_BYTES_MAX }; /* P-521 has the longest */

enum pp_hash_id pp_dhkem_hash(const struct pp_kem_info *info)
{
    switch (info->secret_len) {
    case PP_SHA256_BYTES:
        return PP_SHA256;
    case PP_SHA384_BYTES:
        return PP_SHA384;
    default:
        return PP_SHA512;
    }
}

pp_res pp_dhkem_shared(const struct pp_kem_info *info, struct pp_span dh, struct pp_span enc,
                       struct pp_span pk, struct pp_span sender_pk, uint8_t *ret_shared)
{
    uint8_t id[PP_KEM_SUITE_ID_BYTES], prk[PP_HASH_BYTES_MAX], context[CONTEXT_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(context, sizeof context);
    enum pp_hash_id hash = pp_dhkem_hash(info);
    struct pp_hmac_key k;

    pp_kem_suite_id(info, id);
    pp_wr_span(&wr, enc);
    pp_wr_span(&wr, pk);
    pp_wr_span(&wr, sender_pk);
    PP_TRY(pp_wr_ok(&wr));
    pp_labeled_extract(hash, PP_BYTES(id), PP_STR(""), PP_STR("eae_prk"), dh, prk);
    pp_hmac_key_init(&k, hash, pp_span(prk, pp_hash_len(hash)));
    pp_res r = pp_labeled_expand(hash, PP_BYTES(id), &k, PP_STR("shared_secret"), pp_wr_done(&wr),
                                 ret_shared, info->secret_len);
    pp_hmac_key_done(&k);
    pp_wipe(prk, sizeof prk);
    return r;
}

void pp_dhkem_dkp(const struct pp_kem_info *info, struct pp_span ikm, struct pp_hmac_key *ret_prk)
{
    uint8_t id[PP_KEM_SUITE_ID_BYTES], prk[PP_HASH_BYTES_MAX];
    enum pp_hash_id hash = pp_dhkem_hash(info);

    pp_kem_suite_id(info, id);
    pp_labeled_extract(hash, PP_BYTES(id), PP_STR(""), PP_STR("dkp_prk"), ikm, prk);
    pp_hmac_key_init(ret_prk, hash, pp_span(prk, pp_hash_len(hash)));
    pp_wipe(prk, sizeof prk);
}
