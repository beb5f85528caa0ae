/* SPDX-License-Identifier: Apache-2.0 */
/* A PE image, and the same with a byte of its checksum changed, which no digest covers. */
#include "fuzz.h"

#include "direct_boot.h"

enum { FILE_MAX = 8192, PE_AT = 0x3C, CHECKSUM = 24 + 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t file[FILE_MAX];
    uint8_t one[PP_SHA384_BYTES], two[PP_SHA384_BYTES];

    if (len > sizeof file || !pp_is_ok(pp_pe_digest(pp_span(data, len), one)))
        return 0;
    memcpy(file, data, len);
    size_t pe = (size_t)file[PE_AT] | (size_t)file[PE_AT + 1] << 8;
    if (pe < PE_AT) /* a header that holds its own address */
        return 0;
    file[pe + CHECKSUM] ^= 1;
    FUZZ_CHECK(pp_is_ok(pp_pe_digest(pp_span(file, len), two)));
    FUZZ_CHECK(memcmp(one, two, sizeof one) == 0);
    return 0;
}
