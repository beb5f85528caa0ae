/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h: the catalogue once more, as text for Prometheus: what was logged, and nothing else.
 *
 * A struct pp_metrics stands in front of a sink and keeps, of each event of its groups, how often
 * it was written and the values of its last line. So a metric says no more than the log does, at
 * the log's pace: totals, at most once a minute, in the kinds that events.h knows.
 *
 *     # HELP pp_events_total lines of docs/events.md that were written since the start
 *     # TYPE pp_events_total counter
 *     pp_events_total{event="GW_TOTALS",level="info"} 3
 *     # HELP pp_gw_totals_sessions sessions, as the last line of GW_TOTALS has it
 *     # TYPE pp_gw_totals_sessions gauge
 *     pp_gw_totals_sessions 112
 *
 * Words and digests are left to the log. An event that was never written has its count, 0, and no
 * other line.
 */
#ifndef PP_METRICS_H
#define PP_METRICS_H

#include "events.h"

enum { PP_METRICS_EVENTS_MAX = 160, PP_METRICS_BYTES_MAX = 65536 };

#define PP_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct pp_metrics {
    struct pp_event_sink next; /* gets every line as it is */
    uint32_t groups;           /* PP_EVENT_GROUP_* */
    uint64_t written[PP_METRICS_EVENTS_MAX];
    uint64_t values[PP_METRICS_EVENTS_MAX][PP_EVENT_FIELDS_MAX];
};

/* Puts `m`, which must outlive the sink, in front of `next`. */
struct pp_event_sink pp_metrics_sink(struct pp_metrics *m, const struct pp_event_sink *next,
                                     uint32_t groups);

/* Appends the text: up to PP_METRICS_BYTES_MAX. NO_SPACE. */
PP_MUST pp_res pp_metrics_write(const struct pp_metrics *m, struct pp_wr *wr);

#endif
