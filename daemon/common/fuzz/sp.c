/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "sp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_sp_answer a;
    struct pp_span report_data;

    if (pp_is_ok(pp_sp_answer_parse(pp_span(data, len), &a))) {
        FUZZ_CHECK(pp_is_ok(pp_sp_answer_write(&wr, &a)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    }
    wr = pp_wr_over(out, sizeof out);
    if (pp_is_ok(pp_sp_request_parse(pp_span(data, len), &report_data))) {
        pp_sp_request_write(&wr, report_data.at);
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    }
    return 0;
}
