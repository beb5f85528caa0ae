/* SPDX-License-Identifier: Apache-2.0 */
#include "forward.h"

#include "forward_int.h"
#include "text.h"

/* One request on its way; in the request's own arena. */
struct job {
    struct relay_forward *relay;
    struct pp_http_request *q;
    struct pp_http_pending *pending; /* NULL: not on its way yet */
    struct relay_held held;
    uint8_t *body;
    size_t body_len, body_cap;
};

/* --- answers -------------------------------------------------------------------------------- */

static void refuse(struct relay_forward *relay, struct pp_http_request *q, uint32_t status)
{
    relay->totals.refused++;
    pp_http_reply_status(q, status);
}

int relay_is_refusal(uint32_t status)
{
    static const uint32_t PASSED_ON[] = { 400, 405, 413, 415, 422, 503 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(PASSED_ON); i++)
        if (status == PASSED_ON[i])
            return 1;
    return 0;
}

int relay_is_problem(struct pp_span type)
{
    return pp_span_eq(type, PP_STR("application/problem+json"));
}

void relay_answer_refusal(struct relay_forward *relay, struct pp_http_request *q, uint32_t status,
                          int is_problem, struct pp_span body)
{
    struct pp_http_reply reply = { .status = status };

    if (is_problem) {
        reply.type = "application/problem+json";
        reply.body = body;
    }
    relay->totals.refused++;
    pp_http_reply(q, &reply);
}

void relay_answer_failure(struct relay_forward *relay, struct pp_http_request *q, uint32_t code)
{
    int is_late = code == PP_E_TIMEOUT;

    (*(is_late ? &relay->totals.late : &relay->totals.unreachable))++;
    pp_http_reply_status(q, is_late ? 504 : 502);
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

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct job *job = (struct job *)ctx;

    if (!pp_is_ok(r))
        relay_answer_failure(job->relay, job->q, r.code);
    else if (response->status == 200 && pp_span_eq(response->type, PP_STR("message/ohttp-res")))
        answer(job, response->body);
    else if (relay_is_refusal(response->status))
        relay_answer_refusal(job->relay, job->q, response->status, relay_is_problem(response->type),
                             response->body);
    else
        relay_answer_failure(job->relay, job->q, PP_E_FORMAT);
}

/* --- on its way ----------------------------------------------------------------------------- */

static void send_on(struct job *job)
{
    static const struct pp_http_field TYPE = { { (const uint8_t *)"content-type", 12 },
                                               { (const uint8_t *)"message/ohttp-req", 17 } };
    struct relay_forward *relay = job->relay;
    const struct pp_http_call call = { .method = "POST",
                                       .url = relay->url,
                                       .unix_path = relay->unix_path,
                                       .fields = &TYPE,
                                       .field_count = 1,
                                       .body = pp_span(job->body, job->body_len),
                                       .deadline_ms = relay->deadline_ms };
    pp_res r = pp_http_client_start(relay->client, &call, on_done, job, &job->pending);

    if (pp_is_ok(r))
        return;
    relay->totals.unreachable++;
    pp_http_reply_status(job->q, r.code == PP_E_BUSY ? 503 : 502);
}

static void on_leave(void *ctx, int may_go)
{
    struct job *job = (struct job *)ctx;

    if (may_go)
        send_on(job);
    else
        refuse(job->relay, job->q, 503);
}

static void on_whole(struct job *job)
{
    if (job->body_len < RELAY_REQUEST_BYTES_MIN) {
        refuse(job->relay, job->q, 400);
        return;
    }
    if (job->relay->hold == NULL) {
        send_on(job);
        return;
    }
    job->held = (struct relay_held){ .leave = on_leave, .ctx = job };
    relay_hold_add(job->relay->hold, &job->held);
}

static void on_gone(void *ctx)
{
    struct job *job = (struct job *)ctx;

    if (job->relay->hold != NULL)
        relay_hold_remove(job->relay->hold, &job->held);
    if (job->pending != NULL)
        pp_http_client_cancel(job->pending);
    job->relay->totals.late++;
    pp_http_reply_status(job->q, 504);
}

/* --- the body ------------------------------------------------------------------------------- */

static void on_piece(void *ctx)
{
    struct job *job = (struct job *)ctx;
    struct pp_span piece = pp_http_request_piece(job->q);

    if (piece.len > job->body_cap - job->body_len) { /* HTTP checks both limits before */
        refuse(job->relay, job->q, 413);
        return;
    }
    memcpy(job->body + job->body_len, piece.at, piece.len);
    job->body_len += piece.len;
    pp_http_request_take(job->q, piece.len);
    if (pp_http_request_is_whole(job->q))
        on_whole(job);
}

/* As much as was announced: what is not allocated need not be wiped. */
static size_t room_for(const struct pp_http_request *q)
{
    struct pp_span text;
    uint64_t len = RELAY_REQUEST_BYTES_MAX;

    if (!pp_http_request_find(q, "content-length", &text) ||
        !pp_is_ok(pp_decimal_parse(text, RELAY_REQUEST_BYTES_MAX, &len)))
        return RELAY_REQUEST_BYTES_MAX;
    return (size_t)len;
}

void relay_forward_post(void *ctx, struct pp_http_request *q)
{
    struct relay_forward *relay = (struct relay_forward *)ctx;
    struct pp_arena *arena = pp_http_request_arena(q);

    if (pp_http_request_type_is(q, "message/ohttp-chunked-req")) {
        relay_chunked_post(relay, q);
        return;
    }
    if (!pp_http_request_type_is(q, "message/ohttp-req")) {
        refuse(relay, q, 415);
        return;
    }
    struct job *job = (struct job *)pp_arena_alloc(arena, sizeof *job);
    PP_ASSERT(job != NULL); /* the first things in an arena of RELAY_SCRATCH_BYTES */
    *job = (struct job){ .relay = relay, .q = q, .body_cap = room_for(q) };
    job->body = (uint8_t *)pp_arena_alloc(arena, job->body_cap);
    PP_ASSERT(job->body != NULL);
    pp_http_request_on_gone(q, on_gone, job);
    pp_http_request_on_piece(q, on_piece, job);
    on_piece(job);
}
