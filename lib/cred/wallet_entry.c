/* SPDX-License-Identifier: Apache-2.0 */
#include "cred.h"

pp_res pp_wallet_entry_parse(struct pp_span bytes, struct pp_wallet_entry *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_wallet_entry e = { 0 };
    struct pp_token token;

    e.type = pp_rd_u16(&rd);
    e.day = pp_rd_u32(&rd);
    e.usable_from_s = pp_rd_u64(&rd);
    e.token = pp_rd_rest(&rd);
    PP_TRY(pp_rd_ok(&rd));
    PP_TRY(pp_token_parse(e.token, &token));
    PP_CHECK(token.type == e.type, PP_E_MISMATCH, token.type);
    *ret = e;
    return PP_OK;
}

void pp_wallet_entry_write(const struct pp_wallet_entry *e, struct pp_wr *wr)
{
    pp_wr_u16(wr, e->type);
    pp_wr_u32(wr, e->day);
    pp_wr_u64(wr, e->usable_from_s);
    pp_wr_span(wr, e->token);
}
