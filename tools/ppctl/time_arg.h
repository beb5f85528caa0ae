/* SPDX-License-Identifier: Apache-2.0 */
/* time_arg.h: a time that a person gives. */
#ifndef PPCTL_TIME_ARG_H
#define PPCTL_TIME_ARG_H

#include "result.h"

/* POSIX seconds, or RFC 3339 ("2026-06-01T00:00:00Z"). FORMAT. */
PP_MUST pp_res ppctl_time_parse(const char *text, uint64_t *ret_posix_s);

#endif
