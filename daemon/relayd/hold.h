/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold.h: requests wait for each other and leave in random order.
 *
 * Who watches both sides of a relay sees what comes in and what goes out, and pairs them by their
 * times and their order. A batch takes the order away: within it, the chance of a right pair is one
 * in its size. A batch that the clock ends may be small; one of a single request hides nothing.
 * Answers are not held: they leave on the gateway's grid.
 */
#ifndef RELAY_HOLD_H
#define RELAY_HOLD_H

#include "env.h"
#include "loop.h"

enum { RELAY_HOLD_MAX = 256, RELAY_HOLD_MS_MAX = 5000 };

/* Part of whoever waits. */
struct relay_held {
    void (*leave)(void *ctx, int may_go); /* called once; 0: refuse it */
    void *ctx;
    size_t place; /* private; one above its index, 0 while it does not wait */
};

struct relay_hold {
    struct pp_random random;
    struct pp_timer *timer;
    uint32_t ms; /* from the first of a batch */
    size_t full; /* a batch of so many leaves at once, 2..RELAY_HOLD_MAX */
    size_t count;
    struct relay_held *held[RELAY_HOLD_MAX];
    uint32_t is_over; /* nobody waits any more */
};

/* NO_MEMORY. */
PP_MUST pp_res relay_hold_init(struct relay_hold *h, struct pp_loop *loop, struct pp_random random,
                               uint32_t ms, size_t full);
void relay_hold_done(struct relay_hold *h); /* zero state is fine; nobody may wait */

/* May call `leave` of all, this one included. Without randomness all are refused: an order that
 * means something is what this is against. */
void relay_hold_add(struct relay_hold *h, struct relay_held *held);
void relay_hold_remove(struct relay_hold *h, struct relay_held *held); /* one that waits, or not */

/* The end: what waits leaves now, and what comes later at once. */
void relay_hold_end(struct relay_hold *h);

#endif
