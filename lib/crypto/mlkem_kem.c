/* SPDX-License-Identifier: Apache-2.0 */
/* ML-KEM alone as a KEM of HPKE (draft-ietf-hpke-pq): no protocol of ours names it. */
#include "kem_int.h"
#include "mlkem_int.h"
#include "shake_kem_int.h"

static const struct pp_mlkem *set_of(const struct pp_kem_info *info)
{
    switch (info->id) {
    case PP_KEM_MLKEM512:
        return &PP_MLKEM_512;
    case PP_KEM_MLKEM768:
        return &PP_MLKEM_768;
    default:
        return &PP_MLKEM_1024;
    }
}

static pp_res import(const struct pp_kem_info *info, struct pp_span sk, void **ret_handle,
                     uint8_t *ret_pk)
{
    struct pp_mlkem_key *k = NULL;

    PP_TRY(pp_mlkem_key_new(set_of(info), sk.at, ret_pk, &k));
    *ret_handle = k;
    return PP_OK;
}

static void release(void *handle)
{
    pp_mlkem_key_free(handle);
}

static pp_res check(const struct pp_kem_info *info, struct pp_span pk)
{
    return pp_mlkem_check(set_of(info), pk.at);
}

static pp_res encap(const struct pp_kem_info *info, struct pp_span pk,
                    const struct pp_kem_key *sender, struct pp_span random_bytes, uint8_t *ret_enc,
                    uint8_t *ret_shared)
{
    PP_ASSERT(sender == NULL); /* kems.def: no authentication */
    return pp_mlkem_encap(set_of(info), pk.at, random_bytes.at, ret_enc, ret_shared);
}

static pp_res decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                    uint8_t *ret_shared)
{
    PP_ASSERT(sender_pk.len == 0);
    return pp_mlkem_decap(k->handle, enc.at, ret_shared);
}

#define OPS                                                                                        \
    {                                                                                              \
        .any_bytes_are_a_key = 1, .import = import, .release = release, .check = check,            \
        .encap = encap, .decap = decap, .derive = pp_shake_kem_derive,                             \
    }
const struct pp_kem_ops PP_KEM_OPS_MLKEM512 = OPS;
const struct pp_kem_ops PP_KEM_OPS_MLKEM768 = OPS;
const struct pp_kem_ops PP_KEM_OPS_MLKEM1024 = OPS;
