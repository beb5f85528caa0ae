/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a chip's certificate: input is a list of { u8 which, u8 length, content }. */
#include "fuzz.h"

#include "rd.h"
#include "snp.h"

#define ARC "1.3.6.1.4.1.3704.1."

static const char *const OIDS[] = {
    ARC "1",   ARC "2",   ARC "3.1", ARC "3.2", ARC "3.3", ARC "3.4", ARC "3.5",
    ARC "3.6", ARC "3.7", ARC "3.8", ARC "3.9", ARC "4",   ARC "5",
};

static pp_res find(void *ctx, const char *oid, struct pp_span *ret)
{
    struct pp_rd rd = pp_rd_span(*(const struct pp_span *)ctx);
    unsigned found = 0;

    while (rd.left > 0) {
        size_t which = pp_rd_u8(&rd);
        struct pp_rd content = pp_rd_block8(&rd);
        if (rd.failed != PP_E_OK)
            break;
        if (which < PP_ARRAY_COUNT(OIDS) && strcmp(OIDS[which], oid) == 0) {
            *ret = pp_rd_rest(&content);
            found++;
        }
    }
    return found == 0   ? PP_FAIL(PP_E_NOT_FOUND, 0)
           : found == 1 ? PP_OK
                        : PP_FAIL(PP_E_DUPLICATE, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_span input = pp_span(data, len);
    struct pp_snp_extension_source source = { find, &input };
    struct pp_snp_extensions e;
    struct pp_problem problem = { 0 };

    pp_res r = pp_snp_extensions_parse(&source, &e, &problem);
    if (!pp_is_ok(r)) {
        FUZZ_CHECK(r.code == PP_E_SNP_CERT_FORM && problem.field[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(e.struct_version <= 1);
    FUZZ_CHECK(memchr(e.product, 0, sizeof e.product) != NULL && e.product[0] != '\0');
    FUZZ_CHECK((e.hwid_len > 0) == (e.csp_id[0] == '\0'));
    FUZZ_CHECK(e.hwid_len == 0 || e.hwid_len == (e.struct_version == 0 ? 64 : 8));
    FUZZ_CHECK(e.struct_version == 0 ? e.tcb.fmc == 0 : e.tcb.reserved[0] == 0);
    (void)pp_snp_line_of_product(e.product);
    return 0;
}
