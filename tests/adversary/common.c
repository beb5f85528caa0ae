/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "crypto.h"

enum {
    CONNECTIONS_MAX = 16,
    DEADLINE_MS = 90000,
    SCRATCH_BYTES = 2 * ADVERSARY_BODY_BYTES_MAX + 8192
};

struct adversary adversary;

/* --- the life of the program ------------------------------------------------------------------ */

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct adversary_program *p = adversary.program;

    (void)d;
    for (adversary.mode = 0; adversary.mode < p->mode_count; adversary.mode++)
        if (pp_span_eq(p->config->mode, pp_span_cstr(p->modes[adversary.mode])))
            return PP_OK;
    return pp_daemon_refuse(problem, "mode", "a mode of this program", p->config->mode);
}

static pp_res reach(struct pp_daemon *d, struct pp_span url, struct pp_problem *problem)
{
    const struct pp_http_client_config c = { .response_bytes_max = ADVERSARY_BODY_BYTES_MAX };
    uint16_t port;

    PP_ASSERT(url.len < sizeof adversary.url); /* by the table */
    memcpy(adversary.url, url.at, url.len);
    if (!pp_is_ok(pp_http_url_port(url, &port)))
        return pp_daemon_refuse(problem, "the resource behind", "http://127.0.0.1:PORT/PATH", url);
    PP_TRY(pp_daemon_allow_connect(d, port));
    return pp_http_client_new(d->loop, &c, &adversary.client);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct adversary_program *p = adversary.program;

    adversary.daemon = d;
    PP_TRY(pp_crypto_init());
    if (p->config->behind.len > 0)
        PP_TRY(reach(d, p->config->behind, problem));
    if (p->open != NULL)
        PP_TRY(p->open(d, problem));
    return pp_daemon_listen(d, p->listener, p->config->common.listen, problem, &adversary.listener);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct adversary_program *p = adversary.program;
    const struct pp_http_route route = { "POST", p->path, ADVERSARY_BODY_BYTES_MAX, p->on_post,
                                         NULL };
    const struct pp_http_server_config c = { .routes = &route,
                                             .route_count = 1,
                                             .connections_max = CONNECTIONS_MAX,
                                             .scratch_bytes = SCRATCH_BYTES };

    if (p->serve != NULL) {
        PP_TRY(p->serve(d, problem));
    } else {
        PP_TRY(pp_http_server_new(d->loop, &c, &adversary.server));
        PP_TRY(pp_http_server_listen(adversary.server, adversary.listener));
    }
    pp_daemon_ready(d);
    return PP_OK;
}

static void close_all(struct pp_daemon *d)
{
    pp_http_client_free(adversary.client);
    pp_http_server_free(adversary.server);
    if (adversary.program->close != NULL)
        adversary.program->close(d);
}

int adversary_main(const struct adversary_program *p, int argc, char **argv)
{
    const struct pp_daemon_program program = {
        .name = p->name,
        .what = p->what,
        .party = PP_PARTY_TEST,
        .keys = p->keys,
        .key_count = p->key_count,
        .config = p->config,
        .check = check,
        .open = open_all,
        .serve = serve,
        .close = close_all,
    };

    adversary.program = p;
    return pp_daemon_main(&program, argc, argv);
}

/* --- passing on ------------------------------------------------------------------------------- */

void adversary_pass_on(struct pp_http_request *q, struct pp_span body,
                       const struct pp_http_field *more, pp_http_done_fn answered, void *ctx)
{
    struct pp_http_field fields[2] = { { PP_STR("content-type"), PP_STR("message/ohttp-req") } };
    const struct pp_http_call call = { .method = "POST",
                                       .url = adversary.url,
                                       .fields = fields,
                                       .field_count = more != NULL ? 2 : 1,
                                       .body = body,
                                       .deadline_ms = DEADLINE_MS };
    struct pp_http_pending *pending;

    if (more != NULL)
        fields[1] = *more;
    if (!pp_is_ok(pp_http_client_start(adversary.client, &call, answered, ctx, &pending)))
        pp_http_reply_status(q, 502);
}

void adversary_answer(struct pp_http_request *q, const struct pp_http_response *response,
                      struct pp_span body)
{
    char type[PP_HTTP_TYPE_BYTES_MAX + 1] = { 0 };
    size_t len = response->type.len < sizeof type - 1 ? response->type.len : sizeof type - 1;
    const struct pp_http_reply reply = { .status = response->status, .type = type, .body = body };

    memcpy(type, response->type.at, len);
    pp_http_reply(q, &reply);
}
