/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* The report that is asked for, with what is wrong with the device. */
static pp_res report_on(struct host_device *d, enum host_fault fault, struct pp_span packet,
                        uint8_t ret[PP_SNP_REPORT_BYTES])
{
    struct pp_snp_report report;
    struct pp_span report_data;

    PP_TRY(pp_sp_request_parse(packet, &report_data));
    PP_CHECK(!host_fault_fails(fault, d->served), PP_E_BUSY, d->served);
    sim_chip_fill(d->chip, &d->cvm->guest, report_data.at, &report);
    host_fault_fill(fault, d->before, &report);
    memcpy(d->before, report_data.at, sizeof d->before);
    return sim_chip_sign(d->chip, &report, ret);
}

/* A request that cannot be answered is answered with that: a guest must not wait for nothing. */
static pp_res answer(struct host_device *d, struct pp_span packet)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_sp_answer a = { .done = 1, .report = PP_BYTES(report) };
    enum host_fault fault = d->served == 0 ? HOST_FAULT_NONE : d->fault;
    struct pp_buf hints = { 0 };
    struct pp_span nonce;

    if (pp_sp_gpu_request_parse(packet, &nonce))
        return host_gpu_answer(&d->gpu, nonce, d->cvm->device_fd);
    pp_res r = report_on(d, fault, packet, report);
    if (pp_is_ok(r))
        r = pp_file_read_kept(AT_FDCWD, d->hints_path, PP_FILE_OURS, HOST_HINTS_BYTES_MAX, &hints);
    a.hints = pp_buf_span(&hints);
    host_fault_spoil(fault, report, &a);
    if (!pp_is_ok(r))
        a = (struct pp_sp_answer){ 0 };
    d->served++;
    r = pp_sp_answer_write(&wr, &a);
    pp_buf_done(&hints);
    PP_TRY(r);
    if (send(d->cvm->device_fd, out, wr.len, MSG_NOSIGNAL) != (ssize_t)wr.len)
        return pp_errno_res(errno);
    return PP_OK;
}

pp_res host_device_serve(struct host_device *d)
{
    while (d->held_len == 0) {
        ssize_t n = recv(d->cvm->device_fd, d->held, sizeof d->held, 0);
        if (n < 0 && errno == EAGAIN)
            return PP_OK;
        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_CLOSED, 0);
        d->held_len = (size_t)n;
        if (d->fault == HOST_FAULT_SLOW && d->served > 0)
            return PP_OK;
        PP_TRY(host_device_release(d));
    }
    return PP_OK;
}

pp_res host_device_release(struct host_device *d)
{
    size_t len = d->held_len;

    d->held_len = 0;
    return answer(d, pp_span(d->held, len));
}
