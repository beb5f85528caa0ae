/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_file.h: a ledger record as a file that goes from hand to hand until it is signed: the text
 * alone (*.record), or a signed note (*.entry), which is what a log takes.
 */
#ifndef PP_RECORD_FILE_H
#define PP_RECORD_FILE_H

#include "file.h"
#include "problem.h"
#include "record.h"

/* About 25 KiB: on the heap. Not to be moved: note and record borrow the bytes. */
struct pp_record_file {
    struct pp_buf bytes;
    struct pp_note note; /* line_count 0: nobody has signed yet */
    struct pp_record record;
    struct pp_record_id id;
};

/*
 * Reads either kind. INPUT with the path, and the line and the rule that is broken, in `problem`.
 * Call pp_record_file_done also after a failure.
 */
PP_MUST pp_res pp_record_file_read(const char *path, struct pp_problem *problem,
                                   struct pp_record_file *ret);
void pp_record_file_done(struct pp_record_file *f); /* zero state is fine */

/* 1 if a line of this key is there, whatever it holds. */
int pp_record_file_signed_by(const struct pp_record_file *f, const struct pp_note_key *key);

/*
 * Writes the entry that it becomes with one signature line more (with its line feed). LIMIT when no
 * log would take so many lines, or bytes.
 */
PP_MUST pp_res pp_record_file_add(const struct pp_record_file *f, struct pp_span line,
                                  struct pp_wr *wr);

#endif
