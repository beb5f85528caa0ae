/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-adversary-gateway: a gateway that hopes for a second try. What it answers is outside OHTTP,
 * where it can say anything to anybody; a device that acted on it (fetched a key, asked again or
 * another way) would do so alone among all. It stands before an honest gateway, where all goes to
 * that the mode does not name.
 *
 *     mode = user-key       #1 is refused for its key; a key that nobody else gets is offered
 *     mode = early          #2 is answered at once with noise of the right size; nobody computes
 *     mode = status-401, status-429, status-503, redirect
 *                           #2 is refused in ways that people could be told apart by
 *
 * The same machine for all that somebody sends cannot be seen in one session; tests/linkage shows
 * what it would give.
 */
#include <string.h>

#include "crypto.h"
#include "daemon.h"
#include "http_client.h"
#include "http_server.h"

enum { BODY_BYTES_MAX = 300000, URL_BYTES_MAX = 256, NOISE_BYTES = 8192, DEADLINE_MS = 90000 };

static const struct mode {
    const char *name;
    int first;       /* 1: #1 is answered so; else #2 */
    uint32_t status; /* of the answer */
    const char *type;
} MODES[] = {
    { "user-key", 1, 400, "application/problem+json" },
    { "early", 0, 200, "message/ohttp-res" },
    { "status-401", 0, 401, NULL },
    { "status-429", 0, 429, NULL },
    { "status-503", 0, 503, NULL },
    { "redirect", 0, 307, NULL },
};

static struct config {
    struct pp_daemon_config common; /* always first */
    struct pp_span gateway, mode;
} config;

static const struct pp_kv_key KEYS[] = {
    { "gateway", PP_KV_TEXT, offsetof(struct config, gateway), 1, 8, URL_BYTES_MAX - 1,
      "the honest gateway's resource, http://127.0.0.1:PORT/.well-known/ohttp-gateway" },
    { "mode", PP_KV_TEXT, offsetof(struct config, mode), 1, 1, 32, "a mode of this program" },
};

static struct {
    const struct mode *mode;
    char url[URL_BYTES_MAX];
    struct pp_http_client *client;
    struct pp_http_server *server;
    const struct pp_listener *listener;
    unsigned long posts;
    struct pp_daemon *daemon;
} self;

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)d;
    for (size_t i = 0; i < PP_ARRAY_COUNT(MODES); i++)
        if (pp_span_eq(config.mode, pp_span_cstr(MODES[i].name))) {
            self.mode = &MODES[i];
            return PP_OK;
        }
    return pp_daemon_refuse(problem, "mode", KEYS[1].expected, config.mode);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_http_client_config c = { .response_bytes_max = BODY_BYTES_MAX };
    uint16_t port;

    self.daemon = d;
    PP_TRY(pp_crypto_init());
    memcpy(self.url, config.gateway.at, config.gateway.len);
    if (!pp_is_ok(pp_http_url_port(config.gateway, &port)))
        return pp_daemon_refuse(problem, "gateway", KEYS[0].expected, config.gateway);
    PP_TRY(pp_daemon_allow_connect(d, port));
    PP_TRY(pp_http_client_new(d->loop, &c, &self.client));
    return pp_daemon_listen(d, "http", config.common.listen, problem, &self.listener);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void answer_by_mode(struct pp_http_request *q)
{
    const struct pp_http_field location = { PP_STR("location"), PP_STR("/only-for-you") };
    uint8_t *noise = pp_arena_alloc(pp_http_request_arena(q), NOISE_BYTES);
    struct pp_http_reply r = { .status = self.mode->status,
                               .type = self.mode->type,
                               .fields = &location,
                               .field_count = self.mode->status == 307,
                               .body_stays = 1 };

    if (self.mode->status == 400)
        r.body = PP_STR("{\"type\":\"https://iana.org/assignments/http-problem-types#ohttp-key\","
                        "\"title\":\"key identifier unknown\"}");
    if (self.mode->status == 200 && noise != NULL &&
        pp_is_ok(pp_random_fill(&self.daemon->random, noise, NOISE_BYTES)))
        r.body = pp_span(noise, NOISE_BYTES);
    pp_http_reply(q, &r);
}

static void answered(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct pp_http_request *q = ctx;
    char type[PP_HTTP_TYPE_BYTES_MAX + 1] = { 0 };

    if (!pp_is_ok(r)) {
        pp_http_reply_status(q, 502);
        return;
    }
    memcpy(type, response->type.at,
           response->type.len < sizeof type - 1 ? response->type.len : sizeof type - 1);
    const struct pp_http_reply reply = { .status = response->status,
                                         .type = type,
                                         .body = response->body };
    pp_http_reply(q, &reply);
}

static void on_post(void *ctx, struct pp_http_request *q)
{
    static const struct pp_http_field fields[] = {
        { { (const uint8_t *)"content-type", 12 }, { (const uint8_t *)"message/ohttp-req", 17 } },
    };
    const struct pp_http_call call = { .method = "POST",
                                       .url = self.url,
                                       .fields = fields,
                                       .field_count = 1,
                                       .body = pp_http_request_body(q),
                                       .deadline_ms = DEADLINE_MS };
    struct pp_http_pending *pending;

    (void)ctx;
    if ((++self.posts % 2 == 1) == (self.mode->first == 1))
        answer_by_mode(q);
    else if (!pp_is_ok(pp_http_client_start(self.client, &call, answered, q, &pending)))
        pp_http_reply_status(q, 502);
}

/* --- the life of the program ------------------------------------------------------------------ */

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    static const struct pp_http_route routes[] = {
        { .method = "POST",
          .path = "/.well-known/ohttp-gateway",
          .body_bytes_max = BODY_BYTES_MAX,
          .handle = on_post },
    };
    const struct pp_http_server_config c = { .routes = routes,
                                             .route_count = 1,
                                             .connections_max = 16,
                                             .scratch_bytes = BODY_BYTES_MAX + 8192 };

    (void)problem;
    PP_TRY(pp_http_server_new(d->loop, &c, &self.server));
    PP_TRY(pp_http_server_listen(self.server, self.listener));
    pp_daemon_ready(d);
    return PP_OK;
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_client_free(self.client);
    pp_http_server_free(self.server);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program program = {
        .name = "pp-adversary-gateway",
        .what = "a gateway that hopes for a second try, for tests",
        .party = PP_PARTY_TEST,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .check = check,
        .open = open_all,
        .serve = serve,
        .close = close_all,
    };

    return pp_daemon_main(&program, argc, argv);
}
