/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

enum { REFUSED_EVENTS_MS = 1000, ANSWER_BYTES = 512 };

static void reply(struct pp_http_request *q, uint32_t status, const char *type, struct pp_span body)
{
    const struct pp_http_reply r = { .status = status, .type = type, .body = body };

    pp_http_reply(q, &r);
}

static size_t number_of(const struct pp_witness_service *s, const struct pp_witness_page *page)
{
    return page == NULL ? s->book->count : (size_t)(page - s->book->pages);
}

static void tell_refused(struct pp_witness_service *s, const struct pp_witness_page *page,
                         uint32_t status)
{
    uint64_t now = pp_clock_mono_ms(&s->clock);

    s->refused++;
    if (now - s->told_refused_ms < REFUSED_EVENTS_MS)
        return;
    s->told_refused_ms = now;
    pp_ev_witness_refused(s->events, number_of(s, page), status, s->refused);
}

/* 409 tells the size, so that the log can ask again with the right proof. */
static void refuse(struct pp_witness_service *s, struct pp_http_request *q,
                   const struct pp_witness_page *page, enum pp_witness_status status)
{
    char text[32];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    tell_refused(s, page, (uint32_t)status);
    if (status != PP_WITNESS_CONFLICT) {
        pp_http_reply_status(q, (uint32_t)status);
        return;
    }
    pp_wr_decimal(&wr, page->state.size);
    pp_wr_u8(&wr, '\n');
    reply(q, (uint32_t)status, "text/x.tlog.size", pp_wr_done(&wr));
}

/* Which rule of the records is broken, for the log's operator. */
static void refuse_records(struct pp_witness_service *s, struct pp_http_request *q,
                           const struct pp_witness_page *page, pp_res why)
{
    char text[ANSWER_BYTES];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uint32_t status = pp_reader_is_passing(why.code) ? 503 : PP_WITNESS_REFUSED;

    tell_refused(s, page, status);
    pp_wr_text(&wr, pp_code_name(why.code));
    pp_wr_u8(&wr, '\n');
    reply(q, status, "text/plain; charset=utf-8", pp_wr_done(&wr));
}

static int is_of_signer(uint32_t code)
{
    return code == PP_E_SIGNER_GONE || code == PP_E_SIGNER_LATE || code == PP_E_SIGNER_WRONG;
}

static void cosign(struct pp_witness_service *s, struct pp_http_request *q,
                   struct pp_witness_page *page, const struct pp_witness_request *r,
                   const struct pp_witness_state *next)
{
    uint8_t line[PP_NOTE_LINE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(line, sizeof line);
    pp_res res = pp_witness_book_cosign(s->book, page, r, next, pp_clock_posix_s(&s->clock), &wr);

    if (!pp_is_ok(res)) {
        if (is_of_signer(res.code))
            pp_ev_witness_signer_failed(s->events, res.code);
        else
            pp_ev_witness_store_failed(s->events, res.code);
        pp_http_reply_status(q, 500);
        return;
    }
    pp_ev_witness_cosigned(s->events, number_of(s, page), page->state.size);
    reply(q, PP_WITNESS_COSIGN, "text/plain; charset=utf-8", pp_wr_done(&wr));
}

/* Parses and decides; the page is that of the request's origin, or NULL. */
static enum pp_witness_status decide(struct pp_witness_service *s, struct pp_http_request *q,
                                     struct pp_witness_request *r, struct pp_witness_page **page,
                                     struct pp_witness_state *next)
{
    static const struct pp_witness_state NOTHING;

    *page = NULL;
    if (!pp_is_ok(pp_witness_request_parse(pp_http_request_body(q), r)))
        return PP_WITNESS_MALFORMED;
    *page = pp_witness_book_find(s->book, r->checkpoint.origin);
    return pp_witness_decide(*page == NULL ? NULL : &(*page)->log,
                             *page == NULL ? &NOTHING : &(*page)->state, r, next);
}

/* --- the record witness -------------------------------------------------------------------- */

/* The tree was read. What was decided before is decided again: only the stored state counts. */
static void on_read(void *ctx, pp_res result)
{
    struct pp_witness_service *s = ctx;
    struct pp_http_request *q = s->waiting;
    struct pp_witness_request r;
    struct pp_witness_page *page;
    struct pp_witness_state next;

    if (q == NULL)
        return; /* it left; the next one finds the tree read already */
    s->waiting = NULL;
    enum pp_witness_status status = decide(s, q, &r, &page, &next);
    if (status != PP_WITNESS_COSIGN)
        refuse(s, q, page, status);
    else if (!pp_is_ok(result))
        refuse_records(s, q, page, result);
    else
        cosign(s, q, page, &r, &next);
}

static void on_gone(void *ctx)
{
    struct pp_witness_service *s = ctx;
    struct pp_http_request *q = s->waiting;

    s->waiting = NULL;
    pp_http_reply_status(q, 503);
}

static void read_first(struct pp_witness_service *s, struct pp_http_request *q,
                       const struct pp_witness_request *r, const struct pp_witness_page *page)
{
    if (pp_reader_is_busy(s->reader)) {
        refuse_records(s, q, page, PP_FAIL(PP_E_BUSY, 0));
        return;
    }
    s->waiting = q;
    pp_http_request_on_gone(q, on_gone, s);
    pp_reader_read(s->reader, r->checkpoint.size, &r->checkpoint.root, on_read, s);
}

/* --- routes -------------------------------------------------------------------------------- */

static void on_add_checkpoint(void *ctx, struct pp_http_request *q)
{
    struct pp_witness_service *s = ctx;
    struct pp_witness_request r;
    struct pp_witness_page *page;
    struct pp_witness_state next;
    enum pp_witness_status status = decide(s, q, &r, &page, &next);

    if (status != PP_WITNESS_COSIGN)
        refuse(s, q, page, status);
    else if (s->reader != NULL)
        read_first(s, q, &r, page);
    else
        cosign(s, q, page, &r, &next);
}

static void on_monitor(void *ctx, struct pp_http_request *q)
{
    static const struct pp_span END = { (const uint8_t *)"/checkpoint", 11 };
    const struct pp_witness_service *s = ctx;
    struct pp_span path = pp_http_request_path(q);
    struct pp_http_reply r = {
        .status = 200,
        .type = "text/plain; charset=utf-8",
        .body_stays = 1,
    };
    struct pp_buf note = { 0 };

    if (path.len != 1 + PP_WITNESS_ID_CHARS + END.len ||
        !pp_span_eq(pp_span(path.at + 1 + PP_WITNESS_ID_CHARS, END.len), END) ||
        !pp_is_ok(
            pp_witness_book_note(s->book, pp_span(path.at + 1, PP_WITNESS_ID_CHARS), &note))) {
        pp_http_reply_status(q, 404);
        return;
    }
    pp_res copied = pp_arena_copy(pp_http_request_arena(q), pp_buf_span(&note), &r.body);
    pp_buf_done(&note);
    if (pp_is_ok(copied))
        pp_http_reply(q, &r);
    else
        pp_http_reply_status(q, 500);
}

void pp_witness_service_routes(struct pp_witness_service *s,
                               struct pp_http_route ret[PP_WITNESS_ROUTES])
{
    const struct pp_http_route routes[PP_WITNESS_ROUTES] = {
        { "POST", "/add-checkpoint", PP_WITNESS_REQUEST_MAX, on_add_checkpoint, s },
        { "GET", "/*", 0, on_monitor, s },
    };

    memcpy(ret, routes, sizeof routes);
}

void pp_witness_service_stop(struct pp_witness_service *s)
{
    if (s->waiting != NULL)
        on_gone(s);
}
