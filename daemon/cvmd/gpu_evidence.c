/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu_evidence.h"

#include "gpu.h"
#include "hash.h"

pp_res cvm_gpu_ask(struct cvm_gpu *g, const struct pp_random *random, struct pp_wr *wr)
{
    uint8_t nonce[PP_GPU_NONCE_BYTES];

    PP_TRY(pp_random_fill(random, g->fresh, sizeof g->fresh));
    pp_gpu_nonce(g->fresh, 0, nonce);
    pp_sp_gpu_request_write(wr, nonce);
    return pp_wr_ok(wr);
}

/* What is handed out is the answer to the question that was asked. */
static pp_res check_own(const struct cvm_gpu *g, const struct pp_evidence_gpu *gpu)
{
    uint8_t nonce[PP_GPU_NONCE_BYTES];
    struct pp_gpu_report report;

    PP_TRY_AS(PP_E_FORMAT, pp_gpu_report_parse(gpu->report, &report, NULL));
    pp_gpu_nonce(g->fresh, 0, nonce);
    PP_CHECK(memcmp(report.nonce, nonce, sizeof nonce) == 0, PP_E_MISMATCH, 0); /* public */
    return PP_OK;
}

pp_res cvm_gpu_take(struct cvm_gpu *g, struct pp_span packet)
{
    uint32_t next = g->now ^ 1U;
    struct cvm_gpu_evidence *e = &g->evidence[next];
    struct pp_evidence_gpu gpu;

    PP_TRY(pp_sp_gpu_answer_parse(packet, &gpu));
    PP_TRY(check_own(g, &gpu));
    memcpy(gpu.fresh, g->fresh, sizeof gpu.fresh);
    struct pp_wr wr = pp_wr_over(e->bytes, sizeof e->bytes);
    PP_TRY(pp_evidence_gpu_write(&wr, &gpu));
    e->len = wr.len;
    pp_sha256(pp_wr_done(&wr), e->digest);
    g->now = next;
    return PP_OK;
}
