/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_test.h: a client on a loop, and a server that is the test itself: in one thread, so that
 * each step happens exactly when the test says so.
 */
#ifndef PP_CLIENT_TEST_H
#define PP_CLIENT_TEST_H

#include "net_test.h"

#include "http_client_int.h"

enum { ANSWER_MAX = 1 << 17 };

struct outcome {
    unsigned count;
    pp_res r;
    uint32_t status;
    size_t body_len;
    char body[ANSWER_MAX];
    struct pp_http_pending *pending;
    void (*then)(void *ctx); /* called from inside `done` */
    void *then_ctx;
};

struct side {
    struct pp_loop *loop;
    struct pp_http_client *client;
    struct pp_listener listener;
    char url[160];
};

static inline void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct outcome *o = (struct outcome *)ctx;

    o->count++;
    o->r = r;
    o->pending = NULL;
    if (response != NULL) {
        o->status = response->status;
        o->body_len = response->body.len;
        assert_true(response->body.len <= sizeof o->body);
        if (response->body.len > 0)
            memcpy(o->body, response->body.at, response->body.len);
    }
    if (o->then != NULL)
        o->then(o->then_ctx);
}

static inline struct side make_side(const struct pp_http_client_config *c, const char *scheme)
{
    struct side s = { .listener = test_listener("127.0.0.1:0") };
    char at[PP_ADDRESS_TEXT_MAX];

    pp_address_write(&s.listener.address, at);
    snprintf(s.url, sizeof s.url, "%s://%s/x", scheme, at);
    assert_ok(pp_loop_new(&s.loop));
    assert_ok(pp_http_client_new(s.loop, c, &s.client));
    return s;
}

/* Nothing that belongs to a call or a connection may be left. */
static inline void end_side(struct side *s)
{
    struct pp_http_client *c = s->client;

    if (c != NULL) {
        for (uint32_t i = 0; i < c->calls_used; i++)
            assert_int_equal(c->calls[i].state, PP_HTTP_P_FREE);
        assert_null(c->over);
        assert_null(c->due);
    }
    pp_http_client_free(c);
    pp_loop_free(s->loop);
    pp_listener_done(&s->listener);
}

/* Whatever can happen now happens. */
static inline void turn(struct side *s)
{
    for (int i = 0; i < 8; i++)
        (void)event_base_loop(pp_loop_base_(s->loop), EVLOOP_NONBLOCK);
}

static inline void turn_until(struct side *s, const unsigned *count, unsigned want)
{
    uint64_t from = test_now_ms();

    while (*count < want) {
        (void)event_base_loop(pp_loop_base_(s->loop), EVLOOP_NONBLOCK);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    }
}

static inline void begin(struct side *s, struct outcome *o, struct pp_http_call call)
{
    call.url = call.url != NULL ? call.url : s->url;
    call.method = call.method != NULL ? call.method : "POST";
    call.deadline_ms = call.deadline_ms != 0 ? call.deadline_ms : PATIENCE_MS;
    assert_ok(pp_http_client_start(s->client, &call, on_done, o, &o->pending));
    assert_int_equal(o->count, 0); /* never from inside the call */
}

/* The next connection of the client's. */
static inline int accept_one(struct side *s)
{
    struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    uint64_t from = test_now_ms();
    int fd;

    do {
        turn(s);
        fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    } while (fd < 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    turn(s);
    return fd;
}

/* 1 if nobody else has connected. */
static inline int nobody_comes(struct side *s)
{
    turn(s);
    return !test_readable_within(s->listener.fd, 0);
}

/* Until the client closes this one; what it still says is dropped. */
static inline void wait_for_end(struct side *s, int fd)
{
    char bytes[4096];
    uint64_t from = test_now_ms();
    ssize_t n;

    do {
        turn(s);
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        assert_true(test_now_ms() - from < PATIENCE_MS);
    } while (n > 0 || (n < 0 && errno == EAGAIN));
    close(fd);
}

#endif
