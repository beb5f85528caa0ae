/* SPDX-License-Identifier: Apache-2.0 */
/* monitor.h: GET /metrics, on an address of this machine alone: metrics.h over HTTP. */
#ifndef GW_MONITOR_H
#define GW_MONITOR_H

#include "metrics.h"
#include "net.h"

struct gw_monitor;

/* Serves `m`, which is borrowed as `l` is. NO_MEMORY, RANGE, LIMIT. */
PP_MUST pp_res gw_monitor_new(struct pp_loop *loop, const struct pp_listener *l,
                              const struct pp_metrics *m, struct gw_monitor **ret);
void gw_monitor_free(struct gw_monitor *m); /* NULL is fine */

#endif
