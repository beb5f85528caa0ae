/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include <stdlib.h>

#include "spent.h"

struct gw_redemption {
    struct pp_job job;
    struct gw_tokens *tokens;
    struct gw_redemption *next_free;
    struct pp_cred_redeemed token;
    pp_res result;       /* written by the worker, read behind `done` */
    gw_redeemed_fn done; /* NULL: nobody waits */
    void *ctx;
};

struct gw_tokens {
    struct pp_cred_epoch epochs[GW_EPOCHS_MAX];
    size_t epoch_count;
    struct gw_redemption entries[GW_REDEMPTIONS_MAX];
    struct gw_redemption *first_free;
    struct pp_pool *pool;   /* of one thread: */
    struct pp_spent *store; /* a handle belongs to one */
};

static void give_back(struct gw_redemption *r)
{
    struct gw_tokens *t = r->tokens;

    *r = (struct gw_redemption){ .tokens = t, .next_free = t->first_free };
    t->first_free = r;
}

static struct gw_redemption *take_free(struct gw_tokens *t)
{
    struct gw_redemption *r = t->first_free;

    if (r != NULL)
        t->first_free = r->next_free;
    return r;
}

/* --- on the worker -------------------------------------------------------------------------- */

static void insert(void *ctx)
{
    struct gw_redemption *r = (struct gw_redemption *)ctx;

    r->result = pp_spent_insert(r->tokens->store, r->token.day, r->token.spend_key);
}

static void retire(void *ctx)
{
    struct gw_redemption *r = (struct gw_redemption *)ctx;

    r->result = pp_spent_retire(r->tokens->store, r->token.day);
}

/* --- on the loop ---------------------------------------------------------------------------- */

static void on_done(void *ctx)
{
    struct gw_redemption *r = (struct gw_redemption *)ctx;
    struct gw_redemption told = *r;

    give_back(r);
    if (told.done != NULL)
        told.done(told.ctx, told.result);
}

static pp_res submit(struct gw_redemption *r, void (*work)(void *ctx))
{
    r->job = (struct pp_job){ .work = work, .done = on_done, .ctx = r };
    pp_res res = pp_pool_submit(r->tokens->pool, &r->job);
    if (!pp_is_ok(res))
        give_back(r);
    return res;
}

pp_res gw_tokens_redeem(struct gw_tokens *t, struct pp_span field, uint64_t now_s,
                        gw_redeemed_fn done, void *ctx, struct gw_redemption **ret)
{
    struct pp_cred_redeemed token;

    PP_TRY(pp_cred_redeem_check(t->epochs, t->epoch_count, now_s, field, &token));
    struct gw_redemption *r = take_free(t);
    PP_CHECK(r != NULL, PP_E_BUSY, GW_REDEMPTIONS_MAX);
    r->token = token;
    r->done = done;
    r->ctx = ctx;
    PP_TRY(submit(r, insert));
    *ret = r;
    return PP_OK;
}

void gw_tokens_cancel(struct gw_redemption *r)
{
    r->done = NULL;
}

void gw_tokens_retire(struct gw_tokens *t, uint64_t now_s)
{
    struct gw_redemption *r = take_free(t);

    if (r == NULL)
        return; /* the store has better things to do; it is asked again */
    r->token.day = pp_spent_first_day(now_s);
    pp_ignore(submit(r, retire), "dead epochs cost room and nothing else; it is asked again");
}

void gw_tokens_set_epochs(struct gw_tokens *t, const struct pp_cred_epoch *epochs, size_t count)
{
    PP_ASSERT(count <= GW_EPOCHS_MAX);
    for (size_t i = 0; i < count; i++)
        t->epochs[i] = epochs[i];
    t->epoch_count = count;
}

/* --- making and freeing --------------------------------------------------------------------- */

pp_res gw_tokens_new(struct pp_loop *loop, const char *store_path, struct pp_problem *problem,
                     struct gw_tokens **ret)
{
    struct gw_tokens *t = calloc(1, sizeof *t);

    PP_CHECK(t != NULL, PP_E_NO_MEMORY, sizeof *t);
    for (size_t i = 0; i < GW_REDEMPTIONS_MAX; i++) {
        t->entries[i].tokens = t;
        give_back(&t->entries[i]);
    }
    pp_res r = pp_spent_open(store_path, problem, &t->store);
    if (pp_is_ok(r))
        r = pp_pool_new(loop, 1, GW_REDEMPTIONS_MAX, &t->pool);
    if (!pp_is_ok(r)) {
        gw_tokens_free(t);
        return r;
    }
    *ret = t;
    return PP_OK;
}

void gw_tokens_free(struct gw_tokens *t)
{
    if (t == NULL)
        return;
    pp_pool_free(t->pool);
    pp_spent_close(t->store);
    free(t);
}
