/* SPDX-License-Identifier: Apache-2.0 */
/* Entry bundles and tile paths: one encoding each. The first byte of the input is the width. */
#include "fuzz.h"

#include "tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[1 << 21];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_span entries[PP_TILE_WIDTH];
    struct pp_tile t;

    if (pp_is_ok(pp_tile_path_parse(pp_span(data, len), &t))) {
        pp_tile_path_write(&wr, &t);
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    }
    if (len == 0)
        return 0;
    unsigned width = data[0] + 1U;
    struct pp_span bundle = pp_span(data + 1, len - 1);
    if (!pp_is_ok(pp_entries_parse(bundle, width, entries)))
        return 0;
    wr = pp_wr_over(again, sizeof again);
    for (unsigned i = 0; i < width; i++)
        pp_entries_write(&wr, entries[i]);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), bundle));
    return 0;
}
