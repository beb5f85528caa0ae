/* SPDX-License-Identifier: Apache-2.0 */
/* How an answer leaves: in clear, as a whole on its tick, or in chunks, each on its tick. */
#include "session_int.h"
#include "sizes.h"

void gw_job_free(struct gw_job *job)
{
    struct gw_service *s = job->service;

    pp_timer_cancel(job->timer);
    gw_chunks_done(job->chunks);
    gw_exchange_done(&job->exchange);
    *job = (struct gw_job){ .service = s,
                            .timer = job->timer,
                            .exchange = { .material = job->exchange.material },
                            .next_free = s->first_free };
    s->first_free = job;
}

/* --- in clear -------------------------------------------------------------------------------- */

void gw_reply_clear(struct pp_http_request *q, enum pp_ohttp_failure f)
{
    const struct pp_ohttp_answer a = pp_ohttp_answer_to(f);
    const struct pp_http_reply reply = {
        .status = a.status, .type = a.type, .body = a.body, .body_stays = 1
    };

    PP_ASSERT(!a.is_sealed);
    pp_http_reply(q, &reply);
}

void gw_shed(struct gw_service *s, struct pp_http_request *q)
{
    s->totals.shed++;
    pp_http_reply_status(q, 503);
}

/* What is out already is cut, so that nobody takes it for an answer. */
void gw_job_break_off(struct gw_job *job)
{
    struct pp_http_request *q = job->http;
    uint32_t is_begun = job->is_begun;

    gw_call_cancel(&job->call);
    gw_job_free(job);
    if (is_begun)
        pp_http_reply_abort(q);
    else
        pp_http_reply_status(q, 500);
}

static void count(struct gw_totals *t, const struct gw_job *job)
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
    t->chunked += job->chunks != NULL;
}

/* --- as a whole ------------------------------------------------------------------------------ */

static void send_whole(struct gw_job *job)
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
    gw_job_free(job);
}

static pp_res seal_whole(struct gw_job *job, const struct gw_answer *a)
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

static void finish_whole(struct gw_job *job, const struct gw_answer *a)
{
    struct gw_service *s = job->service;

    if (!pp_is_ok(seal_whole(job, a))) { /* no random bytes: nothing may be sealed */
        gw_job_break_off(job);
        return;
    }
    count(&s->totals, job);
    uint64_t now_ms = pp_clock_mono_ms(&s->config.clock);
    job->due_ms = now_ms + pp_grid_wait(job->from_ms, now_ms, s->config.grid_ms);
    gw_job_go_on(job);
}

static void wake_at(struct gw_job *job, uint64_t at_ms)
{
    uint64_t now_ms = pp_clock_mono_ms(&job->service->config.clock);

    pp_timer_set(job->timer, at_ms > now_ms ? (uint32_t)(at_ms - now_ms) : 0);
}

/* The loop's timers count from the beginning of its turn and may be early by what the turn took,
 * which an answer's moment must not show. 0: not yet; it is woken. */
static int is_time(struct gw_job *job, uint64_t due_ms)
{
    if (pp_clock_mono_ms(&job->service->config.clock) >= due_ms)
        return 1;
    wake_at(job, due_ms);
    return 0;
}

/* --- in chunks ------------------------------------------------------------------------------- */

static pp_res reserve_chunks(struct gw_job *job, struct gw_layout *l)
{
    *l = gw_layout_of(job->request.kind, job->request.bucket_bytes,
                      gw_decap_nonce_len(&job->exchange));
    return gw_chunks_new(pp_http_request_arena(job->http), l, &job->chunks);
}

pp_res gw_job_reserve(struct gw_job *job)
{
    struct gw_layout l;

    job->content_room = job->request.bucket_bytes;
    if (job->exchange.form == PP_OHTTP_CHUNKED) {
        PP_TRY(reserve_chunks(job, &l));
        job->content_room = gw_layout_room(job->request.kind, &l);
    }
    if (job->request.kind == GW_REFUSED)
        return PP_OK;
    job->content = pp_arena_alloc(pp_http_request_arena(job->http), job->content_room);
    PP_CHECK(job->content != NULL, PP_E_NO_MEMORY, job->content_room);
    return PP_OK;
}

static pp_res begin(struct gw_job *job)
{
    static const struct pp_http_field FIELDS[] = {
        { { (const uint8_t *)"cache-control", 13 }, { (const uint8_t *)"no-store", 8 } },
        { { (const uint8_t *)"incremental", 11 }, { (const uint8_t *)"?1", 2 } },
    };
    const struct pp_http_reply reply = { .status = 200,
                                         .type = PP_OHTTP_CHUNKED_RESPONSE_TYPE,
                                         .fields = FIELDS,
                                         .field_count = PP_ARRAY_COUNT(FIELDS) };
    struct gw_chunks *c = job->chunks;

    PP_TRY(gw_decap_start_chunks(job->service->config.decap, &job->exchange, &c->sender, c->mem,
                                 c->mem_len));
    pp_http_reply_begin(job->http, &reply);
    job->is_begun = 1;
    return PP_OK;
}

/* What is left of it to send. A refused request has none, nor room for any. */
static struct pp_span content_of(const struct gw_job *job)
{
    if (job->content_len == job->content_taken)
        return pp_span(NULL, 0);
    return pp_span(job->content + job->content_taken, job->content_len - job->content_taken);
}

static pp_res send_chunk(struct gw_job *job)
{
    struct gw_answer head = { .status = job->status };
    struct pp_span bytes;
    size_t used = 0;

    if (job->handle[0] != '\0')
        head.handle = pp_span(job->handle, sizeof job->handle);
    if (!job->is_begun)
        PP_TRY(begin(job));
    PP_TRY(gw_chunks_next(job->chunks, &head, content_of(job), &used, &bytes));
    job->content_taken += used;
    return pp_http_reply_piece(job->http, bytes); /* a bucket is less than the room of its pieces */
}

/* A chunk may leave: it is full, or nothing comes to fill it. The last one has to know the end. */
static int is_there(const struct gw_job *job)
{
    if (job->state == GW_READY)
        return 1;
    return !gw_chunks_at_last(job->chunks) && content_of(job).len >= GW_FRAME_BYTES;
}

/*
 * A stream's chunks have a tick each (pp-wire 8), also those of a refusal: what comes in fewer
 * ticks would be told apart. Other answers leave as they would as a whole.
 */
static uint64_t next_tick(const struct gw_job *job)
{
    uint32_t grid_ms = job->service->config.grid_ms;
    uint64_t now_ms = pp_clock_mono_ms(&job->service->config.clock);
    uint64_t tick_ms = now_ms + pp_grid_wait(job->from_ms, now_ms, grid_ms);

    if (!job->is_begun)
        return tick_ms;
    if (job->request.kind != GW_SESSION_CONTINUE)
        return job->last_tick_ms;
    return tick_ms > job->last_tick_ms + grid_ms ? tick_ms : job->last_tick_ms + grid_ms;
}

static void send_chunks(struct gw_job *job)
{
    while (is_there(job)) {
        if (job->due_ms == 0)
            job->due_ms = next_tick(job);
        if (!is_time(job, job->due_ms))
            return;
        int was_last = gw_chunks_at_last(job->chunks);
        if (!pp_is_ok(send_chunk(job))) {
            gw_job_break_off(job);
            return;
        }
        job->last_tick_ms = job->due_ms;
        job->due_ms = 0;
        if (was_last) {
            count(&job->service->totals, job);
            pp_http_reply_end(job->http);
            gw_job_free(job);
            return;
        }
    }
    wake_at(job, job->deadline_ms);
}

/* --- both ------------------------------------------------------------------------------------ */

void gw_job_go_on(struct gw_job *job)
{
    if (job->chunks != NULL)
        send_chunks(job);
    else if (is_time(job, job->due_ms))
        send_whole(job);
}

void gw_job_finish(struct gw_job *job, uint32_t status, int has_handle)
{
    struct gw_answer a = { .status = status };

    job->state = GW_READY;
    job->status = status;
    if (!has_handle)
        job->handle[0] = '\0';
    else
        a.handle = pp_span(job->handle, sizeof job->handle);
    if (status == 200)
        a.content = pp_span(job->content, job->content_len);
    else if (!job->is_begun) /* else what came of it goes out, and the TLS inside lacks its end */
        job->content_len = 0;
    if (job->chunks == NULL)
        finish_whole(job, &a);
    else
        gw_job_go_on(job);
}
