/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "rd.h"

pp_res pp_entry_id(struct pp_span entry, struct pp_record_id *ret)
{
    size_t end = entry.len;

    while (end >= 2 && (entry.at[end - 1] != '\n' || entry.at[end - 2] != '\n'))
        end--;
    PP_CHECK(end >= 2, PP_E_FORMAT, 0);
    pp_record_id_of(pp_span(entry.at, end - 1), ret);
    return PP_OK;
}

pp_res pp_batch_parse(struct pp_span bytes, size_t entry_max, struct pp_batch *ret,
                      size_t *ret_entry)
{
    struct pp_rd rd = pp_rd_span(bytes);

    ret->count = 0;
    *ret_entry = 0;
    PP_CHECK(bytes.len > 0, PP_E_FORMAT, 0);
    PP_CHECK(bytes.len <= PP_BATCH_BYTES_MAX, PP_E_LIMIT, bytes.len);
    while (rd.left > 0) {
        *ret_entry = ret->count;
        PP_CHECK(ret->count < PP_BATCH_MAX, PP_E_LIMIT, ret->count);
        struct pp_rd one = pp_rd_block32(&rd);
        PP_TRY(pp_rd_ok(&rd));
        struct pp_span entry = pp_rd_rest(&one);
        PP_CHECK(entry.len <= entry_max, PP_E_LIMIT, entry.len);
        ret->entries[ret->count++] = entry;
    }
    return PP_OK;
}

void pp_batch_write(struct pp_wr *wr, struct pp_span entry)
{
    size_t mark = pp_wr_block32_begin(wr);

    pp_wr_span(wr, entry);
    pp_wr_block32_end(wr, mark);
}
