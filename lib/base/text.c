/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

pp_res pp_decimal_parse(struct pp_span text, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;

    if (text.len == 0 || text.len > 20 || (text.len > 1 && text.at[0] == '0'))
        return PP_FAIL(PP_E_FORMAT, text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return PP_FAIL(PP_E_FORMAT, i);
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
            __builtin_add_overflow(v, (uint64_t)(text.at[i] - '0'), &v))
            return PP_FAIL(PP_E_RANGE, i);
    }
    if (v > max)
        return PP_FAIL(PP_E_RANGE, 0);
    *ret = v;
    return PP_OK;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

pp_res pp_hex_parse(struct pp_span text, uint8_t *ret, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return PP_FAIL(PP_E_RANGE, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (hex_digit(text.at[i]) < 0)
            return PP_FAIL(PP_E_FORMAT, i);
    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)(hex_digit(text.at[2 * i]) << 4 | hex_digit(text.at[2 * i + 1]));
    return PP_OK;
}

static int base64_digit(uint8_t c, int url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return -1;
}

/* `text` is free of padding here. */
static pp_res base64_digits(struct pp_span text, int url, uint8_t *ret, size_t cap, size_t *ret_len)
{
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t n = 0;

    PP_CHECK(text.len % 4 != 1, PP_E_FORMAT, text.len);
    PP_CHECK(text.len / 4 * 3 + text.len % 4 * 3 / 4 <= cap, PP_E_NO_SPACE, text.len);
    for (size_t i = 0; i < text.len; i++) {
        int d = base64_digit(text.at[i], url);

        PP_CHECK(d >= 0, PP_E_FORMAT, i);
        acc = acc << 6 | (uint32_t)d;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            ret[n++] = (uint8_t)(acc >> bits);
            acc &= (1U << bits) - 1;
        }
    }
    PP_CHECK(acc == 0, PP_E_ENCODING, text.len);
    *ret_len = n;
    return PP_OK;
}

/* Cuts the padding that the length asks for; anything else is a format error of the digits. */
static pp_res base64_unpad(struct pp_span *text)
{
    PP_CHECK(text->len % 4 == 0, PP_E_FORMAT, text->len);
    for (int i = 0; i < 2 && text->len > 0 && text->at[text->len - 1] == '='; i++)
        text->len--;
    return PP_OK;
}

pp_res pp_base64_parse(struct pp_span text, uint8_t *ret, size_t cap, size_t *ret_len)
{
    PP_TRY(base64_unpad(&text));
    return base64_digits(text, 0, ret, cap, ret_len);
}

pp_res pp_base64url_parse(struct pp_span text, int pad, uint8_t *ret, size_t cap, size_t *ret_len)
{
    if (pad)
        PP_TRY(base64_unpad(&text));
    return base64_digits(text, 1, ret, cap, ret_len);
}

/* Length of the well-formed sequence at `at`, or 0 (RFC 3629 section 4). */
static size_t utf8_sequence(struct pp_span text, size_t at, uint32_t *ret_point)
{
    static const uint32_t SMALLEST[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = text.at[at];
    size_t len = first < 0x80       ? 1
                 : first >> 5 == 6  ? 2
                 : first >> 4 == 14 ? 3
                 : first >> 3 == 30 ? 4
                                    : 0;

    if (len == 0 || len > text.len - at)
        return 0;
    uint32_t point = len == 1 ? first : first & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        if (text.at[at + i] >> 6 != 2)
            return 0;
        point = point << 6 | (text.at[at + i] & 63U);
    }
    if (point < SMALLEST[len] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *ret_point = point;
    return len;
}

pp_res pp_utf8_check(struct pp_span text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t point;

        if (text.at[at] < 0x80) { /* most bytes of most texts: without a call for each */
            at++;
            continue;
        }
        size_t len = utf8_sequence(text, at, &point);
        PP_CHECK(len != 0, PP_E_UTF8, at);
        at += len;
    }
    return PP_OK;
}

uint32_t pp_utf8_next(struct pp_span text, size_t *at)
{
    uint32_t point = 0xFFFD;
    size_t len = utf8_sequence(text, *at, &point);

    *at += len == 0 ? 1 : len;
    return point;
}

int pp_text_cut(struct pp_span *text, char sep, struct pp_span *ret_part)
{
    const uint8_t *hit = text->len == 0 ? NULL : memchr(text->at, sep, text->len);

    if (hit == NULL) {
        *ret_part = *text;
        *text = (struct pp_span){ NULL, 0 };
        return 0;
    }
    size_t n = (size_t)(hit - text->at);
    *ret_part = (struct pp_span){ text->at, n };
    *text = (struct pp_span){ hit + 1, text->len - n - 1 };
    return 1;
}
