/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdlib.h>

#include "failure.h"
#include "sizes.h"

enum state {
    FREE = 0,
    ASKING,     /* the opener was asked for the request's key material */
    REDEEMING,  /* #1: the spent-token store was asked */
    OPENING,    /* #1: a CVM was asked for a session */
    CONTINUING, /* #2: the session's CVM works */
    READY,      /* the answer waits for its tick */
};

struct job {
    struct gw_service *service;
    struct job *next_free;
    struct pp_timer *timer; /* the deadline, then the tick */
    enum state state;
    struct pp_http_request *http;
    uint64_t from_ms;
    struct gw_exchange exchange;
    struct gw_request request; /* borrows from the body */
    struct gw_ask material;
    struct gw_redemption redemption;
    struct gw_call call;
    size_t cvm;
    uint64_t tried; /* a bit per CVM */
    size_t try_count;
    uint8_t sid[PP_SID_BYTES];
    uint8_t *content; /* of the answer, in the request's arena: room for a whole bucket */
    size_t content_len;
    uint32_t content_overflow;
    uint32_t status; /* of the inner answer */
    struct pp_span sealed;
    uint64_t due_ms; /* READY: its tick */
};

struct gw_service {
    struct gw_service_config config;
    struct gw_totals totals;
    struct job *jobs;
    struct job *first_free;
    uint8_t *material; /* of every job, locked */
    uint8_t key_list[GW_KEY_LIST_BYTES_MAX];
    size_t key_list_len; /* 0: nothing is served */
};

_Static_assert(GW_CVMS_MAX <= 64, "a bit of `tried` for each");

/* --- answering ------------------------------------------------------------------------------ */

static void free_job(struct job *job)
{
    struct gw_service *s = job->service;

    pp_timer_cancel(job->timer);
    gw_exchange_done(&job->exchange);
    *job = (struct job){ .service = s,
                         .timer = job->timer,
                         .exchange = { .material = job->exchange.material },
                         .next_free = s->first_free };
    s->first_free = job;
}

/* Answers that were never sealed: they depend on nothing secret and leave at once. */
static void reply_clear(struct pp_http_request *q, enum pp_ohttp_failure f)
{
    const struct pp_ohttp_answer a = pp_ohttp_answer_to(f);
    const struct pp_http_reply reply = {
        .status = a.status, .type = a.type, .body = a.body, .body_stays = 1
    };

    PP_ASSERT(!a.is_sealed);
    pp_http_reply(q, &reply);
}

/* The one answer to who comes when there is no room: nothing was opened. */
static void shed(struct gw_service *s, struct pp_http_request *q)
{
    s->totals.shed++;
    pp_http_reply_status(q, 503);
}

static void send_answer(struct job *job)
{
    static const struct pp_http_field NO_STORE = { { (const uint8_t *)"cache-control", 13 },
                                                   { (const uint8_t *)"no-store", 8 } };
    const struct pp_http_reply reply = { .status = 200,
                                         .type = PP_OHTTP_RESPONSE_TYPE,
                                         .fields = &NO_STORE,
                                         .field_count = 1,
                                         .body = job->sealed,
                                         .body_stays = 1 };

    pp_http_reply(job->http, &reply);
    free_job(job);
}

static void count(struct gw_totals *t, const struct job *job)
{
    uint64_t *const which = job->exchange.is_replay ? &t->replayed
                            : job->status == 200 && job->request.kind == GW_SESSION_OPEN
                                ? &t->sessions
                            : job->status == 200 ? &t->continued
                            : job->status == 401 ? &t->token_refused
                            : job->status == 410 ? &t->gone
                            : job->status >= 500 ? &t->no_cvm
                                                 : &t->malformed;
    (*which)++;
}

static pp_res seal_answer(struct job *job, const struct gw_answer *a)
{
    struct gw_service *s = job->service;
    struct pp_arena *arena = pp_http_request_arena(job->http);
    size_t bucket = job->request.bucket_bytes;
    size_t room = gw_decap_room(&job->exchange, bucket);
    uint8_t *message = pp_arena_alloc(arena, room), *sealed = pp_arena_alloc(arena, bucket);

    PP_CHECK(message != NULL && sealed != NULL, PP_E_NO_MEMORY, bucket);
    struct pp_wr wr = pp_wr_over(message, room);
    if (!pp_is_ok(gw_answer_write(a, room, &wr))) { /* the CVM said more than the bucket holds */
        const struct gw_answer too_large = { .status = 502 };
        job->status = too_large.status;
        wr = pp_wr_over(message, room);
        PP_TRY(gw_answer_write(&too_large, room, &wr));
    }
    struct pp_wr out = pp_wr_over(sealed, bucket);
    PP_TRY(gw_decap_seal(s->config.decap, &job->exchange, pp_wr_done(&wr), &out));
    PP_ASSERT(out.len == bucket);
    job->sealed = pp_wr_done(&out);
    return PP_OK;
}

/* The one way out behind opening: seals the answer and sends it on its tick. */
static void finish(struct job *job, const struct gw_answer *a)
{
    struct gw_service *s = job->service;

    job->state = READY;
    job->status = a->status;
    if (!pp_is_ok(seal_answer(job, a))) { /* no random bytes: nothing may be sealed */
        pp_http_reply_status(job->http, 500);
        free_job(job);
        return;
    }
    count(&s->totals, job);
    uint64_t now_ms = pp_clock_mono_ms(&s->config.clock);
    uint32_t wait = pp_grid_wait(job->from_ms, now_ms, s->config.grid_ms);
    job->due_ms = now_ms + wait;
    if (wait == 0)
        send_answer(job);
    else
        pp_timer_set(job->timer, wait);
}

/* The loop's timers count from the beginning of its turn and may be early by what the turn took,
 * which an answer's moment must not show. */
static void on_tick(struct job *job)
{
    uint64_t now_ms = pp_clock_mono_ms(&job->service->config.clock);

    if (now_ms < job->due_ms)
        pp_timer_set(job->timer, (uint32_t)(job->due_ms - now_ms));
    else
        send_answer(job);
}

static void finish_status(struct job *job, uint32_t status)
{
    const struct gw_answer a = { .status = status };

    finish(job, &a);
}

/* --- #1 ------------------------------------------------------------------------------------- */

/* Asks CVMs, chosen uniformly, until one takes the call (pp-wire 12, "CVM busy"). */
static void open_somewhere(struct job *job)
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
    finish_status(job, 503);
}

static void opened(struct job *job)
{
    struct gw_service *s = job->service;
    char text[PP_HANDLE_TEXT_BYTES];
    struct pp_handle h = { .address = gw_cvms_address(s->config.cvms, job->cvm) };
    struct gw_answer a = { .status = 200,
                           .handle = pp_span(text, sizeof text),
                           .content = pp_span(job->content, job->content_len) };

    h.expiry_posix_s = pp_clock_posix_s(&s->config.clock) + GW_SESSION_SECONDS;
    memcpy(h.sid, job->sid, sizeof h.sid);
    if (job->content_overflow ||
        !pp_is_ok(pp_handle_seal(s->config.handle_keys, &s->config.random, &h, text))) {
        gw_cvms_close_session(s->config.cvms, job->cvm, job->sid);
        finish_status(job, 503);
        return;
    }
    finish(job, &a);
}

/* The store's answer: only a token that was new opens a session. */
static void redeemed(void *ctx, pp_res r)
{
    struct job *job = (struct job *)ctx;

    if (r.code == PP_E_SPENT || r.code == PP_E_TOKEN_REFUSED) {
        finish_status(job, 401);
    } else if (!pp_is_ok(r)) {
        finish_status(job, 503); /* nobody can tell whether it was spent */
    } else {
        gw_decap_remember(job->service->config.decap, &job->exchange);
        job->state = OPENING;
        open_somewhere(job);
    }
}

static void start_open(struct job *job)
{
    struct gw_service *s = job->service;
    pp_res r = gw_tokens_redeem(s->config.redeemer, job->request.authorization, redeemed, job,
                                &job->redemption);

    if (!pp_is_ok(r)) {
        finish_status(job, r.code == PP_E_BUSY ? 503 : 401);
        return;
    }
    job->state = REDEEMING;
    pp_timer_set(job->timer, s->config.open_ms);
}

/* Nobody waits for what was asked for any more. */
static void cancel(struct job *job)
{
    gw_link_cancel(&job->material);
    gw_tokens_cancel(&job->redemption);
    gw_call_cancel(&job->call);
}

/* --- #2 ------------------------------------------------------------------------------------- */

static void start_continue(struct job *job)
{
    struct gw_service *s = job->service;
    struct pp_handle h;

    /* Wrong, expired, or of a CVM that this gateway does not know: one answer. */
    if (!pp_is_ok(pp_handle_open(s->config.handle_keys, job->request.handle,
                                 pp_clock_posix_s(&s->config.clock), &h)) ||
        !pp_is_ok(gw_cvms_find(s->config.cvms, &h.address, &job->cvm))) {
        finish_status(job, 410);
        return;
    }
    gw_decap_remember(s->config.decap, &job->exchange);
    job->state = CONTINUING;
    pp_timer_set(job->timer, s->config.continue_ms);
    if (!pp_is_ok(gw_call_start(s->config.cvms, job->cvm, h.sid, job->request.content, &job->call)))
        finish_status(job, 502);
}

static void continued(struct job *job, enum gw_call_end how)
{
    const struct gw_answer a = { .status = 200,
                                 .content = pp_span(job->content, job->content_len) };

    if (how == GW_CALL_DONE && !job->content_overflow)
        finish(job, &a);
    else
        finish_status(job, how == GW_CALL_GONE ? 410 : 502);
}

/* --- what happens to a job ------------------------------------------------------------------ */

static void on_bytes(void *ctx, const uint8_t sid[PP_SID_BYTES], struct pp_span bytes)
{
    struct job *job = (struct job *)ctx;
    struct pp_wr wr = pp_wr_over(job->content + job->content_len,
                                 job->request.bucket_bytes - job->content_len);

    memcpy(job->sid, sid, sizeof job->sid);
    pp_wr_span(&wr, bytes);
    job->content_len += wr.len;
    job->content_overflow |= wr.failed != PP_E_OK;
}

static void on_ended(void *ctx, enum gw_call_end how)
{
    struct job *job = (struct job *)ctx;

    if (job->state == CONTINUING)
        continued(job, how);
    else if (how == GW_CALL_DONE)
        opened(job);
    else
        open_somewhere(job);
}

static void on_timer(void *ctx)
{
    struct job *job = (struct job *)ctx;
    enum state state = job->state;

    if (state == READY) {
        on_tick(job);
        return;
    }
    cancel(job);
    if (state == ASKING) { /* nothing was opened, so nothing can be sealed */
        struct pp_http_request *q = job->http;
        struct gw_service *s = job->service;
        free_job(job);
        shed(s, q);
        return;
    }
    finish_status(job, state == CONTINUING ? 504 : 503);
}

/* The relay left, or the server's own deadline passed. */
static void on_gone(void *ctx)
{
    struct job *job = (struct job *)ctx;
    struct pp_http_request *q = job->http;

    cancel(job);
    if (job->state == READY && job->request.kind == GW_SESSION_OPEN && job->status == 200)
        gw_cvms_close_session(job->service->config.cvms, job->cvm, job->sid);
    free_job(job);
    pp_http_reply_status(q, 504);
}

/* What goes on needs room for what the CVM will say, and no more than its bucket: memory is zeroed
 * before and wiped behind, byte by byte. */
static int goes_on(struct job *job)
{
    if (job->request.kind == GW_REFUSED)
        return 0;
    job->content = pp_arena_alloc(pp_http_request_arena(job->http), job->request.bucket_bytes);
    return job->content != NULL;
}

static void start(struct job *job, struct pp_span message, size_t body_len)
{
    const struct gw_service *s = job->service;

    job->request = gw_route(message, body_len, s->config.authority);
    if (job->exchange.is_replay)
        finish_status(job, pp_ohttp_answer_to(PP_OHTTP_FAIL_REPLAY).status);
    else if (!goes_on(job))
        finish_status(job, job->request.kind == GW_REFUSED ? job->request.status : 503);
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

/*
 * W4 T3: what a relay may say about a request is nothing. Host, type and length are those of the
 * message; the other two belong to the connection between relay and gateway. A query, even an empty
 * one, is room for a mark as any field is.
 */
static int says_nothing_more(const struct pp_http_request *q)
{
    static const struct pp_span PERMITTED[] = {
        { (const uint8_t *)"host", 4 },
        { (const uint8_t *)"content-type", 12 },
        { (const uint8_t *)"content-length", 14 },
        { (const uint8_t *)"transfer-encoding", 17 },
        { (const uint8_t *)"connection", 10 },
    };

    for (size_t i = 0; i < pp_http_request_field_count(q); i++) {
        struct pp_span name = pp_http_request_field(q, i).name;
        size_t k = 0;
        while (k < PP_ARRAY_COUNT(PERMITTED) && !pp_span_eq(name, PERMITTED[k]))
            k++;
        if (k == PP_ARRAY_COUNT(PERMITTED))
            return 0;
    }
    return pp_http_request_query(q).at == NULL && is_plain_connection(q);
}

/* The one spelling, and no parameter: a media type with a mark on it is another one. */
static int is_request_type(const struct pp_http_request *q)
{
    struct pp_span type;

    return pp_http_request_find(q, "content-type", &type) &&
           pp_span_eq(type, pp_span_cstr(PP_OHTTP_REQUEST_TYPE));
}

static struct job *take_job(struct gw_service *s, struct pp_http_request *q)
{
    struct job *job = s->first_free;

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
static void refuse_unopened(struct job *job)
{
    struct pp_http_request *q = job->http;

    job->service->totals.unopened++;
    free_job(job);
    reply_clear(q, PP_OHTTP_FAIL_OPEN);
}

static void on_material(void *ctx, struct pp_span material)
{
    struct job *job = (struct job *)ctx;
    struct pp_http_request *q = job->http;
    struct pp_span message, body = pp_http_request_body(q);
    pp_res r = gw_decap_open(job->service->config.decap, material, pp_http_request_body_bytes(q),
                             body.len, &job->exchange, &message);

    if (pp_is_ok(r))
        start(job, message, body.len);
    else
        refuse_unopened(job);
}

static void ask_opener(struct job *job)
{
    struct gw_service *s = job->service;
    struct pp_http_request *q = job->http;

    job->material = (struct gw_ask){ .answered = on_material, .ctx = job };
    pp_res r = gw_decap_ask(s->config.decap, pp_http_request_body(q), &job->exchange,
                            &job->material);

    if (pp_is_ok(r)) {
        job->state = ASKING;
        pp_http_request_on_gone(q, on_gone, job);
        pp_timer_set(job->timer, s->config.open_ms);
        return;
    }
    free_job(job);
    if (r.code == PP_E_BUSY) {
        shed(s, q);
        return;
    }
    s->totals.malformed++;
    reply_clear(q, pp_ohttp_failure_of(r));
}

void gw_service_post(void *ctx, struct pp_http_request *q)
{
    struct gw_service *s = (struct gw_service *)ctx;

    if (!is_request_type(q)) {
        reply_clear(q, PP_OHTTP_FAIL_TYPE);
        return;
    }
    if (!says_nothing_more(q)) {
        s->totals.malformed++;
        reply_clear(q, PP_OHTTP_FAIL_BODY);
        return;
    }
    struct job *job = take_job(s, q);
    if (job == NULL)
        shed(s, q);
    else
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
        struct job *job = &s->jobs[i];
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
