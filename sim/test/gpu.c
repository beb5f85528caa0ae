/* SPDX-License-Identifier: Apache-2.0 */
/* The 19 checks of GPU evidence: one golden set, and each single fault (docs/protocol/gpu.md). */
#include "harness.h"

#include "crypto.h"
#include "sim_gpu.h"

enum { NOW = 1780272000, DAY_S = 86400, BYTES_MAX = 65536 };

static struct sim_gpu *gpu, *other;
static struct pp_gpu_anchors anchors;
static const uint8_t FRESH[PP_GPU_NONCE_BYTES] = { 7, 7, 7 };

/* Evidence that is fine; tests change a part and appraise. */
struct set {
    struct sim_gpu_params params;
    struct pp_gpu_report report;
    struct sim_rim driver, vbios;
    struct pp_gpu_reference reference;
    struct pp_gpu_policy policy;
    struct pp_gpu_evidence evidence;
    uint64_t at;
    uint8_t nonce[PP_GPU_NONCE_BYTES];
    uint8_t bytes[4 * BYTES_MAX];
    struct pp_wr wr;
    struct pp_rim rims[2];
    struct pp_gpu_checks checks;
    struct pp_gpu_result result;
};

static void add_ocsp(struct set *s, struct pp_span answer)
{
    s->evidence.ocsp[s->evidence.ocsp_count++] = answer;
}

static struct pp_issue_ocsp good_answer(void)
{
    return (struct pp_issue_ocsp){ .hash = PP_SHA384,
                                   .status = PP_OCSP_GOOD,
                                   .this_update = NOW - 3600,
                                   .next_update = NOW + DAY_S };
}

static void answer(struct set *s, size_t i, struct pp_issue_ocsp a)
{
    size_t from = s->wr.len;

    assert_ok(sim_gpu_ocsp(gpu, i, a, &s->wr));
    add_ocsp(s, pp_span(s->bytes + from, s->wr.len - from));
}

static void rim_answer(struct set *s, size_t i, struct pp_issue_ocsp a)
{
    size_t from = s->wr.len;

    assert_ok(sim_gpu_rim_ocsp(gpu, i, a, &s->wr));
    add_ocsp(s, pp_span(s->bytes + from, s->wr.len - from));
}

static struct set *golden(void)
{
    struct set *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->at = NOW;
    s->params = sim_gpu_params_default();
    pp_gpu_nonce(FRESH, 0, s->nonce);
    sim_gpu_fill(gpu, &s->params, s->nonce, &s->report);
    s->driver = (struct sim_rim){ .chip = "GH100", .version = "590.12", .active = SIM_RIM_DRIVER };
    s->vbios =
        (struct sim_rim){ .chip = "GH100", .version = "96.00.9f.00.01", .active = SIM_RIM_VBIOS };
    s->policy = PP_GPU_POLICY_STRICT;
    s->policy.nonce = s->nonce;
    s->wr = pp_wr_over(s->bytes, sizeof s->bytes);
    s->evidence.root_left_out = 1;
    s->evidence.cert_count = SIM_GPU_CERTS - 1;
    for (size_t i = 0; i < SIM_GPU_CERTS; i++)
        s->evidence.certs[i] = sim_gpu_cert(gpu, i);
    for (size_t i = 1; i < SIM_GPU_CERTS - 1; i++)
        answer(s, i, good_answer());
    return s;
}

static struct pp_span open_rim(struct set *s, const struct sim_rim *from, struct pp_rim *rim)
{
    size_t at = s->wr.len;

    assert_ok(sim_gpu_rim(gpu, from, &s->wr));
    struct pp_span xml = pp_span(s->bytes + at, s->wr.len - at);
    pp_ignore(pp_rim_open(&anchors.rims, xml, rim), "the appraisal says it");
    return xml;
}

/* Signs and opens what the test left to us, and runs the checks. */
static pp_res appraise(struct set *s)
{
    if (s->evidence.report.at == NULL) {
        size_t from = s->wr.len;
        assert_ok(sim_gpu_sign(gpu, &s->report, &s->wr));
        s->evidence.report = pp_span(s->bytes + from, s->wr.len - from);
    }
    if (s->evidence.driver_rim == NULL && s->driver.version != NULL) {
        (void)open_rim(s, &s->driver, &s->rims[0]);
        s->evidence.driver_rim = &s->rims[0];
    }
    if (s->evidence.vbios_rim == NULL && s->vbios.version != NULL) {
        (void)open_rim(s, &s->vbios, &s->rims[1]);
        s->evidence.vbios_rim = &s->rims[1];
    }
    if (s->policy.references == NULL) {
        memcpy(s->reference.driver_rim, s->rims[0].sha256, PP_SHA256_BYTES);
        memcpy(s->reference.vbios_rim, s->rims[1].sha256, PP_SHA256_BYTES);
        s->policy.references = &s->reference;
        s->policy.reference_count = 1;
    }
    s->result.skipped = 0x5A5A5A5A;
    pp_res r = pp_gpu_verify(&anchors, &s->policy, &s->evidence, s->at, &s->checks, &s->result);
    if (!pp_is_ok(r))
        assert_int_equal(s->result.skipped, 0x5A5A5A5A); /* written only on success */
    return r;
}

static void done(struct set *s)
{
    pp_rim_done(&s->rims[0]);
    pp_rim_done(&s->rims[1]);
    free(s);
}

static void assert_refused_(struct set *s, int check, uint32_t code, const char *file, int line)
{
    pp_res r = appraise(s);

    assert_code_(r, code, file, line);
    _assert_int_equal(r.detail, (unsigned long)check, file, line);
    _assert_int_equal(s->checks.rows[check - 1].verdict, PP_ATTEST_FAILED, file, line);
    _assert_int_equal(s->checks.rows[check - 1].code, code, file, line);
    done(s);
}

#define assert_refused(s, NAME)                                                                    \
    assert_refused_((s), PP_GPU_CHECK_##NAME, PP_E_GPU_##NAME, __FILE__, __LINE__)

static void assert_accepted(struct set *s)
{
    assert_ok(appraise(s));
    done(s);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void the_golden_set_passes_all_nineteen_checks(void **state)
{
    (void)state;
    struct set *s = golden();

    assert_ok(appraise(s));
    for (int n = 1; n <= PP_GPU_CHECKS; n++) {
        const struct pp_attest_check *row = &s->checks.rows[n - 1];
        assert_int_equal(row->number, n);
        assert_int_equal(row->verdict, PP_ATTEST_PASSED);
        assert_true(row->anchor[0] != '\0');
        assert_true(row->problem.got[0] != '\0');
        assert_true(pp_gpu_check_name((enum pp_gpu_check_number)n)[0] != '\0');
    }
    assert_int_equal(s->result.skipped, 0);
    assert_int_equal(s->result.arch, PP_GPU_HOPPER);
    assert_int_equal(s->result.mode, PP_GPU_SPT);
    assert_string_equal(s->result.driver, "590.12");
    assert_string_equal(s->result.vbios, "96.00.9F.00.01");
    assert_memory_equal(s->result.nonce, s->nonce, sizeof s->nonce);
    uint8_t id[PP_SHA256_BYTES];
    pp_sha256(sim_gpu_cert(gpu, 1), id);
    assert_memory_equal(s->result.device_id, id, sizeof id);
    done(s);
}

static void a_chain_as_drivers_hand_it_out_has_its_root(void **state)
{
    (void)state;
    struct set *s = golden();

    s->evidence.root_left_out = 0;
    s->evidence.cert_count = SIM_GPU_CERTS;
    assert_accepted(s);
}

static void a_policy_in_the_zero_state_asks_for_all_and_accepts_nothing(void **state)
{
    (void)state;
    struct set *s = golden();
    static const int failing[] = { PP_GPU_CHECK_NONCE, PP_GPU_CHECK_ARCH, PP_GPU_CHECK_MODE,
                                   PP_GPU_CHECK_RIM_SET, PP_GPU_CHECK_OCSP };

    s->policy = (struct pp_gpu_policy){ .references = &s->reference };
    assert_code(appraise(s), PP_E_GPU_NONCE);
    for (size_t i = 0; i < PP_ARRAY_COUNT(failing); i++)
        assert_int_equal(s->checks.rows[failing[i] - 1].verdict, PP_ATTEST_FAILED);
    done(s);
}

static void checks_that_prove_the_evidence_cannot_be_skipped(void **state)
{
    (void)state;
    for (int n = 0; n < 32; n++) {
        struct set *s = golden();
        int may = n == PP_GPU_CHECK_NONCE || n == PP_GPU_CHECK_RIM_SET || n == PP_GPU_CHECK_OCSP;
        s->policy.skip = PP_ATTEST_BIT(n);
        assert_code(appraise(s), may ? PP_E_OK : PP_E_STATE);
        if (may)
            assert_int_equal(s->result.skipped, PP_ATTEST_BIT(n));
        done(s);
    }
}

static void behind_unsound_evidence_nothing_is_reached(void **state)
{
    (void)state;
    struct set *s = golden();

    s->evidence.cert_count = 3;
    assert_code(appraise(s), PP_E_GPU_CHAIN);
    for (int n = PP_GPU_CHECK_ROOT; n <= PP_GPU_CHECKS; n++)
        assert_int_equal(s->checks.rows[n - 1].verdict, PP_ATTEST_SKIPPED);
    done(s);
}

static void the_lowest_failing_check_is_reported_and_the_others_are_shown(void **state)
{
    (void)state;
    struct set *s = golden();

    s->params.feature_flag = PP_GPU_MPT;
    sim_gpu_fill(gpu, &s->params, s->nonce, &s->report);
    s->report.measurements[30][5] ^= 1;
    assert_code(appraise(s), PP_E_GPU_MODE);
    assert_int_equal(s->checks.rows[PP_GPU_CHECK_MEASUREMENT - 1].verdict, PP_ATTEST_FAILED);
    assert_int_equal(s->checks.rows[PP_GPU_CHECK_OCSP - 1].verdict, PP_ATTEST_PASSED);
    done(s);
}

/* --- 1 to 6: genuine -------------------------------------------------------------------------- */

static void w28_t1_t2_without_a_report_there_is_no_gpu(void **state)
{
    (void)state;
    struct set *s = golden();

    s->evidence.report = PP_STR(""); /* what a GPU outside its confidential mode answers */
    assert_refused(s, FORMAT);
}

static void w28_t4_a_report_with_another_nonce_is_a_replay(void **state)
{
    (void)state;
    struct set *s = golden();

    s->report.nonce[31] ^= 1;
    assert_refused(s, NONCE);
    s = golden();
    s->policy.nonce = NULL;
    assert_refused(s, NONCE);
}

/* pp-wire 7: the nonce covers what this guest drew, and the number of its GPU. */
static void w28_t9_a_report_made_for_another_guest_or_gpu_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();
    uint8_t fresh[PP_GPU_NONCE_BYTES] = { 8 };

    pp_gpu_nonce(fresh, 0, s->report.nonce);
    assert_refused(s, NONCE);
    s = golden();
    pp_gpu_nonce(FRESH, 1, s->report.nonce);
    assert_refused(s, NONCE);
}

static void a_chain_is_complete_in_order_and_well_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIM_GPU_CERTS; i++) { /* one missing */
        struct set *s = golden();
        s->evidence.root_left_out = 0;
        for (size_t k = i; k + 1 < SIM_GPU_CERTS; k++)
            s->evidence.certs[k] = s->evidence.certs[k + 1];
        s->evidence.cert_count = SIM_GPU_CERTS - 1;
        assert_refused(s, CHAIN);
    }
    for (size_t i = 0; i + 1 < SIM_GPU_CERTS; i++) { /* two in the other order */
        struct set *s = golden();
        struct pp_span first = s->evidence.certs[i];
        s->evidence.root_left_out = 0;
        s->evidence.cert_count = SIM_GPU_CERTS;
        s->evidence.certs[i] = s->evidence.certs[i + 1];
        s->evidence.certs[i + 1] = first;
        assert_refused(s, CHAIN);
    }
    for (size_t i = 0; i < SIM_GPU_CERTS; i++) { /* one of another device, and one that is cut */
        struct set *s = golden();
        s->evidence.root_left_out = 0;
        s->evidence.cert_count = SIM_GPU_CERTS;
        s->evidence.certs[i] = sim_gpu_cert(other, i);
        assert_refused(s, CHAIN);
        s = golden();
        s->evidence.root_left_out = 0;
        s->evidence.cert_count = SIM_GPU_CERTS;
        s->evidence.certs[i].len--;
        assert_refused(s, CHAIN);
    }
}

static void a_bit_of_any_certificate_breaks_the_chain(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < SIM_GPU_CERTS; i++)
        for (size_t at = 0; at < sim_gpu_cert(gpu, i).len; at += 97) {
            struct set *s = golden();
            uint8_t der[SIM_GPU_CERT_BYTES_MAX];
            struct pp_span c = s->evidence.certs[i];
            memcpy(der, c.at, c.len);
            der[at] ^= 0x10;
            s->evidence.certs[i] = pp_span(der, c.len);
            assert_refused(s, CHAIN);
        }
}

/* A chain that verifies, and whose form no GPU has; of the right form, its report is another's. */
static void a_certificate_that_is_signed_in_another_way_is_refused(void **state)
{
    (void)state;
    for (int odd = 0; odd < 2; odd++) {
        struct set *s = golden();
        struct sim_gpu *its = NULL;
        struct pp_gpu_anchors own = { 0 };
        assert_ok(appraise(s));
        assert_ok(sim_gpu_create(
            &(struct sim_gpu_making){ .now_s = NOW - 86400, .leaf_sha256 = odd }, &its));
        assert_ok(pp_gpu_anchors_add_device(&own, sim_gpu_cert(its, SIM_GPU_CERTS - 1)));
        for (size_t i = 0; i < SIM_GPU_CERTS; i++)
            s->evidence.certs[i] = sim_gpu_cert(its, i);
        pp_res r = pp_gpu_verify(&own, &s->policy, &s->evidence, s->at, &s->checks, &s->result);
        assert_code(r, odd ? PP_E_GPU_CHAIN : PP_E_GPU_SIGNATURE);
        pp_gpu_anchors_done(&own);
        sim_gpu_free(its);
        done(s);
    }
}

static void a_chain_outside_its_validity_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();

    s->at = NOW - 1;
    assert_refused(s, CHAIN);
    s = golden();
    s->at = NOW + UINT64_C(2) * 365 * DAY_S + 1;
    assert_refused(s, CHAIN);
}

static void a_root_that_is_not_pinned_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();

    s->evidence.root_left_out = 0;
    s->evidence.cert_count = SIM_GPU_CERTS;
    for (size_t i = 0; i < SIM_GPU_CERTS; i++)
        s->evidence.certs[i] = sim_gpu_cert(other, i);
    assert_refused(s, ROOT);
    s = golden(); /* and cannot be left out either */
    for (size_t i = 0; i < SIM_GPU_CERTS; i++)
        s->evidence.certs[i] = sim_gpu_cert(other, i);
    assert_refused(s, CHAIN);
}

static void without_anchors_every_root_is_refused(void **state)
{
    (void)state;
    for (int left_out = 0; left_out < 2; left_out++) {
        struct set *s = golden();
        struct pp_gpu_anchors none = { 0 };
        s->evidence.root_left_out = left_out;
        s->evidence.cert_count = left_out ? SIM_GPU_CERTS - 1 : SIM_GPU_CERTS;
        (void)appraise(s);
        pp_res r = pp_gpu_verify(&none, &s->policy, &s->evidence, s->at, &s->checks, &s->result);
        assert_code(r, PP_E_GPU_ROOT);
        done(s);
    }
}

/* An own pair of device and anchors, for devices that differ when they are made. */
static pp_res appraise_made(const struct sim_gpu_making *making, struct set *s)
{
    struct sim_gpu *was = gpu;
    struct pp_gpu_anchors were = anchors;

    gpu = NULL;
    anchors = (struct pp_gpu_anchors){ 0 };
    assert_ok(sim_gpu_create(making, &gpu));
    assert_ok(pp_gpu_anchors_add_device(&anchors, sim_gpu_cert(gpu, 4)));
    assert_ok(pp_gpu_anchors_add_rim(&anchors, sim_gpu_rim_cert(gpu, 3)));
    sim_gpu_fill(gpu, &s->params, s->nonce, &s->report);
    s->policy.skip = PP_ATTEST_BIT(PP_GPU_CHECK_OCSP);
    for (size_t i = 0; i < SIM_GPU_CERTS; i++)
        s->evidence.certs[i] = sim_gpu_cert(gpu, i);
    pp_res r = appraise(s);
    pp_rim_done(&s->rims[0]);
    pp_rim_done(&s->rims[1]);
    pp_gpu_anchors_done(&anchors);
    sim_gpu_free(gpu);
    gpu = was;
    anchors = were;
    return r;
}

static void the_certificates_firmware_is_the_reports(void **state)
{
    (void)state;
    for (int dice = 0; dice < 2; dice++) {
        struct set *s = golden();
        assert_ok(
            appraise_made(&(struct sim_gpu_making){ .now_s = NOW, .dice_tcb_info = dice }, s));
        free(s);
        s = golden();
        assert_code(
            appraise_made(
                &(struct sim_gpu_making){ .now_s = NOW, .dice_tcb_info = dice, .wrong_fwid = 1 },
                s),
            PP_E_GPU_FWID);
        free(s);
    }
    struct set *s = golden();
    s->report.fields[PP_GPU_FIELD_FWID] = (struct pp_span){ 0 };
    assert_ok(appraise(s)); /* the leaf's key signs for its firmware in any case */
    assert_int_equal(s->result.skipped, PP_ATTEST_BIT(PP_GPU_CHECK_FWID));
    done(s);
}

static void every_signed_bit_of_a_report_counts(void **state)
{
    (void)state;
    uint8_t report[PP_GPU_REPORT_BYTES_MAX];
    struct set *s = golden();

    assert_ok(appraise(s));
    size_t len = s->evidence.report.len;
    memcpy(report, s->evidence.report.at, len);
    s->evidence.report = pp_span(report, len);
    for (size_t at = 0; at < len; at += 53) {
        report[at] ^= 1;
        pp_res r = pp_gpu_verify(&anchors, &s->policy, &s->evidence, s->at, &s->checks, &s->result);
        assert_false(pp_is_ok(r));
        assert_true(r.code == PP_E_GPU_FORMAT || r.code == PP_E_GPU_NONCE ||
                    r.code == PP_E_GPU_FWID || r.code == PP_E_GPU_SIGNATURE);
        report[at] ^= 1;
    }
    report[len - 1] ^= 1;
    assert_code(pp_gpu_verify(&anchors, &s->policy, &s->evidence, s->at, &s->checks, &s->result),
                PP_E_GPU_SIGNATURE);
    done(s);
}

/* --- 7 to 10: wanted -------------------------------------------------------------------------- */

static void a_chip_that_is_not_accepted_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();

    s->policy.archs = PP_ATTEST_BIT(PP_GPU_BLACKWELL);
    assert_refused(s, ARCH);
    s = golden();
    s->driver.chip = "GB100"; /* reference values of another chip */
    assert_refused(s, ARCH);
    s = golden();
    s->vbios.chip = "GH10";
    assert_refused(s, ARCH);
}

static void a_chip_that_is_not_known_is_refused_whatever_the_policy(void **state)
{
    (void)state;
    static const struct {
        const char *chip;
        uint32_t code;
    } rows[] = { { "GB100", PP_E_OK },
                 { "GH10", PP_E_GPU_ARCH },
                 { "GH1000", PP_E_GPU_ARCH },
                 { "gh100", PP_E_GPU_ARCH },
                 { "TU102", PP_E_GPU_ARCH } };

    for (size_t i = 0; i < 2 * PP_ARRAY_COUNT(rows); i++) {
        const char *chip = rows[i / 2].chip;
        uint32_t code = rows[i / 2].code;
        struct set *s = golden();
        s->policy.archs = UINT32_MAX;
        s->driver.chip = s->vbios.chip = chip;
        if (i % 2 == 1) { /* without reference values of such a chip nothing else would notice */
            s->driver.version = s->vbios.version = NULL;
            code = code == PP_E_OK ? PP_E_GPU_UNMEASURED : code;
        }
        assert_code(appraise_made(&(struct sim_gpu_making){ .now_s = NOW, .chip = chip }, s), code);
        free(s);
    }
}

static struct set *with_mode(int flag, uint8_t pcie)
{
    struct set *s = golden();

    s->params.feature_flag = flag;
    s->params.protected_pcie = pcie;
    sim_gpu_fill(gpu, &s->params, s->nonce, &s->report);
    return s;
}

static void w28_t8_several_gpus_are_refused_unless_a_policy_names_the_protected_mode(void **state)
{
    (void)state;
    struct set *s = with_mode(PP_GPU_MPT, PP_GPU_DISABLED);

    assert_refused(s, MODE);
    s = with_mode(PP_GPU_MPT, PP_GPU_DISABLED);
    s->policy.modes = UINT32_MAX; /* links in clear: no policy takes that on Hopper */
    assert_refused(s, MODE);
    s = with_mode(PP_GPU_PPCIE, PP_GPU_ENABLED);
    assert_refused(s, MODE);
    s = with_mode(PP_GPU_PPCIE, PP_GPU_ENABLED);
    s->policy.modes = PP_ATTEST_BIT(PP_GPU_PPCIE);
    assert_accepted(s);
    s = golden();
    s->policy.modes = PP_ATTEST_BIT(PP_GPU_PPCIE);
    assert_refused(s, MODE);
}

static void flag_and_state_of_the_mode_agree(void **state)
{
    (void)state;
    static const struct {
        int flag;
        uint8_t pcie;
        uint32_t code;
    } rows[] = {
        { 0, PP_GPU_DISABLED, PP_E_OK },           { 0, 0, PP_E_OK },
        { -1, PP_GPU_DISABLED, PP_E_OK }, /* drivers before the flag */
        { -1, PP_GPU_ENABLED, PP_E_OK },           { -1, 0, PP_E_GPU_MODE }, /* nothing says it */
        { 0, PP_GPU_ENABLED, PP_E_GPU_MODE },      { 2, PP_GPU_ENABLED, PP_E_OK },
        { 2, PP_GPU_DISABLED, PP_E_GPU_MODE },     { 3, PP_GPU_DISABLED, PP_E_GPU_MODE },
        { 0x100, PP_GPU_DISABLED, PP_E_GPU_MODE },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct set *s = with_mode(rows[i].flag, rows[i].pcie);
        s->policy.modes = UINT32_MAX;
        assert_code(appraise(s), rows[i].code);
        done(s);
    }
}

static void w28_t7_a_driver_below_the_minimum_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *min;
        uint32_t code;
    } rows[] = {
        { "590.12", PP_E_OK },
        { "590.12.0", PP_E_OK },
        { "590.13", PP_E_GPU_DRIVER_VERSION },
        { "590.12.1", PP_E_GPU_DRIVER_VERSION },
        { "1000.1", PP_E_GPU_DRIVER_VERSION },
        { "99.99", PP_E_OK },
        { "590.x", PP_E_GPU_DRIVER_VERSION }, /* no minimum that can be compared with */
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct set *s = golden();
        s->policy.driver_min = rows[i].min;
        assert_code(appraise(s), rows[i].code);
        done(s);
    }
}

static void w28_t7_a_vbios_below_the_minimum_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();

    s->policy.vbios_min = "96.00.9F.00.01";
    assert_accepted(s);
    s = golden();
    s->policy.vbios_min = "96.00.9F.00.02";
    assert_refused(s, VBIOS_VERSION);
    s = golden();
    s->policy.vbios_min = "96.00.A0";
    assert_refused(s, VBIOS_VERSION);
}

static void a_version_is_the_one_of_its_reference_values(void **state)
{
    (void)state;
    struct set *s = golden();

    s->driver.version = "590.13";
    assert_refused(s, DRIVER_VERSION);
    s = golden();
    s->vbios.version = "96.00.9F.00.02";
    assert_refused(s, VBIOS_VERSION);
    s = golden();
    s->report.fields[PP_GPU_FIELD_DRIVER_VERSION] = (struct pp_span){ 0 };
    assert_refused(s, DRIVER_VERSION);
    s = golden();
    s->report.fields[PP_GPU_FIELD_VBIOS_VERSION] = (struct pp_span){ 0 };
    assert_refused(s, VBIOS_VERSION);
    s = golden(); /* nor without files to compare with */
    s->vbios.version = NULL;
    s->report.fields[PP_GPU_FIELD_VBIOS_VERSION] = (struct pp_span){ 0 };
    assert_refused(s, VBIOS_VERSION);
    s = golden(); /* the two files in each other's place */
    struct sim_rim driver = s->driver;
    s->driver = s->vbios;
    s->vbios = driver;
    assert_refused(s, DRIVER_VERSION);
}

/* --- 11 to 18: reference values --------------------------------------------------------------- */

static void files_that_the_release_does_not_name_are_refused(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        struct set *s = golden();
        (void)open_rim(s, &s->driver, &s->rims[0]);
        (void)open_rim(s, &s->vbios, &s->rims[1]);
        s->evidence.driver_rim = &s->rims[0];
        s->evidence.vbios_rim = &s->rims[1];
        memcpy(s->reference.driver_rim, s->rims[0].sha256, PP_SHA256_BYTES);
        memcpy(s->reference.vbios_rim, s->rims[1].sha256, PP_SHA256_BYTES);
        s->policy.references = &s->reference;
        s->policy.reference_count = 1;
        if (which == 0)
            s->reference.driver_rim[31] ^= 1;
        if (which == 1)
            s->reference.vbios_rim[0] ^= 1;
        if (which == 2)
            s->reference.driver = PP_STR("590.1");
        if (which == 3)
            s->reference.vbios = PP_STR("96.00.9F.00.0A");
        assert_refused(s, RIM_SET);
    }
}

static void driver_and_vbios_files_of_two_rows_are_no_pair(void **state)
{
    (void)state;
    struct set *s = golden();
    struct pp_gpu_reference rows[2] = { { .driver_rim = { 1 } }, { .vbios_rim = { 1 } } };

    (void)open_rim(s, &s->driver, &s->rims[0]);
    (void)open_rim(s, &s->vbios, &s->rims[1]);
    s->evidence.driver_rim = &s->rims[0];
    s->evidence.vbios_rim = &s->rims[1];
    memcpy(rows[1].driver_rim, s->rims[0].sha256, PP_SHA256_BYTES);
    memcpy(rows[0].vbios_rim, s->rims[1].sha256, PP_SHA256_BYTES);
    s->policy.references = rows;
    s->policy.reference_count = 2;
    assert_code(appraise(s), PP_E_GPU_RIM_SET);
    memcpy(rows[1].vbios_rim, s->rims[1].sha256, PP_SHA256_BYTES);
    rows[1].driver = PP_STR("590.12");
    rows[1].vbios = PP_STR("96.00.9f.00.01");
    assert_ok(appraise(s));
    done(s);
}

static void without_both_files_nothing_is_measured_and_that_is_no_pass(void **state)
{
    (void)state;
    for (int have = 0; have < 3; have++) {
        struct set *s = golden();
        if (have != 1)
            s->driver.version = NULL;
        if (have != 2)
            s->vbios.version = NULL;
        pp_res r = appraise(s);
        assert_code(r, PP_E_GPU_UNMEASURED);
        assert_int_equal(r.detail, PP_GPU_CHECK_MEASUREMENT);
        assert_int_equal(s->checks.rows[PP_GPU_CHECK_MEASUREMENT - 1].verdict, PP_ATTEST_SKIPPED);
        assert_int_equal(s->checks.rows[PP_GPU_CHECK_RIM_SET - 1].verdict, PP_ATTEST_SKIPPED);
        assert_int_equal(s->checks.rows[PP_GPU_CHECK_RIM_FORMAT - 1].verdict,
                         have == 0 ? PP_ATTEST_SKIPPED : PP_ATTEST_PASSED);
        done(s);
    }
}

static void one_file_alone_can_refuse(void **state)
{
    (void)state;
    struct set *s = golden();

    s->driver.version = NULL;
    s->report.measurements[9][0] ^= 1;
    assert_refused(s, MEASUREMENT);
}

static void a_file_that_was_never_opened_proves_nothing(void **state)
{
    (void)state;
    static const uint32_t codes[] = { PP_E_OK, PP_E_NO_MEMORY, PP_E_CRYPTO, PP_E_GPU_MEASUREMENT };
    static const struct pp_rim closed;

    for (size_t i = 0; i < PP_ARRAY_COUNT(codes); i++) {
        struct set *s = golden();
        struct pp_rim rim = closed;
        rim.code = codes[i];
        s->policy.skip = PP_ATTEST_BIT(PP_GPU_CHECK_RIM_SET);
        s->evidence.driver_rim = &rim;
        assert_code(appraise(s), i == 0 ? PP_E_GPU_ARCH : PP_E_GPU_RIM_FORMAT);
        assert_int_equal(s->checks.rows[PP_GPU_CHECK_RIM_FORMAT - 1].verdict, PP_ATTEST_FAILED);
        done(s);
    }
}

static void two_values_for_one_measurement_are_a_conflict(void **state)
{
    (void)state;
    struct set *s = golden();

    s->driver.active |= SIM_RIM_VBIOS & 8;
    assert_refused(s, RIM_CONFLICT);
}

static void signers_of_reference_values_expire(void **state)
{
    (void)state;
    static const uint64_t life_s = UINT64_C(2) * 365 * DAY_S;
    struct set *s = golden();
    struct sim_gpu *old = NULL;

    /* Reference values of one maker whose certificates ended, a device of another that lives on. */
    assert_ok(sim_gpu_create(
        &(struct sim_gpu_making){ .now_s = NOW - life_s, .life_s = life_s - 1 }, &old));
    struct pp_gpu_anchors both = { 0 };
    assert_ok(pp_gpu_anchors_add_device(&both, sim_gpu_cert(gpu, 4)));
    assert_ok(pp_gpu_anchors_add_rim(&both, sim_gpu_rim_cert(old, 3)));
    size_t from = s->wr.len;
    assert_ok(sim_gpu_rim(old, &s->driver, &s->wr));
    assert_ok(pp_rim_open(&both.rims, pp_span(s->bytes + from, s->wr.len - from), &s->rims[0]));
    s->evidence.driver_rim = &s->rims[0];
    from = s->wr.len;
    assert_ok(sim_gpu_rim(old, &s->vbios, &s->wr));
    assert_ok(pp_rim_open(&both.rims, pp_span(s->bytes + from, s->wr.len - from), &s->rims[1]));
    s->evidence.vbios_rim = &s->rims[1];
    assert_refused(s, RIM_EXPIRED);
    pp_gpu_anchors_done(&both);
    sim_gpu_free(old);
}

static void w28_t5_one_measurement_of_another_value_is_refused(void **state)
{
    (void)state;
    uint64_t active = SIM_RIM_DRIVER | SIM_RIM_VBIOS;

    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        struct set *s = golden();
        s->report.measurements[i][47] ^= 0x80;
        if ((active >> i & 1) == 0 || i == 35)
            assert_accepted(s); /* nobody publishes a value; 35: the decoder is off */
        else
            assert_refused(s, MEASUREMENT);
    }
}

/* The vendor publishes values of the production mode alone: debugging changes what is measured. */
static void w28_t3_a_gpu_whose_measured_state_is_that_of_debugging_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();

    s->vbios.wrong = 1;
    assert_code(appraise(s), PP_E_GPU_MEASUREMENT);
    assert_string_equal(s->checks.rows[PP_GPU_CHECK_MEASUREMENT - 1].problem.got, "0");
    done(s);
}

static void the_row_names_every_measurement_that_differs(void **state)
{
    (void)state;
    struct set *s = golden();

    s->report.measurements[2][0] ^= 1;
    s->report.measurements[40][0] ^= 1;
    assert_code(appraise(s), PP_E_GPU_MEASUREMENT);
    assert_string_equal(s->checks.rows[PP_GPU_CHECK_MEASUREMENT - 1].problem.got, "2 40");
    done(s);
}

static void the_video_decoder_counts_unless_the_report_says_that_it_is_off(void **state)
{
    (void)state;
    static const uint8_t states[] = { PP_GPU_ENABLED, PP_GPU_DISABLED, 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(states); i++) {
        struct set *s = golden();
        s->params.nvdec0 = states[i];
        sim_gpu_fill(gpu, &s->params, s->nonce, &s->report);
        s->report.measurements[35][0] ^= 1;
        if (states[i] == PP_GPU_DISABLED)
            assert_accepted(s);
        else
            assert_refused(s, MEASUREMENT);
    }
}

static void a_measurement_that_is_not_in_the_report_is_refused(void **state)
{
    (void)state;
    struct set *s = golden();

    s->report.present &= ~(UINT64_C(1) << 40);
    assert_refused(s, MEASUREMENT);
}

static void any_of_several_published_values_will_do(void **state)
{
    (void)state;
    struct set *s = golden();

    s->driver.alternatives = 4;
    s->vbios.alternatives = 3;
    assert_accepted(s);
    s = golden();
    s->driver.alternatives = 4;
    s->driver.wrong = UINT64_C(1) << 22;
    assert_refused(s, MEASUREMENT);
}

/* --- 19: revocation --------------------------------------------------------------------------- */

/* The golden set with another answer about one certificate. */
static struct set *with_answer(size_t i, struct pp_issue_ocsp a)
{
    struct set *s = golden();

    s->evidence.ocsp_count = 0;
    for (size_t k = 1; k < SIM_GPU_CERTS - 1; k++)
        answer(s, k, k == i ? a : good_answer());
    return s;
}

static void w28_t6_a_revoked_certificate_of_the_device_is_refused(void **state)
{
    (void)state;
    static const enum pp_ocsp_status bad[] = { PP_OCSP_REVOKED, PP_OCSP_HOLD, PP_OCSP_UNKNOWN };

    for (size_t i = 1; i < SIM_GPU_CERTS - 1; i++)
        for (size_t k = 0; k < PP_ARRAY_COUNT(bad); k++) {
            struct pp_issue_ocsp a = good_answer();
            a.status = bad[k];
            struct set *s = with_answer(i, a);
            s->policy.rim_hold_allowed = 1; /* of RIM signers alone */
            assert_refused(s, OCSP);
        }
}

static void every_certificate_between_leaf_and_root_needs_an_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct set *s = golden();
        s->evidence.ocsp[i] = s->evidence.ocsp[(i + 1) % 3];
        assert_refused(s, OCSP);
    }
    struct set *s = golden();
    s->evidence.ocsp_count = 0;
    assert_refused(s, OCSP);
}

static void more_answers_than_a_chain_can_need_are_refused_unread(void **state)
{
    (void)state;
    struct set *s = golden();

    s->evidence.ocsp_count = PP_GPU_OCSP_MAX + 1;
    assert_code(appraise(s), PP_E_GPU_OCSP);
    assert_string_equal(s->checks.rows[PP_GPU_CHECK_OCSP - 1].problem.field, "answers (at most)");
    done(s);
}

static void answers_are_found_in_any_order(void **state)
{
    (void)state;
    struct set *s = golden();
    struct pp_span first = s->evidence.ocsp[0];

    s->evidence.ocsp[0] = s->evidence.ocsp[2];
    s->evidence.ocsp[2] = first;
    assert_accepted(s);
}

static void an_answer_is_fresh(void **state)
{
    (void)state;
    static const struct {
        uint64_t from, until;
        uint32_t code;
    } rows[] = {
        { NOW - DAY_S, NOW + 1, PP_E_OK },
        { NOW, NOW + 1, PP_E_OK },
        { NOW - DAY_S - 1, NOW + 1, PP_E_GPU_OCSP }, /* older than the policy takes */
        { NOW - 1, NOW, PP_E_GPU_OCSP },             /* over */
        { NOW + 1, NOW + DAY_S, PP_E_GPU_OCSP },     /* not yet in force */
        { NOW - 1, 0, PP_E_GPU_OCSP },               /* without an end */
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_issue_ocsp a = good_answer();
        a.this_update = rows[i].from;
        a.next_update = rows[i].until;
        struct set *s = with_answer(2, a);
        assert_code(appraise(s), rows[i].code);
        done(s);
    }
}

static void a_nonce_that_was_asked_for_is_repeated(void **state)
{
    (void)state;
    static const uint8_t nonce[PP_OCSP_NONCE_BYTES] = { 3 };
    struct pp_issue_ocsp a = good_answer();

    a.nonce = nonce;
    struct set *s = golden();
    s->evidence.ocsp_count = 0;
    for (size_t i = 1; i < SIM_GPU_CERTS - 1; i++)
        answer(s, i, a);
    s->policy.ocsp_nonce = nonce;
    assert_accepted(s);
    s = golden(); /* answers without one */
    s->policy.ocsp_nonce = nonce;
    assert_refused(s, OCSP);
}

static void a_revoked_signer_of_reference_values_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIM_RIM_CERTS - 1; i++) {
        struct pp_issue_ocsp a = good_answer();
        struct set *s = golden();
        rim_answer(s, i, a);
        assert_accepted(s);
        s = golden();
        a.status = PP_OCSP_REVOKED;
        rim_answer(s, i, a);
        assert_refused(s, OCSP);
        s = golden();
        a.status = PP_OCSP_HOLD;
        rim_answer(s, i, a);
        assert_refused(s, OCSP);
        s = golden();
        s->policy.rim_hold_allowed = 1;
        rim_answer(s, i, a);
        assert_accepted(s);
    }
}

static void a_policy_can_ask_for_answers_about_reference_values(void **state)
{
    (void)state;
    struct set *s = golden();

    s->policy.rim_status_asked = 1;
    assert_refused(s, OCSP);
    s = golden();
    s->policy.rim_status_asked = 1;
    for (size_t i = 0; i < SIM_RIM_CERTS - 1; i++)
        rim_answer(s, i, good_answer());
    assert_accepted(s);
}

/* --- anchors ---------------------------------------------------------------------------------- */

static void an_anchor_is_one_certificate_on_p384_and_stands_once(void **state)
{
    (void)state;
    struct pp_gpu_anchors a = { 0 };
    struct pp_span root = sim_gpu_cert(gpu, 4);

    assert_code(pp_gpu_anchors_add_device(&a, PP_STR("")), PP_E_TRUST);
    assert_code(pp_gpu_anchors_add_device(&a, pp_span(root.at, root.len - 1)), PP_E_TRUST);
    assert_ok(pp_gpu_anchors_add_device(&a, root));
    assert_code(pp_gpu_anchors_add_device(&a, root), PP_E_TRUST);
    assert_ok(pp_gpu_anchors_add_device(&a, sim_gpu_cert(other, 4)));
    assert_code(pp_gpu_anchors_add_device(&a, sim_gpu_cert(other, 3)),
                PP_E_TRUST); /* one too many */
    assert_int_equal(a.count, PP_GPU_ROOTS_MAX);
    pp_gpu_anchors_done(&a);
    pp_gpu_anchors_done(&a);
}

static int setup(void **state)
{
    (void)state;
    if (!pp_is_ok(pp_crypto_init()) ||
        !pp_is_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = NOW }, &gpu)) ||
        !pp_is_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = NOW }, &other)) ||
        !pp_is_ok(pp_gpu_anchors_add_device(&anchors, sim_gpu_cert(gpu, 4))) ||
        !pp_is_ok(pp_gpu_anchors_add_rim(&anchors, sim_gpu_rim_cert(gpu, 3))))
        return 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pp_gpu_anchors_done(&anchors);
    sim_gpu_free(gpu);
    sim_gpu_free(other);
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_golden_set_passes_all_nineteen_checks),
    cmocka_unit_test(a_chain_as_drivers_hand_it_out_has_its_root),
    cmocka_unit_test(a_policy_in_the_zero_state_asks_for_all_and_accepts_nothing),
    cmocka_unit_test(checks_that_prove_the_evidence_cannot_be_skipped),
    cmocka_unit_test(behind_unsound_evidence_nothing_is_reached),
    cmocka_unit_test(the_lowest_failing_check_is_reported_and_the_others_are_shown),
    cmocka_unit_test(w28_t1_t2_without_a_report_there_is_no_gpu),
    cmocka_unit_test(w28_t4_a_report_with_another_nonce_is_a_replay),
    cmocka_unit_test(w28_t9_a_report_made_for_another_guest_or_gpu_is_refused),
    cmocka_unit_test(a_chain_is_complete_in_order_and_well_signed),
    cmocka_unit_test(a_bit_of_any_certificate_breaks_the_chain),
    cmocka_unit_test(a_certificate_that_is_signed_in_another_way_is_refused),
    cmocka_unit_test(a_chain_outside_its_validity_is_refused),
    cmocka_unit_test(a_root_that_is_not_pinned_is_refused),
    cmocka_unit_test(without_anchors_every_root_is_refused),
    cmocka_unit_test(the_certificates_firmware_is_the_reports),
    cmocka_unit_test(every_signed_bit_of_a_report_counts),
    cmocka_unit_test(a_chip_that_is_not_accepted_is_refused),
    cmocka_unit_test(a_chip_that_is_not_known_is_refused_whatever_the_policy),
    cmocka_unit_test(w28_t8_several_gpus_are_refused_unless_a_policy_names_the_protected_mode),
    cmocka_unit_test(flag_and_state_of_the_mode_agree),
    cmocka_unit_test(w28_t7_a_driver_below_the_minimum_is_refused),
    cmocka_unit_test(w28_t7_a_vbios_below_the_minimum_is_refused),
    cmocka_unit_test(a_version_is_the_one_of_its_reference_values),
    cmocka_unit_test(files_that_the_release_does_not_name_are_refused),
    cmocka_unit_test(driver_and_vbios_files_of_two_rows_are_no_pair),
    cmocka_unit_test(without_both_files_nothing_is_measured_and_that_is_no_pass),
    cmocka_unit_test(one_file_alone_can_refuse),
    cmocka_unit_test(a_file_that_was_never_opened_proves_nothing),
    cmocka_unit_test(two_values_for_one_measurement_are_a_conflict),
    cmocka_unit_test(signers_of_reference_values_expire),
    cmocka_unit_test(w28_t5_one_measurement_of_another_value_is_refused),
    cmocka_unit_test(w28_t3_a_gpu_whose_measured_state_is_that_of_debugging_is_refused),
    cmocka_unit_test(the_row_names_every_measurement_that_differs),
    cmocka_unit_test(the_video_decoder_counts_unless_the_report_says_that_it_is_off),
    cmocka_unit_test(a_measurement_that_is_not_in_the_report_is_refused),
    cmocka_unit_test(any_of_several_published_values_will_do),
    cmocka_unit_test(w28_t6_a_revoked_certificate_of_the_device_is_refused),
    cmocka_unit_test(every_certificate_between_leaf_and_root_needs_an_answer),
    cmocka_unit_test(more_answers_than_a_chain_can_need_are_refused_unread),
    cmocka_unit_test(answers_are_found_in_any_order),
    cmocka_unit_test(an_answer_is_fresh),
    cmocka_unit_test(a_nonce_that_was_asked_for_is_repeated),
    cmocka_unit_test(a_revoked_signer_of_reference_values_is_refused),
    cmocka_unit_test(a_policy_can_ask_for_answers_about_reference_values),
    cmocka_unit_test(an_anchor_is_one_certificate_on_p384_and_stands_once),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, setup, teardown);
}
