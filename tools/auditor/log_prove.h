/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_prove.h: proofs and directory bundles, made by anybody from the public files of a log: what
 * its process serves can be compared with them, and what it no longer serves be had all the same.
 */
#ifndef PP_LOG_PROVE_H
#define PP_LOG_PROVE_H

#include "bundle.h"
#include "log_reader.h"
#include "proof.h"
#include "record.h"

enum { PP_LOG_INDEX_MAX = 1 << 17 }; /* records that are not statuses */

/* A checkpoint that was opened under a policy: what the proofs are of. */
struct pp_log_shown {
    struct pp_log_source *source;
    struct pp_log_tree tree;
    struct pp_span note; /* verbatim, borrowed: proofs hold a copy */
};

/* One entry, as the log shows it: only a proof says that it is the one. Failures of log_source.h;
 * RANGE. The caller drops `*ret`. */
PP_MUST pp_res pp_log_entry(const struct pp_log_shown *log, uint64_t index, struct pp_buf *ret,
                            struct pp_problem *problem);

/*
 * The tlog-proof of entry `index`, whose bytes are `entry`, under exactly log->note. It is verified
 * before it is given: LOG_TILE when the tiles do not lead from the entry to the root.
 */
PP_MUST pp_res pp_log_prove(const struct pp_log_shown *log, uint64_t index, struct pp_span entry,
                            struct pp_buf *ret, struct pp_problem *problem);

/* Where the records of a log stand, statuses excepted: they are named by nothing. Zeroed: empty. */
struct pp_log_index {
    struct pp_log_index_row {
        struct pp_record_id id;
        uint64_t index;
    } * rows;
    size_t count, cap;
};

/* Takes an entry into account; one that is no signed note, or a status, is passed over. LIMIT,
 * NO_MEMORY. */
PP_MUST pp_res pp_log_index_add(struct pp_log_index *x, uint64_t index, struct pp_span entry);

/* The first entry that holds the record. NOT_FOUND. */
PP_MUST pp_res pp_log_index_find(const struct pp_log_index *x, const struct pp_record_id *id,
                                 uint64_t *ret_index);
void pp_log_index_done(struct pp_log_index *x);

/*
 * The directory bundle (pp-wire 2) of a log that ends in a status: that, and every record that it
 * names, each with its proof. `blobs` and `revokes` of `extra` (may be NULL) go in as they are: the
 * log does not hold them. LEDGER_NOT_LAST, LEDGER_RECORD, NOT_FOUND (a record is named that the log
 * does not have), LIMIT.
 */
PP_MUST pp_res pp_log_directory(const struct pp_log_shown *log, const struct pp_log_index *index,
                                const struct pp_bundle *extra, struct pp_buf *ret,
                                struct pp_problem *problem);

#endif
