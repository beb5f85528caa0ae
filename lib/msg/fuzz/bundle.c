/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "bundle.h"
#include "receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[1 << 18];
    static uint8_t out[1 << 21];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_span in = pp_span(data, len);
    struct pp_bundle b;
    struct pp_receipt r;

    if (pp_is_ok(pp_bundle_parse(in, &arena, &b))) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_bundle_write(&wr, &b)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
    }
    pp_arena_reset(&arena);
    if (pp_is_ok(pp_receipt_parse(in, &arena, &r))) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_receipt_write(&wr, &r)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
    }
    return 0;
}
