/* SPDX-License-Identifier: Apache-2.0 */
/* Batched tokens 6: generic batches. Published figures: ppctl vectors privacypass. */
#include "cred_test.h"

enum { REQUEST_5 = 35, REQUEST_2 = 259, RESPONSE_5 = 96, RESPONSE_2 = 256 };

/* Requests of both types; the lengths are what matters here. */
static size_t write_requests(uint8_t *buf, size_t cap)
{
    uint8_t five[REQUEST_5] = { 0, 5, 7 }, two[REQUEST_2] = { 0, 2, 9 };
    const struct pp_span parts[] = { PP_BYTES(five), PP_BYTES(two), PP_BYTES(five) };
    struct pp_wr wr = pp_wr_over(buf, cap);

    pp_cred_generic_write(parts, PP_ARRAY_COUNT(parts), &wr);
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

static size_t write_answers(uint8_t *buf, size_t cap)
{
    uint8_t five[RESPONSE_5] = { 1 }, two[RESPONSE_2] = { 2 };
    const struct pp_cred_generic_answer answers[] = {
        { .type = 5, .response = PP_BYTES(five) },
        { .response = { NULL, 0 } },
        { .type = 2, .response = PP_BYTES(two) },
    };
    struct pp_wr wr = pp_wr_over(buf, cap);

    pp_cred_generic_answers_write(answers, PP_ARRAY_COUNT(answers), &wr);
    assert_ok(pp_wr_ok(&wr));
    return wr.len;
}

static void requests_of_both_types_stand_behind_one_another(void **state)
{
    (void)state;
    uint8_t bytes[512] = { 0 };
    size_t len = write_requests(bytes, sizeof bytes), count = 0;
    struct pp_span parts[PP_CRED_GENERIC_MAX];
    struct pp_cred_request q;

    assert_int_equal(len, 2 + 2 * REQUEST_5 + REQUEST_2);
    assert_ok(pp_cred_generic_parse(pp_span(bytes, len), parts, &count));
    assert_int_equal(count, 3);
    assert_int_equal(parts[1].len, REQUEST_2);
    assert_ok(pp_cred_request_parse(PP_CRED_SINGLE, parts[1], &q));
    assert_int_equal(q.type, 2);
    assert_int_equal(q.truncated_key_id, 9);
    for (size_t n = 0; n < len; n++)
        assert_code(pp_cred_generic_parse(pp_span(bytes, n), parts, &count), PP_E_TRUNCATED);
    assert_code(pp_cred_generic_parse(pp_span(bytes, len + 1), parts, &count), PP_E_TRAILING);
}

static void answers_may_be_absent(void **state)
{
    (void)state;
    uint8_t bytes[512] = { 0 };
    size_t len = write_answers(bytes, sizeof bytes), count = 0;
    struct pp_cred_generic_answer answers[PP_CRED_GENERIC_MAX];

    assert_int_equal(len, 2 + 3 + RESPONSE_5 + 1 + 3 + RESPONSE_2);
    assert_ok(pp_cred_generic_answers_parse(pp_span(bytes, len), answers, &count));
    assert_int_equal(count, 3);
    assert_int_equal(answers[0].type, 5);
    assert_int_equal(answers[0].response.len, RESPONSE_5);
    assert_int_equal(answers[1].response.len, 0);
    assert_int_equal(answers[2].response.len, RESPONSE_2);
    for (size_t n = 0; n < len; n++)
        assert_code(pp_cred_generic_answers_parse(pp_span(bytes, n), answers, &count),
                    PP_E_TRUNCATED);
    assert_code(pp_cred_generic_answers_parse(pp_span(bytes, len + 1), answers, &count),
                PP_E_TRAILING);
    bytes[2] = 2; /* neither absent nor present */
    assert_code(pp_cred_generic_answers_parse(pp_span(bytes, len), answers, &count), PP_E_ENCODING);
    bytes[2] = 1;
    bytes[4] = 1; /* of a type whose length nobody knows */
    assert_code(pp_cred_generic_answers_parse(pp_span(bytes, len), answers, &count),
                PP_E_UNSUPPORTED);
}

static void generic_lists_have_1_to_32_parts_and_a_shortest_length(void **state)
{
    (void)state;
    uint8_t bytes[4 + (PP_CRED_GENERIC_MAX + 1) * REQUEST_5] = { 0 };
    uint8_t absent[1 + PP_CRED_GENERIC_MAX + 1] = { PP_CRED_GENERIC_MAX };
    uint8_t five[REQUEST_5] = { 0, 5 };
    struct pp_span parts[PP_CRED_GENERIC_MAX + 1];
    struct pp_cred_generic_answer answers[PP_CRED_GENERIC_MAX];
    size_t count = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++)
        parts[i] = PP_BYTES(five);
    for (size_t n = PP_CRED_GENERIC_MAX; n <= PP_CRED_GENERIC_MAX + 1; n++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        struct pp_span read[PP_CRED_GENERIC_MAX];
        pp_cred_generic_write(parts, n, &wr);
        assert_code(pp_cred_generic_parse(pp_wr_done(&wr), read, &count),
                    n == PP_CRED_GENERIC_MAX ? PP_E_OK : PP_E_LIMIT);
    }
    assert_ok(pp_cred_generic_answers_parse(pp_span(absent, sizeof absent - 1), answers, &count));
    assert_int_equal(count, PP_CRED_GENERIC_MAX);
    absent[0]++;
    assert_code(pp_cred_generic_answers_parse(PP_BYTES(absent), answers, &count), PP_E_LIMIT);

    assert_code(pp_cred_generic_parse(PP_STR("\0"), parts, &count), PP_E_RANGE);
    assert_code(pp_cred_generic_answers_parse(PP_STR("\0"), answers, &count), PP_E_RANGE);
    assert_code(pp_cred_generic_answers_parse(PP_STR("\x40\x01\0"), answers, &count),
                PP_E_ENCODING);
    assert_code(pp_cred_generic_parse(PP_STR("\x03\0\x01\0"), parts, &count), PP_E_UNSUPPORTED);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(requests_of_both_types_stand_behind_one_another),
    cmocka_unit_test(answers_may_be_absent),
    cmocka_unit_test(generic_lists_have_1_to_32_parts_and_a_shortest_length),
};

CRED_TEST_MAIN(TESTS)
