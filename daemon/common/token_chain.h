/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_chain.h: the token keys of days to come from one secret, so that they can be logged before
 * they are used, and made at two places without being sent (docs/protocol/tokens.md).
 *
 *     day = 20500                    the first day whose key can still be made
 *     value = <hex of 32 bytes>
 *
 *     seed(day)    = HMAC-SHA256(value(day), "pp-token-chain-v1 seed" || 00 || u32 day || u8 n)
 *     value(day+1) = HMAC-SHA256(value(day), "pp-token-chain-v1 next" || 00 || u32 day)
 *
 * with the first n from 0 whose key has an id that ends in `day` modulo 8: keys of eight days in a
 * row then differ in the byte by which requests name them. The chain goes one way: once it is moved
 * on, keys of days that are over cannot be made again, from it or from any copy as new.
 */
#ifndef PP_TOKEN_CHAIN_H
#define PP_TOKEN_CHAIN_H

#include "cred.h"
#include "problem.h"

enum {
    PP_TOKEN_CHAIN_BYTES = 32,
    PP_TOKEN_CHAIN_AHEAD_MAX = 400, /* days from where the chain stands */
    PP_TOKEN_CHAIN_FILE_BYTES_MAX = 128,
};

struct pp_token_chain {
    uint32_t day;
    struct pp_secret value_secret;
};

/* Reads such a text. CONFIG; `problem` (may be NULL) never holds a byte of the secret. */
PP_MUST pp_res pp_token_chain_parse(struct pp_span text, struct pp_problem *problem,
                                    struct pp_token_chain *ret);

/* Writes it. The text holds the secret: the caller wipes it. */
PP_MUST pp_res pp_token_chain_write(const struct pp_token_chain *c, struct pp_wr *wr);

/* Begins a chain at a day. RANDOM, NO_MEMORY. */
PP_MUST pp_res pp_token_chain_new(uint32_t day, const struct pp_random *random,
                                  struct pp_token_chain *ret);
void pp_token_chain_done(struct pp_token_chain *c); /* wipes; zero state is fine */

/* Moves the chain on; the keys of the days before cannot be made from it any more. RANGE: a day
 * that is over, or more than PP_TOKEN_CHAIN_AHEAD_MAX ahead. */
PP_MUST pp_res pp_token_chain_advance(struct pp_token_chain *c, uint32_t day);

/*
 * The seed of the day's key of type 5 (pp_cred_key_derive); the chain stays where it is.
 * `ret_secret` is released by the caller. RANGE as above, KEY (no n gives such an id: it does not
 * happen), NO_MEMORY.
 */
PP_MUST pp_res pp_token_chain_seed(const struct pp_token_chain *c, uint32_t day,
                                   struct pp_secret *ret_secret);

#endif
