/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

static uint64_t acts_of(const char *text)
{
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);

    return sentence(&w, 0)->acts;
}

/* The text of the first sentence from its head on. */
static const char *head_of(const char *text)
{
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);

    return text + w.tokens[infer_unit_head(&w, sentence(&w, 0))].at;
}

static void greetings_and_fillers_stand_before_the_head(void **state)
{
    (void)state;
    assert_string_equal(head_of("ok so the boat leaves at nine"), "the boat leaves at nine");
    assert_string_equal(head_of("oh that would be lovely, Ruth bakes bread"), "Ruth bakes bread");
    assert_string_equal(head_of("hallo zusammen, der Bus kommt"), "der Bus kommt");
    assert_string_equal(head_of("the boat"), "the boat");
    assert_string_equal(head_of("ok"), "ok");
}

static void a_sentence_that_leans_on_another_is_known(void **state)
{
    (void)state;
    static const char *const leaning[] = { "he has the spare key",
                                           "looks like rain to me",
                                           "it costs more than last year",
                                           "costs twelve extra for all of us",
                                           "they open at ten",
                                           "sie hat den Schl\xc3\xbcssel",
                                           "c'est dans le garage",
                                           "is in the drawer" };
    static const char *const standing[] = { "this Friday the pool is closed",
                                            "the caretaker has the spare key",
                                            "that evening we sing",
                                            "das Fest ist im Garten",
                                            "does it rain?",
                                            "Ruth costs me my nerves" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(leaning); i++)
        if ((acts_of(leaning[i]) & ACT_LEANS) == 0)
            fail_msg("stands alone: %s", leaning[i]);
    for (size_t i = 0; i < PP_ARRAY_COUNT(standing); i++)
        if ((acts_of(standing[i]) & ACT_LEANS) != 0)
            fail_msg("leans: %s", standing[i]);
}

static void a_promise_needs_a_verb_that_can_be_promised(void **state)
{
    (void)state;
    assert_true(acts_of("I'll borrow the ladder") & ACT_COMMIT);
    assert_true(acts_of("I can also drive the van") & ACT_COMMIT);
    assert_false(acts_of("I love the ladder") & ACT_COMMIT);
    assert_false(acts_of("I don't know the way") & ACT_COMMIT);
    assert_false(acts_of("can I borrow the ladder?") & ACT_COMMIT);
}

static void a_no_that_means_yes_is_no_warning(void **state)
{
    (void)state;
    assert_true(acts_of("no bicycles in the hall") & ACT_WARN);
    assert_false(acts_of("no problem at all") & ACT_WARN);
}

static void a_question_ends_with_its_mark_in_every_script(void **state)
{
    (void)state;
    assert_true(acts_of("who has the tent?") & ACT_QUESTION);
    assert_true(acts_of("\xd9\x85\xd9\x86\xd8\x9f") & ACT_QUESTION);         /* Arabic */
    assert_true(acts_of("\xe8\xaa\xb0\xef\xbc\x9f") & ACT_QUESTION);         /* full width */
    assert_true(acts_of("\xcf\x80\xce\xbf\xcf\x8d\xcd\xbe") & ACT_QUESTION); /* Greek */
}

static void a_deed_in_progress_is_a_verb_and_not_a_noun(void **state)
{
    (void)state;
    assert_true(acts_of("calling him tonight") & ACT_DOING);
    assert_false(acts_of("meeting is in the barn") & ACT_DOING);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(greetings_and_fillers_stand_before_the_head),
    cmocka_unit_test(a_sentence_that_leans_on_another_is_known),
    cmocka_unit_test(a_promise_needs_a_verb_that_can_be_promised),
    cmocka_unit_test(a_no_that_means_yes_is_no_warning),
    cmocka_unit_test(a_question_ends_with_its_mark_in_every_script),
    cmocka_unit_test(a_deed_in_progress_is_a_verb_and_not_a_noun),
};

PP_TEST_MAIN(TESTS)
