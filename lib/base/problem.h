/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem.h: the words of a refusal: which field, what was expected, what was found.
 *
 * For values that are public or belong to the reader (configuration, arguments, records, evidence);
 * never for message text, tokens or keys. Texts are cut to fit and made printable.
 */
#ifndef PP_PROBLEM_H
#define PP_PROBLEM_H

#include "result.h"
#include "span.h"

struct pp_problem {
    char party[32]; /* who: "pp-gatewayd", "mirror", "CVM", a file name; empty if unknown */
    char field[96]; /* "" when no single field is to blame */
    char expected[160];
    char got[160];
};

/* Replaces the words; NULL `p` is fine (nobody asked). `got` may be empty. */
void pp_problem_set(struct pp_problem *p, const char *field, const char *expected,
                    struct pp_span got);
void pp_problem_hex(struct pp_problem *p, const char *field, struct pp_span expected,
                    struct pp_span got);
void pp_problem_numbers(struct pp_problem *p, const char *field, uint64_t expected, uint64_t got);
void pp_problem_party(struct pp_problem *p, const char *party);

/* Copies printable ASCII, '.' for the rest, and "..." at the end where it had to be cut. */
void pp_printable(char *ret, size_t cap, struct pp_span text);

#endif
