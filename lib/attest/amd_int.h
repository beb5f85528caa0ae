/* SPDX-License-Identifier: Apache-2.0 */
/* amd_int.h: AMD's published roots, one file a line. */
#ifndef PP_AMD_INT_H
#define PP_AMD_INT_H

#include "span.h"

struct pp_amd_root {
    struct pp_span ark, ask, asvk; /* DER */
};

extern const struct pp_amd_root PP_AMD_MILAN, PP_AMD_GENOA, PP_AMD_TURIN;

#endif
