/* SPDX-License-Identifier: Apache-2.0 */
/* limit.h: a computation that may not take longer than it may. */
#ifndef CVM_LIMIT_H
#define CVM_LIMIT_H

#include <stdint.h>

/*
 * Runs `work(ctx)` and cuts it off after `ms`. Returns 1 when it came back, 0 when it was cut: then
 * whatever it was changing is half changed, and is dropped by the caller. `work` takes no lock, no
 * heap and no descriptor, as engines over an arena do not. One at a time in a process; uses
 * SIGALRM.
 */
int cvm_run_limited(void (*work)(void *ctx), void *ctx, uint32_t ms);

#endif
