/* SPDX-License-Identifier: Apache-2.0 */
/* add-checkpoint requests: one encoding; nothing is cosigned for a log that has no keys. */
#include "fuzz.h"

#include "witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[PP_WITNESS_REQUEST_MAX];
    static struct pp_witness_request r;
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_witness_state state = pp_witness_state_empty();
    struct pp_witness_state next;

    if (!pp_is_ok(pp_witness_request_parse(pp_span(data, len), &r)))
        return 0;
    pp_witness_request_write(&wr, r.old_size, &r.proof, r.note_bytes);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    struct pp_witness_log log = { .origin = r.checkpoint.origin };
    FUZZ_CHECK(pp_witness_decide(&log, &state, &r, &next) == PP_WITNESS_UNSIGNED);
    FUZZ_CHECK(pp_witness_decide(NULL, &state, &r, &next) == PP_WITNESS_UNKNOWN_LOG);
    FUZZ_CHECK(next.size == 0);
    return 0;
}
