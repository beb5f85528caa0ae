/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_collateral.h: what Intel says of its platforms: TCB info and the quoting enclave's identity,
 * as JSON (Provisioning Certification Service, version 4; docs/protocol/tdx.md 3).
 *
 * Nothing in here verifies. All of it reads one document of at most PP_TDX_COLLATERAL_BYTES_MAX
 * bytes, allocates nothing and is safe from any thread. Failures: FORMAT, ENCODING, DUPLICATE,
 * MISSING, RANGE, LIMIT, TRAILING, UNKNOWN_FIELD; detail = offset; `problem` (may be NULL) names
 * the member.
 */
#ifndef PP_TDX_COLLATERAL_H
#define PP_TDX_COLLATERAL_H

#include "tdx.h"
#include "tdx_status.h"

enum {
    PP_TDX_COLLATERAL_BYTES_MAX = 65536,
    PP_TDX_LEVELS_MAX = 32, /* of a platform; 4 to 8 in practice */
    PP_TDX_MODULES_MAX = 8,
    PP_TDX_ISV_LEVELS_MAX = 16, /* of a module or the quoting enclave */
};

/* {"<name>":{...},"signature":"<128 lower-case hex>"}, in either order, and nothing else. */
struct pp_tdx_signed {
    struct pp_span body; /* the object's bytes, from { to }: what is signed. Borrowed */
    uint8_t signature[PP_TDX_SIGNATURE_BYTES];
};
PP_MUST pp_res pp_tdx_signed_parse(struct pp_span json, const char *name, struct pp_tdx_signed *ret,
                                   struct pp_problem *problem);

/* A level of something that has one security version number. */
struct pp_tdx_isv_level {
    uint16_t isv_svn;
    uint64_t date_s; /* tcbDate, POSIX seconds */
    enum pp_tdx_status status;
};
struct pp_tdx_isv_levels {
    struct pp_tdx_isv_level rows[PP_TDX_ISV_LEVELS_MAX]; /* in the document's order */
    size_t count;
};

/* A level of the platform: least component numbers. */
struct pp_tdx_level {
    uint8_t sgx[PP_TDX_SVN_BYTES], tdx[PP_TDX_SVN_BYTES];
    uint16_t pce_svn;
    uint64_t date_s;
    enum pp_tdx_status status;
};

struct pp_tdx_module {
    uint8_t number; /* of "TDX_01": 1; 0 for tdxModule, which has no id and no levels */
    uint8_t mrsigner[PP_TDX_MEASUREMENT_BYTES];
    uint64_t attributes, attributes_mask;
    struct pp_tdx_isv_levels levels;
};

struct pp_tdx_tcb_info {
    uint64_t issued_s, next_update_s;
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];
    uint8_t pce_id[PP_TDX_PCE_ID_BYTES];
    uint32_t evaluation; /* tcbEvaluationDataNumber */
    struct pp_tdx_module module;
    struct pp_tdx_module modules[PP_TDX_MODULES_MAX]; /* tdxModuleIdentities */
    size_t module_count;
    struct pp_tdx_level levels[PP_TDX_LEVELS_MAX]; /* in the document's order: first match counts */
    size_t level_count;
};

/* The body of a TCB info: id "TDX", version 3, tcbType 0. */
PP_MUST pp_res pp_tdx_tcb_info_parse(struct pp_span body, struct pp_tdx_tcb_info *ret,
                                     struct pp_problem *problem);

struct pp_tdx_qe_identity {
    uint64_t issued_s, next_update_s;
    uint32_t evaluation;
    uint32_t misc_select, misc_select_mask;
    uint8_t attributes[16], attributes_mask[16];
    uint8_t mrsigner[32];
    uint16_t isv_prod_id;
    struct pp_tdx_isv_levels levels;
};

/* The body of a QE identity: id "TD_QE", version 2. */
PP_MUST pp_res pp_tdx_qe_identity_parse(struct pp_span body, struct pp_tdx_qe_identity *ret,
                                        struct pp_problem *problem);

#endif
