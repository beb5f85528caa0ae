/* SPDX-License-Identifier: Apache-2.0 */
/* Generic batches and their answers: what was read is written to the same bytes. */
#include "fuzz.h"

#include "cred.h"

static uint8_t again[1 << 16];

static void requests(struct pp_span bytes)
{
    struct pp_span parts[PP_CRED_GENERIC_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_cred_request q;
    size_t count = 0;

    if (!pp_is_ok(pp_cred_generic_parse(bytes, parts, &count)))
        return;
    FUZZ_CHECK(count >= 1 && count <= PP_CRED_GENERIC_MAX);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(pp_is_ok(pp_cred_request_parse(PP_CRED_SINGLE, parts[i], &q)));
    pp_cred_generic_write(parts, count, &wr);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), bytes));
}

static void answers(struct pp_span bytes)
{
    struct pp_cred_generic_answer parts[PP_CRED_GENERIC_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    size_t count = 0;

    if (!pp_is_ok(pp_cred_generic_answers_parse(bytes, parts, &count)))
        return;
    FUZZ_CHECK(count >= 1 && count <= PP_CRED_GENERIC_MAX);
    pp_cred_generic_answers_write(parts, count, &wr);
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    requests(pp_span(data, len));
    answers(pp_span(data, len));
    return 0;
}
