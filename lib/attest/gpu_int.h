/* SPDX-License-Identifier: Apache-2.0 */
/* gpu_int.h: what the checks of a GPU share. Each is one function over this context and its row. */
#ifndef PP_GPU_INT_H
#define PP_GPU_INT_H

#include "gpu_verify.h"
#include "ocsp.h"
#include "verdict_int.h"

struct gpu_ctx {
    const struct pp_gpu_anchors *anchors;
    const struct pp_gpu_policy *policy;
    const struct pp_gpu_evidence *evidence;
    uint64_t posix_s;

    struct pp_gpu_report report;             /* after check 1 */
    struct pp_x509 *certs[PP_GPU_CHAIN - 1]; /* check 3; released by pp_gpu_verify */
    struct pp_x509 *sent_root;               /* likewise; NULL when it was left out */
    const struct pp_x509 *root;              /* the pinned one, after check 3; NULL: none */
    uint8_t fwid[PP_GPU_HASH_BYTES];         /* of the leaf, after check 5 */
    enum pp_gpu_arch arch;                   /* after check 7 */
    enum pp_gpu_mode mode;                   /* after check 8 */
    struct pp_ocsp *ocsp[PP_GPU_OCSP_MAX];   /* check 19; released likewise */

    /* Set by a check whose evidence is sound: the checks behind it still run. */
    int sound;
};

/*
 * A check returns ok (passed, or skipped if it said so with attest_skip) or the failure with the
 * code of its row. It fills the row's anchor and problem either way.
 */
typedef pp_res gpu_check_fn(struct gpu_ctx *c, struct pp_attest_check *row);

/* Checks 7 to 10 and 19, in gpu_policy.c; 11 to 18, in gpu_rims.c. */
gpu_check_fn gpu_check_arch, gpu_check_mode, gpu_check_driver_version, gpu_check_vbios_version,
    gpu_check_ocsp;
gpu_check_fn gpu_check_rim_set, gpu_check_rim, gpu_check_rim_expired, gpu_check_rim_conflict,
    gpu_check_measurement;

const char *gpu_policy_name(const struct gpu_ctx *c);

#endif
