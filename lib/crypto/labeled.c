/* SPDX-License-Identifier: Apache-2.0 */
#include "labeled.h"

#include "ct.h"

void pp_labeled_extract(enum pp_hash_id hash, struct pp_span suite_id, struct pp_span salt,
                        struct pp_span label, struct pp_span ikm, uint8_t *ret_prk)
{
    struct pp_hmac_key k;
    struct pp_hmac m;

    pp_hmac_key_init(&k, hash, salt);
    pp_hmac_init(&m, &k);
    pp_hmac_update(&m, PP_STR("HPKE-v1"));
    pp_hmac_update(&m, suite_id);
    pp_hmac_update(&m, label);
    pp_hmac_update(&m, ikm);
    pp_hmac_final(&m, ret_prk);
    pp_hmac_key_done(&k);
}

pp_res pp_labeled_expand(enum pp_hash_id hash, struct pp_span suite_id,
                         const struct pp_hmac_key *prk, struct pp_span label, struct pp_span info,
                         uint8_t *ret, size_t out_len)
{
    uint8_t block[PP_HASH_BYTES_MAX];
    size_t hash_len = pp_hash_len(hash);
    uint8_t len_be[2] = { (uint8_t)(out_len >> 8), (uint8_t)out_len };
    size_t done = 0;

    PP_CHECK(out_len <= 255 * hash_len, PP_E_RANGE, out_len);
    for (uint8_t i = 1; done < out_len; i++) {
        struct pp_hmac m;
        size_t n = out_len - done < hash_len ? out_len - done : hash_len;

        pp_hmac_init(&m, prk);
        if (i > 1)
            pp_hmac_update(&m, pp_span(block, hash_len));
        pp_hmac_update(&m, PP_BYTES(len_be));
        pp_hmac_update(&m, PP_STR("HPKE-v1"));
        pp_hmac_update(&m, suite_id);
        pp_hmac_update(&m, label);
        pp_hmac_update(&m, info);
        pp_hmac_update(&m, pp_span(&i, 1));
        pp_hmac_final(&m, block);
        memcpy(ret + done, block, n);
        done += n;
    }
    pp_wipe(block, sizeof block);
    return PP_OK;
}

static void absorb_u16(struct pp_keccak *k, size_t v)
{
    uint8_t bytes[2] = { (uint8_t)(v >> 8), (uint8_t)v };

    pp_keccak_absorb(k, PP_BYTES(bytes));
}

pp_res pp_labeled_derive(struct pp_keccak *k, struct pp_span suite_id, struct pp_span label,
                         struct pp_span context, uint8_t *ret, size_t out_len)
{
    int fits = out_len <= UINT16_MAX;

    if (fits) {
        pp_keccak_absorb(k, PP_STR("HPKE-v1"));
        pp_keccak_absorb(k, suite_id);
        absorb_u16(k, label.len);
        pp_keccak_absorb(k, label);
        absorb_u16(k, out_len);
        pp_keccak_absorb(k, context);
        pp_keccak_squeeze(k, ret, out_len);
    }
    pp_keccak_done(k);
    PP_CHECK(fits, PP_E_RANGE, out_len);
    return PP_OK;
}
