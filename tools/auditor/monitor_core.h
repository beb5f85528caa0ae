/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_core.h: what a monitor concludes from what it was shown: checkpoints and entries in,
 * findings out. No files, no sockets, no clock.
 *
 * The caller shows checkpoints (pp_monitor_show), reads the entries of those that are larger than
 * the verified tree (pp_monitor_read_*), and lets the tree grow (pp_monitor_grow); then it gives
 * each new entry to pp_monitor_entry, and asks pp_monitor_conditions what is overdue. A function
 * that may find something returns the sink's failure and otherwise OK: what a log did wrong is no
 * failure of the monitor.
 *
 * Large (some MiB of kept checkpoints): on the heap. One owner.
 */
#ifndef PP_MONITOR_CORE_H
#define PP_MONITOR_CORE_H

#include "monitor_finding.h"
#include "proof.h"
#include "quorum.h"
#include "record_rules.h"

enum {
    PP_MONITOR_AHEAD_MAX = 16,        /* signed trees that are larger than what could be read */
    PP_MONITOR_FORKS_MAX = 8,         /* other histories whose witnesses are remembered */
    PP_MONITOR_EXPECTED_MAX = 4096,   /* records that somebody was promised */
    PP_MONITOR_NAME_MAX = 255,        /* bytes of a source's name */
    PP_MONITOR_SKEW_S = 300,          /* between clocks, and for cosignatures on their way */
    PP_MONITOR_LATE_S = 3600 + 900,   /* a status an hour, a mirror an hour behind, and a margin */
    PP_MONITOR_QUORUM_S = 6 * 3600,   /* docs/protocol/ledger.md: alarm when the quorum is older */
    PP_MONITOR_PUBLIC_S = 86400,      /* what a record names is public then */
    PP_MONITOR_WITNESS_S = 24 * 3600, /* a witness that is silent for longer is slow */
};

/* A checkpoint that one of the log's keys signed; borrows the note. */
struct pp_monitor_head {
    struct pp_span note;
    struct pp_policy_checkpoint opened;
    uint32_t quorum;         /* pp_policy_decide's code */
    uint64_t quorum_posix_s; /* pp_policy_time; 0 without a quorum */
};

/* A head with its bytes. len 0: none. */
struct pp_monitor_kept {
    size_t len;
    uint64_t shown_posix_s; /* when it was shown for the first time */
    struct pp_monitor_head head;
    uint8_t bytes[PP_NOTE_BYTES_MAX];
};

/* Somebody who shows checkpoints and entries: the log, a mirror, a witness. */
struct pp_monitor_source {
    char name[PP_MONITOR_NAME_MAX + 1]; /* printable, without tab: its URL or folder */
    uint64_t size_max;                  /* the largest tree that it showed */
    struct pp_merkle_range read; /* of its entries: those that were those of a verified tree */
};

struct pp_monitor_config {
    struct pp_span origin;               /* borrowed, as all of these */
    const struct pp_policy *log;         /* whose checkpoints, and whose cosignatures */
    const struct pp_rules_config *rules; /* NULL: entries are opaque, and only hashed */
    struct pp_merkle_nodes nodes;        /* of the verified tree */
    struct pp_monitor_sink sink;
    uint32_t witness_late_s;
};

/* A head of another history. It contradicts every tree of ours of `from` entries or more. */
struct pp_monitor_fork {
    struct pp_monitor_kept kept;
    uint64_t from;
};

struct pp_monitor {
    struct pp_monitor_config config;
    uint64_t now;                  /* POSIX s; the caller sets it before each round */
    struct pp_merkle_range tree;   /* verified */
    struct pp_rules rules;         /* rules.state.entries: how many entries were looked into */
    struct pp_monitor_kept last;   /* the head of `tree`, the newest of that size */
    struct pp_monitor_kept before; /* the newest head of the size before */
    struct pp_monitor_kept witnesses[PP_POLICY_WITNESSES_MAX]; /* the largest tree each cosigned */
    struct pp_monitor_kept ahead[PP_MONITOR_AHEAD_MAX];
    struct pp_monitor_fork forks[PP_MONITOR_FORKS_MAX];
    uint64_t witness_posix_s[PP_POLICY_WITNESSES_MAX]; /* of the latest cosignature; 0: none */
    uint64_t broken_entry; /* 1 + the last entry that broke a rule; 0: none did */
    struct pp_record_id expected[PP_MONITOR_EXPECTED_MAX]; /* set by the caller, with the count */
    uint8_t expected_found[PP_MONITOR_EXPECTED_MAX];
    size_t expected_count;
    uint8_t scratch[PP_PROOF_BYTES_MAX]; /* evidence that is being written */
};

void pp_monitor_init(struct pp_monitor *m, const struct pp_monitor_config *config);

/* --- checkpoints ------------------------------------------------------------------------------ */

/*
 * A note that `who` shows as a checkpoint of the log. FORMAT and so on, LEDGER_ORIGIN,
 * LEDGER_SIGNATURE when it is none: nobody is accused by it.
 */
PP_MUST pp_res pp_monitor_open(const struct pp_monitor *m, struct pp_span note,
                               struct pp_monitor_head *ret);

/*
 * Compares it with everything that was shown before: the verified tree, larger trees, and what each
 * witness cosigned. Finds LEDGER_FORK, LEDGER_WITNESS, LEDGER_REWIND. One of the verified tree's
 * size takes the place of `last` when it is newer.
 */
PP_MUST pp_res pp_monitor_show(struct pp_monitor *m, const struct pp_monitor_head *head,
                               const char *who);

/*
 * The same for one that a source serves now, which may not be smaller than what it served before
 * (LEDGER_REWIND), over an hour behind (LEDGER_STALE), or signed by fewer than clients ask for
 * (LEDGER_QUORUM, LEDGER_RECORD_WITNESS).
 */
PP_MUST pp_res pp_monitor_serve(struct pp_monitor *m, struct pp_monitor_source *source,
                                const struct pp_monitor_head *head);

/* --- entries ---------------------------------------------------------------------------------- */

/* The entries of a source up to a head, behind those that were read from it before. */
struct pp_monitor_reading {
    struct pp_merkle_range range;
    int at_tree;                     /* 1: `tree_root` is set */
    struct pp_merkle_hash tree_root; /* theirs, at the size of the verified tree */
};

void pp_monitor_read_begin(const struct pp_monitor *m, const struct pp_monitor_source *source,
                           struct pp_monitor_reading *ret);

/* LIMIT. */
PP_MUST pp_res pp_monitor_read_leaf(const struct pp_monitor *m, struct pp_monitor_reading *r,
                                    const struct pp_merkle_hash *leaf);

/*
 * Everything up to the head was read. Finds that the entries are not those of the signed tree
 * (LOG_ROOT), or that the signed tree does not begin with the verified one (LEDGER_FORK; with
 * `theirs`, the source's nodes, NULL if it has none, there is a proof of it). `*ret_good` is 1 when
 * it is neither: the source is taken at its word up to there.
 */
PP_MUST pp_res pp_monitor_read_end(struct pp_monitor *m, struct pp_monitor_source *source,
                                   const struct pp_monitor_reading *r,
                                   const struct pp_monitor_head *head,
                                   const struct pp_merkle_nodes *theirs, int *ret_good);

/*
 * A head that was read well, is larger than the tree and has its quorum becomes the tree; the
 * config's nodes have to know it already. Heads that waited for it are compared.
 */
PP_MUST pp_res pp_monitor_grow(struct pp_monitor *m, const struct pp_monitor_reading *r,
                               const struct pp_monitor_head *head);

/* --- records ---------------------------------------------------------------------------------- */

/*
 * The next entry of the verified tree, number rules.state.entries. Finds the rule that it breaks,
 * with the entry and its proof; LEDGER_BACKDATED; LEDGER_LATE. Not for opaque logs.
 */
PP_MUST pp_res pp_monitor_entry(struct pp_monitor *m, struct pp_span entry);

/* All entries of the tree were given: LEDGER_NOT_LAST unless a status is the last. */
PP_MUST pp_res pp_monitor_closed(struct pp_monitor *m);

/*
 * What a source gave for an entry's `where` line. `got` NULL: it is not there. Finds
 * LEDGER_UNPUBLISHED, when it is wrong, or still absent a day after the record's time. `*ret_done`
 * is 1 when nothing more is to be asked.
 */
struct pp_monitor_publication {
    struct pp_record_id record;
    enum pp_record_type type; /* PP_RECORD_RELEASE (an image) or PP_RECORD_HOST_SET (a list) */
    uint64_t index, posix_s;  /* of the entry */
    uint8_t sha256[PP_SHA256_BYTES];
    uint64_t bytes;             /* 0: not told */
    uint64_t until;             /* nobody has to publish it later */
    struct pp_merkle_hash root; /* of a host list */
    char where[PP_RECORD_WORD_MAX + 1];
};

/* 1 and what the entry says is public, 0 when it says nothing of the kind. */
int pp_monitor_publication_of(struct pp_span entry, uint64_t index,
                              struct pp_monitor_publication *ret);

struct pp_monitor_published {
    uint64_t bytes;
    uint8_t sha256[PP_SHA256_BYTES];
    struct pp_span list; /* of a host-set; else empty */
};
PP_MUST pp_res pp_monitor_publish(struct pp_monitor *m, const struct pp_monitor_publication *p,
                                  const struct pp_monitor_published *got, int *ret_done);

/* --- time ------------------------------------------------------------------------------------- */

/*
 * What has not come in time, at m->now: LEDGER_STALE (the quorum), LEDGER_LATE (the status),
 * LEDGER_WITNESS_SLOW, LEDGER_REWIND (a larger tree had its quorum than is served),
 * LEDGER_EXPIRING, LEDGER_WITHHELD.
 */
PP_MUST pp_res pp_monitor_conditions(struct pp_monitor *m);

/* A file of a source is not what it has to be (log_reader.h); `words` say which. */
PP_MUST pp_res pp_monitor_found_file(struct pp_monitor *m, const char *who, uint32_t code,
                                     const struct pp_problem *words);

/* A source could not be read: a warning, or an alarm where it shows what nobody signed. */
PP_MUST pp_res pp_monitor_unreadable(struct pp_monitor *m, const char *who, pp_res why);

#endif
