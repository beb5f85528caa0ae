/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h: time and randomness as interfaces. Libraries receive them; programs pass the system's,
 * tests pass ones that replay.
 */
#ifndef PP_ENV_H
#define PP_ENV_H

#include "result.h"
#include "span.h"

struct pp_clock {
    uint64_t (*posix_ms)(void *ctx); /* milliseconds since 1970 UTC; may jump */
    uint64_t (*mono_ms)(void *ctx);  /* milliseconds, never backwards; for deadlines */
    void *ctx;
};

struct pp_random {
    pp_res (*fill)(void *ctx, uint8_t *ret, size_t len);
    void *ctx;
};

static inline uint64_t pp_clock_posix_s(const struct pp_clock *c)
{
    return c->posix_ms(c->ctx) / 1000;
}

static inline uint64_t pp_clock_mono_ms(const struct pp_clock *c)
{
    return c->mono_ms(c->ctx);
}

/* Fills `ret` completely or fails with RANDOM; nothing may be used after a failure. */
PP_MUST pp_res pp_random_fill(const struct pp_random *r, uint8_t *ret, size_t len);

/* A uniform number below `bound` (1 or more), without modulo bias. */
PP_MUST pp_res pp_random_below(const struct pp_random *r, uint64_t bound, uint64_t *ret);

/* The system's clock and getrandom(2), for programs. */
struct pp_clock pp_clock_system(void);
struct pp_random pp_random_system(void);

/*
 * A deterministic source for tests and vectors: gives the bytes of `script` in order, then fails
 * with RANDOM. `script` is borrowed and shortened as it is used.
 */
struct pp_random pp_random_script(struct pp_span *script);

#endif
