/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event_struct.h>

#include "ct.h"
#include "file.h"
#include "net_int.h"

enum { ACCEPTS_AT_ONCE = 64, ACCEPT_PAUSE_MS = 100 };

enum state { CONNECTING = 1, OPEN, ENDED };

/* Bytes from `at` to `end` of `bytes`; room is made by moving them to the front. */
struct buffer {
    uint8_t *bytes;
    size_t cap, at, end;
};

struct pp_stream {
    struct event_base *base;
    struct pp_stream_config config;
    struct pp_stream_server *server; /* whose count it is in; NULL otherwise */
    enum state state;
    int fd;
    uint32_t finishing;
    uint32_t refused;     /* a write found no room */
    uint32_t deadline_ms; /* CONNECTING: the one to set when it is open; 0: none */
    struct event readable, writable, deadline, ending;
    pp_res why; /* for `ending` */
    struct buffer in, out;
    uint8_t *memory;
    size_t memory_len;
};

struct pp_stream_server {
    struct event_base *base;
    struct pp_stream_server_config config;
    struct event listener, accept_again;
    uint32_t count;
    uint32_t users; /* 1 for the owner, 1 per living stream */
};

/* --- buffers -------------------------------------------------------------------------------- */

static size_t held(const struct buffer *b)
{
    return b->end - b->at;
}

static void make_room(struct buffer *b)
{
    if (b->at == 0)
        return;
    if (held(b) > 0)
        memmove(b->bytes, b->bytes + b->at, held(b));
    b->end = held(b);
    b->at = 0;
}

static void take(struct buffer *b, size_t len)
{
    PP_ASSERT(len <= held(b));
    b->at += len;
    if (b->at == b->end)
        b->at = b->end = 0;
}

/* --- ending --------------------------------------------------------------------------------- */

static void on_ending(evutil_socket_t fd, short what, void *arg)
{
    struct pp_stream *s = (struct pp_stream *)arg;

    (void)fd;
    (void)what;
    s->config.ended(s->config.ctx, s, s->why);
}

/* The user hears of it in the next turn of the loop, never from inside his own call. */
static void end(struct pp_stream *s, pp_res why)
{
    if (s->state == ENDED)
        return;
    s->state = ENDED;
    s->why = why;
    (void)event_del(&s->readable);
    (void)event_del(&s->writable);
    (void)event_del(&s->deadline);
    event_active(&s->ending, EV_TIMEOUT, 0);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end((struct pp_stream *)arg, PP_FAIL(PP_E_TIMEOUT, 0));
}

/* --- reading -------------------------------------------------------------------------------- */

static void watch_input(struct pp_stream *s)
{
    if (s->state != OPEN || held(&s->in) == s->in.cap)
        (void)event_del(&s->readable);
    else if (event_add(&s->readable, NULL) != 0)
        end(s, PP_FAIL(PP_E_SYSTEM, errno)); /* the kernel cannot watch it */
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_stream *s = (struct pp_stream *)arg;

    (void)what;
    make_room(&s->in);
    ssize_t n = recv(fd, s->in.bytes + s->in.end, s->in.cap - s->in.end, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        end(s, PP_FAIL(PP_E_CLOSED, errno));
        return;
    }
    if (n == 0) {
        end(s, PP_OK);
        return;
    }
    s->in.end += (size_t)n;
    watch_input(s);
    s->config.readable(s->config.ctx, s);
}

struct pp_span pp_stream_input(const struct pp_stream *s)
{
    return pp_span(s->in.bytes + s->in.at, held(&s->in));
}

void pp_stream_consume(struct pp_stream *s, size_t len)
{
    int was_full = held(&s->in) == s->in.cap;

    take(&s->in, len);
    if (was_full && len > 0)
        watch_input(s);
}

/* --- writing -------------------------------------------------------------------------------- */

/* Returns 0 when the stream ended. */
static int send_some(struct pp_stream *s)
{
    while (held(&s->out) > 0) {
        ssize_t n = send(s->fd, s->out.bytes + s->out.at, held(&s->out),
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            if (event_add(&s->writable, NULL) == 0)
                return 1;
            end(s, PP_FAIL(PP_E_SYSTEM, errno));
            return 0;
        }
        if (n < 0) {
            end(s, PP_FAIL(PP_E_CLOSED, errno));
            return 0;
        }
        take(&s->out, (size_t)n);
    }
    (void)event_del(&s->writable);
    if (s->finishing == 1) {
        s->finishing = 2;
        (void)shutdown(s->fd, SHUT_WR);
    }
    return 1;
}

static void set_deadline(struct pp_stream *s, uint32_t after_ms)
{
    struct timeval after = pp_timeval_(after_ms);

    if (after_ms == 0 || s->state == ENDED)
        (void)event_del(&s->deadline);
    else
        PP_ASSERT(event_add(&s->deadline, &after) == 0);
}

void pp_stream_deadline(struct pp_stream *s, uint32_t after_ms)
{
    if (s->state == CONNECTING)
        s->deadline_ms = after_ms;
    else
        set_deadline(s, after_ms);
}

static int finish_connecting(struct pp_stream *s)
{
    int e = 0;
    socklen_t len = sizeof e;

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0)
        e = errno;
    if (e != 0) {
        end(s, PP_FAIL(PP_E_NETWORK, e));
        return 0;
    }
    s->state = OPEN;
    set_deadline(s, s->deadline_ms);
    watch_input(s);
    return 1;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_stream *s = (struct pp_stream *)arg;

    (void)fd;
    (void)what;
    if (s->state == CONNECTING && !finish_connecting(s))
        return;
    if (!send_some(s) || held(&s->out) > 0 || !s->refused)
        return;
    s->refused = 0;
    if (s->config.drained != NULL)
        s->config.drained(s->config.ctx, s);
}

pp_res pp_stream_write(struct pp_stream *s, struct pp_span bytes)
{
    PP_CHECK(s->state != ENDED && !s->finishing, PP_E_CLOSED, 0);
    PP_CHECK(bytes.len <= s->out.cap, PP_E_LIMIT, bytes.len);
    if (bytes.len > s->out.cap - held(&s->out)) {
        s->refused = 1;
        return PP_FAIL(PP_E_BUSY, held(&s->out));
    }
    if (bytes.len > s->out.cap - s->out.end)
        make_room(&s->out);
    int was_empty = held(&s->out) == 0;
    if (bytes.len > 0)
        memcpy(s->out.bytes + s->out.end, bytes.at, bytes.len);
    s->out.end += bytes.len;
    if (s->state == OPEN && was_empty)
        (void)send_some(s); /* an end is told by `ended` */
    return PP_OK;
}

int pp_stream_fits(struct pp_stream *s, size_t len)
{
    if (s->state == ENDED || s->finishing)
        return 0;
    if (len <= s->out.cap - held(&s->out))
        return 1;
    s->refused = 1;
    return 0;
}

void pp_stream_finish(struct pp_stream *s)
{
    if (s->finishing || s->state == ENDED)
        return;
    s->finishing = 1;
    if (s->state == OPEN)
        (void)send_some(s);
}

/* --- life ----------------------------------------------------------------------------------- */

void pp_stream_set_ctx(struct pp_stream *s, void *ctx)
{
    s->config.ctx = ctx;
}

static void leave_server(struct pp_stream_server *server)
{
    if (server != NULL && --server->users == 0)
        free(server);
}

void pp_stream_free(struct pp_stream *s)
{
    if (s == NULL)
        return;
    (void)event_del(&s->readable);
    (void)event_del(&s->writable);
    (void)event_del(&s->deadline);
    (void)event_del(&s->ending);
    (void)close(s->fd);
    if (s->server != NULL)
        s->server->count--;
    leave_server(s->server);
    pp_buffers_unmap_(s->memory, s->memory_len);
    free(s);
}

static pp_res make(struct event_base *base, int fd, const struct pp_stream_config *c,
                   struct pp_stream **ret)
{
    PP_CHECK(c->in_bytes_max >= 1 && c->in_bytes_max <= PP_STREAM_BUFFER_BYTES_MAX, PP_E_RANGE,
             c->in_bytes_max);
    PP_CHECK(c->out_bytes_max >= 1 && c->out_bytes_max <= PP_STREAM_BUFFER_BYTES_MAX, PP_E_RANGE,
             c->out_bytes_max);
    PP_CHECK(c->readable != NULL && c->ended != NULL, PP_E_RANGE, 0);
    struct pp_stream *s = (struct pp_stream *)calloc(1, sizeof *s);
    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    s->memory_len = c->in_bytes_max + c->out_bytes_max;
    s->memory = pp_buffers_map_(s->memory_len);
    if (s->memory == NULL) {
        free(s);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    s->base = base;
    s->config = *c;
    s->fd = fd;
    s->in = (struct buffer){ .bytes = s->memory, .cap = c->in_bytes_max };
    s->out = (struct buffer){ .bytes = s->memory + c->in_bytes_max, .cap = c->out_bytes_max };
    PP_ASSERT(event_assign(&s->readable, base, fd, EV_READ | EV_PERSIST, on_readable, s) == 0);
    PP_ASSERT(event_assign(&s->writable, base, fd, EV_WRITE | EV_PERSIST, on_writable, s) == 0);
    PP_ASSERT(evtimer_assign(&s->deadline, base, on_deadline, s) == 0);
    PP_ASSERT(evtimer_assign(&s->ending, base, on_ending, s) == 0);
    *ret = s;
    return PP_OK;
}

pp_res pp_stream_connect(struct pp_loop *loop, const struct pp_address *to,
                         const struct pp_stream_config *c, uint32_t connect_timeout_ms,
                         struct pp_stream **ret)
{
    struct sockaddr_storage sa;
    struct pp_stream *s;
    int on = 1;

    PP_CHECK(to->family != 0 && connect_timeout_ms > 0, PP_E_RANGE, to->family);
    socklen_t len = pp_address_to_sockaddr_(to, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return pp_errno_res(errno);
    if (to->family != PP_ADDRESS_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pp_res r = make(pp_loop_base_(loop), fd, c, &s);
    if (!pp_is_ok(r)) {
        (void)close(fd);
        return r;
    }
    s->state = CONNECTING;
    if (connect(fd, (const struct sockaddr *)(const void *)&sa, len) != 0 && errno != EINPROGRESS) {
        end(s, PP_FAIL(PP_E_NETWORK, errno));
    } else {
        set_deadline(s, connect_timeout_ms);
        if (event_add(&s->writable, NULL) != 0)
            end(s, PP_FAIL(PP_E_SYSTEM, errno));
    }
    *ret = s;
    return PP_OK;
}

pp_res pp_stream_take(struct pp_loop *loop, int fd, const struct pp_stream_config *c,
                      struct pp_stream **ret)
{
    struct pp_stream *s;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return pp_errno_res(errno);
    PP_TRY(make(pp_loop_base_(loop), fd, c, &s));
    s->state = OPEN;
    watch_input(s);
    *ret = s;
    return PP_OK;
}

/* --- accepting ------------------------------------------------------------------------------ */

static void take_connection(struct pp_stream_server *server, int fd)
{
    struct pp_stream *s;
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a unix socket has none */
    if (server->count >= server->config.connections_max ||
        !pp_is_ok(make(server->base, fd, &server->config.stream, &s))) {
        (void)close(fd);
        return;
    }
    s->state = OPEN;
    s->server = server;
    server->count++;
    server->users++;
    watch_input(s);
    if (!server->config.accepted(server->config.ctx, s))
        pp_stream_free(s);
}

/* Out of descriptors or memory: others may give some back. */
static void pause_accepting(struct pp_stream_server *server)
{
    struct timeval pause = pp_timeval_(ACCEPT_PAUSE_MS);

    (void)event_del(&server->listener);
    PP_ASSERT(event_add(&server->accept_again, &pause) == 0);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
    struct pp_stream_server *server = (struct pp_stream_server *)arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(server, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(server);
            return;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
    }
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct pp_stream_server *server = (struct pp_stream_server *)arg;

    (void)fd;
    (void)what;
    if (event_add(&server->listener, NULL) != 0)
        pause_accepting(server);
}

pp_res pp_stream_server_new(struct pp_loop *loop, const struct pp_listener *l,
                            const struct pp_stream_server_config *c, struct pp_stream_server **ret)
{
    PP_CHECK(l->is_open, PP_E_STATE, 0);
    PP_CHECK(c->connections_max >= 1 && c->connections_max <= PP_STREAM_CONNECTIONS_MAX &&
                 c->accepted != NULL,
             PP_E_RANGE, c->connections_max);
    struct pp_stream_server *server = (struct pp_stream_server *)calloc(1, sizeof *server);
    PP_CHECK(server != NULL, PP_E_NO_MEMORY, sizeof *server);
    server->base = pp_loop_base_(loop);
    server->config = *c;
    server->users = 1;
    PP_ASSERT(event_assign(&server->listener, server->base, l->fd, EV_READ | EV_PERSIST, on_accept,
                           server) == 0);
    PP_ASSERT(evtimer_assign(&server->accept_again, server->base, on_accept_again, server) == 0);
    if (event_add(&server->listener, NULL) != 0) {
        free(server);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    *ret = server;
    return PP_OK;
}

void pp_stream_server_free(struct pp_stream_server *server)
{
    if (server == NULL)
        return;
    (void)event_del(&server->listener);
    (void)event_del(&server->accept_again);
    leave_server(server);
}
