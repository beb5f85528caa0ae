/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a firmware file (the last bytes of a page of zeros) with TDX metadata, and its MRTD.
 */
#include "fuzz.h"

#include "tdvf.h"

enum { PAGES_MAX = 256 }; /* measuring more takes too long for a fuzzer */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t file[PP_LAUNCH_PAGE_BYTES];
    uint8_t mrtd[PP_SHA384_BYTES];
    size_t n = len < sizeof file ? len : sizeof file, pages = 0;
    struct pp_tdvf t;

    pp_ignore(pp_tdvf_parse(pp_span(data, len), &t), "any outcome is fine here");
    memset(file, 0, sizeof file);
    if (n > 0)
        memcpy(file + sizeof file - n, data, n);
    if (!pp_is_ok(pp_tdvf_parse(PP_BYTES(file), &t)))
        return 0;
    for (size_t i = 0; i < t.section_count; i++) {
        pages += (size_t)(t.sections[i].memory_bytes / PP_LAUNCH_PAGE_BYTES);
        FUZZ_CHECK(t.sections[i].raw_bytes <= sizeof file);
    }
    FUZZ_CHECK(pages >= 1 && pages <= PP_TDVF_PAGES_MAX);
    if (pages > PAGES_MAX)
        return 0;
    pp_tdvf_mrtd(&t, PP_TDX_BY_PAGE, mrtd);
    pp_tdvf_mrtd(&t, PP_TDX_BY_SECTION, mrtd);
    return 0;
}
