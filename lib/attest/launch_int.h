/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PP_LAUNCH_INT_H
#define PP_LAUNCH_INT_H

#include "launch.h"

/* What the footer table of a firmware file says, by entry; absent ones have no address. */
struct firmware_entries {
    struct pp_span reset_block, kernel_hashes, svsm_info, snp_metadata, tdx_metadata;
};

/* FORMAT (size of the file, no table, an entry twice), LIMIT. */
PP_MUST pp_res firmware_read_table(struct pp_span file, struct firmware_entries *ret);

/* From where an entry's u32, an offset from the end of the file, points to: all that is left. */
PP_MUST pp_res firmware_behind(struct pp_span file, struct pp_span entry, struct pp_span *ret);

/* The VMSA page of one virtual processor that starts at `eip`. SVSM has the features of its own. */
void launch_vmsa(const struct pp_launch *launch, uint64_t features, uint32_t eip,
                 int is_boot_processor, uint8_t ret[PP_LAUNCH_PAGE_BYTES]);

#endif
