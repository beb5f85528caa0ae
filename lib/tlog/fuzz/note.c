/* SPDX-License-Identifier: Apache-2.0 */
/* Notes: the parts that were found put together again are the note; keys are read strictly. */
#include "fuzz.h"

#include "note.h"

static const uint8_t PREFIX[] = { 0xE2, 0x80, 0x94, ' ' };

static void check_parts(struct pp_span whole, const struct pp_note *n)
{
    static uint8_t again[PP_NOTE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);

    pp_wr_span(&wr, n->text);
    pp_wr_u8(&wr, '\n');
    for (size_t i = 0; i < n->line_count; i++) {
        pp_wr_bytes(&wr, PREFIX, sizeof PREFIX);
        pp_wr_span(&wr, n->lines[i].name);
        pp_wr_u8(&wr, ' ');
        pp_wr_span(&wr, n->lines[i].base64);
        pp_wr_u8(&wr, '\n');
    }
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), whole));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_span whole = pp_span(data, len);
    struct pp_note_signers signers;
    struct pp_note_key key;
    struct pp_note n;

    if (pp_is_ok(pp_note_parse(whole, &n))) {
        check_parts(whole, &n);
        /* A key made of the first line's own name and id has not signed this. */
        if (n.line_count > 0) {
            key = (struct pp_note_key){ .name = n.lines[0].name,
                                        .id = n.lines[0].id,
                                        .type = PP_NOTE_COSIGNATURE };
            FUZZ_CHECK(!pp_is_ok(pp_note_check(&n, &key, 1, &signers)));
        }
    }
    if (pp_is_ok(pp_vkey_parse(whole, &key))) {
        uint8_t text[PP_VKEY_BYTES_MAX];
        struct pp_wr wr = pp_wr_over(text, sizeof text);
        pp_vkey_write(&wr, &key);
        FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), whole));
    }
    return 0;
}
