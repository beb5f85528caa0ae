/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

struct wanted {
    enum infer_value_type type;
    const char *text;
};

/* The values of one sentence, in order, as the bytes that they stand for. */
static void assert_values(const char *text, const struct wanted *want, size_t count)
{
    struct line lines[] = { { 0, text } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);

    if (w.value_count != count)
        print_error("%s: %u values\n", text, w.value_count);
    assert_int_equal(w.value_count, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct infer_value *v = &w.values[i];
        const struct infer_token *first = &w.tokens[v->first];
        const struct infer_token *last = &w.tokens[v->first + v->count - 1];
        if (v->type != want[i].type || last->at + last->len - first->at != strlen(want[i].text))
            print_error("%s: value %u is of type %d: %.*s\n", text, i, v->type,
                        (int)(last->at + last->len - first->at), text + first->at);
        assert_int_equal(v->type, want[i].type);
        assert_int_equal(last->at + last->len - first->at, strlen(want[i].text));
        assert_memory_equal(text + first->at, want[i].text, strlen(want[i].text));
    }
}

#define VALUES(text, ...)                                                                          \
    do {                                                                                           \
        static const struct wanted want_[] = { __VA_ARGS__ };                                      \
        assert_values((text), want_, PP_ARRAY_COUNT(want_));                                       \
    } while (0)

static void times_are_found_in_their_usual_forms(void **state)
{
    (void)state;
    VALUES("we meet at 14:00 there", { INFER_TIME, "14:00" });
    VALUES("wir treffen uns um 14 Uhr dort", { INFER_TIME, "14 Uhr" });
    VALUES("on se voit vers 14h30 je pense", { INFER_TIME, "14h30" });
    VALUES("it starts around 6 pm today", { INFER_TIME, "6 pm" }, { INFER_RELDAY, "today" });
    VALUES("open from 11 to 13h only", { INFER_TIME, "11" }, { INFER_TIME, "13h" });
    VALUES("impact 13:57-14:25 in all", { INFER_TIME, "13:57-14:25" });
    VALUES("discharge is at 11", { INFER_TIME, "11" });
    VALUES("they come between 8 and 12", { INFER_TIME, "8 and 12" });
}

static void days_are_found_in_their_usual_forms(void **state)
{
    (void)state;
    VALUES("the trip is 5-7 October this year", { INFER_DATE, "5-7 October" });
    VALUES("due by Friday 18 Sept please", { INFER_WEEKDAY, "Friday" }, { INFER_DATE, "18 Sept" });
    VALUES("am Samstag, 27. Juni ist es", { INFER_WEEKDAY, "Samstag" }, { INFER_DATE, "27. Juni" });
    VALUES("es el domingo 17 de mayo", { INFER_WEEKDAY, "domingo" }, { INFER_DATE, "17 de mayo" });
    VALUES("she turns 40 on the 20th", { INFER_NUMBER, "40" }, { INFER_DATE, "20th" });
    VALUES("so 14 to 18 May then", { INFER_DATE, "14" }, { INFER_DATE, "18 May" });
    VALUES("we know more in April", { INFER_DATE, "April" });
}

static void amounts_are_found_with_their_currency(void **state)
{
    (void)state;
    VALUES("cost 92 \xe2\x82\xac", { INFER_AMOUNT, "92 \xe2\x82\xac" });
    VALUES("c'est 12 500 \xe2\x82\xac pour le module", { INFER_AMOUNT, "12 500 \xe2\x82\xac" });
    VALUES("that is 9 each", { INFER_AMOUNT, "9" });
    VALUES("around 25 people", { INFER_NUMBER, "25" });
}

static void thousands_are_equal_however_they_are_grouped(void **state)
{
    (void)state;
    struct line lines[] = { { 0, "12'500 or 12.500 or 12,500 or 12 500" } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_int_equal(w.value_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(w.values[i].norm, 12500);
}

static void the_may_of_permission_is_no_month(void **state)
{
    (void)state;
    struct line lines[] = { { 0, "you may keep it, I march on" } };
    struct pp_infer_chat chat = CHAT(lines, 130);
    assert_int_equal(analysed(&chat).value_count, 0);
}

/* The words of a message that a later one has not replaced. */
static int still_says(const struct infer_work *w, uint32_t message, const char *text)
{
    const struct infer_talk *talk = &w->talks[message];
    struct pp_span all = w->chat->messages[message].text;

    for (uint32_t i = talk->first; i < talk->first + talk->count; i++)
        if (w->tokens[i].len == strlen(text) &&
            memcmp(all.at + w->tokens[i].at, text, w->tokens[i].len) == 0)
            return (w->tokens[i].flags & INFER_TOKEN_DROPPED) == 0;
    return 0;
}

static void a_moved_time_replaces_the_one_with_the_same_label(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "Meeting point is the sports hall 8:15, departure 8:30. First match 10:00" },
        { 1, "ok" },
        { 0, "Update: they moved our first match to 9:30! So meeting point 7:45, departure 8:00" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_false(still_says(&w, 0, "8:15"));
    assert_false(still_says(&w, 0, "8:30"));
    assert_false(still_says(&w, 0, "10:00"));
    assert_true(still_says(&w, 2, "9:30"));
    assert_true(still_says(&w, 2, "7:45"));
}

static void two_times_of_two_things_both_hold(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "The library opens at 9:00 on Monday" },
        { 1, "The dentist sees Tom on Tuesday at 11:15" },
        { 0, "fine" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_true(still_says(&w, 0, "9:00"));
    assert_true(still_says(&w, 1, "11:15"));
}

static void a_new_date_replaces_the_writers_last_full_date(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "The scan is fixed: Tuesday 20 October, 14:15 at the clinic" },
        { 1, "good" },
        { 0, "they called. New date is Friday 23 October at 10:45" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_false(still_says(&w, 0, "14:15"));
    assert_false(still_says(&w, 0, "Tuesday"));
    assert_true(still_says(&w, 2, "10:45"));
}

static void a_settled_bare_date_replaces_earlier_bare_dates(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "ok Saturday 20 June, 18:00" },
        { 1, "bad news, the garden is closed then" },
        { 0, "yes please, confirm Sunday 21 June 14:00" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_false(still_says(&w, 0, "18:00"));
    assert_true(still_says(&w, 2, "14:00"));
}

static void the_time_behind_instead_of_confirms_nothing(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "the hackathon doors open Friday 17:00" },
        { 1, "great" },
        { 0, "small change: doors are 19:00 now instead of 17:00" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    assert_false(still_says(&w, 0, "17:00"));
}

static void a_list_of_several_dates_by_one_writer_stays_whole(void **state)
{
    (void)state;
    static const struct line lines[] = {
        { 0, "1. Class trip is 5-7 October" },
        { 0, "2. Swimming trip starts on 22 Sept" },
        { 0, "3. Consent form is due by 18 Sept" },
    };
    struct pp_infer_chat chat = CHAT(lines, 130);
    struct infer_work w = analysed(&chat);
    for (uint32_t i = 0; i < w.value_count; i++)
        assert_false(w.values[i].dead);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(times_are_found_in_their_usual_forms),
    cmocka_unit_test(days_are_found_in_their_usual_forms),
    cmocka_unit_test(amounts_are_found_with_their_currency),
    cmocka_unit_test(thousands_are_equal_however_they_are_grouped),
    cmocka_unit_test(the_may_of_permission_is_no_month),
    cmocka_unit_test(a_moved_time_replaces_the_one_with_the_same_label),
    cmocka_unit_test(two_times_of_two_things_both_hold),
    cmocka_unit_test(a_new_date_replaces_the_writers_last_full_date),
    cmocka_unit_test(a_settled_bare_date_replaces_earlier_bare_dates),
    cmocka_unit_test(the_time_behind_instead_of_confirms_nothing),
    cmocka_unit_test(a_list_of_several_dates_by_one_writer_stays_whole),
};

PP_TEST_MAIN(TESTS)
