/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* A report on its way: `signature` is where its signature begins. */
struct report {
    uint8_t bytes[SIM_TDX_QUOTE_BYTES_MAX];
    size_t len, signature;
};

static pp_res report_of_chip(struct host_device *d, enum host_fault fault,
                             const uint8_t *report_data, struct report *ret)
{
    struct pp_snp_report report;

    sim_chip_fill(d->chip, &d->cvm->guest, report_data, &report);
    host_fault_fill(fault, d->before, &report);
    ret->len = PP_SNP_REPORT_BYTES;
    ret->signature = PP_SNP_SIGNED_BYTES;
    return sim_chip_sign(d->chip, &report, ret->bytes);
}

static pp_res quote_of_platform(struct host_device *d, enum host_fault fault,
                                const uint8_t *report_data, struct report *ret)
{
    struct pp_tdx_quote quote;

    sim_tdx_quote_fill(d->platform, &d->cvm->td, report_data, &quote);
    host_fault_fill_tdx(fault, d->before, &quote.body);
    PP_TRY(sim_tdx_quote_sign(d->platform, &quote, ret->bytes, sizeof ret->bytes, &ret->len));
    PP_TRY(pp_tdx_quote_parse(pp_span(ret->bytes, ret->len), &quote, NULL));
    ret->signature = quote.signed_part.len + 4; /* behind the size of the signature data */
    return PP_OK;
}

/* The report that is asked for, with what is wrong with the device. */
static pp_res report_on(struct host_device *d, enum host_fault fault, struct pp_span packet,
                        struct report *ret)
{
    struct pp_span report_data;

    PP_TRY(pp_sp_request_parse(packet, &report_data));
    PP_CHECK(!host_fault_fails(fault, d->served), PP_E_BUSY, d->served);
    pp_res r = d->platform == NULL ? report_of_chip(d, fault, report_data.at, ret)
                                   : quote_of_platform(d, fault, report_data.at, ret);
    memcpy(d->before, report_data.at, sizeof d->before);
    return r;
}

/* A request that cannot be answered is answered with that: a guest must not wait for nothing. */
static pp_res answer(struct host_device *d, struct pp_span packet)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    static struct report report;
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_sp_answer a = { .done = 1 };
    enum host_fault fault = d->served == 0 ? HOST_FAULT_NONE : d->fault;
    struct pp_buf hints = { 0 };
    struct pp_span nonce;

    if (pp_sp_gpu_request_parse(packet, &nonce))
        return host_gpu_answer(&d->gpu, nonce, d->cvm->device_fd);
    pp_res r = report_on(d, fault, packet, &report);
    if (pp_is_ok(r))
        r = pp_file_read_kept(AT_FDCWD, d->hints_path, PP_FILE_OURS, HOST_HINTS_BYTES_MAX, &hints);
    a.report = pp_span(report.bytes, report.len);
    a.hints = pp_buf_span(&hints);
    if (pp_is_ok(r))
        host_fault_spoil(fault, report.bytes + report.signature, &a);
    else
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
