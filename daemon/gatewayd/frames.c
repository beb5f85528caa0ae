/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

void gw_frame_write(struct pp_wr *wr, uint32_t tag, struct pp_span bytes)
{
    PP_ASSERT(bytes.len <= GW_FRAME_BYTES_MAX);
    pp_wr_u32(wr, tag);
    pp_wr_u16(wr, (uint16_t)bytes.len);
    pp_wr_span(wr, bytes);
}

pp_res gw_frame_next(struct pp_rd *rd, int *ret_is_whole, struct gw_frame *ret)
{
    struct pp_rd peek = *rd;
    struct gw_frame f = { .tag = pp_rd_u32(&peek) };
    size_t len = pp_rd_u16(&peek);

    PP_CHECK(len <= GW_FRAME_BYTES_MAX, PP_E_FORMAT, len);
    f.bytes = pp_rd_bytes(&peek, len);
    *ret_is_whole = pp_is_ok(pp_rd_ok(&peek));
    if (!*ret_is_whole)
        return PP_OK;
    *rd = peek;
    *ret = f;
    return PP_OK;
}
