/* SPDX-License-Identifier: Apache-2.0 */
/* ppctl.h: what the verbs of ppctl share: options, output, refusals. One file per verb. */
#ifndef PPCTL_H
#define PPCTL_H

#include <jansson.h>

#include "base.h"
#include "check.h"
#include "file.h"

struct ppctl {
    const char *state; /* the state folder; from --state, PP_STATE, or the user's data folder */
    int json;          /* --json: one object on standard output */
    struct pp_clock clock;
    struct pp_random random;
};

struct ppctl_verb {
    const char *name;                                   /* "verify snp": one or two words */
    const char *usage;                                  /* "FILE.json [--words N]" */
    const char *what;                                   /* one line for --help */
    int (*run)(struct ppctl *p, int argc, char **argv); /* arguments behind the verb; exit status */
};

/* Ends with a row whose name is NULL. */
extern const struct ppctl_verb PPCTL_VERBS[];

/* --- options ------------------------------------------------------------------------------- */

enum { PPCTL_LIST_MAX = 64 };

/* The values of an option that may be given several times. */
struct ppctl_list {
    const char *items[PPCTL_LIST_MAX];
    size_t count;
};

/* Exactly one of text, flag and list is not NULL. */
struct ppctl_option {
    const char *name;  /* "--words" */
    const char *value; /* what the value is, "N"; NULL for a flag */
    const char *help;
    const char **text;       /* where the value goes */
    int *flag;               /* set to 1 */
    struct ppctl_list *list; /* where all values go; up to PPCTL_LIST_MAX */
};

/*
 * Reads "--name VALUE", "--name=VALUE", flags and positional arguments, in any order. Returns -1
 * when all is well, else the exit status (0 after --help, which it answers; 2 after it said what is
 * wrong, an option given twice too: texts must be NULL and flags 0 before the call).
 */
int ppctl_parse(struct ppctl *p, const char *verb, const struct ppctl_option *options,
                size_t option_count, int argc, char **argv, const char **positionals,
                size_t positional_min, size_t positional_max, size_t *ret_positional_count);

/* 1 and the POSIX seconds of "1771283000" or "2026-02-16T23:03:20Z" (RFC 3339), else 0. */
int ppctl_time(const char *text, uint64_t *ret);

/* --- output -------------------------------------------------------------------------------- */

/*
 * Says a failure: for people on standard error (who, what, field, expected, got, what to do), or
 * with --json as the error object of pp-wire 11 on standard output. Returns the code's exit status.
 */
int ppctl_fail(const struct ppctl *p, pp_res r, const struct pp_problem *problem,
               uint64_t sent_user_bytes);

/* The object "error" of pp-wire 11, for an answer that says more than the failure. */
json_t *ppctl_error_json(pp_res r, const struct pp_problem *problem);

/* The end of a path: whom a refusal names, where there is room for a name alone. */
const char *ppctl_file_name(const char *path);

/* A usage error: `field` is the argument, `expected` what it should have been. Returns 2. */
int ppctl_usage(const struct ppctl *p, const char *field, const char *expected, const char *got);

/* The array "checks" of pp-wire 11. */
json_t *ppctl_checks_json(const struct pp_checks *checks);

/* Prints one JSON object and a line end, and drops the reference. Returns 0, or 1 if that failed.
 */
int ppctl_print_json(json_t *object);

#endif
