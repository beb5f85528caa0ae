/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ct.h"
#include "secret.h"

enum {
    SLOT_BITS = 14,
    NEWS_ROOM = 4 * (GW_FRAME_HEAD_BYTES + GW_FRAME_BYTES_MAX), /* beside all answers */
};

_Static_assert(GW_ASKS_MAX == 1 << SLOT_BITS, "a slot fits its bits of a tag");

struct slot {
    struct gw_ask *ask; /* NULL with `used`: cancelled, its answer is still to come */
    uint32_t tag;
    uint32_t used;
    uint32_t next_free;
};

struct gw_link {
    struct gw_link_config config;
    struct pp_watch *watch;
    struct slot *slots;
    uint32_t first_free; /* asks_max: none */
    uint32_t generation;
    uint8_t *in; /* locked */
    uint8_t *out;
    size_t in_cap, in_len;
    size_t out_cap, out_len, out_sent;
    int has_ended;
};

/* --- the end -------------------------------------------------------------------------------- */

static void end(struct gw_link *l, pp_res why)
{
    pp_watch_set(l->watch, 0);
    if (l->has_ended)
        return;
    l->has_ended = 1;
    l->config.ended(l->config.ctx, why);
}

/* --- writing -------------------------------------------------------------------------------- */

static void flush(struct gw_link *l)
{
    ssize_t n = send(l->config.fd, l->out + l->out_sent, l->out_len - l->out_sent, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        end(l, PP_FAIL(PP_E_CLOSED, errno));
        return;
    }
    if (n > 0)
        l->out_sent += (size_t)n;
    if (l->out_sent < l->out_len)
        return;
    pp_wipe(l->out, l->out_len);
    l->out_len = l->out_sent = 0;
    pp_watch_set(l->watch, PP_WATCH_READ);
}

/* Appends a frame; it leaves when the loop comes round. BUSY: no room. */
static pp_res put(struct gw_link *l, uint32_t tag, struct pp_span bytes)
{
    struct pp_wr wr = pp_wr_over(l->out + l->out_len, l->out_cap - l->out_len);

    gw_frame_write(&wr, tag, bytes);
    PP_CHECK(pp_is_ok(pp_wr_ok(&wr)) && !l->has_ended, PP_E_BUSY, l->out_len);
    if (l->out_len == 0)
        pp_watch_set(l->watch, PP_WATCH_READ | PP_WATCH_WRITE);
    l->out_len += wr.len;
    return PP_OK;
}

pp_res gw_link_ask(struct gw_link *l, struct pp_span question, struct gw_ask *ask)
{
    PP_ASSERT(ask->link == NULL);
    PP_ASSERT(question.len <= l->config.ask_bytes_max);
    PP_CHECK(l->first_free < l->config.asks_max, PP_E_BUSY, l->config.asks_max);
    struct slot *s = &l->slots[l->first_free];
    uint32_t tag = (++l->generation << SLOT_BITS) | l->first_free;
    if (tag == GW_TAG_NONE)
        tag ^= 1U << SLOT_BITS;
    PP_TRY(put(l, tag, question));
    ask->link = l;
    ask->slot = l->first_free;
    l->first_free = s->next_free;
    *s = (struct slot){ .ask = ask, .tag = tag, .used = 1 };
    return PP_OK;
}

void gw_link_cancel(struct gw_ask *ask)
{
    if (ask->link == NULL)
        return;
    ask->link->slots[ask->slot].ask = NULL;
    ask->link = NULL;
}

void gw_link_turn(struct gw_link *l)
{
    pp_ignore(put(l, GW_TAG_NONE, PP_STR("")), "it looks every minute anyhow");
}

/* --- reading -------------------------------------------------------------------------------- */

static pp_res answer(struct gw_link *l, const struct gw_frame *f)
{
    uint32_t at = f->tag & (GW_ASKS_MAX - 1);

    PP_CHECK(at < l->config.asks_max && l->slots[at].used && l->slots[at].tag == f->tag &&
                 f->bytes.len == l->config.answer_bytes,
             PP_E_FORMAT, f->tag);
    struct slot *s = &l->slots[at];
    struct gw_ask *ask = s->ask;
    *s = (struct slot){ .next_free = l->first_free };
    l->first_free = at;
    if (ask == NULL)
        return PP_OK;
    ask->link = NULL;
    ask->answered(ask->ctx, f->bytes);
    return PP_OK;
}

/* Each process has its own news: one that was taken over must not speak for another. */
static int may_tell(const struct gw_link *l, struct pp_span news)
{
    return news.len > 0 && news.at[0] != '\0' && strchr(l->config.news_kinds, news.at[0]) != NULL;
}

static pp_res take(struct gw_link *l, const struct gw_frame *f)
{
    if (f->tag != GW_TAG_NONE)
        return answer(l, f);
    PP_CHECK(may_tell(l, f->bytes), PP_E_FORMAT, f->bytes.len);
    l->config.news(l->config.ctx, f->bytes);
    return PP_OK;
}

/* Hands out every whole frame and keeps the rest at the front of the buffer. */
static pp_res take_frames(struct gw_link *l)
{
    struct pp_rd rd = pp_rd_over(l->in, l->in_len);
    struct gw_frame f;
    int is_whole = 0;

    for (;;) {
        PP_TRY(gw_frame_next(&rd, &is_whole, &f));
        if (!is_whole)
            break;
        PP_TRY(take(l, &f));
    }
    size_t left = rd.left;
    memmove(l->in, l->in + rd.offset, left);
    pp_wipe(l->in + left, l->in_len - left);
    l->in_len = left;
    return PP_OK;
}

void gw_link_read(struct gw_link *l)
{
    ssize_t n = recv(l->config.fd, l->in + l->in_len, l->in_cap - l->in_len, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end(l, PP_FAIL(PP_E_CLOSED, n < 0 ? errno : 0));
        return;
    }
    l->in_len += (size_t)n;
    pp_res r = take_frames(l);
    if (!pp_is_ok(r))
        end(l, r);
}

static void on_ready(void *ctx, uint32_t ready)
{
    struct gw_link *l = (struct gw_link *)ctx;

    if (ready & PP_WATCH_READ)
        gw_link_read(l);
    if ((ready & PP_WATCH_WRITE) && !l->has_ended)
        flush(l);
}

/* --- making and freeing --------------------------------------------------------------------- */

static pp_res make(struct gw_link *l)
{
    const struct gw_link_config *c = &l->config;

    l->in_cap = c->asks_max * (GW_FRAME_HEAD_BYTES + c->answer_bytes) + NEWS_ROOM;
    l->out_cap = (c->asks_max + 1) * (GW_FRAME_HEAD_BYTES + c->ask_bytes_max);
    l->slots = calloc(c->asks_max, sizeof *l->slots);
    PP_CHECK(l->slots != NULL, PP_E_NO_MEMORY, c->asks_max);
    for (uint32_t i = 0; i < c->asks_max; i++)
        l->slots[i].next_free = i + 1;
    PP_TRY(pp_locked_map(l->in_cap, &l->in));
    l->out = calloc(1, l->out_cap);
    PP_CHECK(l->out != NULL, PP_E_NO_MEMORY, l->out_cap);
    int flags = fcntl(c->fd, F_GETFL);
    PP_CHECK(flags >= 0 && fcntl(c->fd, F_SETFL, flags | O_NONBLOCK) == 0, PP_E_SYSTEM, errno);
    PP_TRY(pp_watch_new(c->loop, c->fd, on_ready, l, &l->watch));
    pp_watch_set(l->watch, PP_WATCH_READ);
    return PP_OK;
}

static void release(struct gw_link *l)
{
    pp_watch_free(l->watch);
    pp_locked_unmap(l->in, l->in_cap, l->in_cap);
    if (l->out != NULL)
        pp_wipe(l->out, l->out_cap);
    free(l->out);
    free(l->slots);
    free(l);
}

pp_res gw_link_new(const struct gw_link_config *c, struct gw_link **ret)
{
    PP_CHECK(c->asks_max > 0 && c->asks_max <= GW_ASKS_MAX, PP_E_RANGE, c->asks_max);
    struct gw_link *l = calloc(1, sizeof *l);
    PP_CHECK(l != NULL, PP_E_NO_MEMORY, sizeof *l);
    l->config = *c;
    pp_res r = make(l);
    if (!pp_is_ok(r)) {
        release(l);
        return r;
    }
    *ret = l;
    return PP_OK;
}

pp_res gw_link_end(struct gw_link *l)
{
    if (l == NULL)
        return PP_OK;
    struct pollfd p = { .fd = l->config.fd, .events = POLLIN };
    (void)shutdown(l->config.fd, SHUT_WR);
    for (;;) {
        PP_CHECK(poll(&p, 1, GW_END_MS) == 1, PP_E_TIMEOUT, GW_END_MS);
        if (recv(l->config.fd, l->in, l->in_cap, 0) <= 0) /* what still comes is for nobody */
            return PP_OK;
    }
}

void gw_link_free(struct gw_link *l)
{
    if (l == NULL)
        return;
    int fd = l->config.fd;
    release(l); /* watched to its end: a number that is closed may be somebody else's */
    (void)close(fd);
}
