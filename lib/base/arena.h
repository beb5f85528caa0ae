/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h: one request's memory: a fixed budget, handed out front to back, wiped on reset.
 * Not thread-safe; one owner. Alignment of every piece is 16 bytes.
 */
#ifndef PP_ARENA_H
#define PP_ARENA_H

#include "result.h"
#include "span.h"

struct pp_arena {
    uint8_t *base;
    size_t cap;    /* bytes */
    size_t used;   /* bytes; what reset wipes */
    int owned;     /* 1: a mapping of its own that _done releases */
    size_t locked; /* of an owned one: bytes that are locked so far */
};

/* Over the caller's memory, 16-byte aligned. */
struct pp_arena pp_arena_over(void *mem, size_t cap);

/*
 * Over a mapping of its own (see secret.h), for prompts and keys: what is handed out is locked
 * before. Where the system refuses to lock more (RLIMIT_MEMLOCK), the budget is spent.
 */
PP_MUST pp_res pp_arena_new_locked(struct pp_arena *a, size_t cap);

/* Zeroed memory, or NULL when the budget is spent (the caller says NO_MEMORY). */
void *pp_arena_alloc(struct pp_arena *a, size_t len);
void *pp_arena_array(struct pp_arena *a, size_t count, size_t item_len);

/* A copy of `from` in the arena. NO_MEMORY. */
PP_MUST pp_res pp_arena_copy(struct pp_arena *a, struct pp_span from, struct pp_span *ret);

void pp_arena_reset(struct pp_arena *a); /* wipes what was used; everything handed out is gone */
void pp_arena_done(struct pp_arena *a);  /* reset, and releases an owned mapping */

#endif
