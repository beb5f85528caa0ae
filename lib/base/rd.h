/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rd.h: the sticky reader of bytes from outside.
 *
 * After the first failure every read gives zeros and the first failure stays; one
 * PP_TRY(pp_rd_ok(rd)) tells. Children (pp_rd_block*) cannot see past their length; a child of a
 * failed reader is failed too. Borrowed views point into the caller's bytes. Allocates nothing.
 */
#ifndef PP_RD_H
#define PP_RD_H

#include "result.h"
#include "span.h"

struct pp_rd {
    const uint8_t *at; /* next byte */
    size_t left;       /* bytes from here to the end */
    size_t offset;     /* of `at`, counted from the outermost reader's first byte */
    uint32_t failed;   /* enum pp_code of the first failure; PP_E_OK while fine */
    uint32_t detail;   /* offset of the first failure */
};

struct pp_rd pp_rd_over(const void *bytes, size_t len);
struct pp_rd pp_rd_span(struct pp_span s);

uint8_t pp_rd_u8(struct pp_rd *rd);
uint16_t pp_rd_u16(struct pp_rd *rd); /* big-endian, as all without suffix */
uint32_t pp_rd_u24(struct pp_rd *rd);
uint32_t pp_rd_u32(struct pp_rd *rd);
uint64_t pp_rd_u64(struct pp_rd *rd);
uint16_t pp_rd_u16le(struct pp_rd *rd);
uint32_t pp_rd_u32le(struct pp_rd *rd);
uint64_t pp_rd_u64le(struct pp_rd *rd);
uint64_t pp_rd_varint(struct pp_rd *rd);         /* RFC 9000 16; any length is valid */
uint64_t pp_rd_varint_minimal(struct pp_rd *rd); /* a longer form than needed: ENCODING */

void pp_rd_copy(struct pp_rd *rd, void *ret, size_t len); /* zeros after a failure */
struct pp_span pp_rd_bytes(struct pp_rd *rd, size_t len); /* borrowed; empty after a failure */
struct pp_span pp_rd_rest(struct pp_rd *rd);              /* everything that is left */
void pp_rd_skip(struct pp_rd *rd, size_t len);
void pp_rd_zeros(struct pp_rd *rd, size_t len); /* non-zero byte: ENCODING */

struct pp_rd pp_rd_sub(struct pp_rd *rd, size_t len); /* child over the next `len` bytes */
struct pp_rd pp_rd_block8(struct pp_rd *rd);          /* child behind a length prefix */
struct pp_rd pp_rd_block16(struct pp_rd *rd);
struct pp_rd pp_rd_block24(struct pp_rd *rd);
struct pp_rd pp_rd_block32(struct pp_rd *rd);
struct pp_rd pp_rd_block_varint(struct pp_rd *rd);

/* Marks the reader failed, as if the last read had found `code`; the first failure stays. */
void pp_rd_fail(struct pp_rd *rd, enum pp_code code);

/* Results carry the caller's line, so these two are macros. */
#define pp_rd_ok(rd)  pp_rd_result_((rd), PP_HERE)
#define pp_rd_end(rd) pp_rd_end_((rd), PP_HERE) /* also fails with TRAILING if bytes are left */

PP_MUST pp_res pp_rd_result_(const struct pp_rd *rd, const char *where);
PP_MUST pp_res pp_rd_end_(const struct pp_rd *rd, const char *where);

#endif
