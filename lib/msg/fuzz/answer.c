/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "answer.h"
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[1 << 18];
    static uint8_t out[PP_ANSWER_BYTES_MAX + 4];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_span in = pp_span(data, len);
    struct pp_answer a;
    struct pp_span cbor;
    size_t items;

    if (pp_is_ok(pp_answer_parse(in, PP_FEATURE_SUMMARIZE, &arena, &a))) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_answer_write_padded(&wr, &a, len + 4, &items)));
        FUZZ_CHECK(pp_is_ok(pp_padded_parse(pp_wr_done(&wr), &cbor)));
        FUZZ_CHECK(pp_span_eq(cbor, in));
    }
    return 0;
}
