/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wr.h: the sticky writer into the caller's buffer.
 *
 * After the first failure (NO_SPACE, RANGE) writes do nothing; one PP_TRY(pp_wr_ok(wr)) tells.
 * Length prefixes: _begin reserves the prefix and returns a mark, _end fills it in; they nest.
 */
#ifndef PP_WR_H
#define PP_WR_H

#include "result.h"
#include "span.h"

struct pp_wr {
    uint8_t *at;     /* the caller's buffer */
    size_t cap;      /* its size in bytes */
    size_t len;      /* bytes written */
    uint32_t failed; /* enum pp_code of the first failure */
};

struct pp_wr pp_wr_over(void *buf, size_t cap);

void pp_wr_u8(struct pp_wr *wr, uint8_t v);
void pp_wr_u16(struct pp_wr *wr, uint16_t v); /* big-endian, as all without suffix */
void pp_wr_u24(struct pp_wr *wr, uint32_t v);
void pp_wr_u32(struct pp_wr *wr, uint32_t v);
void pp_wr_u64(struct pp_wr *wr, uint64_t v);
void pp_wr_u16le(struct pp_wr *wr, uint16_t v);
void pp_wr_u32le(struct pp_wr *wr, uint32_t v);
void pp_wr_u64le(struct pp_wr *wr, uint64_t v);
void pp_wr_varint(struct pp_wr *wr, uint64_t v); /* RFC 9000 16, shortest; > 2^62-1: RANGE */
void pp_wr_bytes(struct pp_wr *wr, const void *bytes, size_t len);
void pp_wr_span(struct pp_wr *wr, struct pp_span s);
void pp_wr_text(struct pp_wr *wr, const char *text); /* the program's own constants */
void pp_wr_decimal(struct pp_wr *wr, uint64_t v);
void pp_wr_hex(struct pp_wr *wr, struct pp_span s);    /* lower case */
void pp_wr_base64(struct pp_wr *wr, struct pp_span s); /* RFC 4648 4, padded */
void pp_wr_base64url(struct pp_wr *wr, struct pp_span s, int pad);
void pp_wr_zeros(struct pp_wr *wr, size_t len);
void pp_wr_fill_to(struct pp_wr *wr, size_t len); /* zeros until wr->len == len; past it: RANGE */

size_t pp_wr_block8_begin(struct pp_wr *wr);
void pp_wr_block8_end(struct pp_wr *wr, size_t mark);
size_t pp_wr_block16_begin(struct pp_wr *wr);
void pp_wr_block16_end(struct pp_wr *wr, size_t mark);
size_t pp_wr_block24_begin(struct pp_wr *wr);
void pp_wr_block24_end(struct pp_wr *wr, size_t mark);
size_t pp_wr_block32_begin(struct pp_wr *wr);
void pp_wr_block32_end(struct pp_wr *wr, size_t mark);

/* The next `len` bytes for the caller to fill, or NULL after a failure. */
uint8_t *pp_wr_reserve(struct pp_wr *wr, size_t len);

/* What was written so far; borrows the buffer. */
static inline struct pp_span pp_wr_done(const struct pp_wr *wr)
{
    return (struct pp_span){ wr->at, wr->len };
}

#define pp_wr_ok(wr) pp_wr_result_((wr), PP_HERE)
PP_MUST pp_res pp_wr_result_(const struct pp_wr *wr, const char *where);

#endif
