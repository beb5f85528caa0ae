/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the checks, and those of the quote's own signatures: 1, 6 and 7. */
#include "tdx_int.h"

#include "sign.h"

/* --- checks 1, 6, 7 --------------------------------------------------------------------------- */

static pp_res check_format(struct tdx_ctx *c, struct pp_attest_check *row)
{
    attest_anchor(row, "Intel's quote format");
    PP_TRY(pp_tdx_quote_parse(c->evidence->quote, &c->quote, &row->problem));
    attest_say_number(row, "version", "4 or 5", c->quote.version);
    return tdx_check_pin(c, row, PP_TDX_PIN_QE_VENDOR, PP_BYTES(c->quote.qe_vendor));
}

static pp_res check_quote_sig(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_quote *q = &c->quote;
    uint8_t point[PP_P256_POINT_BYTES] = { 0x04 };

    attest_anchor(row, "attestation key in the quote");
    memcpy(point + 1, q->attestation_key, sizeof q->attestation_key);
    pp_res r = c->quoting != NULL ? PP_OK
                                  : pp_ec_public_import(PP_P256, PP_BYTES(point), &c->quoting);
    if (pp_is_ok(r))
        r = pp_ec_public_verify_raw(c->quoting, PP_SHA256, q->signed_part, q->signature,
                                    q->signature + PP_TDX_SIGNATURE_BYTES / 2);
    attest_say(row, "quote signature", "verifies",
               pp_is_ok(r)          ? "verifies"
               : r.code == PP_E_KEY ? "its key is no point of the curve"
                                    : "does not");
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE && r.code != PP_E_KEY)
        return r;
    ATTEST_CHECK(row, pp_is_ok(r));
    return PP_OK;
}

/* REPORTDATA of the quoting enclave: SHA-256(attestation key || auth data), then zeros. */
static pp_res check_key_binding(const struct pp_tdx_quote *q, struct pp_attest_check *row)
{
    uint8_t expected[sizeof q->qe.report_data] = { 0 };
    uint8_t bytes[PP_TDX_SIGNATURE_BYTES + PP_TDX_QE_AUTH_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    pp_wr_span(&wr, PP_BYTES(q->attestation_key));
    pp_wr_span(&wr, q->qe_auth);
    PP_TRY(pp_wr_ok(&wr));
    pp_sha256(pp_wr_done(&wr), expected);
    pp_problem_hex(&row->problem, "attestation key in the QE report", PP_BYTES(expected),
                   PP_BYTES(q->qe.report_data));
    PP_CHECK(pp_span_eq(PP_BYTES(expected), PP_BYTES(q->qe.report_data)), PP_E_TDX_AK_BIND,
             row->number);
    return PP_OK;
}

static pp_res check_qe_sig(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_quote *q = &c->quote;
    pp_res r = pp_x509_ecdsa_verify_raw(c->leaf, PP_SHA256, q->qe_report, q->qe_signature,
                                        q->qe_signature + PP_TDX_SIGNATURE_BYTES / 2);

    attest_anchor(row, "key of the PCK certificate");
    attest_say(row, "QE report signature", "verifies", pp_is_ok(r) ? "verifies" : "does not");
    if (!pp_is_ok(r) && r.code != PP_E_SIGNATURE)
        return r;
    ATTEST_CHECK(row, pp_is_ok(r));
    return check_key_binding(q, row);
}

/* --- the order -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t code; /* where a check has several, the one that its last line gives */
    tdx_check_fn *run;
} CHECKS[PP_TDX_CHECKS + 1] = {
    [PP_TDX_CHECK_FORMAT] = { "FORMAT", PP_E_TDX_FORMAT, check_format },
    [PP_TDX_CHECK_PCK_CHAIN] = { "PCK_CHAIN", PP_E_TDX_PCK_CHAIN, tdx_check_pck_chain },
    [PP_TDX_CHECK_CRL] = { "CRL", PP_E_TDX_CRL_STALE, tdx_check_crl },
    [PP_TDX_CHECK_TCB_INFO] = { "TCB_INFO", PP_E_TDX_TCBINFO_SIGNATURE, tdx_check_tcb_info },
    [PP_TDX_CHECK_QE_IDENTITY] = { "QE_IDENTITY", PP_E_TDX_QEID_SIGNATURE, tdx_check_qe_identity },
    [PP_TDX_CHECK_QUOTE_SIG] = { "QUOTE_SIG", PP_E_TDX_QUOTE_SIG, check_quote_sig },
    [PP_TDX_CHECK_QE_SIG] = { "QE_SIG", PP_E_TDX_QE_SIG, check_qe_sig },
    [PP_TDX_CHECK_QE_ID] = { "QE_ID", PP_E_TDX_QE_ID, tdx_check_qe_id },
    [PP_TDX_CHECK_SEAM] = { "SEAM", PP_E_TDX_SEAM, tdx_check_seam },
    [PP_TDX_CHECK_TCB_LEVEL] = { "TCB_LEVEL", PP_E_TDX_TCB_NONE, tdx_check_tcb_level },
    [PP_TDX_CHECK_TCB_MODULE] = { "TCB_MODULE", PP_E_TDX_TCB_MODULE, tdx_check_tcb_module },
    [PP_TDX_CHECK_TCB_STATUS] = { "TCB_STATUS", PP_E_TDX_TCB_STATUS, tdx_check_tcb_status },
    [PP_TDX_CHECK_TCB_EVAL] = { "TCB_EVAL", PP_E_TDX_TCB_EVAL, tdx_check_tcb_eval },
    [PP_TDX_CHECK_TD_ATTR] = { "TD_ATTR", PP_E_TDX_TD_ATTR, tdx_check_td_attr },
    [PP_TDX_CHECK_XFAM] = { "XFAM", PP_E_TDX_XFAM, tdx_check_xfam },
    [PP_TDX_CHECK_SEAM_PIN] = { "SEAM_PIN", PP_E_TDX_SEAM_PIN, tdx_check_seam_pin },
    [PP_TDX_CHECK_MEASUREMENT] = { "MEASUREMENT", PP_E_TDX_MEASUREMENT, tdx_check_measurement },
    [PP_TDX_CHECK_SERVICE_TD] = { "SERVICE_TD", PP_E_TDX_SERVICE_TD, tdx_check_service_td },
    [PP_TDX_CHECK_BINDING] = { "BINDING", PP_E_TDX_BINDING, tdx_check_binding },
    [PP_TDX_CHECK_HOST_ID] = { "HOST_ID", PP_E_TDX_HOST_ID, tdx_check_host_id },
};

const char *pp_tdx_check_name(enum pp_tdx_check_number number)
{
    PP_ASSERT(number >= 1 && number <= PP_TDX_CHECKS);
    return CHECKS[number].name;
}

/* 1 if the policy asks something of a check that it leaves out for the rest. */
static int is_pinned(const struct pp_tdx_policy *policy, uint32_t number)
{
    static const enum pp_tdx_check_number checks[PP_TDX_PINS] = {
        [PP_TDX_PIN_QE_VENDOR] = PP_TDX_CHECK_FORMAT,
        [PP_TDX_PIN_FMSPC] = PP_TDX_CHECK_TCB_INFO,
        [PP_TDX_PIN_TD_ATTR] = PP_TDX_CHECK_TD_ATTR,
        [PP_TDX_PIN_XFAM] = PP_TDX_CHECK_XFAM,
        [PP_TDX_PIN_MRSEAM] = PP_TDX_CHECK_SEAM_PIN,
        [PP_TDX_PIN_MRSIGNERSEAM] = PP_TDX_CHECK_SEAM_PIN,
        [PP_TDX_PIN_SEAM_ATTR] = PP_TDX_CHECK_SEAM_PIN,
        [PP_TDX_PIN_MRTD] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_RTMR0] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_RTMR1] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_RTMR2] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_RTMR3] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_MRCONFIGID] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_MROWNER] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_MROWNERCONFIG] = PP_TDX_CHECK_MEASUREMENT,
        [PP_TDX_PIN_MRSERVICETD] = PP_TDX_CHECK_SERVICE_TD,
    };

    for (size_t i = 0; i < PP_TDX_PINS; i++)
        if (checks[i] == number && attest_set_given(&policy->pins[i]))
            return 1;
    return number == PP_TDX_CHECK_TCB_LEVEL && tdx_has_svn_minimum(policy);
}

static pp_res run_row(struct tdx_ctx *c, struct pp_attest_check *row)
{
    if (!tdx_is_asked(c, row) && !is_pinned(c->policy, row->number))
        return attest_skip(row, "not asked for");
    row->verdict = PP_ATTEST_PASSED;
    pp_res r = CHECKS[row->number].run(c, row);
    if (!pp_is_ok(r)) {
        row->verdict = PP_ATTEST_FAILED;
        row->code = r.code;
        r.detail = row->number;
    }
    return r;
}

/* Checks 1 to 8 prove evidence; of bytes that nobody vouches for there is nothing more to say. */
static pp_res run_all(struct tdx_ctx *c, struct pp_tdx_checks *checks)
{
    pp_res first = PP_OK;

    for (int n = 1; n <= PP_TDX_CHECKS; n++) {
        pp_res r = run_row(c, &checks->rows[n - 1]);
        if (pp_is_ok(first))
            first = r;
        if (!pp_is_ok(r) && n <= PP_TDX_CHECK_QE_ID)
            break;
    }
    return first;
}

static struct pp_tdx_result result_of(const struct tdx_ctx *c, const struct pp_tdx_checks *checks)
{
    const struct pp_tdx_body *b = &c->quote.body;
    struct pp_tdx_result result = {
        .version = c->quote.version,
        .body_type = c->quote.body_type,
        .td_attributes = b->td_attributes,
        .xfam = b->xfam,
        .status = c->status,
        .tcb_date_s = c->level == NULL ? 0 : c->level->date_s,
        .evaluation = c->info.evaluation < c->identity.evaluation ? c->info.evaluation
                                                                  : c->identity.evaluation,
        .skipped = c->policy->skip,
    };

    memcpy(result.mrtd, b->mrtd, sizeof result.mrtd);
    memcpy(result.rtmr, b->rtmr, sizeof result.rtmr);
    memcpy(result.mrconfigid, b->mrconfigid, sizeof result.mrconfigid);
    memcpy(result.mrowner, b->mrowner, sizeof result.mrowner);
    memcpy(result.mrownerconfig, b->mrownerconfig, sizeof result.mrownerconfig);
    memcpy(result.mrseam, b->mrseam, sizeof result.mrseam);
    memcpy(result.report_data, b->report_data, sizeof result.report_data);
    memcpy(result.tee_tcb_svn, b->tee_tcb_svn, sizeof result.tee_tcb_svn);
    memcpy(result.fmspc, c->pck.fmspc, sizeof result.fmspc);
    memcpy(result.ppid, c->pck.ppid, sizeof result.ppid);
    memcpy(result.host_id, c->pck.ppid, sizeof c->pck.ppid);
    for (size_t i = 0; i < PP_TDX_CHECKS; i++)
        if (checks->rows[i].verdict == PP_ATTEST_SKIPPED)
            result.skipped |= PP_ATTEST_BIT(i + 1);
    return result;
}

static void prepare(struct pp_tdx_checks *checks)
{
    *checks = (struct pp_tdx_checks){ 0 };
    for (int n = 1; n <= PP_TDX_CHECKS; n++) {
        checks->rows[n - 1].number = (enum pp_tdx_check_number)n;
        checks->rows[n - 1].code = CHECKS[n].code;
        pp_ignore(attest_skip(&checks->rows[n - 1], "not reached"), "says only why");
    }
}

static void release(struct tdx_ctx *c)
{
    if (c->platform == NULL) {
        pp_x509_free(c->leaf);
        pp_x509_free(c->authority);
    }
    if (!c->set_is_kept) {
        pp_x509_crl_free(c->root_crl);
        pp_x509_crl_free(c->pck_crl);
    }
    if (!c->quoting_is_kept)
        pp_ec_public_free(c->quoting);
    pp_x509_free(c->signer);
}

pp_res pp_tdx_verify(const struct pp_tdx_anchors *anchors, const struct pp_tdx_policy *policy,
                     const struct pp_tdx_evidence *evidence, uint64_t posix_s,
                     struct pp_tdx_checks *checks, struct pp_tdx_result *ret)
{
    struct tdx_ctx c = {
        .anchors = anchors, .policy = policy, .evidence = evidence, .posix_s = posix_s
    };
    uint32_t collateral = policy->skip & PP_TDX_COLLATERAL;

    prepare(checks);
    PP_CHECK((policy->skip & ~PP_TDX_SKIPPABLE) == 0, PP_E_STATE, policy->skip);
    PP_CHECK(collateral == 0 || collateral == PP_TDX_COLLATERAL, PP_E_STATE, policy->skip);
    pp_res r = run_all(&c, checks);
    tdx_keep(&c, checks);
    release(&c);
    PP_TRY(r);
    *ret = result_of(&c, checks);
    return PP_OK;
}
