/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails once, in turn: everything comes back as NO_MEMORY and nothing is left. */
#include "net_test.h"

#if defined(PP_SANITIZE)

int main(void)
{
    printf("skipped: sanitizers bring their own allocator\n");
    return 77;
}

#else

static long until_failure = -1; /* -1: never */
static long living;             /* pieces that were given out and not given back */

extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *p, size_t len);
extern void __libc_free(void *p);
#define EXPORT __attribute__((visibility("default")))
EXPORT void *malloc(size_t len);
EXPORT void *calloc(size_t count, size_t len);
EXPORT void *realloc(void *p, size_t len);
EXPORT void free(void *p);

static int fails(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

static void *given(void *p)
{
    living += p != NULL;
    return p;
}

void *malloc(size_t len)
{
    return fails() ? NULL : given(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
    return fails() ? NULL : given(__libc_calloc(count, len));
}

void *realloc(void *p, size_t len)
{
    if (fails())
        return NULL;
    return p == NULL ? given(__libc_malloc(len)) : __libc_realloc(p, len);
}

void free(void *p)
{
    living -= p != NULL;
    __libc_free(p);
}

static void on_request(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    pp_http_reply_status(q, 200);
}

static void on_stream(void *ctx, struct pp_stream *s)
{
    (void)ctx;
    (void)s;
}

static void on_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)ctx;
    (void)s;
    (void)why;
}

static int on_accepted(void *ctx, struct pp_stream *s)
{
    (void)ctx;
    (void)s;
    return 0;
}

static void on_fire(void *ctx)
{
    (void)ctx;
}

static void on_ready(void *ctx, uint32_t ready)
{
    (void)ctx;
    (void)ready;
}

struct things {
    struct pp_loop *loop;
    struct pp_timer *timer;
    struct pp_signal *signal;
    struct pp_watch *watch;
    struct pp_http_server *server;
    struct pp_http_client *client;
    struct pp_stream *stream;
    struct pp_stream_server *stream_server;
};

static pp_res make_all(struct things *t, const struct pp_listener *a, const struct pp_listener *b)
{
    static const struct pp_http_route route = { "GET", "/", 64, on_request, NULL };
    const struct pp_http_server_config server = { .routes = &route,
                                                  .route_count = 1,
                                                  .connections_max = 40 };
    const struct pp_http_client_config client = { .calls_max = 3, .http2 = 1 };
    const struct pp_stream_config stream = {
        .in_bytes_max = 64, .out_bytes_max = 64, .readable = on_stream, .ended = on_ended
    };
    const struct pp_stream_server_config stream_server = { .stream = stream,
                                                           .connections_max = 1,
                                                           .accepted = on_accepted };

    PP_TRY(pp_loop_new(&t->loop));
    PP_TRY(pp_timer_new(t->loop, on_fire, NULL, &t->timer));
    PP_TRY(pp_signal_new(t->loop, SIGUSR1, on_fire, NULL, &t->signal));
    PP_TRY(pp_watch_new(t->loop, a->fd, on_ready, NULL, &t->watch));
    PP_TRY(pp_http_server_new(t->loop, &server, &t->server));
    PP_TRY(pp_http_server_listen(t->server, a));
    PP_TRY(pp_http_client_new(t->loop, &client, &t->client));
    PP_TRY(pp_http_client_pin(t->client, "http://127.0.0.1:80/"));
    PP_TRY(pp_stream_server_new(t->loop, b, &stream_server, &t->stream_server));
    return pp_stream_connect(t->loop, &b->address, &stream, 1000, &t->stream);
}

static void free_all(struct things *t)
{
    pp_stream_free(t->stream);
    pp_stream_server_free(t->stream_server);
    pp_http_client_free(t->client);
    pp_http_server_free(t->server);
    pp_watch_free(t->watch);
    pp_signal_free(t->signal);
    pp_timer_free(t->timer);
    pp_loop_free(t->loop);
}

static void every_failed_allocation_comes_back_as_a_result(void **state)
{
    (void)state;
    struct pp_listener a = test_listener("127.0.0.1:0");
    struct pp_listener b = test_listener("127.0.0.1:0");
    struct things first = { 0 };
    long n = 0;
    pp_res r;

    /* Once with memory: what the libraries make once per process is not the question here. */
    assert_ok(make_all(&first, &a, &b));
    free_all(&first);
    long before = living;
    do {
        struct things t = { 0 };
        until_failure = n++;
        r = make_all(&t, &a, &b);
        int all_used = until_failure >= 0;
        until_failure = -1;
        free_all(&t);
        if (living != before)
            fail_msg("allocation %ld failed: %ld pieces are left", n - 1, living - before);
        if (all_used)
            break;
        /* A library may do without an allocation, or call the failure by another name. */
        if (!pp_is_ok(r) && r.code != PP_E_NO_MEMORY && r.code != PP_E_FORMAT &&
            r.code != PP_E_NETWORK && r.code != PP_E_SYSTEM)
            fail_msg("allocation %ld: %s at %s", n - 1, pp_code_name(r.code), r.where);
    } while (n < 100000);
    assert_ok(r);
    assert_true(n > 30);
    pp_listener_done(&a);
    pp_listener_done(&b);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(every_failed_allocation_comes_back_as_a_result),
};

PP_TEST_MAIN(TESTS)

#endif
