/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox_int.h: the system call filter, in a file of its own. */
#ifndef PP_SANDBOX_INT_H
#define PP_SANDBOX_INT_H

#include "sandbox.h"

PP_MUST pp_res pp_seccomp_enter_(const struct pp_sandbox *s, struct pp_problem *problem,
                                 struct pp_sandbox_report *report);

#endif
