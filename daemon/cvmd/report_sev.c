/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev/sev-guest. The structures are those of <linux/sev-guest.h>, which older headers lack or name
 * otherwise; the kernel's interface does not change.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "rd.h"
#include "report_int.h"
#include "sev_guest.h"
#include "snp.h"

enum { RESPONSE_RESERVED_BYTES = 24 };

pp_res cvm_sev_response_parse(struct pp_span response, struct pp_span *ret_report)
{
    struct pp_rd rd = pp_rd_span(response);
    uint32_t status = pp_rd_u32le(&rd);
    uint32_t len = pp_rd_u32le(&rd);

    pp_rd_zeros(&rd, RESPONSE_RESERVED_BYTES);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    PP_CHECK(status == 0, PP_E_SYSTEM, CVM_SEV_STATUS + (status & 0xFFFF));
    PP_CHECK(len == PP_SNP_REPORT_BYTES, PP_E_FORMAT, len);
    struct pp_span report = pp_rd_bytes(&rd, len);
    PP_TRY_AS(PP_E_FORMAT, pp_rd_ok(&rd));
    *ret_report = report;
    return PP_OK;
}

/* Why the kernel gave none. `*ret_plain` 1: the host has no table to give, and the report alone
 * may be had. */
static pp_res failed(int e, const struct cvm_sev_request *io, int *ret_plain)
{
    if (e == EAGAIN || e == EBUSY || e == EINTR || e == ETIMEDOUT)
        return PP_FAIL(PP_E_BUSY, e);
    /* The key of this level is wiped after a message went wrong, or the driver is gone. */
    if (e == ENOTTY || e == ENODEV || e == ENXIO)
        return PP_FAIL(PP_E_CLOSED, e);
    switch (io->vmm_error) {
    case CVM_SEV_VMM_BUSY:
        return PP_FAIL(PP_E_BUSY, e);
    case CVM_SEV_VMM_INVALID_LEN:
        return PP_FAIL(PP_E_LIMIT, CVM_CERT_TABLE_BYTES_MAX);
    case 0:
        break;
    default:
        *ret_plain = 1;
    }
    if (io->fw_error != 0 && io->fw_error != CVM_SEV_NO_FIRMWARE_CALL)
        return PP_FAIL(PP_E_SYSTEM, CVM_SEV_STATUS + (io->fw_error & 0xFFFF));
    return PP_FAIL(PP_E_SYSTEM, e);
}

static pp_res control(struct cvm_reporter *r, unsigned long request, const void *req, uint8_t *resp,
                      int *ret_plain)
{
    const struct cvm_kernel *k = r->kernel;
    struct cvm_sev_request io = { .msg_version = 1,
                                  .req_data = (uintptr_t)req,
                                  .resp_data = (uintptr_t)resp };

    if (k->control(k->ctx, r->fd, request, &io) == 0)
        return PP_OK;
    return failed(errno, &io, ret_plain);
}

static pp_res take(const uint8_t *response, struct cvm_report *ret)
{
    struct pp_span report;

    PP_TRY(cvm_sev_response_parse(pp_span(response, CVM_SEV_RESPONSE_BYTES), &report));
    memcpy(ret->report, report.at, report.len);
    ret->report_len = report.len;
    return PP_OK;
}

pp_res cvm_sev_ask(struct cvm_reporter *r, const uint8_t *report_data, struct cvm_report *ret)
{
    struct cvm_sev_ext_report_req req = { .certs_address = (uintptr_t)ret->table,
                                          .certs_len = sizeof ret->table };
    uint8_t response[CVM_SEV_RESPONSE_BYTES] = { 0 };
    int plain = 0, unused = 0;

    memcpy(req.data.user_data, report_data, sizeof req.data.user_data);
    memset(ret->table, 0, sizeof ret->table); /* a host without certificates writes nothing */
    pp_res res = control(r, CVM_SEV_GET_EXT_REPORT, &req, response, &plain);
    if (pp_is_ok(res)) {
        ret->table_len = sizeof ret->table;
        return take(response, ret);
    }
    if (!plain)
        return res;
    ret->table_len = 0;
    PP_TRY(control(r, CVM_SEV_GET_REPORT, &req.data, response, &unused));
    return take(response, ret);
}
