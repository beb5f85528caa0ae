/* SPDX-License-Identifier: Apache-2.0 */
/* desks.h: a process of the gateway on a thread of the test, which shares its memory. */
#ifndef GW_TEST_DESKS_H
#define GW_TEST_DESKS_H

#include "harness.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "desk.h"

struct test_desk {
    struct gw_process process;
    pthread_t thread;
    int fd; /* its end */
    pp_res result;
};

static inline void *test_desk_life(void *ctx)
{
    struct test_desk *d = (struct test_desk *)ctx;

    d->result = gw_desk_run(&d->process, d->fd);
    return NULL;
}

/* The front's end of the pair. */
static inline int test_desk_start(struct test_desk *d, const struct gw_process *p)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    d->process = *p;
    if (d->process.turn_ms == 0)
        d->process.turn_ms = 60000;
    d->fd = pair[1];
    assert_int_equal(pthread_create(&d->thread, NULL, test_desk_life, d), 0);
    return pair[0];
}

/* When the front has closed its end. */
static inline void test_desk_join(struct test_desk *d)
{
    assert_int_equal(pthread_join(d->thread, NULL), 0);
}

#endif
