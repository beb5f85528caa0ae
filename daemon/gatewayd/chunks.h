/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunks.h: an answer in the chunked form: how many chunks, how long each is, and what is in them
 * (docs/protocol/ohttp.md, "Chunked answers"). Bytes in, bytes out; when they leave is answer.c's.
 *
 * Lengths of chunks stand in clear, so they are those of the exchange's kind and bucket and of
 * nothing else: an answer, a refusal and an accident are chunks of the same lengths, and as many.
 */
#ifndef GW_CHUNKS_H
#define GW_CHUNKS_H

#include "arena.h"
#include "chunked.h"
#include "route.h"

enum {
    GW_FRAME_BYTES = 552,        /* of TLS: one frame of a SealedStream in a record of its own */
    GW_STREAM_SLACK_BYTES = 256, /* pp-wire 8: of a bucket, and what a frame takes of the rest */
    GW_STREAM_FRAME_BYTES = 576,
};

/* Lengths of plaintext. */
struct gw_layout {
    size_t count;
    size_t each, last; /* `each` of those before the last; 0 without any */
};

/* Of an answer whose whole OHTTP body is `bucket_bytes`, a response nonce in front. */
struct gw_layout gw_layout_of(enum gw_kind kind, size_t bucket_bytes, size_t nonce_len);

/* The content that fits all its chunks. */
size_t gw_layout_room(enum gw_kind kind, const struct gw_layout *l);

struct gw_chunks {
    struct gw_layout layout;
    size_t next;                   /* the chunk that is due */
    struct pp_ohttp_sender sender; /* started by the owner, over `mem` */
    uint8_t *mem, *plain, *out;
    size_t mem_len, out_len;
};

/* In `arena`; wiped with it, but for what gw_chunks_done gives back. NO_MEMORY. */
PP_MUST pp_res gw_chunks_new(struct pp_arena *arena, const struct gw_layout *layout,
                             struct gw_chunks **ret);
void gw_chunks_done(struct gw_chunks *c); /* NULL is fine */

int gw_chunks_at_last(const struct gw_chunks *c); /* 1: one is left */

/*
 * Makes the next chunk: the answer's head if it is the first, then content, and zeros behind its
 * end; so all but the last want GW_FRAME_BYTES of content, or that there is no more. `*ret_used` is
 * what it took of `content`, `*ret_bytes` what goes on the wire, until the next call. STATE behind
 * the last; NO_SPACE, CRYPTO.
 */
PP_MUST pp_res gw_chunks_next(struct gw_chunks *c, const struct gw_answer *head,
                              struct pp_span content, size_t *ret_used, struct pp_span *ret_bytes);

#endif
