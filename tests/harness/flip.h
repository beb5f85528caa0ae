/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip.h: the property that any single flipped bit of evidence is refused. A region is flipped bit
 * by bit, in place; with PP_FLIP=all every bit of it, else every bit of a small region and a seeded
 * sample of a large one, which is another with every PP_FLIP=<seed>.
 */
#ifndef PP_FLIP_H
#define PP_FLIP_H

#include "harness.h"

enum { FLIP_SMALL_BITS = 1024, FLIP_SAMPLE = 256 };

struct flip_region {
    const char *name;
    uint8_t *at;
    size_t len;
    /* 1: this flip changes nothing of what is signed or bound, and may pass. NULL: all count. */
    int (*is_exempt)(void *ctx);
};

static inline uint64_t flip_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline uint64_t flip_seed(void)
{
    const char *text = getenv("PP_FLIP");

    return text == NULL || strcmp(text, "all") == 0 ? 1 : strtoull(text, NULL, 10);
}

static inline int flip_all(void)
{
    const char *text = getenv("PP_FLIP");

    return text != NULL && strcmp(text, "all") == 0;
}

/* `is_refused` judges what the region is part of; 1 when it is refused. Returns bits tried. */
static inline size_t flip_region(const struct flip_region *r, int (*is_refused)(void *ctx),
                                 void *ctx)
{
    uint64_t state = flip_seed() ^ r->len;
    size_t bits = 8 * r->len;
    int whole = flip_all() || bits <= FLIP_SMALL_BITS;
    size_t tries = whole ? bits : FLIP_SAMPLE;

    for (size_t i = 0; i < tries; i++) {
        size_t bit = whole ? i : (size_t)(flip_next(&state) % bits);
        uint8_t mask = (uint8_t)(1U << bit % 8);

        r->at[bit / 8] ^= mask;
        int refused = is_refused(ctx) || (r->is_exempt != NULL && r->is_exempt(ctx));
        r->at[bit / 8] ^= mask;
        if (!refused)
            print_error("%s: bit %zu of byte %zu may be flipped\n", r->name, bit % 8, bit / 8);
        assert_true(refused);
    }
    return tries;
}

#endif
