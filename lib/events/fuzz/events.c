/* SPDX-License-Identifier: Apache-2.0 */
/* The filter lets through only what it would write itself, and nothing of other groups. */
#include "fuzz.h"

#include "events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_span line = pp_span(data, len);
    struct pp_event ev;
    uint8_t again[PP_EVENT_LINE_MAX];
    struct pp_wr wr = pp_wr_over(again, sizeof again);

    if (!pp_is_ok(pp_event_parse(line, PP_EVENT_GROUP_ALL, &ev)))
        return 0;
    FUZZ_CHECK(pp_is_ok(pp_event_write(&ev, &wr)));
    FUZZ_CHECK(pp_span_eq(pp_wr_done(&wr), line));
    FUZZ_CHECK(!pp_is_ok(pp_event_parse(line, 0, &ev)));
    for (size_t i = 0; i + 1 < len; i++)
        FUZZ_CHECK(data[i] > 0x1F && data[i] < 0x7F);
    return 0;
}
