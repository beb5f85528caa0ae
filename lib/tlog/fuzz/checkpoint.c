/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoint texts: written again they are the same bytes. */
#include "fuzz.h"

#include "checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[1 << 17];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_checkpoint c;

    if (!pp_is_ok(pp_checkpoint_parse(pp_span(data, len), &c)))
        return 0;
    pp_checkpoint_write(&wr, c.origin, c.size, &c.root);
    pp_wr_span(&wr, c.extensions);
    if (pp_is_ok(pp_wr_ok(&wr)))
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    return 0;
}
