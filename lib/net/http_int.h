/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_int.h: reading requests, without sockets: bytes in, a request or a refusal out.
 *
 *     for (;;) {
 *         cap = pp_http_in_space(in, &at);          where to put what arrives
 *         pp_http_in_filled(in, n);                 n bytes were put there
 *         in->step == PP_HTTP_HEAD      choose the body's memory: pp_http_in_body, or refuse
 *         in->step == PP_HTTP_DONE      handle; then pp_http_in_next
 *         in->step == PP_HTTP_REFUSED   answer in->refused and close
 *     }
 *
 * http_parser (strict) does the parsing. In front of it stand checks of our own, since it takes
 * bare LF, folded lines, chunk extensions and repeated fields, each of which two programs on one
 * path can read differently. How the bytes were split never matters.
 */
#ifndef PP_HTTP_INT_H
#define PP_HTTP_INT_H

#include <http_parser.h>

#include "http.h"

enum {
    PP_HTTP_IN_BYTES = 2 * PP_HTTP_HEAD_BYTES_MAX, /* head, and room behind it for chunks */
    PP_HTTP_CHUNK_DIGITS_MAX = 6,                  /* of a chunk's size: above every body limit */
};

enum pp_http_step {
    PP_HTTP_MORE = 0, /* the head or the body is not complete */
    PP_HTTP_HEAD,     /* the head is complete; nothing of the body was looked at */
    PP_HTTP_DONE,     /* the request is complete */
    PP_HTTP_REFUSED,  /* in->refused is the status; nothing more can be read here */
};

enum pp_http_framing { PP_HTTP_NO_BODY = 0, PP_HTTP_LENGTH, PP_HTTP_CHUNKED };

/* Where in a chunked body the next byte stands. */
enum pp_http_chunk {
    PP_HTTP_CHUNK_SIZE = 0,
    PP_HTTP_CHUNK_SIZE_LF,
    PP_HTTP_CHUNK_DATA,
    PP_HTTP_CHUNK_DATA_CR,
    PP_HTTP_CHUNK_DATA_LF,
    PP_HTTP_CHUNK_END_CR,
    PP_HTTP_CHUNK_END_LF,
    PP_HTTP_CHUNK_COMPLETE,
};

struct pp_http_in {
    enum pp_http_step step;
    uint32_t refused; /* the status, once refused */
    uint8_t *buf;     /* PP_HTTP_IN_BYTES of the owner's memory */
    size_t len;       /* bytes in it */
    size_t high;      /* the most that ever were: what is to be wiped */
    size_t looked;    /* bytes that the head's checks have seen */
    size_t line;      /* where the line begins that `looked` is in */
    size_t head_len;  /* 0 until the head is complete */
    size_t at;        /* next byte behind the head */

    /* The head; spans point into buf. */
    struct pp_span method, target, path, query;
    struct pp_http_field fields[PP_HTTP_FIELDS_MAX];
    size_t field_count;
    uint32_t too_many_fields;
    uint32_t keep_alive;

    /* The body, in the owner's memory. */
    enum pp_http_framing framing;
    uint64_t length; /* of PP_HTTP_LENGTH */
    uint8_t *body;
    size_t body_len;   /* bytes in it */
    size_t body_room;  /* that it can have at a time */
    size_t body_total; /* that came, those included that were taken */
    size_t body_cap;   /* that may come */
    enum pp_http_chunk chunk;
    uint64_t chunk_left;
    uint32_t chunk_digits;
    http_parser parser;
};

/* Over the owner's PP_HTTP_IN_BYTES. */
void pp_http_in_init(struct pp_http_in *in, uint8_t *buf);

size_t pp_http_in_space(struct pp_http_in *in, uint8_t **ret_at);
void pp_http_in_filled(struct pp_http_in *in, size_t n);

/*
 * Behind PP_HTTP_HEAD: the body goes to `body`; one longer than `cap` is refused with 413. Where
 * `room` is less, the owner takes bytes from its front, and nothing is read while there is none
 * (pp_http_in_space gives 0); pp_http_in_go_on then reads what is there already.
 */
void pp_http_in_body(struct pp_http_in *in, uint8_t *body, size_t room, size_t cap);
void pp_http_in_take(struct pp_http_in *in, size_t len);
void pp_http_in_go_on(struct pp_http_in *in);
void pp_http_in_refuse(struct pp_http_in *in, uint32_t status);

/* Behind PP_HTTP_DONE: wipes the request; bytes that came behind it become the next one's. */
void pp_http_in_next(struct pp_http_in *in);

/*
 * The checks of a head whose method, target and fields (Host among them) are set, whoever has read
 * it; the names lie in `buf` and become lower case. The status to refuse with, or 0.
 */
uint32_t pp_http_in_check_(struct pp_http_in *in);

/* 1 if nothing of a request has arrived. */
static inline int pp_http_in_is_idle(const struct pp_http_in *in)
{
    return in->step == PP_HTTP_MORE && in->len == 0;
}

/* Shared small things. */
int pp_http_is_word(struct pp_span s, const char *word); /* in any case; `word` is lower case */
struct pp_span pp_http_trim(struct pp_span s);           /* spaces and tabs of both ends */
int pp_http_is_token(struct pp_span s);
int pp_http_is_value(struct pp_span s); /* printable ASCII, spaces and tabs; no line end */
int pp_http_find_(const struct pp_http_field *fields, size_t count, const char *name,
                  struct pp_span *ret);

#endif
