/* SPDX-License-Identifier: Apache-2.0 */
/* http_party.h: the server that the tests of both versions of HTTP talk to, in a child process. */
#ifndef PP_HTTP_PARTY_H
#define PP_HTTP_PARTY_H

#include "net_test.h"

#include "allocations.h"

/* --- the party under test ------------------------------------------------------------------- */

enum { BIG_BYTES = 4 << 20, ECHO_BYTES_MAX = 1024, LARGE_BYTES_MAX = 100000, LATER_MS = 30 };

struct server {
    struct pp_loop *loop;
    struct pp_http_server *http;
    struct pp_timer *later;
    struct pp_http_request *waiting; /* of /later or /last */
    struct pp_http_request *kept;    /* of /never */
    struct pp_http_request *held;    /* of /held */
    struct pp_http_request *cut;     /* of /cut */
    unsigned told;                   /* how often a request of /never was said to be gone */
    uint8_t big[BIG_BYTES];
};

static struct server server;

static void on_echo(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_field stays = { PP_STR("Cache-Control"), PP_STR("no-store") };
    const struct pp_http_reply r = { .status = 200,
                                     .type = "application/octet-stream",
                                     .fields = &stays,
                                     .field_count = 1,
                                     .body = pp_http_request_body(q) };

    pp_http_reply(q, &r);
}

static void on_hello(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200, .body = PP_STR("hello"), .body_stays = 1 };

    pp_http_reply(q, &r);
}

static void on_path(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200, .body = pp_http_request_path(q) };

    pp_http_reply(q, &r);
}

static void on_big(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200, .body = PP_BYTES(server.big), .body_stays = 1 };

    pp_http_reply(q, &r);
}

/* 64 KiB from a place that is gone when the handler returns. */
static void on_copied(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    uint8_t bytes[1 << 16];

    memset(bytes, 'c', sizeof bytes);
    for (int i = 0; i < 64; i++) { /* more than any socket buffer: the copy is what arrives */
        bytes[i] = (uint8_t)i;
    }
    const struct pp_http_reply r = { .status = 200, .body = PP_BYTES(bytes) };
    pp_http_reply(q, &r);
    memset(bytes, 'x', sizeof bytes);
}

static void on_too_long(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200, .body = PP_BYTES(server.big) };

    pp_http_reply(q, &r);
}

static void on_injected(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_field bad = { PP_STR("X"), PP_STR("a\r\nInjected: yes") };
    const struct pp_http_reply r = { .status = 200, .fields = &bad, .field_count = 1 };

    pp_http_reply(q, &r);
}

static void on_later(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    assert_null(server.waiting);
    server.waiting = q;
    pp_timer_set(server.later, LATER_MS);
}

/* Answered when the server is asked to end, and a while behind that. */
static void on_last(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    assert_null(server.waiting);
    server.waiting = q;
}

static void on_later_fired(void *ctx)
{
    (void)ctx;
    struct pp_http_request *q = server.waiting;

    if (server.held != NULL)
        pp_http_request_take(server.held, pp_http_request_piece(server.held).len);
    if (server.cut != NULL)
        pp_http_reply_abort(server.cut);
    server.waiting = server.cut = NULL;
    if (q != NULL)
        pp_http_reply_status(q, 202);
}

static void on_never_gone(void *ctx)
{
    (void)ctx;
    server.told++;
    pp_http_reply_status(server.kept, 200); /* nobody gets it; it gives the request back */
    server.kept = NULL;
}

static void on_never(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    server.kept = q;
    pp_http_request_on_gone(q, on_never_gone, NULL);
}

/* The body as it comes. */
static void pass_on(void *ctx)
{
    struct pp_http_request *q = (struct pp_http_request *)ctx;
    struct pp_span piece = pp_http_request_piece(q);

    if (piece.len > 0) {
        if (!pp_is_ok(pp_http_reply_piece(q, piece)))
            return;
        pp_http_request_take(q, piece.len);
    }
    if (pp_http_request_is_whole(q) && pp_http_request_piece(q).len == 0)
        pp_http_reply_end(q);
}

static void on_pieces_gone(void *ctx)
{
    server.told++;
    pp_http_reply_abort((struct pp_http_request *)ctx);
}

static void on_pieces(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply head = { .status = 200, .type = "text/plain" };

    pp_http_request_on_gone(q, on_pieces_gone, q);
    pp_http_request_on_piece(q, pass_on, q);
    pp_http_reply_on_room(q, pass_on, q);
    pp_http_reply_begin(q, &head);
    pass_on(q);
}

/* Takes nothing until the body fills what there is for it, then all. */
static void look_if_full(void *ctx)
{
    struct pp_http_request *q = (struct pp_http_request *)ctx;

    /* HTTP/2's window is one byte less than the place. */
    if (pp_http_request_piece(q).len >= PP_HTTP_PIECES_BYTES - 1) {
        pp_timer_set(server.later, LATER_MS);
    } else if (pp_http_request_is_whole(q)) {
        server.held = NULL;
        pp_http_reply_status(q, 202);
    }
}

static void on_held_gone(void *ctx)
{
    server.held = NULL;
    on_pieces_gone(ctx);
}

static void on_held(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    server.held = q;
    pp_http_request_on_gone(q, on_held_gone, q);
    pp_http_request_on_piece(q, look_if_full, q);
    look_if_full(q);
}

/* Three pieces, then no end. */
static void on_cut(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply head = { .status = 200 };

    pp_http_reply_begin(q, &head);
    for (int i = 0; i < 3; i++)
        assert_ok(pp_http_reply_piece(q, PP_STR("piece")));
    server.cut = q;
    pp_timer_set(server.later, LATER_MS);
}

/* answered refused busy late gone told allocations */
static void on_stats(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_stats *s = pp_http_server_stats(server.http);
    char *text = (char *)pp_arena_alloc(pp_http_request_arena(q), 256);
    struct pp_http_reply r = { .status = 200, .body_stays = 1 };
    int n = snprintf(text, 256, "%lu %lu %lu %lu %lu %u %lu", (unsigned long)s->answered,
                     (unsigned long)s->refused, (unsigned long)s->busy, (unsigned long)s->late,
                     (unsigned long)s->gone, server.told, allocation_count);

    r.body = pp_span(text, (size_t)n);
    pp_http_reply(q, &r);
}

static const struct pp_http_route ROUTES[] = {
    { "POST", "/echo", ECHO_BYTES_MAX, on_echo, NULL },
    { "POST", "/large", LARGE_BYTES_MAX, on_hello, NULL },
    { "GET", "/hello", 0, on_hello, NULL },
    { "GET", "/files/*", 0, on_path, NULL },
    { "PUT", "/files/*", 0, on_path, NULL },
    { "GET", "/big", 0, on_big, NULL },
    { "GET", "/copied", 0, on_copied, NULL },
    { "GET", "/too-long", 0, on_too_long, NULL },
    { "GET", "/injected", 0, on_injected, NULL },
    { "GET", "/later", 0, on_later, NULL },
    { "GET", "/last", 0, on_last, NULL },
    { "GET", "/never", 0, on_never, NULL },
    { "GET", "/stats", 0, on_stats, NULL },
    { "POST", "/pieces", BIG_BYTES, on_pieces, NULL, .pieces = 1 },
    { "POST", "/held", BIG_BYTES, on_held, NULL, .pieces = 1 },
    { "GET", "/cut", 0, on_cut, NULL },
};

static void on_drained(void *ctx)
{
    (void)ctx;
    pp_loop_stop(server.loop);
}

static void on_term(void *ctx)
{
    (void)ctx;
    pp_http_server_drain(server.http, on_drained, NULL);
    if (server.waiting != NULL)
        pp_timer_set(server.later, LATER_MS);
}

/* With TLS once an identity is set (before the party starts); SIGHUP takes the other one. */
static const char *tls_pems[4];

static pp_res listen_as_asked(struct pp_listener *l)
{
    if (tls_pems[0] == NULL)
        return pp_http_server_listen(server.http, l);
    PP_TRY(pp_http_server_tls(server.http, pp_span_cstr(tls_pems[0]), pp_span_cstr(tls_pems[1])));
    return pp_http_server_listen_tls(server.http, l);
}

static void on_hup(void *ctx)
{
    (void)ctx;
    assert_ok(
        pp_http_server_tls(server.http, pp_span_cstr(tls_pems[2]), pp_span_cstr(tls_pems[3])));
}

static int run(struct pp_listener *l, void *ctx)
{
    struct pp_http_server_config c = *(const struct pp_http_server_config *)ctx;
    struct pp_signal *term;
    struct pp_signal *hup;

    c.routes = ROUTES;
    c.route_count = PP_ARRAY_COUNT(ROUTES);
    c.scratch_bytes = 1 << 16;
    for (size_t i = 0; i < sizeof server.big; i++)
        server.big[i] = (uint8_t)(i * 7 + (i >> 12));
    if (!pp_is_ok(pp_loop_new(&server.loop)) ||
        !pp_is_ok(pp_http_server_new(server.loop, &c, &server.http)) ||
        !pp_is_ok(listen_as_asked(l)) ||
        !pp_is_ok(pp_timer_new(server.loop, on_later_fired, NULL, &server.later)) ||
        !pp_is_ok(pp_signal_new(server.loop, SIGTERM, on_term, NULL, &term)) ||
        !pp_is_ok(pp_signal_new(server.loop, SIGHUP, on_hup, NULL, &hup)) ||
        !pp_is_ok(pp_loop_run(server.loop)))
        return 3;
    pp_signal_free(hup);
    pp_signal_free(term);
    pp_timer_free(server.later);
    pp_http_server_free(server.http);
    pp_loop_free(server.loop);
    pp_listener_done(l);
    return 0;
}

static inline struct party start(const struct pp_http_server_config *c)
{
    struct pp_http_server_config copy = *c;

    return test_start("127.0.0.1:0", run, &copy);
}

struct counters {
    unsigned long answered, refused, busy, late, gone, told, allocations;
};

#define ASK_FOR_COUNTERS "GET /stats HTTP/1.1\r\nHost: a\r\n\r\n"

static inline struct counters counters_told(int fd)
{
    struct counters c = { 0 };
    static struct answer a;

    test_answer(fd, &a);
    assert_int_equal(a.status, 200);
    a.body[a.body_len] = '\0';
    assert_int_equal(sscanf(a.body, "%lu %lu %lu %lu %lu %lu %lu", &c.answered, &c.refused, &c.busy,
                            &c.late, &c.gone, &c.told, &c.allocations),
                     7);
    return c;
}

static inline struct counters counters_over(int fd)
{
    test_say(fd, ASK_FOR_COUNTERS);
    return counters_told(fd);
}

static inline struct counters counters_of(const struct party *p)
{
    int fd = test_connect_saying(p, PP_STR(ASK_FOR_COUNTERS));
    struct counters c = counters_told(fd);

    close(fd);
    return c;
}

#endif
