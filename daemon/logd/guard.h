/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h: the tree that was signed last, once more, on storage of its own (transparency-log
 * A11.7): a log whose folder was restored from a backup learns from it that it is behind.
 *
 * A file of two places of 4096 bytes, each a checkpoint note with zeros behind it, written in
 * turn: a write that was cut leaves the other. A copy of `signed` is such a file. It is compared
 * with what we left there before anything is signed, and written before a signature leaves.
 */
#ifndef PP_LOG_GUARD_H
#define PP_LOG_GUARD_H

#include "store.h"

enum { PP_LOG_GUARD_PLACE = 4096, PP_LOG_GUARD_PLACES = 2 };

struct pp_log_guard {
    int fd;
    struct pp_note_key keys[PP_LOG_KEYS_MAX]; /* the log's */
    size_t key_count;
    uint8_t note[PP_LOG_GUARD_PLACE]; /* what we know is there */
    size_t note_len;
    unsigned place;                      /* where */
    uint8_t attempt[PP_LOG_GUARD_PLACE]; /* what was to be written last, in the other place */
    size_t attempt_len;
};

/*
 * Opens the guard of an open log, makes it the log's, and brings it up to the signed tree. An empty
 * or new file is one of a log of size 0 only: NOT_FOUND. STATE_IN_USE (another process holds it),
 * LEDGER_SIGNATURE (nothing in it is this log's), LEDGER_ROLLBACK (the folder is behind),
 * LEDGER_SPLIT (the folder is another tree), SYSTEM, DISK_FULL.
 */
PP_MUST pp_res pp_log_guard_open(struct pp_log_guard *g, const char *path, struct pp_log_store *s);
void pp_log_guard_done(struct pp_log_guard *g); /* closes; zero state is fine */

/* LEDGER_SPLIT when the newest note of the file is not the one that we left there. SYSTEM. */
PP_MUST pp_res pp_log_guard_compare(const struct pp_log_guard *g);

/* Makes `note` durable in the other place. LIMIT, DISK_FULL, SYSTEM. */
PP_MUST pp_res pp_log_guard_write(struct pp_log_guard *g, struct pp_span note);

/*
 * After a write that failed, and whose signature did not leave: puts the note of before into both
 * places. LEDGER_SPLIT when something newer stands there that is not the attempt. DISK_FULL,
 * SYSTEM.
 */
PP_MUST pp_res pp_log_guard_take_back(struct pp_log_guard *g);

#endif
