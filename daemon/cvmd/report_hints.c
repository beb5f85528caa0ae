/* SPDX-License-Identifier: Apache-2.0 */
/* The host's hints where the host can attach nothing to a report: it is asked on a socket. */
#include "ipc.h"
#include "report.h"

enum { ASK = 1, STALE_MAX = 16 };

/* An answer that came too late belongs to no question any more. */
static pp_res drop_stale(int fd, uint8_t *buf, size_t cap)
{
    size_t len;

    for (int i = 0; i < STALE_MAX; i++) {
        pp_res r = cvm_try_recv(fd, buf, cap, &len, NULL);
        if (r.code == PP_E_BUSY)
            return PP_OK;
        if (r.code != PP_E_LIMIT)
            PP_TRY(r);
    }
    return PP_FAIL(PP_E_LIMIT, STALE_MAX);
}

pp_res cvm_host_hints(int fd, int patience_ms, uint8_t buf[CVM_HOST_ANSWER_BYTES_MAX],
                      struct pp_span *ret)
{
    static const uint8_t ask[] = { ASK };
    size_t len = 0;

    PP_TRY(drop_stale(fd, buf, CVM_HOST_ANSWER_BYTES_MAX));
    PP_TRY(cvm_try_send(fd, PP_BYTES(ask)));
    PP_TRY(cvm_wait(fd, patience_ms));
    PP_TRY(cvm_recv(fd, buf, CVM_HOST_ANSWER_BYTES_MAX, &len, NULL));
    PP_CHECK(buf[0] == ASK, PP_E_FORMAT, buf[0]);
    *ret = pp_span(buf + 1, len - 1);
    return PP_OK;
}
