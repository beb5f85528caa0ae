/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpu_policy.h: the policy file of `ppctl verify gpu` (docs/protocol/gpu.md, section policy file).
 */
#ifndef PPCTL_GPU_POLICY_H
#define PPCTL_GPU_POLICY_H

#include <jansson.h>

#include "gpu_verify.h"

enum { PPCTL_GPU_REFERENCES_MAX = 8 };

struct ppctl_gpu_policy {
    struct pp_gpu_policy policy; /* points into this struct and into the JSON text: do not move */
    struct pp_gpu_reference references[PPCTL_GPU_REFERENCES_MAX];
};

/*
 * The strict profile, changed as far as `json` names something (NULL: nothing). Check 11 is asked
 * for if there are references; 2 and 19 are the caller's to ask for. The JSON must outlive `*ret`.
 * CONFIG; `problem` says which key.
 */
PP_MUST pp_res ppctl_gpu_policy_read(const json_t *json, struct ppctl_gpu_policy *ret,
                                     struct pp_problem *problem);

#endif
