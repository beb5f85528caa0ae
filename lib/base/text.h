/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: strict readers of numbers, hex, Base64 and UTF-8 in text from outside. */
#ifndef PP_TEXT_H
#define PP_TEXT_H

#include "result.h"
#include "span.h"

/* Decimal without sign, space or leading zero ("0" alone is fine), at most `max`. FORMAT, RANGE. */
PP_MUST pp_res pp_decimal_parse(struct pp_span text, uint64_t max, uint64_t *ret);

/* Lower-case hex of exactly `len` bytes. FORMAT, RANGE (length). */
PP_MUST pp_res pp_hex_parse(struct pp_span text, uint8_t *ret, size_t len);

/*
 * Strict Base64 (RFC 4648): padded, no white space, unused bits zero. Writes at most `cap` bytes
 * and their count. FORMAT, ENCODING (unused bits), NO_SPACE. `pp_base64url_parse` takes the URL
 * alphabet, with padding when `pad` is 1 and without any when it is 0.
 */
PP_MUST pp_res pp_base64_parse(struct pp_span text, uint8_t *ret, size_t cap, size_t *ret_len);
PP_MUST pp_res pp_base64url_parse(struct pp_span text, int pad, uint8_t *ret, size_t cap,
                                  size_t *ret_len);

/* Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). UTF8; detail = offset. */
PP_MUST pp_res pp_utf8_check(struct pp_span text);

/*
 * The code point at `*at` of checked UTF-8; moves `*at` past it. Malformed bytes give U+FFFD, one
 * byte at a time, so it also terminates on unchecked input.
 */
uint32_t pp_utf8_next(struct pp_span text, size_t *at);

/* Takes the part before the first `sep` off `*text` (which keeps what follows it). 1 if `sep` was
 * found; 0 if not: the part is then all of it, and `*text` is empty. */
int pp_text_cut(struct pp_span *text, char sep, struct pp_span *ret_part);

#endif
