/* SPDX-License-Identifier: Apache-2.0 */
/* http.h: what the HTTP server and client share. docs/protocol/http.md says what we accept. */
#ifndef PP_HTTP_H
#define PP_HTTP_H

#include "result.h"
#include "span.h"

enum {
    PP_HTTP_HEAD_BYTES_MAX = 8192,   /* request line and fields, with the empty line */
    PP_HTTP_TARGET_BYTES_MAX = 1024, /* path and query */
    PP_HTTP_FIELDS_MAX = 48,         /* of a received message */
    PP_HTTP_SENT_FIELDS_MAX = 8,     /* of a message that we send, beside those that we must */
    PP_HTTP_TYPE_BYTES_MAX = 127,    /* a received Content-Type */
};

/* Content-Encoding of an answer (RFC 9110 8.4.1); nothing here unpacks one. */
enum pp_http_content_coding {
    PP_HTTP_IDENTITY = 0, /* no such field, or one that says so */
    PP_HTTP_GZIP,
    PP_HTTP_OTHER_CODING, /* one that is not known, or several */
};

struct pp_http_field {
    struct pp_span name;  /* lower case in what was received */
    struct pp_span value; /* without the white space around it */
};

#endif
