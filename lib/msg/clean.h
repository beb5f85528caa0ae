/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean.h: text that a person will be shown (pp-wire 9): no control characters, no characters that
 * turn the direction of text.
 *
 * Removed: C0 and C1 controls and DEL; U+061C, U+200E, U+200F, U+202A..U+202E, U+2066..U+2069 (bidi
 * controls, which can make text read as something else); U+2028 and U+2029 (line breaks under
 * another name). A line feed, and the tab and carriage return that stand for white space, become
 * one space, so that words stay apart; where lines are allowed, the line feed stays.
 */
#ifndef PP_CLEAN_H
#define PP_CLEAN_H

#include "result.h"
#include "span.h"
#include "wr.h"

enum pp_clean_lines { PP_CLEAN_ONE_LINE, PP_CLEAN_LINES };

/* Writes `text` without what must not be in it; malformed UTF-8 becomes U+FFFD, NUL is dropped. */
void pp_clean_write(struct pp_wr *wr, struct pp_span text, enum pp_clean_lines lines);

/* FORMAT when `text`, checked UTF-8, holds something that pp_clean_write would change; detail is
 * its offset. A genuine worker never sends such text. */
PP_MUST pp_res pp_clean_check(struct pp_span text, enum pp_clean_lines lines);

#endif
