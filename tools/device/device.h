/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h: a device with its files: pinned anchors, settings, high-water marks, the directory
 * bundle, tokens and receipts; and the one job that it does with them.
 *
 * The folder of a device (STATE/device, mode 0700) holds:
 *     settings       key = value: consent, answer_kib, words; development: grid_ms
 *     marks          high-water marks of the ledger (ledger.h)
 *     bundle         the directory bundle in use
 *     fetch_at       POSIX seconds of the next scheduled fetch of the bundle; none in dev
 *     split          mirrors contradicted each other, or what was seen: nothing is sent until they
 *                    agree on a later status; the two bundles are split-0.bundle and split-1.bundle
 *     wallet         tokens (wallet.h), sealed under platform.key (platform_key.h)
 *     login.jwt      the login service's token for the account, which the app keeps fresh; else
 *     assertion.key  the key of the app's server, which vouches for the account in development
 *     lock           held by whoever has the device open
 *     receipts/      one file a request
 * STATE/trust holds the anchors in development; a release build has them compiled in.
 */
#ifndef PP_DEVICE_H
#define PP_DEVICE_H

#include "chat.h"
#include "check.h"
#include "env.h"
#include "file.h"
#include "infer.h"
#include "ledger.h"
#include "problem.h"
#include "receipt.h"
#include "session.h"
#include "trust.h"
#include "trust_folder.h"
#include "wallet.h"

enum {
    PP_DEVICE_PATH_MAX = 4096,
    PP_DEVICE_CALL_MS = 10000,       /* for directory and issuer */
    PP_DEVICE_FETCH_WINDOW_S = 21600 /* the directory is fetched once at a random moment of each */
};

struct pp_device_settings {
    uint32_t consent;    /* private processing is off until its user has said yes */
    uint64_t answer_kib; /* answer bucket; from the setting, never from content */
    uint64_t words;      /* of a summary, when the call names no number */
    uint64_t grid_ms;    /* in dev alone, where the grid is 0 unless a test wants to see it */
};

struct pp_device {
    char state[PP_DEVICE_PATH_MAX];
    struct pp_clock clock;
    struct pp_random random;
    struct pp_device_settings settings;
    struct pp_buf settings_text, trust_text[PP_TRUST_FOLDER_FILES];
    struct pp_trust *trust;
    struct pp_kept *kept; /* of sessions before */
    struct pp_marks *marks;
    struct pp_buf bundle;
    struct pp_arena ledger_arena;
    struct pp_ledger *ledger;
    struct pp_wallet *wallet;
    struct pp_ratls_ctx *ratls;
    struct pp_checks checks;   /* of the last request, row by row */
    struct pp_problem problem; /* words of the last failure */
    void (*on_checks)(void *ctx, const struct pp_checks *checks); /* rows were added; may be NULL */
    void *on_checks_ctx;
    int lock_fd;
};

/*
 * Opens the device of a state folder: settings, anchors, marks, wallet. STATE_ABSENT, TRUST, MARKS,
 * ENVIRONMENT, CONFIG, STORE; words in d->problem. Call pp_device_close also after a failure.
 */
PP_MUST pp_res pp_device_open(struct pp_device *d, const char *state, const struct pp_clock *clock,
                              const struct pp_random *random);
void pp_device_close(struct pp_device *d);

/*
 * Step 1: starts a new list of checks and says whether this chat may be sent at all: CONSENT,
 * CHAT_CLOSED. Nothing touches the network before it returned ok.
 */
PP_MUST pp_res pp_device_allow(struct pp_device *d, const struct pp_chat *chat);

/*
 * Scheduled work: fetches the directory bundle when its moment has come (in dev at every call),
 * verifies it and raises the marks; then fetches the due token batches. For a timer that knows
 * nothing of use: an issuer or a mirror that sees a fetch just before a session could join the two.
 * What went wrong with tokens goes to *ret_tokens: a refusal there ends the day, anything else is
 * the next schedule's business. LEDGER_*, NETWORK, HTTP_STATUS, STORE.
 */
PP_MUST pp_res pp_device_tick(struct pp_device *d, pp_res *ret_tokens);

/* Steps 2 and 3 with what is held, no network: before every session. LEDGER_*, NOT_FOUND, STORE. */
PP_MUST pp_res pp_device_ready(struct pp_device *d);

/* 1 in dev alone, where all schedules are 0 and pp_device_tick stands in for pp_device_ready. */
int pp_device_ticks_on_use(const struct pp_device *d);

/* The issuer keys that the held status lists, for the wallet. Returns their number. */
size_t pp_device_wallet_keys(const struct pp_device *d,
                             struct pp_wallet_key ret[PP_WALLET_EPOCHS_MAX]);

struct pp_summary {
    struct pp_infer_items items; /* names are in place; texts live in the call's arena */
    struct pp_engine engine;
    struct pp_backends used; /* back-ends that were asked, in call order */
    int simulated;
    int retains;
    uint32_t sizes[2][2];     /* bytes of the OHTTP bodies, up and down */
    uint64_t sent_user_bytes; /* 0 until exchange #2 was handed to the network */
    uint64_t stage_us[4];     /* CPU time: open, appraise, seal, answer; for the benchmark */
    char receipt[PP_DEVICE_PATH_MAX]; /* "" if none was written */
};

/*
 * The main job, behind pp_device_allow and pp_device_ready: checks 4 to 14, then the answer.
 * `receipt` NULL: STATE/device/receipts. TOO_LARGE, with the number of latest messages that would
 * fit in words and detail, before a token is taken. On failure ret->sent_user_bytes is valid, and 0
 * for every code of the class REFUSED.
 */
PP_MUST pp_res pp_device_summarize(struct pp_device *d, const struct pp_chat *chat, uint32_t words,
                                   const char *receipt, struct pp_arena *arena,
                                   struct pp_summary *ret);

/*
 * What a receipt says of the anchors that it was made under, by name: the three policies that every
 * signature is checked against, and last the trust files as a whole. Borrows from `t`.
 */
enum { PP_DEVICE_RECEIPT_ANCHORS = 4 };
void pp_device_receipt_anchors(const struct pp_trust *t,
                               struct pp_receipt_anchor ret[PP_DEVICE_RECEIPT_ANCHORS]);

/* "STATE/device/NAME" and the like. RANGE when it is too long. */
PP_MUST pp_res pp_device_path(const struct pp_device *d, const char *tail,
                              char ret[PP_DEVICE_PATH_MAX]);

/* The files of the trust anchors: STATE/trust in development, compiled in for release builds. */
PP_MUST pp_res pp_device_trust_files(struct pp_device *d, struct pp_trust_files *ret);

#endif
