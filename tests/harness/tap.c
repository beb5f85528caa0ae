/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-tap: stands on a hop and writes down what passes: a development program for tests.
 *
 *     pp-tap --listen ADDRESS --to ADDRESS --dir DIR [--ready-fd N]
 *
 * Each connection to ADDRESS is carried to the other one, unchanged. DIR (which must exist) gets,
 * for connection n, NNNN.up (what came from whoever connected) and NNNN.down (what was answered),
 * and an `index` of what happened in which order, one line each:
 *
 *     MS NNNN open
 *     MS NNNN up BYTES        forwarded in one piece
 *     MS NNNN down BYTES
 *     MS NNNN end             both sides are closed
 *
 * MS counts from the start. Readiness is that of the daemons: "listen tap ADDRESS", "ready".
 * SIGTERM ends it with status 0; connections are then cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "file.h"
#include "net.h"

enum { BUFFER_BYTES = 1 << 20, CONNECTIONS_MAX = 512, CONNECT_TIMEOUT_MS = 10000 };

struct tap {
    struct pp_loop *loop;
    struct pp_clock clock;
    uint64_t started_ms;
    struct pp_address to;
    int dir;
    int index;
    unsigned count;
    struct connection *first;
};

/* One direction of a connection. */
struct way {
    struct pp_stream *from, *into;
    const char *name; /* "up" or "down" */
    int file;
    int ended;    /* nothing more comes from `from` */
    int finished; /* ... and everything of it was given to `into` */
};

struct connection {
    struct tap *tap;
    unsigned number;
    struct pp_stream *near, *far;
    struct way up, down;
    struct connection *next;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "pp-tap: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void note(const struct connection *c, const char *what, size_t bytes)
{
    const struct tap *t = c->tap;
    char line[96];
    unsigned long long ms = pp_clock_mono_ms(&t->clock) - t->started_ms;
    int n = bytes > 0
                ? snprintf(line, sizeof line, "%llu %04u %s %zu\n", ms, c->number, what, bytes)
                : snprintf(line, sizeof line, "%llu %04u %s\n", ms, c->number, what);

    if (!pp_is_ok(pp_fd_write(t->index, pp_span(line, (size_t)n))))
        give_up("index");
}

static void end_connection(struct connection *c)
{
    struct connection **at = &c->tap->first;

    note(c, "end", 0);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    pp_stream_free(c->near);
    pp_stream_free(c->far);
    (void)close(c->up.file);
    (void)close(c->down.file);
    free(c);
}

/*
 * Moves what is there. A full far side is asked again when it has drained; what comes for one that
 * has left is written down all the same.
 */
static void pump(struct connection *c, struct way *w)
{
    struct pp_span bytes = pp_stream_input(w->from);
    pp_res r = bytes.len > 0 ? pp_stream_write(w->into, bytes) : PP_OK;

    if (bytes.len > 0 && r.code != PP_E_BUSY) {
        if (!pp_is_ok(pp_fd_write(w->file, bytes)))
            give_up(w->name);
        note(c, w->name, bytes.len);
        pp_stream_consume(w->from, bytes.len);
        bytes.len = 0;
    }
    if (w->ended && bytes.len == 0 && !w->finished) {
        w->finished = 1;
        pp_stream_finish(w->into);
    }
}

static void on_readable(void *ctx, struct pp_stream *s)
{
    struct connection *c = (struct connection *)ctx;

    pump(c, s == c->near ? &c->up : &c->down);
}

static void on_drained(void *ctx, struct pp_stream *s)
{
    struct connection *c = (struct connection *)ctx;

    pump(c, s == c->far ? &c->up : &c->down);
}

static void on_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    struct connection *c = (struct connection *)ctx;
    struct way *w = s == c->near ? &c->up : &c->down;

    w->ended = 1;
    if (pp_is_ok(why))
        pump(c, w);
    if (!pp_is_ok(why) || (c->up.ended && c->down.ended))
        end_connection(c);
}

static int make_file(const struct tap *t, unsigned number, const char *suffix)
{
    char name[32];

    (void)snprintf(name, sizeof name, "%04u.%s", number, suffix);
    int fd = openat(t->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        give_up(name);
    return fd;
}

static struct pp_stream_config stream_config(void *ctx)
{
    return (struct pp_stream_config){ .in_bytes_max = BUFFER_BYTES,
                                      .out_bytes_max = BUFFER_BYTES,
                                      .readable = on_readable,
                                      .drained = on_drained,
                                      .ended = on_ended,
                                      .ctx = ctx };
}

static int on_accepted(void *ctx, struct pp_stream *near)
{
    struct tap *t = (struct tap *)ctx;
    struct connection *c = (struct connection *)calloc(1, sizeof *c);

    if (c == NULL)
        return 0;
    const struct pp_stream_config config = stream_config(c);
    if (!pp_is_ok(pp_stream_connect(t->loop, &t->to, &config, CONNECT_TIMEOUT_MS, &c->far))) {
        free(c);
        return 0;
    }
    c->tap = t;
    c->number = t->count++;
    c->near = near;
    c->up = (struct way){ near, c->far, "up", make_file(t, c->number, "up"), 0, 0 };
    c->down = (struct way){ c->far, near, "down", make_file(t, c->number, "down"), 0, 0 };
    c->next = t->first;
    t->first = c;
    pp_stream_set_ctx(near, c);
    note(c, "open", 0);
    return 1;
}

static void on_term(void *ctx)
{
    pp_loop_stop(((struct tap *)ctx)->loop);
}

static void say_ready(const char *ready_fd, const struct pp_listener *l)
{
    char at[PP_ADDRESS_TEXT_MAX];
    char text[PP_ADDRESS_TEXT_MAX + 32];
    uint64_t fd;

    if (ready_fd == NULL)
        return;
    pp_address_write(&l->address, at);
    int n = snprintf(text, sizeof text, "listen tap %s\nready\n", at);
    if (!pp_is_ok(pp_decimal_parse(pp_span_cstr(ready_fd), INT32_MAX, &fd)) ||
        !pp_is_ok(pp_fd_write((int)fd, pp_span(text, (size_t)n))))
        give_up("--ready-fd");
    (void)close((int)fd);
}

static int run(struct tap *t, struct pp_listener *l, const char *ready_fd)
{
    const struct pp_stream_server_config config = { .stream = stream_config(NULL),
                                                    .connections_max = CONNECTIONS_MAX,
                                                    .accepted = on_accepted,
                                                    .ctx = t };
    struct pp_stream_server *server = NULL;
    struct pp_signal *term = NULL;
    struct pp_signal *interrupt = NULL;

    if (!pp_is_ok(pp_loop_new(&t->loop)) ||
        !pp_is_ok(pp_signal_new(t->loop, SIGTERM, on_term, t, &term)) ||
        !pp_is_ok(pp_signal_new(t->loop, SIGINT, on_term, t, &interrupt)) ||
        !pp_is_ok(pp_stream_server_new(t->loop, l, &config, &server)))
        give_up("start");
    say_ready(ready_fd, l);
    pp_res r = pp_loop_run(t->loop);
    while (t->first != NULL)
        end_connection(t->first);
    pp_stream_server_free(server);
    pp_signal_free(interrupt);
    pp_signal_free(term);
    pp_loop_free(t->loop);
    return pp_is_ok(r) ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *values[4] = { NULL };
    static const char *const names[4] = { "--listen", "--to", "--dir", "--ready-fd" };
    struct tap t = { .clock = pp_clock_system() };
    struct pp_address at;
    struct pp_listener l;

    for (int i = 1; i + 1 < argc; i += 2)
        for (int n = 0; n < 4; n++)
            if (strcmp(argv[i], names[n]) == 0)
                values[n] = argv[i + 1];
    if (values[0] == NULL || values[1] == NULL || values[2] == NULL || argc % 2 != 1 ||
        !pp_is_ok(pp_address_parse(pp_span_cstr(values[0]), &at)) ||
        !pp_is_ok(pp_address_parse(pp_span_cstr(values[1]), &t.to))) {
        fprintf(stderr, "usage: pp-tap --listen ADDRESS --to ADDRESS --dir DIR [--ready-fd N]\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    t.started_ms = pp_clock_mono_ms(&t.clock);
    t.dir = open(values[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t.dir < 0)
        give_up(values[2]);
    t.index = openat(t.dir, "index", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (t.index < 0)
        give_up("index");
    if (!pp_is_ok(pp_listener_open(&at, &l))) {
        fprintf(stderr, "pp-tap: cannot listen on %s\n", values[0]);
        return 2;
    }
    int status = run(&t, &l, values[3]);
    pp_listener_done(&l);
    (void)close(t.index);
    (void)close(t.dir);
    return status;
}
