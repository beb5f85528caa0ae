/* SPDX-License-Identifier: Apache-2.0 */
/* A chat file that a person exported: every fault has a sentence that names field and remedy. */
#include "harness.h"

#include "chat.h"
#include "wr.h"

enum { FILE_BYTES = 40 << 20 };

static struct pp_arena arena;
static struct pp_problem problem;
static struct pp_chat chat;
static char *file;
static struct pp_wr wr;

static int make(void **state)
{
    (void)state;
    file = malloc(FILE_BYTES);
    return file == NULL || !pp_is_ok(pp_arena_new_locked(&arena, PP_CHAT_ARENA_BYTES));
}

static int drop(void **state)
{
    (void)state;
    free(file);
    pp_arena_done(&arena);
    return 0;
}

static pp_res parse_span(struct pp_span json)
{
    pp_arena_reset(&arena);
    memset(&problem, 0, sizeof problem);
    memset(&chat, 0xEE, sizeof chat);
    return pp_chat_parse(json, &arena, &problem, &chat);
}

static pp_res parse(const char *json)
{
    return parse_span(pp_span_cstr(json));
}

/* Refused as the user's input (exit status 2), with the field, what was expected and what came. */
static void assert_words_(pp_res r, uint32_t code, const char *field, const char *got,
                          const char *test, int line)
{
    const uint8_t *at = (const uint8_t *)&chat;

    assert_code_(r, code, test, line);
    _assert_int_equal(pp_code_class(r.code), PP_CLASS_USAGE, test, line);
    _assert_string_equal(problem.field, field, test, line);
    _assert_true(problem.expected[0] != '\0', "expected", test, line);
    if (got != NULL)
        _assert_string_equal(problem.got, got, test, line);
    _assert_true(pp_code_todo(r.code)[0] != '\0', "what to do", test, line);
    for (size_t i = 0; i < sizeof chat; i++)
        _assert_int_equal(at[i], 0xEE, test, line);
}

#define assert_words(r, code, field, got)                                                          \
    assert_words_((r), (code), (field), (got), __FILE__, __LINE__)
#define assert_refused(json, field, got) assert_words(parse(json), PP_E_INPUT, (field), (got))

#define ONE(members) "{\"messages\": [{\"sender\": \"A\", \"text\": \"t\"}, {" members "}]}"

/* --- what passes ------------------------------------------------------------------------------ */

static void only_messages_are_needed_and_names_become_numbers(void **state)
{
    (void)state;
    assert_ok(parse("{\"title\": \"x\", \"messages\": ["
                    "{\"sender\": \"Zoe\", \"time\": \"2026-03-02T18:04:00\", \"text\": \"hi\"},"
                    "{\"sender\": \"Ann\", \"text\": \"\"},"
                    "{\"sender\": \"Zoe\", \"time\": \"2026-03-02T18:05:59\", \"text\": \"bye\","
                    " \"reactions\": []}]}"));
    assert_int_equal(chat.message_count, 3);
    assert_int_equal(chat.name_count, 2);
    assert_true(pp_span_eq(chat.names[0], PP_STR("Zoe")));
    assert_true(pp_span_eq(chat.names[1], PP_STR("Ann")));
    assert_int_equal(chat.messages[0].sender, 0);
    assert_int_equal(chat.messages[1].sender, 1);
    assert_int_equal(chat.messages[2].sender, 0);
    assert_int_equal(chat.messages[2].id, 2);
    assert_int_equal(chat.messages[1].minute, 0);
    assert_int_equal(chat.messages[2].minute - chat.messages[0].minute, 1);
    assert_int_equal(chat.messages[0].minute, 1772474640 / 60); /* as UTC */
    assert_int_equal(chat.closed, 0);
    assert_true(pp_span_eq(chat.messages[2].text, PP_STR("bye")));
}

static void a_chat_that_is_closed_to_ai_says_so(void **state)
{
    (void)state;
    assert_ok(
        parse("{\"closed_to_ai\": true, \"messages\": [{\"sender\": \"A\", \"text\": \"t\"}]}"));
    assert_int_equal(chat.closed, 1);
    assert_ok(
        parse("{\"closed_to_ai\": false, \"messages\": [{\"sender\": \"A\", \"text\": \"t\"}]}"));
    assert_int_equal(chat.closed, 0);
    assert_refused(
        "{\"closed_to_ai\": \"true\", \"messages\": [{\"sender\": \"A\", \"text\": \"t\"}]}",
        "closed_to_ai", "a string");
    assert_refused("{\"closed_to_ai\": 1, \"messages\": [{\"sender\": \"A\", \"text\": \"t\"}]}",
                   "closed_to_ai", "a number");
    assert_refused("{\"closed_to_ai\": null, \"messages\": [{\"sender\": \"A\", \"text\": \"t\"}]}",
                   "closed_to_ai", "null");
}

/* --- not a chat ------------------------------------------------------------------------------- */

static void what_is_not_json_is_refused_with_the_line(void **state)
{
    (void)state;
    assert_refused("", "(file)", NULL);
    assert_refused("hello", "(file)", "an error in line 1");
    assert_refused("{\n\"messages\": [\n}", "(file)", "an error in line 3");
    assert_refused("{\"messages\": []} {}", "(file)", NULL);
    assert_refused("{\"messages\": [],\n\"messages\": []}", "(file)", "a member twice, in line 2");
    assert_refused("\xEF\xBB\xBF{}", "(file)", NULL); /* a byte order mark */
}

static void every_truncation_of_a_chat_is_refused(void **state)
{
    (void)state;
    static const char good[] = ONE("\"sender\": \"B\", \"text\": \"\\u00e4\"");

    assert_ok(parse(good));
    for (size_t n = 0; n < sizeof good - 1; n++)
        assert_words(parse_span(pp_span(good, n)), PP_E_INPUT, "(file)", NULL);
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf",
                                       "\xf4\x90\x80\x80" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"messages\": [{\"sender\": \"A\", \"text\": \"%s\"}]}",
                 bad[i]);
        assert_refused(json, "(file)", "other bytes");
    }
    assert_refused(ONE("\"sender\": \"B\", \"text\": \"\\ud800\""), "(file)", NULL);
}

static void a_file_that_is_nested_without_end_is_refused(void **state)
{
    (void)state;
    memset(file, '[', 1 << 20);
    assert_words(parse_span(pp_span(file, 1 << 20)), PP_E_INPUT, "(file)", NULL);
}

static void a_file_without_messages_is_refused(void **state)
{
    (void)state;
    assert_refused("[]", "(file)", "an array");
    assert_refused("{}", "messages", "nothing");
    assert_refused("{\"messages\": null}", "messages", "null");
    assert_refused("{\"messages\": {}}", "messages", "an object");
    assert_refused("{\"messages\": \"hi\"}", "messages", "a string");
    assert_refused("{\"messages\": []}", "messages", "an empty array");
}

/* --- one message ------------------------------------------------------------------------------ */

static void texts_that_are_all_empty_are_refused(void **state)
{
    (void)state;
    assert_refused("{\"messages\": [{\"sender\": \"A\", \"text\": \"\"}]}", "messages",
                   "empty texts alone");
    assert_refused("{\"messages\": [{\"sender\": \"A\", \"text\": \"\"},"
                   " {\"sender\": \"B\", \"text\": \"\"}]}",
                   "messages", "empty texts alone");
    assert_refused("{\"messages\": [{\"sender\": \"A\", \"text\": \"\"}, {\"sender\": \"B\"}]}",
                   "messages[1].text", "nothing");
    assert_ok(parse(ONE("\"sender\": \"B\", \"text\": \"\"")));
}

static void a_message_of_a_wrong_type_is_named_by_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *members, *field, *got;
    } rows[] = {
        { "\"text\": \"t\"", "messages[1].sender", "nothing" },
        { "\"sender\": 7, \"text\": \"t\"", "messages[1].sender", "a number" },
        { "\"sender\": \"\", \"text\": \"t\"", "messages[1].sender", "an empty one" },
        { "\"sender\": \"a\\u0000b\", \"text\": \"t\"", "messages[1].sender",
          "one with a NUL character" },
        { "\"sender\": \"A\"", "messages[1].text", "nothing" },
        { "\"sender\": \"A\", \"text\": null", "messages[1].text", "null" },
        { "\"sender\": \"A\", \"text\": [\"t\"]", "messages[1].text", "an array" },
        { "\"sender\": \"A\", \"text\": true", "messages[1].text", "true or false" },
        { "\"sender\": \"A\", \"text\": \"a\\u0000b\"", "messages[1].text",
          "one with a NUL character" },
        { "\"sender\": \"A\", \"text\": \"t\", \"time\": null", "messages[1].time", "null" },
        { "\"sender\": \"A\", \"text\": \"t\", \"time\": 5", "messages[1].time", "a number" }
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char json[256];
        snprintf(json, sizeof json, ONE("%s"), rows[i].members);
        assert_refused(json, rows[i].field, rows[i].got);
    }
    assert_refused("{\"messages\": [\"hi\"]}", "messages[0]", "a string");
    assert_refused("{\"messages\": [null]}", "messages[0]", "null");
}

static pp_res parse_time(const char *text)
{
    char json[160];

    snprintf(json, sizeof json, ONE("\"sender\": \"A\", \"text\": \"t\", \"time\": \"%s\""), text);
    return parse(json);
}

static void a_time_has_one_form(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-03-02",
        "2026-03-02 18:04:00",
        "2026-03-02T18:04",
        "2026-03-02T18:04:00Z",
        "2026-13-02T18:04:00",
        "2026-00-02T18:04:00",
        "2026-03-00T18:04:00",
        "2026-03-32T18:04:00",
        "2026-03-02T24:00:00",
        "2026-03-02T18:60:00",
        "2026-03-02T18:04:61",
        "1969-12-31T23:59:59",
        "20x6-03-02T18:04:00",
        "2026-03-02T18:04:0x",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        assert_words(parse_time(bad[i]), PP_E_INPUT, "messages[1].time", "another form");
        assert_string_equal(problem.expected, "a time like 2026-03-02T18:04:00");
    }
    assert_ok(parse_time("1970-01-01T00:01:00"));
    assert_int_equal(chat.messages[1].minute, 1);
    assert_ok(parse_time("2000-03-01T00:00:00"));
    assert_int_equal(chat.messages[1].minute, 951868800 / 60);
    assert_ok(parse_time("2100-03-01T00:00:00"));
    assert_int_equal(chat.messages[1].minute, UINT32_C(4107542400) / 60);
    assert_ok(parse_time("9999-12-31T23:59:60"));
    assert_int_equal(chat.messages[1].minute, UINT64_C(253402300740) / 60);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void begin_file(void)
{
    wr = pp_wr_over(file, FILE_BYTES);
    pp_wr_text(&wr, "{\"messages\": [");
}

static void add_message(size_t name_len, size_t text_len)
{
    if (wr.at[wr.len - 1] == '}')
        pp_wr_u8(&wr, ',');
    pp_wr_text(&wr, "{\"sender\": \"");
    memset(pp_wr_reserve(&wr, name_len), 'n', name_len);
    pp_wr_text(&wr, "\", \"text\": \"");
    memset(pp_wr_reserve(&wr, text_len), 't', text_len);
    pp_wr_text(&wr, "\"}");
}

static pp_res end_file(void)
{
    pp_wr_text(&wr, "]}");
    assert_ok(pp_wr_ok(&wr));
    return parse_span(pp_wr_done(&wr));
}

static void a_text_and_a_name_at_their_limits_are_read_and_one_past_is_not(void **state)
{
    (void)state;
    begin_file();
    add_message(PP_CHAT_NAME_BYTES_MAX, PP_CHAT_TEXT_BYTES_MAX);
    assert_ok(end_file());
    begin_file();
    add_message(PP_CHAT_NAME_BYTES_MAX + 1, 1);
    assert_words(end_file(), PP_E_INPUT, "messages[0].sender", "a longer one");
    begin_file();
    add_message(1, PP_CHAT_TEXT_BYTES_MAX + 1);
    assert_words(end_file(), PP_E_INPUT, "messages[0].text", "a longer one");
}

static void a_message_of_a_mebibyte_is_refused(void **state)
{
    (void)state;
    begin_file();
    add_message(1, 1 << 20);
    assert_words(end_file(), PP_E_INPUT, "messages[0].text", "a longer one");
    assert_string_equal(problem.expected, "a text of at most 16384 bytes");
    begin_file();
    for (size_t i = 0; i < 1000; i++)
        add_message(1, PP_CHAT_TEXT_BYTES_MAX + (i == 700));
    assert_words(end_file(), PP_E_INPUT, "messages[700].text", "a longer one");
}

static void two_thousand_messages_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    begin_file();
    for (size_t i = 0; i < PP_CHAT_MESSAGE_MAX; i++)
        add_message(1, 1);
    assert_ok(end_file());
    assert_int_equal(chat.message_count, PP_CHAT_MESSAGE_MAX);
    begin_file();
    for (size_t i = 0; i < PP_CHAT_MESSAGE_MAX + 1; i++)
        add_message(1, 1);
    assert_words(end_file(), PP_E_INPUT, "messages", "2001");
    assert_string_equal(problem.expected, "1 to 2000 messages: select the latest 2000");
}

static void a_hundred_thousand_messages_are_refused_with_what_to_do(void **state)
{
    (void)state;
    begin_file();
    for (size_t i = 0; i < 100000; i++)
        add_message(1, 1);
    assert_words(end_file(), PP_E_INPUT, "messages", "100000");
    assert_non_null(strstr(problem.expected, "select the latest 2000"));
}

/* Texts that no bucket holds: how many of the latest do, and those are read then. */
static void texts_that_fit_no_request_are_refused_with_the_number_that_does(void **state)
{
    (void)state;
    begin_file();
    for (size_t i = 0; i < PP_CHAT_MESSAGE_MAX; i++)
        add_message(1, PP_CHAT_TEXT_BYTES_MAX);
    pp_res r = end_file();
    assert_words(r, PP_E_TOO_LARGE, "messages", "2000");
    assert_int_equal(r.detail, 15);
    assert_string_equal(problem.expected, "texts that fit one request: select the latest 15");
    begin_file();
    for (size_t i = 0; i < 16; i++)
        add_message(1, PP_CHAT_TEXT_BYTES_MAX);
    assert_ok(end_file()); /* 256 KiB: the session decides */
    begin_file();
    for (size_t i = 0; i < 16; i++)
        add_message(1, PP_CHAT_TEXT_BYTES_MAX);
    add_message(1, 1);
    assert_words(end_file(), PP_E_TOO_LARGE, "messages", "17");
}

static void the_largest_chat_fits_the_arena_that_it_says_it_needs(void **state)
{
    (void)state;
    begin_file();
    for (size_t i = 0; i < PP_CHAT_MESSAGE_MAX; i++) {
        size_t from = wr.len;
        add_message(PP_CHAT_NAME_BYTES_MAX, 131);
        char number[8];
        snprintf(number, sizeof number, "%04zu", i); /* two thousand names */
        memcpy(wr.at + from + (i == 0 ? 12 : 13), number, 4);
    }
    assert_ok(end_file());
    assert_int_equal(chat.name_count, PP_CHAT_MESSAGE_MAX);
    struct pp_arena spent = pp_arena_over(NULL, 0);
    assert_code(pp_chat_parse(pp_wr_done(&wr), &spent, &problem, &chat), PP_E_NO_MEMORY);
}

static void nobody_has_to_ask_for_the_words_of_a_refusal(void **state)
{
    (void)state;
    static const char *const bad[] = { "x", "[]", "{}", "{\"messages\": [1]}",
                                       "{\"closed_to_ai\": 1, \"messages\": []}" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_code(pp_chat_parse(pp_span_cstr(bad[i]), &arena, NULL, &chat), PP_E_INPUT);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(only_messages_are_needed_and_names_become_numbers),
    cmocka_unit_test(a_chat_that_is_closed_to_ai_says_so),
    cmocka_unit_test(what_is_not_json_is_refused_with_the_line),
    cmocka_unit_test(every_truncation_of_a_chat_is_refused),
    cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
    cmocka_unit_test(a_file_that_is_nested_without_end_is_refused),
    cmocka_unit_test(a_file_without_messages_is_refused),
    cmocka_unit_test(texts_that_are_all_empty_are_refused),
    cmocka_unit_test(a_message_of_a_wrong_type_is_named_by_its_number),
    cmocka_unit_test(a_time_has_one_form),
    cmocka_unit_test(a_text_and_a_name_at_their_limits_are_read_and_one_past_is_not),
    cmocka_unit_test(a_message_of_a_mebibyte_is_refused),
    cmocka_unit_test(two_thousand_messages_are_read_and_one_more_is_not),
    cmocka_unit_test(a_hundred_thousand_messages_are_refused_with_what_to_do),
    cmocka_unit_test(texts_that_fit_no_request_are_refused_with_the_number_that_does),
    cmocka_unit_test(the_largest_chat_fits_the_arena_that_it_says_it_needs),
    cmocka_unit_test(nobody_has_to_ask_for_the_words_of_a_refusal),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
