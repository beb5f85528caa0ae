/* SPDX-License-Identifier: Apache-2.0 */
/* A log's answer to a submission: the first byte chooses the status, the second the count. */
#include "fuzz.h"

#include "submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint32_t statuses[] = { 200, 202, 422, 503, 500, 413 };
    struct pp_submit_answer a = { 0 };

    if (len < 2)
        return 0;
    const size_t count = data[1];
    pp_res r = pp_submit_answer_parse(statuses[data[0] % PP_ARRAY_COUNT(statuses)],
                                      pp_span(data + 2, len - 2), count, &a);
    if (pp_is_ok(r) && a.published)
        for (size_t i = 0; i < a.count; i++)
            FUZZ_CHECK(a.index[i] < a.size);
    if (r.code == PP_E_LOG_REFUSED)
        FUZZ_CHECK(a.refused <= count && a.rule != PP_E_OK);
    return 0;
}
