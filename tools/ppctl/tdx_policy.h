/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_policy.h: policies and collateral folders of `ppctl verify tdx` and of the tdx vectors. */
#ifndef PPCTL_TDX_POLICY_H
#define PPCTL_TDX_POLICY_H

#include <jansson.h>

#include "file.h"
#include "tdx_verify.h"

enum { PPCTL_TDX_MRSEAMS_MAX = 32 };

/* A policy with the values that it borrows; do not move it once it is read. */
struct ppctl_tdx_policy {
    struct pp_tdx_policy policy;
    uint8_t pins[PP_TDX_PINS][PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrseams[PPCTL_TDX_MRSEAMS_MAX * PP_TDX_MEASUREMENT_BYTES];
    uint8_t host_id[PP_TDX_HOST_ID_BYTES];
    uint8_t report_data[PP_TDX_REPORT_DATA_BYTES];
};

/*
 * Checks 1 to 13, accepting every status that is neither out of date nor revoked, and what the
 * members of `json` add (docs/protocol/tdx.md, "Policy files"). NULL adds nothing. CONFIG, with the
 * member in `problem`, for anything else.
 */
PP_MUST pp_res ppctl_tdx_policy_read(const json_t *json, struct ppctl_tdx_policy *ret,
                                     struct pp_problem *problem);

/* The strict profile, without the checks that nobody gave a value for: 17, 19, 20. */
void ppctl_tdx_policy_strict(struct ppctl_tdx_policy *ret);

/* The root of a PEM file as the only anchor. FORMAT when it is no PEM; TRUST when no such root. */
PP_MUST pp_res ppctl_tdx_anchors_pem(struct pp_span pem, struct pp_tdx_anchors *ret);

/* The files of a folder of collateral, of which any may be missing. */
struct ppctl_tdx_collateral {
    struct pp_buf tcb_info, tcb_info_chain, qe_identity, qe_identity_chain, pck_crl, root_crl;
};

/*
 * Reads the files that are there, under the names that docs/protocol/tdx.md lists. `fmspc` (of the
 * quote's certificate; NULL: unknown) finds tcb_info_<fmspc>.json. Only failures to read a file
 * that is there are failures. The caller releases `*ret`, also after one.
 */
PP_MUST pp_res ppctl_tdx_collateral_load(const char *folder, const uint8_t *fmspc,
                                         struct ppctl_tdx_collateral *ret);
void ppctl_tdx_collateral_done(struct ppctl_tdx_collateral *c);

struct pp_tdx_evidence ppctl_tdx_evidence(struct pp_span quote,
                                          const struct ppctl_tdx_collateral *c);

/* The FMSPC that the quote's certificate claims. Of a quote that cannot be read: NOT_FOUND. */
PP_MUST pp_res ppctl_tdx_fmspc(struct pp_span quote, uint8_t ret[PP_TDX_FMSPC_BYTES]);

#endif
