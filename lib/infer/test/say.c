/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

#define M(alias) "\xe2\x9f\xa8" alias "\xe2\x9f\xa9"

static struct infer_said said;

/* Says the first sentence of a message alone, without judging whether it is worth it. */
static const char *said_of(const struct line *lines, size_t count, uint32_t message)
{
    struct pp_infer_chat chat = chat_of(lines, count, 130);
    struct infer_work w = analysed(&chat);
    struct infer_fact f = { .units = { w.talks[message].unit }, .unit_count = 1 };

    f.main = f.units[0];
    assert_ok(infer_say_init(&w));
    infer_say(&w, &f, &said);
    assert_true(said.len < sizeof said.text);
    said.text[said.len] = '\0';
    return (const char *)said.text;
}

static const char *said_alone(const char *text)
{
    struct line lines[] = { { 0, text } };

    return said_of(lines, 1, 0);
}

static void i_becomes_the_speaker_in_the_third_person(void **state)
{
    (void)state;
    assert_string_equal(said_alone("I'll bring my ladder"), M("0") " will bring their ladder.");
    assert_string_equal(said_alone("I have two saws"), M("0") " has two saws.");
    assert_string_equal(said_alone("I don't need the saw"), M("0") " doesn't need the saw.");
    assert_string_equal(said_alone("booked the saw for me"), M("0") " booked the saw for them.");
    assert_string_equal(said_alone("I paid and I'll drive home"),
                        M("0") " paid and will drive home.");
}

static void what_cannot_be_turned_safely_is_quoted(void **state)
{
    (void)state;
    assert_string_equal(said_alone("I sprained an elbow at the gym"),
                        M("0") ": I sprained an elbow at the gym.");
    assert_string_equal(said_alone("ich bringe die Leiter"), M("0") ": ich bringe die Leiter.");
}

/* Who wrote just before is not always who is meant. */
static void you_is_a_name_only_where_it_is_known_whose(void **state)
{
    (void)state;
    static const struct line asked[] = {
        { 0, "who can help me paint the shed?" },
        { 1, "I can help you on Monday" },
    };
    static const struct line not_asked[] = {
        { 0, "the shed is red" },
        { 1, "I'll send you the photos" },
    };
    static const struct line named[] = {
        { 0, "who pays me for the paint?" },
        { 1, "I sent you the 40 for paint Ruth" },
    };
    assert_string_equal(said_of(asked, 2, 1), M("1") " can help " M("0") " on Monday.");
    assert_int_equal(said.id_count, 2);
    assert_string_equal(said_of(not_asked, 2, 1), M("1") ": I'll send you the photos.");
    assert_int_equal(said.id_count, 1);
    assert_string_equal(said_of(named, 2, 1), M("1") ": I sent you the 40 for paint Ruth.");
}

static void signs_that_mean_something_to_a_renderer_go(void **state)
{
    (void)state;
    assert_string_equal(said_alone("the *big* [saw] is `here` <b>now</b>"),
                        M("0") ": the big (saw) is here now.");
    assert_string_equal(said_alone("see https://u:p@tools.example/buy?x=1 for the saw"),
                        M("0") ": see tools.example for the saw.");
}

static void an_encoded_blob_is_not_said(void **state)
{
    (void)state;
    char text[80] = "the key of the shed is ";
    size_t len = strlen(text);

    memset(text + len, 'q', 48);
    assert_int_not_equal(strlen(said_alone(text)), 0);
    memset(text + len, 'q', 49);
    assert_int_equal(strlen(said_alone(text)), 0);
}

static void a_long_sentence_is_cut_and_shows_it(void **state)
{
    (void)state;
    char text[400] = "the shed needs";

    for (int i = 0; i < 60; i++)
        strncat(text, " wood", sizeof text - strlen(text) - 1);
    const char *out = said_alone(text);
    assert_non_null(strstr(out, "\xe2\x80\xa6"));
    assert_true(said.words <= 32);
}

static void a_clause_is_kept_when_nothing_else_has_a_subject(void **state)
{
    (void)state;
    assert_string_equal(said_alone("Saturday at 17:00 then, after the wedding brunch"),
                        M("0") ": Saturday at 17:00 then, after the wedding brunch.");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(i_becomes_the_speaker_in_the_third_person),
    cmocka_unit_test(what_cannot_be_turned_safely_is_quoted),
    cmocka_unit_test(you_is_a_name_only_where_it_is_known_whose),
    cmocka_unit_test(signs_that_mean_something_to_a_renderer_go),
    cmocka_unit_test(an_encoded_blob_is_not_said),
    cmocka_unit_test(a_long_sentence_is_cut_and_shows_it),
    cmocka_unit_test(a_clause_is_kept_when_nothing_else_has_a_subject),
};

PP_TEST_MAIN(TESTS)
