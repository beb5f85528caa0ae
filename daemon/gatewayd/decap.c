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
    uint8_t question[GW_OPEN_ASK_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(question, sizeof question);
    struct pp_rd rd = pp_rd_span(body);
    x->enc_len = enc_len_of(body);
    pp_wr_u8(&wr, (uint8_t)x->form);
    pp_wr_span(&wr, pp_rd_bytes(&rd, PP_OHTTP_HEADER_BYTES));
    pp_rd_copy(&rd, x->enc, x->enc_len);
    pp_wr_bytes(&wr, x->enc, x->enc_len);
    PP_TRY(pp_rd_ok(&rd));
    PP_TRY(pp_wr_ok(&wr));
    return gw_link_ask(d->opener, pp_wr_done(&wr), ask);
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

/* The same with what an answer's keys depend on. */
static pp_res restore_exchange(const struct gw_exchange *x, struct pp_ohttp *ret)
{
    PP_TRY(restore(x, &ret->hpke));
    memcpy(ret->salt, x->enc, x->enc_len);
    ret->enc_len = x->enc_len;
    return PP_OK;
}

/* --- opening and sealing -------------------------------------------------------------------- */

static pp_res open_body(const struct gw_exchange *x, uint8_t *sealed, size_t len,
                        struct pp_span *ret)
{
    PP_AUTO(pp_ohttp) ohttp = { 0 };

    PP_TRY(restore_exchange(x, &ohttp));
    if (x->form == PP_OHTTP_CHUNKED)
        return pp_ohttp_chunks_open(&ohttp, sealed, len, ret);
    PP_TRY(pp_hpke_open(&ohttp.hpke, PP_STR(""), pp_span(sealed, len), sealed));
    *ret = pp_span(sealed, len - PP_AEAD_TAG_BYTES);
    return PP_OK;
}

pp_res gw_decap_open(struct gw_decap *d, struct pp_span material, uint8_t *body, size_t len,
                     struct gw_exchange *x, struct pp_span *ret_inner)
{
    size_t skip = PP_OHTTP_HEADER_BYTES + x->enc_len;
    struct pp_span inner;

    PP_ASSERT(material.len == GW_MATERIAL_BYTES);
    memcpy(x->material, material.at, GW_MATERIAL_BYTES);
    pp_res r = open_body(x, body + skip, len - skip, &inner);
    PP_CHECK(material.at[0] == 1 && pp_is_ok(r), PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    x->is_replay = (uint32_t)pp_replay_seen(&d->replay, pp_span(x->enc, x->enc_len),
                                            pp_clock_mono_ms(&d->clock));
    *ret_inner = inner;
    return PP_OK;
}

void gw_decap_remember(struct gw_decap *d, const struct gw_exchange *x)
{
    pp_res r = pp_replay_insert(&d->replay, pp_span(x->enc, x->enc_len),
                                pp_clock_mono_ms(&d->clock));

    d->unremembered += r.code == PP_E_BUSY;
}

static size_t answer_overhead(const struct gw_exchange *x)
{
    struct pp_hpke_suite s = suite_of(x);

    return pp_ohttp_response_overhead((struct pp_ohttp_suite){ s.kdf, s.aead });
}

size_t gw_decap_nonce_len(const struct gw_exchange *x)
{
    return answer_overhead(x) - PP_AEAD_TAG_BYTES;
}

size_t gw_decap_room(const struct gw_exchange *x, size_t bucket_bytes)
{
    size_t overhead = answer_overhead(x);

    PP_ASSERT(bucket_bytes > overhead);
    return bucket_bytes - overhead;
}

pp_res gw_decap_seal(struct gw_decap *d, const struct gw_exchange *x, struct pp_span inner,
                     struct pp_wr *wr)
{
    PP_AUTO(pp_ohttp) ohttp = { 0 };

    PP_TRY(restore_exchange(x, &ohttp));
    return pp_ohttp_response_seal(&ohttp, &d->random, inner, wr);
}

pp_res gw_decap_start_chunks(struct gw_decap *d, const struct gw_exchange *x,
                             struct pp_ohttp_sender *s, void *mem, size_t mem_len)
{
    PP_AUTO(pp_ohttp) ohttp = { 0 };

    PP_TRY(restore_exchange(x, &ohttp));
    return pp_ohttp_sender_start_response(s, &ohttp, &d->random, mem, mem_len);
}
