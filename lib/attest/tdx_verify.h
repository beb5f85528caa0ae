/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_verify.h: appraisal of TDX evidence: 20 ordered checks against pinned roots, the vendor's
 * signed collateral and a policy (docs/protocol/tdx.md).
 *
 * The verifier knows no simulators and no exceptions: which roots, which names, which values count
 * is all data that the caller gives. A policy in the zero state asks for every check and accepts
 * nothing. All structures are the caller's; nothing here allocates but parsed certificates and
 * revocation lists, which are gone when pp_tdx_verify returns, or stay in what the anchors keep.
 * Any thread, where the anchors keep nothing.
 */
#ifndef PP_TDX_VERIFY_H
#define PP_TDX_VERIFY_H

#include "tdx_collateral.h"
#include "verdict.h"

/* --- anchors ---------------------------------------------------------------------------------- */

enum { PP_TDX_ROOTS_MAX = 4 };

/* The names of a certificate but its CN; those of a pinned root are expected of all below it. */
struct pp_tdx_names {
    char organisation[PP_X509_NAME_BYTES_MAX];
    char country[PP_X509_NAME_BYTES_MAX], state[PP_X509_NAME_BYTES_MAX];
    char locality[PP_X509_NAME_BYTES_MAX];
};

struct pp_tdx_root {
    struct pp_x509 *cert;
    char family[PP_X509_NAME_BYTES_MAX]; /* "Intel SGX": the CN is "<family> Root CA" */
    struct pp_tdx_names names;
    uint8_t digest[PP_SHA256_BYTES]; /* of the certificate */
    char label[64]; /* "Intel SGX Root CA sha256:44a0196b2b99f889", for people and receipts */
};

/* --- what was proven before ------------------------------------------------------------------- */

enum { PP_TDX_KEPT_PLATFORMS = 8, PP_TDX_KEPT_SETS = 4 };

/* A platform's certificates, found to be a chain to a pinned root. Members are the verifier's. */
struct pp_tdx_kept_platform {
    uint64_t used;                 /* when, by the count of uses; 0: empty */
    uint8_t pem[PP_SHA256_BYTES];  /* digest of the chain as it came */
    uint8_t root[PP_SHA256_BYTES]; /* digest of the anchor */
    struct pp_x509 *leaf, *authority;
    struct pp_tdx_pck pck;
    /* The attestation key that it vouched for last, as a key; not that it vouched. */
    uint8_t attestation_key[PP_TDX_SIGNATURE_BYTES];
    struct pp_ec_public *quoting;
};

/* When a certificate is in force: from its first second to its last but one. */
struct pp_tdx_window {
    uint64_t from_s, until_s;
};

/* The collateral of a kind of platform, found to be the vendor's. Members are the verifier's. */
struct pp_tdx_kept_set {
    uint64_t used;
    uint8_t documents[PP_SHA256_BYTES]; /* digest of all six as they came, and of the authority */
    uint8_t root[PP_SHA256_BYTES];
    struct pp_x509_crl *root_crl, *pck_crl;
    struct pp_tdx_window info_signer, identity_signer;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity identity;
};

/*
 * What pp_tdx_verify has proven, so that the same bytes are not proven again: signatures, chains
 * and forms do not change. Everything that can is asked at every appraisal: validity of each
 * certificate, of lists and documents, revocation, and all that is the quote's own. What failed is
 * not kept, and what was kept under a root counts while that root is an anchor. Nothing in it is
 * the caller's bytes; what was not used for longest gives way. Some 28 KiB, and the heap of two
 * certificates and a key, or of two lists, each. Zero state is empty; only pp_tdx_verify fills it.
 */
struct pp_tdx_kept {
    uint64_t uses;
    struct pp_tdx_kept_platform platforms[PP_TDX_KEPT_PLATFORMS];
    struct pp_tdx_kept_set sets[PP_TDX_KEPT_SETS];
};

struct pp_tdx_anchors {
    struct pp_tdx_root roots[PP_TDX_ROOTS_MAX];
    size_t count;
    /* The caller's; NULL: nothing is kept. Emptied with the anchors. One thread's at a time. */
    struct pp_tdx_kept *kept;
};

/*
 * Adds a root certificate in DER. Its CN ends in " Root CA"; what stands before names the family of
 * all certificates below it. Fails with TRUST (not a certificate, not of that naming, not
 * self-signed, not P-256, there already) or LIMIT; the anchors stay as they were.
 */
PP_MUST pp_res pp_tdx_anchors_add(struct pp_tdx_anchors *a, struct pp_span root);

/* Adds the published Intel SGX Root CA, compiled in. */
PP_MUST pp_res pp_tdx_anchors_add_intel(struct pp_tdx_anchors *a);

void pp_tdx_anchors_done(struct pp_tdx_anchors *a); /* zero state is fine */

/* --- policy ----------------------------------------------------------------------------------- */

/* The checks, by the numbers that receipts and `ppctl verify tdx` print. */
enum pp_tdx_check_number {
    PP_TDX_CHECK_FORMAT = 1,
    PP_TDX_CHECK_PCK_CHAIN,
    PP_TDX_CHECK_CRL,
    PP_TDX_CHECK_TCB_INFO,
    PP_TDX_CHECK_QE_IDENTITY,
    PP_TDX_CHECK_QUOTE_SIG,
    PP_TDX_CHECK_QE_SIG,
    PP_TDX_CHECK_QE_ID,
    PP_TDX_CHECK_SEAM,
    PP_TDX_CHECK_TCB_LEVEL,
    PP_TDX_CHECK_TCB_MODULE,
    PP_TDX_CHECK_TCB_STATUS,
    PP_TDX_CHECK_TCB_EVAL,
    PP_TDX_CHECK_TD_ATTR,
    PP_TDX_CHECK_XFAM,
    PP_TDX_CHECK_SEAM_PIN,
    PP_TDX_CHECK_MEASUREMENT,
    PP_TDX_CHECK_SERVICE_TD,
    PP_TDX_CHECK_BINDING,
    PP_TDX_CHECK_HOST_ID,
    PP_TDX_CHECKS = PP_TDX_CHECK_HOST_ID
};

/* The checks that a policy may leave out: those of the collateral, all together or none, and each
 * of 14 to 20. Format, chain and signatures always run. */
#define PP_TDX_COLLATERAL                                                                          \
    (PP_ATTEST_BIT(PP_TDX_CHECK_CRL) | PP_ATTEST_BIT(PP_TDX_CHECK_TCB_INFO) |                      \
     PP_ATTEST_BIT(PP_TDX_CHECK_QE_IDENTITY) | PP_ATTEST_BIT(PP_TDX_CHECK_QE_ID) |                 \
     PP_ATTEST_BIT(PP_TDX_CHECK_SEAM) | PP_ATTEST_BIT(PP_TDX_CHECK_TCB_LEVEL) |                    \
     PP_ATTEST_BIT(PP_TDX_CHECK_TCB_MODULE) | PP_ATTEST_BIT(PP_TDX_CHECK_TCB_STATUS) |             \
     PP_ATTEST_BIT(PP_TDX_CHECK_TCB_EVAL))
#define PP_TDX_SKIPPABLE (PP_TDX_COLLATERAL | UINT32_C(0x1FC000))

/*
 * Fields of a quote whose value a policy can pin. An empty set pins nothing. Integers are pinned in
 * the quote's own byte order. A pin, and a minimum of TEE_TCB_SVN, is checked even where its check
 * is left out for the rest.
 */
enum pp_tdx_pin {
    PP_TDX_PIN_QE_VENDOR, /* 16 bytes; check 1 */
    PP_TDX_PIN_FMSPC,     /* 6; check 4 */
    PP_TDX_PIN_TD_ATTR,   /* 8; check 14 */
    PP_TDX_PIN_XFAM,      /* 8; check 15 */
    PP_TDX_PIN_MRSEAM,    /* 48 each from here; check 16 */
    PP_TDX_PIN_MRSIGNERSEAM,
    PP_TDX_PIN_SEAM_ATTR, /* 8 */
    PP_TDX_PIN_MRTD,      /* check 17 */
    PP_TDX_PIN_RTMR0,
    PP_TDX_PIN_RTMR1,
    PP_TDX_PIN_RTMR2,
    PP_TDX_PIN_RTMR3,
    PP_TDX_PIN_MRCONFIGID,
    PP_TDX_PIN_MROWNER,
    PP_TDX_PIN_MROWNERCONFIG,
    PP_TDX_PIN_MRSERVICETD, /* check 18 */
    PP_TDX_PINS
};

struct pp_tdx_policy {
    const char *name; /* shown as the anchor of what the policy decides; NULL: "policy" */
    uint32_t skip;    /* PP_ATTEST_BIT of each check that is not asked for */
    uint32_t
        statuses; /* PP_ATTEST_BIT(enum pp_tdx_status) of each accepted one; Revoked never is */
    uint8_t tee_tcb_svn_min[PP_TDX_SVN_BYTES]; /* component by component; check 10 */
    uint32_t evaluation_min; /* tcbEvaluationDataNumber of both documents; check 13 */
    struct pp_attest_bits
        td_attributes; /* DEBUG and reserved bits are forbidden whatever this says */

    struct pp_attest_set launches; /* 192 bytes each: MRTD, RTMR0, RTMR1, RTMR2; check 17 */
    /*
     * RTMR3, MRCONFIGID, MROWNER, MROWNERCONFIG, MRSERVICETD, MRSIGNERSEAM and SEAMATTRIBUTES must
     * be zero where they are not pinned.
     */
    struct pp_attest_set pins[PP_TDX_PINS];
    struct pp_attest_set host_ids; /* 64: pp_tdx_host_id; check 20 */

    const uint8_t *report_data;     /* 64 bytes, recomputed by the caller; check 19 */
    const char *report_data_anchor; /* NULL: "this session" */
};

/*
 * Deny by default: UpToDate alone, SEPT_VE_DISABLE on, no PERFMON, Intel-signed modules. It names
 * no measurement, configuration, machine or session: the caller adds them or says, in `skip`, that
 * it does not ask.
 */
extern const struct pp_tdx_policy PP_TDX_POLICY_STRICT;

/* --- verdict ---------------------------------------------------------------------------------- */

struct pp_tdx_checks {
    struct pp_attest_check rows[PP_TDX_CHECKS]; /* rows[n-1] is check n */
};

const char *pp_tdx_check_name(enum pp_tdx_check_number number); /* "FORMAT" */

enum { PP_TDX_HOST_ID_BYTES = 64 };

/* Everything as it came. An empty span is collateral that did not come. */
struct pp_tdx_evidence {
    struct pp_span quote;
    struct pp_span tcb_info;          /* JSON: {"tcbInfo":{...},"signature":"..."} */
    struct pp_span tcb_info_chain;    /* PEM: TCB Signing, root */
    struct pp_span qe_identity;       /* JSON: {"enclaveIdentity":{...},"signature":"..."} */
    struct pp_span qe_identity_chain; /* PEM; usually the same bytes */
    struct pp_span pck_crl;           /* DER, of the authority that the quote's chain names */
    struct pp_span root_crl;          /* DER */
};

/*
 * What the platform's own certificate in a quote says, to look for its collateral by: 1 and `*ret`,
 * or 0 where quote or certificate are malformed. Nothing of it is proven.
 */
int pp_tdx_claimed_pck(const struct pp_tdx_anchors *anchors, struct pp_span quote,
                       struct pp_tdx_pck *ret);

/* What verified evidence says. Only pp_tdx_verify makes one, and it is no quote. */
struct pp_tdx_result {
    uint16_t version;
    enum pp_tdx_body_type body_type;
    uint8_t mrtd[PP_TDX_MEASUREMENT_BYTES];
    uint8_t rtmr[PP_TDX_RTMRS][PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrconfigid[PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrowner[PP_TDX_MEASUREMENT_BYTES], mrownerconfig[PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrseam[PP_TDX_MEASUREMENT_BYTES];
    uint8_t report_data[PP_TDX_REPORT_DATA_BYTES];
    uint64_t td_attributes, xfam;
    uint8_t tee_tcb_svn[PP_TDX_SVN_BYTES];

    uint8_t fmspc[PP_TDX_FMSPC_BYTES];
    uint8_t ppid[PP_TDX_ID_BYTES];
    uint8_t host_id[PP_TDX_HOST_ID_BYTES]; /* as host-sets have it: the PPID, then zeros */

    /* Of the collateral; zero where `skipped` says that it was not read. */
    enum pp_tdx_status status; /* merged */
    uint64_t tcb_date_s;       /* of the platform's level, POSIX seconds */
    uint32_t evaluation;       /* the lower tcbEvaluationDataNumber of the two documents */

    uint32_t skipped; /* PP_ATTEST_BIT of each check that did not run: what this does not say */
};

/*
 * Runs the checks in order. `checks` is always filled. Where the evidence itself is unsound (checks
 * 1 to 8) the checks behind it are skipped as not reached; where only the policy refuses, all of
 * them still run. Returns the code of the lowest-numbered failing check, detail = its number, and
 * ok only when none failed; then, and only then, `*ret` is written. STATE: the policy skips a check
 * that it may not, or some of the collateral's and not others.
 */
PP_MUST pp_res pp_tdx_verify(const struct pp_tdx_anchors *anchors,
                             const struct pp_tdx_policy *policy,
                             const struct pp_tdx_evidence *evidence, uint64_t posix_s,
                             struct pp_tdx_checks *checks, struct pp_tdx_result *ret);

/* --- collateral by itself --------------------------------------------------------------------- */

/* What collateral says, whatever machine it will judge. Times in POSIX seconds. */
struct pp_tdx_documents {
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];
    uint32_t evaluation; /* the lower tcbEvaluationDataNumber of the two documents */
    uint64_t tcb_info_issued_s, tcb_info_next_update_s;
    uint64_t qe_identity_issued_s, qe_identity_next_update_s;
    uint64_t root_crl_next_update_s;
    int has_authority;              /* 1: the two below are known */
    int platform_ca;                /* 1: PCK Platform CA; 0: PCK Processor CA */
    uint64_t pck_crl_next_update_s; /* of the authority's list */
    const char *root;               /* the pinned root's label, borrowed from the anchors */
};

/*
 * Checks 3 to 5 for those who publish collateral, and have no quote: what this refuses, every
 * device refuses with every quote. `evidence->quote` is not looked at. `authority` is the PEM chain
 * of the one who signed the PCK revocation list (authority, root), which the vendor's service sends
 * beside it; empty: of that list nothing is said, and `has_authority` is 0. Codes of checks 3 to 5,
 * and TDX_PCK_CHAIN for `authority`; words in `problem` (may be NULL).
 */
PP_MUST pp_res pp_tdx_documents_verify(const struct pp_tdx_anchors *anchors,
                                       const struct pp_tdx_evidence *evidence,
                                       struct pp_span authority, uint64_t posix_s,
                                       struct pp_problem *problem, struct pp_tdx_documents *ret);

#endif
