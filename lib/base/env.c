/* SPDX-License-Identifier: Apache-2.0 */
#include "env.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

pp_res pp_random_fill(const struct pp_random *r, uint8_t *ret, size_t len)
{
    return r->fill(r->ctx, ret, len);
}

pp_res pp_random_below(const struct pp_random *r, uint64_t bound, uint64_t *ret)
{
    PP_CHECK(bound > 0, PP_E_RANGE, 0);
    uint64_t skip = (0 - bound) %
                    bound; /* 2^64 mod bound: values below it would favour small ones */
    uint64_t v;

    do {
        PP_TRY(pp_random_fill(r, (uint8_t *)&v, sizeof v));
    } while (v < skip);
    *ret = v % bound;
    return PP_OK;
}

static uint64_t clock_ms(clockid_t id)
{
    struct timespec t;

    PP_ASSERT(clock_gettime(id, &t) == 0);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t system_posix_ms(void *ctx)
{
    (void)ctx;
    return clock_ms(CLOCK_REALTIME);
}

static uint64_t system_mono_ms(void *ctx)
{
    (void)ctx;
    return clock_ms(CLOCK_MONOTONIC);
}

struct pp_clock pp_clock_system(void)
{
    return (struct pp_clock){ .posix_ms = system_posix_ms, .mono_ms = system_mono_ms };
}

static pp_res system_fill(void *ctx, uint8_t *ret, size_t len)
{
    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(ret, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        PP_CHECK(n > 0, PP_E_RANDOM, errno);
        ret += n;
        len -= (size_t)n;
    }
    return PP_OK;
}

struct pp_random pp_random_system(void)
{
    return (struct pp_random){ .fill = system_fill };
}

static pp_res script_fill(void *ctx, uint8_t *ret, size_t len)
{
    struct pp_span *script = ctx;

    PP_CHECK(len <= script->len, PP_E_RANDOM, script->len);
    if (len > 0)
        memcpy(ret, script->at, len);
    script->at += len;
    script->len -= len;
    return PP_OK;
}

struct pp_random pp_random_script(struct pp_span *script)
{
    return (struct pp_random){ .fill = script_fill, .ctx = script };
}
