/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server gives for a tile: bytes 0 and 1 of the input are the widths that were wanted and
 * answered, byte 2 the kind. What is taken has exactly the wanted hashes or entries, and they are
 * the first of those that came.
 */
#include "fuzz.h"

#include "log_source_int.h"

static void check_entries(struct pp_span came, unsigned width, struct pp_span kept, unsigned wanted)
{
    static struct pp_span all[PP_TILE_WIDTH], some[PP_TILE_WIDTH];

    FUZZ_CHECK(pp_is_ok(pp_entries_parse(came, width, all)));
    FUZZ_CHECK(pp_is_ok(pp_entries_parse(kept, wanted, some)));
    for (unsigned i = 0; i < wanted; i++)
        FUZZ_CHECK(pp_span_eq(all[i], some[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 3)
        return 0;
    const struct pp_tile wanted = { .entries = data[2] & 1, .width = data[0] % PP_TILE_WIDTH + 1U };
    unsigned width = data[1] % 2 == 0 ? wanted.width : PP_TILE_WIDTH;
    const struct pp_span came = pp_span(data + 3, len - 3);
    uint8_t *copy = malloc(came.len + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, came.at, came.len);
    struct pp_buf kept = { copy, came.len };
    pp_res r = pp_log_tile_shape_(&wanted, width, &kept);

    if (!pp_is_ok(r))
        FUZZ_CHECK(r.code == PP_E_LOG_FILE);
    else if (wanted.entries)
        check_entries(came, width, pp_buf_span(&kept), wanted.width);
    else
        FUZZ_CHECK(came.len == (size_t)width * PP_SHA256_BYTES &&
                   kept.len == (size_t)wanted.width * PP_SHA256_BYTES);
    free(copy);
    return 0;
}
