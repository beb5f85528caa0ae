/* SPDX-License-Identifier: Apache-2.0 */
/* verdict_int.h: how the checks of a verifier fill their rows. */
#ifndef PP_VERDICT_INT_H
#define PP_VERDICT_INT_H

#include "verdict.h"

void attest_anchor(struct pp_attest_check *row, const char *anchor);
pp_res attest_skip(struct pp_attest_check *row, const char *why); /* always ok */

/* What a row shows: text, or a number as "0x...". */
void attest_say(struct pp_attest_check *row, const char *field, const char *expected,
                const char *got);
void attest_say_number(struct pp_attest_check *row, const char *field, const char *expected,
                       uint64_t got);

/* The same for a moment: expected "before 2026-03-16T22:06:09Z", got likewise. */
void attest_say_time(struct pp_attest_check *row, const char *field, const char *relation,
                     uint64_t at_posix_s, uint64_t got_posix_s);

int attest_set_given(const struct pp_attest_set *set); /* 1: it accepts something */

/*
 * Passes when `value`, of the set's one length, is in the set. The row's anchor becomes the set's,
 * or `policy_name` where the set has none.
 */
PP_MUST pp_res attest_check_member(struct pp_attest_check *row, const char *policy_name,
                                   const char *field, const struct pp_attest_set *set,
                                   struct pp_span value);

/* The row shows the value, and on a failure every bit that is not as it must be. */
PP_MUST pp_res attest_check_bits(struct pp_attest_check *row, const char *field, uint64_t required,
                                 uint64_t forbidden, uint64_t value);

/* Fails with the row's code unless `cond` holds. */
#define ATTEST_CHECK(row, cond)                                                                    \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return PP_FAIL((row)->code, (row)->number);                                            \
    } while (0)

#endif
