/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the place of rim_xml.c, for programs that take no reference files: the confidential VM judges
 * machines without GPUs alone, and what is measured there has no XML library in it.
 */
#include "rim_int.h"

pp_res rim_xml_read(struct pp_span xml, struct pp_rim *rim, struct rim_signature *ret,
                    uint8_t ret_digest[PP_SHA384_BYTES])
{
    (void)xml, (void)ret, (void)ret_digest;
    pp_problem_set(&rim->problem, "XML", "a program that reads reference files", PP_STR("none"));
    return PP_FAIL(PP_E_GPU_RIM_FORMAT, 0);
}
