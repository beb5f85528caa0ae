/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"

#include "text.h"

#include "tlog_int.h"

pp_res pp_tlog_checkpoint_read(struct pp_span text, struct pp_checkpoint *ret)
{
    struct pp_checkpoint c = { 0 };
    struct pp_span line;

    PP_TRY(pp_tlog_line(&text, &c.origin));
    PP_CHECK(c.origin.len > 0, PP_E_FORMAT, 0);
    PP_TRY(pp_tlog_line(&text, &line));
    PP_TRY(pp_decimal_parse(line, PP_MERKLE_SIZE_MAX, &c.size));
    PP_TRY(pp_tlog_line(&text, &line));
    PP_TRY(pp_tlog_hash_parse(line, &c.root));
    c.extensions = text;
    while (text.len > 0) {
        PP_TRY(pp_tlog_line(&text, &line));
        PP_CHECK(line.len > 0, PP_E_FORMAT, 0);
    }
    *ret = c;
    return PP_OK;
}

pp_res pp_checkpoint_parse(struct pp_span text, struct pp_checkpoint *ret)
{
    struct pp_checkpoint c;
    struct pp_merkle_hash empty;

    PP_TRY(pp_tlog_checkpoint_read(text, &c));
    pp_merkle_empty(&empty);
    PP_CHECK(c.size > 0 || pp_merkle_same(&c.root, &empty), PP_E_MISMATCH, 0);
    *ret = c;
    return PP_OK;
}

void pp_checkpoint_write(struct pp_wr *wr, struct pp_span origin, uint64_t size,
                         const struct pp_merkle_hash *root)
{
    pp_wr_span(wr, origin);
    pp_wr_u8(wr, '\n');
    pp_wr_decimal(wr, size);
    pp_wr_u8(wr, '\n');
    pp_wr_base64(wr, PP_BYTES(root->bytes));
    pp_wr_u8(wr, '\n');
}

pp_res pp_checkpoint_open(struct pp_span note, struct pp_span origin,
                          const struct pp_note_key *log_keys, size_t log_key_count,
                          struct pp_note *ret_note, struct pp_checkpoint *ret)
{
    struct pp_note n;
    struct pp_checkpoint c;
    struct pp_note_signers signers;

    PP_TRY(pp_note_parse(note, &n));
    PP_TRY(pp_checkpoint_parse(n.text, &c));
    PP_CHECK(pp_span_eq(c.origin, origin), PP_E_LEDGER_ORIGIN, 0);
    PP_TRY_AS(PP_E_LEDGER_SIGNATURE, pp_note_open(&n, log_keys, log_key_count, &signers));
    *ret_note = n;
    *ret = c;
    return PP_OK;
}
