/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server says to our client, over a socket of this folder: no bytes make it touch what it
 * must not, each call ends exactly once, and with the connections every place is free again. Of two
 * calls one takes pieces, and not always. The first byte chooses the version and the pieces.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "http_client_int.h"

enum { BODY_MAX = 512, PIECE = 97, REFUSE_EVERY = 3 };

static struct pp_loop *loop;
static struct pp_http_client *clients[2]; /* of HTTP/1.1 and HTTP/2 */
static struct pp_listener listener;

struct call {
    struct pp_http_pending *pending;
    unsigned done, offers;
};

static void on_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct call *c = (struct call *)ctx;

    FUZZ_CHECK(pp_is_ok(r) == (response != NULL));
    if (response != NULL) {
        FUZZ_CHECK(response->status >= 200 && response->status <= 599);
        FUZZ_CHECK(response->body.len <= BODY_MAX && response->type.len <= PP_HTTP_TYPE_BYTES_MAX);
    }
    c->done++;
    c->pending = NULL;
}

static int on_piece(void *ctx, struct pp_span bytes)
{
    struct call *c = (struct call *)ctx;

    FUZZ_CHECK(bytes.len > 0 && bytes.len <= PP_HTTP_PIECE_BYTES_MAX);
    return ++c->offers % REFUSE_EVERY != 0;
}

static void clean_up(void)
{
    pp_listener_done(&listener);
}

static void set_up(void)
{
    struct pp_address at = { .family = PP_ADDRESS_UNIX };

    (void)snprintf(at.path, sizeof at.path, "/tmp/pp-fuzz-client-%ld", (long)getpid());
    FUZZ_CHECK(pp_is_ok(pp_loop_new(&loop)) && pp_is_ok(pp_listener_open(&at, &listener)) &&
               atexit(clean_up) == 0);
    for (uint32_t http2 = 0; http2 < 2; http2++) {
        const struct pp_http_client_config config = { .calls_max = 4,
                                                      .connections_per_host_max = 1,
                                                      .response_bytes_max = BODY_MAX,
                                                      .http2 = http2 };
        FUZZ_CHECK(pp_is_ok(pp_http_client_new(loop, &config, &clients[http2])));
    }
}

static void start(struct pp_http_client *c, struct call *call, int takes_pieces)
{
    const struct pp_http_call what = { .method = takes_pieces ? "GET" : "POST",
                                       .url = "http://server/x",
                                       .unix_path = listener.address.path,
                                       .piece = takes_pieces ? on_piece : NULL,
                                       .ctx = call,
                                       .deadline_ms = PP_HTTP_DEADLINE_MS_MAX };

    FUZZ_CHECK(pp_is_ok(pp_http_client_start(c, &what, on_done, call, &call->pending)));
}

static void turn(int fd, struct call *taker)
{
    uint8_t bytes[4096];

    if (taker->pending != NULL)
        pp_http_client_resume(taker->pending);
    (void)event_base_loop(pp_loop_base_(loop), EVLOOP_NONBLOCK);
    while (fd >= 0 && recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void end(struct pp_http_client *c, struct call *calls)
{
    for (int i = 0; i < 2; i++)
        if (calls[i].pending != NULL)
            pp_http_client_cancel(calls[i].pending);
    pp_http_client_enter_(c);
    for (uint32_t i = 0; i < c->links_used; i++)
        pp_http_link_end_(&c->links[i], PP_FAIL(PP_E_CLOSED, 0));
    pp_http_client_leave_(c);
    FUZZ_CHECK(c->over == NULL && c->due == NULL);
    for (uint32_t i = 0; i < c->calls_used; i++)
        FUZZ_CHECK(c->calls[i].state == PP_HTTP_P_FREE);
    for (uint32_t i = 0; i < c->origins_used; i++)
        FUZZ_CHECK(c->origins[i].host_len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct call calls[2] = { 0 };
    int fd;

    if (len < 1)
        return 0;
    if (loop == NULL)
        set_up();
    struct pp_http_client *c = clients[data[0] & 1];
    start(c, &calls[0], 1);
    start(c, &calls[1], 0);
    for (int i = 0; i < 4; i++)
        turn(-1, &calls[0]);
    FUZZ_CHECK((fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0);
    size_t piece = data[0] < 2 ? len : 1 + (size_t)data[0] % PIECE;
    for (size_t at = 1; at < len; at += piece) {
        size_t n = piece < len - at ? piece : len - at;
        if (send(fd, data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
        turn(fd, &calls[0]);
    }
    (void)close(fd);
    for (int i = 0; i < 4; i++)
        turn(-1, &calls[0]);
    end(c, calls);
    FUZZ_CHECK(calls[0].done <= 1 && calls[1].done <= 1);
    while ((fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        (void)close(fd);
    return 0;
}
