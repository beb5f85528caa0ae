/* SPDX-License-Identifier: Apache-2.0 */
/* Reading responses of HTTP/1.1 without sockets (RFC 9112). */
#include "harness.h"

#include "http_resp.h"

enum { BODY_MAX = 4096 };

struct outcome {
    enum pp_http_resp_event end; /* MORE: it is not whole */
    uint32_t failed;             /* enum pp_code */
    uint32_t status;
    unsigned heads;
    char type[PP_HTTP_TYPE_BYTES_MAX + 1];
    char body[BODY_MAX];
    size_t body_len;
    size_t used;
    uint32_t keep_alive;
    enum pp_http_content_coding coding;
};

static uint8_t line[PP_HTTP_RESP_HEAD_BYTES_MAX];

/* In pieces of at most `piece`; of each body piece no more than `take` at a time. */
static struct outcome read_all(struct pp_span bytes, size_t piece, size_t take, uint32_t is_head)
{
    struct outcome o = { 0 };
    struct pp_http_resp r;
    struct pp_span in = { 0 };
    struct pp_span body;

    pp_http_resp_init(&r, line, is_head);
    for (;;) {
        o.end = pp_http_resp_next(&r, &in, &body);
        if (o.end == PP_HTTP_RESP_DONE || o.end == PP_HTTP_RESP_FAILED)
            break;
        if (o.end == PP_HTTP_RESP_HEAD)
            o.heads++;
        if (o.end == PP_HTTP_RESP_BODY) {
            size_t n = body.len < take ? body.len : take;
            assert_true(n > 0 && o.body_len + n <= sizeof o.body);
            memcpy(o.body + o.body_len, body.at, n);
            o.body_len += n;
            pp_http_resp_take(&r, &in, n);
        }
        if (o.end != PP_HTTP_RESP_MORE)
            continue;
        assert_int_equal(in.len, 0);
        if (o.used == bytes.len)
            break;
        in = pp_span(bytes.at + o.used, bytes.len - o.used);
        in.len = in.len < piece ? in.len : piece;
        o.used += in.len;
    }
    o.used -= in.len;
    o.failed = o.end == PP_HTTP_RESP_MORE ? pp_http_resp_end(&r) : r.failed;
    o.status = r.head.status;
    o.keep_alive = r.keep_alive;
    o.coding = r.head.content_coding;
    memcpy(o.type, r.head.type, r.head.type_len);
    return o;
}

#define OK "HTTP/1.1 200 OK\r\n"

struct row {
    const char *bytes;
    uint32_t status; /* 0: refused, with `code` */
    uint32_t code;
    const char *body;
};

static const struct row ROWS[] = {
    { OK "Content-Length: 0\r\n\r\n", 200, 0, "" },
    { OK "content-length:5\r\n\r\nhello", 200, 0, "hello" },
    { OK "Content-Length: \t 5 \t\r\nX: y\r\n\r\nhello", 200, 0, "hello" },
    { "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", 200, 0, "a" }, /* without a reason */
    { "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", 200, 0, "a" },
    { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, 0, "a" },
    { "HTTP/1.1 599 Odd\r\nContent-Length: 1\r\n\r\na", 599, 0, "a" },
    { OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 0, "" },
    { OK "Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, 0,
      "a0123456789" },
    { OK "Transfer-Encoding: chunked\r\n\r\n0005;a=\"b\"\r\nhello\r\n00\r\n\r\n", 200, 0, "hello" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nContent-Type: x\r\nX: y\r\n\r\n", 200, 0,
      "a" },
    { "HTTP/1.1 204 No Content\r\n\r\n", 204, 0, "" },
    { "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, 0, "" },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, 0, "" },
    { "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\na", 200, 0, "a" },
    { "HTTP/1.1 103 Early\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n"
      "HTTP/1.1 102 Working\r\n\r\n" OK "Content-Length: 1\r\n\r\na",
      200, 0, "a" },

    /* RFC 9112 6.3: without a length it could be the first half of the truth. */
    { OK "\r\nbody", 0, PP_E_FORMAT, "" },
    { OK "Connection: close\r\n\r\nbody", 0, PP_E_FORMAT, "" },
    { "HTTP/1.0 200 OK\r\n\r\nbody", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 1, 1\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: +1\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: -1\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 01\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 0x1\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length:\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 18446744073709551617\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 9223372036854775808\r\n\r\na", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0,
      PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
      PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: identity\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "Content-Type: a\r\nContent-Type: b\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },

    /* RFC 9112 2.2, 4, 5: lines. */
    { "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 0\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "Content-Length: 0\r\n\n", 0, PP_E_FORMAT, "" },
    { OK "X: a\rb\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "X: a\r\n folded\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "no colon\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "Content-Length : 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK " Content-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK ": 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "X\x01: y\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "X: \x7f\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "X: \xc3\xa9\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "\r\n" OK "Content-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1 200 \x01\r\nContent-Length: 0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 0, PP_E_FORMAT, "" },

    /* RFC 9112 7.1: chunks. */
    { OK "Transfer-Encoding: chunked\r\n\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n 1\r\na\r\n0\r\n\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\ng\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1\na\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1;\x01\r\na\r\n", 0, PP_E_FORMAT, "" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 0, PP_E_FORMAT, "a" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n", 0, PP_E_FORMAT, "a" },
    { OK "Transfer-Encoding: chunked\r\n\r\n1\r\na0\r\n\r\n", 0, PP_E_FORMAT, "a" },
    { OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n", 0, PP_E_FORMAT, "" },
};

static void check(const struct row *row, size_t piece, size_t take)
{
    struct outcome o = read_all(pp_span_cstr(row->bytes), piece, take, 0);

    if (row->status != 0 && (o.end != PP_HTTP_RESP_DONE || o.status != row->status))
        fail_msg("%s: %s in pieces of %zu", row->bytes, pp_code_name(o.failed), piece);
    if (row->status == 0 && (o.end != PP_HTTP_RESP_FAILED || o.failed != row->code))
        fail_msg("%s: %s in pieces of %zu", row->bytes, pp_code_name(o.failed), piece);
    if (row->status != 0)
        assert_int_equal(o.used, strlen(row->bytes));
    assert_int_equal(o.heads, row->status != 0 || row->body[0] != '\0' ? 1 : o.heads);
    assert_int_equal(o.body_len, strlen(row->body));
    assert_memory_equal(o.body, row->body, o.body_len);
}

static void each_response_is_taken_or_refused_however_it_is_split(void **state)
{
    (void)state;
    static const size_t pieces[] = { SIZE_MAX, 1, 2, 3, 5, 17 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        for (size_t p = 0; p < PP_ARRAY_COUNT(pieces); p++)
            for (size_t take = 1; take < 8; take += 3)
                check(&ROWS[i], pieces[p], take);
}

static void a_response_split_at_any_byte_is_the_same(void **state)
{
    (void)state;
    struct pp_http_resp r;
    struct pp_span body;

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_span all = pp_span_cstr(ROWS[i].bytes);
        for (size_t cut = 0; cut <= all.len; cut++) {
            struct pp_span in = pp_span(all.at, cut);
            enum pp_http_resp_event e = PP_HTTP_RESP_HEAD;
            pp_http_resp_init(&r, line, 0);
            for (int half = 0; half < 2; half++) {
                while ((e = pp_http_resp_next(&r, &in, &body)) == PP_HTTP_RESP_HEAD ||
                       e == PP_HTTP_RESP_BODY)
                    if (e == PP_HTTP_RESP_BODY)
                        pp_http_resp_take(&r, &in, body.len);
                if (e == PP_HTTP_RESP_MORE)
                    in = pp_span(all.at + cut, half == 0 ? all.len - cut : 0);
            }
            assert_int_equal(e, ROWS[i].status != 0 ? PP_HTTP_RESP_DONE : PP_HTTP_RESP_FAILED);
        }
    }
}

/* Within a line it is malformed, elsewhere cut off; never whole. */
static void no_part_of_a_good_response_is_taken_for_a_whole_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct pp_span all = pp_span_cstr(ROWS[i].bytes);
        for (size_t n = 0; ROWS[i].status != 0 && n < all.len; n++) {
            struct outcome o = read_all(pp_span(all.at, n), SIZE_MAX, SIZE_MAX, 0);
            assert_int_equal(o.end, PP_HTTP_RESP_MORE);
            assert_true(o.failed == PP_E_CLOSED || o.failed == PP_E_FORMAT);
            if (o.heads == 1 || n == 0)
                assert_int_equal(o.failed, PP_E_CLOSED);
        }
    }
    assert_int_equal(read_all(PP_STR("HTTP/1.1 200 OK\r\nX"), 9, 9, 0).failed, PP_E_FORMAT);
    assert_int_equal(read_all(PP_STR("HTTP/1.1 200 OK\r\n"), 9, 9, 0).failed, PP_E_CLOSED);
}

static void what_follows_a_response_is_not_read(void **state)
{
    (void)state;
    static const char *const rows[] = {
        OK "Content-Length: 2\r\n\r\nab",
        OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char bytes[512];
        snprintf(bytes, sizeof bytes, "%sHTTP/1.1 200 OK\r\n", rows[i]);
        struct outcome o = read_all(pp_span_cstr(bytes), SIZE_MAX, SIZE_MAX, 0);
        assert_int_equal(o.end, PP_HTTP_RESP_DONE);
        assert_int_equal(o.used, strlen(rows[i]));
    }
}

/* RFC 9110 9.3.2 */
static void the_answer_to_head_has_no_body(void **state)
{
    (void)state;
    struct outcome o = read_all(PP_STR(OK "Content-Length: 5\r\n\r\n"), 3, 1, 1);

    assert_int_equal(o.end, PP_HTTP_RESP_DONE);
    assert_int_equal(o.body_len, 0);
}

/* RFC 9112 9.3 */
static void a_connection_is_kept_unless_the_server_says_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t kept;
    } rows[] = {
        { OK "Content-Length: 0\r\n\r\n", 1 },
        { OK "Connection: keep-alive\r\nContent-Length: 0\r\n\r\n", 1 },
        { OK "Connection: close\r\nContent-Length: 0\r\n\r\n", 0 },
        { OK "Connection: x , CLOSE\r\nContent-Length: 0\r\n\r\n", 0 },
        { OK "Connection: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 0 },
        { "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 0 },
        { "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" OK "Content-Length: 0\r\n\r\n", 1 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct outcome o = read_all(pp_span_cstr(rows[i].bytes), SIZE_MAX, 1, 0);
        assert_int_equal(o.end, PP_HTTP_RESP_DONE);
        assert_int_equal(o.keep_alive, rows[i].kept);
    }
}

static void add(char *text, size_t *len, const char *what, size_t count)
{
    size_t n = strlen(what);

    for (size_t i = 0; i < count; i++, *len += n)
        memcpy(text + *len, what, n);
}

/* `count` lines, and a field that makes the head `bytes` long; both in all. */
static struct outcome with_head(size_t lines, size_t bytes, size_t piece)
{
    static char text[3 * PP_HTTP_RESP_HEAD_BYTES_MAX];
    static const char END[] = "\r\nContent-Length: 0\r\n\r\n";
    size_t len = 0;

    add(text, &len, OK, 1);
    add(text, &len, "a: b\r\n", lines - 4);
    add(text, &len, "X: ", 1);
    while (len + sizeof END - 1 < bytes)
        text[len++] = 'x';
    add(text, &len, END, 1);
    return read_all(pp_span(text, len), piece, 1, 0);
}

static void a_head_at_its_limits_is_taken_and_one_past_them_refused(void **state)
{
    (void)state;
    static const size_t pieces[] = { SIZE_MAX, 1000, 1 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(pieces); i++) {
        size_t p = pieces[i];
        struct outcome o = with_head(PP_HTTP_RESP_LINES_MAX, 2000, p);
        assert_int_equal(o.end, PP_HTTP_RESP_DONE);
        assert_int_equal(with_head(PP_HTTP_RESP_LINES_MAX + 1, 2000, p).failed, PP_E_LIMIT);
        o = with_head(10, PP_HTTP_RESP_HEAD_BYTES_MAX, p);
        assert_int_equal(o.end, PP_HTTP_RESP_DONE);
        assert_int_equal(with_head(10, PP_HTTP_RESP_HEAD_BYTES_MAX + 1, p).failed, PP_E_LIMIT);
    }
}

/* Interim heads, chunk lines and trailers are no way around the limits. */
static void nothing_grows_without_an_end(void **state)
{
    (void)state;
    static char text[1 << 17];
    size_t len = 0;

    add(text, &len, "HTTP/1.1 100 Continue\r\n\r\n", 1000);
    assert_int_equal(read_all(pp_span(text, len), 100, 1, 0).failed, PP_E_LIMIT);
    len = 0;
    add(text, &len, OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", 1);
    add(text, &len, "X: y\r\n", PP_HTTP_RESP_LINES_MAX);
    assert_int_equal(read_all(pp_span(text, len), 100, 1, 0).failed, PP_E_LIMIT);
    for (size_t extra = 0; extra < 2; extra++) {
        len = 0;
        add(text, &len, OK "Transfer-Encoding: chunked\r\n\r\n0;", 1);
        add(text, &len, "x", PP_HTTP_RESP_CHUNK_LINE_MAX - 4 + extra);
        add(text, &len, "\r\n\r\n", 1);
        assert_int_equal(read_all(pp_span(text, len), 7, 1, 0).failed,
                         extra == 0 ? PP_E_OK : PP_E_FORMAT);
    }
}

static void a_content_type_at_its_limit_is_taken_and_one_past_it_refused(void **state)
{
    (void)state;
    for (int past = 0; past < 2; past++) {
        char text[512];
        snprintf(text, sizeof text, OK "Content-Type: %0*d\r\nContent-Length: 0\r\n\r\n",
                 PP_HTTP_TYPE_BYTES_MAX + past, 0);
        struct outcome o = read_all(pp_span_cstr(text), 50, 1, 0);
        assert_int_equal(o.failed, past ? PP_E_LIMIT : PP_E_OK);
        if (!past)
            assert_int_equal(strlen(o.type), PP_HTTP_TYPE_BYTES_MAX);
    }
}

/* RFC 9110 8.4.1; what is behind an interim head is not of that head. */
static void a_content_coding_is_told_and_one_that_is_not_gzip_is_another(void **state)
{
    static const struct {
        const char *fields;
        enum pp_http_content_coding want;
    } rows[] = {
        { "", PP_HTTP_IDENTITY },
        { "Content-Encoding: identity\r\n", PP_HTTP_IDENTITY },
        { "Content-Encoding: gzip\r\n", PP_HTTP_GZIP },
        { "content-encoding:X-GZip \r\n", PP_HTTP_GZIP },
        { "Content-Encoding: br\r\n", PP_HTTP_OTHER_CODING },
        { "Content-Encoding:\r\n", PP_HTTP_OTHER_CODING },
        { "Content-Encoding: gzip, gzip\r\n", PP_HTTP_OTHER_CODING },
        { "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", PP_HTTP_OTHER_CODING },
        { "Content-Language: gzip\r\n", PP_HTTP_IDENTITY },
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "HTTP/1.1 103 Hints\r\nContent-Encoding: br\r\n\r\n" OK
                 "%sContent-Length: 0\r\n\r\n",
                 rows[i].fields);
        struct outcome o = read_all(pp_span_cstr(text), 9, 1, 0);
        assert_int_equal(o.end, PP_HTTP_RESP_DONE);
        assert_int_equal(o.coding, rows[i].want);
    }
}

/* Body bytes of known length can be read elsewhere. */
static void a_body_can_pass_the_reader_by(void **state)
{
    (void)state;
    struct pp_span in = PP_STR(OK "Content-Length: 10\r\n\r\nabc");
    struct pp_http_resp r;
    struct pp_span body;

    pp_http_resp_init(&r, line, 0);
    assert_int_equal(pp_http_resp_direct(&r), 0);
    assert_int_equal(pp_http_resp_next(&r, &in, &body), PP_HTTP_RESP_HEAD);
    assert_int_equal(pp_http_resp_next(&r, &in, &body), PP_HTTP_RESP_BODY);
    pp_http_resp_take(&r, &in, body.len);
    assert_int_equal(pp_http_resp_direct(&r), 7);
    pp_http_resp_filled(&r, 6);
    assert_int_equal(pp_http_resp_next(&r, &in, &body), PP_HTTP_RESP_MORE);
    pp_http_resp_filled(&r, 1);
    assert_int_equal(pp_http_resp_next(&r, &in, &body), PP_HTTP_RESP_DONE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_response_is_taken_or_refused_however_it_is_split),
    cmocka_unit_test(a_response_split_at_any_byte_is_the_same),
    cmocka_unit_test(no_part_of_a_good_response_is_taken_for_a_whole_one),
    cmocka_unit_test(what_follows_a_response_is_not_read),
    cmocka_unit_test(the_answer_to_head_has_no_body),
    cmocka_unit_test(a_connection_is_kept_unless_the_server_says_otherwise),
    cmocka_unit_test(a_head_at_its_limits_is_taken_and_one_past_them_refused),
    cmocka_unit_test(nothing_grows_without_an_end),
    cmocka_unit_test(a_content_type_at_its_limit_is_taken_and_one_past_it_refused),
    cmocka_unit_test(a_content_coding_is_told_and_one_that_is_not_gzip_is_another),
    cmocka_unit_test(a_body_can_pass_the_reader_by),
};

PP_TEST_MAIN(TESTS)
