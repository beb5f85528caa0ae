/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_signing.h: Intel's published TCB signing chains. */
#ifndef PPCTL_TDX_SIGNING_H
#define PPCTL_TDX_SIGNING_H

#include "span.h"

/* PEM: the certificate that Intel signed with at this time, then the root. */
struct pp_span vectors_tdx_signing_chain(uint64_t posix_s);

#endif
