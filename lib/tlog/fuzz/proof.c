/* SPDX-License-Identifier: Apache-2.0 */
/* Offline proofs: one encoding, and none verifies under a policy that knows nobody. */
#include "fuzz.h"

#include "proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[PP_PROOF_BYTES_MAX];
    static struct pp_policy nobody;
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_policy_checkpoint c;
    struct pp_merkle_hash leaf = { { 0 } };
    struct pp_proof p;

    if (!pp_is_ok(pp_proof_parse(pp_span(data, len), &p)))
        return 0;
    pp_proof_write(&wr, &p);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), pp_span(data, len)));
    FUZZ_CHECK(!pp_is_ok(pp_proof_verify(&p, &leaf, &nobody, 0, UINT64_MAX, &c)));
    return 0;
}
