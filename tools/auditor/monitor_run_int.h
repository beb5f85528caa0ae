/* SPDX-License-Identifier: Apache-2.0 */
/* monitor_run_int.h: the parts of a round. */
#ifndef PP_MONITOR_RUN_INT_H
#define PP_MONITOR_RUN_INT_H

#include "monitor_run.h"

/* Checkpoints of all places, of the witnesses, and those that were brought; then the entries. */
PP_MUST pp_res monitor_read_sources(struct pp_monitor_run *r);

/* A file that somebody brought: a checkpoint, or something that carries checkpoints. */
PP_MUST pp_res monitor_show_brought(struct pp_monitor_run *r, const char *path);

/* The bundle that a place or mirror gives to devices, and those of the mirrors. */
PP_MUST pp_res monitor_show_directory(struct pp_monitor_run *r, const char *who,
                                      struct pp_span bytes);
PP_MUST pp_res monitor_read_mirrors(struct pp_monitor_run *r);

/* Gives what the copy has beyond what was looked into to the rules. */
PP_MUST pp_res monitor_feed(struct pp_monitor_run *r);

/* Asks for everything that records name and that was not found yet. */
PP_MUST pp_res monitor_look_for_publications(struct pp_monitor_run *r);

/* An entry may name something that has to be public. */
void monitor_note_publication(struct pp_monitor_run *r, struct pp_span entry, uint64_t index);

#endif
