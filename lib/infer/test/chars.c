/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

static void words_are_counted_between_unicode_spaces(void **state)
{
    (void)state;
    assert_int_equal(pp_infer_words(PP_STR("")), 0);
    assert_int_equal(pp_infer_words(PP_STR("  \t\n ")), 0);
    assert_int_equal(pp_infer_words(PP_STR("one")), 1);
    assert_int_equal(pp_infer_words(PP_STR(" 13:30, 9 \xe2\x82\xac each ")), 4);
    /* no-break space, narrow no-break space, ideographic space, line separator */
    assert_int_equal(pp_infer_words(PP_STR("12\xc2\xa0"
                                           "500\xe2\x80\xaf"
                                           "a\xe3\x80\x80"
                                           "b\xe2\x80\xa8"
                                           "c")),
                     5);
    /* a speaker mark is one word, with what sticks to it */
    assert_int_equal(pp_infer_words(PP_STR("\xe2\x9f\xa8"
                                           "12\xe2\x9f\xa9: yes")),
                     2);
    /* a zero-width space separates nothing */
    assert_int_equal(pp_infer_words(PP_STR("a\xe2\x80\x8b"
                                           "b")),
                     1);
}

static void letters_that_look_alike_fold_to_one(void **state)
{
    (void)state;
    assert_int_equal(infer_char_fold('A'), 'a');
    assert_int_equal(infer_char_fold(0xC9), 'e');    /* E acute */
    assert_int_equal(infer_char_fold(0x161), 's');   /* s caron */
    assert_int_equal(infer_char_fold(0x410), 'a');   /* Cyrillic A */
    assert_int_equal(infer_char_fold(0x456), 'i');   /* Ukrainian i */
    assert_int_equal(infer_char_fold(0xFF21), 'a');  /* full width A */
    assert_int_equal(infer_char_fold(0x1D5EE), 'a'); /* mathematical a */
    assert_int_equal(infer_char_fold(0x2019), '\'');
    assert_int_equal(infer_char_fold(0x4E2D), 0x4E2D);
}

static void characters_have_one_class_each(void **state)
{
    (void)state;
    assert_int_equal(infer_char_class('z'), INFER_CHAR_WORD);
    assert_int_equal(infer_char_class(0xE9), INFER_CHAR_WORD);
    assert_int_equal(infer_char_class(0x4E2D), INFER_CHAR_WORD);
    assert_int_equal(infer_char_class('7'), INFER_CHAR_DIGIT);
    assert_int_equal(infer_char_class(0x0663), INFER_CHAR_DIGIT);
    assert_int_equal(infer_char_class(0x20AC), INFER_CHAR_PUNCT);
    assert_int_equal(infer_char_class(INFER_MARK_OPEN), INFER_CHAR_PUNCT);
    assert_int_equal(infer_char_class(0x1F389), INFER_CHAR_PICTURE);
    static const uint32_t invisible[] = { 0,      7,      0x7F,   0x9F,   0xAD,
                                          0x200B, 0x200F, 0x202E, 0x2066, 0x2069,
                                          0xFE0F, 0xFEFF, 0xE000, 0xFFFD, 0xE0041 };
    for (size_t i = 0; i < PP_ARRAY_COUNT(invisible); i++)
        assert_int_equal(infer_char_class(invisible[i]), INFER_CHAR_INVISIBLE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(words_are_counted_between_unicode_spaces),
    cmocka_unit_test(letters_that_look_alike_fold_to_one),
    cmocka_unit_test(characters_have_one_class_each),
};

PP_TEST_MAIN(TESTS)
