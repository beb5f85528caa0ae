/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <stdlib.h>

#include "tile.h"

enum {
    ANSWER_BYTES = 128 + PP_BATCH_MAX * (24 + 2 * PP_SHA256_BYTES),
    LOGGED_EVENTS_MS = 1000,
    LOOK_MS = 1000
};

/* A submission whose answer waits for a quorum. Its body stays with the request. */
struct waiter {
    struct pp_log_service *service;
    struct pp_http_request *q; /* NULL: free */
    struct pp_timer *timer;
};

struct pp_log_service {
    struct pp_log_service_config config;
    struct pp_round *round;
    struct pp_timer *timer; /* the next thing to do */
    struct waiter waiters[PP_LOG_WAITERS_MAX];
    int confirmed;    /* 1: since the start a quorum knows the tree that we have */
    int is_published; /* 1: the signed tree is the served one */
    int stopping;
    unsigned retries;
    int is_gathering; /* 1: something waits, and is signed at gather_until_ms or before */
    uint64_t gather_until_ms;
    uint64_t refused, told_refused_ms, told_not_stored_ms, told_dropped;
};

static uint64_t now_s(const struct pp_log_service *s)
{
    return pp_clock_posix_s(&s->config.clock);
}

/* --- answers to submissions ---------------------------------------------------------------- */

static void reply_text(struct pp_http_request *q, uint32_t status, struct pp_span text)
{
    static const struct pp_http_field NO_STORE = { { (const uint8_t *)"cache-control", 13 },
                                                   { (const uint8_t *)"no-store", 8 } };
    const struct pp_http_reply r = {
        .status = status,
        .type = "text/plain; charset=utf-8",
        .fields = &NO_STORE,
        .field_count = 1,
        .body = text,
    };

    pp_http_reply(q, &r);
}

static void reply_failed(struct pp_http_request *q, pp_res why)
{
    reply_text(q, why.code == PP_E_DISK_FULL ? 507 : 500, PP_STR("failed\n"));
}

/* "published <size>", and "<index> <record id>" for every entry. */
static void reply_published(struct pp_http_request *q, const struct pp_sequencer_answer *a)
{
    char text[ANSWER_BYTES];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_text(&wr, "published ");
    pp_wr_decimal(&wr, a->size);
    pp_wr_u8(&wr, '\n');
    for (size_t i = 0; i < a->count; i++) {
        pp_wr_decimal(&wr, a->index[i]);
        pp_wr_u8(&wr, ' ');
        pp_wr_hex(&wr, PP_BYTES(a->ids[i].bytes));
        pp_wr_u8(&wr, '\n');
    }
    reply_text(q, 200, pp_wr_done(&wr));
}

/* "refused <entry, from 0> <code>"; the entry is "batch" when no single one is to blame. */
static void reply_refused(struct pp_log_service *s, struct pp_http_request *q,
                          const struct pp_sequencer_answer *a)
{
    char text[ANSWER_BYTES];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uint64_t now = pp_clock_mono_ms(&s->config.clock);

    s->refused++;
    if (now - s->told_refused_ms >= LOGGED_EVENTS_MS) {
        s->told_refused_ms = now;
        pp_ev_log_submission_refused(s->config.events, a->code, s->refused);
    }
    pp_wr_text(&wr, "refused ");
    if (a->entry < a->count || a->count == 0)
        pp_wr_decimal(&wr, a->entry);
    else
        pp_wr_text(&wr, "batch");
    pp_wr_u8(&wr, ' ');
    pp_wr_text(&wr, pp_code_name(a->code));
    pp_wr_u8(&wr, '\n');
    reply_text(q, a->code == PP_E_BUSY ? 503 : 422, pp_wr_done(&wr));
}

/* Answers what can be answered now; 1 if it was. */
static int try_to_answer(struct pp_log_service *s, struct pp_http_request *q)
{
    struct pp_sequencer_answer a;
    pp_res r = pp_sequencer_take(s->config.sequencer, pp_http_request_body(q), now_s(s), &a);

    if (!pp_is_ok(r)) {
        reply_failed(q, r);
        return 1;
    }
    if (a.state == PP_SEQUENCER_REFUSED) {
        reply_refused(s, q, &a);
        return 1;
    }
    if (a.state == PP_SEQUENCER_LOGGED && a.size <= s->config.sequencer->store.published) {
        reply_published(q, &a);
        return 1;
    }
    return 0;
}

/* --- waiting ------------------------------------------------------------------------------- */

static struct pp_http_request *let_go(struct waiter *w)
{
    struct pp_http_request *q = w->q;

    pp_timer_cancel(w->timer);
    w->q = NULL;
    return q;
}

static void tell_not_stored(struct pp_log_service *s, pp_res why)
{
    uint64_t now = pp_clock_mono_ms(&s->config.clock);

    if (now - s->told_not_stored_ms < LOGGED_EVENTS_MS)
        return;
    s->told_not_stored_ms = now;
    pp_ev_log_store_failed(s->config.events, why.code);
}

/*
 * What is said to wait is stored before. Who can be told that it is published needs no such file,
 * and several that waited for their answers are stored together.
 */
static pp_res store(struct pp_log_service *s)
{
    pp_res r = pp_sequencer_store(s->config.sequencer);

    if (pp_is_ok(r))
        return r;
    tell_not_stored(s, r);
    for (size_t i = 0; i < PP_LOG_WAITERS_MAX; i++)
        if (s->waiters[i].q != NULL)
            reply_failed(let_go(&s->waiters[i]), r);
    return r;
}

static void reply_pending(struct pp_log_service *s, struct pp_http_request *q)
{
    pp_res r = store(s);

    if (pp_is_ok(r))
        reply_text(q, 202, PP_STR("pending\n"));
    else
        reply_failed(q, r);
}

static void stop_waiting(struct waiter *w)
{
    reply_pending(w->service, let_go(w));
}

static void on_waited(void *ctx)
{
    stop_waiting(ctx);
}

static void on_gone(void *ctx)
{
    stop_waiting(ctx);
}

static void wait_for_quorum(struct pp_log_service *s, struct pp_http_request *q)
{
    for (size_t i = 0; i < PP_LOG_WAITERS_MAX; i++) {
        struct waiter *w = &s->waiters[i];
        if (w->q != NULL)
            continue;
        w->q = q;
        pp_http_request_on_gone(q, on_gone, w);
        pp_timer_set(w->timer, s->config.answer_ms);
        return;
    }
    reply_pending(s, q);
}

static void answer_waiters(struct pp_log_service *s)
{
    for (size_t i = 0; i < PP_LOG_WAITERS_MAX; i++) {
        struct waiter *w = &s->waiters[i];
        if (w->q != NULL && try_to_answer(s, w->q))
            (void)let_go(w);
    }
}

/* --- batches and rounds -------------------------------------------------------------------- */

static void go_on_after(struct pp_log_service *s, uint32_t ms)
{
    pp_timer_set(s->timer, ms);
}

static void tell_dropped(struct pp_log_service *s)
{
    uint64_t dropped = s->config.sequencer->dropped;

    if (dropped == s->told_dropped)
        return;
    s->told_dropped = dropped;
    pp_ev_log_batches_dropped(s->config.events, dropped);
    answer_waiters(s);
}

static int is_opaque(const struct pp_log_service *s)
{
    return s->config.sequencer->config.kind == PP_ADMISSION_OPAQUE;
}

/* How much longer what waits in an opaque log may gather; 0 in a log of records. */
static uint32_t gathers_for_ms(struct pp_log_service *s)
{
    uint64_t now = pp_clock_mono_ms(&s->config.clock);

    if (!is_opaque(s) || s->config.sequencer->waiting_count >= s->config.batch_entries)
        return 0;
    if (!s->is_gathering)
        s->gather_until_ms = now + s->config.batch_ms;
    s->is_gathering = 1;
    return now >= s->gather_until_ms ? 0 : (uint32_t)(s->gather_until_ms - now);
}

/* Of a batch that could not be signed, the file that could not be written. */
static enum pp_log_file file_of(const struct pp_log_store *store, pp_res why)
{
    if (why.code != PP_E_DISK_FULL && why.code != PP_E_SYSTEM)
        return PP_LOG_FILE_NONE;
    return store->is_unsettled ? PP_LOG_FILE_SIGNED : PP_LOG_FILE_TILES;
}

static void close_batch(struct pp_log_service *s)
{
    struct pp_sequencer *l = s->config.sequencer;
    uint64_t before = pp_log_store_size(&l->store);
    pp_res r = pp_sequencer_close_batch(l, now_s(s));

    tell_dropped(s);
    if (!pp_is_ok(r)) {
        /* A log without a host-set has nothing to say yet. */
        if (r.code != PP_E_MISSING)
            pp_ev_log_batch_failed(s->config.events, file_of(&l->store, r), r.code);
        pp_ignore(store(s), "who waits is told"); /* with a full disk, now and not after a wait */
        if (r.code == PP_E_LEDGER_SPLIT) {        /* somebody else writes our guard */
            s->stopping = 1;
            s->config.failed(s->config.ctx, r);
            return;
        }
        go_on_after(s, PP_LOG_FAILURE_WAIT_MS);
        return;
    }
    s->is_published = 0;
    s->is_gathering = 0;
    s->retries = 0;
    pp_ev_log_batch_signed(s->config.events, pp_log_store_size(&l->store) - before,
                           pp_log_store_size(&l->store));
    pp_round_begin(s->round);
}

/* 1 when a round about the signed note should be repeated now. */
static int must_repeat(const struct pp_log_service *s)
{
    if (s->is_published)
        return 0;
    return !s->confirmed || is_opaque(s) ||
           s->config.sequencer->config.environment == PP_RECORD_DEV ||
           s->retries < PP_LOG_RETRIES_MAX;
}

static void on_timer(void *ctx)
{
    struct pp_log_service *s = ctx;

    if (s->stopping || pp_round_is_busy(s->round))
        return;
    uint64_t due = s->confirmed ? pp_sequencer_due(s->config.sequencer, now_s(s)) : UINT64_MAX;
    uint32_t gathers_ms = due == 0 ? gathers_for_ms(s) : 0;
    if (gathers_ms > 0) {
        go_on_after(s, gathers_ms);
    } else if (due == 0) {
        close_batch(s);
    } else if (must_repeat(s)) {
        s->retries++;
        pp_round_again(s->round);
    } else {
        /* A clock that is set, or a machine that slept, moves the hour: look often. */
        go_on_after(s, LOOK_MS);
    }
}

static void on_quorum(struct pp_log_service *s, struct pp_span note)
{
    struct pp_sequencer *l = s->config.sequencer;
    struct pp_note n;
    pp_res r = PP_OK;

    s->confirmed = 1;
    /* After a restart the served checkpoint may be this very note: it keeps its bytes. */
    if (l->store.published < pp_log_store_size(&l->store) || !pp_log_store_is_served(&l->store))
        r = pp_sequencer_publish(l, note);
    if (!pp_is_ok(r)) {
        pp_ev_log_batch_failed(s->config.events, PP_LOG_FILE_PUBLIC, r.code);
        go_on_after(s, PP_LOG_FAILURE_WAIT_MS);
        return;
    }
    s->is_published = 1;
    if (pp_is_ok(pp_note_parse(note, &n)))
        pp_ev_log_published(s->config.events, pp_log_store_size(&l->store), n.line_count - 1);
    answer_waiters(s);
    go_on_after(s, 0);
}

static void on_round(void *ctx, enum pp_round_result result, struct pp_span note)
{
    struct pp_log_service *s = ctx;
    uint64_t size = pp_log_store_size(&s->config.sequencer->store);

    switch (result) {
    case PP_ROUND_QUORUM:
        on_quorum(s, note);
        break;
    case PP_ROUND_NO_QUORUM:
        pp_ev_log_no_quorum(s->config.events, PP_E_LEDGER_QUORUM, size);
        go_on_after(s, s->config.retry_ms);
        break;
    case PP_ROUND_BEHIND:
        s->stopping = 1;
        s->config.failed(s->config.ctx, PP_FAIL(PP_E_LEDGER_ROLLBACK, size));
        break;
    }
}

/* --- routes -------------------------------------------------------------------------------- */

static void on_submit(void *ctx, struct pp_http_request *q)
{
    struct pp_log_service *s = ctx;

    if (s->stopping) {
        pp_http_reply_status(q, 503);
        return;
    }
    if (try_to_answer(s, q))
        return;
    int is_due = pp_sequencer_due(s->config.sequencer, now_s(s)) == 0;
    int at_once = is_due || !s->is_published;
    if (at_once)
        wait_for_quorum(s, q);
    else
        reply_pending(s, q);
    if (is_due && s->confirmed && !pp_round_is_busy(s->round))
        go_on_after(s, gathers_for_ms(s));
}

static void reply_file(struct pp_http_request *q, const char *type, const char *cache,
                       struct pp_buf *content)
{
    const struct pp_http_field field = { PP_STR("cache-control"), pp_span_cstr(cache) };
    struct pp_http_reply r = {
        .status = 200,
        .type = type,
        .fields = &field,
        .field_count = 1,
        .body_stays = 1,
    };
    pp_res copied = pp_arena_copy(pp_http_request_arena(q), pp_buf_span(content), &r.body);

    pp_buf_done(content);
    if (pp_is_ok(copied))
        pp_http_reply(q, &r);
    else
        pp_http_reply_status(q, 500);
}

static void reply_not_read(struct pp_http_request *q, pp_res r)
{
    pp_http_reply_status(q, r.code == PP_E_NOT_FOUND ? 404 : 500);
}

static void on_checkpoint(void *ctx, struct pp_http_request *q)
{
    struct pp_log_service *s = ctx;
    struct pp_buf b = { 0 };
    pp_res r = pp_file_read(s->config.sequencer->config.dir, "public/checkpoint", PP_LOG_NOTE_MAX,
                            &b);

    if (pp_is_ok(r))
        reply_file(q, "text/plain; charset=utf-8", "max-age=5", &b);
    else
        reply_not_read(q, r);
}

static void on_directory(void *ctx, struct pp_http_request *q)
{
    struct pp_log_service *s = ctx;
    struct pp_buf b = { 0 };
    pp_res r = pp_file_read(s->config.sequencer->config.dir, "public/directory",
                            PP_LOG_SCRATCH_BYTES, &b);

    if (pp_is_ok(r))
        reply_file(q, "application/pp-directory", "max-age=60", &b);
    else
        reply_not_read(q, r);
}

static void on_tile(void *ctx, struct pp_http_request *q)
{
    struct pp_log_service *s = ctx;
    struct pp_span path = pp_http_request_path(q);
    struct pp_buf b = { 0 };
    struct pp_tile t;

    /* The path starts with the slash that tile paths have not. */
    pp_res r = pp_tile_path_parse(pp_span(path.at + 1, path.len - 1), &t);
    if (!pp_is_ok(r))
        r = PP_FAIL(PP_E_NOT_FOUND, 0);
    else
        r = pp_log_store_tile(&s->config.sequencer->store, &t, &b);
    if (pp_is_ok(r))
        reply_file(q, "application/octet-stream", "max-age=31536000, immutable", &b);
    else
        reply_not_read(q, r);
}

void pp_log_service_routes(struct pp_log_service *s, struct pp_http_route ret[PP_LOG_ROUTES])
{
    const struct pp_http_route routes[PP_LOG_ROUTES] = {
        { "POST", "/submit", PP_BATCH_BYTES_MAX, on_submit, s },
        { "GET", "/checkpoint", 0, on_checkpoint, s },
        { "GET", "/directory", 0, on_directory, s },
        { "GET", "/tile/*", 0, on_tile, s },
    };

    memcpy(ret, routes, sizeof routes);
}

/* --- life ---------------------------------------------------------------------------------- */

static pp_res set_up(struct pp_log_service *s)
{
    const struct pp_round_config c = {
        .loop = s->config.loop,
        .sequencer = s->config.sequencer,
        .policy = s->config.policy,
        .events = s->config.events,
        .deadline_ms = s->config.witness_ms,
        .over = on_round,
        .ctx = s,
    };

    PP_TRY(pp_timer_new(s->config.loop, on_timer, s, &s->timer));
    for (size_t i = 0; i < PP_LOG_WAITERS_MAX; i++) {
        s->waiters[i].service = s;
        PP_TRY(pp_timer_new(s->config.loop, on_waited, &s->waiters[i], &s->waiters[i].timer));
    }
    return pp_round_new(&c, &s->round);
}

pp_res pp_log_service_new(const struct pp_log_service_config *c, struct pp_log_service **ret)
{
    struct pp_log_service *s = calloc(1, sizeof *s);

    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    s->config = *c;
    pp_res r = set_up(s);
    if (!pp_is_ok(r)) {
        pp_log_service_free(s);
        return r;
    }
    *ret = s;
    return PP_OK;
}

void pp_log_service_start(struct pp_log_service *s)
{
    pp_round_begin(s->round);
}

void pp_log_service_stop(struct pp_log_service *s)
{
    s->stopping = 1;
    pp_timer_cancel(s->timer);
    for (size_t i = 0; i < PP_LOG_WAITERS_MAX; i++)
        if (s->waiters[i].q != NULL)
            stop_waiting(&s->waiters[i]);
}

void pp_log_service_free(struct pp_log_service *s)
{
    if (s == NULL)
        return;
    pp_round_free(s->round);
    for (size_t i = 0; i < PP_LOG_WAITERS_MAX; i++)
        pp_timer_free(s->waiters[i].timer);
    pp_timer_free(s->timer);
    free(s);
}
