/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_status.h: the patch states that Intel gives a platform, a module or an enclave. */
#ifndef PP_TDX_STATUS_H
#define PP_TDX_STATUS_H

#include "result.h"
#include "span.h"

/* Best first (docs/protocol/tdx.md, "Merging"). */
enum pp_tdx_status {
    PP_TDX_UP_TO_DATE,
    PP_TDX_SW_HARDENING_NEEDED,
    PP_TDX_CONFIGURATION_NEEDED,
    PP_TDX_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    PP_TDX_OUT_OF_DATE,
    PP_TDX_OUT_OF_DATE_CONFIGURATION_NEEDED,
    PP_TDX_REVOKED,
    PP_TDX_STATUSES
};

const char *pp_tdx_status_name(enum pp_tdx_status status);                        /* "UpToDate" */
PP_MUST pp_res pp_tdx_status_parse(struct pp_span name, enum pp_tdx_status *ret); /* NOT_FOUND */

/*
 * The worst of the three, but for one combination: where module or enclave are out of date and the
 * platform also lacks configuration, both are said.
 */
enum pp_tdx_status pp_tdx_status_merge(enum pp_tdx_status platform, enum pp_tdx_status module,
                                       enum pp_tdx_status qe);

#endif
