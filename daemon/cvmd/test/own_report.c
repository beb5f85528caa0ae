/* SPDX-License-Identifier: Apache-2.0 */
/* What the attester finds wrong with a report of its own machine. */
#include "harness.h"

#include "own_report.h"
#include "rd.h"
#include "snp.h"
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

/* A quote of version 4, or 5 with its body type; `*ret_body` is where the body begins. */
static size_t quote(uint16_t version, uint16_t type, uint32_t body_len, uint8_t *bytes, size_t cap,
                    size_t *ret_body)
{
    struct pp_wr wr = pp_wr_over(bytes, cap);

    pp_wr_u16le(&wr, version);
    pp_wr_zeros(&wr, 46);
    if (version == 5) {
        pp_wr_u16le(&wr, type);
        pp_wr_u32le(&wr, body_len);
    }
    *ret_body = wr.len;
    pp_wr_zeros(&wr, 0xB8);
    pp_wr_span(&wr, PP_BYTES(digest));
    pp_wr_zeros(&wr, 0x208 - 0xB8 - sizeof digest);
    pp_wr_span(&wr, PP_BYTES(report_data));
    pp_wr_fill_to(&wr, *ret_body + body_len);
    pp_wr_u32le(&wr, 3);
    pp_wr_text(&wr, "sig");
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

static void a_quote_is_cut_where_its_signature_data_ends(void **state)
{
    static const struct {
        uint16_t version, type;
        uint32_t body_len;
        enum pp_code code;
    } ROWS[] = { { 4, 0, 584, PP_E_OK },     { 5, 2, 584, PP_E_OK },     { 5, 3, 648, PP_E_OK },
                 { 5, 2, 648, PP_E_FORMAT }, { 5, 3, 584, PP_E_FORMAT }, { 5, 1, 584, PP_E_FORMAT },
                 { 3, 0, 584, PP_E_FORMAT }, { 6, 0, 584, PP_E_FORMAT } };
    static uint8_t bytes[1024];
    struct pp_span cut;
    size_t body;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        memset(bytes, 0xFF, sizeof bytes);
        size_t len = quote(ROWS[i].version, ROWS[i].type, ROWS[i].body_len, bytes, sizeof bytes,
                           &body);
        assert_code(judge(PP_PLATFORM_TDX, bytes, len + 65, &cut), ROWS[i].code);
        assert_code(judge(PP_PLATFORM_SIM_TDX, bytes, len, &cut), ROWS[i].code);
        if (ROWS[i].code != PP_E_OK)
            continue;
        assert_int_equal(cut.len, len);
        for (size_t n = 0; n < len; n += 13)
            assert_code(judge(PP_PLATFORM_TDX, bytes, n, &cut), PP_E_FORMAT);
        assert_code(judge(PP_PLATFORM_TDX, bytes, len - 1, &cut), PP_E_FORMAT);
    }
}

static void a_quote_is_over_what_was_asked_with_our_configuration(void **state)
{
    static uint8_t bytes[1024];
    struct pp_span cut;
    size_t body;

    (void)state;
    size_t len = quote(4, 0, 584, bytes, sizeof bytes, &body);
    bytes[body + 0x208 + 63] ^= 1;
    assert_code(judge(PP_PLATFORM_TDX, bytes, len, &cut), PP_E_MISMATCH);
    (void)quote(4, 0, 584, bytes, sizeof bytes, &body);
    bytes[body + 0xB8] ^= 1;
    assert_code(judge(PP_PLATFORM_TDX, bytes, len, &cut), PP_E_SNP_HOST_DATA);
    (void)quote(4, 0, 584, bytes, sizeof bytes, &body);
    bytes[body + 0xB8 + 47] = 1; /* behind the digest MRCONFIGID is zero */
    assert_code(judge(PP_PLATFORM_TDX, bytes, len, &cut), PP_E_SNP_HOST_DATA);
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, reset)
    CASE(an_snp_report_is_over_what_was_asked_at_level_0_with_our_configuration),
    CASE(an_snp_report_of_another_length_or_form_is_refused),
    CASE(a_quote_is_cut_where_its_signature_data_ends),
    CASE(a_quote_is_over_what_was_asked_with_our_configuration),
};

PP_TEST_MAIN(tests)
