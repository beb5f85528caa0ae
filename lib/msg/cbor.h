/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cbor.h: CBOR in its core deterministic encoding (RFC 8949, section 4.2.1), the only one we speak.
 *
 * Reads and writes one item at a time on the sticky reader and writer of lib/base: a schema is code
 * that asks for what must stand there. There is one encoding per value: shortest heads, definite
 * lengths, map keys ascending. Unsigned integers, byte strings, UTF-8 text without NUL, arrays,
 * maps and booleans exist; negative numbers, tags, floats and other simple values are refused, and
 * so is nesting deeper than PP_CBOR_DEPTH_MAX.
 *
 * Failures of a reader: TRUNCATED; ENCODING (a longer head than needed, an indefinite length);
 * FORMAT (another kind of item, NUL in text); RANGE (a number, length or count outside what the
 * caller allows); UTF8; DUPLICATE and ORDER (map keys); LIMIT (nesting).
 */
#ifndef PP_CBOR_H
#define PP_CBOR_H

#include "rd.h"
#include "wr.h"

enum {
    PP_CBOR_DEPTH_MAX = 6, /* arrays and maps inside one another */
    PP_CBOR_KEY_MAX = 31,  /* largest map key of our formats */
};

/* The major types (RFC 8949 3.1). */
enum pp_cbor_major {
    PP_CBOR_UINT = 0,
    PP_CBOR_NEGATIVE = 1,
    PP_CBOR_BYTES = 2,
    PP_CBOR_TEXT = 3,
    PP_CBOR_ARRAY = 4,
    PP_CBOR_MAP = 5,
    PP_CBOR_TAG = 6,
    PP_CBOR_SIMPLE = 7,
};

/* One head of any major type, for formats of others that have tags (ratls/cmw.h). */
enum pp_cbor_major pp_cbor_rd_head(struct pp_rd *rd, uint64_t *ret_value);

/* The major type of the item that comes next; PP_CBOR_SIMPLE when there is none. Reads nothing. */
enum pp_cbor_major pp_cbor_peek(const struct pp_rd *rd);

uint64_t pp_cbor_rd_uint(struct pp_rd *rd, uint64_t min, uint64_t max);
int pp_cbor_rd_bool(struct pp_rd *rd);                                     /* 0 or 1 */
struct pp_span pp_cbor_rd_bytes(struct pp_rd *rd, size_t min, size_t max); /* borrowed */
struct pp_span pp_cbor_rd_text(struct pp_rd *rd, size_t min, size_t max);  /* borrowed; bytes */
void pp_cbor_rd_copy(struct pp_rd *rd, uint8_t *ret, size_t len); /* a byte string of exactly len */
size_t pp_cbor_rd_array(struct pp_rd *rd, size_t min, size_t max); /* the count of its items */
void pp_cbor_rd_tuple(struct pp_rd *rd, size_t count);             /* an array of exactly count */

/* One whole item of any permitted kind, checked and skipped; its bytes, borrowed. */
struct pp_span pp_cbor_rd_item(struct pp_rd *rd);

/*
 * A map with unsigned keys:
 *
 *     struct pp_cbor_map map = pp_cbor_rd_map(rd, 4);
 *     while (pp_cbor_rd_key(&map, rd))
 *         switch (map.key) {
 *         case 0: ... read the value ...
 *         default: pp_rd_fail(rd, PP_E_UNKNOWN_FIELD);
 *         }
 *     PP_TRY(pp_cbor_map_has(&map, 1U << 0 | 1U << 2));      // MISSING; detail is the first one
 */
struct pp_cbor_map {
    uint64_t left; /* pairs not read yet */
    uint32_t key;  /* the one just read, 0..PP_CBOR_KEY_MAX */
    uint32_t seen; /* bit set of keys */
};

struct pp_cbor_map pp_cbor_rd_map(struct pp_rd *rd, size_t pairs_max);
int pp_cbor_rd_key(struct pp_cbor_map *map, struct pp_rd *rd); /* 0 at the end, and on failure */
PP_MUST pp_res pp_cbor_map_has(const struct pp_cbor_map *map, uint32_t mandatory);

/* Writers. Containers are their head alone; the items follow, and map keys in ascending order. */
void pp_cbor_wr_uint(struct pp_wr *wr, uint64_t v);
void pp_cbor_wr_bool(struct pp_wr *wr, int v);
void pp_cbor_wr_bytes(struct pp_wr *wr, struct pp_span s);
void pp_cbor_wr_text(struct pp_wr *wr, struct pp_span s);
void pp_cbor_wr_array(struct pp_wr *wr, size_t count);
void pp_cbor_wr_map(struct pp_wr *wr, size_t pairs);

/* Bytes of the head of a string, array or number: 1, 2, 3, 5 or 9. */
size_t pp_cbor_head_len(uint64_t v);

#endif
