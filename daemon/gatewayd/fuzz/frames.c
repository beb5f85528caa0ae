/* SPDX-License-Identifier: Apache-2.0 */
/* Frames between the gateway's processes: any bytes, and whatever is read is written the same. */
#include "fuzz.h"

#include "frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[1 << 17];
    struct pp_rd rd = pp_rd_over(data, size);
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct gw_frame f;
    int is_whole = 1;

    if (size > sizeof again)
        return 0;
    while (is_whole && pp_is_ok(gw_frame_next(&rd, &is_whole, &f)))
        if (is_whole)
            gw_frame_write(&wr, f.tag, f.bytes);
        else
            break;
    FUZZ_CHECK(memcmp(again, data, wr.len) == 0);
    return 0;
}
