/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdvf.h: MRTD, what a TDX module measures while a guest is built, from the metadata of its
 * firmware file (docs/protocol/launch.md; TDX module base specification, TDVF design guide).
 *
 * Checked against figures of our own alone: no firmware file with the quote of a machine that ran
 * it was to be had. Compare with a quote before a value of this is signed.
 */
#ifndef PP_TDVF_H
#define PP_TDVF_H

#include "launch.h"

enum {
    PP_TDVF_SECTIONS_MAX = PP_FIRMWARE_SECTIONS_MAX,
    PP_TDVF_PAGES_MAX = PP_LAUNCH_SECTION_PAGES_MAX, /* of all sections together */
};

/* Section types of the TDX metadata; others are refused. */
enum pp_tdvf_section_type {
    PP_TDVF_BFV = 0, /* the code */
    PP_TDVF_CFV = 1, /* the variables */
    PP_TDVF_TD_HOB = 2,
    PP_TDVF_TEMP_MEM = 3,
};

enum { PP_TDVF_EXTEND = 1, PP_TDVF_AUGMENT = 2 }; /* bits of the attributes; others are refused */

struct pp_tdvf_section {
    uint32_t data_offset, raw_bytes; /* in the file */
    uint64_t gpa, memory_bytes;      /* both multiples of the page size */
    uint32_t type, attributes;
};

struct pp_tdvf {
    struct pp_span file; /* borrowed */
    struct pp_tdvf_section sections[PP_TDVF_SECTIONS_MAX];
    size_t section_count;
};

/*
 * Reads the TDX metadata that the footer table of a firmware file points to. FORMAT (no table,
 * lengths or addresses that do not fit, a measured section that is not wholly in the file), MISSING
 * (no such metadata), UNSUPPORTED (version, section type, attribute), LIMIT.
 */
PP_MUST pp_res pp_tdvf_parse(struct pp_span file, struct pp_tdvf *ret);

/* Whether a VMM measures each page as it adds it, or a section's pages after adding all of them. */
enum pp_tdx_add_order { PP_TDX_BY_PAGE, PP_TDX_BY_SECTION };

/* MRTD of a guest that is built from these sections, in their order. */
void pp_tdvf_mrtd(const struct pp_tdvf *tdvf, enum pp_tdx_add_order order,
                  uint8_t ret[PP_SHA384_BYTES]);

#endif
