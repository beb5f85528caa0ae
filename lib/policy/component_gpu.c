/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU beside the machine: its own evidence, against the files that the release names. */
#include "appraise_int.h"

static const struct appraise_row ROWS[PP_GPU_CHECKS + 1] = {
    [PP_GPU_CHECK_FORMAT] = { PP_STEP_PLATFORM, "the GPU's report has its form" },
    [PP_GPU_CHECK_NONCE] = { PP_STEP_PLATFORM, "it answers this guest's own fresh value" },
    [PP_GPU_CHECK_CHAIN] = { PP_STEP_PLATFORM, "the GPU's certificates are one chain" },
    [PP_GPU_CHECK_ROOT] = { PP_STEP_PLATFORM, "they lead to the pinned root" },
    [PP_GPU_CHECK_FWID] = { PP_STEP_PLATFORM, "the GPU's key belongs to its firmware" },
    [PP_GPU_CHECK_SIGNATURE] = { PP_STEP_PLATFORM, "the GPU signed exactly this report" },
    [PP_GPU_CHECK_ARCH] = { PP_STEP_PLATFORM, "the GPU is of an accepted generation" },
    [PP_GPU_CHECK_MODE] = { PP_STEP_PLATFORM, "the guest has the GPU for itself" },
    [PP_GPU_CHECK_DRIVER_VERSION] = { PP_STEP_PLATFORM, "the GPU's driver is new enough" },
    [PP_GPU_CHECK_VBIOS_VERSION] = { PP_STEP_PLATFORM, "the GPU's firmware is new enough" },
    [PP_GPU_CHECK_RIM_SET] = { PP_STEP_PLATFORM, "the reference files are the release's" },
    [PP_GPU_CHECK_RIM_FORMAT] = { PP_STEP_PLATFORM, "the reference files have their form" },
    [PP_GPU_CHECK_RIM_DIGEST] = { PP_STEP_PLATFORM, "their content is what was signed" },
    [PP_GPU_CHECK_RIM_SIGNATURE] = { PP_STEP_PLATFORM, "their signatures verify" },
    [PP_GPU_CHECK_RIM_CHAIN] = { PP_STEP_PLATFORM, "their signers lead to the pinned root" },
    [PP_GPU_CHECK_RIM_EXPIRED] = { PP_STEP_PLATFORM, "their signers are valid now" },
    [PP_GPU_CHECK_RIM_CONFLICT] = { PP_STEP_PLATFORM, "the two files do not contradict" },
    [PP_GPU_CHECK_MEASUREMENT] = { PP_STEP_PLATFORM, "the GPU runs exactly what they say" },
    [PP_GPU_CHECK_OCSP] = { PP_STEP_PLATFORM, "the vendor has not revoked the GPU, freshly said" },
};

/* The release's rows as the verifier wants them. */
static size_t references_of(const struct pp_release *rel,
                            struct pp_gpu_reference ret[PP_RELEASE_GPU_MAX])
{
    for (size_t i = 0; i < rel->gpu_count; i++) {
        ret[i] = (struct pp_gpu_reference){ .driver = rel->gpu[i].driver,
                                            .vbios = rel->gpu[i].vbios };
        memcpy(ret[i].driver_rim, rel->gpu[i].driver_rim, sizeof ret[i].driver_rim);
        memcpy(ret[i].vbios_rim, rel->gpu[i].vbios_rim, sizeof ret[i].vbios_rim);
    }
    return rel->gpu_count;
}

static int same_version(struct pp_span a, const char *b, int base)
{
    int order;

    return pp_is_ok(pp_gpu_version_compare(a, pp_span_cstr(b), base, &order)) && order == 0;
}

/* The row for what the report claims to run; the verifier holds the two against each other. */
static const struct pp_gpu_reference *claimed(const struct pp_gpu_report *report,
                                              const struct pp_gpu_reference *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same_version(rows[i].driver, report->driver, 10) &&
            same_version(rows[i].vbios, report->vbios, 16))
            return &rows[i];
    return NULL;
}

/* A file that the bundle has not is none; one that does not open says so in the verdict. */
static const struct pp_rim *open_rim(const struct appraise *a, const uint8_t sha256[],
                                     struct pp_rim *rim)
{
    struct pp_span xml = pp_bundle_blob(&a->ledger->bundle, sha256);
    const struct pp_rim *opened = NULL;

    if (xml.len == 0)
        return NULL;
    pp_ignore(pp_rim_recall(&a->trust->gpu_anchors.rims, xml, rim, &opened),
              "the verifier reads its code");
    return opened;
}

static pp_res verify(const struct appraise *a, struct pp_gpu_evidence *evidence,
                     const struct pp_gpu_reference *rows, size_t count,
                     struct pp_gpu_checks *checks)
{
    const struct pp_evidence_gpu *gpu = &a->evidence.gpu;
    struct pp_gpu_policy policy = a->trust->hardware.gpu;
    uint8_t nonce[PP_GPU_NONCE_BYTES];
    struct pp_gpu_result result;

    pp_gpu_nonce(gpu->fresh, 0, nonce);
    policy.references = rows;
    policy.reference_count = count;
    policy.nonce = nonce;
    policy.nonce_anchor = "the guest's fresh value, which the machine's report covers";
    evidence->report = gpu->report;
    evidence->root_left_out = 1;
    for (size_t i = 0; i < gpu->cert_count && i < PP_ARRAY_COUNT(evidence->certs); i++)
        evidence->certs[evidence->cert_count++] = gpu->certs[i];
    for (size_t i = 0; i < gpu->ocsp_count && i < PP_ARRAY_COUNT(evidence->ocsp); i++)
        evidence->ocsp[evidence->ocsp_count++] = gpu->ocsp[i];
    return pp_gpu_verify(&a->trust->gpu_anchors, &policy, evidence, a->ledger->now_posix_s, checks,
                         &result);
}

/* Drivers of 550 say no mode: their protected links tell, which several GPUs alone have. */
static int is_shared(const struct pp_gpu_report *r)
{
    return r->has_feature_flag ? r->feature_flag != PP_GPU_SPT
                               : r->protected_pcie == PP_GPU_ENABLED;
}

static pp_res judge(struct appraise *a, const struct pp_gpu_report *report)
{
    struct pp_gpu_reference rows[PP_RELEASE_GPU_MAX];
    size_t count = references_of(a->release, rows);
    const struct pp_gpu_reference *row = claimed(report, rows, count);
    const struct pp_advisory_facts facts = { .gpu_is_shared = is_shared(report) };
    struct pp_rim driver = { 0 }, vbios = { 0 };
    struct pp_gpu_evidence evidence = { 0 };
    struct pp_gpu_checks checks;

    if (row != NULL) {
        evidence.driver_rim = open_rim(a, row->driver_rim, &driver);
        evidence.vbios_rim = open_rim(a, row->vbios_rim, &vbios);
    }
    pp_res r = verify(a, &evidence, rows, count, &checks);
    const struct appraise_verdict verdict = { .rows = checks.rows,
                                              .count = PP_GPU_CHECKS,
                                              .words = ROWS,
                                              .skip = a->trust->hardware.gpu.skip };
    r = appraise_conclude(a, &verdict, r);
    pp_rim_done(&driver);
    pp_rim_done(&vbios);
    if (pp_is_ok(r))
        return appraise_open_to(a, &facts);
    appraise_name(a, &facts, r);
    return r;
}

pp_res appraise_gpu(struct appraise *a)
{
    int asked = a->release->gpu_count > 0, came = a->evidence.gpu_encoding.len > 0;
    struct pp_gpu_report report;

    if (!asked && !came)
        return PP_OK;
    if (!came)
        return appraise_refuse(a, PP_E_GPU_FORMAT, "gpu", "evidence of the release's GPU",
                               PP_STR("none came"));
    if (!asked)
        return appraise_refuse(a, PP_E_GPU_RIM_SET, "gpu", "none: the release names no GPU",
                               PP_STR("GPU evidence"));
    PP_TRY(pp_gpu_report_parse(a->evidence.gpu.report, &report, a->problem));
    PP_TRY(judge(a, &report));
    pp_check_add(a->checks, PP_STEP_PLATFORM, PP_E_GPU_NONCE, PP_VERDICT_ASSERTED,
                 "the GPU's evidence is at most ten minutes old",
                 PP_STR("the measured program renews it by its machine's clock, and stops serving "
                        "when it cannot"),
                 PP_STR(""));
    return PP_OK;
}
