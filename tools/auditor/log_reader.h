/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_reader.h: every entry of a verified checkpoint, in order, while all hashes are computed
 * again.
 *
 * Entries are hashed as they are and their root compared with the checkpoint's, so that a log
 * cannot show one tree to witnesses and other entries to readers; and each hash tile is compared
 * with what the entries give, since a log with right entries and wrong tiles gives out proofs that
 * fail. What has been read is a compact range of at most 2 KiB, from which a later call goes on.
 * Memory: the files under way, one hash tile a level, and nothing that grows with the log.
 */
#ifndef PP_LOG_READER_H
#define PP_LOG_READER_H

#include "finding.h"
#include "log_source.h"
#include "merkle.h"

/* What a checkpoint that was opened under a policy says (pp_policy_open, pp_policy_decide). */
struct pp_log_tree {
    uint64_t size;
    struct pp_merkle_hash root;
};

struct pp_log_reader_config {
    struct pp_log_source *source;
    struct pp_log_tree tree;
    struct pp_merkle_range from; /* what was read already; zeroed: nothing */

    /* Each entry from from.size on, borrowed until it returns; a failure ends the reading. None of
     * it is proven before pp_log_reader_finish has returned OK. NULL: hashing alone. */
    pp_res (*entry)(void *ctx, uint64_t index, struct pp_span entry);
    void *ctx;

    /* Wrong or missing hash tiles go here (LOG_TILE, LOG_FILE, LOG_MISSING), each with its path;
     * without `found` the first one is a failure. */
    struct pp_finding_sink findings;
};

struct pp_log_reader;

/* RANGE when the tree is smaller than what was read; NO_MEMORY. */
PP_MUST pp_res pp_log_reader_new(const struct pp_log_reader_config *c, struct pp_log_reader **ret);
void pp_log_reader_free(struct pp_log_reader *r); /* NULL is fine */

/*
 * Reads on until at least `until` entries (or all of the tree) are read: whole bundles, so that
 * the caller can store pp_log_reader_range between two calls. Failures of log_source.h, of `entry`
 * and of `found`; words in `problem` for those of the source. A reader that failed is finished
 * with.
 */
PP_MUST pp_res pp_log_reader_run(struct pp_log_reader *r, uint64_t until,
                                 struct pp_problem *problem);

/* All that was read so far: of the tree only once finish has said so. */
const struct pp_merkle_range *pp_log_reader_range(const struct pp_log_reader *r);

/* Reads the rest, and compares the root: LOG_ROOT unless the entries are those of the checkpoint.
 */
PP_MUST pp_res pp_log_reader_finish(struct pp_log_reader *r, struct pp_problem *problem);

#endif
