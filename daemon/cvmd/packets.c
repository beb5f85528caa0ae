/* SPDX-License-Identifier: Apache-2.0 */
#include "packets.h"

#include "ct.h"
#include "rd.h"

static struct cvm_name name_rd(struct pp_rd *rd)
{
    struct cvm_name n;

    n.slot = pp_rd_u32(rd);
    n.generation = pp_rd_u32(rd);
    return n;
}

static void tls_rd(struct pp_rd *rd, struct pp_ratls_session *ret)
{
    pp_rd_copy(rd, ret->spki, sizeof ret->spki);
    pp_rd_copy(rd, ret->ekm, sizeof ret->ekm);
}

void cvm_name_write(struct pp_wr *wr, struct cvm_name n)
{
    pp_wr_u32(wr, n.slot);
    pp_wr_u32(wr, n.generation);
}

pp_res cvm_name_parse(struct pp_span packet, struct cvm_name *ret)
{
    struct pp_rd rd = pp_rd_span(packet);
    struct cvm_name n = name_rd(&rd);

    PP_TRY(pp_rd_end(&rd));
    *ret = n;
    return PP_OK;
}

void cvm_opening_write(struct pp_wr *wr, const struct cvm_opening *o)
{
    cvm_name_write(wr, o->session);
    cvm_name_write(wr, o->worker);
    cvm_call_write(wr, &o->tls);
}

pp_res cvm_opening_parse(struct pp_span packet, struct cvm_opening *ret)
{
    struct pp_rd rd = pp_rd_span(packet);
    struct cvm_opening o;

    o.session = name_rd(&rd);
    o.worker = name_rd(&rd);
    tls_rd(&rd, &o.tls);
    pp_res r = pp_rd_end(&rd);
    if (pp_is_ok(r))
        *ret = o;
    pp_wipe(&o, sizeof o);
    return r;
}

void cvm_call_write(struct pp_wr *wr, const struct pp_ratls_session *tls)
{
    pp_wr_span(wr, PP_BYTES(tls->spki));
    pp_wr_span(wr, PP_BYTES(tls->ekm));
}

pp_res cvm_call_parse(struct pp_span packet, struct pp_ratls_session *ret)
{
    struct pp_rd rd = pp_rd_span(packet);
    struct pp_ratls_session tls;

    tls_rd(&rd, &tls);
    pp_res r = pp_rd_end(&rd);
    if (pp_is_ok(r))
        *ret = tls;
    pp_wipe(&tls, sizeof tls);
    return r;
}
