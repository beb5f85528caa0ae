/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

/* RFC 9458, 5.3. Its words fit one of the causes; they stand for all, so that none shows. */
#define KEY_PROBLEM                                                                                \
    "{\"type\":\"https://iana.org/assignments/http-problem-types#ohttp-key\","                     \
    "\"title\":\"key identifier unknown\"}"

static const struct pp_ohttp_answer ANSWERS[PP_OHTTP_FAIL_COUNT] = {
    [PP_OHTTP_FAIL_METHOD] = { .status = 405 },
    [PP_OHTTP_FAIL_TYPE] = { .status = 415 },
    [PP_OHTTP_FAIL_BODY] = { .status = 400 },
    [PP_OHTTP_FAIL_BODY_LONG] = { .status = 413 },
    [PP_OHTTP_FAIL_OPEN] = { .status = 422,
                             .type = PP_OHTTP_PROBLEM_TYPE,
                             .body = { (const uint8_t *)KEY_PROBLEM, sizeof KEY_PROBLEM - 1 } },
    [PP_OHTTP_FAIL_REPLAY] = { .status = 400, .is_sealed = 1 },
    [PP_OHTTP_FAIL_MESSAGE] = { .status = 400, .is_sealed = 1 },
    [PP_OHTTP_FAIL_EXPECTATION] = { .status = 417, .is_sealed = 1 },
    [PP_OHTTP_FAIL_TARGET] = { .status = 403, .is_sealed = 1 },
    [PP_OHTTP_FAIL_TARGET_DOWN] = { .status = 502, .is_sealed = 1 },
    [PP_OHTTP_FAIL_TARGET_TIMEOUT] = { .status = 504, .is_sealed = 1 },
    [PP_OHTTP_FAIL_GATEWAY_DOWN] = { .status = 502 },
    [PP_OHTTP_FAIL_GATEWAY_TIMEOUT] = { .status = 504 },
};

struct pp_ohttp_answer pp_ohttp_answer_to(enum pp_ohttp_failure f)
{
    PP_ASSERT((unsigned)f < PP_OHTTP_FAIL_COUNT);
    return ANSWERS[f];
}

enum pp_ohttp_failure pp_ohttp_failure_of(pp_res r)
{
    switch (r.code) {
    case PP_E_TRUNCATED:
    case PP_E_RANGE:
        return PP_OHTTP_FAIL_BODY;
    case PP_E_LIMIT:
        return PP_OHTTP_FAIL_BODY_LONG;
    default:
        return PP_OHTTP_FAIL_OPEN;
    }
}
