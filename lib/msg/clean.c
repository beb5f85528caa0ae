/* SPDX-License-Identifier: Apache-2.0 */
#include "clean.h"

#include "text.h"

enum verdict { KEEP, DROP, SPACE };

static enum verdict judge(uint32_t c, enum pp_clean_lines lines)
{
    if (c == '\n')
        return lines == PP_CLEAN_LINES ? KEEP : SPACE;
    if (c == '\t' || c == '\r')
        return SPACE;
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
        return DROP;
    if (c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
        (c >= 0x2066 && c <= 0x2069))
        return DROP;
    return KEEP;
}

static void utf8_wr(struct pp_wr *wr, uint32_t c)
{
    if (c < 0x80) {
        pp_wr_u8(wr, (uint8_t)c);
    } else if (c < 0x800) {
        pp_wr_u8(wr, (uint8_t)(0xc0 | c >> 6));
        pp_wr_u8(wr, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        pp_wr_u8(wr, (uint8_t)(0xe0 | c >> 12));
        pp_wr_u8(wr, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        pp_wr_u8(wr, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        pp_wr_u8(wr, (uint8_t)(0xf0 | c >> 18));
        pp_wr_u8(wr, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        pp_wr_u8(wr, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        pp_wr_u8(wr, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

void pp_clean_write(struct pp_wr *wr, struct pp_span text, enum pp_clean_lines lines)
{
    size_t at = 0;

    while (at < text.len) {
        uint32_t c = pp_utf8_next(text, &at);
        enum verdict v = judge(c, lines);
        if (v != DROP)
            utf8_wr(wr, v == SPACE ? ' ' : c);
    }
}

pp_res pp_clean_check(struct pp_span text, enum pp_clean_lines lines)
{
    size_t at = 0;

    while (at < text.len) {
        size_t start = at;
        PP_CHECK(judge(pp_utf8_next(text, &at), lines) == KEEP, PP_E_FORMAT, start);
    }
    return PP_OK;
}
