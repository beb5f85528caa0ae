/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include "events_int.h"

/* --- counting ------------------------------------------------------------------------------- */

static void keep(void *ctx, struct pp_span line)
{
    struct pp_metrics *m = (struct pp_metrics *)ctx;
    struct pp_event e;

    if (pp_is_ok(pp_event_parse(line, m->groups, &e)) && e.id < PP_METRICS_EVENTS_MAX) {
        m->written[e.id]++;
        for (size_t i = 0; i < PP_EVENT_FIELDS_MAX; i++)
            m->values[e.id][i] = e.values[i];
    }
    if (m->next.write != NULL)
        m->next.write(m->next.ctx, line);
}

struct pp_event_sink pp_metrics_sink(struct pp_metrics *m, const struct pp_event_sink *next,
                                     uint32_t groups)
{
    PP_ASSERT(PP_EVENT_ROW_COUNT <= PP_METRICS_EVENTS_MAX);
    *m = (struct pp_metrics){ .next = *next, .groups = groups };
    return (struct pp_event_sink){ keep, m, next->clock };
}

/* --- writing -------------------------------------------------------------------------------- */

static const char *const LEVELS[] = { "info", "warn", "error" };

/* The names of the catalogue are upper-case words. */
static void write_lower(struct pp_wr *wr, const char *name)
{
    for (; *name != '\0'; name++)
        pp_wr_u8(wr, (uint8_t)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name));
}

static void write_name(struct pp_wr *wr, const struct pp_event_row *row, const char *field)
{
    pp_wr_text(wr, "pp_");
    write_lower(wr, row->name);
    pp_wr_text(wr, "_");
    pp_wr_text(wr, field);
}

static int is_number(enum pp_event_kind kind)
{
    return kind != PP_EVENT_ENUM && kind != PP_EVENT_DIGEST;
}

static void write_field(struct pp_wr *wr, const struct pp_event_row *row, const char *field,
                        uint64_t value)
{
    pp_wr_text(wr, "# HELP ");
    write_name(wr, row, field);
    pp_wr_text(wr, " ");
    pp_wr_text(wr, field);
    pp_wr_text(wr, ", as the last line of ");
    pp_wr_text(wr, row->name);
    pp_wr_text(wr, " has it\n# TYPE ");
    write_name(wr, row, field);
    pp_wr_text(wr, " gauge\n");
    write_name(wr, row, field);
    pp_wr_text(wr, " ");
    pp_wr_decimal(wr, value);
    pp_wr_text(wr, "\n");
}

static void write_count(struct pp_wr *wr, const struct pp_event_row *row, uint64_t written)
{
    pp_wr_text(wr, "pp_events_total{event=\"");
    pp_wr_text(wr, row->name);
    pp_wr_text(wr, "\",level=\"");
    pp_wr_text(wr, LEVELS[row->level]);
    pp_wr_text(wr, "\"} ");
    pp_wr_decimal(wr, written);
    pp_wr_text(wr, "\n");
}

pp_res pp_metrics_write(const struct pp_metrics *m, struct pp_wr *wr)
{
    pp_wr_text(wr, "# HELP pp_events_total lines of docs/events.md that were written since the "
                   "start\n# TYPE pp_events_total counter\n");
    for (size_t id = 0; id < PP_EVENT_ROW_COUNT; id++)
        if ((PP_EVENT_ROWS[id].group & m->groups) != 0)
            write_count(wr, &PP_EVENT_ROWS[id], m->written[id]);
    for (size_t id = 0; id < PP_EVENT_ROW_COUNT; id++) {
        const struct pp_event_row *row = &PP_EVENT_ROWS[id];
        for (size_t i = 0; i < row->field_count && m->written[id] > 0; i++)
            if (is_number(row->fields[i].kind))
                write_field(wr, row, row->fields[i].name, m->values[id][i]);
    }
    return pp_wr_ok(wr);
}
