/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.h: the front's half of redeeming: it passes a field on and hears what became of it. */
#ifndef GW_TOKENS_H
#define GW_TOKENS_H

#include "cred.h"
#include "link.h"

/* `r`: OK, the token was good and new, and is spent now; TOKEN_REFUSED or SPENT; any other code
 * when nobody can tell. */
typedef void (*gw_redeemed_fn)(void *ctx, pp_res r);

struct gw_redemption {
    struct gw_ask ask;
    gw_redeemed_fn done;
    void *ctx;
};

/*
 * Has the redeemer (redeemer.h) check and spend the token in the value of an Authorization field;
 * `done` is called once, later. TOKEN_REFUSED at once for what is no token by its length, BUSY when
 * too many wait.
 */
PP_MUST pp_res gw_tokens_redeem(struct gw_link *redeemer, struct pp_span field, gw_redeemed_fn done,
                                void *ctx, struct gw_redemption *r);

/* `done` will not be called. The token is spent all the same. One that is over is fine. */
void gw_tokens_cancel(struct gw_redemption *r);

#endif
