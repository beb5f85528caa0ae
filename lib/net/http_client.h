/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client.h: HTTP requests, asynchronous on a loop, or blocking for command line tools:
 * HTTP/1.1, and HTTP/2 where the caller wants it.
 *
 * What is sent is what was asked for: Host, Content-Length, and the given fields; no User-Agent,
 * no Accept, no Expect, no cookies. No redirects, no proxies, no environment variables. A request
 * is sent at most once: when a kept connection turns out to be dead, the call fails with CLOSED,
 * and whether to try again is the caller's decision (for anything that carries a token it must
 * not).
 *
 * Addresses are numeric in a sandboxed daemon; names need pp_http_client_pin before the sandbox.
 * A response needs Content-Length or chunked framing: one that merely ends could be a truncated
 * one.
 */
#ifndef PP_HTTP_CLIENT_H
#define PP_HTTP_CLIENT_H

#include "http.h"
#include "loop.h"

enum {
    PP_HTTP_CALLS_MAX = 1024,
    PP_HTTP_URL_BYTES_MAX = 1024,
    PP_HTTP_RESPONSE_BYTES_MAX = 64 << 20,
    PP_HTTP_DEADLINE_MS_MAX = 600000,
    PP_HTTP_PIECE_BYTES_MAX = 16384, /* that `piece` is given at a time */
};

struct pp_http_client;
struct
    pp_http_pending; /* a call that was started; valid until its `done`, or until it is cancelled */

struct pp_http_client_config {
    uint32_t calls_max;        /* [64] at once, waiting ones included */
    size_t response_bytes_max; /* [65536] of a body; this much memory per call is set aside */
    uint32_t connections_per_host_max; /* [16] calls beyond wait for a free one */
    uint32_t idle_s_max;   /* [20] an older kept connection is not used again; keep it below
                                          the server's idle limit */
    struct pp_span ca_pem; /* trust anchors for https; empty: https is refused */
    uint32_t http2; /* 1: HTTP/2, by ALPN (or HTTP/1.1 where the server has none) over TLS, where
                              many calls share a connection; and with prior knowledge in clear */
};

/* What a pull source says when it has no bytes now. */
enum { PP_HTTP_PULL_END = 0, PP_HTTP_PULL_LATER = -1, PP_HTTP_PULL_ABORT = -2 };

/* Borrowed until `done` returns. */
struct pp_http_response {
    uint32_t status;
    struct pp_span type; /* Content-Type, empty if absent */
    enum pp_http_content_coding content_coding;
    struct pp_span body;
};

struct pp_http_call {
    const char *method;                 /* "GET", "POST" */
    const char *url;                    /* "http://127.0.0.1:8080/gateway" */
    const char *unix_path;              /* connect here instead; NULL: to the URL's host */
    const struct pp_http_field *fields; /* exactly these, up to PP_HTTP_SENT_FIELDS_MAX; copied */
    size_t field_count;
    struct pp_span body;  /* borrowed until `done` */
    uint32_t deadline_ms; /* for the whole call; 1..PP_HTTP_DEADLINE_MS_MAX */

    /* A body in pieces in place of `body`, and an answer in pieces; each NULL if not wanted. They
     * are called from the loop, and may not cancel a call or start one: they say so with what they
     * return. */

    /*
     * Writes up to `cap` bytes to `at` and returns how many; or PP_HTTP_PULL_END; or LATER, and
     * pp_http_client_resume when there are some; or ABORT (`done` gets CANCELLED). The body has
     * chunks in HTTP/1.1.
     */
    long (*pull)(void *ctx, uint8_t *at, size_t cap);

    /*
     * The final head, then pieces of the body as they come: `response` of `done` has no body then,
     * and response_bytes_max of the client does not limit it. `piece` takes all and returns 1, or
     * nothing and 0: the same bytes come again behind pp_http_client_resume, and the server is held
     * back meanwhile, in HTTP/2 for this call alone. -1 ends the call, and `done` gets CANCELLED.
     * Only an OK in `done` says that the body was whole.
     */
    int (*head)(void *ctx, const struct pp_http_response *response); /* 1, or -1 */
    int (*piece)(void *ctx, struct pp_span bytes);
    void *ctx; /* of these three */
};

/* `response` is NULL unless `r` is OK; any status is OK. */
typedef void (*pp_http_done_fn)(void *ctx, pp_res r, const struct pp_http_response *response);

/* NO_MEMORY, RANGE. */
PP_MUST pp_res pp_http_client_new(struct pp_loop *loop, const struct pp_http_client_config *c,
                                  struct pp_http_client **ret);
void pp_http_client_free(struct pp_http_client *c); /* cancels all calls; NULL is fine */

/*
 * The port of a URL of a configuration, for the sandbox's list; at the same time the check that a
 * client can call it: http or https, a host, no user, no fragment, at most PP_HTTP_URL_BYTES_MAX
 * printable bytes. FORMAT, RANGE, NO_MEMORY.
 */
PP_MUST pp_res pp_http_url_port(struct pp_span url, uint16_t *ret);

/*
 * Resolves the host of `url` now and uses that address from then on. With the system's resolver, so
 * before the sandbox; a numeric host needs it not. NETWORK (detail = getaddrinfo's number), FORMAT.
 */
PP_MUST pp_res pp_http_client_pin(struct pp_http_client *c, const char *url);

/*
 * Starts a call; `done` is called exactly once from the loop, unless it is cancelled before.
 * Fails at once, without `done`, with BUSY (calls_max), RANGE or FORMAT (the call), NO_MEMORY.
 * `done` gets NETWORK (nobody there, or no TLS 1.3; detail = errno, or getaddrinfo's number),
 * CLOSED (it ended in the midst, the server refused this call, or hung up before it was sent),
 * TIMEOUT, LIMIT (response too large), FORMAT (malformed response), UNVERIFIED (certificate). It
 * may start and cancel calls, and free the client.
 */
PP_MUST pp_res pp_http_client_start(struct pp_http_client *c, const struct pp_http_call *call,
                                    pp_http_done_fn done, void *ctx, struct pp_http_pending **ret);

/* Its pull source has bytes again, or its `piece` takes some: they are called from the loop. */
void pp_http_client_resume(struct pp_http_pending *p);

/* `done` will not be called; the connection is closed if the request was on its way. */
void pp_http_client_cancel(struct pp_http_pending *p);

struct pp_http_result {
    uint32_t status;
    char type[PP_HTTP_TYPE_BYTES_MAX + 1]; /* NUL-terminated, "" if absent */
    uint8_t *body;                         /* malloc'ed; pp_http_result_done frees */
    size_t body_len;
};

void pp_http_result_done(struct pp_http_result *r); /* safe on the zero state */

/*
 * One blocking call with a client of its own, for tools; names are resolved by the system. Errors
 * as above. `c` may be NULL for the defaults.
 */
PP_MUST pp_res pp_http_call(const struct pp_http_client_config *c, const struct pp_http_call *call,
                            struct pp_http_result *ret);

#endif
