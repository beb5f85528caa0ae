/* SPDX-License-Identifier: Apache-2.0 */
/* snp_int.h: what the checks share. Each check is one function over this context and its own row.
 */
#ifndef PP_SNP_INT_H
#define PP_SNP_INT_H

#include "snp_verify.h"
#include "verdict_int.h"

struct snp_ctx {
    const struct pp_snp_anchors *anchors;
    const struct pp_snp_policy *policy;
    const struct pp_snp_evidence *evidence;
    uint64_t posix_s;

    struct pp_snp_report report; /* after check 1 */
    enum pp_snp_signer signer;   /* after check 2 */
    struct pp_x509 *vek;         /* after check 3; released by pp_snp_verify */
    struct pp_snp_extensions ext;
    enum pp_snp_line line; /* that the certificate claims; proven by check 4 */
    struct pp_snp_tcb certified_tcb;
    const struct pp_snp_root *root; /* after check 4 */

    /* Set by a check whose evidence is sound, before it asks the policy: the next checks still run.
     */
    int sound;
};

/*
 * A check returns ok (passed, or skipped if it said so with attest_skip) or the failure with the
 * code of its row. It fills the row's anchor and problem either way.
 */
typedef pp_res snp_check_fn(struct snp_ctx *c, struct pp_attest_check *row);

/* Checks 11 to 23, in snp_policy.c. */
snp_check_fn snp_check_provisional, snp_check_tcb_min, snp_check_fw_min, snp_check_mitigation,
    snp_check_policy, snp_check_platform, snp_check_vmpl, snp_check_migration,
    snp_check_measurement, snp_check_host_data, snp_check_id_block, snp_check_host_id,
    snp_check_binding;

const char *snp_policy_name(const struct snp_ctx *c);

/* Shows the components of a patch level. */
void snp_say_tcb(struct pp_attest_check *row, const char *field, enum pp_snp_line line,
                 const char *relation, const struct pp_snp_tcb *expected,
                 const struct pp_snp_tcb *got);

/* The names of subject or issuer of `cert` are those of `names` and the CN `cn`, and no others. */
PP_MUST pp_res snp_names_check(const struct pp_x509 *cert, enum pp_x509_side side,
                               const struct pp_snp_names *names, const char *prefix,
                               const char *suffix, struct pp_problem *problem);

#endif
