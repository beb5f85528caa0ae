/* SPDX-License-Identifier: Apache-2.0 */
/* High-water marks: what is read is written back byte for byte. */
#include "fuzz.h"

#include "ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[PP_MARKS_BYTES_MAX];
    struct pp_span in = pp_span(data, len);
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    static struct pp_marks m;

    if (pp_is_ok(pp_marks_parse(in, &m))) {
        FUZZ_CHECK(pp_is_ok(pp_marks_write(&wr, &m)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
    }
    return 0;
}
