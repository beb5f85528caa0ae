/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol/ledger.md, "Calls": what a log answers to a submission. */
#include "harness.h"

#include "submit.h"

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct pp_submit_answer answer;

static pp_res parse(uint32_t status, const char *body, size_t count)
{
    return pp_submit_answer_parse(status, pp_span_cstr(body), count, &answer);
}

static void a_published_batch_has_an_index_for_each_entry(void **state)
{
    (void)state;
    assert_ok(parse(200, "published 9\n3 " ID "\n8 " ID "\n", 2));
    assert_int_equal(answer.published, 1);
    assert_int_equal(answer.size, 9);
    assert_int_equal(answer.index[1], 8);
    assert_int_equal(answer.ids[0].bytes[1], 0x11);
    assert_ok(parse(202, "pending\n", 2));
    assert_int_equal(answer.published, 0);
}

static void an_answer_of_another_form_is_none(void **state)
{
    static const char *const bodies[] = {
        "",
        "published 9\n",
        "published 9\n3 " ID,
        "published 9\n3 " ID "\n4 " ID "\n",
        "published 9\n9 " ID "\n", /* behind the tree's end */
        "published 09\n3 " ID "\n",
        "published 9 \n3 " ID "\n",
        "published  9\n3 " ID "\n",
        "Published 9\n3 " ID "\n",
        "published 9\n3 " ID " \n",
        "published 9\n3  " ID "\n",
        "published 9\n-3 " ID "\n",
        "published 9\n3 00\n",
        "published 9\n3 " ID "\n\n",
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(bodies); i++)
        assert_false(pp_is_ok(parse(200, bodies[i], 1)));
    assert_ok(parse(200, "published 9\n3 " ID "\n", 1));
}

static void a_refusal_names_the_entry_and_the_rule(void **state)
{
    (void)state;
    assert_code(parse(422, "refused 1 LEDGER_SERIAL\n", 2), PP_E_LOG_REFUSED);
    assert_int_equal(answer.refused, 1);
    assert_int_equal(answer.rule, PP_E_LEDGER_SERIAL);
    assert_code(parse(422, "refused batch LIMIT\n", 2), PP_E_LOG_REFUSED);
    assert_int_equal(answer.refused, 2);
    assert_code(parse(422, "refused 0 SOME_RULE_OF_TOMORROW\n", 2), PP_E_LOG_REFUSED);
    assert_int_equal(answer.rule, PP_E_LEDGER_RECORD);
    assert_code(parse(422, "refused 2 LEDGER_SERIAL\n", 2), PP_E_RANGE);
    assert_code(parse(422, "refused 1 LEDGER_SERIAL", 2), PP_E_FORMAT);
    assert_code(parse(422, "refused LEDGER_SERIAL\n", 2), PP_E_FORMAT);
    assert_code(parse(422, "refused 0 A B\n", 2), PP_E_FORMAT);
    assert_code(parse(503, "refused batch BUSY\n", 2), PP_E_BUSY);
    assert_code(parse(507, "failed\n", 2), PP_E_HTTP_STATUS);
    assert_code(parse(404, "", 2), PP_E_HTTP_STATUS);
    assert_code(parse(202, "", PP_SUBMIT_MAX + 1), PP_E_LIMIT);
}

/* Nothing is sent of a batch that no log takes. */
static void a_batch_beyond_the_log_s_limits_is_not_sent(void **state)
{
    static uint8_t big[PP_SUBMIT_BYTES_MAX - 3];
    struct pp_span entries[PP_SUBMIT_MAX + 1];
    struct pp_problem problem = { 0 };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(entries); i++)
        entries[i] = PP_STR("x");
    assert_code(pp_submit_batch("http://127.0.0.1:1", PP_STR(""), entries, PP_SUBMIT_MAX + 1,
                                &answer, &problem),
                PP_E_LIMIT);
    assert_code(pp_submit_batch("http://127.0.0.1:1", PP_STR(""), entries, 0, &answer, &problem),
                PP_E_LIMIT);
    entries[0] = PP_BYTES(big);
    assert_code(pp_submit_batch("http://127.0.0.1:1", PP_STR(""), entries, 1, &answer, &problem),
                PP_E_LIMIT);
    /* one byte less fits, and finds nobody there */
    entries[0].len--;
    assert_code(pp_submit_batch("http://127.0.0.1:1", PP_STR(""), entries, 1, &answer, &problem),
                PP_E_NETWORK);
    assert_string_equal(problem.party, "log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_batch_has_an_index_for_each_entry),
        cmocka_unit_test(an_answer_of_another_form_is_none),
        cmocka_unit_test(a_refusal_names_the_entry_and_the_rule),
        cmocka_unit_test(a_batch_beyond_the_log_s_limits_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
