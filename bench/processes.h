/* SPDX-License-Identifier: Apache-2.0 */
/* processes.h: CPU time and memory of every process of a fleet, as the kernel counts them. */
#ifndef BENCH_PROCESSES_H
#define BENCH_PROCESSES_H

#include <stddef.h>

#include "fleet.h"

enum { PROCESS_ROWS_MAX = FLEET_PARTIES_MAX + 8 };

/* One daemon, or one process of the CVM. Workers live for one session: their row has the CPU of all
 * that ever ran and the memory of the largest that is there now. */
struct process_row {
    char name[FLEET_NAME_MAX];
    double cpu_s;
    long rss_kib;  /* resident, pages shared with other processes included */
    long anon_kib; /* of it, its own */
};

struct process_rows {
    struct process_row at[PROCESS_ROWS_MAX];
    size_t count;
};

/* The parties of `f` in their order, the CVM's processes behind their host. */
void process_rows_read(const struct fleet *f, struct process_rows *ret);

/* The row of that name, or NULL. */
const struct process_row *process_row_find(const struct process_rows *rows, const char *name);

#endif
