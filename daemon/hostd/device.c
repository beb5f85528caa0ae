/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "sp.h"

/* A request that cannot be answered is answered with that: a guest must not wait for nothing. */
static pp_res answer(struct host_device *d, struct pp_span packet)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    uint8_t report[PP_SNP_REPORT_BYTES];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_sp_answer a = { .done = 1, .report = PP_BYTES(report) };
    struct pp_buf hints = { 0 };
    struct pp_span report_data;

    pp_res r = pp_sp_request_parse(packet, &report_data);
    if (pp_is_ok(r))
        r = sim_chip_report(d->chip, &d->cvm->guest, report_data.at, report);
    if (pp_is_ok(r))
        r = pp_file_read_kept(AT_FDCWD, d->hints_path, PP_FILE_OURS, HOST_HINTS_BYTES_MAX, &hints);
    a.hints = pp_buf_span(&hints);
    if (!pp_is_ok(r))
        a = (struct pp_sp_answer){ 0 };
    r = pp_sp_answer_write(&wr, &a);
    pp_buf_done(&hints);
    PP_TRY(r);
    if (send(d->cvm->device_fd, out, wr.len, MSG_NOSIGNAL) != (ssize_t)wr.len)
        return pp_errno_res(errno);
    return PP_OK;
}

pp_res host_device_serve(struct host_device *d)
{
    uint8_t packet[PP_SP_REQUEST_BYTES + 1];

    for (;;) {
        ssize_t n = recv(d->cvm->device_fd, packet, sizeof packet, 0);
        if (n < 0 && errno == EAGAIN)
            return PP_OK;
        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_CLOSED, 0);
        PP_TRY(answer(d, pp_span(packet, (size_t)n)));
    }
}
