/* SPDX-License-Identifier: Apache-2.0 */
/* spent_int.h: what a store behind spent.h is. */
#ifndef PP_SPENT_INT_H
#define PP_SPENT_INT_H

#include "spent.h"

struct pp_spent_kind {
    void (*close)(struct pp_spent *s);
    /* One transaction; on success it has written every item's result. */
    pp_res (*insert)(struct pp_spent *s, struct pp_spent_item *items, size_t count);
    pp_res (*retire)(struct pp_spent *s, uint32_t first_day);
    pp_res (*count)(struct pp_spent *s, uint32_t day, uint64_t *ret);
};

/* The first member of every kind's own structure. */
struct pp_spent {
    const struct pp_spent_kind *kind;
};

PP_MUST pp_res pp_spent_open_sqlite_(const char *path, struct pp_problem *problem,
                                     struct pp_spent **ret);
PP_MUST pp_res pp_spent_open_pg_(const char *url, struct pp_problem *problem,
                                 struct pp_spent **ret);

enum { PP_SPENT_SQL_BYTES_MAX = 192 };

/* `before` day `after`, as a C string. Table names cannot be bound, and a day is a number. */
const char *pp_spent_sql_(char buf[PP_SPENT_SQL_BYTES_MAX], const char *before, uint32_t day,
                          const char *after);

/* The day of a table spent_<day>, or 0 in `*ret_is` for another name. */
uint32_t pp_spent_table_day_(struct pp_span name, int *ret_is);

#endif
