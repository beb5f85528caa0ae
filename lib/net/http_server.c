/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "ct.h"
#include "http_server_int.h"

enum {
    SCRATCH_DEFAULT = 4096,
    CONNECTIONS_DEFAULT = 256,
    STREAMS_DEFAULT = 100, /* RFC 9113 6.5.2: no less is recommended */
    ACCEPTS_AT_ONCE = 64,
    ACCEPT_PAUSE_MS = 100, /* when the process is out of descriptors */
    ALIGN = 64,
};

/* --- places --------------------------------------------------------------------------------- */

struct pp_http_out *pp_http_out_take_(struct pp_http_server *s)
{
    struct pp_http_out *out = s->free_out;

    if (out != NULL) {
        s->free_out = out->next_free;
        return out;
    }
    PP_ASSERT(s->outs_used < s->config.connections_max);
    return &s->outs[s->outs_used++];
}

void pp_http_out_release_(struct pp_http_server *s, struct pp_http_out *out)
{
    pp_wipe(out->bytes, out->len);
    out->from = out->len = 0;
    out->next_free = s->free_out;
    s->free_out = out;
}

/* Its buffers lie one behind the other: head, body, pieces, arena. */
static struct pp_http_request *new_slot(struct pp_http_server *s)
{
    if (s->slots_used == s->config.requests_max)
        return NULL;
    struct pp_http_request *q = &s->slots[s->slots_used];
    uint8_t *at = s->buffers + s->slots_used * s->buffers_each;

    s->slots_used++;
    q->server = s;
    q->in.buf = at;
    q->body = at + PP_HTTP_IN_BYTES;
    q->pieces = q->body + s->body_bytes;
    q->arena = pp_arena_over(q->pieces + PP_HTTP_PIECES_BYTES, s->config.scratch_bytes);
    pp_http_request_init_(q);
    return q;
}

/*
 * A connection of HTTP/2 has many requests: while few places are free, an address may have no more
 * of them than connections. Nobody is counted before that.
 */
static int source_has_its_requests(const struct pp_http_server *s, const struct pp_http_conn *c)
{
    uint32_t max = s->config.connections_per_address_max;
    uint32_t count = 0;

    if (max == 0 || c->source[0] == PP_ADDRESS_UNIX ||
        s->slots_taken < s->config.requests_max / PP_HTTP_BUSY_PART)
        return 0;
    for (uint32_t i = 0; i < s->conns_used && count < max; i++)
        if (s->conns[i].state != PP_HTTP_C_FREE &&
            memcmp(s->conns[i].source, c->source, PP_HTTP_SOURCE_BYTES) == 0)
            count += s->conns[i].request_count;
    return count >= max;
}

struct pp_http_request *pp_http_slot_take_(struct pp_http_conn *c)
{
    struct pp_http_server *s = c->server;
    struct pp_http_request *q = s->free_slot;

    if (source_has_its_requests(s, c))
        return NULL;
    if (q != NULL)
        s->free_slot = q->next;
    else
        q = new_slot(s);
    if (q == NULL)
        return NULL;
    s->slots_taken++;
    q->conn = c;
    q->state = PP_HTTP_Q_READING;
    q->is_wired = 1;
    q->close_after = 0;
    pp_http_in_init(&q->in, q->in.buf);
    q->prev = NULL;
    q->next = c->requests;
    if (q->next != NULL)
        q->next->prev = q;
    c->requests = q;
    c->request_count++;
    return q;
}

static void leave_connection(struct pp_http_request *q)
{
    struct pp_http_conn *c = q->conn;

    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        c->requests = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    c->request_count--;
    q->conn = NULL;
    /* An answer to nobody, from outside of the loop's turn: who waits for the last one goes on. */
    if (c->state == PP_HTTP_C_TWO && c->request_count == 0)
        pp_http_conn_flush_soon_(c);
}

void pp_http_slot_release_(struct pp_http_request *q)
{
    struct pp_http_server *s = q->server;
    int is_orphan = q->conn == NULL;

    if (q->is_wired || q->is_held)
        return;
    if (!is_orphan)
        leave_connection(q);
    pp_http_wipe_(q);
    pp_wipe(q->in.buf, q->in.high);
    pp_wipe(q->out_head, sizeof q->out_head);
    q->state = PP_HTTP_Q_FREE;
    s->slots_taken--;
    q->next = s->free_slot;
    s->free_slot = q;
    if (is_orphan)
        pp_http_server_count_down_(s);
}

void pp_http_server_count_down_(struct pp_http_server *s)
{
    s->open_count--;
    if (s->draining && s->open_count == 0)
        event_active(&s->drained, EV_TIMEOUT, 0);
}

/* --- accepting ------------------------------------------------------------------------------ */

static void source_of(const struct sockaddr_storage *sa, socklen_t len,
                      uint8_t ret[PP_HTTP_SOURCE_BYTES])
{
    struct pp_address a;

    pp_address_of_sockaddr_(sa, len, &a);
    memset(ret, 0, PP_HTTP_SOURCE_BYTES);
    ret[0] = (uint8_t)a.family;
    /* One customer has a whole IPv6 /64. */
    memcpy(ret + 1, a.ip, a.family == PP_ADDRESS_IP6 ? 8 : 16);
}

/*
 * In the last quarter of all places an address may have an eighth of its limit: a few addresses
 * that use theirs up leave room for everybody who has less.
 */
static uint32_t share_of_one(const struct pp_http_server *s)
{
    uint32_t max = s->config.connections_per_address_max;
    uint32_t all = s->config.connections_max;

    if (s->open_count < all - all / PP_HTTP_CROWDED_PART)
        return max;
    return max >= PP_HTTP_CROWDED_SHARE ? max / PP_HTTP_CROWDED_SHARE : 1;
}

static int source_is_busy(const struct pp_http_server *s,
                          const uint8_t source[PP_HTTP_SOURCE_BYTES])
{
    uint32_t max = share_of_one(s);
    uint32_t count = 0;

    if (s->config.connections_per_address_max == 0 || source[0] == PP_ADDRESS_UNIX)
        return 0;
    for (uint32_t i = 0; i < s->conns_used && count < max; i++)
        count += s->conns[i].state != PP_HTTP_C_FREE &&
                 memcmp(s->conns[i].source, source, PP_HTTP_SOURCE_BYTES) == 0;
    return count >= max;
}

static struct pp_http_conn *take_place(struct pp_http_server *s)
{
    struct pp_http_conn *c = s->free_conn;

    if (c != NULL) {
        s->free_conn = c->next_free;
        return c;
    }
    if (s->conns_used == s->config.connections_max)
        return NULL;
    c = &s->conns[s->conns_used++];
    c->server = s;
    pp_http_conn_init_(c);
    return c;
}

void pp_http_server_take_(struct pp_http_server *s, int fd, int is_tls,
                          const struct sockaddr_storage *sa, socklen_t len)
{
    uint8_t source[PP_HTTP_SOURCE_BYTES];
    int on = 1;

    source_of(sa, len, source);
    struct pp_http_conn *c = source_is_busy(s, source) ? NULL : take_place(s);
    if (c == NULL) {
        pp_http_conn_turn_away_(s, fd, is_tls);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a unix socket has none */
    s->open_count++;
    memcpy(c->source, source, sizeof source);
    pp_http_conn_start_(c, fd, is_tls);
}

/* Out of descriptors or memory: others may give some back. */
static void pause_accepting(struct pp_http_server *s)
{
    struct timeval pause = pp_timeval_(ACCEPT_PAUSE_MS);

    for (size_t l = 0; l < s->listener_count; l++)
        (void)event_del(&s->listeners[l].event);
    PP_ASSERT(event_add(&s->accept_again, &pause) == 0);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
    struct listener *l = (struct listener *)arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage sa = { 0 };
        socklen_t len = sizeof sa;
        int fd = accept4(listening, (struct sockaddr *)(void *)&sa, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            pp_http_server_take_(l->server, fd, l->is_tls != 0, &sa, len);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(l->server);
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
        if (event_add(&s->listeners[l].event, NULL) != 0) {
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
    PP_CHECK(c->requests_max <= PP_HTTP_CONNECTIONS_MAX, PP_E_RANGE, c->requests_max);
    PP_CHECK(c->streams_max <= PP_HTTP_STREAMS_MAX, PP_E_RANGE, c->streams_max);
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

/* Room in the loop for all deadlines: setting one must not need memory later. */
static pp_res reserve_timers(struct pp_http_server *s)
{
    const struct timeval far = pp_timeval_(INT32_MAX);
    size_t count = (size_t)s->config.connections_max + s->config.requests_max;
    struct event *events = (struct event *)calloc(count, sizeof *events);
    int failed = 0;

    PP_CHECK(events != NULL, PP_E_NO_MEMORY, count);
    for (size_t i = 0; i < count; i++) {
        PP_ASSERT(evtimer_assign(&events[i], s->base, on_drained, s) == 0);
        failed |= event_add(&events[i], &far);
    }
    for (size_t i = 0; i < count; i++)
        (void)event_del(&events[i]);
    free(events);
    PP_CHECK(failed == 0, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

/* One mapping for everything, whose pages come with their first use. */
static pp_res make_places(struct pp_http_server *s)
{
    const struct pp_http_server_config *c = &s->config;
    size_t conns = aligned(c->connections_max * sizeof *s->conns);
    size_t slots = aligned(c->requests_max * sizeof *s->slots);
    size_t outs = aligned(c->connections_max * sizeof *s->outs);
    size_t buffers;

    s->buffers_each = PP_HTTP_IN_BYTES + s->body_bytes + PP_HTTP_PIECES_BYTES +
                      s->config.scratch_bytes;
    PP_TRY(pp_mul(s->buffers_each, c->requests_max, &buffers));
    PP_TRY(pp_add(buffers, conns + slots + outs, &s->memory_len));
    s->memory = pp_buffers_map_(s->memory_len);
    PP_CHECK(s->memory != NULL, PP_E_NO_MEMORY, c->connections_max);
    s->buffers = s->memory;
    s->conns = (struct pp_http_conn *)(void *)(s->memory + buffers);
    s->slots = (struct pp_http_request *)(void *)(s->memory + buffers + conns);
    s->outs = (struct pp_http_out *)(void *)(s->memory + buffers + conns + slots);
    return reserve_timers(s);
}

static void set_config(struct pp_http_server *s, const struct pp_http_server_config *c)
{
    s->config = *c;
    for (size_t i = 0; i < c->route_count; i++) {
        const struct pp_http_route *r = &c->routes[i];
        size_t room = r->pieces ? PP_HTTP_PIECES_BYTES : r->body_bytes_max;
        s->routes[i] = *r;
        if (room > s->body_bytes)
            s->body_bytes = room;
    }
    s->body_bytes = aligned(s->body_bytes);
    s->config.routes = s->routes;
    s->config.scratch_bytes = aligned(c->scratch_bytes == 0 ? SCRATCH_DEFAULT : c->scratch_bytes);
    s->config.connections_max = or_default(c->connections_max, CONNECTIONS_DEFAULT);
    s->config.requests_max = or_default(c->requests_max, s->config.connections_max);
    s->config.streams_max = or_default(c->streams_max, STREAMS_DEFAULT);
    if (s->config.streams_max > s->config.requests_max)
        s->config.streams_max = s->config.requests_max;
    s->config.idle_timeout_ms = or_default(c->idle_timeout_ms, 60000);
    s->config.head_timeout_ms = or_default(c->head_timeout_ms, 10000);
    s->config.body_timeout_ms = or_default(c->body_timeout_ms, 30000);
    s->config.body_floor_ms = or_default(c->body_floor_ms, 10000);
    s->config.answer_timeout_ms = or_default(c->answer_timeout_ms, 90000);
    s->config.write_timeout_ms = or_default(c->write_timeout_ms, 30000);
}

pp_res pp_http_server_new(struct pp_loop *loop, const struct pp_http_server_config *c,
                          struct pp_http_server **ret)
{
    PP_TRY(check_config(c));
    struct pp_http_server *s = (struct pp_http_server *)calloc(1, sizeof *s);
    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);

    s->base = pp_loop_base_(loop);
    set_config(s, c);
    PP_ASSERT(evtimer_assign(&s->accept_again, s->base, on_accept_again, s) == 0);
    PP_ASSERT(evtimer_assign(&s->drained, s->base, on_drained, s) == 0);
    pp_res r = make_places(s);
    if (pp_is_ok(r))
        r = pp_http2_make_(s);
    if (!pp_is_ok(r)) {
        pp_http_server_free(s);
        return r;
    }
    *ret = s;
    return PP_OK;
}

static pp_res listen_on(struct pp_http_server *s, const struct pp_listener *l, uint32_t is_tls)
{
    PP_CHECK(s->listener_count < PP_HTTP_LISTENERS_MAX, PP_E_LIMIT, s->listener_count);
    PP_CHECK(l->is_open, PP_E_STATE, 0);
    struct listener *ours = &s->listeners[s->listener_count];
    ours->server = s;
    ours->is_tls = is_tls;
    PP_ASSERT(event_assign(&ours->event, s->base, l->fd, EV_READ | EV_PERSIST, on_accept, ours) ==
              0);
    PP_CHECK(event_add(&ours->event, NULL) == 0, PP_E_NO_MEMORY, 0);
    s->listener_count++;
    return PP_OK;
}

pp_res pp_http_server_listen(struct pp_http_server *s, const struct pp_listener *l)
{
    return listen_on(s, l, 0);
}

pp_res pp_http_server_listen_tls(struct pp_http_server *s, const struct pp_listener *l)
{
    PP_CHECK(s->tls != NULL, PP_E_STATE, 1);
    return listen_on(s, l, 1);
}

void pp_http_server_drain(struct pp_http_server *s, void (*done)(void *ctx), void *ctx)
{
    s->draining = 1;
    s->drain_done = done;
    s->drain_ctx = ctx;
    for (size_t l = 0; l < s->listener_count; l++)
        (void)event_del(&s->listeners[l].event);
    if (s->open_count == 0)
        event_active(&s->drained, EV_TIMEOUT, 0);
    for (uint32_t i = 0; i < s->conns_used; i++) {
        struct pp_http_conn *c = &s->conns[i];
        if (c->state == PP_HTTP_C_TWO)
            pp_http2_drain_(c);
        else if (c->state != PP_HTTP_C_FREE && c->state != PP_HTTP_C_LINGERING &&
                 c->requests == NULL)
            pp_http_conn_close_(c);
    }
}

const struct pp_http_stats *pp_http_server_stats(const struct pp_http_server *s)
{
    return &s->stats;
}

void pp_http_server_free(struct pp_http_server *s)
{
    if (s == NULL)
        return;
    s->draining = 0; /* nobody is to be told any more */
    for (uint32_t i = 0; i < s->slots_used; i++) {
        s->slots[i].is_held = 0;
        s->slots[i].gone = NULL;
    }
    for (uint32_t i = 0; i < s->conns_used; i++)
        pp_http_conn_close_(&s->conns[i]);
    for (uint32_t i = 0; i < s->slots_used; i++)
        if (s->slots[i].state != PP_HTTP_Q_FREE)
            pp_http_slot_release_(&s->slots[i]);
    for (size_t l = 0; l < s->listener_count; l++)
        (void)event_del(&s->listeners[l].event);
    (void)event_del(&s->accept_again);
    (void)event_del(&s->drained);
    pp_http2_done_(s);
    pp_http_tls_done_(s);
    pp_wipe(s->in, sizeof s->in);
    pp_buffers_unmap_(s->memory, s->memory_len);
    free(s);
}
