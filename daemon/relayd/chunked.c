/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked messages: streams both ways (draft-ietf-ohai-chunked-ohttp). */
#include "forward_int.h"

#define CHUNKED_REQUEST  "message/ohttp-chunked-req"
#define CHUNKED_RESPONSE "message/ohttp-chunked-res"

/* In the request's own arena. */
struct stream {
    struct relay_forward *relay;
    struct pp_http_request *q;
    struct pp_http_pending *pending; /* NULL: not on its way yet */
    uint32_t is_begun;               /* the answer's head is out: from here on failure is a cut */
    uint32_t status;                 /* of a refusal */
    uint32_t is_problem;
    size_t got; /* bytes of the response */
    uint8_t problem[RELAY_PROBLEM_BYTES_MAX];
};

/* RFC 9458 and the draft: a client must see the difference between an end and an accident. */
static void fail(struct stream *s, uint32_t code)
{
    if (!s->is_begun) {
        relay_answer_failure(s->relay, s->q, code);
        return;
    }
    (*(code == PP_E_TIMEOUT ? &s->relay->totals.late : &s->relay->totals.unreachable))++;
    pp_http_reply_abort(s->q);
}

/* --- to the gateway ------------------------------------------------------------------------- */

static long on_pull(void *ctx, uint8_t *at, size_t cap)
{
    struct stream *s = (struct stream *)ctx;
    struct pp_span piece = pp_http_request_piece(s->q);
    size_t len = piece.len < cap ? piece.len : cap;

    if (len == 0)
        return pp_http_request_is_whole(s->q) ? PP_HTTP_PULL_END : PP_HTTP_PULL_LATER;
    memcpy(at, piece.at, len);
    pp_http_request_take(s->q, len);
    return (long)len;
}

/* --- from the gateway ----------------------------------------------------------------------- */

static int on_head(void *ctx, const struct pp_http_response *response)
{
    static const struct pp_http_field FIELDS[] = {
        { { (const uint8_t *)"cache-control", 13 }, { (const uint8_t *)"no-store", 8 } },
        { { (const uint8_t *)"incremental", 11 }, { (const uint8_t *)"?1", 2 } },
    };
    const struct pp_http_reply reply = { .status = 200,
                                         .type = CHUNKED_RESPONSE,
                                         .fields = FIELDS,
                                         .field_count = PP_ARRAY_COUNT(FIELDS) };
    struct stream *s = (struct stream *)ctx;

    if (relay_is_refusal(response->status)) {
        s->status = response->status;
        s->is_problem = (uint32_t)relay_is_problem(response->type);
        return 1;
    }
    if (response->status != 200 || !pp_span_eq(response->type, PP_STR(CHUNKED_RESPONSE)))
        return -1;
    s->is_begun = 1;
    pp_http_reply_begin(s->q, &reply);
    return 1;
}

static int on_problem(struct stream *s, struct pp_span bytes)
{
    if (!s->is_problem)
        return 1;
    if (bytes.len > sizeof s->problem - s->got)
        return -1;
    memcpy(s->problem + s->got, bytes.at, bytes.len);
    s->got += bytes.len;
    return 1;
}

static int on_response(void *ctx, struct pp_span bytes)
{
    struct stream *s = (struct stream *)ctx;

    if (!s->is_begun)
        return on_problem(s, bytes);
    if (bytes.len > RELAY_STREAM_BYTES_MAX - s->got)
        return -1;
    pp_res r = pp_http_reply_piece(s->q, bytes);
    if (r.code == PP_E_BUSY)
        return 0;
    s->got += bytes.len;
    return pp_is_ok(r) ? 1 : -1;
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct stream *s = (struct stream *)ctx;

    (void)response;
    if (!pp_is_ok(r)) {
        fail(s, r.code);
        return;
    }
    if (!s->is_begun) {
        relay_answer_refusal(s->relay, s->q, s->status, (int)s->is_problem,
                             pp_span(s->problem, s->got));
        return;
    }
    s->relay->totals.answered++;
    pp_http_reply_end(s->q);
}

/* --- the client's side ---------------------------------------------------------------------- */

static void on_room(void *ctx)
{
    struct stream *s = (struct stream *)ctx;

    pp_http_client_resume(s->pending);
}

static void on_gone(void *ctx)
{
    struct stream *s = (struct stream *)ctx;

    if (s->pending != NULL)
        pp_http_client_cancel(s->pending); /* the gateway sees a cut too */
    fail(s, PP_E_TIMEOUT);
}

static void start(struct stream *s)
{
    static const struct pp_http_field FIELDS[] = {
        { { (const uint8_t *)"content-type", 12 },
          { (const uint8_t *)CHUNKED_REQUEST, sizeof CHUNKED_REQUEST - 1 } },
        { { (const uint8_t *)"incremental", 11 }, { (const uint8_t *)"?1", 2 } },
    };
    const struct relay_forward *relay = s->relay;
    const struct pp_http_call call = { .method = "POST",
                                       .url = relay->url,
                                       .unix_path = relay->unix_path,
                                       .fields = FIELDS,
                                       .field_count = PP_ARRAY_COUNT(FIELDS),
                                       .deadline_ms = relay->deadline_ms,
                                       .pull = on_pull,
                                       .head = on_head,
                                       .piece = on_response,
                                       .ctx = s };
    pp_res r = pp_http_client_start(relay->streams, &call, on_done, s, &s->pending);

    if (pp_is_ok(r))
        return;
    s->relay->totals.unreachable++;
    pp_http_reply_status(s->q, r.code == PP_E_BUSY ? 503 : 502);
}

static void on_piece(void *ctx)
{
    struct stream *s = (struct stream *)ctx;

    if (s->pending != NULL) {
        pp_http_client_resume(s->pending);
        return;
    }
    if (pp_http_request_piece(s->q).len >= RELAY_REQUEST_BYTES_MIN) {
        start(s);
        return;
    }
    if (pp_http_request_is_whole(s->q)) {
        s->relay->totals.refused++;
        pp_http_reply_status(s->q, 400);
    }
}

void relay_chunked_post(struct relay_forward *relay, struct pp_http_request *q)
{
    struct stream *s = (struct stream *)pp_arena_alloc(pp_http_request_arena(q), sizeof *s);

    PP_ASSERT(s != NULL); /* the first thing in an arena of RELAY_SCRATCH_BYTES */
    *s = (struct stream){ .relay = relay, .q = q };
    pp_http_request_on_gone(q, on_gone, s);
    pp_http_reply_on_room(q, on_room, s);
    pp_http_request_on_piece(q, on_piece, s);
    on_piece(s);
}
