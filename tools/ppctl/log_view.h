/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_view.h: a record ledger, read and checked from the first entry to the last as a monitor does:
 * nothing is shown of a log that does not pass.
 */
#ifndef PPCTL_LOG_VIEW_H
#define PPCTL_LOG_VIEW_H

#include "audit.h"
#include "file.h"
#include "log_reader.h"
#include "problem.h"
#include "record_rules.h"
#include "trust.h"

enum {
    LOG_VIEW_ENTRIES_MAX = 1 << 20,
};

struct log_view {
    struct pp_log_source *source;
    struct pp_buf checkpoint;
    struct pp_policy_checkpoint opened; /* borrows the checkpoint's bytes */
    uint64_t quorum_posix_s;            /* the latest time that the quorum vouches for */
    struct pp_buf *entries;
    size_t entry_count, entry_cap;
    struct pp_record status; /* the last entry; borrows it */
};

/* Whose records, and under which keys, a device with these anchors believes. */
struct pp_audit_place log_view_place(const struct pp_trust *trust);

/*
 * Reads the log of a folder or URL (log_source.h) and checks, against the place's pins and in this
 * order: the log's signature and the quorum under the checkpoint; that the entries hash to its root
 * and its hash tiles to the entries; that every entry, read in order, keeps the rules of the ledger
 * at the time `now`; that a status record closes it. STATE_ABSENT (no checkpoint there), INPUT (a
 * file cannot be read), failures of log_source.h, LEDGER_*; the words are in `problem`. Call
 * log_view_done also after a failure.
 */
PP_MUST pp_res log_view_read(struct log_view *v, const struct pp_log_source_config *from,
                             const struct pp_audit_place *place, uint64_t now,
                             struct pp_problem *problem);
void log_view_done(struct log_view *v);

/* Calls `each` for every entry of a log that was read, in order, until one fails. */
PP_MUST pp_res log_view_each(const struct log_view *v,
                             pp_res (*each)(void *ctx, uint64_t index, struct pp_span entry),
                             void *ctx);

#endif
