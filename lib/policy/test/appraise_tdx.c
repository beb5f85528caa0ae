/* SPDX-License-Identifier: Apache-2.0 */
/* Steps 8 to 12 on a TDX platform: who notices each fault, and by which code. */
#include "machine_tdx.h"

static struct machine *m;
static struct machine_tdx *t;
static struct pp_checks checks;
static struct pp_problem problem;
static struct pp_appraisal appraisal;

enum { ALL_ROWS = 28 };

static int make(void **state)
{
    (void)state;
    m = machine_new();
    t = machine_tdx_new(m);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    machine_tdx_free(t);
    machine_free(m);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    machine_tdx_default(t);
    return 0;
}

static pp_res appraise_once(struct pp_span cbor)
{
    checks.count = 0;
    memset(&problem, 0, sizeof problem);
    memset(&appraisal, 0xEE, sizeof appraisal);
    return pp_appraise_stored(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, cbor,
                              &m->session, &checks, &problem, &appraisal);
}

/* Keeping nothing, proving, recalling: the same verdict, by the same rows. */
static pp_res appraise_this(struct pp_span cbor)
{
    m->trust.tdx_anchors.kept = NULL;
    m->trust.gpu_anchors.rims.kept = NULL;
    pp_res cold = appraise_once(cbor);
    size_t rows = checks.count;

    pp_trust_keep(&m->trust, &m->kept);
    for (int again = 0; again < 2; again++) {
        assert_code(appraise_once(cbor), cold.code);
        assert_int_equal(checks.count, rows);
    }
    return cold;
}

static pp_res appraise(void)
{
    return appraise_this(machine_tdx_attest(t));
}

/* Refused with this code, in words, and nothing was given back. */
static void assert_refused_(pp_res r, uint32_t code, const char *file, int line)
{
    const uint8_t *at = (const uint8_t *)&appraisal;

    if (r.code != code)
        print_error("%s: %s\n", pp_code_name(r.code), problem.field);
    assert_code_(r, code, file, line);
    _assert_true(problem.field[0] != '\0' && problem.party[0] != '\0', "words", file, line);
    for (size_t i = 0; i < sizeof appraisal; i++)
        _assert_int_equal(at[i], 0xEE, file, line);
    _assert_true(checks.count < ALL_ROWS, "as many rows as a success has", file, line);
}

#define assert_refused(r, code) assert_refused_((r), (uint32_t)(code), __FILE__, __LINE__)

/* --- what passes ------------------------------------------------------------------------------ */

static void genuine_evidence_of_a_published_release_is_accepted(void **state)
{
    (void)state;
    pp_res r = appraise();
    if (!pp_is_ok(r))
        print_error("%s: %s, %s, %s\n", pp_code_name(r.code), problem.field, problem.expected,
                    problem.got);
    assert_ok(r);
    assert_int_equal(appraisal.platform, PP_PLATFORM_SIM_TDX);
    assert_int_equal(appraisal.simulated, 1);
    assert_memory_equal(appraisal.measurement, t->guest.mrtd, sizeof appraisal.measurement);
    assert_memory_equal(appraisal.chip_id, sim_tdx_ppid(t->platform), PP_TDX_ID_BYTES);
}

static void the_rows_come_in_the_order_of_the_check_order(void **state)
{
    (void)state;
    size_t of_step[PP_STEP_RECORD + 1] = { 0 };

    assert_ok(appraise());
    for (size_t i = 0; i < checks.count; i++) {
        const struct pp_check *c = &checks.rows[i];
        assert_true(i == 0 || c->step >= checks.rows[i - 1].step);
        assert_int_equal(c->verdict, PP_VERDICT_PROVEN);
        of_step[c->step]++;
    }
    assert_int_equal(of_step[PP_STEP_PARSE], 2);
    assert_int_equal(of_step[PP_STEP_CHAIN], 8);
    assert_int_equal(of_step[PP_STEP_BINDING], 2);
    assert_int_equal(of_step[PP_STEP_PLATFORM], 10);
    assert_int_equal(of_step[PP_STEP_LEDGER], 6);
    assert_int_equal(checks.count, ALL_ROWS);
}

static const char *shown(const char *what)
{
    for (size_t i = 0; i < checks.count; i++)
        if (strcmp(checks.rows[i].what, what) == 0)
            return checks.rows[i].value;
    fail_msg("no row: %s", what);
    return "";
}

/* Whoever asks why is shown what the row is about, by name; times are dates. */
static void rows_say_what_their_values_are(void **state)
{
    (void)state;
    char config[32];

    snprintf(config, sizeof config, "MRCONFIGID: %02x%02x%02x%02x", t->guest.mrconfigid[0],
             t->guest.mrconfigid[1], t->guest.mrconfigid[2], t->guest.mrconfigid[3]);
    assert_ok(appraise());
    assert_memory_equal(shown("the program runs with this configuration"), config, strlen(config));
    assert_memory_equal(shown("the vendor's word on the platform is in force"), "fmspc: ", 7);
    assert_memory_equal(shown("the vendor's word on the enclave is in force"), "nextUpdate: 2026-",
                        17);
}

static void every_byte_of_the_evidence_counts(void **state)
{
    (void)state;
    static uint8_t bent[PP_EVIDENCE_BYTES_MAX];
    struct pp_span cbor = machine_tdx_attest(t);

    for (size_t i = 0; i < cbor.len; i += i < 64 ? 1 : 29) {
        memcpy(bent, cbor.at, cbor.len);
        bent[i] ^= (uint8_t)(1U << i % 8);
        pp_res r = appraise_this(pp_span(bent, cbor.len));
        if (pp_is_ok(r))
            print_error("the change at %zu of %zu was not noticed\n", i, cbor.len);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
    }
}

/* --- which machine ---------------------------------------------------------------------------- */

static void add_endorsement(struct machine *x)
{
    x->evidence.endorsements[0] = PP_STR("a certificate");
    x->evidence.endorsement_count = 1;
}

static void endorsements_beside_a_quote_are_refused(void **state)
{
    (void)state;
    m->bend_evidence = add_endorsement;
    assert_refused(appraise(), PP_E_EVIDENCE_FORMAT);
}

static void call_it_hardware(struct machine *x)
{
    x->evidence.platform = PP_PLATFORM_TDX;
}

static void the_simulators_evidence_leads_to_no_vendor_root(void **state)
{
    (void)state;
    struct pp_tdx_anchors own = m->trust.tdx_anchors;

    m->bend_evidence = call_it_hardware;
    assert_refused(appraise(), PP_E_EVIDENCE_TEE_UNKNOWN);
    m->trust.platforms = 1U << PP_PLATFORM_TDX;
    m->trust.tdx_anchors = (struct pp_tdx_anchors){ 0 };
    assert_ok(pp_tdx_anchors_add_intel(&m->trust.tdx_anchors));
    pp_res r = appraise();
    pp_tdx_anchors_done(&m->trust.tdx_anchors);
    m->trust.tdx_anchors = own;
    assert_refused(r, PP_E_TDX_PCK_CHAIN);
}

static void w10_t1_a_genuine_platform_that_nobody_registered_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_tdx_attest(t);
    struct pp_host_set *set = &m->records[M_HOSTS].record.host_set;

    for (size_t i = 0; i < MACHINE_HOSTS; i++)
        m->hosts[i].entry[1] ^= 0x80;
    assert_ok(pp_hosts_sort(m->hosts, MACHINE_HOSTS));
    assert_ok(pp_hosts_root(m->hosts, MACHINE_HOSTS, &set->root));
    assert_refused(appraise_this(cbor), PP_E_LEDGER_HOST);
    assert_non_null(strstr(problem.expected, "advisory foreign-machine"));
}

/* The same 64 bytes as the id of an SNP chip are another machine. */
static void a_platform_that_is_registered_as_another_kind_is_refused(void **state)
{
    (void)state;
    machine_register(m, PP_HOST_SNP, pp_span(sim_tdx_ppid(t->platform), PP_TDX_ID_BYTES));
    assert_refused(appraise(), PP_E_LEDGER_HOST);
}

/* --- what the vendor says --------------------------------------------------------------------- */

static void without_collateral_in_the_bundle_it_is_refused(void **state)
{
    (void)state;
    m->ledger.bundle.blob_count = 0;
    assert_refused(appraise(), PP_E_TDX_CRL_STALE);
    machine_add_blob(m, PP_STR("not collateral"));
    assert_refused(appraise(), PP_E_TDX_CRL_STALE);
}

static void collateral_of_another_kind_of_platform_is_not_taken(void **state)
{
    (void)state;
    t->blob[6] ^= 1; /* a digit of the FMSPC in its head */
    m->ledger.bundle.blob_count = 0;
    machine_add_blob(m, m->blobs[0]);
    assert_refused(appraise(), PP_E_TDX_CRL_STALE);
}

/* Both authorities issue for platforms of one kind, and each has its own revocation list. */
static void collateral_of_the_other_authority_is_not_taken(void **state)
{
    (void)state;
    struct pp_wr wr = pp_wr_over(t->blob, sizeof t->blob);
    static uint8_t old[sizeof t->blob];
    struct pp_collateral c;

    memcpy(old, t->blob, sizeof old);
    assert_ok(pp_collateral_parse(pp_span(old, m->blobs[0].len), &c));
    c.platform_ca = !c.platform_ca;
    assert_ok(pp_collateral_write(&wr, &c));
    m->ledger.bundle.blob_count = 0;
    machine_add_blob(m, pp_wr_done(&wr));
    assert_refused(appraise(), PP_E_TDX_CRL_STALE);
}

static void collateral_is_found_among_other_blobs(void **state)
{
    (void)state;
    machine_add_blob(m, PP_STR("<?xml version=\"1.0\"?>"));
    machine_add_blob(m, PP_STR("another"));
    assert_ok(appraise());
}

static void collateral_that_is_over_is_refused_by_the_ledgers_time(void **state)
{
    (void)state;
    struct pp_span cbor = machine_tdx_attest(t);

    m->ledger.now_posix_s = MACHINE_NOW + UINT64_C(40) * 86400;
    m->records[M_ORCHESTRATOR].record.release.not_after = m->ledger.now_posix_s + 1;
    assert_refused(appraise_this(cbor), PP_E_TDX_CRL_STALE);
}

/* Both documents as the vendor signs them today, for a list of this number. */
static void publish_of_list(uint32_t info_number, uint32_t identity_number)
{
    uint8_t inner[SIM_TDX_DOCUMENT_BYTES_MAX / 2];
    struct sim_tdx_collateral *c = &t->collateral;
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);
    struct pp_tdx_qe_identity identity;
    struct pp_tdx_tcb_info info;

    sim_tdx_tcb_info_of(t->platform, MACHINE_NOW - 3600, &info);
    info.evaluation = info_number;
    sim_tdx_tcb_info_write(&wr, &info);
    assert_ok(sim_tdx_sign_document(t->vendor, "tcbInfo", pp_wr_done(&wr), c->tcb_info,
                                    sizeof c->tcb_info, &c->tcb_info_len));
    sim_tdx_qe_identity_of(t->platform, MACHINE_NOW - 3600, &identity);
    identity.evaluation = identity_number;
    wr = pp_wr_over(inner, sizeof inner);
    sim_tdx_qe_identity_write(&wr, &identity);
    assert_ok(sim_tdx_sign_document(t->vendor, "enclaveIdentity", pp_wr_done(&wr), c->qe_identity,
                                    sizeof c->qe_identity, &c->qe_identity_len));
    machine_tdx_publish(t);
}

/*
 * Intel signs the lists of earlier numbers anew for a year and more: a mirror that picks an old one
 * has documents in force by which a platform without its fixes is up to date.
 */
static void a_list_from_before_the_floor_is_refused_however_fresh(void **state)
{
    (void)state;
    publish_of_list(18, 18);
    assert_ok(appraise());
    publish_of_list(17, 18);
    assert_refused(appraise(), PP_E_TDX_TCB_EVAL);
    publish_of_list(18, 17);
    assert_refused(appraise(), PP_E_TDX_TCB_EVAL);
}

/* --- what runs there -------------------------------------------------------------------------- */

static void debug_guest(struct pp_tdx_quote *q)
{
    q->body.td_attributes |= PP_TDX_ATTR_DEBUG;
}

static void service_guest(struct pp_tdx_quote *q)
{
    q->body.mrservicetd[0] = 1;
}

static void fourth_register(struct pp_tdx_quote *q)
{
    q->body.rtmr[3][0] = 1;
}

static void owner(struct pp_tdx_quote *q)
{
    q->body.mrowner[0] = 1;
}

static void what_the_hardware_profile_refuses_is_refused(void **state)
{
    (void)state;
    t->bend_quote = debug_guest;
    assert_refused(appraise(), PP_E_TDX_TD_ATTR);
    t->bend_quote = service_guest;
    assert_refused(appraise(), PP_E_TDX_SERVICE_TD);
    t->bend_quote = fourth_register;
    assert_refused(appraise(), PP_E_TDX_MEASUREMENT);
    assert_string_equal(problem.field, "RTMR3");
    t->bend_quote = owner;
    assert_refused(appraise(), PP_E_TDX_MEASUREMENT);
}

/* MRTD and three registers are one row: each of them counts, and rows are not mixed. */
static void a_launch_that_is_in_no_row_is_refused(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;
    uint8_t *const parts[] = { t->guest.mrtd, t->guest.rtmr[0], t->guest.rtmr[1],
                               t->guest.rtmr[2] };

    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++) {
        parts[i][47] ^= 1;
        assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
        parts[i][47] ^= 1;
    }
    rel->tdx[1] = rel->tdx[0];
    rel->tdx_count = 2;
    rel->tdx[0].mrtd[0] ^= 1;
    assert_ok(appraise()); /* any whole row will do */
    rel->tdx[1].rtmr[0][0] ^= 1;
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
    rel->tdx_count = 0;
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
}

/* An SNP row of the release says nothing about a TDX guest. */
static void rows_of_another_platform_do_not_count(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;

    rel->tdx_count = 0;
    memcpy(rel->snp[0].measurement, t->guest.mrtd, sizeof t->guest.mrtd);
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
}

static void a_configuration_that_was_not_measured_is_refused(void **state)
{
    (void)state;
    t->guest.mrconfigid[0] ^= 1;
    assert_refused(appraise(), PP_E_TDX_MEASUREMENT);
    t->guest.mrconfigid[0] ^= 1;
    t->guest.mrconfigid[32] = 1; /* behind the digest: sixteen zeros */
    assert_refused(appraise(), PP_E_TDX_MEASUREMENT);
    t->guest.mrconfigid[32] = 0;
    m->records[M_ORCHESTRATOR].record.release.config[0][0] ^= 1; /* measured, not published */
    assert_refused(appraise(), PP_E_TDX_MEASUREMENT);
    assert_string_equal(problem.field, "configuration digest");
}

static void what_the_release_asks_of_the_patch_level_is_asked(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;
    const uint8_t *have = sim_tdx_params(t->platform)->tee_tcb_svn;

    memcpy(rel->tdx_min_svn, have, sizeof rel->tdx_min_svn);
    assert_ok(appraise());
    for (size_t i = 0; i < sizeof rel->tdx_min_svn; i++) {
        memcpy(rel->tdx_min_svn, have, sizeof rel->tdx_min_svn);
        rel->tdx_min_svn[i]++;
        assert_refused(appraise(), PP_E_TDX_TCB_MIN);
    }
    /* What the profile asks stays, whatever the ledger says. */
    memset(rel->tdx_min_svn, 0, sizeof rel->tdx_min_svn);
    m->trust.hardware.tdx.tee_tcb_svn_min[0] = (uint8_t)(have[0] + 1);
    assert_refused(appraise(), PP_E_TDX_TCB_MIN);
}

/* --- this connection -------------------------------------------------------------------------- */

static void w7_t1_evidence_of_another_session_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_tdx_attest(t);

    m->session.ekm[0] ^= 1;
    assert_refused(appraise_this(cbor), PP_E_TDX_BINDING);
    m->session.ekm[0] ^= 1;
    m->session.spki[9] ^= 1;
    assert_refused(appraise_this(cbor), PP_E_TDX_BINDING);
    m->session.spki[9] ^= 1;
    assert_ok(appraise_this(cbor));
}

static void a_check_that_was_skipped_does_not_pass(void **state)
{
    (void)state;
    struct pp_span cbor = machine_tdx_attest(t);

    for (unsigned n = 1; n <= PP_TDX_CHECKS; n++) {
        if ((PP_TDX_SKIPPABLE & PP_ATTEST_BIT(n)) == 0)
            continue;
        m->trust.hardware.tdx.skip = PP_ATTEST_BIT(n);
        pp_res r = appraise_this(cbor);
        if (n == PP_TDX_CHECK_HOST_ID || n == PP_TDX_CHECK_SERVICE_TD)
            assert_ok(r); /* asked in step 12; a guest of TDX 1.0 has none */
        else
            assert_false(pp_is_ok(r));
    }
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest TESTS[] = {
    FRESH(genuine_evidence_of_a_published_release_is_accepted),
    FRESH(the_rows_come_in_the_order_of_the_check_order),
    FRESH(rows_say_what_their_values_are),
    FRESH(every_byte_of_the_evidence_counts),
    FRESH(endorsements_beside_a_quote_are_refused),
    FRESH(the_simulators_evidence_leads_to_no_vendor_root),
    FRESH(w10_t1_a_genuine_platform_that_nobody_registered_is_refused),
    FRESH(a_platform_that_is_registered_as_another_kind_is_refused),
    FRESH(without_collateral_in_the_bundle_it_is_refused),
    FRESH(collateral_of_another_kind_of_platform_is_not_taken),
    FRESH(collateral_of_the_other_authority_is_not_taken),
    FRESH(collateral_is_found_among_other_blobs),
    FRESH(collateral_that_is_over_is_refused_by_the_ledgers_time),
    FRESH(a_list_from_before_the_floor_is_refused_however_fresh),
    FRESH(what_the_hardware_profile_refuses_is_refused),
    FRESH(a_launch_that_is_in_no_row_is_refused),
    FRESH(rows_of_another_platform_do_not_count),
    FRESH(a_configuration_that_was_not_measured_is_refused),
    FRESH(what_the_release_asks_of_the_patch_level_is_asked),
    FRESH(w7_t1_evidence_of_another_session_is_refused),
    FRESH(a_check_that_was_skipped_does_not_pass),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
