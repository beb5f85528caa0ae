/* SPDX-License-Identifier: Apache-2.0 */
/* Chain files: what is taken is written again, and that is taken as the same. */
#include "fuzz.h"

#include "token_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char text[PP_TOKEN_CHAIN_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_token_chain c = { 0 }, again = { 0 };

    if (!pp_is_ok(pp_token_chain_parse(pp_span(data, len), NULL, &c)))
        return 0;
    FUZZ_CHECK(pp_is_ok(pp_token_chain_write(&c, &wr)));
    FUZZ_CHECK(pp_is_ok(pp_token_chain_parse(pp_wr_done(&wr), NULL, &again)));
    FUZZ_CHECK(again.day == c.day &&
               pp_span_eq(pp_secret_span(&again.value_secret), pp_secret_span(&c.value_secret)));
    pp_token_chain_done(&c);
    pp_token_chain_done(&again);
    return 0;
}
