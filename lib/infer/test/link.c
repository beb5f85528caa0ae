/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

/* The sentence that the message's first sentence answers, or NULL. */
static const struct infer_unit *answered_by(const struct infer_work *w, uint32_t message)
{
    const struct infer_unit *u = sentence(w, message);

    return u->answers == 0 ? NULL : &w->units[u->answers - 1];
}

static void an_answer_finds_its_question(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "what do they wear?" },
        { 1, "Blue kit, the red one is at the laundry" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_ptr_equal(answered_by(&w, 1), sentence(&w, 0));
    assert_true(sentence(&w, 0)->acts & ACT_ANSWERED);
}

static void a_question_of_who_is_answered_by_a_promise(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "who brings the projector?" },
        { 1, "sounds like fun" },
        { 2, "I can bring mine from the office" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_null(answered_by(&w, 1));
    assert_ptr_equal(answered_by(&w, 2), sentence(&w, 0));
}

static void a_question_of_when_wants_a_time(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "when does the ferry leave?" },
        { 1, "ask the harbour office" },
        { 2, "at 16:20" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_null(answered_by(&w, 1));
    assert_ptr_equal(answered_by(&w, 2), sentence(&w, 0));
}

static void nobody_answers_his_own_question(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "when does the ferry leave?" },
        { 0, "at 16:20" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_null(answered_by(&w, 1));
}

static void an_answer_after_the_window_is_not_paired(void **state)
{
    (void)state;
    struct line lines[INFER_WINDOW + 3] = { { 0, "when does the ferry leave?" } };

    for (size_t i = 1; i < PP_ARRAY_COUNT(lines); i++)
        lines[i] = (struct line){ 1, "the museum has a nice cafe" };
    lines[INFER_WINDOW] = (struct line){ 2, "at 16:20" };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_ptr_equal(answered_by(&w, INFER_WINDOW), sentence(&w, 0));
    lines[INFER_WINDOW] = (struct line){ 1, "the museum has a nice cafe" };
    lines[INFER_WINDOW + 1] = (struct line){ 2, "at 16:20" };
    chat = CHAT(lines, 130);
    w = analysed(&chat);
    assert_null(answered_by(&w, INFER_WINDOW + 1));
}

static void a_bare_question_is_completed_by_what_was_offered_before(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "I can bring the shower chair from our garage" },
        { 1, "wonderful! when?" },
        { 0, "Tuesday after work, about 6" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(sentence(&w, 2)->context, w.talks[0].unit + 1);
}

static void agreement_is_counted_once_a_person(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "shall we take the early ferry?" },
        { 1, "yes" },
        { 2, "fine for me" },
        { 1, "ok" },
        { 3, "\xf0\x9f\x91\x8d" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(sentence(&w, 0)->agree_count, 3);
}

static void a_no_is_no_agreement(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "shall we take the early ferry?" },
        { 1, "no" },
        { 2, "not really" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(sentence(&w, 0)->agree_count, 0);
}

static void the_option_with_most_votes_becomes_a_decision(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "option A: cabin at the lake, 46 each. B: hostel in town, 31 each. C: tent" },
        { 1, "I vote A" },
        { 2, "A" },
        { 3, "B is cheaper" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    const struct infer_unit *won = &w.units[w.unit_count - 1];
    assert_true(won->acts & ACT_OPTION);
    assert_int_equal(won->agree_count, 2);
    struct pp_infer_items items = summary_of(&chat);
    assert_true(says(&items, "cabin at the lake"));
    assert_false(says(&items, "hostel"));
}

static void options_without_votes_decide_nothing(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "option A: cabin at the lake. B: hostel in town" },
        { 1, "let me think" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    for (uint32_t u = 0; u < w.unit_count; u++)
        assert_false(w.units[u].acts & ACT_OPTION);
}

static void the_same_words_again_are_said_once(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "The keys are with the caretaker until Friday" },
        { 1, "thanks" },
        { 0, "the keys are with the caretaker until Friday!" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_true(sentence(&w, 0)->acts & ACT_DEAD);
    assert_false(sentence(&w, 2)->acts & ACT_DEAD);
}

static void acts_are_seen_in_four_languages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t act;
    } rows[] = {
        { "I'll bring the two ladders and some rope", ACT_COMMIT },
        { "ich bringe die Leitern und das Seil mit", ACT_COMMIT },
        { "je m'occupe des boissons et du pain", ACT_COMMIT },
        { "yo llevo las sillas y la mesa grande", ACT_COMMIT },
        { "please send me the list of names", ACT_REQUEST },
        { "kannst du die Liste an alle schicken", ACT_REQUEST },
        { "we decided on the blue paint for the fence", ACT_DECIDE },
        { "wir haben uns entschieden, es bleibt beim Garten", ACT_DECIDE },
        { "the rehearsal moved to another hall", ACT_CHANGE },
        { "das Treffen wurde leider verschoben auf den Abend", ACT_CHANGE },
        { "la fiesta se ha cancelado por la lluvia", ACT_CHANGE },
        { "NO dogs in the clinic, said the doctor", ACT_WARN },
        { "Achtung, die Treppe ist frisch gestrichen", ACT_WARN },
        { "we are not sure yet about the size of the tent", ACT_UNSURE },
        { "on verra bien pour le ch\xc3\xa2teau gonflable", ACT_UNSURE },
        { "haha that was so funny", ACT_CHATTER },
        { "get well soon dear Sam", ACT_CHATTER },
        { "gute Besserung", ACT_CHATTER },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct line lines[] = { { 0, rows[i].text } };
        struct pp_infer_chat chat = CHAT(lines, 130);
        struct infer_work w = analysed(&chat);
        if ((sentence(&w, 0)->acts & rows[i].act) == 0)
            print_error("%s\n", rows[i].text);
        assert_true((sentence(&w, 0)->acts & rows[i].act) != 0);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_answer_finds_its_question),
    cmocka_unit_test(a_question_of_who_is_answered_by_a_promise),
    cmocka_unit_test(a_question_of_when_wants_a_time),
    cmocka_unit_test(nobody_answers_his_own_question),
    cmocka_unit_test(an_answer_after_the_window_is_not_paired),
    cmocka_unit_test(a_bare_question_is_completed_by_what_was_offered_before),
    cmocka_unit_test(agreement_is_counted_once_a_person),
    cmocka_unit_test(a_no_is_no_agreement),
    cmocka_unit_test(the_option_with_most_votes_becomes_a_decision),
    cmocka_unit_test(options_without_votes_decide_nothing),
    cmocka_unit_test(the_same_words_again_are_said_once),
    cmocka_unit_test(acts_are_seen_in_four_languages),
};

PP_TEST_MAIN(TESTS)
