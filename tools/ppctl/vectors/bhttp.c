/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic "bhttp": rows { name, valid, encoded, message }. A valid row must decode to its message,
 * and the message written anew must decode to the same again; an invalid row must be refused. The
 * stream reader must come to the same, fed whole, byte by byte and in threes.
 */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "stream.h"

static int text_is(const json_t *object, const char *member, struct pp_span s)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL && pp_span_eq(pp_span_cstr(text), s);
}

static int section_is(const struct pp_bhttp *m, struct pp_bhttp_section section, const json_t *rows)
{
    if (json_array_size(rows) != section.count)
        return 0;
    for (size_t i = 0; i < section.count; i++) {
        const json_t *row = json_array_get(rows, i);
        const struct pp_bhttp_field *f = &m->fields[section.first + i];
        const char *name = json_string_value(json_array_get(row, 0));
        const char *value = json_string_value(json_array_get(row, 1));
        if (name == NULL || value == NULL || !pp_span_eq(f->name, pp_span_cstr(name)) ||
            !pp_span_eq(f->value, pp_span_cstr(value)))
            return 0;
    }
    return 1;
}

static int content_is(const struct pp_bhttp *m, const json_t *message)
{
    struct pp_buf want = vectors_hex(message, "content_hex");
    uint8_t *content = malloc(m->content_len + 1);
    int same = 0;

    if (want.bytes != NULL && content != NULL) {
        struct pp_wr wr = pp_wr_over(content, m->content_len);
        pp_bhttp_content_copy(m, &wr);
        same = pp_is_ok(pp_wr_ok(&wr)) && pp_span_eq(pp_wr_done(&wr), pp_buf_span(&want));
    }
    free(content);
    pp_buf_done(&want);
    return same;
}

/* The content that the stream reader gave is the row's. */
static int stream_content_is(struct pp_span got, const json_t *message)
{
    struct pp_buf want = vectors_hex(message, "content_hex");
    int same = want.bytes != NULL && pp_span_eq(got, pp_buf_span(&want));

    pp_buf_done(&want);
    return same;
}

static int informational_is(const struct pp_bhttp *m, const json_t *rows)
{
    if (json_array_size(rows) != m->informational_count)
        return 0;
    for (size_t i = 0; i < m->informational_count; i++) {
        const json_t *row = json_array_get(rows, i);
        if (json_integer_value(json_object_get(row, "status")) != m->informational[i].status ||
            !section_is(m, m->informational[i].header, json_object_get(row, "headers")))
            return 0;
    }
    return 1;
}

/* NULL when what is not content is the row's, else the part that differs. */
static const char *head_difference(const struct pp_bhttp *m, const json_t *message)
{
    if (!text_is(message, "type", pp_bhttp_is_request(m) ? PP_STR("request") : PP_STR("response")))
        return "type";
    if (pp_bhttp_is_request(m)) {
        if (!text_is(message, "method", m->method) || !text_is(message, "scheme", m->scheme) ||
            !text_is(message, "authority", m->authority) || !text_is(message, "path", m->path))
            return "control data";
    } else if (json_integer_value(json_object_get(message, "status")) != m->status) {
        return "status";
    }
    if (!informational_is(m, json_object_get(message, "informational")))
        return "informational responses";
    if (!section_is(m, m->header, json_object_get(message, "headers")))
        return "headers";
    if (!section_is(m, m->trailer, json_object_get(message, "trailers")))
        return "trailers";
    return NULL;
}

static const char *difference(const struct pp_bhttp *m, const json_t *message)
{
    const char *head = head_difference(m, message);

    return head != NULL ? head : content_is(m, message) ? NULL : "content";
}

/* The message written anew, in its own framing, reads back as the row's message. */
static const char *rewritten_difference(const struct pp_bhttp *m, const json_t *message)
{
    static uint8_t out[2 * PP_BHTTP_BYTES_MAX];
    static struct pp_bhttp again;
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    if (!pp_is_ok(pp_bhttp_write(m, &wr)) || !pp_is_ok(pp_bhttp_parse(pp_wr_done(&wr), &again)))
        return "rewritten message";
    return difference(&again, message);
}

static pp_res read_stream(struct pp_bhttp_reader *r, struct pp_span encoded, size_t piece,
                          struct pp_wr *content)
{
    struct pp_rd rd = pp_rd_span(encoded);

    while (rd.left > 0) {
        enum pp_bhttp_event event;
        size_t used = 0;
        PP_TRY(pp_bhttp_reader_feed(r, rd.at, rd.left < piece ? rd.left : piece, &used, &event));
        pp_rd_skip(&rd, used);
        if (event == PP_BHTTP_EVENT_CONTENT)
            pp_wr_span(content, r->piece);
    }
    PP_TRY(pp_bhttp_reader_end(r));
    return pp_wr_ok(content);
}

/* NULL, or in what the stream reader differs from the row. */
static const char *stream_difference(struct pp_span encoded, int valid, const json_t *message)
{
    static const size_t PIECES[] = { 1, 3, PP_BHTTP_BYTES_MAX };
    static struct pp_bhttp_reader r;
    static uint8_t mem[PP_BHTTP_BYTES_MAX], content[PP_BHTTP_BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(PIECES); i++) {
        struct pp_wr wr = pp_wr_over(content, sizeof content);
        pp_bhttp_reader_start(&r, mem, sizeof mem);
        pp_res res = read_stream(&r, encoded, PIECES[i], &wr);
        if (pp_is_ok(res) != valid)
            return valid ? pp_code_name(res.code) : "an invalid stream was accepted";
        if (!valid)
            continue;
        const char *head = head_difference(&r.message, message);
        if (head != NULL)
            return head;
        if (!stream_content_is(pp_wr_done(&wr), message))
            return "content of the stream";
    }
    return NULL;
}

static void run_row(struct vectors *v, const char *file, size_t index, const json_t *row)
{
    static struct pp_bhttp m;
    const char *name = json_string_value(json_object_get(row, "name"));
    const json_t *valid = json_object_get(row, "valid");
    const json_t *message = json_object_get(row, "message");
    struct pp_buf encoded = vectors_hex(row, "encoded");
    const char *wrong = NULL;

    (void)index; /* these rows have names */
    if (name == NULL)
        name = "-";
    if (encoded.bytes == NULL || !json_is_boolean(valid)) {
        vectors_fail(v, file, name, "`encoded` (hex) or `valid` is missing");
        pp_buf_done(&encoded);
        return;
    }
    pp_res r = pp_bhttp_parse(pp_buf_span(&encoded), &m);
    if (!json_is_true(valid))
        wrong = pp_is_ok(r) ? "an invalid message was accepted" : NULL;
    else if (!pp_is_ok(r))
        wrong = pp_code_name(r.code);
    else if ((wrong = difference(&m, message)) == NULL)
        wrong = rewritten_difference(&m, message);
    if (wrong == NULL)
        wrong = stream_difference(pp_buf_span(&encoded), json_is_true(valid), message);
    pp_buf_done(&encoded);
    if (wrong == NULL)
        vectors_pass(v, file, name);
    else
        vectors_fail(v, file, name, "%s", wrong);
}

static void run_file(struct vectors *v, const char *file)
{
    vectors_rows(v, file, run_row);
}

void vectors_bhttp(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
