/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "ct.h"
#include "http_server_int.h"
#include "wr.h"

enum { CHUNK_HEAD_BYTES = 16, LAST_CHUNK_BYTES = 5 };

/* --- answers -------------------------------------------------------------------------------- */

static const char *reason_of(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *reason;
    } ROWS[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++)
        if (ROWS[i].status == status)
            return ROWS[i].reason;
    return ""; /* RFC 9112 4: it may be empty */
}

static void write_line(struct pp_wr *wr, struct pp_span name, struct pp_span value)
{
    pp_wr_span(wr, name);
    pp_wr_text(wr, ": ");
    pp_wr_span(wr, value);
    pp_wr_text(wr, "\r\n");
}

static pp_res write_head(const struct pp_http_request *q, const struct pp_http_reply *r,
                         struct pp_wr *wr)
{
    PP_TRY(pp_http_reply_check_(q, r));
    pp_wr_text(wr, "HTTP/1.1 ");
    pp_wr_decimal(wr, r->status);
    pp_wr_text(wr, " ");
    pp_wr_text(wr, reason_of(r->status));
    pp_wr_text(wr, "\r\n");
    if (r->type != NULL)
        write_line(wr, PP_STR("Content-Type"), pp_span_cstr(r->type));
    for (size_t i = 0; i < r->field_count; i++)
        write_line(wr, r->fields[i].name, r->fields[i].value);
    if (q->state == PP_HTTP_Q_STREAMING) {
        pp_wr_text(wr, "Transfer-Encoding: chunked\r\n");
    } else if (r->status != 204 && !q->is_begun) {
        pp_wr_text(wr, "Content-Length: ");
        pp_wr_decimal(wr, r->body.len);
        pp_wr_text(wr, "\r\n");
    }
    pp_wr_text(wr, q->close_after ? "Connection: close\r\n\r\n" : "\r\n");
    return pp_wr_ok(wr);
}

void pp_http1_answer_(struct pp_http_request *q, const struct pp_http_reply *r)
{
    static const struct pp_http_reply FAILED = { .status = 500, .close = 1 };
    struct pp_wr wr = pp_wr_over(q->out_head, sizeof q->out_head);
    struct pp_http_conn *c = q->conn;

    /* A body that is not whole stands between this request and the next. */
    q->close_after = r->close || !q->in.keep_alive || q->server->draining || !q->is_whole;
    q->linger |= !q->is_whole;
    if (!pp_is_ok(write_head(q, r, &wr))) {
        wr = pp_wr_over(q->out_head, sizeof q->out_head);
        r = &FAILED;
        q->close_after = 1;
        q->state = PP_HTTP_Q_WRITING;
        PP_ASSERT(pp_is_ok(write_head(q, r, &wr)));
    }
    q->out[0] = pp_wr_done(&wr);
    q->out[1] = r->status == 204 || pp_http_is_head_(q) ? pp_span(NULL, 0) : r->body;
    if (q->state != PP_HTTP_Q_STREAMING)
        (void)event_del(&c->closed);
    pp_http_wait_(q, PP_HTTP_WAIT_WRITE);
    if (q->state == PP_HTTP_Q_STREAMING)
        pp_http_conn_flush_soon_(c);
    else if (pp_http_conn_flush_(c) && c->requests == q)
        pp_http_keep_body_(q, r);
}

void pp_http1_pieces_(struct pp_http_request *q)
{
    pp_http_conn_flush_soon_(q->conn);
}

/* Without its last chunk the answer is visibly not whole. */
void pp_http1_cut_(struct pp_http_request *q)
{
    pp_http_conn_close_(q->conn);
}

/* --- what is to be sent --------------------------------------------------------------------- */

/* RFC 9112 7.1: what waits becomes one chunk. */
static void fill_chunk(struct pp_http_request *q, struct pp_http_out *out)
{
    char head[CHUNK_HEAD_BYTES];
    size_t room = pp_http_out_room_(out);
    size_t n = q->pieces_len < room ? q->pieces_len : room;

    if (n > 0) {
        int head_len = snprintf(head, sizeof head, "%zx\r\n", n);
        pp_http_out_append_(out, head, (size_t)head_len);
        pp_http_out_append_(out, q->pieces + q->pieces_from, n);
        pp_http_out_append_(out, "\r\n", 2);
        pp_wipe(q->pieces + q->pieces_from, n);
        q->pieces_from += n;
        q->pieces_len -= n;
    }
    if (q->is_ended && q->pieces_len == 0 && !q->end_sent) {
        pp_http_out_append_(out, "0\r\n\r\n", LAST_CHUNK_BYTES);
        q->end_sent = 1;
    }
}

void pp_http1_fill_(struct pp_http_conn *c, struct pp_http_out *out)
{
    struct pp_http_request *q = c->requests;

    if (q == NULL || q->state < PP_HTTP_Q_WRITING)
        return;
    for (int i = 0; i < 2; i++) {
        size_t room = pp_http_out_room_(out);
        size_t n = q->out[i].len < room ? q->out[i].len : room;
        pp_http_out_append_(out, q->out[i].at, n);
        if (n > 0)
            q->out[i] = pp_span(q->out[i].at + n, q->out[i].len - n);
    }
    if (q->state == PP_HTTP_Q_STREAMING)
        fill_chunk(q, out);
    if (q->close_after && (q->state == PP_HTTP_Q_WRITING || q->end_sent)) {
        c->close_after = 1;
        c->linger = q->linger != 0;
    }
}

static void answer_is_out(struct pp_http_conn *c, struct pp_http_request *q)
{
    pp_http_wipe_(q);
    pp_http_in_next(&q->in);
    if (pp_http_in_is_idle(&q->in)) {
        pp_http_unwire_(q);
        pp_http_conn_wait_(c, PP_HTTP_C_WAIT_IDLE);
        (void)pp_http_conn_resume_(c);
        return;
    }
    pp_http_wait_(q, PP_HTTP_WAIT_NOTHING);
    q->state = PP_HTTP_Q_READING;
    pp_http_wait_(q, PP_HTTP_WAIT_HEAD);
    if (!pp_http_conn_resume_(c))
        return;
    /* A pipelined request waits for the next turn: a handler is called by the loop alone. */
    if (q->in.step != PP_HTTP_MORE)
        event_active(&c->readable, EV_READ, 0);
}

void pp_http1_sent_(struct pp_http_conn *c)
{
    struct pp_http_request *q = c->requests;

    if (q == NULL)
        return;
    if (q->state == PP_HTTP_Q_WRITING || (q->state == PP_HTTP_Q_STREAMING && q->end_sent))
        answer_is_out(c, q);
    else if (q->state == PP_HTTP_Q_STREAMING)
        pp_http_drained_(q);
}

/* --- requests ------------------------------------------------------------------------------- */

static void hand_over_or_wait(struct pp_http_request *q)
{
    int is_pieces = q->route != NULL && q->route->pieces;

    q->is_whole = q->in.step == PP_HTTP_DONE;
    if (q->in.step == PP_HTTP_REFUSED)
        pp_http_refuse_(q, q->in.refused);
    else if (q->is_whole || is_pieces)
        pp_http_tell_(q);
    else
        pp_http_wait_(q, q->in.head_len == 0 ? PP_HTTP_WAIT_HEAD : PP_HTTP_WAIT_BODY);
}

static void process(struct pp_http_request *q)
{
    if (q->in.step == PP_HTTP_HEAD) {
        if (!pp_http_route_(q))
            return;
        size_t cap = q->route->body_bytes_max;
        pp_http_in_body(&q->in, q->body, q->route->pieces ? PP_HTTP_PIECES_BYTES : cap, cap);
    }
    hand_over_or_wait(q);
}

/* More of a body in pieces, while its handler has it. */
static void read_pieces(struct pp_http_conn *c, struct pp_http_request *q)
{
    size_t before = q->in.body_total;
    uint8_t *at;

    pp_http_in_go_on(&q->in);
    if (q->in.step == PP_HTTP_MORE) {
        size_t cap = pp_http_in_space(&q->in, &at);
        ssize_t n = cap > 0 ? pp_http_conn_read_(c, at, cap) : 0;
        if (cap == 0)
            pp_http_conn_pause_(c); /* until the handler takes some */
        if (n < 0) {
            pp_http_conn_close_(c);
            return;
        }
        if (n > 0)
            pp_http_in_filled(&q->in, (size_t)n);
    }
    if (q->in.body_total != before || q->in.step != PP_HTTP_MORE)
        hand_over_or_wait(q);
}

static void read_request(struct pp_http_conn *c, struct pp_http_request *q)
{
    if (q->in.step == PP_HTTP_MORE) {
        uint8_t *at;
        size_t cap = pp_http_in_space(&q->in, &at);
        ssize_t n = pp_http_conn_read_(c, at, cap);

        if (n == 0 && q->in.len == 0)
            pp_http_unwire_(q); /* a false alarm: the connection is idle still */
        if (n < 0)
            pp_http_conn_close_(c);
        if (n <= 0)
            return;
        pp_http_conn_wait_(c, PP_HTTP_C_WAIT_NOTHING);
        pp_http_in_filled(&q->in, (size_t)n);
    }
    process(q);
}

/*
 * Something happened on a connection whose answer is not ready: more requests, or the client
 * leaves.
 */
static void look_at_waiting_client(struct pp_http_conn *c)
{
    uint8_t byte;
    ssize_t n = recv(c->socket.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n > 0) {
        pp_http_conn_pause_(c);
        (void)event_add(&c->closed, NULL); /* without it, only the answer finds out */
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    pp_http_conn_close_(c);
}

/* All places are taken: said as it is to a connection over the limit. */
static void refuse_for_lack_of_a_place(struct pp_http_conn *c)
{
    static const char BUSY[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";

    c->server->stats.busy++;
    if (c->tls != NULL)
        (void)pp_http_tls_write_(c, (const uint8_t *)BUSY, sizeof BUSY - 1);
    else
        (void)send(c->socket.fd, BUSY, sizeof BUSY - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    c->close_after = c->linger = 1;
    (void)pp_http_conn_flush_(c);
}

static struct pp_http_request *begin_request(struct pp_http_conn *c)
{
    struct pp_http_request *q = pp_http_slot_take_(c);

    if (q == NULL) {
        refuse_for_lack_of_a_place(c);
        return NULL;
    }
    return q;
}

void pp_http1_begin_(struct pp_http_conn *c, struct pp_span first)
{
    struct pp_http_request *q = begin_request(c);
    uint8_t *at;

    if (q == NULL)
        return;
    PP_ASSERT(first.len <= pp_http_in_space(&q->in, &at));
    memcpy(at, first.at, first.len);
    pp_http_conn_wait_(c, PP_HTTP_C_WAIT_NOTHING);
    pp_http_in_filled(&q->in, first.len);
    process(q);
}

void pp_http1_read_(struct pp_http_conn *c)
{
    struct pp_http_request *q = c->requests != NULL ? c->requests : begin_request(c);

    if (q == NULL)
        return;
    if (q->state == PP_HTTP_Q_READING)
        read_request(c, q);
    else if (!q->is_whole && q->is_held && q->in.step == PP_HTTP_MORE)
        read_pieces(c, q);
    else if (q->is_held)
        look_at_waiting_client(c);
    else
        pp_http_conn_pause_(c); /* it is the next request's: it waits in the kernel */
}

void pp_http1_taken_(struct pp_http_request *q, size_t len)
{
    pp_http_in_take(&q->in, len);
    if (q->in.step != PP_HTTP_MORE || q->conn == NULL)
        return;
    if (pp_http_conn_resume_(q->conn))
        event_active(&q->conn->readable, EV_READ, 0); /* some may have come already */
}

void pp_http1_closed_(struct pp_http_conn *c)
{
    pp_http_conn_close_(c);
}
