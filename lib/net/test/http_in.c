/* SPDX-License-Identifier: Apache-2.0 */
/* Reading requests without sockets. The same rows go over real ones in http_server.c. */
#include "harness.h"

#include "http_int.h"
#include "requests.h"

enum { BODY_MAX = 64 };

static uint8_t buf[PP_HTTP_IN_BYTES];
static uint8_t body[BODY_MAX];

/* Gives `bytes` in pieces of at most `piece`. Returns how many were taken. */
static size_t feed(struct pp_http_in *in, struct pp_span bytes, size_t piece)
{
    size_t given = 0;

    while (given < bytes.len && in->step == PP_HTTP_MORE) {
        uint8_t *at;
        size_t n = pp_http_in_space(in, &at);
        n = n < piece ? n : piece;
        n = n < bytes.len - given ? n : bytes.len - given;
        assert_true(n > 0);
        memcpy(at, bytes.at + given, n);
        given += n;
        pp_http_in_filled(in, n);
        if (in->step == PP_HTTP_HEAD)
            pp_http_in_body(in, body, sizeof body, sizeof body);
    }
    return given;
}

static void check_row(const struct request_row *row, size_t piece)
{
    struct pp_http_in in;

    pp_http_in_init(&in, buf);
    size_t given = feed(&in, row->bytes, piece);
    if (row->status == 200 && in.step == PP_HTTP_DONE) {
        assert_int_equal(given, row->bytes.len);
        assert_true(pp_span_eq(pp_span(in.body, in.body_len), pp_span_cstr(row->body)));
        return;
    }
    if (row->status == 200 || in.step != PP_HTTP_REFUSED || in.refused != row->status)
        fail_msg("%s, pieces of %zu: step %u, status %u instead of %u", row->what, piece,
                 (unsigned)in.step, in.refused, row->status);
}

static void each_request_is_taken_or_refused_however_it_is_split(void **state)
{
    (void)state;
    static const size_t pieces[] = { SIZE_MAX, 1, 2, 3, 7, 16 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(REQUESTS); i++)
        for (size_t p = 0; p < PP_ARRAY_COUNT(pieces); p++)
            check_row(&REQUESTS[i], pieces[p]);
}

static void no_part_of_a_good_request_is_taken_for_a_whole_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(REQUESTS) && REQUESTS[i].status == 200; i++) {
        for (size_t n = 0; n < REQUESTS[i].bytes.len; n++) {
            struct pp_http_in in;
            pp_http_in_init(&in, buf);
            feed(&in, pp_span(REQUESTS[i].bytes.at, n), SIZE_MAX);
            assert_int_equal(in.step, PP_HTTP_MORE);
        }
    }
}

static void the_head_is_understood(void **state)
{
    (void)state;
    struct pp_http_in in;
    struct pp_span value;

    pp_http_in_init(&in, buf);
    feed(&in,
         PP_STR("PUT /a/b.c/?x=1&y HTTP/1.1\r\nHost: h:1\r\nX-One: \t1 \r\nX-one: 2\r\n"
                "Connection: foo, Close\r\n\r\n"),
         5);
    assert_int_equal(in.step, PP_HTTP_DONE);
    assert_true(pp_span_eq(in.method, PP_STR("PUT")));
    assert_true(pp_span_eq(in.path, PP_STR("/a/b.c/")));
    assert_true(pp_span_eq(in.query, PP_STR("x=1&y")));
    assert_int_equal(in.field_count, 4);
    assert_true(pp_span_eq(in.fields[1].name, PP_STR("x-one")));
    assert_true(pp_http_find_(in.fields, in.field_count, "x-one", &value));
    assert_true(pp_span_eq(value, PP_STR("1")));
    assert_false(pp_http_find_(in.fields, in.field_count, "x-on", &value));
    assert_int_equal(in.keep_alive, 0);
}

static void a_head_at_the_limit_is_taken_and_one_past_it_refused(void **state)
{
    (void)state;
    static char text[PP_HTTP_HEAD_BYTES_MAX + 64];
    static const size_t pieces[] = { SIZE_MAX, 1, 1000 };

    for (size_t p = 0; p < PP_ARRAY_COUNT(pieces); p++) {
        for (int past = 0; past <= 1; past++) {
            struct pp_http_in in;
            size_t want = (size_t)PP_HTTP_HEAD_BYTES_MAX + (size_t)past;
            size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
            memset(text + n, 'y', want - n - 4);
            memcpy(text + want - 4, "\r\n\r\n", 4);
            pp_http_in_init(&in, buf);
            feed(&in, pp_span(text, want), pieces[p]);
            assert_int_equal(in.step, past ? PP_HTTP_REFUSED : PP_HTTP_DONE);
            assert_int_equal(in.refused, past ? 431 : 0);
        }
    }
}

static void fields_at_the_limit_are_taken_and_one_more_refused(void **state)
{
    (void)state;
    for (size_t count = PP_HTTP_FIELDS_MAX; count <= PP_HTTP_FIELDS_MAX + 1; count++) {
        char text[PP_HTTP_HEAD_BYTES_MAX];
        struct pp_http_in in;
        size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (size_t i = 1; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "X: y\r\n");
        snprintf(text + n, sizeof text - n, "\r\n");
        pp_http_in_init(&in, buf);
        feed(&in, pp_span_cstr(text), SIZE_MAX);
        assert_int_equal(in.refused, count > PP_HTTP_FIELDS_MAX ? 431 : 0);
    }
}

static void a_target_at_the_limit_is_taken_and_one_past_it_refused(void **state)
{
    (void)state;
    for (size_t len = PP_HTTP_TARGET_BYTES_MAX; len <= PP_HTTP_TARGET_BYTES_MAX + 1; len++) {
        char text[PP_HTTP_TARGET_BYTES_MAX + 128];
        struct pp_http_in in;
        snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", (int)len - 1, 0);
        pp_http_in_init(&in, buf);
        feed(&in, pp_span_cstr(text), SIZE_MAX);
        assert_int_equal(in.refused, len > PP_HTTP_TARGET_BYTES_MAX ? 414 : 0);
    }
}

static void an_endless_request_line_is_refused_long_before_the_head_is_full(void **state)
{
    (void)state;
    static char text[PP_HTTP_HEAD_BYTES_MAX];
    struct pp_http_in in;

    memset(text, 'A', sizeof text);
    pp_http_in_init(&in, buf);
    assert_true(feed(&in, pp_span(text, sizeof text), 1) < PP_HTTP_TARGET_BYTES_MAX + 100);
    assert_int_equal(in.refused, 414);
}

static void a_body_at_the_limit_is_taken_and_one_past_it_refused(void **state)
{
    (void)state;
    for (int chunked = 0; chunked <= 1; chunked++) {
        for (size_t len = BODY_MAX; len <= BODY_MAX + 1; len++) {
            char text[1024];
            struct pp_http_in in;
            if (chunked)
                snprintf(text, sizeof text,
                         "POST / HTTP/1.1\r\n" H TE "\r\n%zx\r\n%.*s\r\n0\r\n\r\n", len, (int)len,
                         "0123456789012345678901234567890123456789012345678901234567890123456789");
            else
                snprintf(text, sizeof text,
                         "POST / HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n%.*s", len, (int)len,
                         "0123456789012345678901234567890123456789012345678901234567890123456789");
            pp_http_in_init(&in, buf);
            feed(&in, pp_span_cstr(text), SIZE_MAX);
            assert_int_equal(in.step, len > BODY_MAX ? PP_HTTP_REFUSED : PP_HTTP_DONE);
            assert_int_equal(in.refused, len > BODY_MAX ? 413 : 0);
        }
    }
}

/* The length is not believed before it is compared: nothing is read or set aside for it. */
static void a_huge_length_is_refused_with_the_head(void **state)
{
    (void)state;
    struct pp_http_in in;

    pp_http_in_init(&in, buf);
    feed(&in, PP_STR("POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n"),
         SIZE_MAX);
    assert_int_equal(in.refused, 413);
}

/* RFC 9112 9.3.2: what comes behind a request is the next one, whatever the framing. */
static void pipelined_requests_are_read_one_after_the_other(void **state)
{
    (void)state;
    static const char TEXT[] = "POST / HTTP/1.1\r\n" H L5 "\r\nfirst"
                               "POST / HTTP/1.1\r\n" H TE "\r\n6\r\nsecond\r\n0\r\n\r\n"
                               "GET / HTTP/1.1\r\n" H "\r\n"
                               "POST / HTTP/1.1\r\n" H "Content-Length: 6\r\n\r\nfourth"
                               "broken\r\n\r\n";
    static const char *const bodies[] = { "first", "second", "", "fourth" };
    struct pp_http_in in;
    size_t given = 0;

    pp_http_in_init(&in, buf);
    for (size_t i = 0; i < PP_ARRAY_COUNT(bodies); i++) {
        if (in.step == PP_HTTP_HEAD)
            pp_http_in_body(&in, body, sizeof body, sizeof body);
        given += feed(&in, pp_span(TEXT + given, sizeof TEXT - 1 - given), SIZE_MAX);
        assert_int_equal(in.step, PP_HTTP_DONE);
        assert_true(pp_span_eq(pp_span(in.body, in.body_len), pp_span_cstr(bodies[i])));
        pp_http_in_next(&in);
    }
    assert_int_equal(in.step, PP_HTTP_REFUSED);
    assert_int_equal(in.refused, 400);
}

/* Behind chunks the buffer may hold more than a head may have. */
static void a_pipelined_head_has_the_same_limit(void **state)
{
    (void)state;
    static const char FIRST[] = "POST / HTTP/1.1\r\n" H TE "\r\n";
    static char text[sizeof FIRST + PP_HTTP_HEAD_BYTES_MAX + 64];

    for (size_t past = 0; past <= 1; past++) {
        size_t want = PP_HTTP_HEAD_BYTES_MAX + past;
        size_t n = (size_t)snprintf(text, sizeof text, "%s0\r\n\r\n", FIRST);
        char *second = text + n;
        struct pp_http_in in;
        n = (size_t)snprintf(second, sizeof text - n, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
        memset(second + n, 'y', want - n - 4);
        memcpy(second + want - 4, "\r\n\r\n", 4);
        pp_http_in_init(&in, buf);
        size_t given = feed(&in, pp_span(text, sizeof FIRST - 1), SIZE_MAX);
        given += feed(&in, pp_span(text + given, (size_t)(second - text) + want - given), SIZE_MAX);
        assert_int_equal(in.step, PP_HTTP_DONE);
        assert_int_equal(given, (size_t)(second - text) + want);
        pp_http_in_next(&in);
        assert_int_equal(in.step, past ? PP_HTTP_REFUSED : PP_HTTP_HEAD);
        assert_int_equal(in.refused, past ? 431 : 0);
    }
}

/* What was a request is gone from memory when its answer is out. */
static void w5_t1_a_finished_request_is_wiped(void **state)
{
    (void)state;
    struct pp_http_in in;

    memset(buf, 0, sizeof buf);
    pp_http_in_init(&in, buf);
    feed(&in,
         PP_STR("POST / HTTP/1.1\r\n" H "Authorization: PrivateToken token=\"CANARY\"\r\n\r\n"
                "GET /next HTTP/1.1\r\n"),
         SIZE_MAX);
    assert_int_equal(in.step, PP_HTTP_DONE);
    pp_http_in_next(&in);
    assert_null(memmem(buf, sizeof buf, "CANARY", 6));
    assert_non_null(memmem(buf, sizeof buf, "/next", 5));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_request_is_taken_or_refused_however_it_is_split),
    cmocka_unit_test(no_part_of_a_good_request_is_taken_for_a_whole_one),
    cmocka_unit_test(the_head_is_understood),
    cmocka_unit_test(a_head_at_the_limit_is_taken_and_one_past_it_refused),
    cmocka_unit_test(fields_at_the_limit_are_taken_and_one_more_refused),
    cmocka_unit_test(a_target_at_the_limit_is_taken_and_one_past_it_refused),
    cmocka_unit_test(an_endless_request_line_is_refused_long_before_the_head_is_full),
    cmocka_unit_test(a_body_at_the_limit_is_taken_and_one_past_it_refused),
    cmocka_unit_test(a_huge_length_is_refused_with_the_head),
    cmocka_unit_test(pipelined_requests_are_read_one_after_the_other),
    cmocka_unit_test(a_pipelined_head_has_the_same_limit),
    cmocka_unit_test(w5_t1_a_finished_request_is_wiped),
};

PP_TEST_MAIN(TESTS)
