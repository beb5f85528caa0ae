/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_json_int.h: a sticky reader of JSON (RFC 8259) that the vendor signed.
 *
 * It works on the received bytes and allocates nothing, because a signature covers the exact bytes
 * of an object: tdx_json_raw gives them. What a caller reads is read strictly (no escapes, no
 * signs, no fractions, each key once); what nobody asks for is passed over, its syntax checked.
 * After the first failure every read gives zeros and empty spans.
 */
#ifndef PP_TDX_JSON_INT_H
#define PP_TDX_JSON_INT_H

#include "problem.h"
#include "result.h"
#include "span.h"

enum { TDX_JSON_DEPTH_MAX = 12, TDX_JSON_FIELDS_MAX = 16 };

struct tdx_json {
    struct pp_span text;
    size_t at;
    unsigned depth;
    uint32_t failed;    /* enum pp_code of the first failure; PP_E_OK while fine */
    uint32_t detail;    /* its offset */
    struct pp_span key; /* the member that was begun last, for people */
};

struct tdx_json tdx_json_over(struct pp_span text);
void tdx_json_fail(struct tdx_json *rd, enum pp_code code); /* the first failure stays */

/* A string of printable ASCII without escapes; its content, borrowed. FORMAT. */
struct pp_span tdx_json_text(struct tdx_json *rd);

/* An integer without sign, fraction, exponent and needless zeros. FORMAT, RANGE. */
uint64_t tdx_json_uint(struct tdx_json *rd, uint64_t max);

/* A string of exactly `len` bytes in hexadecimal of either case. FORMAT, RANGE. */
void tdx_json_hex(struct tdx_json *rd, uint8_t *ret, size_t len);

/* Any value, as its bytes, from first to last. FORMAT, LIMIT (depth). */
struct pp_span tdx_json_raw(struct tdx_json *rd);

struct tdx_json_field {
    const char *name;
    void (*read)(struct tdx_json *rd, void *into); /* consumes exactly the value */
    int optional;
};

/*
 * An object. Members come in any order; each field once (DUPLICATE), all that are not optional
 * (MISSING). Others are passed over, or refused with UNKNOWN_FIELD when `closed`.
 */
void tdx_json_object(struct tdx_json *rd, const struct tdx_json_field *fields, size_t count,
                     int closed, void *into);

/* An array: `each` for every element; it consumes exactly that. */
void tdx_json_array(struct tdx_json *rd, void (*each)(struct tdx_json *rd, void *into), void *into);

/* Nothing but white space is left. TRAILING, and the failure of any read before; fills `problem`,
 * which may be NULL. */
PP_MUST pp_res tdx_json_end(struct tdx_json *rd, struct pp_problem *problem);

#endif
