/* SPDX-License-Identifier: Apache-2.0 */
#include "one_stage_int.h"

#include "hpke.h"

static const struct {
    uint16_t kdf;
    size_t len;
    struct pp_keccak (*xof)(void);
} TABLE[] = {
    { PP_SHAKE128, 32, pp_shake128 },
    { PP_SHAKE256, 64, pp_shake256 },
    { PP_TURBOSHAKE128, 32, pp_turboshake128 },
    { PP_TURBOSHAKE256, 64, pp_turboshake256 },
};

size_t pp_one_stage_len(uint16_t kdf)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(TABLE); i++)
        if (TABLE[i].kdf == kdf)
            return TABLE[i].len;
    return 0;
}

struct pp_keccak pp_one_stage_begin(uint16_t kdf)
{
    size_t i = 0;

    while (i < PP_ARRAY_COUNT(TABLE) && TABLE[i].kdf != kdf)
        i++;
    PP_ASSERT(i < PP_ARRAY_COUNT(TABLE));
    return TABLE[i].xof();
}

static void absorb_length(struct pp_keccak *k, size_t len)
{
    const uint8_t be[2] = { (uint8_t)(len >> 8), (uint8_t)len };

    PP_ASSERT(len <= PP_HPKE_INPUT_BYTES_MAX);
    pp_keccak_absorb(k, PP_BYTES(be));
}

void pp_one_stage_prefixed(struct pp_keccak *k, struct pp_span x)
{
    absorb_length(k, x.len);
    pp_keccak_absorb(k, x);
}

void pp_one_stage_end(struct pp_keccak *k, struct pp_span suite_id, struct pp_span label,
                      struct pp_span context, uint8_t *ret, size_t len)
{
    pp_keccak_absorb(k, PP_STR("HPKE-v1"));
    pp_keccak_absorb(k, suite_id);
    pp_one_stage_prefixed(k, label);
    absorb_length(k, len);
    pp_keccak_absorb(k, context);
    pp_keccak_squeeze(k, ret, len);
    pp_keccak_done(k);
}
