/* SPDX-License-Identifier: Apache-2.0 */
/* pp-wire 2: the blob of a bundle that carries a TDX platform's collateral. */
#include "harness.h"

#include "collateral.h"

static uint8_t blob[512];

static struct pp_span sample(struct pp_collateral *ret)
{
    struct pp_wr wr = pp_wr_over(blob, sizeof blob);

    *ret = (struct pp_collateral){ .fmspc = { 0x90, 0xC0, 0x6F, 0, 0, 0 },
                                   .platform_ca = 1,
                                   .tcb_info = PP_STR("{1}"),
                                   .tcb_info_chain = PP_STR("-2-"),
                                   .qe_identity = PP_STR("{3}"),
                                   .qe_identity_chain = PP_STR("-4-"),
                                   .pck_crl = PP_STR("5"),
                                   .root_crl = PP_STR("6") };
    assert_ok(pp_collateral_write(&wr, ret));
    return pp_wr_done(&wr);
}

static void what_was_written_reads_back_in_its_places(void **state)
{
    (void)state;
    struct pp_collateral in, out;
    struct pp_span bytes = sample(&in);

    assert_ok(pp_collateral_parse(bytes, &out));
    assert_memory_equal(out.fmspc, in.fmspc, sizeof in.fmspc);
    assert_int_equal(out.platform_ca, 1);
    assert_true(pp_span_eq(out.tcb_info, in.tcb_info));
    assert_true(pp_span_eq(out.tcb_info_chain, in.tcb_info_chain));
    assert_true(pp_span_eq(out.qe_identity, in.qe_identity));
    assert_true(pp_span_eq(out.qe_identity_chain, in.qe_identity_chain));
    assert_true(pp_span_eq(out.pck_crl, in.pck_crl));
    assert_true(pp_span_eq(out.root_crl, in.root_crl));
}

static void every_truncation_and_any_byte_behind_it_is_refused(void **state)
{
    (void)state;
    struct pp_collateral c;
    struct pp_span bytes = sample(&c);

    for (size_t n = 0; n < bytes.len; n++)
        assert_false(pp_is_ok(pp_collateral_parse(pp_span(bytes.at, n), &c)));
    blob[bytes.len] = 0;
    assert_code(pp_collateral_parse(pp_span(blob, bytes.len + 1), &c), PP_E_TRAILING);
}

static void a_blob_of_another_kind_is_none_of_ours(void **state)
{
    (void)state;
    struct pp_collateral c;
    struct pp_span bytes = sample(&c);

    blob[4] = 'y';
    assert_code(pp_collateral_parse(bytes, &c), PP_E_UNSUPPORTED);
    assert_false(pp_is_ok(pp_collateral_parse(PP_STR("<?xml version=\"1.0\"?>"), &c)));
}

static void an_empty_document_or_one_past_the_limit_is_refused(void **state)
{
    (void)state;
    static uint8_t large[PP_COLLATERAL_DOCUMENT_BYTES_MAX + 1], out[2 << 17];
    struct pp_collateral c, again;

    (void)sample(&c);
    for (size_t over = 0; over < 2; over++) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        c.qe_identity = pp_span(large, PP_COLLATERAL_DOCUMENT_BYTES_MAX + over);
        assert_ok(pp_collateral_write(&wr, &c));
        assert_int_equal(pp_is_ok(pp_collateral_parse(pp_wr_done(&wr), &again)), over == 0);
    }
    c.qe_identity = PP_STR("");
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_collateral_write(&wr, &c));
    assert_false(pp_is_ok(pp_collateral_parse(pp_wr_done(&wr), &again)));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(what_was_written_reads_back_in_its_places),
    cmocka_unit_test(every_truncation_and_any_byte_behind_it_is_refused),
    cmocka_unit_test(a_blob_of_another_kind_is_none_of_ours),
    cmocka_unit_test(an_empty_document_or_one_past_the_limit_is_refused),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
