/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1: how calls and connections end, step by step. */
#include "client_test.h"
#include "identity.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
#define OK      OK_HEAD "\r\nok"

static const struct pp_http_client_config DEFAULTS = { 0 };

/* Reads a request without body. Returns 0 if there is none. */
static int is_asked(struct side *s, int fd)
{
    static const char END[] = "\r\nContent-Length: 0\r\n\r\n";
    char bytes[1024];
    ssize_t n = -1;

    for (int i = 0; n < 0 && i < 100; i++) {
        turn(s);
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    }
    return n > (ssize_t)sizeof END &&
           memcmp(bytes + n - (sizeof END - 1), END, sizeof END - 1) == 0;
}

static void answer(struct side *s, int fd, const char *text, struct outcome *o)
{
    test_say(fd, text);
    turn_until(s, &o->count, 1);
}

static void a_response_may_arrive_in_any_two_parts(void **state)
{
    (void)state;
    static const char *const answers[] = {
        OK,
        "HTTP/1.1 100 Continue\r\n\r\n" OK,
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\no\r\n1\r\nk\r\n0\r\nX: y\r\n\r\n"),
    };
    struct side s = make_side(&DEFAULTS, "http");
    int fd = -1;

    for (size_t a = 0; a < PP_ARRAY_COUNT(answers); a++) {
        size_t len = strlen(answers[a]);
        for (size_t cut = 1; cut < len; cut++) {
            struct outcome o = { 0 };
            begin(&s, &o, (struct pp_http_call){ 0 });
            fd = fd < 0 ? accept_one(&s) : fd;
            assert_true(is_asked(&s, fd));
            test_send(fd, pp_span(answers[a], cut));
            turn(&s);
            assert_int_equal(o.count, 0);
            test_send(fd, pp_span(answers[a] + cut, len - cut));
            turn_until(&s, &o.count, 1);
            assert_ok(o.r);
            assert_int_equal(o.body_len, 2);
            assert_memory_equal(o.body, "ok", 2);
        }
    }
    close(fd);
    end_side(&s);
}

/* Both at the same time: whether it was acted on, nobody knows. */
static void a_server_that_closes_as_the_request_arrives_has_not_answered(void **state)
{
    (void)state;
    struct side s = make_side(&DEFAULTS, "http");
    struct outcome first = { 0 }, second = { 0 };

    begin(&s, &first, (struct pp_http_call){ 0 });
    int fd = accept_one(&s);
    assert_true(is_asked(&s, fd));
    answer(&s, fd, OK, &first);
    begin(&s, &second, (struct pp_http_call){ 0 });
    assert_true(is_asked(&s, fd)); /* it left on the kept connection */
    close(fd);
    turn_until(&s, &second.count, 1);
    assert_code(second.r, PP_E_CLOSED);
    assert_true(nobody_comes(&s));
    end_side(&s);
}

/* A late 408, or the answer to something that was never asked. */
static void a_connection_on_which_something_was_said_unasked_is_not_used(void **state)
{
    (void)state;
    static const struct {
        const char *with, *later;
    } rows[] = { { OK OK, "" }, { OK, OK }, { OK, "x" }, { OK, NULL } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct side s = make_side(&DEFAULTS, "http");
        struct outcome first = { 0 }, second = { 0 };
        begin(&s, &first, (struct pp_http_call){ 0 });
        int fd = accept_one(&s);
        assert_true(is_asked(&s, fd));
        answer(&s, fd, rows[i].with, &first);
        assert_ok(first.r);
        if (rows[i].later == NULL)
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
        else
            test_say(fd, rows[i].later);
        begin(&s, &second, (struct pp_http_call){ 0 }); /* the loop has not seen it yet */
        int other = accept_one(&s);
        assert_true(is_asked(&s, other));
        answer(&s, other, OK, &second);
        assert_ok(second.r);
        wait_for_end(&s, fd);
        close(other);
        end_side(&s);
    }
}

static void a_server_that_says_close_is_taken_at_its_word(void **state)
{
    (void)state;
    struct side s = make_side(&DEFAULTS, "http");
    struct outcome o = { 0 };

    begin(&s, &o, (struct pp_http_call){ 0 });
    int fd = accept_one(&s);
    answer(&s, fd, OK_HEAD "Connection: close\r\n\r\nok", &o);
    assert_ok(o.r);
    wait_for_end(&s, fd);
    end_side(&s);
}

/* RFC 9112 9.5, 7.8: a refusal that does not wait for the rest of a body. */
static void an_answer_before_the_whole_request_is_one(void **state)
{
    (void)state;
    static uint8_t much[16 << 20];

    for (int closes = 0; closes < 2; closes++) {
        struct side s = make_side(&DEFAULTS, "http");
        struct outcome o = { 0 };
        begin(&s, &o, (struct pp_http_call){ .body = PP_BYTES(much) });
        int fd = accept_one(&s);
        test_say(fd, "HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno");
        if (closes)
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
        turn_until(&s, &o.count, 1);
        assert_ok(o.r);
        assert_int_equal(o.status, 413);
        wait_for_end(&s, fd); /* half a request stands on it */
        end_side(&s);
    }
}

static void calls_beyond_the_connections_wait_and_one_of_them_can_go(void **state)
{
    (void)state;
    struct side s = make_side(&(struct pp_http_client_config){ .connections_per_host_max = 1 },
                              "http");
    static struct outcome o[4];

    memset(o, 0, sizeof o);
    for (int i = 0; i < 4; i++)
        begin(&s, &o[i], (struct pp_http_call){ 0 });
    int fd = accept_one(&s);
    assert_true(nobody_comes(&s));
    pp_http_client_cancel(o[1].pending);
    pp_http_client_cancel(o[3].pending);
    assert_true(is_asked(&s, fd));
    answer(&s, fd, OK, &o[0]);
    assert_true(is_asked(&s, fd));
    answer(&s, fd, OK, &o[2]);
    assert_true(nobody_comes(&s));
    assert_false(is_asked(&s, fd));
    assert_int_equal(o[1].count + o[3].count, 0);
    close(fd);
    end_side(&s);
}

static void a_cancelled_call_takes_its_connection_with_it(void **state)
{
    (void)state;
    for (int is_answered = 0; is_answered < 2; is_answered++) {
        struct side s = make_side(&DEFAULTS, "http");
        struct outcome o = { 0 };
        begin(&s, &o, (struct pp_http_call){ 0 });
        int fd = accept_one(&s);
        assert_true(is_asked(&s, fd));
        if (is_answered)
            test_say(fd, "HTTP/1.1 200 OK\r\nContent-Len");
        turn(&s);
        pp_http_client_cancel(o.pending);
        wait_for_end(&s, fd);
        assert_int_equal(o.count, 0);
        end_side(&s);
    }
}

/* Before the loop has done anything, and while the connection is being made. */
static void a_call_can_be_cancelled_at_once(void **state)
{
    (void)state;
    struct side s = make_side(&DEFAULTS, "http");
    struct outcome o = { 0 };

    begin(&s, &o, (struct pp_http_call){ 0 });
    pp_http_client_cancel(o.pending);
    assert_true(nobody_comes(&s));
    begin(&s, &o, (struct pp_http_call){ 0 });
    (void)event_base_loop(pp_loop_base_(s.loop), EVLOOP_NONBLOCK);
    pp_http_client_cancel(o.pending);
    int fd = accept_one(&s);
    wait_for_end(&s, fd);
    assert_int_equal(o.count, 0);
    end_side(&s);
}

/* --- what a `done` may do ------------------------------------------------------------------- */

struct plan {
    struct side *s;
    struct outcome *begins, *cancels;
};

static void free_client(void *ctx)
{
    struct side *s = (struct side *)ctx;

    pp_http_client_free(s->client);
    s->client = NULL;
}

static void begin_and_cancel(void *ctx)
{
    struct plan *p = (struct plan *)ctx;

    begin(p->s, p->begins, (struct pp_http_call){ 0 });
    pp_http_client_cancel(p->cancels->pending);
}

static void the_client_can_be_freed_by_a_done(void **state)
{
    (void)state;
    static const char *const answers[] = { OK, "", "x\r\n" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(answers); i++) {
        struct side s = make_side(&DEFAULTS, "http");
        struct outcome o = { .then = free_client, .then_ctx = &s };
        struct outcome other = { 0 };
        begin(&s, &o, (struct pp_http_call){ 0 });
        int fd = accept_one(&s);
        begin(&s, &other, (struct pp_http_call){ 0 });
        test_say(fd, answers[i]);
        (void)shutdown(fd, SHUT_WR);
        turn_until(&s, &o.count, 1);
        assert_int_equal(other.count, 0);
        turn(&s);
        close(fd);
        end_side(&s);
    }
}

static void a_done_can_start_and_cancel_others(void **state)
{
    (void)state;
    struct side s = make_side(&(struct pp_http_client_config){ .connections_per_host_max = 1 },
                              "http");
    struct outcome waits = { 0 }, begun = { 0 };
    struct plan plan = { &s, &begun, &waits };
    struct outcome o = { .then = begin_and_cancel, .then_ctx = &plan };

    begin(&s, &o, (struct pp_http_call){ 0 });
    int fd = accept_one(&s);
    begin(&s, &waits, (struct pp_http_call){ 0 });
    assert_true(is_asked(&s, fd));
    answer(&s, fd, OK, &o);
    assert_true(is_asked(&s, fd));
    answer(&s, fd, OK, &begun);
    assert_int_equal(waits.count, 0);
    assert_true(nobody_comes(&s));
    close(fd);
    end_side(&s);
}

/* --- places --------------------------------------------------------------------------------- */

/* As many connections as calls: an unused one of another server makes room. */
static void connections_nobody_uses_make_room_for_others(void **state)
{
    (void)state;
    struct side a = make_side(&(struct pp_http_client_config){ .calls_max = 1 }, "http");
    struct side b = make_side(&DEFAULTS, "http");
    int fd = -1;

    for (int i = 0; i < 3; i++) {
        struct outcome o = { 0 };
        begin(&a, &o, (struct pp_http_call){ 0 });
        int at_a = accept_one(&a);
        if (fd >= 0)
            wait_for_end(&a, fd);
        answer(&a, at_a, OK, &o);
        o = (struct outcome){ 0 };
        begin(&a, &o, (struct pp_http_call){ .url = b.url });
        turn(&a);
        wait_for_end(&a, at_a);
        fd = accept_one(&b);
        answer(&a, fd, OK, &o);
    }
    assert_int_equal(a.client->origins_used, 2);
    close(fd);
    end_side(&a);
    end_side(&b);
}

/* Host, and what is asked for, whatever the URL looks like (RFC 9112 3.2.1, RFC 9110 7.2). */
static void the_target_and_the_host_are_those_of_the_url(void **state)
{
    (void)state;
    struct side s = make_side(&DEFAULTS, "http");
    unsigned port = s.listener.address.port;
    static const char *const tails[] = { "", "?q", "/", "/a/../b?c=d&e" };
    static const char *const targets[] = { "/", "/?q", "/", "/a/../b?c=d&e" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(tails); i++) {
        char url[128], want[256], got[256];
        struct outcome o = { 0 };
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, tails[i]);
        snprintf(want, sizeof want, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", targets[i],
                 port);
        begin(&s, &o, (struct pp_http_call){ .url = url, .method = "GET" });
        int fd = accept_one(&s);
        ssize_t n = recv(fd, got, sizeof got, 0);
        assert_int_equal(n, strlen(want));
        assert_memory_equal(got, want, strlen(want));
        answer(&s, fd, OK_HEAD "Connection: close\r\n\r\nok", &o);
        close(fd);
    }
    end_side(&s);
}

/* --- TLS that does not come about ----------------------------------------------------------- */

static void a_handshake_ends_as_the_server_lets_it(void **state)
{
    (void)state;
    static const struct {
        const char *says; /* NULL: nothing */
        int closes;
        uint32_t code;
    } rows[] = {
        { NULL, 1, PP_E_NETWORK },
        { OK, 0, PP_E_NETWORK },
        { NULL, 0, PP_E_TIMEOUT },
    };
    const struct pp_http_client_config none = { .ca_pem = PP_STR("no anchor at all") };
    struct side s = make_side(&none, "https");
    struct outcome o = { 0 };
    struct identity identity;

    begin(&s, &o, (struct pp_http_call){ 0 });
    int unused = accept_one(&s);
    turn_until(&s, &o.count, 1);
    close(unused);
    assert_code(o.r, PP_E_UNVERIFIED);
    end_side(&s);
    make_identity(&identity, 1);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        s = make_side(&(struct pp_http_client_config){ .ca_pem = pp_span_cstr(identity.pem) },
                      "https");
        o = (struct outcome){ 0 };
        begin(&s, &o,
              (struct pp_http_call){ .deadline_ms = rows[i].code == PP_E_TIMEOUT ? 50 : 0 });
        int fd = accept_one(&s);
        if (rows[i].says != NULL)
            test_say(fd, rows[i].says);
        if (rows[i].closes)
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
        turn_until(&s, &o.count, 1);
        assert_code(o.r, rows[i].code);
        close(fd);
        end_side(&s);
    }
    end_identity(&identity);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_response_may_arrive_in_any_two_parts),
    cmocka_unit_test(a_server_that_closes_as_the_request_arrives_has_not_answered),
    cmocka_unit_test(a_connection_on_which_something_was_said_unasked_is_not_used),
    cmocka_unit_test(a_server_that_says_close_is_taken_at_its_word),
    cmocka_unit_test(an_answer_before_the_whole_request_is_one),
    cmocka_unit_test(calls_beyond_the_connections_wait_and_one_of_them_can_go),
    cmocka_unit_test(a_cancelled_call_takes_its_connection_with_it),
    cmocka_unit_test(a_call_can_be_cancelled_at_once),
    cmocka_unit_test(the_client_can_be_freed_by_a_done),
    cmocka_unit_test(a_done_can_start_and_cancel_others),
    cmocka_unit_test(connections_nobody_uses_make_room_for_others),
    cmocka_unit_test(the_target_and_the_host_are_those_of_the_url),
    cmocka_unit_test(a_handshake_ends_as_the_server_lets_it),
};

PP_TEST_MAIN(TESTS)
