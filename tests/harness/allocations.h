/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allocations.h: counts heap allocations of a whole program, libraries included, by standing in
 * front of the C library's own. Include it in exactly one file of a test or benchmark. Sanitizers
 * bring their own allocator: there the count stays 0 and ALLOCATIONS_COUNTED says so.
 */
#ifndef PP_ALLOCATIONS_H
#define PP_ALLOCATIONS_H

#include <stddef.h>

#if defined(PP_SANITIZE)
enum { ALLOCATIONS_COUNTED = 0 };
static const unsigned long allocation_count = 0;
#else
enum { ALLOCATIONS_COUNTED = 1 };
static unsigned long allocation_count;

#define ALLOCATIONS_EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *p, size_t len);
ALLOCATIONS_EXPORT void *malloc(size_t len);
ALLOCATIONS_EXPORT void *calloc(size_t count, size_t len);
ALLOCATIONS_EXPORT void *realloc(void *p, size_t len);

void *malloc(size_t len)
{
    __atomic_fetch_add(&allocation_count, 1, __ATOMIC_RELAXED);
    return __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
    __atomic_fetch_add(&allocation_count, 1, __ATOMIC_RELAXED);
    return __libc_calloc(count, len);
}

void *realloc(void *p, size_t len)
{
    __atomic_fetch_add(&allocation_count, 1, __ATOMIC_RELAXED);
    return __libc_realloc(p, len);
}
#endif

#endif
