/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends live on one loop, so every step is driven by events and nothing waits for a clock. */
#include "net_test.h"

enum { FRAME_BYTES = 262144 + 25, SMALL = 64 };

struct end {
    struct pp_stream *stream;
    struct pp_loop *loop;
    size_t stop_at; /* the loop stops when so many bytes are there ... */
    int hold;       /* 1: input is not consumed */
    int stop_at_drained;
    int free_in_callback;
    size_t got;
    uint8_t sum;
    unsigned drained;
    unsigned ended; /* ... or when the stream ended */
    pp_res why;
};

static void on_readable(void *ctx, struct pp_stream *s)
{
    struct end *e = (struct end *)ctx;
    struct pp_span in = pp_stream_input(s);

    if (e->hold) {
        pp_loop_stop(e->loop);
        return;
    }
    for (size_t i = 0; i < in.len; i++)
        e->sum = (uint8_t)(e->sum * 3 + in.at[i]);
    e->got += in.len;
    pp_stream_consume(s, in.len);
    if (e->free_in_callback) {
        e->stream = NULL;
        pp_stream_free(s);
    }
    if (e->got >= e->stop_at)
        pp_loop_stop(e->loop);
}

static void on_drained(void *ctx, struct pp_stream *s)
{
    struct end *e = (struct end *)ctx;

    (void)s;
    e->drained++;
    if (e->stop_at_drained)
        pp_loop_stop(e->loop);
}

static void on_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    struct end *e = (struct end *)ctx;

    e->ended++;
    e->why = why;
    if (e->free_in_callback) {
        e->stream = NULL;
        pp_stream_free(s);
    }
    pp_loop_stop(e->loop);
}

static int on_accepted(void *ctx, struct pp_stream *s)
{
    struct end *e = (struct end *)ctx;

    if (e->stream != NULL)
        return 0;
    e->stream = s;
    pp_loop_stop(e->loop);
    return 1;
}

static struct pp_stream_config config(struct end *e, size_t in, size_t out)
{
    return (struct pp_stream_config){ .in_bytes_max = in,
                                      .out_bytes_max = out,
                                      .readable = on_readable,
                                      .drained = on_drained,
                                      .ended = on_ended,
                                      .ctx = e };
}

struct pair {
    struct pp_loop *loop;
    struct pp_listener listener;
    struct pp_stream_server *server;
    struct end near, far; /* we connect near; far is accepted */
};

static void make_pair(struct pair *p, const char *at, size_t bytes_max)
{
    *p = (struct pair){ 0 };
    assert_ok(pp_loop_new(&p->loop));
    p->near.loop = p->far.loop = p->loop;
    p->near.stop_at = p->far.stop_at = SIZE_MAX;
    p->listener = test_listener(at);
    const struct pp_stream_server_config sc = { .stream = config(&p->far, bytes_max, bytes_max),
                                                .connections_max = 2,
                                                .accepted = on_accepted,
                                                .ctx = &p->far };
    const struct pp_stream_config cc = config(&p->near, bytes_max, bytes_max);
    assert_ok(pp_stream_server_new(p->loop, &p->listener, &sc, &p->server));
    assert_ok(pp_stream_connect(p->loop, &p->listener.address, &cc, PATIENCE_MS, &p->near.stream));
    assert_ok(pp_loop_run(p->loop));
    assert_non_null(p->far.stream);
}

static void end_pair(struct pair *p)
{
    pp_stream_free(p->near.stream);
    pp_stream_server_free(p->server);
    pp_stream_free(p->far.stream); /* may outlive its server */
    pp_listener_done(&p->listener);
    pp_loop_free(p->loop);
}

static uint8_t bytes[FRAME_BYTES];

static uint8_t sum_of(size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum * 3 + bytes[i]);
    return sum;
}

static void the_largest_frame_travels_both_ways(void **state)
{
    (void)state;
    static const char *const at[] = { "127.0.0.1:0", "[::1]:0", NULL };
    char name[64];

    snprintf(name, sizeof name, "unix:/tmp/pp-stream-%ld", (long)getpid());
    for (size_t i = 0; i < PP_ARRAY_COUNT(at); i++) {
        struct pair p;
        make_pair(&p, at[i] != NULL ? at[i] : name, FRAME_BYTES);
        p.near.stop_at = p.far.stop_at = FRAME_BYTES;
        assert_ok(pp_stream_write(p.near.stream, PP_BYTES(bytes)));
        assert_ok(pp_loop_run(p.loop));
        assert_ok(pp_stream_write(p.far.stream, PP_BYTES(bytes)));
        assert_ok(pp_loop_run(p.loop));
        assert_int_equal(p.far.got, FRAME_BYTES);
        assert_int_equal(p.near.got, FRAME_BYTES);
        assert_int_equal(p.far.sum, sum_of(FRAME_BYTES));
        assert_int_equal(p.near.sum, sum_of(FRAME_BYTES));
        end_pair(&p);
    }
}

/* What is written before the connection stands leaves when it does. */
static void writing_may_begin_at_once(void **state)
{
    (void)state;
    struct pp_loop *loop;
    struct pp_listener l = test_listener("127.0.0.1:0");
    struct end far = { .stop_at = 3 };
    struct end near = { .stop_at = SIZE_MAX };
    struct pp_stream_server *server;

    assert_ok(pp_loop_new(&loop));
    far.loop = near.loop = loop;
    const struct pp_stream_server_config sc = { .stream = config(&far, SMALL, SMALL),
                                                .connections_max = 1,
                                                .accepted = on_accepted,
                                                .ctx = &far };
    const struct pp_stream_config cc = config(&near, SMALL, SMALL);
    assert_ok(pp_stream_server_new(loop, &l, &sc, &server));
    assert_ok(pp_stream_connect(loop, &l.address, &cc, PATIENCE_MS, &near.stream));
    assert_ok(pp_stream_write(near.stream, PP_STR("abc")));
    while (far.got < 3)
        assert_ok(pp_loop_run(loop));
    pp_stream_free(near.stream);
    pp_stream_free(far.stream);
    pp_stream_server_free(server);
    pp_listener_done(&l);
    pp_loop_free(loop);
}

static void a_reader_that_does_not_consume_stops_the_writer(void **state)
{
    (void)state;
    struct pair p;
    size_t written = 0;
    pp_res r;

    make_pair(&p, "127.0.0.1:0", 4096);
    p.far.hold = 1;
    /* Fill the far buffer, the kernel's, and ours. */
    do {
        r = pp_stream_write(p.near.stream, pp_span(bytes, 4096));
        if (pp_is_ok(r))
            written += 4096;
        if (pp_stream_input(p.far.stream).len == 0)
            assert_ok(pp_loop_run(p.loop));
    } while (pp_is_ok(r));
    assert_code(r, PP_E_BUSY);
    assert_int_equal(pp_stream_input(p.far.stream).len, 4096);
    assert_true(written > 4096);
    assert_code(pp_stream_write(p.near.stream, pp_span(bytes, 4097)), PP_E_LIMIT);

    /* When it consumes again, everything arrives, and the writer hears that there is room. */
    p.far.hold = 0;
    on_readable(&p.far, p.far.stream);
    p.near.stop_at_drained = 1;
    p.far.stop_at = written;
    while (p.near.drained == 0 || p.far.got < written)
        assert_ok(pp_loop_run(p.loop));
    assert_int_equal(p.near.drained, 1);
    assert_true(pp_stream_fits(p.near.stream, 4096));
    assert_false(pp_stream_fits(p.near.stream, 4097));
    end_pair(&p);
}

/* Who asks first and finds no room is told of it like one whose write was refused. */
static void asking_for_room_in_vain_is_answered_when_there_is_some(void **state)
{
    (void)state;
    struct pair p;
    size_t written = 0;

    make_pair(&p, "127.0.0.1:0", 4096);
    p.far.hold = 1;
    while (pp_stream_fits(p.near.stream, 4096)) {
        assert_ok(pp_stream_write(p.near.stream, pp_span(bytes, 4096)));
        written += 4096;
        if (pp_stream_input(p.far.stream).len == 0)
            assert_ok(pp_loop_run(p.loop));
    }
    assert_true(written > 4096);
    p.far.hold = 0;
    on_readable(&p.far, p.far.stream);
    p.near.stop_at_drained = 1;
    p.far.stop_at = written;
    while (p.near.drained == 0 || p.far.got < written)
        assert_ok(pp_loop_run(p.loop));
    assert_int_equal(p.near.drained, 1);
    end_pair(&p);
}

static void input_can_be_consumed_in_any_portions(void **state)
{
    (void)state;
    struct pair p;
    size_t given = 0;
    size_t checked = 0;

    make_pair(&p, "127.0.0.1:0", SMALL);
    p.far.hold = 1;
    for (size_t n = 1; given < 5000; n = n % 13 + 1) {
        if (pp_is_ok(pp_stream_write(p.near.stream, pp_span(bytes + given, n * 3))))
            given += n * 3;
        assert_ok(pp_loop_run(p.loop));
        struct pp_span in = pp_stream_input(p.far.stream);
        size_t part = in.len < n * 2 ? in.len : n * 2;
        assert_memory_equal(in.at, bytes + checked, in.len);
        pp_stream_consume(p.far.stream, part);
        checked += part;
        if (in.len - part > SMALL / 2) {
            checked += in.len - part;
            pp_stream_consume(p.far.stream, in.len - part);
        }
    }
    end_pair(&p);
}

static void what_was_written_before_finishing_arrives(void **state)
{
    (void)state;
    struct pair p;

    make_pair(&p, "127.0.0.1:0", FRAME_BYTES);
    assert_ok(pp_stream_write(p.near.stream, PP_BYTES(bytes)));
    pp_stream_finish(p.near.stream);
    assert_code(pp_stream_write(p.near.stream, PP_STR("x")), PP_E_CLOSED);
    assert_ok(pp_stream_write(p.far.stream, PP_STR("answer"))); /* the other way is still open */
    while (p.far.ended == 0)
        assert_ok(pp_loop_run(p.loop));
    assert_ok(p.far.why);
    assert_int_equal(p.far.got, FRAME_BYTES);
    p.near.stop_at = 6;
    while (p.near.got < 6)
        assert_ok(pp_loop_run(p.loop));
    end_pair(&p);
}

static void the_end_of_the_peer_is_told_once_and_leaves_the_input(void **state)
{
    (void)state;
    struct pair p;

    make_pair(&p, "127.0.0.1:0", SMALL);
    p.far.hold = 1;
    assert_ok(pp_stream_write(p.near.stream, PP_STR("last words")));
    pp_stream_free(p.near.stream);
    p.near.stream = NULL;
    while (p.far.ended == 0)
        assert_ok(pp_loop_run(p.loop));
    assert_ok(p.far.why);
    assert_int_equal(p.far.ended, 1);
    assert_true(pp_span_eq(pp_stream_input(p.far.stream), PP_STR("last words")));
    assert_code(pp_stream_write(p.far.stream, PP_STR("x")), PP_E_CLOSED);
    assert_false(pp_stream_fits(p.far.stream, 0));
    end_pair(&p);
}

static void a_stream_may_be_freed_from_its_callbacks(void **state)
{
    (void)state;
    for (int first = 0; first <= 1; first++) {
        struct pair p;
        make_pair(&p, "127.0.0.1:0", SMALL);
        p.far.free_in_callback = 1;
        p.near.free_in_callback = 1;
        p.far.stop_at = 0;
        if (first) {
            assert_ok(pp_stream_write(p.near.stream, PP_STR("x")));
        } else {
            pp_stream_free(p.near.stream);
            p.near.stream = NULL;
        }
        while (p.far.stream != NULL)
            assert_ok(pp_loop_run(p.loop));
        end_pair(&p);
    }
}

static void nobody_there_is_told_from_the_loop(void **state)
{
    (void)state;
    struct pp_listener l = test_listener("127.0.0.1:0");
    struct pp_address gone = l.address;
    struct pp_address no_file = { 0 };
    struct end e = { .stop_at = SIZE_MAX };

    pp_listener_done(&l);
    assert_ok(pp_address_parse(PP_STR("unix:/nonexistent/socket"), &no_file));
    const struct pp_address *const to[] = { &gone, &no_file };
    for (int i = 0; i < 2; i++) {
        assert_ok(pp_loop_new(&e.loop));
        const struct pp_stream_config c = config(&e, SMALL, SMALL);
        e.ended = 0;
        assert_ok(pp_stream_connect(e.loop, to[i], &c, PATIENCE_MS, &e.stream));
        assert_int_equal(e.ended, 0);
        assert_ok(pp_loop_run(e.loop));
        assert_int_equal(e.ended, 1);
        assert_code(e.why, PP_E_NETWORK);
        pp_stream_free(e.stream);
        pp_loop_free(e.loop);
    }
}

static void a_deadline_ends_the_stream_unless_it_is_moved(void **state)
{
    (void)state;
    struct pair p;
    uint64_t from = test_now_ms();

    make_pair(&p, "127.0.0.1:0", SMALL);
    pp_stream_deadline(p.far.stream, 60);
    pp_stream_deadline(p.near.stream, 60);
    pp_stream_deadline(p.near.stream, 0);
    while (p.far.ended == 0)
        assert_ok(pp_loop_run(p.loop));
    assert_code(p.far.why, PP_E_TIMEOUT);
    assert_true(test_now_ms() - from >= 40);
    assert_int_equal(p.near.ended, 0);
    end_pair(&p);
}

/* Else who asks for one right after connecting would lose the one, or the other. */
static void a_deadline_of_a_stream_that_connects_begins_when_it_is_open(void **state)
{
    (void)state;
    struct pair p;
    struct end near = { .stop_at = SIZE_MAX };

    make_pair(&p, "127.0.0.1:0", SMALL);
    near.loop = p.loop;
    const struct pp_stream_config c = config(&near, SMALL, SMALL);
    pp_stream_free(p.far.stream);
    p.far.stream = NULL; /* so that one more is accepted */
    assert_ok(pp_stream_connect(p.loop, &p.listener.address, &c, PATIENCE_MS, &near.stream));
    pp_stream_deadline(near.stream, 60);
    while (near.ended == 0)
        assert_ok(pp_loop_run(p.loop));
    assert_code(near.why, PP_E_TIMEOUT);
    pp_stream_free(near.stream);
    end_pair(&p);
}

/* A listener whose queue is full answers nobody, as an address behind which nothing is. */
static void a_deadline_does_not_prolong_the_connecting(void **state)
{
    enum { FILL = 4 };
    (void)state;
    struct pp_listener l = test_listener("127.0.0.1:0");
    struct pp_loop *loop = NULL;
    struct end ends[FILL + 1];
    uint64_t from = test_now_ms();

    assert_int_equal(listen(l.fd, 0), 0);
    assert_ok(pp_loop_new(&loop));
    for (int i = 0; i <= FILL; i++) {
        ends[i] = (struct end){ .loop = loop, .stop_at = SIZE_MAX };
        const struct pp_stream_config c = config(&ends[i], SMALL, SMALL);
        assert_ok(pp_stream_connect(loop, &l.address, &c, 300, &ends[i].stream));
        pp_stream_deadline(ends[i].stream, 2 * PATIENCE_MS);
    }
    while (ends[FILL].ended == 0)
        assert_ok(pp_loop_run(loop));
    assert_code(ends[FILL].why, PP_E_TIMEOUT);
    assert_true(test_now_ms() - from < PATIENCE_MS);
    for (int i = 0; i <= FILL; i++)
        pp_stream_free(ends[i].stream);
    pp_listener_done(&l);
    pp_loop_free(loop);
}

static void connections_over_the_limit_are_closed(void **state)
{
    (void)state;
    struct pair p;
    struct pp_stream *more[3] = { NULL };
    struct end ends[3];

    make_pair(&p, "127.0.0.1:0", SMALL);
    for (int i = 0; i < 3; i++) {
        ends[i] = (struct end){ .loop = p.loop, .stop_at = SIZE_MAX };
        const struct pp_stream_config c = config(&ends[i], SMALL, SMALL);
        assert_ok(pp_stream_connect(p.loop, &p.listener.address, &c, PATIENCE_MS, &more[i]));
    }
    /* `accepted` turns away what comes while it has one; the rest is over the limit. */
    while (ends[0].ended + ends[1].ended + ends[2].ended < 3)
        assert_ok(pp_loop_run(p.loop));
    for (int i = 0; i < 3; i++)
        pp_stream_free(more[i]);
    end_pair(&p);
}

static void an_inherited_socket_can_be_taken_over(void **state)
{
    (void)state;
    struct pp_loop *loop;
    struct end e = { .stop_at = 2 };
    int ends[2];
    char text[3] = "";

    assert_ok(pp_loop_new(&loop));
    e.loop = loop;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    const struct pp_stream_config c = config(&e, SMALL, SMALL);
    assert_ok(pp_stream_take(loop, ends[0], &c, &e.stream));
    assert_int_equal(write(ends[1], "hi", 2), 2);
    assert_ok(pp_loop_run(loop));
    assert_int_equal(e.got, 2);
    assert_ok(pp_stream_write(e.stream, PP_STR("ho")));
    assert_int_equal(read(ends[1], text, 2), 2);
    assert_string_equal(text, "ho");
    pp_stream_free(e.stream);
    close(ends[1]);
    pp_loop_free(loop);
}

static void limits_above_their_maximum_are_refused(void **state)
{
    (void)state;
    struct pp_loop *loop;
    struct pp_stream *s = NULL;
    struct end e = { 0 };
    int ends[2];

    assert_ok(pp_loop_new(&loop));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    static const size_t wrong[] = { 0, PP_STREAM_BUFFER_BYTES_MAX + 1 };
    for (int i = 0; i < 2; i++) {
        struct pp_stream_config c = config(&e, wrong[i], SMALL);
        assert_code(pp_stream_take(loop, ends[0], &c, &s), PP_E_RANGE);
        c = config(&e, SMALL, wrong[i]);
        assert_code(pp_stream_take(loop, ends[0], &c, &s), PP_E_RANGE);
    }
    struct pp_stream_config c = config(&e, PP_STREAM_BUFFER_BYTES_MAX, PP_STREAM_BUFFER_BYTES_MAX);
    assert_ok(pp_stream_take(loop, ends[0], &c, &s));
    pp_stream_free(s);
    close(ends[1]);
    pp_loop_free(loop);
}

static int fill_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 5 + (i >> 9));
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_largest_frame_travels_both_ways),
    cmocka_unit_test(writing_may_begin_at_once),
    cmocka_unit_test(a_reader_that_does_not_consume_stops_the_writer),
    cmocka_unit_test(asking_for_room_in_vain_is_answered_when_there_is_some),
    cmocka_unit_test(input_can_be_consumed_in_any_portions),
    cmocka_unit_test(what_was_written_before_finishing_arrives),
    cmocka_unit_test(the_end_of_the_peer_is_told_once_and_leaves_the_input),
    cmocka_unit_test(a_stream_may_be_freed_from_its_callbacks),
    cmocka_unit_test(nobody_there_is_told_from_the_loop),
    cmocka_unit_test(a_deadline_ends_the_stream_unless_it_is_moved),
    cmocka_unit_test(a_deadline_of_a_stream_that_connects_begins_when_it_is_open),
    cmocka_unit_test(a_deadline_does_not_prolong_the_connecting),
    cmocka_unit_test(connections_over_the_limit_are_closed),
    cmocka_unit_test(an_inherited_socket_can_be_taken_over),
    cmocka_unit_test(limits_above_their_maximum_are_refused),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, fill_bytes, NULL);
}
