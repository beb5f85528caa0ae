/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

#define M(alias) "\xe2\x9f\xa8" alias "\xe2\x9f\xa9"

static struct pp_infer_items out;

static pp_res applied(const char *text, const char *const *names, size_t count, uint32_t words)
{
    static struct pp_infer_item item;
    static const uint64_t ids[] = { 1 };
    struct pp_infer_items items = { &item, 1 };
    struct pp_span spans[8];

    for (size_t i = 0; i < count; i++)
        spans[i] = pp_span_cstr(names[i]);
    item = (struct pp_infer_item){ PP_INFER_TASK, pp_span_cstr(text), ids, 1 };
    fresh_arena();
    out = (struct pp_infer_items){ 0 };
    return pp_infer_names_apply(&items, spans, count, words, &test_arena, &out);
}

static void assert_applied(const char *text, const char *const *names, size_t count, uint32_t words,
                           const char *want)
{
    assert_ok(applied(text, names, count, words));
    assert_int_equal(out.count, 1);
    if (out.at[0].text.len != strlen(want) || memcmp(out.at[0].text.at, want, strlen(want)) != 0)
        print_error("got: %.*s\n", (int)out.at[0].text.len, (const char *)out.at[0].text.at);
    assert_int_equal(out.at[0].text.len, strlen(want));
    assert_memory_equal(out.at[0].text.at, want, strlen(want));
}

#define APPLIED(text, words, want, ...)                                                            \
    do {                                                                                           \
        static const char *const names_[] = { __VA_ARGS__ };                                       \
        assert_applied((text), names_, PP_ARRAY_COUNT(names_), (words), (want));                   \
    } while (0)

static void names_take_the_place_of_marks(void **state)
{
    (void)state;
    APPLIED(M("1") " will call " M("0") ".", 20, "Ben will call Ann.", "Ann", "Ben");
    APPLIED("nobody is named here", 20, "nobody is named here", "Ann");
}

static void two_members_whose_names_look_alike_stay_two(void **state)
{
    (void)state;
    APPLIED(M("1") ": we cancel", 20, "Bob#1: we cancel", "Bob", "Bob\xe2\x80\x8b");
    APPLIED(M("1") ": we cancel", 20, "Bob#1: we cancel", "Bob", "<Bob>");
    APPLIED(M("0") ": we go", 20, "Bob: we go", "Bob", "Bob\xe2\x80\x8b");
    APPLIED(M("2") " and " M("1"), 20, "Bob#2 and Bob#1", "Bob", "Bob\xe2\x80\x8b",
            "\xe2\x80\x8b"
            "Bob");
}

static void brackets_go_when_the_name_stays_unique(void **state)
{
    (void)state;
    APPLIED(M("0") ": ok", 20, "Carla: ok", "Carla (Nico's mum)", "Pete (Oscar's dad)");
    APPLIED(M("0") ": ok", 20, "Carla (work): ok", "Carla (work)", "Carla (school)");
    APPLIED(M("0") ": ok", 20, "(x): ok", "(x)", "Ann");
}

static void long_names_shorten_until_the_budget_holds(void **state)
{
    (void)state;
    /* Room for the whole name twice, once, never. */
    APPLIED(M("0") " and " M("0"), 5, "Coach Ali and Coach Ali", "Coach Ali", "Ben");
    APPLIED(M("0") " and " M("0"), 4, "Coach Ali and Ali", "Coach Ali", "Ben");
    APPLIED(M("0") " and " M("0"), 3, "Ali and Ali", "Coach Ali", "Ben");
    APPLIED(M("0") " and " M("1"), 3, "Keller and Anna", "Fr. Keller (class rep)",
            "Anna Maria Lopez");
}

static void one_word_names_stay_unique(void **state)
{
    (void)state;
    APPLIED(M("0") " and " M("1"), 3, "Anna-Berg and Anna-Maier", "Anna Berg", "Anna Maier");
    APPLIED(M("0") " and " M("1"), 3, "Ali and Coach-Ali", "Ali", "Coach Ali");
}

static void names_cannot_carry_marks_or_invisible_characters(void **state)
{
    (void)state;
    APPLIED(M("0") ": ok", 20, "Ann0: ok", "A\xe2\x80\x8bnn" M("0"), "Ben");
    APPLIED(M("0") ": ok", 20, "Ann Lee: ok",
            "\xe2\x80\xae"
            "Ann\n\n  Lee\t",
            "Ben");
    APPLIED(M("0") ": ok", 20, "#0: ok", "", "Ben");
    APPLIED(M("0") ": ok", 20, "#0: ok", "\xe2\x80\x8b", "Ben");
}

static void a_name_is_cut_at_its_limit(void **state)
{
    (void)state;
    char name[PP_INFER_NAME_BYTES_MAX + 10];
    const char *names[] = { name };

    memset(name, 'x', sizeof name);
    name[PP_INFER_NAME_BYTES_MAX - 1] = '\0';
    assert_ok(applied(M("0"), names, 1, 20));
    assert_int_equal(out.at[0].text.len, PP_INFER_NAME_BYTES_MAX - 1);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_ok(applied(M("0"), names, 1, 20));
    assert_true(out.at[0].text.len <= PP_INFER_NAME_BYTES_MAX);
}

static void what_is_no_mark_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "Ann" };

    assert_code(applied(M("1"), names, 1, 20), PP_E_RANGE);
    assert_code(applied(M("4294967296"), names, 1, 20), PP_E_RANGE);
    assert_code(applied(M("00"), names, 1, 20), PP_E_FORMAT);
    assert_code(applied(M(""), names, 1, 20), PP_E_FORMAT);
    assert_code(applied(M("x"), names, 1, 20), PP_E_FORMAT);
    assert_code(applied("\xe2\x9f\xa8"
                        "0",
                        names, 1, 20),
                PP_E_FORMAT);
    assert_code(applied("0\xe2\x9f\xa9", names, 1, 20), PP_E_FORMAT);
    assert_int_equal(out.count, 0); /* written only on success */
}

static void a_text_that_was_too_long_before_stays_too_long(void **state)
{
    (void)state;
    static const char *const names[] = { "Ann" };

    assert_code(applied("one two three", names, 1, 2), PP_E_LIMIT);
}

static void names_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "A\xff" };

    assert_code(applied(M("0"), names, 1, 20), PP_E_UTF8);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(names_take_the_place_of_marks),
    cmocka_unit_test(two_members_whose_names_look_alike_stay_two),
    cmocka_unit_test(brackets_go_when_the_name_stays_unique),
    cmocka_unit_test(long_names_shorten_until_the_budget_holds),
    cmocka_unit_test(one_word_names_stay_unique),
    cmocka_unit_test(names_cannot_carry_marks_or_invisible_characters),
    cmocka_unit_test(a_name_is_cut_at_its_limit),
    cmocka_unit_test(what_is_no_mark_is_refused),
    cmocka_unit_test(a_text_that_was_too_long_before_stays_too_long),
    cmocka_unit_test(names_that_are_not_utf8_are_refused),
};

PP_TEST_MAIN(TESTS)
