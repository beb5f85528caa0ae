/* SPDX-License-Identifier: Apache-2.0 */
#include "ct.h"
#include "http_server_int.h"
#include "text.h"
#include "wr.h"

/* --- its deadlines -------------------------------------------------------------------------- */

static void set_deadline(struct pp_http_request *q, uint32_t after_ms)
{
    struct timeval after = pp_timeval_(after_ms);

    PP_ASSERT(event_add(&q->deadline, &after) == 0); /* room was made by reserve_timers */
}

/*
 * A body has its time in pieces, and has to grow in each: who claims a large one and sends a byte
 * now and then holds a place for one piece, and not for all.
 */
static void set_floor(struct pp_http_request *q, uint32_t left_ms)
{
    uint32_t piece = q->server->config.body_floor_ms;

    if (piece > left_ms)
        piece = left_ms;
    q->floor_from = q->in.body_total;
    q->floor_left_ms = left_ms - piece;
    set_deadline(q, piece);
}

/* Each phase has one deadline from its beginning: bytes that trickle in do not move it. */
void pp_http_wait_(struct pp_http_request *q, enum pp_http_wait wait)
{
    const struct pp_http_server_config *c = &q->server->config;

    if (q->wait == wait)
        return;
    q->wait = wait;
    if (wait == PP_HTTP_WAIT_NOTHING)
        (void)event_del(&q->deadline);
    else if (wait == PP_HTTP_WAIT_BODY)
        set_floor(q, c->body_timeout_ms);
    else if (wait == PP_HTTP_WAIT_HEAD)
        set_deadline(q, c->head_timeout_ms);
    else
        set_deadline(q, wait == PP_HTTP_WAIT_ANSWER ? c->answer_timeout_ms : c->write_timeout_ms);
}

/* 1 when the body grew as it should and has time left, which begins to run. */
static int floor_holds(struct pp_http_request *q)
{
    uint32_t left_ms = q->floor_left_ms;

    if (q->wait != PP_HTTP_WAIT_BODY)
        return 0;
    /* Its handler takes none: that is not the client's fault, and has a deadline of its own. */
    if (q->is_held && q->in.body_len == q->in.body_room) {
        pp_http_wait_(q, PP_HTTP_WAIT_ANSWER);
        return 1;
    }
    if (left_ms == 0 || q->in.body_total - q->floor_from < PP_HTTP_FLOOR_BYTES)
        return 0;
    set_floor(q, left_ms);
    return 1;
}

/* --- its end -------------------------------------------------------------------------------- */

void pp_http_wipe_(struct pp_http_request *q)
{
    size_t body = q->in.body_total < q->in.body_room ? q->in.body_total : q->in.body_room;

    pp_wipe(q->body, body);
    pp_wipe(q->pieces + q->pieces_from, q->pieces_len);
    pp_arena_reset(&q->arena);
    q->pieces_from = q->pieces_len = 0;
    q->gone = q->more = q->room = NULL;
    q->room_wanted = q->is_ended = q->end_sent = q->is_whole = q->linger = 0;
    q->route = NULL;
    q->is_closed = q->head_refused = q->is_begun = 0;
}

/* Tells the handler once that nobody waits for its answer. */
void pp_http_tell_gone_(struct pp_http_request *q)
{
    void (*gone)(void *ctx) = q->gone;

    q->gone = NULL;
    if (gone != NULL)
        gone(q->gone_ctx);
}

void pp_http_unwire_(struct pp_http_request *q)
{
    q->is_wired = 0;
    pp_http_wait_(q, PP_HTTP_WAIT_NOTHING);
    if (!q->is_held) {
        pp_http_slot_release_(q);
        return;
    }
    q->server->stats.gone += q->state == PP_HTTP_Q_ANSWERING || q->state == PP_HTTP_Q_STREAMING;
    q->state = PP_HTTP_Q_OVER;
    pp_http_tell_gone_(q);
}

/* RFC 9110 9.3.2: as GET, without the content. */
int pp_http_is_head_(const struct pp_http_request *q)
{
    return pp_span_eq(q->in.method, PP_STR("HEAD"));
}

/* --- answers -------------------------------------------------------------------------------- */

static int is_two(const struct pp_http_request *q)
{
    return q->conn->state == PP_HTTP_C_TWO;
}

pp_res pp_http_reply_check_(const struct pp_http_request *q, const struct pp_http_reply *r)
{
    /* Whether the copy is needed shows only later, and an answer must not depend on that. */
    PP_CHECK(r->body_stays || r->body.len <= q->arena.cap - q->arena.used, PP_E_NO_SPACE,
             r->body.len);
    PP_CHECK(r->status >= 200 && r->status <= 599, PP_E_RANGE, r->status);
    PP_CHECK(r->field_count <= PP_HTTP_SENT_FIELDS_MAX, PP_E_LIMIT, r->field_count);
    PP_CHECK(r->type == NULL || pp_http_is_value(pp_span_cstr(r->type)), PP_E_FORMAT, 0);
    for (size_t i = 0; i < r->field_count; i++) {
        PP_CHECK(pp_http_is_token(r->fields[i].name), PP_E_FORMAT, i);
        PP_CHECK(pp_http_is_value(r->fields[i].value), PP_E_FORMAT, i);
    }
    return PP_OK;
}

void pp_http_keep_body_(struct pp_http_request *q, const struct pp_http_reply *r)
{
    const uint8_t *ours = q->server->memory;

    if (r->body_stays || q->out[1].len == 0)
        return;
    if (q->out[1].at >= ours && q->out[1].at < ours + q->server->memory_len)
        return; /* the request's own body, or its arena */
    PP_ASSERT(pp_is_ok(pp_arena_copy(&q->arena, q->out[1], &q->out[1]))); /* it was checked */
}

static void start_answer(struct pp_http_request *q, const struct pp_http_reply *r)
{
    if (is_two(q))
        pp_http2_answer_(q, r);
    else
        pp_http1_answer_(q, r);
}

static void cut(struct pp_http_request *q)
{
    if (is_two(q))
        pp_http2_cut_(q);
    else
        pp_http1_cut_(q);
}

/* In the server's name. A handler that has it hears that its answer is not wanted any more. */
static void answer_for(struct pp_http_request *q, const struct pp_http_reply *r)
{
    uint32_t was_held = q->is_held;

    if (q->state == PP_HTTP_Q_STREAMING || q->state == PP_HTTP_Q_WRITING) {
        cut(q);
        return;
    }
    q->linger = 1;
    q->state = PP_HTTP_Q_WRITING;
    start_answer(q, r);
    if (was_held)
        pp_http_tell_gone_(q);
}

static void refuse_with(struct pp_http_request *q, const struct pp_http_reply *r)
{
    q->server->stats.refused++;
    answer_for(q, r);
}

void pp_http_refuse_(struct pp_http_request *q, uint32_t status)
{
    const struct pp_http_reply r = { .status = status, .close = 1 };

    refuse_with(q, &r);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_request *q = (struct pp_http_request *)arg;
    const struct pp_http_reply late = { .status = q->wait == PP_HTTP_WAIT_ANSWER ? 504 : 408,
                                        .close = 1 };

    (void)fd;
    (void)what;
    if (floor_holds(q))
        return;
    q->wait = PP_HTTP_WAIT_NOTHING;
    q->server->stats.late++;
    answer_for(q, &late);
}

void pp_http_request_init_(struct pp_http_request *q)
{
    PP_ASSERT(evtimer_assign(&q->deadline, q->server->base, on_deadline, q) == 0);
}

void pp_http_reply(struct pp_http_request *q, const struct pp_http_reply *r)
{
    PP_ASSERT(q->is_held); /* answered twice */
    PP_ASSERT(q->state != PP_HTTP_Q_STREAMING);
    q->is_held = 0;
    q->gone = q->more = NULL;
    if (!q->is_wired) {
        pp_http_slot_release_(q);
        return;
    }
    if (q->state != PP_HTTP_Q_ANSWERING)
        return;
    q->server->stats.answered++;
    q->state = PP_HTTP_Q_WRITING;
    start_answer(q, r);
}

void pp_http_reply_status(struct pp_http_request *q, uint32_t status)
{
    const struct pp_http_reply r = { .status = status };

    pp_http_reply(q, &r);
}

/* --- answers in pieces ---------------------------------------------------------------------- */

void pp_http_reply_begin(struct pp_http_request *q, const struct pp_http_reply *r)
{
    PP_ASSERT(q->is_held);
    PP_ASSERT(q->state != PP_HTTP_Q_STREAMING);
    PP_ASSERT(r->body.len == 0 && r->status != 204);
    if (q->state != PP_HTTP_Q_ANSWERING)
        return;
    q->server->stats.answered++;
    q->is_begun = 1;
    q->state = pp_http_is_head_(q) ? PP_HTTP_Q_WRITING : PP_HTTP_Q_STREAMING;
    start_answer(q, r);
}

static void push(struct pp_http_request *q)
{
    pp_http_wait_(q, PP_HTTP_WAIT_WRITE);
    if (is_two(q))
        pp_http2_pieces_(q);
    else
        pp_http1_pieces_(q);
}

size_t pp_http_reply_room(const struct pp_http_request *q)
{
    return q->state == PP_HTTP_Q_STREAMING ? PP_HTTP_PIECES_BYTES - q->pieces_len : 0;
}

pp_res pp_http_reply_piece(struct pp_http_request *q, struct pp_span bytes)
{
    PP_ASSERT(q->is_held);
    PP_CHECK(q->state == PP_HTTP_Q_STREAMING, PP_E_CLOSED, 0);
    PP_CHECK(bytes.len <= PP_HTTP_PIECES_BYTES, PP_E_LIMIT, bytes.len);
    if (bytes.len > PP_HTTP_PIECES_BYTES - q->pieces_len) {
        q->room_wanted = 1;
        return PP_FAIL(PP_E_BUSY, q->pieces_len);
    }
    if (bytes.len == 0)
        return PP_OK;
    if (q->pieces_len == 0)
        q->pieces_from = 0;
    if (bytes.len > PP_HTTP_PIECES_BYTES - q->pieces_from - q->pieces_len) {
        memmove(q->pieces, q->pieces + q->pieces_from, q->pieces_len);
        q->pieces_from = 0;
    }
    memcpy(q->pieces + q->pieces_from + q->pieces_len, bytes.at, bytes.len);
    q->pieces_len += bytes.len;
    push(q);
    return PP_OK;
}

void pp_http_reply_on_room(struct pp_http_request *q, void (*room)(void *ctx), void *ctx)
{
    q->room = room;
    q->room_ctx = ctx;
}

void pp_http_drained_(struct pp_http_request *q)
{
    if (q->pieces_len > 0 || q->is_ended)
        return;
    pp_http_wait_(q, PP_HTTP_WAIT_ANSWER);
    if (!q->room_wanted || q->room == NULL)
        return;
    q->room_wanted = 0;
    q->room(q->room_ctx);
}

/* The handler is done with it. 0: so is everybody else. */
static int let_go(struct pp_http_request *q)
{
    PP_ASSERT(q->is_held);
    q->is_held = 0;
    q->gone = q->more = q->room = NULL;
    if (!q->is_wired)
        pp_http_slot_release_(q);
    return q->is_wired != 0;
}

void pp_http_reply_end(struct pp_http_request *q)
{
    PP_ASSERT(q->state != PP_HTTP_Q_ANSWERING); /* there is nothing to end yet */
    if (!let_go(q) || q->state != PP_HTTP_Q_STREAMING)
        return;
    q->is_ended = 1;
    push(q);
}

void pp_http_reply_abort(struct pp_http_request *q)
{
    if (let_go(q) && (q->state == PP_HTTP_Q_STREAMING || q->state == PP_HTTP_Q_ANSWERING))
        cut(q);
}

/* --- routes --------------------------------------------------------------------------------- */

static int path_matches(const char *pattern, struct pp_span path)
{
    size_t len = strlen(pattern);

    if (len > 0 && pattern[len - 1] == '*')
        return path.len >= len - 1 && memcmp(path.at, pattern, len - 1) == 0;
    return pp_span_eq(pp_span_cstr(pattern), path);
}

/* RFC 9110 15.5.6 MUST: a 405 names the methods that the path has. */
static void refuse_method(struct pp_http_request *q)
{
    const struct pp_http_server *s = q->server;
    uint8_t methods[256];
    struct pp_wr wr = pp_wr_over(methods, sizeof methods);

    for (size_t i = 0; i < s->config.route_count; i++) {
        if (!path_matches(s->routes[i].path, q->in.path))
            continue;
        pp_wr_text(&wr, wr.len > 0 ? ", " : "");
        pp_wr_text(&wr, s->routes[i].method);
        if (strcmp(s->routes[i].method, "GET") == 0)
            pp_wr_text(&wr, ", HEAD");
    }
    const struct pp_http_field allow = { PP_STR("Allow"), pp_wr_done(&wr) };
    const struct pp_http_reply r = {
        .status = 405, .fields = &allow, .field_count = 1, .close = 1
    };
    refuse_with(q, &r);
}

int pp_http_route_(struct pp_http_request *q)
{
    const struct pp_http_server *s = q->server;
    int path_known = 0;

    for (size_t i = 0; i < s->config.route_count; i++) {
        const struct pp_http_route *route = &s->routes[i];
        if (!path_matches(route->path, q->in.path))
            continue;
        path_known = 1;
        if (pp_span_eq(pp_span_cstr(route->method),
                       pp_http_is_head_(q) ? PP_STR("GET") : q->in.method)) {
            q->route = route;
            return 1;
        }
    }
    if (path_known)
        refuse_method(q);
    else
        pp_http_refuse_(q, 404);
    return 0;
}

/* --- the handler ---------------------------------------------------------------------------- */

static void hand_over(struct pp_http_request *q)
{
    q->state = PP_HTTP_Q_ANSWERING;
    q->is_held = 1;
    pp_http_wait_(q, q->is_whole ? PP_HTTP_WAIT_ANSWER : PP_HTTP_WAIT_BODY);
    q->route->handle(q->route->ctx, q);
}

void pp_http_tell_(struct pp_http_request *q)
{
    if (q->state == PP_HTTP_Q_READING) {
        hand_over(q);
        return;
    }
    if (q->state == PP_HTTP_Q_ANSWERING)
        pp_http_wait_(q, q->is_whole ? PP_HTTP_WAIT_ANSWER : PP_HTTP_WAIT_BODY);
    if (q->is_held && q->more != NULL)
        q->more(q->more_ctx);
}

struct pp_span pp_http_request_piece(const struct pp_http_request *q)
{
    return pp_span(q->in.body, q->in.body_len);
}

void pp_http_request_take(struct pp_http_request *q, size_t len)
{
    PP_ASSERT(q->is_held && q->route->pieces);
    if (q->conn == NULL)
        pp_http_in_take(&q->in, len);
    else if (is_two(q))
        pp_http2_taken_(q, len);
    else
        pp_http1_taken_(q, len);
}

int pp_http_request_is_whole(const struct pp_http_request *q)
{
    return q->is_whole != 0;
}

void pp_http_request_on_piece(struct pp_http_request *q, void (*more)(void *ctx), void *ctx)
{
    q->more = more;
    q->more_ctx = ctx;
}

/* --- what a handler sees -------------------------------------------------------------------- */

struct pp_span pp_http_request_method(const struct pp_http_request *q)
{
    return q->in.method;
}

struct pp_span pp_http_request_path(const struct pp_http_request *q)
{
    return q->in.path;
}

struct pp_span pp_http_request_query(const struct pp_http_request *q)
{
    return q->in.query;
}

size_t pp_http_request_field_count(const struct pp_http_request *q)
{
    return q->in.field_count;
}

struct pp_http_field pp_http_request_field(const struct pp_http_request *q, size_t i)
{
    PP_ASSERT(i < q->in.field_count);
    return q->in.fields[i];
}

int pp_http_request_find(const struct pp_http_request *q, const char *name, struct pp_span *ret)
{
    return pp_http_find_(q->in.fields, q->in.field_count, name, ret);
}

int pp_http_request_type_is(const struct pp_http_request *q, const char *type)
{
    struct pp_span got;
    struct pp_span media;

    if (!pp_http_request_find(q, "content-type", &got))
        return 0;
    pp_text_cut(&got, ';', &media);
    while (media.len > 0 && (media.at[media.len - 1] == ' ' || media.at[media.len - 1] == '\t'))
        media.len--;
    return pp_http_is_word(media, type);
}

uint8_t *pp_http_request_body_bytes(struct pp_http_request *q)
{
    return q->in.body;
}

struct pp_span pp_http_request_body(const struct pp_http_request *q)
{
    return pp_span(q->in.body, q->in.body_len);
}

struct pp_arena *pp_http_request_arena(struct pp_http_request *q)
{
    return &q->arena;
}

void pp_http_request_on_gone(struct pp_http_request *q, void (*gone)(void *ctx), void *ctx)
{
    q->gone = gone;
    q->gone_ctx = ctx;
}
