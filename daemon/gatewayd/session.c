/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdlib.h>

#include "session_int.h"
#include "sizes.h"

_Static_assert(GW_CVMS_MAX <= 64, "a bit of `tried` for each");

static void finish(struct gw_job *job, uint32_t status)
{
    gw_job_finish(job, status, 0);
}

/* --- #1 ------------------------------------------------------------------------------------- */

/* Asks CVMs, chosen uniformly, until one takes the call (pp-wire 12, "CVM busy"). */
static void open_somewhere(struct gw_job *job)
{
    struct gw_service *s = job->service;

    while (job->try_count < GW_CVM_TRIES_MAX &&
           pp_clock_mono_ms(&s->config.clock) - job->from_ms < s->config.try_ms) {
        if (!pp_is_ok(gw_choose(s->config.choice, s->config.cvms, job->tried, &job->cvm)))
            break;
        job->tried |= UINT64_C(1) << job->cvm;
        job->try_count++;
        job->content_len = 0; /* of one that broke off */
        job->content_overflow = 0;
        if (pp_is_ok(
                gw_call_start(s->config.cvms, job->cvm, NULL, job->request.content, &job->call)))
            return;
    }
    finish(job, 503);
}

static void opened(struct gw_job *job)
{
    struct gw_service *s = job->service;
    struct pp_handle h = { .address = gw_cvms_address(s->config.cvms, job->cvm) };

    h.expiry_posix_s = pp_clock_posix_s(&s->config.clock) + GW_SESSION_SECONDS;
    memcpy(h.sid, job->sid, sizeof h.sid);
    if (job->content_overflow ||
        !pp_is_ok(pp_handle_seal(s->config.handle_keys, &s->config.random, &h, job->handle))) {
        gw_cvms_close_session(s->config.cvms, job->cvm, job->sid);
        finish(job, 503);
        return;
    }
    gw_job_finish(job, 200, 1);
}

/* The store's answer: only a token that was new opens a session. */
static void redeemed(void *ctx, pp_res r)
{
    struct gw_job *job = (struct gw_job *)ctx;

    if (r.code == PP_E_SPENT || r.code == PP_E_TOKEN_REFUSED) {
        finish(job, 401);
    } else if (!pp_is_ok(r)) {
        finish(job, 503); /* nobody can tell whether it was spent */
    } else {
        gw_decap_remember(job->service->config.decap, &job->exchange);
        job->state = GW_OPENING;
        open_somewhere(job);
    }
}

static void start_open(struct gw_job *job)
{
    struct gw_service *s = job->service;
    pp_res r = gw_tokens_redeem(s->config.redeemer, job->request.authorization, redeemed, job,
                                &job->redemption);

    if (!pp_is_ok(r)) {
        finish(job, r.code == PP_E_BUSY ? 503 : 401);
        return;
    }
    job->state = GW_REDEEMING;
    pp_timer_set(job->timer, s->config.open_ms);
}

/* Nobody waits for what was asked for any more. */
static void cancel(struct gw_job *job)
{
    gw_link_cancel(&job->material);
    gw_tokens_cancel(&job->redemption);
    gw_call_cancel(&job->call);
}

/* --- #2 ------------------------------------------------------------------------------------- */

static void start_continue(struct gw_job *job)
{
    struct gw_service *s = job->service;
    struct pp_handle h;

    /* Wrong, expired, or of a CVM that this gateway does not know: one answer. */
    if (!pp_is_ok(pp_handle_open(s->config.handle_keys, job->request.handle,
                                 pp_clock_posix_s(&s->config.clock), &h)) ||
        !pp_is_ok(gw_cvms_find(s->config.cvms, &h.address, &job->cvm))) {
        finish(job, 410);
        return;
    }
    gw_decap_remember(s->config.decap, &job->exchange);
    job->state = GW_CONTINUING;
    job->status = 200; /* of a head that leaves before the end is known */
    job->deadline_ms = pp_clock_mono_ms(&s->config.clock) + s->config.continue_ms;
    pp_timer_set(job->timer, s->config.continue_ms);
    if (!pp_is_ok(gw_call_start(s->config.cvms, job->cvm, h.sid, job->request.content, &job->call)))
        finish(job, 502);
}

static void continued(struct gw_job *job, enum gw_call_end how)
{
    if (how == GW_CALL_DONE && !job->content_overflow)
        finish(job, 200);
    else
        finish(job, how == GW_CALL_GONE ? 410 : 502);
}

/* --- what happens to a job ------------------------------------------------------------------ */

static void on_bytes(void *ctx, const uint8_t sid[PP_SID_BYTES], struct pp_span bytes)
{
    struct gw_job *job = (struct gw_job *)ctx;
    struct pp_wr wr = pp_wr_over(job->content + job->content_len,
                                 job->content_room - job->content_len);

    memcpy(job->sid, sid, sizeof job->sid);
    pp_wr_span(&wr, bytes);
    job->content_len += wr.len;
    job->content_overflow |= wr.failed != PP_E_OK;
    if (job->state == GW_CONTINUING && job->chunks != NULL)
        pp_timer_set(job->timer, 0); /* no call may end inside this one */
}

static void on_ended(void *ctx, enum gw_call_end how)
{
    struct gw_job *job = (struct gw_job *)ctx;

    if (job->state == GW_CONTINUING)
        continued(job, how);
    else if (how == GW_CALL_DONE)
        opened(job);
    else
        open_somewhere(job);
}

static void on_timer(void *ctx)
{
    struct gw_job *job = (struct gw_job *)ctx;
    enum gw_state state = job->state;
    int is_streaming = state == GW_CONTINUING && job->chunks != NULL &&
                       pp_clock_mono_ms(&job->service->config.clock) < job->deadline_ms;

    if (state == GW_READY || is_streaming) {
        gw_job_go_on(job);
        return;
    }
    cancel(job);
    if (state == GW_ASKING) { /* nothing was opened, so nothing can be sealed */
        struct pp_http_request *q = job->http;
        struct gw_service *s = job->service;
        gw_job_free(job);
        gw_shed(s, q);
        return;
    }
    finish(job, state == GW_CONTINUING ? 504 : 503);
}

/* The relay left, or the server's own deadline passed. */
static void on_gone(void *ctx)
{
    struct gw_job *job = (struct gw_job *)ctx;
    struct pp_http_request *q = job->http;

    cancel(job);
    if (job->state == GW_READY && job->request.kind == GW_SESSION_OPEN && job->status == 200)
        gw_cvms_close_session(job->service->config.cvms, job->cvm, job->sid);
    uint32_t is_begun = job->is_begun;
    job->service->totals.cut += is_begun;
    gw_job_free(job);
    if (is_begun)
        pp_http_reply_abort(q);
    else
        pp_http_reply_status(q, 504);
}

static void start(struct gw_job *job, struct pp_span message, size_t body_len)
{
    const struct gw_service *s = job->service;

    job->request = gw_route(message, body_len, job->exchange.form == PP_OHTTP_CHUNKED,
                            s->config.authority);
    if (!pp_is_ok(gw_job_reserve(job)))
        gw_job_break_off(job);
    else if (job->exchange.is_replay)
        finish(job, pp_ohttp_answer_to(PP_OHTTP_FAIL_REPLAY).status);
    else if (job->request.kind == GW_REFUSED)
        finish(job, job->request.status);
    else if (job->request.kind == GW_SESSION_OPEN)
        start_open(job);
    else
        start_continue(job);
}

/* --- the handlers --------------------------------------------------------------------------- */

/* Between relay and gateway there is nothing to agree on but whether the connection is kept. */
static int is_plain_connection(const struct pp_http_request *q)
{
    static const char *const OPTIONS[] = { "close", "keep-alive", "Keep-Alive" }; /* as spelt */
    struct pp_span option;

    if (!pp_http_request_find(q, "connection", &option))
        return 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(OPTIONS); i++)
        if (pp_span_eq(option, pp_span_cstr(OPTIONS[i])))
            return 1;
    return 0;
}

/* The draft has it on chunked messages, in one spelling; a relay need not send it. */
static int is_incremental(struct pp_http_field f, enum pp_ohttp_form form)
{
    return form == PP_OHTTP_CHUNKED && pp_span_eq(f.name, PP_STR(PP_OHTTP_INCREMENTAL_FIELD)) &&
           pp_span_eq(f.value, PP_STR(PP_OHTTP_INCREMENTAL_VALUE));
}

/*
 * W4 T3: what a relay may say about a request is nothing. Host, type and length are those of the
 * message; the other two belong to the connection between relay and gateway. A query, even an empty
 * one, is room for a mark as any field is.
 */
static int says_nothing_more(const struct pp_http_request *q, enum pp_ohttp_form form)
{
    static const struct pp_span PERMITTED[] = {
        { (const uint8_t *)"host", 4 },
        { (const uint8_t *)"content-type", 12 },
        { (const uint8_t *)"content-length", 14 },
        { (const uint8_t *)"transfer-encoding", 17 },
        { (const uint8_t *)"connection", 10 },
    };

    size_t incremental_count = 0;
    for (size_t i = 0; i < pp_http_request_field_count(q); i++) {
        struct pp_http_field f = pp_http_request_field(q, i);
        size_t k = 0;
        while (k < PP_ARRAY_COUNT(PERMITTED) && !pp_span_eq(f.name, PERMITTED[k]))
            k++;
        if (k == PP_ARRAY_COUNT(PERMITTED) && (!is_incremental(f, form) || incremental_count++ > 0))
            return 0;
    }
    return pp_http_request_query(q).at == NULL && is_plain_connection(q);
}

/* The one spelling, and no parameter: a media type with a mark on it is another one. */
static int find_form(const struct pp_http_request *q, enum pp_ohttp_form *ret)
{
    struct pp_span type;
    int found = pp_http_request_find(q, "content-type", &type);

    if (found && pp_span_eq(type, PP_STR(PP_OHTTP_REQUEST_TYPE)))
        *ret = PP_OHTTP_WHOLE;
    else if (found && pp_span_eq(type, PP_STR(PP_OHTTP_CHUNKED_REQUEST_TYPE)))
        *ret = PP_OHTTP_CHUNKED;
    else
        return 0;
    return 1;
}

static struct gw_job *take_job(struct gw_service *s, struct pp_http_request *q)
{
    struct gw_job *job = s->first_free;

    if (job == NULL)
        return NULL;
    s->first_free = job->next_free;
    job->next_free = NULL;
    job->http = q;
    job->from_ms = pp_clock_mono_ms(&s->config.clock);
    job->call = (struct gw_call){ .bytes = on_bytes, .ended = on_ended, .ctx = job };
    return job;
}

/* The one answer to every request that cannot be opened, whatever the reason. */
static void refuse_unopened(struct gw_job *job)
{
    struct pp_http_request *q = job->http;

    job->service->totals.unopened++;
    gw_job_free(job);
    gw_reply_clear(q, PP_OHTTP_FAIL_OPEN);
}

static void on_material(void *ctx, struct pp_span material)
{
    struct gw_job *job = (struct gw_job *)ctx;
    struct pp_http_request *q = job->http;
    struct pp_span message, body = pp_http_request_body(q);
    pp_res r = gw_decap_open(job->service->config.decap, material, pp_http_request_body_bytes(q),
                             body.len, &job->exchange, &message);

    if (pp_is_ok(r))
        start(job, message, body.len);
    else
        refuse_unopened(job);
}

static void ask_opener(struct gw_job *job)
{
    struct gw_service *s = job->service;
    struct pp_http_request *q = job->http;

    job->material = (struct gw_ask){ .answered = on_material, .ctx = job };
    pp_res r = gw_decap_ask(s->config.decap, pp_http_request_body(q), &job->exchange,
                            &job->material);

    if (pp_is_ok(r)) {
        job->state = GW_ASKING;
        pp_http_request_on_gone(q, on_gone, job);
        pp_timer_set(job->timer, s->config.open_ms);
        return;
    }
    gw_job_free(job);
    if (r.code == PP_E_BUSY) {
        gw_shed(s, q);
        return;
    }
    s->totals.malformed++;
    gw_reply_clear(q, pp_ohttp_failure_of(r));
}

void gw_service_post(void *ctx, struct pp_http_request *q)
{
    struct gw_service *s = (struct gw_service *)ctx;

    enum pp_ohttp_form form;

    if (!find_form(q, &form)) {
        gw_reply_clear(q, PP_OHTTP_FAIL_TYPE);
        return;
    }
    if (!says_nothing_more(q, form)) {
        s->totals.malformed++;
        gw_reply_clear(q, PP_OHTTP_FAIL_BODY);
        return;
    }
    struct gw_job *job = take_job(s, q);
    if (job == NULL) {
        gw_shed(s, q);
        return;
    }
    job->exchange.form = form;
    ask_opener(job);
}

void gw_service_keys(void *ctx, struct pp_http_request *q)
{
    const struct gw_service *s = (const struct gw_service *)ctx;
    uint8_t *list = pp_arena_alloc(pp_http_request_arena(q), GW_KEY_LIST_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(list, list == NULL ? 0 : GW_KEY_LIST_BYTES_MAX);
    struct pp_http_reply reply = { .status = 200, .type = PP_OHTTP_KEYS_TYPE, .body_stays = 1 };

    pp_wr_bytes(&wr, s->key_list, s->key_list_len); /* a copy: another may come meanwhile */
    if (!pp_is_ok(pp_wr_ok(&wr)) || wr.len == 0) {
        pp_http_reply_status(q, 503);
        return;
    }
    reply.body = pp_wr_done(&wr);
    pp_http_reply(q, &reply);
}

void gw_service_set_keys(struct gw_service *s, struct pp_span list)
{
    struct pp_wr wr = pp_wr_over(s->key_list, sizeof s->key_list);

    pp_wr_span(&wr, list);
    s->key_list_len = pp_is_ok(pp_wr_ok(&wr)) ? wr.len : 0;
}

/* --- making and freeing --------------------------------------------------------------------- */

const struct gw_totals *gw_service_totals(const struct gw_service *s)
{
    return &s->totals;
}

void gw_service_free(struct gw_service *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->jobs != NULL && i < s->config.job_count; i++)
        pp_timer_free(s->jobs[i].timer);
    size_t bytes = s->config.job_count * GW_MATERIAL_BYTES;
    pp_locked_unmap(s->material, bytes, bytes);
    free(s->jobs);
    free(s);
}

static pp_res init_jobs(struct gw_service *s)
{
    s->jobs = calloc(s->config.job_count, sizeof *s->jobs);
    PP_CHECK(s->jobs != NULL, PP_E_NO_MEMORY, s->config.job_count);
    PP_TRY(pp_locked_map(s->config.job_count * GW_MATERIAL_BYTES, &s->material));
    for (size_t i = 0; i < s->config.job_count; i++) {
        struct gw_job *job = &s->jobs[i];
        job->service = s;
        job->exchange.material = s->material + i * GW_MATERIAL_BYTES;
        PP_TRY(pp_timer_new(s->config.loop, on_timer, job, &job->timer));
        job->next_free = s->first_free;
        s->first_free = job;
    }
    return PP_OK;
}

pp_res gw_service_new(const struct gw_service_config *c, struct gw_service **ret)
{
    PP_CHECK(c->job_count > 0 && c->job_count <= GW_JOBS_MAX, PP_E_RANGE, c->job_count);
    struct gw_service *s = calloc(1, sizeof *s);
    PP_CHECK(s != NULL, PP_E_NO_MEMORY, 0);
    s->config = *c;
    s->config.try_ms = c->try_ms != 0 ? c->try_ms : GW_TRY_MS;
    s->config.open_ms = c->open_ms != 0 ? c->open_ms : GW_OPEN_MS;
    s->config.continue_ms = c->continue_ms != 0 ? c->continue_ms : GW_CONTINUE_MS;
    pp_res r = init_jobs(s);
    if (!pp_is_ok(r)) {
        gw_service_free(s);
        return r;
    }
    *ret = s;
    return PP_OK;
}
