/* SPDX-License-Identifier: Apache-2.0 */
#include "counts_int.h"

#include "where.h"

pp_res iss_counts_open(const char *where, struct pp_problem *problem, struct iss_counts **ret)
{
    if (pp_where_is_url(where))
        return iss_counts_open_pg_(where, problem, ret);
    return iss_counts_open_sqlite_(where, problem, ret);
}

void iss_counts_close(struct iss_counts *c)
{
    if (c != NULL)
        c->kind->close(c);
}

pp_res iss_counts_check(struct iss_counts *c, uint32_t day, const struct iss_account *account,
                        uint32_t max)
{
    return c->kind->check(c, day, account, max);
}

pp_res iss_counts_add(struct iss_counts *c, uint32_t day, const struct iss_account *account,
                      uint32_t max)
{
    PP_CHECK(max > 0, PP_E_LIMIT, 0); /* the first row would not ask */
    return c->kind->add(c, day, account, max);
}

pp_res iss_counts_retire(struct iss_counts *c, uint32_t first_day)
{
    return c->kind->retire(c, first_day);
}
