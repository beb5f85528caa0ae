/* SPDX-License-Identifier: Apache-2.0 */
/*
 * former_reviews.h: the review policies of a ledger's past, from the files of whoever reads it.
 *
 * Reviewers change; the ledger keeps what the ones before had signed. Each former policy comes
 * with N, the number of entries below which it counts (struct pp_former_review): the size of the
 * log when its reviewers changed. N rises from one policy to the next.
 */
#ifndef PP_FORMER_REVIEWS_H
#define PP_FORMER_REVIEWS_H

#include "kv.h"
#include "ledger_keys.h"
#include "record.h"

#define PP_FORMER_REVIEWS_PREFIX "review.policy.before-"

/* Large: static or on the heap. Not to be moved while it is used: `list` points into `files`. */
struct pp_former_reviews {
    struct pp_policy_file files[PP_FORMER_REVIEWS_MAX];
    struct pp_former_review list[PP_FORMER_REVIEWS_MAX];
    size_t count;
};

/*
 * Both: CONFIG with the words in `problem` (N is a decimal from 1, above the one before; no more
 * than PP_FORMER_REVIEWS_MAX; a policy file). `ret` is zeroed storage; call
 * pp_former_reviews_done also after a failure.
 */

/* The values of a configuration key that may stand more than once: `N FILE` each. */
PP_MUST pp_res pp_former_reviews_load(const struct pp_kv_list *values, struct pp_problem *problem,
                                      struct pp_former_reviews *ret);

/* The files `review.policy.before-N` of a trust folder; there need not be any. */
PP_MUST pp_res pp_former_reviews_read(const char *folder, struct pp_problem *problem,
                                      struct pp_former_reviews *ret);

void pp_former_reviews_done(struct pp_former_reviews *f); /* zero state is fine */

#endif
