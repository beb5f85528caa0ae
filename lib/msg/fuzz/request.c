/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "message.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[1 << 18];
    static uint8_t out[1 << 19];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_span in = pp_span(data, len);
    struct pp_span inner;
    struct pp_request r;

    if (pp_is_ok(pp_request_parse(in, &arena, &r)) && r.feature != PP_FEATURE_UNKNOWN) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        FUZZ_CHECK(pp_is_ok(pp_request_write(&wr, &r)));
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), in));
    }
    if (pp_is_ok(pp_padded_parse(in, &inner)))
        FUZZ_CHECK(inner.len >= 1 && inner.len <= len - 4);
    for (unsigned t = PP_MESSAGE_EVIDENCE; t <= PP_MESSAGE_SEALED_STREAM; t++)
        if (pp_is_ok(pp_message_parse(in, (enum pp_message_type)t, &inner)))
            FUZZ_CHECK(inner.len == len - PP_MESSAGE_HEAD_BYTES);
    return 0;
}
