/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choice.h: which confidential VM gets a session: chance that was fixed before anybody asked, and
 * that an auditor can compute again (docs/protocol/choice.md).
 *
 * An hour has a secret seed, made and committed to at its beginning and told at its end. Draw k
 * takes the first 8 bytes of HMAC-SHA256(seed, "pp-choice-v1" || 00 || u64 hour || u64 k) as a
 * number below 2^64 and with it one of the n candidates: number * n / 2^64, rounded down. The
 * record says when the candidates changed (by k), and at the end how many draws there were and how
 * often each candidate was drawn: sums, and nothing of any request.
 */
#ifndef GW_CHOICE_H
#define GW_CHOICE_H

#include "cvm.h"
#include "env.h"

enum { GW_CHOICE_SEED_BYTES = 32, GW_CHOICE_HOUR_S = 3600, GW_DRAWS_PER_CHOICE_MAX = 4096 };

struct gw_choice {
    struct pp_random random;
    int fd; /* of the record, appended to; -1: none is kept */
    uint64_t hour, draws;
    uint8_t seed_secret[GW_CHOICE_SEED_BYTES];
    uint64_t set; /* the candidates of the last draw, a bit per CVM; 0: none yet */
    uint64_t drawn[GW_CVMS_MAX];
    struct pp_address addresses[GW_CVMS_MAX]; /* of those that were drawn from */
    int failed;                               /* the record could not be written since the start */
};

/*
 * Begins the hour of `now_s` where it is not under way, and ends the one that was. RANDOM; STORE
 * when the record cannot be written: choosing goes on.
 */
PP_MUST pp_res gw_choice_turn(struct gw_choice *c, uint64_t now_s);

/* Ends the hour under way and wipes: its seed is told. Zero state is fine. */
void gw_choice_done(struct gw_choice *c);

/*
 * One of the candidates of `cvms` whose bit in `tried` is not set, each as likely as another; one
 * that was tried is drawn again. NO_CVM when none is left.
 */
PP_MUST pp_res gw_choose(struct gw_choice *c, const struct gw_cvms *cvms, uint64_t tried,
                         size_t *ret_cvm);

/* Draw `k` of an hour among `n`: 0..n-1. What an auditor computes. */
size_t gw_choice_draw(const uint8_t seed[GW_CHOICE_SEED_BYTES], uint64_t hour, uint64_t k,
                      size_t n);

#endif
