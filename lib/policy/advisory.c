/* SPDX-License-Identifier: Apache-2.0 */
#include "advisory.h"

#include "wr.h"

/* One macro a rule of advisories.def; each line becomes one row. */
#define ROW(id, attacks, sources, rule, ...) { #id, attacks, sources, PP_RULE_##rule, __VA_ARGS__ },
#define SNP_LINE(id, attacks, sources, product)                                                    \
    ROW(id, attacks, sources, SNP_LINE, .line = PP_SNP_##product)
#define SNP_SIGNER(id, attacks, sources, kind)                                                     \
    ROW(id, attacks, sources, SNP_SIGNER, .signer = PP_SNP_##kind)
#define SNP_TCB(id, attacks, sources, product, m0, m1, s0, s1, component, minimum)                 \
    ROW(id, attacks, sources, SNP_TCB, .line = PP_SNP_##product, .model_from = (m0),               \
        .model_to = (m1), .step_from = (s0), .step_to = (s1), .min.component = (minimum))
#define SNP_COMMITTED(id, attacks, sources) ROW(id, attacks, sources, SNP_COMMITTED, .bits = 0)
#define SNP_GUEST_ONE(id, attacks, sources, bit, version)                                          \
    ROW(id, attacks, sources, SNP_GUEST_ONE, .bits = PP_SNP_POLICY_##bit, .from = (version))
#define SNP_GUEST_ZERO(id, attacks, sources, bit)                                                  \
    ROW(id, attacks, sources, SNP_GUEST_ZERO, .bits = PP_SNP_POLICY_##bit)
#define SNP_HOST_ONE(id, attacks, sources, bit)                                                    \
    ROW(id, attacks, sources, SNP_HOST_ONE, .bits = PP_SNP_PLATFORM_##bit)
#define SNP_HOST_ZERO(id, attacks, sources, bit)                                                   \
    ROW(id, attacks, sources, SNP_HOST_ZERO, .bits = PP_SNP_PLATFORM_##bit)
#define TDX_ONE(id, attacks, sources, bit)                                                         \
    ROW(id, attacks, sources, TDX_ONE, .bits = PP_TDX_ATTR_##bit)
#define TDX_ZERO(id, attacks, sources, bit)                                                        \
    ROW(id, attacks, sources, TDX_ZERO, .bits = PP_TDX_ATTR_##bit)
#define TDX_CURRENT(id, attacks, sources) ROW(id, attacks, sources, TDX_CURRENT, .bits = 0)
#define GPU_ALONE(id, attacks, sources)   ROW(id, attacks, sources, GPU_ALONE, .bits = 0)
#define REGISTERED(id, attacks, sources)  ROW(id, attacks, sources, REGISTERED, .bits = 0)

const struct pp_advisory PP_ADVISORIES[] = {
#include "advisories.def"
};
const size_t PP_ADVISORY_COUNT = PP_ARRAY_COUNT(PP_ADVISORIES);
_Static_assert(PP_ARRAY_COUNT(PP_ADVISORIES) <= PP_ADVISORIES_MAX, "a set of them is one number");

const struct pp_advisory *pp_advisory_find(struct pp_span id)
{
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++)
        if (pp_span_eq(id, pp_span_cstr(PP_ADVISORIES[i].id)))
            return &PP_ADVISORIES[i];
    return NULL;
}

enum pp_code pp_advisory_code(const struct pp_advisory *a)
{
    static const enum pp_code codes[PP_RULES] = {
        [PP_RULE_SNP_LINE] = PP_E_SNP_PRODUCT,       [PP_RULE_SNP_SIGNER] = PP_E_SNP_KEY_INFO,
        [PP_RULE_SNP_TCB] = PP_E_SNP_TCB_MIN,        [PP_RULE_SNP_COMMITTED] = PP_E_SNP_PROVISIONAL,
        [PP_RULE_SNP_GUEST_ONE] = PP_E_SNP_POLICY,   [PP_RULE_SNP_GUEST_ZERO] = PP_E_SNP_POLICY,
        [PP_RULE_SNP_HOST_ONE] = PP_E_SNP_PLATFORM,  [PP_RULE_SNP_HOST_ZERO] = PP_E_SNP_PLATFORM,
        [PP_RULE_TDX_ONE] = PP_E_TDX_TD_ATTR,        [PP_RULE_TDX_ZERO] = PP_E_TDX_TD_ATTR,
        [PP_RULE_TDX_CURRENT] = PP_E_TDX_TCB_STATUS, [PP_RULE_GPU_ALONE] = PP_E_GPU_MODE,
        [PP_RULE_REGISTERED] = PP_E_LEDGER_HOST,
    };

    PP_ASSERT(a->rule < PP_RULES);
    return codes[a->rule];
}

static int below(const struct pp_advisory *a, const struct pp_snp_report *r)
{
    enum pp_snp_line line = pp_snp_line_by_cpuid(r->cpuid_family, r->cpuid_model);
    struct pp_snp_tcb min = pp_snp_tcb_join(a->line, &a->min);

    if (line != a->line || r->cpuid_model < a->model_from || r->cpuid_model > a->model_to ||
        r->cpuid_step < a->step_from || r->cpuid_step > a->step_to)
        return 0;
    return !pp_snp_tcb_le(&min, &r->reported_tcb);
}

static int violated_by_snp(const struct pp_advisory *a, const struct pp_snp_report *r)
{
    switch (a->rule) {
    case PP_RULE_SNP_LINE:
        return pp_snp_line_by_cpuid(r->cpuid_family, r->cpuid_model) == a->line;
    case PP_RULE_SNP_SIGNER:
        return pp_snp_signing_key(r) == a->signer;
    case PP_RULE_SNP_TCB:
        return below(a, r);
    case PP_RULE_SNP_COMMITTED:
        return !pp_snp_tcb_eq(&r->committed_tcb, &r->current_tcb) ||
               memcmp(&r->committed, &r->current, sizeof r->current) != 0;
    case PP_RULE_SNP_GUEST_ONE:
        return r->version >= a->from && (r->policy & a->bits) != a->bits;
    case PP_RULE_SNP_GUEST_ZERO:
        return (r->policy & a->bits) != 0;
    case PP_RULE_SNP_HOST_ONE:
        return (r->platform_info & a->bits) != a->bits;
    case PP_RULE_SNP_HOST_ZERO:
        return (r->platform_info & a->bits) != 0;
    default:
        return 0; /* a line of another platform */
    }
}

static int violated_by_tdx(const struct pp_advisory *a, const struct pp_advisory_facts *facts)
{
    switch (a->rule) {
    case PP_RULE_TDX_ONE:
        return (facts->td_attributes & a->bits) != a->bits;
    case PP_RULE_TDX_ZERO:
        return (facts->td_attributes & a->bits) != 0;
    case PP_RULE_TDX_CURRENT:
        return facts->outdated;
    default:
        return 0; /* a line of another platform */
    }
}

int pp_advisory_violated(const struct pp_advisory *a, const struct pp_advisory_facts *facts)
{
    if (a->rule == PP_RULE_REGISTERED)
        return facts->unregistered;
    if (a->rule == PP_RULE_GPU_ALONE)
        return facts->gpu_is_shared;
    if (facts->is_tdx)
        return violated_by_tdx(a, facts);
    return facts->snp != NULL && violated_by_snp(a, facts->snp);
}

const struct pp_advisory *pp_advisory_first(const struct pp_advisory_facts *facts, uint64_t waived,
                                            enum pp_code code)
{
    for (size_t i = 0; i < PP_ADVISORY_COUNT; i++) {
        const struct pp_advisory *a = &PP_ADVISORIES[i];

        if ((waived >> i & 1) == 0 && (code == PP_E_OK || pp_advisory_code(a) == code) &&
            pp_advisory_violated(a, facts))
            return a;
    }
    return NULL;
}

void pp_advisory_name(const struct pp_advisory *a, struct pp_problem *problem)
{
    char text[sizeof problem->expected];
    struct pp_wr wr = pp_wr_over(text, sizeof text - 1);
    const struct pp_span id = pp_span_cstr(a->id);
    enum { ROOM = sizeof text - sizeof "; advisory " };

    if (problem == NULL)
        return;
    struct pp_span before = pp_span_cstr(problem->expected);
    PP_ASSERT(id.len < ROOM / 2);
    pp_wr_span(&wr, pp_span(before.at, before.len < ROOM - id.len ? before.len : ROOM - id.len));
    pp_wr_text(&wr, before.len > 0 ? "; advisory " : "advisory ");
    pp_wr_span(&wr, id);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    text[wr.len] = '\0';
    pp_printable(problem->expected, sizeof problem->expected, pp_span_cstr(text));
}
