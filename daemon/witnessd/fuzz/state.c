/* SPDX-License-Identifier: Apache-2.0 */
/* A witness's state file: believed only if this witness signed it, for this origin. */
#include "fuzz.h"

#include "book_int.h"
#include "crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_note_signer witness;
    static const uint8_t seed[32] = { 7 };
    struct pp_witness_state state = { .size = UINT64_MAX };
    struct pp_note_signers signers;
    struct pp_note n;

    if (witness.seed.bytes == NULL) {
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
        FUZZ_CHECK(pp_is_ok(pp_note_signer_make(PP_STR("w.example"), PP_NOTE_COSIGNATURE,
                                                PP_BYTES(seed), &witness)));
    }
    if (!pp_is_ok(pp_witness_state_read(pp_span(data, len), &witness.key,
                                        PP_STR("ledger.example/test"), &state))) {
        FUZZ_CHECK(state.size == UINT64_MAX);
        return 0;
    }
    FUZZ_CHECK(state.size <= PP_MERKLE_SIZE_MAX);
    FUZZ_CHECK(pp_is_ok(pp_note_parse(pp_span(data, len), &n)));
    FUZZ_CHECK(pp_is_ok(pp_note_open(&n, &witness.key, 1, &signers)) && signers.times[0] > 0);
    return 0;
}
