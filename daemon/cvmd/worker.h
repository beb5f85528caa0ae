/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h: what the files of one worker share. */
#ifndef CVM_WORKER_H
#define CVM_WORKER_H

#include "answer.h"
#include "cvm.h"
#include "peer.h"
#include "request.h"
#include "seal.h"

struct worker {
    const struct cvm_config *config;
    int channel_fd, attester_fd;
    struct pp_random random;
    struct pp_clock clock;
    struct pp_kem_key *key;
    uint8_t binding[PP_BINDING_BYTES];
    uint8_t gpu_digest[PP_DIGEST_BYTES];     /* what it has of the GPU; zeros without one */
    uint8_t hints_bytes[PP_HINTS_BYTES_MAX]; /* of the host, as it was when the session began */
    struct pp_hints hints;                   /* what they say, to nobody's harm; or nothing */
    struct pp_seal seal;
    uint64_t deadline_ms; /* monotonic: for all that the request needs */
    size_t pt_len;        /* of the request as it was sealed, padding included */
    uint8_t *memory;      /* of the request, its plaintext and all that the engine makes of it */
    size_t memory_len;
    struct pp_arena arena;
};

/* --- the stream to the channel (worker.c) ----------------------------------------------------- */

/* One word. CLOSED, SYSTEM. */
PP_MUST pp_res worker_say(const struct worker *w, enum cvm_word word, struct pp_span bytes);

/*
 * The next word, which must be this one, into the arena, within `ms` milliseconds (0: however long
 * it takes). CLOSED, TIMEOUT, FORMAT (another word), LIMIT (longer than `max`), NO_MEMORY, SYSTEM.
 */
PP_MUST pp_res worker_hear(struct worker *w, enum cvm_word word, size_t max, uint64_t ms,
                           struct pp_span *ret);

/* What is left of the request's time, at most `most_ms`; at least 1. */
uint32_t worker_time(const struct worker *w, uint32_t most_ms);

/* What this machine's own engine makes of a request. ANSWER_REFUSED, or any failure. */
PP_MUST pp_res worker_summarize(struct worker *w, const struct pp_request *q,
                                struct pp_answer *answer);

/* --- back-ends (backends.c) ------------------------------------------------------------------- */

/* The right to open the request of a client that attested (peer.h). */
PP_MUST pp_res worker_admit(struct worker *w, struct pp_admitted *ret);

/*
 * Answers with the back-ends that the request names: guard, predictor (or this machine's own
 * engine), guard; always as many calls of the same sizes, whatever is judged. `answer->used` says
 * who was asked, in call order. ANSWER_REFUSED, or any failure, which ends the calls.
 */
PP_MUST pp_res worker_ask_backends(struct worker *w, const struct pp_request *q,
                                   struct pp_answer *answer);

/* --- the guard (judge.c) ---------------------------------------------------------------------- */

/* ANSWER_REFUSED, or ok with `answer` saying that everything passes. NO_MEMORY. */
PP_MUST pp_res worker_judge(struct worker *w, const struct pp_judge *j, struct pp_answer *answer);

#endif
