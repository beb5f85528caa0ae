/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server for programs that we did not write (curl, h2load, wrk), and for benchmarks.
 *
 * usage: pp-httpd ADDRESS [CHAIN KEY]     prints its address, serves until SIGTERM
 *
 *     GET /hello       "hello"
 *     POST /echo       the body, of up to 256 KiB
 *     POST /exchange   32 KiB for 4 KiB: the shape of a session's first exchange
 *     POST /pieces     the body as it comes, whatever its length up to 16 MiB
 *     GET /memory      resident KiB
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "env.h"
#include "file.h"
#include "net.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ECHO_BYTES_MAX = 1 << 18, FIRST_BYTES = 4096, ANSWER_BYTES = 32768, PEM_BYTES_MAX = 65536 };

static struct pp_loop *loop;
static struct pp_http_server *server;
static uint8_t answer[ANSWER_BYTES];

static void on_hello(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = {
        .status = 200, .type = "text/plain", .body = PP_STR("hello"), .body_stays = 1
    };

    pp_http_reply(q, &r);
}

static void on_echo(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200,
                                     .type = "application/octet-stream",
                                     .body = pp_http_request_body(q) };

    pp_http_reply(q, &r);
}

static void on_exchange(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = {
        .status = 200, .type = "message/ohttp-res", .body = PP_BYTES(answer), .body_stays = 1
    };

    pp_http_reply(q, &r);
}

/* --- an echo that never holds more than what waits ------------------------------------------ */

static void pass_on(void *ctx)
{
    struct pp_http_request *q = (struct pp_http_request *)ctx;
    struct pp_span piece = pp_http_request_piece(q);

    if (piece.len > 0) {
        if (!pp_is_ok(pp_http_reply_piece(q, piece)))
            return; /* `room` comes back here; or it is over, and `gone` was there */
        pp_http_request_take(q, piece.len);
    }
    if (pp_http_request_is_whole(q) && pp_http_request_piece(q).len == 0)
        pp_http_reply_end(q);
}

static void on_gone(void *ctx)
{
    pp_http_reply_abort((struct pp_http_request *)ctx);
}

static void on_pieces(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply head = { .status = 200, .type = "application/octet-stream" };

    pp_http_request_on_gone(q, on_gone, q);
    pp_http_request_on_piece(q, pass_on, q);
    pp_http_reply_on_room(q, pass_on, q);
    pp_http_reply_begin(q, &head);
    pass_on(q);
}

/* --- what it holds -------------------------------------------------------------------------- */

static void on_memory(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    char *text = (char *)pp_arena_alloc(pp_http_request_arena(q), 64);
    long total = 0;
    long resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (f != NULL)
        (void)fclose(f);
    int n = snprintf(text, 64, "%ld\n", resident * (sysconf(_SC_PAGESIZE) / 1024));
    const struct pp_http_reply r = {
        .status = 200, .type = "text/plain", .body = pp_span(text, (size_t)n), .body_stays = 1
    };
    pp_http_reply(q, &r);
}

static const struct pp_http_route ROUTES[] = {
    { "GET", "/hello", 0, on_hello, NULL },
    { "POST", "/echo", ECHO_BYTES_MAX, on_echo, NULL },
    { "POST", "/exchange", FIRST_BYTES, on_exchange, NULL },
    { "POST", "/pieces", PP_HTTP_BODY_BYTES_MAX, on_pieces, NULL, .pieces = 1 },
    { "GET", "/memory", 0, on_memory, NULL },
};

/* --- the program ---------------------------------------------------------------------------- */

static void must(pp_res r)
{
    if (pp_is_ok(r))
        return;
    fprintf(stderr, "httpd: %s (%u) at %s\n", pp_code_name(r.code), r.detail, r.where);
    exit(1);
}

static void on_drained(void *ctx)
{
    (void)ctx;
    pp_loop_stop(loop);
}

static void on_term(void *ctx)
{
    (void)ctx;
    pp_http_server_drain(server, on_drained, NULL);
}

static char **files; /* of the chain and the key */

static void read_identity(void)
{
    struct pp_buf chain = { 0 };
    struct pp_buf key = { 0 };

    must(pp_file_read(AT_FDCWD, files[0], PEM_BYTES_MAX, &chain));
    must(pp_file_read_kept(AT_FDCWD, files[1], PP_FILE_PRIVATE, PEM_BYTES_MAX, &key));
    must(pp_http_server_tls(server, pp_buf_span(&chain), pp_buf_span(&key)));
    pp_buf_done(&chain);
    pp_buf_done(&key);
}

static void on_hup(void *ctx)
{
    (void)ctx;
    read_identity();
}

int main(int argc, char **argv)
{
    const struct pp_http_server_config c = { .routes = ROUTES,
                                             .route_count = PP_ARRAY_COUNT(ROUTES),
                                             .scratch_bytes = ECHO_BYTES_MAX,
                                             .connections_max = PP_HTTP_CONNECTIONS_MAX,
                                             .requests_max = 1024 };
    struct rlimit many = { PP_HTTP_CONNECTIONS_MAX + 64, PP_HTTP_CONNECTIONS_MAX + 64 };
    char text[PP_ADDRESS_TEXT_MAX];
    struct pp_address a;
    struct pp_listener l;
    struct pp_signal *term;
    struct pp_signal *hup = NULL;

    if (argc != 2 && argc != 4)
        return 2;
    (void)setrlimit(RLIMIT_NOFILE, &many);
    must(pp_address_parse(pp_span_cstr(argv[1]), &a));
    must(pp_listener_open(&a, &l));
    must(pp_loop_new(&loop));
    must(pp_http_server_new(loop, &c, &server));
    must(pp_signal_new(loop, SIGTERM, on_term, NULL, &term));
    if (argc == 4) {
        files = argv + 2;
        read_identity();
        must(pp_signal_new(loop, SIGHUP, on_hup, NULL, &hup));
        must(pp_http_server_listen_tls(server, &l));
    } else {
        must(pp_http_server_listen(server, &l));
    }
    pp_address_write(&l.address, text);
    printf("%s\n", text);
    (void)fflush(stdout);
    must(pp_loop_run(loop));
    pp_signal_free(hup);
    pp_signal_free(term);
    pp_http_server_free(server);
    pp_loop_free(loop);
    pp_listener_done(&l);
    return 0;
}
