/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2: a server made of frames by hand, step by step, in clear with prior knowledge. */
#include "client_test.h"
#include "h2_frames.h"

static const struct pp_http_client_config TWO = { .http2 = 1 };
static struct h2_in in;
static struct h2_out out;

enum { H2_REFUSED_STREAM = 7, H2_CANCEL = 8, SETTINGS_STREAMS = 3 };

/* The next frame of that type; those before it are dropped. */
static void next(struct side *s, int fd, unsigned type)
{
    do {
        turn(s);
        assert_int_equal(h2_read(fd, &in), 1);
    } while (in.type != type);
}

static void say(struct side *s, int fd)
{
    h2_send(fd, &out);
    turn(s);
}

/*
 * A server that has acknowledged our SETTINGS: from there on its windows are as large as we said,
 * and its table of fields is empty, which it has to say (RFC 7541 4.2) in each of these heads.
 */
static struct pp_wr fields_over(uint8_t *block, size_t cap)
{
    struct pp_wr fields = pp_wr_over(block, cap);

    pp_wr_u8(&fields, 0x20);
    return fields;
}

/* A connection with a call on its way, whose stream it returns; `streams` may run at a time. */
static int meet(struct side *s, uint32_t streams, uint32_t *ret_stream)
{
    char preface[24];
    int fd = accept_one(s);

    assert_int_equal(recv(fd, preface, sizeof preface, MSG_WAITALL), sizeof preface);
    assert_memory_equal(preface, H2_PREFACE, sizeof preface);
    struct pp_wr *wr = h2_begin(&out);
    h2_setting(wr, SETTINGS_STREAMS, streams);
    h2_frame_head(wr, 0, H2_SETTINGS, H2_ACK, 0);
    say(s, fd);
    next(s, fd, H2_HEADERS);
    *ret_stream = in.stream;
    return fd;
}

static void end(struct side *s, int fd)
{
    close(fd);
    turn(s);
    end_side(s);
}

static void head(struct pp_wr *wr, uint32_t stream, unsigned flags)
{
    h2_frame(wr, H2_HEADERS, H2_END_HEADERS | flags, stream, PP_STR("\x20\x88"));
}

static void answer(struct side *s, int fd, uint32_t stream, const char *body, struct outcome *o)
{
    struct pp_wr *wr = h2_begin(&out);

    head(wr, stream, 0);
    h2_frame(wr, H2_DATA, H2_END_STREAM, stream, pp_span_cstr(body));
    say(s, fd);
    turn_until(s, &o->count, 1);
}

static void calls_share_a_connection_and_use_it_again(void **state)
{
    (void)state;
    struct side s = make_side(&TWO, "http");
    static struct outcome o[3];
    uint32_t first, second;

    memset(o, 0, sizeof o);
    begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
    begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
    int fd = meet(&s, 100, &first);
    next(&s, fd, H2_HEADERS);
    second = in.stream;
    answer(&s, fd, second, "second", &o[1]);
    assert_int_equal(o[0].count, 0);
    assert_memory_equal(o[1].body, "second", 6);
    answer(&s, fd, first, "first", &o[0]);
    assert_ok(o[0].r);
    assert_int_equal(o[0].body_len, 5);
    begin(&s, &o[2], (struct pp_http_call){ .method = "GET" });
    next(&s, fd, H2_HEADERS);
    answer(&s, fd, in.stream, "third", &o[2]);
    assert_ok(o[2].r);
    assert_true(nobody_comes(&s));
    end(&s, fd);
}

static void no_more_run_at_a_time_than_the_server_takes(void **state)
{
    (void)state;
    struct side s = make_side(
        &(struct pp_http_client_config){ .http2 = 1, .connections_per_host_max = 1 }, "http");
    static struct outcome o[3];
    uint32_t stream;

    memset(o, 0, sizeof o);
    for (int i = 0; i < 3; i++)
        begin(&s, &o[i], (struct pp_http_call){ .method = "GET" });
    int fd = meet(&s, 1, &stream);
    for (unsigned i = 0; i < 3; i++) {
        turn(&s);
        for (unsigned other = i + 1; other < 3; other++)
            assert_int_equal(o[other].pending->state, PP_HTTP_P_WAITING);
        answer(&s, fd, stream, "x", &o[i]);
        assert_ok(o[i].r);
        assert_int_equal(o[i].count, 1);
        if (i < 2) {
            next(&s, fd, H2_HEADERS);
            stream = in.stream;
        }
    }
    assert_true(nobody_comes(&s));
    end(&s, fd);
}

static void a_full_connection_gets_another_one_beside_it(void **state)
{
    (void)state;
    struct side s = make_side(&TWO, "http");
    static struct outcome o[2];
    uint32_t stream;

    memset(o, 0, sizeof o);
    begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
    begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
    int fd = meet(&s, 1, &stream);
    uint32_t other_stream;
    int other = meet(&s, 1, &other_stream);
    answer(&s, other, other_stream, "x", &o[1]);
    answer(&s, fd, stream, "x", &o[0]);
    close(other);
    end(&s, fd);
}

/* RFC 9113 6.8: what it takes still is finished; what comes goes elsewhere; what it does not take
 * is the caller's to decide on. */
static void a_server_that_leaves_finishes_what_it_has_begun(void **state)
{
    (void)state;
    struct side s = make_side(&TWO, "http");
    static struct outcome o[3];
    uint32_t first, third;

    memset(o, 0, sizeof o);
    begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
    int fd = meet(&s, 100, &first);
    begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
    next(&s, fd, H2_HEADERS);
    struct pp_wr *wr = h2_begin(&out);
    h2_frame_head(wr, 8, H2_GOAWAY, 0, 0);
    pp_wr_u32(wr, first);
    pp_wr_u32(wr, 0);
    say(&s, fd);
    turn_until(&s, &o[1].count, 1);
    assert_code(o[1].r, PP_E_CLOSED);
    begin(&s, &o[2], (struct pp_http_call){ .method = "GET" });
    int other = meet(&s, 100, &third);
    answer(&s, fd, first, "x", &o[0]);
    assert_ok(o[0].r);
    wait_for_end(&s, fd); /* nothing is left to do with it */
    answer(&s, other, third, "x", &o[2]);
    assert_ok(o[2].r);
    end(&s, other);
}

static void a_refused_or_reset_call_is_closed_and_its_neighbour_goes_on(void **state)
{
    (void)state;
    static const uint32_t errors[] = { 0, 2, H2_REFUSED_STREAM, H2_CANCEL, 11 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(errors); i++) {
        struct side s = make_side(&TWO, "http");
        static struct outcome o[2];
        uint32_t first;
        memset(o, 0, sizeof o);
        begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
        begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
        int fd = meet(&s, 100, &first);
        next(&s, fd, H2_HEADERS);
        uint32_t second = in.stream;
        struct pp_wr *wr = h2_begin(&out);
        if (i % 2 == 0)
            head(wr, first, 0);
        h2_u32(wr, H2_RST_STREAM, first, errors[i]);
        say(&s, fd);
        turn_until(&s, &o[0].count, 1);
        assert_code(o[0].r, PP_E_CLOSED);
        answer(&s, fd, second, "x", &o[1]);
        assert_ok(o[1].r);
        assert_true(nobody_comes(&s));
        end(&s, fd);
    }
}

/* RFC 9113 8.1: a whole answer, and NO_ERROR behind it since nobody reads the rest of the body. */
static void a_whole_answer_before_the_whole_request_is_one(void **state)
{
    (void)state;
    static uint8_t much[1 << 20];

    for (int resets = 0; resets < 2; resets++) {
        struct side s = make_side(&TWO, "http");
        struct outcome o = { 0 };
        uint32_t stream;
        begin(&s, &o, (struct pp_http_call){ .body = PP_BYTES(much) });
        int fd = meet(&s, 100, &stream);
        struct pp_wr *wr = h2_begin(&out);
        head(wr, stream, H2_END_STREAM);
        if (resets)
            h2_u32(wr, H2_RST_STREAM, stream, 0);
        say(&s, fd);
        turn_until(&s, &o.count, 1);
        assert_ok(o.r);
        assert_int_equal(o.status, 200);
        if (!resets)
            next(&s, fd, H2_RST_STREAM);
        o = (struct outcome){ 0 };
        begin(&s, &o, (struct pp_http_call){ .method = "GET" });
        next(&s, fd, H2_HEADERS);
        answer(&s, fd, in.stream, "x", &o);
        assert_ok(o.r);
        end(&s, fd);
    }
}

static void a_cancelled_call_resets_its_stream_alone(void **state)
{
    (void)state;
    static uint8_t much[1 << 20];
    struct side s = make_side(&TWO, "http");
    static struct outcome o[3];
    uint32_t first;

    memset(o, 0, sizeof o);
    begin(&s, &o[0], (struct pp_http_call){ .body = PP_BYTES(much) });
    int fd = meet(&s, 100, &first);
    begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
    begin(&s, &o[2], (struct pp_http_call){ .method = "GET" });
    next(&s, fd, H2_HEADERS);
    uint32_t second = in.stream;
    next(&s, fd, H2_HEADERS);
    uint32_t third = in.stream;
    struct pp_wr *wr = h2_begin(&out);
    head(wr, second, 0);
    say(&s, fd);
    pp_http_client_cancel(o[0].pending);
    pp_http_client_cancel(o[1].pending);
    for (int i = 0; i < 2; i++) {
        next(&s, fd, H2_RST_STREAM);
        assert_true(in.stream == first || in.stream == second);
        assert_int_equal(in.payload[3], H2_CANCEL);
    }
    head(h2_begin(&out), second, H2_END_STREAM); /* it was on its way already */
    say(&s, fd);
    answer(&s, fd, third, "x", &o[2]);
    assert_ok(o[2].r);
    assert_int_equal(o[0].count + o[1].count, 0);
    end(&s, fd);
}

/* Nothing of it has left: nothing of it leaves. */
static void a_call_cancelled_before_its_head_left_is_not_sent(void **state)
{
    (void)state;
    struct side s = make_side(&TWO, "http");
    static struct outcome o[2];
    uint32_t stream;

    memset(o, 0, sizeof o);
    begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
    int fd = meet(&s, 100, &stream);
    begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
    pp_http_client_cancel(o[1].pending);
    turn(&s);
    answer(&s, fd, stream, "x", &o[0]);
    assert_ok(o[0].r);
    while (test_readable_within(fd, 0)) {
        assert_int_equal(h2_read(fd, &in), 1);
        assert_int_not_equal(in.type, H2_HEADERS);
    }
    end(&s, fd);
}

static void what_is_not_whole_when_the_connection_ends_is_closed(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct side s = make_side(&TWO, "http");
        struct outcome o = { 0 };
        uint32_t stream;
        begin(&s, &o, (struct pp_http_call){ .method = "GET" });
        int fd = meet(&s, 100, &stream);
        struct pp_wr *wr = h2_begin(&out);
        if (i > 0)
            head(wr, stream, 0);
        if (i > 1)
            h2_frame(wr, H2_DATA, 0, stream, PP_STR("half"));
        say(&s, fd);
        assert_int_equal(o.count, 0);
        close(fd);
        turn_until(&s, &o.count, 1);
        assert_code(o.r, PP_E_CLOSED);
        end_side(&s);
    }
}

struct malformed {
    const char *name, *value; /* of a field beside :status */
    const char *status;
    const char *body;
    uint32_t code;
};

static void each_malformed_answer_ends_its_own_call(void **state)
{
    (void)state;
    static const struct malformed rows[] = {
        { "content-length", "4", "200", "abc", PP_E_CLOSED }, /* as in HTTP/1.1: it is too short */
        { "content-length", "2", "200", "abc", PP_E_CLOSED },
        { "content-length", "x", "200", "abc", PP_E_FORMAT },
        { "transfer-encoding", "chunked", "200", "abc", PP_E_FORMAT },
        { "connection", "close", "200", "abc", PP_E_FORMAT },
        { "X-Upper", "a", "200", "abc", PP_E_FORMAT },
        { "x", "a\r\nb", "200", "abc", PP_E_FORMAT },
        { "x", "a", "99", "abc", PP_E_FORMAT },
        { "x", "a", "600", "abc", PP_E_FORMAT },
        { "x", "a", "2000", "abc", PP_E_FORMAT },
        { ":path", "/", "200", "abc", PP_E_FORMAT },
    };
    static struct outcome o[2];

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct side s = make_side(&TWO, "http");
        uint8_t block[512];
        struct pp_wr fields = fields_over(block, sizeof block);
        uint32_t stream;
        memset(o, 0, sizeof o);
        begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
        int fd = meet(&s, 100, &stream);
        h2_field(&fields, ":status", rows[i].status);
        h2_field(&fields, rows[i].name, rows[i].value);
        struct pp_wr *wr = h2_begin(&out);
        h2_frame(wr, H2_HEADERS, H2_END_HEADERS, stream, pp_wr_done(&fields));
        h2_frame(wr, H2_DATA, H2_END_STREAM, stream, pp_span_cstr(rows[i].body));
        say(&s, fd);
        turn_until(&s, &o[0].count, 1);
        if (o[0].r.code != rows[i].code)
            fail_msg("row %zu: %s", i, pp_code_name(o[0].r.code));
        begin(&s, &o[1], (struct pp_http_call){ .method = "GET" });
        next(&s, fd, H2_HEADERS);
        answer(&s, fd, in.stream, "x", &o[1]);
        assert_ok(o[1].r);
        end(&s, fd);
    }
}

static void a_head_or_body_past_its_limit_ends_its_own_call(void **state)
{
    (void)state;
    static uint8_t block[20000];
    static char value[9000];

    memset(value, 'x', sizeof value - 1);
    for (int i = 0; i < 3; i++) {
        struct side s = make_side(
            &(struct pp_http_client_config){ .http2 = 1, .response_bytes_max = 8 }, "http");
        struct outcome o = { 0 };
        uint32_t stream;
        struct pp_wr fields = fields_over(block, sizeof block);
        begin(&s, &o, (struct pp_http_call){ .method = "GET" });
        int fd = meet(&s, 100, &stream);
        h2_field(&fields, ":status", "200");
        for (int f = 0; i == 0 && f < 70; f++)
            h2_field(&fields, "x", "y");
        for (int f = 0; i == 1 && f < 2; f++)
            h2_field(&fields, "x", value);
        struct pp_span all = pp_wr_done(&fields);
        size_t part = all.len < 9000 ? all.len : 9000;
        struct pp_wr *wr = h2_begin(&out);
        h2_frame(wr, H2_HEADERS, part == all.len ? H2_END_HEADERS : 0, stream,
                 pp_span(all.at, part));
        if (part < all.len)
            h2_frame(wr, H2_CONTINUATION, H2_END_HEADERS, stream,
                     pp_span(all.at + part, all.len - part));
        h2_frame(wr, H2_DATA, H2_END_STREAM, stream, i == 2 ? PP_STR("123456789") : PP_STR("1"));
        say(&s, fd);
        turn_until(&s, &o.count, 1);
        assert_code(o.r, PP_E_LIMIT);
        end(&s, fd);
    }
}

static void interim_heads_and_trailers_are_no_heads(void **state)
{
    (void)state;
    struct side s = make_side(&TWO, "http");
    struct outcome o = { 0 };
    uint8_t block[64];
    struct pp_wr fields = fields_over(block, sizeof block);
    uint32_t stream;

    begin(&s, &o, (struct pp_http_call){ .method = "GET" });
    int fd = meet(&s, 100, &stream);
    h2_field(&fields, ":status", "103");
    struct pp_wr *wr = h2_begin(&out);
    h2_frame(wr, H2_HEADERS, H2_END_HEADERS, stream, pp_wr_done(&fields));
    head(wr, stream, 0);
    h2_frame(wr, H2_DATA, 0, stream, PP_STR("ok"));
    fields = fields_over(block, sizeof block);
    h2_field(&fields, "content-type", "a/b");
    h2_frame(wr, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream, pp_wr_done(&fields));
    say(&s, fd);
    turn_until(&s, &o.count, 1);
    assert_ok(o.r);
    assert_int_equal(o.status, 200);
    assert_int_equal(o.body_len, 2);
    end(&s, fd);
}

/* --- pieces that are not taken -------------------------------------------------------------- */

struct taker {
    int refuses;
    size_t taken;
};

static int on_piece(void *ctx, struct pp_span bytes)
{
    struct taker *t = (struct taker *)ctx;

    assert_true(bytes.len > 0 && bytes.len <= PP_HTTP_PIECE_BYTES_MAX);
    if (t->refuses)
        return 0;
    t->taken += bytes.len;
    return 1;
}

static void wait_until_held(struct side *s, const struct pp_http_pending *p, size_t len)
{
    uint64_t from = test_now_ms();

    while (p->held_len < len) {
        turn(s);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    }
}

/* As much as the window lets through, and an end; then the connection. */
static void what_waits_outlives_its_connection(void **state)
{
    (void)state;
    enum { FRAMES = PP_HTTP_HELD_2_BYTES >> 14 };
    static uint8_t payload[1 << 14];
    struct side s = make_side(&TWO, "http");

    for (int is_cancelled = 0; is_cancelled < 2; is_cancelled++) {
        struct taker t = { .refuses = 1 };
        struct outcome o = { 0 };
        uint32_t stream;
        begin(&s, &o, (struct pp_http_call){ .method = "GET", .piece = on_piece, .ctx = &t });
        int fd = meet(&s, 100, &stream);
        struct pp_wr *wr = h2_begin(&out);
        head(wr, stream, 0);
        for (int i = 0; i < FRAMES; i++)
            h2_frame(wr, H2_DATA, i == FRAMES - 1 ? H2_END_STREAM : 0, stream, PP_BYTES(payload));
        say(&s, fd);
        wait_until_held(&s, o.pending, sizeof payload * FRAMES);
        close(fd);
        while (o.pending->state != PP_HTTP_P_LEFT)
            turn(&s);
        pp_http_client_resume(o.pending); /* still refused */
        turn(&s);
        assert_int_equal(o.count, 0);
        if (is_cancelled) {
            pp_http_client_cancel(o.pending);
            continue;
        }
        t.refuses = 0;
        pp_http_client_resume(o.pending);
        turn_until(&s, &o.count, 1);
        assert_ok(o.r);
        assert_int_equal(t.taken, sizeof payload * FRAMES);
    }
    end_side(&s);
}

/* RFC 9113 5.2: it opens when something is taken, and not before. */
static void the_window_of_a_stream_opens_when_its_pieces_are_taken(void **state)
{
    (void)state;
    static uint8_t payload[1 << 14];
    struct side s = make_side(&TWO, "http");
    struct taker t = { .refuses = 1 };
    struct outcome o = { 0 };
    uint32_t stream;

    begin(&s, &o, (struct pp_http_call){ .method = "GET", .piece = on_piece, .ctx = &t });
    int fd = meet(&s, 100, &stream);
    struct pp_wr *wr = h2_begin(&out);
    head(wr, stream, 0);
    for (int i = 0; i < PP_HTTP_HELD_2_BYTES >> 14; i++)
        h2_frame(wr, H2_DATA, 0, stream, PP_BYTES(payload));
    say(&s, fd);
    wait_until_held(&s, o.pending, PP_HTTP_HELD_2_BYTES);
    while (test_readable_within(fd, 0)) {
        assert_int_equal(h2_read(fd, &in), 1);
        assert_false(in.type == H2_WINDOW_UPDATE && in.stream == stream);
    }
    t.refuses = 0;
    pp_http_client_resume(o.pending);
    next(&s, fd, H2_WINDOW_UPDATE);
    assert_int_equal(in.stream, stream);
    /* A server that passes over it is not believed. */
    t.refuses = 1;
    wr = h2_begin(&out);
    for (int i = 0; i < (PP_HTTP_HELD_2_BYTES >> 14) + 1; i++)
        h2_frame(wr, H2_DATA, 0, stream, PP_BYTES(payload));
    say(&s, fd);
    turn_until(&s, &o.count, 1);
    assert_false(pp_is_ok(o.r));
    end(&s, fd);
}

/* --- what is no HTTP/2 ---------------------------------------------------------------------- */

static void a_server_that_speaks_something_else_is_closed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "",
    };
    static const size_t lens[] = { 46, 20, 0 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct side s = make_side(&TWO, "http");
        static struct outcome o[2];
        memset(o, 0, sizeof o);
        begin(&s, &o[0], (struct pp_http_call){ .method = "GET" });
        begin(&s, &o[1], (struct pp_http_call){ .method = "GET", .deadline_ms = 200 });
        int fd = accept_one(&s);
        test_send(fd, pp_span(rows[i], lens[i]));
        if (lens[i] == 0)
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
        turn_until(&s, &o[0].count, 1);
        assert_code(o[0].r, PP_E_CLOSED);
        turn_until(&s, &o[1].count, 1); /* it got another connection, and no answer there */
        wait_for_end(&s, fd);
        end_side(&s);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(calls_share_a_connection_and_use_it_again),
    cmocka_unit_test(no_more_run_at_a_time_than_the_server_takes),
    cmocka_unit_test(a_full_connection_gets_another_one_beside_it),
    cmocka_unit_test(a_server_that_leaves_finishes_what_it_has_begun),
    cmocka_unit_test(a_refused_or_reset_call_is_closed_and_its_neighbour_goes_on),
    cmocka_unit_test(a_whole_answer_before_the_whole_request_is_one),
    cmocka_unit_test(a_cancelled_call_resets_its_stream_alone),
    cmocka_unit_test(a_call_cancelled_before_its_head_left_is_not_sent),
    cmocka_unit_test(what_is_not_whole_when_the_connection_ends_is_closed),
    cmocka_unit_test(each_malformed_answer_ends_its_own_call),
    cmocka_unit_test(a_head_or_body_past_its_limit_ends_its_own_call),
    cmocka_unit_test(interim_heads_and_trailers_are_no_heads),
    cmocka_unit_test(what_waits_outlives_its_connection),
    cmocka_unit_test(the_window_of_a_stream_opens_when_its_pieces_are_taken),
    cmocka_unit_test(a_server_that_speaks_something_else_is_closed),
};

PP_TEST_MAIN(TESTS)
