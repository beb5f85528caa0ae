/* SPDX-License-Identifier: Apache-2.0 */
/* The strict profile: all of it is data. */
#include "tdx_verify.h"

const struct pp_tdx_policy PP_TDX_POLICY_STRICT = {
    .name = "strict",
    .statuses = PP_ATTEST_BIT(PP_TDX_UP_TO_DATE),
    .td_attributes = { .required = PP_TDX_ATTR_SEPT_VE_DISABLE, .forbidden = PP_TDX_ATTR_PERFMON },
};
