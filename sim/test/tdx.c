/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 20 checks of lib/attest on evidence of a simulated TDX platform: what is genuine passes, and
 * each single fault is refused by the check that is there for it.
 */
#include "tdx_world.h"

static struct world w;
static struct evidence e;

static int make(void **state)
{
    (void)state;
    return !pp_is_ok(world_make(&w));
}

static int clean(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

/* --- what passes ------------------------------------------------------------------------------ */

static void genuine_evidence_passes_every_check_of_the_strict_profile(void **state)
{
    (void)state;
    for (int k = 0; k < PLATFORMS; k++) {
        evidence_of(&w, k, &e);
        assert_ok(appraise(&e));
        assert_int_equal(e.result.version, k == V4 ? 4 : 5);
        assert_int_equal(e.result.body_type, k == V5_15 ? PP_TDX_BODY_15 : PP_TDX_BODY_10);
        assert_memory_equal(e.result.mrtd, e.launch, sizeof e.result.mrtd);
        assert_memory_equal(e.result.rtmr, e.launch + 48, 3 * 48);
        assert_memory_equal(e.result.mrconfigid, e.config, sizeof e.config);
        assert_memory_equal(e.result.report_data, e.report_data, sizeof e.report_data);
        assert_memory_equal(e.result.host_id, e.host_id, sizeof e.host_id);
        assert_memory_equal(e.result.ppid, e.host_id, sizeof e.result.ppid);
        assert_memory_equal(e.result.mrseam, e.quote.body.mrseam, sizeof e.result.mrseam);
        assert_memory_equal(e.result.tee_tcb_svn, e.quote.body.tee_tcb_svn, 16);
        assert_memory_equal(e.result.fmspc, e.info.fmspc, sizeof e.info.fmspc);
        assert_int_equal(e.result.td_attributes, SIM_TDX_ATTRIBUTES);
        assert_int_equal(e.result.xfam, SIM_TDX_XFAM);
        assert_int_equal(e.result.status, PP_TDX_UP_TO_DATE);
        assert_int_equal(e.result.tcb_date_s, NOW - DAY);
        assert_int_equal(e.result.evaluation, 18);
        /* A TDX 1.0 body has no service TD. */
        assert_int_equal(e.result.skipped, k == V5_15 ? 0 : PP_ATTEST_BIT(18));
        for (int n = 1; n <= PP_TDX_CHECKS; n++) {
            const struct pp_attest_check *row = &e.checks.rows[n - 1];
            int skipped = (e.result.skipped & PP_ATTEST_BIT(n)) != 0;
            assert_int_equal(row->number, n);
            assert_int_equal(row->verdict, skipped ? PP_ATTEST_SKIPPED : PP_ATTEST_PASSED);
            assert_int_equal(row->anchor[0] == '\0', skipped);
            assert_true(row->problem.got[0] != '\0');
        }
    }
}

static void a_policy_in_the_zero_state_asks_for_all_and_accepts_nothing(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.policy = (struct pp_tdx_policy){ 0 };
    assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
    static const int refused[] = { 12, 17, 19, 20 };
    for (size_t i = 0; i < PP_ARRAY_COUNT(refused); i++)
        assert_int_equal(e.checks.rows[refused[i] - 1].verdict, PP_ATTEST_FAILED);
    for (int n = 0; n < PP_TDX_CHECKS; n++)
        assert_int_not_equal(e.checks.rows[n].verdict, PP_ATTEST_SKIPPED);
}

static void a_policy_may_not_skip_format_chain_or_signatures(void **state)
{
    (void)state;
    static const uint32_t never[] = { 1, 2, 6, 7 };

    evidence_of(&w, V5_15, &e);
    build(&e);
    for (size_t i = 0; i < PP_ARRAY_COUNT(never); i++) {
        e.policy.skip = PP_ATTEST_BIT(never[i]);
        assert_code(judge(&e), PP_E_STATE);
    }
    for (uint32_t n = 21; n < 32; n++) {
        e.policy.skip = PP_ATTEST_BIT(n);
        assert_code(judge(&e), PP_E_STATE);
    }
    e.policy.skip = PP_ATTEST_BIT(0);
    assert_code(judge(&e), PP_E_STATE);
}

static void collateral_is_read_as_a_whole_or_not_at_all(void **state)
{
    (void)state;
    static const uint32_t collateral[] = { 3, 4, 5, 8, 9, 10, 11, 12, 13 };

    evidence_of(&w, V5_15, &e);
    build(&e);
    for (size_t i = 0; i < PP_ARRAY_COUNT(collateral); i++) {
        e.policy.skip = PP_ATTEST_BIT(collateral[i]);
        assert_code(judge(&e), PP_E_STATE);
        e.policy.skip = PP_TDX_COLLATERAL & ~PP_ATTEST_BIT(collateral[i]);
        assert_code(judge(&e), PP_E_STATE);
    }
    e.policy.skip = PP_TDX_COLLATERAL;
    e.evidence = (struct pp_tdx_evidence){ .quote = e.evidence.quote };
    assert_ok(judge(&e));
    assert_int_equal(e.result.skipped, PP_TDX_COLLATERAL);
    assert_int_equal(e.result.evaluation, 0);
    assert_int_equal(e.result.tcb_date_s, 0);
}

static void each_check_of_the_guest_can_be_left_out_and_the_result_says_so(void **state)
{
    (void)state;
    for (uint32_t n = 14; n <= 20; n++) {
        evidence_of(&w, V5_15, &e);
        e.policy.skip = PP_ATTEST_BIT(n);
        e.policy.pins[PP_TDX_PIN_MRCONFIGID].count = n == 17 ? 0 : 1;
        assert_ok(appraise(&e));
        assert_int_equal(e.result.skipped, PP_ATTEST_BIT(n));
        assert_int_equal(e.checks.rows[n - 1].verdict, PP_ATTEST_SKIPPED);
    }
}

static void padding_behind_the_quote_is_not_looked_at(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    memset(e.bytes + e.len, 0xA5, sizeof e.bytes - e.len);
    e.evidence.quote = pp_span(e.bytes, e.len + 3072);
    assert_ok(judge(&e));
    e.evidence.quote = pp_span(e.bytes, PP_TDX_QUOTE_BYTES_MAX);
    assert_ok(judge(&e));
    e.evidence.quote = pp_span(e.bytes, PP_TDX_QUOTE_BYTES_MAX + 1);
    assert_refused(&e, judge(&e), FORMAT, FORMAT);
}

/* --- 1, 6, 7: the quote ----------------------------------------------------------------------- */

static void every_truncation_of_a_quote_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    for (size_t n = 0; n < e.len; n++) {
        e.evidence.quote = pp_span(e.bytes, n);
        assert_refused(&e, judge(&e), FORMAT, FORMAT);
    }
}

/* Header and body are signed; the fields that check 1 reads are its own. */
static void every_bit_of_the_signed_part_counts(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    size_t signed_len = 54 + PP_TDX_BODY_15_BYTES;
    for (size_t at = 0; at < signed_len; at++) {
        e.bytes[at] ^= (uint8_t)(1 << at % 8);
        pp_res r = judge(&e);
        int format = at < 8 || (at >= 12 && at < 28) || (at >= 48 && at < 54);
        if (format)
            assert_refused(&e, r, FORMAT, FORMAT);
        else
            assert_refused(&e, r, QUOTE_SIG, QUOTE_SIG);
        e.bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    assert_ok(judge(&e));
}

static void every_byte_of_the_signature_data_counts(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    for (size_t at = 54 + PP_TDX_BODY_15_BYTES; at < e.len; at++) {
        e.bytes[at] ^= 1;
        pp_res r = judge(&e);
        assert_true(r.detail >= 1 && r.detail <= PP_TDX_CHECK_QE_SIG);
        assert_false(pp_is_ok(r));
        e.bytes[at] ^= 1;
    }
    assert_ok(judge(&e));
}

static void a_wrong_signature_of_the_quote_is_refused(void **state)
{
    (void)state;
    size_t at = 54 + PP_TDX_BODY_15_BYTES + 4;

    evidence_of(&w, V5_15, &e);
    build(&e);
    e.bytes[at] ^= 1;
    assert_refused(&e, judge(&e), QUOTE_SIG, QUOTE_SIG);
    memset(e.bytes + at, 0, 64); /* R = S = 0 */
    assert_refused(&e, judge(&e), QUOTE_SIG, QUOTE_SIG);
    build(&e);
    memset(e.bytes + at + 64, 0, 64); /* no point of the curve */
    assert_refused(&e, judge(&e), QUOTE_SIG, QUOTE_SIG);
}

static void a_quoting_enclave_that_the_platform_did_not_sign_is_refused(void **state)
{
    (void)state;
    size_t report = 54 + PP_TDX_BODY_15_BYTES + 4 + 128 + 6;

    evidence_of(&w, V5_15, &e);
    build(&e);
    e.bytes[report] ^= 1; /* CPUSVN, which no other check reads */
    assert_refused(&e, judge(&e), QE_SIG, QE_SIG);
    build(&e);
    e.bytes[report + PP_TDX_QE_REPORT_BYTES] ^= 1;
    assert_refused(&e, judge(&e), QE_SIG, QE_SIG);
}

static void an_attestation_key_that_the_enclave_does_not_vouch_for_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.quote.qe.report_data[31] ^= 1;
    assert_refused(&e, appraise(&e), QE_SIG, AK_BIND);
    evidence_of(&w, V5_15, &e);
    e.quote.qe.report_data[63] = 1; /* behind the digest there are zeros */
    assert_refused(&e, appraise(&e), QE_SIG, AK_BIND);
    evidence_of(&w, V5_15, &e);
    e.quote.qe_auth.len--; /* other auth data than what is bound */
    assert_refused(&e, appraise(&e), QE_SIG, AK_BIND);
}

static void another_vendor_of_the_quoting_enclave_is_refused(void **state)
{
    (void)state;
    static const uint8_t other[PP_TDX_ID_BYTES] = { 1 };

    evidence_of(&w, V5_15, &e);
    e.policy.pins[PP_TDX_PIN_QE_VENDOR] = (struct pp_attest_set){ .values = other, .count = 1 };
    assert_refused(&e, appraise(&e), FORMAT, FORMAT);
    e.policy.pins[PP_TDX_PIN_QE_VENDOR].values = PP_TDX_QE_VENDOR_INTEL;
    assert_ok(judge(&e));
    e.quote.qe_vendor[0] ^= 1;
    assert_refused(&e, appraise(&e), FORMAT, FORMAT);
}

/* --- 3: revocation lists ---------------------------------------------------------------------- */

static void without_both_revocation_lists_there_is_no_verdict(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    e.evidence.root_crl.len = 0;
    assert_refused(&e, judge(&e), CRL, CRL_STALE);
    build(&e);
    e.evidence.pck_crl.len = 0;
    assert_refused(&e, judge(&e), CRL, CRL_STALE);
}

static void a_revocation_list_is_in_force_from_its_first_second_to_its_last(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.crl_from = NOW;
    e.crl_until = NOW + 1;
    assert_ok(appraise(&e));
    e.crl_from = NOW + 1;
    e.crl_until = NOW + DAY;
    assert_refused(&e, appraise(&e), CRL, CRL_STALE);
    e.crl_from = NOW - DAY;
    e.crl_until = NOW;
    assert_refused(&e, appraise(&e), CRL, CRL_STALE);
    e.crl_until = 0; /* a list without end */
    assert_refused(&e, appraise(&e), CRL, CRL_SIGNATURE);
}

static void a_revocation_list_of_somebody_else_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    struct pp_span root = e.evidence.root_crl;
    e.evidence.root_crl = e.evidence.pck_crl;
    assert_refused(&e, judge(&e), CRL, CRL_SIGNATURE);
    e.evidence.root_crl = root;
    e.evidence.pck_crl = root;
    assert_refused(&e, judge(&e), CRL, CRL_SIGNATURE);
    build(&e);
    e.collateral.pck_crl[e.collateral.pck_crl_len - 1] ^= 1;
    assert_refused(&e, judge(&e), CRL, CRL_SIGNATURE);
    build(&e);
    e.collateral.root_crl[0] ^= 1;
    assert_refused(&e, judge(&e), CRL, CRL_SIGNATURE);
}

static void revoked_certificates_are_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.root_lists = SIM_TDX_SERIAL_AUTHORITY;
    assert_refused(&e, appraise(&e), CRL, REVOKED);
    evidence_of(&w, V5_15, &e);
    e.pck_lists = SIM_TDX_SERIAL_PCK;
    assert_refused(&e, appraise(&e), CRL, REVOKED);
    evidence_of(&w, V5_15, &e);
    e.root_lists = SIM_TDX_SERIAL_SIGNER;
    assert_refused(&e, appraise(&e), TCB_INFO, REVOKED);
    evidence_of(&w, V5_15, &e);
    e.pck_lists = SIM_TDX_SERIAL_AUTHORITY; /* a number of another issuer's */
    assert_ok(appraise(&e));
}

/* --- 4, 5: documents -------------------------------------------------------------------------- */

static void documents_that_did_not_come_are_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    struct pp_tdx_evidence whole = e.evidence;
    e.evidence.tcb_info.len = 0;
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_SIGNATURE);
    e.evidence = whole;
    e.evidence.tcb_info_chain.len = 0;
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_SIGNATURE);
    e.evidence = whole;
    e.evidence.qe_identity.len = 0;
    assert_refused(&e, judge(&e), QE_IDENTITY, QEID_SIGNATURE);
    e.evidence = whole;
    e.evidence.qe_identity_chain.len = 0;
    assert_refused(&e, judge(&e), QE_IDENTITY, QEID_SIGNATURE);
}

static void a_document_in_the_place_of_the_other_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    struct pp_tdx_evidence whole = e.evidence;
    e.evidence.tcb_info = whole.qe_identity;
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_FORMAT);
    e.evidence = whole;
    e.evidence.qe_identity = whole.tcb_info;
    assert_refused(&e, judge(&e), QE_IDENTITY, QEID_FORMAT);
}

/* Every byte is signed, is the signature, or belongs to a frame that has one form. */
static void every_byte_of_a_document_counts(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    build(&e);
    for (size_t at = 0; at < e.collateral.tcb_info_len; at++) {
        e.collateral.tcb_info[at] ^= 1;
        pp_res r = judge(&e);
        assert_int_equal(r.detail, PP_TDX_CHECK_TCB_INFO);
        assert_true(r.code == PP_E_TDX_TCBINFO_FORMAT || r.code == PP_E_TDX_TCBINFO_SIGNATURE);
        e.collateral.tcb_info[at] ^= 1;
    }
    for (size_t at = 0; at < e.collateral.qe_identity_len; at++) {
        e.collateral.qe_identity[at] ^= 0x20; /* the case of letters, too */
        pp_res r = judge(&e);
        assert_int_equal(r.detail, PP_TDX_CHECK_QE_IDENTITY);
        assert_true(r.code == PP_E_TDX_QEID_FORMAT || r.code == PP_E_TDX_QEID_SIGNATURE);
        e.collateral.qe_identity[at] ^= 0x20;
    }
    assert_ok(judge(&e));
}

static void documents_of_another_vendor_are_refused(void **state)
{
    (void)state;
    struct world other = { 0 };

    assert_ok(world_make(&other));
    evidence_of(&w, V5_15, &e);
    build(&e);
    e.evidence.tcb_info_chain = sim_tdx_signer_chain(other.vendor);
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_SIGNATURE);
    /* A second pinned root does not sign for platforms of the first. */
    assert_ok(pp_tdx_anchors_add(&other.anchors, sim_tdx_root(w.vendor)));
    e.world = &other;
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_SIGNATURE);
    e.world = &w;
    build(&e);
    e.evidence.qe_identity_chain = sim_tdx_signer_chain(other.vendor);
    assert_refused(&e, judge(&e), QE_IDENTITY, QEID_SIGNATURE);
    e.evidence.tcb_info_chain = e.evidence.qe_identity_chain = e.evidence.quote;
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_SIGNATURE);
    world_free(&other);
}

/* The same chain in other bytes is verified by itself. */
static void each_document_may_bring_its_own_chain(void **state)
{
    (void)state;
    uint8_t chain[SIM_TDX_CHAIN_BYTES_MAX];
    struct pp_span whole = sim_tdx_signer_chain(w.vendor);

    evidence_of(&w, V5_15, &e);
    build(&e);
    memcpy(chain, whole.at, whole.len);
    chain[whole.len] = '\n';
    e.evidence.qe_identity_chain = pp_span(chain, whole.len + 1);
    assert_ok(judge(&e));
    e.collateral.qe_identity[e.collateral.qe_identity_len - 3] ^= 1; /* in the signature */
    pp_res r = judge(&e);
    assert_int_equal(r.detail, PP_TDX_CHECK_QE_IDENTITY);
}

static void documents_are_in_force_from_issue_to_next_update(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.info.issued_s = e.identity.issued_s = NOW;
    e.info.next_update_s = e.identity.next_update_s = NOW + 1;
    assert_ok(appraise(&e));
    e.info.issued_s = NOW + 1;
    assert_refused(&e, appraise(&e), TCB_INFO, TCBINFO_TIME);
    e.info.issued_s = NOW - 1;
    e.info.next_update_s = NOW;
    assert_refused(&e, appraise(&e), TCB_INFO, TCBINFO_TIME);
    e.info.next_update_s = NOW + DAY;
    e.identity.issued_s = NOW + 1;
    assert_refused(&e, appraise(&e), QE_IDENTITY, QEID_TIME);
    e.identity.issued_s = NOW - 1;
    e.identity.next_update_s = NOW;
    assert_refused(&e, appraise(&e), QE_IDENTITY, QEID_TIME);
}

static void tcb_info_of_another_platform_is_refused(void **state)
{
    (void)state;
    static const uint8_t other[PP_TDX_FMSPC_BYTES] = { 1 };

    evidence_of(&w, V5_15, &e);
    e.info.fmspc[5] ^= 1;
    assert_refused(&e, appraise(&e), TCB_INFO, TCBINFO_FMSPC);
    evidence_of(&w, V5_15, &e);
    e.info.pce_id[1] ^= 1;
    assert_refused(&e, appraise(&e), TCB_INFO, TCBINFO_FMSPC);
    evidence_of(&w, V5_15, &e);
    e.policy.pins[PP_TDX_PIN_FMSPC] = (struct pp_attest_set){ .values = other, .count = 1 };
    assert_refused(&e, appraise(&e), TCB_INFO, TCBINFO_FMSPC);
    e.policy.skip = PP_TDX_COLLATERAL; /* a pin is not collateral */
    assert_refused(&e, judge(&e), TCB_INFO, TCBINFO_FMSPC);
    e.policy.pins[PP_TDX_PIN_FMSPC].values = e.info.fmspc;
    assert_ok(judge(&e));
}

/* --- 8: the quoting enclave ------------------------------------------------------------------- */

static void another_enclave_than_the_vendors_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.quote.qe.mrsigner[31] ^= 1;
    assert_refused(&e, appraise(&e), QE_ID, QE_ID);
    evidence_of(&w, V5_15, &e);
    e.quote.qe.isv_prod_id = 1; /* the SGX quoting enclave's */
    assert_refused(&e, appraise(&e), QE_ID, QE_ID);
    evidence_of(&w, V5_15, &e);
    e.quote.qe.misc_select = 1U << 31;
    assert_refused(&e, appraise(&e), QE_ID, QE_ID);
    e.identity.misc_select_mask = ~(1U << 31);
    assert_ok(appraise(&e));
    evidence_of(&w, V5_15, &e);
    e.quote.qe.attributes[0] |= 2; /* an enclave that can be debugged */
    assert_refused(&e, appraise(&e), QE_ID, QE_ID);
    evidence_of(&w, V5_15, &e);
    e.quote.qe.attributes[7] ^= 0x80;
    assert_refused(&e, appraise(&e), QE_ID, QE_ID);
    evidence_of(&w, V5_15, &e);
    e.quote.qe.attributes[8] ^= 1; /* XFRM, which the mask leaves out */
    assert_ok(appraise(&e));
}

static void an_enclave_older_than_the_lowest_level_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.identity.levels.rows[0].isv_svn = 9;
    assert_refused(&e, appraise(&e), QE_ID, QE_TCB);
    e.identity.levels.rows[1] = (struct pp_tdx_isv_level){ 8, NOW - DAY, PP_TDX_OUT_OF_DATE };
    e.identity.levels.count = 2;
    assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
    e.identity.levels.count = 0;
    assert_refused(&e, appraise(&e), QE_ID, QE_TCB);
}

/* --- 9, 11: the module ------------------------------------------------------------------------ */

static void a_module_that_the_vendor_does_not_list_is_refused(void **state)
{
    (void)state;
    for (int k = 0; k < PLATFORMS; k++) {
        struct pp_tdx_module *m;
        evidence_of(&w, k, &e);
        m = k == V4 ? &e.info.module : &e.info.modules[0];
        e.quote.body.mrsignerseam[47] = 1;
        assert_refused(&e, appraise(&e), SEAM, SEAM);
        m->mrsigner[47] = 1; /* of a vendor that lists it: only the policy is against it */
        assert_refused(&e, appraise(&e), SEAM_PIN, SEAM_PIN);

        evidence_of(&w, k, &e);
        m = k == V4 ? &e.info.module : &e.info.modules[0];
        e.quote.body.seam_attributes = UINT64_C(1) << 63;
        assert_refused(&e, appraise(&e), SEAM, SEAM);
        m->attributes_mask = UINT64_MAX >> 1;
        assert_refused(&e, appraise(&e), SEAM_PIN, SEAM_PIN);
    }
    evidence_of(&w, V5_15, &e);
    e.info.modules[0].number = 2;
    assert_refused(&e, appraise(&e), SEAM, SEAM);
    assert_int_equal(e.checks.rows[PP_TDX_CHECK_TCB_MODULE - 1].verdict, PP_ATTEST_SKIPPED);
    evidence_of(&w, V5_15, &e);
    e.info.modules[1] = e.info.modules[0];
    e.info.modules[0] = (struct pp_tdx_module){ .number = 3 };
    e.info.module_count = 2;
    assert_ok(appraise(&e));
}

static void a_module_older_than_its_lowest_level_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.info.modules[0].levels.rows[0].isv_svn = 7;
    assert_refused(&e, appraise(&e), TCB_MODULE, TCB_MODULE);
    e.info.modules[0].levels.rows[0].isv_svn = 5;
    assert_ok(appraise(&e));
    /* A TDX 1.0 module has no levels: its number must be that of the platform's level. */
    evidence_of(&w, V4, &e);
    e.info.levels[0].tdx[1] = 0;
    assert_ok(appraise(&e));
}

/* --- 10: the platform ------------------------------------------------------------------------- */

static void a_platform_below_every_level_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_TDX_SVN_BYTES; i++) {
        evidence_of(&w, V5_15, &e);
        e.info.levels[0].sgx[i]++;
        assert_refused(&e, appraise(&e), TCB_LEVEL, TCB_NONE);
        evidence_of(&w, V4, &e);
        e.info.levels[0].tdx[i]++;
        assert_refused(&e, appraise(&e), TCB_LEVEL, TCB_NONE);
        evidence_of(&w, V5_15, &e);
        e.info.levels[0].tdx[i] = (uint8_t)(e.quote.body.tee_tcb_svn[i] + 1);
        if (i < 2) /* the module's own levels judge these two */
            assert_ok(appraise(&e));
        else
            assert_refused(&e, appraise(&e), TCB_LEVEL, TCB_NONE);
    }
    evidence_of(&w, V5_15, &e);
    e.info.levels[0].pce_svn++;
    assert_refused(&e, appraise(&e), TCB_LEVEL, TCB_NONE);
    assert_int_equal(e.checks.rows[PP_TDX_CHECK_TCB_STATUS - 1].verdict, PP_ATTEST_SKIPPED);
    evidence_of(&w, V5_15, &e);
    e.info.level_count = 0;
    assert_refused(&e, appraise(&e), TCB_LEVEL, TCB_NONE);
}

static void the_first_level_that_fits_counts(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.info.levels[1] = e.info.levels[0];
    e.info.levels[0].sgx[0]++;
    e.info.levels[1].date_s = NOW - 9 * DAY;
    e.info.levels[2] = e.info.levels[1];
    e.info.levels[2].status = PP_TDX_OUT_OF_DATE;
    e.info.level_count = 3;
    assert_ok(appraise(&e));
    assert_int_equal(e.result.tcb_date_s, NOW - 9 * DAY);
    e.info.levels[1].sgx[0]++;
    assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
}

static void the_policy_may_ask_for_more_than_the_vendor(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_TDX_SVN_BYTES; i++) {
        evidence_of(&w, V5_15, &e);
        memcpy(e.policy.tee_tcb_svn_min, e.quote.body.tee_tcb_svn, PP_TDX_SVN_BYTES);
        assert_ok(appraise(&e));
        e.policy.tee_tcb_svn_min[i]++;
        assert_refused(&e, judge(&e), TCB_LEVEL, TCB_MIN);
        e.policy.skip = PP_TDX_COLLATERAL; /* the quote alone says it */
        assert_refused(&e, judge(&e), TCB_LEVEL, TCB_MIN);
        e.policy.tee_tcb_svn_min[i]--;
        assert_ok(judge(&e));
    }
}

/* --- 12, 13: status --------------------------------------------------------------------------- */

static void strict_takes_up_to_date_alone_and_a_list_may_add(void **state)
{
    (void)state;
    for (int s = PP_TDX_SW_HARDENING_NEEDED; s < PP_TDX_STATUSES; s++) {
        evidence_of(&w, V5_15, &e);
        e.info.levels[0].status = (enum pp_tdx_status)s;
        assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
        e.policy.statuses |= PP_ATTEST_BIT(s);
        if (s == PP_TDX_REVOKED) {
            assert_refused(&e, judge(&e), TCB_STATUS, TCB_STATUS);
        } else {
            assert_ok(judge(&e));
            assert_int_equal(e.result.status, s);
        }
    }
}

static void module_and_enclave_count_as_much_as_the_platform(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.info.modules[0].levels.rows[0].status = PP_TDX_OUT_OF_DATE;
    assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
    assert_string_equal(e.checks.rows[11].problem.got, "OutOfDate");
    evidence_of(&w, V5_15, &e);
    e.identity.levels.rows[0].status = PP_TDX_REVOKED;
    e.policy.statuses = UINT32_MAX;
    assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
    assert_string_equal(e.checks.rows[11].problem.got, "Revoked");
    evidence_of(&w, V4, &e); /* without a module of its own */
    e.identity.levels.rows[0].status = PP_TDX_SW_HARDENING_NEEDED;
    assert_refused(&e, appraise(&e), TCB_STATUS, TCB_STATUS);
}

/* tdx-attestation 10: the worst of three, and one combination. */
static void statuses_merge_to_the_worst(void **state)
{
    (void)state;
    for (int p = 0; p < PP_TDX_STATUSES; p++)
        for (int m = 0; m < PP_TDX_STATUSES; m++)
            for (int q = 0; q < PP_TDX_STATUSES; q++) {
                int worst = p > m ? p : m;
                worst = q > worst ? q : worst;
                if (worst == PP_TDX_OUT_OF_DATE &&
                    (p == PP_TDX_CONFIGURATION_NEEDED ||
                     p == PP_TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED))
                    worst = PP_TDX_OUT_OF_DATE_CONFIGURATION_NEEDED;
                assert_int_equal(pp_tdx_status_merge((enum pp_tdx_status)p, (enum pp_tdx_status)m,
                                                     (enum pp_tdx_status)q),
                                 worst);
            }
    for (int s = 0; s < PP_TDX_STATUSES; s++) {
        enum pp_tdx_status back;
        const char *name = pp_tdx_status_name((enum pp_tdx_status)s);
        assert_ok(pp_tdx_status_parse(pp_span_cstr(name), &back));
        assert_int_equal(back, s);
    }
}

static void both_documents_have_the_minimum_evaluation_number(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.info.evaluation = 17;
    assert_refused(&e, appraise(&e), TCB_EVAL, TCB_EVAL);
    evidence_of(&w, V5_15, &e);
    e.identity.evaluation = 17;
    assert_refused(&e, appraise(&e), TCB_EVAL, TCB_EVAL);
    e.policy.evaluation_min = 17;
    assert_ok(judge(&e));
    assert_int_equal(e.result.evaluation, 17);
}

/* --- 14, 15: bits ----------------------------------------------------------------------------- */

static void every_bit_of_the_attributes_has_its_verdict(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        evidence_of(&w, V5_15, &e);
        e.quote.body.td_attributes ^= UINT64_C(1) << bit;
        if (bit == 30) /* PKS */
            assert_ok(appraise(&e));
        else
            assert_refused(&e, appraise(&e), TD_ATTR, TD_ATTR);
    }
}

static void a_guest_that_can_be_debugged_is_refused_whatever_the_policy_says(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.quote.body.td_attributes |= PP_TDX_ATTR_DEBUG;
    e.policy.td_attributes = (struct pp_attest_bits){ .required = PP_TDX_ATTR_DEBUG };
    assert_refused(&e, appraise(&e), TD_ATTR, TD_ATTR);
}

static void every_bit_of_the_features_has_its_verdict(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t x = UINT64_C(1) << bit;
        evidence_of(&w, V5_15, &e);
        e.quote.body.xfam = (0x3 | x) ^ (bit < 2 ? x : 0);
        if (bit >= 2 && (x & PP_TDX_XFAM_ALLOWED) != 0)
            assert_ok(appraise(&e));
        else
            assert_refused(&e, appraise(&e), XFAM, XFAM);
    }
}

/* --- 16 to 20 --------------------------------------------------------------------------------- */

/* Fields and their pins. */
static const struct pinned {
    enum pp_tdx_pin pin;
    enum pp_tdx_check_number check;
    uint32_t code;
    size_t offset; /* in struct pp_tdx_body */
    size_t len;
    int zero_unless_pinned;
} PINNED[] = {
#define BODY(member) offsetof(struct pp_tdx_body, member), sizeof((struct pp_tdx_body *)0)->member
    { PP_TDX_PIN_TD_ATTR, PP_TDX_CHECK_TD_ATTR, PP_E_TDX_TD_ATTR, BODY(td_attributes), 0 },
    { PP_TDX_PIN_XFAM, PP_TDX_CHECK_XFAM, PP_E_TDX_XFAM, BODY(xfam), 0 },
    { PP_TDX_PIN_MRSEAM, PP_TDX_CHECK_SEAM_PIN, PP_E_TDX_SEAM_PIN, BODY(mrseam), 0 },
    { PP_TDX_PIN_MRSIGNERSEAM, PP_TDX_CHECK_SEAM_PIN, PP_E_TDX_SEAM_PIN, BODY(mrsignerseam), 1 },
    { PP_TDX_PIN_SEAM_ATTR, PP_TDX_CHECK_SEAM_PIN, PP_E_TDX_SEAM_PIN, BODY(seam_attributes), 1 },
    { PP_TDX_PIN_MRTD, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(mrtd), 0 },
    { PP_TDX_PIN_RTMR0, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(rtmr[0]), 0 },
    { PP_TDX_PIN_RTMR1, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(rtmr[1]), 0 },
    { PP_TDX_PIN_RTMR2, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(rtmr[2]), 0 },
    { PP_TDX_PIN_RTMR3, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(rtmr[3]), 1 },
    { PP_TDX_PIN_MRCONFIGID, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(mrconfigid), 1 },
    { PP_TDX_PIN_MROWNER, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(mrowner), 1 },
    { PP_TDX_PIN_MROWNERCONFIG, PP_TDX_CHECK_MEASUREMENT, PP_E_TDX_MEASUREMENT, BODY(mrownerconfig),
      1 },
    { PP_TDX_PIN_MRSERVICETD, PP_TDX_CHECK_SERVICE_TD, PP_E_TDX_SERVICE_TD, BODY(mrservicetd), 1 },
};

/* With the collateral left out: what the vendor says of the module is another test's. */
static void every_pinned_field_is_compared_even_where_its_check_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(PINNED); i++) {
        const struct pinned *p = &PINNED[i];
        uint8_t values[2 * PP_TDX_MEASUREMENT_BYTES] = { 0 };
        for (int skipped = 0; skipped < 2; skipped++) {
            evidence_of(&w, V5_15, &e);
            memset(values, 0xFF, sizeof values);
            memcpy(values + p->len, (const uint8_t *)&e.quote.body + p->offset, p->len);
            e.policy.skip = PP_TDX_COLLATERAL | (skipped ? PP_ATTEST_BIT(p->check) : 0);
            e.policy.pins[p->pin] = (struct pp_attest_set){ .values = values, .count = 2 };
            assert_ok(appraise(&e)); /* the second value of the set */
            assert_int_equal(e.result.skipped, e.policy.skip);
            e.policy.pins[p->pin].count = 1;
            assert_refused_(&e, judge(&e), p->check, p->code, __FILE__, __LINE__);
        }
    }
}

/* A value that the whole check would refuse: pinned alone, it is only compared. */
static void a_pin_alone_asks_for_nothing_else(void **state)
{
    (void)state;
    static const uint8_t attributes[8] = { 0x01 }, xfam[8] = { 0x04 };
    static const uint8_t seam[PP_TDX_MEASUREMENT_BYTES] = { 0x5E };

    evidence_of(&w, V5_15, &e);
    e.policy.skip = PP_TDX_COLLATERAL | PP_ATTEST_BIT(PP_TDX_CHECK_TD_ATTR) |
                    PP_ATTEST_BIT(PP_TDX_CHECK_XFAM) | PP_ATTEST_BIT(PP_TDX_CHECK_SEAM_PIN);
    e.policy.pins[PP_TDX_PIN_TD_ATTR] = (struct pp_attest_set){ .values = attributes, .count = 1 };
    e.policy.pins[PP_TDX_PIN_XFAM] = (struct pp_attest_set){ .values = xfam, .count = 1 };
    e.policy.pins[PP_TDX_PIN_MRSEAM] = (struct pp_attest_set){ .values = seam, .count = 1 };
    e.quote.body.td_attributes = PP_TDX_ATTR_DEBUG;
    e.quote.body.xfam = 4;
    memcpy(e.quote.body.mrseam, seam, sizeof seam);
    e.quote.body.seam_attributes = 1;
    e.quote.body.mrsignerseam[0] = 1;
    assert_ok(appraise(&e));
    assert_int_equal(e.result.skipped, e.policy.skip);
}

static void what_nobody_pins_is_zero(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(PINNED); i++) {
        const struct pinned *p = &PINNED[i];
        if (!p->zero_unless_pinned)
            continue;
        for (size_t at = 0; at < p->len; at += p->len - 1) {
            evidence_of(&w, V5_15, &e);
            e.policy.skip = PP_TDX_COLLATERAL;
            e.policy.pins[p->pin].count = 0;
            memset((uint8_t *)&e.quote.body + p->offset, 0, p->len);
            assert_ok(appraise(&e));
            ((uint8_t *)&e.quote.body)[p->offset + at] = 1;
            assert_refused_(&e, appraise(&e), p->check, p->code, __FILE__, __LINE__);
        }
    }
}

static void registers_of_two_releases_cannot_be_mixed(void **state)
{
    (void)state;
    uint8_t rows[2 * PP_TDX_LAUNCH_BYTES];

    evidence_of(&w, V5_15, &e);
    memset(rows, 0xAA, PP_TDX_LAUNCH_BYTES);
    memcpy(rows + PP_TDX_LAUNCH_BYTES, e.launch, PP_TDX_LAUNCH_BYTES);
    e.policy.launches = (struct pp_attest_set){ .values = rows, .count = 2 };
    assert_ok(appraise(&e));
    for (size_t i = 0; i < 3; i++) {
        evidence_of(&w, V5_15, &e);
        e.policy.launches = (struct pp_attest_set){ .values = rows, .count = 2 };
        memset(e.quote.body.rtmr[i], 0xAA, sizeof e.quote.body.rtmr[i]);
        assert_refused(&e, appraise(&e), MEASUREMENT, MEASUREMENT);
    }
    evidence_of(&w, V5_15, &e);
    e.quote.body.mrtd[47] ^= 1;
    assert_refused(&e, appraise(&e), MEASUREMENT, MEASUREMENT);
}

static void a_body_without_service_td_cannot_have_the_pinned_one(void **state)
{
    (void)state;
    static const uint8_t pinned[PP_TDX_MEASUREMENT_BYTES] = { 7 };

    evidence_of(&w, V4, &e);
    e.policy.pins[PP_TDX_PIN_MRSERVICETD] = (struct pp_attest_set){ .values = pinned, .count = 1 };
    assert_refused(&e, appraise(&e), SERVICE_TD, SERVICE_TD);
}

static void another_sessions_report_data_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < PP_TDX_REPORT_DATA_BYTES; at += 21) {
        evidence_of(&w, V5_15, &e);
        e.quote.body.report_data[at] ^= 1;
        assert_refused(&e, appraise(&e), BINDING, BINDING);
    }
}

static void a_platform_outside_the_host_set_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.host_id[15] ^= 1;
    assert_refused(&e, appraise(&e), HOST_ID, HOST_ID);
    evidence_of(&w, V5_15, &e);
    e.host_id[63] = 1;
    assert_refused(&e, appraise(&e), HOST_ID, HOST_ID);
    e.host_id[63] = 0;
    assert_ok(judge(&e));
}

/* --- clocks ----------------------------------------------------------------------------------- */

static void a_clock_that_is_wrong_by_ten_years_is_refused(void **state)
{
    (void)state;
    evidence_of(&w, V5_15, &e);
    e.at = NOW + UINT64_C(10) * YEAR;
    assert_refused(&e, appraise(&e), PCK_CHAIN, PCK_CHAIN);
    e.at = NOW - UINT64_C(10) * YEAR;
    assert_refused(&e, judge(&e), PCK_CHAIN, PCK_CHAIN);
    e.at = 0;
    assert_refused(&e, judge(&e), PCK_CHAIN, PCK_CHAIN);
    e.at = UINT64_MAX;
    assert_refused(&e, judge(&e), PCK_CHAIN, PCK_CHAIN);
    e.at = NOW + 31 * DAY; /* certificates last longer than collateral */
    assert_refused(&e, judge(&e), CRL, CRL_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_evidence_passes_every_check_of_the_strict_profile),
        cmocka_unit_test(a_policy_in_the_zero_state_asks_for_all_and_accepts_nothing),
        cmocka_unit_test(a_policy_may_not_skip_format_chain_or_signatures),
        cmocka_unit_test(collateral_is_read_as_a_whole_or_not_at_all),
        cmocka_unit_test(each_check_of_the_guest_can_be_left_out_and_the_result_says_so),
        cmocka_unit_test(padding_behind_the_quote_is_not_looked_at),
        cmocka_unit_test(every_truncation_of_a_quote_is_refused),
        cmocka_unit_test(every_bit_of_the_signed_part_counts),
        cmocka_unit_test(every_byte_of_the_signature_data_counts),
        cmocka_unit_test(a_wrong_signature_of_the_quote_is_refused),
        cmocka_unit_test(a_quoting_enclave_that_the_platform_did_not_sign_is_refused),
        cmocka_unit_test(an_attestation_key_that_the_enclave_does_not_vouch_for_is_refused),
        cmocka_unit_test(another_vendor_of_the_quoting_enclave_is_refused),
        cmocka_unit_test(without_both_revocation_lists_there_is_no_verdict),
        cmocka_unit_test(a_revocation_list_is_in_force_from_its_first_second_to_its_last),
        cmocka_unit_test(a_revocation_list_of_somebody_else_is_refused),
        cmocka_unit_test(revoked_certificates_are_refused),
        cmocka_unit_test(documents_that_did_not_come_are_refused),
        cmocka_unit_test(a_document_in_the_place_of_the_other_is_refused),
        cmocka_unit_test(every_byte_of_a_document_counts),
        cmocka_unit_test(documents_of_another_vendor_are_refused),
        cmocka_unit_test(each_document_may_bring_its_own_chain),
        cmocka_unit_test(documents_are_in_force_from_issue_to_next_update),
        cmocka_unit_test(tcb_info_of_another_platform_is_refused),
        cmocka_unit_test(another_enclave_than_the_vendors_is_refused),
        cmocka_unit_test(an_enclave_older_than_the_lowest_level_is_refused),
        cmocka_unit_test(a_module_that_the_vendor_does_not_list_is_refused),
        cmocka_unit_test(a_module_older_than_its_lowest_level_is_refused),
        cmocka_unit_test(a_platform_below_every_level_is_refused),
        cmocka_unit_test(the_first_level_that_fits_counts),
        cmocka_unit_test(the_policy_may_ask_for_more_than_the_vendor),
        cmocka_unit_test(strict_takes_up_to_date_alone_and_a_list_may_add),
        cmocka_unit_test(module_and_enclave_count_as_much_as_the_platform),
        cmocka_unit_test(statuses_merge_to_the_worst),
        cmocka_unit_test(both_documents_have_the_minimum_evaluation_number),
        cmocka_unit_test(every_bit_of_the_attributes_has_its_verdict),
        cmocka_unit_test(a_guest_that_can_be_debugged_is_refused_whatever_the_policy_says),
        cmocka_unit_test(every_bit_of_the_features_has_its_verdict),
        cmocka_unit_test(every_pinned_field_is_compared_even_where_its_check_is_left_out),
        cmocka_unit_test(a_pin_alone_asks_for_nothing_else),
        cmocka_unit_test(what_nobody_pins_is_zero),
        cmocka_unit_test(registers_of_two_releases_cannot_be_mixed),
        cmocka_unit_test(a_body_without_service_td_cannot_have_the_pinned_one),
        cmocka_unit_test(another_sessions_report_data_is_refused),
        cmocka_unit_test(a_platform_outside_the_host_set_is_refused),
        cmocka_unit_test(a_clock_that_is_wrong_by_ten_years_is_refused),
    };

    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(tests, make, clean);
}
