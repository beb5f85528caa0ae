/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decap.h: the half of the gateway that holds the OHTTP keys and never reads a message.
 *
 * Encapsulated bytes go in and message bytes come out, and back: nothing else passes between this
 * half and the one that routes (route.h), so that a process boundary can be put here.
 */
#ifndef GW_DECAP_H
#define GW_DECAP_H

#include "env.h"
#include "ohttp.h"
#include "replay.h"

struct gw_decap {
    const struct pp_ohttp_gateway *keys; /* borrowed; may change between requests */
    struct pp_replay replay;
    struct pp_clock clock;
    struct pp_random random;
    uint64_t unremembered; /* for which the replay window had no room, since the start */
};

/* One exchange between its request and its answer. Zero state is fine for gw_exchange_done. */
struct gw_exchange {
    struct pp_ohttp ohttp;
    uint32_t is_replay; /* answered 400 in the bucket of what it repeats */
};

void gw_exchange_done(struct gw_exchange *x); /* wipes */

/*
 * Opens a request body in place; `*ret_inner` is the part of it that holds the message. RANGE (a
 * size that no request has: no key is touched), TRUNCATED or AUTH: answered in clear
 * (docs/protocol/ohttp.md), and `x` stays in the zero state.
 */
PP_MUST pp_res gw_decap_open(struct gw_decap *d, uint8_t *body, size_t len, struct gw_exchange *x,
                             struct pp_span *ret_inner);

/*
 * Says that the request of `x` is allowed to do something: its repeats are replays from now on. Not
 * before that, or whoever can send a body could fill the window. Without room the request goes on
 * unremembered: its token and its session serve once in any case, and refusing would let a flood
 * stop everybody.
 */
void gw_decap_remember(struct gw_decap *d, const struct gw_exchange *x);

/* Bytes of message that make an answer body of exactly `bucket_bytes`. */
size_t gw_decap_room(const struct gw_exchange *x, size_t bucket_bytes);

/* Appends the answer's body: `inner` and what gw_decap_room took off. RANDOM, NO_SPACE. */
PP_MUST pp_res gw_decap_seal(struct gw_decap *d, struct gw_exchange *x, struct pp_span inner,
                             struct pp_wr *wr);

#endif
