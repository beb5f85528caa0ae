/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "sp.h"

static uint8_t out[PP_SP_ANSWER_BYTES_MAX + 16];
static uint8_t big[PP_SP_HINTS_BYTES_MAX + 1];

static void requests_cross_and_no_other_length_does(void **state)
{
    uint8_t report_data[PP_SP_REPORT_DATA_BYTES] = { 1, 2, 3 };
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span got;

    (void)state;
    pp_sp_request_write(&wr, report_data);
    assert_int_equal(wr.len, PP_SP_REQUEST_BYTES);
    assert_ok(pp_sp_request_parse(pp_wr_done(&wr), &got));
    assert_true(pp_span_eq(got, PP_BYTES(report_data)));
    for (size_t n = 0; n < wr.len; n++)
        assert_code(pp_sp_request_parse(pp_span(out, n), &got), PP_E_TRUNCATED);
    assert_code(pp_sp_request_parse(pp_span(out, wr.len + 1), &got), PP_E_TRAILING);
    out[0] = 2; /* there is no other operation, least of all one that signs a caller's bytes */
    assert_code(pp_sp_request_parse(pp_wr_done(&wr), &got), PP_E_FORMAT);
}

static void answers_cross_and_no_truncation_does(void **state)
{
    struct pp_sp_answer a = { .done = 1,
                              .report = PP_STR("report"),
                              .endorsement = PP_STR("chip"),
                              .hints = PP_STR("hints") };
    struct pp_sp_answer got;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_ok(pp_sp_answer_parse(pp_wr_done(&wr), &got));
    assert_true(got.done && pp_span_eq(got.report, a.report) && pp_span_eq(got.hints, a.hints));
    assert_true(pp_span_eq(got.endorsement, a.endorsement));
    for (size_t n = 0; n < wr.len; n++)
        assert_code(pp_sp_answer_parse(pp_span(out, n), &got), PP_E_TRUNCATED);
    assert_code(pp_sp_answer_parse(pp_span(out, wr.len + 1), &got), PP_E_TRAILING);
}

static void an_answer_is_done_with_a_report_or_failed_without(void **state)
{
    static const struct {
        const char *hex;
        enum pp_code code;
    } ROWS[] = {
        { "01 00000000 00000000 00000000", PP_E_OK },
        { "00 00000001 41 00000000 00000000", PP_E_OK },
        { "00 00000000 00000000 00000000", PP_E_FORMAT },
        { "01 00000001 41 00000000 00000000", PP_E_FORMAT },
        { "01 00000000 00000001 41 00000000", PP_E_FORMAT },
        { "01 00000000 00000000 00000001 41", PP_E_FORMAT },
        { "02 00000000 00000000 00000000", PP_E_FORMAT },
    };
    struct pp_sp_answer got;

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        size_t len = pp_test_hex(ROWS[i].hex, out, sizeof out);
        assert_code(pp_sp_answer_parse(pp_span(out, len), &got), ROWS[i].code);
    }
}

static void each_part_stops_at_its_limit(void **state)
{
    struct pp_sp_answer a = { .done = 1,
                              .report = pp_span(big, PP_SP_REPORT_BYTES_MAX),
                              .endorsement = pp_span(big, PP_SP_ENDORSEMENT_BYTES_MAX),
                              .hints = pp_span(big, PP_SP_HINTS_BYTES_MAX) };
    struct pp_sp_answer got;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    (void)state;
    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_int_equal(wr.len, PP_SP_ANSWER_BYTES_MAX);
    assert_ok(pp_sp_answer_parse(pp_wr_done(&wr), &got));
    a.hints = PP_BYTES(big);
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_code(pp_sp_answer_parse(pp_wr_done(&wr), &got), PP_E_LIMIT);
    a.hints = (struct pp_span){ 0 };
    a.endorsement.len++;
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_code(pp_sp_answer_parse(pp_wr_done(&wr), &got), PP_E_LIMIT);
    a.endorsement.len--;
    a.report.len++;
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_sp_answer_write(&wr, &a));
    assert_code(pp_sp_answer_parse(pp_wr_done(&wr), &got), PP_E_LIMIT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(requests_cross_and_no_other_length_does),
    cmocka_unit_test(answers_cross_and_no_truncation_does),
    cmocka_unit_test(an_answer_is_done_with_a_report_or_failed_without),
    cmocka_unit_test(each_part_stops_at_its_limit),
};

PP_TEST_MAIN(tests)
