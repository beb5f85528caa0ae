/* SPDX-License-Identifier: Apache-2.0 */
/* report_int.h: the two interfaces behind report.h; one attempt each. */
#ifndef CVM_REPORT_INT_H
#define CVM_REPORT_INT_H

#include "report.h"

/* report_tsm.c. BUSY: ask again. */
PP_MUST pp_res cvm_tsm_open(struct cvm_reporter *r, enum pp_platform platform);
PP_MUST pp_res cvm_tsm_ask(struct cvm_reporter *r, const uint8_t *report_data,
                           struct cvm_report *ret);

/* report_sev.c. BUSY: ask again. */
PP_MUST pp_res cvm_sev_ask(struct cvm_reporter *r, const uint8_t *report_data,
                           struct cvm_report *ret);

enum { CVM_SEV_RESPONSE_BYTES = 4000, CVM_SEV_STATUS = 0x10000 };

/* MSG_REPORT_RSP (AMD 56860): the report, borrowed. SYSTEM (CVM_SEV_STATUS + the firmware's
 * status), FORMAT (a length that no report has, or a reserved byte). */
PP_MUST pp_res cvm_sev_response_parse(struct pp_span response, struct pp_span *ret_report);

#endif
