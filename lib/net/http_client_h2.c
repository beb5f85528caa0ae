/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 (RFC 9113) with nghttp2, which reads and writes the frames. Each stream holds its own
 * server back: what a `piece` does not take stays in the call's own memory, and the stream's window
 * opens again when it is taken. The connection's window is always open, so nobody waits for a
 * neighbour.
 */
#include "ct.h"
#include "http_client_int.h"
#include "http_int.h"
#include "text.h"
#include "wr.h"

enum {
    CONNECTION_WINDOW = 1 << 24, /* each stream holds its server back by itself */
    FIELD_OVERHEAD = 32,         /* RFC 9113 6.5.2 */
    FRAME_HEAD_BYTES = 9,
    CONTINUATIONS_MAX = 8,
    SETTINGS_ENTRIES_MAX = 16,
    PSEUDO_FIELDS = 4,
    FIELDS_MAX = PSEUDO_FIELDS + PP_HTTP_SENT_FIELDS_MAX + 1,
};

static struct pp_http_pending *call_of(nghttp2_session *session, int32_t stream)
{
    return (struct pp_http_pending *)nghttp2_session_get_stream_user_data(session, stream);
}

static void forget(nghttp2_session *session, struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;

    /* An error says that the stream is gone already. */
    (void)nghttp2_session_set_stream_user_data(session, p->stream, NULL);
    pp_http_link_remove_(p);
    if (l->origin->waiting != NULL)
        pp_http_origin_due_(l->origin);
}

/* The call ends; what its stream still does concerns nobody. */
static void end_call(nghttp2_session *session, struct pp_http_pending *p, pp_res r)
{
    forget(session, p);
    pp_http_call_over_(p, r);
}

/*
 * Servers end a connection on which too many calls are given up (CVE-2023-44487), with all calls on
 * it. It is left before that, and whatever is given up behind that goes on until it is closed: so
 * nobody's calls end with those that others give up. What has not left yet costs nothing.
 */
static void reset(nghttp2_session *session, struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;
    int has_left = nghttp2_session_find_stream(session, p->stream) != NULL;

    l->is_dirty = 1;
    if (has_left && ++l->resets >= PP_HTTP_RESETS_MAX)
        l->is_leaving = 1;
    if (!has_left || l->resets <= PP_HTTP_RESETS_MAX)
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, p->stream, NGHTTP2_CANCEL);
}

static void fail_call(nghttp2_session *session, struct pp_http_pending *p, uint32_t code)
{
    reset(session, p);
    end_call(session, p, PP_FAIL(code, 0));
}

void pp_http_two_leave_(struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;

    reset(l->session, p);
    forget(l->session, p);
    /* Not from here: the caller may be in the midst of something else. */
    event_active(&l->writable, EV_WRITE, 0);
}

/* --- heads ---------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct pp_http_pending *p = call_of(session, frame->hd.stream_id);

    (void)arg;
    if (p == NULL || p->is_head_there)
        return 0;
    p->answer = (struct pp_http_resp_head){ 0 };
    p->head_lines = 0;
    return 0;
}

/* RFC 9113 8.3.2. nghttp2 has seen to it that it is there, once, and before all fields. */
static uint32_t take_status(struct pp_http_pending *p, struct pp_span value)
{
    uint64_t status;

    if (!pp_is_ok(pp_decimal_parse(value, 999, &status)))
        return PP_E_FORMAT;
    p->answer.status = (uint32_t)status;
    return PP_E_OK;
}

static uint32_t take_field(struct pp_http_pending *p, struct pp_span name, struct pp_span value)
{
    p->head_bytes += name.len + value.len + FIELD_OVERHEAD;
    if (p->head_bytes > PP_HTTP_RESP_HEAD_BYTES_MAX || ++p->head_lines > PP_HTTP_RESP_LINES_MAX)
        return PP_E_LIMIT;
    if (p->is_head_there)
        return PP_E_OK; /* trailers are read past */
    if (pp_span_eq(name, PP_STR(":status")))
        return take_status(p, value);
    return pp_http_resp_field_(&p->answer, name, value);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    struct pp_http_pending *p = call_of(session, frame->hd.stream_id);

    (void)flags;
    (void)arg;
    if (p == NULL)
        return 0;
    uint32_t failed = take_field(p, pp_span(name, name_len), pp_span(value, value_len));
    if (failed != PP_E_OK)
        fail_call(session, p, failed);
    return 0;
}

/* nghttp2 would leave the field out and go on. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *arg)
{
    struct pp_http_pending *p = call_of(session, frame->hd.stream_id);

    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    (void)arg;
    if (p != NULL)
        fail_call(session, p, PP_E_FORMAT);
    return 0;
}

/* RFC 9110 15.2: interim ones come before; what comes behind is trailers. */
static void head_is_there(nghttp2_session *session, struct pp_http_pending *p)
{
    const struct pp_http_resp_head *h = &p->answer;
    uint32_t failed;

    if (p->is_head_there || (h->status >= 100 && h->status < 200))
        return;
    failed = pp_http_resp_check_(h);
    if (failed == PP_E_OK && h->coding_count > 0)
        failed = PP_E_FORMAT; /* RFC 9113 8.2.2 */
    if (failed == PP_E_OK)
        failed = pp_http_call_head_(p, h);
    if (failed != PP_E_OK)
        fail_call(session, p, failed);
}

/* --- bodies --------------------------------------------------------------------------------- */

/* The window says that there is room; a server that passes over it is nghttp2's matter. */
static uint32_t hold(struct pp_http_pending *p, struct pp_span bytes)
{
    size_t end = p->held_from + p->held_len;

    if (bytes.len > p->client->held_bytes - p->held_len)
        return PP_E_FORMAT;
    if (bytes.len > p->client->held_bytes - end) {
        memmove(p->held, p->held + p->held_from, p->held_len);
        p->held_from = 0;
        end = p->held_len;
    }
    memcpy(p->held + end, bytes.at, bytes.len);
    p->held_len += bytes.len;
    end += bytes.len;
    p->held_high = end > p->held_high ? end : p->held_high;
    return PP_E_OK;
}

static uint32_t take_data(nghttp2_session *session, struct pp_http_pending *p, struct pp_span bytes)
{
    uint32_t failed = PP_E_OK;

    while (bytes.len > 0 && !p->is_paused) {
        size_t taken = pp_http_call_body_(p, bytes, &failed);
        if (failed != PP_E_OK)
            return failed;
        (void)nghttp2_session_consume_stream(session, p->stream, taken);
        bytes = pp_span(bytes.at + taken, bytes.len - taken);
    }
    return bytes.len > 0 ? hold(p, bytes) : PP_E_OK;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *at,
                   size_t len, void *arg)
{
    struct pp_http_pending *p = call_of(session, stream);

    (void)flags;
    (void)arg;
    (void)nghttp2_session_consume_connection(session, len);
    if (p == NULL) /* of a stream that was reset */
        return 0;
    uint32_t failed = take_data(session, p, pp_span(at, len));
    if (failed != PP_E_OK)
        fail_call(session, p, failed);
    return 0;
}

/* RFC 9113 8.1: the answer may be whole before the request is; the rest of that is not sent. */
static void complete(nghttp2_session *session, struct pp_http_pending *p)
{
    if (!p->is_sent)
        reset(session, p);
    end_call(session, p, PP_OK);
}

static void end_is_there(nghttp2_session *session, struct pp_http_pending *p)
{
    p->is_whole = 1;
    if (!p->is_head_there)
        fail_call(session, p, PP_E_FORMAT);
    else if (!p->is_paused)
        complete(session, p);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct pp_http_link *l = (struct pp_http_link *)arg;
    struct pp_http_pending *p;

    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        l->is_greeted = 1;
        pp_http_origin_due_(l->origin);
        return 0;
    case NGHTTP2_GOAWAY:
        l->is_leaving = 1;
        pp_http_origin_due_(l->origin);
        return 0;
    case NGHTTP2_HEADERS:
        p = call_of(session, frame->hd.stream_id);
        if (p != NULL)
            head_is_there(session, p);
        break;
    case NGHTTP2_DATA:
        break;
    default:
        return 0;
    }
    p = call_of(session, frame->hd.stream_id);
    if (p != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        end_is_there(session, p);
    return 0;
}

/* What nghttp2 refuses by itself, with a reset: a head that is none, a body of another length. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *arg)
{
    struct pp_http_pending *p = call_of(session, frame->hd.stream_id);

    (void)error;
    (void)arg;
    if (p != NULL)
        p->failed = frame->hd.type == NGHTTP2_HEADERS ? PP_E_FORMAT : PP_E_CLOSED;
    return 0;
}

/*
 * Also what the server says it has not processed (REFUSED_STREAM, GOAWAY): whether to send it again
 * is the caller's decision.
 */
static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *arg)
{
    struct pp_http_link *l = (struct pp_http_link *)arg;
    struct pp_http_pending *p = call_of(session, stream);

    if (l->origin->waiting != NULL)
        pp_http_origin_due_(l->origin);
    if (p == NULL || p->is_whole) /* whole: some of it waits to be taken */
        return 0;
    end_call(session, p, PP_FAIL(p->failed != PP_E_OK ? p->failed : PP_E_CLOSED, error));
    return 0;
}

/* --- requests ------------------------------------------------------------------------------- */

static ssize_t next_data(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t max,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    struct pp_http_pending *p = call_of(session, stream);

    (void)source;
    (void)arg;
    if (p == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* it was cancelled */
    if (p->pull == NULL) {
        size_t n = p->body.len < max ? p->body.len : max;
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (n == p->body.len)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
    }
    long n = p->pull(p->pieces_ctx, buf, max);
    PP_ASSERT(n >= PP_HTTP_PULL_ABORT && (n < 0 || (size_t)n <= max));
    if (n == PP_HTTP_PULL_LATER)
        return NGHTTP2_ERR_DEFERRED;
    if (n == PP_HTTP_PULL_ABORT) {
        fail_call(session, p, PP_E_CANCELLED);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (n == PP_HTTP_PULL_END) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        p->is_sent = 1;
    }
    return n;
}

/* From where the body lies to what is to be sent, without nghttp2's own buffer in between. */
static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t len, nghttp2_data_source *source, void *arg)
{
    struct pp_http_link *l = (struct pp_http_link *)arg;
    struct pp_http_pending *p = call_of(session, frame->hd.stream_id);

    (void)source;
    if (p == NULL || len > p->body.len)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (l->out->len >= PP_HTTP_OUT_FILL)
        return NGHTTP2_ERR_WOULDBLOCK;
    pp_http_out_append_(l->out, head, FRAME_HEAD_BYTES);
    pp_http_out_append_(l->out, p->body.at, len);
    if (len > 0)
        p->body = pp_span(p->body.at + len, p->body.len - len);
    p->is_sent = p->body.len == 0;
    return 0;
}

static nghttp2_nv field_of(struct pp_span name, struct pp_span value)
{
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name.at,
                         .value = (uint8_t *)(uintptr_t)value.at,
                         .namelen = name.len,
                         .valuelen = value.len,
                         .flags = NGHTTP2_NV_FLAG_NONE };
}

/* RFC 9113 8.3.1; nghttp2 copies all, with the names in lower case. Returns how many. */
static size_t write_fields(const struct pp_http_pending *p, char len_text[24], nghttp2_nv *ret)
{
    const struct pp_http_origin *o = p->origin;
    struct pp_wr wr = pp_wr_over(len_text, 24);
    size_t n = 0;

    ret[n++] = field_of(PP_STR(":method"), p->method);
    ret[n++] = field_of(PP_STR(":scheme"), o->is_tls ? PP_STR("https") : PP_STR("http"));
    ret[n++] = field_of(PP_STR(":authority"), pp_span(o->authority, o->authority_len));
    ret[n++] = field_of(PP_STR(":path"), p->target);
    for (size_t i = 0; i < p->field_count; i++)
        ret[n++] = field_of(p->fields[i].name, p->fields[i].value);
    if (p->has_body && p->pull == NULL) {
        pp_wr_decimal(&wr, p->body_len);
        PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
        ret[n++] = field_of(PP_STR("content-length"), pp_wr_done(&wr));
    }
    return n;
}

/* Until the server has said how many it takes at a time, one: more could be refused. */
int pp_http_two_has_room_(const struct pp_http_link *l)
{
    uint32_t most = nghttp2_session_get_remote_settings(l->session,
                                                        NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    if (l->is_leaving || nghttp2_session_check_request_allowed(l->session) == 0)
        return 0;
    return l->is_greeted ? l->call_count < most : l->call_count == 0;
}

int pp_http_two_begin_(struct pp_http_link *l, struct pp_http_pending *p)
{
    const nghttp2_data_provider body = { .read_callback = next_data };
    nghttp2_nv fields[FIELDS_MAX];
    char len_text[24];
    size_t count = write_fields(p, len_text, fields);
    int has_data = p->pull != NULL || p->body.len > 0;

    p->is_sent = !has_data;
    p->stream = nghttp2_submit_request(l->session, NULL, fields, count, has_data ? &body : NULL, p);
    if (p->stream < 0) {
        l->is_leaving = 1;
        return 0;
    }
    pp_http_link_add_(l, p);
    l->is_dirty = 1;
    return 1;
}

/* What was held is offered again. */
static uint32_t offer_held(struct pp_http_pending *p, nghttp2_session *session)
{
    uint32_t failed = PP_E_OK;

    p->is_paused = 0;
    while (p->held_len > 0 && !p->is_paused && failed == PP_E_OK) {
        struct pp_span held = pp_span(p->held + p->held_from, p->held_len);
        size_t taken = pp_http_call_body_(p, held, &failed);
        if (session != NULL)
            (void)nghttp2_session_consume_stream(session, p->stream, taken);
        p->held_from += taken;
        p->held_len -= taken;
    }
    return failed;
}

static void resume_left(struct pp_http_pending *p)
{
    uint32_t failed = offer_held(p, NULL);

    if (failed != PP_E_OK || p->held_len == 0)
        pp_http_call_over_(p, failed == PP_E_OK ? PP_OK : PP_FAIL(failed, 0));
}

void pp_http_two_resume_(struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;

    if (l == NULL) {
        resume_left(p);
        return;
    }
    if (p->pull != NULL && !p->is_sent) /* an error says that it waits for nothing */
        (void)nghttp2_session_resume_data(l->session, p->stream);
    if (p->is_paused) {
        uint32_t failed = offer_held(p, l->session);
        if (failed != PP_E_OK)
            fail_call(l->session, p, failed);
        else if (p->held_len == 0 && p->is_whole)
            complete(l->session, p);
    }
    (void)pp_http_link_flush_(l);
}

/* --- the connection ------------------------------------------------------------------------- */

void pp_http_two_fill_(struct pp_http_link *l, struct pp_http_out *out)
{
    const uint8_t *at;
    ssize_t n = 0;

    while (out->len < PP_HTTP_OUT_FILL && (n = nghttp2_session_mem_send(l->session, &at)) > 0)
        pp_http_out_append_(out, at, (size_t)n);
    if (n < 0)
        l->is_leaving = l->is_broken = 1;
}

int pp_http_two_is_over_(const struct pp_http_link *l)
{
    return l->is_broken || (l->is_leaving && l->call_count == 0) ||
           (!nghttp2_session_want_read(l->session) && !nghttp2_session_want_write(l->session));
}

void pp_http_two_read_(struct pp_http_link *l)
{
    struct pp_http_client *c = l->client;

    for (;;) {
        ssize_t n = pp_http_link_read_(l, c->in, sizeof c->in);
        if (n == 0)
            break;
        ssize_t used = n < 0 ? -1 : nghttp2_session_mem_recv(l->session, c->in, (size_t)n);
        l->heard_ms = pp_http_client_now_ms_();
        if (n > 0)
            pp_wipe(c->in, (size_t)n); /* what was of use was copied to its call */
        if (used < 0) {
            pp_http_link_lost_(l);
            return;
        }
    }
    if (nghttp2_session_want_write(l->session) && !pp_http_link_flush_(l))
        return;
    if (l->state == PP_HTTP_L_TWO && pp_http_two_is_over_(l))
        pp_http_link_lost_(l);
}

/*
 * No dynamic table in either direction (RFC 7541 4.2): what one request compresses to would depend
 * on those before it, which on a relay's connection are other people's. No pushed streams.
 */
pp_res pp_http_two_start_(struct pp_http_link *l)
{
    static const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0 },
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, PP_HTTP_HELD_2_BYTES },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, PP_HTTP_RESP_HEAD_BYTES_MAX },
    };
    const struct pp_http_client *c = l->client;
    int ok = nghttp2_session_client_new2(&l->session, c->h2_callbacks, l, c->h2_options) == 0 &&
             nghttp2_submit_settings(l->session, NGHTTP2_FLAG_NONE, settings,
                                     PP_ARRAY_COUNT(settings)) == 0 &&
             nghttp2_session_set_local_window_size(l->session, NGHTTP2_FLAG_NONE, 0,
                                                   CONNECTION_WINDOW) == 0;

    PP_CHECK(ok, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

void pp_http_two_end_(struct pp_http_link *l)
{
    nghttp2_session_del(l->session);
    l->session = NULL;
}

/* --- what all connections share ------------------------------------------------------------- */

pp_res pp_http_two_make_(struct pp_http_client *c)
{
    PP_CHECK(nghttp2_session_callbacks_new(&c->h2_callbacks) == 0 &&
                 nghttp2_option_new(&c->h2_options) == 0,
             PP_E_NO_MEMORY, 0);
    nghttp2_session_callbacks *b = c->h2_callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(b, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(b, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(b, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(b, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(b, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(b, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(b, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(b, send_data);
    /* Windows open when somebody has taken what came, and not before. */
    nghttp2_option_set_no_auto_window_update(c->h2_options, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(c->h2_options, 0);
    nghttp2_option_set_max_settings(c->h2_options, SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_max_continuations(c->h2_options, CONTINUATIONS_MAX);
    nghttp2_option_set_no_closed_streams(c->h2_options, 1);
    return PP_OK;
}

void pp_http_two_done_(struct pp_http_client *c)
{
    nghttp2_session_callbacks_del(c->h2_callbacks);
    nghttp2_option_del(c->h2_options);
}
