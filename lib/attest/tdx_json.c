/* SPDX-License-Identifier: Apache-2.0 */
#include "tdx_json_int.h"

struct tdx_json tdx_json_over(struct pp_span text)
{
    return (struct tdx_json){ .text = text };
}

void tdx_json_fail(struct tdx_json *rd, enum pp_code code)
{
    if (rd->failed != PP_E_OK)
        return;
    rd->failed = (uint32_t)code;
    rd->detail = (uint32_t)rd->at;
    rd->at = rd->text.len; /* every read finds the end */
}

/* --- characters ------------------------------------------------------------------------------- */

static int peek(const struct tdx_json *rd)
{
    return rd->at < rd->text.len ? rd->text.at[rd->at] : -1;
}

static int next(struct tdx_json *rd)
{
    int c = peek(rd);

    if (c >= 0)
        rd->at++;
    return c;
}

static void space(struct tdx_json *rd)
{
    while (peek(rd) == ' ' || peek(rd) == '\t' || peek(rd) == '\n' || peek(rd) == '\r')
        rd->at++;
}

/* Takes `c`, behind any white space, if it stands there. */
static int take(struct tdx_json *rd, int c)
{
    space(rd);
    if (peek(rd) != c)
        return 0;
    rd->at++;
    return 1;
}

static void need(struct tdx_json *rd, int c)
{
    if (!take(rd, c))
        tdx_json_fail(rd, PP_E_FORMAT);
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* --- what is read ----------------------------------------------------------------------------- */

struct pp_span tdx_json_text(struct tdx_json *rd)
{
    need(rd, '"');
    size_t from = rd->at;
    while (peek(rd) >= 0x20 && peek(rd) < 0x7F && peek(rd) != '"' && peek(rd) != '\\')
        rd->at++;
    size_t len = rd->at - from;
    if (next(rd) != '"')
        tdx_json_fail(rd, PP_E_FORMAT);
    return rd->failed == PP_E_OK ? pp_span(rd->text.at + from, len) : (struct pp_span){ 0 };
}

uint64_t tdx_json_uint(struct tdx_json *rd, uint64_t max)
{
    uint64_t v = 0;

    PP_ASSERT(max >= 9); /* so that the bound below does not wrap */
    space(rd);
    size_t from = rd->at;
    while (is_digit(peek(rd))) {
        unsigned digit = (unsigned)next(rd) - '0';
        if (v > (max - digit) / 10) {
            tdx_json_fail(rd, PP_E_RANGE);
            return 0;
        }
        v = v * 10 + digit;
    }
    size_t len = rd->at - from;
    int c = peek(rd);
    if (len == 0 || (len > 1 && rd->text.at[from] == '0') || c == '.' || c == 'e' || c == 'E')
        tdx_json_fail(rd, PP_E_FORMAT);
    return rd->failed == PP_E_OK ? v : 0;
}

static int hex_digit(int c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

void tdx_json_hex(struct tdx_json *rd, uint8_t *ret, size_t len)
{
    struct pp_span text = tdx_json_text(rd);

    if (rd->failed == PP_E_OK && text.len != 2 * len)
        tdx_json_fail(rd, PP_E_RANGE);
    for (size_t i = 0; rd->failed == PP_E_OK && i < len; i++) {
        int high = hex_digit(text.at[2 * i]);
        int low = hex_digit(text.at[2 * i + 1]);
        if (high < 0 || low < 0)
            tdx_json_fail(rd, PP_E_FORMAT);
        else
            ret[i] = (uint8_t)(high << 4 | low);
    }
}

/* --- what is passed over ---------------------------------------------------------------------- */

/* A string with whatever escapes it has: they are not decoded. */
static void skip_string(struct tdx_json *rd)
{
    need(rd, '"');
    for (;;) {
        int c = next(rd);
        if (c == '"')
            return;
        if (c == '\\')
            c = next(rd);
        if (c < 0x20) { /* a control character, or the end */
            tdx_json_fail(rd, PP_E_FORMAT);
            return;
        }
    }
}

static void skip_digits(struct tdx_json *rd)
{
    if (!is_digit(peek(rd)))
        tdx_json_fail(rd, PP_E_FORMAT);
    while (is_digit(peek(rd)))
        rd->at++;
}

static void skip_number(struct tdx_json *rd)
{
    if (peek(rd) == '-')
        rd->at++;
    if (peek(rd) == '0')
        rd->at++;
    else
        skip_digits(rd);
    if (peek(rd) == '.') {
        rd->at++;
        skip_digits(rd);
    }
    if (peek(rd) == 'e' || peek(rd) == 'E') {
        rd->at++;
        if (peek(rd) == '+' || peek(rd) == '-')
            rd->at++;
        skip_digits(rd);
    }
}

static void skip_word(struct tdx_json *rd, struct pp_span word)
{
    for (size_t i = 0; i < word.len; i++)
        if (next(rd) != word.at[i])
            tdx_json_fail(rd, PP_E_FORMAT);
}

static void skip_element(struct tdx_json *rd, void *into)
{
    (void)into;
    (void)tdx_json_raw(rd);
}

struct pp_span tdx_json_raw(struct tdx_json *rd)
{
    space(rd);
    size_t from = rd->at;
    int c = peek(rd);

    if (c == '{')
        tdx_json_object(rd, NULL, 0, 0, NULL);
    else if (c == '[')
        tdx_json_array(rd, skip_element, NULL);
    else if (c == '"')
        skip_string(rd);
    else if (c == 't')
        skip_word(rd, PP_STR("true"));
    else if (c == 'f')
        skip_word(rd, PP_STR("false"));
    else if (c == 'n')
        skip_word(rd, PP_STR("null"));
    else
        skip_number(rd);
    return rd->failed == PP_E_OK ? pp_span(rd->text.at + from, rd->at - from)
                                 : (struct pp_span){ 0 };
}

/* --- objects and arrays ----------------------------------------------------------------------- */

static void deeper(struct tdx_json *rd)
{
    if (++rd->depth > TDX_JSON_DEPTH_MAX)
        tdx_json_fail(rd, PP_E_LIMIT);
}

/* Reads the value of the member `rd->key`, and marks its field as seen. */
static void member(struct tdx_json *rd, const struct tdx_json_field *fields, size_t count,
                   int closed, void *into, uint32_t *seen)
{
    for (size_t i = 0; i < count; i++) {
        if (!pp_span_eq(rd->key, pp_span_cstr(fields[i].name)))
            continue;
        if ((*seen >> i & 1) != 0)
            tdx_json_fail(rd, PP_E_DUPLICATE);
        *seen |= UINT32_C(1) << i;
        fields[i].read(rd, into);
        return;
    }
    if (closed)
        tdx_json_fail(rd, PP_E_UNKNOWN_FIELD);
    (void)tdx_json_raw(rd);
}

void tdx_json_object(struct tdx_json *rd, const struct tdx_json_field *fields, size_t count,
                     int closed, void *into)
{
    uint32_t seen = 0;

    PP_ASSERT(count <= TDX_JSON_FIELDS_MAX);
    deeper(rd);
    need(rd, '{');
    if (!take(rd, '}')) {
        do {
            rd->key = tdx_json_text(rd);
            need(rd, ':');
            member(rd, fields, count, closed, into, &seen);
        } while (rd->failed == PP_E_OK && take(rd, ','));
        need(rd, '}');
    }
    for (size_t i = 0; i < count; i++)
        if (!fields[i].optional && (seen >> i & 1) == 0) {
            if (rd->failed == PP_E_OK)
                rd->key = pp_span_cstr(fields[i].name);
            tdx_json_fail(rd, PP_E_MISSING);
        }
    rd->depth--;
}

void tdx_json_array(struct tdx_json *rd, void (*each)(struct tdx_json *rd, void *into), void *into)
{
    deeper(rd);
    need(rd, '[');
    if (!take(rd, ']')) {
        do
            each(rd, into);
        while (rd->failed == PP_E_OK && take(rd, ','));
        need(rd, ']');
    }
    rd->depth--;
}

pp_res tdx_json_end(struct tdx_json *rd, struct pp_problem *problem)
{
    space(rd);
    if (rd->failed == PP_E_OK && rd->at != rd->text.len)
        tdx_json_fail(rd, PP_E_TRAILING);
    if (rd->failed == PP_E_OK)
        return PP_OK;
    pp_problem_set(problem, "JSON", "what docs/protocol/tdx.md says of this member", rd->key);
    return PP_FAIL(rd->failed, rd->detail);
}
