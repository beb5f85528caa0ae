/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.h: what a log would say to a batch, asked before it is sent: the log's own state machine
 * (record_rules.h) over the entries of the batch alone. What depends on earlier entries of the log
 * (serials, epochs, the target of a revocation) stays the log's to say.
 */
#ifndef PP_ADMIT_H
#define PP_ADMIT_H

#include "record_rules.h"

enum { PP_ADMIT_MAX = 64 }; /* entries: a batch of pp-logd */

struct pp_admit;

/* Everything is borrowed and must outlive it; all three policies are given. NO_MEMORY. */
PP_MUST pp_res pp_admit_new(struct pp_span ledger, struct pp_span name_space,
                            enum pp_record_env environment, const struct pp_record_keys *keys,
                            struct pp_admit **ret);
void pp_admit_free(struct pp_admit *a); /* NULL is fine */

/*
 * The next entry of the batch, at the time `now_s`: OK, or the rule that it breaks; codes of
 * pp_rules_feed, and UNSUPPORTED for a status, which the log makes itself; LIMIT (more than
 * PP_ADMIT_MAX).
 */
PP_MUST pp_res pp_admit_entry(struct pp_admit *a, struct pp_span entry, uint64_t now_s);

/*
 * LEDGER_WINDOW when a batch that is submitted now is published too late for one of its entries:
 * outside dev a log publishes on the hour, or at once with a revocation.
 */
PP_MUST pp_res pp_admit_in_time(const struct pp_admit *a, uint64_t now_s);

/* When a log publishes next: now in dev, else the next full hour. */
uint64_t pp_admit_published_s(enum pp_record_env environment, uint64_t now_s);

#endif
