/* SPDX-License-Identifier: Apache-2.0 */
#include "own_report.h"

#include "snp.h"
#include "tdx.h"

static int same(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0; /* public values, all of them */
}

static pp_res own_snp(struct pp_span bytes, const uint8_t *report_data,
                      const uint8_t *config_digest)
{
    struct pp_snp_report report;

    PP_TRY_AS(PP_E_FORMAT, pp_snp_report_parse(bytes, &report, NULL));
    PP_CHECK(same(report.report_data, report_data, PP_REPORT_DATA_BYTES), PP_E_MISMATCH, 0);
    PP_CHECK(report.vmpl == CVM_VMPL, PP_E_MISMATCH, 1);
    PP_CHECK(same(report.host_data, config_digest, PP_DIGEST_BYTES), PP_E_SNP_HOST_DATA, 0);
    return PP_OK;
}

/* MRCONFIGID is the digest and zeros behind it (pp-wire 7). */
static pp_res own_tdx(struct pp_span bytes, const uint8_t *report_data,
                      const uint8_t *config_digest, struct pp_span *ret)
{
    uint8_t config[PP_TDX_MEASUREMENT_BYTES] = { 0 };
    struct pp_tdx_quote quote;

    PP_TRY_AS(PP_E_FORMAT, pp_tdx_quote_parse(bytes, &quote, NULL));
    memcpy(config, config_digest, PP_DIGEST_BYTES);
    PP_CHECK(same(quote.body.report_data, report_data, PP_REPORT_DATA_BYTES), PP_E_MISMATCH, 0);
    PP_CHECK(same(quote.body.mrconfigid, config, sizeof config), PP_E_SNP_HOST_DATA, 1);
    *ret = pp_span(bytes.at, quote.len);
    return PP_OK;
}

pp_res cvm_own_report(enum pp_platform platform, struct pp_span report,
                      const uint8_t report_data[PP_REPORT_DATA_BYTES],
                      const uint8_t config_digest[PP_DIGEST_BYTES], struct pp_span *ret)
{
    struct pp_span cut = report;

    if (pp_platform_is_snp(platform))
        PP_TRY(own_snp(report, report_data, config_digest));
    else
        PP_TRY(own_tdx(report, report_data, config_digest, &cut));
    *ret = cut;
    return PP_OK;
}
