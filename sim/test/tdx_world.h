/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_world.h: one simulated vendor and its platforms, made once for all tests of a program. */
#ifndef SIM_TEST_TDX_WORLD_H
#define SIM_TEST_TDX_WORLD_H

#include "harness.h"

#include "crypto.h"
#include "tdx_int.h"
#include "tdx_verify.h"

enum { NOW = 1780272000, DAY = 86400, YEAR = 365 * DAY };

enum { V5_15, V5_10, V4, PLATFORMS };

struct world {
    struct sim_tdx_vendor *vendor;
    struct sim_tdx_platform *platforms[PLATFORMS];
    struct pp_tdx_anchors anchors;
    struct pp_tdx_kept *kept; /* beside them: tests look at both ways */
};

static inline pp_res world_make(struct world *w)
{
    struct pp_random random = pp_random_system();

    w->kept = calloc(1, sizeof *w->kept);
    PP_CHECK(w->kept != NULL, PP_E_NO_MEMORY, 0);
    PP_TRY(sim_tdx_vendor_create(NOW - DAY, &w->vendor));
    for (size_t i = 0; i < PLATFORMS; i++) {
        struct sim_tdx_params params = sim_tdx_params_default();
        params.version = i == V4 ? 4 : 5;
        params.body_type = i == V5_15 ? PP_TDX_BODY_15 : PP_TDX_BODY_10;
        if (i == V4)
            params.tee_tcb_svn[1] = 0; /* a TDX 1.0 module, which has no number */
        PP_TRY(sim_tdx_platform_create(w->vendor, &params, &random, NOW - DAY, &w->platforms[i]));
    }
    return pp_tdx_anchors_add(&w->anchors, sim_tdx_root(w->vendor));
}

static inline void world_free(struct world *w)
{
    w->anchors.kept = w->kept; /* emptied with the anchors */
    pp_tdx_anchors_done(&w->anchors);
    free(w->kept);
    for (size_t i = 0; i < PLATFORMS; i++)
        sim_tdx_platform_free(w->platforms[i]);
    sim_tdx_vendor_free(w->vendor);
}

/* Evidence that the strict profile accepts, with every value that it asks for. */
struct evidence {
    const struct world *world;
    struct sim_tdx_platform *platform;
    struct pp_tdx_policy policy;
    uint64_t at;

    /* What is signed anew by every build. */
    struct pp_tdx_quote quote;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity identity;
    uint64_t root_lists, pck_lists; /* serial numbers; 0: none */
    uint64_t crl_from, crl_until;

    /* What came of it; tests may change it before they judge. */
    uint8_t bytes[PP_TDX_QUOTE_BYTES_MAX + 1];
    size_t len;
    struct sim_tdx_collateral collateral;
    struct pp_tdx_evidence evidence;

    uint8_t launch[PP_TDX_LAUNCH_BYTES], config[PP_TDX_MEASUREMENT_BYTES];
    uint8_t report_data[PP_TDX_REPORT_DATA_BYTES], host_id[PP_TDX_HOST_ID_BYTES];
    struct pp_tdx_checks checks;
    struct pp_tdx_result result;
};

/* Fills `e`, which must not move afterwards. */
static inline void evidence_of(const struct world *w, int platform, struct evidence *e)
{
    struct sim_tdx_guest guest = { .td_attributes = SIM_TDX_ATTRIBUTES, .xfam = SIM_TDX_XFAM };

    memset(e, 0, sizeof *e);
    e->world = w;
    e->platform = w->platforms[platform];
    e->at = NOW;
    for (size_t i = 0; i < 4; i++)
        memset(e->launch + i * PP_TDX_MEASUREMENT_BYTES, 0x40 + (int)i, PP_TDX_MEASUREMENT_BYTES);
    memset(e->config, 0x48, 32);
    memset(e->report_data, 0x52, sizeof e->report_data);
    memcpy(e->host_id, sim_tdx_ppid(e->platform), PP_TDX_ID_BYTES);
    memcpy(guest.mrtd, e->launch, sizeof guest.mrtd);
    memcpy(guest.rtmr, e->launch + sizeof guest.mrtd, 3 * PP_TDX_MEASUREMENT_BYTES);
    memcpy(guest.mrconfigid, e->config, sizeof guest.mrconfigid);
    e->policy = PP_TDX_POLICY_STRICT;
    e->policy.launches = (struct pp_attest_set){ .values = e->launch, .count = 1 };
    e->policy.pins[PP_TDX_PIN_MRCONFIGID] = (struct pp_attest_set){ .values = e->config,
                                                                    .count = 1 };
    e->policy.host_ids = (struct pp_attest_set){ .values = e->host_id, .count = 1 };
    e->policy.report_data = e->report_data;
    e->policy.evaluation_min = 18;
    sim_tdx_quote_fill(e->platform, &guest, e->report_data, &e->quote);
    sim_tdx_tcb_info_of(e->platform, NOW - DAY, &e->info);
    sim_tdx_qe_identity_of(e->platform, NOW - DAY, &e->identity);
    e->crl_from = NOW - DAY;
    e->crl_until = NOW + 30 * DAY;
}

static inline void sign_info_text(struct evidence *e, struct pp_span inner)
{
    assert_ok(sim_tdx_sign_document(e->world->vendor, "tcbInfo", inner, e->collateral.tcb_info,
                                    sizeof e->collateral.tcb_info, &e->collateral.tcb_info_len));
    e->evidence.tcb_info = pp_span(e->collateral.tcb_info, e->collateral.tcb_info_len);
}

static inline void sign_identity_text(struct evidence *e, struct pp_span inner)
{
    assert_ok(sim_tdx_sign_document(e->world->vendor, "enclaveIdentity", inner,
                                    e->collateral.qe_identity, sizeof e->collateral.qe_identity,
                                    &e->collateral.qe_identity_len));
    e->evidence.qe_identity = pp_span(e->collateral.qe_identity, e->collateral.qe_identity_len);
}

static inline void build(struct evidence *e)
{
    static uint8_t inner[SIM_TDX_DOCUMENT_BYTES_MAX];
    const struct sim_tdx_vendor *v = e->world->vendor;
    struct sim_tdx_collateral *c = &e->collateral;
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);

    assert_ok(sim_tdx_quote_sign(e->platform, &e->quote, e->bytes, sizeof e->bytes, &e->len));
    sim_tdx_tcb_info_write(&wr, &e->info);
    assert_ok(pp_wr_ok(&wr));
    sign_info_text(e, pp_wr_done(&wr));
    wr = pp_wr_over(inner, sizeof inner);
    sim_tdx_qe_identity_write(&wr, &e->identity);
    assert_ok(pp_wr_ok(&wr));
    sign_identity_text(e, pp_wr_done(&wr));
    assert_ok(sim_tdx_crl(v, SIM_TDX_BY_ROOT, e->crl_from, e->crl_until, &e->root_lists,
                          e->root_lists != 0, c->root_crl, sizeof c->root_crl, &c->root_crl_len));
    assert_ok(sim_tdx_crl(v, SIM_TDX_BY_AUTHORITY, e->crl_from, e->crl_until, &e->pck_lists,
                          e->pck_lists != 0, c->pck_crl, sizeof c->pck_crl, &c->pck_crl_len));
    e->evidence.quote = pp_span(e->bytes, e->len);
    e->evidence.root_crl = pp_span(c->root_crl, c->root_crl_len);
    e->evidence.pck_crl = pp_span(c->pck_crl, c->pck_crl_len);
    e->evidence.tcb_info_chain = e->evidence.qe_identity_chain = sim_tdx_signer_chain(v);
}

static inline pp_res judge_cold(struct evidence *e)
{
    memset(&e->result, 0xEE, sizeof e->result);
    return pp_tdx_verify(&e->world->anchors, &e->policy, &e->evidence, e->at, &e->checks,
                         &e->result);
}

/* With what was proven in this program so far. */
static inline pp_res judge_keeping(struct evidence *e)
{
    struct pp_tdx_anchors keeping = e->world->anchors;

    keeping.kept = e->world->kept;
    memset(&e->result, 0xEE, sizeof e->result);
    return pp_tdx_verify(&keeping, &e->policy, &e->evidence, e->at, &e->checks, &e->result);
}

static inline void assert_same_rows(const struct pp_tdx_checks *a, const struct pp_tdx_checks *b)
{
    for (size_t i = 0; i < PP_TDX_CHECKS; i++) {
        const struct pp_attest_check *x = &a->rows[i], *y = &b->rows[i];
        assert_int_equal(x->verdict, y->verdict);
        assert_int_equal(x->code, y->code);
        assert_string_equal(x->anchor, y->anchor);
        assert_string_equal(x->problem.field, y->problem.field);
        assert_string_equal(x->problem.expected, y->problem.expected);
        assert_string_equal(x->problem.got, y->problem.got);
    }
}

/* Whatever was proven before, and whether anything was: verdict, rows and result are the same. */
static inline pp_res judge(struct evidence *e)
{
    static struct pp_tdx_checks checks;
    pp_res cold = judge_cold(e);
    struct pp_tdx_result result = e->result;

    checks = e->checks;
    for (int again = 0; again < 2; again++) { /* the first may prove, the second recall */
        assert_code(judge_keeping(e), cold.code);
        assert_same_rows(&e->checks, &checks);
        assert_memory_equal(&e->result, &result, sizeof result);
    }
    return cold;
}

static inline pp_res appraise(struct evidence *e)
{
    build(e);
    return judge(e);
}

/* Refused by exactly this check, with this code, and nothing was given back. */
static inline void assert_refused_(struct evidence *e, pp_res r, enum pp_tdx_check_number number,
                                   uint32_t code, const char *file, int line)
{
    const uint8_t *result = (const uint8_t *)&e->result;

    assert_code_(r, code, file, line);
    _assert_int_equal(r.detail, number, file, line);
    _assert_int_equal(e->checks.rows[number - 1].verdict, PP_ATTEST_FAILED, file, line);
    _assert_int_equal(e->checks.rows[number - 1].code, code, file, line);
    for (size_t i = 0; i < sizeof e->result; i++)
        _assert_int_equal(result[i], 0xEE, file, line);
    for (int n = 1; n < (int)number; n++)
        _assert_true(e->checks.rows[n - 1].verdict != PP_ATTEST_FAILED, "an earlier row failed",
                     file, line);
}

#define assert_refused(e, r, check, code)                                                          \
    assert_refused_((e), (r), PP_TDX_CHECK_##check, PP_E_TDX_##code, __FILE__, __LINE__)

#endif
