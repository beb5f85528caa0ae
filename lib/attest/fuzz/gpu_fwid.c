/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the extension with a firmware id: its digest stands in them, behind SHA-384's OID. */
#include "fuzz.h"

#include "gpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t fwid[PP_GPU_HASH_BYTES];
    pp_res r = pp_gpu_fwid_parse(pp_span(data, len), fwid);

    if (!pp_is_ok(r)) {
        FUZZ_CHECK(r.code == PP_E_GPU_FWID);
        return 0;
    }
    FUZZ_CHECK(len >= 65 && data[0] == 0x30);
    FUZZ_CHECK(memmem(data, len, fwid, sizeof fwid) != NULL);
    return 0;
}
