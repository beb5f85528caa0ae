/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redeemer.h: the process that alone holds the token keys and the store of spent tokens.
 *
 *     question   the value of an Authorization field, up to PP_TOKEN_FIELD_BYTES_MAX
 *     answer     u32 code: OK, the token was good and new and is spent now; TOKEN_REFUSED, SPENT;
 *                else nobody can tell
 *
 * What waits is one batch: every token is checked first, and those that are good go into the store
 * in one transaction, so that one sync of the disk serves them all. No answer leaves before it.
 */
#ifndef GW_REDEEMER_H
#define GW_REDEEMER_H

#include "desk.h"
#include "spent.h"
#include "token_keys.h"

enum { GW_REDEEMED_BYTES = 4 };

struct gw_redeemer {
    const char *folder; /* of the token keys; NULL: `epochs` is filled by the caller, and stays */
    const char *store;  /* as pp_spent_open has it */
    struct pp_span issuer, authority;
    struct pp_clock clock;

    /* Private, but for who has no folder. */
    struct pp_cred_epoch epochs[PP_TOKEN_KEYS_MAX];
    size_t epoch_count;
    struct pp_token_keys keys; /* what the epochs point to */
    struct pp_spent *spent;
};

/* The process; `r` is borrowed. The sandbox and the turns are the caller's. */
struct gw_process gw_redeemer_process(struct gw_redeemer *r);

void gw_redeemer_done(struct gw_redeemer *r); /* wipes and closes; zero state is fine */

#endif
