/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "ct.h"
#include "http_client_int.h"

uint64_t pp_http_client_now_ms_(void)
{
    struct timespec now;

    PP_ASSERT(clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- its calls ------------------------------------------------------------------------------ */

void pp_http_link_add_(struct pp_http_link *l, struct pp_http_pending *p)
{
    p->state = PP_HTTP_P_LINKED;
    p->link = l;
    p->prev = NULL;
    p->next = l->calls;
    if (l->calls != NULL)
        l->calls->prev = p;
    l->calls = p;
    l->call_count++;
    l->had_call = 1;
}

void pp_http_link_remove_(struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;

    if (p->prev != NULL)
        p->prev->next = p->next;
    else
        l->calls = p->next;
    if (p->next != NULL)
        p->next->prev = p->prev;
    p->next = p->prev = NULL;
    p->link = NULL;
    if (--l->call_count == 0)
        l->idle_since_ms = pp_http_client_now_ms_();
}

/* --- its end -------------------------------------------------------------------------------- */

static void give_back_out(struct pp_http_link *l)
{
    struct pp_http_client *c = l->client;

    if (l->out == NULL)
        return;
    pp_wipe(l->out->bytes, l->out->len);
    l->out->next_free = c->free_out;
    c->free_out = l->out;
    l->out = NULL;
}

static void leave_list(struct pp_http_link **list, const struct pp_http_link *l)
{
    while (*list != NULL && *list != l)
        list = &(*list)->next;
    if (*list != NULL)
        *list = l->next;
}

static void close_socket(struct pp_http_link *l)
{
    if (l->socket.fd < 0)
        return;
    (void)event_del(&l->readable);
    (void)event_del(&l->writable);
    pp_http_link_tls_end_(l);
    (void)close(l->socket.fd);
    l->socket.fd = -1;
}

void pp_http_link_end_(struct pp_http_link *l, pp_res r)
{
    struct pp_http_origin *o = l->origin;
    int was_connecting = l->state < PP_HTTP_L_ONE;

    if (l->state == PP_HTTP_L_FREE)
        return;
    PP_ASSERT(l->calls == NULL || !pp_is_ok(r));
    close_socket(l);
    pp_http_two_end_(l);
    give_back_out(l);
    leave_list(l->state == PP_HTTP_L_TWO ? &o->shared : &o->idle, l);
    l->state = PP_HTTP_L_FREE;
    l->next = l->client->free_link;
    l->client->free_link = l;
    o->link_count--;
    o->connecting_count -= (uint32_t)was_connecting;
    while (l->calls != NULL) {
        struct pp_http_pending *p = l->calls;
        pp_http_link_remove_(p);
        if (p->is_whole)
            p->state = PP_HTTP_P_LEFT;
        else
            pp_http_call_over_(p, r);
    }
    if (was_connecting && !pp_is_ok(r))
        pp_http_origin_failed_(o, r);
    pp_http_origin_due_(o); /* there is room for another one */
    pp_http_origin_release_(o);
}

void pp_http_link_lost_(struct pp_http_link *l)
{
    struct pp_http_origin *o = l->origin;
    const pp_res r = PP_FAIL(PP_E_CLOSED, 0);
    int had_call = l->had_call != 0;

    pp_http_link_end_(l, r);
    if (!had_call)
        pp_http_origin_failed_(o, r);
}

/* --- sending -------------------------------------------------------------------------------- */

static struct pp_http_out *take_out(struct pp_http_client *c)
{
    struct pp_http_out *out = c->free_out;

    if (out != NULL)
        c->free_out = out->next_free;
    else
        out = &c->outs[c->outs_used++]; /* there is one for each connection */
    out->from = out->len = 0;
    return out;
}

/* Bytes, or 0: the socket takes no more, or -1. */
static ssize_t write_some(struct pp_http_link *l, const uint8_t *at, size_t len)
{
    size_t written = 0;
    ssize_t n;

    if (l->tls != NULL) {
        if (SSL_write_ex(l->tls, at, len, &written) == 1)
            return (ssize_t)written;
        return pp_tls_is_later_(l->tls) ? 0 : -1;
    }
    do
        n = send(l->socket.fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

static int block(struct pp_http_link *l)
{
    if (!l->is_blocked && event_add(&l->writable, NULL) != 0) {
        pp_http_link_end_(l, PP_FAIL(PP_E_SYSTEM, errno));
        return 0;
    }
    l->is_blocked = 1;
    return 1;
}

/* All is out, or nothing can leave any more. */
static void unblock(struct pp_http_link *l)
{
    give_back_out(l);
    if (l->is_blocked)
        (void)event_del(&l->writable);
    l->is_blocked = 0;
}

/*
 * RFC 9112 9.5: who closes before it has read all of a request may have answered: in HTTP/1.1 that
 * can still be read. HTTP/2 is over.
 */
static int cannot_send(struct pp_http_link *l)
{
    if (l->state == PP_HTTP_L_TWO) {
        pp_http_link_lost_(l);
        return 0;
    }
    l->is_mute = 1;
    unblock(l);
    return 1;
}

static int end_if_over(struct pp_http_link *l)
{
    if (l->state != PP_HTTP_L_TWO || !pp_http_two_is_over_(l))
        return 1;
    pp_http_link_lost_(l);
    return 0;
}

static void fill(struct pp_http_link *l)
{
    if (l->out == NULL)
        l->out = take_out(l->client);
    if (l->state == PP_HTTP_L_TWO)
        pp_http_two_fill_(l, l->out);
    else
        pp_http_one_fill_(l, l->out);
}

int pp_http_link_flush_(struct pp_http_link *l)
{
    l->is_dirty = 0;
    if (l->is_mute)
        return 1;
    for (;;) {
        if (l->out == NULL || l->out->from == l->out->len)
            fill(l);
        struct pp_http_out *out = l->out;
        if (out == NULL || l->state < PP_HTTP_L_ONE)
            return 0; /* what it asked its caller for ended it */
        if (out->len == 0) {
            unblock(l);
            return end_if_over(l);
        }
        while (out->from < out->len) {
            ssize_t n = write_some(l, out->bytes + out->from, out->len - out->from);
            if (n == 0)
                return block(l);
            if (n < 0)
                return cannot_send(l);
            out->from += (size_t)n;
        }
        pp_wipe(out->bytes, out->len);
        out->from = out->len = 0;
    }
}

/* --- receiving ------------------------------------------------------------------------------ */

ssize_t pp_http_link_read_(struct pp_http_link *l, uint8_t *at, size_t cap)
{
    size_t got = 0;

    if (l->tls != NULL) {
        if (SSL_read_ex(l->tls, at, cap, &got) == 1)
            return (ssize_t)got;
        return pp_tls_is_later_(l->tls) ? 0 : -1;
    }
    ssize_t n = pp_tls_socket_read_(&l->socket, at, cap);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n > 0 ? n : -1;
}

void pp_http_link_pause_(struct pp_http_link *l)
{
    if (!l->is_unread)
        (void)event_del(&l->readable);
    l->is_unread = 1;
}

void pp_http_link_unpause_(struct pp_http_link *l)
{
    if (!l->is_unread)
        return;
    if (event_add(&l->readable, NULL) != 0) {
        pp_http_link_end_(l, PP_FAIL(PP_E_SYSTEM, errno));
        return;
    }
    l->is_unread = 0;
    event_active(&l->readable, EV_READ, 0); /* TLS may hold what the kernel does not know of */
}

int pp_http_link_is_fresh_(struct pp_http_link *l)
{
    uint8_t byte;
    ssize_t n = recv(l->socket.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    int is_silent = n < 0 && (errno == EAGAIN || errno == EINTR);

    /* What TLS holds back may be tickets, or bytes behind the last answer. */
    if (l->tls != NULL && (n > 0 || (is_silent && SSL_has_pending(l->tls)))) {
        pp_tls_socket_turn_(&l->socket);
        is_silent = pp_http_link_read_(l, &byte, 1) == 0;
    }
    if (!is_silent)
        pp_http_link_lost_(l);
    return is_silent;
}

/* --- its beginning -------------------------------------------------------------------------- */

static void begin_to_speak(struct pp_http_link *l)
{
    struct pp_http_client *c = l->client;
    struct pp_http_origin *o = l->origin;
    /* RFC 9113 3.2, 3.3: ALPN over TLS; in clear, the caller knows. */
    int is_two = c->config.http2 != 0 && (l->tls == NULL || pp_http_link_chose_two_(l));

    o->connecting_count--;
    l->idle_since_ms = pp_http_client_now_ms_();
    o->speaks_one = !is_two;
    l->state = is_two ? PP_HTTP_L_TWO : PP_HTTP_L_ONE;
    l->next = is_two ? o->shared : o->idle;
    *(is_two ? &o->shared : &o->idle) = l;
    pp_http_origin_due_(o);
    if (!is_two)
        return;
    pp_res r = pp_http_two_start_(l);
    if (!pp_is_ok(r)) {
        pp_http_origin_failed_(o, r);
        pp_http_link_end_(l, r);
        return;
    }
    (void)pp_http_link_flush_(l);
}

static void shake_hands(struct pp_http_link *l)
{
    int is_done = 0;
    pp_res r = pp_http_link_handshake_(l, &is_done);

    if (!pp_is_ok(r)) {
        pp_http_link_end_(l, r);
        return;
    }
    if (is_done) {
        unblock(l);
        begin_to_speak(l);
        return;
    }
    if (SSL_want_write(l->tls))
        (void)block(l);
    else
        unblock(l);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_link *l = (struct pp_http_link *)arg;
    struct pp_http_client *c = l->client;

    (void)fd;
    (void)what;
    pp_http_client_enter_(c);
    pp_tls_socket_turn_(&l->socket);
    if (l->state == PP_HTTP_L_HANDSHAKE)
        shake_hands(l);
    else if (l->state == PP_HTTP_L_ONE)
        pp_http_one_read_(l);
    else if (l->state == PP_HTTP_L_TWO)
        pp_http_two_read_(l);
    pp_http_client_leave_(c);
}

static void try_next_address(struct pp_http_link *l, int error);

static void finish_connecting(struct pp_http_link *l)
{
    int on = 1;
    int e = 0;
    socklen_t len = sizeof e;

    if (getsockopt(l->socket.fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0)
        e = errno;
    if (e != 0) {
        close_socket(l);
        l->address++;
        try_next_address(l, e);
        return;
    }
    unblock(l);
    if (l->origin->unix_path[0] == '\0')
        (void)setsockopt(l->socket.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (event_add(&l->readable, NULL) != 0) {
        pp_http_link_end_(l, PP_FAIL(PP_E_SYSTEM, errno));
        return;
    }
    if (!l->origin->is_tls) {
        begin_to_speak(l);
        return;
    }
    l->state = PP_HTTP_L_HANDSHAKE;
    pp_res r = pp_http_link_tls_start_(l);
    if (pp_is_ok(r))
        shake_hands(l);
    else
        pp_http_link_end_(l, r);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_link *l = (struct pp_http_link *)arg;
    struct pp_http_client *c = l->client;

    (void)fd;
    (void)what;
    pp_http_client_enter_(c);
    pp_tls_socket_turn_(&l->socket);
    if (l->state == PP_HTTP_L_CONNECTING)
        finish_connecting(l);
    else if (l->state == PP_HTTP_L_HANDSHAKE)
        shake_hands(l);
    else if (l->state != PP_HTTP_L_FREE)
        (void)pp_http_link_flush_(l);
    pp_http_client_leave_(c);
}

/* errno of a connection that cannot even be begun, or 0. */
static int connect_to(struct pp_http_link *l, const struct pp_address *a)
{
    struct sockaddr_storage sa;
    socklen_t len = pp_address_to_sockaddr_(a, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return errno;
    l->socket = (struct pp_tls_socket){ .fd = fd };
    PP_ASSERT(
        event_assign(&l->readable, l->client->base, fd, EV_READ | EV_PERSIST, on_readable, l) == 0);
    PP_ASSERT(event_assign(&l->writable, l->client->base, fd, EV_WRITE | EV_PERSIST, on_writable,
                           l) == 0);
    if (connect(fd, (const struct sockaddr *)(const void *)&sa, len) != 0 && errno != EINPROGRESS)
        return errno;
    l->is_blocked = 1;
    return event_add(&l->writable, NULL) == 0 ? 0 : EIO;
}

static void try_next_address(struct pp_http_link *l, int error)
{
    const struct pp_http_place *place = &l->origin->place;

    for (; l->address < place->count; l->address++) {
        error = connect_to(l, &place->addresses[l->address]);
        if (error == 0)
            return;
        close_socket(l);
    }
    pp_http_link_end_(l, PP_FAIL(PP_E_NETWORK, error));
}

static struct pp_http_link *take_link(struct pp_http_client *c)
{
    struct pp_http_link *l = c->free_link;

    if (l != NULL) {
        c->free_link = l->next;
        return l;
    }
    return c->links_used < c->config.calls_max ? &c->links[c->links_used++] : NULL;
}

struct pp_http_link *pp_http_link_open_(struct pp_http_origin *o)
{
    struct pp_http_link *l = take_link(o->client);

    if (l == NULL)
        return NULL;
    *l = (struct pp_http_link){
        .client = o->client,
        .origin = o,
        .state = PP_HTTP_L_CONNECTING,
        .socket = { .fd = -1 },
        .idle_since_ms = pp_http_client_now_ms_(),
    };
    o->link_count++;
    o->connecting_count++;
    try_next_address(l, 0);
    return l;
}
