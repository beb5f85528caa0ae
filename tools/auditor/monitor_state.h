/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_state.h: what a monitor remembers between two rounds, as one text that replaces the one
 * before it: the verified tree, the checkpoints that later ones are compared with, what was read
 * from each source, and whose files were found public (docs/ledger.md).
 *
 * The rules' own state is not in it: entries are read again from the copy.
 */
#ifndef PP_MONITOR_STATE_H
#define PP_MONITOR_STATE_H

#include "monitor_core.h"

enum {
    PP_MONITOR_SOURCES_MAX = 40, /* places, their bundles, mirrors */
    PP_MONITOR_PUBLISHED_MAX = 4096,
    PP_MONITOR_STATE_BYTES_MAX = 12 << 20,
};

struct pp_monitor_state {
    struct pp_monitor *monitor; /* borrowed, initialised */
    struct pp_monitor_source sources[PP_MONITOR_SOURCES_MAX];
    size_t source_count;
    struct pp_record_id published[PP_MONITOR_PUBLISHED_MAX];
    size_t published_count;
};

/* The source of that name, a new one if there is none. NULL: the table is full. */
struct pp_monitor_source *pp_monitor_state_source(struct pp_monitor_state *s, const char *name);

void pp_monitor_state_write(struct pp_wr *wr, const struct pp_monitor_state *s);

/*
 * Reads what the writer wrote, into an initialised monitor; on failure both are half filled and to
 * be dropped. FORMAT, RANGE, LIMIT; LEDGER_ORIGIN (the state of another log); LEDGER_SIGNATURE and
 * so on (checkpoints that the policy no longer opens); PROOF (the tree is not that of its
 * checkpoint). Witnesses that left the policy are forgotten.
 */
PP_MUST pp_res pp_monitor_state_parse(struct pp_span text, struct pp_monitor_state *s);

#endif
