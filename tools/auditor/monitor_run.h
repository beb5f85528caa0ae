/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_run.h: a monitor at work: its folder, its sources, one round after the other.
 *
 * A round asks every place for its checkpoint and entries, every witness of the policy for what it
 * cosigned last, takes the checkpoints that people brought, looks for what records name, and stores
 * what it knows. Blocking; one thread. Whoever ends the process in the midst loses nothing.
 */
#ifndef PP_MONITOR_RUN_H
#define PP_MONITOR_RUN_H

#include "env.h"
#include "log_source.h"
#include "monitor_store.h"

enum {
    PP_MONITOR_PLACES_MAX = 16,
    PP_MONITOR_MIRRORS_MAX = 8,
    PP_MONITOR_BROUGHT_MAX = 64,
    /* A log may sign any size, and whoever serves it may never end: no ledger of ours is larger. */
    PP_MONITOR_ENTRIES_MAX = 1 << 20,
    PP_MONITOR_RECORDS_MAX = 1 << 16,
    PP_MONITOR_MEASUREMENTS_MAX = 1 << 17,
    PP_MONITOR_PENDING_MAX = 1024, /* publications that are being waited for */
};

enum pp_monitor_images {
    PP_MONITOR_IMAGES_FETCH,
    PP_MONITOR_IMAGES_FOLDER, /* files whose names are their SHA-256 in hex */
    PP_MONITOR_IMAGES_SKIP,
};

/* Everything is borrowed and outlives the run. */
struct pp_monitor_run_config {
    const char *folder; /* the monitor's own */
    const char *places[PP_MONITOR_PLACES_MAX];
    size_t place_count;
    const char *mirrors[PP_MONITOR_MIRRORS_MAX]; /* URLs of the bundle that devices fetch */
    size_t mirror_count;
    /* Files that somebody was shown: checkpoints, proofs, bundles, receipts. */
    const char *brought[PP_MONITOR_BROUGHT_MAX];
    size_t brought_count;
    const struct pp_record_id *expected;
    size_t expected_count; /* up to PP_MONITOR_EXPECTED_MAX */
    struct pp_span origin;
    const struct pp_policy *log;
    int opaque; /* 1: the next three are not used */
    const struct pp_record_keys *keys;
    struct pp_span name_space;
    enum pp_record_env environment;
    enum pp_monitor_images images;
    const char *images_folder;
    uint32_t witness_late_s;
    struct pp_span ca_pem;
    struct pp_clock clock;
};

/* What a place did in the last round. */
struct pp_monitor_place {
    const char *name;
    uint32_t code; /* OK, or why it could not be read */
    uint64_t size; /* of the checkpoint that it showed; 0 without */
};

struct pp_monitor_run {
    struct pp_monitor_run_config config;
    struct pp_monitor *monitor;
    struct pp_monitor_state *state;
    struct pp_monitor_store store;
    struct pp_monitor_copy copy;
    struct pp_rules_config rules;
    struct pp_monitor_place places[PP_MONITOR_PLACES_MAX];
    struct pp_monitor_publication *pending;
    size_t pending_count;
    uint64_t directory_size; /* of the tree of the first bundle of a round; 0: none yet */
    uint8_t directory_sha256[PP_SHA256_BYTES];
    uint64_t unread; /* places that could not be read in the last round */
};

/*
 * Opens the folder and goes to where its monitor was: the copy is read again, and looked into as if
 * it were new. A copy that is damaged or gone is read from the log again in the next round. BUSY,
 * CONFIG, LEDGER_ORIGIN (the folder of another log), NO_MEMORY, SYSTEM; words in `problem`. Call
 * pp_monitor_run_close also after a failure.
 */
PP_MUST pp_res pp_monitor_run_open(const struct pp_monitor_run_config *c,
                                   struct pp_monitor_run *ret, struct pp_problem *problem);
void pp_monitor_run_close(struct pp_monitor_run *r);

/*
 * One round. What the log did is in r->store, what could not be read in r->places; a failure is one
 * of the monitor's own folder or memory, and nothing of the round is kept but its findings.
 */
PP_MUST pp_res pp_monitor_run_round(struct pp_monitor_run *r);

#endif
