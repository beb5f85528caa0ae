/* SPDX-License-Identifier: Apache-2.0 */
/* Token key files: what is taken has a key of its type and a time of issue. */
#include "fuzz.h"

#include "token_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_token_key k = { 0 };

    if (!pp_is_ok(pp_token_key_parse(pp_span(data, len), NULL, &k)))
        return 0;
    FUZZ_CHECK(k.issue_from_s < k.issue_until_s);
    FUZZ_CHECK(k.key.pub.pk_len == (k.key.pub.type == PP_TOKEN_BLIND_RSA ? 342u : 32u));
    pp_token_key_done(&k);
    return 0;
}
