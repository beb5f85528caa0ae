/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in pieces, both ways, over both versions: our client against our server. */
#include "h2_frames.h"
#include "http_party.h"
#include "identity.h"

#include <sys/mman.h>

enum { MUCH = 3000000, PIECE_MAX = 5000, WAIT_EVERY = 40 };

struct side {
    struct pp_loop *loop;
    struct pp_http_client *client;
    struct pp_http_pending *pending;
    struct pp_timer *timer;
    char url[160];

    size_t sent, send_len; /* byte i is i * 7 */
    unsigned pulls;
    int abort_pull;
    size_t taken;
    unsigned offers;
    int may_pause;
    int may_hold;     /* takes nothing, until it is told to */
    int refuse_piece; /* what `piece` returns at the first one, if not 0 */
    int refuse_head;
    unsigned heads;
    uint32_t status; /* of the head */
    char type[64];
    unsigned done;
    pp_res r;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 12));
}

/* Every so often there is nothing yet. */
static long on_pull(void *ctx, uint8_t *at, size_t cap)
{
    struct side *s = (struct side *)ctx;
    size_t n = s->send_len - s->sent;

    if (s->abort_pull)
        return PP_HTTP_PULL_ABORT;
    if (++s->pulls % WAIT_EVERY == 0) {
        pp_timer_set(s->timer, 1);
        return PP_HTTP_PULL_LATER;
    }
    n = n < cap ? n : cap;
    n = n < PIECE_MAX ? n : PIECE_MAX;
    for (size_t i = 0; i < n; i++)
        at[i] = byte_at(s->sent + i);
    s->sent += n;
    return (long)n;
}

static int on_head(void *ctx, const struct pp_http_response *response)
{
    struct side *s = (struct side *)ctx;

    s->heads++;
    s->status = response->status;
    snprintf(s->type, sizeof s->type, "%.*s", (int)response->type.len,
             (const char *)response->type.at);
    return s->refuse_head ? -1 : 1;
}

/* Every so often there is no room: the same piece has to come again. */
static int on_piece(void *ctx, struct pp_span bytes)
{
    struct side *s = (struct side *)ctx;

    assert_int_not_equal(s->status, 0);
    if (s->refuse_piece)
        return -1;
    if (s->may_hold)
        return 0;
    if (s->may_pause && ++s->offers % WAIT_EVERY == 0) {
        pp_timer_set(s->timer, 1);
        return 0;
    }
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.at[i] != byte_at(s->taken + i))
            fail_msg("wrong byte at %zu", s->taken + i);
    s->taken += bytes.len;
    return 1;
}

static void on_timer(void *ctx)
{
    struct side *s = (struct side *)ctx;

    if (s->pending != NULL)
        pp_http_client_resume(s->pending);
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct side *s = (struct side *)ctx;

    s->done++;
    s->r = r;
    s->pending = NULL;
    if (response != NULL) {
        s->status = response->status;
        assert_int_equal(response->body.len, 0);
    }
    pp_loop_stop(s->loop);
}

static struct side make_side_for(const struct party *p, uint32_t http2, const char *ca_pem)
{
    struct side s = { 0 };
    const struct pp_http_client_config c = { .http2 = http2, .ca_pem = pp_span_cstr(ca_pem) };
    char at[PP_ADDRESS_TEXT_MAX];

    pp_address_write(&p->address, at);
    snprintf(s.url, sizeof s.url, "http%s://%s", ca_pem[0] != '\0' ? "s" : "", at);
    assert_ok(pp_loop_new(&s.loop));
    assert_ok(pp_http_client_new(s.loop, &c, &s.client));
    return s;
}

static struct side make_side(const struct party *p, uint32_t http2)
{
    return make_side_for(p, http2, "");
}

static void end_side(struct side *s)
{
    pp_timer_free(s->timer);
    pp_http_client_free(s->client);
    pp_loop_free(s->loop);
}

static void begin_call(struct side *s, const char *path, size_t send_len)
{
    char url[256];
    const struct pp_http_call call = { .method = send_len > 0 ? "POST" : "GET",
                                       .url = url,
                                       .deadline_ms = PATIENCE_MS,
                                       .pull = send_len > 0 ? on_pull : NULL,
                                       .head = on_head,
                                       .piece = on_piece,
                                       .ctx = s };

    snprintf(url, sizeof url, "%s%s", s->url, path);
    s->send_len = send_len;
    s->sent = s->taken = 0;
    s->done = 0;
    s->status = 0;
    if (s->timer == NULL)
        assert_ok(pp_timer_new(s->loop, on_timer, s, &s->timer));
    assert_ok(pp_http_client_start(s->client, &call, on_done, s, &s->pending));
}

static void call(struct side *s, const char *path, size_t send_len)
{
    begin_call(s, path, send_len);
    assert_ok(pp_loop_run(s->loop));
    assert_int_equal(s->done, 1);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void a_body_passes_through_in_pieces_whoever_waits(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(&p, http2);
        s.may_pause = 1;
        static const size_t lens[] = { 1, PP_HTTP_PIECES_BYTES, MUCH };
        for (size_t i = 0; i < PP_ARRAY_COUNT(lens); i++) {
            call(&s, "/pieces", lens[i]);
            assert_ok(s.r);
            assert_int_equal(s.status, 200);
            assert_string_equal(s.type, "text/plain");
            assert_int_equal(s.sent, lens[i]);
            assert_int_equal(s.taken, lens[i]);
        }
        end_side(&s);
    }
    test_stop(&p);
}

/* Who takes nothing holds back its own server side; the connection's other calls go on. */
static void a_piece_that_is_not_taken_holds_nobody_else_back(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side slow = make_side(&p, http2);
        struct side quick = slow;
        slow.may_hold = 1;
        begin_call(&slow, "/pieces", MUCH);
        for (int i = 0; i < 3; i++) {
            call(&quick, "/pieces", MUCH);
            assert_ok(quick.r);
            assert_int_equal(quick.taken, MUCH);
        }
        assert_int_equal(slow.done, 0);
        assert_int_equal(slow.taken, 0);
        if (http2) /* HTTP/1.1: the kernel takes more than that by itself */
            assert_true(slow.sent < MUCH);
        slow.may_hold = 0;
        pp_http_client_resume(slow.pending);
        assert_ok(pp_loop_run(slow.loop));
        assert_ok(slow.r);
        assert_int_equal(slow.taken, MUCH);
        pp_timer_free(quick.timer);
        end_side(&slow);
    }
    test_stop(&p);
}

static void a_handler_that_takes_nothing_holds_the_sender_back(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(&p, http2);
        call(&s, "/held", 1000000);
        assert_ok(s.r);
        assert_int_equal(s.status, 202);
        assert_int_equal(s.sent, 1000000);
        end_side(&s);
    }
    test_stop(&p);
}

static void an_answer_without_an_end_is_not_taken_for_a_whole_one(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(&p, http2);
        char url[256];
        const struct pp_http_call whole = { .method = "GET", .url = url, .deadline_ms = 9000 };
        snprintf(url, sizeof url, "%s/cut", s.url);
        assert_ok(pp_http_client_start(s.client, &whole, on_done, &s, &s.pending));
        assert_ok(pp_loop_run(s.loop));
        assert_code(s.r, PP_E_CLOSED);
        end_side(&s);
    }
    test_stop(&p);
}

static void a_body_past_the_routes_limit_ends_as_it_is_seen(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(&p, http2);
        call(&s, "/held", (size_t)BIG_BYTES + 1); /* its answer has not begun */
        if (pp_is_ok(s.r))
            assert_int_equal(s.status, 413);
        else
            assert_code(s.r, PP_E_CLOSED);
        call(&s, "/pieces", (size_t)BIG_BYTES + 1); /* this one has */
        assert_code(s.r, PP_E_CLOSED);
        end_side(&s);
        assert_int_equal(counters_of(&p).told, 2 * (http2 + 1));
    }
    test_stop(&p);
}

static void whoever_gives_up_is_told_so_and_the_other_side_too(void **state)
{
    (void)state;
    struct party p = start(&(struct pp_http_server_config){ 0 });

    for (uint32_t http2 = 0; http2 < 2; http2++) {
        struct side s = make_side(&p, http2);
        s.abort_pull = 1;
        call(&s, "/pieces", 1000);
        assert_code(s.r, PP_E_CANCELLED);
        s.abort_pull = 0;
        s.refuse_head = 1;
        call(&s, "/pieces", MUCH);
        assert_code(s.r, PP_E_CANCELLED);
        s.refuse_head = 0;
        s.refuse_piece = 1;
        call(&s, "/pieces", MUCH);
        assert_code(s.r, PP_E_CANCELLED);
        uint64_t from = test_now_ms();
        while (counters_of(&p).told < 2 * (http2 + 1)) /* the first may not have been sent */
            assert_true(test_now_ms() - from < PATIENCE_MS);
        end_side(&s);
    }
    test_stop(&p);
}

/* One answer for whoever comes: a chunked body of one byte, and trailers that look like a head. */
static int run_trailers(struct pp_listener *l, void *ctx)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n1\r\n%c\r\n0\r\n"
                                 "Content-Type: text/html\r\nX-Tag: 4711\r\n\r\n";
    char head[4096], answer[sizeof ANSWER];

    (void)ctx;
    signal(SIGTERM, SIG_DFL);
    int n = snprintf(answer, sizeof answer, ANSWER, byte_at(0));
    for (;;) {
        struct pollfd wait = { .fd = l->fd, .events = POLLIN };
        if (poll(&wait, 1, -1) != 1)
            return 0;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (recv(fd, head, sizeof head, 0) > 0)
            (void)send(fd, answer, (size_t)n, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        while (recv(fd, head, sizeof head, 0) > 0)
            ;
        close(fd);
    }
}

static void trailers_are_no_second_head(void **state)
{
    (void)state;
    struct party p = test_start("127.0.0.1:0", run_trailers, NULL);
    struct side s = make_side(&p, 0);

    call(&s, "/", 0);
    assert_ok(s.r);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.taken, 1);
    assert_string_equal(s.type, "text/plain");
    end_side(&s);
    test_stop_hard(&p);
}

/* --- sent at most once, over HTTP/2 --------------------------------------------------------- */

enum how { ANSWERED, CLOSED, REFUSED, LEAVING };

struct seen {
    volatile unsigned requests;
};

static struct seen *seen;

static int is_asked(const struct h2_in *in)
{
    return in->type == H2_HEADERS;
}

static void do_to_the_second(int fd, enum how how, uint32_t stream)
{
    static struct h2_out out;
    struct pp_wr *wr = h2_begin(&out);

    if (how == ANSWERED)
        h2_frame(wr, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream, PP_STR("\x88"));
    if (how == REFUSED)
        h2_u32(wr, H2_RST_STREAM, stream, 7); /* RFC 9113 8.7: may be sent again, by who decides */
    if (how == LEAVING)
        h2_frame(wr, H2_GOAWAY, 0, 0, PP_STR("\0\0\0\0\0\0\0\0"));
    h2_send(fd, &out);
}

static struct identity identity;

/* Answers the first request of all, then does the same to each. */
static int run_once(struct pp_listener *l, void *ctx)
{
    enum how how = *(const enum how *)ctx;
    static struct h2_in in;
    static struct h2_out out;
    char preface[24];

    signal(SIGTERM, SIG_DFL);
    for (;;) {
        struct pollfd wait = { .fd = l->fd, .events = POLLIN };
        if (poll(&wait, 1, -1) != 1)
            return 0;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        fd = tls_accept_h2(&identity, fd);
        if (recv(fd, preface, sizeof preface, MSG_WAITALL) != sizeof preface) {
            close(fd);
            continue;
        }
        h2_frame_head(h2_begin(&out), 0, H2_SETTINGS, 0, 0);
        h2_send(fd, &out);
        while (h2_read(fd, &in)) {
            if (!is_asked(&in))
                continue;
            unsigned n = seen->requests++;
            do_to_the_second(fd, n == 0 ? ANSWERED : how, in.stream);
            if (n > 0 && how != REFUSED)
                break;
        }
        close(fd);
    }
}

static void a_request_is_never_sent_twice_by_itself(void **state)
{
    (void)state;
    static const enum how rows[] = { CLOSED, REFUSED, LEAVING };

    make_identity(&identity, 1);
    seen = (struct seen *)mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        enum how how = rows[i];
        seen->requests = 0;
        struct party p = test_start("127.0.0.1:0", run_once, &how);
        struct side s = make_side_for(&p, 1, identity.pem);
        call(&s, "/first", 0);
        assert_ok(s.r);
        assert_int_equal(s.status, 200);
        call(&s, "/second", 0);
        assert_code(s.r, PP_E_CLOSED);
        end_side(&s);
        test_stop_hard(&p);
        assert_int_equal(seen->requests, 2);
    }
    end_identity(&identity);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_body_passes_through_in_pieces_whoever_waits),
    cmocka_unit_test(a_piece_that_is_not_taken_holds_nobody_else_back),
    cmocka_unit_test(a_handler_that_takes_nothing_holds_the_sender_back),
    cmocka_unit_test(an_answer_without_an_end_is_not_taken_for_a_whole_one),
    cmocka_unit_test(a_body_past_the_routes_limit_ends_as_it_is_seen),
    cmocka_unit_test(whoever_gives_up_is_told_so_and_the_other_side_too),
    cmocka_unit_test(trailers_are_no_second_head),
    cmocka_unit_test(a_request_is_never_sent_twice_by_itself),
};

PP_TEST_MAIN(TESTS)
