/* SPDX-License-Identifier: Apache-2.0 */
/* intel_int.h: Intel's published root. */
#ifndef PP_INTEL_INT_H
#define PP_INTEL_INT_H

#include "span.h"

extern const struct pp_span PP_INTEL_SGX_ROOT; /* DER */

#endif
