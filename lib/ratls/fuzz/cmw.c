/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "cmw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_cmw cmw;
    struct pp_ccc_evidence e;

    if (pp_is_ok(pp_cmw_parse(pp_span(data, len), &cmw)))
        FUZZ_CHECK(cmw.count >= 1 && cmw.count <= PP_CMW_ITEM_MAX);
    if (pp_is_ok(pp_ccc_parse(pp_span(data, len), &e)))
        FUZZ_CHECK(e.pubkey_hash.len == pp_hash_len(e.hash));
    return 0;
}
