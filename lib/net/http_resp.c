/* SPDX-License-Identifier: Apache-2.0 */
#include "http_resp.h"

#include "http_int.h"
#include "text.h"

enum { INTERIM = 100, FINAL = 200, SWITCHING = 101 };

/* --- the fields of a head ------------------------------------------------------------------- */

static uint32_t take_type(struct pp_http_resp_head *h, struct pp_span value)
{
    h->type_count++;
    if (value.len > sizeof h->type)
        return PP_E_LIMIT;
    if (value.len > 0)
        memcpy(h->type, value.at, value.len);
    h->type_len = value.len;
    return PP_E_OK;
}

/* RFC 9110 8.4.1: "x-gzip" is a name of gzip. */
static void take_content_coding(struct pp_http_resp_head *h, struct pp_span value)
{
    if (h->content_coding_count++ > 0)
        h->content_coding = PP_HTTP_OTHER_CODING;
    else if (pp_http_is_word(value, "gzip") || pp_http_is_word(value, "x-gzip"))
        h->content_coding = PP_HTTP_GZIP;
    else if (!pp_http_is_word(value, "identity"))
        h->content_coding = PP_HTTP_OTHER_CODING;
}

/* RFC 9110 7.6.1: a list of options. */
static void take_connection(struct pp_http_resp_head *h, struct pp_span options)
{
    struct pp_span option;

    while (options.len > 0) {
        pp_text_cut(&options, ',', &option);
        if (pp_http_is_word(pp_http_trim(option), "close"))
            h->says_close = 1;
    }
}

uint32_t pp_http_resp_field_(struct pp_http_resp_head *h, struct pp_span name, struct pp_span value)
{
    if (!pp_http_is_token(name) || !pp_http_is_value(value))
        return PP_E_FORMAT;
    value = pp_http_trim(value);
    switch (name.len) { /* most fields are none of these */
    case 10:
        if (pp_http_is_word(name, "connection"))
            take_connection(h, value);
        return PP_E_OK;
    case 12:
        return pp_http_is_word(name, "content-type") ? take_type(h, value) : PP_E_OK;
    case 14:
        if (!pp_http_is_word(name, "content-length"))
            return PP_E_OK;
        h->length_count++;
        return pp_is_ok(pp_decimal_parse(value, INT64_MAX, &h->length)) ? PP_E_OK : PP_E_FORMAT;
    case 16:
        if (pp_http_is_word(name, "content-encoding"))
            take_content_coding(h, value);
        return PP_E_OK;
    case 17:
        if (!pp_http_is_word(name, "transfer-encoding"))
            return PP_E_OK;
        h->coding_count++;
        h->is_chunked = (uint32_t)pp_http_is_word(value, "chunked");
        return h->is_chunked ? PP_E_OK : PP_E_FORMAT;
    default:
        return PP_E_OK;
    }
}

uint32_t pp_http_resp_check_(const struct pp_http_resp_head *h)
{
    int is_fine = h->status >= FINAL && h->status <= 599 && h->length_count <= 1 &&
                  h->coding_count <= 1 && h->type_count <= 1 &&
                  h->length_count + h->coding_count <= 1;

    return is_fine ? PP_E_OK : PP_E_FORMAT;
}

/* --- lines ---------------------------------------------------------------------------------- */

void pp_http_resp_init(struct pp_http_resp *r, uint8_t *line, uint32_t is_bodiless)
{
    *r = (struct pp_http_resp){ .line = line, .is_bodiless = is_bodiless };
}

static enum pp_http_resp_event fail(struct pp_http_resp *r, uint32_t code)
{
    r->at = PP_HTTP_RESP_AT_FAILURE;
    r->failed = code;
    return PP_HTTP_RESP_FAILED;
}

/* What there is of a line, with its LF if that has come. */
static struct pp_span cut_line(struct pp_span *in, int *ret_is_whole)
{
    struct pp_span line = *in;

    *ret_is_whole = 0;
    if (in->len == 0)
        return line;
    const uint8_t *lf = (const uint8_t *)memchr(in->at, '\n', in->len);
    if (lf != NULL)
        line.len = (size_t)(lf - in->at) + 1;
    *in = pp_span(in->at + line.len, in->len - line.len);
    *ret_is_whole = lf != NULL;
    return line;
}

/*
 * 1 and the line without its CR LF, which borrows from `in` or `r`; 0: there is no whole one yet,
 * or it failed. `*budget` is what may come up to `max`, of this line or of all lines.
 */
static int take_line(struct pp_http_resp *r, struct pp_span *in, size_t *budget, size_t max,
                     uint32_t code, struct pp_span *ret)
{
    int is_whole;
    struct pp_span line = cut_line(in, &is_whole);

    if (line.len > max - *budget) {
        (void)fail(r, code);
        return 0;
    }
    *budget += line.len;
    if (!is_whole || r->line_len > 0) {
        if (line.len > 0)
            memcpy(r->line + r->line_len, line.at, line.len);
        r->line_len += line.len;
        line = pp_span(r->line, r->line_len);
    }
    if (!is_whole)
        return 0;
    r->line_len = 0;
    if (line.len < 2 || line.at[line.len - 2] != '\r') {
        (void)fail(r, PP_E_FORMAT);
        return 0;
    }
    *ret = pp_span(line.at, line.len - 2);
    return 1;
}

static int take_head_line(struct pp_http_resp *r, struct pp_span *in, struct pp_span *ret)
{
    if (!take_line(r, in, &r->head_bytes, PP_HTTP_RESP_HEAD_BYTES_MAX, PP_E_LIMIT, ret))
        return 0;
    if (++r->lines <= PP_HTTP_RESP_LINES_MAX)
        return 1;
    (void)fail(r, PP_E_LIMIT);
    return 0;
}

static enum pp_http_resp_event more_or_failed(const struct pp_http_resp *r)
{
    return r->at == PP_HTTP_RESP_AT_FAILURE ? PP_HTTP_RESP_FAILED : PP_HTTP_RESP_MORE;
}

/* --- the head ------------------------------------------------------------------------------- */

/* RFC 9112 4: "HTTP/1.1 200 OK", whose reason may be empty, and its space with it. */
static uint32_t read_status(struct pp_http_resp *r, struct pp_span line)
{
    static const char VERSION[] = "HTTP/1.";
    enum { MINOR_AT = sizeof VERSION - 1, STATUS_AT = MINOR_AT + 2, REASON_AT = STATUS_AT + 3 };
    uint64_t status;

    if (line.len < REASON_AT || memcmp(line.at, VERSION, MINOR_AT) != 0 ||
        (line.at[MINOR_AT] != '1' && line.at[MINOR_AT] != '0') || line.at[MINOR_AT + 1] != ' ')
        return PP_E_FORMAT;
    if (!pp_is_ok(pp_decimal_parse(pp_span(line.at + STATUS_AT, 3), 999, &status)))
        return PP_E_FORMAT;
    if (line.len > REASON_AT && line.at[REASON_AT] != ' ')
        return PP_E_FORMAT;
    if (!pp_http_is_value(pp_span(line.at + REASON_AT, line.len - REASON_AT)))
        return PP_E_FORMAT;
    r->head = (struct pp_http_resp_head){ .status = (uint32_t)status };
    r->keep_alive = line.at[MINOR_AT] == '1';
    return PP_E_OK;
}

/* RFC 9112 6.3: where the body ends, if there is one. */
static enum pp_http_resp_event begin_body(struct pp_http_resp *r)
{
    const struct pp_http_resp_head *h = &r->head;

    if (pp_http_resp_check_(h) != PP_E_OK)
        return fail(r, PP_E_FORMAT);
    if (h->says_close)
        r->keep_alive = 0;
    r->left = h->length;
    if (h->status == 204 || h->status == 304 || r->is_bodiless)
        r->at = PP_HTTP_RESP_AT_END;
    else if (h->length_count == 1)
        r->at = h->length > 0 ? PP_HTTP_RESP_AT_LENGTH : PP_HTTP_RESP_AT_END;
    else if (h->is_chunked)
        r->at = PP_HTTP_RESP_AT_CHUNK_SIZE;
    else
        return fail(r, PP_E_FORMAT);
    return PP_HTTP_RESP_HEAD;
}

/*
 * RFC 9110 15.2: interim responses come before the final one, whose head alone counts. Nobody asked
 * for another protocol (101), so what follows would be nothing that we can read.
 */
static enum pp_http_resp_event end_head(struct pp_http_resp *r)
{
    uint32_t status = r->head.status;

    if (status >= FINAL)
        return begin_body(r);
    if (status < INTERIM || status == SWITCHING)
        return fail(r, PP_E_FORMAT);
    r->at = PP_HTTP_RESP_AT_STATUS;
    return PP_HTTP_RESP_MORE;
}

static enum pp_http_resp_event read_head(struct pp_http_resp *r, struct pp_span *in)
{
    struct pp_span line, name;
    uint32_t failed;

    if (r->at == PP_HTTP_RESP_AT_STATUS) {
        r->lines = 0;
        if (!take_head_line(r, in, &line))
            return more_or_failed(r);
        if (read_status(r, line) != PP_E_OK)
            return fail(r, PP_E_FORMAT);
        r->at = PP_HTTP_RESP_AT_FIELDS;
    }
    while (r->at == PP_HTTP_RESP_AT_FIELDS) {
        if (!take_head_line(r, in, &line))
            break;
        if (line.len == 0)
            return end_head(r);
        if (!pp_text_cut(&line, ':', &name))
            return fail(r, PP_E_FORMAT);
        failed = pp_http_resp_field_(&r->head, name, line);
        if (failed != PP_E_OK)
            return fail(r, failed);
    }
    return more_or_failed(r);
}

/* --- chunks --------------------------------------------------------------------------------- */

/* RFC 9112 7.1: hex digits; 7.1.1: extensions that are not known are skipped. */
static uint32_t read_chunk_size(struct pp_http_resp *r, struct pp_span line)
{
    struct pp_span digits;

    (void)pp_text_cut(&line, ';', &digits);
    if (!pp_http_is_value(line))
        return PP_E_FORMAT;
    while (digits.len > 0 && digits.at[digits.len - 1] == ' ')
        digits.len--;
    if (digits.len == 0 || digits.len > PP_HTTP_RESP_CHUNK_DIGITS_MAX)
        return PP_E_FORMAT;
    r->left = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t c = digits.at[i];
        uint8_t low = (uint8_t)(c | 0x20);
        if (c >= '0' && c <= '9')
            r->left = r->left << 4 | (uint64_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            r->left = r->left << 4 | (uint64_t)(low - 'a' + 10);
        else
            return PP_E_FORMAT;
    }
    r->at = r->left > 0 ? PP_HTTP_RESP_AT_CHUNK : PP_HTTP_RESP_AT_TRAILERS;
    return PP_E_OK;
}

static enum pp_http_resp_event read_between_chunks(struct pp_http_resp *r, struct pp_span *in)
{
    size_t used = r->line_len;
    struct pp_span line;

    if (!take_line(r, in, &used, PP_HTTP_RESP_CHUNK_LINE_MAX, PP_E_FORMAT, &line))
        return more_or_failed(r);
    if (r->at == PP_HTTP_RESP_AT_CHUNK_SIZE)
        return read_chunk_size(r, line) == PP_E_OK ? PP_HTTP_RESP_MORE : fail(r, PP_E_FORMAT);
    if (line.len > 0)
        return fail(r, PP_E_FORMAT);
    r->at = PP_HTTP_RESP_AT_CHUNK_SIZE;
    return PP_HTTP_RESP_MORE;
}

/* They are read past: RFC 9110 6.5.1 lets a recipient drop them. */
static enum pp_http_resp_event read_trailers(struct pp_http_resp *r, struct pp_span *in)
{
    struct pp_span line;

    while (take_head_line(r, in, &line)) {
        if (line.len > 0)
            continue;
        r->at = PP_HTTP_RESP_AT_END;
        return PP_HTTP_RESP_DONE;
    }
    return more_or_failed(r);
}

/* --- the whole ------------------------------------------------------------------------------ */

static enum pp_http_resp_event step(struct pp_http_resp *r, struct pp_span *in,
                                    struct pp_span *ret_body)
{
    switch (r->at) {
    case PP_HTTP_RESP_AT_STATUS:
    case PP_HTTP_RESP_AT_FIELDS:
        return read_head(r, in);
    case PP_HTTP_RESP_AT_LENGTH:
    case PP_HTTP_RESP_AT_CHUNK:
        if (in->len == 0)
            return PP_HTTP_RESP_MORE;
        *ret_body = pp_span(in->at, in->len < r->left ? in->len : (size_t)r->left);
        return PP_HTTP_RESP_BODY;
    case PP_HTTP_RESP_AT_CHUNK_SIZE:
    case PP_HTTP_RESP_AT_CHUNK_END:
        return read_between_chunks(r, in);
    case PP_HTTP_RESP_AT_TRAILERS:
        return read_trailers(r, in);
    case PP_HTTP_RESP_AT_END:
        return PP_HTTP_RESP_DONE;
    case PP_HTTP_RESP_AT_FAILURE:
        return PP_HTTP_RESP_FAILED;
    }
    return fail(r, PP_E_STATE);
}

enum pp_http_resp_event pp_http_resp_next(struct pp_http_resp *r, struct pp_span *in,
                                          struct pp_span *ret_body)
{
    enum pp_http_resp_event e;

    do
        e = step(r, in, ret_body);
    while (e == PP_HTTP_RESP_MORE && in->len > 0);
    return e;
}

void pp_http_resp_filled(struct pp_http_resp *r, size_t len)
{
    PP_ASSERT(len <= r->left);
    r->left -= len;
    if (r->left > 0)
        return;
    r->at = r->at == PP_HTTP_RESP_AT_LENGTH ? PP_HTTP_RESP_AT_END : PP_HTTP_RESP_AT_CHUNK_END;
}

void pp_http_resp_take(struct pp_http_resp *r, struct pp_span *in, size_t len)
{
    PP_ASSERT(len <= in->len);
    *in = pp_span(in->at + len, in->len - len);
    pp_http_resp_filled(r, len);
}

uint64_t pp_http_resp_direct(const struct pp_http_resp *r)
{
    return r->at == PP_HTTP_RESP_AT_LENGTH ? r->left : 0;
}

uint32_t pp_http_resp_end(const struct pp_http_resp *r)
{
    int is_cut_line = r->at <= PP_HTTP_RESP_AT_FIELDS && r->line_len > 0;

    return is_cut_line ? PP_E_FORMAT : PP_E_CLOSED;
}
