/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "file.h"
#include "spent.h"

struct gw_redemption {
    struct gw_redemption *next; /* in the one list that it is in */
    uint32_t is_retirement;     /* not a token: `day` is the first that lives */
    struct pp_cred_redeemed token;
    pp_res result;       /* the worker's */
    gw_redeemed_fn done; /* the loop's; NULL when nobody waits */
    void *ctx;
};

struct list {
    struct gw_redemption *first, **end;
};

struct gw_tokens {
    /* The loop's. */
    struct pp_cred_epoch epochs[GW_EPOCHS_MAX];
    size_t epoch_count;
    struct gw_redemption entries[GW_REDEMPTIONS_MAX];
    struct gw_redemption *free;
    struct pp_watch *watch;
    pthread_t worker;
    uint32_t has_worker;

    /* The worker's. */
    struct pp_spent *store;

    /* Both: `lock` guards the three below, nothing else. */
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct list asked, answered;
    uint32_t stop;

    int event_fd; /* written by the worker, read by the loop */
};

/* --- lists ---------------------------------------------------------------------------------- */

static void push(struct list *l, struct gw_redemption *r)
{
    r->next = NULL;
    *l->end = r;
    l->end = &r->next;
}

static struct gw_redemption *take_first(struct list *l)
{
    struct gw_redemption *r = l->first;

    if (r == NULL)
        return NULL;
    l->first = r->next;
    if (l->first == NULL)
        l->end = &l->first;
    return r;
}

/* --- the worker ----------------------------------------------------------------------------- */

static struct gw_redemption *next_asked(struct gw_tokens *t)
{
    struct gw_redemption *r = NULL;

    PP_ASSERT(pthread_mutex_lock(&t->lock) == 0);
    while (!t->stop && (r = take_first(&t->asked)) == NULL)
        PP_ASSERT(pthread_cond_wait(&t->filled, &t->lock) == 0);
    PP_ASSERT(pthread_mutex_unlock(&t->lock) == 0);
    return r;
}

static void *work(void *arg)
{
    struct gw_tokens *t = (struct gw_tokens *)arg;
    struct gw_redemption *r;
    const uint64_t one = 1;

    while ((r = next_asked(t)) != NULL) {
        r->result = r->is_retirement ? pp_spent_retire(t->store, r->token.day)
                                     : pp_spent_insert(t->store, r->token.day, r->token.spend_key);
        PP_ASSERT(pthread_mutex_lock(&t->lock) == 0);
        push(&t->answered, r);
        PP_ASSERT(pthread_mutex_unlock(&t->lock) == 0);
        /* The counter cannot overflow: the loop empties it, and entries are few. */
        PP_ASSERT(write(t->event_fd, &one, sizeof one) == (ssize_t)sizeof one);
    }
    return NULL;
}

/* --- the loop ------------------------------------------------------------------------------- */

static void give_back(struct gw_tokens *t, struct gw_redemption *r)
{
    *r = (struct gw_redemption){ .next = t->free };
    t->free = r;
}

static void on_answered(void *ctx, uint32_t ready)
{
    struct gw_tokens *t = (struct gw_tokens *)ctx;
    struct gw_redemption *r;
    uint64_t count;

    (void)ready;
    if (read(t->event_fd, &count, sizeof count) != (ssize_t)sizeof count)
        return;
    for (;;) {
        PP_ASSERT(pthread_mutex_lock(&t->lock) == 0);
        r = take_first(&t->answered);
        PP_ASSERT(pthread_mutex_unlock(&t->lock) == 0);
        if (r == NULL)
            return;
        struct gw_redemption told = *r;
        give_back(t, r);
        if (told.done != NULL)
            told.done(told.ctx, told.result);
    }
}

static void ask(struct gw_tokens *t, struct gw_redemption *r)
{
    PP_ASSERT(pthread_mutex_lock(&t->lock) == 0);
    push(&t->asked, r);
    PP_ASSERT(pthread_cond_signal(&t->filled) == 0);
    PP_ASSERT(pthread_mutex_unlock(&t->lock) == 0);
}

static struct gw_redemption *take_free(struct gw_tokens *t)
{
    struct gw_redemption *r = t->free;

    if (r == NULL)
        return NULL;
    t->free = r->next;
    *r = (struct gw_redemption){ 0 };
    return r;
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
    ask(t, r);
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
    r->is_retirement = 1;
    r->token.day = pp_spent_first_day(now_s);
    ask(t, r);
}

void gw_tokens_set_epochs(struct gw_tokens *t, const struct pp_cred_epoch *epochs, size_t count)
{
    PP_ASSERT(count <= GW_EPOCHS_MAX);
    for (size_t i = 0; i < count; i++)
        t->epochs[i] = epochs[i];
    t->epoch_count = count;
}

/* --- making and freeing --------------------------------------------------------------------- */

static pp_res start(struct gw_tokens *t, struct pp_loop *loop, const char *store_path,
                    struct pp_problem *problem)
{
    PP_CHECK(t->event_fd >= 0, PP_E_SYSTEM, 0);
    PP_TRY(pp_watch_new(loop, t->event_fd, on_answered, t, &t->watch));
    pp_watch_set(t->watch, PP_WATCH_READ);
    PP_TRY(pp_spent_open(store_path, problem, &t->store));
    int e = pthread_create(&t->worker, NULL, work, t);
    PP_CHECK(e == 0, PP_E_SYSTEM, e);
    t->has_worker = 1;
    return PP_OK;
}

pp_res gw_tokens_new(struct pp_loop *loop, const char *store_path, struct pp_problem *problem,
                     struct gw_tokens **ret)
{
    struct gw_tokens *t = calloc(1, sizeof *t);

    PP_CHECK(t != NULL, PP_E_NO_MEMORY, sizeof *t);
    t->asked.end = &t->asked.first;
    t->answered.end = &t->answered.first;
    for (size_t i = 0; i < GW_REDEMPTIONS_MAX; i++)
        give_back(t, &t->entries[i]);
    PP_ASSERT(pthread_mutex_init(&t->lock, NULL) == 0);
    PP_ASSERT(pthread_cond_init(&t->filled, NULL) == 0);
    t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pp_res r = start(t, loop, store_path, problem);
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
    if (t->has_worker) {
        PP_ASSERT(pthread_mutex_lock(&t->lock) == 0);
        t->stop = 1;
        PP_ASSERT(pthread_cond_signal(&t->filled) == 0);
        PP_ASSERT(pthread_mutex_unlock(&t->lock) == 0);
        PP_ASSERT(pthread_join(t->worker, NULL) == 0);
    }
    pp_watch_free(t->watch);
    if (t->event_fd >= 0)
        (void)close(t->event_fd);
    pp_spent_close(t->store);
    (void)pthread_cond_destroy(&t->filled);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}
