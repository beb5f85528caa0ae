/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "sp_gpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[PP_SP_GPU_ANSWER_BYTES_MAX + 8 * PP_EVIDENCE_OCSP_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_evidence_gpu gpu;
    struct pp_span nonce;

    if (pp_is_ok(pp_sp_gpu_answer_parse(pp_span(data, len), &gpu))) {
        FUZZ_CHECK(pp_is_ok(pp_sp_gpu_answer_write(&wr, &gpu)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    }
    wr = pp_wr_over(out, sizeof out);
    if (pp_sp_gpu_request_parse(pp_span(data, len), &nonce)) {
        pp_sp_gpu_request_write(&wr, nonce.at);
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    }
    return 0;
}
