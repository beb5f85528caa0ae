/* SPDX-License-Identifier: Apache-2.0 */
/* monitor_int.h: what the files of the monitor's core share. */
#ifndef PP_MONITOR_INT_H
#define PP_MONITOR_INT_H

#include "monitor_core.h"

/* A finding about the log itself, without subject and words. */
struct pp_monitor_finding monitor_begin(const struct pp_monitor *m, enum pp_finding_level level,
                                        enum pp_finding_kind kind, enum pp_code code);

PP_MUST pp_res monitor_found(struct pp_monitor *m, const struct pp_monitor_finding *f,
                             const struct pp_monitor_evidence *evidence, size_t count);

/* Printable text behind what stands there, or in its place; cut to fit. */
void monitor_add_text(char *text, size_t cap, struct pp_span more);
void monitor_set_text(char *text, size_t cap, const char *value);

/* "witness a.example, witness b.example" for the bits of `set`. */
void monitor_add_witnesses(const struct pp_monitor *m, uint64_t set, char *text, size_t cap);

/* Keeps a copy of a head, which may be the one that is kept there. */
void monitor_keep(const struct pp_monitor *m, struct pp_monitor_kept *k,
                  const struct pp_monitor_head *head);

/* A head that is not larger than the verified tree: part of its history, or a fork. */
PP_MUST pp_res monitor_compare(struct pp_monitor *m, const struct pp_monitor_head *head,
                               const char *who);

/* What follows from a head of our history. */
PP_MUST pp_res monitor_on_chain(struct pp_monitor *m, const struct pp_monitor_head *head);

/* LEDGER_REWIND when the quorum of the smaller tree is the later one. */
PP_MUST pp_res monitor_check_order(struct pp_monitor *m, const struct pp_monitor_head *small,
                                   const struct pp_monitor_head *large);

/*
 * `head` is signed and of another history. `root` is that of the smaller of the two trees' sizes:
 * in ours when the head is the smaller one, else in theirs, and `theirs` may prove it.
 */
PP_MUST pp_res monitor_fork(struct pp_monitor *m, const struct pp_monitor_head *head,
                            const char *who, const struct pp_merkle_hash *root,
                            const struct pp_merkle_nodes *theirs);

#endif
