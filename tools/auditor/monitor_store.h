/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_store.h: the folder of a monitor: state, findings, evidence and the copy of the log.
 *
 *     lock              one monitor at a time
 *     state             monitor_state.h; replaced whole
 *     findings          one line a finding; only ever appended to
 *     evidence/ID/      the bytes of a finding, and its line
 *     copy/             monitor_copy.h
 *
 * Order of durability: evidence, line, state. Whoever is killed at any instant finds again what
 * had not become a line, and never goes behind what was verified.
 */
#ifndef PP_MONITOR_STORE_H
#define PP_MONITOR_STORE_H

#include "monitor_copy.h"
#include "monitor_state.h"

enum {
    PP_MONITOR_FINDINGS_MAX = 4096,   /* what more is found is counted */
    PP_MONITOR_CONDITIONS_MAX = 3072, /* the rest is for facts, which nobody makes without a key */
    PP_MONITOR_FINDINGS_BYTES_MAX = (PP_MONITOR_FINDINGS_MAX + 1) * PP_FINDING_LINE_MAX,
};

struct pp_monitor_stored {
    struct pp_monitor_finding finding;
    struct pp_monitor_finding_id id;
    int is_new;     /* 1: not in the file when this run began */
    int is_present; /* 1: found in this round; what holds of facts for ever */
};

struct pp_monitor_store {
    int dir_fd, lock_fd, findings_fd; /* -1: none */
    struct pp_monitor_stored *findings;
    size_t finding_count;
    uint64_t dropped; /* beyond the two limits */
};

/*
 * Opens the folder, and makes it if it is not there. BUSY (another monitor has it), CONFIG (a
 * findings file that nobody wrote so), SYSTEM, NO_MEMORY. Call pp_monitor_store_close also after a
 * failure.
 */
PP_MUST pp_res pp_monitor_store_open(const char *folder, struct pp_monitor_store *ret,
                                     struct pp_problem *problem);
void pp_monitor_store_close(struct pp_monitor_store *s); /* safe on zero state behind _init */
void pp_monitor_store_init(struct pp_monitor_store *s);

/* Opens, and makes, a folder in it; the caller closes. */
PP_MUST pp_res pp_monitor_store_folder(struct pp_monitor_store *s, const char *name, int *ret_fd);

/* A round begins: conditions have to be found again. */
void pp_monitor_store_round(struct pp_monitor_store *s);

/* Where the core's findings go: ctx is the store. */
PP_MUST pp_res pp_monitor_store_found(void *ctx, const struct pp_monitor_finding *f,
                                      const struct pp_monitor_evidence *evidence,
                                      size_t evidence_count);

/* Makes everything so far durable, the copy too, and then the state. */
PP_MUST pp_res pp_monitor_store_save(struct pp_monitor_store *s,
                                     const struct pp_monitor_state *state);

/* NOT_FOUND (a new folder), or pp_monitor_state_parse's codes. */
PP_MUST pp_res pp_monitor_store_load(struct pp_monitor_store *s, struct pp_monitor_state *state);

/* The worst that is true now; 0 when nothing is. */
enum pp_finding_level pp_monitor_store_level(const struct pp_monitor_store *s);

#endif
