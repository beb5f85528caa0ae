/* SPDX-License-Identifier: Apache-2.0 */
/* What the attester finds wrong with a report of its own machine. */
#include "harness.h"

#include "own_report.h"
#include "snp.h"
#include "tdx.h"
#include "wr.h"

static uint8_t report_data[PP_REPORT_DATA_BYTES], digest[PP_DIGEST_BYTES];

static int reset(void **state)
{
    (void)state;
    memset(report_data, 0xD1, sizeof report_data);
    memset(digest, 0xC0, sizeof digest);
    return 0;
}

static pp_res judge(enum pp_platform platform, const void *bytes, size_t len, struct pp_span *ret)
{
    return cvm_own_report(platform, pp_span(bytes, len), report_data, digest, ret);
}

static struct pp_snp_report good(void)
{
    struct pp_snp_report r = { .version = 3, .policy = PP_SNP_POLICY_MUST_BE_ONE };

    memcpy(r.report_data, report_data, sizeof r.report_data);
    memcpy(r.host_data, digest, sizeof r.host_data);
    return r;
}

static void assert_snp(const struct pp_snp_report *r, enum pp_code code)
{
    uint8_t bytes[PP_SNP_REPORT_BYTES];
    struct pp_span cut;

    assert_ok(pp_snp_report_write(r, bytes, sizeof bytes));
    assert_code(judge(PP_PLATFORM_SEV_SNP, bytes, sizeof bytes, &cut), code);
    assert_code(judge(PP_PLATFORM_SIM_SNP, bytes, sizeof bytes, &cut), code);
}

static void an_snp_report_is_over_what_was_asked_at_level_0_with_our_configuration(void **state)
{
    (void)state;
    struct pp_snp_report r = good();
    assert_snp(&r, PP_E_OK);
    for (size_t i = 0; i < sizeof r.report_data; i += 21) {
        r = good();
        r.report_data[i] ^= 1;
        assert_snp(&r, PP_E_MISMATCH);
    }
    for (uint32_t vmpl = 1; vmpl <= 3; vmpl++) {
        r = good();
        r.vmpl = vmpl;
        assert_snp(&r, PP_E_MISMATCH);
    }
    r = good();
    r.vmpl = UINT32_MAX; /* a report that the host asked for */
    assert_snp(&r, PP_E_MISMATCH);
    r = good();
    r.host_data[31] ^= 1;
    assert_snp(&r, PP_E_SNP_HOST_DATA);
}

static void an_snp_report_of_another_length_or_form_is_refused(void **state)
{
    uint8_t bytes[PP_SNP_REPORT_BYTES + 1] = { 0 };
    struct pp_snp_report r = good();
    struct pp_span cut;

    (void)state;
    assert_ok(pp_snp_report_write(&r, bytes, PP_SNP_REPORT_BYTES));
    for (size_t len = 0; len < PP_SNP_REPORT_BYTES; len += 37)
        assert_code(judge(PP_PLATFORM_SEV_SNP, bytes, len, &cut), PP_E_FORMAT);
    assert_code(judge(PP_PLATFORM_SEV_SNP, bytes, sizeof bytes, &cut), PP_E_FORMAT);
    bytes[0] = 1; /* a version that is not known */
    assert_code(judge(PP_PLATFORM_SEV_SNP, bytes, PP_SNP_REPORT_BYTES, &cut), PP_E_FORMAT);
}

static struct pp_tdx_quote good_quote(uint16_t version)
{
    struct pp_tdx_quote q = { .version = version,
                              .body_type = version == 4 ? PP_TDX_BODY_10 : PP_TDX_BODY_15,
                              .qe_auth = PP_STR("auth"),
                              .pck_chain = PP_STR("chain") };

    memcpy(q.qe_vendor, PP_TDX_QE_VENDOR_INTEL, sizeof q.qe_vendor);
    memcpy(q.body.report_data, report_data, sizeof q.body.report_data);
    memcpy(q.body.mrconfigid, digest, sizeof digest);
    return q;
}

static void assert_quote(const struct pp_tdx_quote *q, enum pp_code code)
{
    static uint8_t bytes[4096];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_span cut;

    memset(bytes, 0xFF, sizeof bytes);
    pp_tdx_quote_write_signed(&wr, q);
    pp_tdx_quote_write_rest(&wr, q);
    assert_ok(pp_wr_ok(&wr));
    assert_code(judge(PP_PLATFORM_SIM_TDX, bytes, wr.len, &cut), code);
    assert_code(judge(PP_PLATFORM_TDX, bytes, wr.len + 65, &cut), code);
    assert_code(judge(PP_PLATFORM_SEV_SNP, bytes, wr.len, &cut), PP_E_FORMAT);
    if (code != PP_E_OK)
        return;
    assert_int_equal(cut.len, wr.len); /* pp-wire 7: what stands behind is cut off */
    for (size_t n = 0; n < wr.len; n += 31)
        assert_code(judge(PP_PLATFORM_TDX, bytes, n, &cut), PP_E_FORMAT);
}

static void a_quote_is_over_what_was_asked_with_our_configuration_and_cut(void **state)
{
    (void)state;
    for (uint16_t version = 4; version <= 5; version++) {
        struct pp_tdx_quote q = good_quote(version);
        assert_quote(&q, PP_E_OK);
        q.body.report_data[63] ^= 1;
        assert_quote(&q, PP_E_MISMATCH);
        q = good_quote(version);
        q.body.mrconfigid[0] ^= 1;
        assert_quote(&q, PP_E_SNP_HOST_DATA);
        q = good_quote(version);
        q.body.mrconfigid[47] = 1; /* behind the digest it is zero */
        assert_quote(&q, PP_E_SNP_HOST_DATA);
    }
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, reset)
    CASE(an_snp_report_is_over_what_was_asked_at_level_0_with_our_configuration),
    CASE(an_snp_report_of_another_length_or_form_is_refused),
    CASE(a_quote_is_over_what_was_asked_with_our_configuration_and_cut),
};

PP_TEST_MAIN(tests)
