/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "file.h"

struct list {
    struct pp_job *first, *last;
};

struct pp_pool {
    struct pp_watch *watch;
    int wake; /* eventfd: a job was finished */
    uint32_t waiting_max;
    uint32_t thread_count;
    pthread_t threads[PP_POOL_THREADS_MAX];

    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t work;
    struct list waiting, finished;
    uint32_t waiting_count;
    uint32_t ending;
};

static void append(struct list *l, struct pp_job *job)
{
    job->next = NULL;
    if (l->first == NULL)
        l->first = job;
    else
        l->last->next = job;
    l->last = job;
}

static struct pp_job *take_first(struct list *l)
{
    struct pp_job *job = l->first;

    if (job != NULL)
        l->first = job->next;
    return job;
}

static void *run_worker(void *arg)
{
    struct pp_pool *pool = (struct pp_pool *)arg;
    const uint64_t one = 1;

    PP_ASSERT(pthread_mutex_lock(&pool->lock) == 0);
    while (!pool->ending) {
        struct pp_job *job = take_first(&pool->waiting);
        if (job == NULL) {
            (void)pthread_cond_wait(&pool->work, &pool->lock);
            continue;
        }
        pool->waiting_count--;
        (void)pthread_mutex_unlock(&pool->lock);
        job->work(job->ctx);
        PP_ASSERT(pthread_mutex_lock(&pool->lock) == 0);
        append(&pool->finished, job);
        PP_ASSERT(write(pool->wake, &one, sizeof one) == sizeof one);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void on_wake(void *ctx, uint32_t ready)
{
    struct pp_pool *pool = (struct pp_pool *)ctx;
    uint64_t count;

    (void)ready;
    if (read(pool->wake, &count, sizeof count) != sizeof count)
        return;
    PP_ASSERT(pthread_mutex_lock(&pool->lock) == 0);
    struct list finished = pool->finished;
    pool->finished = (struct list){ 0 };
    (void)pthread_mutex_unlock(&pool->lock);
    for (struct pp_job *job = finished.first; job != NULL;) {
        struct pp_job *next = job->next;
        job->done(job->ctx);
        job = next;
    }
}

static pp_res start_threads(struct pp_pool *pool, uint32_t threads)
{
    sigset_t all;
    sigset_t before;

    /* Signals are the loop's: a worker that inherits this mask never sees one. */
    (void)sigfillset(&all);
    PP_ASSERT(pthread_sigmask(SIG_BLOCK, &all, &before) == 0);
    int failed = 0;
    while (failed == 0 && pool->thread_count < threads) {
        failed = pthread_create(&pool->threads[pool->thread_count], NULL, run_worker, pool);
        pool->thread_count += failed == 0;
    }
    PP_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return failed == 0 ? PP_OK : pp_errno_res(failed);
}

pp_res pp_pool_new(struct pp_loop *loop, uint32_t threads, uint32_t waiting_max,
                   struct pp_pool **ret)
{
    PP_CHECK(threads >= 1 && threads <= PP_POOL_THREADS_MAX, PP_E_RANGE, threads);
    PP_CHECK(waiting_max >= 1 && waiting_max <= PP_POOL_WAITING_MAX, PP_E_RANGE, waiting_max);
    struct pp_pool *pool = (struct pp_pool *)calloc(1, sizeof *pool);
    PP_CHECK(pool != NULL, PP_E_NO_MEMORY, sizeof *pool);
    pool->waiting_max = waiting_max;
    PP_ASSERT(pthread_mutex_init(&pool->lock, NULL) == 0);
    PP_ASSERT(pthread_cond_init(&pool->work, NULL) == 0);
    pp_res r = PP_OK;
    pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->wake < 0)
        r = pp_errno_res(errno);
    if (pp_is_ok(r))
        r = pp_watch_new(loop, pool->wake, on_wake, pool, &pool->watch);
    if (pp_is_ok(r))
        r = start_threads(pool, threads);
    if (!pp_is_ok(r)) {
        pp_pool_free(pool);
        return r;
    }
    pp_watch_set(pool->watch, PP_WATCH_READ);
    *ret = pool;
    return PP_OK;
}

pp_res pp_pool_submit(struct pp_pool *pool, struct pp_job *job)
{
    PP_ASSERT(pthread_mutex_lock(&pool->lock) == 0);
    int full = pool->waiting_count >= pool->waiting_max;
    if (!full) {
        append(&pool->waiting, job);
        pool->waiting_count++;
        (void)pthread_cond_signal(&pool->work);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return full ? PP_FAIL(PP_E_BUSY, pool->waiting_max) : PP_OK;
}

void pp_pool_free(struct pp_pool *pool)
{
    if (pool == NULL)
        return;
    PP_ASSERT(pthread_mutex_lock(&pool->lock) == 0);
    pool->ending = 1;
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->thread_count; i++)
        (void)pthread_join(pool->threads[i], NULL);
    pp_watch_free(pool->watch);
    if (pool->wake >= 0)
        (void)close(pool->wake);
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}
