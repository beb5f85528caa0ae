/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "net_int.h"

struct pp_loop {
    struct event_base *base;
};

struct pp_timer {
    struct event *event;
    void (*fire)(void *ctx);
    void *ctx;
};

struct pp_signal {
    struct event *event;
    void (*fire)(void *ctx);
    void *ctx;
};

struct pp_watch {
    struct event *event;
    struct event_base *base;
    uint32_t conditions;
    void (*fire)(void *ctx, uint32_t ready);
    void *ctx;
};

struct event_base *pp_loop_base_(struct pp_loop *loop)
{
    return loop->base;
}

uint8_t *pp_buffers_map_(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    /* Requests hold tokens and ciphertext: neither belongs into a core file. */
    (void)madvise(p, len, MADV_DONTDUMP);
    return (uint8_t *)p;
}

void pp_buffers_unmap_(uint8_t *p, size_t len)
{
    if (p != NULL)
        (void)munmap(p, len);
}

/* What goes wrong comes back as a result; standard error belongs to the program. */
static void say_nothing(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

pp_res pp_loop_new(struct pp_loop **ret)
{
    event_set_log_callback(say_nothing);
    struct event_config *config = event_config_new();
    struct pp_loop *loop = (struct pp_loop *)calloc(1, sizeof *loop);

    if (config != NULL && loop != NULL) {
        /* One thread owns a loop, and the environment decides nothing here. */
        (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
        loop->base = event_base_new_with_config(config);
    }
    if (config != NULL)
        event_config_free(config);
    if (loop == NULL || loop->base == NULL) {
        free(loop);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    *ret = loop;
    return PP_OK;
}

void pp_loop_free(struct pp_loop *loop)
{
    if (loop == NULL)
        return;
    event_base_free(loop->base);
    free(loop);
}

pp_res pp_loop_run(struct pp_loop *loop)
{
    if (event_base_dispatch(loop->base) < 0)
        return PP_FAIL(PP_E_SYSTEM, errno);
    return PP_OK;
}

void pp_loop_stop(struct pp_loop *loop)
{
    (void)event_base_loopexit(loop->base, NULL);
}

/* --- timers --------------------------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct pp_timer *timer = (struct pp_timer *)arg;

    (void)fd;
    (void)what;
    timer->fire(timer->ctx);
}

pp_res pp_timer_new(struct pp_loop *loop, void (*fire)(void *ctx), void *ctx, struct pp_timer **ret)
{
    struct pp_timer *timer = (struct pp_timer *)calloc(1, sizeof *timer);

    PP_CHECK(timer != NULL, PP_E_NO_MEMORY, sizeof *timer);
    *timer = (struct pp_timer){ .fire = fire, .ctx = ctx };
    timer->event = event_new(loop->base, -1, 0, on_timer, timer);
    if (timer->event == NULL) {
        free(timer);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    *ret = timer;
    return PP_OK;
}

void pp_timer_set(struct pp_timer *timer, uint32_t after_ms)
{
    struct timeval after = pp_timeval_(after_ms);

    /* Fails only when the heap of timers cannot grow: a deadline that is lost would be worse. */
    PP_ASSERT(event_add(timer->event, &after) == 0);
}

void pp_timer_cancel(struct pp_timer *timer)
{
    (void)event_del(timer->event);
}

void pp_timer_free(struct pp_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

/* --- signals -------------------------------------------------------------------------------- */

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct pp_signal *s = (struct pp_signal *)arg;

    (void)fd;
    (void)what;
    s->fire(s->ctx);
}

pp_res pp_signal_new(struct pp_loop *loop, int number, void (*fire)(void *ctx), void *ctx,
                     struct pp_signal **ret)
{
    struct pp_signal *s = (struct pp_signal *)calloc(1, sizeof *s);

    PP_CHECK(s != NULL, PP_E_NO_MEMORY, sizeof *s);
    *s = (struct pp_signal){ .fire = fire, .ctx = ctx };
    s->event = evsignal_new(loop->base, number, on_signal, s);
    if (s->event == NULL || event_add(s->event, NULL) != 0) {
        pp_signal_free(s);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    *ret = s;
    return PP_OK;
}

void pp_signal_free(struct pp_signal *s)
{
    if (s == NULL)
        return;
    if (s->event != NULL)
        event_free(s->event);
    free(s);
}

/* --- descriptors ---------------------------------------------------------------------------- */

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct pp_watch *w = (struct pp_watch *)arg;
    uint32_t ready = 0;

    (void)fd;
    if ((what & EV_READ) != 0)
        ready |= PP_WATCH_READ;
    if ((what & EV_WRITE) != 0)
        ready |= PP_WATCH_WRITE;
    w->fire(w->ctx, ready);
}

pp_res pp_watch_new(struct pp_loop *loop, int fd, void (*fire)(void *ctx, uint32_t ready),
                    void *ctx, struct pp_watch **ret)
{
    struct pp_watch *w = (struct pp_watch *)calloc(1, sizeof *w);

    PP_CHECK(w != NULL, PP_E_NO_MEMORY, sizeof *w);
    *w = (struct pp_watch){ .base = loop->base, .fire = fire, .ctx = ctx };
    w->event = event_new(loop->base, fd, 0, on_watch, w);
    if (w->event == NULL) {
        free(w);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    *ret = w;
    return PP_OK;
}

void pp_watch_set(struct pp_watch *w, uint32_t conditions)
{
    evutil_socket_t fd = event_get_fd(w->event);
    short what = EV_PERSIST;

    if (conditions == w->conditions)
        return;
    w->conditions = conditions;
    (void)event_del(w->event);
    if (conditions == 0)
        return;
    if ((conditions & PP_WATCH_READ) != 0)
        what |= EV_READ;
    if ((conditions & PP_WATCH_WRITE) != 0)
        what |= EV_WRITE;
    PP_ASSERT(event_assign(w->event, w->base, fd, what, on_watch, w) == 0);
    /* Fails only for a descriptor that epoll cannot watch: a bug of the caller. */
    PP_ASSERT(event_add(w->event, NULL) == 0);
}

void pp_watch_free(struct pp_watch *w)
{
    if (w == NULL)
        return;
    event_free(w->event);
    free(w);
}
