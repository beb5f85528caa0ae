/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens.h: redeeming tokens: the check on the loop, the spent-token store on a thread of its own,
 * because the store answers only when the disk has. Make it behind the sandbox (pool.h).
 */
#ifndef GW_TOKENS_H
#define GW_TOKENS_H

#include "cred.h"
#include "net.h"
#include "problem.h"

enum {
    GW_EPOCHS_MAX = 8,        /* yesterday, today, tomorrow, and what was put in advance */
    GW_REDEMPTIONS_MAX = 512, /* waiting for the store; more are BUSY */
};

struct gw_tokens;
struct gw_redemption; /* valid until `done`, or until it is cancelled */

/* `r`: OK, the token was new and is spent now; SPENT; STORE when nobody can tell. */
typedef void (*gw_redeemed_fn)(void *ctx, pp_res r);

/* Opens the store and starts the worker. STORE with words in `problem`, NO_MEMORY, SYSTEM. */
PP_MUST pp_res gw_tokens_new(struct pp_loop *loop, const char *store_path,
                             struct pp_problem *problem, struct gw_tokens **ret);

/* Waits for the insert that is under way; no callback comes any more. NULL is fine. */
void gw_tokens_free(struct gw_tokens *t);

/* The epochs in acceptance, in place of the former ones. Their keys are borrowed until then. */
void gw_tokens_set_epochs(struct gw_tokens *t, const struct pp_cred_epoch *epochs, size_t count);

/* Forgets the tokens of epochs that nobody accepts any more. */
void gw_tokens_retire(struct gw_tokens *t, uint64_t now_s);

/*
 * Checks the value of an Authorization field and has it inserted; `done` is called once from the
 * loop, later. TOKEN_REFUSED at once when there is nothing to insert, BUSY when too many wait.
 */
PP_MUST pp_res gw_tokens_redeem(struct gw_tokens *t, struct pp_span field, uint64_t now_s,
                                gw_redeemed_fn done, void *ctx, struct gw_redemption **ret);

/* `done` will not be called. The token is spent all the same. */
void gw_tokens_cancel(struct gw_redemption *r);

#endif
