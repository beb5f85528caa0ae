/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spent.h: the spent-token store: which tokens were accepted, ever.
 *
 * One operation decides: insert if absent, durable before it answers. One table an epoch, dropped
 * whole when no verifier accepts the epoch's key any more. What is kept of a token is 16 bytes that
 * say nothing about it (pp_spend_key).
 *
 * This is the store of one machine (SQLite, any number of processes and handles). A fleet's store
 * needs no more than these four calls.
 */
#ifndef PP_SPENT_H
#define PP_SPENT_H

#include "cred.h"
#include "problem.h"
#include "result.h"

enum { PP_SPENT_EPOCHS_MAX = 4 }; /* statements kept ready: yesterday, today, tomorrow and one */

/* One thread's handle; open it after the last fork. */
struct pp_spent;

/* Opens or makes the file. STORE with the words in `problem` (may be NULL), NO_MEMORY. */
PP_MUST pp_res pp_spent_open(const char *path, struct pp_problem *problem, struct pp_spent **ret);
void pp_spent_close(struct pp_spent *s); /* NULL is fine */

/*
 * OK exactly once for each (day, key), whoever asks in whichever process, and on the disk by then.
 * SPENT when it was there, or when the epoch was retired. STORE when the store cannot tell: the
 * caller must refuse. Waits for the disk, and up to PP_DB_WAIT_MS for other processes.
 */
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
