/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h: the list of what was checked, in order: for the person who asks "why should I trust
 * this?", for receipts, and for tests.
 */
#ifndef PP_CHECK_H
#define PP_CHECK_H

#include "problem.h"
#include "receipt.h"
#include "result.h"
#include "span.h"

enum { PP_CHECKS_MAX = PP_RECEIPT_CHECK_MAX };

/* The steps of the check order (docs/architecture.md): what a row's number means. */
enum pp_step {
    PP_STEP_CONSENT = 1,
    PP_STEP_ANCHORS,
    PP_STEP_DIRECTORY,
    PP_STEP_TOKEN,
    PP_STEP_EXCHANGE,
    PP_STEP_TLS,
    PP_STEP_EVIDENCE,
    PP_STEP_PARSE,
    PP_STEP_CHAIN,
    PP_STEP_BINDING,
    PP_STEP_PLATFORM,
    PP_STEP_LEDGER,
    PP_STEP_RECORD,
};

struct pp_check {
    enum pp_step step;
    uint32_t code; /* enum pp_code: what a failure of this check is called */
    enum pp_verdict verdict;
    const char *what;                               /* a sentence, a string constant */
    char anchor[PP_RECEIPT_CHECK_ANCHOR_BYTES_MAX]; /* against what */
    char value[128];                                /* what was found; public */
};

struct pp_checks {
    struct pp_check rows[PP_CHECKS_MAX];
    size_t count;
};

const char *pp_step_name(enum pp_step s);
const char *pp_verdict_name(enum pp_verdict v); /* "proven", "asserted", "skipped" */

/* Adds a row; the row behind PP_CHECKS_MAX is a bug. NULL `c` is fine (nobody asked). */
void pp_check_add(struct pp_checks *c, enum pp_step step, enum pp_code code,
                  enum pp_verdict verdict, const char *what, struct pp_span anchor,
                  struct pp_span value);

/* The same with a value in hex, cut to its first 16 bytes. */
void pp_check_add_hex(struct pp_checks *c, enum pp_step step, enum pp_code code,
                      enum pp_verdict verdict, const char *what, struct pp_span anchor,
                      struct pp_span value);

/* The same with a number and its unit: "3 of 4 witnesses". */
void pp_check_add_number(struct pp_checks *c, enum pp_step step, enum pp_code code,
                         enum pp_verdict verdict, const char *what, struct pp_span anchor,
                         uint64_t value, const char *unit);

#endif
