/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direct_boot.h: RTMR1 and RTMR2 of a TDX guest whose firmware starts kernel, initrd and command
 * line as the VMM gives them (QEMU -kernel, OVMF, the kernel's EFI stub), from these files
 * (docs/protocol/launch.md; TCG PC Client Platform Firmware Profile, Authenticode PE format).
 *
 * RTMR0 is nobody's file: the host makes the tables, the memory map and the variables in it. RTMR3
 * stays zero until a program of the guest extends it.
 */
#ifndef PP_DIRECT_BOOT_H
#define PP_DIRECT_BOOT_H

#include "eventlog.h"
#include "hash.h"
#include "result.h"
#include "span.h"

enum {
    PP_PE_SECTIONS_MAX = 96, /* what loaders of Windows take */
    PP_DIRECT_CMDLINE_MAX = 4096,
};

/*
 * SHA-384 of a PE image as firmware measures it: all of the file but its checksum, its entry for
 * certificates and the certificates. FORMAT (no PE file, lengths that do not fit, sections in each
 * other or in the headers), LIMIT (sections).
 */
PP_MUST pp_res pp_pe_digest(struct pp_span file, uint8_t ret[PP_SHA384_BYTES]);

/* The digests of the events that hold what was started. */
struct pp_direct_boot {
    uint8_t kernel[PP_SHA384_BYTES];  /* pp_pe_digest */
    uint8_t cmdline[PP_SHA384_BYTES]; /* as load options: UTF-16, and its NUL */
    uint8_t initrd[PP_SHA384_BYTES];
    int has_cmdline, has_initrd; /* 0: there was none, and no event */
};

/*
 * From the files; an empty initrd or command line is none. The command line is ASCII without NUL,
 * and gets " initrd=initrd" where there is an initrd, as OVMF does. As pp_pe_digest; RANGE (another
 * character), LIMIT (a longer line).
 */
PP_MUST pp_res pp_direct_boot_of(struct pp_span kernel, struct pp_span initrd,
                                 struct pp_span cmdline, struct pp_direct_boot *ret);

/*
 * Where a firmware puts the separator behind "calling": builds of OVMF differ. Both are known from
 * logs of machines, the first one with a quote.
 */
enum pp_boot_separator { PP_SEPARATOR_RTMR1, PP_SEPARATOR_RTMR0 };

/* The two registers when the kernel has left the firmware's services. */
void pp_direct_boot_rtmrs(const struct pp_direct_boot *b, enum pp_boot_separator separator,
                          uint8_t ret_rtmr1[PP_RTMR_BYTES], uint8_t ret_rtmr2[PP_RTMR_BYTES]);

#endif
