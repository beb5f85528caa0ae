/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cosign.h: cosignature/v1, Ed25519 (C2SP tlog-cosignature): what a witness says about a
 * checkpoint.
 *
 * Signed are two header lines with the time and then the whole checkpoint text. Verification is
 * part of pp_note_check (note.h), which meets cosignatures as lines of keys of type 0x04.
 */
#ifndef PP_COSIGN_H
#define PP_COSIGN_H

#include "note.h"

enum { PP_COSIGN_TEXT_MAX = 16384 }; /* bytes of a checkpoint text that is cosigned */

#define PP_COSIGN_TIME_MAX ((uint64_t)INT64_MAX)

/*
 * Writes one cosignature line with its line feed over the checkpoint text `text` at `time` (POSIX
 * s). `s` is of type 0x04. FORMAT (another type), RANGE (time 0 or above PP_COSIGN_TIME_MAX),
 * LIMIT.
 */
PP_MUST pp_res pp_cosign_line_write(struct pp_wr *wr, const struct pp_note_signer *s, uint64_t time,
                                    struct pp_span text);

/* Verifies `signature` (time || Ed25519, 72 bytes) over `text`. SIGNATURE, LIMIT. */
PP_MUST pp_res pp_cosign_verify(const struct pp_note_key *key, struct pp_span signature,
                                struct pp_span text, uint64_t *ret_time);

#endif
