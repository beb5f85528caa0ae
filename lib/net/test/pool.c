/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

#include <pthread.h>
#include <semaphore.h>

enum { JOBS = 200 };

struct task {
    struct pp_job job;
    struct pp_loop *loop;
    pthread_t worked_on;
    unsigned worked, done;
    sem_t *gate; /* the work waits for it */
    unsigned *done_count;
};

static void on_work(void *ctx)
{
    struct task *t = (struct task *)ctx;

    if (t->gate != NULL)
        while (sem_wait(t->gate) != 0)
            ;
    t->worked_on = pthread_self();
    t->worked++;
}

static void on_done(void *ctx)
{
    struct task *t = (struct task *)ctx;

    assert_int_equal(t->worked, 1);
    t->done++;
    if (++*t->done_count == JOBS)
        pp_loop_stop(t->loop);
}

static void work_happens_on_other_threads_and_its_end_on_the_loop(void **state)
{
    (void)state;
    static struct task tasks[JOBS];
    struct pp_loop *loop;
    struct pp_pool *pool;
    unsigned done_count = 0;

    assert_ok(pp_loop_new(&loop));
    assert_ok(pp_pool_new(loop, 4, JOBS, &pool));
    for (int i = 0; i < JOBS; i++) {
        tasks[i] = (struct task){ .job = { on_work, on_done, &tasks[i], NULL },
                                  .loop = loop,
                                  .done_count = &done_count };
        assert_ok(pp_pool_submit(pool, &tasks[i].job));
    }
    assert_int_equal(done_count, 0);
    assert_ok(pp_loop_run(loop));
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(tasks[i].done, 1);
        assert_false(pthread_equal(tasks[i].worked_on, pthread_self()));
    }
    pp_pool_free(pool);
    pp_loop_free(loop);
}

static void a_full_queue_says_busy_at_once_and_the_end_drops_what_waits(void **state)
{
    (void)state;
    struct task tasks[4] = { 0 };
    struct pp_loop *loop;
    struct pp_pool *pool;
    unsigned done_count = 0;
    unsigned accepted = 0;
    sem_t gate;

    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_ok(pp_loop_new(&loop));
    assert_ok(pp_pool_new(loop, 1, 2, &pool));
    for (int i = 0; i < 4; i++) {
        tasks[i] = (struct task){ .job = { on_work, on_done, &tasks[i], NULL },
                                  .loop = loop,
                                  .gate = &gate,
                                  .done_count = &done_count };
        pp_res r = pp_pool_submit(pool, &tasks[i].job);
        accepted += (unsigned)pp_is_ok(r);
        if (!pp_is_ok(r))
            assert_code(r, PP_E_BUSY);
    }
    /* Two wait; a third was taken if the worker has begun one by then. */
    assert_true(accepted == 2 || accepted == 3);
    for (int i = 0; i < 4; i++)
        sem_post(&gate);
    pp_pool_free(pool);
    assert_int_equal(done_count, 0);
    pp_loop_free(loop);
    sem_destroy(&gate);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct pp_loop *loop;
    struct pp_pool *pool = NULL;

    assert_ok(pp_loop_new(&loop));
    assert_code(pp_pool_new(loop, 0, 1, &pool), PP_E_RANGE);
    assert_code(pp_pool_new(loop, PP_POOL_THREADS_MAX + 1, 1, &pool), PP_E_RANGE);
    assert_code(pp_pool_new(loop, 1, 0, &pool), PP_E_RANGE);
    assert_code(pp_pool_new(loop, 1, PP_POOL_WAITING_MAX + 1, &pool), PP_E_RANGE);
    assert_ok(pp_pool_new(loop, PP_POOL_THREADS_MAX, PP_POOL_WAITING_MAX, &pool));
    pp_pool_free(pool);
    pp_pool_free(NULL);
    pp_loop_free(loop);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(work_happens_on_other_threads_and_its_end_on_the_loop),
    cmocka_unit_test(a_full_queue_says_busy_at_once_and_the_end_drops_what_waits),
    cmocka_unit_test(limits_are_kept),
};

PP_TEST_MAIN(TESTS)
