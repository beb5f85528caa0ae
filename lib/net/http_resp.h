/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_resp.h: reading responses of HTTP/1.1 (RFC 9112), without sockets; and the checks of a head
 * that HTTP/2 shares.
 *
 *     for (;;)
 *         switch (pp_http_resp_next(&r, &in, &body)) {
 *         case PP_HTTP_RESP_MORE:      `in` is empty: read more of the connection
 *         case PP_HTTP_RESP_HEAD:      r.head is the final response's
 *         case PP_HTTP_RESP_BODY:      take some of `body`: pp_http_resp_take
 *         case PP_HTTP_RESP_DONE:      what is left in `in` is none of it
 *         case PP_HTTP_RESP_FAILED:    r.failed is the enum pp_code
 *         }
 *
 * Stricter than RFC 9112 wherever two readers could disagree: lines end with CR LF alone, no line
 * is folded, a length and a coding each stand once and never together, and a response that only the
 * end of the connection would end is refused. How the bytes were split never matters.
 */
#ifndef PP_HTTP_RESP_H
#define PP_HTTP_RESP_H

#include "http.h"

enum {
    PP_HTTP_RESP_HEAD_BYTES_MAX = 16384, /* interim heads, the final one and trailers together */
    PP_HTTP_RESP_LINES_MAX = 64,         /* of one head */
    PP_HTTP_RESP_CHUNK_LINE_MAX = 256,   /* a chunk's size and its extensions */
    PP_HTTP_RESP_CHUNK_DIGITS_MAX = 15,  /* below 2^60: no sum of lengths can wrap */
};

struct pp_http_resp_head {
    uint32_t status;
    uint32_t length_count, coding_count, type_count; /* how many of these fields there were */
    uint32_t content_coding_count;
    enum pp_http_content_coding content_coding;
    uint32_t is_chunked; /* the one coding that we know */
    uint32_t says_close;
    uint64_t length;
    size_t type_len;
    char type[PP_HTTP_TYPE_BYTES_MAX];
};

/* Takes a field into account; 0 or the enum pp_code to fail with: FORMAT, LIMIT. */
uint32_t pp_http_resp_field_(struct pp_http_resp_head *h, struct pp_span name,
                             struct pp_span value);

/* 0, or FORMAT: a status that is no final one, or fields that contradict each other. */
uint32_t pp_http_resp_check_(const struct pp_http_resp_head *h);

enum pp_http_resp_event {
    PP_HTTP_RESP_MORE = 0,
    PP_HTTP_RESP_HEAD,
    PP_HTTP_RESP_BODY,
    PP_HTTP_RESP_DONE,
    PP_HTTP_RESP_FAILED,
};

enum pp_http_resp_at {
    PP_HTTP_RESP_AT_STATUS = 0,
    PP_HTTP_RESP_AT_FIELDS,
    PP_HTTP_RESP_AT_LENGTH,     /* a body of known length */
    PP_HTTP_RESP_AT_CHUNK_SIZE, /* RFC 9112 7.1 */
    PP_HTTP_RESP_AT_CHUNK,
    PP_HTTP_RESP_AT_CHUNK_END,
    PP_HTTP_RESP_AT_TRAILERS,
    PP_HTTP_RESP_AT_END,
    PP_HTTP_RESP_AT_FAILURE,
};

struct pp_http_resp {
    struct pp_http_resp_head head;
    enum pp_http_resp_at at;
    uint32_t failed;      /* enum pp_code */
    uint32_t is_bodiless; /* the answer to HEAD */
    uint32_t keep_alive;  /* behind the final head: the connection may be used again */
    size_t head_bytes, lines;
    uint64_t left; /* of the body, or of the chunk */
    uint8_t *line; /* PP_HTTP_RESP_HEAD_BYTES_MAX of the owner's: a line that is not whole yet */
    size_t line_len;
};

void pp_http_resp_init(struct pp_http_resp *r, uint8_t *line, uint32_t is_bodiless);

/* `in` moves past what was read. `ret_body` borrows from it, and is set with BODY alone. */
enum pp_http_resp_event pp_http_resp_next(struct pp_http_resp *r, struct pp_span *in,
                                          struct pp_span *ret_body);
void pp_http_resp_take(struct pp_http_resp *r, struct pp_span *in, size_t len);

/* Bytes that can be read elsewhere, without `in` (0: none), and that they were. */
uint64_t pp_http_resp_direct(const struct pp_http_resp *r);
void pp_http_resp_filled(struct pp_http_resp *r, size_t len);

/* The connection ended in the midst: FORMAT within a line of the head, else CLOSED. */
uint32_t pp_http_resp_end(const struct pp_http_resp *r);

#endif
