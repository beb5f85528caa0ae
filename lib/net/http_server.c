/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event_struct.h>

#include "ct.h"
#include "http_int.h"
#include "net_int.h"
#include "text.h"
#include "wr.h"

enum {
    OUT_HEAD_BYTES = 1024,
    SCRATCH_DEFAULT = 4096,
    LINGER_MS = 2000, /* to let a refused client read why, before a reset could hide it */
    LINGER_BYTES_MAX = 1 << 20,
    ACCEPTS_AT_ONCE = 64,
    ACCEPT_PAUSE_MS = 100, /* when the process is out of descriptors */
    ALIGN = 64,
};

enum state {
    FREE = 0,
    READING,
    ANSWERING, /* the handler has it */
    WRITING,
    LINGERING, /* answered with a refusal; reads and drops what the client still sends */
    CLOSED,    /* the socket is gone, the handler still owes its answer */
};

enum phase { NO_PHASE = 0, IDLE, HEAD, BODY };

/* A connection and the one request that it can have at a time. */
struct pp_http_request {
    struct pp_http_server *server;
    enum state state;
    enum phase phase;
    uint32_t held;   /* the handler has not answered yet */
    uint32_t paused; /* the read event is off, `closed` is on */
    uint32_t close_after;
    uint32_t linger;
    int fd;
    struct event readable, writable, closed, deadline;
    uint8_t source[17]; /* family and address */
    struct pp_http_in in;
    const struct pp_http_route *route;
    uint8_t *body; /* of body_bytes_max */
    struct pp_arena arena;
    size_t floor_from;      /* BODY: bytes that were there when its deadline was set ... */
    uint32_t floor_left_ms; /* ... and what is left of its whole time behind that deadline */
    size_t lingered;
    void (*gone)(void *ctx);
    void *gone_ctx;

    uint8_t out_head[OUT_HEAD_BYTES];
    struct pp_span out[2]; /* what is left to send of head and body */
    uint32_t out_stays;

    struct pp_http_request *next_free;
};

struct pp_http_server {
    struct event_base *base;
    struct pp_http_server_config config;
    struct pp_http_route routes[PP_HTTP_ROUTES_MAX];
    size_t body_bytes_max;
    struct pp_http_request *slots;
    struct pp_http_request *first_free;
    uint8_t *memory;
    size_t memory_len;
    uint32_t open_count;
    struct event listeners[PP_HTTP_LISTENERS_MAX];
    size_t listener_count;
    struct event accept_again;
    struct event drained;
    uint32_t draining;
    void (*drain_done)(void *ctx);
    void *drain_ctx;
    struct pp_http_stats stats;
};

static void process(struct pp_http_request *q);
static void send_some(struct pp_http_request *q);

/* --- connections ---------------------------------------------------------------------------- */

static void set_deadline(struct pp_http_request *q, uint32_t after_ms)
{
    struct timeval after = pp_timeval_(after_ms);

    PP_ASSERT(event_add(&q->deadline, &after) == 0);
}

/*
 * A body has its time in pieces, and has to grow in each: who claims a large one and sends a byte
 * now and then holds a connection for one piece, and not for all.
 */
static void set_floor(struct pp_http_request *q, uint32_t left_ms)
{
    uint32_t piece = q->server->config.body_floor_ms;

    if (piece > left_ms)
        piece = left_ms;
    q->floor_from = q->in.body_len;
    q->floor_left_ms = left_ms - piece;
    set_deadline(q, piece);
}

/* Each phase has one deadline from its beginning: bytes that trickle in do not move it. */
static void set_phase(struct pp_http_request *q, enum phase phase)
{
    const struct pp_http_server_config *c = &q->server->config;

    if (q->phase == phase)
        return;
    q->phase = phase;
    if (phase == BODY)
        set_floor(q, c->body_timeout_ms);
    else
        set_deadline(q, phase == IDLE ? c->idle_timeout_ms : c->head_timeout_ms);
}

/* 1 when the body grew as it should and has time left, which begins to run. */
static int floor_holds(struct pp_http_request *q)
{
    if (q->state != READING || q->phase != BODY || q->floor_left_ms == 0 ||
        q->in.body_len - q->floor_from < PP_HTTP_FLOOR_BYTES)
        return 0;
    set_floor(q, q->floor_left_ms);
    return 1;
}

static void wipe_request(struct pp_http_request *q)
{
    pp_wipe(q->body, q->in.body_len);
    pp_arena_reset(&q->arena);
    q->gone = NULL;
}

static void release(struct pp_http_request *q)
{
    struct pp_http_server *s = q->server;

    wipe_request(q);
    pp_wipe(q->in.buf, PP_HTTP_IN_BYTES);
    q->state = FREE;
    q->next_free = s->first_free;
    s->first_free = q;
    s->open_count--;
    if (s->draining && s->open_count == 0)
        event_active(&s->drained, EV_TIMEOUT, 0);
}

static void close_connection(struct pp_http_request *q)
{
    (void)event_del(&q->readable);
    (void)event_del(&q->writable);
    (void)event_del(&q->closed);
    (void)event_del(&q->deadline);
    (void)close(q->fd);
    q->state = CLOSED;
    if (!q->held)
        release(q);
}

/* Tells the handler once that nobody waits for its answer. */
static void tell_gone(struct pp_http_request *q)
{
    void (*gone)(void *ctx) = q->gone;

    q->gone = NULL;
    if (gone != NULL)
        gone(q->gone_ctx);
}

/* What arrives now must wait in the kernel: it is the next request's. */
static void pause_reading(struct pp_http_request *q)
{
    (void)event_del(&q->readable);
    q->paused = 1;
}

/* Returns 0 when the kernel cannot watch the socket any more; the connection is then closed. */
static int watch(struct pp_http_request *q, struct event *event)
{
    if (event_add(event, NULL) == 0)
        return 1;
    close_connection(q);
    return 0;
}

static int resume_reading(struct pp_http_request *q)
{
    if (!q->paused)
        return 1;
    q->paused = 0;
    return watch(q, &q->readable);
}

/* --- answers -------------------------------------------------------------------------------- */

static const char *reason_of(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *reason;
    } ROWS[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        if (ROWS[i].status == status)
            return ROWS[i].reason;
    return ""; /* RFC 9112 4: it may be empty */
}

static pp_res write_head(const struct pp_http_request *q, const struct pp_http_reply *r,
                         struct pp_wr *wr)
{
    /* Whether the copy is needed shows only later, and an answer must not depend on that. */
    PP_CHECK(r->body_stays || r->body.len <= q->arena.cap - q->arena.used, PP_E_NO_SPACE,
             r->body.len);
    PP_CHECK(r->status >= 200 && r->status <= 599, PP_E_RANGE, r->status);
    PP_CHECK(r->field_count <= PP_HTTP_SENT_FIELDS_MAX, PP_E_LIMIT, r->field_count);
    pp_wr_text(wr, "HTTP/1.1 ");
    pp_wr_decimal(wr, r->status);
    pp_wr_text(wr, " ");
    pp_wr_text(wr, reason_of(r->status));
    pp_wr_text(wr, "\r\n");
    if (r->type != NULL) {
        PP_CHECK(pp_http_is_value(pp_span_cstr(r->type)), PP_E_FORMAT, 0);
        pp_wr_text(wr, "Content-Type: ");
        pp_wr_text(wr, r->type);
        pp_wr_text(wr, "\r\n");
    }
    for (size_t i = 0; i < r->field_count; i++) {
        PP_CHECK(pp_http_is_token(r->fields[i].name), PP_E_FORMAT, i);
        PP_CHECK(pp_http_is_value(r->fields[i].value), PP_E_FORMAT, i);
        pp_wr_span(wr, r->fields[i].name);
        pp_wr_text(wr, ": ");
        pp_wr_span(wr, r->fields[i].value);
        pp_wr_text(wr, "\r\n");
    }
    if (r->status != 204) {
        pp_wr_text(wr, "Content-Length: ");
        pp_wr_decimal(wr, r->body.len);
        pp_wr_text(wr, "\r\n");
    }
    pp_wr_text(wr, q->close_after ? "Connection: close\r\n\r\n" : "\r\n");
    return pp_wr_ok(wr);
}

/* RFC 9110 9.3.2: as GET, without the content. */
static int is_head(const struct pp_http_request *q)
{
    return pp_span_eq(q->in.method, PP_STR("HEAD"));
}

static void start_answer(struct pp_http_request *q, const struct pp_http_reply *r)
{
    static const struct pp_http_reply FAILED = { .status = 500, .close = 1 };
    struct pp_wr wr = pp_wr_over(q->out_head, sizeof q->out_head);

    q->close_after = r->close || !q->in.keep_alive || q->server->draining;
    if (!pp_is_ok(write_head(q, r, &wr))) {
        wr = pp_wr_over(q->out_head, sizeof q->out_head);
        r = &FAILED;
        q->close_after = 1;
        PP_ASSERT(pp_is_ok(write_head(q, r, &wr)));
    }
    q->out[0] = pp_wr_done(&wr);
    q->out[1] = r->status == 204 || is_head(q) ? pp_span(NULL, 0) : r->body;
    q->out_stays = r->body_stays;
    q->state = WRITING;
    q->phase = NO_PHASE;
    (void)event_del(&q->closed);
    set_deadline(q, q->server->config.write_timeout_ms);
    send_some(q);
}

static void refuse_with(struct pp_http_request *q, const struct pp_http_reply *r)
{
    q->server->stats.refused++;
    q->linger = 1;
    start_answer(q, r);
}

static void refuse(struct pp_http_request *q, uint32_t status)
{
    const struct pp_http_reply r = { .status = status, .close = 1 };

    refuse_with(q, &r);
}

static void answer_is_out(struct pp_http_request *q)
{
    if (q->close_after && q->linger) {
        /* Closing with unread input would reset the connection and take the answer with it. */
        (void)shutdown(q->fd, SHUT_WR);
        q->state = LINGERING;
        set_deadline(q, LINGER_MS);
        (void)resume_reading(q);
        return;
    }
    if (q->close_after) {
        close_connection(q);
        return;
    }
    wipe_request(q);
    pp_http_in_next(&q->in);
    q->state = READING;
    if (!resume_reading(q))
        return;
    set_phase(q, pp_http_in_is_idle(&q->in) ? IDLE : HEAD);
    /* A pipelined request waits for the next turn: a handler is called by the loop alone. */
    if (q->in.step != PP_HTTP_MORE)
        event_active(&q->readable, EV_READ, 0);
}

/* The rest of the body must outlive the call that gave it. */
static void keep_body(struct pp_http_request *q)
{
    if (!q->out_stays && q->out[1].len > 0)
        PP_ASSERT(pp_is_ok(pp_arena_copy(&q->arena, q->out[1], &q->out[1]))); /* see write_head */
    q->out_stays = 1;
}

static void send_some(struct pp_http_request *q)
{
    while (q->out[0].len + q->out[1].len > 0) {
        struct iovec io[2] = { { (void *)(uintptr_t)q->out[0].at, q->out[0].len },
                               { (void *)(uintptr_t)q->out[1].at, q->out[1].len } };
        struct msghdr message = { .msg_iov = io, .msg_iovlen = 2 };
        ssize_t n = sendmsg(q->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            keep_body(q);
            (void)watch(q, &q->writable);
            return;
        }
        if (n < 0) {
            close_connection(q);
            return;
        }
        for (int i = 0; i < 2; i++) {
            size_t part = (size_t)n < q->out[i].len ? (size_t)n : q->out[i].len;
            if (part > 0)
                q->out[i] = pp_span(q->out[i].at + part, q->out[i].len - part);
            n -= (ssize_t)part;
        }
    }
    (void)event_del(&q->writable);
    answer_is_out(q);
}

void pp_http_reply(struct pp_http_request *q, const struct pp_http_reply *r)
{
    PP_ASSERT(q->held); /* answered twice */
    q->held = 0;
    q->gone = NULL;
    if (q->state == CLOSED)
        release(q);
    if (q->state != ANSWERING)
        return;
    q->server->stats.answered++;
    start_answer(q, r);
}

void pp_http_reply_status(struct pp_http_request *q, uint32_t status)
{
    const struct pp_http_reply r = { .status = status };

    pp_http_reply(q, &r);
}

/* --- requests ------------------------------------------------------------------------------- */

static int path_matches(const char *pattern, struct pp_span path)
{
    size_t len = strlen(pattern);

    if (len > 0 && pattern[len - 1] == '*')
        return path.len >= len - 1 && memcmp(path.at, pattern, len - 1) == 0;
    return pp_span_eq(pp_span_cstr(pattern), path);
}

/* RFC 9110 15.5.6 MUST: a 405 names the methods that the path has. */
static void refuse_method(struct pp_http_request *q)
{
    const struct pp_http_server *s = q->server;
    uint8_t methods[256];
    struct pp_wr wr = pp_wr_over(methods, sizeof methods);

    for (size_t i = 0; i < s->config.route_count; i++) {
        if (!path_matches(s->routes[i].path, q->in.path))
            continue;
        pp_wr_text(&wr, wr.len > 0 ? ", " : "");
        pp_wr_text(&wr, s->routes[i].method);
        if (strcmp(s->routes[i].method, "GET") == 0)
            pp_wr_text(&wr, ", HEAD");
    }
    const struct pp_http_field allow = { PP_STR("Allow"), pp_wr_done(&wr) };
    const struct pp_http_reply r = {
        .status = 405, .fields = &allow, .field_count = 1, .close = 1
    };
    refuse_with(q, &r);
}

static const struct pp_http_route *find_route(struct pp_http_request *q)
{
    const struct pp_http_server *s = q->server;
    int path_known = 0;

    for (size_t i = 0; i < s->config.route_count; i++) {
        const struct pp_http_route *route = &s->routes[i];
        if (!path_matches(route->path, q->in.path))
            continue;
        path_known = 1;
        if (pp_span_eq(pp_span_cstr(route->method), is_head(q) ? PP_STR("GET") : q->in.method))
            return route;
    }
    if (path_known)
        refuse_method(q);
    else
        refuse(q, 404);
    return NULL;
}

static void hand_over(struct pp_http_request *q)
{
    q->state = ANSWERING;
    q->held = 1;
    q->phase = NO_PHASE;
    set_deadline(q, q->server->config.answer_timeout_ms);
    q->route->handle(q->route->ctx, q);
}

static void process(struct pp_http_request *q)
{
    if (q->in.step == PP_HTTP_HEAD) {
        q->route = find_route(q);
        if (q->route == NULL)
            return;
        pp_http_in_body(&q->in, q->body, q->route->body_bytes_max);
    }
    switch (q->in.step) {
    case PP_HTTP_MORE:
        set_phase(q, pp_http_in_is_idle(&q->in) ? IDLE : q->in.head_len == 0 ? HEAD : BODY);
        return;
    case PP_HTTP_DONE:
        hand_over(q);
        return;
    case PP_HTTP_REFUSED:
        refuse(q, q->in.refused);
        return;
    case PP_HTTP_HEAD:
        break;
    }
    PP_ASSERT(0); /* a head was answered above */
}

/* --- events --------------------------------------------------------------------------------- */

static void read_some(struct pp_http_request *q)
{
    if (q->in.step == PP_HTTP_MORE) {
        uint8_t *at;
        size_t cap = pp_http_in_space(&q->in, &at);
        ssize_t n = recv(q->fd, at, cap, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            close_connection(q);
            return;
        }
        pp_http_in_filled(&q->in, (size_t)n);
    }
    process(q);
}

/*
 * Something happened on a connection whose answer is not ready: more requests, or the client
 * leaves.
 */
static void look_at_waiting_client(struct pp_http_request *q)
{
    uint8_t byte;
    ssize_t n = recv(q->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n > 0) {
        pause_reading(q);
        (void)event_add(&q->closed, NULL); /* without it, only the answer finds out */
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    q->server->stats.gone++;
    close_connection(q);
    tell_gone(q);
}

static void drop_input(struct pp_http_request *q)
{
    uint8_t bytes[4096];
    ssize_t n = recv(q->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        q->lingered += (size_t)n;
    if (n <= 0 || q->lingered > LINGER_BYTES_MAX)
        close_connection(q);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_request *q = (struct pp_http_request *)arg;

    (void)fd;
    (void)what;
    switch (q->state) {
    case READING:
        read_some(q);
        return;
    case ANSWERING:
        look_at_waiting_client(q);
        return;
    case WRITING:
        pause_reading(q);
        return;
    case LINGERING:
        drop_input(q);
        return;
    case FREE:
    case CLOSED:
        return;
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_some((struct pp_http_request *)arg);
}

/* Only while answering: the client closed behind a request that it had sent already. */
static void on_closed(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_request *q = (struct pp_http_request *)arg;

    (void)fd;
    (void)what;
    q->server->stats.gone++;
    close_connection(q);
    tell_gone(q);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_request *q = (struct pp_http_request *)arg;
    const struct pp_http_reply late = { .status = q->state == ANSWERING ? 504 : 408, .close = 1 };

    (void)fd;
    (void)what;
    if (floor_holds(q))
        return;
    if ((q->state == READING && q->phase == IDLE) || q->state == LINGERING) {
        close_connection(q);
        return;
    }
    q->server->stats.late++;
    if (q->state == WRITING) {
        close_connection(q);
        return;
    }
    q->linger = 1;
    start_answer(q, &late);
    tell_gone(q);
}

/* --- accepting ------------------------------------------------------------------------------ */

static void source_of(const struct sockaddr_storage *sa, socklen_t len, uint8_t ret[17])
{
    struct pp_address a;

    pp_address_of_sockaddr_(sa, len, &a);
    memset(ret, 0, 17);
    ret[0] = (uint8_t)a.family;
    /* One customer has a whole IPv6 /64. */
    memcpy(ret + 1, a.ip, a.family == PP_ADDRESS_IP6 ? 8 : 16);
}

static int source_is_busy(const struct pp_http_server *s, const uint8_t source[17])
{
    uint32_t max = s->config.connections_per_address_max;
    uint32_t count = 0;

    if (max == 0 || source[0] == PP_ADDRESS_UNIX)
        return 0;
    for (uint32_t i = 0; i < s->config.connections_max && count < max; i++)
        count += s->slots[i].state != FREE && memcmp(s->slots[i].source, source, 17) == 0;
    return count >= max;
}

static void turn_away(struct pp_http_server *s, int fd)
{
    static const char BUSY[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";

    s->stats.busy++;
    if (send(fd, BUSY, sizeof BUSY - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

static void take_connection(struct pp_http_server *s, int fd, const struct sockaddr_storage *sa,
                            socklen_t len)
{
    struct pp_http_request *q = s->first_free;
    uint8_t source[17];
    int on = 1;

    source_of(sa, len, source);
    if (q == NULL || source_is_busy(s, source)) {
        turn_away(s, fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a unix socket has none */
    s->first_free = q->next_free;
    s->open_count++;
    q->state = READING;
    q->phase = NO_PHASE;
    q->fd = fd;
    q->held = q->paused = q->close_after = q->linger = 0;
    q->lingered = 0;
    memcpy(q->source, source, sizeof source);
    pp_http_in_init(&q->in, q->in.buf);
    PP_ASSERT(event_assign(&q->readable, s->base, fd, EV_READ | EV_PERSIST, on_readable, q) == 0);
    PP_ASSERT(event_assign(&q->writable, s->base, fd, EV_WRITE | EV_PERSIST, on_writable, q) == 0);
    PP_ASSERT(event_assign(&q->closed, s->base, fd, EV_CLOSED, on_closed, q) == 0);
    if (!watch(q, &q->readable))
        return;
    q->phase = IDLE; /* and nothing came of it yet, so it has not the time of one that was of use */
    set_deadline(q, s->config.idle_timeout_ms < s->config.head_timeout_ms
                        ? s->config.idle_timeout_ms
                        : s->config.head_timeout_ms);
}

/* Out of descriptors or memory: others may give some back. */
static void pause_accepting(struct pp_http_server *s)
{
    struct timeval pause = pp_timeval_(ACCEPT_PAUSE_MS);

    for (size_t l = 0; l < s->listener_count; l++)
        (void)event_del(&s->listeners[l]);
    PP_ASSERT(event_add(&s->accept_again, &pause) == 0);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
    struct pp_http_server *s = (struct pp_http_server *)arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage sa = { 0 };
        socklen_t len = sizeof sa;
        int fd = accept4(listening, (struct sockaddr *)(void *)&sa, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            take_connection(s, fd, &sa, len);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(s);
            return;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
    }
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_server *s = (struct pp_http_server *)arg;

    (void)fd;
    (void)what;
    for (size_t l = 0; l < s->listener_count && !s->draining; l++) {
        if (event_add(&s->listeners[l], NULL) != 0) {
            pause_accepting(s);
            return;
        }
    }
}

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_server *s = (struct pp_http_server *)arg;
    void (*done)(void *ctx) = s->drain_done;

    (void)fd;
    (void)what;
    s->drain_done = NULL;
    if (done != NULL)
        done(s->drain_ctx);
}

/* --- the server ----------------------------------------------------------------------------- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static pp_res check_config(const struct pp_http_server_config *c)
{
    PP_CHECK(c->route_count >= 1 && c->route_count <= PP_HTTP_ROUTES_MAX, PP_E_RANGE,
             c->route_count);
    PP_CHECK(c->connections_max <= PP_HTTP_CONNECTIONS_MAX, PP_E_RANGE, c->connections_max);
    PP_CHECK(c->scratch_bytes <= PP_HTTP_BODY_BYTES_MAX, PP_E_RANGE, c->scratch_bytes);
    for (size_t i = 0; i < c->route_count; i++) {
        const struct pp_http_route *r = &c->routes[i];
        PP_CHECK(r->path[0] == '/' && r->method[0] != '\0' && r->handle != NULL, PP_E_RANGE, i);
        PP_CHECK(r->body_bytes_max <= PP_HTTP_BODY_BYTES_MAX, PP_E_RANGE, i);
    }
    return PP_OK;
}

static size_t aligned(size_t len)
{
    return (len + ALIGN - 1) / ALIGN * ALIGN;
}

/* Room in the loop for the deadlines of all connections: setting one must not need memory later. */
static pp_res reserve_timers(struct pp_http_server *s)
{
    const struct timeval far = pp_timeval_(INT32_MAX);
    int failed = 0;

    for (uint32_t i = 0; i < s->config.connections_max; i++) {
        struct pp_http_request *q = &s->slots[i];
        PP_ASSERT(evtimer_assign(&q->deadline, s->base, on_deadline, q) == 0);
        failed |= event_add(&q->deadline, &far);
    }
    for (uint32_t i = 0; i < s->config.connections_max; i++)
        (void)event_del(&s->slots[i].deadline);
    PP_CHECK(failed == 0, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static pp_res make_slots(struct pp_http_server *s)
{
    size_t body = aligned(s->body_bytes_max);
    size_t each = PP_HTTP_IN_BYTES + body + aligned(s->config.scratch_bytes);

    PP_TRY(pp_mul(each, s->config.connections_max, &s->memory_len));
    s->memory = pp_buffers_map_(s->memory_len);
    s->slots = (struct pp_http_request *)calloc(s->config.connections_max, sizeof *s->slots);
    PP_CHECK(s->memory != NULL && s->slots != NULL, PP_E_NO_MEMORY, s->config.connections_max);
    for (size_t i = s->config.connections_max; i-- > 0;) {
        struct pp_http_request *q = &s->slots[i];
        uint8_t *at = s->memory + i * each;
        q->server = s;
        q->in.buf = at;
        q->body = at + PP_HTTP_IN_BYTES;
        q->arena = pp_arena_over(q->body + body, aligned(s->config.scratch_bytes));
        q->next_free = s->first_free;
        s->first_free = q; /* the first slot is used first, so few connections touch few pages */
    }
    return reserve_timers(s);
}

pp_res pp_http_server_new(struct pp_loop *loop, const struct pp_http_server_config *c,
                          struct pp_http_server **ret)
{
    PP_TRY(check_config(c));
    struct pp_http_server *s = (struct pp_http_server *)calloc(1, sizeof *s);
    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);

    s->base = pp_loop_base_(loop);
    s->config = *c;
    for (size_t i = 0; i < c->route_count; i++) {
        s->routes[i] = c->routes[i];
        if (c->routes[i].body_bytes_max > s->body_bytes_max)
            s->body_bytes_max = c->routes[i].body_bytes_max;
    }
    s->config.routes = s->routes;
    if (s->config.scratch_bytes == 0)
        s->config.scratch_bytes = SCRATCH_DEFAULT;
    s->config.connections_max = or_default(c->connections_max, 256);
    s->config.idle_timeout_ms = or_default(c->idle_timeout_ms, 60000);
    s->config.head_timeout_ms = or_default(c->head_timeout_ms, 10000);
    s->config.body_timeout_ms = or_default(c->body_timeout_ms, 30000);
    s->config.body_floor_ms = or_default(c->body_floor_ms, 10000);
    s->config.answer_timeout_ms = or_default(c->answer_timeout_ms, 90000);
    s->config.write_timeout_ms = or_default(c->write_timeout_ms, 30000);
    PP_ASSERT(evtimer_assign(&s->accept_again, s->base, on_accept_again, s) == 0);
    PP_ASSERT(evtimer_assign(&s->drained, s->base, on_drained, s) == 0);
    pp_res r = make_slots(s);
    if (!pp_is_ok(r)) {
        pp_http_server_free(s);
        return r;
    }
    *ret = s;
    return PP_OK;
}

pp_res pp_http_server_listen(struct pp_http_server *s, const struct pp_listener *l)
{
    PP_CHECK(s->listener_count < PP_HTTP_LISTENERS_MAX, PP_E_LIMIT, s->listener_count);
    PP_CHECK(l->is_open, PP_E_STATE, 0);
    struct event *ev = &s->listeners[s->listener_count];
    PP_ASSERT(event_assign(ev, s->base, l->fd, EV_READ | EV_PERSIST, on_accept, s) == 0);
    PP_CHECK(event_add(ev, NULL) == 0, PP_E_NO_MEMORY, 0);
    s->listener_count++;
    return PP_OK;
}

void pp_http_server_drain(struct pp_http_server *s, void (*done)(void *ctx), void *ctx)
{
    s->draining = 1;
    s->drain_done = done;
    s->drain_ctx = ctx;
    for (size_t l = 0; l < s->listener_count; l++)
        (void)event_del(&s->listeners[l]);
    if (s->open_count == 0)
        event_active(&s->drained, EV_TIMEOUT, 0);
    for (uint32_t i = 0; i < s->config.connections_max; i++)
        if (s->slots[i].state == READING && pp_http_in_is_idle(&s->slots[i].in))
            close_connection(&s->slots[i]);
}

const struct pp_http_stats *pp_http_server_stats(const struct pp_http_server *s)
{
    return &s->stats;
}

void pp_http_server_free(struct pp_http_server *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; s->slots != NULL && i < s->config.connections_max; i++) {
        struct pp_http_request *q = &s->slots[i];
        q->held = 0;
        if (q->state == CLOSED)
            release(q);
        else if (q->state != FREE)
            close_connection(q);
    }
    for (size_t l = 0; l < s->listener_count; l++)
        (void)event_del(&s->listeners[l]);
    (void)event_del(&s->accept_again);
    (void)event_del(&s->drained);
    pp_buffers_unmap_(s->memory, s->memory_len);
    free(s->slots);
    free(s);
}

/* --- what a handler sees -------------------------------------------------------------------- */

struct pp_span pp_http_request_method(const struct pp_http_request *q)
{
    return q->in.method;
}

struct pp_span pp_http_request_path(const struct pp_http_request *q)
{
    return q->in.path;
}

struct pp_span pp_http_request_query(const struct pp_http_request *q)
{
    return q->in.query;
}

size_t pp_http_request_field_count(const struct pp_http_request *q)
{
    return q->in.field_count;
}

struct pp_http_field pp_http_request_field(const struct pp_http_request *q, size_t i)
{
    PP_ASSERT(i < q->in.field_count);
    return q->in.fields[i];
}

int pp_http_request_find(const struct pp_http_request *q, const char *name, struct pp_span *ret)
{
    return pp_http_find_(q->in.fields, q->in.field_count, name, ret);
}

int pp_http_request_type_is(const struct pp_http_request *q, const char *type)
{
    struct pp_span got;
    struct pp_span media;

    if (!pp_http_request_find(q, "content-type", &got))
        return 0;
    pp_text_cut(&got, ';', &media);
    while (media.len > 0 && (media.at[media.len - 1] == ' ' || media.at[media.len - 1] == '\t'))
        media.len--;
    return pp_http_is_word(media, type);
}

uint8_t *pp_http_request_body_bytes(struct pp_http_request *q)
{
    return q->in.body;
}

struct pp_span pp_http_request_body(const struct pp_http_request *q)
{
    return pp_span(q->in.body, q->in.body_len);
}

struct pp_arena *pp_http_request_arena(struct pp_http_request *q)
{
    return &q->arena;
}

void pp_http_request_on_gone(struct pp_http_request *q, void (*gone)(void *ctx), void *ctx)
{
    q->gone = gone;
    q->gone_ctx = ctx;
}
