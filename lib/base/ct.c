/* SPDX-License-Identifier: Apache-2.0 */
#include "ct.h"

#include <string.h>

uint32_t pp_ct_eq(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint32_t diff = 0;

    for (size_t i = 0; i < len; i++)
        diff |= (uint32_t)(a[i] ^ b[i]);
    diff = pp_ct_barrier(diff); /* the optimiser may not rediscover an early exit */
    return (diff - 1) >> 31;    /* diff is 0..255: only 0 borrows */
}

uint32_t pp_ct_is_zero(const uint8_t *a, size_t len)
{
    uint32_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= a[i];
    any = pp_ct_barrier(any);
    return (any - 1) >> 31;
}

void pp_ct_select(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t len, uint32_t choose)
{
    uint32_t mask = pp_ct_barrier(0U - choose); /* all ones for a, zero for b */

    for (size_t i = 0; i < len; i++)
        dst[i] = (uint8_t)((a[i] & mask) | (b[i] & ~mask));
}

void pp_wipe(void *p, size_t len)
{
    if (len > 0)
        explicit_bzero(p, len);
}
