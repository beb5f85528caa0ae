/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

struct marks {
    struct pp_loop *loop;
    struct pp_timer *other;
    char text[32];
};

static void mark(struct marks *m, char c)
{
    size_t n = strlen(m->text);

    assert_true(n + 1 < sizeof m->text);
    m->text[n] = c;
    m->text[n + 1] = '\0';
}

static void mark_a(void *ctx)
{
    mark((struct marks *)ctx, 'a');
}

static void mark_b(void *ctx)
{
    mark((struct marks *)ctx, 'b');
}

static void mark_and_free(void *ctx)
{
    struct marks *m = (struct marks *)ctx;

    mark(m, 'f');
    pp_timer_free(m->other);
    m->other = NULL;
}

static void timers_fire_once_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct marks m = { 0 };
    struct pp_timer *a;
    struct pp_timer *b;
    struct pp_timer *never;

    assert_ok(pp_loop_new(&m.loop));
    assert_ok(pp_timer_new(m.loop, mark_a, &m, &a));
    assert_ok(pp_timer_new(m.loop, mark_b, &m, &b));
    assert_ok(pp_timer_new(m.loop, mark_b, &m, &never));
    assert_ok(pp_timer_new(m.loop, mark_and_free, &m, &m.other));
    pp_timer_set(a, 1);
    pp_timer_set(a, 60); /* moved */
    pp_timer_set(b, 20);
    pp_timer_set(never, 1);
    pp_timer_cancel(never);
    pp_timer_cancel(never);
    pp_timer_set(m.other, 0);
    assert_string_equal(m.text, "");
    assert_ok(pp_loop_run(m.loop)); /* ends when nothing is left */
    assert_string_equal(m.text, "fba");
    pp_timer_free(a);
    pp_timer_free(b);
    pp_timer_free(never);
    pp_timer_free(NULL);
    pp_loop_free(m.loop);
    pp_loop_free(NULL);
}

static void stop_it(void *ctx)
{
    struct marks *m = (struct marks *)ctx;

    mark(m, 's');
    pp_loop_stop(m->loop);
}

static void signals_are_delivered_in_the_loop(void **state)
{
    (void)state;
    static const int numbers[] = { SIGTERM, SIGINT, SIGCHLD };
    struct marks m = { 0 };

    assert_ok(pp_loop_new(&m.loop));
    for (size_t i = 0; i < PP_ARRAY_COUNT(numbers); i++) {
        struct pp_signal *s;
        assert_ok(pp_signal_new(m.loop, numbers[i], stop_it, &m, &s));
        assert_int_equal(raise(numbers[i]), 0);
        assert_int_equal(strlen(m.text), i); /* not yet */
        assert_ok(pp_loop_run(m.loop));
        assert_int_equal(strlen(m.text), i + 1);
        pp_signal_free(s);
    }
    pp_signal_free(NULL);
    pp_loop_free(m.loop);
}

struct watching {
    struct marks m;
    struct pp_watch *w;
    int fd;
};

static void on_ready(void *ctx, uint32_t ready)
{
    struct watching *x = (struct watching *)ctx;
    char byte;

    if ((ready & PP_WATCH_WRITE) != 0) {
        mark(&x->m, 'w');
        pp_watch_set(x->w, PP_WATCH_READ);
        assert_int_equal(write(x->fd, "x", 1), 1);
    }
    if ((ready & PP_WATCH_READ) != 0) {
        mark(&x->m, 'r');
        assert_int_equal(read(x->fd, &byte, 1), 1);
        pp_watch_set(x->w, 0); /* nothing is left to wait for: the loop ends */
    }
}

static void descriptors_are_watched_for_what_was_asked(void **state)
{
    (void)state;
    struct watching x = { 0 };
    int ends[2];
    char byte;

    assert_ok(pp_loop_new(&x.m.loop));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    x.fd = ends[0];
    assert_ok(pp_watch_new(x.m.loop, ends[0], on_ready, &x, &x.w));
    assert_ok(pp_loop_run(x.m.loop)); /* a new watch watches nothing */
    assert_int_equal(write(ends[1], "y", 1), 1);
    pp_watch_set(x.w, PP_WATCH_WRITE);
    assert_ok(pp_loop_run(x.m.loop));
    assert_string_equal(x.m.text, "wr");
    assert_int_equal(read(ends[1], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    pp_watch_free(x.w);
    pp_watch_free(NULL);
    close(ends[0]);
    close(ends[1]);
    pp_loop_free(x.m.loop);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(timers_fire_once_in_the_order_of_their_times),
    cmocka_unit_test(signals_are_delivered_in_the_loop),
    cmocka_unit_test(descriptors_are_watched_for_what_was_asked),
};

PP_TEST_MAIN(TESTS)
