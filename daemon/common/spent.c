/* SPDX-License-Identifier: Apache-2.0 */
#include "spent_int.h"

#include "text.h"
#include "where.h"
#include "wr.h"

const char *pp_spent_sql_(char buf[PP_SPENT_SQL_BYTES_MAX], const char *before, uint32_t day,
                          const char *after)
{
    struct pp_wr wr = pp_wr_over(buf, PP_SPENT_SQL_BYTES_MAX);

    pp_wr_text(&wr, before);
    pp_wr_decimal(&wr, day);
    pp_wr_text(&wr, after);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(wr.failed == PP_E_OK);
    return buf;
}

uint32_t pp_spent_table_day_(struct pp_span name, int *ret_is)
{
    struct pp_span prefix = PP_STR("spent_");
    struct pp_rd rd = pp_rd_span(name);
    uint64_t day = 0;

    *ret_is = pp_span_eq(pp_rd_bytes(&rd, prefix.len), prefix) &&
              pp_is_ok(pp_decimal_parse(pp_rd_rest(&rd), UINT32_MAX, &day));
    return (uint32_t)day;
}

pp_res pp_spent_open(const char *where, struct pp_problem *problem, struct pp_spent **ret)
{
    if (pp_where_is_url(where))
        return pp_spent_open_pg_(where, problem, ret);
    return pp_spent_open_sqlite_(where, problem, ret);
}

void pp_spent_close(struct pp_spent *s)
{
    if (s != NULL)
        s->kind->close(s);
}

static void set_all(struct pp_spent_item *items, size_t count, pp_res r)
{
    for (size_t i = 0; i < count; i++)
        items[i].result = r;
}

pp_res pp_spent_insert_many(struct pp_spent *s, struct pp_spent_item *items, size_t count)
{
    pp_res r = PP_FAIL(PP_E_RANGE, count);

    set_all(items, count, PP_FAIL(PP_E_UNVERIFIED, 0));
    if (count > 0 && count <= PP_SPENT_BATCH_MAX)
        r = s->kind->insert(s, items, count);
    if (!pp_is_ok(r))
        set_all(items, count, r);
    return r;
}

pp_res pp_spent_insert(struct pp_spent *s, uint32_t day, const uint8_t key[PP_SPEND_KEY_BYTES])
{
    struct pp_spent_item item = { .day = day };

    memcpy(item.key, key, PP_SPEND_KEY_BYTES);
    PP_TRY(pp_spent_insert_many(s, &item, 1));
    return item.result;
}

pp_res pp_spent_retire(struct pp_spent *s, uint32_t first_day)
{
    return s->kind->retire(s, first_day);
}

pp_res pp_spent_count(struct pp_spent *s, uint32_t day, uint64_t *ret)
{
    return s->kind->count(s, day, ret);
}

uint32_t pp_spent_first_day(uint64_t now_s)
{
    uint64_t day = now_s < PP_EPOCH_SLACK_SECONDS
                       ? 0
                       : (now_s - PP_EPOCH_SLACK_SECONDS) / PP_EPOCH_SECONDS;

    return (uint32_t)day;
}
