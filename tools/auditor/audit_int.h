/* SPDX-License-Identifier: Apache-2.0 */
/* audit_int.h: what the two files of the audit share. */
#ifndef PP_AUDIT_INT_H
#define PP_AUDIT_INT_H

#include "audit.h"

/* Compares every tile file of a folder that the tree does not need with those that it does. */
PP_MUST pp_res pp_audit_files_(const struct pp_audit_config *c, struct pp_audit *a,
                               struct pp_problem *problem);

PP_MUST pp_res pp_audit_found_(const struct pp_audit_config *c, uint32_t code,
                               const struct pp_problem *words);

#endif
