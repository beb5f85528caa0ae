/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's GPU, simulated: evidence over the nonce that the guest asks with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "host.h"

enum { ANSWERS = SIM_GPU_CERTS - 2, OCSP_BYTES_MAX = 2048, DEBUG_MEASUREMENT = 9 };

/* One in its debugging mode measures other firmware than the published one, and signs as ever. */
static pp_res report_on(const struct host_gpu *g, const uint8_t *nonce, struct pp_wr *wr)
{
    struct sim_gpu_params params = sim_gpu_params_default();
    struct pp_gpu_report report;

    sim_gpu_fill(g->gpu, &params, nonce, &report);
    if (g->fault == HOST_FAULT_GPU_DEBUG)
        report.measurements[DEBUG_MEASUREMENT][0] ^= 1;
    if (g->fault == HOST_FAULT_GPU_NONCE)
        report.nonce[0] ^= 1;
    return sim_gpu_sign(g->gpu, &report, wr);
}

/* What the vendor says of the certificates, as the host has it now: files, like the hints. */
static pp_res read_answers(const struct host_gpu *g, struct pp_buf *bufs,
                           struct pp_evidence_gpu *ret)
{
    char path[512];

    for (size_t i = 0; i < ANSWERS; i++) {
        int n = snprintf(path, sizeof path, "%s/ocsp%zu.der", g->folder, i + 1);
        PP_CHECK(n > 0 && n < (int)sizeof path, PP_E_RANGE, n);
        PP_TRY(pp_file_read_kept(AT_FDCWD, path, PP_FILE_OURS, OCSP_BYTES_MAX, &bufs[i]));
        ret->ocsp[ret->ocsp_count++] = pp_buf_span(&bufs[i]);
    }
    return PP_OK;
}

static pp_res fill(const struct host_gpu *g, const uint8_t *nonce, struct pp_wr *report,
                   struct pp_buf *bufs, struct pp_evidence_gpu *ret)
{
    PP_TRY(report_on(g, nonce, report));
    ret->report = pp_wr_done(report);
    for (size_t i = 0; i < SIM_GPU_CERTS - 1; i++)
        ret->certs[ret->cert_count++] = sim_gpu_cert(g->gpu, i);
    return read_answers(g, bufs, ret);
}

pp_res host_gpu_answer(const struct host_gpu *g, struct pp_span nonce, int device_fd)
{
    static uint8_t out[PP_SP_GPU_ANSWER_BYTES_MAX];
    uint8_t report[PP_EVIDENCE_REPORT_BYTES_MAX];
    struct pp_wr report_wr = pp_wr_over(report, sizeof report);
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_evidence_gpu gpu = { 0 };
    struct pp_buf bufs[ANSWERS] = { 0 };

    /* A guest without a GPU is told so: it must not wait for nothing. */
    int can = g->gpu != NULL && pp_is_ok(fill(g, nonce.at, &report_wr, bufs, &gpu));
    pp_res r = pp_sp_gpu_answer_write(&wr, can ? &gpu : NULL);
    for (size_t i = 0; i < ANSWERS; i++)
        pp_buf_done(&bufs[i]);
    PP_TRY(r);
    if (send(device_fd, out, wr.len, MSG_NOSIGNAL) != (ssize_t)wr.len)
        return pp_errno_res(errno);
    return PP_OK;
}
