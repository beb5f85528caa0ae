/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a row of the wallet once it is opened: an entry, and the token in it. */
#include "fuzz.h"

#include "wallet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t out[PP_WALLET_ENTRY_BYTES_MAX], token_out[PP_TOKEN_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_wr token_wr = pp_wr_over(token_out, sizeof token_out);
    struct pp_wallet_entry e;
    struct pp_token t;

    if (!pp_is_ok(pp_wallet_entry_parse(pp_span(data, len), &e)))
        return 0;
    pp_wallet_entry_write(&e, &wr);
    FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    FUZZ_CHECK(pp_is_ok(pp_token_parse(e.token, &t)));
    FUZZ_CHECK(t.type == e.type && e.token.len == pp_token_bytes(t.type));
    pp_token_write(&t, &token_wr);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&token_wr), e.token));
    return 0;
}
