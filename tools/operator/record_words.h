/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_words.h: a ledger record in words, for somebody who is about to sign it: every field that
 * a reviewer has to judge, times as dates, and what is unusual about it.
 */
#ifndef PP_RECORD_WORDS_H
#define PP_RECORD_WORDS_H

#include <stdio.h>

#include "record.h"

enum { PP_RECORD_WARNINGS_MAX = 16 };

struct pp_record_warnings {
    const char *text[PP_RECORD_WARNINGS_MAX]; /* constants */
    size_t count;
};

/* What a person should think twice about, at the time `now_s`. */
void pp_record_warn(const struct pp_record *r, uint64_t now_s, struct pp_record_warnings *ret);

/* Prints the record, a line a field, and its warnings last. */
void pp_record_words(FILE *out, const struct pp_record *r, const struct pp_record_id *id,
                     uint64_t now_s);

/* A time as "2026-11-21T22:00:00Z". */
struct pp_moment {
    char text[32];
};
struct pp_moment pp_moment_of(uint64_t posix_s);

#endif
