/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PP_LAUNCH_INT_H
#define PP_LAUNCH_INT_H

#include "launch.h"

/* The VMSA page of one virtual processor that starts at `eip`. SVSM has the features of its own. */
void launch_vmsa(const struct pp_launch *launch, uint64_t features, uint32_t eip,
                 int is_boot_processor, uint8_t ret[PP_LAUNCH_PAGE_BYTES]);

#endif
