/* SPDX-License-Identifier: Apache-2.0 */
#include "desk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ct.h"
#include "secret.h"

enum { DESK_BYTES = 512 * 1024 };

_Static_assert(DESK_BYTES >= GW_BATCH_MAX * 2048, "a batch of the longest questions");

/* --- news ----------------------------------------------------------------------------------- */

void gw_desk_news(struct gw_desk *desk, enum gw_news kind, struct pp_span bytes)
{
    pp_wr_u32(&desk->wr, GW_TAG_NONE);
    size_t mark = pp_wr_block16_begin(&desk->wr);
    pp_wr_u8(&desk->wr, (uint8_t)kind);
    pp_wr_span(&desk->wr, bytes);
    pp_wr_block16_end(&desk->wr, mark);
}

static void write_event(void *ctx, struct pp_span line)
{
    gw_desk_news((struct gw_desk *)ctx, GW_NEWS_EVENT, line);
}

/* How the start went stands before all news, and is known last: written twice, in one place. */
static size_t write_started(struct gw_desk *desk, pp_res r, const struct pp_problem *problem)
{
    struct pp_wr wr = pp_wr_over(desk->out, DESK_BYTES);

    pp_wr_u32(&wr, GW_TAG_NONE);
    pp_wr_u16(&wr, GW_STARTED_BYTES);
    pp_wr_u8(&wr, GW_NEWS_STARTED);
    pp_wr_u32(&wr, r.code);
    pp_wr_u32(&wr, r.detail);
    pp_wr_bytes(&wr, problem, sizeof *problem);
    return wr.len;
}

/* --- bytes ---------------------------------------------------------------------------------- */

static pp_res send_all(struct gw_desk *desk)
{
    struct pp_span left = pp_wr_done(&desk->wr);

    PP_TRY(pp_wr_ok(&desk->wr));
    while (left.len > 0) {
        ssize_t n = send(desk->fd, left.at, left.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_CLOSED, errno);
        left = pp_span(left.at + n, left.len - (size_t)n);
    }
    pp_wipe(desk->out, desk->wr.len);
    desk->wr = pp_wr_over(desk->out, DESK_BYTES);
    return PP_OK;
}

/* CLOSED with detail 0: the front has gone, between questions or not. */
static pp_res receive(struct gw_desk *desk)
{
    ssize_t n = recv(desk->fd, desk->in + desk->in_len, DESK_BYTES - desk->in_len, 0);

    if (n < 0 && errno == EINTR)
        return PP_OK;
    PP_CHECK(n > 0, PP_E_CLOSED, n < 0 ? errno : 0);
    desk->in_len += (size_t)n;
    return PP_OK;
}

/* --- work ----------------------------------------------------------------------------------- */

/* Answers all whole questions that are there, in batches, and keeps the rest. */
static pp_res work(const struct gw_process *p, struct gw_desk *desk)
{
    struct pp_rd rd = pp_rd_over(desk->in, desk->in_len);
    int is_whole = 1;

    while (is_whole) {
        struct gw_frame asked[GW_BATCH_MAX];
        size_t count = 0;
        int is_turn = 0;
        while (count < GW_BATCH_MAX) {
            PP_TRY(gw_frame_next(&rd, &is_whole, &asked[count]));
            if (!is_whole)
                break;
            if (asked[count].tag == GW_TAG_NONE)
                is_turn = 1;
            else
                count++;
        }
        if (is_turn)
            p->turn(p->ctx, desk);
        if (count > 0)
            PP_TRY(p->work(p->ctx, desk, asked, count));
        PP_TRY(send_all(desk));
    }
    memmove(desk->in, desk->in + rd.offset, rd.left);
    pp_wipe(desk->in + rd.left, desk->in_len - rd.left);
    desk->in_len = rd.left;
    return PP_OK;
}

static pp_res answer_until_closed(const struct gw_process *p, struct gw_desk *desk)
{
    const struct pp_clock clock = pp_clock_system();
    uint64_t due_ms = pp_clock_mono_ms(&clock) + p->turn_ms;

    for (;;) {
        uint64_t now_ms = pp_clock_mono_ms(&clock);
        struct pollfd poll_fd = { .fd = desk->fd, .events = POLLIN };
        int n = poll(&poll_fd, 1, now_ms < due_ms ? (int)(due_ms - now_ms) : 0);
        PP_CHECK(n >= 0 || errno == EINTR, PP_E_SYSTEM, errno);
        if (pp_clock_mono_ms(&clock) >= due_ms) {
            p->turn(p->ctx, desk);
            PP_TRY(send_all(desk));
            due_ms = pp_clock_mono_ms(&clock) + p->turn_ms;
        }
        if (n <= 0)
            continue;
        PP_TRY(receive(desk));
        PP_TRY(work(p, desk));
    }
}

static pp_res run(const struct gw_process *p, struct gw_desk *desk)
{
    struct pp_problem problem = { 0 };

    PP_TRY(pp_locked_map(DESK_BYTES, &desk->in));
    PP_TRY(pp_locked_map(DESK_BYTES, &desk->out));
    desk->wr = pp_wr_over(desk->out, DESK_BYTES);
    desk->events = (struct pp_event_sink){ write_event, desk, pp_clock_system() };
    desk->wr.len = write_started(desk, PP_FAIL(PP_E_STATE, 0), &problem);
    pp_res r = p->start(p->ctx, desk, &problem);
    (void)write_started(desk, r, &problem);
    PP_TRY(send_all(desk));
    PP_TRY(r);
    return answer_until_closed(p, desk);
}

pp_res gw_desk_run(const struct gw_process *p, int fd)
{
    struct gw_desk desk = { .fd = fd };
    pp_res r = run(p, &desk);

    pp_locked_unmap(desk.in, DESK_BYTES, DESK_BYTES);
    pp_locked_unmap(desk.out, DESK_BYTES, DESK_BYTES);
    (void)close(fd);
    return r.code == PP_E_CLOSED && r.detail == 0 ? PP_OK : r;
}
