/* SPDX-License-Identifier: Apache-2.0 */
/*
 * book.h: what a witness knows of its logs, durably: keys, and what it cosigned last.
 *
 * states/<hex SHA-256 of the origin> is the checkpoint note that was cosigned last, with the log's
 * and our own line: state, and the body of the monitoring endpoint, in one file. It is written
 * before a cosignature leaves. A state that does not verify under our own key stops the witness:
 * starting over from nothing would let a log show a second history.
 */
#ifndef PP_WITNESS_BOOK_H
#define PP_WITNESS_BOOK_H

#include "cosign.h"
#include "file.h"
#include "witness.h"

enum {
    PP_WITNESS_LOGS_MAX = 64,
    PP_WITNESS_NOTE_MAX = PP_NOTE_BYTES_MAX,
    PP_WITNESS_ORIGIN_MAX = 255,
    PP_WITNESS_ID_CHARS = 2 * PP_SHA256_BYTES, /* hex SHA-256 of an origin */
};

struct pp_witness_page {
    struct pp_witness_log log; /* borrows the configuration's text */
    struct pp_witness_state state;
    int is_unsettled; /* 1: a write failed, so its file may hold what is not the state */
    char id[PP_WITNESS_ID_CHARS + 1];
};

struct pp_witness_book {
    int dir; /* the home; the caller closes it */
    const struct pp_note_signer *signer;
    /* The key that states may be signed with too, from before this witness changed its own; NULL:
     * none. The next cosignature of a log is stored under the own key. */
    const struct pp_note_key *previous;
    struct pp_witness_page pages[PP_WITNESS_LOGS_MAX];
    size_t count;
};

/* Makes the folder of states. EXISTS, SYSTEM. */
PP_MUST pp_res pp_witness_book_create(int dir);

/*
 * Adds a log: "<vkey>", or "<vkey> <origin>" where the origin is not the key's name. A second line
 * of one origin adds a key. FORMAT, LIMIT, DUPLICATE, and the codes of pp_vkey_parse.
 */
PP_MUST pp_res pp_witness_book_add(struct pp_witness_book *b, struct pp_span line);

/* Reads the states, and locks the folder. STATE_IN_USE, SIGNATURE or FORMAT (a state that we
 * did not write), SYSTEM (no folder of states, too). */
PP_MUST pp_res pp_witness_book_load(struct pp_witness_book *b);

/* The page of an origin, or NULL. */
struct pp_witness_page *pp_witness_book_find(struct pp_witness_book *b, struct pp_span origin);

/*
 * Stores `next` for a decided request, and then gives the cosignature line of `time`. On failure
 * the state is what it was and nothing was signed that could leave. DISK_FULL, SYSTEM, RANGE
 * (time).
 */
PP_MUST pp_res pp_witness_book_cosign(struct pp_witness_book *b, struct pp_witness_page *page,
                                      const struct pp_witness_request *r,
                                      const struct pp_witness_state *next, uint64_t time,
                                      struct pp_wr *ret_line);

/*
 * The stored note of the log with this id. NOT_FOUND; STATE (a write of it failed, and it is shown
 * to nobody before another has succeeded). The caller drops `*ret`.
 */
PP_MUST pp_res pp_witness_book_note(const struct pp_witness_book *b, struct pp_span id,
                                    struct pp_buf *ret);

#endif
