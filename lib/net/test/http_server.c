/* SPDX-License-Identifier: Apache-2.0 */
#include "http_party.h"

#include <sys/resource.h>
#include <sys/un.h>

#include "requests.h"

static struct answer answer;

/* --- tests ---------------------------------------------------------------------------------- */

static void each_malformed_request_gets_its_status_and_the_connection_ends(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    unsigned refused = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(REQUESTS); i++) {
        int fd = test_connect(&p.address);
        test_send(fd, REQUESTS[i].bytes);
        test_answer(fd, &answer);
        if (answer.status != REQUESTS[i].status)
            fail_msg("%s: %u instead of %u", REQUESTS[i].what, answer.status, REQUESTS[i].status);
        if (answer.status == 200) {
            assert_true(
                pp_span_eq(pp_span(answer.body, answer.body_len), pp_span_cstr(REQUESTS[i].body)));
        } else {
            refused++;
            assert_int_equal(answer.body_len, 0);
            assert_non_null(strstr(answer.head, "\r\nConnection: close\r\n"));
            assert_true(test_is_closed(fd));
        }
        close(fd);
    }
    assert_int_equal(counters_of(&p).refused, refused);
    test_stop(&p);
}

/* RFC 9110 10.2.4, 6.6.1: we send what was asked for, so no Server and no Date. */
static void an_answer_has_the_fields_that_were_asked_for_and_no_other(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = test_connect(&p.address);

    test_say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    test_answer(fd, &answer);
    assert_string_equal(answer.head, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                                     "Cache-Control: no-store\r\nContent-Length: 2\r\n\r\n");
    test_say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    test_answer(fd, &answer);
    assert_string_equal(answer.head,
                        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
    assert_true(test_is_closed(fd));
    close(fd);
    test_stop(&p);
}

static void paths_and_methods_choose_the_route(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    static const struct {
        const char *line;
        unsigned status;
        const char *contains;
    } rows[] = {
        { "GET /files/a/b.txt", 200, "Content-Length: 14" },
        { "GET /files/", 200, "Content-Length: 7" },
        { "GET /files", 404, "" },
        { "GET /nothing", 404, "" },
        { "GET /hello/", 404, "" },
        { "GET /echo", 405, "\r\nAllow: POST\r\n" },
        { "POST /files/a", 405, "\r\nAllow: GET, HEAD, PUT\r\n" },
        { "HEAD /echo", 405, "\r\nAllow: POST\r\n" },
        { "HEAD /nothing", 404, "" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        char text[256];
        int fd = test_connect(&p.address);
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a\r\n\r\n", rows[i].line);
        test_say(fd, text);
        test_answer(fd, &answer);
        assert_int_equal(answer.status, rows[i].status);
        assert_non_null(strstr(answer.head, rows[i].contains));
        close(fd);
    }
    test_stop(&p);
}

/* RFC 9110 9.3.2 MUST NOT: an answer to HEAD has no content; its fields are those of GET. */
static void head_is_get_without_content(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = test_connect(&p.address);

    test_say(fd, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                 "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        const char *expected = i == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                                      : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                        "Connection: close\r\n\r\nhello";
        char got[128] = { 0 };
        for (size_t len = 0; len < strlen(expected); len++)
            assert_int_equal(read(fd, got + len, 1), 1);
        assert_string_equal(got, expected);
    }
    assert_true(test_is_closed(fd));
    close(fd);
    test_stop(&p);
}

static void a_body_past_the_routes_limit_is_refused_before_it_is_read(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    char text[ECHO_BYTES_MAX + 128];

    for (size_t len = ECHO_BYTES_MAX; len <= ECHO_BYTES_MAX + 1; len++) {
        int fd = test_connect(&p.address);
        int n = snprintf(text, sizeof text,
                         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", len);
        test_send(fd, pp_span(text, (size_t)n));
        if (len > ECHO_BYTES_MAX) {
            test_answer(fd, &answer);
            assert_int_equal(answer.status, 413);
        } else {
            memset(text, 'e', len);
            test_send(fd, pp_span(text, len));
            test_answer(fd, &answer);
            assert_int_equal(answer.status, 200);
            assert_int_equal(answer.body_len, len);
        }
        close(fd);
    }
    /* A client that sends all of it before it reads still gets to see the refusal. */
    int fd = test_connect(&p.address);
    test_say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n");
    for (int i = 0; i < 500; i++) {
        memset(text, 'e', 1000);
        test_send(fd, pp_span(text, 1000));
    }
    test_answer(fd, &answer);
    assert_int_equal(answer.status, 413);
    close(fd);
    test_stop(&p);
}

/* RFC 9112 9.3.2: answers come in the order of the requests, slow ones included. */
static void pipelined_requests_are_answered_in_their_order(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = test_connect(&p.address);
    static const unsigned statuses[] = { 200, 202, 200, 202, 200, 404 };

    test_say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                 "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
                 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n0\r\n\r\n"
                 "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    /* These arrive while the server waits for an answer. */
    test_answer(fd, &answer);
    assert_int_equal(answer.status, statuses[0]);
    test_say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t i = 1; i < PP_ARRAY_COUNT(statuses); i++) {
        test_answer(fd, &answer);
        assert_int_equal(answer.status, statuses[i]);
    }
    assert_true(test_is_closed(fd));
    close(fd);
    test_stop(&p);
}

/* A byte now and then does not keep a connection alive (slow loris). */
static void trickle_until_answered(const struct party *p, const char *start_text, const char *then)
{
    int fd = test_connect_saying(p, pp_span_cstr(start_text));
    uint64_t from = test_now_ms();

    while (!test_readable_within(fd, 10)) {
        test_send(fd, pp_span(then, 1));
        assert_true(test_now_ms() - from < PATIENCE_MS);
    }
    test_answer(fd, &answer);
    assert_int_equal(answer.status, 408);
    assert_true(test_is_closed(fd));
    close(fd);
}

static void a_slow_head_and_a_slow_body_are_ended_by_their_deadlines(void **state)
{
    (void)state;
    struct party p = start(
        &(struct pp_http_server_config){ .head_timeout_ms = 150, .body_timeout_ms = 150 });

    trickle_until_answered(&p, "GET /hello HTTP/1.1\r\nX: ", "y");
    trickle_until_answered(&p, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
                           "y");
    trickle_until_answered(
        &p, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2ff\r\n", "y");
    assert_int_equal(counters_of(&p).late, 3);
    test_stop(&p);
}

/* Slow loris with a large body that never comes: the floor ends it long before the body's time. */
static void a_body_that_hardly_grows_is_ended_before_its_time(void **state)
{
    (void)state;
    struct party p = start(
        &(struct pp_http_server_config){ .body_timeout_ms = PATIENCE_MS, .body_floor_ms = 150 });

    trickle_until_answered(&p, "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
                           "y");
    assert_int_equal(counters_of(&p).late, 1);
    test_stop(&p);
}

/* One that takes several times as long, and grows, is taken whole. */
static void a_slow_body_that_grows_is_waited_for(void **state)
{
    enum { PIECES = 6, PIECE = 12000, FLOOR_MS = 600 };
    static uint8_t piece[PIECE];
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .body_timeout_ms = PATIENCE_MS,
                                                            .body_floor_ms = FLOOR_MS });
    uint64_t from = test_now_ms();
    int in_time; /* who is not scheduled for so long proves nothing, and begins again */

    do {
        int fd = test_connect_saying(
            &p, PP_STR("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 72000\r\n\r\n"));
        uint64_t began = test_now_ms(), last = began;
        in_time = 1;
        for (int i = 0; i < PIECES; i++) { /* some in each piece of time */
            (void)test_readable_within(fd, FLOOR_MS / 4);
            test_send(fd, PP_BYTES(piece));
            in_time &= test_now_ms() - last < FLOOR_MS / 2;
            last = test_now_ms();
        }
        test_answer(fd, &answer);
        if (in_time) {
            assert_int_equal(answer.status, 200);
            assert_true(last - began > FLOOR_MS);
        }
        close(fd);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    } while (!in_time);
    test_stop(&p);
}

/* Neither the patience for what was of use, nor a word about why. */
static void a_connection_that_never_says_anything_has_the_time_of_a_head(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .head_timeout_ms = 100 });
    int fd = test_connect(&p.address);

    assert_true(test_is_closed(fd));
    assert_int_equal(counters_of(&p).late, 0);
    close(fd);
    test_stop(&p);
}

static void an_idle_connection_is_closed_in_silence(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .idle_timeout_ms = 100 });
    int fresh = test_connect(&p.address);
    int used = test_connect(&p.address);

    test_say(used, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    test_answer(used, &answer);
    assert_true(test_is_closed(fresh));
    assert_true(test_is_closed(used));
    assert_int_equal(counters_of(&p).late, 0);
    close(fresh);
    close(used);
    test_stop(&p);
}

static void a_handler_that_is_late_is_answered_for_and_told_once(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .answer_timeout_ms = 80 });
    int fd = test_connect(&p.address);

    test_say(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    test_answer(fd, &answer);
    assert_int_equal(answer.status, 504);
    assert_true(test_is_closed(fd));
    close(fd);
    struct counters c = counters_of(&p);
    assert_int_equal(c.late, 1);
    assert_int_equal(c.told, 1);
    assert_int_equal(c.gone, 0);
    test_stop(&p);
}

/*
 * pp-wire 12: the gateway hears that a client left, also behind requests that wait in the kernel.
 */
static void a_client_that_leaves_is_noticed_before_its_answer(void **state)
{
    (void)state;
    static const char *const behind[] = { "", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "G" };
    struct party p = start(&(struct pp_http_server_config){ 0 });
    uint64_t from = test_now_ms();

    for (size_t i = 0; i < PP_ARRAY_COUNT(behind); i++) {
        int fd = test_connect(&p.address);
        int other = test_connect(&p.address);
        test_say(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)counters_over(other); /* by now the first request is with its handler */
        test_say(fd, behind[i]);
        (void)counters_over(other);
        close(fd);
        while (counters_over(other).told < i + 1)
            assert_true(test_now_ms() - from < PATIENCE_MS);
        assert_int_equal(counters_over(other).gone, i + 1);
        close(other);
    }
    test_stop(&p);
}

static void connections_over_the_limit_are_told_that_we_are_busy(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .connections_max = 3 });
    int fds[3];

    for (int i = 0; i < 3; i++) {
        fds[i] = test_connect(&p.address);
        (void)counters_over(fds[i]);
    }
    int fd = test_connect(&p.address);
    test_answer(fd, &answer);
    assert_int_equal(answer.status, 503);
    assert_true(test_is_closed(fd));
    close(fd);
    assert_int_equal(counters_over(fds[1]).busy, 1);

    close(fds[0]);
    do { /* its place is free again as soon as the server has seen it */
        fd = test_connect(&p.address);
        test_say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        test_answer(fd, &answer);
        close(fd);
    } while (answer.status != 200);
    close(fds[1]);
    close(fds[2]);
    test_stop(&p);
}

static void one_address_cannot_take_all_connections(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .connections_per_address_max = 2 });
    int a = test_connect(&p.address);
    int b = test_connect(&p.address);

    (void)counters_over(a);
    (void)counters_over(b);
    int fd = test_connect(&p.address);
    test_answer(fd, &answer);
    assert_int_equal(answer.status, 503);
    close(fd);
    fd = test_connect_from(&p.address, "127.0.0.2");
    assert_int_equal(counters_over(fd).busy, 1);
    close(fd);
    close(a);
    close(b);
    test_stop(&p);
}

/* Failed system call: accept(2) finds no descriptor; what others give back is used later. */
static int run_with_few_descriptors(struct pp_listener *l, void *ctx)
{
    const struct rlimit few = { 14, 14 };

    return setrlimit(RLIMIT_NOFILE, &few) != 0 ? 4 : run(l, ctx);
}

static void running_out_of_descriptors_passes(void **state)
{
    (void)state;
    struct pp_http_server_config c = { 0 };
    struct party p = test_start("127.0.0.1:0", run_with_few_descriptors, &c);
    int fds[24];

    for (int i = 0; i < 24; i++) { /* most of them wait in the kernel's queue */
        fds[i] = test_connect(&p.address);
        test_say(fds[i], "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < 24; i++) {
        test_answer(fds[i], &answer);
        assert_int_equal(answer.status, 200);
        close(fds[i]);
    }
    test_stop(&p);
}

static void a_long_answer_reaches_a_slow_reader_whole(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = test_connect(&p.address);
    char head[256] = "";
    size_t n = 0;
    unsigned char bytes[3000];

    test_say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    while (strstr(head, "\r\n\r\n") == NULL)
        assert_int_equal(recv(fd, head + n++, 1, 0), 1);
    for (size_t got = 0; got < BIG_BYTES;) {
        ssize_t more = recv(fd, bytes, sizeof bytes, 0);
        assert_true(more > 0);
        for (ssize_t i = 0; i < more; i++, got++)
            if (bytes[i] != (uint8_t)(got * 7 + (got >> 12)))
                fail_msg("wrong byte at %zu", got);
    }
    test_say(fd, "GET /copied HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    n = 0;
    memset(head, 0, sizeof head);
    while (strstr(head, "\r\n\r\n") == NULL)
        assert_int_equal(recv(fd, head + n++, 1, 0), 1);
    for (size_t got = 0; got < 1 << 16;) {
        ssize_t more = recv(fd, bytes,
                            got + sizeof bytes > 1 << 16 ? (1 << 16) - got : sizeof bytes, 0);
        assert_true(more > 0);
        for (ssize_t i = 0; i < more; i++, got++)
            assert_int_equal(bytes[i], got < 64 ? got : 'c');
    }
    test_answer(fd, &answer);
    assert_int_equal(answer.status, 200);
    close(fd);
    test_stop(&p);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .write_timeout_ms = 100 });
    int fd = test_connect(&p.address);
    int other = test_connect(&p.address);
    uint64_t from = test_now_ms();

    test_say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    while (counters_over(other).late == 0)
        assert_true(test_now_ms() - from < PATIENCE_MS);
    close(fd);
    close(other);
    test_stop(&p);
}

static void an_answer_that_cannot_be_sent_becomes_500(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    static const char *const paths[] = { "/injected", "/too-long" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(paths); i++) {
        char text[128];
        int fd = test_connect(&p.address);
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        test_say(fd, text);
        test_answer(fd, &answer);
        assert_int_equal(answer.status, 500);
        assert_null(strstr(answer.head, "Injected"));
        close(fd);
    }
    test_stop(&p);
}

static void draining_finishes_what_runs_and_takes_nothing_new(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int idle = test_connect(&p.address);
    int busy = test_connect(&p.address);

    (void)counters_over(idle);
    test_say(busy, "GET /last HTTP/1.1\r\nHost: a\r\n\r\n");
    (void)counters_over(idle); /* the other request is with its handler */
    test_stop(&p);             /* the process ends by itself, and only behind the answer */
    assert_true(test_is_closed(idle));
    test_answer(busy, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.head, "\r\nConnection: close\r\n"));
    assert_true(test_is_closed(busy));
    close(idle);
    close(busy);
}

/* No allocation between reading a request and writing its answer; memory stays flat. */
static void thousands_of_requests_allocate_nothing_and_leave_memory_flat(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });
    int fd = test_connect(&p.address);
    struct counters before = { 0 };
    long rss = 0;

    for (int i = 0; i < 10000; i++) {
        if (i == 1000) {
            before = counters_over(fd);
            rss = test_rss_kib(&p);
        }
        test_say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
        test_answer(fd, &answer);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(counters_over(fd).allocations, before.allocations);
#ifndef PP_SANITIZE
    assert_true(test_rss_kib(&p) - rss <= 64);
#else
    (void)rss;
#endif
    close(fd);
    test_stop(&p);
}

static void many_short_connections_leave_memory_flat(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ .connections_max = 8 });
    long rss = 0;

    for (int i = 0; i < 3000; i++) {
        if (i == 500)
            rss = test_rss_kib(&p);
        int fd = test_connect(&p.address);
        test_say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        test_answer(fd, &answer);
        assert_int_equal(answer.status, 200);
        close(fd);
    }
#ifndef PP_SANITIZE
    assert_true(test_rss_kib(&p) - rss <= 64);
#else
    (void)rss;
#endif
    test_stop(&p);
}

static void a_unix_socket_serves_as_well_and_an_abandoned_one_is_replaced(void **state)
{
    (void)state;
    char name[64];
    struct pp_http_server_config c = { 0 };

    snprintf(name, sizeof name, "unix:/tmp/pp-test-%ld", (long)getpid());
    for (int round = 0; round < 2; round++) {
        struct party p = test_start(name, run, &c);
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        struct pp_listener second;
        memcpy(un.sun_path, p.address.path, sizeof un.sun_path);
        assert_code(pp_listener_open(&p.address, &second), PP_E_PORT_TAKEN);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)(void *)&un, sizeof un), 0);
        test_say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        test_answer(fd, &answer);
        assert_int_equal(answer.status, 200);
        close(fd);
        if (round == 0) { /* killed: the file stays behind */
            kill(p.pid, SIGKILL);
            waitpid(p.pid, NULL, 0);
            assert_int_equal(access(p.address.path, F_OK), 0);
        } else {
            test_stop(&p);
            assert_int_not_equal(access(p.address.path, F_OK), 0);
        }
    }
}

static void a_taken_port_is_named_as_such(void **state)
{
    (void)state;
    struct pp_listener first = test_listener("127.0.0.1:0");
    struct pp_listener second;

    assert_true(first.address.port != 0);
    assert_code(pp_listener_open(&first.address, &second), PP_E_PORT_TAKEN);
    pp_listener_done(&first);
    pp_listener_done(&first);
}

static void limits_above_their_maximum_are_refused(void **state)
{
    (void)state;
    struct pp_loop *loop;
    struct pp_http_server *s = NULL;
    struct pp_http_route route = ROUTES[0];
    struct pp_http_server_config good = { .routes = &route, .route_count = 1 };
    struct pp_http_server_config c = good;

    assert_ok(pp_loop_new(&loop));
    c.route_count = 0;
    assert_code(pp_http_server_new(loop, &c, &s), PP_E_RANGE);
    c.route_count = PP_HTTP_ROUTES_MAX + 1;
    assert_code(pp_http_server_new(loop, &c, &s), PP_E_RANGE);
    c = good;
    c.connections_max = PP_HTTP_CONNECTIONS_MAX + 1;
    assert_code(pp_http_server_new(loop, &c, &s), PP_E_RANGE);
    c = good;
    c.scratch_bytes = PP_HTTP_BODY_BYTES_MAX + 1;
    assert_code(pp_http_server_new(loop, &c, &s), PP_E_RANGE);
    route.body_bytes_max = PP_HTTP_BODY_BYTES_MAX + 1;
    assert_code(pp_http_server_new(loop, &good, &s), PP_E_RANGE);
    route.body_bytes_max = 0;
    route.path = "echo";
    assert_code(pp_http_server_new(loop, &good, &s), PP_E_RANGE);
    route.path = "/echo";
    assert_ok(pp_http_server_new(loop, &good, &s));
    pp_http_server_free(s);
    pp_loop_free(loop);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(each_malformed_request_gets_its_status_and_the_connection_ends),
    cmocka_unit_test(an_answer_has_the_fields_that_were_asked_for_and_no_other),
    cmocka_unit_test(paths_and_methods_choose_the_route),
    cmocka_unit_test(head_is_get_without_content),
    cmocka_unit_test(a_body_past_the_routes_limit_is_refused_before_it_is_read),
    cmocka_unit_test(pipelined_requests_are_answered_in_their_order),
    cmocka_unit_test(a_slow_head_and_a_slow_body_are_ended_by_their_deadlines),
    cmocka_unit_test(a_body_that_hardly_grows_is_ended_before_its_time),
    cmocka_unit_test(a_slow_body_that_grows_is_waited_for),
    cmocka_unit_test(a_connection_that_never_says_anything_has_the_time_of_a_head),
    cmocka_unit_test(an_idle_connection_is_closed_in_silence),
    cmocka_unit_test(a_handler_that_is_late_is_answered_for_and_told_once),
    cmocka_unit_test(a_client_that_leaves_is_noticed_before_its_answer),
    cmocka_unit_test(connections_over_the_limit_are_told_that_we_are_busy),
    cmocka_unit_test(one_address_cannot_take_all_connections),
    cmocka_unit_test(running_out_of_descriptors_passes),
    cmocka_unit_test(a_long_answer_reaches_a_slow_reader_whole),
    cmocka_unit_test(a_client_that_does_not_read_is_dropped),
    cmocka_unit_test(an_answer_that_cannot_be_sent_becomes_500),
    cmocka_unit_test(draining_finishes_what_runs_and_takes_nothing_new),
    cmocka_unit_test(thousands_of_requests_allocate_nothing_and_leave_memory_flat),
    cmocka_unit_test(many_short_connections_leave_memory_flat),
    cmocka_unit_test(a_unix_socket_serves_as_well_and_an_abandoned_one_is_replaced),
    cmocka_unit_test(a_taken_port_is_named_as_such),
    cmocka_unit_test(limits_above_their_maximum_are_refused),
};

PP_TEST_MAIN(TESTS)
