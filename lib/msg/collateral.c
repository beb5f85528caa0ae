/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral.h"

#include "cbor.h"

#define KIND PP_STR("tdx")

enum { ITEMS = 9 };

static struct pp_span document_rd(struct pp_rd *rd)
{
    return pp_cbor_rd_bytes(rd, 1, PP_COLLATERAL_DOCUMENT_BYTES_MAX);
}

pp_res pp_collateral_parse(struct pp_span blob, struct pp_collateral *ret)
{
    struct pp_rd rd = pp_rd_span(blob);
    struct pp_collateral c = { 0 };

    pp_cbor_rd_tuple(&rd, ITEMS);
    struct pp_span kind = pp_cbor_rd_text(&rd, 1, 16);
    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(pp_span_eq(kind, KIND), PP_E_UNSUPPORTED, 0);
    pp_cbor_rd_copy(&rd, c.fmspc, sizeof c.fmspc);
    c.platform_ca = pp_cbor_rd_bool(&rd);
    c.tcb_info = document_rd(&rd);
    c.tcb_info_chain = document_rd(&rd);
    c.qe_identity = document_rd(&rd);
    c.qe_identity_chain = document_rd(&rd);
    c.pck_crl = document_rd(&rd);
    c.root_crl = document_rd(&rd);
    PP_TRY(pp_rd_end(&rd));
    *ret = c;
    return PP_OK;
}

pp_res pp_collateral_write(struct pp_wr *wr, const struct pp_collateral *c)
{
    pp_cbor_wr_array(wr, ITEMS);
    pp_cbor_wr_text(wr, KIND);
    pp_cbor_wr_bytes(wr, PP_BYTES(c->fmspc));
    pp_cbor_wr_bool(wr, c->platform_ca);
    pp_cbor_wr_bytes(wr, c->tcb_info);
    pp_cbor_wr_bytes(wr, c->tcb_info_chain);
    pp_cbor_wr_bytes(wr, c->qe_identity);
    pp_cbor_wr_bytes(wr, c->qe_identity_chain);
    pp_cbor_wr_bytes(wr, c->pck_crl);
    pp_cbor_wr_bytes(wr, c->root_crl);
    return pp_wr_ok(wr);
}
