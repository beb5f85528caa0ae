/* SPDX-License-Identifier: Apache-2.0 */
/* ct.h: constant-time helpers. Lengths are public; the bytes are not. */
#ifndef PP_CT_H
#define PP_CT_H

#include <stddef.h>
#include <stdint.h>

#if defined(PP_TAINT_CHECKED)
#include <valgrind/memcheck.h>
/* Marks secrets for the valgrind run: any branch or index on them is then reported. */
#define PP_TAINT(p, n) ((void)VALGRIND_MAKE_MEM_UNDEFINED((p), (n)))
/* Marks the intended public result; `why` says why it may be public. */
#define PP_REVEAL(p, n, why) ((void)VALGRIND_MAKE_MEM_DEFINED((p), (n)))
#else
#define PP_TAINT(p, n)       ((void)(p), (void)(n))
#define PP_REVEAL(p, n, why) ((void)(p), (void)(n))
#endif

/* Hides a value from the optimiser, which may not rediscover an early exit behind it. */
static inline uint32_t pp_ct_barrier(uint32_t v)
{
    __asm__("" : "+r"(v));
    return v;
}

/* 1 if equal, 0 if not. */
uint32_t pp_ct_eq(const uint8_t *a, const uint8_t *b, size_t len);

/* 1 if all bytes are zero, 0 if not. */
uint32_t pp_ct_is_zero(const uint8_t *a, size_t len);

/* dst = choose ? a : b, byte by byte; `choose` is 0 or 1. */
void pp_ct_select(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t len, uint32_t choose);

/* Erases memory in a way that the optimiser keeps. */
void pp_wipe(void *p, size_t len);

#endif
