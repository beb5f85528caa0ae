/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that mean harm: whatever one of them does, the loop goes on and each call has its end. */
#include "client_test.h"
#include "h2_frames.h"
#include "identity.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct pp_http_client_config ONE = { 0 };
static const struct pp_http_client_config TWO = { .http2 = 1 };

/* --- one that never stops talking ----------------------------------------------------------- */

enum {
    TALK_MAX = 1 << 20,
    FRAME = 9,
    TURN_BYTES_MAX = PP_TLS_SOCKET_READS_MAX * PP_HTTP_HELD_1_BYTES
};

/* The same words again and again, as fast as they are heard. */
struct talker {
    int fd;
    struct pp_span words;
    size_t at, said, heard;
};

static struct pp_span often(struct pp_span word)
{
    static uint8_t words[TURN_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(words, sizeof words);

    while (sizeof words - wr.len >= word.len)
        pp_wr_span(&wr, word);
    return pp_wr_done(&wr);
}

static void talk(struct talker *t)
{
    ssize_t n = 1;

    while (n > 0 && t->said < TALK_MAX) {
        n = send(t->fd, t->words.at + t->at, t->words.len - t->at, MSG_NOSIGNAL | MSG_DONTWAIT);
        t->said += n > 0 ? (size_t)n : 0;
        t->at = n > 0 ? (t->at + (size_t)n) % t->words.len : t->at;
    }
}

static int on_words(void *ctx, struct pp_span bytes)
{
    struct talker *t = (struct talker *)ctx;

    (void)bytes;
    t->heard++;
    talk(t);
    return 1;
}

static struct pp_span greeting(void)
{
    static struct h2_out out;
    struct pp_wr *wr = h2_begin(&out);

    h2_frame_head(wr, 0, H2_SETTINGS, 0, 0);
    h2_frame_head(wr, 0, H2_SETTINGS, H2_ACK, 0);
    h2_frame(wr, H2_HEADERS, H2_END_HEADERS, 1, PP_STR("\x20\x88"));
    return pp_wr_done(wr);
}

/* While it can fill the socket faster than that is read, others must have their turn. */
static void a_server_that_never_stops_talking_stops_nobody_else(void **state)
{
    (void)state;
    static const char word[] = "1\r\nx\r\n";
    struct side s = make_side(&ONE, "http");
    struct outcome o = { 0 };
    struct talker t = { .words = often(pp_span_cstr(word)) };

    begin(&s, &o, (struct pp_http_call){ .method = "GET", .piece = on_words, .ctx = &t });
    t.fd = accept_one(&s);
    test_say(t.fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    turn(&s);
    talk(&t);
    (void)event_base_loop(pp_loop_base_(s.loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_in_range(t.heard, 1, TURN_BYTES_MAX / (sizeof word - 1) + 1);
    pp_http_client_cancel(o.pending);
    turn(&s);
    close(t.fd);
    end_side(&s);
}

/* --- one that hangs up at once -------------------------------------------------------------- */

/* The next connection, before the client has seen that it stands; -1: there is none. */
static int catch_one(struct side *s, const struct outcome *o)
{
    for (int i = 0; i < 100 && o->count == 0; i++) {
        int fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            return fd;
        (void)event_base_loop(pp_loop_base_(s->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    return -1;
}

/* Nobody knows whether it will be better next time: not the client, at full speed, for minutes. */
static void a_server_that_hangs_up_at_once_is_not_called_again_and_again(void **state)
{
    (void)state;
    static const uint8_t goaway[] = { 0, 0, 0, H2_SETTINGS, 0, 0, 0, 0, 0, /* */
                                      0, 0, 8, H2_GOAWAY,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    const struct {
        const struct pp_http_client_config *config;
        struct pp_span says;
    } rows[] = {
        { &ONE, PP_STR("") },
        { &ONE, PP_STR("x") },
        { &ONE, PP_STR(OK) },
        { &TWO, PP_STR("") },
        { &TWO, PP_STR("HTTP/1.1 400 no\r\n\r\n") },
        { &TWO, PP_BYTES(goaway) },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct side s = make_side(rows[i].config, "http");
        struct outcome o = { 0 };
        unsigned connections = 0;
        int fd;
        begin(&s, &o, (struct pp_http_call){ 0 });
        while ((fd = catch_one(&s, &o)) >= 0 && connections++ < 8) {
            if (rows[i].says.len > 0)
                test_send(fd, rows[i].says);
            (void)shutdown(fd, SHUT_WR);
            (void)event_base_loop(pp_loop_base_(s.loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
            close(fd);
        }
        turn_until(&s, &o.count, 1);
        assert_code(o.r, PP_E_CLOSED);
        assert_int_equal(connections, 1);
        end_side(&s);
    }
}

/* --- one that falls silent ------------------------------------------------------------------ */

enum { SHORT_MS = 200 };

/* Who comes behind a call that heard nothing is not sent to where nothing is heard. */
static void a_connection_that_has_fallen_silent_takes_no_more_calls(void **state)
{
    (void)state;
    struct side s = make_side(&TWO, "http");
    struct outcome first = { 0 }, late = { 0 }, next = { 0 };

    begin(&s, &late, (struct pp_http_call){ 0 });
    int fd = accept_one(&s);
    test_send(fd, pp_span(greeting().at, 2 * FRAME));
    turn(&s);
    begin(&s, &first, (struct pp_http_call){ .deadline_ms = SHORT_MS });
    turn_until(&s, &first.count, 1);
    assert_code(first.r, PP_E_TIMEOUT);
    begin(&s, &next, (struct pp_http_call){ 0 });
    int other = accept_one(&s);
    assert_int_equal(late.count, 0); /* it may yet be answered where it is */
    pp_http_client_cancel(late.pending);
    pp_http_client_cancel(next.pending);
    close(fd);
    close(other);
    turn(&s);
    end_side(&s);
}

static void a_silent_handshake_is_left_by_those_who_wait_for_it(void **state)
{
    (void)state;
    struct identity id;

    make_identity(&id, 1);
    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(
            &(struct pp_http_client_config){ .http2 = http2, .ca_pem = pp_span_cstr(id.pem) },
            "https");
        struct outcome first = { 0 }, second = { 0 };
        begin(&s, &first, (struct pp_http_call){ .deadline_ms = SHORT_MS });
        int fd = accept_one(&s);
        begin(&s, &second, (struct pp_http_call){ 0 });
        int other = http2 ? -1 : accept_one(&s);
        turn_until(&s, &first.count, 1);
        assert_code(first.r, PP_E_TIMEOUT);
        wait_for_end(&s, fd); /* that one, and not the one begun behind it */
        if (http2)
            other = accept_one(&s);
        assert_true(nobody_comes(&s));
        assert_int_equal(second.count, 0);
        pp_http_client_cancel(second.pending);
        wait_for_end(&s, other);
        end_side(&s);
    }
    end_identity(&id);
}

/* --- neighbours ----------------------------------------------------------------------------- */

enum { LEAVING = 1200, AT_ONCE = 90 };

static void on_gone(void *ctx)
{
    pp_http_reply_status((struct pp_http_request *)ctx, 504);
}

/* The first one waits for the test; all others wait until their clients leave. */
static void keep(void *ctx, struct pp_http_request *q)
{
    struct pp_http_request **first = (struct pp_http_request **)ctx;

    if (*first == NULL)
        *first = q;
    else
        pp_http_request_on_gone(q, on_gone, q);
}

static void come_and_go(struct side *s, unsigned count)
{
    static struct outcome o[AT_ONCE];

    memset(o, 0, sizeof o);
    for (unsigned i = 0; i < count; i++)
        begin(s, &o[i], (struct pp_http_call){ .method = "GET" });
    turn(s);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(o[i].count, 0);
        pp_http_client_cancel(o[i].pending);
    }
    turn(s);
}

/*
 * A relay's users share its connection to the gateway, and a server ends one on which too many
 * calls are given up (CVE-2023-44487): whoever gives his up must not end those of the others.
 */
static void calls_that_are_given_up_do_not_end_their_neighbours(void **state)
{
    (void)state;
    struct side s = make_side(&(struct pp_http_client_config){ .http2 = 1, .calls_max = 128 },
                              "http");
    struct pp_http_request *kept = NULL;
    const struct pp_http_route route = { "GET", "/x", 0, keep, &kept };
    const struct pp_http_server_config c = { .routes = &route,
                                             .route_count = 1,
                                             .answer_timeout_ms = PP_HTTP_DEADLINE_MS_MAX };
    struct pp_http_server *server;
    struct outcome first = { 0 };

    assert_ok(pp_http_server_new(s.loop, &c, &server));
    assert_ok(pp_http_server_listen(server, &s.listener));
    begin(&s, &first,
          (struct pp_http_call){ .method = "GET", .deadline_ms = PP_HTTP_DEADLINE_MS_MAX });
    turn(&s);
    come_and_go(&s, 1);
    come_and_go(&s, AT_ONCE); /* all are on their way when the connection is left */
    for (unsigned i = 0; i < LEAVING; i++)
        come_and_go(&s, 1);
    assert_non_null(kept);
    assert_int_equal(first.count, 0);
    pp_http_reply_status(kept, 202);
    turn_until(&s, &first.count, 1);
    assert_ok(first.r);
    assert_int_equal(first.status, 202);
    pp_http_server_free(server);
    turn(&s);
    end_side(&s);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(calls_that_are_given_up_do_not_end_their_neighbours),
    cmocka_unit_test(a_server_that_never_stops_talking_stops_nobody_else),
    cmocka_unit_test(a_server_that_hangs_up_at_once_is_not_called_again_and_again),
    cmocka_unit_test(a_connection_that_has_fallen_silent_takes_no_more_calls),
    cmocka_unit_test(a_silent_handshake_is_left_by_those_who_wait_for_it),
};

PP_TEST_MAIN(TESTS)
