/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "sp_gpu.h"

static uint8_t out[PP_SP_GPU_ANSWER_BYTES_MAX + 16];
static uint8_t big[PP_EVIDENCE_REPORT_BYTES_MAX + 1];

static void requests_cross_and_no_other_length_or_operation_does(void **state)
{
    const uint8_t nonce[PP_SP_GPU_NONCE_BYTES] = { 1, 2, 3 };
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span got;

    (void)state;
    pp_sp_gpu_request_write(&wr, nonce);
    assert_int_equal(wr.len, PP_SP_GPU_REQUEST_BYTES);
    assert_true(pp_sp_gpu_request_parse(pp_wr_done(&wr), &got));
    assert_true(pp_span_eq(got, PP_BYTES(nonce)));
    for (size_t n = 0; n < wr.len; n++)
        assert_false(pp_sp_gpu_request_parse(pp_span(out, n), &got));
    assert_false(pp_sp_gpu_request_parse(pp_span(out, wr.len + 1), &got));
    out[0] = 1;
    assert_false(pp_sp_gpu_request_parse(pp_wr_done(&wr), &got));
}

static size_t write_answer(const struct pp_evidence_gpu *gpu)
{
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(pp_sp_gpu_answer_write(&wr, gpu));
    return wr.len;
}

static void answers_cross_and_no_truncation_does(void **state)
{
    const struct pp_evidence_gpu gpu = { .report = PP_STR("report"),
                                         .certs = { PP_STR("leaf"), PP_STR("chip") },
                                         .cert_count = 2,
                                         .ocsp = { PP_STR("good") },
                                         .ocsp_count = 1 };
    struct pp_evidence_gpu got;
    size_t len = write_answer(&gpu);

    (void)state;
    assert_ok(pp_sp_gpu_answer_parse(pp_span(out, len), &got));
    assert_true(pp_span_eq(got.report, gpu.report) && got.cert_count == 2 && got.ocsp_count == 1);
    assert_true(pp_span_eq(got.certs[1], gpu.certs[1]) && pp_span_eq(got.ocsp[0], gpu.ocsp[0]));
    for (size_t n = 0; n < len; n++)
        assert_code(pp_sp_gpu_answer_parse(pp_span(out, n), &got), PP_E_TRUNCATED);
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, len + 1), &got), PP_E_TRAILING);
    out[0] = 2;
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, len), &got), PP_E_FORMAT);
    len = write_answer(NULL);
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, len), &got), PP_E_FORMAT);
}

static void every_part_has_its_limit(void **state)
{
    struct pp_evidence_gpu gpu = { .report = pp_span(big, PP_EVIDENCE_REPORT_BYTES_MAX),
                                   .cert_count = PP_EVIDENCE_GPU_CERT_MAX },
                           got;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    for (size_t i = 0; i < PP_EVIDENCE_GPU_CERT_MAX; i++)
        gpu.certs[i] = pp_span(big, PP_EVIDENCE_CERT_BYTES_MAX);
    gpu.ocsp[gpu.ocsp_count++] = pp_span(big, PP_EVIDENCE_OCSP_BYTES_MAX);
    assert_ok(pp_sp_gpu_answer_parse(pp_span(out, write_answer(&gpu)), &got));
    gpu.ocsp_count = 0;
    gpu.certs[5].len++;
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, write_answer(&gpu)), &got), PP_E_LIMIT);
    gpu.cert_count = 0;
    gpu.report.len++;
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, write_answer(&gpu)), &got), PP_E_LIMIT);
    gpu.report.len = 1;
    gpu.ocsp_count = 1;
    gpu.ocsp[0].len++;
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, write_answer(&gpu)), &got), PP_E_LIMIT);
    gpu.ocsp_count = PP_EVIDENCE_GPU_CERT_MAX + 1;
    assert_code(pp_sp_gpu_answer_write(&wr, &gpu), PP_E_RANGE);
    gpu.ocsp_count = 0;
    gpu.cert_count = PP_EVIDENCE_GPU_CERT_MAX + 1;
    assert_code(pp_sp_gpu_answer_write(&wr, &gpu), PP_E_RANGE);
    size_t len = write_answer(&(struct pp_evidence_gpu){ .report = PP_STR("r") });
    out[6] = PP_EVIDENCE_GPU_CERT_MAX + 1; /* the count of certificates */
    assert_code(pp_sp_gpu_answer_parse(pp_span(out, len), &got), PP_E_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_cross_and_no_other_length_or_operation_does),
        cmocka_unit_test(answers_cross_and_no_truncation_does),
        cmocka_unit_test(every_part_has_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
