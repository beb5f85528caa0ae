/* SPDX-License-Identifier: Apache-2.0 */
/* result.h: the one result type, and the small macros that carry it. */
#ifndef PP_RESULT_H
#define PP_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "codes.h"

/* Everything that can fail returns this, in two registers. */
typedef struct pp_res {
    uint32_t code;     /* enum pp_code; PP_E_OK is 0 */
    uint32_t detail;   /* an offset, a count, an errno: always a number, never a user's byte */
    const char *where; /* "keyconf.c:41", a string constant; NULL when ok */
} pp_res;

#define PP_MUST __attribute__((warn_unused_result))

#define PP_STRINGIFY_(x) #x
#define PP_STRINGIFY(x)  PP_STRINGIFY_(x)
#define PP_HERE          (__FILE_NAME__ ":" PP_STRINGIFY(__LINE__))

#define PP_OK         ((pp_res){ .code = PP_E_OK })
#define PP_FAIL(c, d) ((pp_res){ .code = (uint32_t)(c), .detail = (uint32_t)(d), .where = PP_HERE })

/* Returns from the calling function when `expr` failed. */
#define PP_TRY(expr)                                                                               \
    do {                                                                                           \
        pp_res pp_try_res = (expr);                                                                \
        if (pp_try_res.code != PP_E_OK)                                                            \
            return pp_try_res;                                                                     \
    } while (0)

/* Like PP_TRY; the failure gets the code `c` of the calling layer, detail and where stay. */
#define PP_TRY_AS(c, expr)                                                                         \
    do {                                                                                           \
        pp_res pp_try_res = (expr);                                                                \
        if (pp_try_res.code != PP_E_OK) {                                                          \
            pp_try_res.code = (uint32_t)(c);                                                       \
            return pp_try_res;                                                                     \
        }                                                                                          \
    } while (0)

/* Fails with (code, detail) of the calling line unless `cond` holds. For input from outside. */
#define PP_CHECK(cond, c, d)                                                                       \
    do {                                                                                           \
        if (!(cond))                                                                               \
            return PP_FAIL(c, d);                                                                  \
    } while (0)

static inline int pp_is_ok(pp_res r)
{
    return r.code == PP_E_OK;
}

/* The only way to drop a result; `why` is for the reader and for grep. */
static inline void pp_ignore(pp_res r, const char *why)
{
    (void)r;
    (void)why;
}

/* For bugs only: broken invariants. Stays on in release builds and aborts. */
#define PP_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            pp_assert_failed(PP_HERE, #cond);                                                      \
    } while (0)

_Noreturn void pp_assert_failed(const char *where, const char *what);

/* Runs `type##_done` on the variable however the scope is left. */
#define PP_AUTO(type) __attribute__((cleanup(type##_done))) struct type

#define PP_ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Sizes from outside: these fail with RANGE instead of wrapping. */
PP_MUST pp_res pp_add(size_t a, size_t b, size_t *ret_sum);
PP_MUST pp_res pp_mul(size_t a, size_t b, size_t *ret_product);

#endif
