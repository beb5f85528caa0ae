/* SPDX-License-Identifier: Apache-2.0 */
/* counts_int.h: what a store behind counts.h is. */
#ifndef ISS_COUNTS_INT_H
#define ISS_COUNTS_INT_H

#include "counts.h"

struct iss_counts_kind {
    void (*close)(struct iss_counts *c);
    pp_res (*check)(struct iss_counts *c, uint32_t day, const struct iss_account *account,
                    uint32_t max);
    pp_res (*add)(struct iss_counts *c, uint32_t day, const struct iss_account *account,
                  uint32_t max); /* `max` is not 0 */
    pp_res (*retire)(struct iss_counts *c, uint32_t first_day);
};

/* The first member of every kind's own structure. */
struct iss_counts {
    const struct iss_counts_kind *kind;
};

PP_MUST pp_res iss_counts_open_sqlite_(const char *path, struct pp_problem *problem,
                                       struct iss_counts **ret);
PP_MUST pp_res iss_counts_open_pg_(const char *url, struct pp_problem *problem,
                                   struct iss_counts **ret);

#endif
