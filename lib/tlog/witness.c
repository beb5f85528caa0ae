/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

#include "text.h"

#include "cosign.h"
#include "tlog_int.h"

pp_res pp_witness_request_parse(struct pp_span body, struct pp_witness_request *ret)
{
    struct pp_witness_request r = { 0 };
    struct pp_span line;
    struct pp_span value;

    PP_CHECK(body.len <= PP_WITNESS_REQUEST_MAX, PP_E_LIMIT, 0);
    PP_TRY(pp_tlog_line(&body, &line));
    PP_TRY(pp_tlog_value(line, PP_STR("old"), &value));
    PP_TRY(pp_decimal_parse(value, UINT64_MAX, &r.old_size));
    PP_TRY(pp_tlog_path_parse(&body, &r.proof));
    r.note_bytes = body;
    PP_TRY(pp_note_parse(body, &r.note));
    PP_TRY(pp_tlog_checkpoint_read(r.note.text, &r.checkpoint));
    PP_CHECK(r.note.text.len <= PP_COSIGN_TEXT_MAX, PP_E_LIMIT, r.note.text.len);
    PP_CHECK(r.old_size <= r.checkpoint.size, PP_E_RANGE, 0);
    *ret = r;
    return PP_OK;
}

void pp_witness_request_write(struct pp_wr *wr, uint64_t old_size,
                              const struct pp_merkle_path *proof, struct pp_span note)
{
    pp_wr_text(wr, "old ");
    pp_wr_decimal(wr, old_size);
    pp_wr_u8(wr, '\n');
    pp_tlog_path_write(wr, proof);
    pp_wr_span(wr, note);
}

pp_res pp_witness_answer_line(struct pp_span body, struct pp_span checkpoint_text,
                              const struct pp_note_key *key, struct pp_span *ret_line)
{
    struct pp_note n = { .text = checkpoint_text };
    struct pp_note_signers signers;
    struct pp_span line = { 0 };

    PP_CHECK(body.len <= PP_WITNESS_ANSWER_MAX, PP_E_LIMIT, body.len);
    PP_TRY(pp_tlog_characters(body));
    PP_TRY(pp_tlog_signature_lines(body, &n));
    PP_TRY(pp_note_open(&n, key, 1, &signers));
    for (size_t i = 0; i < n.line_count; i++) {
        PP_TRY(pp_tlog_line(&body, &line));
        if (n.lines[i].id == key->id && pp_span_eq(n.lines[i].name, key->name))
            break; /* the first one is the one that was verified */
    }
    *ret_line = pp_span(line.at, line.len + 1);
    return PP_OK;
}

pp_res pp_witness_conflict_parse(struct pp_span body, uint64_t *ret_size)
{
    struct pp_span line;

    PP_TRY(pp_tlog_line(&body, &line));
    PP_CHECK(body.len == 0, PP_E_FORMAT, body.len);
    return pp_decimal_parse(line, PP_MERKLE_SIZE_MAX, ret_size);
}

struct pp_witness_state pp_witness_state_empty(void)
{
    struct pp_witness_state s = { 0 };

    pp_merkle_empty(&s.root);
    return s;
}

/* Everything extends the empty tree, with an empty proof; anything else needs a right one. */
static pp_res check_growth(const struct pp_witness_state *state, const struct pp_witness_request *r)
{
    struct pp_merkle_hash empty;

    pp_merkle_empty(&empty);
    if (r->checkpoint.size == 0)
        PP_CHECK(pp_merkle_same(&r->checkpoint.root, &empty), PP_E_MISMATCH, 0);
    if (r->old_size == 0) {
        PP_CHECK(r->proof.count == 0, PP_E_PROOF, r->proof.count);
        return PP_OK;
    }
    return pp_merkle_consistency_verify(r->old_size, r->checkpoint.size, &state->root,
                                        &r->checkpoint.root, &r->proof);
}

enum pp_witness_status pp_witness_decide(const struct pp_witness_log *log,
                                         const struct pp_witness_state *state,
                                         const struct pp_witness_request *r,
                                         struct pp_witness_state *ret_next)
{
    struct pp_note_signers signers;

    *ret_next = *state;
    if (log == NULL || !pp_span_eq(log->origin, r->checkpoint.origin))
        return PP_WITNESS_UNKNOWN_LOG;
    if (!pp_is_ok(pp_note_open(&r->note, log->keys, log->key_count, &signers)))
        return PP_WITNESS_UNSIGNED;
    if (r->old_size != state->size)
        return PP_WITNESS_CONFLICT;
    if (!pp_is_ok(check_growth(state, r)))
        return PP_WITNESS_REFUSED;
    ret_next->size = r->checkpoint.size;
    ret_next->root = r->checkpoint.root;
    return PP_WITNESS_COSIGN;
}
