/* SPDX-License-Identifier: Apache-2.0 */
/* The vendor's documents, signed or bare: nothing is read that stands outside of the input. */
#include "fuzz.h"

#include "tdx_collateral.h"

static void read_bodies(struct pp_span body)
{
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity id;

    if (pp_is_ok(pp_tdx_tcb_info_parse(body, &info, NULL))) {
        FUZZ_CHECK(info.level_count <= PP_TDX_LEVELS_MAX);
        FUZZ_CHECK(info.module_count <= PP_TDX_MODULES_MAX);
        for (size_t i = 0; i < info.level_count; i++)
            FUZZ_CHECK(info.levels[i].status < PP_TDX_STATUSES);
        for (size_t i = 0; i < info.module_count; i++)
            FUZZ_CHECK(info.modules[i].levels.count <= PP_TDX_ISV_LEVELS_MAX);
        FUZZ_CHECK(!pp_is_ok(pp_tdx_qe_identity_parse(body, &id, NULL)));
    }
    if (pp_is_ok(pp_tdx_qe_identity_parse(body, &id, NULL)))
        FUZZ_CHECK(id.levels.count <= PP_TDX_ISV_LEVELS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = { "tcbInfo", "enclaveIdentity" };
    struct pp_span input = pp_span(data, len);
    struct pp_problem problem = { 0 };
    struct pp_tdx_signed s;

    read_bodies(input);
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        if (!pp_is_ok(pp_tdx_signed_parse(input, names[i], &s, &problem)))
            continue;
        FUZZ_CHECK(s.body.at > data && s.body.at + s.body.len < data + len);
        FUZZ_CHECK(s.body.at[0] == '{' && s.body.at[s.body.len - 1] == '}');
        read_bodies(s.body);
    }
    return 0;
}
