/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "ct.h"
#include "http_client_int.h"
#include "http_int.h"
#include "wr.h"

/* --- in and out ----------------------------------------------------------------------------- */

static void give_back(struct pp_http_pending *p)
{
    struct pp_http_client *c = p->client;

    (void)event_del(&p->deadline);
    (void)event_del(&p->resume);
    pp_wipe(p->got, p->got_len);
    pp_wipe(p->held, p->held_high);
    pp_wipe(p->text, p->text_len);
    if (p->in_place.len > 0)
        pp_wipe(c->in, (size_t)(p->in_place.at - c->in) + p->in_place.len);
    p->state = PP_HTTP_P_FREE;
    p->next = c->free_call;
    c->free_call = p;
}

void pp_http_call_over_(struct pp_http_pending *p, pp_res r)
{
    struct pp_http_client *c = p->client;

    p->state = PP_HTTP_P_OVER;
    p->result = r;
    p->next = NULL;
    p->prev = c->last_over;
    *(c->last_over != NULL ? &c->last_over->next : &c->over) = p;
    c->last_over = p;
    pp_http_client_wake_(c);
}

static void leave_over(struct pp_http_pending *p)
{
    struct pp_http_client *c = p->client;

    *(p->prev != NULL ? &p->prev->next : &c->over) = p->next;
    *(p->next != NULL ? &p->next->prev : &c->last_over) = p->prev;
}

/* 0: the client is gone. */
static int tell(struct pp_http_pending *p)
{
    struct pp_http_client *c = p->client;
    uint32_t is_freed = 0;
    const struct pp_http_response response = {
        .status = p->answer.status,
        .type = pp_span(p->answer.type, p->answer.type_len),
        .content_coding = p->answer.content_coding,
        .body = p->in_place.len > 0 ? p->in_place : pp_span(p->got, p->got_len),
    };

    leave_over(p);
    p->state = PP_HTTP_P_TOLD;
    c->is_freed = &is_freed;
    p->done(p->ctx, p->result, pp_is_ok(p->result) ? &response : NULL);
    if (is_freed)
        return 0;
    c->is_freed = NULL;
    give_back(p);
    return 1;
}

void pp_http_client_enter_(struct pp_http_client *c)
{
    PP_ASSERT(!c->is_inside);
    c->is_inside = 1;
}

void pp_http_client_leave_(struct pp_http_client *c)
{
    while (c->over != NULL || c->due != NULL) {
        struct pp_http_origin *o = c->due;
        if (c->over != NULL) {
            if (!tell(c->over))
                return;
            continue;
        }
        c->due = o->next_due;
        o->is_due = 0;
        pp_http_origin_pump_(o);
    }
    c->is_inside = 0;
}

void pp_http_client_wake_(struct pp_http_client *c)
{
    if (!c->is_inside)
        event_active(&c->work, EV_TIMEOUT, 0);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_client *c = (struct pp_http_client *)arg;

    (void)fd;
    (void)what;
    pp_http_client_enter_(c);
    pp_http_client_leave_(c);
}

/* --- answers -------------------------------------------------------------------------------- */

uint32_t pp_http_call_head_(struct pp_http_pending *p, const struct pp_http_resp_head *h)
{
    const struct pp_http_response response = {
        .status = h->status,
        .type = pp_span(h->type, h->type_len),
        .content_coding = h->content_coding,
    };

    p->is_head_there = 1;
    if (p->head != NULL && p->head(p->pieces_ctx, &response) < 0)
        return PP_E_CANCELLED;
    if (p->piece == NULL && h->length > p->client->config.response_bytes_max)
        return PP_E_LIMIT;
    return PP_E_OK;
}

size_t pp_http_call_body_(struct pp_http_pending *p, struct pp_span bytes, uint32_t *ret_failed)
{
    if (p->piece == NULL) {
        if (bytes.len > p->client->config.response_bytes_max - p->got_len) {
            *ret_failed = PP_E_LIMIT;
            return 0;
        }
        memcpy(p->got + p->got_len, bytes.at, bytes.len);
        p->got_len += bytes.len;
        return bytes.len;
    }
    if (bytes.len > PP_HTTP_PIECE_BYTES_MAX)
        bytes.len = PP_HTTP_PIECE_BYTES_MAX;
    int taken = p->piece(p->pieces_ctx, bytes);
    if (taken > 0)
        return bytes.len;
    if (taken < 0)
        *ret_failed = PP_E_CANCELLED;
    else
        p->is_paused = 1;
    return 0;
}

/* --- the end of a call ---------------------------------------------------------------------- */

/* Nobody has it any more. In HTTP/1.1 its connection ends: an answer may be on its way there. */
static void detach(struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;

    if (p->state == PP_HTTP_P_WAITING) {
        pp_http_origin_unwait_(p);
    } else if (p->state == PP_HTTP_P_OVER) {
        leave_over(p);
    } else if (p->state == PP_HTTP_P_LINKED && l->state == PP_HTTP_L_TWO) {
        pp_http_two_leave_(p);
    } else if (p->state == PP_HTTP_P_LINKED) {
        pp_http_link_remove_(p);
        pp_http_link_end_(l, PP_OK);
    }
}

/*
 * HTTP/2: where nothing was heard since it began, nobody else is sent; and who waits with it for a
 * connection that has been in the making for half of its time gets another one. Somebody may drop
 * what one connection carries, and those who share it would all share that.
 */
static void leave_silent(struct pp_http_pending *p)
{
    if (p->state == PP_HTTP_P_WAITING)
        pp_http_origin_silent_(p->origin, p->deadline_ms / 2);
    else if (p->state == PP_HTTP_P_LINKED && p->link->heard_ms <= p->begun_ms)
        p->link->is_leaving = 1;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;
    struct pp_http_client *c = p->client;

    (void)fd;
    (void)what;
    pp_http_client_enter_(c);
    if (p->state != PP_HTTP_P_OVER) {
        leave_silent(p);
        detach(p);
        pp_http_call_over_(p, PP_FAIL(PP_E_TIMEOUT, 0));
    }
    pp_http_client_leave_(c);
}

void pp_http_client_cancel(struct pp_http_pending *p)
{
    struct pp_http_client *c = p->client;

    PP_ASSERT(p->state > PP_HTTP_P_FREE && p->state < PP_HTTP_P_TOLD);
    detach(p);
    give_back(p);
    if (c->due != NULL)
        pp_http_client_wake_(c);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct pp_http_pending *p = (struct pp_http_pending *)arg;
    struct pp_http_client *c = p->client;

    (void)fd;
    (void)what;
    pp_http_client_enter_(c);
    if (p->state == PP_HTTP_P_LINKED && p->link->state == PP_HTTP_L_ONE)
        pp_http_one_resume_(p);
    else if (p->state == PP_HTTP_P_LINKED || p->state == PP_HTTP_P_LEFT)
        pp_http_two_resume_(p);
    pp_http_client_leave_(c);
}

void pp_http_client_resume(struct pp_http_pending *p)
{
    PP_ASSERT(p->state != PP_HTTP_P_FREE);
    event_active(&p->resume, EV_TIMEOUT, 0);
}

/* --- the client ----------------------------------------------------------------------------- */

static uint8_t *carve(struct pp_http_client *c, size_t *at, size_t each, size_t count)
{
    uint8_t *part = c->memory == NULL ? NULL : c->memory + *at;

    *at += (each * count + 63) & ~(size_t)63;
    return part;
}

/* One mapping for all places; which of them are used decides what of it becomes memory. */
static pp_res make_places(struct pp_http_client *c)
{
    size_t calls = c->config.calls_max;
    size_t bytes = c->config.response_bytes_max;
    size_t at;

    c->held_bytes = c->config.http2 ? PP_HTTP_HELD_2_BYTES : PP_HTTP_HELD_1_BYTES;
    c->buffers_each = bytes + c->held_bytes + PP_HTTP_RESP_HEAD_BYTES_MAX + PP_HTTP_TEXT_BYTES;
    c->origins_max = (uint32_t)(2 * calls);
    do { /* once to count, once to place */
        at = 0;
        c->calls = (struct pp_http_pending *)(void *)carve(c, &at, sizeof *c->calls, calls);
        c->links = (struct pp_http_link *)(void *)carve(c, &at, sizeof *c->links, calls);
        c->origins = (struct pp_http_origin *)(void *)carve(c, &at, sizeof *c->origins,
                                                            c->origins_max);
        c->outs = (struct pp_http_out *)(void *)carve(c, &at, sizeof *c->outs, calls);
        c->buffers = carve(c, &at, c->buffers_each, calls);
        if (c->memory != NULL)
            return PP_OK;
        c->memory = pp_buffers_map_(at);
        c->memory_len = at;
    } while (c->memory != NULL);
    return PP_FAIL(PP_E_NO_MEMORY, calls);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static pp_res make_all(struct pp_http_client *c)
{
    PP_TRY(make_places(c));
    PP_TRY(pp_http_client_tls_(c));
    return c->config.http2 ? pp_http_two_make_(c) : PP_OK;
}

pp_res pp_http_client_new(struct pp_loop *loop, const struct pp_http_client_config *config,
                          struct pp_http_client **ret)
{
    PP_CHECK(config->calls_max <= PP_HTTP_CALLS_MAX, PP_E_RANGE, config->calls_max);
    PP_CHECK(config->response_bytes_max <= PP_HTTP_RESPONSE_BYTES_MAX, PP_E_RANGE,
             config->response_bytes_max);
    struct pp_http_client *c = (struct pp_http_client *)calloc(1, sizeof *c);
    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);
    c->base = pp_loop_base_(loop);
    c->config = *config;
    c->config.calls_max = or_default(config->calls_max, 64);
    c->config.connections_per_host_max = or_default(config->connections_per_host_max, 16);
    c->config.idle_s_max = or_default(config->idle_s_max, 20);
    if (c->config.response_bytes_max == 0)
        c->config.response_bytes_max = 65536;
    PP_ASSERT(evtimer_assign(&c->work, c->base, on_work, c) == 0);
    pp_res r = make_all(c);
    if (!pp_is_ok(r)) {
        pp_http_client_free(c);
        return r;
    }
    c->config.ca_pem.at = NULL; /* OpenSSL has a copy; only the length is asked for from here on */
    *ret = c;
    return PP_OK;
}

void pp_http_client_free(struct pp_http_client *c)
{
    if (c == NULL)
        return;
    if (c->is_freed != NULL)
        *c->is_freed = 1;
    c->is_inside = 1; /* nothing is left for later */
    for (uint32_t i = 0; i < c->calls_used; i++) {
        struct pp_http_pending *p = &c->calls[i];
        if (p->state == PP_HTTP_P_TOLD)
            give_back(p);
        else if (p->state != PP_HTTP_P_FREE)
            pp_http_client_cancel(p);
    }
    for (uint32_t i = 0; i < c->links_used; i++)
        pp_http_link_end_(&c->links[i], PP_OK);
    (void)event_del(&c->work);
    pp_http_two_done_(c);
    SSL_CTX_free(c->tls);
    BIO_meth_free(c->tls_socket);
    pp_buffers_unmap_(c->memory, c->memory_len);
    pp_wipe(c->in, sizeof c->in);
    free(c);
}

/* --- the beginning of a call ---------------------------------------------------------------- */

static struct pp_span keep(struct pp_http_pending *p, struct pp_span s)
{
    uint8_t *at = p->text + p->text_len;

    PP_ASSERT(s.len <= PP_HTTP_TEXT_BYTES - p->text_len); /* check_call */
    if (s.len > 0)
        memcpy(at, s.at, s.len);
    p->text_len += s.len;
    return pp_span(at, s.len);
}

static pp_res check_field(const struct pp_http_field *f)
{
    PP_CHECK(pp_http_is_token(f->name) && pp_http_is_value(f->value), PP_E_FORMAT, 0);
    PP_CHECK(!pp_http_is_word(f->name, "content-length") && !pp_http_is_word(f->name, "host") &&
                 !pp_http_is_word(f->name, "transfer-encoding"),
             PP_E_FORMAT, 0);
    PP_CHECK(f->name.len < PP_HTTP_SENT_LINE_BYTES_MAX &&
                 f->value.len < PP_HTTP_SENT_LINE_BYTES_MAX - f->name.len,
             PP_E_RANGE, f->name.len);
    return PP_OK;
}

static pp_res check_call(const struct pp_http_client *c, const struct pp_http_call *call,
                         struct pp_http_url *ret_url)
{
    struct pp_span method = pp_span_cstr(call->method);

    PP_CHECK(call->deadline_ms >= 1 && call->deadline_ms <= PP_HTTP_DEADLINE_MS_MAX, PP_E_RANGE,
             call->deadline_ms);
    PP_CHECK(call->field_count <= PP_HTTP_SENT_FIELDS_MAX, PP_E_RANGE, call->field_count);
    PP_TRY(pp_http_url_parse_(pp_span_cstr(call->url), ret_url));
    PP_CHECK(pp_http_is_token(method) && method.len <= PP_HTTP_METHOD_BYTES_MAX, PP_E_FORMAT,
             method.len);
    PP_CHECK(!ret_url->is_tls || c->config.ca_pem.len > 0, PP_E_FORMAT, 0);
    PP_CHECK(call->pull == NULL || call->body.len == 0, PP_E_RANGE, call->body.len);
    PP_CHECK(call->unix_path == NULL || strlen(call->unix_path) <= PP_ADDRESS_PATH_MAX, PP_E_RANGE,
             0);
    for (size_t i = 0; i < call->field_count; i++)
        PP_TRY(check_field(&call->fields[i]));
    return PP_OK;
}

/* NULL: all are in use. */
static struct pp_http_pending *take_call(struct pp_http_client *c)
{
    struct pp_http_pending *p = c->free_call;
    uint8_t *at;

    if (p != NULL) {
        c->free_call = p->next;
        return p;
    }
    if (c->calls_used == c->config.calls_max)
        return NULL;
    at = c->buffers + c->calls_used * c->buffers_each;
    p = &c->calls[c->calls_used++];
    p->client = c;
    p->got = at;
    p->held = p->got + c->config.response_bytes_max;
    p->line = p->held + c->held_bytes;
    p->text = p->line + PP_HTTP_RESP_HEAD_BYTES_MAX;
    PP_ASSERT(evtimer_assign(&p->deadline, c->base, on_deadline, p) == 0);
    PP_ASSERT(evtimer_assign(&p->resume, c->base, on_resume, p) == 0);
    return p;
}

static void copy_request(struct pp_http_pending *p, const struct pp_http_call *call,
                         struct pp_span target)
{
    p->text_len = 0;
    p->method = keep(p, pp_span_cstr(call->method));
    p->target = keep(p, PP_STR("/")); /* RFC 9112 3.2.1: an empty path is sent as "/" */
    if (target.len > 0 && target.at[0] == '/')
        target = pp_span(target.at + 1, target.len - 1);
    p->target.len += keep(p, target).len;
    for (size_t i = 0; i < call->field_count; i++) {
        p->fields[i].name = keep(p, call->fields[i].name);
        p->fields[i].value = keep(p, call->fields[i].value);
    }
    p->field_count = call->field_count;
    p->body = call->body;
    p->body_len = call->body.len;
    p->has_body = call->body.len > 0 || call->pull != NULL || strcmp(call->method, "POST") == 0;
    p->pull = call->pull;
    p->head = call->head;
    p->piece = call->piece;
    p->pieces_ctx = call->ctx;
    p->is_head_sent = p->is_sent = 0;
}

static void reset_answer(struct pp_http_pending *p)
{
    p->answer.status = 0;
    p->answer.type_len = 0;
    p->head_bytes = p->head_lines = 0;
    p->is_head_there = p->is_whole = p->is_paused = 0;
    p->failed = PP_E_OK;
    p->stream = 0;
    p->got_len = p->held_from = p->held_len = p->held_high = 0;
    p->in_place = pp_span(NULL, 0);
}

pp_res pp_http_client_start(struct pp_http_client *c, const struct pp_http_call *call,
                            pp_http_done_fn done, void *ctx, struct pp_http_pending **ret)
{
    struct timeval after = pp_timeval_(call->deadline_ms);
    struct pp_http_url url;

    PP_TRY(check_call(c, call, &url));
    struct pp_http_pending *p = take_call(c);
    PP_CHECK(p != NULL, PP_E_BUSY, c->config.calls_max);
    p->done = done;
    p->ctx = ctx;
    p->begun_ms = pp_http_client_now_ms_();
    p->deadline_ms = call->deadline_ms;
    copy_request(p, call, url.target);
    reset_answer(p);
    if (event_add(&p->deadline, &after) != 0) {
        give_back(p);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    p->origin = pp_http_origin_of_(c, &url, call->unix_path);
    pp_http_origin_wait_(p);
    pp_http_client_wake_(c);
    *ret = p;
    return PP_OK;
}
