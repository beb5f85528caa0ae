/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-adversary-relay: a relay that lies. It stands where the device posts and passes everything on
 * to an honest relay, or to the gateway itself, except that it does one thing to every second POST,
 * which is exchange #2.
 *
 *     mode = drop              #2 is not passed on; the device is told 502
 *     mode = duplicate         #2 is passed on twice; the device gets the second answer
 *     mode = alter             one bit of #2 is flipped
 *     mode = add               #2 gets 64 bytes more
 *     mode = truncate          #2 loses its last 64 bytes
 *     mode = truncate-answer   the answer to #2 loses its last 64 bytes
 *     mode = reorder           the answer to #1 comes again in the place of that to #2
 *     mode = delay             #2 leaves 1.5 seconds later
 *     mode = tag               #2 has a field more on the way to the gateway
 */
#include <string.h>

#include "crypto.h"
#include "daemon.h"
#include "http_client.h"
#include "http_server.h"

enum {
    BODY_BYTES_MAX = 300000,
    URL_BYTES_MAX = 256,
    CUT_BYTES = 64,
    DEADLINE_MS = 90000,
    LATER_MS = 1500
};

enum mode { DROP, DUPLICATE, ALTER, ADD, TRUNCATE, TRUNCATE_ANSWER, REORDER, DELAY, TAG, MODES };
static const char *const MODE_NAMES[MODES] = {
    "drop", "duplicate", "alter", "add", "truncate", "truncate-answer", "reorder", "delay", "tag",
};

static struct config {
    struct pp_daemon_config common; /* always first */
    struct pp_span relay, mode;
} config;

static const struct pp_kv_key KEYS[] = {
    { "relay", PP_KV_TEXT, offsetof(struct config, relay), 1, 8, URL_BYTES_MAX - 1,
      "the resource to pass on to, http://127.0.0.1:PORT/ohttp" },
    { "mode", PP_KV_TEXT, offsetof(struct config, mode), 1, 1, 32,
      "drop, duplicate, alter, add, truncate, truncate-answer, reorder, delay or tag" },
};

/* One POST on its way; memory of the request that it answers. */
struct passage {
    struct pp_http_request *q;
    struct pp_span body;
    int is_second;
    int again; /* still to be sent once more */
};

static struct {
    enum mode mode;
    char url[URL_BYTES_MAX];
    struct pp_http_client *client;
    struct pp_http_server *server;
    const struct pp_listener *listener;
    unsigned long posts;
    uint8_t first_answer[BODY_BYTES_MAX];
    size_t first_answer_len;
    struct passage *late;
    struct pp_timer *later;
} self;

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)d;
    for (int i = 0; i < MODES; i++)
        if (pp_span_eq(config.mode, pp_span_cstr(MODE_NAMES[i]))) {
            self.mode = (enum mode)i;
            return PP_OK;
        }
    return pp_daemon_refuse(problem, "mode", KEYS[1].expected, config.mode);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_http_client_config c = { .response_bytes_max = BODY_BYTES_MAX };
    uint16_t port;

    PP_TRY(pp_crypto_init());
    memcpy(self.url, config.relay.at, config.relay.len);
    if (!pp_is_ok(pp_http_url_port(config.relay, &port)))
        return pp_daemon_refuse(problem, "relay", KEYS[0].expected, config.relay);
    PP_TRY(pp_daemon_allow_connect(d, port));
    PP_TRY(pp_http_client_new(d->loop, &c, &self.client));
    return pp_daemon_listen(d, "http", config.common.listen, problem, &self.listener);
}

static void forward(struct passage *p);

static void answered(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct passage *p = ctx;

    if (!pp_is_ok(r)) {
        pp_http_reply_status(p->q, 502);
        return;
    }
    if (p->again) {
        p->again = 0;
        forward(p);
        return;
    }
    char type[PP_HTTP_TYPE_BYTES_MAX + 1] = { 0 };
    size_t len = response->type.len < sizeof type - 1 ? response->type.len : sizeof type - 1;
    struct pp_span body = response->body;
    memcpy(type, response->type.at, len);
    if (p->is_second && self.mode == TRUNCATE_ANSWER && body.len > CUT_BYTES)
        body.len -= CUT_BYTES;
    if (self.mode == REORDER && p->is_second) {
        body = pp_span(self.first_answer, self.first_answer_len);
    } else if (self.mode == REORDER) {
        memcpy(self.first_answer, body.at, body.len);
        self.first_answer_len = body.len;
    }
    const struct pp_http_reply reply = { .status = response->status, .type = type, .body = body };
    pp_http_reply(p->q, &reply);
}

static void forward(struct passage *p)
{
    static const struct pp_http_field fields[] = {
        { { (const uint8_t *)"content-type", 12 }, { (const uint8_t *)"message/ohttp-req", 17 } },
        { { (const uint8_t *)"x-tag", 5 }, { (const uint8_t *)"4711", 4 } },
    };
    const struct pp_http_call call = { .method = "POST",
                                       .url = self.url,
                                       .fields = fields,
                                       .field_count = self.mode == TAG && p->is_second ? 2 : 1,
                                       .body = p->body,
                                       .deadline_ms = DEADLINE_MS };
    struct pp_http_pending *pending;

    if (!pp_is_ok(pp_http_client_start(self.client, &call, answered, p, &pending)))
        pp_http_reply_status(p->q, 502);
}

static void on_later(void *ctx)
{
    (void)ctx;
    forward(self.late);
}

/* The body with CUT_BYTES more behind it. */
static struct pp_span longer(struct pp_http_request *q, struct pp_span body)
{
    uint8_t *copy = pp_arena_alloc(pp_http_request_arena(q), body.len + CUT_BYTES);

    PP_ASSERT(copy != NULL); /* scratch_bytes is for this */
    memcpy(copy, body.at, body.len);
    return pp_span(copy, body.len + CUT_BYTES);
}

static void on_post(void *ctx, struct pp_http_request *q)
{
    struct passage *p = pp_arena_alloc(pp_http_request_arena(q), sizeof *p);

    (void)ctx;
    if (p == NULL) {
        pp_http_reply_status(q, 500);
        return;
    }
    *p = (struct passage){ .q = q,
                           .body = pp_http_request_body(q),
                           .is_second = ++self.posts % 2 == 0 };
    if (p->is_second && self.mode == DROP) {
        pp_http_reply_status(q, 502);
        return;
    }
    if (p->is_second && self.mode == ALTER && p->body.len > 0)
        pp_http_request_body_bytes(q)[p->body.len / 2] ^= 1;
    if (p->is_second && self.mode == TRUNCATE && p->body.len > CUT_BYTES)
        p->body.len -= CUT_BYTES;
    if (p->is_second && self.mode == ADD)
        p->body = longer(q, p->body);
    if (p->is_second && self.mode == DELAY) {
        self.late = p;
        pp_timer_set(self.later, LATER_MS);
        return;
    }
    p->again = p->is_second && self.mode == DUPLICATE;
    forward(p);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    static const struct pp_http_route routes[] = {
        { "POST", "/ohttp", BODY_BYTES_MAX, on_post, NULL },
    };
    const struct pp_http_server_config c = { .routes = routes,
                                             .route_count = 1,
                                             .connections_max = 16,
                                             .scratch_bytes = 2 * BODY_BYTES_MAX + 8192 };

    (void)problem;
    PP_TRY(pp_http_server_new(d->loop, &c, &self.server));
    PP_TRY(pp_timer_new(d->loop, on_later, NULL, &self.later));
    PP_TRY(pp_http_server_listen(self.server, self.listener));
    pp_daemon_ready(d);
    return PP_OK;
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_client_free(self.client);
    pp_http_server_free(self.server);
    pp_timer_free(self.later);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program program = {
        .name = "pp-adversary-relay",
        .what = "a relay that lies, for tests",
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
