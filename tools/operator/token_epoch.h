/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_epoch.h: the token key of an epoch (UTC day) in an issuer's folder, made ahead from the
 * owner's chain and put into words for the key-epoch record (docs/protocol/tokens.md).
 */
#ifndef PP_TOKEN_EPOCH_H
#define PP_TOKEN_EPOCH_H

#include "env.h"
#include "problem.h"
#include "record.h"

/* Whose key, of which day, for which records. */
struct pp_token_epoch {
    const char *folder; /* the issuer's keys: DAY.key, of mode 0600 */
    uint32_t day;
    enum pp_record_env environment; /* in dev the time of issue reaches to the day's end */
};

/*
 * Makes the day's key unless it is there (*ret_made 0). `chain` is the owner's file, of mode 0600:
 * begun at today's day where it is not there, else moved on to today first, so that it never makes
 * the keys of days that are over again. MISSING (no key, and `chain` is NULL), CONFIG (the chain:
 * malformed, open to others, or left alone for too long), RANGE (the day), RANDOM, DISK_FULL,
 * SYSTEM; words in `problem`.
 */
PP_MUST pp_res pp_token_epoch_make(const struct pp_token_epoch *e, const char *chain,
                                   uint64_t now_s, const struct pp_random *random,
                                   struct pp_problem *problem, int *ret_made);

/*
 * Appends the record's `config` of the day's key: u16 token type || public key. CONFIG for a file
 * that is wrong, open to others, of another day, or with another time of issue than the record has.
 */
PP_MUST pp_res pp_token_epoch_config(const struct pp_token_epoch *e, struct pp_problem *problem,
                                     struct pp_wr *wr);

#endif
