/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_report.h: what the attester itself looks at in a report of its own machine. It verifies no
 * signature, which is every client's business; it makes sure that what it hands out is the report
 * that it asked for, about the configuration that it runs, so that a device or host that mixes
 * things up is noticed here and costs nobody a token.
 */
#ifndef CVM_OWN_REPORT_H
#define CVM_OWN_REPORT_H

#include "binding.h"
#include "evidence.h"
#include "result.h"
#include "span.h"

enum { CVM_VMPL = 0 }; /* pp-cvmd runs at the highest level, below no service module */

/*
 * `report` as the device gave it: an SNP report, or a TDX quote with whatever stands behind it.
 * `config_digest` is SHA-256 of the configuration. `*ret` is the part that goes into Evidence (a
 * quote is cut where its signature data ends, pp-wire 7) and borrows from `report`. FORMAT (no
 * report of this platform), MISMATCH (another REPORT_DATA; detail 1: another privilege level),
 * SNP_HOST_DATA (another configuration, in a quote as well).
 */
PP_MUST pp_res cvm_own_report(enum pp_platform platform, struct pp_span report,
                              const uint8_t report_data[PP_REPORT_DATA_BYTES],
                              const uint8_t config_digest[PP_DIGEST_BYTES], struct pp_span *ret);

#endif
