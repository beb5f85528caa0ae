/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.h: the relay's one job: an encapsulated request in, a new request with the same body to
 * the one gateway, its answer out (RFC 9458, section 6.1; docs/protocol/ohttp.md, "Relay").
 *
 * The new request is built from nothing: method, resource, content type, length. Nothing of the
 * client's request but its body goes on; nothing is kept or logged of either; nothing is retried.
 *
 * A whole message is complete here before its first byte leaves, so that the gateway learns nothing
 * of the client's line; with a `hold` it then waits for others. A chunked one is a stream both ways
 * (chunked.c), as its sender asked for.
 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include "hold.h"
#include "net.h"

enum {
    RELAY_REQUEST_BYTES_MIN = 7,          /* the header of an encapsulated request */
    RELAY_REQUEST_BYTES_MAX = 256 * 1024, /* the largest bucket; chunked ones too */
    RELAY_RESPONSE_BYTES_MAX = 64 * 1024, /* above the largest bucket; whole ones */
    RELAY_STREAM_BYTES_MAX = 16 << 20,    /* of a chunked response */
    RELAY_PROBLEM_BYTES_MAX = 4096,       /* of a problem document in place of one */
    RELAY_SCRATCH_BYTES = RELAY_REQUEST_BYTES_MAX + RELAY_RESPONSE_BYTES_MAX + 8192,
};

/* Since the start, for events. */
struct relay_totals {
    uint64_t answered;    /* the gateway's encapsulated answer went back */
    uint64_t refused;     /* refused here, or by the gateway in clear */
    uint64_t unreachable; /* 502 */
    uint64_t late;        /* 504 */
};

struct relay_forward {
    struct pp_http_client *client;  /* for whole messages; borrowed */
    struct pp_http_client *streams; /* for chunked ones, without http2: each has a connection of its
                                       own, whose end is the stream's; borrowed */
    struct relay_hold *hold;        /* borrowed; NULL: whole messages leave at once */
    const char *url;                /* of the gateway's resource; borrowed */
    const char *unix_path;          /* connect there instead; NULL: to the URL's host */
    uint32_t deadline_ms;
    struct relay_totals totals;
};

/* The handler of POST, a route with pieces; `ctx` is the relay_forward. Needs an arena of
 * RELAY_SCRATCH_BYTES. */
void relay_forward_post(void *ctx, struct pp_http_request *q);

#endif
