/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.h: the relay's one job: an encapsulated request in, a new request with the same body to
 * the one gateway, its answer out (RFC 9458, section 6.1; docs/protocol/ohttp.md, "Relay").
 *
 * The new request is built from nothing: method, resource, content type, length. Nothing of the
 * client's request but its body goes on; nothing is kept or logged of either; nothing is retried.
 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include "net.h"

enum {
    RELAY_REQUEST_BYTES_MIN = 7,          /* the header of an encapsulated request */
    RELAY_REQUEST_BYTES_MAX = 256 * 1024, /* the largest bucket */
    RELAY_RESPONSE_BYTES_MAX = 64 * 1024, /* above the largest bucket */
    RELAY_SCRATCH_BYTES = RELAY_RESPONSE_BYTES_MAX + 1024,
};

/* Since the start, for events. */
struct relay_totals {
    uint64_t answered;    /* the gateway's encapsulated answer went back */
    uint64_t refused;     /* refused here, or by the gateway in clear */
    uint64_t unreachable; /* 502 */
    uint64_t late;        /* 504 */
};

struct relay_forward {
    struct pp_http_client *client; /* borrowed */
    const char *url;               /* of the gateway's resource; borrowed */
    const char *unix_path;         /* connect there instead; NULL: to the URL's host */
    uint32_t deadline_ms;
    struct relay_totals totals;
};

/* The handler of POST; `ctx` is the relay_forward. Needs an arena of RELAY_SCRATCH_BYTES. */
void relay_forward_post(void *ctx, struct pp_http_request *q);

#endif
