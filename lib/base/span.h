/* SPDX-License-Identifier: Apache-2.0 */
/* span.h: a borrowed view of bytes. Says where they are, owns nothing. */
#ifndef PP_SPAN_H
#define PP_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pp_span {
    const uint8_t *at; /* may be NULL when len is 0 */
    size_t len;        /* bytes */
};

/* The bytes of a string literal or char array, without its final NUL. */
#define PP_STR(literal)                                                                            \
    ((struct pp_span){ (const uint8_t *)("" literal ""), sizeof("" literal "") - 1 })
/* All bytes of an array. */
#define PP_BYTES(array) ((struct pp_span){ (array), sizeof(array) })

static inline struct pp_span pp_span(const void *at, size_t len)
{
    return (struct pp_span){ (const uint8_t *)at, len };
}

/* For C strings of the program itself (arguments, file names); never for bytes from the network. */
static inline struct pp_span pp_span_cstr(const char *s)
{
    return (struct pp_span){ (const uint8_t *)s, s == NULL ? 0 : strlen(s) };
}

/* 1 if equal, 0 if not; public bytes only, secrets use pp_ct_eq. */
static inline int pp_span_eq(struct pp_span a, struct pp_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Bytewise order, a shorter prefix first: negative, 0 or positive. */
static inline int pp_span_cmp(struct pp_span a, struct pp_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.at, b.at, n);

    if (c != 0)
        return c;
    return (a.len > b.len) - (a.len < b.len);
}

#endif
