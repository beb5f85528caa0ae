/* SPDX-License-Identifier: Apache-2.0 */
/* What a device says and a host attaches: the first byte chooses the reader. */
#include "fuzz.h"

#include "own_report.h"
#include "report_int.h"
#include "snp.h"

static int inside(struct pp_span part, struct pp_span whole)
{
    return part.len == 0 ||
           (part.at >= whole.at && part.len <= whole.len - (size_t)(part.at - whole.at));
}

static void own(enum pp_platform platform, struct pp_span report)
{
    static const uint8_t REPORT_DATA[PP_REPORT_DATA_BYTES], CONFIG_DIGEST[PP_DIGEST_BYTES];
    struct pp_span cut;

    if (pp_is_ok(cvm_own_report(platform, report, REPORT_DATA, CONFIG_DIGEST, &cut)))
        FUZZ_CHECK(cut.at == report.at && cut.len > 0 && cut.len <= report.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cvm_attached a;
    struct pp_span report;

    if (len == 0)
        return 0;
    const struct pp_span in = pp_span(data + 1, len - 1);
    switch (data[0] % 4) {
    case 0:
        if (pp_is_ok(cvm_attached_parse(in, &a)))
            FUZZ_CHECK(inside(a.vcek, in) && inside(a.hints, in));
        break;
    case 1:
        if (pp_is_ok(cvm_sev_response_parse(in, &report)))
            FUZZ_CHECK(inside(report, in) && report.len == PP_SNP_REPORT_BYTES);
        break;
    case 2:
        own(PP_PLATFORM_SEV_SNP, in);
        break;
    default:
        own(PP_PLATFORM_TDX, in);
    }
    return 0;
}
