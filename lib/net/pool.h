/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: worker threads for what waits: a disk, a database. The loop goes on meanwhile.
 *
 * Make it behind the sandbox: threads inherit its walls, those that exist already do not all get
 * them. A job lives in its owner's memory, usually inside the request's own state.
 */
#ifndef PP_POOL_H
#define PP_POOL_H

#include "loop.h"

enum { PP_POOL_THREADS_MAX = 64, PP_POOL_WAITING_MAX = 65536 };

struct pp_pool;

struct pp_job {
    void (*work)(void *ctx); /* on a worker thread: touches what `ctx` alone owns */
    void (*done)(void *ctx); /* on the loop, afterwards; the job is the owner's again */
    void *ctx;
    struct pp_job *next; /* private */
};

/*
 * `threads` workers, at most `waiting_max` jobs that no worker has begun. NO_MEMORY, RANGE,
 * SYSTEM.
 */
PP_MUST pp_res pp_pool_new(struct pp_loop *loop, uint32_t threads, uint32_t waiting_max,
                           struct pp_pool **ret);

/* BUSY at once when too many wait. */
PP_MUST pp_res pp_pool_submit(struct pp_pool *pool, struct pp_job *job);

/*
 * Waits for the jobs that run; those that wait are dropped, and no `done` is called any more. Not
 * from inside a `done`. NULL is fine.
 */
void pp_pool_free(struct pp_pool *pool);

#endif
