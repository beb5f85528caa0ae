/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allocations.h: counts heap allocations of a whole program, libraries included, by standing in
 * front of the C library's own. Include it in exactly one file of a test or benchmark. Sanitizers
 * bring their own allocator: there the counts stay 0 and ALLOCATIONS_COUNTED says so.
 *
 * allocation_count_own counts those that are called from the program itself, into which all of our
 * libraries are linked; what shared libraries allocate for themselves is only in allocation_count.
 * allocation_live is how many bytes are held, allocation_peak the most since it was last set to it.
 */
#ifndef PP_ALLOCATIONS_H
#define PP_ALLOCATIONS_H

#include <malloc.h>
#include <stddef.h>

#if defined(PP_SANITIZE)
enum { ALLOCATIONS_COUNTED = 0 };
static const unsigned long allocation_count = 0, allocation_count_own = 0;
static const long allocation_live = 0;
static long allocation_peak __attribute__((unused));
#else
enum { ALLOCATIONS_COUNTED = 1 };
static unsigned long allocation_count, allocation_count_own;
static long allocation_live, allocation_peak; /* exact in programs of one thread */

extern const char __executable_start[], __etext[]; /* the linker's */

static inline void allocation_counted(const void *caller)
{
    const char *at = (const char *)caller;

    __atomic_fetch_add(&allocation_count, 1, __ATOMIC_RELAXED);
    if (at >= __executable_start && at < __etext)
        __atomic_fetch_add(&allocation_count_own, 1, __ATOMIC_RELAXED);
}

static inline void *allocation_held(void *p)
{
    long live = __atomic_add_fetch(&allocation_live, (long)malloc_usable_size(p), __ATOMIC_RELAXED);

    if (live > allocation_peak)
        allocation_peak = live;
    return p;
}

static inline void allocation_given_back(void *p)
{
    __atomic_fetch_sub(&allocation_live, (long)malloc_usable_size(p), __ATOMIC_RELAXED);
}

#define ALLOCATIONS_EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *p, size_t len);
ALLOCATIONS_EXPORT void *malloc(size_t len);
ALLOCATIONS_EXPORT void *calloc(size_t count, size_t len);
extern void __libc_free(void *p);
ALLOCATIONS_EXPORT void *realloc(void *p, size_t len);
ALLOCATIONS_EXPORT void free(void *p);

void *malloc(size_t len)
{
    allocation_counted(__builtin_return_address(0));
    return allocation_held(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
    allocation_counted(__builtin_return_address(0));
    return allocation_held(__libc_calloc(count, len));
}

void *realloc(void *p, size_t len)
{
    allocation_counted(__builtin_return_address(0));
    allocation_given_back(p);
    return allocation_held(__libc_realloc(p, len));
}

void free(void *p)
{
    allocation_given_back(p);
    __libc_free(p);
}
#endif

#endif
