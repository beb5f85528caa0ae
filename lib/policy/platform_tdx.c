/* SPDX-License-Identifier: Apache-2.0 */
/* TDX in the appraisal: its quote, the vendor's word about its platform, the release's rows. */
#include "appraise_int.h"

#include "collateral.h"

static const struct appraise_row ROWS[PP_TDX_CHECKS + 1] = {
    [PP_TDX_CHECK_FORMAT] = { PP_STEP_CHAIN, "the quote has Intel's form" },
    [PP_TDX_CHECK_PCK_CHAIN] = { PP_STEP_CHAIN, "the platform's certificate leads to the root" },
    [PP_TDX_CHECK_CRL] = { PP_STEP_CHAIN, "no certificate is on the vendor's revocation lists" },
    [PP_TDX_CHECK_TCB_INFO] = { PP_STEP_CHAIN, "the vendor's word on the platform is in force" },
    [PP_TDX_CHECK_QE_IDENTITY] = { PP_STEP_CHAIN, "the vendor's word on the enclave is in force" },
    [PP_TDX_CHECK_QUOTE_SIG] = { PP_STEP_CHAIN, "the attestation key signed exactly this quote" },
    [PP_TDX_CHECK_QE_SIG] = { PP_STEP_CHAIN, "the platform certified that key" },
    [PP_TDX_CHECK_QE_ID] = { PP_STEP_CHAIN, "the vendor's quoting enclave made the quote" },
    [PP_TDX_CHECK_SEAM] = { PP_STEP_PLATFORM, "the TDX module is one that the vendor lists" },
    [PP_TDX_CHECK_TCB_LEVEL] = { PP_STEP_PLATFORM, "the patch level is high enough" },
    [PP_TDX_CHECK_TCB_MODULE] = { PP_STEP_PLATFORM, "the TDX module's level is a listed one" },
    [PP_TDX_CHECK_TCB_STATUS] = { PP_STEP_PLATFORM, "the platform is up to date" },
    [PP_TDX_CHECK_TCB_EVAL] = { PP_STEP_PLATFORM, "it was judged by a recent list" },
    [PP_TDX_CHECK_TD_ATTR] = { PP_STEP_PLATFORM, "the guest's attributes: no debugging" },
    [PP_TDX_CHECK_XFAM] = { PP_STEP_PLATFORM, "the guest's processor features are acceptable" },
    [PP_TDX_CHECK_SEAM_PIN] = { PP_STEP_PLATFORM, "the vendor signed the TDX module" },
    [PP_TDX_CHECK_MEASUREMENT] = { PP_STEP_BINDING, "the program runs with this configuration" },
    [PP_TDX_CHECK_SERVICE_TD] = { PP_STEP_PLATFORM, "no service or migration guest is bound" },
    [PP_TDX_CHECK_BINDING] = { PP_STEP_BINDING, "the quote is bound to this very connection" },
    [PP_TDX_CHECK_HOST_ID] = { PP_STEP_LEDGER, "the platform is a registered one" },
};

/*
 * The platform is asked of the ledger in step 12. A body of TDX 1.0 has no field for a service TD,
 * and its module no such function.
 */
enum {
    ASKED_IN_STEP_12 = 1 << PP_TDX_CHECK_HOST_ID,
    MAY_SKIP = ASKED_IN_STEP_12 | 1 << PP_TDX_CHECK_SERVICE_TD,
};

/* MRCONFIGID: the digest of the configuration, then zeros (pp-wire 7). */
static void config_id(const struct appraise *a, uint8_t ret[PP_TDX_MEASUREMENT_BYTES])
{
    memset(ret, 0, PP_TDX_MEASUREMENT_BYTES);
    memcpy(ret, a->config_digest, sizeof a->config_digest);
}

/* Any launch passes here: step 12 holds it against the release's rows, and has a row for it. */
static pp_res ask_in_step_12(void *ctx, struct pp_span launch)
{
    (void)ctx;
    (void)launch;
    return PP_OK;
}

/* --- collateral ------------------------------------------------------------------------------- */

/*
 * The first blob of the bundle for the kind that the platform's own certificate claims; the
 * verifier compares certificate and documents again, and says better what is malformed.
 * Certificates of the Platform CA name an instance.
 */
static void find_collateral(const struct appraise *a, struct pp_tdx_evidence *ret)
{
    const struct pp_bundle *bundle = &a->ledger->bundle;
    struct pp_tdx_pck pck;
    struct pp_collateral c;

    if (!pp_tdx_claimed_pck(&a->trust->tdx_anchors, a->evidence.report, &pck))
        return;
    for (size_t i = 0; i < bundle->blob_count; i++) {
        if (!pp_is_ok(pp_collateral_parse(bundle->blobs[i], &c)) ||
            memcmp(c.fmspc, pck.fmspc, sizeof c.fmspc) != 0 ||
            c.platform_ca != (pck.has_instance_id != 0))
            continue;
        ret->tcb_info = c.tcb_info;
        ret->tcb_info_chain = c.tcb_info_chain;
        ret->qe_identity = c.qe_identity;
        ret->qe_identity_chain = c.qe_identity_chain;
        ret->pck_crl = c.pck_crl;
        ret->root_crl = c.root_crl;
        return;
    }
}

/* --- steps 9 to 11 ---------------------------------------------------------------------------- */

/* A refusal of the policy gets its advisory's name; an accept is held against all of them. */
static pp_res judge(struct appraise *a, const struct appraise_verdict *v, pp_res r)
{
    struct pp_tdx_quote quote;
    struct pp_advisory_facts facts = { .is_tdx = 1 };

    r = appraise_conclude(a, v, r);
    if (pp_is_ok(r)) {
        facts.td_attributes = a->tdx.td_attributes;
        facts.outdated = a->tdx.status != PP_TDX_UP_TO_DATE;
        return appraise_advisories(a, &facts);
    }
    if (pp_is_ok(pp_tdx_quote_parse(a->evidence.report, &quote, NULL))) {
        facts.td_attributes = quote.body.td_attributes;
        facts.outdated = r.code == PP_E_TDX_TCB_STATUS;
        appraise_name(a, &facts, r);
    }
    return r;
}

static pp_res verify(struct appraise *a, const uint8_t report_data[PP_REPORT_DATA_BYTES])
{
    struct pp_tdx_policy policy = a->trust->hardware.tdx;
    struct pp_tdx_evidence evidence = { .quote = a->evidence.report };
    uint8_t config[PP_TDX_MEASUREMENT_BYTES];
    struct pp_tdx_checks checks;

    config_id(a, config);
    policy.skip |= ASKED_IN_STEP_12;
    policy.launches = (struct pp_attest_set){ .known = ask_in_step_12,
                                              .anchor = "SHA-256 of the configuration received" };
    policy.pins[PP_TDX_PIN_MRCONFIGID] = (struct pp_attest_set){
        .values = config, .count = 1, .anchor = "SHA-256 of the configuration received"
    };
    policy.report_data = report_data;
    policy.report_data_anchor = "this session's exporter, key and message key";
    find_collateral(a, &evidence);
    pp_res r = pp_tdx_verify(&a->trust->tdx_anchors, &policy, &evidence, a->ledger->now_posix_s,
                             &checks, &a->tdx);
    if (pp_is_ok(r)) /* what this row proves here; MRTD and registers stand in step 12 */
        pp_problem_hex(&checks.rows[PP_TDX_CHECK_MEASUREMENT - 1].problem, "MRCONFIGID",
                       PP_BYTES(config), PP_BYTES(config));
    const struct appraise_verdict verdict = { .rows = checks.rows,
                                              .count = PP_TDX_CHECKS,
                                              .words = ROWS,
                                              .skip = policy.skip,
                                              .may_skip = MAY_SKIP };
    PP_TRY(judge(a, &verdict, r));
    memcpy(a->machine.measurement, a->tdx.mrtd, sizeof a->machine.measurement);
    memcpy(a->machine.report_data, a->tdx.report_data, sizeof a->machine.report_data);
    memcpy(a->machine.host_id, a->tdx.host_id, sizeof a->machine.host_id);
    return PP_OK;
}

/* --- step 12 ---------------------------------------------------------------------------------- */

static int same_launch(const struct pp_tdx_result *t, const struct pp_release_tdx *row)
{
    if (memcmp(row->mrtd, t->mrtd, sizeof row->mrtd) != 0)
        return 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(row->rtmr); i++)
        if (memcmp(row->rtmr[i], t->rtmr[i], sizeof row->rtmr[i]) != 0)
            return 0;
    return 1;
}

static pp_res check_measurement(const struct appraise *a)
{
    const struct pp_release *rel = a->release;

    for (size_t i = 0; i < rel->tdx_count; i++) {
        if (!same_launch(&a->tdx, &rel->tdx[i]))
            continue;
        pp_check_add_hex(a->checks, PP_STEP_LEDGER, PP_E_LEDGER_MEASUREMENT, PP_VERDICT_PROVEN,
                         "the running program is the published one, byte for byte",
                         rel->tdx[i].label, PP_BYTES(a->tdx.mrtd));
        return PP_OK;
    }
    return appraise_refuse_hex(a, PP_E_LEDGER_MEASUREMENT, "MRTD and RTMR0 to RTMR2",
                               rel->tdx_count > 0 ? PP_BYTES(rel->tdx[0].mrtd) : PP_STR(""),
                               PP_BYTES(a->tdx.mrtd));
}

/* The ledger's least TEE_TCB_SVN; the profile's was asked for before, and both hold. */
static pp_res check_svn(const struct appraise *a)
{
    for (size_t i = 0; i < sizeof a->tdx.tee_tcb_svn; i++)
        if (a->tdx.tee_tcb_svn[i] < a->release->tdx_min_svn[i])
            return appraise_refuse_hex(a, PP_E_TDX_TCB_MIN, "TEE_TCB_SVN, at least",
                                       PP_BYTES(a->release->tdx_min_svn),
                                       PP_BYTES(a->tdx.tee_tcb_svn));
    return PP_OK;
}

static pp_res published(struct appraise *a)
{
    PP_TRY(check_measurement(a));
    PP_TRY(appraise_config(a));
    PP_TRY(check_svn(a));
    appraise_proven(a, PP_STEP_LEDGER, PP_E_TDX_TCB_MIN,
                    "the patch level is one that the release asks for", PP_STR("release record"),
                    PP_STR(""));
    return PP_OK;
}

const struct appraise_platform APPRAISE_TDX = {
    .host = PP_HOST_TDX,
    .endorsements = 0,
    .endorsement_words = "none: a quote brings its own chain",
    .binding_code = PP_E_TDX_BINDING,
    .config_code = PP_E_TDX_MEASUREMENT,
    .verify = verify,
    .published = published,
};
