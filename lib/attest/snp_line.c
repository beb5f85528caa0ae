/* SPDX-License-Identifier: Apache-2.0 */
/* Product lines and patch levels. */
#include "snp.h"

static const char *const NAMES[PP_SNP_LINES] = { "-", "Milan", "Genoa", "Turin", "Venice" };

/* CPUID family and models of each line (AMD 57230; the ranges that AMD's own tools use). */
static const struct {
    uint8_t family, model_from, model_to;
    enum pp_snp_line line;
} CPUIDS[] = {
    { 0x19, 0x00, 0x0F, PP_SNP_MILAN },  { 0x19, 0x10, 0x1F, PP_SNP_GENOA },
    { 0x19, 0xA0, 0xAF, PP_SNP_GENOA },  { 0x1A, 0x00, 0x11, PP_SNP_TURIN },
    { 0x1A, 0x50, 0x57, PP_SNP_VENICE }, { 0x1A, 0x90, 0xAF, PP_SNP_VENICE },
    { 0x1A, 0xC0, 0xC7, PP_SNP_VENICE },
};

const char *pp_snp_line_name(enum pp_snp_line line)
{
    PP_ASSERT(line < PP_SNP_LINES);
    return NAMES[line];
}

enum pp_snp_line pp_snp_line_by_name(struct pp_span name)
{
    for (size_t i = PP_SNP_LINE_NONE + 1; i < PP_SNP_LINES; i++)
        if (pp_span_eq(name, pp_span_cstr(NAMES[i])))
            return (enum pp_snp_line)i;
    return PP_SNP_LINE_NONE;
}

enum pp_snp_line pp_snp_line_by_cpuid(uint8_t family, uint8_t model)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(CPUIDS); i++)
        if (CPUIDS[i].family == family && CPUIDS[i].model_from <= model &&
            model <= CPUIDS[i].model_to)
            return CPUIDS[i].line;
    return PP_SNP_LINE_NONE;
}

enum pp_snp_line pp_snp_line_of_product(const char *product)
{
    struct pp_span name = pp_span_cstr(product);
    const uint8_t *dash = name.len == 0 ? NULL : memchr(name.at, '-', name.len);

    if (dash != NULL)
        name.len = (size_t)(dash - name.at);
    return pp_snp_line_by_name(name);
}

int pp_snp_line_is_turin_like(enum pp_snp_line line)
{
    return line == PP_SNP_TURIN || line == PP_SNP_VENICE;
}

struct pp_snp_tcb pp_snp_tcb_join(enum pp_snp_line line, const struct pp_snp_tcb_parts *p)
{
    if (pp_snp_line_is_turin_like(line))
        return (struct pp_snp_tcb){ { p->fmc, p->boot_loader, p->tee, p->snp, p->reserved[1],
                                      p->reserved[2], p->reserved[3], p->microcode } };
    return (struct pp_snp_tcb){ { p->boot_loader, p->tee, p->reserved[0], p->reserved[1],
                                  p->reserved[2], p->reserved[3], p->snp, p->microcode } };
}

struct pp_snp_tcb_parts pp_snp_tcb_split(enum pp_snp_line line, const struct pp_snp_tcb *t)
{
    const uint8_t *v = t->v;

    if (pp_snp_line_is_turin_like(line))
        return (struct pp_snp_tcb_parts){ .fmc = v[0],
                                          .boot_loader = v[1],
                                          .tee = v[2],
                                          .snp = v[3],
                                          .microcode = v[7],
                                          .reserved = { 0, v[4], v[5], v[6] } };
    return (struct pp_snp_tcb_parts){ .boot_loader = v[0],
                                      .tee = v[1],
                                      .snp = v[6],
                                      .microcode = v[7],
                                      .reserved = { v[2], v[3], v[4], v[5] } };
}

int pp_snp_tcb_le(const struct pp_snp_tcb *a, const struct pp_snp_tcb *b)
{
    for (size_t i = 0; i < sizeof a->v; i++)
        if (a->v[i] > b->v[i])
            return 0;
    return 1;
}

int pp_snp_tcb_eq(const struct pp_snp_tcb *a, const struct pp_snp_tcb *b)
{
    return pp_span_eq(PP_BYTES(a->v), PP_BYTES(b->v));
}
