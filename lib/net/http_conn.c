/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "ct.h"
#include "http_server_int.h"

enum {
    LINGER_MS = 2000, /* to let a refused client read why, before a reset could hide it */
    LINGER_BYTES_MAX = 1 << 20,
};

static const uint8_t PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* --- its events ----------------------------------------------------------------------------- */

void pp_http_conn_wait_(struct pp_http_conn *c, enum pp_http_c_wait wait)
{
    const struct pp_http_server_config *config = &c->server->config;
    uint32_t first_ms = config->idle_timeout_ms < config->head_timeout_ms ? config->idle_timeout_ms
                                                                          : config->head_timeout_ms;
    const uint32_t after_ms[] = { 0, first_ms, config->idle_timeout_ms, config->write_timeout_ms,
                                  LINGER_MS };
    struct timeval after = pp_timeval_(after_ms[wait]);

    /* Each has one deadline from its beginning: bytes that trickle in do not move it. */
    if (c->wait == wait)
        return;
    c->wait = wait;
    if (wait == PP_HTTP_C_WAIT_NOTHING)
        (void)event_del(&c->deadline);
    else
        PP_ASSERT(event_add(&c->deadline, &after) == 0); /* room was made by reserve_timers */
}

int pp_http_conn_watch_(struct pp_http_conn *c, struct event *event)
{
    if (event_add(event, NULL) == 0)
        return 1;
    pp_http_conn_close_(c);
    return 0;
}

void pp_http_conn_pause_(struct pp_http_conn *c)
{
    if (!c->is_paused)
        (void)event_del(&c->readable);
    c->is_paused = 1;
}

int pp_http_conn_resume_(struct pp_http_conn *c)
{
    if (c->is_paused && !pp_http_conn_watch_(c, &c->readable))
        return 0;
    c->is_paused = 0;
    if (pp_http_tls_has_more_(c)) /* which the kernel does not know of */
        event_active(&c->readable, EV_READ, 0);
    return 1;
}

/* --- its end -------------------------------------------------------------------------------- */

static void give_back_out(struct pp_http_conn *c)
{
    if (c->out != NULL)
        pp_http_out_release_(c->server, c->out);
    c->out = NULL;
}

/* Their handlers may owe an answer: they hear that nobody waits for it. */
static void drop_requests(struct pp_http_conn *c)
{
    while (c->requests != NULL) {
        struct pp_http_request *q = c->requests;
        c->requests = q->next;
        if (c->requests != NULL)
            c->requests->prev = NULL;
        q->conn = NULL;
        c->server->open_count++;
        pp_http_unwire_(q);
    }
    c->request_count = 0;
}

void pp_http_conn_close_(struct pp_http_conn *c)
{
    struct pp_http_server *s = c->server;

    if (c->state == PP_HTTP_C_FREE)
        return;
    (void)event_del(&c->readable);
    (void)event_del(&c->writable);
    (void)event_del(&c->closed);
    (void)event_del(&c->deadline);
    c->state = PP_HTTP_C_FREE;
    pp_http2_end_(c);
    pp_http_tls_end_(c);
    (void)close(c->socket.fd);
    give_back_out(c);
    drop_requests(c);
    c->next_free = s->free_conn;
    s->free_conn = c;
    pp_http_server_count_down_(s);
}

/* Closing with unread input would reset the connection and take the answer with it. */
static void linger(struct pp_http_conn *c)
{
    c->state = PP_HTTP_C_LINGERING;
    pp_http2_end_(c);
    drop_requests(c);
    if (c->tls != NULL)
        (void)SSL_shutdown(c->tls);
    (void)shutdown(c->socket.fd, SHUT_WR);
    c->lingered = 0;
    pp_http_conn_wait_(c, PP_HTTP_C_WAIT_LINGER);
    (void)pp_http_conn_resume_(c);
}

static void drop_input(struct pp_http_conn *c)
{
    ssize_t n = recv(c->socket.fd, c->server->in, sizeof c->server->in, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->lingered += (size_t)n;
    if (n <= 0 || c->lingered > LINGER_BYTES_MAX)
        pp_http_conn_close_(c);
}

void pp_http_conn_turn_away_(struct pp_http_server *s, int fd, int is_tls)
{
    static const char BUSY[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";

    s->stats.busy++;
    /* TLS ends before its handshake: that is what costs. */
    if (!is_tls && send(fd, BUSY, sizeof BUSY - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

/* --- sending -------------------------------------------------------------------------------- */

/* Bytes, or 0: the socket takes no more, or -1. */
static ssize_t write_some(struct pp_http_conn *c, const uint8_t *at, size_t len)
{
    ssize_t n;

    if (c->tls != NULL)
        return pp_http_tls_write_(c, at, len);
    do
        n = send(c->socket.fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* What the protocol has to say, if there is room and anything. */
static void fill(struct pp_http_conn *c)
{
    if (c->out == NULL)
        c->out = pp_http_out_take_(c->server);
    if (c->state == PP_HTTP_C_TWO)
        pp_http2_fill_(c, c->out);
    else if (c->state == PP_HTTP_C_ONE)
        pp_http1_fill_(c, c->out);
}

static int block(struct pp_http_conn *c)
{
    pp_http_conn_wait_(c, PP_HTTP_C_WAIT_WRITE);
    if (!c->is_blocked && !pp_http_conn_watch_(c, &c->writable))
        return 0;
    c->is_blocked = 1;
    /* Who does not take answers has no business asking for more: nothing piles up in between. */
    pp_http_conn_pause_(c);
    return 1;
}

static void unblock(struct pp_http_conn *c)
{
    if (!c->is_blocked)
        return;
    (void)event_del(&c->writable);
    c->is_blocked = 0;
}

/* All is out. */
static int finish_flush(struct pp_http_conn *c)
{
    int was_blocked = c->is_blocked;

    give_back_out(c);
    unblock(c);
    if (c->wait == PP_HTTP_C_WAIT_WRITE)
        pp_http_conn_wait_(c, PP_HTTP_C_WAIT_NOTHING);
    if (c->close_after && c->linger) {
        linger(c);
        return c->state != PP_HTTP_C_FREE;
    }
    if (c->close_after) {
        pp_http_conn_close_(c);
        return 0;
    }
    if (was_blocked && !pp_http_conn_resume_(c))
        return 0;
    if (c->state == PP_HTTP_C_TWO)
        pp_http2_sent_(c);
    else if (c->state == PP_HTTP_C_ONE)
        pp_http1_sent_(c);
    return c->state != PP_HTTP_C_FREE;
}

int pp_http_conn_flush_(struct pp_http_conn *c)
{
    for (;;) {
        fill(c);
        struct pp_http_out *out = c->out;
        if (out->len == 0)
            return finish_flush(c);
        while (out->from < out->len) {
            ssize_t n = write_some(c, out->bytes + out->from, out->len - out->from);
            if (n == 0)
                return block(c);
            if (n < 0) {
                pp_http_conn_close_(c);
                return 0;
            }
            out->from += (size_t)n;
        }
        pp_wipe(out->bytes, out->len);
        out->from = out->len = 0;
        if (c->wait == PP_HTTP_C_WAIT_WRITE) /* it moves: the next buffer has its own time */
            pp_http_conn_wait_(c, PP_HTTP_C_WAIT_NOTHING);
    }
}

void pp_http_conn_flush_soon_(struct pp_http_conn *c)
{
    if (!c->in_loop && !c->is_blocked)
        event_active(&c->writable, EV_WRITE, 0);
}

/* --- receiving ------------------------------------------------------------------------------ */

ssize_t pp_http_conn_read_(struct pp_http_conn *c, uint8_t *at, size_t cap)
{
    ssize_t n;

    if (c->tls != NULL) {
        n = pp_http_tls_read_(c, at, cap);
        if (n > 0 && pp_http_tls_has_more_(c))
            event_active(&c->readable, EV_READ, 0);
        return n;
    }
    n = recv(c->socket.fd, at, cap, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n > 0 ? n : -1;
}

/* RFC 9113 3.3, prior knowledge: no request of HTTP/1.1 begins as HTTP/2 does. */
static void sniff(struct pp_http_conn *c)
{
    uint8_t *at = c->server->in;
    size_t have = c->preface_len;

    memcpy(at, c->preface, have);
    /* No more than HTTP/1.1 takes at once. */
    ssize_t n = pp_http_conn_read_(c, at + have, PP_HTTP_HEAD_BYTES_MAX - have);
    if (n == 0)
        return;
    if (n < 0) {
        pp_http_conn_close_(c);
        return;
    }
    have += (size_t)n;
    size_t same = have < PP_HTTP_PREFACE_BYTES ? have : PP_HTTP_PREFACE_BYTES;
    if (memcmp(at, PREFACE, same) != 0) {
        c->state = PP_HTTP_C_ONE;
        pp_http1_begin_(c, pp_span(at, have));
    } else if (have < PP_HTTP_PREFACE_BYTES) {
        memcpy(c->preface, at, have);
        c->preface_len = (uint8_t)have;
    } else {
        pp_http2_begin_(c, pp_span(at, have));
    }
    pp_wipe(at, have);
}

static void shake_hands(struct pp_http_conn *c)
{
    int done = pp_http_tls_handshake_(c);

    if (done < 0)
        pp_http_conn_close_(c);
    if (done <= 0)
        return;
    if (c->is_blocked == 0)
        (void)event_del(&c->writable);
    if (!pp_http_tls_chose_http2_(c))
        c->state = PP_HTTP_C_ONE;
    else
        pp_http2_begin_(c, pp_span(NULL, 0));
    if (pp_http_tls_has_more_(c))
        event_active(&c->readable, EV_READ, 0);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;

    (void)fd;
    (void)what;
    pp_tls_socket_turn_(&c->socket);
    switch (c->state) {
    case PP_HTTP_C_HANDSHAKE:
        shake_hands(c);
        return;
    case PP_HTTP_C_SNIFFING:
        sniff(c);
        return;
    case PP_HTTP_C_ONE:
        pp_http1_read_(c);
        return;
    case PP_HTTP_C_TWO:
        if (!c->is_paused)
            pp_http2_read_(c);
        return;
    case PP_HTTP_C_LINGERING:
        drop_input(c);
        return;
    case PP_HTTP_C_FREE:
        return;
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;

    (void)fd;
    (void)what;
    pp_tls_socket_turn_(&c->socket);
    if (c->state == PP_HTTP_C_HANDSHAKE)
        shake_hands(c);
    else if (c->state != PP_HTTP_C_LINGERING)
        (void)pp_http_conn_flush_(c);
}

/* Only HTTP/1.1, while it answers: the client closed behind a request that it had sent already. */
static void on_closed(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;

    (void)fd;
    (void)what;
    pp_http1_closed_(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;

    (void)fd;
    (void)what;
    if (c->wait == PP_HTTP_C_WAIT_WRITE)
        c->server->stats.late++;
    if (c->state == PP_HTTP_C_TWO && c->wait != PP_HTTP_C_WAIT_WRITE) {
        /* RFC 9113 6.8: so that the client knows that nothing of it is under way. */
        c->wait = PP_HTTP_C_WAIT_NOTHING;
        pp_http2_drain_(c);
        return;
    }
    pp_http_conn_close_(c);
}

/* --- its beginning -------------------------------------------------------------------------- */

void pp_http_conn_init_(struct pp_http_conn *c)
{
    PP_ASSERT(evtimer_assign(&c->deadline, c->server->base, on_deadline, c) == 0);
}

void pp_http_conn_start_(struct pp_http_conn *c, int fd, int is_tls)
{
    struct event_base *base = c->server->base;

    c->socket = (struct pp_tls_socket){ .fd = fd };
    c->state = is_tls ? PP_HTTP_C_HANDSHAKE : PP_HTTP_C_SNIFFING;
    c->wait = PP_HTTP_C_WAIT_NOTHING;
    c->preface_len = 0;
    c->is_paused = c->is_blocked = c->close_after = c->linger = c->in_loop = c->was_of_use = 0;
    PP_ASSERT(event_assign(&c->readable, base, fd, EV_READ | EV_PERSIST, on_readable, c) == 0);
    PP_ASSERT(event_assign(&c->writable, base, fd, EV_WRITE | EV_PERSIST, on_writable, c) == 0);
    PP_ASSERT(event_assign(&c->closed, base, fd, EV_CLOSED, on_closed, c) == 0);
    if (is_tls && !pp_http_tls_start_(c)) {
        pp_http_conn_close_(c);
        return;
    }
    if (pp_http_conn_watch_(c, &c->readable))
        pp_http_conn_wait_(c, PP_HTTP_C_WAIT_FIRST);
}
