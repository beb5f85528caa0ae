/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows HTTP/2's preface, over a socket pair into a server: no frame makes it touch what it
 * must not, and when the connection has ended every place is free again. The first byte chooses how
 * the rest is split.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_server_int.h"

enum { BODY_MAX = 512, PIECE = 97 };

static struct pp_loop *loop;
static struct pp_http_server *server;
static struct pp_http_request *kept; /* of /later */

static void on_echo(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply r = { .status = 200, .body = pp_http_request_body(q) };

    pp_http_reply(q, &r);
}

static void on_gone(void *ctx)
{
    struct pp_http_request *q = (struct pp_http_request *)ctx;

    if (q == kept)
        kept = NULL;
    pp_http_reply_status(q, 200);
}

static void on_later(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    if (kept != NULL)
        pp_http_reply_status(kept, 202);
    kept = q;
    pp_http_request_on_gone(q, on_gone, q);
}

static void pass_on(void *ctx)
{
    struct pp_http_request *q = (struct pp_http_request *)ctx;
    struct pp_span piece = pp_http_request_piece(q);

    FUZZ_CHECK(piece.len <= PP_HTTP_PIECES_BYTES);
    if (piece.len > 0 && pp_is_ok(pp_http_reply_piece(q, piece)))
        pp_http_request_take(q, piece.len);
    if (pp_http_request_is_whole(q) && pp_http_request_piece(q).len == 0)
        pp_http_reply_end(q);
}

static void on_pieces_gone(void *ctx)
{
    pp_http_reply_abort((struct pp_http_request *)ctx);
}

static void on_pieces(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    const struct pp_http_reply head = { .status = 200 };

    pp_http_request_on_gone(q, on_pieces_gone, q);
    pp_http_request_on_piece(q, pass_on, q);
    pp_http_reply_on_room(q, pass_on, q);
    pp_http_reply_begin(q, &head);
    pass_on(q);
}

static void set_up(void)
{
    static const struct pp_http_route routes[] = {
        { "POST", "/e", BODY_MAX, on_echo, NULL },
        { "GET", "/l", 0, on_later, NULL },
        { "POST", "/p", BODY_MAX, on_pieces, NULL, .pieces = 1 },
    };
    const struct pp_http_server_config c = { .routes = routes,
                                             .route_count = PP_ARRAY_COUNT(routes),
                                             .connections_max = 4,
                                             .requests_max = 8 };

    FUZZ_CHECK(pp_is_ok(pp_loop_new(&loop)) && pp_is_ok(pp_http_server_new(loop, &c, &server)));
}

static void turn(int fd)
{
    uint8_t bytes[4096];

    (void)event_base_loop(pp_loop_base_(loop), EVLOOP_NONBLOCK);
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const struct sockaddr_storage from = { .ss_family = AF_UNIX };
    int ends[2];

    if (len < 1)
        return 0;
    if (loop == NULL)
        set_up();
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    pp_http_server_take_(server, ends[1], 0, &from, sizeof from.ss_family);
    (void)send(ends[0], PREFACE, sizeof PREFACE - 1, MSG_NOSIGNAL);
    size_t piece = data[0] == 0 ? len : 1 + (size_t)data[0] % PIECE;
    for (size_t at = 1; at < len; at += piece) {
        size_t n = piece < len - at ? piece : len - at;
        if (send(ends[0], data + at, n, MSG_NOSIGNAL) < 0)
            break;
        turn(ends[0]);
    }
    turn(ends[0]);
    (void)close(ends[0]);
    for (int i = 0; i < 8 && server->open_count > 0; i++)
        (void)event_base_loop(pp_loop_base_(loop), EVLOOP_NONBLOCK);
    FUZZ_CHECK(server->open_count == 0);
    for (uint32_t i = 0; i < server->slots_used; i++)
        FUZZ_CHECK(server->slots[i].state == PP_HTTP_Q_FREE);
    return 0;
}
