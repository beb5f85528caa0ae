/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an event log: what opens can be walked to its end, and replays to the same values
 * without what stands behind that end. */
#include "fuzz.h"

#include "eventlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_eventlog log;
    struct pp_eventlog_event event;
    uint8_t rtmr[PP_RTMRS][PP_RTMR_BYTES], again[PP_RTMRS][PP_RTMR_BYTES];
    size_t events = 0, end = 0;

    if (!pp_is_ok(pp_eventlog_open(pp_span(data, len), &log)))
        return 0;
    end = log.rd.offset;
    while (pp_eventlog_next(&log, &event)) {
        FUZZ_CHECK(event.mr_index <= PP_RTMRS && event.digest.len == PP_RTMR_BYTES);
        FUZZ_CHECK(event.data.at >= data && event.data.at + event.data.len <= data + len);
        FUZZ_CHECK(pp_eventlog_type_name(event.type) != NULL);
        (void)pp_eventlog_covers(&event);
        events++;
        end = log.rd.offset;
    }
    FUZZ_CHECK(events <= PP_EVENTLOG_EVENTS_MAX && !pp_eventlog_next(&log, &event));
    FUZZ_CHECK(pp_is_ok(pp_eventlog_replay(pp_span(data, len), rtmr)));
    FUZZ_CHECK(pp_is_ok(pp_eventlog_replay(pp_span(data, end), again)));
    FUZZ_CHECK(memcmp(rtmr, again, sizeof rtmr) == 0);
    return 0;
}
