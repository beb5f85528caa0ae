/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wallet.h: the device's store of tokens (docs/protocol/tokens.md, pp-wire 10).
 *
 * One SQLite file, mode 0600; every token is sealed under the platform key (AES-256-GCM). The
 * rules of when and which come from lib/cred (wallet_rules.h); this file keeps them across
 * crashes: a token is deleted on the disk before it is handed out, so it is never used twice, and
 * a fetch is marked on the disk before it is made, so it is never made again because it failed.
 *
 * Several processes may use one wallet. A handle belongs to one thread; open it after the last
 * fork.
 */
#ifndef PP_WALLET_H
#define PP_WALLET_H

#include "env.h"
#include "platform_key.h"
#include "problem.h"
#include "secret.h"
#include "wallet_rules.h"

enum {
    PP_WALLET_EPOCHS_MAX =
        4, /* that can hold tokens at a time: yesterday to the day after tomorrow */
    PP_WALLET_TOKENS_MAX = PP_WALLET_EPOCHS_MAX * PP_WALLET_BATCHES_MAX * PP_CRED_BATCH_MAX,
};

struct pp_wallet;

/*
 * Opens or makes the wallet. STORE with the words in `problem` (may be NULL), NO_MEMORY, or what
 * the platform key's load says. `random` is kept.
 */
PP_MUST pp_res pp_wallet_open(const char *path, const struct pp_platform_key *key,
                              const struct pp_wallet_policy *policy, const struct pp_random *random,
                              struct pp_problem *problem, struct pp_wallet **ret);
void pp_wallet_close(struct pp_wallet *w); /* NULL is fine */

/* --- fetching -------------------------------------------------------------------------------- */

/*
 * Draws the moments of the epochs' batches that have none yet: call it with the windows of the
 * issuer keys that a new status lists. Moments that were drawn stay. Windows that are over get
 * none. STORE, RANDOM.
 */
PP_MUST pp_res pp_wallet_plan(struct pp_wallet *w, const struct pp_wallet_window *windows,
                              size_t window_count, uint64_t now_s);

struct pp_wallet_fetch {
    uint32_t day;
    uint32_t batch; /* 0.. */
    uint64_t at_s;  /* due from then on, POSIX seconds */
};

/* The earliest fetch that was not begun and whose window is open or to come. NOT_FOUND, STORE. */
PP_MUST pp_res pp_wallet_next_fetch(struct pp_wallet *w, uint64_t now_s,
                                    struct pp_wallet_fetch *ret);

/*
 * Marks the fetch as begun, durably: call it before the request leaves. STATE when it was begun
 * already, here or in another process: then this process must not make it. STORE.
 */
PP_MUST pp_res pp_wallet_fetch_begin(struct pp_wallet *w, const struct pp_wallet_fetch *f);

/*
 * Stores the tokens of one batch (pp_cred_issuance_finish), all or none. They rest from `now_s`.
 * RANGE (no tokens, or bytes that are not whole tokens), UNSUPPORTED, LIMIT (wallet full), STORE,
 * RANDOM.
 */
PP_MUST pp_res pp_wallet_add(struct pp_wallet *w, uint32_t day, struct pp_span tokens_secret,
                             uint64_t now_s);

/* --- spending -------------------------------------------------------------------------------- */

/* The issuer keys of the status that the device holds: no other key's tokens are spent. */
struct pp_wallet_key {
    uint32_t day;
    uint8_t key_id[PP_TOKEN_KEY_ID_BYTES];
};

/*
 * Takes one token for one session: purges dead epochs, chooses the epoch (pp_wallet_choose_day) and
 * then one of its rested tokens, uniformly. It is gone from the disk when this returns.
 * `*ret_token` is released by the caller. NO_TOKENS, STORE, RANDOM.
 */
PP_MUST pp_res pp_wallet_take(struct pp_wallet *w, const struct pp_wallet_key *keys,
                              size_t key_count, uint64_t now_s, struct pp_secret *ret_token);

/* Deletes the tokens and fetch marks of epochs that no verifier accepts any more. STORE. */
PP_MUST pp_res pp_wallet_purge(struct pp_wallet *w, uint64_t now_s);

struct pp_wallet_epoch {
    uint32_t day;
    uint32_t held;   /* tokens */
    uint32_t rested; /* of them, those that may be spent by age */
};

/* The epochs with tokens, ascending, for `ppctl token status`. STORE. */
PP_MUST pp_res pp_wallet_epochs(struct pp_wallet *w, uint64_t now_s,
                                struct pp_wallet_epoch ret[PP_WALLET_EPOCHS_MAX],
                                size_t *ret_count);

#endif
