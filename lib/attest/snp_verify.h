/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_verify.h: appraisal of SEV-SNP evidence: 23 ordered checks against pinned roots and a policy
 * (docs/protocol/snp.md).
 *
 * The verifier knows no simulators and no exceptions: which roots, which names, which values count
 * is all data that the caller gives. A policy in the zero state asks for every check and accepts
 * nothing. All structures are the caller's; nothing here allocates but the parsed certificates of
 * the anchors. Any thread.
 */
#ifndef PP_SNP_VERIFY_H
#define PP_SNP_VERIFY_H

#include "snp.h"
#include "verdict.h"

/* --- anchors ---------------------------------------------------------------------------------- */

enum { PP_SNP_ROOTS_MAX = PP_SNP_LINES - 1 }; /* one a line */

/* The names of a certificate but its CN; those of a pinned root are expected of all below it. */
struct pp_snp_names {
    char organisation[PP_X509_NAME_BYTES_MAX], unit[PP_X509_NAME_BYTES_MAX];
    char country[PP_X509_NAME_BYTES_MAX], state[PP_X509_NAME_BYTES_MAX];
    char locality[PP_X509_NAME_BYTES_MAX];
};

struct pp_snp_root {
    enum pp_snp_line line;
    struct pp_x509 *ark;
    struct pp_x509 *ask;                     /* signs VCEKs; NULL: none */
    struct pp_x509 *asvk;                    /* signs VLEKs; NULL: none */
    int ask_is_certified, asvk_is_certified; /* 1: the chain up to the root verified when added */
    struct pp_snp_names names;
    char label[64]; /* "ARK-Genoa sha256:4c6598d19c18719c", for people and receipts */
};

struct pp_snp_anchors {
    struct pp_snp_root roots[PP_SNP_ROOTS_MAX]; /* at most one a line */
    size_t count;
};

/*
 * Adds one line's root with the authorities below it, in DER; `ask` or `asvk` may be empty, not
 * both. The line comes from the root's CN, "ARK-<line>". Fails with TRUST (not certificates, not of
 * that naming, not self-issued, or a second root of the line); the anchors stay as they were.
 */
PP_MUST pp_res pp_snp_anchors_add(struct pp_snp_anchors *a, struct pp_span ark, struct pp_span ask,
                                  struct pp_span asvk);

/* Adds AMD's published roots of Milan, Genoa and Turin, compiled in. */
PP_MUST pp_res pp_snp_anchors_add_amd(struct pp_snp_anchors *a);

const struct pp_snp_root *pp_snp_anchors_find(const struct pp_snp_anchors *a,
                                              enum pp_snp_line line); /* NULL: none */
void pp_snp_anchors_done(struct pp_snp_anchors *a);                   /* zero state is fine */

/* --- policy ----------------------------------------------------------------------------------- */

/* The checks, by the numbers that receipts and `ppctl verify snp` print. */
enum pp_snp_check_number {
    PP_SNP_CHECK_FORMAT = 1,
    PP_SNP_CHECK_KEY_INFO,
    PP_SNP_CHECK_CERT_FORM,
    PP_SNP_CHECK_CHAIN,
    PP_SNP_CHECK_CRL,
    PP_SNP_CHECK_PRODUCT,
    PP_SNP_CHECK_SIGNATURE,
    PP_SNP_CHECK_HWID,
    PP_SNP_CHECK_TCB_CERT,
    PP_SNP_CHECK_TCB_ORDER,
    PP_SNP_CHECK_PROVISIONAL,
    PP_SNP_CHECK_TCB_MIN,
    PP_SNP_CHECK_FW_MIN,
    PP_SNP_CHECK_MITIGATION,
    PP_SNP_CHECK_POLICY,
    PP_SNP_CHECK_PLATFORM,
    PP_SNP_CHECK_VMPL,
    PP_SNP_CHECK_MIGRATION,
    PP_SNP_CHECK_MEASUREMENT,
    PP_SNP_CHECK_HOST_DATA,
    PP_SNP_CHECK_ID_BLOCK,
    PP_SNP_CHECK_HOST_ID,
    PP_SNP_CHECK_BINDING,
    PP_SNP_CHECKS = PP_SNP_CHECK_BINDING
};

/* Checks 5 and 11 to 23: those that a policy may leave out. The others always run. */
#define PP_SNP_SKIPPABLE (UINT32_C(0xFFF800) | PP_ATTEST_BIT(PP_SNP_CHECK_CRL))

/* A lower bound on patch levels for some processors of a line. */
struct pp_snp_floor {
    enum pp_snp_line line;
    uint8_t model_from, model_to; /* CPUID model */
    uint8_t step_from, step_to;   /* CPUID stepping */
    struct pp_snp_tcb_parts min;
    const char *source; /* the bulletin that the figures come from */
};

struct pp_snp_policy {
    const char *name;     /* shown as the anchor of what the policy decides; NULL: "policy" */
    uint32_t skip;        /* PP_ATTEST_BIT of each check that is not asked for */
    uint32_t version_min; /* of the report; check 1 */
    uint32_t signers;     /* PP_ATTEST_BIT(enum pp_snp_signer) of each accepted kind; check 2 */
    uint32_t lines;       /* PP_ATTEST_BIT(enum pp_snp_line) of each accepted line; check 6 */
    int allow_provisional;

    /* Check 12: the certified level, and the one at launch. A line without figures has minimum 0.
     */
    struct pp_snp_tcb_parts tcb_min[PP_SNP_LINES], launch_tcb_min[PP_SNP_LINES];
    const struct pp_snp_floor
        *floor; /* NULL: none. With a floor, a processor in no row of it fails */
    size_t floor_count;

    struct pp_snp_version fw_min; /* current and committed; all zero: check 13 is skipped */
    uint64_t mitigations; /* required at launch and now, version 5; 0: check 14 is skipped */
    struct pp_attest_bits policy_bits;   /* DEBUG and MIGRATE_MA are forbidden whatever this says */
    uint16_t abi_min;                    /* major << 8 | minor that the guest policy must ask for */
    struct pp_attest_bits platform_bits; /* reserved bits are forbidden whatever this says */
    uint32_t vmpl;

    struct pp_attest_set measurements; /* 48 bytes each */
    struct pp_attest_set host_data;    /* 32 */
    struct pp_attest_set chip_ids;     /* 64: the certificate's HWID, zero-filled */

    /* Check 21. Without a set, an id or a minimum it is skipped: no ID block is asked for. */
    struct pp_attest_set id_keys, author_keys; /* 48 */
    const uint8_t *family_id, *image_id;       /* exact; NULL: any */
    uint32_t guest_svn_min;

    const uint8_t *report_data;     /* 64 bytes, recomputed by the caller; check 23 */
    const char *report_data_anchor; /* NULL: "this session" */
};

/*
 * Deny by default: Genoa and Turin alone (Milan's keys can be extracted by software), VCEK alone
 * (one leaked VLEK would cover a whole cloud), version 3 or later, every recommended guest policy
 * and platform bit, no simultaneous threads, no provisional firmware, VMPL 0, firmware 1.55, the
 * compiled-in patch level floor, no migration agent. It names no measurement, configuration, chip
 * or session: the caller adds them or says, in `skip`, that it does not ask.
 */
extern const struct pp_snp_policy PP_SNP_POLICY_STRICT;

/* --- verdict ---------------------------------------------------------------------------------- */

struct pp_snp_checks {
    struct pp_attest_check rows[PP_SNP_CHECKS]; /* rows[n-1] is check n */
};

const char *pp_snp_check_name(enum pp_snp_check_number number); /* "FORMAT" */

struct pp_snp_evidence {
    struct pp_span report; /* PP_SNP_REPORT_BYTES */
    struct pp_span vek;    /* VCEK or VLEK certificate, DER */
    struct pp_span crl;    /* AMD's revocation list of the line, DER; empty: none came */
    /* The chain above, where it came along; empty: it did not. It anchors nothing: check 4 asks
     * that it is the pinned one, byte by byte. */
    struct pp_span ask, ark;
};

/* What verified evidence says. Only pp_snp_verify makes one, and it is no report. */
struct pp_snp_result {
    enum pp_snp_line line;
    uint32_t version;
    enum pp_snp_signer signer;
    uint8_t chip_id[PP_SNP_CHIP_ID_BYTES]; /* of the certificate; zero for a VLEK */
    struct pp_snp_tcb certified_tcb;
    uint8_t measurement[PP_SNP_MEASUREMENT_BYTES];
    uint8_t report_data[PP_SNP_REPORT_DATA_BYTES];
    uint8_t host_data[PP_SNP_HOST_DATA_BYTES];
    uint64_t policy;
    uint64_t platform_info;
    uint32_t vmpl;
    uint32_t guest_svn;
    uint32_t
        skipped; /* PP_ATTEST_BIT of each check that did not run: what this result does not say */
};

/*
 * Runs the checks in order. `checks` is always filled. Where the evidence itself is unsound (checks
 * 1 to 10, but for what they ask of the policy) the checks behind it are skipped as not reached;
 * where only the policy refuses, all of them still run. Returns the code of the lowest-numbered
 * failing check, detail = its number, and ok only when none failed; then, and only then, `*ret` is
 * written. STATE: the policy skips a check that it may not.
 */
PP_MUST pp_res pp_snp_verify(const struct pp_snp_anchors *anchors,
                             const struct pp_snp_policy *policy,
                             const struct pp_snp_evidence *evidence, uint64_t posix_s,
                             struct pp_snp_checks *checks, struct pp_snp_result *ret);

#endif
