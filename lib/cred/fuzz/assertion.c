/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions: what is accepted is what was written under the key, byte for byte. */
#include "fuzz.h"

#include "assertion.h"

enum { NOW_S = 1771243200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t key[PP_ASSERTION_KEY_BYTES] = { 1 };
    const struct pp_span keys[] = { PP_BYTES(key) };
    const struct pp_span issuer = PP_STR("issuer.example");
    char again[PP_ASSERTION_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_assertion a;

    if (!pp_is_ok(pp_assertion_check(pp_span(data, len), issuer, keys, 1, NOW_S, &a)))
        return 0;
    FUZZ_CHECK(a.expiry_s > NOW_S && a.account_len >= 1);
    FUZZ_CHECK(pp_is_ok(pp_assertion_write(&a, issuer, keys[0], &wr)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    return 0;
}
