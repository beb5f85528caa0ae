/* SPDX-License-Identifier: Apache-2.0 */
/* Records: one encoding, and no text is a record and a checkpoint at once. */
#include "fuzz.h"

#include "checkpoint.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[PP_RECORD_BYTES_MAX];
    static struct pp_record r;
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_checkpoint c;
    uint64_t from;
    uint64_t until;

    if (!pp_is_ok(pp_record_parse(pp_span(data, len), &r)))
        return 0;
    FUZZ_CHECK(pp_is_ok(pp_record_write(&wr, &r)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    FUZZ_CHECK(!pp_is_ok(pp_checkpoint_parse(pp_span(data, len), &c)));
    pp_record_window(&r, &from, &until);
    FUZZ_CHECK(from < until);
    return 0;
}
