/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

static void answered(void *ctx, struct pp_span answer)
{
    struct gw_redemption *r = (struct gw_redemption *)ctx;
    struct pp_rd rd = pp_rd_span(answer);
    uint32_t code = pp_rd_u32(&rd);

    /* What cannot be read is no "accept". */
    if (!pp_is_ok(pp_rd_end(&rd)))
        code = PP_E_STORE;
    r->done(r->ctx, code == PP_E_OK ? PP_OK : PP_FAIL(code, 0));
}

pp_res gw_tokens_redeem(struct gw_link *redeemer, struct pp_span field, gw_redeemed_fn done,
                        void *ctx, struct gw_redemption *r)
{
    PP_CHECK(field.len <= PP_TOKEN_FIELD_BYTES_MAX, PP_E_TOKEN_REFUSED, field.len);
    r->ask.answered = answered;
    r->ask.ctx = r;
    r->done = done;
    r->ctx = ctx;
    return gw_link_ask(redeemer, field, &r->ask);
}

void gw_tokens_cancel(struct gw_redemption *r)
{
    gw_link_cancel(&r->ask);
}
