/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a certificate table: parts lie in it, apart, and survive being written again. */
#include "fuzz.h"

#include "snp_table.h"

static int lies_in(struct pp_span part, struct pp_span whole)
{
    return part.len == 0 || (part.at >= whole.at + PP_SNP_TABLE_ROW_BYTES &&
                             part.len <= whole.len && part.at + part.len <= whole.at + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t bytes[PP_SNP_TABLE_BYTES_MAX + 6 * PP_SNP_TABLE_ROW_BYTES];
    struct pp_span whole = pp_span(data, len);
    struct pp_snp_table t, again;
    size_t n;

    if (!pp_is_ok(pp_snp_table_parse(whole, &t)))
        return 0;
    const struct pp_span parts[] = { t.vcek, t.vlek, t.ask, t.ark, t.crl };
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++)
        FUZZ_CHECK(lies_in(parts[i], whole));
    FUZZ_CHECK(t.unknown_count <= PP_SNP_TABLE_ROWS_MAX);
    FUZZ_CHECK(pp_is_ok(pp_snp_table_write(&t, bytes, sizeof bytes, &n)));
    FUZZ_CHECK(pp_is_ok(pp_snp_table_parse(pp_span(bytes, n), &again)));
    const struct pp_span second[] = { again.vcek, again.vlek, again.ask, again.ark, again.crl };
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++)
        FUZZ_CHECK(pp_span_eq(parts[i], second[i]));
    FUZZ_CHECK(again.unknown_count == 0);
    (void)pp_snp_evidence_of(whole, &t);
    return 0;
}
