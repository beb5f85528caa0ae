/* SPDX-License-Identifier: Apache-2.0 */
#include "chunks.h"

enum {
    CONTENT_LENGTH_BYTES = 2, /* of a piece of content: 64 to 16383 bytes */
    FINAL_LENGTH_BYTES = 1,   /* of the final chunk: it is 0 */
    /* It carries one frame, and no byte more: were it longer, frames would come to fill a chunk
     * one tick late. */
    STREAM_CHUNK_BYTES = CONTENT_LENGTH_BYTES + GW_FRAME_BYTES,
    STREAM_CHUNK_WIRE_BYTES = 2 + STREAM_CHUNK_BYTES + PP_AEAD_TAG_BYTES,
    END_BYTES = 2, /* of content and of trailers */
};

_Static_assert((int)STREAM_CHUNK_WIRE_BYTES <= (int)GW_STREAM_FRAME_BYTES, "pp-wire 8");

/* --- the layout ------------------------------------------------------------------------------ */

/* All of a kind and bucket are alike; what is left is the final one's. */
static struct gw_layout with_chunks(size_t bytes, size_t count, size_t each)
{
    size_t wire = (each + PP_AEAD_TAG_BYTES < 16384 ? 2 : 4) + each + PP_AEAD_TAG_BYTES;
    size_t before = (count - 1) * wire + FINAL_LENGTH_BYTES + PP_AEAD_TAG_BYTES;

    PP_ASSERT(bytes > before);
    return (
        struct gw_layout){ .count = count, .each = count > 1 ? each : 0, .last = bytes - before };
}

struct gw_layout gw_layout_of(enum gw_kind kind, size_t bucket_bytes, size_t nonce_len)
{
    size_t frames = (bucket_bytes - GW_STREAM_SLACK_BYTES) / GW_STREAM_FRAME_BYTES;
    struct gw_layout l;
    size_t count = 1;

    if (kind == GW_SESSION_CONTINUE)
        return with_chunks(bucket_bytes - nonce_len, frames, STREAM_CHUNK_BYTES);
    do { /* what every receiver takes */
        l = with_chunks(bucket_bytes - nonce_len, count++, PP_OHTTP_CHUNK_BYTES_MAX);
    } while (l.last > PP_OHTTP_CHUNK_BYTES_MAX);
    return l;
}

size_t gw_layout_room(enum gw_kind kind, const struct gw_layout *l)
{
    size_t plain = (l->count - 1) * l->each + l->last;
    size_t head = kind == GW_SESSION_OPEN ? GW_ANSWER_HEAD_BYTES_MAX : GW_ANSWER_HEAD_BYTES;

    return plain - head - l->count * CONTENT_LENGTH_BYTES - END_BYTES;
}

/* --- chunks ---------------------------------------------------------------------------------- */

pp_res gw_chunks_new(struct pp_arena *arena, const struct gw_layout *layout, struct gw_chunks **ret)
{
    size_t longest = layout->each > layout->last ? layout->each : layout->last;
    struct gw_chunks *c = (struct gw_chunks *)pp_arena_alloc(arena, sizeof *c);

    PP_CHECK(c != NULL, PP_E_NO_MEMORY, sizeof *c);
    *c = (struct gw_chunks){ .layout = *layout };
    c->mem_len = longest + PP_AEAD_TAG_BYTES;
    c->out_len = sizeof c->sender.lead + c->mem_len;
    c->mem = pp_arena_alloc(arena, c->mem_len);
    c->plain = pp_arena_alloc(arena, longest);
    c->out = pp_arena_alloc(arena, c->out_len);
    PP_CHECK(c->mem != NULL && c->plain != NULL && c->out != NULL, PP_E_NO_MEMORY, longest);
    *ret = c;
    return PP_OK;
}

void gw_chunks_done(struct gw_chunks *c)
{
    if (c != NULL)
        pp_ohttp_sender_done(&c->sender);
}

int gw_chunks_at_last(const struct gw_chunks *c)
{
    return c->next + 1 == c->layout.count;
}

/*
 * RFC 9292, 3.2: a piece of content is its length and its bytes. The ends of content and of
 * trailers are a zero each, and so is padding: behind the content everything is zeros.
 */
static void write_content(struct pp_span content, size_t total, struct pp_wr *wr, size_t *ret_used)
{
    size_t room = total - wr->len - CONTENT_LENGTH_BYTES;
    size_t n = content.len < room ? content.len : room;

    if (n > 0) { /* an empty piece would be the end */
        pp_wr_varint(wr, n);
        pp_wr_bytes(wr, content.at, n);
    }
    pp_wr_zeros(wr, total - wr->len);
    *ret_used = n;
}

static pp_res seal(struct gw_chunks *c, struct pp_span plain, struct pp_span *ret)
{
    size_t used = 0;

    PP_TRY(pp_ohttp_sender_feed(&c->sender, plain.at, plain.len, &used));
    PP_CHECK(used == plain.len, PP_E_NO_SPACE, used);
    PP_TRY(gw_chunks_at_last(c) ? pp_ohttp_sender_end(&c->sender)
                                : pp_ohttp_sender_cut(&c->sender));
    *ret = pp_span(c->out, pp_ohttp_sender_take(&c->sender, c->out, c->out_len));
    return PP_OK;
}

pp_res gw_chunks_next(struct gw_chunks *c, const struct gw_answer *head, struct pp_span content,
                      size_t *ret_used, struct pp_span *ret_bytes)
{
    PP_CHECK(c->next < c->layout.count, PP_E_STATE, c->next);
    size_t total = gw_chunks_at_last(c) ? c->layout.last : c->layout.each, used = 0;
    struct pp_wr wr = pp_wr_over(c->plain, total);

    if (c->next == 0)
        PP_TRY(gw_answer_head_write(head, &wr));
    write_content(content, total, &wr, &used);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(seal(c, pp_wr_done(&wr), ret_bytes));
    c->next++;
    *ret_used = used;
    return PP_OK;
}
