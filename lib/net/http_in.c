/* SPDX-License-Identifier: Apache-2.0 */
#include "http_int.h"

#include "ct.h"
#include "text.h"

/* --- bytes ---------------------------------------------------------------------------------- */

/* RFC 9110 5.6.2: tchar. */
static int is_tchar(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return 1;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

int pp_http_is_token(struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_tchar(s.at[i]))
            return 0;
    return s.len > 0;
}

int pp_http_is_value(struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.at[i] < 0x20 && s.at[i] != '\t') || s.at[i] >= 0x7F)
            return 0;
    return 1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

int pp_http_is_word(struct pp_span s, const char *word)
{
    size_t i = 0;

    while (i < s.len && word[i] != '\0' && lower(s.at[i]) == (uint8_t)word[i])
        i++;
    return i == s.len && word[i] == '\0';
}

struct pp_span pp_http_trim(struct pp_span s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
        s = pp_span(s.at + 1, s.len - 1);
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

int pp_http_find_(const struct pp_http_field *fields, size_t count, const char *name,
                  struct pp_span *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (pp_http_is_word(fields[i].name, name)) {
            *ret = fields[i].value;
            return 1;
        }
    }
    return 0;
}

/* --- http_parser's callbacks: it is always given the whole head at once, so spans are whole - */

static struct pp_http_in *owner(http_parser *p)
{
    return (struct pp_http_in *)p->data;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
    owner(p)->target = pp_span(at, len);
    return 0;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
    struct pp_http_in *in = owner(p);

    if (in->field_count == PP_HTTP_FIELDS_MAX) {
        in->too_many_fields = 1;
        return 1;
    }
    in->fields[in->field_count++] = (struct pp_http_field){ .name = pp_span(at, len) };
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    struct pp_http_in *in = owner(p);

    in->fields[in->field_count - 1].value = pp_http_trim(pp_span(at, len));
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    struct pp_http_in *in = owner(p);

    PP_ASSERT(len <= in->body_room - in->body_len); /* see read_chunks */
    memcpy(in->body + in->body_len, at, len);
    in->body_len += len;
    in->body_total += len;
    return 0;
}

static const http_parser_settings SETTINGS = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_body = on_body,
};

static int parse(struct pp_http_in *in, const uint8_t *at, size_t len)
{
    in->parser.data = in;
    return http_parser_execute(&in->parser, &SETTINGS, (const char *)at, len) == len &&
           HTTP_PARSER_ERRNO(&in->parser) == HPE_OK;
}

/* --- the head ------------------------------------------------------------------------------- */

/*
 * RFC 9112 2.2 and 5.2: looks at each byte of the head once. Lines end with CR LF and nothing
 * else, no line is empty but the last, none begins with white space, and there are no control
 * characters. Returns the status to refuse with, or 0; `head_len` is set at the empty line.
 */
static uint32_t look(struct pp_http_in *in)
{
    while (in->looked < in->len && in->head_len == 0) {
        size_t i = in->looked++;
        uint8_t c = in->buf[i];
        uint8_t before = i == 0 ? 0 : in->buf[i - 1];

        if (i == PP_HTTP_HEAD_BYTES_MAX)
            return 431;
        if (i == in->line && (c == ' ' || c == '\t'))
            return 400;
        if ((before == '\r') != (c == '\n'))
            return 400;
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c >= 0x7F)
            return 400;
        if (in->line == 0 && i > PP_HTTP_TARGET_BYTES_MAX + 64)
            return 414;
        if (c != '\n')
            continue;
        if (i - in->line == 1 && in->line == 0)
            return 400;
        if (i - in->line == 1)
            in->head_len = i + 1;
        in->line = i + 1;
    }
    return in->head_len == 0 && in->len >= PP_HTTP_HEAD_BYTES_MAX ? 431 : 0;
}

/* Fields of which a second one could make two readers disagree. */
static uint32_t check_repeats(struct pp_http_in *in)
{
    static const char *const ONCE[] = { "host",         "content-length", "transfer-encoding",
                                        "content-type", "authorization",  "content-encoding",
                                        "expect",       "connection" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ONCE); i++) {
        size_t n = 0;
        for (size_t f = 0; f < in->field_count; f++)
            n += (size_t)pp_http_is_word(in->fields[f].name, ONCE[i]);
        if (n > 1)
            return 400;
    }
    return 0;
}

/* RFC 9112 3.2: exactly one Host, and it is one. */
static uint32_t check_host(struct pp_http_in *in)
{
    struct pp_span host;

    if (!pp_http_find_(in->fields, in->field_count, "host", &host))
        return 400;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = lower(host.at[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".-_:[]", c) != NULL) ||
            c == 0)
            return 400;
    }
    return host.len == 0 ? 400 : 0;
}

/*
 * RFC 9112 3.2.1: origin-form only. What comes out may be used below a folder: no escapes, no
 * segment that climbs, no empty one.
 */
static uint32_t check_target(struct pp_http_in *in)
{
    struct pp_span t = in->target;
    struct pp_span segment;
    size_t path_len = 0;

    if (t.len > PP_HTTP_TARGET_BYTES_MAX)
        return 414;
    if (t.len == 0 || t.at[0] != '/')
        return 400;
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] <= 0x20 || t.at[i] >= 0x7F || strchr("#\\\"<>", t.at[i]) != NULL)
            return 400;
    while (path_len < t.len && t.at[path_len] != '?')
        path_len++;
    in->path = pp_span(t.at, path_len);
    in->query = path_len == t.len ? pp_span(NULL, 0)
                                  : pp_span(t.at + path_len + 1, t.len - path_len - 1);

    struct pp_span left = pp_span(t.at + 1, path_len - 1);
    while (left.len > 0) {
        pp_text_cut(&left, '/', &segment);
        if (segment.len == 0 || pp_span_eq(segment, PP_STR(".")) ||
            pp_span_eq(segment, PP_STR("..")) || memchr(segment.at, '%', segment.len) != NULL)
            return 400;
    }
    return 0;
}

/* RFC 9112 6: exactly one way to tell where the body ends, written in exactly one way. */
static uint32_t check_framing(struct pp_http_in *in)
{
    struct pp_span length;
    struct pp_span coding;
    int has_length = pp_http_find_(in->fields, in->field_count, "content-length", &length);
    int has_coding = pp_http_find_(in->fields, in->field_count, "transfer-encoding", &coding);

    if (has_length && has_coding)
        return 400;
    if (has_coding) {
        if (!pp_http_is_word(coding, "chunked"))
            return 400;
        in->framing = PP_HTTP_CHUNKED;
    }
    if (has_length) {
        if (!pp_is_ok(pp_decimal_parse(length, UINT64_MAX, &in->length)))
            return 400;
        in->framing = in->length == 0 ? PP_HTTP_NO_BODY : PP_HTTP_LENGTH;
    }
    return 0;
}

/* RFC 9112 9.3: kept unless the client says close. An option beside these two is not for us. */
static uint32_t check_connection(struct pp_http_in *in)
{
    struct pp_span options;
    struct pp_span option;

    in->keep_alive = 1;
    if (pp_http_find_(in->fields, in->field_count, "upgrade", &options))
        return 400;
    if (pp_http_find_(in->fields, in->field_count, "expect", &options))
        return 417;
    if (!pp_http_find_(in->fields, in->field_count, "connection", &options))
        return 0;
    while (options.len > 0) {
        pp_text_cut(&options, ',', &option);
        if (pp_http_is_word(pp_http_trim(option), "close"))
            in->keep_alive = 0;
    }
    return 0;
}

/* RFC 9112 3: method, one space, target, one space, version; http_parser takes more spaces. */
static uint32_t check_request_line(struct pp_http_in *in)
{
    static const char END[] = " HTTP/1.1\r\n";
    struct pp_span line = pp_span(in->buf, in->head_len);

    pp_text_cut(&line, ' ', &in->method);
    if (in->target.at != line.at)
        return 400;
    for (size_t i = 0; i < in->method.len; i++)
        if (in->method.at[i] < 'A' || in->method.at[i] > 'Z')
            return 400;
    if (in->parser.http_major != 1 || in->parser.http_minor != 1)
        return 505;
    line = pp_span(line.at + in->target.len, line.len - in->target.len);
    return line.len < sizeof END - 1 || memcmp(line.at, END, sizeof END - 1) != 0 ? 400 : 0;
}

static uint32_t check_fields(struct pp_http_in *in)
{
    for (size_t f = 0; f < in->field_count; f++) {
        struct pp_span name = in->fields[f].name;
        if (!pp_http_is_token(name) || !pp_http_is_value(in->fields[f].value))
            return 400;
        for (size_t i = 0; i < name.len; i++)
            in->buf[(size_t)(name.at - in->buf) + i] = lower(name.at[i]);
    }
    return 0;
}

uint32_t pp_http_in_check_(struct pp_http_in *in)
{
    static uint32_t (*const CHECKS[])(struct pp_http_in *) = {
        check_fields, check_repeats, check_target, check_host, check_framing, check_connection,
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(CHECKS); i++) {
        uint32_t status = CHECKS[i](in);
        if (status != 0)
            return status;
    }
    return 0;
}

static uint32_t read_head(struct pp_http_in *in)
{
    http_parser_init(&in->parser, HTTP_REQUEST);
    if (!parse(in, in->buf, in->head_len))
        return in->too_many_fields ? 431 : 400;
    uint32_t status = check_request_line(in);
    return status != 0 ? status : pp_http_in_check_(in);
}

/* --- the body ------------------------------------------------------------------------------- */

/*
 * RFC 9112 7.1: one byte of the framing between chunks. Sizes are hex digits without leading zeros;
 * extensions and trailers are refused. Returns 1 if the byte may stand here.
 */
static int chunk_byte(struct pp_http_in *in, uint8_t c)
{
    uint8_t l = lower(c);

    switch (in->chunk) {
    case PP_HTTP_CHUNK_SIZE:
        if (c == '\r' && in->chunk_digits > 0) {
            in->chunk = PP_HTTP_CHUNK_SIZE_LF;
            return 1;
        }
        if (!((l >= '0' && l <= '9') || (l >= 'a' && l <= 'f')))
            return 0;
        if (in->chunk_digits == PP_HTTP_CHUNK_DIGITS_MAX ||
            (in->chunk_digits > 0 && in->chunk_left == 0))
            return 0;
        in->chunk_digits++;
        in->chunk_left = in->chunk_left * 16 + (uint64_t)(l <= '9' ? l - '0' : l - 'a' + 10);
        return 1;
    case PP_HTTP_CHUNK_SIZE_LF:
        in->chunk = in->chunk_left > 0 ? PP_HTTP_CHUNK_DATA : PP_HTTP_CHUNK_END_CR;
        in->chunk_digits = 0;
        return c == '\n';
    case PP_HTTP_CHUNK_DATA_CR:
        in->chunk = PP_HTTP_CHUNK_DATA_LF;
        return c == '\r';
    case PP_HTTP_CHUNK_DATA_LF:
        in->chunk = PP_HTTP_CHUNK_SIZE;
        return c == '\n';
    case PP_HTTP_CHUNK_END_CR:
        in->chunk = PP_HTTP_CHUNK_END_LF;
        return c == '\r';
    case PP_HTTP_CHUNK_END_LF:
        in->chunk = PP_HTTP_CHUNK_COMPLETE;
        return c == '\n';
    case PP_HTTP_CHUNK_DATA:
    case PP_HTTP_CHUNK_COMPLETE:
        break;
    }
    return 0;
}

/* How much of the chunk can be taken now; it is counted as taken. */
static size_t chunk_data(struct pp_http_in *in)
{
    size_t limits[] = { in->len - in->at, in->body_room - in->body_len,
                        in->body_cap - in->body_total };
    size_t n = (size_t)in->chunk_left;

    for (size_t i = 0; i < PP_ARRAY_COUNT(limits); i++)
        n = n < limits[i] ? n : limits[i];
    in->chunk_left -= n;
    if (in->chunk_left == 0)
        in->chunk = PP_HTTP_CHUNK_DATA_CR;
    return n;
}

static void read_chunks(struct pp_http_in *in)
{
    while (in->at < in->len && in->chunk != PP_HTTP_CHUNK_COMPLETE) {
        size_t n = 1;

        if (in->chunk == PP_HTTP_CHUNK_DATA) {
            if (in->body_total == in->body_cap) {
                pp_http_in_refuse(in, 413);
                return;
            }
            if (in->body_len == in->body_room)
                return;
            n = chunk_data(in);
        } else if (!chunk_byte(in, in->buf[in->at])) {
            pp_http_in_refuse(in, 400);
            return;
        }
        if (!parse(in, in->buf + in->at, n)) {
            pp_http_in_refuse(in, 400);
            return;
        }
        in->at += n;
    }
    if (in->chunk == PP_HTTP_CHUNK_COMPLETE) {
        in->step = PP_HTTP_DONE;
        return;
    }
    in->len = in->at = in->head_len; /* all of it was taken: make room */
}

static size_t length_space(const struct pp_http_in *in)
{
    size_t missing = (size_t)in->length - in->body_total;
    size_t room = in->body_room - in->body_len;

    return missing < room ? missing : room;
}

static void read_body(struct pp_http_in *in)
{
    if (in->framing == PP_HTTP_CHUNKED) {
        read_chunks(in);
        return;
    }
    /* What came together with the head; the rest is put into the body itself. */
    size_t have = in->len - in->at;
    size_t want = length_space(in);
    size_t n = have < want ? have : want;

    if (n > 0)
        memcpy(in->body + in->body_len, in->buf + in->at, n);
    in->body_len += n;
    in->body_total += n;
    in->at += n;
    if (in->body_total == in->length)
        in->step = PP_HTTP_DONE;
}

/* --- the whole ------------------------------------------------------------------------------ */

void pp_http_in_init(struct pp_http_in *in, uint8_t *buf)
{
    *in = (struct pp_http_in){ .buf = buf };
}

void pp_http_in_refuse(struct pp_http_in *in, uint32_t status)
{
    in->step = PP_HTTP_REFUSED;
    in->refused = status;
}

size_t pp_http_in_space(struct pp_http_in *in, uint8_t **ret_at)
{
    PP_ASSERT(in->step == PP_HTTP_MORE);
    if (in->head_len > 0 && in->framing == PP_HTTP_LENGTH) {
        *ret_at = in->body + in->body_len;
        return length_space(in);
    }
    *ret_at = in->buf + in->len;
    return (in->head_len == 0 ? PP_HTTP_HEAD_BYTES_MAX : PP_HTTP_IN_BYTES) - in->len;
}

void pp_http_in_filled(struct pp_http_in *in, size_t n)
{
    uint32_t status;

    PP_ASSERT(in->step == PP_HTTP_MORE);
    if (in->head_len > 0 && in->framing == PP_HTTP_LENGTH) {
        in->body_len += n;
        in->body_total += n;
        if (in->body_total == in->length)
            in->step = PP_HTTP_DONE;
        return;
    }
    in->len += n;
    in->high = in->len > in->high ? in->len : in->high;
    if (in->head_len > 0) {
        read_body(in);
        return;
    }
    if ((status = look(in)) != 0) {
        pp_http_in_refuse(in, status);
        return;
    }
    if (in->head_len == 0)
        return;
    in->at = in->head_len;
    if ((status = read_head(in)) != 0)
        pp_http_in_refuse(in, status);
    else
        in->step = PP_HTTP_HEAD;
}

void pp_http_in_body(struct pp_http_in *in, uint8_t *body, size_t room, size_t cap)
{
    PP_ASSERT(in->step == PP_HTTP_HEAD);
    in->body = body;
    in->body_room = room;
    in->body_cap = cap;
    in->step = PP_HTTP_MORE;
    if (in->framing == PP_HTTP_NO_BODY)
        in->step = PP_HTTP_DONE;
    else if (in->framing == PP_HTTP_LENGTH && in->length > cap)
        pp_http_in_refuse(in, 413);
    else
        read_body(in);
}

void pp_http_in_take(struct pp_http_in *in, size_t len)
{
    PP_ASSERT(len <= in->body_len);
    memmove(in->body, in->body + len, in->body_len - len);
    in->body_len -= len;
}

void pp_http_in_go_on(struct pp_http_in *in)
{
    PP_ASSERT(in->step == PP_HTTP_MORE && in->head_len > 0);
    read_body(in);
}

void pp_http_in_next(struct pp_http_in *in)
{
    uint8_t *buf = in->buf;
    size_t left = in->len - in->at;
    size_t high = in->high;

    PP_ASSERT(in->step == PP_HTTP_DONE);
    if (left > 0)
        memmove(buf, buf + in->at, left);
    pp_wipe(buf + left, high - left);
    pp_http_in_init(in, buf);
    in->len = left;
    if (left > 0) {
        in->len = 0;
        pp_http_in_filled(in, left);
    }
}
