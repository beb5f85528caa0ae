/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "cbor.h"

/* What a general walk accepts has one encoding, so writing its first head again gives its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_rd rd = pp_rd_over(data, len);
    struct pp_span item = pp_cbor_rd_item(&rd);
    uint64_t v;

    if (rd.failed != PP_E_OK) {
        FUZZ_CHECK(item.len == 0);
        return 0;
    }
    FUZZ_CHECK(item.len > 0 && item.len <= len && item.at == data);
    struct pp_rd again = pp_rd_span(item);
    enum pp_cbor_major major = pp_cbor_rd_head(&again, &v);
    size_t head = item.len - again.left;
    if (major != PP_CBOR_SIMPLE)
        FUZZ_CHECK(head == pp_cbor_head_len(v));
    return 0;
}
