/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totals.h: when a line of totals may be written. At most one a minute is no promise where one
 * request comes a minute: the line then says when somebody asked. So it waits for many of them.
 * What is left at the end of a process is told with it: that time is its operator's.
 */
#ifndef PP_TOTALS_H
#define PP_TOTALS_H

#include <stdint.h>

enum { PP_TOTALS_MIN = 16 }; /* requests, or sessions, that a line stands for */

/* Whether `all` since the start are so many more than `*told`, which is moved to it then. */
static inline int pp_totals_are_due(uint64_t all, uint64_t *told)
{
    if (all - *told < PP_TOTALS_MIN)
        return 0;
    *told = all;
    return 1;
}

#endif
