/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"

#include <jansson.h>

#include "text.h"
#include "wr.h"

static const char TEXT_EXPECTED[] = "a text of at most 16384 bytes";

struct reader {
    struct pp_arena *arena;
    struct pp_problem *problem;
    struct pp_chat chat;
};

/* "messages[17].text" */
static pp_res refuse(struct reader *r, size_t index, const char *member, const char *expected,
                     const char *got)
{
    char field[64];
    struct pp_wr wr = pp_wr_over(field, sizeof field);

    pp_wr_text(&wr, "messages[");
    pp_wr_decimal(&wr, index);
    pp_wr_text(&wr, "]");
    if (member != NULL) {
        pp_wr_text(&wr, ".");
        pp_wr_text(&wr, member);
    }
    pp_wr_u8(&wr, 0);
    pp_problem_set(r->problem, field, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_INPUT, index);
}

static const char *type_name(const json_t *v)
{
    if (v == NULL)
        return "nothing";
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

static pp_res read_string(struct reader *r, size_t index, const json_t *message, const char *member,
                          size_t min, size_t max, const char *expected, struct pp_span *ret)
{
    const json_t *v = json_object_get(message, member);

    if (!json_is_string(v))
        return refuse(r, index, member, expected, type_name(v));
    struct pp_span text = pp_span(json_string_value(v), json_string_length(v));
    if (text.len < min || text.len > max)
        return refuse(r, index, member, expected, text.len < min ? "an empty one" : "a longer one");
    if (text.len > 0 && memchr(text.at, 0, text.len) != NULL)
        return refuse(r, index, member, expected, "one with a NUL character");
    return pp_arena_copy(r->arena, text, ret);
}

static uint64_t two_digits(const uint8_t *p)
{
    return (uint64_t)(p[0] - '0') * 10 + (uint64_t)(p[1] - '0');
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar; year 1970 or later. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    uint64_t leap_years = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477;
    uint64_t days = (year - 1970) * 365 + leap_years + before[month - 1] + day - 1;

    if (month > 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
        days++;
    return days;
}

/* "2026-03-02T18:04:00", local to the chat: only differences matter, so it is taken as UTC. */
static pp_res minute_of(struct pp_span text, uint32_t *ret)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";

    PP_CHECK(text.len == sizeof form - 1, PP_E_FORMAT, text.len);
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.at[i] >= '0' && text.at[i] <= '9';
        PP_CHECK(form[i] == 'd' ? digit : text.at[i] == (uint8_t)form[i], PP_E_FORMAT, i);
    }
    uint64_t year = two_digits(text.at) * 100 + two_digits(text.at + 2);
    uint64_t month = two_digits(text.at + 5), day = two_digits(text.at + 8);
    uint64_t hour = two_digits(text.at + 11), minute = two_digits(text.at + 14);
    uint64_t second = two_digits(text.at + 17);
    PP_CHECK(year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 31, PP_E_RANGE, 0);
    PP_CHECK(hour <= 23 && minute <= 59 && second <= 60, PP_E_RANGE, 1);
    *ret = (uint32_t)((days_of(year, month, day) * 24 + hour) * 60 + minute);
    return PP_OK;
}

static uint32_t alias_of(struct reader *r, struct pp_span name)
{
    struct pp_chat *c = &r->chat;

    for (size_t i = 0; i < c->name_count; i++)
        if (pp_span_eq(c->names[i], name))
            return (uint32_t)i;
    c->names[c->name_count] = name;
    return (uint32_t)c->name_count++;
}

static pp_res read_message(struct reader *r, size_t index, const json_t *v)
{
    struct pp_chat_message *m = &r->chat.messages[index];
    struct pp_span sender, time;

    if (!json_is_object(v))
        return refuse(r, index, NULL, "an object {sender, time, text}", type_name(v));
    PP_TRY(read_string(r, index, v, "sender", 1, PP_CHAT_NAME_BYTES_MAX,
                       "a name of at most 256 bytes", &sender));
    PP_TRY(read_string(r, index, v, "text", 0, PP_CHAT_TEXT_BYTES_MAX, TEXT_EXPECTED, &m->text));
    if (json_object_get(v, "time") != NULL) {
        PP_TRY(read_string(r, index, v, "time", 0, 64, "a time like 2026-03-02T18:04:00", &time));
        if (!pp_is_ok(minute_of(time, &m->minute)))
            return refuse(r, index, "time", "a time like 2026-03-02T18:04:00", "another form");
    }
    m->id = (uint32_t)index;
    m->sender = alias_of(r, sender);
    return PP_OK;
}

static pp_res refuse_file(struct reader *r, const char *field, const char *expected,
                          const json_t *got)
{
    pp_problem_set(r->problem, field, expected, pp_span_cstr(type_name(got)));
    return PP_FAIL(PP_E_INPUT, 0);
}

/* "1 to 2000 messages: select the latest 2000", and how many there are. */
static pp_res refuse_count(struct reader *r, enum pp_code code, const char *expected, size_t fit,
                           size_t count)
{
    char words[128], got[32];
    struct pp_wr wr = pp_wr_over(words, sizeof words), got_wr = pp_wr_over(got, sizeof got);

    pp_wr_text(&wr, expected);
    pp_wr_text(&wr, ": select the latest ");
    pp_wr_decimal(&wr, fit);
    pp_wr_u8(&wr, 0);
    pp_wr_decimal(&got_wr, count);
    pp_problem_set(r->problem, "messages", words, pp_wr_done(&got_wr));
    return PP_FAIL(code, fit);
}

/* 0 when a message has no text at all: that is another fault, with its own words. */
static int has_texts(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_object_get(json_array_get(list, i), "text")))
            return 0;
    return 1;
}

/* Texts that no bucket holds are refused before they are copied. What surely fits is told; the
 * session knows it to the byte (pp_session_fits). */
static pp_res check_texts(struct reader *r, const json_t *list)
{
    enum { SURE_BYTES = 250 << 10, AROUND_TEXT_BYTES = 16 };
    size_t count = json_array_size(list), texts = 0, sure = 0, fit = 0;

    for (size_t i = count; i > 0; i--) {
        size_t len = json_string_length(json_object_get(json_array_get(list, i - 1), "text"));

        if (len > PP_CHAT_TEXT_BYTES_MAX)
            return refuse(r, i - 1, "text", TEXT_EXPECTED, "a longer one");
        texts += len;
        sure += len + AROUND_TEXT_BYTES;
        fit += sure <= SURE_BYTES;
    }
    if (texts == 0 && has_texts(list)) {
        pp_problem_set(r->problem, "messages", "a message with text", PP_STR("empty texts alone"));
        return PP_FAIL(PP_E_INPUT, 0);
    }
    if (texts > PP_CHAT_TEXTS_BYTES_MAX)
        return refuse_count(r, PP_E_TOO_LARGE, "texts that fit one request", fit, count);
    return PP_OK;
}

static pp_res read_all(struct reader *r, const json_t *root)
{
    if (!json_is_object(root))
        return refuse_file(r, "(file)", "a JSON object with messages", root);
    const json_t *list = json_object_get(root, "messages");
    const json_t *closed = json_object_get(root, "closed_to_ai");
    if (closed != NULL && !json_is_boolean(closed))
        return refuse_file(r, "closed_to_ai", "true or false", closed);
    r->chat.closed = json_is_true(closed);
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0) {
        pp_problem_set(r->problem, "messages", "an array with 1 to 2000 messages",
                       pp_span_cstr(json_is_array(list) ? "an empty array" : type_name(list)));
        return PP_FAIL(PP_E_INPUT, 0);
    }
    if (count > PP_CHAT_MESSAGE_MAX)
        return refuse_count(r, PP_E_INPUT, "1 to 2000 messages", PP_CHAT_MESSAGE_MAX, count);
    PP_TRY(check_texts(r, list));
    r->chat.messages = pp_arena_array(r->arena, count, sizeof *r->chat.messages);
    r->chat.names = pp_arena_array(r->arena, count, sizeof *r->chat.names);
    PP_CHECK(r->chat.messages != NULL && r->chat.names != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++)
        PP_TRY(read_message(r, i, json_array_get(list, i)));
    r->chat.message_count = count;
    return PP_OK;
}

pp_res pp_chat_parse(struct pp_span json, struct pp_arena *arena, struct pp_problem *problem,
                     struct pp_chat *ret)
{
    struct reader r = { .arena = arena, .problem = problem };
    json_error_t error;

    pp_res utf8 = pp_utf8_check(json);
    if (!pp_is_ok(utf8)) {
        pp_problem_set(problem, "(file)", "UTF-8 text", PP_STR("other bytes"));
        return PP_FAIL(PP_E_INPUT, utf8.detail);
    }
    json_t *root = json_loadb((const char *)json.at, json.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        int twice = json_error_code(&error) == json_error_duplicate_key;
        char got[64];
        struct pp_wr wr = pp_wr_over(got, sizeof got);
        pp_wr_text(&wr, twice ? "a member twice, in line " : "an error in line ");
        pp_wr_decimal(&wr, (uint64_t)(error.line > 0 ? error.line : 0));
        pp_problem_set(problem, "(file)", twice ? "JSON with every member once" : "JSON",
                       pp_wr_done(&wr));
        return PP_FAIL(PP_E_INPUT, (uint32_t)error.position);
    }
    pp_res res = read_all(&r, root);
    json_decref(root);
    if (pp_is_ok(res))
        *ret = r.chat;
    return res;
}
