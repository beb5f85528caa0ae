/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sp_gpu.h: what a guest asks of its GPU, on the socket of sp.h (docs/protocol/cvm.md):
 *
 *     request   02 || nonce(32)
 *     answer    code(1: 0 done, 1 failed) || u32 len || report
 *               || u8 count || (u32 len || certificate) ... || u8 count || (u32 len || OCSP) ...
 *
 * The certificates are those of key 4 of Evidence: leaf first, the root left out.
 */
#ifndef PP_SP_GPU_H
#define PP_SP_GPU_H

#include "evidence.h"

enum {
    PP_SP_GPU_REQUEST_BYTES = 33,
    PP_SP_GPU_NONCE_BYTES = 32,
    PP_SP_GPU_ANSWER_BYTES_MAX = 1 + 4 + PP_EVIDENCE_REPORT_BYTES_MAX + 2 +
                                 PP_EVIDENCE_GPU_CERT_MAX * (8 + PP_EVIDENCE_CERT_BYTES_MAX) +
                                 PP_EVIDENCE_OCSP_BYTES_MAX,
};

void pp_sp_gpu_request_write(struct pp_wr *wr, const uint8_t nonce[PP_SP_GPU_NONCE_BYTES]);

/* 1 for a request of this kind; then the nonce, borrowed. */
int pp_sp_gpu_request_parse(struct pp_span packet, struct pp_span *ret_nonce);

/* `gpu` NULL: it could not. Its `fresh` is nobody's business here. NO_SPACE; RANGE (a count). */
PP_MUST pp_res pp_sp_gpu_answer_write(struct pp_wr *wr, const struct pp_evidence_gpu *gpu);

/* Borrows from `packet`; `fresh` is zeros. FORMAT (a code, or "failed"), LIMIT, RANGE (a count),
 * TRUNCATED, TRAILING. */
PP_MUST pp_res pp_sp_gpu_answer_parse(struct pp_span packet, struct pp_evidence_gpu *ret);

#endif
