/* SPDX-License-Identifier: Apache-2.0 */
/* The SGX extension of a platform's certificate. */
#include "fuzz.h"

#include "tdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t none[PP_TDX_ID_BYTES];
    struct pp_problem problem = { 0 };
    struct pp_tdx_pck pck;

    pp_res r = pp_tdx_pck_parse(pp_span(data, len), &pck, &problem);
    if (!pp_is_ok(r)) {
        FUZZ_CHECK(r.code == PP_E_TDX_PCK_CHAIN && problem.field[0] != '\0');
        return 0;
    }
    /* Every mandatory part stands in the input, so it is at least this long. */
    FUZZ_CHECK(len >= 16 + 16 + 16 + 2 + 6 + 2);
    FUZZ_CHECK(pck.has_instance_id || pp_span_eq(PP_BYTES(pck.instance_id), PP_BYTES(none)));
    return 0;
}
