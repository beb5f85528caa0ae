/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include <stdlib.h>

enum { CONNECTIONS_MAX = 4 };

struct gw_monitor {
    const struct pp_metrics *metrics;
    struct pp_http_server *server;
};

static void get(void *ctx, struct pp_http_request *q)
{
    const struct gw_monitor *m = (const struct gw_monitor *)ctx;
    uint8_t *text = pp_arena_alloc(pp_http_request_arena(q), PP_METRICS_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(text, text == NULL ? 0 : PP_METRICS_BYTES_MAX);

    if (!pp_is_ok(pp_metrics_write(m->metrics, &wr))) {
        pp_http_reply_status(q, 500);
        return;
    }
    const struct pp_http_reply reply = {
        .status = 200, .type = PP_METRICS_TYPE, .body = pp_wr_done(&wr), .body_stays = 1
    };
    pp_http_reply(q, &reply);
}

static pp_res serve(struct gw_monitor *m, struct pp_loop *loop, const struct pp_listener *l)
{
    const struct pp_http_route route = { "GET", "/metrics", 0, get, m };
    const struct pp_http_server_config c = { .routes = &route,
                                             .route_count = 1,
                                             .scratch_bytes = PP_METRICS_BYTES_MAX + 64,
                                             .connections_max = CONNECTIONS_MAX };

    PP_TRY(pp_http_server_new(loop, &c, &m->server));
    return pp_http_server_listen(m->server, l);
}

pp_res gw_monitor_new(struct pp_loop *loop, const struct pp_listener *l, const struct pp_metrics *m,
                      struct gw_monitor **ret)
{
    struct gw_monitor *made = calloc(1, sizeof *made);

    PP_CHECK(made != NULL, PP_E_NO_MEMORY, sizeof *made);
    made->metrics = m;
    pp_res r = serve(made, loop, l);
    if (!pp_is_ok(r)) {
        gw_monitor_free(made);
        return r;
    }
    *ret = made;
    return PP_OK;
}

void gw_monitor_free(struct gw_monitor *m)
{
    if (m == NULL)
        return;
    pp_http_server_free(m->server);
    free(m);
}
