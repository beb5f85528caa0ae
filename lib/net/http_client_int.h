/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client_int.h: what the files of the HTTP client share.
 *
 *     http_client.c         the client: configuration, memory; calls from their start to `done`
 *     http_client_origin.c  whom calls are for: names, who waits, which connection takes whom
 *     http_client_link.c    a connection: socket, TLS, what waits to be sent
 *     http_client_tls.c     anchors, names, and TLS on a connection
 *     http_client_h1.c      a connection that speaks HTTP/1.1: one call at a time
 *     http_client_h2.c      a connection that speaks HTTP/2: an nghttp2 session
 *     http_client_wait.c    one blocking call
 *
 * pp_http_client_start only puts a call into its origin's queue; all else happens in the loop. Each
 * event enters the client and leaves it again: at the end, in one place, waiting calls are given to
 * connections and those that are over are told so. So nothing of a user's runs while the client is
 * in the midst of something, and a `done` may start, cancel, and free whatever it likes.
 */
#ifndef PP_HTTP_CLIENT_INT_H
#define PP_HTTP_CLIENT_INT_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include "http_client.h"
#include "http_out.h"
#include "http_resp.h"
#include "http_url.h"
#include "net_int.h"
#include "tls_socket.h"

enum {
    PP_HTTP_PINS_MAX = 16,
    PP_HTTP_ADDRESSES_MAX = 4,          /* of one name, tried one behind the other */
    PP_HTTP_SENT_LINE_BYTES_MAX = 2048, /* a field that we send */
    PP_HTTP_METHOD_BYTES_MAX = 16,
    /* Method, target and fields of a call. */
    PP_HTTP_TEXT_BYTES = PP_HTTP_METHOD_BYTES_MAX + PP_HTTP_URL_BYTES_MAX + 16 +
                         PP_HTTP_SENT_FIELDS_MAX * PP_HTTP_SENT_LINE_BYTES_MAX,
    PP_HTTP_AUTHORITY_BYTES_MAX = PP_HTTP_HOST_BYTES_MAX + 8, /* brackets, colon and port */
    PP_HTTP_CLIENT_IN_BYTES = 1 << 16,
    PP_HTTP_HELD_1_BYTES = PP_HTTP_PIECE_BYTES_MAX, /* HTTP/1.1: no more is read at a time */
    PP_HTTP_RESETS_MAX = 32,        /* of calls on one connection of HTTP/2; then comes another */
    PP_HTTP_HELD_2_BYTES = 1 << 17, /* HTTP/2: a stream's window: no more can come untaken */
};

struct pp_http_link;
struct pp_http_origin;

/* --- a call --------------------------------------------------------------------------------- */

enum pp_http_p_state {
    PP_HTTP_P_FREE = 0,
    PP_HTTP_P_WAITING, /* in its origin's queue */
    PP_HTTP_P_LINKED,  /* a connection has it */
    PP_HTTP_P_LEFT,    /* HTTP/2: it is whole, some waits to be taken, the connection is gone */
    PP_HTTP_P_OVER,    /* its `done` is due */
    PP_HTTP_P_TOLD,    /* ... and is being called */
};

struct pp_http_pending {
    struct pp_http_client *client;
    struct pp_http_pending *next, *prev; /* free, waiting, of a link, or over */
    enum pp_http_p_state state;
    struct pp_http_origin *origin;
    struct pp_http_link *link; /* LINKED alone */
    struct event deadline, resume;
    uint64_t begun_ms;
    uint32_t deadline_ms;
    pp_res result; /* OVER */

    pp_http_done_fn done;
    void *ctx;
    long (*pull)(void *ctx, uint8_t *at, size_t cap);
    int (*head)(void *ctx, const struct pp_http_response *response);
    int (*piece)(void *ctx, struct pp_span bytes);
    void *pieces_ctx; /* of these three */

    /* The request. */
    uint8_t *text; /* PP_HTTP_TEXT_BYTES, where these spans lie: */
    size_t text_len;
    struct pp_span method, target;
    struct pp_http_field fields[PP_HTTP_SENT_FIELDS_MAX];
    size_t field_count;
    struct pp_span body; /* borrowed: what is left of it to send */
    size_t body_len;     /* all of it */
    uint32_t has_body;
    uint32_t is_head_sent;
    uint32_t is_sent; /* all of it was handed to the connection */

    /* The response. */
    struct pp_http_resp_head answer; /* of HTTP/2; HTTP/1.1 has it in the link's reader */
    size_t head_bytes, head_lines;   /* of HTTP/2 */
    uint32_t is_head_there;          /* the final one */
    uint32_t is_whole;               /* HTTP/2: nothing comes behind what is held */
    uint32_t failed;                 /* enum pp_code: HTTP/2, the reason of a reset of ours */
    int32_t stream;
    uint8_t *got; /* response_bytes_max */
    size_t got_len;
    struct pp_span in_place; /* a whole body that lies in the client's `in` */
    uint8_t *line;           /* PP_HTTP_RESP_HEAD_BYTES_MAX, for the reader */
    uint8_t *held;           /* behind a `piece` of 0: bytes of the connection, or of the body */
    size_t held_from, held_len, held_high;
    uint32_t is_paused;
};

/* --- a connection --------------------------------------------------------------------------- */

enum pp_http_l_state {
    PP_HTTP_L_FREE = 0,
    PP_HTTP_L_CONNECTING,
    PP_HTTP_L_HANDSHAKE,
    PP_HTTP_L_ONE,
    PP_HTTP_L_TWO,
};

struct pp_http_link {
    struct pp_http_client *client;
    struct pp_http_origin *origin;
    struct pp_http_link *next; /* free; or its origin's: idle ones, or those of HTTP/2 */
    enum pp_http_l_state state;
    size_t address; /* of the origin's: which one it tries or has */
    SSL *tls;       /* NULL in clear */
    struct pp_tls_socket socket;
    struct event readable, writable;
    uint32_t had_call;       /* it was of use to somebody */
    uint32_t is_blocked;     /* the socket takes no more: the write event is on */
    uint32_t is_unread;      /* the read event is off */
    uint64_t idle_since_ms;  /* while it is being made: since then */
    uint64_t heard_ms;       /* HTTP/2: when the server last said something */
    struct pp_http_out *out; /* NULL while nothing waits */

    struct pp_http_pending *calls; /* HTTP/1.1: at most one */
    uint32_t call_count;

    struct pp_http_resp resp; /* HTTP/1.1 */
    uint32_t is_mute;         /* it takes nothing any more; an answer may still lie in it */

    nghttp2_session *session; /* HTTP/2 */
    uint32_t is_greeted;      /* the server's SETTINGS are here */
    uint32_t resets;          /* calls that were given up */
    uint32_t is_leaving;      /* no more calls: GOAWAY, silence, PP_HTTP_RESETS_MAX */
    uint32_t is_dirty;        /* something was given to the session: flush */
    uint32_t is_broken;       /* nghttp2 cannot go on */
};

/* --- whom calls are for --------------------------------------------------------------------- */

struct pp_http_place {
    struct pp_address addresses[PP_HTTP_ADDRESSES_MAX];
    size_t count;
};

struct pp_http_origin {
    struct pp_http_client *client;
    struct pp_http_origin *next_due;
    uint32_t is_due;
    uint32_t is_tls;
    uint16_t port;
    char host[PP_HTTP_HOST_BYTES_MAX + 1];
    size_t host_len; /* 0: nobody uses it */
    uint32_t is_ip6;
    char unix_path[PP_ADDRESS_PATH_MAX + 1]; /* empty: none */
    char authority[PP_HTTP_AUTHORITY_BYTES_MAX];
    size_t authority_len;
    struct pp_http_place place; /* once it was looked up */
    struct pp_http_pending *waiting, *last_waiting;
    uint32_t waiting_count;
    struct pp_http_link *idle;   /* HTTP/1.1, the last used one first */
    struct pp_http_link *shared; /* HTTP/2 */
    uint32_t link_count;
    uint32_t connecting_count;
    uint32_t speaks_one; /* where we prefer HTTP/2: it chose HTTP/1.1 */
};

struct pp_http_pin {
    char host[PP_HTTP_HOST_BYTES_MAX + 1];
    size_t host_len;
    uint16_t port;
    struct pp_http_place place;
};

struct pp_http_client {
    struct event_base *base;
    struct pp_http_client_config config;
    struct event work;  /* what a caller left to do */
    uint32_t is_inside; /* an event is being handled; what it leaves to do is done at its end */
    uint32_t *is_freed; /* of who is told that a call is over */
    /* Given back ones first; then those that nobody has used, whose pages are not there yet. */
    struct pp_http_pending *calls, *free_call;
    uint32_t calls_used;
    struct pp_http_link *links, *free_link;
    uint32_t links_used;
    struct pp_http_out *outs, *free_out;
    uint32_t outs_used;
    struct pp_http_origin *origins, *due;
    uint32_t origins_used, origins_max;
    struct pp_http_pending *over, *last_over;
    uint8_t *buffers; /* of calls */
    size_t buffers_each, held_bytes;
    uint8_t *memory; /* behind these */
    size_t memory_len;
    struct pp_http_pin pins[PP_HTTP_PINS_MAX];
    size_t pin_count;
    SSL_CTX *tls; /* NULL: no anchors, or none that can be read */
    BIO_METHOD *tls_socket;
    nghttp2_session_callbacks *h2_callbacks;
    nghttp2_option *h2_options;
    uint8_t in[PP_HTTP_CLIENT_IN_BYTES]; /* what was just read */
};

/* --- http_client.c -------------------------------------------------------------------------- */

void pp_http_client_enter_(struct pp_http_client *c);
/* The last thing that a callback of the loop does: the client may be gone behind it. */
void pp_http_client_leave_(struct pp_http_client *c);
void pp_http_client_wake_(struct pp_http_client *c);

/* Whoever had it has given it up; its `done` will get `r`. */
void pp_http_call_over_(struct pp_http_pending *p, pp_res r);

/* The final head of an answer; its code if the call ends with that: LIMIT, CANCELLED. */
uint32_t pp_http_call_head_(struct pp_http_pending *p, const struct pp_http_resp_head *h);

/* Some of its body: how many bytes were taken; 0 with `*ret_failed`, or if it is paused now. */
size_t pp_http_call_body_(struct pp_http_pending *p, struct pp_span bytes, uint32_t *ret_failed);

/* --- http_client_origin.c ------------------------------------------------------------------- */

/* The one for that place, new if need be; NULL: there is no memory for more. */
struct pp_http_origin *pp_http_origin_of_(struct pp_http_client *c, const struct pp_http_url *u,
                                          const char *unix_path);
void pp_http_origin_wait_(struct pp_http_pending *p);   /* into the queue */
void pp_http_origin_unwait_(struct pp_http_pending *p); /* out of it, and no connection for it */
void pp_http_origin_due_(struct pp_http_origin *o);     /* pump it before leaving the client */
void pp_http_origin_pump_(struct pp_http_origin *o);    /* gives calls to connections */

/* A connection that could not be made: those that waited for it end with `r`. */
void pp_http_origin_failed_(struct pp_http_origin *o, pp_res r);
/* HTTP/2: what has been in the making for that long is ended; who waits gets a new one. */
void pp_http_origin_silent_(struct pp_http_origin *o, uint32_t after_ms);
/* Nobody uses it any more, if so. */
void pp_http_origin_release_(struct pp_http_origin *o);

/* --- http_client_link.c --------------------------------------------------------------------- */

/* A new connection for who waits; it or its failure comes from the loop. NULL: no room. */
struct pp_http_link *pp_http_link_open_(struct pp_http_origin *o);
/* Closes it; its calls end with `r`. */
void pp_http_link_end_(struct pp_http_link *l, pp_res r);
/*
 * The server has ended it: CLOSED. If nobody had used it yet, it is as one that cannot be made: a
 * server that hangs up at once would be called again as fast as the network is.
 */
void pp_http_link_lost_(struct pp_http_link *l);
/* Sends what there is. 0: it has ended. */
int pp_http_link_flush_(struct pp_http_link *l);
/* Bytes, 0: none now, -1: it has ended (nothing is done about it). */
ssize_t pp_http_link_read_(struct pp_http_link *l, uint8_t *at, size_t cap);
void pp_http_link_pause_(struct pp_http_link *l);
void pp_http_link_unpause_(struct pp_http_link *l);
/* HTTP/1.1, unused: 1 if it is as it was left; else it is closed. */
int pp_http_link_is_fresh_(struct pp_http_link *l);
void pp_http_link_add_(struct pp_http_link *l, struct pp_http_pending *p);
void pp_http_link_remove_(struct pp_http_pending *p);
uint64_t pp_http_client_now_ms_(void);

/* --- http_client_tls.c ---------------------------------------------------------------------- */

/* NO_MEMORY. Anchors that cannot be read are none: each call is UNVERIFIED then. */
PP_MUST pp_res pp_http_client_tls_(struct pp_http_client *c);
PP_MUST pp_res pp_http_link_tls_start_(struct pp_http_link *l); /* NO_MEMORY, UNVERIFIED */
void pp_http_link_tls_end_(struct pp_http_link *l);
/* 1: done, 0: later; or it failed: NETWORK, UNVERIFIED. */
PP_MUST pp_res pp_http_link_handshake_(struct pp_http_link *l, int *ret_done);
int pp_http_link_chose_two_(const struct pp_http_link *l);

/* --- http_client_h1.c, http_client_h2.c ----------------------------------------------------- */

void pp_http_one_begin_(struct pp_http_link *l, struct pp_http_pending *p);
void pp_http_one_fill_(struct pp_http_link *l, struct pp_http_out *out);
void pp_http_one_read_(struct pp_http_link *l);
void pp_http_one_resume_(struct pp_http_pending *p);

/* NO_MEMORY. */
PP_MUST pp_res pp_http_two_make_(struct pp_http_client *c);
void pp_http_two_done_(struct pp_http_client *c);
PP_MUST pp_res pp_http_two_start_(struct pp_http_link *l);
void pp_http_two_end_(struct pp_http_link *l);
int pp_http_two_has_room_(const struct pp_http_link *l);
/* 0: it takes no more calls, and has not taken this one. */
int pp_http_two_begin_(struct pp_http_link *l, struct pp_http_pending *p);
void pp_http_two_fill_(struct pp_http_link *l, struct pp_http_out *out);
void pp_http_two_read_(struct pp_http_link *l);
void pp_http_two_resume_(struct pp_http_pending *p);
void pp_http_two_leave_(struct pp_http_pending *p); /* its answer is not wanted any more */
/* 1: nothing is left to do with it. */
int pp_http_two_is_over_(const struct pp_http_link *l);

#endif
