/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts.h: how many batches an account got of an epoch. That, and nothing else, is what the issuer
 * keeps of anybody: no time, no address, no token.
 */
#ifndef ISS_COUNTS_H
#define ISS_COUNTS_H

#include "problem.h"
#include "result.h"

enum { ISS_ACCOUNT_BYTES = 16 };

/* An account as the issuer keeps it: the start of SHA-256 of whatever names it. */
struct iss_account {
    uint8_t bytes[ISS_ACCOUNT_BYTES];
};

/* One thread's handle. */
struct iss_counts;

/*
 * `where` is the path of an SQLite file, or for several issuers the "postgresql://..." URL of a
 * database (pp_where_text gives either). STORE with the words in `problem` (may be NULL), CONFIG (a
 * URL that is not acceptable), NO_MEMORY.
 */
PP_MUST pp_res iss_counts_open(const char *where, struct pp_problem *problem,
                               struct iss_counts **ret);
void iss_counts_close(struct iss_counts *c); /* NULL is fine */

/* LIMIT when the account has `max` batches of the epoch already; STORE. */
PP_MUST pp_res iss_counts_check(struct iss_counts *c, uint32_t day,
                                const struct iss_account *account, uint32_t max);

/*
 * Counts one more, on the disk by the time it returns. LIMIT, STORE: the batch must not go out;
 * behind a STORE it may be counted all the same.
 */
PP_MUST pp_res iss_counts_add(struct iss_counts *c, uint32_t day, const struct iss_account *account,
                              uint32_t max);

/* Forgets the epochs before `first_day`. STORE. */
PP_MUST pp_res iss_counts_retire(struct iss_counts *c, uint32_t first_day);

#endif
