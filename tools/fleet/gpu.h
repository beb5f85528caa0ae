/* SPDX-License-Identifier: Apache-2.0 */
/* gpu.h: the simulated GPU of a fleet that was started with --gpu; for tools/fleet alone. */
#ifndef PP_FLEET_GPU_H
#define PP_FLEET_GPU_H

#include "fleet.h"
#include "wr.h"

/*
 * What the vendor makes (once), what the orchestrator's host holds of it (with OCSP answers of this
 * start, which live a day), and the reference files among the log's blobs. Without a GPU nothing.
 */
PP_MUST pp_res fleet_make_gpu(struct fleet *f);

/* The `gpu` line of an image's inputs, for the release; nothing without a GPU. */
PP_MUST pp_res fleet_write_gpu_row(struct fleet *f, struct pp_wr *wr);

/* The vendor's roots, into STATE/trust. */
PP_MUST pp_res fleet_copy_gpu_roots(struct fleet *f);

#endif
