/* SPDX-License-Identifier: Apache-2.0 */
/* pp-gatewayd: wiring of the gateway. What it does is in decap.h, route.h and session.h. */
#include <stdlib.h>

#include "crypto.h"
#include "daemon.h"
#include "handle_keys.h"
#include "keys.h"
#include "session.h"
#include "token_keys.h"

enum {
    PATH_BYTES_MAX = 256,
    GRID_MS = 250,   /* pp-wire 3; a dev fleet configures 0 */
    TURN_MS = 60000, /* keys are looked at, totals told */
};

_Static_assert((int)PP_TOKEN_KEYS_MAX <= (int)GW_EPOCHS_MAX,
               "every key that is loaded can be accepted");

static struct config {
    struct pp_daemon_config common;
    struct pp_span authority, issuer, ohttp_keys, token_keys, spent;
    struct pp_kv_list cvms, handle_keys;
    uint64_t grid_ms, replay_seconds, replay_slots, connections;
} config = {
    .grid_ms = GRID_MS,
    .replay_seconds = 120,
    .replay_slots = 1 << 16,
    .connections = 256,
};

static const struct pp_kv_key KEYS[] = {
    { "authority", PP_KV_TEXT, offsetof(struct config, authority), 1, 1, GW_AUTHORITY_BYTES_MAX,
      "the authority of the trust file, at most 64 bytes" },
    { "issuer", PP_KV_TEXT, offsetof(struct config, issuer), 1, 1, 255,
      "the issuer name of the trust file" },
    { "cvm", PP_KV_LIST, offsetof(struct config, cvms), 1, 0, 0,
      "a confidential VM, 127.0.0.1:PORT, [::1]:PORT or unix:PATH" },
    { "ohttp_keys", PP_KV_TEXT, offsetof(struct config, ohttp_keys), 1, 1, PATH_BYTES_MAX - 1,
      "the folder of OHTTP key files, mode 0600, *.key" },
    { "token_keys", PP_KV_TEXT, offsetof(struct config, token_keys), 1, 1, PATH_BYTES_MAX - 1,
      "the folder of token key files, mode 0600, *.key" },
    { "handle_key", PP_KV_LIST, offsetof(struct config, handle_keys), 1, 0, 0,
      "a handle key file of the fleet; the current one first, then the previous" },
    { "spent", PP_KV_TEXT, offsetof(struct config, spent), 1, 1, PATH_BYTES_MAX - 1,
      "the file of the spent-token store" },
    { "grid_ms", PP_KV_U64, offsetof(struct config, grid_ms), 0, 0, 10000,
      "answers leave on this grid; prod takes 250 alone, dev says 0" },
    { "replay_seconds", PP_KV_U64, offsetof(struct config, replay_seconds), 0, 60, 3600,
      "how long an encapsulated key is remembered, 60 to 3600" },
    { "replay_slots", PP_KV_U64, offsetof(struct config, replay_slots), 0, PP_REPLAY_SLOTS_MIN,
      PP_REPLAY_SLOTS_MAX, "room for them in a third of that time, a power of two" },
    { "connections", PP_KV_U64, offsetof(struct config, connections), 0, 1, PP_HTTP_CONNECTIONS_MAX,
      "of relays at a time, 1 to 16384" },
};

static struct gateway {
    struct pp_daemon *daemon;
    struct pp_address cvm_addresses[GW_CVMS_MAX];
    char ohttp_keys_path[PATH_BYTES_MAX], token_keys_path[PATH_BYTES_MAX];
    char spent_path[PATH_BYTES_MAX];
    struct gw_keys keys;
    struct pp_token_keys token_keys;
    struct pp_handle_keys handle_keys;
    void *replay_memory;
    struct gw_decap decap;
    struct gw_cvms *cvms;
    struct gw_tokens *tokens;
    struct gw_service *service;
    const struct pp_listener *listener;
    struct pp_http_server *server;
    struct pp_timer *turn_timer;
    struct gw_totals told;
    uint64_t lost_told, unremembered_told;
} gateway;

/* --- configuration -------------------------------------------------------------------------- */

/* Values of the table are shorter than these arrays; the array's last byte stays NUL. */
static void copy_text(char *ret, size_t cap, struct pp_span text)
{
    struct pp_wr wr = pp_wr_over(ret, cap - 1);

    pp_wr_span(&wr, text);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static pp_res check_cvms(struct pp_problem *problem)
{
    if (config.cvms.count > GW_CVMS_MAX)
        return pp_daemon_refuse(problem, "cvm", "at most 64 of them", PP_STR("more"));
    for (size_t i = 0; i < config.cvms.count; i++) {
        struct pp_address *a = &gateway.cvm_addresses[i];
        if (!pp_is_ok(pp_address_parse(config.cvms.items[i], a)) ||
            (a->family != PP_ADDRESS_UNIX && a->port == 0))
            return pp_daemon_refuse(problem, "cvm", "an address with a port, or unix:PATH",
                                    config.cvms.items[i]);
    }
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(check_cvms(problem));
    if (d->is_prod && config.grid_ms != GRID_MS)
        return pp_daemon_refuse(problem, "grid_ms", "250 in prod: others would be told apart",
                                PP_STR("another"));
    if ((config.replay_slots & (config.replay_slots - 1)) != 0)
        return pp_daemon_refuse(problem, "replay_slots", "a power of two",
                                PP_STR("another number"));
    if (config.handle_keys.count > PP_HANDLE_KEY_MAX)
        return pp_daemon_refuse(problem, "handle_key", "one file or two", PP_STR("more"));
    return PP_OK;
}

/* --- keys, as time goes by ------------------------------------------------------------------ */

static pp_res set_token_keys(struct pp_token_keys *fresh)
{
    struct pp_cred_epoch epochs[GW_EPOCHS_MAX];

    for (size_t i = 0; i < fresh->count; i++)
        PP_TRY(pp_cred_epoch_init(&epochs[i], &fresh->list[i].key, fresh->list[i].day,
                                  config.issuer, config.authority));
    gw_tokens_set_epochs(gateway.tokens, epochs, fresh->count);
    return PP_OK;
}

static pp_res turn_token_keys(uint64_t now_s, struct pp_problem *problem)
{
    static struct pp_token_keys fresh; /* in place of gateway.token_keys, which epochs point to */
    size_t before = gateway.token_keys.count;

    fresh = (struct pp_token_keys){ 0 };
    PP_TRY(pp_token_keys_load(gateway.token_keys_path, now_s, problem, &fresh));
    gw_tokens_set_epochs(gateway.tokens, NULL, 0);
    pp_token_keys_done(&gateway.token_keys);
    gateway.token_keys = fresh;
    PP_TRY(set_token_keys(&gateway.token_keys));
    if (gateway.token_keys.count != before)
        pp_ev_gw_token_keys(&gateway.daemon->events, gateway.token_keys.count);
    return PP_OK;
}

/* Serving goes on where it fails: the folder may be one that only its operator writes. */
static void destroy_keys(uint64_t now_s)
{
    const struct pp_event_sink *events = &gateway.daemon->events;
    size_t ohttp = 0, tokens = 0;
    pp_res r = gw_keys_destroy(gateway.ohttp_keys_path, now_s, &ohttp);
    pp_res other = pp_token_keys_destroy(gateway.token_keys_path, now_s, &tokens);

    if (pp_is_ok(r))
        r = other;
    if (!pp_is_ok(r))
        pp_ev_keys_not_destroyed(events, PP_PARTY_GATEWAY, r.code);
    if (ohttp + tokens > 0)
        pp_ev_keys_destroyed(events, PP_PARTY_GATEWAY, ohttp + tokens);
}

static pp_res turn_keys(struct pp_problem *problem)
{
    uint64_t now_s = pp_clock_posix_s(&gateway.daemon->clock);
    int changed = 0;

    destroy_keys(now_s);
    PP_TRY(gw_keys_turn(&gateway.keys, gateway.ohttp_keys_path, now_s, problem, &changed));
    if (changed)
        pp_ev_gw_keys(&gateway.daemon->events, gateway.keys.gateway.key_count,
                      pp_event_digest_of(gateway.keys.digest));
    return turn_token_keys(now_s, problem);
}

static void tell_totals(void)
{
    const struct gw_totals *t = gw_service_totals(gateway.service);
    const struct pp_http_stats *h = pp_http_server_stats(gateway.server);
    const struct pp_event_sink *events = &gateway.daemon->events;
    uint64_t lost = gw_cvms_lost(gateway.cvms);

    if (lost != gateway.lost_told)
        pp_ev_gw_cvm_lost(events, lost);
    gateway.lost_told = lost;
    if (gateway.decap.unremembered != gateway.unremembered_told)
        pp_ev_gw_replay_full(events, gateway.decap.unremembered);
    gateway.unremembered_told = gateway.decap.unremembered;
    if (memcmp(t, &gateway.told, sizeof *t) == 0)
        return;
    gateway.told = *t;
    pp_ev_gw_totals(events, t->sessions, t->continued, t->token_refused, t->gone, t->no_cvm,
                    t->replayed, t->unopened, t->malformed);
    pp_ev_http_totals(events, PP_PARTY_GATEWAY, h->answered, h->refused, h->busy, h->late, h->gone);
}

static void on_turn(void *ctx)
{
    pp_res r = turn_keys(NULL);

    (void)ctx;
    if (!pp_is_ok(r))
        pp_ev_gw_keys_failed(&gateway.daemon->events, r.code);
    gw_tokens_retire(gateway.tokens, pp_clock_posix_s(&gateway.daemon->clock));
    tell_totals();
    pp_timer_set(gateway.turn_timer, TURN_MS);
}

/* At the start a file that cannot be read is the configuration's fault; the exit status says so. */
static pp_res named_by_config(pp_res r)
{
    if (r.code == PP_E_NOT_FOUND || r.code == PP_E_SYSTEM)
        r.code = PP_E_CONFIG;
    return r;
}

/* --- with all rights ------------------------------------------------------------------------ */

static pp_res load_handle_keys(struct pp_problem *problem)
{
    char paths[PP_HANDLE_KEY_MAX][PATH_BYTES_MAX] = { { 0 } };
    const char *pointers[PP_HANDLE_KEY_MAX];

    for (size_t i = 0; i < config.handle_keys.count; i++) {
        if (config.handle_keys.items[i].len >= PATH_BYTES_MAX)
            return pp_daemon_refuse(problem, "handle_key", "a shorter path",
                                    config.handle_keys.items[i]);
        copy_text(paths[i], PATH_BYTES_MAX, config.handle_keys.items[i]);
        pointers[i] = paths[i];
    }
    return named_by_config(
        pp_handle_keys_load(pointers, config.handle_keys.count, problem, &gateway.handle_keys));
}

/* One place in the sandbox's list for each port, of however many CVMs. */
static pp_res allow_cvms(struct pp_daemon *d, struct pp_problem *problem)
{
    for (size_t i = 0; i < config.cvms.count; i++) {
        const struct pp_address *a = &gateway.cvm_addresses[i];
        size_t k = 0;
        while (k < i && gateway.cvm_addresses[k].port != a->port)
            k++;
        if (k < i || a->family == PP_ADDRESS_UNIX)
            continue;
        if (!pp_is_ok(pp_daemon_allow_connect(d, a->port)))
            return pp_daemon_refuse(problem, "cvm", "at most 16 different ports",
                                    config.cvms.items[i]);
    }
    return PP_OK;
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    gateway.daemon = d;
    copy_text(gateway.ohttp_keys_path, PATH_BYTES_MAX, config.ohttp_keys);
    copy_text(gateway.token_keys_path, PATH_BYTES_MAX, config.token_keys);
    copy_text(gateway.spent_path, PATH_BYTES_MAX, config.spent);
    PP_TRY(pp_crypto_init());
    PP_TRY(load_handle_keys(problem));
    PP_TRY(allow_cvms(d, problem));
    return pp_daemon_listen(d, "gateway", config.common.listen, problem, &gateway.listener);
}

/* --- serving -------------------------------------------------------------------------------- */

static pp_res make_decap(struct pp_daemon *d)
{
    size_t slots = (size_t)config.replay_slots;

    gateway.replay_memory = aligned_alloc(16, pp_replay_bytes(slots));
    PP_CHECK(gateway.replay_memory != NULL, PP_E_NO_MEMORY, slots);
    gateway.decap =
        (struct gw_decap){ .keys = &gateway.keys.gateway, .clock = d->clock, .random = d->random };
    return pp_replay_init(&gateway.decap.replay, gateway.replay_memory, slots,
                          config.replay_seconds * 1000, pp_clock_mono_ms(&d->clock), &d->random);
}

static pp_res make_service(struct pp_daemon *d)
{
    const struct gw_service_config c = {
        .loop = d->loop,
        .decap = &gateway.decap,
        .cvms = gateway.cvms,
        .tokens = gateway.tokens,
        .handle_keys = &gateway.handle_keys,
        .authority = config.authority,
        .clock = d->clock,
        .random = d->random,
        .grid_ms = (uint32_t)config.grid_ms,
        .job_count = (size_t)config.connections,
    };

    return gw_service_new(&c, &gateway.service);
}

static pp_res make_server(struct pp_daemon *d)
{
    static const char RESOURCE[] = "/.well-known/ohttp-gateway";
    const struct pp_http_route routes[] = {
        { "POST", RESOURCE, GW_BODY_BYTES_MAX, gw_service_post, gateway.service },
        { "GET", RESOURCE, 0, gw_service_keys, gateway.service },
    };
    const struct pp_http_server_config c = {
        .routes = routes,
        .route_count = PP_ARRAY_COUNT(routes),
        .scratch_bytes = GW_SCRATCH_BYTES,
        .connections_max = (uint32_t)config.connections,
        .answer_timeout_ms = GW_CONTINUE_MS + 10000,
    };

    PP_TRY(pp_http_server_new(d->loop, &c, &gateway.server));
    return pp_http_server_listen(gateway.server, gateway.listener);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(make_decap(d));
    PP_TRY(gw_cvms_new(d->loop, gateway.cvm_addresses, config.cvms.count, GW_CVM_IDLE_MS,
                       &gateway.cvms));
    PP_TRY(gw_tokens_new(d->loop, gateway.spent_path, problem, &gateway.tokens));
    PP_TRY(named_by_config(turn_keys(problem)));
    PP_TRY(make_service(d));
    PP_TRY(make_server(d));
    PP_TRY(pp_timer_new(d->loop, on_turn, NULL, &gateway.turn_timer));
    pp_timer_set(gateway.turn_timer, TURN_MS);
    pp_daemon_ready(d);
    return PP_OK;
}

static void drained(void *ctx)
{
    tell_totals();
    pp_daemon_stopped((struct pp_daemon *)ctx);
}

static void stop(struct pp_daemon *d)
{
    pp_http_server_drain(gateway.server, drained, d);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(gateway.server);
    gw_service_free(gateway.service);
    gw_tokens_free(gateway.tokens);
    gw_cvms_free(gateway.cvms);
    pp_timer_free(gateway.turn_timer);
    pp_token_keys_done(&gateway.token_keys);
    pp_handle_keys_done(&gateway.handle_keys);
    gw_keys_done(&gateway.keys);
    if (gateway.replay_memory != NULL)
        pp_replay_done(&gateway.decap.replay);
    free(gateway.replay_memory);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program PROGRAM = {
        .name = "pp-gatewayd",
        .what = "opens encapsulated requests, redeems tokens, reaches confidential VMs",
        .party = PP_PARTY_GATEWAY,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .check = check,
        .open = open_all,
        .serve = serve,
        .stop = stop,
        .close = close_all,
    };

    return pp_daemon_main(&PROGRAM, argc, argv);
}
