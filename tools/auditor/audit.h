/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h: a whole log, once, from nothing but its public files and the auditor's own pins: the
 * checkpoint, every hash, every entry, every record's rules, and the directory bundle that devices
 * get. Nothing of an earlier reading is used or kept, so a copy of the files is enough.
 */
#ifndef PP_AUDIT_H
#define PP_AUDIT_H

#include "finding.h"
#include "log_prove.h"
#include "log_source.h"
#include "quorum.h"
#include "record_rules.h"

enum {
    PP_AUDIT_RECORDS_MAX = 1 << 16,
    PP_AUDIT_MEASUREMENTS_MAX = 1 << 17,
};

/* Whose records these must be; pins of the auditor, borrowed. */
struct pp_audit_place {
    struct pp_span origin, name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys;
};

struct pp_audit_config {
    struct pp_log_source *source;
    const struct pp_policy *policy;     /* which log, which witnesses, how many of them */
    const struct pp_audit_place *place; /* NULL: entries are opaque, of any log */
    uint64_t now;                       /* POSIX s: a status may not be dated later */
    uint64_t oldest;                    /* POSIX s that the quorum must reach; 0: of any age */
    struct pp_finding_sink findings;
};

/* What was audited, for the report; pp_audit_done frees it. */
struct pp_audit {
    struct pp_buf checkpoint;
    int is_opened;                      /* 1: the log signed it; `opened` and all below is filled */
    struct pp_policy_checkpoint opened; /* borrows the checkpoint's bytes */
    int has_quorum;
    uint64_t quorum_posix_s; /* the latest time that the quorum vouches for; 0 without one */
    uint64_t entries;        /* read */
    uint64_t files;          /* beside those of the tree, in a folder: older partial tiles */
    uint64_t beyond;         /* ... and tiles of a larger tree than the checkpoint's */
    int has_directory;
    int is_directory_later; /* 1: it is of a larger tree, published meanwhile: not compared */
    int is_complete;        /* 1: everything was read */
    struct pp_log_index index;
};

/*
 * Reads it all. Faults of the log are findings; what keeps the rest from being read (the network, a
 * sink that fails) is a failure, with its words in `problem`. NOT_FOUND: no checkpoint there.
 */
PP_MUST pp_res pp_audit_run(const struct pp_audit_config *c, struct pp_audit *ret,
                            struct pp_problem *problem);
void pp_audit_done(struct pp_audit *a);

#endif
