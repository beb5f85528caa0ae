/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP fields: an Authorization field has one form; a WWW-Authenticate field is only read. */
#include "fuzz.h"

#include "cred.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[1 << 14];
    uint8_t token[PP_TOKEN_BYTES_MAX];
    uint8_t again[PP_TOKEN_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_token_offer offers[PP_TOKEN_OFFERS_MAX];
    size_t token_len = 0;
    size_t count = 0;

    if (pp_is_ok(pp_token_field_parse(pp_span(data, len), token, &token_len))) {
        pp_token_field_write(pp_span(token, token_len), &wr);
        FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)) && pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    }
    if (pp_is_ok(pp_token_offers_parse(pp_span(data, len), &arena, offers, &count)))
        FUZZ_CHECK(count <= PP_TOKEN_OFFERS_MAX);
    pp_arena_reset(&arena);
    return 0;
}
