/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a GPU's report: what is read is written again alike, and is never believed. */
#include "fuzz.h"

#include "crypto.h"
#include "gpu_verify.h"

static void verify(struct pp_span report)
{
    static const struct pp_gpu_anchors none;
    struct pp_gpu_policy policy = PP_GPU_POLICY_STRICT;
    struct pp_gpu_evidence evidence = { .report = report };
    struct pp_gpu_checks checks;
    struct pp_gpu_result result;

    policy.skip = PP_GPU_SKIPPABLE;
    pp_res r = pp_gpu_verify(&none, &policy, &evidence, 1780272000, &checks, &result);
    FUZZ_CHECK(r.code == PP_E_GPU_FORMAT || r.code == PP_E_GPU_CHAIN);
    FUZZ_CHECK(checks.rows[r.detail - 1].verdict == PP_ATTEST_FAILED);
}

/* Unknown fields and the order of known ones are not kept: a second writing is the first one. */
static void round_trip(const struct pp_gpu_report *report)
{
    static uint8_t once[PP_GPU_REPORT_BYTES_MAX], twice[PP_GPU_REPORT_BYTES_MAX];
    struct pp_wr a = pp_wr_over(once, sizeof once), b = pp_wr_over(twice, sizeof twice);
    struct pp_gpu_report again;
    size_t signed_a, signed_b;

    FUZZ_CHECK(pp_is_ok(pp_gpu_report_write(&a, report, &signed_a)));
    FUZZ_CHECK(pp_is_ok(pp_gpu_report_parse(pp_wr_done(&a), &again, NULL)));
    FUZZ_CHECK(again.present == report->present && again.signed_len == signed_a);
    FUZZ_CHECK(memcmp(again.driver, report->driver, sizeof again.driver) == 0);
    FUZZ_CHECK(memcmp(again.vbios, report->vbios, sizeof again.vbios) == 0);
    FUZZ_CHECK(memcmp(again.measurements, report->measurements, sizeof again.measurements) == 0);
    FUZZ_CHECK(pp_is_ok(pp_gpu_report_write(&b, &again, &signed_b)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&a), pp_wr_done(&b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_gpu_report report;
    struct pp_problem problem = { 0 };

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    pp_res r = pp_gpu_report_parse(pp_span(data, len), &report, &problem);
    if (pp_is_ok(r)) {
        FUZZ_CHECK(report.signed_len + 96 <= len);
        round_trip(&report);
    } else {
        FUZZ_CHECK(r.code == PP_E_GPU_FORMAT && problem.field[0] != '\0');
    }
    verify(pp_span(data, len));
    return 0;
}
