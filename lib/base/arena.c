/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "ct.h"
#include "secret.h"

enum { ALIGN = 16 };

struct pp_arena pp_arena_over(void *mem, size_t cap)
{
    PP_ASSERT((uintptr_t)mem % ALIGN == 0);
    return (struct pp_arena){ .base = (uint8_t *)mem, .cap = cap };
}

pp_res pp_arena_new_locked(struct pp_arena *a, size_t cap)
{
    uint8_t *p = NULL;

    PP_TRY(pp_locked_map(cap, &p));
    *a = (struct pp_arena){ .base = p, .cap = cap, .owned = 1 };
    return PP_OK;
}

void *pp_arena_alloc(struct pp_arena *a, size_t len)
{
    size_t left = a->cap - a->used;

    if (len > left)
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
