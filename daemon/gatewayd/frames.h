/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.h: what passes between the gateway's processes, over a pair of unix sockets:
 *
 *     u32 tag || u16 len || bytes
 *
 * The front asks with a tag of its own choice, and the answer carries it. GW_TAG_NONE belongs to no
 * question: from the front it means "look at your files now" and is empty; to the front it is news,
 * whose first byte says of what.
 */
#ifndef GW_FRAMES_H
#define GW_FRAMES_H

#include "problem.h"
#include "rd.h"
#include "wr.h"

enum {
    GW_FRAME_BYTES_MAX = 16384, /* of one frame, without its head */
    GW_FRAME_HEAD_BYTES = 6,
    GW_STARTED_BYTES = 1 + 4 + 4 + sizeof(struct pp_problem), /* of the first news */
};

#define GW_TAG_NONE UINT32_MAX

enum gw_news {
    GW_NEWS_STARTED = 's',   /* u32 code || u32 detail || struct pp_problem; the first of all */
    GW_NEWS_EVENT = 'e',     /* one event line */
    GW_NEWS_KEYS = 'k',      /* the application/ohttp-keys list that is served from now on */
    GW_NEWS_ADDRESSES = 'a', /* the CVMs' addresses (resolve.h) */
};

struct gw_frame {
    uint32_t tag;
    struct pp_span bytes; /* borrows from the reader */
};

/* Appends one. The writer fails when it has no room or `bytes` is longer than the limit. */
void gw_frame_write(struct pp_wr *wr, uint32_t tag, struct pp_span bytes);

/* 1 and the next whole frame of `rd`; 0 when there is none yet. FORMAT: longer than the limit. */
PP_MUST pp_res gw_frame_next(struct pp_rd *rd, int *ret_is_whole, struct gw_frame *ret);

#endif
