/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "text.h"

static void decimals_have_one_form(void **state)
{
    (void)state;
    uint64_t v = 7;

    assert_ok(pp_decimal_parse(PP_STR("0"), 10, &v));
    assert_int_equal(v, 0);
    assert_ok(pp_decimal_parse(PP_STR("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    static const char *const bad[] = { "",   "00", "01", "+1",  "-1",
                                       " 1", "1 ", "1x", "0x1", "100000000000000000000" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_decimal_parse(pp_span_cstr(bad[i]), UINT64_MAX, &v), PP_E_FORMAT);
    assert_code(pp_decimal_parse(PP_STR("18446744073709551616"), UINT64_MAX, &v), PP_E_RANGE);
    assert_code(pp_decimal_parse(PP_STR("11"), 10, &v), PP_E_RANGE);
    assert_true(v == UINT64_MAX); /* failures write nothing */
}

static void hex_is_lower_case_and_of_the_asked_length(void **state)
{
    (void)state;
    uint8_t b[2];

    assert_ok(pp_hex_parse(PP_STR("00ff"), b, 2));
    assert_int_equal(b[1], 0xff);
    assert_code(pp_hex_parse(PP_STR("00FF"), b, 2), PP_E_FORMAT);
    assert_code(pp_hex_parse(PP_STR("00f"), b, 2), PP_E_RANGE);
    assert_code(pp_hex_parse(PP_STR("00ff00"), b, 2), PP_E_RANGE);
    assert_code(pp_hex_parse(PP_STR("0g"), b, 1), PP_E_FORMAT);
}

static void base64_is_strict(void **state)
{
    (void)state;
    uint8_t b[8];
    size_t len;

    assert_ok(pp_base64_parse(PP_STR("Zm9vYmE="), b, sizeof b, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(b, "fooba", 5);
    assert_ok(pp_base64_parse(PP_STR(""), b, sizeof b, &len));
    assert_int_equal(len, 0);
    static const char *const bad[] = { "Zg=",  "Zg",    "Z",    "Zg===", "====",    "=",
                                       "Zm 9", "Zm9\n", "Zm9-", "Z===",  "Zg==Zg==" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_base64_parse(pp_span_cstr(bad[i]), b, sizeof b, &len), PP_E_FORMAT);
    assert_code(pp_base64_parse(PP_STR("Zh=="), b, sizeof b, &len), PP_E_ENCODING);
    assert_code(pp_base64_parse(PP_STR("Zm9="), b, sizeof b, &len), PP_E_ENCODING);
    assert_code(pp_base64_parse(PP_STR("Zm9vYmE="), b, 4, &len), PP_E_NO_SPACE);
    assert_ok(pp_base64url_parse(PP_STR("-__-_w"), 0, b, sizeof b, &len));
    assert_ok(pp_base64url_parse(PP_STR("-__-_w=="), 1, b, sizeof b, &len));
    assert_code(pp_base64url_parse(PP_STR("-__-_w=="), 0, b, sizeof b, &len), PP_E_FORMAT);
    assert_code(pp_base64url_parse(PP_STR("-__-_w"), 1, b, sizeof b, &len), PP_E_FORMAT);
}

/* RFC 3629, section 4 and the usual attacks: overlong forms, surrogates, cut sequences. */
static void utf8_is_well_formed_or_refused(void **state)
{
    (void)state;
    static const char *const good[] = { "",
                                        "abc",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x80",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xed\xbf\xbf",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf8\x88\x80\x80\x80",
                                       "\xff",
                                       "\xe2\x82",
                                       "\xc2",
                                       "\xc2x" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(good); i++)
        assert_ok(pp_utf8_check(pp_span_cstr(good[i])));
    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_utf8_check(pp_span_cstr(bad[i])), PP_E_UTF8);
}

static void code_points_are_walked_one_by_one(void **state)
{
    (void)state;
    struct pp_span text = PP_STR("a\xc3\xa9\xf0\x9f\x8e\x89\xff");
    size_t at = 0;

    assert_int_equal(pp_utf8_next(text, &at), 'a');
    assert_int_equal(pp_utf8_next(text, &at), 0xe9);
    assert_int_equal(pp_utf8_next(text, &at), 0x1f389);
    assert_int_equal(pp_utf8_next(text, &at), 0xfffd);
    assert_int_equal(at, text.len);
}

static void text_is_cut_at_the_first_separator(void **state)
{
    (void)state;
    struct pp_span text = PP_STR("a b c");
    struct pp_span part;

    assert_true(pp_text_cut(&text, ' ', &part));
    assert_true(pp_span_eq(part, PP_STR("a")));
    assert_true(pp_span_eq(text, PP_STR("b c")));
    assert_false(pp_text_cut(&text, ';', &part));
    assert_true(pp_span_eq(part, PP_STR("b c")));
    assert_int_equal(text.len, 0);
    assert_false(pp_text_cut(&text, ';', &part));
    assert_int_equal(part.len, 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(decimals_have_one_form),
    cmocka_unit_test(hex_is_lower_case_and_of_the_asked_length),
    cmocka_unit_test(base64_is_strict),
    cmocka_unit_test(utf8_is_well_formed_or_refused),
    cmocka_unit_test(code_points_are_walked_one_by_one),
    cmocka_unit_test(text_is_cut_at_the_first_separator),
};

PP_TEST_MAIN(TESTS)
