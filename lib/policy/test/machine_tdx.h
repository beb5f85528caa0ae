/* SPDX-License-Identifier: Apache-2.0 */
/* machine_tdx.h: the machine of machine.h as a TDX platform, under another root, in one ledger. */
#ifndef PP_MACHINE_TDX_H
#define PP_MACHINE_TDX_H

#include "collateral.h"
#include "machine.h"
#include "sim_tdx.h"

struct machine_tdx {
    struct machine *m;
    struct sim_tdx_vendor *vendor;
    struct sim_tdx_platform *platform;
    struct sim_tdx_guest guest;
    struct sim_tdx_collateral collateral;
    uint8_t quote[SIM_TDX_QUOTE_BYTES_MAX], blob[1 << 17];
    size_t quote_len;
    void (*bend_quote)(struct pp_tdx_quote *q); /* before it is signed */
};

/* What the vendor says now goes into the bundle. */
static inline void machine_tdx_publish(struct machine_tdx *t)
{
    struct pp_wr wr = pp_wr_over(t->blob, sizeof t->blob);
    struct pp_tdx_pck *pck = &sim_tdx_params(t->platform)->pck;
    struct pp_collateral c = {
        .platform_ca = pck->has_instance_id,
        .tcb_info = pp_span(t->collateral.tcb_info, t->collateral.tcb_info_len),
        .tcb_info_chain = sim_tdx_signer_chain(t->vendor),
        .qe_identity = pp_span(t->collateral.qe_identity, t->collateral.qe_identity_len),
        .qe_identity_chain = sim_tdx_signer_chain(t->vendor),
        .pck_crl = pp_span(t->collateral.pck_crl, t->collateral.pck_crl_len),
        .root_crl = pp_span(t->collateral.root_crl, t->collateral.root_crl_len),
    };

    memcpy(c.fmspc, pck->fmspc, sizeof c.fmspc);
    assert_ok(pp_collateral_write(&wr, &c));
    t->m->ledger.bundle.blob_count = 0;
    machine_add_blob(t->m, pp_wr_done(&wr));
}

/* The world as it should be, with this machine in it. */
static inline void machine_tdx_default(struct machine_tdx *t)
{
    struct machine *m = t->m;

    machine_default(m);
    m->trust.platforms = 1U << PP_PLATFORM_SIM_TDX;
    struct sim_tdx_params params = sim_tdx_params_default();
    memcpy(params.pck.ppid, sim_tdx_ppid(t->platform), sizeof params.pck.ppid);
    *sim_tdx_params(t->platform) = params;
    t->guest = (struct sim_tdx_guest){ .td_attributes = SIM_TDX_ATTRIBUTES, .xfam = SIM_TDX_XFAM };
    memset(t->guest.mrtd, 0x71, sizeof t->guest.mrtd);
    for (size_t i = 0; i < 3; i++)
        memset(t->guest.rtmr[i], 0x72 + (int)i, sizeof t->guest.rtmr[i]);
    pp_sha256(pp_span_cstr(MACHINE_CONFIG), t->guest.mrconfigid);
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;
    rel->tdx_count = 1;
    rel->tdx[0].label = PP_STR("small");
    memcpy(rel->tdx[0].mrtd, t->guest.mrtd, sizeof rel->tdx[0].mrtd);
    memcpy(rel->tdx[0].rtmr, t->guest.rtmr, sizeof rel->tdx[0].rtmr);
    machine_register(m, PP_HOST_TDX, pp_span(sim_tdx_ppid(t->platform), PP_TDX_ID_BYTES));
    assert_ok(sim_tdx_collateral(t->vendor, t->platform, MACHINE_NOW - 3600, &t->collateral));
    machine_tdx_publish(t);
    t->bend_quote = NULL;
}

static inline struct machine_tdx *machine_tdx_new(struct machine *m)
{
    struct sim_tdx_params params = sim_tdx_params_default();
    struct pp_random random = pp_random_system();
    struct machine_tdx *t = calloc(1, sizeof *t);

    assert_non_null(t);
    t->m = m;
    assert_ok(sim_tdx_vendor_create(MACHINE_NOW - 86400, &t->vendor));
    assert_ok(
        sim_tdx_platform_create(t->vendor, &params, &random, MACHINE_NOW - 86400, &t->platform));
    assert_ok(pp_tdx_anchors_add(&m->trust.tdx_anchors, sim_tdx_root(t->vendor)));
    return t;
}

static inline void machine_tdx_free(struct machine_tdx *t)
{
    sim_tdx_platform_free(t->platform);
    sim_tdx_vendor_free(t->vendor);
    free(t);
}

/* Attests m->session, as machine_attest does. */
static inline struct pp_span machine_tdx_attest(struct machine_tdx *t)
{
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_tdx_quote quote;

    machine_bind(t->m, PP_PLATFORM_SIM_TDX, report_data);
    sim_tdx_quote_fill(t->platform, &t->guest, report_data, &quote);
    if (t->bend_quote != NULL)
        t->bend_quote(&quote);
    assert_ok(sim_tdx_quote_sign(t->platform, &quote, t->quote, sizeof t->quote, &t->quote_len));
    t->m->evidence.report = pp_span(t->quote, t->quote_len);
    return machine_write(t->m);
}

#endif
