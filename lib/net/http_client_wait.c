/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "ct.h"
#include "http_client.h"

struct blocking {
    struct pp_loop *loop;
    struct pp_http_result *result;
    pp_res r;
};

static void on_blocking_done(void *ctx, pp_res r, const struct pp_http_response *response)
{
    struct blocking *b = (struct blocking *)ctx;

    b->r = r;
    pp_loop_stop(b->loop);
    if (!pp_is_ok(r))
        return;
    b->result->status = response->status;
    if (response->type.len > 0)
        memcpy(b->result->type, response->type.at, response->type.len);
    b->result->body = (uint8_t *)malloc(response->body.len + 1);
    if (b->result->body == NULL) {
        b->r = PP_FAIL(PP_E_NO_MEMORY, response->body.len);
        return;
    }
    if (response->body.len > 0)
        memcpy(b->result->body, response->body.at, response->body.len);
    b->result->body_len = response->body.len;
}

static pp_res call_on(struct blocking *b, const struct pp_http_client_config *config,
                      const struct pp_http_call *call)
{
    struct pp_http_client *client = NULL;
    struct pp_http_pending *pending;

    PP_TRY(pp_http_client_new(b->loop, config, &client));
    pp_res r = pp_http_client_start(client, call, on_blocking_done, b, &pending);
    if (pp_is_ok(r))
        r = pp_loop_run(b->loop);
    pp_http_client_free(client);
    return pp_is_ok(r) ? b->r : r;
}

pp_res pp_http_call(const struct pp_http_client_config *c, const struct pp_http_call *call,
                    struct pp_http_result *ret)
{
    struct pp_http_client_config config = { 0 };
    struct pp_http_result result = { 0 };
    struct blocking b = { .result = &result, .r = PP_FAIL(PP_E_STATE, 0) };

    if (c != NULL)
        config = *c;
    config.calls_max = 1;
    PP_TRY(pp_loop_new(&b.loop));
    pp_res r = call_on(&b, &config, call);
    pp_loop_free(b.loop);
    if (!pp_is_ok(r)) {
        pp_http_result_done(&result);
        return r;
    }
    *ret = result;
    return PP_OK;
}

void pp_http_result_done(struct pp_http_result *r)
{
    if (r->body != NULL)
        pp_wipe(r->body, r->body_len);
    free(r->body);
    *r = (struct pp_http_result){ 0 };
}
