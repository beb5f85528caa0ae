/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h: a connection that carries bytes both ways (TCP or unix), non-blocking, with fixed
 * buffers. The frames of pp-wire 4 travel on these.
 *
 * Back-pressure: when the input buffer is full, nothing more is read until the user consumes;
 * when the output buffer has no room, pp_stream_write refuses with BUSY and `drained` tells when
 * to go on. Memory is taken when a stream is made, never later, and wiped when it is freed.
 */
#ifndef PP_STREAM_H
#define PP_STREAM_H

#include "address.h"
#include "loop.h"

enum { PP_STREAM_BUFFER_BYTES_MAX = 4 << 20, PP_STREAM_CONNECTIONS_MAX = 4096 };

struct pp_stream;
struct pp_stream_server;

struct pp_stream_config {
    size_t in_bytes_max;  /* unread input that is kept; at least one whole frame */
    size_t out_bytes_max; /* unsent output that is kept */

    /* Input arrived: look at pp_stream_input, consume what is complete. */
    void (*readable)(void *ctx, struct pp_stream *s);
    /* The output buffer was refused as full before and is empty now; may be NULL. */
    void (*drained)(void *ctx, struct pp_stream *s);
    /*
     * The stream is of no use any more, called once: OK (the peer closed between bytes; input
     * that is left can still be read here), CLOSED (reset), TIMEOUT (a deadline of
     * pp_stream_deadline, or connecting took too long), NETWORK (nobody there; detail = errno),
     * SYSTEM (out of resources). The user frees it, now or later.
     */
    void (*ended)(void *ctx, struct pp_stream *s, pp_res why);
    void *ctx;
};

/*
 * Connects; the stream can be written to at once, and what is written leaves when the connection
 * stands. Failure to connect comes as `ended`. NO_MEMORY, RANGE, SYSTEM.
 */
PP_MUST pp_res pp_stream_connect(struct pp_loop *loop, const struct pp_address *to,
                                 const struct pp_stream_config *c, uint32_t connect_timeout_ms,
                                 struct pp_stream **ret);

/* Takes over a connected socket (an inherited descriptor). NO_MEMORY, RANGE, SYSTEM. On failure the
 * descriptor stays the caller's. */
PP_MUST pp_res pp_stream_take(struct pp_loop *loop, int fd, const struct pp_stream_config *c,
                              struct pp_stream **ret);

void pp_stream_free(struct pp_stream *s); /* closes at once, unsent output is lost; NULL is fine */

/* The unread input, contiguous. Borrowed until the next call on `s` or the next callback. */
struct pp_span pp_stream_input(const struct pp_stream *s);
void pp_stream_consume(struct pp_stream *s, size_t len);

/* Appends all of `bytes` or nothing: BUSY (no room now), LIMIT (never room), CLOSED (ended). */
PP_MUST pp_res pp_stream_write(struct pp_stream *s, struct pp_span bytes);

/*
 * 1 when a write of `len` bytes would be taken now. 0 counts as a refused write, so `drained` tells
 * when to ask again: for who must not make the bytes before there is room for them.
 */
int pp_stream_fits(struct pp_stream *s, size_t len);

/* Ends the stream with TIMEOUT unless it is called again within `after_ms`; 0: no deadline. While
 * the stream is connecting it has the time for that alone, and this one begins behind it. */
void pp_stream_deadline(struct pp_stream *s, uint32_t after_ms);

/* Sends what is buffered, then closes the sending side. The peer's answer can still be read. */
void pp_stream_finish(struct pp_stream *s);

/* For the user's own bookkeeping; starts as the config's ctx. Callbacks get it. */
void pp_stream_set_ctx(struct pp_stream *s, void *ctx);

struct pp_stream_server_config {
    struct pp_stream_config stream; /* of each accepted stream */
    uint32_t connections_max;       /* more are closed at once */
    /*
     * A new stream; the user owns it, and sets its ctx. Return 0 to have it freed at once.
     */
    int (*accepted)(void *ctx, struct pp_stream *s);
    void *ctx;
};

/* Accepts on `l`, which is borrowed until the server is free. NO_MEMORY, RANGE. */
PP_MUST pp_res pp_stream_server_new(struct pp_loop *loop, const struct pp_listener *l,
                                    const struct pp_stream_server_config *c,
                                    struct pp_stream_server **ret);

/* Stops accepting; accepted streams live on, and free themselves of the count. NULL is fine. */
void pp_stream_server_free(struct pp_stream_server *s);

#endif
