/* SPDX-License-Identifier: Apache-2.0 */
/* nvidia_int.h: NVIDIA's published roots, DER. */
#ifndef PP_NVIDIA_INT_H
#define PP_NVIDIA_INT_H

#include "span.h"

extern const struct pp_span PP_NVIDIA_DEVICE_ROOT, PP_NVIDIA_RIM_ROOT;

#endif
