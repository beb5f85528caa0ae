/* SPDX-License-Identifier: Apache-2.0 */
#include "id_index.h"

#include <stdlib.h>

enum { BITS_MIN = 10, BITS_MAX = 30 };

/* Multiplication by a secret odd number: its upper half is what an attacker cannot aim at. */
static uint32_t tag_of(const struct pp_id_index *x, const struct pp_record_id *id)
{
    uint64_t v;

    memcpy(&v, id->bytes, sizeof v);
    v *= x->seed | 1;
    return (uint32_t)(v >> 32) | 1; /* never 0, which is an empty place */
}

static size_t first_place(const struct pp_id_table *t, uint32_t tag)
{
    return (size_t)(tag >> (32 - t->bits));
}

static size_t next_place(const struct pp_id_table *t, size_t place)
{
    return (place + 1) & (((size_t)1 << t->bits) - 1);
}

static pp_res table_new(unsigned bits, struct pp_id_table *ret)
{
    struct pp_id_table t = { .bits = bits };

    t.places = calloc((size_t)1 << bits, sizeof *t.places);
    PP_CHECK(t.places != NULL, PP_E_NO_MEMORY, bits);
    *ret = t;
    return PP_OK;
}

static void table_put(struct pp_id_table *t, uint64_t content)
{
    size_t place = first_place(t, (uint32_t)(content >> 32));

    while (t->places[place] != 0)
        place = next_place(t, place);
    t->places[place] = content;
    t->count++;
}

static void table_clear(struct pp_id_table *t)
{
    if (t->places != NULL)
        memset(t->places, 0, sizeof *t->places << t->bits);
    t->count = 0;
}

/* The places for `count` ids, half of them empty. */
static unsigned bits_for(size_t count)
{
    unsigned bits = BITS_MIN;

    while (bits < BITS_MAX && (size_t)1 << (bits - 1) < count)
        bits++;
    return bits;
}

pp_res pp_id_index_init(struct pp_id_index *x, uint64_t seed, size_t window)
{
    *x = (struct pp_id_index){ .seed = seed, .window = window };
    PP_ASSERT(window <= (size_t)1 << (BITS_MAX - 2));
    PP_TRY(table_new(bits_for(window), &x->young));
    if (window > 0)
        PP_TRY(table_new(bits_for(window), &x->old));
    return PP_OK;
}

void pp_id_index_done(struct pp_id_index *x)
{
    free(x->young.places);
    free(x->old.places);
    *x = (struct pp_id_index){ 0 };
}

void pp_id_index_clear(struct pp_id_index *x)
{
    table_clear(&x->young);
    table_clear(&x->old);
}

pp_res pp_id_index_reserve(struct pp_id_index *x, size_t count)
{
    size_t all = x->young.count + count;
    struct pp_id_table larger;

    if (x->window > 0 || all <= (size_t)1 << (x->young.bits - 1))
        return PP_OK;
    PP_CHECK(all <= (size_t)1 << (BITS_MAX - 1), PP_E_LIMIT, all);
    PP_TRY(table_new(bits_for(all), &larger));
    for (size_t i = 0; i < (size_t)1 << x->young.bits; i++)
        if (x->young.places[i] != 0)
            table_put(&larger, x->young.places[i]);
    free(x->young.places);
    x->young = larger;
    return PP_OK;
}

void pp_id_index_add(struct pp_id_index *x, const struct pp_record_id *id, uint64_t number)
{
    if (x->window > 0 && x->young.count == x->window) {
        struct pp_id_table emptied = x->old;
        table_clear(&emptied);
        x->old = x->young;
        x->young = emptied;
    }
    PP_ASSERT(x->young.count < (size_t)1 << (x->young.bits - 1));
    table_put(&x->young, (uint64_t)tag_of(x, id) << 32 | (uint32_t)number);
    x->newest = number;
}

static int table_find(const struct pp_id_index *x, const struct pp_id_table *t,
                      const struct pp_record_id *id,
                      int (*has)(void *ctx, uint64_t number, const struct pp_record_id *id),
                      void *ctx, uint64_t *ret_number)
{
    uint32_t tag = tag_of(x, id);

    for (size_t i = first_place(t, tag); t->places[i] != 0; i = next_place(t, i)) {
        /* Numbers in the table lie less than 2^32 below the newest. */
        uint64_t number = x->newest - (uint32_t)((uint32_t)x->newest - (uint32_t)t->places[i]);
        if (t->places[i] >> 32 != tag || !has(ctx, number, id))
            continue;
        *ret_number = number;
        return 1;
    }
    return 0;
}

int pp_id_index_find(const struct pp_id_index *x, const struct pp_record_id *id,
                     int (*has)(void *ctx, uint64_t number, const struct pp_record_id *id),
                     void *ctx, uint64_t *ret_number)
{
    if (table_find(x, &x->young, id, has, ctx, ret_number))
        return 1;
    return x->window > 0 && table_find(x, &x->old, id, has, ctx, ret_number);
}
