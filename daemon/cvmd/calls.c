/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <stdlib.h>

#include "ipc.h"
#include "stream.h"

enum {
    DIAL_MS = 1000, /* the host gives a socket at once or not at all */
    LATE_MAX = 64,  /* answers that one question takes out of the way */
    OUT_BYTES = 4 << 20,
    FRAME_BYTES = PP_FRAME_HEAD_BYTES + PP_FRAME_PEER_BYTES_MAX,
};

struct line {
    struct cvm_calls *calls;
    enum cvm_backend to;
    struct pp_stream *stream; /* NULL: none */
    struct pp_frame_rd reader;
    uint8_t body[PP_FRAME_ANSWER_BYTES_MAX];
};

struct cvm_calls {
    struct pp_loop *loop;
    int way_fd;
    uint32_t idle_ms;
    struct cvm_calls_user user;
    struct line lines[CVM_BACKENDS];
    uint8_t frame[FRAME_BYTES];
};

static void hang_up(struct line *l)
{
    pp_stream_free(l->stream);
    l->stream = NULL;
    l->calls->user.lost(l->calls->user.ctx, l->to);
}

static void on_readable(void *ctx, struct pp_stream *stream)
{
    struct line *l = ctx;
    const struct pp_frame *frame;

    do {
        struct pp_span input = pp_stream_input(stream);
        struct pp_span left = input;
        frame = NULL;
        pp_res r = pp_frame_feed(&l->reader, &left, &frame);
        pp_stream_consume(stream, input.len - left.len);
        if (!pp_is_ok(r)) {
            hang_up(l); /* frames have no borders to find again */
            return;
        }
        if (frame != NULL)
            l->calls->user.answered(l->calls->user.ctx, l->to, frame);
    } while (frame != NULL && l->stream == stream);
    if (l->stream == stream)
        pp_stream_deadline(stream, l->calls->idle_ms);
}

static void on_ended(void *ctx, struct pp_stream *stream, pp_res why)
{
    (void)stream;
    pp_ignore(why, "however it ended, what was asked on it has no answer any more");
    hang_up(ctx);
}

/* What came when nobody waited any more answers no later question, and each that stayed would make
 * the next one wrong as well. */
static void drop_late_answers(const struct cvm_calls *c)
{
    uint8_t answer[2];
    size_t len = 0;
    int fd = -1;

    for (size_t i = 0; i < LATE_MAX; i++) {
        if (!pp_is_ok(cvm_try_recv(c->way_fd, answer, sizeof answer, &len, &fd)))
            return;
        cvm_close(&fd);
    }
}

/*
 * Asks the host for a socket. The wait is as short as the host is honest; one that is not can stop
 * the machine whenever it likes.
 */
static pp_res dial(const struct cvm_calls *c, enum cvm_backend to, int *ret_fd)
{
    const uint8_t ask[] = { (uint8_t)to };
    uint8_t answer[2];
    size_t len = 0;
    int fd = -1;

    drop_late_answers(c);
    PP_TRY(cvm_send(c->way_fd, PP_BYTES(ask), -1));
    PP_TRY(cvm_wait(c->way_fd, DIAL_MS));
    PP_TRY(cvm_recv(c->way_fd, answer, sizeof answer, &len, &fd));
    if (len != sizeof answer || answer[0] != ask[0] || answer[1] != 0 || fd < 0) {
        cvm_close(&fd);
        return PP_FAIL(PP_E_BACKEND, to);
    }
    *ret_fd = fd;
    return PP_OK;
}

static pp_res connect_to(struct cvm_calls *c, struct line *l)
{
    const struct pp_stream_config config = {
        .in_bytes_max = PP_FRAME_HEAD_BYTES + PP_FRAME_ANSWER_BYTES_MAX,
        .out_bytes_max = OUT_BYTES,
        .readable = on_readable,
        .ended = on_ended,
        .ctx = l,
    };
    int fd = -1;

    if (l->stream != NULL)
        return PP_OK;
    PP_TRY_AS(PP_E_BACKEND, dial(c, l->to, &fd));
    pp_res r = pp_stream_take(c->loop, fd, &config, &l->stream);
    if (!pp_is_ok(r)) {
        cvm_close(&fd);
        return r;
    }
    pp_frame_rd_init(&l->reader, PP_FRAME_ANSWERS, l->body, sizeof l->body);
    return PP_OK;
}

pp_res cvm_calls_send(struct cvm_calls *c, enum cvm_backend to, const struct pp_frame *f)
{
    struct pp_wr wr = pp_wr_over(c->frame, sizeof c->frame);
    struct line *l = &c->lines[to];

    PP_TRY(pp_frame_write(&wr, PP_FRAME_PEER_REQUESTS, f));
    PP_TRY(connect_to(c, l));
    PP_TRY(pp_stream_write(l->stream, pp_wr_done(&wr)));
    pp_stream_deadline(l->stream, c->idle_ms);
    return PP_OK;
}

pp_res cvm_calls_new(struct pp_loop *loop, int way_fd, const struct cvm_config *config,
                     const struct cvm_calls_user *user, struct cvm_calls **ret)
{
    struct cvm_calls *c = calloc(1, sizeof *c);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);
    c->loop = loop;
    c->way_fd = way_fd;
    c->idle_ms = config->idle_ms / 2; /* before the far end closes, and behind every answer */
    c->user = *user;
    for (size_t i = 0; i < CVM_BACKENDS; i++) {
        c->lines[i].calls = c;
        c->lines[i].to = (enum cvm_backend)i;
    }
    *ret = c;
    return PP_OK;
}
