/* SPDX-License-Identifier: Apache-2.0 */
#include "hardware.h"

/*
 * Intel counts its lists of patch levels, and signs those of earlier numbers anew for a year and
 * more: their dates alone say nothing of which one judged a platform. This is the number of March
 * 2026. It is raised with the advisory file; nothing goes below it.
 */
enum { TDX_EVALUATION_MIN = 18 };

/* profiles.def as one list: a profile's row, then one row for each line that it waives. */
static const struct {
    const char *profile, *what; /* NULL: the row waives a line of the profile before it */
    const char *waives;
} ROWS[] = {
#define PROFILE(name, what) { #name, what, NULL },
#define WAIVES(id)          { NULL, NULL, #id },
#include "profiles.def"
};

static size_t find_profile(size_t i)
{
    for (size_t k = 0; k < PP_ARRAY_COUNT(ROWS); k++)
        if (ROWS[k].profile != NULL && i-- == 0)
            return k;
    return PP_ARRAY_COUNT(ROWS);
}

const char *pp_hardware_name(size_t i)
{
    size_t k = find_profile(i);

    return k < PP_ARRAY_COUNT(ROWS) ? ROWS[k].profile : NULL;
}

const char *pp_hardware_what(size_t i)
{
    size_t k = find_profile(i);

    return k < PP_ARRAY_COUNT(ROWS) ? ROWS[k].what : NULL;
}

/* Takes out of the platform's policy what the line asks for. */
static void waive(struct pp_hardware *h, const struct pp_advisory *a)
{
    struct pp_snp_policy *snp = &h->snp;

    switch (a->rule) {
    case PP_RULE_SNP_LINE:
        snp->lines |= PP_ATTEST_BIT(a->line);
        break;
    case PP_RULE_SNP_TCB: /* levels that are not waived are asked for by their own lines */
        snp->floor = NULL;
        snp->floor_count = 0;
        break;
    case PP_RULE_SNP_COMMITTED:
        snp->allow_provisional = 1;
        break;
    case PP_RULE_SNP_GUEST_ONE:
        snp->policy_bits.required &= ~a->bits;
        snp->policy_bits.required_v5 &= ~a->bits;
        break;
    case PP_RULE_SNP_GUEST_ZERO:
        snp->policy_bits.forbidden &= ~a->bits;
        break;
    case PP_RULE_SNP_HOST_ONE:
        snp->platform_bits.required &= ~a->bits;
        break;
    case PP_RULE_SNP_HOST_ZERO:
        snp->platform_bits.forbidden &= ~a->bits;
        break;
    case PP_RULE_TDX_CURRENT: /* any status but "revoked" */
        h->tdx.statuses |= PP_ATTEST_BIT(PP_TDX_REVOKED) - 1;
        break;
    case PP_RULE_SNP_SIGNER: /* from here on, lines that no profile waives */
    case PP_RULE_TDX_ONE:
    case PP_RULE_TDX_ZERO:
    case PP_RULE_GPU_ALONE:
    case PP_RULE_REGISTERED:
    case PP_RULES:
        PP_ASSERT(0);
    }
}

pp_res pp_hardware_profile(struct pp_span name, struct pp_hardware *ret)
{
    struct pp_hardware h = { .snp = PP_SNP_POLICY_STRICT,
                             .tdx = PP_TDX_POLICY_STRICT,
                             .gpu = PP_GPU_POLICY_STRICT };
    size_t k = 0;

    while (k < PP_ARRAY_COUNT(ROWS) &&
           (ROWS[k].profile == NULL || !pp_span_eq(name, pp_span_cstr(ROWS[k].profile))))
        k++;
    PP_CHECK(k < PP_ARRAY_COUNT(ROWS), PP_E_NOT_FOUND, 0);
    h.tdx.evaluation_min = TDX_EVALUATION_MIN;
    h.profile = h.snp.name = h.tdx.name = h.gpu.name = ROWS[k].profile;
    for (k++; k < PP_ARRAY_COUNT(ROWS) && ROWS[k].profile == NULL; k++) {
        const struct pp_advisory *a = pp_advisory_find(pp_span_cstr(ROWS[k].waives));
        PP_ASSERT(a != NULL);
        h.waived |= UINT64_C(1) << (a - PP_ADVISORIES);
        waive(&h, a);
    }
    *ret = h;
    return PP_OK;
}
