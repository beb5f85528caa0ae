/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "hints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[1 << 17];
    struct pp_span in = pp_span(data, len);
    struct pp_hints h;

    if (pp_is_ok(pp_hints_parse(in, &h))) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_hints_write(&wr, &h)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
    }
    return 0;
}
