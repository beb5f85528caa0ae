/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.h: what a log says of itself: origin, size, root (C2SP tlog-checkpoint). */
#ifndef PP_CHECKPOINT_H
#define PP_CHECKPOINT_H

#include "merkle.h"
#include "note.h"

enum { PP_CHECKPOINT_BYTES_MAX = PP_NOTE_NAME_MAX + 128 }; /* a checkpoint text that we write */

struct pp_checkpoint {
    struct pp_span origin; /* borrowed; compare it with the log you expect */
    struct pp_span
        extensions; /* borrowed; the optional lines, final line feed included; not used */
    struct pp_merkle_hash root;
    uint64_t size;
};

/*
 * Reads a checkpoint text (a note's text, see note.h). FORMAT, RANGE (size above
 * PP_MERKLE_SIZE_MAX), TRUNCATED; MISMATCH for size 0 with another root than the empty tree's.
 */
PP_MUST pp_res pp_checkpoint_parse(struct pp_span text, struct pp_checkpoint *ret);

/* Writes a checkpoint text without extension lines. */
void pp_checkpoint_write(struct pp_wr *wr, struct pp_span origin, uint64_t size,
                         const struct pp_merkle_hash *root);

/*
 * Opens a note as a checkpoint of `origin`: parses both, verifies every line of a known key, and
 * wants at least one of `log_keys` to have signed. FORMAT and so on as above; LEDGER_ORIGIN
 * (another log), LEDGER_SIGNATURE. `*ret_note` is the parsed note, for looking at cosignatures.
 */
PP_MUST pp_res pp_checkpoint_open(struct pp_span note, struct pp_span origin,
                                  const struct pp_note_key *log_keys, size_t log_key_count,
                                  struct pp_note *ret_note, struct pp_checkpoint *ret);

#endif
