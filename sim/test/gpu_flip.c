/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any single flipped bit of GPU evidence is refused: of the report, the chain, the answers about
 * revocation and both files of reference values, and of what the verifier holds them against. No
 * bit is exempt: the files, of which a signature covers the canonical form alone, are named by
 * their digest in the release.
 */
#include "flip.h"

#include "crypto.h"
#include "sim_gpu.h"

enum { NOW = 1780272000, DAY_S = 86400, CERTS = SIM_GPU_CERTS - 1, BYTES_MAX = 1 << 18 };

static struct sim_gpu *gpu;
static struct pp_gpu_anchors anchors;
static struct pp_gpu_policy policy;
static struct pp_gpu_reference reference;
static struct pp_gpu_evidence evidence;
static struct pp_span rims[2];
static uint8_t nonce[PP_GPU_NONCE_BYTES];
static uint8_t bytes[BYTES_MAX]; /* all that the evidence borrows, one behind the other */
static struct pp_wr wr;

static struct pp_span written_from(size_t from)
{
    return pp_span(bytes + from, wr.len - from);
}

static struct pp_span add_rim(const char *version, uint64_t active)
{
    const struct sim_rim rim = { .chip = "GH100", .version = version, .active = active };
    size_t from = wr.len;

    assert_ok(sim_gpu_rim(gpu, &rim, &wr));
    return written_from(from);
}

static void add_answer(size_t cert)
{
    const struct pp_issue_ocsp good = { .hash = PP_SHA384,
                                        .status = PP_OCSP_GOOD,
                                        .this_update = NOW - 3600,
                                        .next_update = NOW + DAY_S };
    size_t from = wr.len;

    assert_ok(sim_gpu_ocsp(gpu, cert, good, &wr));
    evidence.ocsp[evidence.ocsp_count++] = written_from(from);
}

static void fill_evidence(void)
{
    struct sim_gpu_params params = sim_gpu_params_default();
    size_t from = wr.len;

    assert_ok(sim_gpu_report(gpu, &params, nonce, &wr));
    evidence.report = written_from(from);
    evidence.root_left_out = 1;
    evidence.cert_count = CERTS;
    for (size_t i = 0; i < CERTS; i++) {
        from = wr.len;
        pp_wr_span(&wr, sim_gpu_cert(gpu, i));
        evidence.certs[i] = written_from(from);
    }
    for (size_t i = 1; i < CERTS; i++)
        add_answer(i);
    rims[0] = add_rim("590.12", SIM_RIM_DRIVER);
    rims[1] = add_rim("96.00.9f.00.01", SIM_RIM_VBIOS);
    assert_ok(pp_wr_ok(&wr));
    pp_sha256(rims[0], reference.driver_rim);
    pp_sha256(rims[1], reference.vbios_rim);
}

/* Opening takes longer than all else; it is done anew for flips in the files alone. */
static struct pp_rim opened[2];

static void open_rims(void)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(rims); i++) {
        pp_rim_done(&opened[i]);
        pp_ignore(pp_rim_open(&anchors.rims, rims[i], &opened[i]), "the appraisal says it");
    }
}

static pp_res appraise(void)
{
    struct pp_gpu_checks checks;
    struct pp_gpu_result result;

    evidence.driver_rim = &opened[0];
    evidence.vbios_rim = &opened[1];
    return pp_gpu_verify(&anchors, &policy, &evidence, NOW, &checks, &result);
}

static int is_refused(void *ctx)
{
    (void)ctx;
    return pp_code_class(appraise().code) == PP_CLASS_REFUSED;
}

static int is_refused_opened_anew(void *ctx)
{
    open_rims();
    return is_refused(ctx);
}

static void flip(const char *name, struct pp_span region)
{
    const struct flip_region r = { .name = name, .at = (uint8_t *)region.at, .len = region.len };

    (void)flip_region(&r, is_refused, NULL);
    assert_ok(appraise());
}

static int make(void **state)
{
    (void)state;
    if (!pp_is_ok(pp_crypto_init()) ||
        !pp_is_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = NOW }, &gpu)) ||
        !pp_is_ok(pp_gpu_anchors_add_device(&anchors, sim_gpu_cert(gpu, CERTS))) ||
        !pp_is_ok(pp_gpu_anchors_add_rim(&anchors, sim_gpu_rim_cert(gpu, SIM_RIM_CERTS - 1))))
        return 1;
    wr = pp_wr_over(bytes, sizeof bytes);
    memset(nonce, 7, sizeof nonce);
    fill_evidence();
    policy = PP_GPU_POLICY_STRICT;
    policy.nonce = nonce;
    policy.references = &reference;
    policy.reference_count = 1;
    open_rims();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    pp_rim_done(&opened[0]);
    pp_rim_done(&opened[1]);
    pp_gpu_anchors_done(&anchors);
    sim_gpu_free(gpu);
    return 0;
}

static void w28_any_flipped_bit_of_gpu_evidence_is_refused(void **state)
{
    size_t before = (size_t)(rims[0].at - bytes);

    (void)state;
    assert_ok(appraise());
    flip("report, chain and answers", pp_span(bytes, before));
}

static void w28_any_flipped_bit_of_reference_values_is_refused(void **state)
{
    size_t before = (size_t)(rims[0].at - bytes);
    const struct flip_region r = { .name = "reference values",
                                   .at = bytes + before,
                                   .len = wr.len - before };

    (void)state;
    (void)flip_region(&r, is_refused_opened_anew, NULL);
    open_rims();
    assert_ok(appraise());
}

static void w28_any_flipped_bit_of_what_is_expected_is_refused(void **state)
{
    (void)state;
    flip("nonce", PP_BYTES(nonce));
    flip("driver file's digest", PP_BYTES(reference.driver_rim));
    flip("VBIOS file's digest", PP_BYTES(reference.vbios_rim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w28_any_flipped_bit_of_gpu_evidence_is_refused),
        cmocka_unit_test(w28_any_flipped_bit_of_reference_values_is_refused),
        cmocka_unit_test(w28_any_flipped_bit_of_what_is_expected_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
