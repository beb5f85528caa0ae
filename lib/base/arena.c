/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "ct.h"
#include "secret.h"

enum { ALIGN = 16, LOCK_STEP = 1 << 18 };

struct pp_arena pp_arena_over(void *mem, size_t cap)
{
    PP_ASSERT((uintptr_t)mem % ALIGN == 0);
    return (struct pp_arena){ .base = (uint8_t *)mem, .cap = cap };
}

pp_res pp_arena_new_locked(struct pp_arena *a, size_t cap)
{
    uint8_t *p = NULL;

    PP_TRY(pp_reserved_map(cap, &p));
    *a = (struct pp_arena){ .base = p, .cap = cap, .owned = 1 };
    return PP_OK;
}

/* 1 when the first `used` bytes may be written to. */
static int is_locked(struct pp_arena *a, size_t used)
{
    if (!a->owned || used <= a->locked)
        return 1;
    size_t step = LOCK_STEP - used % LOCK_STEP;
    size_t to = a->cap - used < step ? a->cap : used + step;
    if (!pp_is_ok(pp_reserved_lock(a->base + a->locked, to - a->locked)))
        return 0;
    a->locked = to;
    return 1;
}

void *pp_arena_alloc(struct pp_arena *a, size_t len)
{
    size_t left = a->cap - a->used;

    if (len > left || !is_locked(a, a->used + len))
        return NULL;
    size_t padded = (len + ALIGN - 1) / ALIGN * ALIGN;
    uint8_t *p = a->base + a->used;
    a->used += padded < left ? padded : left;
    memset(p, 0, len);
    return p;
}

void *pp_arena_array(struct pp_arena *a, size_t count, size_t item_len)
{
    size_t len;

    if (!pp_is_ok(pp_mul(count, item_len, &len)))
        return NULL;
    return pp_arena_alloc(a, len);
}

pp_res pp_arena_copy(struct pp_arena *a, struct pp_span from, struct pp_span *ret)
{
    uint8_t *p = pp_arena_alloc(a, from.len);

    PP_CHECK(p != NULL, PP_E_NO_MEMORY, from.len);
    if (from.len > 0)
        memcpy(p, from.at, from.len);
    *ret = pp_span(p, from.len);
    return PP_OK;
}

void pp_arena_reset(struct pp_arena *a)
{
    pp_wipe(a->base, a->used);
    a->used = 0;
}

void pp_arena_done(struct pp_arena *a)
{
    if (a->base == NULL)
        return;
    if (a->owned)
        pp_locked_unmap(a->base, a->cap, a->used);
    else
        pp_arena_reset(a);
    *a = (struct pp_arena){ 0 };
}
