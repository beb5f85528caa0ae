/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

static struct infer_work work;

static struct infer_facts facts_of(const struct pp_infer_chat *chat)
{
    struct infer_facts facts;

    work = analysed(chat);
    assert_ok(infer_facts_find(&work, &facts));
    return facts;
}

/* The fact about the first sentence of a message, or NULL. */
static const struct infer_fact *fact_about(const struct infer_facts *facts, uint32_t message)
{
    for (uint32_t k = 0; k < facts->count; k++)
        if (work.units[facts->at[k].main].message == message)
            return &facts->at[k];
    return NULL;
}

static void facts_stand_best_first(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "the harvest feast is on Sunday 4 October at 15:00" },
        { 1, "haha" },
        { 1, "I'll bring the long table and 12 chairs" },
        { 2, "NO open fire near the barn" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_facts facts = facts_of(&chat);
    assert_true(facts.count >= 3);
    for (uint32_t k = 1; k < facts.count; k++)
        assert_true(facts.at[k - 1].score >= facts.at[k].score);
    assert_null(fact_about(&facts, 1));
}

static void a_short_answer_takes_its_question_along(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "who fetches the long benches on Friday?" },
        { 1, "I can do that" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_facts facts = facts_of(&chat);
    const struct infer_fact *f = fact_about(&facts, 1);
    assert_non_null(f);
    assert_int_equal(f->unit_count, 2);
    assert_int_equal(work.units[f->units[0]].message, 0);
    assert_int_equal(f->kind, PP_INFER_TASK);
}

/* What it is said after may be somebody's promise; it has a subject of its own. */
static void a_departure_behind_a_promise_is_a_date(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 1, "Camping on Saturday?" },
        { 0, "I can cook on Saturday" },
        { 0, "Me? OK, I will bring the stove." },
        { 1, "Train leaves at 9:12" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_facts facts = facts_of(&chat);
    const struct infer_fact *f = fact_about(&facts, 3);
    assert_non_null(f);
    assert_int_equal(f->kind, PP_INFER_DATE);
    assert_int_equal(fact_about(&facts, 1)->kind, PP_INFER_TASK);
}

static void a_bare_day_is_no_fact(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "the harvest feast needs benches" },
        { 1, "Friday" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_facts facts = facts_of(&chat);
    assert_null(fact_about(&facts, 1));
}

static void the_first_sentence_of_substance_is_the_opening(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "Hello! Our harvest feast comes back this year" },
        { 1, "the benches are at the barn on Friday at 10:00" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_facts facts = facts_of(&chat);
    const struct infer_fact *f = fact_about(&facts, 0);
    assert_non_null(f);
    assert_true(f->opening);
    assert_false(fact_about(&facts, 1)->opening);
}

static void a_promise_counts_less_when_its_outcome_is_told(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "I'll ask Mrs. Dorn from the council for the barn" },
        { 1, "ok" },
        { 0, "Mrs. Dorn says yes, the barn is free in October" },
    };
    struct pp_infer_chat chat = chat_of(lines, 2, 130);
    struct infer_facts facts = facts_of(&chat);
    assert_non_null(fact_about(&facts, 0));
    int32_t before = fact_about(&facts, 0)->score;
    chat = CHAT(lines, 130);
    facts = facts_of(&chat);
    const struct infer_fact *f = fact_about(&facts, 0);
    assert_true(f == NULL || f->score < before - 20);
}

static void what_is_left_open_is_open_until_it_is_settled(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "should we rent the marquee for the feast?" },
        { 1, "not sure yet" },
        { 2, "haha" },
        { 0, "the marquee is rented, 80 for the day" },
    };
    struct pp_infer_chat chat = chat_of(lines, 3, 130);
    struct infer_facts facts = facts_of(&chat);
    const struct infer_fact *f = fact_about(&facts, 1);
    assert_non_null(f);
    assert_int_equal(f->kind, PP_INFER_OPEN);
    chat = CHAT(lines, 130);
    facts = facts_of(&chat);
    f = fact_about(&facts, 1);
    assert_true(f == NULL || f->kind != PP_INFER_OPEN);
}

static void there_are_at_most_as_many_facts_as_fit(void **state)
{
    (void)state;
    static struct line lines[INFER_FACTS_MAX + 40];
    static char texts[PP_ARRAY_COUNT(lines)][64];

    for (size_t i = 0; i < PP_ARRAY_COUNT(lines); i++) {
        snprintf(texts[i], sizeof texts[i], "I'll bring crate k%zu on Friday at %zu:15", i, i % 24);
        lines[i] = (struct line){ 0, texts[i] };
    }
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_facts facts = facts_of(&chat);
    assert_int_equal(facts.count, INFER_FACTS_MAX);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(facts_stand_best_first),
    cmocka_unit_test(a_short_answer_takes_its_question_along),
    cmocka_unit_test(a_departure_behind_a_promise_is_a_date),
    cmocka_unit_test(a_bare_day_is_no_fact),
    cmocka_unit_test(the_first_sentence_of_substance_is_the_opening),
    cmocka_unit_test(a_promise_counts_less_when_its_outcome_is_told),
    cmocka_unit_test(what_is_left_open_is_open_until_it_is_settled),
    cmocka_unit_test(there_are_at_most_as_many_facts_as_fit),
};

PP_TEST_MAIN(TESTS)
