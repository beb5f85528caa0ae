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

/* With a third at the table, whom "you" means is a guess. */
static void you_among_three_stays_in_the_words_of_the_speaker(void **state)
{
    (void)state;
    static const struct line camp[] = {
        { 0, "Who can cook?" },
        { 1, "I bring the tent, you bring the stove." },
        { 2, "Me? OK, I will bring the stove." },
    };
    static const struct line asked[] = {
        { 0, "who can help me paint the shed?" },
        { 1, "I can help you on Monday" },
        { 2, "the brushes are dry" },
    };
    assert_string_equal(said_of(camp, 3, 1), M("1") ": I bring the tent, you bring the stove.");
    assert_int_equal(said.id_count, 1);
    assert_string_equal(said_of(asked, 3, 1), M("1") ": I can help you on Monday.");
    assert_string_equal(said_of(asked, 2, 1), M("1") " can help " M("0") " on Monday.");
}

static void you_as_a_subject_is_never_a_name(void **state)
{
    (void)state;
    static const struct line two[] = {
        { 0, "who can cook and bring the tent?" },
        { 1, "I bring the tent, you bring the stove" },
    };
    static const struct line named[] = {
        { 0, "who can show me the way?" },
        { 1, "I can show you Lisbon" },
    };
    assert_string_equal(said_of(two, 2, 1), M("1") ": I bring the tent, you bring the stove.");
    assert_string_equal(said_of(named, 2, 1), M("1") ": I can show you Lisbon.");
}

static void a_deed_is_turned_only_with_what_was_done(void **state)
{
    (void)state;
    assert_string_equal(said_alone("booked the 4 rooms"), M("0") " booked the 4 rooms.");
    assert_string_equal(said_alone("found 12 of the keys"), M("0") " found 12 of the keys.");
    assert_string_equal(said_alone("called Ruth for the key"), M("0") " called Ruth for the key.");
    assert_string_equal(said_alone("closed 12 to 2 for the fair"),
                        M("0") ": closed 12 to 2 for the fair.");
    assert_string_equal(said_alone("Done, tickets are paid."), M("0") ": Done, tickets are paid.");
    assert_string_equal(said_alone("booked, the tickets are here"),
                        M("0") ": booked, the tickets are here.");
    assert_string_equal(said_alone("closed on Monday"), M("0") ": closed on Monday.");
    assert_string_equal(said_alone("closed this week for the wedding"),
                        M("0") ": closed this week for the wedding.");
    assert_string_equal(said_alone("lost keys are at the bar"),
                        M("0") ": lost keys are at the bar.");
    assert_string_equal(said_alone("Booked the saw"), M("0") ": Booked the saw.");
    assert_string_equal(said_alone("calling the saw mill"), M("0") " is calling the saw mill.");
    assert_string_equal(said_alone("camping on Saturday"), M("0") ": camping on Saturday.");
}

static void a_sentence_with_other_persons_is_quoted(void **state)
{
    (void)state;
    assert_string_equal(said_alone("I'll bring your ladder"), M("0") ": I'll bring your ladder.");
    assert_string_equal(said_alone("I'll paint our shed"), M("0") ": I'll paint our shed.");
    assert_string_equal(said_alone("I'll book us a table"), M("0") ": I'll book us a table.");
    assert_string_equal(said_alone("I'll cook if we're eight"),
                        M("0") ": I'll cook if we're eight.");
    assert_string_equal(said_alone("I need 84 from each of you"),
                        M("0") ": I need 84 from each of you.");
    assert_string_equal(said_alone("booked the saw for you"), M("0") ": booked the saw for you.");
}

static void whose_deed_it_is_is_said_again_behind_somebody_else(void **state)
{
    (void)state;
    assert_string_equal(said_alone("I paid, Ruth cooks, and I'll drive home"),
                        M("0") " paid, Ruth cooks, and " M("0") " will drive home.");
    assert_string_equal(said_alone("I'll fetch it and I'll drive home"),
                        M("0") " will fetch it and will drive home.");
}

/* Says the first `count` sentences of a message. */
static const char *said_together(const char *text, uint32_t count)
{
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    struct infer_fact f = { .unit_count = count };

    assert_int_equal(w.talks[0].units, count);
    for (uint32_t k = 0; k < count; k++)
        f.units[k] = w.talks[0].unit + k;
    assert_ok(infer_say_init(&w));
    infer_say(&w, &f, &said);
    said.text[said.len] = '\0';
    return (const char *)said.text;
}

/* An "I" in the second sentence would have no speaker behind a first in the third person. */
static void a_quotation_behind_a_turned_sentence_names_its_speaker(void **state)
{
    (void)state;
    assert_string_equal(said_together("I'll bring the tent. I'll need your stove.", 2),
                        M("0") " will bring the tent; " M("0") ": I'll need your stove.");
    assert_string_equal(said_together("I'll bring the tent. The stove is in my car.", 2),
                        M("0") " will bring the tent; The stove is in their car.");
    assert_string_equal(
        said_together("I'll bring the tent. The stove is clean. I need your car.", 3),
        M("0") " will bring the tent; The stove is clean; " M("0") ": I need your car.");
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
    cmocka_unit_test(you_among_three_stays_in_the_words_of_the_speaker),
    cmocka_unit_test(you_as_a_subject_is_never_a_name),
    cmocka_unit_test(a_deed_is_turned_only_with_what_was_done),
    cmocka_unit_test(a_sentence_with_other_persons_is_quoted),
    cmocka_unit_test(whose_deed_it_is_is_said_again_behind_somebody_else),
    cmocka_unit_test(a_quotation_behind_a_turned_sentence_names_its_speaker),
    cmocka_unit_test(signs_that_mean_something_to_a_renderer_go),
    cmocka_unit_test(an_encoded_blob_is_not_said),
    cmocka_unit_test(a_long_sentence_is_cut_and_shows_it),
    cmocka_unit_test(a_clause_is_kept_when_nothing_else_has_a_subject),
};

PP_TEST_MAIN(TESTS)
