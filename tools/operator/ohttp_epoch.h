/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ohttp_epoch.h: the OHTTP keys of a gateway's folder, an epoch (UTC day) at a time: made ahead,
 * never overwritten, and put into words for the key-epoch record (docs/protocol/ledger.md).
 *
 * A folder holds one file per epoch and KEM: DAY.key (X25519) and DAY.x-wing.key. Whoever makes
 * keys holds the folder's lock meanwhile.
 */
#ifndef PP_OHTTP_EPOCH_H
#define PP_OHTTP_EPOCH_H

#include "env.h"
#include "problem.h"
#include "result.h"
#include "wr.h"

enum {
    PP_OHTTP_EPOCH_S = 86400,
    PP_OHTTP_EPOCH_KEYS_MAX = 2, /* entries of one epoch's list (transparency-log B4) */
    PP_OHTTP_EPOCH_FILES_MAX = 1024,
};

/*
 * Opens the folder and takes its lock, which closing gives back; what a killed process left
 * half-made is removed. STATE_IN_USE, NOT_FOUND, SYSTEM.
 */
PP_MUST pp_res pp_ohttp_epoch_open(const char *folder, int *ret_fd);

/*
 * Makes the private keys of `day` that are not there yet, mode 0600; `*ret_made` says how many. A
 * file is there whole or not at all, whenever this process ends. RANDOM, SYSTEM, DISK_FULL.
 */
PP_MUST pp_res pp_ohttp_epoch_make(int folder_fd, uint64_t day, const struct pp_random *random,
                                   size_t *ret_made);

/*
 * Appends the application/ohttp-keys list of the epoch: its files in the order of their names.
 * NOT_FOUND (no file of that day), LIMIT; with the file in `problem`: CONFIG (unreadable, open to
 * others, or not of exactly one day), DUPLICATE (a second key of a KEM).
 */
PP_MUST pp_res pp_ohttp_epoch_config(int folder_fd, uint64_t day, struct pp_wr *wr,
                                     struct pp_problem *problem);

/* The last day that has a file, 0 for none. Errors as above. */
PP_MUST pp_res pp_ohttp_epoch_last(int folder_fd, struct pp_problem *problem, uint64_t *ret_day);

/* --- what comes next ---------------------------------------------------------------------------
 */

/* What the ledger says, and what time it is. */
struct pp_ohttp_rotation {
    uint64_t now_s;
    uint64_t logged_last; /* day of the last key-epoch record of kind ohttp; 0: none */
    uint64_t lead_s;      /* logging to first use, and what the log takes to publish; 0 in dev */
};

enum { PP_OHTTP_AHEAD_DAYS = 3 }; /* how far ahead of today keys are made at most, if lead allows */

/*
 * The epoch to make and to log next: the one behind the last logged one, or, once that is over, the
 * first that the ledger still takes. EXISTS (it would lie further ahead than needed; detail = the
 * last day), LEDGER_WINDOW (the ledger takes it no more and no other yet: there will be a pause;
 * detail = the day).
 */
PP_MUST pp_res pp_ohttp_rotation_next(const struct pp_ohttp_rotation *r, uint64_t *ret_day);

#endif
