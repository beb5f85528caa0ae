/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decap.h: the front's half of opening: asks the opener (opener.h) for a request's key material,
 * then opens the body and seals the answer with it. It never holds a private key.
 */
#ifndef GW_DECAP_H
#define GW_DECAP_H

#include "chunked.h"
#include "env.h"
#include "link.h"
#include "ohttp.h"
#include "opener.h"
#include "replay.h"

struct gw_decap {
    struct gw_link *opener;
    struct pp_replay replay;
    struct pp_clock clock;
    struct pp_random random;
    uint64_t unremembered; /* for which the replay window had no room, since the start */
};

/*
 * One exchange between its request and its answer. Zero state, but for `material`, is fine for
 * gw_exchange_done.
 */
struct gw_exchange {
    uint8_t *material; /* GW_MATERIAL_BYTES of the owner's locked memory */
    enum pp_ohttp_form form;
    size_t enc_len;
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    uint32_t is_replay; /* answered 400 in the bucket of what it repeats */
};

void gw_exchange_done(struct gw_exchange *x); /* wipes the material too */

/*
 * Asks the opener about a request body of the form `x->form`, which is there to its end whatever
 * its form: so a chunked message that is cut costs no key agreement, and none takes effect in part.
 * RANGE (a size that no request has: nothing is asked) or
 * BUSY; else `ask->answered` is called, with what gw_decap_open takes.
 */
PP_MUST pp_res gw_decap_ask(struct gw_decap *d, struct pp_span body, struct gw_exchange *x,
                            struct gw_ask *ask);

/*
 * Opens the body in place, to its last chunk; `*ret_inner` is the part of it that holds the
 * message. AUTH for every failure, after the same work: answered in clear
 * (docs/protocol/ohttp.md).
 */
PP_MUST pp_res gw_decap_open(struct gw_decap *d, struct pp_span material, uint8_t *body, size_t len,
                             struct gw_exchange *x, struct pp_span *ret_inner);

/*
 * Says that the request of `x` is allowed to do something: its repeats are replays from now on. Not
 * before that, or whoever can send a body could fill the window. Without room the request goes on
 * unremembered: its token and its session serve once in any case, and refusing would let a flood
 * stop everybody.
 */
void gw_decap_remember(struct gw_decap *d, const struct gw_exchange *x);

/* Bytes of message that make an answer body of exactly `bucket_bytes`, as a whole. */
size_t gw_decap_room(const struct gw_exchange *x, size_t bucket_bytes);

/* Bytes of the response nonce, which comes before everything else of an answer. */
size_t gw_decap_nonce_len(const struct gw_exchange *x);

/* Appends the answer's body: `inner` and what gw_decap_room took off. RANDOM, NO_SPACE. */
PP_MUST pp_res gw_decap_seal(struct gw_decap *d, const struct gw_exchange *x, struct pp_span inner,
                             struct pp_wr *wr);

/*
 * Starts the answer to a chunked request: `s`, in the zero state, makes its chunks over `mem`,
 * which holds the longest of them and its tag. RANDOM, and as pp_ohttp_sender_start_response.
 */
PP_MUST pp_res gw_decap_start_chunks(struct gw_decap *d, const struct gw_exchange *x,
                                     struct pp_ohttp_sender *s, void *mem, size_t mem_len);

#endif
