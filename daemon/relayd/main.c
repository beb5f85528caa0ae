/* SPDX-License-Identifier: Apache-2.0 */
/* pp-relayd: wiring of the relay. What it does is in forward.h and directory.h. */
#include <fcntl.h>
#include <signal.h>

#include "daemon.h"
#include "directory.h"
#include "file.h"
#include "forward.h"
#include "tls_files.h"
#include "totals.h"
#include "wr.h"

enum {
    URL_BYTES_MAX = 256,
    PATH_BYTES_MAX = 256,
    CA_BYTES_MAX = 1 << 20,
    TOTALS_MS = 60000,
    REQUESTS_MAX = 1024, /* at a time; connections beyond idle, which costs little */
    STREAMS_MAX = 8,     /* of one HTTP/2 connection; a device needs two */
};

static struct config {
    struct pp_daemon_config common;
    struct pp_span gateway, gateway_unix, gateway_ca, resource, directory, tls_chain, tls_key;
    uint64_t deadline_ms, connections, connections_per_address, hold_ms, hold_count;
} config = {
    .resource = { (const uint8_t *)"/ohttp", 6 },
    .deadline_ms = 85000,
    .connections = 4096,
    .connections_per_address = 32,
};

static const struct pp_kv_key KEYS[] = {
    { "gateway", PP_KV_TEXT, offsetof(struct config, gateway), 1, 8, URL_BYTES_MAX - 1,
      "the one gateway resource, http(s)://HOST[:PORT]/.well-known/ohttp-gateway" },
    { "gateway_unix", PP_KV_TEXT, offsetof(struct config, gateway_unix), 0, 1, PP_ADDRESS_PATH_MAX,
      "a unix socket to connect to in place of the gateway's host" },
    { "gateway_ca", PP_KV_TEXT, offsetof(struct config, gateway_ca), 0, 1, PATH_BYTES_MAX - 1,
      "a file with the trust anchors of an https gateway, PEM" },
    { "resource", PP_KV_TEXT, offsetof(struct config, resource), 0, 1, PATH_BYTES_MAX - 1,
      "the path where clients post, /ohttp" },
    { "directory", PP_KV_TEXT, offsetof(struct config, directory), 0, 1, PATH_BYTES_MAX - 1,
      "the directory bundle's file; without it GET /directory is 404" },
    { "tls_chain", PP_KV_TEXT, offsetof(struct config, tls_chain), 0, 1, PATH_BYTES_MAX - 1,
      "the certificate chain, PEM, leaf first: https and HTTP/2 by ALPN; read again on SIGHUP" },
    { "tls_key", PP_KV_TEXT, offsetof(struct config, tls_key), 0, 1, PATH_BYTES_MAX - 1,
      "the chain's private key, PEM, mode 0600" },
    { "deadline_ms", PP_KV_U64, offsetof(struct config, deadline_ms), 0, 100, 120000,
      "for the gateway's whole answer, 100 to 120000" },
    { "connections", PP_KV_U64, offsetof(struct config, connections), 0, 1, PP_HTTP_CONNECTIONS_MAX,
      "of clients at a time, 1 to 16384" },
    { "connections_per_address", PP_KV_U64, offsetof(struct config, connections_per_address), 0, 1,
      PP_HTTP_CONNECTIONS_MAX, "of one IPv4 address or IPv6 /64, 1 to 16384" },
    { "hold_ms", PP_KV_U64, offsetof(struct config, hold_ms), 0, 1, RELAY_HOLD_MS_MAX,
      "how long a request waits for others to leave with in random order, 1 to 5000" },
    { "hold_count", PP_KV_U64, offsetof(struct config, hold_count), 0, 2, RELAY_HOLD_MAX,
      "so many leave before the time is over, 2 to 256" },
};

static struct relay {
    struct pp_daemon *daemon;
    char gateway[URL_BYTES_MAX], gateway_unix[PP_ADDRESS_PATH_MAX + 1], resource[PATH_BYTES_MAX];
    char directory_path[PATH_BYTES_MAX];
    char tls_chain[PATH_BYTES_MAX], tls_key[PATH_BYTES_MAX]; /* empty: in clear */
    struct pp_signal *hangup;
    struct pp_buf ca;
    struct pp_http_client *client, *streams;
    struct relay_hold hold;
    const struct pp_listener *listener;
    struct pp_http_server *server;
    struct pp_timer *totals_timer;
    struct relay_forward forward;
    struct relay_directory directory;
    uint64_t told; /* requests that the last line stood for */
} relay;

/* --- configuration -------------------------------------------------------------------------- */

/* Values of the table are shorter than these arrays; the array's last byte stays NUL. */
static void copy_text(char *ret, size_t cap, struct pp_span text)
{
    struct pp_wr wr = pp_wr_over(ret, cap - 1);

    pp_wr_span(&wr, text);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static int starts_with(struct pp_span text, struct pp_span prefix)
{
    return text.len > prefix.len && pp_span_eq(pp_span(text.at, prefix.len), prefix);
}

/* RFC 9458, 6.1: HTTPS on both legs, but for a TLS proxy on this very machine. The host ends there:
 * http://127.0.0.1.example.org is somebody else. */
static int is_local(struct pp_span url)
{
    static const char *const HOSTS[] = { "http://127.0.0.1", "http://[::1]" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(HOSTS); i++) {
        struct pp_span host = pp_span_cstr(HOSTS[i]);
        if (starts_with(url, host) && (url.at[host.len] == ':' || url.at[host.len] == '/'))
            return 1;
    }
    return 0;
}

/* In clear only to a TLS proxy on this very machine, in prod. */
static pp_res check_listening(const struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_address a;

    if ((config.tls_chain.len > 0) != (config.tls_key.len > 0))
        return pp_daemon_refuse(problem, "tls_key", "both of tls_chain and tls_key, or none",
                                PP_STR("one"));
    if (!d->is_prod || config.tls_key.len > 0)
        return PP_OK;
    PP_TRY(pp_address_parse(config.common.listen, &a));
    if (!pp_address_is_local(&a))
        return pp_daemon_refuse(problem, "listen", "this machine alone, or tls_chain and tls_key",
                                config.common.listen);
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    uint16_t port;

    PP_TRY(check_listening(d, problem));
    if ((config.hold_ms > 0) != (config.hold_count > 0))
        return pp_daemon_refuse(problem, "hold_ms", "both of hold_ms and hold_count, or none",
                                PP_STR("one"));
    if (!pp_is_ok(pp_http_url_port(config.gateway, &port)))
        return pp_daemon_refuse(problem, "gateway", KEYS[0].expected, config.gateway);
    if (d->is_prod && !starts_with(config.gateway, PP_STR("https://")) &&
        !is_local(config.gateway) && config.gateway_unix.len == 0)
        return pp_daemon_refuse(problem, "gateway", "https, or http to this machine",
                                config.gateway);
    if (config.resource.at[0] != '/' || pp_span_eq(config.resource, PP_STR("/directory")))
        return pp_daemon_refuse(problem, "resource", "a path other than /directory",
                                config.resource);
    return PP_OK;
}

/* --- with all rights ------------------------------------------------------------------------ */

static uint32_t at_most(uint64_t value, uint32_t max)
{
    return value < max ? (uint32_t)value : max;
}

static pp_res open_client(struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_http_client_config c = { .calls_max = at_most(config.connections, REQUESTS_MAX),
                                       .response_bytes_max = RELAY_RESPONSE_BYTES_MAX };
    char ca_path[PATH_BYTES_MAX] = { 0 };

    if (config.gateway_ca.len > 0) {
        copy_text(ca_path, sizeof ca_path, config.gateway_ca);
        if (!pp_is_ok(pp_file_read(AT_FDCWD, ca_path, CA_BYTES_MAX, &relay.ca)))
            return pp_daemon_refuse(problem, "gateway_ca", "a readable file", config.gateway_ca);
        c.ca_pem = pp_buf_span(&relay.ca);
    }
    /* Over https, what the gateway offers; in clear our own HTTP/1.1, which can share too. */
    c.http2 = (uint32_t)starts_with(config.gateway, PP_STR("https://"));
    c.connections_per_host_max = c.calls_max; /* a call lasts as long as an inference */
    PP_TRY(pp_http_client_new(d->loop, &c, &relay.client));
    c.http2 = 0;
    /* As many as requests: fewer places would be within the reach of one address. */
    c.calls_max = at_most(config.connections, REQUESTS_MAX);
    c.response_bytes_max = RELAY_PROBLEM_BYTES_MAX; /* their bodies come in pieces */
    PP_TRY(pp_http_client_new(d->loop, &c, &relay.streams));
    if (config.gateway_unix.len > 0)
        return PP_OK;
    pp_res r = pp_http_client_pin(relay.client, relay.gateway);
    if (pp_is_ok(r))
        r = pp_http_client_pin(relay.streams, relay.gateway);
    if (!pp_is_ok(r))
        pp_problem_set(problem, "gateway", "a host that resolves", config.gateway);
    return r;
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    uint16_t port = 0;

    relay.daemon = d;
    copy_text(relay.gateway, sizeof relay.gateway, config.gateway);
    copy_text(relay.gateway_unix, sizeof relay.gateway_unix, config.gateway_unix);
    copy_text(relay.resource, sizeof relay.resource, config.resource);
    copy_text(relay.directory_path, sizeof relay.directory_path, config.directory);
    copy_text(relay.tls_chain, sizeof relay.tls_chain, config.tls_chain);
    copy_text(relay.tls_key, sizeof relay.tls_key, config.tls_key);
    PP_TRY(pp_http_url_port(config.gateway, &port));
    PP_TRY(pp_daemon_allow_connect(d, port));
    PP_TRY(open_client(d, problem));
    return pp_daemon_listen(d, "relay", config.common.listen, problem, &relay.listener);
}

/* --- serving -------------------------------------------------------------------------------- */

static void tell_totals(void)
{
    struct pp_daemon *d = relay.daemon;
    const struct relay_totals *t = &relay.forward.totals;
    const struct pp_http_stats *h = pp_http_server_stats(relay.server);

    pp_ev_relay_totals(&d->events, t->answered, t->refused, t->unreachable, t->late,
                       relay.directory.served, relay.directory.read);
    pp_ev_http_totals(&d->events, PP_PARTY_RELAY, h->answered, h->refused, h->busy, h->late,
                      h->gone);
}

/* Totals since the start, at most once a minute and only when many have moved them. */
static void on_totals(void *ctx)
{
    const struct relay_totals *t = &relay.forward.totals;
    uint64_t all = t->answered + t->refused + t->unreachable + t->late + relay.directory.served;

    (void)ctx;
    pp_timer_set(relay.totals_timer, TOTALS_MS);
    if (pp_totals_are_due(all, &relay.told))
        tell_totals();
}

/* A wrong file leaves the old certificate in use. */
static void on_hangup(void *ctx)
{
    (void)ctx;
    pp_res r = pp_tls_files_load(relay.server, relay.tls_chain, relay.tls_key, NULL);
    if (!pp_is_ok(r))
        pp_ev_relay_tls_refused(&relay.daemon->events, r.code);
}

static pp_res listen_to_clients(struct pp_daemon *d, struct pp_problem *problem)
{
    if (relay.tls_key[0] == '\0')
        return pp_http_server_listen(relay.server, relay.listener);
    PP_TRY(pp_tls_files_load(relay.server, relay.tls_chain, relay.tls_key, problem));
    PP_TRY(pp_signal_new(d->loop, SIGHUP, on_hangup, NULL, &relay.hangup));
    return pp_http_server_listen_tls(relay.server, relay.listener);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_http_route routes[] = {
        { "POST", relay.resource, RELAY_REQUEST_BYTES_MAX, relay_forward_post, &relay.forward,
          .pieces = 1 },
        { "GET", "/directory", 0, relay_directory_serve, &relay.directory },
    };
    const struct pp_http_server_config c = {
        .routes = routes,
        .route_count = PP_ARRAY_COUNT(routes),
        .scratch_bytes = RELAY_SCRATCH_BYTES,
        .connections_max = (uint32_t)config.connections,
        .requests_max = at_most(config.connections, REQUESTS_MAX),
        .streams_max = at_most(config.connections, STREAMS_MAX),
        .connections_per_address_max = (uint32_t)config.connections_per_address,
        .answer_timeout_ms = (uint32_t)config.deadline_ms + 5000,
    };

    relay.forward = (struct relay_forward){
        .client = relay.client,
        .streams = relay.streams,
        .url = relay.gateway,
        .unix_path = config.gateway_unix.len > 0 ? relay.gateway_unix : NULL,
        .deadline_ms = (uint32_t)config.deadline_ms,
    };
    if (config.hold_ms > 0) {
        PP_TRY(relay_hold_init(&relay.hold, d->loop, d->random, (uint32_t)config.hold_ms,
                               (size_t)config.hold_count));
        relay.forward.hold = &relay.hold;
    }
    relay_directory_init(&relay.directory, config.directory.len > 0 ? relay.directory_path : NULL,
                         d->clock);
    PP_TRY(pp_http_server_new(d->loop, &c, &relay.server));
    PP_TRY(listen_to_clients(d, problem));
    PP_TRY(pp_timer_new(d->loop, on_totals, NULL, &relay.totals_timer));
    pp_timer_set(relay.totals_timer, TOTALS_MS);
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
    if (relay.forward.hold != NULL)
        relay_hold_end(&relay.hold);
    pp_http_server_drain(relay.server, drained, d);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(relay.server);
    pp_http_client_free(relay.client);
    pp_http_client_free(relay.streams);
    relay.hold.count = 0; /* of a stop that took too long: their server is gone */
    relay_hold_done(&relay.hold);
    pp_timer_free(relay.totals_timer);
    pp_signal_free(relay.hangup);
    relay_directory_done(&relay.directory);
    pp_buf_done(&relay.ca);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program PROGRAM = {
        .name = "pp-relayd",
        .what = "passes encapsulated requests to one gateway, and serves the directory",
        .party = PP_PARTY_RELAY,
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
