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
    int of_tdx; /* 0: a quote has no such thing */
} FAULTS[] = {
    { "none", HOST_FAULT_NONE, 1 },
    { "tcb-claim", HOST_FAULT_TCB_CLAIM, 0 },
    { "provisional", HOST_FAULT_PROVISIONAL, 0 },
    { "debug", HOST_FAULT_DEBUG, 1 },
    { "other-chip", HOST_FAULT_OTHER_CHIP, 0 },
    { "unsigned", HOST_FAULT_UNSIGNED, 1 },
    { "vmpl", HOST_FAULT_VMPL, 0 },
    { "stale", HOST_FAULT_STALE, 1 },
    { "other-data", HOST_FAULT_OTHER_DATA, 1 },
    { "truncated", HOST_FAULT_TRUNCATED, 1 },
    { "no-hints", HOST_FAULT_NO_HINTS, 1 },
    { "failing", HOST_FAULT_FAILING, 1 },
    { "busy", HOST_FAULT_BUSY, 1 },
    { "slow", HOST_FAULT_SLOW, 1 },
    { "gpu-debug", HOST_FAULT_GPU_DEBUG, 1 },
    { "gpu-nonce", HOST_FAULT_GPU_NONCE, 1 },
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

int host_fault_is_of_tdx(enum host_fault fault)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FAULTS); i++)
        if (FAULTS[i].fault == fault)
            return FAULTS[i].of_tdx;
    return 0;
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

void host_fault_fill_tdx(enum host_fault fault, const uint8_t *before, struct pp_tdx_body *body)
{
    if (fault == HOST_FAULT_DEBUG)
        body->td_attributes |= PP_TDX_ATTR_DEBUG;
    else if (fault == HOST_FAULT_STALE)
        memcpy(body->report_data, before, sizeof body->report_data);
    else if (fault == HOST_FAULT_OTHER_DATA)
        body->report_data[0] ^= 1;
}

void host_fault_spoil(enum host_fault fault, uint8_t *signature, struct pp_sp_answer *answer)
{
    if (fault == HOST_FAULT_UNSIGNED)
        signature[0] ^= 1;
    else if (fault == HOST_FAULT_TRUNCATED)
        answer->report.len--;
    else if (fault == HOST_FAULT_NO_HINTS)
        answer->hints = (struct pp_span){ 0 };
}
