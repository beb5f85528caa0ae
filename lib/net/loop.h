/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h: one event loop: timers, signals, descriptors. Everything of lib/net runs on it.
 *
 * One thread owns a loop and all that was made on it; nothing here may be called from another
 * thread or from a signal handler. A loop does not survive fork(2): make it in the child.
 * Callbacks are called from pp_loop_run alone, never from inside the call that caused them, and
 * they may free the object that called them.
 *
 * Free everything that was made on a loop before the loop itself.
 */
#ifndef PP_LOOP_H
#define PP_LOOP_H

#include "result.h"

struct pp_loop;
struct pp_timer;
struct pp_signal;
struct pp_watch;

/* NO_MEMORY, or SYSTEM when the kernel gives no epoll. */
PP_MUST pp_res pp_loop_new(struct pp_loop **ret);
void pp_loop_free(struct pp_loop *loop); /* NULL is fine */

/* Runs until pp_loop_stop, or until nothing is left that could ever happen. SYSTEM. */
PP_MUST pp_res pp_loop_run(struct pp_loop *loop);
void pp_loop_stop(struct pp_loop *loop); /* after the callbacks that are due already */

/* One-shot timers, good to about 10 ms. A new one is not armed; setting an armed one moves it.
 * NO_MEMORY. */
PP_MUST pp_res pp_timer_new(struct pp_loop *loop, void (*fire)(void *ctx), void *ctx,
                            struct pp_timer **ret);
void pp_timer_set(struct pp_timer *timer, uint32_t after_ms);
void pp_timer_cancel(struct pp_timer *timer); /* an unarmed one is fine */
void pp_timer_free(struct pp_timer *timer);   /* NULL is fine */

/* Calls `fire` in the loop for each delivered signal (SIGTERM, SIGINT, SIGCHLD ...). NO_MEMORY. */
PP_MUST pp_res pp_signal_new(struct pp_loop *loop, int number, void (*fire)(void *ctx), void *ctx,
                             struct pp_signal **ret);
void pp_signal_free(struct pp_signal *s); /* NULL is fine */

enum { PP_WATCH_READ = 1, PP_WATCH_WRITE = 2 };

/*
 * Calls `fire` with the conditions that hold whenever `fd` can be read or written without waiting
 * (or failed: the read or write tells). `fd` is borrowed. NO_MEMORY.
 */
PP_MUST pp_res pp_watch_new(struct pp_loop *loop, int fd, void (*fire)(void *ctx, uint32_t ready),
                            void *ctx, struct pp_watch **ret);
void pp_watch_set(struct pp_watch *w, uint32_t conditions); /* 0: none; a new watch has none */
void pp_watch_free(struct pp_watch *w);                     /* NULL is fine */

#endif
