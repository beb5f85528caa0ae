/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge that was read is written to the same bytes, and its digest is theirs. */
#include "fuzz.h"

#include "cred.h"
#include "hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[2 * UINT16_MAX + 64];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_token_challenge c;
    uint8_t digest[32], expected[32];

    if (!pp_is_ok(pp_token_challenge_parse(pp_span(data, len), &c)))
        return 0;
    FUZZ_CHECK(pp_is_ok(pp_token_challenge_write(&c, &wr)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    FUZZ_CHECK(pp_is_ok(pp_token_challenge_digest(&c, digest)));
    pp_sha256(pp_span(data, len), expected);
    FUZZ_CHECK(memcmp(digest, expected, 32) == 0);
    return 0;
}
