/* SPDX-License-Identifier: Apache-2.0 */
/* A TDX quote: what is read writes the same bytes again, but for what check 1 does not look at. */
#include "fuzz.h"

#include "tdx.h"

static int inside(struct pp_span whole, struct pp_span part)
{
    return part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[PP_TDX_QUOTE_BYTES_MAX];
    struct pp_span input = pp_span(data, len);
    struct pp_problem problem = { 0 };
    struct pp_tdx_quote q, twice;

    pp_res r = pp_tdx_quote_parse(input, &q, &problem);
    if (!pp_is_ok(r)) {
        FUZZ_CHECK(r.code == PP_E_TDX_FORMAT && problem.field[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(q.len <= len && q.signed_part.len < q.len);
    FUZZ_CHECK(inside(input, q.qe_report) && inside(input, q.qe_auth));
    FUZZ_CHECK(inside(input, q.pck_chain));
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    pp_tdx_quote_write_signed(&wr, &q);
    FUZZ_CHECK(wr.len == q.signed_part.len);
    FUZZ_CHECK(memcmp(again + 12, data + 12, wr.len - 12) == 0); /* 8 to 11 are reserved */
    pp_tdx_quote_write_rest(&wr, &q);
    FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)) && wr.len == q.len);
    FUZZ_CHECK(pp_is_ok(pp_tdx_quote_parse(pp_wr_done(&wr), &twice, NULL)));
    FUZZ_CHECK(pp_span_eq(twice.pck_chain, q.pck_chain) && pp_span_eq(twice.qe_auth, q.qe_auth));
    return 0;
}
