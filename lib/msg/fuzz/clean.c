/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "clean.h"
#include "text.h"

/* Whatever comes in, what goes out is UTF-8 that needs no more cleaning. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t out[3 << 20];
    static const enum pp_clean_lines LINES[] = { PP_CLEAN_ONE_LINE, PP_CLEAN_LINES };

    for (size_t i = 0; i < PP_ARRAY_COUNT(LINES) && len <= 1 << 20; i++) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        pp_clean_write(&wr, pp_span(data, len), LINES[i]);
        FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)));
        FUZZ_CHECK(pp_is_ok(pp_utf8_check(pp_wr_done(&wr))));
        FUZZ_CHECK(pp_is_ok(pp_clean_check(pp_wr_done(&wr), LINES[i])));
    }
    return 0;
}
