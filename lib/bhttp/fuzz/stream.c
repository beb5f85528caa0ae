/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream reader against the reader of whole messages: the first byte says how the rest is cut;
 * both accept the same messages and read the same in them. What was read is written piece by piece
 * and read again.
 */
#include "fuzz.h"

#include <string.h>

#include "stream.h"

enum { INPUT_MAX = 1 << 14, OUT_MAX = 1 << 17 };

struct outcome {
    struct pp_bhttp_reader reader;
    uint8_t mem[OUT_MAX], content[OUT_MAX];
    size_t content_len;
    int whole;
};

static pp_res feed(struct outcome *o, const uint8_t *data, size_t len, size_t piece)
{
    while (len > 0) {
        enum pp_bhttp_event event;
        size_t used = 0;
        PP_TRY(pp_bhttp_reader_feed(&o->reader, data, len < piece ? len : piece, &used, &event));
        FUZZ_CHECK(used > 0 && used <= len);
        if (event == PP_BHTTP_EVENT_CONTENT) {
            memcpy(o->content + o->content_len, o->reader.piece.at, o->reader.piece.len);
            o->content_len += o->reader.piece.len;
        }
        data += used;
        len -= used;
    }
    return pp_bhttp_reader_end(&o->reader);
}

static void read_stream(struct outcome *o, const uint8_t *data, size_t len, size_t piece)
{
    pp_bhttp_reader_start(&o->reader, o->mem, sizeof o->mem);
    o->content_len = 0;
    o->whole = pp_is_ok(feed(o, data, len, piece));
}

static void same_section(const struct pp_bhttp *a, struct pp_bhttp_section of_a,
                         const struct pp_bhttp *b, struct pp_bhttp_section of_b)
{
    FUZZ_CHECK(of_a.count == of_b.count);
    for (size_t i = 0; i < of_a.count; i++) {
        const struct pp_bhttp_field *f = &a->fields[of_a.first + i];
        const struct pp_bhttp_field *g = &b->fields[of_b.first + i];
        FUZZ_CHECK(pp_span_eq(f->name, g->name) && pp_span_eq(f->value, g->value));
    }
}

static void same_message(const struct pp_bhttp *a, const struct pp_bhttp *b)
{
    FUZZ_CHECK(pp_bhttp_is_request(a) == pp_bhttp_is_request(b) && a->status == b->status);
    FUZZ_CHECK(pp_span_eq(a->method, b->method) && pp_span_eq(a->scheme, b->scheme));
    FUZZ_CHECK(pp_span_eq(a->authority, b->authority) && pp_span_eq(a->path, b->path));
    FUZZ_CHECK(a->informational_count == b->informational_count);
    for (size_t i = 0; i < a->informational_count; i++) {
        FUZZ_CHECK(a->informational[i].status == b->informational[i].status);
        same_section(a, a->informational[i].header, b, b->informational[i].header);
    }
    same_section(a, a->header, b, b->header);
    same_section(a, a->trailer, b, b->trailer);
    FUZZ_CHECK(a->content_len == b->content_len);
}

static void write_again(struct outcome *o, const struct outcome *from, size_t piece)
{
    static struct pp_bhttp m;
    static uint8_t out[OUT_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_bhttp_writer w = { 0 };

    m = from->reader.message;
    m.framing = pp_bhttp_is_request(&m) ? PP_BHTTP_REQUEST_INDETERMINATE
                                        : PP_BHTTP_RESPONSE_INDETERMINATE;
    FUZZ_CHECK(pp_is_ok(pp_bhttp_writer_header(&w, &m, &wr)));
    for (size_t at = 0; at < from->content_len; at += piece) {
        size_t left = from->content_len - at;
        struct pp_span s = pp_span(from->content + at, left < piece ? left : piece);
        FUZZ_CHECK(pp_is_ok(pp_bhttp_writer_content(&w, s, &wr)));
    }
    FUZZ_CHECK(pp_is_ok(pp_bhttp_writer_end(&w, &m, &wr)));
    read_stream(o, out, wr.len, piece);
    FUZZ_CHECK(o->whole && o->reader.message.exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct outcome o, again;
    static struct pp_bhttp whole;

    if (len == 0 || len > INPUT_MAX)
        return 0;
    const size_t pieces[] = { 1, 1 + data[0], INPUT_MAX };
    int valid = pp_is_ok(pp_bhttp_parse(pp_span(data + 1, len - 1), &whole));
    for (size_t i = 0; i < 3; i++) {
        struct pp_wr wr = pp_wr_over(again.content, sizeof again.content);
        read_stream(&o, data + 1, len - 1, pieces[i]);
        FUZZ_CHECK(o.whole == valid);
        if (!valid)
            continue;
        same_message(&o.reader.message, &whole);
        FUZZ_CHECK(o.reader.message.framing == whole.framing);
        FUZZ_CHECK(o.reader.message.exact == whole.exact);
        pp_bhttp_content_copy(&whole, &wr);
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(o.content, o.content_len)));
        write_again(&again, &o, pieces[i]);
        same_message(&o.reader.message, &again.reader.message);
        FUZZ_CHECK(pp_span_eq(pp_span(o.content, o.content_len),
                              pp_span(again.content, again.content_len)));
    }
    return 0;
}
