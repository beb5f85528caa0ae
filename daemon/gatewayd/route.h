/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h: what a gateway reads in a message and writes into an answer (pp-wire 3). Bytes in, bytes
 * out; no keys, no sockets.
 */
#ifndef GW_ROUTE_H
#define GW_ROUTE_H

#include "result.h"
#include "span.h"
#include "wr.h"

enum {
    GW_AUTHORITY_BYTES_MAX = 64,
    GW_BUCKET_REFUSED_BYTES = 1024, /* answers to what is neither #1 nor #2 */
    GW_ANSWER_HEAD_BYTES = 4,       /* of the indeterminate-length form, without a field */
    GW_ANSWER_HEAD_BYTES_MAX = GW_ANSWER_HEAD_BYTES + 1 + 10 + 2 + 98, /* with its `pp-session` */
};

enum gw_kind {
    GW_REFUSED = 0,
    GW_SESSION_OPEN = 1,     /* exchange #1 */
    GW_SESSION_CONTINUE = 2, /* exchange #2 */
};

/* Spans borrow from the message. */
struct gw_request {
    enum gw_kind kind;
    uint32_t status;              /* GW_REFUSED: 400, 403 or 417 */
    size_t bucket_bytes;          /* of the answer's whole OHTTP body, whatever the outcome */
    struct pp_span authorization; /* #1: the field's value, not looked at yet */
    struct pp_span handle;        /* #2: the path behind /v1/sessions/, not looked at yet */
    struct pp_span content;       /* TLS bytes */
};

/*
 * Reads the message of an OHTTP body of `body_bytes`, which came in chunks or as a whole. Total:
 * what is not exactly #1 or #2 (form, fields, size) is GW_REFUSED. 403: well-made, but for another
 * target; 417: an expectation in a whole message, which cannot be met (RFC 9458, 5.1); 400:
 * everything else.
 */
struct gw_request gw_route(struct pp_span message, size_t body_bytes, int is_chunked,
                           struct pp_span authority);

struct gw_answer {
    uint32_t status;
    struct pp_span handle;  /* #1 with 200: field `pp-session`; else empty */
    struct pp_span content; /* TLS bytes */
};

/*
 * Appends the beginning of an answer in the indeterminate-length form, to its content: at most
 * GW_ANSWER_HEAD_BYTES_MAX.
 */
PP_MUST pp_res gw_answer_head_write(const struct gw_answer *a, struct pp_wr *wr);

/* Appends the answer, padded to exactly `total` bytes. RANGE when it does not fit. */
PP_MUST pp_res gw_answer_write(const struct gw_answer *a, size_t total, struct pp_wr *wr);

#endif
