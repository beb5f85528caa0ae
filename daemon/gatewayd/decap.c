/* SPDX-License-Identifier: Apache-2.0 */
#include "decap.h"

#include "sizes.h"

void gw_exchange_done(struct gw_exchange *x)
{
    pp_ohttp_done(&x->ohttp);
    *x = (struct gw_exchange){ 0 };
}

pp_res gw_decap_open(struct gw_decap *d, uint8_t *body, size_t len, struct gw_exchange *x,
                     struct pp_span *ret_inner)
{
    struct pp_span inner;

    PP_CHECK(pp_request_bytes_ok(len), PP_E_RANGE, len);
    PP_TRY(pp_ohttp_request_open(&x->ohttp, d->keys, body, len, &inner));
    x->is_replay = (uint32_t)pp_replay_seen(&d->replay, pp_ohttp_enc(&x->ohttp),
                                            pp_clock_mono_ms(&d->clock));
    *ret_inner = inner;
    return PP_OK;
}

void gw_decap_remember(struct gw_decap *d, const struct gw_exchange *x)
{
    pp_res r = pp_replay_insert(&d->replay, pp_ohttp_enc(&x->ohttp), pp_clock_mono_ms(&d->clock));

    d->unremembered += r.code == PP_E_BUSY;
}

static size_t overhead(const struct gw_exchange *x)
{
    struct pp_ohttp_suite suite = { x->ohttp.hpke.suite.kdf, x->ohttp.hpke.suite.aead };

    return pp_ohttp_response_overhead(suite);
}

size_t gw_decap_room(const struct gw_exchange *x, size_t bucket_bytes)
{
    PP_ASSERT(bucket_bytes > overhead(x));
    return bucket_bytes - overhead(x);
}

pp_res gw_decap_seal(struct gw_decap *d, struct gw_exchange *x, struct pp_span inner,
                     struct pp_wr *wr)
{
    return pp_ohttp_response_seal(&x->ohttp, &d->random, inner, wr);
}
