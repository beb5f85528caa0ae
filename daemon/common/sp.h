/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sp.h: what a guest and the device that reports on it say to each other, where the device is a
 * socket (docs/protocol/cvm.md): the attester of pp-cvmd, and the simulated secure processor of
 * pp-hostd or the process that asks the guest's kernel.
 *
 *     request   01 || report data(64)
 *     answer    code(1: 0 done, 1 failed) || u32 len || report || u32 len || endorsement
 *               || u32 len || hints
 *
 * The endorsement is the certificate of the key that signed the report, where the device's host
 * gives one with it; else it is empty, and stands in the hints.
 *
 * One request and one answer are one packet each (SOCK_SEQPACKET); one is under way at a time. The
 * hints come with every report, as the host has them then.
 */
#ifndef PP_SP_H
#define PP_SP_H

#include "result.h"
#include "span.h"
#include "wr.h"

enum {
    PP_SP_REQUEST_BYTES = 65,
    PP_SP_REPORT_DATA_BYTES = 64,
    PP_SP_REPORT_BYTES_MAX = 16384,
    PP_SP_ENDORSEMENT_BYTES_MAX = 4096,
    PP_SP_HINTS_BYTES_MAX = 65536,
    PP_SP_ANSWER_BYTES_MAX = 1 + 4 + PP_SP_REPORT_BYTES_MAX + 4 + PP_SP_ENDORSEMENT_BYTES_MAX + 4 +
                             PP_SP_HINTS_BYTES_MAX,
};

struct pp_sp_answer {
    int done; /* 0: the device could not; the rest is empty then */
    struct pp_span report;
    struct pp_span endorsement; /* DER; may be empty */
    struct pp_span hints;
};

void pp_sp_request_write(struct pp_wr *wr, const uint8_t report_data[PP_SP_REPORT_DATA_BYTES]);

/* The report data, borrowed. FORMAT (another operation), TRUNCATED, TRAILING. */
PP_MUST pp_res pp_sp_request_parse(struct pp_span packet, struct pp_span *ret_report_data);

PP_MUST pp_res pp_sp_answer_write(struct pp_wr *wr, const struct pp_sp_answer *a); /* NO_SPACE */

/* Borrows from `packet`. FORMAT, LIMIT, TRUNCATED, TRAILING. */
PP_MUST pp_res pp_sp_answer_parse(struct pp_span packet, struct pp_sp_answer *ret);

#endif
