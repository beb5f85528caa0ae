/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

/* Fisher and Yates: every order has the same chance. */
static pp_res shuffle(const struct relay_hold *h, struct relay_held **held, size_t count)
{
    for (size_t left = count; left > 1; left--) {
        uint64_t k;
        PP_TRY(pp_random_below(&h->random, left, &k));
        struct relay_held *last = held[left - 1];
        held[left - 1] = held[k];
        held[k] = last;
    }
    return PP_OK;
}

/* The list is empty before the first one leaves: `leave` may add and remove. */
static void release(struct relay_hold *h)
{
    struct relay_held *leaving[RELAY_HOLD_MAX];
    size_t count = h->count;

    for (size_t i = 0; i < count; i++) {
        leaving[i] = h->held[i];
        leaving[i]->place = 0;
    }
    h->count = 0;
    pp_timer_cancel(h->timer);
    int may_go = pp_is_ok(shuffle(h, leaving, count));
    for (size_t i = 0; i < count; i++)
        leaving[i]->leave(leaving[i]->ctx, may_go);
}

static void on_time(void *ctx)
{
    release((struct relay_hold *)ctx);
}

pp_res relay_hold_init(struct relay_hold *h, struct pp_loop *loop, struct pp_random random,
                       uint32_t ms, size_t full)
{
    PP_CHECK(full >= 2 && full <= RELAY_HOLD_MAX, PP_E_RANGE, full);
    PP_CHECK(ms >= 1 && ms <= RELAY_HOLD_MS_MAX, PP_E_RANGE, ms);
    *h = (struct relay_hold){ .random = random, .ms = ms, .full = full };
    return pp_timer_new(loop, on_time, h, &h->timer);
}

void relay_hold_done(struct relay_hold *h)
{
    PP_ASSERT(h->count == 0);
    pp_timer_free(h->timer);
    *h = (struct relay_hold){ 0 };
}

void relay_hold_add(struct relay_hold *h, struct relay_held *held)
{
    PP_ASSERT(held->place == 0 && h->count < RELAY_HOLD_MAX);
    h->held[h->count++] = held;
    held->place = h->count;
    if (h->is_over || h->count == h->full)
        release(h);
    else if (h->count == 1)
        pp_timer_set(h->timer, h->ms);
}

void relay_hold_remove(struct relay_hold *h, struct relay_held *held)
{
    if (held->place == 0)
        return;
    struct relay_held *last = h->held[--h->count];
    h->held[held->place - 1] = last;
    last->place = held->place;
    held->place = 0;
    if (h->count == 0)
        pp_timer_cancel(h->timer);
}

void relay_hold_end(struct relay_hold *h)
{
    h->is_over = 1;
    release(h);
}
