/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a log over HTTP. Each has a slot; a call that is under way fills it from the loop, which
 * runs only while somebody waits for a file.
 */
#include "log_source_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "gunzip.h"

enum { OK = 200, NOT_THERE = 404, GONE = 410, FIRST_BYTES = 1 << 14 };

static pp_res begin(struct pp_log_fetch *f);

/* --- an answer ------------------------------------------------------------------------------ */

static int on_head(void *ctx, const struct pp_http_response *response)
{
    struct pp_log_fetch *f = ctx;

    f->status = response->status;
    f->coding = response->content_coding;
    pp_printable(f->type, sizeof f->type, response->type);
    return 1;
}

/* Memory follows what has come, not what was announced. */
static int grow(struct pp_log_fetch *f, size_t len)
{
    size_t cap = f->cap == 0 ? FIRST_BYTES : f->cap;

    if (len <= f->cap)
        return 1;
    while (cap < len)
        cap *= 2;
    uint8_t *bytes = realloc(f->body.bytes, cap + 1);
    if (bytes == NULL)
        return 0;
    f->body.bytes = bytes;
    f->cap = cap;
    return 1;
}

/* gzip may make what hardly shrinks a little longer. */
static size_t sent_max(const struct pp_log_fetch *f)
{
    return f->coding == PP_HTTP_GZIP ? f->max + f->max / 1000 + 64 : f->max;
}

static int on_piece(void *ctx, struct pp_span bytes)
{
    struct pp_log_fetch *f = ctx;
    size_t max = f->status == OK ? sent_max(f) : PP_LOG_FETCH_REFUSED_MAX;

    f->is_too_long = bytes.len > max - f->body.len;
    if (f->is_too_long)
        return -1;
    if (f->status != OK) { /* counted, not kept */
        f->body.len += bytes.len;
        return 1;
    }
    f->has_no_room = !grow(f, f->body.len + bytes.len);
    if (f->has_no_room)
        return -1;
    if (bytes.len > 0)
        memcpy(f->body.bytes + f->body.len, bytes.at, bytes.len);
    f->body.len += bytes.len;
    return 1;
}

static pp_res unpack(struct pp_log_fetch *f)
{
    struct pp_buf plain = { 0 };

    if (f->coding == PP_HTTP_IDENTITY)
        return PP_OK;
    PP_CHECK(f->coding == PP_HTTP_GZIP, PP_E_LOG_FILE, f->coding);
    pp_res r = pp_gunzip(pp_buf_span(&f->body), f->max, &plain);
    if (!pp_is_ok(r)) {
        if (r.code != PP_E_NO_MEMORY)
            r.code = PP_E_LOG_FILE;
        return r;
    }
    pp_buf_done(&f->body);
    f->body = plain;
    return PP_OK;
}

/* What the answer is worth, before its form is looked at. */
static pp_res judge(struct pp_log_fetch *f, pp_res r)
{
    PP_CHECK(!f->has_no_room, PP_E_NO_MEMORY, f->body.len);
    if (r.code == PP_E_CANCELLED && f->is_too_long && f->status == OK)
        return PP_FAIL(PP_E_LOG_FILE, f->body.len);
    if (f->is_too_long)
        return PP_FAIL(PP_E_HTTP_STATUS, f->status);
    PP_TRY(r);
    PP_CHECK(f->status != NOT_THERE && f->status != GONE, PP_E_NOT_FOUND, f->status);
    PP_CHECK(f->status == OK, PP_E_HTTP_STATUS, f->status);
    PP_CHECK(f->body.bytes != NULL, PP_E_LOG_FILE, 0);
    return unpack(f);
}

static void forget_answer(struct pp_log_fetch *f)
{
    pp_buf_done(&f->body);
    f->cap = 0;
    f->status = 0;
    f->coding = PP_HTTP_IDENTITY;
    f->type[0] = '\0';
}

/* 1: the same file, or the full tile, is asked for instead. */
static int again(struct pp_log_fetch *f, pp_res r)
{
    if (r.code == PP_E_CLOSED && f->tries < PP_LOG_FETCH_TRIES) {
        forget_answer(f);
        return pp_is_ok(begin(f));
    }
    if (r.code != PP_E_NOT_FOUND || !f->is_tile || f->width == PP_TILE_WIDTH)
        return 0;
    forget_answer(f);
    f->width = PP_TILE_WIDTH; /* the partial tile was removed when it was full */
    f->tries = 0;
    pp_log_tile_name_(&f->tile, f->width, f->name);
    return pp_is_ok(begin(f));
}

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct pp_log_fetch *f = ctx;

    (void)response;
    f->pending = NULL;
    f->result = judge(f, r);
    if (again(f, f->result))
        return;
    f->state = PP_LOG_FETCH_HERE;
    if (f == f->fetcher->awaited)
        pp_loop_stop(f->fetcher->loop);
}

static pp_res begin(struct pp_log_fetch *f)
{
    char url[PP_HTTP_URL_BYTES_MAX + 1] = "";
    struct pp_wr wr = pp_wr_over(url, sizeof url - 1);

    pp_wr_text(&wr, f->fetcher->url);
    pp_wr_u8(&wr, '/');
    pp_wr_text(&wr, f->name);
    PP_TRY(pp_wr_ok(&wr));
    const struct pp_http_call call = {
        .method = "GET",
        .url = url,
        .deadline_ms = f->fetcher->deadline_ms,
        .head = on_head,
        .piece = on_piece,
        .ctx = f,
    };
    f->tries++;
    return pp_http_client_start(f->fetcher->client, &call, on_done, f, &f->pending);
}

/* --- slots ------------------------------------------------------------------------------------ */

static void drop(struct pp_log_fetch *f)
{
    if (f->pending != NULL)
        pp_http_client_cancel(f->pending);
    pp_buf_done(&f->body);
    *f = (struct pp_log_fetch){ .fetcher = f->fetcher };
}

static int is_same(const struct pp_tile *a, const struct pp_tile *b)
{
    return a->entries == b->entries && a->level == b->level && a->index == b->index &&
           a->width == b->width;
}

static struct pp_log_fetch *find(struct pp_log_fetcher *f, const struct pp_tile *t)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(f->slots); i++) {
        struct pp_log_fetch *slot = &f->slots[i];
        if (slot->state != PP_LOG_FETCH_FREE && slot->is_tile && is_same(&slot->tile, t))
            return slot;
    }
    return NULL;
}

static struct pp_log_fetch *find_free(struct pp_log_fetcher *f)
{
    for (size_t i = 0; i < PP_LOG_SOURCE_AHEAD_MAX; i++)
        if (f->slots[i].state == PP_LOG_FETCH_FREE)
            return &f->slots[i];
    return NULL;
}

static void fill(struct pp_log_fetch *f, const struct pp_tile *t, const char *name, size_t max)
{
    f->state = PP_LOG_FETCH_UNDER_WAY;
    f->max = max;
    if (t == NULL) {
        PP_ASSERT(name != NULL); /* one of the two */
        snprintf(f->name, sizeof f->name, "%s", name);
    } else {
        f->is_tile = 1;
        f->tile = *t;
        f->width = t->width;
        pp_log_tile_name_(t, t->width, f->name);
    }
    f->result = begin(f);
    if (!pp_is_ok(f->result))
        f->state = PP_LOG_FETCH_HERE;
}

void pp_log_fetch_ahead_(struct pp_log_fetcher *f, const struct pp_tile *t)
{
    struct pp_log_fetch *slot = find(f, t) == NULL ? find_free(f) : NULL;

    if (slot != NULL)
        fill(slot, t, NULL, pp_log_tile_max_(t));
}

/* The words of a failure; those of the form of what came are the caller's. */
static void explain(const struct pp_log_fetch *f, struct pp_problem *problem)
{
    char expected[96], got[192];

    snprintf(expected, sizeof expected, "the file, of at most %zu bytes, within %u ms", f->max,
             f->fetcher->deadline_ms);
    if (f->result.code == PP_E_HTTP_STATUS && f->status >= 300 && f->status < 400)
        snprintf(got, sizeof got, "a redirect (%u), which is not followed", f->status);
    else if (f->result.code == PP_E_HTTP_STATUS)
        snprintf(got, sizeof got, "status %u", f->status);
    else if (f->is_too_long)
        snprintf(got, sizeof got, "a longer one");
    else if (f->result.code == PP_E_LOG_FILE && f->coding == PP_HTTP_GZIP)
        snprintf(got, sizeof got, "gzip that does not unpack to that");
    else if (f->result.code == PP_E_LOG_FILE && f->coding != PP_HTTP_IDENTITY)
        snprintf(got, sizeof got, "a Content-Encoding other than gzip");
    else
        snprintf(got, sizeof got, "%s", pp_code_text(f->result.code));
    pp_log_words_(problem, f->fetcher->url, f->name, expected, got);
}

static pp_res wait_for(struct pp_log_fetcher *f, struct pp_log_fetch *slot)
{
    f->awaited = slot;
    while (slot->state == PP_LOG_FETCH_UNDER_WAY)
        PP_TRY(pp_loop_run(f->loop));
    f->awaited = NULL;
    return slot->result;
}

pp_res pp_log_fetch_(struct pp_log_fetcher *f, const struct pp_tile *t, const char *name,
                     size_t max, struct pp_buf *ret, unsigned *ret_width,
                     struct pp_problem *problem)
{
    struct pp_log_fetch *slot = t == NULL ? NULL : find(f, t);

    if (slot == NULL) {
        slot = &f->slots[PP_LOG_SOURCE_AHEAD_MAX]; /* free: whoever fills it waits for it */
        fill(slot, t, name, max);
    }
    pp_res r = wait_for(f, slot);
    *ret_width = slot->width;
    if (pp_is_ok(r)) {
        *ret = slot->body;
        slot->body = (struct pp_buf){ 0 }; /* moved */
        memcpy(f->type, slot->type, sizeof f->type);
    } else {
        explain(slot, problem);
    }
    drop(slot);
    return r;
}

/* --- life ------------------------------------------------------------------------------------- */

pp_res pp_log_fetcher_init_(struct pp_log_fetcher *f, const struct pp_log_source_config *c,
                            struct pp_problem *problem)
{
    const struct pp_http_client_config client = {
        .calls_max = 2 * PP_LOG_SOURCE_AHEAD_MAX, /* those that end while others begin, too */
        .connections_per_host_max = PP_LOG_SOURCE_AHEAD_MAX,
        .ca_pem = c->ca_pem,
        .http2 = strncmp(c->place, "https:", 6) == 0,
    };
    int n = snprintf(f->url, sizeof f->url, "%s", c->place);

    for (size_t i = 0; i < PP_ARRAY_COUNT(f->slots); i++)
        f->slots[i].fetcher = f;
    f->deadline_ms = c->deadline_ms == 0 ? PP_LOG_SOURCE_DEADLINE_MS : c->deadline_ms;
    pp_res r = PP_FAIL(PP_E_CONFIG, n);
    if (client.http2 && c->ca_pem.len == 0) {
        pp_log_words_(problem, "log", c->place, "certificates that vouch for it, with https",
                      "none given");
        return r;
    }
    if (n > 0 && n < PP_HTTP_URL_BYTES_MAX - PP_LOG_FETCH_NAME_MAX && strchr(f->url, '?') == NULL)
        r = pp_loop_new(&f->loop);
    if (pp_is_ok(r))
        r = pp_http_client_new(f->loop, &client, &f->client);
    if (pp_is_ok(r))
        r = pp_http_client_pin(f->client, f->url);
    if (r.code == PP_E_FORMAT || r.code == PP_E_RANGE)
        r.code = PP_E_CONFIG;
    if (!pp_is_ok(r))
        pp_log_words_(problem, "log", c->place, "the URL of a log, whose host can be found",
                      pp_code_text(r.code));
    return r;
}

void pp_log_fetcher_done_(struct pp_log_fetcher *f)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(f->slots); i++)
        if (f->slots[i].state != PP_LOG_FETCH_FREE)
            drop(&f->slots[i]);
    pp_http_client_free(f->client);
    pp_loop_free(f->loop);
}
