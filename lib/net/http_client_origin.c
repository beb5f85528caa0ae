/* SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>

#include "http_client_int.h"
#include "wr.h"

/* --- which --------------------------------------------------------------------------------- */

static int is_of(const struct pp_http_origin *o, const struct pp_http_url *u, const char *unix_path)
{
    return o->host_len == u->host.len && o->port == u->port && o->is_tls == u->is_tls &&
           memcmp(o->host, u->host.at, u->host.len) == 0 &&
           strcmp(o->unix_path, unix_path != NULL ? unix_path : "") == 0;
}

/* RFC 9110 7.2: the port is left out where it is the scheme's own. */
static size_t write_authority(const struct pp_http_url *u, char *ret)
{
    struct pp_wr wr = pp_wr_over(ret, PP_HTTP_AUTHORITY_BYTES_MAX);

    pp_wr_text(&wr, u->is_ip6 ? "[" : "");
    pp_wr_span(&wr, u->host);
    pp_wr_text(&wr, u->is_ip6 ? "]" : "");
    if (u->is_port_told) {
        pp_wr_text(&wr, ":");
        pp_wr_decimal(&wr, u->port);
    }
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return wr.len;
}

static struct pp_http_origin *make(struct pp_http_client *c, struct pp_http_origin *o,
                                   const struct pp_http_url *u, const char *unix_path)
{
    uint32_t is_due = o->is_due; /* of whom it was before: that place in the list stays */
    struct pp_http_origin *next_due = o->next_due;

    *o = (struct pp_http_origin){ .client = c,
                                  .next_due = next_due,
                                  .is_due = is_due,
                                  .is_tls = u->is_tls,
                                  .port = u->port,
                                  .host_len = u->host.len,
                                  .is_ip6 = u->is_ip6 };
    memcpy(o->host, u->host.at, u->host.len);
    if (unix_path != NULL)
        memcpy(o->unix_path, unix_path, strlen(unix_path));
    o->authority_len = write_authority(u, o->authority);
    return o;
}

struct pp_http_origin *pp_http_origin_of_(struct pp_http_client *c, const struct pp_http_url *u,
                                          const char *unix_path)
{
    struct pp_http_origin *unused = NULL;

    for (uint32_t i = 0; i < c->origins_used; i++) {
        if (is_of(&c->origins[i], u, unix_path))
            return &c->origins[i];
        if (c->origins[i].host_len == 0)
            unused = &c->origins[i];
    }
    if (unused == NULL) {
        PP_ASSERT(c->origins_used < c->origins_max); /* one for each call and each connection */
        unused = &c->origins[c->origins_used++];
    }
    return make(c, unused, u, unix_path);
}

void pp_http_origin_release_(struct pp_http_origin *o)
{
    if (o->link_count == 0 && o->waiting_count == 0)
        o->host_len = 0;
}

void pp_http_origin_due_(struct pp_http_origin *o)
{
    if (o->is_due)
        return;
    o->is_due = 1;
    o->next_due = o->client->due;
    o->client->due = o;
}

/* --- where --------------------------------------------------------------------------------- */

static pp_res look_up(const char *host, uint16_t port, struct pp_http_place *ret)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct pp_http_place place = { 0 };

    int failed = getaddrinfo(host, NULL, &hints, &found);
    PP_CHECK(failed == 0, PP_E_NETWORK, -failed);
    for (const struct addrinfo *a = found; a != NULL && place.count < PP_HTTP_ADDRESSES_MAX;
         a = a->ai_next) {
        struct sockaddr_storage sa = { 0 };
        struct pp_address *at = &place.addresses[place.count];
        PP_ASSERT(a->ai_addrlen <= sizeof sa);
        memcpy(&sa, a->ai_addr, a->ai_addrlen);
        pp_address_of_sockaddr_(&sa, a->ai_addrlen, at);
        at->port = port;
        place.count += at->family != PP_ADDRESS_UNIX; /* that is: nothing that we know */
    }
    freeaddrinfo(found);
    PP_CHECK(place.count > 0, PP_E_NETWORK, 0);
    *ret = place;
    return PP_OK;
}

/* A sandbox has no resolver: an address in numbers needs none. */
static pp_res read_numeric(const struct pp_http_origin *o, struct pp_address *ret)
{
    char text[PP_HTTP_AUTHORITY_BYTES_MAX + 8];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_text(&wr, o->is_ip6 ? "[" : "");
    pp_wr_bytes(&wr, o->host, o->host_len);
    pp_wr_text(&wr, o->is_ip6 ? "]:" : ":");
    pp_wr_decimal(&wr, o->port);
    PP_TRY(pp_wr_ok(&wr));
    return pp_address_parse(pp_wr_done(&wr), ret);
}

static const struct pp_http_place *pinned(const struct pp_http_origin *o)
{
    const struct pp_http_client *c = o->client;

    for (size_t i = 0; i < c->pin_count; i++)
        if (c->pins[i].port == o->port && c->pins[i].host_len == o->host_len &&
            memcmp(c->pins[i].host, o->host, o->host_len) == 0)
            return &c->pins[i].place;
    return NULL;
}

static pp_res find_place(struct pp_http_origin *o)
{
    const struct pp_http_place *pin = pinned(o);
    struct pp_address *first = &o->place.addresses[0];

    if (o->place.count > 0)
        return PP_OK;
    if (o->unix_path[0] != '\0') {
        *first = (struct pp_address){ .family = PP_ADDRESS_UNIX };
        memcpy(first->path, o->unix_path, sizeof first->path);
        o->place.count = 1;
        return PP_OK;
    }
    if (pp_is_ok(read_numeric(o, first))) {
        o->place.count = 1;
        return PP_OK;
    }
    if (pin != NULL) {
        o->place = *pin;
        return PP_OK;
    }
    return look_up(o->host, o->port, &o->place);
}

pp_res pp_http_client_pin(struct pp_http_client *c, const char *url)
{
    struct pp_http_url u;
    struct pp_http_pin pin = { 0 };

    PP_TRY_AS(PP_E_FORMAT, pp_http_url_parse_(pp_span_cstr(url), &u));
    PP_CHECK(c->pin_count < PP_HTTP_PINS_MAX, PP_E_LIMIT, PP_HTTP_PINS_MAX);
    memcpy(pin.host, u.host.at, u.host.len);
    pin.host_len = u.host.len;
    pin.port = u.port;
    PP_TRY(look_up(pin.host, u.port, &pin.place));
    c->pins[c->pin_count++] = pin;
    return PP_OK;
}

/* --- who waits ------------------------------------------------------------------------------ */

void pp_http_origin_wait_(struct pp_http_pending *p)
{
    struct pp_http_origin *o = p->origin;

    p->state = PP_HTTP_P_WAITING;
    p->next = NULL;
    p->prev = o->last_waiting;
    *(o->last_waiting != NULL ? &o->last_waiting->next : &o->waiting) = p;
    o->last_waiting = p;
    o->waiting_count++;
    pp_http_origin_due_(o);
}

static void leave_queue(struct pp_http_pending *p)
{
    struct pp_http_origin *o = p->origin;

    *(p->prev != NULL ? &p->prev->next : &o->waiting) = p->next;
    *(p->next != NULL ? &p->next->prev : &o->last_waiting) = p->prev;
    p->next = p->prev = NULL;
    o->waiting_count--;
}

static int prefers_two(const struct pp_http_origin *o)
{
    return o->client->config.http2 && !o->speaks_one;
}

static int is_connecting(const struct pp_http_link *l, const struct pp_http_origin *o)
{
    return l->origin == o && l->state != PP_HTTP_L_FREE && l->state < PP_HTTP_L_ONE;
}

/*
 * Who gives up while his connection is being made takes it with him, unless others want it: the
 * oldest one, or theirs would be that on which nothing happens.
 */
static void close_unwanted(struct pp_http_origin *o)
{
    struct pp_http_client *c = o->client;

    while (o->connecting_count > o->waiting_count) {
        struct pp_http_link *oldest = NULL;
        for (uint32_t i = 0; i < c->links_used; i++) {
            struct pp_http_link *l = &c->links[i];
            if (is_connecting(l, o) && (oldest == NULL || l->idle_since_ms < oldest->idle_since_ms))
                oldest = l;
        }
        PP_ASSERT(oldest != NULL);
        pp_http_link_end_(oldest, PP_OK);
    }
}

void pp_http_origin_silent_(struct pp_http_origin *o, uint32_t after_ms)
{
    struct pp_http_client *c = o->client;
    uint64_t now = pp_http_client_now_ms_();

    if (!prefers_two(o)) /* each has one of its own: see close_unwanted */
        return;
    for (uint32_t i = 0; i < c->links_used; i++)
        if (is_connecting(&c->links[i], o) && now - c->links[i].idle_since_ms >= after_ms)
            pp_http_link_end_(&c->links[i], PP_OK);
}

void pp_http_origin_unwait_(struct pp_http_pending *p)
{
    struct pp_http_origin *o = p->origin;

    leave_queue(p);
    close_unwanted(o);
    pp_http_origin_release_(o);
}

/*
 * HTTP/1.1: each that waits has a connection on its way, so that one ends. HTTP/2: all wait for the
 * same one.
 */
void pp_http_origin_failed_(struct pp_http_origin *o, pp_res r)
{
    int all = prefers_two(o);

    while (o->waiting != NULL && (all || o->waiting_count > o->connecting_count)) {
        struct pp_http_pending *p = o->waiting;
        leave_queue(p);
        pp_http_call_over_(p, r);
        if (!all)
            return;
    }
}

/* --- who goes where ------------------------------------------------------------------------- */

static int is_old(const struct pp_http_link *l)
{
    uint64_t idle_ms = pp_http_client_now_ms_() - l->idle_since_ms;

    return idle_ms > (uint64_t)l->client->config.idle_s_max * 1000;
}

static struct pp_http_link *take_idle(struct pp_http_origin *o)
{
    struct pp_http_link *l;

    while ((l = o->idle) != NULL) {
        if (is_old(l)) {
            pp_http_link_end_(l, PP_OK);
            continue;
        }
        if (!pp_http_link_is_fresh_(l))
            continue;
        o->idle = l->next;
        return l;
    }
    return NULL;
}

/* One of HTTP/2 that nobody used for a while may have been left by the server: it is asked. */
static struct pp_http_link *find_shared(struct pp_http_origin *o)
{
    struct pp_http_link *next;

    for (struct pp_http_link *l = o->shared; l != NULL; l = next) {
        next = l->next;
        if (l->call_count == 0 && is_old(l)) {
            pp_http_link_end_(l, PP_OK);
            continue;
        }
        if (l->call_count == 0 && !l->is_dirty) {
            pp_tls_socket_turn_(&l->socket);
            pp_http_two_read_(l);
            if (l->state != PP_HTTP_L_TWO)
                continue;
        }
        if (pp_http_two_has_room_(l))
            return l;
    }
    return NULL;
}

/* 0: there is nobody who could take it now. */
static int place_first(struct pp_http_origin *o)
{
    struct pp_http_pending *p = o->waiting;
    struct pp_http_link *l = take_idle(o);

    if (l != NULL) {
        leave_queue(p);
        pp_http_one_begin_(l, p);
        return 1;
    }
    l = find_shared(o);
    if (l == NULL)
        return 0;
    leave_queue(p);
    if (pp_http_two_begin_(l, p))
        return 1;
    pp_http_origin_wait_(p); /* it goes to the end; that was the last call of its connection */
    return 0;
}

static int is_unused(const struct pp_http_link *l)
{
    if (l->state == PP_HTTP_L_FREE)
        return 0;
    return l->state < PP_HTTP_L_ONE ? l->origin->connecting_count > l->origin->waiting_count
                                    : l->call_count == 0;
}

/*
 * Somebody else's that nobody uses, if all places are taken. There is one: each of the others has a
 * call, or a call that waits for it, and there are as many places as calls.
 */
static void make_place(struct pp_http_client *c)
{
    struct pp_http_link *oldest = NULL;

    if (c->free_link != NULL || c->links_used < c->config.calls_max)
        return;
    for (uint32_t i = 0; i < c->links_used; i++) {
        struct pp_http_link *l = &c->links[i];
        if (is_unused(l) && (oldest == NULL || l->idle_since_ms < oldest->idle_since_ms))
            oldest = l;
    }
    if (oldest != NULL)
        pp_http_link_end_(oldest, PP_OK);
}

/* HTTP/2: one at a time, and not before the last one has said how much it takes. */
static int may_open(const struct pp_http_origin *o)
{
    if (o->waiting_count <= o->connecting_count ||
        o->link_count >= o->client->config.connections_per_host_max)
        return 0;
    if (!prefers_two(o))
        return 1;
    if (o->connecting_count > 0)
        return 0;
    for (const struct pp_http_link *l = o->shared; l != NULL; l = l->next)
        if (!l->is_greeted && !l->is_leaving)
            return 0;
    return 1;
}

static void open_links(struct pp_http_origin *o)
{
    while (may_open(o)) {
        pp_res r = find_place(o);
        if (!pp_is_ok(r)) {
            pp_http_origin_failed_(o, r);
            continue;
        }
        make_place(o->client);
        if (pp_http_link_open_(o) == NULL)
            return;
    }
}

static void flush_shared(struct pp_http_origin *o)
{
    struct pp_http_link *next;

    for (struct pp_http_link *l = o->shared; l != NULL; l = next) {
        next = l->next;
        if (l->is_dirty)
            (void)pp_http_link_flush_(l);
    }
}

void pp_http_origin_pump_(struct pp_http_origin *o)
{
    while (o->waiting != NULL && place_first(o))
        ;
    open_links(o);
    flush_shared(o);
    pp_http_origin_release_(o);
}
