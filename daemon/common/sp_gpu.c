/* SPDX-License-Identifier: Apache-2.0 */
#include "sp_gpu.h"

enum { OP_GPU = 2, CODE_DONE = 0, CODE_FAILED = 1 };

void pp_sp_gpu_request_write(struct pp_wr *wr, const uint8_t nonce[PP_SP_GPU_NONCE_BYTES])
{
    pp_wr_u8(wr, OP_GPU);
    pp_wr_bytes(wr, nonce, PP_SP_GPU_NONCE_BYTES);
}

int pp_sp_gpu_request_parse(struct pp_span packet, struct pp_span *ret_nonce)
{
    if (packet.len != PP_SP_GPU_REQUEST_BYTES || packet.at[0] != OP_GPU)
        return 0;
    *ret_nonce = pp_span(packet.at + 1, PP_SP_GPU_NONCE_BYTES);
    return 1;
}

static void blob_wr(struct pp_wr *wr, struct pp_span blob)
{
    size_t mark = pp_wr_block32_begin(wr);

    pp_wr_span(wr, blob);
    pp_wr_block32_end(wr, mark);
}

static void list_wr(struct pp_wr *wr, const struct pp_span *list, size_t count)
{
    pp_wr_u8(wr, (uint8_t)count);
    for (size_t i = 0; i < count; i++)
        blob_wr(wr, list[i]);
}

pp_res pp_sp_gpu_answer_write(struct pp_wr *wr, const struct pp_evidence_gpu *gpu)
{
    static const struct pp_evidence_gpu NONE;
    const struct pp_evidence_gpu *g = gpu == NULL ? &NONE : gpu;

    PP_CHECK(g->cert_count <= PP_EVIDENCE_GPU_CERT_MAX, PP_E_RANGE, g->cert_count);
    PP_CHECK(g->ocsp_count <= PP_EVIDENCE_GPU_CERT_MAX, PP_E_RANGE, g->ocsp_count);
    pp_wr_u8(wr, gpu == NULL ? CODE_FAILED : CODE_DONE);
    blob_wr(wr, g->report);
    list_wr(wr, g->certs, g->cert_count);
    list_wr(wr, g->ocsp, g->ocsp_count);
    return pp_wr_ok(wr);
}

static pp_res blob_rd(struct pp_rd *rd, size_t max, struct pp_span *ret)
{
    struct pp_rd block = pp_rd_block32(rd);

    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(block.left <= max, PP_E_LIMIT, block.left);
    *ret = pp_rd_rest(&block);
    return PP_OK;
}

static pp_res list_rd(struct pp_rd *rd, size_t max, struct pp_span *list, size_t *ret_count)
{
    size_t count = pp_rd_u8(rd);

    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(count <= PP_EVIDENCE_GPU_CERT_MAX, PP_E_RANGE, count);
    for (size_t i = 0; i < count; i++)
        PP_TRY(blob_rd(rd, max, &list[i]));
    *ret_count = count;
    return PP_OK;
}

pp_res pp_sp_gpu_answer_parse(struct pp_span packet, struct pp_evidence_gpu *ret)
{
    struct pp_rd rd = pp_rd_span(packet);
    struct pp_evidence_gpu g = { 0 };
    uint8_t code = pp_rd_u8(&rd);

    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(code == CODE_DONE, PP_E_FORMAT, code);
    PP_TRY(blob_rd(&rd, PP_EVIDENCE_REPORT_BYTES_MAX, &g.report));
    PP_TRY(list_rd(&rd, PP_EVIDENCE_CERT_BYTES_MAX, g.certs, &g.cert_count));
    PP_TRY(list_rd(&rd, PP_EVIDENCE_OCSP_BYTES_MAX, g.ocsp, &g.ocsp_count));
    PP_TRY(pp_rd_end(&rd));
    *ret = g;
    return PP_OK;
}
