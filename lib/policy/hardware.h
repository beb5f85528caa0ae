/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hardware.h: what a named profile asks of machines (profiles.def, docs/protocol/policy.md).
 *
 * Data alone: the strict policies of the platforms, without the conditions of the advisories that
 * the profile waives. Release builds know `strict` and `fleet-2026`.
 */
#ifndef PP_HARDWARE_H
#define PP_HARDWARE_H

#include "advisory.h"
#include "gpu_verify.h"

struct pp_hardware {
    const char *profile; /* its name; a constant */
    uint64_t waived;     /* bit i: PP_ADVISORIES[i] does not count */
    struct pp_snp_policy snp;
    struct pp_tdx_policy tdx;
    struct pp_gpu_policy gpu;
};

/* The profile of that name. NOT_FOUND. */
PP_MUST pp_res pp_hardware_profile(struct pp_span name, struct pp_hardware *ret);

/* The names and sentences of all profiles of this build, in order: NULL behind the last. */
const char *pp_hardware_name(size_t i);
const char *pp_hardware_what(size_t i);

#endif
