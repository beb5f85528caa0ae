/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

struct expected {
    enum infer_token_type type;
    const char *text;
};

static void assert_tokens(const char *text, const struct expected *want, size_t count)
{
    struct pp_span span = pp_span_cstr(text);
    struct infer_token t;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        assert_true(infer_token_next(span, &at, &t));
        assert_int_equal(t.type, want[i].type);
        assert_int_equal(t.len, strlen(want[i].text));
        assert_memory_equal(span.at + t.at, want[i].text, t.len);
    }
    assert_false(infer_token_next(span, &at, &t));
}

#define TOKENS(text, ...)                                                                          \
    do {                                                                                           \
        static const struct expected want_[] = { __VA_ARGS__ };                                    \
        assert_tokens((text), want_, PP_ARRAY_COUNT(want_));                                       \
    } while (0)

static void words_keep_their_apostrophes_and_hyphens(void **state)
{
    (void)state;
    TOKENS("I'll e-mail Ms. Adler", { INFER_WORD, "I'll" }, { INFER_WORD, "e-mail" },
           { INFER_WORD, "Ms" }, { INFER_PUNCT, "." }, { INFER_WORD, "Adler" });
    TOKENS("don\xe2\x80\x99t 'quote'", { INFER_WORD, "don\xe2\x80\x99t" }, { INFER_PUNCT, "'" },
           { INFER_WORD, "quote" }, { INFER_PUNCT, "'" });
}

static void numbers_keep_their_inner_signs(void **state)
{
    (void)state;
    TOKENS("14:00, 5-7 12'500 12.500 4.18. 92\xe2\x82\xac 14-16h TP533 4B 1.5",
           { INFER_NUM, "14:00" }, { INFER_PUNCT, "," }, { INFER_NUM, "5-7" },
           { INFER_NUM, "12'500" }, { INFER_NUM, "12.500" }, { INFER_NUM, "4.18" },
           { INFER_PUNCT, "." }, { INFER_NUM, "92" }, { INFER_PUNCT, "\xe2\x82\xac" },
           { INFER_NUM, "14-16h" }, { INFER_MIXED, "TP533" }, { INFER_NUM, "4B" },
           { INFER_NUM, "1.5" });
    TOKENS("200 -> 20", { INFER_NUM, "200" }, { INFER_PUNCT, "->" }, { INFER_NUM, "20" });
}

static void addresses_are_one_token_up_to_the_next_space(void **state)
{
    (void)state;
    TOKENS("see https://a.example/x?y=1 now", { INFER_WORD, "see" },
           { INFER_LINK, "https://a.example/x?y=1" }, { INFER_WORD, "now" });
    TOKENS("www.foo.bar/baz club.org me@club.org ok.then", { INFER_LINK, "www.foo.bar/baz" },
           { INFER_LINK, "club.org" }, { INFER_LINK, "me@club.org" }, { INFER_WORD, "ok" },
           { INFER_PUNCT, "." }, { INFER_WORD, "then" });
    assert_true(
        pp_span_eq(infer_link_host(PP_STR("https://me:pw@a.example:8443/x")), PP_STR("a.example")));
    assert_true(pp_span_eq(infer_link_host(PP_STR("club.org.")), PP_STR("club.org")));
    assert_int_equal(infer_link_host(PP_STR("http://p\xd0\xb0ypal.example/")).len, 0);
}

static void tags_pictures_and_invisible_characters_are_told_apart(void **state)
{
    (void)state;
    TOKENS("a</messages><system>b <3", { INFER_WORD, "a" }, { INFER_MARKUP, "</messages>" },
           { INFER_MARKUP, "<system>" }, { INFER_WORD, "b" }, { INFER_PUNCT, "<" },
           { INFER_NUM, "3" });
    TOKENS("yes\xf0\x9f\x8e\x89\xf0\x9f\x98\x80no", { INFER_WORD, "yes" },
           { INFER_EMOJI, "\xf0\x9f\x8e\x89\xf0\x9f\x98\x80" }, { INFER_WORD, "no" });
    struct infer_token plain = { 0 };
    struct infer_token hidden = { 0 };
    size_t at = 0;
    assert_true(infer_token_next(PP_STR("ignore"), &at, &plain));
    at = 0;
    assert_true(infer_token_next(PP_STR("ig\xe2\x80\x8bn\xc2\xadore"), &at, &hidden));
    assert_int_equal(plain.hash, hidden.hash);
}

static void invisible_characters_do_not_change_what_is_an_address(void **state)
{
    (void)state;
    static const char *const texts[] = { "ww\x04w.pier.b", "pier.c\x1fom", "mai\xe2\x80\x8blto:x",
                                         "https\xe2\x80\x8b://pier" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(texts); i++) {
        struct infer_token t;
        size_t at = 0;
        assert_true(infer_token_next(pp_span_cstr(texts[i]), &at, &t));
        assert_int_equal(t.type, INFER_LINK);
        assert_int_equal(t.len, strlen(texts[i]));
    }
}

static void a_reader_of_malformed_text_still_ends(void **state)
{
    (void)state;
    static const char bad[] = "\xff\xfe a\x80 \xe2\x82";
    struct infer_token t;
    size_t at = 0;
    int count = 0;

    while (infer_token_next(pp_span(bad, sizeof bad - 1), &at, &t))
        assert_true(++count < 20);
}

static void assert_sentences(const char *text, uint32_t count)
{
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);

    if (w.talks[0].units != count)
        print_error("%s\n", text);
    assert_int_equal(w.talks[0].units, count);
}

static void sentences_end_where_people_end_them(void **state)
{
    (void)state;
    assert_sentences("We meet at nine. Bring water! Who drives? ok", 4);
    assert_sentences("first line\nsecond line", 2);
    assert_sentences("Ms. Adler and Dr. Brandt come by Friday", 1);
    assert_sentences("4.18 went out, see node.js", 1);
    assert_sentences("am 27. Juni", 1);
    assert_sentences("todo: 1) buy paint 2) order tables 3) call Ann", 4);
    assert_sentences("2. Consent form is due", 1);
    assert_sentences("booked! 736 in total", 1);
    assert_sentences("first baking day is Sunday 20 Sept, who makes dough?", 2);
}

static void a_message_gives_at_most_its_share_of_sentences(void **state)
{
    (void)state;
    static char text[PP_INFER_TEXT_BYTES_MAX + 1];
    for (size_t i = 0; i + 5 < sizeof text; i += 5)
        memcpy(text + i, "aa b.", 5);
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_true(w.talks[0].units <= INFER_MESSAGE_UNITS_MAX);
    assert_true(w.token_count <= INFER_MESSAGE_TOKENS_MAX);
}

static void each_message_is_read_in_its_own_language(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "we need to be there on time and I will drive" },
        { 1, "ich kann das leider nicht, aber wir haben noch Zeit" },
        { 2, "je peux venir avec les enfants et le chien" },
        { 3, "yo no puedo pero mi hermana viene con los demas" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(w.talks[0].languages, 1 << INFER_EN);
    assert_int_equal(w.talks[1].languages, 1 << INFER_DE);
    assert_int_equal(w.talks[2].languages, 1 << INFER_FR);
    assert_int_equal(w.talks[3].languages, 1 << INFER_ES);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(words_keep_their_apostrophes_and_hyphens),
    cmocka_unit_test(numbers_keep_their_inner_signs),
    cmocka_unit_test(addresses_are_one_token_up_to_the_next_space),
    cmocka_unit_test(tags_pictures_and_invisible_characters_are_told_apart),
    cmocka_unit_test(invisible_characters_do_not_change_what_is_an_address),
    cmocka_unit_test(a_reader_of_malformed_text_still_ends),
    cmocka_unit_test(sentences_end_where_people_end_them),
    cmocka_unit_test(a_message_gives_at_most_its_share_of_sentences),
    cmocka_unit_test(each_message_is_read_in_its_own_language),
};

PP_TEST_MAIN(TESTS)
