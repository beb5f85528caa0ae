/* SPDX-License-Identifier: Apache-2.0 */
/* http_out.h: bytes that wait to be sent on a connection, of the server or the client. */
#ifndef PP_HTTP_OUT_H
#define PP_HTTP_OUT_H

#include "result.h"
#include "span.h"

enum {
    PP_HTTP_OUT_FILL = 1 << 16, /* of unsent output: no more is made before this much has left */
    PP_HTTP_OUT_BYTES = PP_HTTP_OUT_FILL + (1 << 14) + 64, /* and one whole HTTP/2 frame */
};

struct pp_http_out {
    struct pp_http_out *next_free;
    size_t from, len;
    uint8_t bytes[PP_HTTP_OUT_BYTES];
};

static inline void pp_http_out_append_(struct pp_http_out *out, const void *at, size_t len)
{
    PP_ASSERT(len <= sizeof out->bytes - out->len);
    if (len > 0)
        memcpy(out->bytes + out->len, at, len);
    out->len += len;
}

static inline size_t pp_http_out_room_(const struct pp_http_out *out)
{
    return out->len < PP_HTTP_OUT_FILL ? PP_HTTP_OUT_FILL - out->len : 0;
}

#endif
