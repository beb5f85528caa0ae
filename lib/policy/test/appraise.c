/* SPDX-License-Identifier: Apache-2.0 */
/* Steps 8 to 12 of the check order: who notices each fault of Evidence, and by which code. */
#include "machine.h"

static struct machine *m;
static struct pp_checks checks;
static struct pp_problem problem;
static struct pp_appraisal appraisal;

enum { ALL_ROWS = 30 };

static int make(void **state)
{
    (void)state;
    m = machine_new();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    machine_free(m);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    machine_default(m);
    return 0;
}

static pp_res appraise_as(struct pp_span cbor, enum pp_record_role role)
{
    checks.count = 0;
    memset(&problem, 0, sizeof problem);
    memset(&appraisal, 0xEE, sizeof appraisal);
    return pp_appraise_stored(&m->trust, &m->ledger, &m->marks, role, cbor, &m->session, &checks,
                              &problem, &appraisal);
}

static pp_res appraise(void)
{
    return appraise_as(machine_attest(m), PP_RECORD_ORCHESTRATOR);
}

/* Refused with this code, in words, and nothing was given back. */
static void assert_refused_(pp_res r, uint32_t code, const char *file, int line)
{
    const uint8_t *at = (const uint8_t *)&appraisal;

    assert_code_(r, code, file, line);
    _assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED, file, line);
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
    m->records[M_ORCHESTRATOR].record.release.retains = 1;
    assert_ok(appraise());
    assert_int_equal(appraisal.platform, PP_PLATFORM_SIM_SNP);
    assert_int_equal(appraisal.simulated, 1);
    assert_int_equal(appraisal.retains, 1);
    assert_memory_equal(appraisal.release_id.bytes, m->records[M_ORCHESTRATOR].id.bytes, 32);
    assert_memory_equal(appraisal.host_set_id.bytes, m->records[M_HOSTS].id.bytes, 32);
    assert_memory_equal(appraisal.measurement, m->guest.measurement, sizeof appraisal.measurement);
    assert_memory_equal(appraisal.chip_id, sim_chip_id(m->chip), sizeof appraisal.chip_id);
    assert_int_equal(appraisal.message_kem, PP_KEM_XWING);
    assert_int_equal(appraisal.message_pk_len, m->message_key_len - 2);
    assert_memory_equal(appraisal.message_pk, m->message_key + 2, appraisal.message_pk_len);
}

/* The list that people and receipts see: in the order of the steps, and without a gap. */
static void the_rows_come_in_the_order_of_the_check_order(void **state)
{
    (void)state;
    size_t of_step[PP_STEP_RECORD + 1] = { 0 };

    assert_ok(appraise());
    for (size_t i = 0; i < checks.count; i++) {
        const struct pp_check *c = &checks.rows[i];
        assert_true(i == 0 || c->step >= checks.rows[i - 1].step);
        assert_true(c->what[0] != '\0');
        assert_true(c->verdict == PP_VERDICT_PROVEN || c->verdict == PP_VERDICT_SKIPPED);
        of_step[c->step]++;
    }
    assert_int_equal(of_step[PP_STEP_PARSE], 2);
    assert_int_equal(of_step[PP_STEP_CHAIN], 9);
    assert_int_equal(of_step[PP_STEP_BINDING], 2);
    assert_int_equal(of_step[PP_STEP_PLATFORM], 11);
    assert_int_equal(of_step[PP_STEP_LEDGER], 6);
    assert_int_equal(checks.count, ALL_ROWS);
}

static void call_it_hardware(struct machine *x)
{
    x->evidence.platform = PP_PLATFORM_SEV_SNP;
}

/* A simulator that takes the name of hardware under a root of one's own is called simulated. */
static void nothing_under_a_root_of_ones_own_passes_for_hardware(void **state)
{
    (void)state;
    m->trust.own_root = 1;
    m->trust.platforms = 1U << PP_PLATFORM_SEV_SNP;
    m->bend_evidence = call_it_hardware;
    assert_ok(appraise());
    assert_int_equal(appraisal.platform, PP_PLATFORM_SEV_SNP);
    assert_int_equal(appraisal.simulated, 1);
}

static void nobody_has_to_ask_for_rows_or_words(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);

    assert_ok(pp_appraise_stored(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, cbor,
                                 &m->session, NULL, NULL, &appraisal));
    m->session.ekm[0] ^= 1;
    assert_code(pp_appraise_stored(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, cbor,
                                   &m->session, NULL, NULL, &appraisal),
                PP_E_SNP_BINDING);
}

static void every_byte_of_the_evidence_counts(void **state)
{
    (void)state;
    static uint8_t bent[PP_EVIDENCE_BYTES_MAX];
    struct pp_span cbor = machine_attest(m);

    for (size_t i = 0; i < cbor.len; i += i < 64 ? 1 : 13) {
        memcpy(bent, cbor.at, cbor.len);
        bent[i] ^= (uint8_t)(1U << i % 8);
        pp_res r = appraise_as(pp_span(bent, cbor.len), PP_RECORD_ORCHESTRATOR);
        if (pp_is_ok(r))
            print_error("the change at %zu of %zu was not noticed\n", i, cbor.len);
        assert_int_equal(pp_code_class(r.code), PP_CLASS_REFUSED);
    }
    for (size_t n = 0; n < cbor.len; n += n < 64 ? 1 : 61)
        assert_refused(appraise_as(pp_span(cbor.at, n), PP_RECORD_ORCHESTRATOR),
                       PP_E_EVIDENCE_FORMAT);
    memcpy(bent, cbor.at, cbor.len);
    bent[cbor.len] = 0;
    assert_refused(appraise_as(pp_span(bent, cbor.len + 1), PP_RECORD_ORCHESTRATOR),
                   PP_E_EVIDENCE_FORMAT);
}

/* --- step 8 ----------------------------------------------------------------------------------- */

static void call_it_tdx(struct machine *x)
{
    x->evidence.platform = PP_PLATFORM_TDX;
    x->evidence.endorsement_count = 0;
}

static void a_platform_that_the_anchors_do_not_name_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = call_it_hardware;
    assert_refused(appraise(), PP_E_EVIDENCE_TEE_UNKNOWN);
    m->bend_evidence = call_it_tdx;
    assert_refused(appraise(), PP_E_EVIDENCE_TEE_UNKNOWN);
    m->bend_evidence = NULL;
    m->trust.platforms = 0;
    assert_refused(appraise(), PP_E_EVIDENCE_TEE_UNKNOWN);
}

static uint8_t gpu[64];

static void add_gpu(struct machine *x)
{
    struct pp_wr wr = pp_wr_over(gpu, sizeof gpu);

    pp_wr_bytes(&wr, "\x81\x84\x58\x20", 4); /* [[bstr32, report, [certificate], [answer]]] */
    pp_wr_zeros(&wr, 32);
    pp_wr_bytes(&wr, "\x41\x01\x81\x41\x02\x81\x41\x03", 8);
    x->evidence.gpu_encoding = pp_wr_done(&wr);
}

static void gpu_evidence_of_a_release_without_gpus_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = add_gpu;
    assert_refused(appraise(), PP_E_GPU_RIM_SET);
    assert_string_equal(problem.field, "gpu");
}

static void show_message_key(uint16_t kem, size_t pk_len)
{
    m->message_key[0] = (uint8_t)(kem >> 8);
    m->message_key[1] = (uint8_t)kem;
    m->message_key_len = 2 + pk_len;
}

static void w12_t1_a_classical_message_key_under_a_hybrid_policy_is_refused(void **state)
{
    (void)state;
    show_message_key(PP_KEM_X25519_SHA256, PP_X25519_BYTES);
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
    m->trust.message_kem = PP_KEM_X25519_SHA256; /* the policy that says so takes it */
    assert_ok(appraise());
    assert_int_equal(appraisal.message_kem, PP_KEM_X25519_SHA256);
}

static void a_hybrid_message_key_under_a_classical_policy_is_refused(void **state)
{
    (void)state;
    m->trust.message_kem = PP_KEM_X25519_SHA256;
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
}

static void w12_t1_a_message_key_of_another_kem_or_length_is_refused(void **state)
{
    static const uint16_t others[] = { PP_KEM_P256_SHA256, PP_KEM_MLKEM768, PP_KEM_XWING ^ 1, 0 };
    size_t pk_len = pp_kem_info(PP_KEM_XWING)->pk_len;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        show_message_key(others[i], pk_len);
        assert_refused(appraise(), PP_E_MESSAGE_KEY);
    }
    show_message_key(PP_KEM_XWING, pk_len - PP_X25519_BYTES); /* the hybrid key's one half */
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
    show_message_key(PP_KEM_XWING, pk_len - 1);
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
    show_message_key(PP_KEM_X25519_SHA256, pk_len);
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
    m->trust.message_kem = PP_KEM_X25519_SHA256;
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
    show_message_key(PP_KEM_X25519_SHA256, PP_X25519_BYTES + 1);
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
}

/* Refused as Evidence, and not only when something is to be sealed to it. */
static void w12_t2_a_hybrid_message_key_that_is_not_reduced_is_refused(void **state)
{
    (void)state;
    memset(m->message_key + 2, 0xFF, 3);
    assert_refused(appraise(), PP_E_MESSAGE_KEY);
}

static void drop_endorsement(struct machine *x)
{
    x->evidence.endorsement_count = 0;
}

static void evidence_without_the_chips_certificate_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = drop_endorsement;
    assert_refused(appraise(), PP_E_EVIDENCE_FORMAT);
}

/* --- steps 9 and 11: the report --------------------------------------------------------------- */

static void change_report(struct machine *x)
{
    x->report[0x90] ^= 1; /* the measurement, behind the signature */
}

static void a_changed_report_is_refused(void **state)
{
    (void)state;
    m->bend_after = change_report;
    assert_refused(appraise(), PP_E_SNP_SIGNATURE);
}

static void the_simulators_evidence_leads_to_no_vendor_root(void **state)
{
    (void)state;
    struct pp_snp_anchors own = m->trust.snp_anchors;

    m->trust.snp_anchors = (struct pp_snp_anchors){ 0 };
    assert_ok(pp_snp_anchors_add_amd(&m->trust.snp_anchors));
    pp_res r = appraise();
    pp_snp_anchors_done(&m->trust.snp_anchors);
    m->trust.snp_anchors = own;
    assert_true(r.code == PP_E_SNP_CHAIN || r.code == PP_E_SNP_CERT_FORM);
    assert_refused(r, r.code);
}

static void debug_guest(struct machine *x, struct pp_snp_report *r)
{
    (void)x;
    r->policy |= PP_SNP_POLICY_DEBUG;
}

static void other_level(struct machine *x, struct pp_snp_report *r)
{
    (void)x;
    r->vmpl = 1;
}

static void no_alias_check(struct machine *x, struct pp_snp_report *r)
{
    (void)x;
    r->platform_info &= ~(uint64_t)PP_SNP_PLATFORM_ALIAS_CHECK;
}

static void what_the_hardware_profile_refuses_is_refused(void **state)
{
    (void)state;
    m->bend_report = debug_guest;
    assert_refused(appraise(), PP_E_SNP_POLICY);
    m->bend_report = other_level;
    assert_refused(appraise(), PP_E_SNP_VMPL);
    for (size_t i = 0; i < checks.count; i++) /* what failed has no row, not even a skipped one */
        assert_int_not_equal(checks.rows[i].code, PP_E_SNP_VMPL);
    m->bend_report = no_alias_check;
    assert_refused(appraise(), PP_E_SNP_PLATFORM);
    m->bend_report = NULL;
    m->trust.hardware.snp.tcb_min[PP_SNP_GENOA].microcode = 255; /* the trust file's own minimum */
    assert_refused(appraise(), PP_E_SNP_TCB_MIN);
}

/* Whoever skips a check, by mistake or on purpose, gets a refusal by its name, and no accept. */
static void a_check_that_was_skipped_does_not_pass(void **state)
{
    (void)state;
    static const uint32_t answered_elsewhere = PP_ATTEST_BIT(PP_SNP_CHECK_CRL) |
                                               PP_ATTEST_BIT(PP_SNP_CHECK_MITIGATION) |
                                               PP_ATTEST_BIT(PP_SNP_CHECK_MEASUREMENT) |
                                               PP_ATTEST_BIT(PP_SNP_CHECK_ID_BLOCK) |
                                               PP_ATTEST_BIT(PP_SNP_CHECK_HOST_ID);
    struct pp_span cbor = machine_attest(m);

    for (unsigned n = 1; n <= PP_SNP_CHECKS; n++) {
        uint32_t bit = PP_ATTEST_BIT(n);
        if ((PP_SNP_SKIPPABLE & bit) == 0)
            continue;
        m->trust.hardware.snp.skip = bit;
        if ((answered_elsewhere & bit) != 0) {
            assert_ok(appraise_as(cbor, PP_RECORD_ORCHESTRATOR));
            continue;
        }
        pp_res r = appraise_as(cbor, PP_RECORD_ORCHESTRATOR);
        assert_int_equal(r.code, PP_E_SNP_FORMAT + (n <= 5 ? n - 1 : n));
        assert_refused(r, r.code);
        assert_string_equal(problem.expected, "a check that ran");
    }
}

/* A policy that asks nothing of the firmware leaves that check out too. */
static void a_policy_without_a_firmware_minimum_accepts_nothing(void **state)
{
    (void)state;
    m->trust.hardware.snp.fw_min = (struct pp_snp_version){ 0 };
    assert_refused(appraise(), PP_E_SNP_FW_MIN);
    m->trust.hardware.snp = PP_SNP_POLICY_STRICT;
    m->trust.hardware.snp.skip = PP_ATTEST_BIT(PP_SNP_CHECK_PROVISIONAL);
    assert_refused(appraise(), PP_E_SNP_PROVISIONAL);
}

/* The certificate's life is held against the ledger's time, not the device's clock. */
static void an_expired_chip_certificate_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);

    m->ledger.now_posix_s = MACHINE_NOW + UINT64_C(8) * 366 * 86400;
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_SNP_CHAIN);
}

/* --- step 10: the binding --------------------------------------------------------------------- */

static void evidence_of_another_session_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);

    m->session.ekm[31] ^= 1; /* relayed: another TLS session */
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_SNP_BINDING);
    m->session.ekm[31] ^= 1;
    m->session.spki[90] ^= 1; /* another end of this one */
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_SNP_BINDING);
    m->session.spki[90] ^= 1;
    assert_ok(appraise_as(cbor, PP_RECORD_ORCHESTRATOR));
}

static void swap_message_key(struct machine *x)
{
    x->message_key[5] ^= 1;
}

static void name_another_batch(struct machine *x)
{
    x->evidence.batch = (struct pp_batch_path){ .size = 2, .index = 0, .node_count = 1 };
}

static void name_an_impossible_batch(struct machine *x)
{
    x->evidence.batch = (struct pp_batch_path){ .size = 2, .index = 1, .node_count = 3 };
}

static void what_the_report_does_not_cover_is_refused(void **state)
{
    (void)state;
    m->bend_after = swap_message_key;
    assert_refused(appraise(), PP_E_SNP_BINDING);
    m->bend_after = name_another_batch;
    assert_refused(appraise(), PP_E_SNP_BINDING);
    m->bend_after = name_an_impossible_batch;
    pp_res r = appraise();
    assert_true(r.code == PP_E_SNP_BINDING || r.code == PP_E_EVIDENCE_FORMAT);
    assert_refused(r, r.code);
}

static void share_the_report(struct machine *x)
{
    x->evidence.batch = (struct pp_batch_path){ .size = 2, .index = 1, .node_count = 1 };
    memset(x->evidence.batch.nodes[0], 0x77, sizeof x->evidence.batch.nodes[0]);
}

static void one_report_may_cover_a_batch_of_sessions(void **state)
{
    (void)state;
    m->bend_evidence = share_the_report;
    assert_ok(appraise());
}

static void other_config(struct machine *x)
{
    x->evidence.config = PP_STR("engine = other\n");
}

/* HOST_DATA, REPORT_DATA and the release all name the configuration; each is asked by itself. */
static void a_configuration_that_was_not_measured_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = other_config;
    assert_refused(appraise(), PP_E_SNP_HOST_DATA);
    pp_sha256(PP_STR("engine = other\n"), m->guest.host_data);
    assert_refused(appraise(), PP_E_SNP_HOST_DATA); /* measured, but not published */
    assert_string_equal(problem.field, "configuration digest");
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;
    pp_sha256(PP_STR("engine = other\n"), rel->config[rel->config_count++]);
    assert_ok(appraise());
    m->bend_evidence = NULL;
    m->bend_after = other_config;
    pp_sha256(PP_STR("engine = other\n"), m->guest.host_data);
    assert_refused(appraise(), PP_E_SNP_BINDING);
}

/* --- step 12: the ledger ---------------------------------------------------------------------- */

static void w20_t2_evidence_of_another_role_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);

    assert_refused(appraise_as(cbor, PP_RECORD_PREDICTOR), PP_E_LEDGER_NAMESPACE);
    assert_refused(appraise_as(cbor, PP_RECORD_GUARD), PP_E_LEDGER_NAMESPACE);
    assert_refused(appraise_as(cbor, PP_RECORD_GATEWAY), PP_E_LEDGER_NAMESPACE);
    assert_ok(appraise_as(cbor, PP_RECORD_ORCHESTRATOR));
}

static void name_the_guard(struct machine *x)
{
    memcpy(x->evidence.release_id, x->records[M_GUARD].id.bytes, sizeof x->evidence.release_id);
}

/* A genuine machine of another role that claims this release does not have its measurement. */
static void w20_t2_the_program_of_another_role_is_refused(void **state)
{
    (void)state;
    memcpy(m->guest.measurement, m->records[M_GUARD].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
    m->bend_evidence = name_the_guard;
    assert_refused(appraise(), PP_E_LEDGER_NAMESPACE);
    assert_ok(appraise_as(machine_attest(m), PP_RECORD_GUARD));
}

static void name_nobody(struct machine *x)
{
    x->evidence.release_id[0] ^= 1;
}

static void an_unpublished_release_or_measurement_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = name_nobody;
    assert_refused(appraise(), PP_E_LEDGER_UNLISTED);
    m->bend_evidence = NULL;
    m->guest.measurement[47] ^= 1;
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
    m->guest.measurement[47] ^= 1;
    m->records[M_ORCHESTRATOR].record.release.snp[0].family = PP_RECORD_TURIN;
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT); /* the digest of another product line */
    m->records[M_ORCHESTRATOR].record.release.snp_count = 0;
    assert_refused(appraise(), PP_E_LEDGER_MEASUREMENT);
}

static void any_row_of_the_release_will_do(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;

    rel->snp[1] = rel->snp[0];
    rel->snp[0].measurement[0] ^= 1;
    rel->snp_count = 2;
    assert_ok(appraise());
}

static void w21_t5_a_revoked_release_with_otherwise_perfect_evidence_is_refused(void **state)
{
    (void)state;
    struct pp_status *s = &m->ledger.status.record.status;

    s->revoked[0] = m->records[M_ORCHESTRATOR].id;
    s->revoked_count = 1;
    assert_refused(appraise(), PP_E_LEDGER_REVOKED);
    s->revoked_count = 0;
    m->marks.revoked[0] = m->records[M_ORCHESTRATOR].id;
    m->marks.revoked_count = 1; /* what the device saw once, it does not forget */
    assert_refused(appraise(), PP_E_LEDGER_REVOKED);
}

static void a_release_outside_its_window_or_before_any_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;

    rel->not_after = MACHINE_NOW;
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_LEDGER_WINDOW);
    rel->not_after = MACHINE_NOW + 1;
    assert_ok(appraise_as(cbor, PP_RECORD_ORCHESTRATOR));
    m->ledger.status.record.status.release_count = 0;
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_LEDGER_NOT_YET);
}

static void what_the_release_asks_of_the_guest_policy_is_asked(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;

    rel->snp_policy_mask = PP_SNP_POLICY_PAGE_SWAP_DISABLE;
    rel->snp_policy_value = PP_SNP_POLICY_PAGE_SWAP_DISABLE;
    assert_ok(appraise());
    rel->snp_policy_value = 0;
    assert_refused(appraise(), PP_E_SNP_POLICY);
    assert_string_equal(problem.field, "guest policy under the release's mask");
    rel->snp_policy_mask = 0;
    assert_ok(appraise());
}

static void what_the_release_asks_of_the_patch_level_is_asked(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;
    const struct pp_snp_tcb_parts have = sim_chip_params_default(PP_SNP_GENOA).tcb;
    struct pp_release_tcb exact = { .given = 1,
                                    .bootloader = have.boot_loader,
                                    .tee = have.tee,
                                    .snp = have.snp,
                                    .microcode = have.microcode };
    uint8_t *const parts[] = { &rel->snp_min_tcb[PP_RECORD_GENOA].bootloader,
                               &rel->snp_min_tcb[PP_RECORD_GENOA].tee,
                               &rel->snp_min_tcb[PP_RECORD_GENOA].snp,
                               &rel->snp_min_tcb[PP_RECORD_GENOA].microcode };

    rel->snp_min_tcb[PP_RECORD_GENOA] = exact;
    rel->snp_min_tcb[PP_RECORD_TURIN] = (struct pp_release_tcb){ 1, 255, 255, 255, 255, 255 };
    assert_ok(appraise()); /* another line's minimum does not matter */
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++) {
        rel->snp_min_tcb[PP_RECORD_GENOA] = exact;
        (*parts[i])++;
        assert_refused(appraise(), PP_E_SNP_TCB_MIN);
    }
}

/* --- hosts (W10) ------------------------------------------------------------------------------ */

static void name_the_set_before(struct machine *x)
{
    x->evidence.hosts[0].record_id[0] ^= 1;
}

static void name_both_sets(struct machine *x)
{
    x->evidence.hosts[1] = x->evidence.hosts[0];
    x->evidence.hosts[0].record_id[0] ^= 1; /* one that this device's status does not name */
    x->evidence.hosts[0].nodes[0][0] ^= 1;
    x->evidence.host_count = 2;
}

static void other_index(struct machine *x)
{
    x->evidence.hosts[0].index = (x->evidence.hosts[0].index + 1) % MACHINE_HOSTS;
}

static void other_node(struct machine *x)
{
    x->evidence.hosts[0].nodes[0][31] ^= 1;
}

static void other_size(struct machine *x)
{
    x->evidence.hosts[0].size++;
}

static void longer_path(struct machine *x)
{
    x->evidence.hosts[0].node_count++;
}

static void shorter_path(struct machine *x)
{
    x->evidence.hosts[0].node_count--;
}

static void a_path_that_does_not_lead_to_the_status_host_set_is_refused(void **state)
{
    (void)state;
    static void (*const bends[])(struct machine * x) = { name_the_set_before, other_index,
                                                         other_node,          other_size,
                                                         longer_path,         shorter_path };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bends); i++) {
        m->bend_evidence = bends[i];
        assert_refused(appraise(), PP_E_LEDGER_HOST);
    }
    m->bend_evidence = name_both_sets;
    assert_ok(appraise());
}

static void w10_t1_a_genuine_chip_that_nobody_registered_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor;
    struct pp_host_set *set = &m->records[M_HOSTS].record.host_set;

    cbor = machine_attest(m);
    for (size_t i = 0; i < MACHINE_HOSTS; i++) /* the same list without this chip */
        m->hosts[i].entry[1] ^= 0x80;
    assert_ok(pp_hosts_sort(m->hosts, MACHINE_HOSTS));
    assert_ok(pp_hosts_root(m->hosts, MACHINE_HOSTS, &set->root));
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_LEDGER_HOST);
}

/* Taken out of the registry: the machine can only show its path in the set before. */
static void w10_t2_a_chip_of_the_set_before_is_refused(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);

    m->records[M_HOSTS].id.bytes[5] ^= 1;
    assert_refused(appraise_as(cbor, PP_RECORD_ORCHESTRATOR), PP_E_LEDGER_HOST);
    assert_string_equal(problem.field, "host-set path");
}

static void zero_chip(struct machine *x, struct pp_snp_report *r)
{
    (void)x;
    memset(r->chip_id, 0, sizeof r->chip_id);
}

static void w10_t5_a_masked_chip_id_is_refused(void **state)
{
    (void)state;
    m->bend_report = zero_chip;
    assert_refused(appraise(), PP_E_SNP_HWID);
}

/* --- back-ends -------------------------------------------------------------------------------- */

static struct pp_backends backends;

static void add_backends(struct machine *x)
{
    x->evidence.backends = backends;
}

static void back_ends_are_those_that_the_status_allows(void **state)
{
    (void)state;
    m->bend_evidence = add_backends;
    backends = (struct pp_backends){
        .count = 2, .items = { { .role = PP_STR("guard") }, { .role = PP_STR("predictor") } }
    };
    memcpy(backends.items[0].release_id, m->records[M_GUARD].id.bytes, 32);
    memcpy(backends.items[1].release_id, m->records[M_PREDICTOR].id.bytes, 32);
    assert_ok(appraise());

    backends.items[1].release_id[3] ^= 1; /* unpublished */
    assert_refused(appraise(), PP_E_BACKEND);
    backends.items[1].release_id[3] ^= 1;
    m->marks.revoked[0] = m->records[M_PREDICTOR].id;
    m->marks.revoked_count = 1;
    assert_refused(appraise(), PP_E_BACKEND);
    m->marks.revoked_count = 0;
    m->records[M_PREDICTOR].record.release.not_after = MACHINE_NOW;
    assert_refused(appraise(), PP_E_BACKEND);
    m->records[M_PREDICTOR].record.release.not_after = MACHINE_NOW + 1;
    assert_ok(appraise());
    backends.items[1].role = PP_STR("tool");
    assert_refused(appraise(), PP_E_BACKEND);
}

static void w20_t2_a_guard_where_a_predictor_is_expected_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = add_backends;
    backends = (struct pp_backends){ .count = 1, .items = { { .role = PP_STR("predictor") } } };
    memcpy(backends.items[0].release_id, m->records[M_GUARD].id.bytes, 32);
    assert_refused(appraise(), PP_E_BACKEND);
}

/* --- a live session --------------------------------------------------------------------------- */

enum live { GENUINE, OF_ANOTHER_SESSION, WITH_OTHER_PADDING };

/* Both ends over memory, up to the client that holds the server's Evidence. */
static struct pp_ratls_client *live(struct pp_ratls_ctx *const ctx[2], enum live how)
{
    static uint8_t wire[1 << 17], body[PP_EVIDENCE_BODY_BYTES];
    struct pp_random random = pp_random_system();
    struct pp_ratls_client *client = NULL;
    struct pp_ratls_server *server = NULL;
    struct pp_wr wr = pp_wr_over(wire, sizeof wire), body_wr = pp_wr_over(body, sizeof body);

    assert_ok(pp_ratls_client_new(ctx[0], &client));
    assert_ok(pp_ratls_server_new(ctx[1], &random, &server));
    assert_ok(pp_ratls_client_take(client, &wr));
    assert_ok(pp_ratls_server_feed(server, pp_wr_done(&wr)));
    assert_ok(pp_ratls_server_session(server, &m->session));
    m->session.ekm[0] ^= how == OF_ANOTHER_SESSION;
    (void)machine_attest(m);
    assert_ok(pp_evidence_body_write(&body_wr, &m->evidence));
    body[sizeof body - 1] = how == WITH_OTHER_PADDING;
    assert_ok(pp_ratls_server_evidence(server, PP_BYTES(body)));
    wr = pp_wr_over(wire, sizeof wire);
    assert_ok(pp_ratls_server_take(server, &wr));
    assert_ok(pp_ratls_client_feed(client, pp_wr_done(&wr)));
    assert_ok(pp_ratls_client_flight_end(client));
    pp_ratls_server_free(server);
    return client;
}

static void only_a_live_session_that_was_attested_gives_the_right_to_send(void **state)
{
    (void)state;
    struct pp_verified verified;
    uint8_t untouched[sizeof verified];
    struct pp_ratls_ctx *ctx[2];

    memset(&verified, 0xEE, sizeof verified);
    memset(untouched, 0xEE, sizeof untouched);
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &ctx[0]));
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &ctx[1]));
    struct pp_ratls_client *client = live(ctx, OF_ANOTHER_SESSION);
    assert_code(pp_appraise(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, client, NULL,
                            &problem, &verified),
                PP_E_SNP_BINDING);
    assert_memory_equal(&verified, untouched, sizeof verified);
    assert_code(pp_ratls_client_send(client, &verified.permit, PP_STR("\2\0\0\0\0"), 1024),
                PP_E_UNVERIFIED);
    pp_ratls_client_free(client);

    client = live(ctx, WITH_OTHER_PADDING);
    assert_code(pp_appraise(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, client, NULL,
                            &problem, &verified),
                PP_E_EVIDENCE_FORMAT);
    assert_string_equal(problem.field, "Evidence body");
    assert_memory_equal(&verified, untouched, sizeof verified);
    pp_ratls_client_free(client);

    client = live(ctx, GENUINE);
    m->trust.platforms = 0;
    assert_code(pp_appraise(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, client, NULL,
                            &problem, &verified),
                PP_E_EVIDENCE_TEE_UNKNOWN);
    assert_memory_equal(&verified, untouched, sizeof verified);
    m->trust.platforms = 1U << PP_PLATFORM_SIM_SNP;
    assert_ok(pp_appraise(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, client, NULL,
                          &problem, &verified));
    assert_ptr_equal(verified.permit.of, client);
    assert_int_equal(verified.appraisal.simulated, 1);
    pp_ratls_client_kill(client, PP_E_TIMEOUT);
    assert_code(pp_appraise(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, client, NULL,
                            &problem, &verified),
                PP_E_TIMEOUT);
    pp_ratls_client_free(client);
    pp_ratls_ctx_free(ctx[0]);
    pp_ratls_ctx_free(ctx[1]);
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest TESTS[] = {
    FRESH(genuine_evidence_of_a_published_release_is_accepted),
    FRESH(the_rows_come_in_the_order_of_the_check_order),
    FRESH(nothing_under_a_root_of_ones_own_passes_for_hardware),
    FRESH(nobody_has_to_ask_for_rows_or_words),
    FRESH(every_byte_of_the_evidence_counts),
    FRESH(a_platform_that_the_anchors_do_not_name_is_refused),
    FRESH(gpu_evidence_of_a_release_without_gpus_is_refused),
    FRESH(w12_t1_a_classical_message_key_under_a_hybrid_policy_is_refused),
    FRESH(a_hybrid_message_key_under_a_classical_policy_is_refused),
    FRESH(w12_t1_a_message_key_of_another_kem_or_length_is_refused),
    FRESH(w12_t2_a_hybrid_message_key_that_is_not_reduced_is_refused),
    FRESH(evidence_without_the_chips_certificate_is_refused),
    FRESH(a_changed_report_is_refused),
    FRESH(the_simulators_evidence_leads_to_no_vendor_root),
    FRESH(what_the_hardware_profile_refuses_is_refused),
    FRESH(a_check_that_was_skipped_does_not_pass),
    FRESH(a_policy_without_a_firmware_minimum_accepts_nothing),
    FRESH(an_expired_chip_certificate_is_refused),
    FRESH(evidence_of_another_session_is_refused),
    FRESH(what_the_report_does_not_cover_is_refused),
    FRESH(one_report_may_cover_a_batch_of_sessions),
    FRESH(a_configuration_that_was_not_measured_is_refused),
    FRESH(w20_t2_evidence_of_another_role_is_refused),
    FRESH(w20_t2_the_program_of_another_role_is_refused),
    FRESH(an_unpublished_release_or_measurement_is_refused),
    FRESH(any_row_of_the_release_will_do),
    FRESH(w21_t5_a_revoked_release_with_otherwise_perfect_evidence_is_refused),
    FRESH(a_release_outside_its_window_or_before_any_is_refused),
    FRESH(what_the_release_asks_of_the_guest_policy_is_asked),
    FRESH(what_the_release_asks_of_the_patch_level_is_asked),
    FRESH(a_path_that_does_not_lead_to_the_status_host_set_is_refused),
    FRESH(w10_t1_a_genuine_chip_that_nobody_registered_is_refused),
    FRESH(w10_t2_a_chip_of_the_set_before_is_refused),
    FRESH(w10_t5_a_masked_chip_id_is_refused),
    FRESH(back_ends_are_those_that_the_status_allows),
    FRESH(w20_t2_a_guard_where_a_predictor_is_expected_is_refused),
    FRESH(only_a_live_session_that_was_attested_gives_the_right_to_send),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
