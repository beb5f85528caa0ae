/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"

#include "text.h"

#include "tlog_int.h"

static const char FIRST_LINE[] = "c2sp.org/tlog-proof@v1";

pp_res pp_proof_parse(struct pp_span bytes, struct pp_proof *ret)
{
    struct pp_proof p = { 0 };
    struct pp_span line;
    struct pp_span value;
    uint8_t head[48];
    size_t len;

    PP_CHECK(bytes.len <= PP_PROOF_BYTES_MAX, PP_E_LIMIT, 0);
    PP_TRY(pp_tlog_line(&bytes, &line));
    PP_CHECK(pp_span_eq(line, pp_span_cstr(FIRST_LINE)), PP_E_FORMAT, 0);
    PP_TRY(pp_tlog_line(&bytes, &line));
    if (pp_is_ok(pp_tlog_value(line, PP_STR("extra"), &p.extra_base64))) {
        PP_CHECK(p.extra_base64.len <= PP_PROOF_EXTRA_MAX, PP_E_LIMIT, p.extra_base64.len);
        PP_TRY(pp_tlog_base64_measure(p.extra_base64, head, &len));
        p.has_extra = 1;
        PP_TRY(pp_tlog_line(&bytes, &line));
    }
    PP_TRY(pp_tlog_value(line, PP_STR("index"), &value));
    PP_TRY(pp_decimal_parse(value, PP_MERKLE_SIZE_MAX - 1, &p.index));
    PP_TRY(pp_tlog_path_parse(&bytes, &p.path));
    PP_CHECK(bytes.len > 0, PP_E_TRUNCATED, 0);
    p.checkpoint = bytes;
    *ret = p;
    return PP_OK;
}

void pp_proof_write(struct pp_wr *wr, const struct pp_proof *p)
{
    pp_wr_text(wr, FIRST_LINE);
    pp_wr_u8(wr, '\n');
    if (p->has_extra) {
        pp_wr_text(wr, "extra ");
        pp_wr_span(wr, p->extra_base64);
        pp_wr_u8(wr, '\n');
    }
    pp_wr_text(wr, "index ");
    pp_wr_decimal(wr, p->index);
    pp_wr_u8(wr, '\n');
    pp_tlog_path_write(wr, &p->path);
    pp_wr_span(wr, p->checkpoint);
}

pp_res pp_proof_verify_under(const struct pp_proof *p, const struct pp_merkle_hash *leaf,
                             const struct pp_policy_checkpoint *c)
{
    PP_TRY_AS(PP_E_LEDGER_PROOF, pp_merkle_inclusion_verify(p->index, c->checkpoint.size, leaf,
                                                            &p->path, &c->checkpoint.root));
    return PP_OK;
}

pp_res pp_proof_verify(const struct pp_proof *p, const struct pp_merkle_hash *leaf,
                       const struct pp_policy *policy, uint64_t from, uint64_t until,
                       struct pp_policy_checkpoint *ret)
{
    struct pp_policy_checkpoint c;

    PP_TRY(pp_policy_open(policy, p->checkpoint, &c));
    /* The age rule comes before the count: a quorum of one fresh and one stale is no fresh
     * quorum. */
    PP_TRY(pp_policy_decide(policy, pp_note_signers_dated(&c.witnesses, from, until)));
    PP_TRY(pp_proof_verify_under(p, leaf, &c));
    *ret = c;
    return PP_OK;
}
