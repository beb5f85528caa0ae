/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "result.h"

static sigjmp_buf back;

static void cut(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

static void arm(uint32_t ms)
{
    const struct itimerval after = { .it_value = { .tv_sec = ms / 1000,
                                                   .tv_usec = (suseconds_t)(ms % 1000) * 1000 } };

    PP_ASSERT(setitimer(ITIMER_REAL, &after, NULL) == 0);
}

int cvm_run_limited(void (*work)(void *ctx), void *ctx, uint32_t ms)
{
    struct sigaction old;
    struct sigaction cutting = { .sa_handler = cut };
    volatile int whole = 0;

    PP_ASSERT(ms > 0);
    PP_ASSERT(sigemptyset(&cutting.sa_mask) == 0);
    PP_ASSERT(sigaction(SIGALRM, &cutting, &old) == 0);
    if (sigsetjmp(back, 1) == 0) {
        arm(ms);
        work(ctx);
        whole = 1;
    }
    arm(0);
    PP_ASSERT(sigaction(SIGALRM, &old, NULL) == 0);
    return whole;
}
