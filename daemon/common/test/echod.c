/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echod: a whole daemon, as an example and for the tests of daemon/common: it echoes, in upper
 * case.
 */
#include "crypto.h"
#include "daemon.h"

struct config {
    struct pp_daemon_config common; /* always first */
    uint64_t body_bytes_max;
};

static struct config config = { .body_bytes_max = 1024 };
static const struct pp_listener *listener;
static struct pp_http_server *server;

static const struct pp_kv_key KEYS[] = {
    { "body_bytes_max", PP_KV_U64, offsetof(struct config, body_bytes_max), 0, 1, 65536,
      "bytes of a request's body, at most 65536" },
};

static void on_echo(void *ctx, struct pp_http_request *q)
{
    struct pp_daemon *d = (struct pp_daemon *)ctx;
    struct pp_span in = pp_http_request_body(q);
    uint8_t *out = (uint8_t *)pp_arena_alloc(pp_http_request_arena(q), in.len);

    if (d->stopping || out == NULL) {
        pp_http_reply_status(q, 503);
        return;
    }
    for (size_t i = 0; i < in.len; i++)
        out[i] = in.at[i] >= 'a' && in.at[i] <= 'z' ? (uint8_t)(in.at[i] - 32) : in.at[i];
    const struct pp_http_reply r = { .status = 200, .body = pp_span(out, in.len), .body_stays = 1 };
    pp_http_reply(q, &r);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(pp_crypto_init()); /* before the sandbox: OpenSSL reads its files */
    return pp_daemon_listen(d, "http", config.common.listen, problem, &listener);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_http_route route = { "POST", "/echo", config.body_bytes_max, on_echo, d };
    const struct pp_http_server_config c = { .routes = &route,
                                             .route_count = 1,
                                             .scratch_bytes = config.body_bytes_max + 64 };

    (void)problem;
    PP_TRY(pp_http_server_new(d->loop, &c, &server));
    PP_TRY(pp_http_server_listen(server, listener));
    pp_daemon_count_http(d, server);
    pp_daemon_ready(d);
    return PP_OK;
}

static void on_drained(void *ctx)
{
    pp_daemon_stopped((struct pp_daemon *)ctx);
}

static void stop(struct pp_daemon *d)
{
    pp_http_server_drain(server, on_drained, d);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(server);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program program = {
        .name = "pp-echod",
        .what = "echoes, in upper case",
        .party = PP_PARTY_TEST,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .open = open_all,
        .serve = serve,
        .stop = stop,
        .close = close_all,
    };

    return pp_daemon_main(&program, argc, argv);
}
