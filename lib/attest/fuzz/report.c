/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a report: what is accepted has one encoding, and is never believed. */
#include "fuzz.h"

#include "crypto.h"
#include "snp_verify.h"

static void verify(struct pp_span report)
{
    static const struct pp_snp_anchors none;
    struct pp_snp_policy policy = PP_SNP_POLICY_STRICT;
    struct pp_snp_evidence evidence = { .report = report };
    struct pp_snp_checks checks;
    struct pp_snp_result result;

    policy.skip = PP_SNP_SKIPPABLE;
    pp_res r = pp_snp_verify(&none, &policy, &evidence, 1780272000, &checks, &result);
    FUZZ_CHECK(r.code >= PP_E_SNP_FORMAT && r.code <= PP_E_SNP_CERT_FORM);
    FUZZ_CHECK(checks.rows[r.detail - 1].verdict == PP_ATTEST_FAILED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_snp_report report;
    struct pp_problem problem = { 0 };
    uint8_t again[PP_SNP_REPORT_BYTES];
    struct pp_span bytes = pp_span(data, len);

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
    pp_res r = pp_snp_report_parse(bytes, &report, &problem);
    if (pp_is_ok(r)) {
        FUZZ_CHECK(pp_is_ok(pp_snp_report_write(&report, again, sizeof again)));
        FUZZ_CHECK(pp_span_eq(PP_BYTES(again), bytes));
    } else {
        FUZZ_CHECK(r.code == PP_E_SNP_FORMAT && problem.field[0] != '\0');
    }
    verify(bytes);
    return 0;
}
