/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"
#include "rd.h"

/* One line with its end, as the guest wrote it: out it goes byte for byte, or not at all. */
static int take_line(struct host_lines *l, struct pp_span line)
{
    struct pp_event event;

    if (!pp_is_ok(pp_event_parse(line, PP_EVENT_GROUP_COMMON | PP_EVENT_GROUP_CVM, &event))) {
        l->refused++;
        return 0;
    }
    l->to->write(l->to->ctx, line);
    return event.id == PP_EV_DAEMON_READY && event.values[0] == PP_PARTY_CVM;
}

int host_lines_feed(struct host_lines *l, struct pp_span bytes)
{
    struct pp_rd rd = pp_rd_span(bytes);
    int ready = 0;

    while (rd.left > 0) {
        uint8_t byte = pp_rd_u8(&rd);
        if (!l->skipping)
            l->line[l->len++] = byte;
        if (byte == '\n') {
            if (l->skipping)
                l->refused++;
            else
                ready |= take_line(l, pp_span(l->line, l->len));
            l->len = 0;
            l->skipping = 0;
        } else if (l->len == sizeof l->line) {
            l->len = 0;
            l->skipping = 1;
        }
    }
    return ready;
}
