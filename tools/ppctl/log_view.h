/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_view.h: a record ledger's static files, read and checked from the first entry to the last as
 * a monitor does: nothing is shown of a log that does not pass.
 */
#ifndef PPCTL_LOG_VIEW_H
#define PPCTL_LOG_VIEW_H

#include "file.h"
#include "problem.h"
#include "record_rules.h"
#include "trust.h"

enum {
    LOG_VIEW_PATH_MAX = 4096,
    LOG_VIEW_BUNDLES_MAX = 1 << 12, /* a million entries */
    LOG_VIEW_RECORDS_MAX = 1 << 16,
    LOG_VIEW_MEASUREMENTS_MAX = 1 << 17,
};

struct log_view {
    char folder[LOG_VIEW_PATH_MAX]; /* of checkpoint and tile/ */
    struct pp_buf checkpoint;
    struct pp_policy_checkpoint opened; /* borrows the checkpoint's bytes */
    uint64_t quorum_posix_s;            /* the latest time that the quorum vouches for */
    struct pp_buf *bundles;             /* of the entries, 256 each but the last */
    size_t bundle_count;
    struct pp_record status; /* the last entry; borrows its bundle */
};

/*
 * Reads the log whose files stand in `folder` and checks, against the anchors and in this order:
 * the log's signature and the quorum under the checkpoint; that the entries hash to its root; that
 * every entry, read in order, keeps the rules of the ledger at the time `now`; that a status record
 * closes it. STATE_ABSENT (no checkpoint there), INPUT (a file cannot be read), LEDGER_*; the words
 * are in `problem`. Call log_view_done also after a failure.
 */
PP_MUST pp_res log_view_read(struct log_view *v, const char *folder, const struct pp_trust *trust,
                             uint64_t now, struct pp_problem *problem);
void log_view_done(struct log_view *v);

/* Calls `each` for every entry of a log that was read, in order, until one fails. */
PP_MUST pp_res log_view_each(const struct log_view *v,
                             pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry),
                             void *ctx);

#endif
