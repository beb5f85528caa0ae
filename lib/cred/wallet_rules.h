/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wallet_rules.h: when a device fetches tokens and which epoch it spends (pp-wire 10), as functions
 * of the clock and of what it holds. No store and no clock of their own.
 *
 * What the issuer sees (when a batch is fetched) and what the gateway sees (when a token is spent)
 * must tell nothing about each other. So moments of fetching are drawn in advance from the ledger's
 * issue window alone, are never moved by use, failure or an empty wallet, and tokens rest first.
 */
#ifndef PP_WALLET_RULES_H
#define PP_WALLET_RULES_H

#include "cred.h"

enum {
    PP_WALLET_AGE_SECONDS = 300,          /* a token rests this long before it may be spent */
    PP_WALLET_FIRST_FETCH_SECONDS = 1800, /* a new wallet spreads its first fetches over this */
    PP_WALLET_BATCHES_MAX = 8,            /* batches an epoch; trust file key `batches` */
};

struct pp_wallet_policy {
    uint32_t batches;   /* of PP_CRED_BATCH_MAX tokens, an epoch; 1..PP_WALLET_BATCHES_MAX */
    uint32_t age_s;     /* PP_WALLET_AGE_SECONDS; 0 in dev */
    uint32_t immediate; /* 1 in dev: fetches are due as soon as the window is open */
};

/* The policy of an environment: `dev` is 1 for the development environment (pp-wire 1). RANGE. */
PP_MUST pp_res pp_wallet_policy_init(struct pp_wallet_policy *p, int dev, uint64_t batches);

/* The epoch that a clock says, and the one whose boundary is within 10 minutes, if any. */
struct pp_wallet_days {
    uint32_t today;
    uint32_t neighbour;
    int has_neighbour;
};

struct pp_wallet_days pp_wallet_days(uint64_t now_s);

/*
 * The epoch whose token this session spends. `*_ready` is 1 when a token of that epoch may be spent
 * now and its key is in the status that the device holds. One coin between the two near a boundary,
 * if both are ready; else today's; else NO_TOKENS. Called once a session.
 */
PP_MUST pp_res pp_wallet_choose_day(const struct pp_wallet_days *d, int today_ready,
                                    int neighbour_ready, const struct pp_random *random,
                                    uint32_t *ret_day);

/* 1 once no verifier accepts the epoch's tokens any more: 10 minutes after its day. */
int pp_wallet_epoch_is_dead(uint32_t day, uint64_t now_s);

/* When a token that came now may be spent, in POSIX seconds. */
uint64_t pp_wallet_usable_from(const struct pp_wallet_policy *p, uint64_t received_s);

/* The `issue` line of a key-epoch record. */
struct pp_wallet_window {
    uint32_t day;
    uint64_t issue_from_s, issue_until_s; /* POSIX seconds; from <= t < until */
};

/*
 * Draws the moment for one batch of the epoch, uniformly: before the epoch's day begins if that is
 * still ahead, else over the rest of the issue window; over 30 minutes (cut at the window's end)
 * in a wallet that never planned before. Drawn once and kept: drawing again would favour early
 * moments. RANGE when the window is over or empty, RANDOM.
 */
PP_MUST pp_res pp_wallet_fetch_moment(const struct pp_wallet_policy *p,
                                      const struct pp_wallet_window *w, uint64_t now_s,
                                      int first_ever, const struct pp_random *random,
                                      uint64_t *ret_at_s);

#endif
