/* SPDX-License-Identifier: Apache-2.0 */
#include "decap.h"

#include "ct.h"
#include "sizes.h"

void gw_exchange_done(struct gw_exchange *x)
{
    uint8_t *material = x->material;

    if (material != NULL)
        pp_wipe(material, GW_MATERIAL_BYTES);
    *x = (struct gw_exchange){ .material = material };
}

/* --- asking --------------------------------------------------------------------------------- */

/* A KEM that this build does not offer has no length; any will do, since no key is of it. */
static size_t enc_len_of(struct pp_span body)
{
    struct pp_rd rd = pp_rd_span(body);

    (void)pp_rd_u8(&rd);
    const struct pp_kem_info *info = pp_kem_info(pp_rd_u16(&rd));
    return info == NULL ? PP_X25519_BYTES : info->enc_len;
}

pp_res gw_decap_ask(struct gw_decap *d, struct pp_span body, struct gw_exchange *x,
                    struct gw_ask *ask)
{
    PP_CHECK(pp_request_bytes_ok(body.len), PP_E_RANGE, body.len);
    struct pp_rd rd = pp_rd_span(body);
    x->enc_len = enc_len_of(body);
    pp_rd_skip(&rd, PP_OHTTP_HEADER_BYTES);
    pp_rd_copy(&rd, x->enc, x->enc_len);
    PP_TRY(pp_rd_ok(&rd));
    return gw_link_ask(d->opener, pp_span(body.at, PP_OHTTP_HEADER_BYTES + x->enc_len), ask);
}

/* --- the context of an exchange ------------------------------------------------------------- */

static struct pp_hpke_suite suite_of(const struct gw_exchange *x)
{
    struct pp_rd rd = pp_rd_over(x->material, GW_MATERIAL_BYTES);
    struct pp_hpke_suite s = { 0 };

    (void)pp_rd_u8(&rd);
    s.kem = pp_rd_u16(&rd);
    s.kdf = pp_rd_u16(&rd);
    s.aead = pp_rd_u16(&rd);
    return s;
}

/*
 * The context for the time of one call: kept for the whole exchange it would take two locked pieces
 * of memory for every request that waits.
 */
static pp_res restore(const struct gw_exchange *x, struct pp_hpke *ret)
{
    struct pp_rd rd = pp_rd_over(x->material, GW_MATERIAL_BYTES);
    struct pp_hpke_suite suite = suite_of(x);

    pp_rd_skip(&rd, 1 + 6);
    struct pp_span key = pp_rd_bytes(&rd, GW_KEY_ROOM);
    PP_CHECK(pp_is_ok(pp_hpke_suite_check(suite)), PP_E_AUTH, PP_OHTTP_KEY_UNKNOWN);
    pp_rd_copy(&rd, ret->base_nonce, sizeof ret->base_nonce);
    struct pp_span exporter = pp_rd_bytes(&rd, GW_EXPORTER_ROOM);
    ret->suite = suite;
    ret->role = 2; /* a receiver */
    key.len = pp_aead_key_len(suite.aead);
    exporter.len = pp_hash_len(pp_hpke_hash(suite.kdf));
    PP_TRY(pp_secret_copy(&ret->key_secret, key));
    return pp_secret_copy(&ret->exporter_secret, exporter);
}

/* --- opening and sealing -------------------------------------------------------------------- */

pp_res gw_decap_open(struct gw_decap *d, struct pp_span material, uint8_t *body, size_t len,
                     struct gw_exchange *x, struct pp_span *ret_inner)
{
    PP_AUTO(pp_hpke) c = { 0 };
    size_t skip = PP_OHTTP_HEADER_BYTES + x->enc_len;
    uint8_t *sealed = body + skip;

    PP_ASSERT(material.len == GW_MATERIAL_BYTES);
    memcpy(x->material, material.at, GW_MATERIAL_BYTES);
    PP_TRY(restore(x, &c));
    pp_res r = pp_hpke_open(&c, PP_STR(""), pp_span(sealed, len - skip), sealed);
    PP_CHECK(material.at[0] == 1 && pp_is_ok(r), PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    x->is_replay = (uint32_t)pp_replay_seen(&d->replay, pp_span(x->enc, x->enc_len),
                                            pp_clock_mono_ms(&d->clock));
    *ret_inner = pp_span(sealed, len - skip - PP_AEAD_TAG_BYTES);
    return PP_OK;
}

void gw_decap_remember(struct gw_decap *d, const struct gw_exchange *x)
{
    pp_res r = pp_replay_insert(&d->replay, pp_span(x->enc, x->enc_len),
                                pp_clock_mono_ms(&d->clock));

    d->unremembered += r.code == PP_E_BUSY;
}

size_t gw_decap_room(const struct gw_exchange *x, size_t bucket_bytes)
{
    struct pp_hpke_suite s = suite_of(x);
    size_t overhead = pp_ohttp_response_overhead((struct pp_ohttp_suite){ s.kdf, s.aead });

    PP_ASSERT(bucket_bytes > overhead);
    return bucket_bytes - overhead;
}

pp_res gw_decap_seal(struct gw_decap *d, const struct gw_exchange *x, struct pp_span inner,
                     struct pp_wr *wr)
{
    PP_AUTO(pp_ohttp) ohttp = { 0 };

    PP_TRY(restore(x, &ohttp.hpke));
    memcpy(ohttp.salt, x->enc, x->enc_len);
    ohttp.enc_len = x->enc_len;
    return pp_ohttp_response_seal(&ohttp, &d->random, inner, wr);
}
