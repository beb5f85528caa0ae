/* SPDX-License-Identifier: Apache-2.0 */
#include "own_report.h"

#include "rd.h"
#include "snp.h"

/* A TDX quote (Intel's DCAP documents, "quote format"), as far as it is looked at here. */
enum {
    QUOTE_HEAD_BYTES = 46, /* behind the version */
    QUOTE_BODY_1_0 = 2,    /* body types of version 5 */
    QUOTE_BODY_1_5 = 3,
    BODY_1_0_BYTES = 584,
    BODY_1_5_BYTES = 648,
    BODY_MRCONFIGID = 0xB8,
    BODY_REPORTDATA = 0x208,
    MRCONFIGID_ZEROS = 16, /* behind the digest (pp-wire 7) */
};

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

/* The body's length, from the version or from what version 5 says of it. */
static size_t quote_body_bytes(struct pp_rd *rd)
{
    uint16_t version = pp_rd_u16le(rd);

    pp_rd_skip(rd, QUOTE_HEAD_BYTES);
    if (version == 4)
        return BODY_1_0_BYTES;
    uint16_t type = pp_rd_u16le(rd);
    uint32_t len = pp_rd_u32le(rd);
    if (version == 5 && ((type == QUOTE_BODY_1_0 && len == BODY_1_0_BYTES) ||
                         (type == QUOTE_BODY_1_5 && len == BODY_1_5_BYTES)))
        return len;
    pp_rd_fail(rd, PP_E_FORMAT);
    return 0;
}

static pp_res own_tdx(struct pp_span bytes, const uint8_t *report_data,
                      const uint8_t *config_digest, struct pp_span *ret)
{
    uint8_t want_config[PP_DIGEST_BYTES + MRCONFIGID_ZEROS] = { 0 };
    struct pp_rd rd = pp_rd_span(bytes);
    size_t body_bytes = quote_body_bytes(&rd);
    struct pp_rd body = pp_rd_sub(&rd, body_bytes);

    pp_rd_skip(&rd, pp_rd_u32le(&rd)); /* signature data */
    pp_rd_skip(&body, BODY_MRCONFIGID);
    struct pp_span config = pp_rd_bytes(&body, sizeof want_config);
    pp_rd_skip(&body, BODY_REPORTDATA - BODY_MRCONFIGID - sizeof want_config);
    struct pp_span got = pp_rd_bytes(&body, PP_REPORT_DATA_BYTES);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&body));
    memcpy(want_config, config_digest, PP_DIGEST_BYTES);
    PP_CHECK(same(got.at, report_data, PP_REPORT_DATA_BYTES), PP_E_MISMATCH, 0);
    PP_CHECK(same(config.at, want_config, sizeof want_config), PP_E_SNP_HOST_DATA, 1);
    *ret = pp_span(bytes.at, bytes.len - rd.left);
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
