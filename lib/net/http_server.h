/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h: an HTTP server on a loop: HTTP/1.1 and HTTP/2 on one port (RFC 9110, 9112, 9113;
 * what it refuses: docs/protocol/http.md), in clear or over TLS 1.3.
 *
 * A route's handler is called with a complete request and answers now or later, exactly once; which
 * version of HTTP carried it makes no difference. A route with `pieces` is called behind the head,
 * takes the body as it comes, and may answer in pieces.
 *
 * All memory of our own is set aside when the server is made: places for requests, each with room
 * for the head, the largest body of any route, and `scratch_bytes` for the handler. A connection
 * that has no request holds none of them. A connection over the limit is answered 503 and closed, a
 * request over the limit is answered 503. Between a request and its answer nothing is allocated but
 * by nghttp2 and OpenSSL. What held a request is wiped when its answer is out.
 *
 * No field is sent that nobody asked for: no Server, no Date (our clocks are nobody's business).
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
    PP_HTTP_BODY_BYTES_MAX = 17 << 20, /* an entry bundle of 256 entries of 65535 bytes fits */
    PP_HTTP_LISTENERS_MAX = 4,
    PP_HTTP_FLOOR_BYTES = 4096, /* of a body, within each body_floor_ms; 3.3 kbit/s by default */
    PP_HTTP_CROWDED_PART = 4,   /* the last quarter of all places ... */
    PP_HTTP_CROWDED_SHARE = 8,  /* ... where an address may have an eighth of its limit */
    PP_HTTP_BUSY_PART = 2,      /* the last half of all requests, see connections_per_address_max */
    PP_HTTP_STREAMS_MAX = 1024, /* requests of one HTTP/2 connection at a time */
    PP_HTTP_PIECES_BYTES =
        1 << 16, /* of a body that waits to be taken, and of an answer to leave */
};

struct pp_http_server;
struct pp_http_request;

struct pp_http_route {
    const char *method;    /* "POST" */
    const char *path;      /* "/gateway" exactly, or "/tile/" + "*" for everything below "/tile/" */
    size_t body_bytes_max; /* a longer body is answered 413 */
    void (*handle)(void *ctx, struct pp_http_request *q);
    void *ctx;
    uint32_t pieces; /* 1: called behind the head, see "bodies in pieces" */
};

struct pp_http_server_config {
    const struct pp_http_route *routes; /* the array is copied; the first match wins */
    size_t route_count;                 /* 1..PP_HTTP_ROUTES_MAX */
    size_t scratch_bytes;               /* arena of a request beyond its body; 0: 4096 */
    /* For all of these 0 means the default in brackets. */
    uint32_t connections_max; /* [256] up to PP_HTTP_CONNECTIONS_MAX */
    uint32_t requests_max;    /* [connections_max] at a time, over all connections; up to
                                             PP_HTTP_CONNECTIONS_MAX */
    uint32_t streams_max;     /* [100, or requests_max] of them on one HTTP/2 connection */
    uint32_t connections_per_address_max; /* [no limit of its own] per IPv4 address or IPv6 /64; an
                                             eighth of it in the last quarter of all places. And so
                                             many requests, once half of requests_max are taken */
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

/* --- bodies in pieces ----------------------------------------------------------------------- */

/*
 * Of a route with `pieces`: what has arrived of the body and was not taken yet, contiguous, at most
 * PP_HTTP_PIECES_BYTES. Borrowed until the next call on `q` or the next callback. Who takes nothing
 * holds the client back: no more than that is read. The deadlines of a body run only while there
 * is room. Behind the limit of the route the client is refused, and the handler told with `gone`.
 */
struct pp_span pp_http_request_piece(const struct pp_http_request *q);
void pp_http_request_take(struct pp_http_request *q, size_t len); /* of what `piece` gave */
int pp_http_request_is_whole(const struct pp_http_request *q);    /* 1: nothing comes behind it */

/*
 * `more` is called from the loop whenever the body grew or became whole. What is there when the
 * handler is called, it finds by itself.
 */
void pp_http_request_on_piece(struct pp_http_request *q, void (*more)(void *ctx), void *ctx);

/*
 * Begins an answer whose body comes in pieces, of any request; `r` without a body. It leaves with
 * chunks in HTTP/1.1, so that a client can tell its end from an accident. `q` stays valid until
 * pp_http_reply_end or pp_http_reply_abort, of which one must be called, also behind `gone`; `gone`
 * may come until then. The handler has the time of an answer for each piece, the client that of
 * taking one. An answer that cannot be sent becomes 500, and its pieces are CLOSED; so are those
 * of HEAD.
 */
void pp_http_reply_begin(struct pp_http_request *q, const struct pp_http_reply *r);

/* How many bytes pp_http_reply_piece takes now; at most PP_HTTP_PIECES_BYTES. */
size_t pp_http_reply_room(const struct pp_http_request *q);

/*
 * Copies all of `bytes` or nothing: BUSY (no room now; `room` tells when it is worth asking again),
 * LIMIT (never room), CLOSED (nobody takes it any more).
 */
PP_MUST pp_res pp_http_reply_piece(struct pp_http_request *q, struct pp_span bytes);

/* `room` is called from the loop when all that was given has left, behind a refusal with BUSY. */
void pp_http_reply_on_room(struct pp_http_request *q, void (*room)(void *ctx), void *ctx);

void pp_http_reply_end(struct pp_http_request *q);   /* `q` is invalid afterwards */
void pp_http_reply_abort(struct pp_http_request *q); /* the same; the client sees no end */

/* --- TLS ------------------------------------------------------------------------------------ */

/*
 * The certificate chain (the server's first) and its key, PEM, for pp_http_server_listen_tls. Again
 * while it serves: connections that stand keep what they have, new ones get the new. TLS 1.3 alone,
 * no tickets, no early data. On failure what was there stays. KEY (does not parse, or the two do
 * not belong together), NO_MEMORY.
 */
PP_MUST pp_res pp_http_server_tls(struct pp_http_server *s, struct pp_span chain_pem,
                                  struct pp_span key_pem);

/* As pp_http_server_listen, over TLS; HTTP/2 by ALPN. STATE without pp_http_server_tls before. */
PP_MUST pp_res pp_http_server_listen_tls(struct pp_http_server *s, const struct pp_listener *l);

#endif
