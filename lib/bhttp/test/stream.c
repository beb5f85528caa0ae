/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream reader beside the reader of whole messages, and the writer beside the reader. Every
 * row of `ppctl vectors bhttp` runs through the stream reader too, whole and byte by byte.
 */
#include "harness.h"

#include "stream.h"

enum { MEM_BYTES = 1 << 17 };

/* What a reader made of one message. */
struct outcome {
    struct pp_bhttp_reader reader;
    uint8_t mem[MEM_BYTES];
    uint8_t content[4096];
    size_t content_len;
    char order[64]; /* I, H, C, T; pieces of content as one */
    pp_res res;
};

static void note(struct outcome *o, enum pp_bhttp_event event)
{
    static const char LETTERS[] = { '-', 'I', 'H', 'C', 'T' };
    size_t n = strlen(o->order);

    if (event == PP_BHTTP_EVENT_CONTENT) {
        assert_true(o->reader.piece.len > 0);
        assert_true(o->content_len + o->reader.piece.len <= sizeof o->content);
        memcpy(o->content + o->content_len, o->reader.piece.at, o->reader.piece.len);
        o->content_len += o->reader.piece.len;
    }
    if (event != PP_BHTTP_EVENT_NONE && n + 1 < sizeof o->order &&
        (event != PP_BHTTP_EVENT_CONTENT || n == 0 || o->order[n - 1] != 'C'))
        o->order[n] = LETTERS[event];
}

static pp_res feed_all(struct outcome *o, const uint8_t *bytes, size_t len, size_t piece)
{
    while (len > 0) {
        enum pp_bhttp_event event;
        size_t used = 0, n = len < piece ? len : piece;
        PP_TRY(pp_bhttp_reader_feed(&o->reader, bytes, n, &used, &event));
        assert_true(used > 0);
        assert_true(used == n || event != PP_BHTTP_EVENT_NONE);
        note(o, event);
        bytes += used;
        len -= used;
    }
    return pp_bhttp_reader_end(&o->reader);
}

static const struct outcome *read_in(size_t piece, const uint8_t *bytes, size_t len)
{
    static struct outcome o;

    memset(&o, 0, sizeof o);
    pp_bhttp_reader_start(&o.reader, o.mem, sizeof o.mem);
    o.res = feed_all(&o, bytes, len, piece);
    return &o;
}

static const struct outcome *read_hex(size_t piece, const char *hex)
{
    static uint8_t bytes[4096];

    return read_in(piece, bytes, pp_test_hex(hex, bytes, sizeof bytes));
}

static void assert_section(const struct pp_bhttp *a, struct pp_bhttp_section of_a,
                           const struct pp_bhttp *b, struct pp_bhttp_section of_b)
{
    assert_int_equal(of_a.count, of_b.count);
    for (size_t i = 0; i < of_a.count; i++) {
        assert_true(pp_span_eq(a->fields[of_a.first + i].name, b->fields[of_b.first + i].name));
        assert_true(pp_span_eq(a->fields[of_a.first + i].value, b->fields[of_b.first + i].value));
    }
}

static void assert_same(const struct outcome *o, const struct pp_bhttp *whole)
{
    const struct pp_bhttp *m = &o->reader.message;
    uint8_t content[4096];
    struct pp_wr wr = pp_wr_over(content, sizeof content);

    assert_int_equal(m->framing, whole->framing);
    assert_int_equal(m->status, whole->status);
    assert_int_equal(m->exact, whole->exact);
    assert_true(pp_span_eq(m->method, whole->method) && pp_span_eq(m->scheme, whole->scheme));
    assert_true(pp_span_eq(m->authority, whole->authority) && pp_span_eq(m->path, whole->path));
    assert_int_equal(m->informational_count, whole->informational_count);
    for (size_t i = 0; i < m->informational_count; i++) {
        assert_int_equal(m->informational[i].status, whole->informational[i].status);
        assert_section(m, m->informational[i].header, whole, whole->informational[i].header);
    }
    assert_section(m, m->header, whole, whole->header);
    assert_section(m, m->trailer, whole, whole->trailer);
    pp_bhttp_content_copy(whole, &wr);
    assert_int_equal(m->content_len, whole->content_len);
    assert_true(pp_span_eq(pp_wr_done(&wr), pp_span(o->content, o->content_len)));
}

/* Two informational responses, fields, two chunks of content, a trailer, padding. */
static const char FULL[] = "03 4066 01610162 00 4067 00 40c8 0161 03626364 0178 00 00"
                           "03 616263 02 6465 00 0174 0175 00 000000";
/* The same in known length, without informational responses. */
static const char KNOWN[] = "01 40c8 09 0161 03626364 0178 00 05 6162636465 04 0174 0175 0000";
static const char REQUEST[] = "02 04504f5354 056874747073 0161 012f 0161 0162 00 01ff 00 00";

static void any_split_gives_the_events_and_the_message_of_the_whole(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *order;
    } ROWS[] = { { FULL, "IIHCT" }, { KNOWN, "HCT" }, { REQUEST, "HCT" } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        static struct pp_bhttp whole;
        static uint8_t bytes[512];
        size_t len = pp_test_hex(ROWS[i].hex, bytes, sizeof bytes);
        assert_ok(pp_bhttp_parse(pp_span(bytes, len), &whole));
        for (size_t piece = 1; piece <= len; piece++) {
            const struct outcome *o = read_in(piece, bytes, len);
            assert_ok(o->res);
            assert_string_equal(o->order, ROWS[i].order);
            assert_same(o, &whole);
        }
    }
}

/* RFC 9292 3.8, and every other place to end: both readers agree on each length. */
static void every_truncation_ends_as_with_the_reader_of_whole_messages(void **state)
{
    (void)state;
    static const char *const ROWS[] = { FULL, KNOWN, REQUEST, "0140c8", "0340c8" };
    size_t good = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        static struct pp_bhttp whole;
        static uint8_t bytes[512];
        size_t len = pp_test_hex(ROWS[i], bytes, sizeof bytes);
        for (size_t n = 0; n <= len; n++) {
            pp_res r = pp_bhttp_parse(pp_span(bytes, n), &whole);
            for (size_t piece = 1; piece <= 5; piece += 4) {
                const struct outcome *o = read_in(piece, bytes, n);
                assert_code(o->res, r.code);
                if (pp_is_ok(r))
                    assert_same(o, &whole);
            }
            good += (size_t)pp_is_ok(r);
        }
    }
    assert_true(good > 10);
}

static void every_flipped_bit_is_judged_as_with_the_reader_of_whole_messages(void **state)
{
    (void)state;
    static const char *const ROWS[] = { FULL, KNOWN, REQUEST };
    size_t good = 0, bad = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        static struct pp_bhttp whole;
        static uint8_t bytes[512];
        size_t len = pp_test_hex(ROWS[i], bytes, sizeof bytes);
        for (size_t bit = 0; bit < len * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            pp_res r = pp_bhttp_parse(pp_span(bytes, len), &whole);
            const struct outcome *o = read_in(1 + bit % 3, bytes, len);
            assert_int_equal(pp_is_ok(o->res), pp_is_ok(r));
            if (pp_is_ok(r))
                assert_same(o, &whole);
            *(pp_is_ok(r) ? &good : &bad) += 1;
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    assert_true(good > 50 && bad > 50);
}

static void what_a_message_may_not_hold_is_refused_with_the_same_code(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint32_t code;
    } ROWS[] = {
        { "04", PP_E_UNSUPPORTED },                                        /* framing */
        { "0207434f4e4e454354 056874747073 0161 012f", PP_E_UNSUPPORTED }, /* CONNECT */
        { "02 00 056874747073 0161 012f", PP_E_FORMAT },                   /* no method */
        { "034063", PP_E_RANGE },                                          /* status 99 */
        { "034258", PP_E_RANGE },                                          /* status 600 */
        { "0340c8 0141 0162 00", PP_E_FORMAT },                            /* upper case */
        { "0340c8 0161 0120 00", PP_E_FORMAT },           /* space around a value */
        { "0340c8 0161 010a 00", PP_E_FORMAT },           /* line feed */
        { "0340c8 073a737461747573 00 00", PP_E_FORMAT }, /* :status */
        { "0340c8 0161 00 023a62 00 00", PP_E_ORDER },    /* a pseudo-field too late */
        { "0340c8 00 00 023a62 00 00", PP_E_FORMAT },     /* a pseudo-field in trailers */
        { "0340c8 00 00 00 01", PP_E_ENCODING },          /* padding */
        { "0140c8 03 0161 0262", PP_E_TRUNCATED },        /* a value past its section */
        { "0140c8 01 01", PP_E_TRUNCATED },               /* a name past its section */
        { "0140c8 80010001", PP_E_LIMIT },                /* a section of 64 KiB + 1 */
        { "0340c8 ffffffffffffffff", PP_E_LIMIT },        /* a name of 2^62 - 1 bytes */
        { "0340c8 00 ffffffffffffffff", PP_E_LIMIT },     /* a chunk of as many */
        { "0340c8 01", PP_E_TRUNCATED },
        { "0340c8 00 01", PP_E_TRUNCATED },
        { "", PP_E_TRUNCATED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        assert_code(read_hex(1, ROWS[i].hex)->res, ROWS[i].code);
        assert_code(read_hex(4096, ROWS[i].hex)->res, ROWS[i].code);
    }
}

static void a_failure_and_the_end_are_final(void **state)
{
    (void)state;
    struct pp_bhttp_reader r = { 0 };
    enum pp_bhttp_event event = PP_BHTTP_EVENT_TRAILER;
    uint8_t mem[64];
    size_t used = 9;

    assert_code(pp_bhttp_reader_feed(&r, "\x03", 1, &used, &event), PP_E_STATE);
    assert_code(pp_bhttp_reader_end(&r), PP_E_STATE);
    pp_bhttp_reader_start(&r, mem, sizeof mem);
    assert_code(pp_bhttp_reader_feed(&r, "\x04", 1, &used, &event), PP_E_UNSUPPORTED);
    assert_code(pp_bhttp_reader_feed(&r, "\x03", 1, &used, &event), PP_E_UNSUPPORTED);
    assert_code(pp_bhttp_reader_end(&r), PP_E_UNSUPPORTED);
    assert_int_equal(used, 9);
    assert_int_equal(event, PP_BHTTP_EVENT_TRAILER);
    pp_bhttp_reader_start(&r, mem, sizeof mem);
    assert_ok(pp_bhttp_reader_feed(&r, "\x01\x40\xc8", 3, &used, &event));
    assert_ok(pp_bhttp_reader_end(&r));
    assert_code(pp_bhttp_reader_feed(&r, "", 0, &used, &event), PP_E_STATE);
    assert_code(pp_bhttp_reader_end(&r), PP_E_STATE);
}

/* --- limits ------------------------------------------------------------------------------------
 */

static void fields_and_control_data_fill_their_memory_and_no_more(void **state)
{
    (void)state;
    static const char HEX[] = "02 01 47 056874747073 0161 012f 0161 0162 00 00 00";
    uint8_t bytes[64], mem[64];
    size_t len = pp_test_hex(HEX, bytes, sizeof bytes), used;
    enum pp_bhttp_event event;

    for (size_t mem_len = 0; mem_len <= 12; mem_len++) {
        struct pp_bhttp_reader r;
        pp_bhttp_reader_start(&r, mem, mem_len);
        pp_res res = pp_bhttp_reader_feed(&r, bytes, len, &used, &event);
        assert_code(res, mem_len < 10 ? PP_E_LIMIT : PP_E_OK); /* 1 + 5 + 1 + 1 + 1 + 1 */
    }
}

static size_t many(uint8_t *bytes, const char *head, const char *line, size_t count,
                   const char *tail)
{
    size_t len = pp_test_hex(head, bytes, 64);

    for (size_t i = 0; i < count; i++)
        len += pp_test_hex(line, bytes + len, 64);
    return len + pp_test_hex(tail, bytes + len, 64);
}

static void fields_and_informational_responses_are_counted(void **state)
{
    (void)state;
    static uint8_t bytes[4096];

    for (size_t over = 0; over <= 1; over++) {
        uint32_t code = over ? PP_E_LIMIT : PP_E_OK;
        size_t len = many(bytes, "0340c8", "01610162", PP_BHTTP_FIELDS_MAX + over, "000000");
        assert_code(read_in(7, bytes, len)->res, code);
        len = many(bytes, "03", "406600", PP_BHTTP_INFORMATIONAL_MAX + over, "40c8000000");
        assert_code(read_in(7, bytes, len)->res, code);
    }
}

static void a_section_and_a_message_have_a_largest_size(void **state)
{
    (void)state;
    static uint8_t bytes[PP_BHTTP_BYTES_MAX + 1];

    /* name length 1, name, value length 4, value: 6 bytes beside the value */
    for (size_t over = 0; over <= 1; over++) {
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        size_t value_len = PP_BHTTP_SECTION_BYTES_MAX - 6 + over;
        pp_wr_bytes(&wr,
                    "\x03\x40\xc8\x01"
                    "a",
                    5);
        pp_wr_varint(&wr, value_len);
        memset(pp_wr_reserve(&wr, value_len), 'v', value_len);
        pp_wr_zeros(&wr, 3);
        assert_code(read_in(1000, bytes, wr.len)->res, over ? PP_E_LIMIT : PP_E_OK);
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, "\x03\x40\xc8", 3);
        assert_code(read_in(5000, bytes, PP_BHTTP_BYTES_MAX + over)->res,
                    over ? PP_E_LIMIT : PP_E_OK);
    }
}

/* --- writer ------------------------------------------------------------------------------------
 */

static void what_the_writer_makes_piece_by_piece_reads_back(void **state)
{
    (void)state;
    static struct pp_bhttp m, whole;
    struct pp_bhttp_writer w = { 0 };
    uint8_t out[256];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    m = (struct pp_bhttp){ .framing = PP_BHTTP_RESPONSE_INDETERMINATE, .status = 200 };
    m.informational[m.informational_count++].status = 102;
    assert_ok(pp_bhttp_add(&m, &m.informational[0].header, PP_STR("a"), PP_STR("b")));
    assert_ok(pp_bhttp_writer_informational(&w, &m, &wr));
    m.informational[m.informational_count++].status = 103;
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("a"), PP_STR("bcd")));
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("x"), PP_STR("")));
    assert_ok(pp_bhttp_writer_header(&w, &m, &wr)); /* the second informational one first */
    assert_ok(pp_bhttp_writer_content(&w, PP_STR("abc"), &wr));
    assert_ok(pp_bhttp_writer_content(&w, PP_STR(""), &wr));
    assert_ok(pp_bhttp_writer_content(&w, PP_STR("de"), &wr));
    assert_ok(pp_bhttp_add(&m, &m.trailer, PP_STR("t"), PP_STR("u")));
    assert_ok(pp_bhttp_writer_end(&w, &m, &wr));
    pp_wr_zeros(&wr, 3);
    assert_hex(out, wr.len, FULL);
    assert_ok(pp_bhttp_parse(pp_wr_done(&wr), &whole));
    assert_same(read_in(1, out, wr.len), &whole);
}

static void a_request_is_written_in_pieces_too(void **state)
{
    (void)state;
    struct pp_bhttp m = { .framing = PP_BHTTP_REQUEST_INDETERMINATE,
                          .method = PP_STR("POST"),
                          .scheme = PP_STR("https"),
                          .authority = PP_STR("a"),
                          .path = PP_STR("/") };
    struct pp_bhttp_writer w = { 0 };
    uint8_t out[256];
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("a"), PP_STR("b")));
    assert_code(pp_bhttp_writer_informational(&w, &m, &wr), PP_E_STATE);
    assert_ok(pp_bhttp_writer_header(&w, &m, &wr));
    assert_ok(pp_bhttp_writer_content(&w, pp_span("\xff", 1), &wr));
    assert_ok(pp_bhttp_writer_end(&w, &m, &wr));
    assert_hex(out, wr.len, REQUEST);
}

static void the_writer_keeps_its_order_its_framings_and_its_limit(void **state)
{
    (void)state;
    static uint8_t out[2 * PP_BHTTP_BYTES_MAX], content[PP_BHTTP_BYTES_MAX];
    struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
    struct pp_bhttp_writer w = { 0 };
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_code(pp_bhttp_writer_header(&w, &m, &wr), PP_E_UNSUPPORTED);
    m.framing = PP_BHTTP_RESPONSE_INDETERMINATE;
    assert_code(pp_bhttp_writer_content(&w, PP_STR("a"), &wr), PP_E_STATE);
    assert_code(pp_bhttp_writer_end(&w, &m, &wr), PP_E_STATE);
    assert_ok(pp_bhttp_writer_header(&w, &m, &wr));
    assert_code(pp_bhttp_writer_header(&w, &m, &wr), PP_E_STATE);
    assert_code(pp_bhttp_writer_informational(&w, &m, &wr), PP_E_STATE);
    /* framing 1, status 2, header's end 1, length 4; then the two ends of content and trailer */
    assert_ok(pp_bhttp_writer_content(&w, pp_span(content, PP_BHTTP_BYTES_MAX - 10), &wr));
    assert_ok(pp_bhttp_writer_end(&w, &m, &wr));
    assert_int_equal(wr.len, PP_BHTTP_BYTES_MAX);
    assert_code(pp_bhttp_writer_end(&w, &m, &wr), PP_E_STATE);
    w = (struct pp_bhttp_writer){ 0 };
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_bhttp_writer_header(&w, &m, &wr));
    assert_ok(pp_bhttp_writer_content(&w, pp_span(content, PP_BHTTP_BYTES_MAX - 9), &wr));
    assert_code(pp_bhttp_writer_end(&w, &m, &wr), PP_E_LIMIT);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(any_split_gives_the_events_and_the_message_of_the_whole),
    cmocka_unit_test(every_truncation_ends_as_with_the_reader_of_whole_messages),
    cmocka_unit_test(every_flipped_bit_is_judged_as_with_the_reader_of_whole_messages),
    cmocka_unit_test(what_a_message_may_not_hold_is_refused_with_the_same_code),
    cmocka_unit_test(a_failure_and_the_end_are_final),
    cmocka_unit_test(fields_and_control_data_fill_their_memory_and_no_more),
    cmocka_unit_test(fields_and_informational_responses_are_counted),
    cmocka_unit_test(a_section_and_a_message_have_a_largest_size),
    cmocka_unit_test(what_the_writer_makes_piece_by_piece_reads_back),
    cmocka_unit_test(a_request_is_written_in_pieces_too),
    cmocka_unit_test(the_writer_keeps_its_order_its_framings_and_its_limit),
};

PP_TEST_MAIN(TESTS)
