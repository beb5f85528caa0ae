/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: who waits for a report, and who shares the next one (ra-tls 8). Bytes in, bytes out; no
 * clock, no socket.
 *
 * Two lines wait: sessions that open, which the channel asks for, and workers that call a back-end
 * and ask for themselves. Both are first come, first served. A batch takes up to half of its places
 * from the workers' line first, since somebody waits for the answer of a session that runs already;
 * neither line can keep the other waiting longer than the other's own length.
 */
#ifndef CVM_BATCH_H
#define CVM_BATCH_H

#include "binding.h"
#include "result.h"

enum {
    CVM_LINE_MAX = 2 * PP_BATCH_SIZE_MAX, /* over it: busy */
    CVM_BATCH_CLIENTS_FIRST = PP_BATCH_SIZE_MAX / 2,
};

/* One binding value that waits, and the worker that it is for. */
struct cvm_ask {
    uint32_t slot, generation; /* of the worker */
    uint32_t gpu; /* index of the GPU evidence that the binding value has; 0 without a GPU */
    uint8_t binding[PP_BINDING_BYTES];
};

/* Zero state is an empty line. */
struct cvm_line {
    struct cvm_ask at[CVM_LINE_MAX];
    uint32_t first, count;
};

PP_MUST pp_res cvm_line_join(struct cvm_line *l, const struct cvm_ask *ask); /* BUSY: it is full */

/*
 * The sessions of one report. `asks[i]` belongs to `paths[i]`, whose size is 0 when there is but
 * one: a single session is not a batch.
 */
struct cvm_batch {
    struct cvm_ask asks[PP_BATCH_SIZE_MAX];
    size_t count;
    struct pp_batch_path paths[PP_BATCH_SIZE_MAX];
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    uint8_t bindings[PP_BATCH_SIZE_MAX][PP_BINDING_BYTES];
    uint8_t scratch[PP_BATCH_SIZE_MAX][PP_HASH_NODE_BYTES];
};

/*
 * Takes whoever waits now, at most PP_BATCH_SIZE_MAX of them, into `b`; what it held is gone. An
 * ask for which `is_there` says 0 is left out: its session or worker ended. `b->count` is 0 when
 * nobody waits; else `b->report_data` is what the one report must carry.
 */
PP_MUST pp_res cvm_batch_form(struct cvm_batch *b, struct cvm_line *clients,
                              struct cvm_line *openers,
                              int (*is_there)(void *ctx, const struct cvm_ask *ask), void *ctx);

#endif
