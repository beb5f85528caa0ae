/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-gatewayd: wiring of the gateway. This process is its front (session.h); what holds keys are
 * processes of their own (opener.h, redeemer.h). When one of them ends, all do: whoever starts
 * daemons starts it again, and a token whose answer was lost on the way counts as spent.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "crypto.h"
#include "monitor.h"
#include "opener.h"
#include "redeemer.h"
#include "session.h"
#include "tls_files.h"
#include "totals.h"
#include "where.h"

enum { TURN_MS = 60000 }; /* keys are looked at, totals told */

static struct gateway {
    struct pp_daemon *daemon;
    struct gw_places places;
    int opener_fd, redeemer_fd, resolver_fd; /* -1: none, or its link's */
    struct gw_link *redeemer, *resolver;
    struct pp_handle_keys handle_keys;
    void *replay_memory;
    struct gw_decap decap;
    struct gw_cvms *cvms;
    struct gw_choice choice;
    struct gw_service *service;
    const struct pp_listener *listener, *metrics_listener;
    struct pp_http_server *server;
    struct pp_metrics metrics; /* in front of the daemon's events, from the first one on */
    struct gw_monitor *monitor;
    struct pp_timer *turn_timer;
    struct pp_signal *hangup;
    uint64_t told; /* requests that the last totals stood for */
    uint64_t shed_told, lost_told, unremembered_told;
} gateway = { .opener_fd = -1, .redeemer_fd = -1, .resolver_fd = -1, .choice = { .fd = -1 } };

/* At the start a file that cannot be read is the configuration's fault; the exit status says so. */
static pp_res named_by_config(pp_res r)
{
    if (r.code == PP_E_NOT_FOUND || (r.code == PP_E_SYSTEM && r.detail != 0))
        r.code = PP_E_CONFIG;
    return r;
}

static pp_res load_handle_keys(struct pp_problem *problem)
{
    const char *paths[PP_HANDLE_KEY_MAX];
    struct pp_handle_keys fresh = { 0 };

    for (size_t i = 0; i < gw_config.handle_keys.count; i++)
        paths[i] = gateway.places.handle_keys[i];
    PP_TRY(pp_handle_keys_load(paths, gw_config.handle_keys.count, problem, &fresh));
    pp_handle_keys_done(&gateway.handle_keys);
    gateway.handle_keys = fresh;
    return PP_OK;
}

/*
 * --check alone: a start has each file read by the one process that may hold its keys. Nothing is
 * removed or made.
 */
static pp_res check_keys(const struct pp_daemon *d, struct pp_problem *problem)
{
    static struct pp_token_keys tokens;
    struct gw_keys keys = { 0 };
    uint64_t now_s = pp_clock_posix_s(&d->clock);
    int changed = 0;

    PP_TRY(pp_crypto_init());
    PP_TRY(named_by_config(load_handle_keys(problem)));
    pp_handle_keys_done(&gateway.handle_keys);
    PP_TRY(
        named_by_config(gw_keys_turn(&keys, gateway.places.ohttp_keys, now_s, problem, &changed)));
    gw_keys_done(&keys);
    PP_TRY(named_by_config(pp_token_keys_load(gateway.places.token_keys, now_s, problem, &tokens)));
    pp_token_keys_done(&tokens);
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(gw_config_check(d, &gateway.places, problem));
    if (d->check_only)
        return check_keys(d, problem);
    d->events = pp_metrics_sink(&gateway.metrics, &d->events,
                                PP_EVENT_GROUP_COMMON | PP_EVENT_GROUP_GATEWAY);
    return PP_OK;
}

/* --- the processes that hold keys ------------------------------------------------------------ */

static struct pp_sandbox sandbox_of(const struct pp_daemon *d, const char *user)
{
    return (struct pp_sandbox){ .home = ".", .user = user, .landlock_optional = !d->is_prod };
}

static pp_res start_opener(const struct pp_daemon *d, const char *user, struct pp_problem *problem)
{
    static struct gw_opener opener;
    struct gw_process p = gw_opener_process(&opener);

    opener = (struct gw_opener){ .folder = gateway.places.ohttp_keys, .clock = d->clock };
    p.turn_ms = TURN_MS;
    p.sandbox = sandbox_of(d, user);
    p.sandbox.no_network = 1;
    p.sandbox.folders[p.sandbox.folder_count++] = opener.folder;
    return named_by_config(gw_process_start(&p, problem, &gateway.opener_fd));
}

static struct pp_where spent_where; /* in the redeemer alone */

/* In the redeemer, with all rights: a database's URL is read, and its ports are let through. */
static pp_res prepare_redeemer(void *ctx, struct pp_sandbox *sandbox, struct pp_problem *problem)
{
    struct gw_redeemer *r = (struct gw_redeemer *)ctx;
    pp_res res = pp_where_read(gw_config.spent, problem, &spent_where);

    if (!pp_is_ok(res) && problem->field[0] == '\0')
        pp_problem_set(problem, "spent", problem->expected, pp_span_cstr(problem->got));
    PP_TRY(res);
    r->store = pp_where_text(&spent_where);
    sandbox->no_network = (uint32_t)!gw_is_database(gw_config.spent);
    for (size_t i = 0; i < spent_where.port_count; i++)
        sandbox->connect_ports[sandbox->connect_port_count++] = spent_where.ports[i];
    return PP_OK;
}

static pp_res start_redeemer(const struct pp_daemon *d, const char *user,
                             struct pp_problem *problem)
{
    static struct gw_redeemer redeemer;
    static char spent_folder[GW_PATH_BYTES_MAX];
    struct gw_process p = gw_redeemer_process(&redeemer);
    struct pp_span issuer = gw_config.issuer, authority = gw_config.authority;

    redeemer = (struct gw_redeemer){ .folder = gateway.places.token_keys,
                                     .issuer = issuer,
                                     .authority = authority,
                                     .clock = d->clock };
    gw_folder_of(gw_config.spent, spent_folder);
    p.turn_ms = TURN_MS;
    p.prepare = prepare_redeemer;
    p.sandbox = sandbox_of(d, user);
    p.sandbox.folders[p.sandbox.folder_count++] = redeemer.folder;
    p.sandbox.folders[p.sandbox.folder_count++] = spent_folder;
    return named_by_config(gw_process_start(&p, problem, &gateway.redeemer_fd));
}

static pp_res start_resolver(const struct pp_daemon *d, const char *user,
                             struct pp_problem *problem)
{
    static struct gw_resolver resolver;
    struct gw_process p = gw_resolver_process(&resolver);

    if (gateway.places.cvm_name.port == 0)
        return PP_OK;
    resolver.name = gateway.places.cvm_name;
    p.turn_ms = (uint32_t)gw_config.resolve_seconds * 1000;
    p.sandbox.user = user;
    p.sandbox.landlock_optional = !d->is_prod;
    return gw_process_start(&p, problem, &gateway.resolver_fd);
}

/* A process that ended takes the daemon with it: nothing can be opened, or nothing be paid. */
static void on_process_ended(void *ctx, pp_res why)
{
    const enum pp_gw_process *which = (const enum pp_gw_process *)ctx;

    pp_ev_gw_process_ended(&gateway.daemon->events, *which, why.code);
    pp_daemon_fail(gateway.daemon, PP_FAIL(PP_E_CHILD, why.code));
}

/* The catalogue decides what a process may have written, as it does for this one. */
static void pass_event(struct pp_span line)
{
    const struct pp_event_sink *events = &gateway.daemon->events;
    struct pp_event e;

    if (pp_is_ok(pp_event_parse(line, PP_EVENT_GROUP_COMMON | PP_EVENT_GROUP_GATEWAY, &e)))
        events->write(events->ctx, line);
}

static void take_addresses(struct pp_span news)
{
    struct pp_address list[GW_CVMS_MAX];
    size_t count = 0;
    pp_res r = gw_addresses_parse(news, list, GW_CVMS_MAX, &count);

    if (pp_is_ok(r))
        r = gw_cvms_set(gateway.cvms, list, count);
    if (!pp_is_ok(r))
        pp_ev_gw_resolve_failed(&gateway.daemon->events, r.code);
}

static void on_news(void *ctx, struct pp_span news)
{
    struct pp_span rest = pp_span(news.at + 1, news.len - 1);

    (void)ctx;
    if (news.at[0] == GW_NEWS_EVENT)
        pass_event(rest);
    else if (news.at[0] == GW_NEWS_KEYS)
        gw_service_set_keys(gateway.service, rest);
    else if (news.at[0] == GW_NEWS_ADDRESSES)
        take_addresses(rest);
}

static pp_res make_link(int *fd, size_t ask_bytes, size_t answer_bytes, const char *news_kinds,
                        const enum pp_gw_process *which, struct gw_link **ret)
{
    struct gw_link_config c = { .loop = gateway.daemon->loop,
                                .fd = *fd,
                                .ask_bytes_max = ask_bytes,
                                .answer_bytes = answer_bytes,
                                .asks_max = (size_t)gw_config.connections,
                                .news_kinds = news_kinds,
                                .news = on_news,
                                .ended = on_process_ended };

    c.ctx = (void *)(uintptr_t)which;
    PP_TRY(gw_link_new(&c, ret));
    *fd = -1;
    return PP_OK;
}

/* --- keys, as time goes by ------------------------------------------------------------------ */

static int is_tls(void)
{
    return gateway.places.tls_key[0] != '\0';
}

static pp_res load_tls(struct pp_problem *problem)
{
    return pp_tls_files_load(gateway.server, gateway.places.tls_chain, gateway.places.tls_key,
                             problem);
}

/* Requests under way are not disturbed: each holds what it needs of the former keys. */
static void look_at_keys(void)
{
    const pp_res looked[] = { load_handle_keys(NULL), is_tls() ? load_tls(NULL) : PP_OK };

    for (size_t i = 0; i < PP_ARRAY_COUNT(looked); i++) /* one that is wrong keeps none back */
        if (!pp_is_ok(looked[i]))
            pp_ev_gw_keys_failed(&gateway.daemon->events, looked[i].code);
}

static void on_hangup(void *ctx)
{
    (void)ctx;
    look_at_keys();
    gw_link_turn(gateway.decap.opener);
    gw_link_turn(gateway.redeemer);
    if (gateway.resolver != NULL)
        gw_link_turn(gateway.resolver);
}

/* What is worth an alarm: machines of ours, and tables that many requests have filled. */
static void tell_trouble(void)
{
    const struct gw_totals *t = gw_service_totals(gateway.service);
    const struct pp_event_sink *events = &gateway.daemon->events;
    uint64_t lost = gw_cvms_lost(gateway.cvms);

    if (lost != gateway.lost_told)
        pp_ev_gw_cvm_lost(events, lost);
    gateway.lost_told = lost;
    if (gateway.decap.unremembered != gateway.unremembered_told)
        pp_ev_gw_replay_full(events, gateway.decap.unremembered);
    gateway.unremembered_told = gateway.decap.unremembered;
    if (t->shed != gateway.shed_told)
        pp_ev_gw_shed(events, t->shed);
    gateway.shed_told = t->shed;
}

static void tell_totals(void)
{
    const struct gw_totals *t = gw_service_totals(gateway.service);
    const struct pp_http_stats *h = pp_http_server_stats(gateway.server);
    const struct pp_event_sink *events = &gateway.daemon->events;

    if (t->chunked + t->cut > 0)
        pp_ev_gw_chunked(events, t->chunked, t->cut);
    pp_ev_gw_totals(events, t->sessions, t->continued, t->token_refused, t->gone, t->no_cvm,
                    t->replayed, t->unopened, t->malformed);
    pp_ev_http_totals(events, PP_PARTY_GATEWAY, h->answered, h->refused, h->busy, h->late, h->gone);
}

static uint64_t requests(void)
{
    const struct gw_totals *t = gw_service_totals(gateway.service);

    return t->sessions + t->continued + t->token_refused + t->gone + t->no_cvm + t->replayed +
           t->unopened + t->malformed + t->shed;
}

/* Choosing goes on without its record; nobody can audit the hour then, and that is said. */
static void turn_choice(void)
{
    pp_res r = gw_choice_turn(&gateway.choice, pp_clock_posix_s(&gateway.daemon->clock));

    if (!pp_is_ok(r))
        pp_ev_gw_choice_failed(&gateway.daemon->events, r.code);
}

/* The other processes count their own minutes. */
static void on_turn(void *ctx)
{
    (void)ctx;
    look_at_keys();
    turn_choice();
    tell_trouble();
    if (pp_totals_are_due(requests(), &gateway.told))
        tell_totals();
    pp_timer_set(gateway.turn_timer, TURN_MS);
}

/* --- with all rights ------------------------------------------------------------------------ */

/* One place in the sandbox's list for each port, of however many CVMs. */
static pp_res allow_cvms(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_address *cvms = gateway.places.cvms;

    if (gateway.places.cvm_name.port != 0)
        return pp_daemon_allow_connect(d, gateway.places.cvm_name.port);
    for (size_t i = 0; i < gw_config.cvms.count; i++) {
        size_t k = 0;
        while (k < i && cvms[k].port != cvms[i].port)
            k++;
        if (k < i || cvms[i].family == PP_ADDRESS_UNIX)
            continue;
        if (!pp_is_ok(pp_daemon_allow_connect(d, cvms[i].port)))
            return pp_daemon_refuse(problem, "cvm", "at most 16 different ports",
                                    gw_config.cvms.items[i]);
    }
    return PP_OK;
}

static pp_res start_processes(const struct pp_daemon *d, struct pp_problem *problem)
{
    char user[65] = ""; /* the table's limit is 64 */
    struct pp_wr wr = pp_wr_over(user, sizeof user - 1);

    pp_wr_span(&wr, gw_config.common.user);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(start_opener(d, user, problem));
    PP_TRY(start_redeemer(d, user, problem));
    return start_resolver(d, user, problem);
}

/* The record of choices: opened here, since the front reaches no such file later. */
static pp_res open_record(struct pp_problem *problem)
{
    char path[GW_PATH_BYTES_MAX] = "";

    if (gw_config.choices.len == 0)
        return PP_OK;
    memcpy(path, gw_config.choices.at, gw_config.choices.len); /* the table's limit is one less */
    gateway.choice.fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (gateway.choice.fd < 0)
        return pp_daemon_refuse(problem, "choices", "a file that can be appended to",
                                gw_config.choices);
    return PP_OK;
}

/* The processes first: what they copy of this one holds no key yet. */
static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    gateway.daemon = d;
    PP_TRY(pp_crypto_init());
    PP_TRY(start_processes(d, problem));
    PP_TRY(named_by_config(load_handle_keys(problem)));
    for (size_t i = 0; i < gw_config.handle_keys.count; i++)
        PP_TRY(pp_daemon_allow_folder(d, gateway.places.handle_folders[i]));
    for (size_t i = 0; is_tls() && i < PP_ARRAY_COUNT(gateway.places.tls_folders); i++)
        PP_TRY(pp_daemon_allow_folder(d, gateway.places.tls_folders[i]));
    PP_TRY(allow_cvms(d, problem));
    PP_TRY(open_record(problem));
    if (gw_config.metrics.len > 0)
        PP_TRY(
            pp_daemon_listen(d, "metrics", gw_config.metrics, problem, &gateway.metrics_listener));
    return pp_daemon_listen(d, "gateway", gw_config.common.listen, problem, &gateway.listener);
}

/* --- serving -------------------------------------------------------------------------------- */

static pp_res make_decap(struct pp_daemon *d)
{
    size_t slots = (size_t)gw_config.replay_slots;

    gateway.replay_memory = aligned_alloc(16, pp_replay_bytes(slots));
    PP_CHECK(gateway.replay_memory != NULL, PP_E_NO_MEMORY, slots);
    gateway.decap.clock = d->clock;
    gateway.decap.random = d->random;
    return pp_replay_init(&gateway.decap.replay, gateway.replay_memory, slots,
                          gw_config.replay_seconds * 1000, pp_clock_mono_ms(&d->clock), &d->random);
}

static pp_res make_links(void)
{
    static const enum pp_gw_process OPENER = PP_GW_PROCESS_OPENER;
    static const enum pp_gw_process REDEEMER = PP_GW_PROCESS_REDEEMER;
    static const enum pp_gw_process RESOLVER = PP_GW_PROCESS_RESOLVER;

    static const char EVENTS[] = { GW_NEWS_EVENT, '\0' };
    static const char OF_OPENER[] = { GW_NEWS_EVENT, GW_NEWS_KEYS, '\0' };
    static const char OF_RESOLVER[] = { GW_NEWS_EVENT, GW_NEWS_ADDRESSES, '\0' };

    PP_TRY(make_link(&gateway.opener_fd, GW_OPEN_ASK_BYTES_MAX, GW_MATERIAL_BYTES, OF_OPENER,
                     &OPENER, &gateway.decap.opener));
    PP_TRY(make_link(&gateway.redeemer_fd, PP_TOKEN_FIELD_BYTES_MAX, GW_REDEEMED_BYTES, EVENTS,
                     &REDEEMER, &gateway.redeemer));
    if (gateway.resolver_fd < 0)
        return PP_OK;
    return make_link(&gateway.resolver_fd, 0, 0, OF_RESOLVER, &RESOLVER, &gateway.resolver);
}

static pp_res make_service(struct pp_daemon *d)
{
    const struct gw_service_config c = {
        .loop = d->loop,
        .decap = &gateway.decap,
        .cvms = gateway.cvms,
        .choice = &gateway.choice,
        .redeemer = gateway.redeemer,
        .handle_keys = &gateway.handle_keys,
        .authority = gw_config.authority,
        .clock = d->clock,
        .random = d->random,
        .grid_ms = (uint32_t)gw_config.grid_ms,
        .job_count = (size_t)gw_config.connections,
    };

    return gw_service_new(&c, &gateway.service);
}

/* A relay may need many; four connections that dribble are to hold no more than all. */
static uint32_t streams_max(void)
{
    uint64_t quarter = gw_config.connections / 4;

    if (quarter > PP_HTTP_STREAMS_MAX)
        return PP_HTTP_STREAMS_MAX;
    return quarter > 0 ? (uint32_t)quarter : 1;
}

static pp_res make_server(struct pp_daemon *d, struct pp_problem *problem)
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
        .connections_max = (uint32_t)gw_config.connections,
        .streams_max = streams_max(),
        .answer_timeout_ms = GW_CONTINUE_MS + 10000,
    };

    PP_TRY(pp_http_server_new(d->loop, &c, &gateway.server));
    if (!is_tls())
        return pp_http_server_listen(gateway.server, gateway.listener);
    PP_TRY(load_tls(problem));
    return pp_http_server_listen_tls(gateway.server, gateway.listener);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(make_decap(d));
    gateway.choice.random = d->random;
    PP_TRY(gw_choice_turn(&gateway.choice, pp_clock_posix_s(&d->clock)));
    PP_TRY(make_links());
    PP_TRY(gw_cvms_new(d->loop, gateway.places.cvms, gw_config.cvms.count, GW_CVM_IDLE_MS,
                       &d->clock, &gateway.cvms));
    PP_TRY(make_service(d));
    gw_link_read(gateway.decap.opener); /* the key list, which it told as it started */
    if (gateway.resolver != NULL)
        gw_link_read(gateway.resolver); /* and the addresses */
    PP_TRY(make_server(d, problem));
    if (gateway.metrics_listener != NULL)
        PP_TRY(
            gw_monitor_new(d->loop, gateway.metrics_listener, &gateway.metrics, &gateway.monitor));
    PP_TRY(pp_timer_new(d->loop, on_turn, NULL, &gateway.turn_timer));
    PP_TRY(pp_signal_new(d->loop, SIGHUP, on_hangup, NULL, &gateway.hangup));
    pp_timer_set(gateway.turn_timer, TURN_MS);
    pp_daemon_ready(d);
    return PP_OK;
}

static void drained(void *ctx)
{
    tell_trouble();
    tell_totals();
    pp_daemon_stopped((struct pp_daemon *)ctx);
}

static void stop(struct pp_daemon *d)
{
    pp_http_server_drain(gateway.server, drained, d);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

/* With their links closed the other processes end by themselves; one that hangs in its store
 * does so later, and nobody waits for it. */
static void end_processes(void)
{
    pp_res opener = gw_link_end(gateway.decap.opener);
    pp_res redeemer = gw_link_end(gateway.redeemer);
    pp_res resolver = gw_link_end(gateway.resolver);

    gw_link_free(gateway.resolver);
    gw_link_free(gateway.redeemer);
    gw_link_free(gateway.decap.opener);
    close_fd(gateway.opener_fd);
    close_fd(gateway.redeemer_fd);
    close_fd(gateway.resolver_fd);
    if (pp_is_ok(opener) && pp_is_ok(redeemer) && pp_is_ok(resolver))
        gw_processes_await();
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(gateway.server);
    gw_monitor_free(gateway.monitor);
    gw_service_free(gateway.service);
    end_processes();
    gw_cvms_free(gateway.cvms);
    gw_choice_done(&gateway.choice);
    close_fd(gateway.choice.fd);
    pp_timer_free(gateway.turn_timer);
    pp_signal_free(gateway.hangup);
    pp_handle_keys_done(&gateway.handle_keys);
    if (gateway.replay_memory != NULL)
        pp_replay_done(&gateway.decap.replay);
    free(gateway.replay_memory);
}

int main(int argc, char **argv)
{
    static const int SYSCALLS[] = { SYS_wait4 };
    static struct pp_daemon_program program = {
        .name = "pp-gatewayd",
        .what = "opens encapsulated requests, redeems tokens, reaches confidential VMs",
        .party = PP_PARTY_GATEWAY,
        .keys = GW_CONFIG_KEYS,
        .config = &gw_config,
        .syscalls = SYSCALLS,
        .syscall_count = PP_ARRAY_COUNT(SYSCALLS),
        .check = check,
        .open = open_all,
        .serve = serve,
        .stop = stop,
        .close = close_all,
    };

    program.key_count = GW_CONFIG_KEY_COUNT;
    return pp_daemon_main(&program, argc, argv);
}
