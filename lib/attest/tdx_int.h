/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_int.h: what the checks share. Each check is one function over this context and its own row.
 */
#ifndef PP_TDX_INT_H
#define PP_TDX_INT_H

#include "tdx_verify.h"
#include "verdict_int.h"

#define TDX_ROOT_SUFFIX " Root CA" /* of a root's CN, behind the family */

struct tdx_ctx {
    const struct pp_tdx_anchors *anchors;
    const struct pp_tdx_policy *policy;
    const struct pp_tdx_evidence *evidence;
    uint64_t posix_s;

    struct pp_tdx_quote quote; /* after check 1 */

    /* After check 2. Certificates and lists are the context's, or those of what was kept. */
    struct pp_x509 *leaf, *authority;
    const struct pp_tdx_root *root;
    struct pp_tdx_pck pck;

    struct pp_x509_crl *root_crl, *pck_crl; /* after check 3 */

    struct pp_x509 *signer;           /* of the TCB info, after check 4; NULL where it was kept */
    struct pp_tdx_window info_signer; /* after check 4 */
    struct pp_tdx_tcb_info info;      /* after check 4 */
    struct pp_tdx_window identity_signer; /* after check 5 */
    struct pp_tdx_qe_identity identity;   /* after check 5 */

    /* By what they would be kept; written where the anchors keep something. */
    uint8_t pem_digest[PP_SHA256_BYTES], documents_digest[PP_SHA256_BYTES];
    struct pp_tdx_kept_platform *platform; /* whose certificates these are; NULL: the context's */
    int set_is_kept;                       /* 1: lists and documents likewise */

    struct pp_ec_public *quoting; /* after check 6: the attestation key */
    int quoting_is_kept;

    /* Levels that were found: after checks 8, 10 and 11. They point into the two above. */
    const struct pp_tdx_isv_level *qe_level, *module_level;
    const struct pp_tdx_level *level;
    enum pp_tdx_status status; /* after check 12 */
};

/*
 * A check returns ok (passed, or skipped if it said so with attest_skip) or a failure, as a rule
 * with the code of its row. It fills the row's anchor and problem either way.
 */
typedef pp_res tdx_check_fn(struct tdx_ctx *c, struct pp_attest_check *row);

/* Checks 2 to 5, in tdx_chain.c. */
tdx_check_fn tdx_check_pck_chain, tdx_check_crl, tdx_check_tcb_info, tdx_check_qe_identity;

/* Checks 8 to 13, in tdx_tcb.c. */
tdx_check_fn tdx_check_qe_id, tdx_check_seam, tdx_check_tcb_level, tdx_check_tcb_module,
    tdx_check_tcb_status, tdx_check_tcb_eval;

/* Checks 14 to 20, in tdx_policy.c. */
tdx_check_fn tdx_check_td_attr, tdx_check_xfam, tdx_check_seam_pin, tdx_check_measurement,
    tdx_check_service_td, tdx_check_binding, tdx_check_host_id;

/*
 * What was proven before, in tdx_kept.c: 1 when these very bytes were, and the context then has
 * what came of it. tdx_keep puts away what this appraisal proved first; the others never see it.
 */
struct pp_tdx_kept_platform *tdx_find_platform(const struct pp_tdx_anchors *a, struct pp_span pem,
                                               uint8_t ret_digest[PP_SHA256_BYTES]);
int tdx_recall_platform(struct tdx_ctx *c, struct pp_span pem);
void tdx_recall_set(struct tdx_ctx *c); /* after check 2; `set_is_kept` says it */
void tdx_keep(struct tdx_ctx *c, const struct pp_tdx_checks *checks);
void tdx_kept_done(struct pp_tdx_kept *kept);

const char *tdx_policy_name(const struct tdx_ctx *c);

/* 1: the policy asks for this check, and not only for what it pins. */
int tdx_is_asked(const struct tdx_ctx *c, const struct pp_attest_check *row);

/* Passes when the pin is not given, or `value` is one of its values. */
PP_MUST pp_res tdx_check_pin(const struct tdx_ctx *c, struct pp_attest_check *row,
                             enum pp_tdx_pin pin, struct pp_span value);

/* 1 if the policy asks for a minimum of TEE_TCB_SVN. */
int tdx_has_svn_minimum(const struct pp_tdx_policy *policy);

/* The names of subject or issuer of `cert` are those of `root` and the CN "<family><suffix>". */
PP_MUST pp_res tdx_names_check(const struct pp_x509 *cert, enum pp_x509_side side,
                               const struct pp_tdx_root *root, const char *suffix,
                               struct pp_problem *problem);

/* An integer of a quote in its byte order. */
struct tdx_u64le {
    uint8_t bytes[8];
};
struct tdx_u64le tdx_u64le(uint64_t v);

#endif
