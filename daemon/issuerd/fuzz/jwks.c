/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets: what is taken has at least one key, and no two of one name. */
#include "fuzz.h"

#include "jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct iss_jwks set;

    if (!pp_is_ok(iss_jwks_parse(pp_span(data, len), &set)))
        return 0;
    FUZZ_CHECK(set.count >= 1 && set.count <= ISS_JWKS_KEYS_MAX);
    for (size_t i = 0; i < set.count; i++) {
        FUZZ_CHECK(set.list[i].kid_len >= 1 && set.list[i].point[0] == 4);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(!pp_span_eq(pp_span(set.list[i].kid, set.list[i].kid_len),
                                   pp_span(set.list[k].kid, set.list[k].kid_len)));
    }
    return 0;
}
