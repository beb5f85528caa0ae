/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequencer.h: the log as a sequencer of records: admits batches, closes them with a status record,
 * signs.
 *
 * No network and no clock: the caller says what time it is, sends what was signed to the witnesses
 * and says when a quorum answered. A batch is taken whole or not at all. What submit called
 * pending is stored durably and is in the next signed tree, unless the rules refuse it by then (a
 * revocation, or a waiting time that ran out while the log stood still); submitting it again
 * tells.
 */
#ifndef PP_SEQUENCER_H
#define PP_SEQUENCER_H

#include "batch.h"
#include "record_rules.h"
#include "store.h"

enum {
    PP_SEQUENCER_PENDING_MAX = 64,           /* batches that wait */
    PP_SEQUENCER_RECORDS_MAX = 1 << 16,      /* releases, host-sets and key-epochs of a log */
    PP_SEQUENCER_MEASUREMENTS_MAX = 1 << 17, /* rows of its releases */
    PP_SEQUENCER_HOUR_S = 3600,
};

struct pp_sequencer_config {
    int dir; /* the log's folder, open */
    const struct pp_note_signer *signer;
    struct pp_span name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys; /* keys.log is made here and may be NULL */
};

struct pp_sequencer_pending {
    uint64_t number;
    struct pp_buf batch; /* framed entries */
};

struct pp_sequencer {
    struct pp_sequencer_config config;
    struct pp_log_store store;
    struct pp_rules rules;
    struct pp_policy own;     /* our key as the only log */
    struct pp_record_id *ids; /* of every entry of the signed tree */
    size_t id_count, id_cap;
    struct pp_sequencer_pending pending[PP_SEQUENCER_PENDING_MAX];
    size_t pending_count;
    uint64_t next_number;
    uint64_t dropped; /* batches that were pending and that the rules refused later */
};

/*
 * Opens the log, reads it all, and the batches that wait. Errors of pp_log_store_open; those of the
 * rules when the log itself breaks them (detail = entry); those of pp_batch_parse for a batch that
 * was damaged while it waited.
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
 * Takes a batch (batch.h). Entries that the log holds already, or that
 * wait already, are not taken twice, so that a batch can be submitted again until it is logged.
 * Fails only when storing fails (DISK_FULL, SYSTEM): then the batch was not taken. `ret->code`
 * FORMAT or LIMIT is about the framing.
 */
PP_MUST pp_res pp_sequencer_submit(struct pp_sequencer *l, struct pp_span batch, uint64_t now,
                                   struct pp_sequencer_answer *ret);

/*
 * When the next batch is due: 0 at once (dev with something pending, or a revocation pending),
 * else the POSIX second of the next full hour that has no status yet.
 */
uint64_t pp_sequencer_due(const struct pp_sequencer *l, uint64_t now);

/*
 * Closes a batch with a status record of `now`, and signs the larger tree durably: l->store.note
 * may leave then. Batches that the rules refuse by now are dropped and counted in l->dropped.
 * MISSING while there is no host-set that a status could name, and the rules' codes; nothing has
 * changed then.
 */
PP_MUST pp_res pp_sequencer_close_batch(struct pp_sequencer *l, uint64_t now);

/* A consistency proof from the tree of `old_size` to the signed one. Empty for old_size 0. */
PP_MUST pp_res pp_sequencer_consistency(struct pp_sequencer *l, uint64_t old_size,
                                        struct pp_merkle_path *ret);

/*
 * The quorum answered: writes the directory bundle of the signed tree and makes `note` (the signed
 * note with cosignatures) the served checkpoint. A tree of size 0 is not served: OK, and nothing is
 * written.
 */
PP_MUST pp_res pp_sequencer_publish(struct pp_sequencer *l, struct pp_span note);

#endif
