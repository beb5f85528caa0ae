/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip from a server: the first two bytes of the input are the limit. No more than that comes out,
 * and what comes out with a limit comes out with a larger one too.
 */
#include "fuzz.h"

#include "gunzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_buf plain = { 0 }, again = { 0 };

    if (len < 2)
        return 0;
    size_t max = (size_t)data[0] << 8 | data[1];
    const struct pp_span packed = pp_span(data + 2, len - 2);
    if (!pp_is_ok(pp_gunzip(packed, max, &plain)))
        return 0;
    FUZZ_CHECK(plain.len <= max);
    FUZZ_CHECK(pp_is_ok(pp_gunzip(packed, plain.len, &again)));
    FUZZ_CHECK(pp_span_eq(pp_buf_span(&plain), pp_buf_span(&again)));
    pp_buf_done(&again);
    if (plain.len > 0)
        FUZZ_CHECK(pp_gunzip(packed, plain.len - 1, &again).code == PP_E_LIMIT);
    pp_buf_done(&plain);
    return 0;
}
