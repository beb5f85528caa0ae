/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_problem problem = { 0 };
    struct cvm_config c;

    pp_res r = cvm_config_parse(pp_span(data, len), PP_STR("pp.role=orchestrator"), &problem, &c);
    if (pp_is_ok(r)) {
        FUZZ_CHECK(len <= PP_EVIDENCE_CONFIG_BYTES_MAX && c.engine != NULL);
        FUZZ_CHECK(c.sessions_max >= 1 && c.sessions_max <= CVM_SESSIONS_MAX);
        FUZZ_CHECK(c.session_s >= 1 && c.session_s <= CVM_SESSION_S_MAX);
    } else {
        FUZZ_CHECK(r.code == PP_E_CONFIG);
    }
    return 0;
}
