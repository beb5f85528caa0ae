/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "collateral.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[1 << 17];
    struct pp_span in = pp_span(data, len);
    struct pp_collateral c;

    if (pp_is_ok(pp_collateral_parse(in, &c))) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_collateral_write(&wr, &c)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
    }
    return 0;
}
