/* SPDX-License-Identifier: Apache-2.0 */
#include "cbor.h"

#include "text.h"

enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21 };

/* RFC 8949 3: major type in the top three bits, the argument or its length in the other five. */
enum pp_cbor_major pp_cbor_rd_head(struct pp_rd *rd, uint64_t *ret_value)
{
    uint8_t first = pp_rd_u8(rd);
    uint8_t info = first & 0x1f;
    uint64_t v = info;
    uint64_t smallest = 0; /* below it a shorter head exists */

    switch (info) {
    case 24:
        v = pp_rd_u8(rd);
        smallest = 24;
        break;
    case 25:
        v = pp_rd_u16(rd);
        smallest = UINT8_MAX + UINT64_C(1);
        break;
    case 26:
        v = pp_rd_u32(rd);
        smallest = UINT16_MAX + UINT64_C(1);
        break;
    case 27:
        v = pp_rd_u64(rd);
        smallest = UINT32_MAX + UINT64_C(1);
        break;
    case 28:
    case 29:
    case 30:
    case 31: /* reserved, and indefinite lengths */
        pp_rd_fail(rd, PP_E_ENCODING);
        break;
    default:
        break;
    }
    if (v < smallest)
        pp_rd_fail(rd, PP_E_ENCODING);
    *ret_value = rd->failed == PP_E_OK ? v : 0;
    return (enum pp_cbor_major)(first >> 5);
}

enum pp_cbor_major pp_cbor_peek(const struct pp_rd *rd)
{
    struct pp_rd ahead = *rd;
    uint8_t first = pp_rd_u8(&ahead);

    return ahead.failed == PP_E_OK ? (enum pp_cbor_major)(first >> 5) : PP_CBOR_SIMPLE;
}

static uint64_t head_of(struct pp_rd *rd, enum pp_cbor_major want, uint64_t min, uint64_t max)
{
    uint64_t v;
    enum pp_cbor_major major = pp_cbor_rd_head(rd, &v);

    if (rd->failed != PP_E_OK)
        return 0;
    if (major != want)
        pp_rd_fail(rd, PP_E_FORMAT);
    else if (v < min || v > max)
        pp_rd_fail(rd, PP_E_RANGE);
    return rd->failed == PP_E_OK ? v : 0;
}

uint64_t pp_cbor_rd_uint(struct pp_rd *rd, uint64_t min, uint64_t max)
{
    return head_of(rd, PP_CBOR_UINT, min, max);
}

int pp_cbor_rd_bool(struct pp_rd *rd)
{
    uint64_t v;
    enum pp_cbor_major major = pp_cbor_rd_head(rd, &v);

    if (rd->failed == PP_E_OK &&
        (major != PP_CBOR_SIMPLE || (v != SIMPLE_FALSE && v != SIMPLE_TRUE)))
        pp_rd_fail(rd, PP_E_FORMAT);
    return rd->failed == PP_E_OK && v == SIMPLE_TRUE;
}

struct pp_span pp_cbor_rd_bytes(struct pp_rd *rd, size_t min, size_t max)
{
    return pp_rd_bytes(rd, (size_t)head_of(rd, PP_CBOR_BYTES, min, max));
}

static struct pp_span text_of(struct pp_rd *rd, uint64_t len)
{
    if (len > rd->left) {
        pp_rd_fail(rd, PP_E_TRUNCATED);
        return (struct pp_span){ 0 };
    }
    struct pp_span s = pp_rd_bytes(rd, (size_t)len);
    if (!pp_is_ok(pp_utf8_check(s)))
        pp_rd_fail(rd, PP_E_UTF8);
    else if (s.len > 0 && memchr(s.at, 0, s.len) != NULL)
        pp_rd_fail(rd, PP_E_FORMAT);
    return rd->failed == PP_E_OK ? s : (struct pp_span){ 0 };
}

struct pp_span pp_cbor_rd_text(struct pp_rd *rd, size_t min, size_t max)
{
    return text_of(rd, head_of(rd, PP_CBOR_TEXT, min, max));
}

void pp_cbor_rd_copy(struct pp_rd *rd, uint8_t *ret, size_t len)
{
    (void)head_of(rd, PP_CBOR_BYTES, len, len);
    pp_rd_copy(rd, ret, len);
}

size_t pp_cbor_rd_array(struct pp_rd *rd, size_t min, size_t max)
{
    return (size_t)head_of(rd, PP_CBOR_ARRAY, min, max);
}

void pp_cbor_rd_tuple(struct pp_rd *rd, size_t count)
{
    (void)head_of(rd, PP_CBOR_ARRAY, count, count);
}

static void skip(struct pp_rd *rd, unsigned depth);

static void skip_map(struct pp_rd *rd, uint64_t pairs, unsigned depth)
{
    struct pp_span before = { 0 };

    for (uint64_t i = 0; i < pairs && rd->failed == PP_E_OK; i++) {
        struct pp_rd start = *rd;
        skip(rd, depth + 1);
        struct pp_span key = pp_rd_bytes(&start, rd->offset - start.offset);
        int order = i == 0 ? 1 : pp_span_cmp(key, before);
        if (order <= 0)
            pp_rd_fail(rd, order == 0 ? PP_E_DUPLICATE : PP_E_ORDER);
        before = key;
        skip(rd, depth + 1);
    }
}

/* `depth` counts the containers around this item, so the recursion ends at PP_CBOR_DEPTH_MAX. */
static void skip(struct pp_rd *rd, unsigned depth)
{
    uint64_t v;
    enum pp_cbor_major major = pp_cbor_rd_head(rd, &v);

    if (rd->failed != PP_E_OK)
        return;
    if ((major == PP_CBOR_ARRAY || major == PP_CBOR_MAP) && depth == PP_CBOR_DEPTH_MAX) {
        pp_rd_fail(rd, PP_E_LIMIT);
        return;
    }
    switch (major) {
    case PP_CBOR_UINT:
        return;
    case PP_CBOR_BYTES:
        if (v > rd->left)
            pp_rd_fail(rd, PP_E_TRUNCATED);
        else
            pp_rd_skip(rd, (size_t)v);
        return;
    case PP_CBOR_TEXT:
        (void)text_of(rd, v);
        return;
    case PP_CBOR_ARRAY:
        for (uint64_t i = 0; i < v && rd->failed == PP_E_OK; i++)
            skip(rd, depth + 1);
        return;
    case PP_CBOR_MAP:
        skip_map(rd, v, depth);
        return;
    case PP_CBOR_NEGATIVE:
    case PP_CBOR_TAG:
    case PP_CBOR_SIMPLE:
        break;
    }
    if (major != PP_CBOR_SIMPLE || (v != SIMPLE_FALSE && v != SIMPLE_TRUE))
        pp_rd_fail(rd, PP_E_FORMAT);
}

struct pp_span pp_cbor_rd_item(struct pp_rd *rd)
{
    struct pp_rd start = *rd;

    skip(rd, 0);
    if (rd->failed != PP_E_OK)
        return (struct pp_span){ 0 };
    return pp_rd_bytes(&start, rd->offset - start.offset);
}

struct pp_cbor_map pp_cbor_rd_map(struct pp_rd *rd, size_t pairs_max)
{
    return (struct pp_cbor_map){ .left = head_of(rd, PP_CBOR_MAP, 0, pairs_max) };
}

int pp_cbor_rd_key(struct pp_cbor_map *map, struct pp_rd *rd)
{
    if (rd->failed != PP_E_OK || map->left == 0)
        return 0;
    uint32_t key = (uint32_t)pp_cbor_rd_uint(rd, 0, PP_CBOR_KEY_MAX);
    if (rd->failed == PP_E_OK && map->seen >> key != 0)
        pp_rd_fail(rd, map->seen >> key == 1 ? PP_E_DUPLICATE : PP_E_ORDER);
    if (rd->failed != PP_E_OK)
        return 0;
    map->key = key;
    map->seen |= UINT32_C(1) << key;
    map->left--;
    return 1;
}

pp_res pp_cbor_map_has(const struct pp_cbor_map *map, uint32_t mandatory)
{
    uint32_t missing = mandatory & ~map->seen;

    PP_CHECK(missing == 0, PP_E_MISSING, __builtin_ctz(missing));
    return PP_OK;
}

size_t pp_cbor_head_len(uint64_t v)
{
    return v < 24 ? 1 : v <= UINT8_MAX ? 2 : v <= UINT16_MAX ? 3 : v <= UINT32_MAX ? 5 : 9;
}

static void write_head(struct pp_wr *wr, enum pp_cbor_major major, uint64_t v)
{
    uint8_t top = (uint8_t)(major << 5);

    switch (pp_cbor_head_len(v)) {
    case 1:
        pp_wr_u8(wr, (uint8_t)(top | v));
        break;
    case 2:
        pp_wr_u8(wr, top | 24);
        pp_wr_u8(wr, (uint8_t)v);
        break;
    case 3:
        pp_wr_u8(wr, top | 25);
        pp_wr_u16(wr, (uint16_t)v);
        break;
    case 5:
        pp_wr_u8(wr, top | 26);
        pp_wr_u32(wr, (uint32_t)v);
        break;
    default:
        pp_wr_u8(wr, top | 27);
        pp_wr_u64(wr, v);
        break;
    }
}

void pp_cbor_wr_uint(struct pp_wr *wr, uint64_t v)
{
    write_head(wr, PP_CBOR_UINT, v);
}

void pp_cbor_wr_bool(struct pp_wr *wr, int v)
{
    write_head(wr, PP_CBOR_SIMPLE, v ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void pp_cbor_wr_bytes(struct pp_wr *wr, struct pp_span s)
{
    write_head(wr, PP_CBOR_BYTES, s.len);
    pp_wr_span(wr, s);
}

void pp_cbor_wr_text(struct pp_wr *wr, struct pp_span s)
{
    write_head(wr, PP_CBOR_TEXT, s.len);
    pp_wr_span(wr, s);
}

void pp_cbor_wr_array(struct pp_wr *wr, size_t count)
{
    write_head(wr, PP_CBOR_ARRAY, count);
}

void pp_cbor_wr_map(struct pp_wr *wr, size_t pairs)
{
    write_head(wr, PP_CBOR_MAP, pairs);
}
