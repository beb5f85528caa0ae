/* SPDX-License-Identifier: Apache-2.0 */
#include "rd.h"

struct pp_rd pp_rd_over(const void *bytes, size_t len)
{
    return (struct pp_rd){ .at = (const uint8_t *)bytes, .left = len };
}

struct pp_rd pp_rd_span(struct pp_span s)
{
    return pp_rd_over(s.at, s.len);
}

void pp_rd_fail(struct pp_rd *rd, enum pp_code code)
{
    if (rd->failed != PP_E_OK)
        return;
    rd->failed = (uint32_t)code;
    rd->detail = (uint32_t)rd->offset;
    rd->left = 0;
}

/* The next `len` bytes, or NULL when they are not there. Every read comes through here. */
static const uint8_t *take(struct pp_rd *rd, size_t len)
{
    if (rd->failed != PP_E_OK)
        return NULL;
    if (len > rd->left) {
        pp_rd_fail(rd, PP_E_TRUNCATED);
        return NULL;
    }
    const uint8_t *p = rd->at;
    if (len > 0)
        rd->at += len;
    rd->left -= len;
    rd->offset += len;
    return p;
}

static uint64_t number_be(struct pp_rd *rd, size_t len)
{
    const uint8_t *p = take(rd, len);
    uint64_t v = 0;

    if (p == NULL)
        return 0;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return v;
}

static uint64_t number_le(struct pp_rd *rd, size_t len)
{
    const uint8_t *p = take(rd, len);
    uint64_t v = 0;

    if (p == NULL)
        return 0;
    for (size_t i = len; i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

uint8_t pp_rd_u8(struct pp_rd *rd)
{
    return (uint8_t)number_be(rd, 1);
}

uint16_t pp_rd_u16(struct pp_rd *rd)
{
    return (uint16_t)number_be(rd, 2);
}

uint32_t pp_rd_u24(struct pp_rd *rd)
{
    return (uint32_t)number_be(rd, 3);
}

uint32_t pp_rd_u32(struct pp_rd *rd)
{
    return (uint32_t)number_be(rd, 4);
}

uint64_t pp_rd_u64(struct pp_rd *rd)
{
    return number_be(rd, 8);
}

uint16_t pp_rd_u16le(struct pp_rd *rd)
{
    return (uint16_t)number_le(rd, 2);
}

uint32_t pp_rd_u32le(struct pp_rd *rd)
{
    return (uint32_t)number_le(rd, 4);
}

uint64_t pp_rd_u64le(struct pp_rd *rd)
{
    return number_le(rd, 8);
}

static uint64_t varint(struct pp_rd *rd, int minimal)
{
    static const uint64_t LARGEST_BELOW[4] = { 0, 63, 16383, 1073741823 };

    if (rd->failed == PP_E_OK && rd->left == 0)
        pp_rd_fail(rd, PP_E_TRUNCATED);
    if (rd->failed != PP_E_OK)
        return 0;

    unsigned form = rd->at[0] >> 6;
    struct pp_rd before = *rd;
    uint64_t v = number_be(rd, (size_t)1 << form);
    if (rd->failed != PP_E_OK)
        return 0;
    v &= UINT64_MAX >> (64 - (8U << form) + 2);
    if (minimal && form > 0 && v <= LARGEST_BELOW[form]) {
        *rd = before;
        pp_rd_fail(rd, PP_E_ENCODING);
        return 0;
    }
    return v;
}

uint64_t pp_rd_varint(struct pp_rd *rd)
{
    return varint(rd, 0);
}

uint64_t pp_rd_varint_minimal(struct pp_rd *rd)
{
    return varint(rd, 1);
}

void pp_rd_copy(struct pp_rd *rd, void *ret, size_t len)
{
    const uint8_t *p = take(rd, len);

    if (len == 0)
        return;
    if (p == NULL)
        memset(ret, 0, len);
    else
        memcpy(ret, p, len);
}

struct pp_span pp_rd_bytes(struct pp_rd *rd, size_t len)
{
    const uint8_t *p = take(rd, len);

    return p == NULL ? (struct pp_span){ NULL, 0 } : (struct pp_span){ p, len };
}

struct pp_span pp_rd_rest(struct pp_rd *rd)
{
    return pp_rd_bytes(rd, rd->left);
}

void pp_rd_skip(struct pp_rd *rd, size_t len)
{
    (void)take(rd, len);
}

void pp_rd_zeros(struct pp_rd *rd, size_t len)
{
    struct pp_rd before = *rd;
    const uint8_t *p = take(rd, len);
    uint8_t any = 0;

    if (p == NULL)
        return;
    for (size_t i = 0; i < len; i++)
        any |= p[i];
    if (any != 0) {
        *rd = before;
        pp_rd_fail(rd, PP_E_ENCODING);
    }
}

struct pp_rd pp_rd_sub(struct pp_rd *rd, size_t len)
{
    size_t offset = rd->offset;
    const uint8_t *p = take(rd, len);

    if (rd->failed != PP_E_OK)
        return (struct pp_rd){ .failed = rd->failed, .detail = rd->detail };
    return (struct pp_rd){ .at = p, .left = len, .offset = offset };
}

struct pp_rd pp_rd_block8(struct pp_rd *rd)
{
    return pp_rd_sub(rd, pp_rd_u8(rd));
}

struct pp_rd pp_rd_block16(struct pp_rd *rd)
{
    return pp_rd_sub(rd, pp_rd_u16(rd));
}

struct pp_rd pp_rd_block24(struct pp_rd *rd)
{
    return pp_rd_sub(rd, pp_rd_u24(rd));
}

struct pp_rd pp_rd_block32(struct pp_rd *rd)
{
    return pp_rd_sub(rd, pp_rd_u32(rd));
}

struct pp_rd pp_rd_block_varint(struct pp_rd *rd)
{
    uint64_t len = pp_rd_varint(rd);

    if (len > rd->left) {
        pp_rd_fail(rd, PP_E_TRUNCATED);
        len = 0;
    }
    return pp_rd_sub(rd, (size_t)len);
}

pp_res pp_rd_result_(const struct pp_rd *rd, const char *where)
{
    return (pp_res){ rd->failed, rd->failed == PP_E_OK ? 0 : rd->detail,
                     rd->failed == PP_E_OK ? NULL : where };
}

pp_res pp_rd_end_(const struct pp_rd *rd, const char *where)
{
    if (rd->failed != PP_E_OK)
        return pp_rd_result_(rd, where);
    if (rd->left > 0)
        return (pp_res){ PP_E_TRAILING, (uint32_t)rd->offset, where };
    return PP_OK;
}
