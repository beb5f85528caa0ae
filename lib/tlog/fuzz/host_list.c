/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of machines: one encoding, none is a record, and what one gives is a record of its own. */
#include "fuzz.h"

#include "host_list.h"

static pp_res write_row(void *ctx, const struct pp_host_row *row)
{
    pp_host_row_write((struct pp_wr *)ctx, row);
    return PP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t rows[1 << 16], again[1 << 16];
    static struct pp_record record;
    const struct pp_span text = pp_span(data, len);
    struct pp_wr tail = pp_wr_over(rows, sizeof rows);
    struct pp_wr wr = pp_wr_over(again, sizeof again);
    struct pp_host_list list;

    if (len > sizeof rows || !pp_is_ok(pp_host_list_read(text, &list, write_row, &tail)))
        return 0;
    pp_host_list_write(&wr, &list);
    pp_wr_span(&wr, pp_wr_done(&tail));
    FUZZ_CHECK(pp_is_ok(pp_wr_ok(&wr)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), text));
    FUZZ_CHECK(!pp_is_ok(pp_record_parse(text, &record)));
    if (pp_is_ok(pp_host_list_record(text, 1, &record)))
        FUZZ_CHECK(pp_is_ok(pp_host_list_check(text, &record)));
    return 0;
}
