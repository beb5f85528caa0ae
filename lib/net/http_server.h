/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h: an HTTP/1.1 server on a loop (RFC 9110, 9112; what it refuses:
 * docs/protocol/http.md).
 *
 * A route's handler is called with a complete request and answers now or later, exactly once. All
 * memory is taken when the server is made: a fixed number of connections, each with room for the
 * head, the largest body of any route, and `scratch_bytes` for the handler. A connection over the
 * limit is answered 503 and closed. Nothing is allocated between a request and its answer. What
 * held a request is wiped when its answer is out.
 *
 * No field is sent that nobody asked for: no Server, no Date (our clocks are nobody's business).
 * The interface leaves room for TLS and HTTP/2 on the same port, and for streamed bodies: a
 * handler never sees a connection.
 */
#ifndef PP_HTTP_SERVER_H
#define PP_HTTP_SERVER_H

#include "address.h"
#include "arena.h"
#include "http.h"
#include "loop.h"

enum {
    PP_HTTP_ROUTES_MAX = 32,
    PP_HTTP_CONNECTIONS_MAX = 16384,
    PP_HTTP_BODY_BYTES_MAX = 16 << 20,
    PP_HTTP_LISTENERS_MAX = 4,
    PP_HTTP_FLOOR_BYTES = 4096, /* of a body, within each body_floor_ms; 3.3 kbit/s by default */
};

struct pp_http_server;
struct pp_http_request;

struct pp_http_route {
    const char *method;    /* "POST" */
    const char *path;      /* "/gateway" exactly, or "/tile/" + "*" for everything below "/tile/" */
    size_t body_bytes_max; /* a longer body is answered 413 */
    void (*handle)(void *ctx, struct pp_http_request *q);
    void *ctx;
};

struct pp_http_server_config {
    const struct pp_http_route *routes; /* the array is copied; the first match wins */
    size_t route_count;                 /* 1..PP_HTTP_ROUTES_MAX */
    size_t scratch_bytes;               /* arena of a request beyond its body; 0: 4096 */
    /* For all of these 0 means the default in brackets. */
    uint32_t connections_max;             /* [256] up to PP_HTTP_CONNECTIONS_MAX */
    uint32_t connections_per_address_max; /* [no limit of its own] per IPv4 address or IPv6 /64 */
    uint32_t idle_timeout_ms;             /* [60000] between requests; closed in silence */
    uint32_t head_timeout_ms;             /* [10000] first to last byte of the head; 408. And for
                                             the first byte of a connection; closed in silence */
    uint32_t body_timeout_ms;             /* [30000] for the whole body; 408 */
    uint32_t body_floor_ms;               /* [10000] for each PP_HTTP_FLOOR_BYTES of it; 408 */
    uint32_t answer_timeout_ms;           /* [90000] for the handler; 504 */
    uint32_t write_timeout_ms;            /* [30000] for the client to take the answer; closed */
};

/* Counters since the start, for events. */
struct pp_http_stats {
    uint64_t answered; /* by handlers */
    uint64_t refused;  /* by us: malformed, no such route, too large */
    uint64_t busy;     /* connections over a limit */
    uint64_t late;     /* any of the deadlines above, idling not counted */
    uint64_t gone;     /* clients that left before their answer */
};

/* NO_MEMORY, RANGE (a limit above its maximum, a route without leading slash). */
PP_MUST pp_res pp_http_server_new(struct pp_loop *loop, const struct pp_http_server_config *c,
                                  struct pp_http_server **ret);

/* Serves `l` too, which is borrowed until the server is free. NO_MEMORY, LIMIT. */
PP_MUST pp_res pp_http_server_listen(struct pp_http_server *s, const struct pp_listener *l);

/*
 * Stops accepting, closes idle connections, lets the others finish their request (their answer says
 * "Connection: close"), then calls `done` once, from the loop.
 */
void pp_http_server_drain(struct pp_http_server *s, void (*done)(void *ctx), void *ctx);

const struct pp_http_stats *pp_http_server_stats(const struct pp_http_server *s);

/* Closes and wipes everything. Requests not answered yet are gone with it: whoever holds one must
 * forget it first. NULL is fine. */
void pp_http_server_free(struct pp_http_server *s);

/* --- a request, valid until it is answered -------------------------------------------------- */

struct pp_span pp_http_request_method(const struct pp_http_request *q);

/*
 * The path: starts with '/', and is safe to use below a folder: printable ASCII, no empty, "." or
 * ".." segment (a final '/' is fine), no '%' and no '\'.
 */
struct pp_span pp_http_request_path(const struct pp_http_request *q);
struct pp_span pp_http_request_query(
    const struct pp_http_request *q); /* without '?'; may be empty */

/* The fields in their order, for those who must refuse what they do not expect (W4 T3). */
size_t pp_http_request_field_count(const struct pp_http_request *q);
struct pp_http_field pp_http_request_field(const struct pp_http_request *q, size_t i);

/*
 * 1 and the value of the first field of that lower-case name, or 0. The fields that decide
 * something (host, content-*, authorization, ...) never occur twice.
 */
int pp_http_request_find(const struct pp_http_request *q, const char *name, struct pp_span *ret);

/* Media type without parameters equal to `type`, in any case: 1 or 0. */
int pp_http_request_type_is(const struct pp_http_request *q, const char *type);

struct pp_span pp_http_request_body(const struct pp_http_request *q);

/* The same bytes, for who opens a sealed body in place; they are wiped after the answer. */
uint8_t *pp_http_request_body_bytes(struct pp_http_request *q);

/* The request's own memory, wiped after its answer. */
struct pp_arena *pp_http_request_arena(struct pp_http_request *q);

/*
 * `gone` is called once if the client leaves or the answer's deadline passes before the answer:
 * time to cancel what was started for it. The request must be answered all the same (from inside
 * `gone` is fine): that is what gives it back.
 */
void pp_http_request_on_gone(struct pp_http_request *q, void (*gone)(void *ctx), void *ctx);

struct pp_http_reply {
    uint32_t status;                    /* 200..599 */
    const char *type;                   /* Content-Type; NULL: no such field */
    const struct pp_http_field *fields; /* exactly these, up to PP_HTTP_SENT_FIELDS_MAX */
    size_t field_count;
    struct pp_span body;
    uint32_t
        body_stays; /* 1: the body lies in the request's arena or outlives the server; else what
                            cannot be sent at once is copied to the arena (see scratch_bytes) */
    uint32_t close; /* 1: close the connection behind this answer */
};

/*
 * Answers, exactly once per request; `q` is invalid afterwards. An answer that cannot be sent (a
 * field with control characters, no room for a copy) becomes 500.
 */
void pp_http_reply(struct pp_http_request *q, const struct pp_http_reply *r);

/* An answer without type and body. */
void pp_http_reply_status(struct pp_http_request *q, uint32_t status);

#endif
