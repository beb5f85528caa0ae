/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "ct.h"
#include "rd.h"

static size_t limit(enum pp_frame_side side)
{
    switch (side) {
    case PP_FRAME_REQUESTS:
        return PP_FRAME_REQUEST_BYTES_MAX;
    case PP_FRAME_PEER_REQUESTS:
        return PP_FRAME_PEER_BYTES_MAX;
    default:
        return PP_FRAME_ANSWER_BYTES_MAX;
    }
}

void pp_frame_rd_init(struct pp_frame_rd *f, enum pp_frame_side side, void *buf, size_t cap)
{
    PP_ASSERT(cap <= limit(side));
    *f = (struct pp_frame_rd){ .side = side, .buf = buf, .cap = cap };
}

static pp_res shape_check(enum pp_frame_side side, const struct pp_frame *f, size_t len)
{
    int without_sid;
    int without_bytes;

    if (side != PP_FRAME_ANSWERS) {
        PP_CHECK(f->kind >= PP_FRAME_OPEN && f->kind <= PP_FRAME_CLOSE, PP_E_UNSUPPORTED, f->kind);
        without_sid = f->kind == PP_FRAME_OPEN;
        without_bytes = f->kind == PP_FRAME_CLOSE;
    } else {
        PP_CHECK(f->kind <= PP_FRAME_GONE, PP_E_UNSUPPORTED, f->kind);
        without_sid = f->kind == PP_FRAME_BUSY;
        without_bytes = f->kind == PP_FRAME_BUSY || f->kind == PP_FRAME_GONE;
    }
    PP_CHECK(len <= limit(side), PP_E_LIMIT, len);
    PP_CHECK(!without_bytes || len == 0, PP_E_FORMAT, len);
    PP_CHECK(!without_sid || pp_ct_is_zero(f->sid, sizeof f->sid), PP_E_FORMAT, f->kind);
    return PP_OK;
}

static pp_res head_parse(struct pp_frame_rd *f)
{
    struct pp_rd rd = pp_rd_over(f->head, sizeof f->head);

    f->frame.kind = pp_rd_u8(&rd);
    f->frame.tag = pp_rd_u32(&rd);
    pp_rd_copy(&rd, f->frame.sid, sizeof f->frame.sid);
    f->body_len = pp_rd_u32(&rd);
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(shape_check(f->side, &f->frame, f->body_len));
    PP_CHECK(f->body_len <= f->cap, PP_E_LIMIT, f->body_len);
    return PP_OK;
}

/* Moves what it can of the current piece, head or body, from `*in` to where it belongs. */
static void take(struct pp_frame_rd *f, struct pp_span *in, uint8_t *piece, size_t piece_len,
                 size_t piece_have)
{
    size_t want = piece_len - piece_have;
    struct pp_rd rd = pp_rd_span(*in);
    size_t n = want < in->len ? want : in->len;

    pp_rd_copy(&rd, piece + piece_have, n);
    *in = pp_rd_rest(&rd);
    f->have += n;
}

static pp_res feed(struct pp_frame_rd *f, struct pp_span *in, const struct pp_frame **ret_frame)
{
    if (f->have < PP_FRAME_HEAD_BYTES) {
        take(f, in, f->head, PP_FRAME_HEAD_BYTES, f->have);
        if (f->have < PP_FRAME_HEAD_BYTES)
            return PP_OK;
        PP_TRY(head_parse(f));
    }
    take(f, in, f->buf, f->body_len, f->have - PP_FRAME_HEAD_BYTES);
    if (f->have - PP_FRAME_HEAD_BYTES < f->body_len)
        return PP_OK;
    f->frame.bytes = pp_span(f->buf, f->body_len);
    f->have = 0;
    *ret_frame = &f->frame;
    return PP_OK;
}

pp_res pp_frame_feed(struct pp_frame_rd *f, struct pp_span *in, const struct pp_frame **ret_frame)
{
    const struct pp_frame *frame = NULL;

    if (f->failed != PP_E_OK)
        return PP_FAIL(f->failed, 0);
    pp_res r = feed(f, in, &frame);
    f->failed = r.code;
    if (pp_is_ok(r))
        *ret_frame = frame;
    return r;
}

pp_res pp_frame_write(struct pp_wr *wr, enum pp_frame_side side, const struct pp_frame *frame)
{
    PP_TRY(shape_check(side, frame, frame->bytes.len));
    pp_wr_u8(wr, frame->kind);
    pp_wr_u32(wr, frame->tag);
    pp_wr_bytes(wr, frame->sid, sizeof frame->sid);
    pp_wr_u32(wr, (uint32_t)frame->bytes.len);
    pp_wr_span(wr, frame->bytes);
    return pp_wr_ok(wr);
}
