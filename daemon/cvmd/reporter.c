/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reporter: the attester's hands where the device is the guest's kernel. It waits for the
 * secure processor so that the attester need not, turns what the host attached into plain values,
 * and believes nothing: it asks for what the attester wants, and who else could has no descriptor.
 */
#include <stdlib.h>

#include "cvm.h"
#include "ipc.h"
#include "report.h"

/* A host that gives no hints this time gives a report without them; the attester says busy. */
static pp_res take_hints(int hints_fd, struct pp_span *ret)
{
    static uint8_t answer[CVM_HOST_ANSWER_BYTES_MAX];
    struct pp_span hints = { 0 };

    if (hints_fd < 0)
        return PP_OK;
    pp_res r = cvm_host_hints(hints_fd, CVM_HINTS_MS, answer, &hints);
    PP_CHECK(r.code != PP_E_CLOSED, PP_E_CLOSED, 1); /* no host, no machine */
    *ret = hints;
    return PP_OK;
}

static pp_res answer(struct cvm_reporter *r, int hints_fd, struct pp_span request,
                     struct pp_sp_answer *ret)
{
    static struct cvm_report report;
    struct cvm_attached attached;
    struct pp_span report_data;

    PP_TRY(pp_sp_request_parse(request, &report_data));
    PP_TRY(cvm_reporter_ask(r, report_data.at, &report));
    PP_TRY(cvm_attached_parse(pp_span(report.table, report.table_len), &attached));
    *ret = (struct pp_sp_answer){ .done = 1,
                                  .report = pp_span(report.report, report.report_len),
                                  .endorsement = attached.vcek,
                                  .hints = attached.hints };
    return take_hints(hints_fd, &ret->hints);
}

static pp_res serve_one(struct cvm_reporter *r, int attester_fd, int hints_fd)
{
    static uint8_t out[PP_SP_ANSWER_BYTES_MAX];
    uint8_t packet[PP_SP_REQUEST_BYTES];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_sp_answer a = { 0 };
    size_t len = 0;

    PP_TRY(cvm_recv(attester_fd, packet, sizeof packet, &len, NULL));
    pp_res res = answer(r, hints_fd, pp_span(packet, len), &a);
    PP_CHECK(res.code != PP_E_CLOSED, PP_E_CLOSED, res.detail); /* no device, no service */
    PP_TRY(pp_sp_answer_write(&wr, &a));                        /* zeros, where it failed */
    return cvm_send(attester_fd, pp_wr_done(&wr), -1);
}

int cvm_reporter_main(enum pp_platform platform, const struct cvm_kernel *kernel,
                      enum cvm_device device, int device_fd, int attester_fd, int hints_fd)
{
    struct cvm_reporter r;

    pp_res res = cvm_reporter_open(&r, kernel, device, device_fd, platform);
    while (pp_is_ok(res))
        res = serve_one(&r, attester_fd, hints_fd);
    return EXIT_FAILURE; /* whatever the reason: the attester sees the end, and the machine stops */
}
