/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h: what the verifiers of all platforms share: a verdict is a list of rows, one a check,
 * and a policy is made of sets of values and masks of bits (docs/protocol/snp.md).
 */
#ifndef PP_VERDICT_H
#define PP_VERDICT_H

#include "problem.h"
#include "result.h"
#include "span.h"

/* SKIPPED is no pass: it says that nobody asked, or that a check before it ended the appraisal. */
enum pp_attest_verdict { PP_ATTEST_SKIPPED = 0, PP_ATTEST_PASSED = 1, PP_ATTEST_FAILED = 2 };

const char *pp_attest_verdict_name(enum pp_attest_verdict v); /* "passed", "failed", "skipped" */

/* One check. Numbers and codes are the platform's own. */
struct pp_attest_check {
    uint32_t number; /* from 1, in the order of the checks */
    uint32_t code;   /* enum pp_code: what a failure of this check is called */
    enum pp_attest_verdict verdict;
    char anchor[96];           /* against what; empty when skipped */
    struct pp_problem problem; /* field, expected, got; of a skipped check, got says why */
};

#define PP_ATTEST_BIT(number) (UINT32_C(1) << (number))

/*
 * A set of accepted values of one fixed length: those in `values`, and those for which `known`
 * returns ok. The empty set accepts nothing. `anchor` says in words where the set comes from.
 */
struct pp_attest_set {
    const uint8_t *values; /* count * length bytes, borrowed */
    size_t count;
    pp_res (*known)(void *ctx, struct pp_span value); /* NULL: only `values` */
    void *ctx;
    const char *anchor; /* NULL: "policy" */
};

/* Bits that must be one, and bits that must be zero; the others do not matter. */
struct pp_attest_bits {
    uint64_t required, forbidden;
    uint64_t required_v5; /* must be one too in SNP reports of version 5 and later */
};

#endif
