/* SPDX-License-Identifier: Apache-2.0 */
/* oprf_run.h: an OPRF with keys, blinds, inputs and tags marked as secret. */
#ifndef PP_TAINT_OPRF_RUN_H
#define PP_TAINT_OPRF_RUN_H

#include "oprf.h"

/* Issues and redeems in VOPRF and POPRF mode. MISMATCH or another code when a result is wrong. */
PP_MUST pp_res oprf_run(const struct pp_oprf_suite *s);

#endif
