/* SPDX-License-Identifier: Apache-2.0 */
#include "wr.h"

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char B64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct pp_wr pp_wr_over(void *buf, size_t cap)
{
    return (struct pp_wr){ .at = (uint8_t *)buf, .cap = cap };
}

static void fail(struct pp_wr *wr, enum pp_code code)
{
    if (wr->failed == PP_E_OK)
        wr->failed = (uint32_t)code;
}

uint8_t *pp_wr_reserve(struct pp_wr *wr, size_t len)
{
    if (wr->failed != PP_E_OK)
        return NULL;
    if (len > wr->cap - wr->len) {
        fail(wr, PP_E_NO_SPACE);
        return NULL;
    }
    uint8_t *p = wr->at + wr->len;
    wr->len += len;
    return p;
}

static void number_be(struct pp_wr *wr, uint64_t v, size_t len)
{
    uint8_t *p = pp_wr_reserve(wr, len);

    if (p == NULL)
        return;
    for (size_t i = len; i > 0; i--) {
        p[i - 1] = (uint8_t)v;
        v >>= 8;
    }
}

static void number_le(struct pp_wr *wr, uint64_t v, size_t len)
{
    uint8_t *p = pp_wr_reserve(wr, len);

    if (p == NULL)
        return;
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)v;
        v >>= 8;
    }
}

void pp_wr_u8(struct pp_wr *wr, uint8_t v)
{
    number_be(wr, v, 1);
}

void pp_wr_u16(struct pp_wr *wr, uint16_t v)
{
    number_be(wr, v, 2);
}

void pp_wr_u24(struct pp_wr *wr, uint32_t v)
{
    if (v > 0xFFFFFF)
        fail(wr, PP_E_RANGE);
    number_be(wr, v, 3);
}

void pp_wr_u32(struct pp_wr *wr, uint32_t v)
{
    number_be(wr, v, 4);
}

void pp_wr_u64(struct pp_wr *wr, uint64_t v)
{
    number_be(wr, v, 8);
}

void pp_wr_u16le(struct pp_wr *wr, uint16_t v)
{
    number_le(wr, v, 2);
}

void pp_wr_u32le(struct pp_wr *wr, uint32_t v)
{
    number_le(wr, v, 4);
}

void pp_wr_u64le(struct pp_wr *wr, uint64_t v)
{
    number_le(wr, v, 8);
}

void pp_wr_varint(struct pp_wr *wr, uint64_t v)
{
    if (v <= 63)
        number_be(wr, v, 1);
    else if (v <= 16383)
        number_be(wr, v | UINT64_C(1) << 14, 2);
    else if (v <= 1073741823)
        number_be(wr, v | UINT64_C(2) << 30, 4);
    else if (v >> 62 == 0)
        number_be(wr, v | UINT64_C(3) << 62, 8);
    else
        fail(wr, PP_E_RANGE);
}

void pp_wr_bytes(struct pp_wr *wr, const void *bytes, size_t len)
{
    uint8_t *p = pp_wr_reserve(wr, len);

    if (p != NULL && len > 0)
        memcpy(p, bytes, len);
}

void pp_wr_span(struct pp_wr *wr, struct pp_span s)
{
    pp_wr_bytes(wr, s.at, s.len);
}

void pp_wr_text(struct pp_wr *wr, const char *text)
{
    pp_wr_span(wr, pp_span_cstr(text));
}

void pp_wr_decimal(struct pp_wr *wr, uint64_t v)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - 1 - n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    pp_wr_bytes(wr, digits + sizeof digits - n, n);
}

void pp_wr_hex(struct pp_wr *wr, struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        pp_wr_u8(wr, (uint8_t) "0123456789abcdef"[s.at[i] >> 4]);
        pp_wr_u8(wr, (uint8_t) "0123456789abcdef"[s.at[i] & 15]);
    }
}

static void base64(struct pp_wr *wr, struct pp_span s, const char *alphabet, int pad)
{
    for (size_t i = 0; i < s.len; i += 3) {
        size_t n = s.len - i < 3 ? s.len - i : 3;
        uint32_t v = (uint32_t)s.at[i] << 16;

        if (n > 1)
            v |= (uint32_t)s.at[i + 1] << 8;
        if (n > 2)
            v |= s.at[i + 2];
        for (size_t k = 0; k <= n; k++)
            pp_wr_u8(wr, (uint8_t)alphabet[v >> (18 - 6 * k) & 63]);
        for (size_t k = n; pad && k < 3; k++)
            pp_wr_u8(wr, '=');
    }
}

void pp_wr_base64(struct pp_wr *wr, struct pp_span s)
{
    base64(wr, s, B64, 1);
}

void pp_wr_base64url(struct pp_wr *wr, struct pp_span s, int pad)
{
    base64(wr, s, B64URL, pad);
}

void pp_wr_zeros(struct pp_wr *wr, size_t len)
{
    uint8_t *p = pp_wr_reserve(wr, len);

    if (p != NULL && len > 0)
        memset(p, 0, len);
}

void pp_wr_fill_to(struct pp_wr *wr, size_t len)
{
    if (wr->len > len) {
        fail(wr, PP_E_RANGE);
        return;
    }
    pp_wr_zeros(wr, len - wr->len);
}

static size_t block_begin(struct pp_wr *wr, size_t prefix_len)
{
    size_t mark = wr->len;

    (void)pp_wr_reserve(wr, prefix_len);
    return mark;
}

static void block_end(struct pp_wr *wr, size_t mark, size_t prefix_len)
{
    if (wr->failed != PP_E_OK)
        return;
    PP_ASSERT(mark + prefix_len <= wr->len);
    size_t len = wr->len - mark - prefix_len;
    if (len >> (8 * prefix_len) != 0) {
        fail(wr, PP_E_RANGE);
        return;
    }
    struct pp_wr prefix = pp_wr_over(wr->at + mark, prefix_len);
    number_be(&prefix, len, prefix_len);
}

size_t pp_wr_block8_begin(struct pp_wr *wr)
{
    return block_begin(wr, 1);
}

void pp_wr_block8_end(struct pp_wr *wr, size_t mark)
{
    block_end(wr, mark, 1);
}

size_t pp_wr_block16_begin(struct pp_wr *wr)
{
    return block_begin(wr, 2);
}

void pp_wr_block16_end(struct pp_wr *wr, size_t mark)
{
    block_end(wr, mark, 2);
}

size_t pp_wr_block24_begin(struct pp_wr *wr)
{
    return block_begin(wr, 3);
}

void pp_wr_block24_end(struct pp_wr *wr, size_t mark)
{
    block_end(wr, mark, 3);
}

size_t pp_wr_block32_begin(struct pp_wr *wr)
{
    return block_begin(wr, 4);
}

void pp_wr_block32_end(struct pp_wr *wr, size_t mark)
{
    block_end(wr, mark, 4);
}

pp_res pp_wr_result_(const struct pp_wr *wr, const char *where)
{
    if (wr->failed == PP_E_OK)
        return PP_OK;
    return (pp_res){ wr->failed, (uint32_t)wr->len, where };
}
