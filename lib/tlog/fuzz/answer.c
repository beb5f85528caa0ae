/* SPDX-License-Identifier: Apache-2.0 */
/* What a witness answers a log: a line that is taken makes a note that everybody can open. */
#include "fuzz.h"

#include "crypto.h"
#include "witness.h"

#define TEXT "ledger.example/test\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void check_line(const struct pp_note_key *key, struct pp_span line)
{
    static uint8_t note[PP_NOTE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(note, sizeof note);
    struct pp_note_signers signers;
    struct pp_note n;

    pp_wr_text(&wr, TEXT "\n");
    pp_wr_span(&wr, line);
    FUZZ_CHECK(pp_is_ok(pp_note_parse(pp_wr_done(&wr), &n)));
    FUZZ_CHECK(n.line_count == 1 && pp_span_eq(n.text, PP_STR(TEXT)));
    FUZZ_CHECK(pp_is_ok(pp_note_open(&n, key, 1, &signers)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_note_signer witness;
    static const uint8_t seed[32] = { 7 };
    struct pp_span line;
    uint64_t size;

    if (witness.seed.bytes == NULL) {
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
        FUZZ_CHECK(pp_is_ok(pp_note_signer_make(PP_STR("w.example"), PP_NOTE_COSIGNATURE,
                                                PP_BYTES(seed), &witness)));
    }
    if (pp_is_ok(pp_witness_answer_line(pp_span(data, len), PP_STR(TEXT), &witness.key, &line)))
        check_line(&witness.key, line);
    if (pp_is_ok(pp_witness_conflict_parse(pp_span(data, len), &size)))
        FUZZ_CHECK(len >= 2 && len <= 20 && size <= PP_MERKLE_SIZE_MAX);
    return 0;
}
