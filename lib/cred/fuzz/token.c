/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and wallet entries: what was read is written to the same bytes. */
#include "fuzz.h"

#include "cred.h"

static void round_trip_token(struct pp_span bytes)
{
    uint8_t again[PP_TOKEN_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_token t;
    uint8_t key[PP_SPEND_KEY_BYTES];

    if (!pp_is_ok(pp_token_parse(bytes, &t)))
        return;
    FUZZ_CHECK(bytes.len == pp_token_bytes(t.type));
    pp_token_write(&t, &wr);
    FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)) && pp_span_eq(pp_wr_done(&wr), bytes));
    pp_spend_key(&t, key);
}

static void round_trip_entry(struct pp_span bytes)
{
    uint8_t again[PP_WALLET_ENTRY_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_wallet_entry e;

    if (!pp_is_ok(pp_wallet_entry_parse(bytes, &e)))
        return;
    pp_wallet_entry_write(&e, &wr);
    FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)) && pp_span_eq(pp_wr_done(&wr), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    round_trip_token(pp_span(data, len));
    round_trip_entry(pp_span(data, len));
    return 0;
}
