/* SPDX-License-Identifier: Apache-2.0 */
#include "forward.h"

/* One request on its way; in the request's own arena. */
struct job {
    struct relay_forward *relay;
    struct pp_http_request *q;
    struct pp_http_pending *pending;
};

static void answer_status(struct job *job, uint32_t status, uint64_t *count)
{
    (*count)++;
    pp_http_reply_status(job->q, status);
}

/* The encapsulated answer. What cannot leave at once is copied: `body` is the client library's. */
static void answer(struct job *job, struct pp_span body)
{
    static const struct pp_http_field NO_STORE = { { (const uint8_t *)"cache-control", 13 },
                                                   { (const uint8_t *)"no-store", 8 } };
    const struct pp_http_reply reply = { .status = 200,
                                         .type = "message/ohttp-res",
                                         .fields = &NO_STORE,
                                         .field_count = 1,
                                         .body = body };

    job->relay->totals.answered++;
    pp_http_reply(job->q, &reply);
}

/* A refusal of the gateway in clear: its status, and the problem document if it is one. */
static void answer_refusal(struct job *job, const struct pp_http_response *response)
{
    struct pp_http_reply reply = { .status = response->status };

    if (pp_span_eq(response->type, PP_STR("application/problem+json"))) {
        reply.type = "application/problem+json";
        reply.body = response->body;
    }
    job->relay->totals.refused++;
    pp_http_reply(job->q, &reply);
}

static int is_refusal(uint32_t status)
{
    static const uint32_t PASSED_ON[] = { 400, 405, 413, 415, 422, 503 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(PASSED_ON); i++)
        if (status == PASSED_ON[i])
            return 1;
    return 0;
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct job *job = (struct job *)ctx;
    struct relay_totals *totals = &job->relay->totals;

    if (!pp_is_ok(r))
        answer_status(job, r.code == PP_E_TIMEOUT ? 504 : 502,
                      r.code == PP_E_TIMEOUT ? &totals->late : &totals->unreachable);
    else if (response->status == 200 && pp_span_eq(response->type, PP_STR("message/ohttp-res")))
        answer(job, response->body);
    else if (is_refusal(response->status))
        answer_refusal(job, response);
    else
        answer_status(job, 502, &totals->unreachable);
}

static void on_gone(void *ctx)
{
    struct job *job = (struct job *)ctx;

    pp_http_client_cancel(job->pending);
    answer_status(job, 504, &job->relay->totals.late);
}

void relay_forward_post(void *ctx, struct pp_http_request *q)
{
    static const struct pp_http_field TYPE = { { (const uint8_t *)"content-type", 12 },
                                               { (const uint8_t *)"message/ohttp-req", 17 } };
    struct relay_forward *relay = (struct relay_forward *)ctx;
    struct job refused = { .relay = relay, .q = q };
    const struct pp_http_call call = { .method = "POST",
                                       .url = relay->url,
                                       .unix_path = relay->unix_path,
                                       .fields = &TYPE,
                                       .field_count = 1,
                                       .body = pp_http_request_body(q),
                                       .deadline_ms = relay->deadline_ms };

    if (!pp_http_request_type_is(q, "message/ohttp-req")) {
        answer_status(&refused, 415, &relay->totals.refused);
        return;
    }
    if (call.body.len < RELAY_REQUEST_BYTES_MIN) {
        answer_status(&refused, 400, &relay->totals.refused);
        return;
    }
    struct job *job = pp_arena_alloc(pp_http_request_arena(q), sizeof *job);
    PP_ASSERT(job != NULL); /* the first thing in an arena of RELAY_SCRATCH_BYTES */
    *job = refused;
    pp_res r = pp_http_client_start(relay->client, &call, on_done, job, &job->pending);
    if (!pp_is_ok(r)) {
        answer_status(job, r.code == PP_E_BUSY ? 503 : 502, &relay->totals.unreachable);
        return;
    }
    pp_http_request_on_gone(q, on_gone, job);
}
