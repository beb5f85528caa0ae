/* SPDX-License-Identifier: Apache-2.0 */
/*
 * round.h: asks every witness of the policy, in parallel, to cosign the signed checkpoint.
 *
 * A witness that stands at another size says so (409) and is asked again with the proof from there.
 * When the policy's quorum is met the others get a moment more, and then the round is over. A round
 * without a quorum can be repeated: it asks only those again that have not cosigned.
 */
#ifndef PP_LOG_ROUND_H
#define PP_LOG_ROUND_H

#include "cosign.h"
#include "events.h"
#include "net.h"
#include "sequencer.h"
#include "witness.h"

enum {
    PP_ROUND_ASKS_MAX = 4,   /* of one witness in one round: 409 answers are not for ever */
    PP_ROUND_GRACE_MS = 250, /* for late cosignatures, once there are enough */
    PP_ROUND_URL_BYTES_MAX = 300,
};

enum pp_round_result {
    PP_ROUND_QUORUM,    /* `note` is the checkpoint with its cosignatures */
    PP_ROUND_NO_QUORUM, /* too few cosigned */
    PP_ROUND_BEHIND,    /* a quorum has seen a larger tree: this log must not sign any more */
};

struct pp_round_config {
    struct pp_loop *loop;
    struct pp_sequencer *sequencer;
    const struct pp_policy *policy; /* whose witnesses have URLs */
    const struct pp_event_sink *events;
    uint32_t deadline_ms; /* of one call */
    void (*over)(void *ctx, enum pp_round_result result, struct pp_span note);
    void *ctx;
};

struct pp_round;

/* NO_MEMORY. The client's hosts are resolved here: before a sandbox. MISSING (a witness without
 * URL). */
PP_MUST pp_res pp_round_new(const struct pp_round_config *c, struct pp_round **ret);
void pp_round_free(struct pp_round *r); /* cancels; NULL is fine */

/* Asks all witnesses about the signed note. Not while one is under way. */
void pp_round_begin(struct pp_round *r);

/* The same note again, for those that have not cosigned it. */
void pp_round_again(struct pp_round *r);

int pp_round_is_busy(const struct pp_round *r);

#endif
