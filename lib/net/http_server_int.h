/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server_int.h: what the files of the HTTP server share.
 *
 *     http_server.c    the server: configuration, memory, listeners, draining
 *     http_conn.c      a connection: socket, TLS, deadlines of its own, what waits to be sent
 *     http_tls.c       certificates, and a socket as OpenSSL reads and writes it
 *     http1.c          a connection that speaks HTTP/1.1: one request at a time
 *     http2.c          a connection that speaks HTTP/2: an nghttp2 session
 *     http_request.c   a request, whichever of the two carries it: route, handler, answer
 *
 * A connection is small and has no buffers. What a request needs is a place of its own, taken when
 * its first byte arrives and given back when its answer is out and its handler has answered. What
 * cannot be sent at once waits in a buffer that the connection borrows for as long. The last one
 * given back is taken first: few busy connections touch few pages, however many idle ones there
 * are.
 */
#ifndef PP_HTTP_SERVER_INT_H
#define PP_HTTP_SERVER_INT_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include "http_int.h"
#include "http_out.h"
#include "http_server.h"
#include "net_int.h"
#include "tls_socket.h"

enum {
    PP_HTTP_PREFACE_BYTES = 24, /* RFC 9113 3.4 */
    PP_HTTP_OUT_HEAD_BYTES = 1024,
    PP_HTTP_SOURCE_BYTES = 17, /* family and address */
};

/* --- a request ------------------------------------------------------------------------------ */

enum pp_http_q_state {
    PP_HTTP_Q_FREE = 0,
    PP_HTTP_Q_READING,   /* the head, and the body unless it comes in pieces */
    PP_HTTP_Q_ANSWERING, /* the handler has it */
    PP_HTTP_Q_WRITING,   /* an answer without pieces is on its way */
    PP_HTTP_Q_STREAMING, /* one in pieces is */
    PP_HTTP_Q_OVER,      /* nothing can be sent any more; the handler still owes its answer */
};

enum pp_http_wait {
    PP_HTTP_WAIT_NOTHING = 0,
    PP_HTTP_WAIT_HEAD,
    PP_HTTP_WAIT_BODY,
    PP_HTTP_WAIT_ANSWER, /* for the handler */
    PP_HTTP_WAIT_WRITE,  /* for the client to take it */
};

struct pp_http_conn;

struct pp_http_request {
    struct pp_http_server *server;
    struct pp_http_conn *conn;         /* NULL: it is gone, and only the handler is waited for */
    struct pp_http_request *next;      /* of the free ones, or of the connection's */
    struct pp_http_request *prev;      /* of the connection's */
    struct pp_http_request *next_todo; /* of the connection's, see http2.c */
    enum pp_http_q_state state;
    enum pp_http_wait wait;
    uint32_t is_wired; /* the connection has still to do with it: a request to read, or an answer */
    uint32_t is_held;  /* the handler has not answered yet */
    uint32_t is_todo;  /* in the connection's list of what its handler has to hear of */
    uint32_t is_whole; /* nothing of the body is missing */
    uint32_t linger;   /* HTTP/1.1: read on for a while behind the answer, so that it can be read */
    uint32_t close_after;
    int32_t stream;        /* of HTTP/2 ... */
    uint32_t is_closed;    /* ... which is no more, while the handler has the request */
    uint32_t head_refused; /* the status, if something of the head is wrong */
    struct event deadline;
    struct pp_http_in in;
    const struct pp_http_route *route;
    uint8_t *body; /* what in.body points to once it is known that there is one */
    struct pp_arena arena;
    size_t floor_from;      /* WAIT_BODY: bytes that were there when its deadline was set ... */
    uint32_t floor_left_ms; /* ... and what is left of its whole time behind that deadline */
    void (*gone)(void *ctx);
    void *gone_ctx;

    uint8_t out_head[PP_HTTP_OUT_HEAD_BYTES];
    struct pp_span out[2]; /* what is left to send of head and body */

    /* In pieces. */
    void (*more)(void *ctx);
    void *more_ctx;
    void (*room)(void *ctx);
    void *room_ctx;
    uint32_t room_wanted;
    uint32_t is_begun; /* the answer comes in pieces, so nobody knows how long it is */
    uint32_t is_ended; /* the handler gave the last piece */
    uint32_t end_sent;
    uint8_t *pieces; /* PP_HTTP_PIECES_BYTES */
    size_t pieces_from, pieces_len;
};

/* --- a connection --------------------------------------------------------------------------- */

enum pp_http_c_state {
    PP_HTTP_C_FREE = 0,
    PP_HTTP_C_HANDSHAKE, /* of TLS */
    PP_HTTP_C_SNIFFING,  /* in clear: HTTP/2's preface, or a request of HTTP/1.1 */
    PP_HTTP_C_ONE,
    PP_HTTP_C_TWO,
    PP_HTTP_C_LINGERING, /* answered with a refusal; reads and drops what the client still sends */
};

enum pp_http_c_wait {
    PP_HTTP_C_WAIT_NOTHING = 0, /* each request has its own deadline */
    PP_HTTP_C_WAIT_FIRST,       /* for a first request */
    PP_HTTP_C_WAIT_IDLE,        /* for another */
    PP_HTTP_C_WAIT_WRITE,       /* for the client to take what waits */
    PP_HTTP_C_WAIT_LINGER,
};

struct pp_http_conn {
    struct pp_http_server *server;
    struct pp_http_conn *next_free;
    enum pp_http_c_state state;
    enum pp_http_c_wait wait;
    struct pp_tls_socket socket; /* its descriptor, also in clear */
    uint8_t source[PP_HTTP_SOURCE_BYTES];
    uint8_t preface[PP_HTTP_PREFACE_BYTES];
    uint8_t preface_len;
    uint8_t is_paused;   /* the read event is off */
    uint8_t is_blocked;  /* the write event is on: the socket takes no more */
    uint8_t close_after; /* when what waits is out */
    uint8_t linger;
    uint8_t in_loop; /* HTTP/2: whoever works on it flushes behind that */
    uint8_t was_of_use;
    size_t lingered;
    SSL *tls; /* NULL in clear */
    struct event readable, writable, closed, deadline;
    struct pp_http_out *out; /* NULL while nothing waits */
    struct pp_http_request *requests;
    uint32_t request_count;

    nghttp2_session *session;
    struct pp_http_request *todo, *last_todo;
    uint32_t budget;    /* see http2.c */
    uint8_t flooded;    /* that spent more than it has is told to calm down */
    uint8_t is_leaving; /* GOAWAY was said: no new requests */
    uint64_t budget_at_ms;
    size_t head_bytes;
    int64_t unknown_bytes;
    size_t moved; /* payload bytes that did not earn yet */
};

struct pp_http_server {
    struct event_base *base;
    struct pp_http_server_config config;
    struct pp_http_route routes[PP_HTTP_ROUTES_MAX];
    size_t body_bytes;
    /* Given back ones first; then those that nobody has used, whose pages are not there yet. */
    struct pp_http_conn *conns, *free_conn;
    uint32_t conns_used;
    struct pp_http_request *slots, *free_slot;
    uint32_t slots_used;
    uint32_t slots_taken; /* and not given back */
    struct pp_http_out *outs, *free_out;
    uint32_t outs_used;
    uint8_t *buffers; /* of the requests: head, body, pieces, arena */
    size_t buffers_each;
    uint8_t *memory; /* behind all of these */
    size_t memory_len;
    uint32_t open_count; /* connections, and requests that outlived theirs */
    struct listener {
        struct pp_http_server *server;
        struct event event;
        uint32_t is_tls;
    } listeners[PP_HTTP_LISTENERS_MAX];
    size_t listener_count;
    struct event accept_again;
    struct event drained;
    uint32_t draining;
    void (*drain_done)(void *ctx);
    void *drain_ctx;
    struct pp_http_stats stats;
    SSL_CTX *tls;
    BIO_METHOD *tls_socket;
    nghttp2_session_callbacks *h2_callbacks;
    nghttp2_option *h2_options;
    uint8_t in[1 << 14]; /* what was just read, before HTTP/2 takes it */
};

/* --- http_server.c -------------------------------------------------------------------------- */

/* A connected socket, which it owns from here on; `sa` is the client's. */
void pp_http_server_take_(struct pp_http_server *s, int fd, int is_tls,
                          const struct sockaddr_storage *sa, socklen_t len);
/* There is one for each connection. */
struct pp_http_out *pp_http_out_take_(struct pp_http_server *s);
void pp_http_out_release_(struct pp_http_server *s, struct pp_http_out *out);
/* NULL: all are in use, or the connection's address has its share of them. */
struct pp_http_request *pp_http_slot_take_(struct pp_http_conn *c);
/* Gives it back, unless the connection or the handler has still to do with it. */
void pp_http_slot_release_(struct pp_http_request *q);
void pp_http_server_count_down_(struct pp_http_server *s);

/* --- http_request.c ------------------------------------------------------------------------- */

void pp_http_request_init_(struct pp_http_request *q);
void pp_http_wait_(struct pp_http_request *q, enum pp_http_wait wait);
/* Chooses the route and the place of the body; 0: it was answered with a refusal. */
int pp_http_route_(struct pp_http_request *q);
/* What the handler has to hear of: the request, or that its body grew. */
void pp_http_tell_(struct pp_http_request *q);
void pp_http_refuse_(struct pp_http_request *q, uint32_t status);
void pp_http_tell_gone_(struct pp_http_request *q);
/* What lies in its place of the body, the arena and the pieces. */
void pp_http_wipe_(struct pp_http_request *q);
/* The connection has nothing to do with it any more. */
void pp_http_unwire_(struct pp_http_request *q);
/* All that it had to send is out: a `room` that waits is called. */
void pp_http_drained_(struct pp_http_request *q);
int pp_http_is_head_(const struct pp_http_request *q);
/* The rest of an answer's body must outlive the call that gave it. */
void pp_http_keep_body_(struct pp_http_request *q, const struct pp_http_reply *r);
/* NO_SPACE, RANGE, LIMIT, FORMAT: an answer that cannot be sent. */
PP_MUST pp_res pp_http_reply_check_(const struct pp_http_request *q, const struct pp_http_reply *r);

/* --- http_conn.c ---------------------------------------------------------------------------- */

void pp_http_conn_init_(struct pp_http_conn *c);
void pp_http_conn_start_(struct pp_http_conn *c, int fd, int is_tls);
void pp_http_conn_close_(struct pp_http_conn *c);
void pp_http_conn_wait_(struct pp_http_conn *c, enum pp_http_c_wait wait);
void pp_http_conn_pause_(struct pp_http_conn *c);
int pp_http_conn_resume_(struct pp_http_conn *c);                     /* 0: it was closed */
int pp_http_conn_watch_(struct pp_http_conn *c, struct event *event); /* 0: it was closed */

/* Bytes, or 0: nothing now, or -1: the client has left, or its TLS is wrong. */
ssize_t pp_http_conn_read_(struct pp_http_conn *c, uint8_t *at, size_t cap);

/* Sends what waits, and what the protocol has to say. It may close the connection: returns 0. */
int pp_http_conn_flush_(struct pp_http_conn *c);
/* The same, by the loop. */
void pp_http_conn_flush_soon_(struct pp_http_conn *c);
/* Answers 503 (in clear) and closes. */
void pp_http_conn_turn_away_(struct pp_http_server *s, int fd, int is_tls);

/* --- http1.c and http2.c: what a connection asks of its protocol ---------------------------- */

void pp_http1_read_(struct pp_http_conn *c);
void pp_http1_begin_(struct pp_http_conn *c, struct pp_span first); /* bytes that came already */
void pp_http1_closed_(struct pp_http_conn *c);
void pp_http1_fill_(struct pp_http_conn *c, struct pp_http_out *out);
void pp_http1_sent_(struct pp_http_conn *c); /* all of it */
void pp_http1_answer_(struct pp_http_request *q, const struct pp_http_reply *r);
void pp_http1_pieces_(struct pp_http_request *q);
void pp_http1_cut_(struct pp_http_request *q);
void pp_http1_taken_(struct pp_http_request *q, size_t len);

PP_MUST pp_res pp_http2_make_(struct pp_http_server *s);
void pp_http2_done_(struct pp_http_server *s);
void pp_http2_begin_(struct pp_http_conn *c, struct pp_span first); /* bytes that came already */
void pp_http2_end_(struct pp_http_conn *c);
void pp_http2_read_(struct pp_http_conn *c);
void pp_http2_fill_(struct pp_http_conn *c, struct pp_http_out *out);
void pp_http2_sent_(struct pp_http_conn *c);
void pp_http2_drain_(struct pp_http_conn *c);
void pp_http2_answer_(struct pp_http_request *q, const struct pp_http_reply *r);
void pp_http2_pieces_(struct pp_http_request *q);
void pp_http2_cut_(struct pp_http_request *q);
void pp_http2_taken_(struct pp_http_request *q, size_t len);

/* --- http_tls.c ----------------------------------------------------------------------------- */

/* A session on the connection's socket. 0: no memory. */
int pp_http_tls_start_(struct pp_http_conn *c);
void pp_http_tls_end_(struct pp_http_conn *c);
/* 1: done; 0: later; -1: it failed. */
int pp_http_tls_handshake_(struct pp_http_conn *c);
int pp_http_tls_chose_http2_(const struct pp_http_conn *c);
ssize_t pp_http_tls_read_(struct pp_http_conn *c, uint8_t *at, size_t cap);
ssize_t pp_http_tls_write_(struct pp_http_conn *c, const uint8_t *at, size_t len);
int pp_http_tls_has_more_(const struct pp_http_conn *c); /* 1: it read more than was asked for */
void pp_http_tls_done_(struct pp_http_server *s);

#endif
