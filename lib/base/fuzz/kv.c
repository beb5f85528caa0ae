/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "kv.h"

struct target {
    struct pp_span address;
    uint64_t limit;
    uint32_t verbose;
    struct pp_kv_list relays;
};

static const struct pp_kv_key KEYS[] = {
    { "address", PP_KV_TEXT, offsetof(struct target, address), 1, 1, 64, "an address" },
    { "limit", PP_KV_U64, offsetof(struct target, limit), 0, 1, 1000, "1 to 1000" },
    { "verbose", PP_KV_FLAG, offsetof(struct target, verbose), 0, 0, 0, "yes or no" },
    { "relay", PP_KV_LIST, offsetof(struct target, relays), 0, 0, 0, "a URL" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct target t = { 0 };
    struct pp_problem problem = { 0 };
    pp_res r = pp_kv_read(pp_span(data, len), KEYS, PP_ARRAY_COUNT(KEYS), &t, &problem);

    if (pp_is_ok(r)) {
        FUZZ_CHECK(t.address.len >= 1 && t.address.len <= 64);
        FUZZ_CHECK(t.limit <= 1000 && t.verbose <= 1);
    } else {
        FUZZ_CHECK(r.code == PP_E_CONFIG && problem.field[0] != '\0');
    }
    return 0;
}
