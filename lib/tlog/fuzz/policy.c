/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: more witnesses never un-meet a quorum, and its index stays within what was read. */
#include "fuzz.h"

#include "quorum.h"

static struct pp_policy p;

static void check(void)
{
    uint64_t all = p.witness_count == 64 ? UINT64_MAX : (UINT64_C(1) << p.witness_count) - 1;
    struct pp_policy_shape shape;

    FUZZ_CHECK(p.quorum != PP_QUORUM_WITNESS || p.quorum_index < p.witness_count);
    FUZZ_CHECK(p.quorum != PP_QUORUM_GROUP || p.quorum_index < p.group_count);
    FUZZ_CHECK(pp_is_ok(pp_policy_decide(&p, all)));
    int met = pp_is_ok(pp_policy_decide(&p, 0));
    for (size_t i = 0; i < p.witness_count; i++) {
        int now = pp_is_ok(pp_policy_decide(&p, all >> (p.witness_count - 1 - i)));
        FUZZ_CHECK(now || !met);
        met = now;
    }
    if (pp_is_ok(pp_policy_shape(&p, &shape)))
        FUZZ_CHECK(shape.needed <= shape.plain && shape.record_witness != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (pp_is_ok(pp_policy_parse(pp_span(data, len), PP_POLICY_LOG, &p)))
        check();
    if (pp_is_ok(pp_policy_parse(pp_span(data, len), PP_POLICY_FOREIGN, &p)))
        check();
    if (pp_is_ok(pp_policy_parse(pp_span(data, len), PP_POLICY_REVIEW, &p)))
        check();
    return 0;
}
