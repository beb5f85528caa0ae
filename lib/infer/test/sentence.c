/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

/* Asserts the sentences of one message, as their text from the first token to the last. */
static void assert_sentences(const char *text, const char *const *want, size_t count)
{
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);

    assert_int_equal(w.talks[0].units, count);
    for (size_t i = 0; i < count; i++) {
        const struct infer_unit *u = &w.units[w.talks[0].unit + i];
        const struct infer_token *last = &w.tokens[u->first + u->count - 1];
        size_t from = w.tokens[u->first].at;
        assert_int_equal(last->at + last->len - from, strlen(want[i]));
        assert_memory_equal(text + from, want[i], strlen(want[i]));
    }
}

#define SENTENCES(text, ...)                                                                       \
    do {                                                                                           \
        static const char *const want[] = { __VA_ARGS__ };                                         \
        assert_sentences((text), want, PP_ARRAY_COUNT(want));                                      \
    } while (0)

static void full_stops_of_titles_dates_and_decimals_end_nothing(void **state)
{
    (void)state;
    SENTENCES("Dr. Roe is in. Ask her", "Dr. Roe is in.", "Ask her");
    SENTENCES("am 27. Juni im Saal. Bis dann", "am 27. Juni im Saal.", "Bis dann");
    SENTENCES("version 2.5 is out", "version 2.5 is out");
}

static void lists_fall_into_their_points(void **state)
{
    (void)state;
    SENTENCES("todo: 1) paint the fence 2) mow the lawn", "todo:", "paint the fence",
              "mow the lawn");
    SENTENCES("one line\nanother line", "one line", "another line");
}

static void a_question_behind_a_statement_is_its_own_sentence(void **state)
{
    (void)state;
    SENTENCES("the regatta is on Sunday 20 Sept, who rows?", "the regatta is on Sunday 20 Sept,",
              "who rows?");
}

static void full_stops_of_other_scripts_end_sentences(void **state)
{
    (void)state;
    SENTENCES("会議は公園。雨天は中止です", "会議は公園。", "雨天は中止です");
    SENTENCES("نعم غدا۔ لا مطر", "نعم غدا۔", "لا مطر");
}

static void a_sentence_without_end_is_cut(void **state)
{
    (void)state;
    static char text[3 * (INFER_UNIT_TOKENS_MAX + 10)];
    size_t at = 0;

    for (size_t i = 0; i <= INFER_UNIT_TOKENS_MAX; i++) {
        text[at++] = 'w';
        text[at++] = (char)('a' + i % 26);
        text[at++] = ' ';
    }
    text[at - 1] = '\0';
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(w.talks[0].units, 2);
    assert_int_equal(w.units[0].count, INFER_UNIT_TOKENS_MAX);
    assert_int_equal(w.units[1].count, 1);
}

static void a_subject_is_counted_once_a_message(void **state)
{
    (void)state;
    static const struct line lines[] = { { 0, "canoe canoes canoe" }, { 1, "the canoe is wet" } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(infer_stem_uses(&w, w.tokens[0].stem), 2);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(full_stops_of_titles_dates_and_decimals_end_nothing),
    cmocka_unit_test(lists_fall_into_their_points),
    cmocka_unit_test(a_question_behind_a_statement_is_its_own_sentence),
    cmocka_unit_test(full_stops_of_other_scripts_end_sentences),
    cmocka_unit_test(a_sentence_without_end_is_cut),
    cmocka_unit_test(a_subject_is_counted_once_a_message),
};

PP_TEST_MAIN(TESTS)
