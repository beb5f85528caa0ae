/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spent.h: the spent-token store: which tokens were accepted, ever.
 *
 * One operation decides: insert if absent, durable before it answers. One table an epoch, dropped
 * whole when no verifier accepts the epoch's key any more. What is kept of a token is 16 bytes that
 * say nothing about it (pp_spend_key).
 *
 * SQLite is the store of one machine (any number of processes and handles), PostgreSQL the store of
 * a fleet. The calls and what they promise are the same.
 *
 * Each call waits for the disk, or for the database: make it on a thread of its own. What a disk
 * can sync in a second is few, so whoever has many tokens waiting hands them over together: the
 * batch costs one sync.
 *
 * In a sandboxed daemon: `open` reads the configuration value (pp_where_read, which says what ports
 * to let through), `serve` opens the store.
 */
#ifndef PP_SPENT_H
#define PP_SPENT_H

#include "cred.h"
#include "problem.h"
#include "result.h"

enum {
    PP_SPENT_EPOCHS_MAX = 4,   /* statements kept ready: yesterday, today, tomorrow and one */
    PP_SPENT_BATCH_MAX = 1024, /* items of one call */
};

/* One thread's handle; open it after the last fork. */
struct pp_spent;

/*
 * `where` is the path of an SQLite file, which is made if it is not there, or the
 * "postgresql://..." URL of a database (pp_where_text gives either). STORE with the words in
 * `problem` (may be NULL), CONFIG (a URL that is not acceptable), NO_MEMORY.
 */
PP_MUST pp_res pp_spent_open(const char *where, struct pp_problem *problem, struct pp_spent **ret);
void pp_spent_close(struct pp_spent *s); /* NULL is fine */

/* One token, and what became of it. */
struct pp_spent_item {
    uint32_t day;
    uint8_t key[PP_SPEND_KEY_BYTES];
    pp_res result; /* written by the call, whatever it returns */
};

/*
 * Each item's result is as if it had come alone, in this order: OK exactly once for each (day,
 * key), whoever asks in whichever process, and on the disk by then; SPENT when it was there, stands
 * twice in the batch, or is of an epoch that was retired. The whole is one transaction: where it
 * fails, the store cannot tell, and every item has the call's result, STORE or DISK_FULL: the
 * caller must refuse them all. Some may be in the store nevertheless, and are then spent.
 *
 * RANGE (no or too many items) changes nothing; the items' results are RANGE.
 */
PP_MUST pp_res pp_spent_insert_many(struct pp_spent *s, struct pp_spent_item *items, size_t count);

/* The same for one: OK, SPENT, STORE, DISK_FULL. */
PP_MUST pp_res pp_spent_insert(struct pp_spent *s, uint32_t day,
                               const uint8_t key[PP_SPEND_KEY_BYTES]);

/*
 * Drops every epoch before `first_day`, for good: their tokens are SPENT from now on, also when a
 * clock is set back. A lower `first_day` than before changes nothing. STORE.
 */
PP_MUST pp_res pp_spent_retire(struct pp_spent *s, uint32_t first_day);

/* How many tokens of an epoch are in the store; 0 for an epoch without a table. STORE. */
PP_MUST pp_res pp_spent_count(struct pp_spent *s, uint32_t day, uint64_t *ret);

/* The first epoch that is not dead at `now_s`: what to retire before. */
uint32_t pp_spent_first_day(uint64_t now_s);

#endif
