/* SPDX-License-Identifier: Apache-2.0 */
/*
 * advisory.h: the advisory file (advisories.def): which known attacks a machine is open to, as far
 * as its evidence shows it (docs/protocol/policy.md).
 *
 * The table is a second lock behind the platforms' own policies, and the one that gives a refusal
 * its name: "sibling-thread", not "bit 16". Allocates nothing; any thread.
 */
#ifndef PP_ADVISORY_H
#define PP_ADVISORY_H

#include "problem.h"
#include "result.h"
#include "snp_verify.h"
#include "tdx_verify.h"

enum pp_advisory_rule {
    PP_RULE_SNP_LINE,   /* `line` is refused */
    PP_RULE_SNP_SIGNER, /* `signer` is refused */
    PP_RULE_SNP_TCB,    /* of the processors `line`, model, stepping: at least `min` */
    PP_RULE_SNP_COMMITTED,
    PP_RULE_SNP_GUEST_ONE, /* bits `bits`, in reports of version `from` and later */
    PP_RULE_SNP_GUEST_ZERO,
    PP_RULE_SNP_HOST_ONE,
    PP_RULE_SNP_HOST_ZERO,
    PP_RULE_TDX_ONE, /* bits `bits` of TDATTRIBUTES */
    PP_RULE_TDX_ZERO,
    PP_RULE_TDX_CURRENT, /* the vendor calls the platform up to date */
    PP_RULE_GPU_ALONE,   /* a GPU serves one guest, over no link to another GPU */
    PP_RULE_REGISTERED,  /* the host-set names the machine */
    PP_RULES
};

struct pp_advisory {
    const char *id;      /* "sibling-thread" */
    const char *attacks; /* what is known */
    const char *sources;
    enum pp_advisory_rule rule;
    uint64_t bits;
    uint32_t from;
    enum pp_snp_signer signer;
    enum pp_snp_line line;
    uint8_t model_from, model_to, step_from, step_to;
    struct pp_snp_tcb_parts min;
};

enum { PP_ADVISORIES_MAX = 64 }; /* so that a set of them is one number */

extern const struct pp_advisory PP_ADVISORIES[];
extern const size_t PP_ADVISORY_COUNT;

const struct pp_advisory *pp_advisory_find(struct pp_span id); /* NULL: none of that id */

/* The code of a refusal of this line: that of the check which asks for the same. */
enum pp_code pp_advisory_code(const struct pp_advisory *a);

/* What the lines look at. Zero state: nothing is known, and no line speaks of it. */
struct pp_advisory_facts {
    const struct pp_snp_report *snp; /* borrowed; NULL: another platform */
    int is_tdx;
    uint64_t td_attributes; /* of a TDX guest */
    int outdated;           /* 1: a TDX platform, and its patch state is not UpToDate */
    int gpu_is_shared;      /* 1: a GPU in another mode than for one guest alone */
    int unregistered;       /* 1: no published host-set names the machine */
};

int pp_advisory_violated(const struct pp_advisory *a, const struct pp_advisory_facts *facts);

/*
 * The first line that the facts break and that is not in `waived` (bit i: PP_ADVISORIES[i]); NULL:
 * none. With a `code` other than OK only lines of that code count: which of them explains a refusal
 * that has been decided already.
 */
const struct pp_advisory *pp_advisory_first(const struct pp_advisory_facts *facts, uint64_t waived,
                                            enum pp_code code);

/* Puts the line's name behind what `problem` expected; NULL `problem` is fine. */
void pp_advisory_name(const struct pp_advisory *a, struct pp_problem *problem);

#endif
