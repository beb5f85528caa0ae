/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness.h: the add-checkpoint call of C2SP tlog-witness, both sides, without its HTTP.
 *
 * The witness's decision is a pure function of what it stored and what it was sent. The caller
 * keeps the order: decide, store `next` durably, and only then make the cosignature (cosign.h) and
 * answer.
 */
#ifndef PP_WITNESS_H
#define PP_WITNESS_H

#include "checkpoint.h"
#include "merkle.h"
#include "note.h"

enum {
    PP_WITNESS_REQUEST_MAX = PP_NOTE_BYTES_MAX + 64 * 48,
    PP_WITNESS_ANSWER_MAX = 16384, /* bytes of an answer's body */
    PP_WITNESS_KEYS_MAX = 8,       /* log keys that one origin may have */
};

struct pp_witness_request {
    uint64_t old_size;
    struct pp_merkle_path proof;
    struct pp_span note_bytes;       /* borrowed: the checkpoint note, verbatim */
    struct pp_note note;             /* borrows the same bytes */
    struct pp_checkpoint checkpoint; /* its size may be 0 with a wrong root: the decision says so */
};

/* Any failure is status 400: FORMAT, RANGE, LIMIT, TRUNCATED, UTF8; RANGE too when old_size is
 * larger than the checkpoint's size. */
PP_MUST pp_res pp_witness_request_parse(struct pp_span body, struct pp_witness_request *ret);

void pp_witness_request_write(struct pp_wr *wr, uint64_t old_size,
                              const struct pp_merkle_path *proof, struct pp_span note);

/* --- the log's side of the answer ----------------------------------------------------------- */

/*
 * The line of `key` in the body of a 200, line feed included, once it verifies over the checkpoint
 * text that was sent; borrows `body`. Lines of other keys are ignored, but anything that is no
 * signature line refuses the whole body: whatever is taken from it ends up in a note that everybody
 * reads. FORMAT, UTF8, LIMIT, TRUNCATED; SIGNATURE (no line of the key, or a wrong one).
 */
PP_MUST pp_res pp_witness_answer_line(struct pp_span body, struct pp_span checkpoint_text,
                                      const struct pp_note_key *key, struct pp_span *ret_line);

/* The body of a 409: the size that the witness cosigned last, and a line feed. FORMAT, RANGE. */
PP_MUST pp_res pp_witness_conflict_parse(struct pp_span body, uint64_t *ret_size);

/* --- the witness's side --------------------------------------------------------------------- */

/* What a witness knows of a log: its keys, and what it cosigned last (size 0: nothing yet). */
struct pp_witness_log {
    struct pp_span origin;
    struct pp_note_key keys[PP_WITNESS_KEYS_MAX];
    size_t key_count;
};

struct pp_witness_state {
    uint64_t size;
    struct pp_merkle_hash root; /* of the empty tree while size is 0 */
};

struct pp_witness_state pp_witness_state_empty(void);

enum pp_witness_status {
    PP_WITNESS_COSIGN = 200,
    PP_WITNESS_MALFORMED = 400,
    PP_WITNESS_UNSIGNED = 403,
    PP_WITNESS_UNKNOWN_LOG = 404,
    PP_WITNESS_CONFLICT = 409, /* the body is the stored size and a line feed */
    PP_WITNESS_REFUSED = 422,
};

/*
 * Decides a parsed request in the specification's order of checks. `log` NULL: the origin is not
 * one of ours. On PP_WITNESS_COSIGN `*ret_next` is what must be stored before the cosignature of
 * r->note.text leaves; else it is `*state`.
 */
enum pp_witness_status pp_witness_decide(const struct pp_witness_log *log,
                                         const struct pp_witness_state *state,
                                         const struct pp_witness_request *r,
                                         struct pp_witness_state *ret_next);

#endif
