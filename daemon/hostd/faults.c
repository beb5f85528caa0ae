/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be wrong with a secure processor, for tests of those who have to notice. The first
 * report, by which a guest finds its configuration measured, is always right.
 */
#include "host.h"

#include "rd.h"

const char HOST_FAULT_NAMES[] =
    "none, tcb-claim, provisional, debug, other-chip, unsigned, vmpl, stale, other-data, "
    "truncated, no-hints, failing, busy, slow, gpu-debug, gpu-nonce";

static const struct {
    const char *name;
    enum host_fault fault;
} FAULTS[] = {
    { "none", HOST_FAULT_NONE },
    { "tcb-claim", HOST_FAULT_TCB_CLAIM },
    { "provisional", HOST_FAULT_PROVISIONAL },
    { "debug", HOST_FAULT_DEBUG },
    { "other-chip", HOST_FAULT_OTHER_CHIP },
    { "unsigned", HOST_FAULT_UNSIGNED },
    { "vmpl", HOST_FAULT_VMPL },
    { "stale", HOST_FAULT_STALE },
    { "other-data", HOST_FAULT_OTHER_DATA },
    { "truncated", HOST_FAULT_TRUNCATED },
    { "no-hints", HOST_FAULT_NO_HINTS },
    { "failing", HOST_FAULT_FAILING },
    { "busy", HOST_FAULT_BUSY },
    { "slow", HOST_FAULT_SLOW },
    { "gpu-debug", HOST_FAULT_GPU_DEBUG },
    { "gpu-nonce", HOST_FAULT_GPU_NONCE },
};

pp_res host_fault_find(struct pp_span name, enum host_fault *ret)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FAULTS); i++) {
        if (!pp_span_eq(name, pp_span_cstr(FAULTS[i].name)))
            continue;
        *ret = FAULTS[i].fault;
        return PP_OK;
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

int host_fault_fails(enum host_fault fault, uint32_t served)
{
    return fault == HOST_FAULT_FAILING || (fault == HOST_FAULT_BUSY && served % 2 == 1);
}

/* What is signed, and so believed until somebody compares. */
void host_fault_fill(enum host_fault fault, const uint8_t *before, struct pp_snp_report *report)
{
    switch (fault) {
    case HOST_FAULT_TCB_CLAIM: /* the highest component of every layout is the microcode */
        report->reported_tcb.v[7]++;
        report->current_tcb.v[7]++;
        report->committed_tcb.v[7]++;
        report->launch_tcb.v[7]++;
        return;
    case HOST_FAULT_PROVISIONAL:
        report->current_tcb.v[7]++;
        return;
    case HOST_FAULT_DEBUG:
        report->policy |= PP_SNP_POLICY_DEBUG;
        return;
    case HOST_FAULT_OTHER_CHIP:
        report->chip_id[0] ^= 1;
        return;
    case HOST_FAULT_VMPL:
        report->vmpl = 1;
        return;
    case HOST_FAULT_STALE:
        memcpy(report->report_data, before, sizeof report->report_data);
        return;
    case HOST_FAULT_OTHER_DATA:
        report->report_data[0] ^= 1;
        return;
    default:
        return;
    }
}

void host_fault_spoil(enum host_fault fault, uint8_t *report, struct pp_sp_answer *answer)
{
    if (fault == HOST_FAULT_UNSIGNED)
        report[PP_SNP_SIGNED_BYTES] ^= 1;
    else if (fault == HOST_FAULT_TRUNCATED)
        answer->report.len--;
    else if (fault == HOST_FAULT_NO_HINTS)
        answer->hints = (struct pp_span){ 0 };
}
