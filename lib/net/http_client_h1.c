/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 (RFC 9112): one call at a time. */
#include "ct.h"
#include "http_client_int.h"
#include "http_int.h"
#include "wr.h"

enum { CHUNK_HEAD_BYTES = 8, CHUNK_BYTES_MAX = 0xFFFF };

/* --- the request ---------------------------------------------------------------------------- */

static void write_line(struct pp_wr *wr, struct pp_span name, struct pp_span value)
{
    pp_wr_span(wr, name);
    pp_wr_text(wr, value.len > 0 ? ": " : ":");
    pp_wr_span(wr, value);
    pp_wr_text(wr, "\r\n");
}

static void fill_head(const struct pp_http_pending *p, struct pp_http_out *out)
{
    struct pp_wr wr = pp_wr_over(out->bytes + out->len, sizeof out->bytes - out->len);
    const struct pp_http_origin *o = p->origin;

    pp_wr_span(&wr, p->method);
    pp_wr_text(&wr, " ");
    pp_wr_span(&wr, p->target);
    pp_wr_text(&wr, " HTTP/1.1\r\n");
    write_line(&wr, PP_STR("Host"), pp_span(o->authority, o->authority_len));
    for (size_t i = 0; i < p->field_count; i++)
        write_line(&wr, p->fields[i].name, p->fields[i].value);
    if (p->pull != NULL) {
        pp_wr_text(&wr, "Transfer-Encoding: chunked\r\n");
    } else if (p->has_body) {
        pp_wr_text(&wr, "Content-Length: ");
        pp_wr_decimal(&wr, p->body_len);
        pp_wr_text(&wr, "\r\n");
    }
    pp_wr_text(&wr, "\r\n");
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr))); /* PP_HTTP_TEXT_BYTES and a little is less */
    out->len += wr.len;
}

static void fill_body(struct pp_http_pending *p, struct pp_http_out *out)
{
    size_t room = pp_http_out_room_(out);
    size_t n = p->body.len < room ? p->body.len : room;

    pp_http_out_append_(out, p->body.at, n);
    if (n > 0)
        p->body = pp_span(p->body.at + n, p->body.len - n);
    p->is_sent = p->body.len == 0;
}

/* RFC 9112 7.1: what the source has becomes one chunk. 0: it gave up. */
static int fill_chunk(struct pp_http_pending *p, struct pp_http_out *out)
{
    uint8_t *at = out->bytes + out->len;
    size_t room = pp_http_out_room_(out);
    char head[CHUNK_HEAD_BYTES];

    room = room < CHUNK_BYTES_MAX ? room : CHUNK_BYTES_MAX;
    PP_ASSERT(room > 0); /* it is filled when it is empty, and a head leaves room */
    long n = p->pull(p->pieces_ctx, at + CHUNK_HEAD_BYTES, room);
    PP_ASSERT(n >= PP_HTTP_PULL_ABORT && (n < 0 || (size_t)n <= room));
    if (n == PP_HTTP_PULL_ABORT)
        return 0;
    if (n == PP_HTTP_PULL_LATER)
        return 1;
    if (n == PP_HTTP_PULL_END) {
        pp_http_out_append_(out, "0\r\n\r\n", 5);
        p->is_sent = 1;
        return 1;
    }
    int head_len = snprintf(head, sizeof head, "%lx\r\n", (unsigned long)n);
    memmove(at + head_len, at + CHUNK_HEAD_BYTES, (size_t)n);
    pp_http_out_append_(out, head, (size_t)head_len);
    out->len += (size_t)n;
    pp_http_out_append_(out, "\r\n", 2);
    return 1;
}

static void give_up(struct pp_http_link *l, uint32_t code)
{
    pp_http_link_end_(l, PP_FAIL(code, 0));
}

void pp_http_one_fill_(struct pp_http_link *l, struct pp_http_out *out)
{
    struct pp_http_pending *p = l->calls;

    if (p == NULL || p->is_sent)
        return;
    if (!p->is_head_sent)
        fill_head(p, out);
    p->is_head_sent = 1;
    if (p->pull == NULL)
        fill_body(p, out);
    else if (!fill_chunk(p, out))
        give_up(l, PP_E_CANCELLED);
}

void pp_http_one_begin_(struct pp_http_link *l, struct pp_http_pending *p)
{
    pp_http_link_add_(l, p);
    pp_http_resp_init(&l->resp, p->line, pp_span_eq(p->method, PP_STR("HEAD")) != 0);
    (void)pp_http_link_flush_(l);
}

/* --- the answer ----------------------------------------------------------------------------- */

/* RFC 9112 9.3: kept, if both sides have said all and nothing that they should not have. */
static void complete(struct pp_http_link *l, struct pp_http_pending *p, int has_more)
{
    struct pp_http_origin *o = l->origin;
    int is_kept = l->resp.keep_alive && !has_more && p->is_sent && l->out == NULL && !l->is_mute;

    p->answer = l->resp.head;
    pp_http_link_remove_(p);
    pp_http_call_over_(p, PP_OK);
    if (!is_kept) {
        pp_http_link_end_(l, PP_OK);
        return;
    }
    l->next = o->idle;
    o->idle = l;
    if (o->waiting != NULL)
        pp_http_origin_due_(o);
}

/* A piece that is not taken: nothing is read until it is; what came behind it waits with it. */
static void hold(struct pp_http_link *l, struct pp_http_pending *p, struct pp_span in)
{
    PP_ASSERT(in.len <= l->client->held_bytes);
    memmove(p->held, in.at, in.len);
    p->held_len = in.len;
    p->held_high = in.len > p->held_high ? in.len : p->held_high;
    pp_http_link_pause_(l);
}

/* The whole body is in what was just read: it can stay there until `done` has seen it. */
static int stays(const struct pp_http_link *l, const struct pp_http_pending *p, struct pp_span body)
{
    return p->piece == NULL && p->got_len == 0 && pp_http_resp_direct(&l->resp) == body.len &&
           body.at >= l->client->in && body.at < l->client->in + sizeof l->client->in;
}

/* 1: more of the connection is needed; 0: it is paused, unused or gone. */
static int feed(struct pp_http_link *l, struct pp_http_pending *p, struct pp_span in)
{
    struct pp_http_resp *r = &l->resp;
    struct pp_span body = { 0 };
    uint32_t failed = PP_E_OK;
    size_t taken;

    for (;;) {
        switch (pp_http_resp_next(r, &in, &body)) {
        case PP_HTTP_RESP_MORE:
            return 1;
        case PP_HTTP_RESP_DONE:
            complete(l, p, in.len > 0);
            return 0;
        case PP_HTTP_RESP_FAILED:
            failed = r->failed;
            break;
        case PP_HTTP_RESP_HEAD:
            failed = pp_http_call_head_(p, &r->head);
            break;
        case PP_HTTP_RESP_BODY:
            if (stays(l, p, body)) {
                p->in_place = body;
                pp_http_resp_take(r, &in, body.len);
                break;
            }
            taken = pp_http_call_body_(p, body, &failed);
            pp_http_resp_take(r, &in, taken);
            if (p->is_paused) {
                hold(l, p, in);
                return 0;
            }
            break;
        }
        if (failed != PP_E_OK) {
            give_up(l, failed);
            return 0;
        }
    }
}

/* The rest of a body whose length is known goes where it is wanted. */
static size_t direct(const struct pp_http_link *l, const struct pp_http_pending *p)
{
    uint64_t left = pp_http_resp_direct(&l->resp);

    return p->piece == NULL && p->is_head_there ? (size_t)left : 0; /* it is within the limit */
}

/* 1: there may be more to read now. */
static int read_some(struct pp_http_link *l, struct pp_http_pending *p)
{
    struct pp_http_client *c = l->client;
    size_t want = direct(l, p);
    size_t cap = p->piece != NULL ? c->held_bytes : sizeof c->in;
    ssize_t n;

    if (cap > sizeof c->in)
        cap = sizeof c->in;
    n = want > 0 ? pp_http_link_read_(l, p->got + p->got_len, want)
                 : pp_http_link_read_(l, c->in, cap);
    if (n < 0)
        give_up(l, pp_http_resp_end(&l->resp));
    if (n <= 0)
        return 0;
    if (want == 0) {
        int goes_on = feed(l, p, pp_span(c->in, (size_t)n));
        if (p->in_place.len == 0)
            pp_wipe(c->in, (size_t)n);
        return goes_on;
    }
    p->got_len += (size_t)n;
    pp_http_resp_filled(&l->resp, (size_t)n);
    return feed(l, p, pp_span(c->in, 0));
}

/* An unused one: tickets of TLS, or its end, or what nobody asked for. */
static void read_unused(struct pp_http_link *l)
{
    uint8_t byte;

    if (pp_http_link_read_(l, &byte, 1) != 0)
        pp_http_link_end_(l, PP_OK);
}

void pp_http_one_read_(struct pp_http_link *l)
{
    struct pp_http_pending *p = l->calls;

    if (p == NULL) {
        read_unused(l);
        return;
    }
    if (p->is_paused)
        return;
    while (read_some(l, p))
        ;
}

void pp_http_one_resume_(struct pp_http_pending *p)
{
    struct pp_http_link *l = p->link;

    if (p->pull != NULL && !p->is_sent && !pp_http_link_flush_(l))
        return;
    if (!p->is_paused)
        return;
    p->is_paused = 0;
    size_t len = p->held_len;
    p->held_len = 0;
    (void)feed(l, p, pp_span(p->held, len));
    int waits_on = p->state == PP_HTTP_P_LINKED && p->is_paused;
    if (l->state == PP_HTTP_L_ONE && !waits_on)
        pp_http_link_unpause_(l);
}
