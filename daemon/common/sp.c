/* SPDX-License-Identifier: Apache-2.0 */
#include "sp.h"

#include "rd.h"

enum { OP_REPORT = 1, CODE_DONE = 0, CODE_FAILED = 1 };

void pp_sp_request_write(struct pp_wr *wr, const uint8_t report_data[PP_SP_REPORT_DATA_BYTES])
{
    pp_wr_u8(wr, OP_REPORT);
    pp_wr_bytes(wr, report_data, PP_SP_REPORT_DATA_BYTES);
}

pp_res pp_sp_request_parse(struct pp_span packet, struct pp_span *ret_report_data)
{
    struct pp_rd rd = pp_rd_span(packet);
    uint8_t op = pp_rd_u8(&rd);
    struct pp_span report_data = pp_rd_bytes(&rd, PP_SP_REPORT_DATA_BYTES);

    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(op == OP_REPORT, PP_E_FORMAT, op);
    *ret_report_data = report_data;
    return PP_OK;
}

pp_res pp_sp_answer_write(struct pp_wr *wr, const struct pp_sp_answer *a)
{
    const struct pp_span parts[] = { a->report, a->endorsement, a->hints };

    pp_wr_u8(wr, a->done ? CODE_DONE : CODE_FAILED);
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++) {
        size_t mark = pp_wr_block32_begin(wr);
        pp_wr_span(wr, parts[i]);
        pp_wr_block32_end(wr, mark);
    }
    return pp_wr_ok(wr);
}

pp_res pp_sp_answer_parse(struct pp_span packet, struct pp_sp_answer *ret)
{
    struct pp_rd rd = pp_rd_span(packet);
    uint8_t code = pp_rd_u8(&rd);
    struct pp_rd report = pp_rd_block32(&rd);
    struct pp_rd endorsement = pp_rd_block32(&rd);
    struct pp_rd hints = pp_rd_block32(&rd);

    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(code == CODE_DONE || code == CODE_FAILED, PP_E_FORMAT, code);
    PP_CHECK(report.left <= PP_SP_REPORT_BYTES_MAX, PP_E_LIMIT, report.left);
    PP_CHECK(endorsement.left <= PP_SP_ENDORSEMENT_BYTES_MAX, PP_E_LIMIT, endorsement.left);
    PP_CHECK(hints.left <= PP_SP_HINTS_BYTES_MAX, PP_E_LIMIT, hints.left);
    struct pp_sp_answer a = { .done = code == CODE_DONE,
                              .report = pp_rd_rest(&report),
                              .endorsement = pp_rd_rest(&endorsement),
                              .hints = pp_rd_rest(&hints) };
    size_t rest = a.report.len + a.endorsement.len + a.hints.len;
    PP_CHECK(a.done ? a.report.len > 0 : rest == 0, PP_E_FORMAT, rest);
    *ret = a;
    return PP_OK;
}
