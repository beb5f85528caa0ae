/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 (RFC 9113) with nghttp2, which reads and writes the frames. What is ours: the checks of a
 * head (the same as for HTTP/1.1), where bodies go, and what a client may cost.
 *
 * Nothing of a user's runs inside nghttp2: its callbacks note what has happened (`todo`), and
 * handlers hear of it when it has returned.
 */
#include "ct.h"
#include "http_server_int.h"
#include "text.h"
#include "wr.h"

enum {
    /*
     * Each frame that moves nothing costs, and a connection that cannot pay is ended (RFC 9113
     * 10.5). It earns with answers and with payload, and as time goes by: who pings each second, or
     * cancels what it asked for now and then, is never short of it.
     */
    BUDGET_MAX = 1000,
    BUDGET_PER_S = 100,
    COST_FRAME = 1,
    COST_PING = 2,
    COST_CONTROL = 10, /* a reset, SETTINGS, CONTINUATION; and a request that we refuse */
    EARNED_BY_ANSWER = 2,
    EARNED_PER_BYTES = 2048,
    UNKNOWN_PER_BYTES = 16, /* of frames that nghttp2 skips without a word */
    SMALL_DATA_BYTES = 256, /* RFC 9113 10.5: small and empty DATA can be a flood */

    CONNECTION_WINDOW = 1 << 20, /* each stream holds its sender back by itself */
    FIELD_OVERHEAD = 32,         /* RFC 9113 6.5.2 */
    FRAME_HEAD_BYTES = 9,
    HEAD_BOMB_BYTES = 4 * PP_HTTP_HEAD_BYTES_MAX, /* past 431: nobody sends this by accident */
    CONTINUATIONS_MAX = 4,
    SETTINGS_ENTRIES_MAX = 16,
    REPLY_FIELDS_MAX = PP_HTTP_SENT_FIELDS_MAX + 3,
};

/* --- what a client may cost ----------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct timespec now;

    PP_ASSERT(clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void earn(struct pp_http_conn *c, uint32_t points)
{
    c->budget = c->budget + points < BUDGET_MAX ? c->budget + points : BUDGET_MAX;
}

static void earn_by_bytes(struct pp_http_conn *c, size_t len)
{
    c->moved += len;
    earn(c, (uint32_t)(c->moved / EARNED_PER_BYTES));
    c->moved %= EARNED_PER_BYTES;
}

/* 0, or what a callback returns to end the session. */
static int spend(struct pp_http_conn *c, uint32_t points)
{
    if (c->budget < points) { /* the clock is asked when it matters */
        uint64_t now = now_ms();
        uint64_t earned = (now - c->budget_at_ms) * BUDGET_PER_S / 1000;
        earn(c, earned < BUDGET_MAX ? (uint32_t)earned : BUDGET_MAX);
        c->budget_at_ms = now;
    }
    if (c->budget < points) {
        c->flooded = 1;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    c->budget -= points;
    return 0;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;

    (void)session;
    c->unknown_bytes -= (int64_t)(FRAME_HEAD_BYTES + hd->length);
    switch (hd->type) {
    case NGHTTP2_DATA:
        if (hd->length >= SMALL_DATA_BYTES || (hd->flags & NGHTTP2_FLAG_END_STREAM) != 0)
            return 0;
        return spend(c, COST_FRAME);
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_SETTINGS:
    case NGHTTP2_CONTINUATION:
        return spend(c, COST_CONTROL);
    case NGHTTP2_PING:
        return spend(c, COST_PING);
    default:
        return spend(c, COST_FRAME);
    }
}

/* --- what handlers have to hear of ---------------------------------------------------------- */

static void add_todo(struct pp_http_request *q)
{
    struct pp_http_conn *c = q->conn;

    if (q->is_todo)
        return;
    q->is_todo = 1;
    q->next_todo = NULL;
    if (c->todo == NULL)
        c->todo = q;
    else
        c->last_todo->next_todo = q;
    c->last_todo = q;
}

static void remove_todo(struct pp_http_request *q)
{
    struct pp_http_conn *c = q->conn;
    struct pp_http_request *before = NULL;

    if (!q->is_todo)
        return;
    q->is_todo = 0;
    for (struct pp_http_request *i = c->todo; i != q; i = i->next_todo)
        before = i;
    if (before == NULL)
        c->todo = q->next_todo;
    else
        before->next_todo = q->next_todo;
    if (c->last_todo == q)
        c->last_todo = before;
}

static void tell(struct pp_http_conn *c, struct pp_http_request *q)
{
    if (q->is_closed) {
        pp_http_unwire_(q);
    } else if (q->in.step == PP_HTTP_REFUSED) {
        if (spend(c, COST_CONTROL) == 0)
            pp_http_refuse_(q, q->in.refused);
    } else {
        pp_http_tell_(q);
    }
}

static void run_todo(struct pp_http_conn *c)
{
    c->in_loop = 1;
    while (c->todo != NULL) {
        struct pp_http_request *q = c->todo;
        remove_todo(q);
        tell(c, q);
    }
    c->in_loop = 0;
}

/* --- heads ---------------------------------------------------------------------------------- */

static struct pp_http_request *request_of(nghttp2_session *session, int32_t stream)
{
    return (struct pp_http_request *)nghttp2_session_get_stream_user_data(session, stream);
}

static void refuse_later(struct pp_http_request *q, uint32_t status)
{
    if (q->in.step == PP_HTTP_REFUSED)
        return;
    pp_http_in_refuse(&q->in, status);
    add_todo(q);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;
    struct pp_http_request *q;

    c->head_bytes = 0;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    /* One whose stream was reset counts until its handler has answered: see rapid reset. */
    q = c->request_count < c->server->config.streams_max ? pp_http_slot_take_(c) : NULL;
    if (q == NULL)
        return 0; /* answered behind the head */
    q->stream = frame->hd.stream_id;
    q->is_closed = 0;
    q->in.keep_alive = 1;
    pp_http_conn_wait_(c, PP_HTTP_C_WAIT_NOTHING);
    pp_http_wait_(q, PP_HTTP_WAIT_HEAD);
    return nghttp2_session_set_stream_user_data(session, q->stream, q);
}

/* A copy in the request's own memory; there is room for all that may come. */
static struct pp_span keep(struct pp_http_in *in, const uint8_t *at, size_t len)
{
    uint8_t *to = in->buf + in->len;

    if (len > 0)
        memcpy(to, at, len);
    in->len += len;
    in->high = in->len;
    return pp_span(to, len);
}

/* RFC 9113 8.3.1. nghttp2 has seen to it that each is there, once, and before all fields. */
static uint32_t take_pseudo(struct pp_http_in *in, struct pp_span name, struct pp_span value)
{
    if (pp_span_eq(name, PP_STR(":method"))) {
        in->method = value;
        for (size_t i = 0; i < value.len; i++)
            if (value.at[i] < 'A' || value.at[i] > 'Z')
                return 400;
    } else if (pp_span_eq(name, PP_STR(":path"))) {
        in->target = value;
    } else if (pp_span_eq(name, PP_STR(":authority"))) {
        /* What HTTP/1.1 calls Host: a handler need not know which of the two it was. */
        in->fields[in->field_count++] =
            (struct pp_http_field){ keep(in, (const uint8_t *)"host", 4), value };
    } else if (!pp_span_eq(value, PP_STR("http")) && !pp_span_eq(value, PP_STR("https"))) {
        return 400; /* :scheme */
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;
    struct pp_http_request *q = request_of(session, frame->hd.stream_id);

    (void)flags;
    c->head_bytes += name_len + value_len + FIELD_OVERHEAD;
    if (c->head_bytes > HEAD_BOMB_BYTES) {
        c->flooded = 1;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (q == NULL || frame->headers.cat != NGHTTP2_HCAT_REQUEST || q->head_refused != 0)
        return 0;
    struct pp_http_in *in = &q->in;
    if (c->head_bytes > PP_HTTP_HEAD_BYTES_MAX || in->field_count == PP_HTTP_FIELDS_MAX) {
        q->head_refused = 431;
        return 0;
    }
    struct pp_span kept_name = keep(in, name, name_len);
    struct pp_span kept_value = keep(in, value, value_len);
    if (name[0] == ':')
        q->head_refused = take_pseudo(in, kept_name, kept_value);
    else
        in->fields[in->field_count++] = (struct pp_http_field){ kept_name, kept_value };
    return 0;
}

/* nghttp2 would leave the field out and go on. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *arg)
{
    struct pp_http_request *q = request_of(session, frame->hd.stream_id);

    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    (void)arg;
    if (q != NULL && q->head_refused == 0)
        q->head_refused = 400;
    return 0;
}

/* All places are taken: the client is told, and may know that nothing of it was processed. */
static int refuse_for_lack_of_a_place(struct pp_http_conn *c, int32_t stream)
{
    static uint8_t STATUS[] = ":status", BUSY[] = "503", LENGTH[] = "content-length", ZERO[] = "0";
    const nghttp2_nv fields[] = {
        { STATUS, BUSY, sizeof STATUS - 1, sizeof BUSY - 1, NGHTTP2_NV_FLAG_NONE },
        { LENGTH, ZERO, sizeof LENGTH - 1, sizeof ZERO - 1, NGHTTP2_NV_FLAG_NONE },
    };

    c->server->stats.busy++;
    if (nghttp2_submit_response(c->session, stream, fields, PP_ARRAY_COUNT(fields), NULL) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return spend(c, COST_FRAME);
}

static void head_is_there(struct pp_http_request *q, int is_whole)
{
    struct pp_http_in *in = &q->in;
    uint32_t status = q->head_refused != 0 ? q->head_refused : pp_http_in_check_(in);

    if (status != 0) {
        refuse_later(q, status);
        return;
    }
    in->step = PP_HTTP_HEAD;
    in->head_len = in->len;
    q->is_whole = is_whole != 0;
    if (!pp_http_route_(q))
        return;
    in->framing = is_whole ? PP_HTTP_NO_BODY : PP_HTTP_LENGTH;
    in->body = q->body;
    in->body_cap = q->route->body_bytes_max;
    in->body_room = q->route->pieces ? PP_HTTP_PIECES_BYTES : in->body_cap;
    in->step = is_whole ? PP_HTTP_DONE : PP_HTTP_MORE;
    if (in->length > in->body_cap)
        refuse_later(q, 413);
    else if (is_whole || q->route->pieces)
        add_todo(q);
    else
        pp_http_wait_(q, PP_HTTP_WAIT_BODY);
}

/* --- bodies --------------------------------------------------------------------------------- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *at,
                   size_t len, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;
    struct pp_http_request *q = request_of(session, stream);

    (void)flags;
    /* One stream whose handler takes nothing must not hold back the others. */
    (void)nghttp2_session_consume_connection(session, len);
    earn_by_bytes(c, len);
    if (q == NULL || q->in.step != PP_HTTP_MORE || q->in.body == NULL) {
        (void)nghttp2_session_consume_stream(session, stream, len);
        return 0; /* it is answered already */
    }
    struct pp_http_in *in = &q->in;
    if (len > in->body_cap - in->body_total || len > in->body_room - in->body_len) {
        (void)nghttp2_session_consume_stream(session, stream, len);
        refuse_later(q, 413);
        return 0;
    }
    memcpy(in->body + in->body_len, at, len);
    in->body_len += len;
    in->body_total += len;
    if (q->route->pieces)
        add_todo(q);
    else
        (void)nghttp2_session_consume_stream(session, stream, len);
    return 0;
}

void pp_http2_taken_(struct pp_http_request *q, size_t len)
{
    pp_http_in_take(&q->in, len);
    (void)nghttp2_session_consume_stream(q->conn->session, q->stream, len);
    pp_http_conn_flush_soon_(q->conn);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;
    int is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct pp_http_request *q = request_of(session, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        c->was_of_use = 1;
        if (q == NULL)
            return refuse_for_lack_of_a_place(c, frame->hd.stream_id);
        head_is_there(q, is_end);
        return 0;
    }
    if (q == NULL || q->in.step != PP_HTTP_MORE)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        refuse_later(q, 400); /* a trailer */
    } else if (is_end) {
        q->is_whole = 1;
        q->in.step = PP_HTTP_DONE;
        add_todo(q);
    }
    return 0;
}

/* What nghttp2 refuses by itself, with a reset of the stream. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;

    (void)session;
    (void)frame;
    (void)error;
    c->server->stats.refused++;
    return spend(c, COST_CONTROL);
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *arg)
{
    struct pp_http_request *q = request_of(session, stream);

    (void)error;
    (void)arg;
    if (q == NULL)
        return 0;
    remove_todo(q);
    if (q->is_held) {
        q->is_closed = 1;
        add_todo(q);
    } else {
        pp_http_unwire_(q);
    }
    return 0;
}

/* --- answers -------------------------------------------------------------------------------- */

static ssize_t next_data(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t max,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    struct pp_http_request *q = (struct pp_http_request *)source->ptr;
    int is_streaming = q->state == PP_HTTP_Q_STREAMING;
    size_t have = is_streaming ? q->pieces_len : q->out[1].len;
    size_t n = have < max ? have : max;

    (void)session;
    (void)stream;
    (void)buf;
    (void)arg;
    if (is_streaming && have == 0 && !q->is_ended)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == have && (!is_streaming || q->is_ended))
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* From where the answer lies to what is to be sent, without nghttp2's own buffer in between. */
static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t len, nghttp2_data_source *source, void *arg)
{
    struct pp_http_conn *c = (struct pp_http_conn *)arg;
    struct pp_http_request *q = (struct pp_http_request *)source->ptr;

    (void)session;
    (void)frame;
    if (c->out->len >= PP_HTTP_OUT_FILL)
        return NGHTTP2_ERR_WOULDBLOCK;
    pp_http_out_append_(c->out, head, FRAME_HEAD_BYTES);
    if (q->state == PP_HTTP_Q_STREAMING) {
        pp_http_out_append_(c->out, q->pieces + q->pieces_from, len);
        pp_wipe(q->pieces + q->pieces_from, len);
        q->pieces_from += len;
        q->pieces_len -= len;
    } else {
        pp_http_out_append_(c->out, q->out[1].at, len);
        if (len > 0)
            q->out[1] = pp_span(q->out[1].at + len, q->out[1].len - len);
    }
    earn_by_bytes(c, len);
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    int32_t stream = frame->hd.stream_id;

    (void)arg;
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    /* RFC 9113 8.1: the answer is whole before the request was; the rest of it is not wanted. */
    if (nghttp2_session_get_stream_remote_close(session, stream) == 0)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR);
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

/* nghttp2 copies them, with the names in lower case. */
static pp_res submit(struct pp_http_request *q, const struct pp_http_reply *r)
{
    nghttp2_nv fields[REPLY_FIELDS_MAX];
    size_t count = 0;
    size_t len = 0;
    uint8_t numbers[32];
    struct pp_wr wr = pp_wr_over(numbers, sizeof numbers);
    nghttp2_data_provider body = { .source = { .ptr = q }, .read_callback = next_data };
    int is_streaming = q->state == PP_HTTP_Q_STREAMING;

    PP_TRY(pp_http_reply_check_(q, r));
    pp_wr_decimal(&wr, r->status);
    pp_wr_decimal(&wr, r->body.len);
    PP_TRY(pp_wr_ok(&wr));
    fields[count++] = field_of(PP_STR(":status"), pp_span(numbers, 3));
    if (r->type != NULL)
        fields[count++] = field_of(PP_STR("content-type"), pp_span_cstr(r->type));
    for (size_t i = 0; i < r->field_count; i++)
        fields[count++] = field_of(r->fields[i].name, r->fields[i].value);
    if (!q->is_begun && r->status != 204)
        fields[count++] = field_of(PP_STR("content-length"), pp_span(numbers + 3, wr.len - 3));
    for (size_t i = 0; i < count; i++)
        len += fields[i].namelen + fields[i].valuelen;
    PP_CHECK(len <= PP_HTTP_OUT_HEAD_BYTES, PP_E_NO_SPACE, len);
    q->out[1] = r->status == 204 || pp_http_is_head_(q) ? pp_span(NULL, 0) : r->body;
    int has_body = is_streaming || q->out[1].len > 0;
    PP_CHECK(nghttp2_submit_response(q->conn->session, q->stream, fields, count,
                                     has_body ? &body : NULL) == 0,
             PP_E_NO_MEMORY, 0);
    return PP_OK;
}

void pp_http2_answer_(struct pp_http_request *q, const struct pp_http_reply *r)
{
    static const struct pp_http_reply FAILED = { .status = 500 };

    if (!pp_is_ok(submit(q, r))) {
        q->state = PP_HTTP_Q_WRITING;
        r = &FAILED;
        if (!pp_is_ok(submit(q, r))) {
            pp_http2_cut_(q);
            return;
        }
    }
    pp_http_keep_body_(q, r);
    earn(q->conn, EARNED_BY_ANSWER);
    pp_http_wait_(q, PP_HTTP_WAIT_WRITE);
    if (r->close && !q->linger) /* what a handler asks for; a refusal ends its own stream alone */
        pp_http2_drain_(q->conn);
    pp_http_conn_flush_soon_(q->conn);
}

void pp_http2_pieces_(struct pp_http_request *q)
{
    /* An error says that it waits for nothing. */
    (void)nghttp2_session_resume_data(q->conn->session, q->stream);
    pp_http_conn_flush_soon_(q->conn);
}

void pp_http2_cut_(struct pp_http_request *q)
{
    (void)nghttp2_submit_rst_stream(q->conn->session, NGHTTP2_FLAG_NONE, q->stream,
                                    NGHTTP2_INTERNAL_ERROR);
    pp_http_conn_flush_soon_(q->conn);
}

/* --- the connection ------------------------------------------------------------------------- */

void pp_http2_fill_(struct pp_http_conn *c, struct pp_http_out *out)
{
    const uint8_t *at;
    ssize_t n = 0;

    run_todo(c);
    if (c->flooded)
        (void)nghttp2_session_terminate_session(c->session, NGHTTP2_ENHANCE_YOUR_CALM);
    while (out->len < PP_HTTP_OUT_FILL && (n = nghttp2_session_mem_send(c->session, &at)) > 0)
        pp_http_out_append_(out, at, (size_t)n);
    int is_done = n < 0 || c->flooded ||
                  (!nghttp2_session_want_read(c->session) &&
                   !nghttp2_session_want_write(c->session)) ||
                  (c->is_leaving && c->request_count == 0);
    if (is_done) {
        c->close_after = 1;
        c->linger = 1; /* so that the last GOAWAY can be read */
    }
}

void pp_http2_sent_(struct pp_http_conn *c)
{
    struct pp_http_request *q = c->requests;

    while (q != NULL) { /* a handler may end any of them meanwhile: begin anew behind each */
        int is_due = q->state == PP_HTTP_Q_STREAMING && q->wait == PP_HTTP_WAIT_WRITE &&
                     q->pieces_len == 0 && !q->is_ended;
        if (is_due)
            pp_http_drained_(q);
        q = is_due ? c->requests : q->next;
    }
    if (c->request_count == 0)
        pp_http_conn_wait_(c, c->was_of_use ? PP_HTTP_C_WAIT_IDLE : PP_HTTP_C_WAIT_FIRST);
}

void pp_http2_drain_(struct pp_http_conn *c)
{
    if (c->is_leaving)
        return;
    c->is_leaving = 1;
    (void)nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(c->session),
                                NGHTTP2_NO_ERROR, NULL, 0);
    pp_http_conn_flush_soon_(c);
}

/* What no frame's head accounted for; less than zero while one that did is under way. */
static void pay_for_unknown(struct pp_http_conn *c)
{
    if (c->unknown_bytes < UNKNOWN_PER_BYTES)
        return;
    (void)spend(c, (uint32_t)(c->unknown_bytes / UNKNOWN_PER_BYTES));
    c->unknown_bytes %= UNKNOWN_PER_BYTES;
}

static void take_input(struct pp_http_conn *c, struct pp_span bytes)
{
    c->in_loop = 1;
    ssize_t n = nghttp2_session_mem_recv(c->session, bytes.at, bytes.len);
    c->in_loop = 0;
    c->unknown_bytes += (int64_t)bytes.len;
    pay_for_unknown(c);
    if (n < 0)
        c->server->stats.refused++;
    if (n == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
        pp_http_conn_close_(c); /* not HTTP/2: it would not understand why */
        return;
    }
    c->flooded |= n < 0;
    (void)pp_http_conn_flush_(c);
}

void pp_http2_read_(struct pp_http_conn *c)
{
    uint8_t *in = c->server->in;
    ssize_t n = pp_http_conn_read_(c, in, sizeof c->server->in);

    if (n < 0)
        pp_http_conn_close_(c);
    if (n <= 0)
        return;
    take_input(c, pp_span(in, (size_t)n));
    pp_wipe(in, (size_t)n); /* what was of use was copied to the request's own place */
}

/*
 * No dynamic table in either direction (RFC 7541 4.2): it would hold memory for each idle
 * connection and could be filled to be blown up; and what one request compresses to would depend on
 * those before it, which on a relay's connection are other people's.
 */
static int say_hello(struct pp_http_conn *c)
{
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0 },
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->server->config.streams_max },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, PP_HTTP_HEAD_BYTES_MAX },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
    };

    return nghttp2_session_server_new2(&c->session, c->server->h2_callbacks, c,
                                       c->server->h2_options) == 0 &&
           nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings,
                                   PP_ARRAY_COUNT(settings)) == 0 &&
           nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW) == 0;
}

void pp_http2_begin_(struct pp_http_conn *c, struct pp_span first)
{
    c->state = PP_HTTP_C_TWO;
    c->budget = BUDGET_MAX;
    c->budget_at_ms = now_ms();
    c->flooded = c->is_leaving = 0;
    c->moved = c->head_bytes = 0;
    c->unknown_bytes = -(int64_t)PP_HTTP_PREFACE_BYTES;
    c->todo = c->last_todo = NULL;
    if (say_hello(c))
        take_input(c, first);
    else
        pp_http_conn_close_(c);
}

void pp_http2_end_(struct pp_http_conn *c)
{
    if (c->session == NULL)
        return;
    for (struct pp_http_request *q = c->requests; q != NULL; q = q->next)
        q->is_todo = 0;
    c->todo = NULL;
    nghttp2_session_del(c->session);
    c->session = NULL;
}

/* --- what all connections share ------------------------------------------------------------- */

pp_res pp_http2_make_(struct pp_http_server *s)
{
    PP_CHECK(nghttp2_session_callbacks_new(&s->h2_callbacks) == 0 &&
                 nghttp2_option_new(&s->h2_options) == 0,
             PP_E_NO_MEMORY, 0);
    nghttp2_session_callbacks *b = s->h2_callbacks;
    nghttp2_session_callbacks_set_on_begin_frame_callback(b, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(b, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(b, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(b, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(b, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(b, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(b, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(b, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(b, on_frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(b, send_data);
    /* Windows open when somebody has taken what came, and not before. */
    nghttp2_option_set_no_auto_window_update(s->h2_options, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(s->h2_options, 0);
    nghttp2_option_set_max_settings(s->h2_options, SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_max_continuations(s->h2_options, CONTINUATIONS_MAX);
    nghttp2_option_set_no_closed_streams(s->h2_options, 1);
    return PP_OK;
}

void pp_http2_done_(struct pp_http_server *s)
{
    nghttp2_session_callbacks_del(s->h2_callbacks);
    nghttp2_option_del(s->h2_options);
}
