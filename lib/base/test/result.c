/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "problem.h"
#include "result.h"

static pp_res inner(int fail)
{
    PP_CHECK(!fail, PP_E_RANGE, 42);
    return PP_OK;
}

static pp_res outer(int fail)
{
    PP_TRY(inner(fail));
    return PP_FAIL(PP_E_STATE, 0);
}

static pp_res translating(int fail)
{
    PP_TRY_AS(PP_E_AUTH, inner(fail));
    return PP_OK;
}

static void a_failure_travels_with_its_place_and_number(void **state)
{
    (void)state;
    pp_res r = outer(1);

    assert_code(r, PP_E_RANGE);
    assert_int_equal(r.detail, 42);
    assert_non_null(strstr(r.where, "result.c:"));
    assert_code(outer(0), PP_E_STATE);
    assert_code(translating(1), PP_E_AUTH);
    assert_ok(translating(0));
    assert_true(pp_is_ok(PP_OK) && PP_OK.where == NULL);
}

static void every_code_has_a_name_a_class_and_a_sentence_and_no_two_share_a_number(void **state)
{
    (void)state;
    static const uint32_t codes[] = {
#define CODE(name, number, cls, text, todo) number,
        PP_CODES(CODE)
#undef CODE
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(codes); i++) {
        assert_true(strlen(pp_code_name(codes[i])) > 0);
        assert_true(strlen(pp_code_text(codes[i])) > 0);
        assert_non_null(pp_code_todo(codes[i]));
        for (size_t k = i + 1; k < PP_ARRAY_COUNT(codes); k++)
            assert_int_not_equal(codes[i], codes[k]);
    }
    assert_string_equal(pp_code_name(PP_E_SNP_BINDING), "SNP_BINDING");
    assert_int_equal(pp_code_class(PP_E_SNP_BINDING), PP_CLASS_REFUSED);
    assert_int_equal(pp_code_class(PP_E_NO_TOKENS), PP_CLASS_BUSY);
    assert_string_equal(pp_code_name(99999), "UNKNOWN");
}

static void sums_and_products_fail_instead_of_wrapping(void **state)
{
    (void)state;
    size_t v = 1;

    assert_ok(pp_add(SIZE_MAX - 1, 1, &v));
    assert_true(v == SIZE_MAX);
    assert_code(pp_add(SIZE_MAX, 1, &v), PP_E_RANGE);
    assert_code(pp_mul(SIZE_MAX / 2, 3, &v), PP_E_RANGE);
    assert_ok(pp_mul(6, 7, &v));
    assert_int_equal(v, 42);
}

static void the_words_of_a_refusal_are_cut_and_printable(void **state)
{
    (void)state;
    struct pp_problem p = { 0 };
    char large[400];

    memset(large, 'x', sizeof large);
    large[3] = '\n';
    pp_problem_set(&p, "field", "expected", pp_span(large, sizeof large));
    assert_string_equal(p.field, "field");
    assert_int_equal(strlen(p.got), sizeof p.got - 1);
    assert_memory_equal(p.got, "xxx.x", 5);
    assert_string_equal(p.got + sizeof p.got - 4, "...");
    pp_problem_hex(&p, "digest", pp_span("\x01\xff", 2), pp_span("\x02", 1));
    assert_string_equal(p.expected, "01ff");
    assert_string_equal(p.got, "02");
    pp_problem_numbers(&p, "size", 10, 0);
    assert_string_equal(p.expected, "10");
    assert_string_equal(p.got, "0");
    pp_problem_set(NULL, "nobody", "asked", PP_STR(""));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_failure_travels_with_its_place_and_number),
    cmocka_unit_test(every_code_has_a_name_a_class_and_a_sentence_and_no_two_share_a_number),
    cmocka_unit_test(sums_and_products_fail_instead_of_wrapping),
    cmocka_unit_test(the_words_of_a_refusal_are_cut_and_printable),
};

PP_TEST_MAIN(TESTS)
