/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU beside the machine: W28 in the appraisal, who notices each fault and by
 * which code. */
#include "machine_gpu.h"
#include "machine_tdx.h"

static struct machine *m;
static struct machine_gpu *g;
static struct pp_checks checks;
static struct pp_problem problem;
static struct pp_appraisal appraisal;

static int make(void **state)
{
    (void)state;
    m = machine_new();
    g = machine_gpu_new(m);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    machine_gpu_free(g);
    machine_free(m);
    return 0;
}

static int fresh(void **state)
{
    (void)state;
    machine_gpu_default(g);
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
    return appraise_this(machine_attest(m));
}

/* Refused with this code, in words, and nothing was given back. */
static void assert_refused_(pp_res r, uint32_t code, const char *file, int line)
{
    const uint8_t *at = (const uint8_t *)&appraisal;

    if (r.code != code)
        print_error("%s: %s, %s, %s\n", pp_code_name(r.code), problem.field, problem.expected,
                    problem.got);
    assert_code_(r, code, file, line);
    _assert_true(problem.field[0] != '\0' && problem.party[0] != '\0', "words", file, line);
    for (size_t i = 0; i < sizeof appraisal; i++)
        _assert_int_equal(at[i], 0xEE, file, line);
}

#define assert_refused(r, code) assert_refused_((r), (uint32_t)(code), __FILE__, __LINE__)

static void the_releases_gpu_is_accepted_and_its_age_only_asserted(void **state)
{
    (void)state;
    size_t asserted = 0, gpu_rows = 0;

    pp_res r = appraise();
    if (!pp_is_ok(r))
        print_error("%s: %s, %s, %s\n", pp_code_name(r.code), problem.field, problem.expected,
                    problem.got);
    assert_ok(r);
    for (size_t i = 0; i < checks.count; i++) {
        const struct pp_check *c = &checks.rows[i];
        assert_true(i == 0 || c->step >= checks.rows[i - 1].step);
        gpu_rows += c->code >= PP_E_GPU_FORMAT && c->code <= PP_E_GPU_UNMEASURED;
        if (c->verdict != PP_VERDICT_ASSERTED)
            continue;
        asserted++;
        assert_int_equal(c->code, PP_E_GPU_NONCE);
        assert_int_equal(c->step, PP_STEP_PLATFORM);
    }
    assert_int_equal(asserted, 1);
    assert_int_equal(gpu_rows, PP_GPU_CHECKS + 1);
}

static void change_measurement(struct pp_gpu_report *r)
{
    r->measurements[9][0] ^= 1;
}

/* A component of either platform: the quote covers the GPU's evidence as the
 * report does. */
static void a_gpu_beside_a_tdx_platform_is_accepted(void **state)
{
    (void)state;
    struct machine_tdx *t = machine_tdx_new(m);

    machine_tdx_default(t);
    machine_gpu_join(g);
    assert_ok(appraise_this(machine_tdx_attest(t)));
    g->bend = change_measurement;
    assert_refused(appraise_this(machine_tdx_attest(t)), PP_E_GPU_MEASUREMENT);
    pp_tdx_anchors_done(&m->trust.tdx_anchors);
    machine_tdx_free(t);
}

static void w28_t1_no_gpu_evidence_for_a_release_with_gpus_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = NULL;
    assert_refused(appraise(), PP_E_GPU_FORMAT);
    assert_string_equal(problem.got, "none came");
}

static void a_gpu_that_the_release_does_not_name_is_refused(void **state)
{
    (void)state;
    m->records[M_ORCHESTRATOR].record.release.gpu_count = 0;
    assert_refused(appraise(), PP_E_GPU_RIM_SET);
}

/* A release may name several: the row of driver and firmware together has the files. */
static void any_row_of_the_release_will_do(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;

    rel->gpu[2] = rel->gpu[1] = rel->gpu[0];
    rel->gpu_count = 3;
    for (size_t i = 0; i < 2; i++)
        memset(rel->gpu[i].driver_rim, 0xDD, sizeof rel->gpu[i].driver_rim);
    rel->gpu[0].driver = PP_STR("590.13");
    rel->gpu[1].vbios = PP_STR("96.00.9F.00.02");
    assert_ok(appraise());
}

static void w28_t4_a_replayed_nonce_is_refused(void **state)
{
    (void)state;
    g->fresh[0] ^= 1; /* another question; the report answers the one before */
    assert_refused(appraise(), PP_E_GPU_NONCE);
}

/* The machine's report covers key 4 as a whole: another machine's GPU is in
 * another binding value. */
static void w28_t9_the_gpu_evidence_of_another_machine_is_refused(void **state)
{
    (void)state;
    static uint8_t theirs[20000];
    struct pp_span cbor = machine_attest(m);
    struct pp_wr wr = pp_wr_over(m->cbor, sizeof m->cbor);

    (void)cbor;
    memcpy(theirs, m->evidence.gpu_encoding.at, m->evidence.gpu_encoding.len);
    struct pp_span mine = m->evidence.gpu_encoding;
    memset(g->fresh, 0x11, sizeof g->fresh); /* genuine, fresh, and of somebody else */
    pp_gpu_nonce(g->fresh, 0, g->nonce);
    machine_gpu_add(m);
    assert_true(mine.len > 0 && memcmp(theirs, m->evidence.gpu_encoding.at, mine.len) != 0);
    assert_ok(pp_evidence_write(&wr, &m->evidence));
    assert_refused(appraise_this(pp_wr_done(&wr)), PP_E_SNP_BINDING);
}

static void w28_t5_a_mismatch_in_one_index_is_refused(void **state)
{
    (void)state;
    g->bend = change_measurement;
    assert_refused(appraise(), PP_E_GPU_MEASUREMENT);
    g->bend = NULL;
    g->vbios.wrong = UINT64_C(1) << 9;
    machine_gpu_publish(g);
    assert_refused(appraise(), PP_E_GPU_MEASUREMENT);
}

static void w28_t6_a_revoked_or_unanswered_certificate_is_refused(void **state)
{
    (void)state;
    g->status.status = PP_OCSP_REVOKED;
    assert_refused(appraise(), PP_E_GPU_OCSP);
    g->status.status = PP_OCSP_GOOD;
    g->answer_count--;
    assert_refused(appraise(), PP_E_GPU_OCSP);
    g->answer_count++;
    g->status.this_update = MACHINE_NOW - 2 * 86400; /* older than a day */
    assert_refused(appraise(), PP_E_GPU_OCSP);
}

static void w28_t7_a_driver_below_the_minimum_is_refused(void **state)
{
    (void)state;
    m->trust.hardware.gpu.driver_min = "590.13";
    assert_refused(appraise(), PP_E_GPU_DRIVER_VERSION);
    m->trust.hardware.gpu.driver_min = "590.12";
    assert_ok(appraise());
}

/* A shared GPU is refused by the mode, and the refusal says which attack stands
 * behind it. */
static void w28_t8_several_gpus_are_refused_by_the_name_of_the_advisory(void **state)
{
    (void)state;
    g->params.feature_flag = PP_GPU_MPT;
    assert_refused(appraise(), PP_E_GPU_MODE);
    assert_non_null(strstr(problem.expected, "advisory gpu-links"));
    m->trust.hardware.gpu.modes = UINT32_MAX;
    g->params.feature_flag = PP_GPU_PPCIE;
    pp_res r = appraise();
    assert_true(r.code == PP_E_GPU_MODE || r.code == PP_E_ADVISORY);
    assert_non_null(strstr(problem.expected, "advisory gpu-links"));
    g->params.feature_flag = -1; /* older drivers: the state alone tells */
    g->params.protected_pcie = PP_GPU_ENABLED;
    assert_refused(appraise(), PP_E_ADVISORY);
    assert_non_null(strstr(problem.expected, "advisory gpu-links"));
}

static void reference_files_are_those_that_the_release_names(void **state)
{
    (void)state;
    struct pp_release *rel = &m->records[M_ORCHESTRATOR].record.release;

    m->ledger.bundle.blob_count = 1; /* one of the two did not come */
    assert_refused(appraise(), PP_E_GPU_UNMEASURED);
    machine_gpu_publish(g);
    rel->gpu[0].driver_rim[0] ^= 1; /* genuine, and not the one that was reviewed */
    assert_refused(appraise(), PP_E_GPU_UNMEASURED);
    machine_gpu_publish(g);
    rel->gpu[0].driver = PP_STR("590.48");
    assert_refused(appraise(), PP_E_GPU_UNMEASURED);
    machine_gpu_publish(g);
    rel->gpu[1] = rel->gpu[0]; /* any row will do */
    rel->gpu[0].driver = PP_STR("590.48");
    rel->gpu_count = 2;
    assert_ok(appraise());
}

static void the_simulators_gpu_leads_to_no_vendor_root(void **state)
{
    (void)state;
    struct pp_gpu_anchors own = m->trust.gpu_anchors;

    m->trust.gpu_anchors = (struct pp_gpu_anchors){ 0 };
    assert_ok(pp_gpu_anchors_add_nvidia(&m->trust.gpu_anchors));
    pp_res r = appraise();
    pp_gpu_anchors_done(&m->trust.gpu_anchors);
    m->trust.gpu_anchors = own;
    assert_refused(r, PP_E_GPU_CHAIN);
}

static void a_check_that_was_skipped_does_not_pass(void **state)
{
    (void)state;
    struct pp_span cbor = machine_attest(m);

    for (unsigned n = 1; n <= PP_GPU_CHECKS; n++) {
        if ((PP_GPU_SKIPPABLE & PP_ATTEST_BIT(n)) == 0)
            continue;
        m->trust.hardware.gpu.skip = PP_ATTEST_BIT(n);
        assert_false(pp_is_ok(appraise_this(cbor)));
    }
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

static const struct CMUnitTest TESTS[] = {
    FRESH(the_releases_gpu_is_accepted_and_its_age_only_asserted),
    FRESH(a_gpu_beside_a_tdx_platform_is_accepted),
    FRESH(w28_t1_no_gpu_evidence_for_a_release_with_gpus_is_refused),
    FRESH(a_gpu_that_the_release_does_not_name_is_refused),
    FRESH(any_row_of_the_release_will_do),
    FRESH(w28_t4_a_replayed_nonce_is_refused),
    FRESH(w28_t9_the_gpu_evidence_of_another_machine_is_refused),
    FRESH(w28_t5_a_mismatch_in_one_index_is_refused),
    FRESH(w28_t6_a_revoked_or_unanswered_certificate_is_refused),
    FRESH(w28_t7_a_driver_below_the_minimum_is_refused),
    FRESH(w28_t8_several_gpus_are_refused_by_the_name_of_the_advisory),
    FRESH(reference_files_are_those_that_the_release_names),
    FRESH(the_simulators_gpu_leads_to_no_vendor_root),
    FRESH(a_check_that_was_skipped_does_not_pass),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
