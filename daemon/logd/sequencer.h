/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequencer.h: the log as a sequencer of entries: admits batches, closes them, signs.
 *
 * No network and no clock: the caller says what time it is, sends what was signed to the witnesses
 * and says when a quorum answered. A batch is taken whole or not at all. What submit called
 * pending is stored durably and is in the next signed tree, unless the rules refuse it by then (a
 * revocation, or a waiting time that ran out while the log stood still); submitting it again
 * tells. An opaque log refuses nothing that waits.
 *
 * An entry is taken once: found by its id (admission.h) it is answered with where it stands, and
 * nothing is written. A log of records knows every id; an opaque log the last 2^20 at least.
 */
#ifndef PP_SEQUENCER_H
#define PP_SEQUENCER_H

#include "admission.h"
#include "batch.h"
#include "id_index.h"
#include "store.h"

enum {
    PP_SEQUENCER_PENDING_MAX = 64,             /* batches that wait */
    PP_SEQUENCER_PENDING_BYTES_MAX = 16 << 20, /* of all of them together */
    PP_SEQUENCER_WAITING_MAX = PP_SEQUENCER_PENDING_MAX * PP_BATCH_MAX, /* entries that wait */
};

struct pp_sequencer_config {
    int dir; /* the log's folder, open */
    enum pp_admission_kind kind;
    struct pp_log_keys log;
    /* Of a log of records alone. */
    struct pp_span name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys; /* keys.log is made here and may be NULL */
    uint64_t index_seed;        /* random: see id_index.h */
    int check_all;              /* 1: an opaque log reads every entry, too */
};

struct pp_sequencer_pending {
    uint64_t number;
    struct pp_buf batch; /* framed entries */
    size_t count;        /* of them */
    int is_stored;       /* 1: durable in the folder */
    int is_seen;         /* 0: the admission refused it when the log was opened */
};

struct pp_sequencer {
    struct pp_sequencer_config config;
    struct pp_log_store store;
    struct pp_admission admission; /* has seen the signed tree, and then what waits */
    struct pp_rules_state logged;  /* a savepoint: it has seen the signed tree alone */
    struct pp_id_index index;      /* of the signed tree */
    struct pp_record_id *ids;      /* of every entry of it; NULL where the index has a window */
    size_t id_count, id_cap;
    struct pp_tile_tree *tree; /* the signed tree's tiles */
    struct pp_id_index waiting;
    struct pp_record_id *waiting_ids; /* PP_SEQUENCER_WAITING_MAX */
    size_t waiting_count;
    struct pp_sequencer_pending pending[PP_SEQUENCER_PENDING_MAX];
    size_t pending_count, pending_bytes;
    uint64_t next_number;
    uint64_t dropped; /* batches that were pending and that the rules refused later */
};

/*
 * Opens the log and the batches that wait. A log of records reads every entry; an opaque one its
 * right edge, and every entry only where that is damaged. Errors of pp_log_store_open; those of
 * the rules when the log itself breaks them (detail = entry); MISMATCH and LEDGER_NOT_LAST (a log
 * of the other kind); those of pp_batch_parse for a batch that was damaged while it waited.
 */
PP_MUST pp_res pp_sequencer_open(struct pp_sequencer *l, const struct pp_sequencer_config *config);
void pp_sequencer_done(struct pp_sequencer *l);

enum pp_sequencer_state {
    PP_SEQUENCER_REFUSED, /* nothing was kept; `code` and `entry` say why */
    PP_SEQUENCER_PENDING, /* stored; in the next tree that is signed, or refused by then */
    PP_SEQUENCER_LOGGED, /* every entry is in the signed tree; a reader can see it from `size` on */
};

struct pp_sequencer_answer {
    enum pp_sequencer_state state;
    uint32_t code; /* refused: enum pp_code */
    size_t entry;  /* refused: which entry of the batch, from 0; the count of entries: the batch */
    uint64_t size; /* logged: the smallest tree that holds the whole batch */
    uint64_t index[PP_BATCH_MAX]; /* logged: of each entry */
    struct pp_record_id ids[PP_BATCH_MAX];
    size_t count;
};

/*
 * Takes a batch (batch.h). Entries that the log holds already, that wait already, or that stand in
 * the batch twice are not taken twice, so that a batch can be submitted again until it is logged.
 * Fails only when storing fails (DISK_FULL, SYSTEM): then the batch was not taken. `ret->code`
 * FORMAT or LIMIT may be about the framing; BUSY: too much waits.
 */
PP_MUST pp_res pp_sequencer_submit(struct pp_sequencer *l, struct pp_span batch, uint64_t now,
                                   struct pp_sequencer_answer *ret);

/*
 * The same without storing: for who does not tell yet that the batch waits, and may be able to
 * tell soon that it is logged, which saves the wait for the disk.
 */
PP_MUST pp_res pp_sequencer_take(struct pp_sequencer *l, struct pp_span batch, uint64_t now,
                                 struct pp_sequencer_answer *ret);

/*
 * Stores all that was taken and not stored, at the price of one. On failure (DISK_FULL, SYSTEM)
 * none of these batches waits any more.
 */
PP_MUST pp_res pp_sequencer_store(struct pp_sequencer *l);

/*
 * When the next batch is due. A log of records: 0 at once (dev with something pending, or a
 * revocation pending), else the POSIX second of the next full hour that has no status yet. An
 * opaque log: 0 with something pending, which its caller may gather for a while, else UINT64_MAX.
 */
uint64_t pp_sequencer_due(const struct pp_sequencer *l, uint64_t now);

/* 1 and its number, for an entry of the signed tree. */
int pp_sequencer_find(struct pp_sequencer *l, const struct pp_record_id *id, uint64_t *ret_index);

/*
 * Closes a batch (a log of records with a status record of `now`), and signs the larger tree
 * durably: l->store.note may leave then. Batches that the rules refuse by now are dropped and
 * counted in l->dropped. MISSING while there is no host-set that a status could name, or nothing
 * for an opaque log to sign, and the rules' codes; nothing else has changed then.
 */
PP_MUST pp_res pp_sequencer_close_batch(struct pp_sequencer *l, uint64_t now);

/* A consistency proof from the tree of `old_size` to the signed one. Empty for old_size 0. */
PP_MUST pp_res pp_sequencer_consistency(struct pp_sequencer *l, uint64_t old_size,
                                        struct pp_merkle_path *ret);

/* The inclusion proof of an entry in the signed tree. RANGE. */
PP_MUST pp_res pp_sequencer_inclusion(struct pp_sequencer *l, uint64_t index,
                                      struct pp_merkle_path *ret);

/*
 * The quorum answered: writes the directory bundle of the signed tree, in a log of records, and
 * makes `note` (the signed note with cosignatures) the served checkpoint. A tree of size 0 is not
 * served: OK, and nothing is written.
 */
PP_MUST pp_res pp_sequencer_publish(struct pp_sequencer *l, struct pp_span note);

#endif
