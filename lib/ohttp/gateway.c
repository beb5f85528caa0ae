/* SPDX-License-Identifier: Apache-2.0 */
#include "ct.h"
#include "ohttp_int.h"

static struct pp_ohttp_gateway_key *find(struct pp_ohttp_gateway *gw, uint8_t id)
{
    for (size_t i = 0; i < gw->key_count; i++)
        if (gw->keys[i].config.id == id)
            return &gw->keys[i];
    return NULL;
}

pp_res pp_ohttp_gateway_add(struct pp_ohttp_gateway *gw, uint8_t id, struct pp_kem_key *key,
                            const struct pp_ohttp_suite *suites, size_t suite_count)
{
    struct pp_ohttp_gateway_key k = { .key = key };
    struct pp_span pk = pp_kem_key_public(key);
    struct pp_wr wr = pp_wr_over(k.config.public_key, sizeof k.config.public_key);

    PP_CHECK(gw->key_count < PP_OHTTP_GATEWAY_KEYS_MAX, PP_E_LIMIT, gw->key_count);
    PP_CHECK(find(gw, id) == NULL, PP_E_EXISTS, id);
    PP_CHECK(suite_count > 0 && suite_count <= PP_KEYCONF_SUITES_MAX, PP_E_RANGE, suite_count);
    k.config.id = id;
    k.config.kem = pp_kem_key_id(key);
    k.config.public_key_len = pk.len;
    pp_wr_span(&wr, pk);
    for (size_t i = 0; i < suite_count; i++) {
        struct pp_hpke_suite suite = { k.config.kem, suites[i].kdf, suites[i].aead };
        PP_TRY(pp_ohttp_info(&k.infos[PP_OHTTP_WHOLE][i], PP_OHTTP_WHOLE, id, suite));
        PP_TRY(pp_ohttp_info(&k.infos[PP_OHTTP_CHUNKED][i], PP_OHTTP_CHUNKED, id, suite));
        k.config.suites[k.config.suite_count++] = suites[i];
    }
    gw->keys[gw->key_count++] = k;
    return PP_OK;
}

pp_res pp_ohttp_gateway_remove(struct pp_ohttp_gateway *gw, uint8_t id)
{
    struct pp_ohttp_gateway_key *k = find(gw, id);

    PP_CHECK(k != NULL, PP_E_NOT_FOUND, id);
    pp_kem_key_free(k->key);
    struct pp_ohttp_gateway_key *last = &gw->keys[gw->key_count - 1];
    for (; k < last; k++) /* the order of the list is the order of selection */
        *k = k[1];
    *last = (struct pp_ohttp_gateway_key){ 0 };
    gw->key_count--;
    return PP_OK;
}

void pp_ohttp_gateway_done(struct pp_ohttp_gateway *gw)
{
    for (size_t i = 0; i < gw->key_count; i++)
        pp_kem_key_free(gw->keys[i].key);
    pp_wipe(gw, sizeof *gw);
}

pp_res pp_ohttp_gateway_keys(const struct pp_ohttp_gateway *gw, struct pp_wr *wr)
{
    for (size_t i = 0; i < gw->key_count; i++) {
        size_t mark = pp_wr_block16_begin(wr);
        PP_TRY(pp_keyconf_write(&gw->keys[i].config, wr));
        pp_wr_block16_end(wr, mark);
    }
    return pp_wr_ok(wr);
}
