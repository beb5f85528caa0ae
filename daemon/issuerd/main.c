/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-issuerd: gives accounts their anonymous tokens (docs/protocol/tokens.md).
 *
 * The loop carries bytes. Everything else (keys, counts, multiplications) belongs to one worker
 * thread, which takes one job after the other and so needs no lock.
 */
#include <signal.h>

#include "crypto.h"
#include "daemon.h"
#include "issue.h"
#include "tls_files.h"
#include "totals.h"
#include "where.h"

enum {
    NAME_BYTES_MAX = 255, /* of paths, and of the issuer's name */
    REQUESTS_MAX = 512,   /* at a time; more are 503 */
    STREAMS_MAX = 4,      /* of one HTTP/2 connection; a device needs one */
    /* Jobs of the worker: who fills it with requests does not keep the keys from changing. */
    WAITING_MAX = REQUESTS_MAX + 1,
    KEYS_EVERY_MS = 3600 * 1000,
    TOTALS_EVERY_MS = 60 * 1000,
};

struct config {
    struct pp_daemon_config common;
    struct pp_span keys, store, issuer, jwks, jwt_issuer, jwt_audience, tls_chain, tls_key;
    struct pp_kv_list assertion_keys;
    uint64_t batches, connections, connections_per_address;
};

static const struct pp_kv_key KEYS[] = {
    { "issuer", PP_KV_TEXT, offsetof(struct config, issuer), 1, 1, NAME_BYTES_MAX,
      "the issuer's name, as the trust file has it" },
    { "keys", PP_KV_TEXT, offsetof(struct config, keys), 1, 1, NAME_BYTES_MAX,
      "the folder of the epoch keys" },
    { "store", PP_KV_TEXT, offsetof(struct config, store), 1, 1, NAME_BYTES_MAX,
      "the file that counts batches, or postgresql:FILE with a database's URL" },
    { "assertion_key", PP_KV_LIST, offsetof(struct config, assertion_keys), 0, 0, 0,
      "a file of 64 hex digits; twice while keys change" },
    { "jwks", PP_KV_TEXT, offsetof(struct config, jwks), 0, 1, NAME_BYTES_MAX,
      "the file of the login service's key set, in the place of assertion_key" },
    { "jwt_issuer", PP_KV_TEXT, offsetof(struct config, jwt_issuer), 0, 1, ISS_JWT_NAME_BYTES_MAX,
      "the login service, as iss of its tokens has it" },
    { "jwt_audience", PP_KV_TEXT, offsetof(struct config, jwt_audience), 0, 1,
      ISS_JWT_NAME_BYTES_MAX, "this issuer, as aud of the tokens has it" },
    { "batches", PP_KV_U64, offsetof(struct config, batches), 0, 1, 8,
      "batches an account and epoch, 1 to 8" },
    { "tls_chain", PP_KV_TEXT, offsetof(struct config, tls_chain), 0, 1, NAME_BYTES_MAX,
      "the certificate chain of https, PEM; with tls_key" },
    { "tls_key", PP_KV_TEXT, offsetof(struct config, tls_key), 0, 1, NAME_BYTES_MAX,
      "its key, PEM, mode 0600" },
    { "connections", PP_KV_U64, offsetof(struct config, connections), 0, 1, PP_HTTP_CONNECTIONS_MAX,
      "of clients at a time, 1 to 16384" },
    { "connections_per_address", PP_KV_U64, offsetof(struct config, connections_per_address), 0, 1,
      PP_HTTP_CONNECTIONS_MAX, "of one IPv4 address or IPv6 /64, 1 to 16384" },
};

/* What became of requests; the loop's. */
struct totals {
    uint64_t issued, unauthorized, limited, malformed, failed;
};

static struct config config = { .batches = 1, .connections = 4096, .connections_per_address = 32 };

/* The worker's, from the first job on. */
static struct {
    struct pp_token_keys keys;
    struct iss_counts *counts;
    struct iss_assertions assertions;
    struct iss_logins logins;
    struct iss_service service;
    struct pp_where store;
    char keys_path[NAME_BYTES_MAX + 1], jwks_path[NAME_BYTES_MAX + 1];
} worker;

/* The loop's. */
static struct {
    struct pp_daemon *daemon;
    const struct pp_listener *listener;
    struct pp_http_server *server;
    struct pp_pool *pool;
    struct pp_timer *keys_timer, *totals_timer;
    struct pp_signal *hangup;
    const char *challenge;
    char tls_chain[NAME_BYTES_MAX + 1], tls_key[NAME_BYTES_MAX + 1]; /* empty: in clear */
    struct totals totals;
    uint64_t told; /* requests that the last line stood for */
} front;

/* --- a request -------------------------------------------------------------------------------- */

/* Lies in the request's arena from its arrival to its answer. */
struct ticket {
    struct pp_job job;
    struct pp_http_request *request;
    struct iss_question question;
    struct iss_answer answer;
    uint8_t directory[ISS_DIRECTORY_BYTES_MAX];
};

static void count(uint32_t status)
{
    struct totals *t = &front.totals;
    uint64_t *which = status == 200                    ? &t->issued
                      : status == 401 || status == 403 ? &t->unauthorized
                      : status == 429                  ? &t->limited
                      : status == 415 || status == 422 ? &t->malformed
                                                       : &t->failed;
    (*which)++;
}

static struct ticket *new_ticket(struct pp_http_request *q, void (*work)(void *),
                                 void (*done)(void *))
{
    struct ticket *t = pp_arena_alloc(pp_http_request_arena(q), sizeof *t);

    if (t == NULL)
        return NULL;
    t->job = (struct pp_job){ .work = work, .done = done, .ctx = t };
    t->request = q;
    t->question.now_s = pp_clock_posix_s(&front.daemon->clock);
    return t;
}

static void submit(struct pp_http_request *q, struct ticket *t)
{
    if (t != NULL && pp_is_ok(pp_pool_submit(front.pool, &t->job)))
        return;
    count(503);
    pp_http_reply_status(q, 503);
}

static void work_issue(void *ctx)
{
    struct ticket *t = ctx;

    iss_answer(&worker.service, &t->question, &t->answer);
}

static void done_issue(void *ctx)
{
    struct ticket *t = ctx;
    const struct pp_http_field wants = { PP_STR("WWW-Authenticate"),
                                         pp_span_cstr(front.challenge) };
    const struct pp_http_reply r = {
        .status = t->answer.status,
        .type = t->answer.type,
        .fields = &wants,
        .field_count = t->answer.status == 401,
        .body = pp_span(t->answer.body, t->answer.body_len),
        .body_stays = 1,
    };

    count(t->answer.status);
    pp_http_reply(t->request, &r);
}

static void on_token_request(void *ctx, struct pp_http_request *q)
{
    struct ticket *t = new_ticket(q, work_issue, done_issue);

    (void)ctx;
    if (t != NULL) {
        if (pp_http_request_type_is(q, PP_CRED_MEDIA_BATCH_REQUEST))
            t->question.form = PP_CRED_BATCH;
        else if (pp_http_request_type_is(q, PP_CRED_MEDIA_REQUEST))
            t->question.form = PP_CRED_SINGLE;
        (void)pp_http_request_find(q, "authorization", &t->question.authorization);
        t->question.body = pp_http_request_body(q);
    }
    submit(q, t);
}

static void work_directory(void *ctx)
{
    struct ticket *t = ctx;
    struct pp_wr wr = pp_wr_over(t->directory, sizeof t->directory);

    t->answer.why = iss_directory_write(&worker.keys, t->question.now_s, &wr);
    t->answer.body_len = wr.len;
}

/* RFC 9578 4 SHOULD: the directory may be cached; for as long as this issuer keeps its own keys. */
static void done_directory(void *ctx)
{
    static const struct pp_http_field cache = { PP_STR("Cache-Control"),
                                                PP_STR("public, max-age=3600") };
    struct ticket *t = ctx;
    const struct pp_http_reply r = {
        .status = pp_is_ok(t->answer.why) ? 200 : 500,
        .type = PP_CRED_MEDIA_DIRECTORY,
        .fields = &cache,
        .field_count = pp_is_ok(t->answer.why) ? 1 : 0,
        .body = pp_span(t->directory, pp_is_ok(t->answer.why) ? t->answer.body_len : 0),
        .body_stays = 1,
    };

    pp_http_reply(t->request, &r);
}

static void on_directory(void *ctx, struct pp_http_request *q)
{
    (void)ctx;
    submit(q, new_ticket(q, work_directory, done_directory));
}

/* --- keys ------------------------------------------------------------------------------------- */

static struct {
    struct pp_job job;
    int under_way;
    uint64_t now_s;
    pp_res result, destroyed, logins;
    size_t key_count, destroyed_count;
} reload;

/* Whether accounts are those of a login service; else the app's server vouches for them. */
static int has_logins(void)
{
    return config.jwks.len > 0;
}

/*
 * The first epoch that is not over by the clock. Not the first one whose key is here: a key that is
 * away for a moment, or with another issuer that shares the counts, would make its epoch's accounts
 * new ones.
 */
static uint32_t first_live_day(uint64_t now_s)
{
    if (now_s < PP_EPOCH_SLACK_SECONDS)
        return 0;
    return (uint32_t)((now_s - PP_EPOCH_SLACK_SECONDS) / PP_EPOCH_SECONDS);
}

/* Takes the folder as it is now, and forgets the keys and the counts of epochs that are over. */
static void work_reload(void *ctx)
{
    struct pp_token_keys keys = { 0 };

    (void)ctx;
    reload.destroyed_count = 0;
    reload.destroyed = pp_token_keys_destroy(worker.keys_path, reload.now_s,
                                             &reload.destroyed_count);
    reload.result = pp_token_keys_load(worker.keys_path, reload.now_s, NULL, &keys);
    if (pp_is_ok(reload.result)) {
        pp_token_keys_done(&worker.keys);
        worker.keys = keys;
        reload.result = iss_counts_retire(worker.counts, first_live_day(reload.now_s));
    }
    reload.key_count = worker.keys.count;
    if (has_logins())
        reload.logins = iss_logins_load(&worker.logins, worker.jwks_path, NULL);
}

static void tell_keys(void)
{
    if (pp_is_ok(reload.result))
        pp_ev_issuer_keys(&front.daemon->events, reload.key_count);
    else
        pp_ev_issuer_keys_refused(&front.daemon->events, reload.result.code);
    if (!pp_is_ok(reload.logins))
        pp_ev_issuer_jwks_refused(&front.daemon->events, reload.logins.code);
    if (!pp_is_ok(reload.destroyed))
        pp_ev_keys_not_destroyed(&front.daemon->events, PP_PARTY_ISSUER, reload.destroyed.code);
    else if (reload.destroyed_count > 0)
        pp_ev_keys_destroyed(&front.daemon->events, PP_PARTY_ISSUER, reload.destroyed_count);
}

static void done_reload(void *ctx)
{
    (void)ctx;
    reload.under_way = 0;
    tell_keys();
}

static int is_tls(void)
{
    return config.tls_key.len > 0;
}

static pp_res load_tls(struct pp_problem *problem)
{
    return pp_tls_files_load(front.server, front.tls_chain, front.tls_key, problem);
}

/* A certificate that is renewed and not taken up ends the service on the day the old one ends. */
static void look_at_tls(void)
{
    pp_res r = is_tls() ? load_tls(NULL) : PP_OK;

    if (!pp_is_ok(r))
        pp_ev_issuer_tls_refused(&front.daemon->events, r.code);
}

static void on_reload(void *ctx)
{
    (void)ctx;
    pp_timer_set(front.keys_timer, KEYS_EVERY_MS);
    look_at_tls();
    if (reload.under_way)
        return;
    reload.job = (struct pp_job){ .work = work_reload, .done = done_reload };
    reload.now_s = pp_clock_posix_s(&front.daemon->clock);
    reload.under_way = pp_is_ok(pp_pool_submit(front.pool, &reload.job));
}

static void tell_totals(void)
{
    const struct totals *t = &front.totals;

    pp_ev_issuer_totals(&front.daemon->events, t->issued, t->unauthorized, t->limited, t->malformed,
                        t->failed);
}

static void on_totals(void *ctx)
{
    const struct totals *t = &front.totals;
    uint64_t all = t->issued + t->unauthorized + t->limited + t->malformed + t->failed;

    (void)ctx;
    pp_timer_set(front.totals_timer, TOTALS_EVERY_MS);
    if (pp_totals_are_due(all, &front.told))
        tell_totals();
}

/* --- the life of the daemon ------------------------------------------------------------------ */

/* A value as a C string; the table limits its length. */
static void copy_name(char ret[NAME_BYTES_MAX + 1], struct pp_span name)
{
    PP_ASSERT(name.len <= NAME_BYTES_MAX);
    memcpy(ret, name.at, name.len);
    ret[name.len] = '\0';
}

/* One kind of account alone: under two names somebody would have the batches of two. */
static pp_res check_kind(struct pp_problem *problem)
{
    if (has_logins() == (config.assertion_keys.count > 0))
        return pp_daemon_refuse(problem, "assertion_key", "this or jwks",
                                has_logins() ? PP_STR("both") : PP_STR("none"));
    if (has_logins() != (config.jwt_issuer.len > 0))
        return pp_daemon_refuse(problem, "jwt_issuer", "one with jwks, none without",
                                config.jwt_issuer);
    if (has_logins() != (config.jwt_audience.len > 0))
        return pp_daemon_refuse(problem, "jwt_audience", "one with jwks, none without",
                                config.jwt_audience);
    return PP_OK;
}

/*
 * Accounts show here who they are: in prod that crosses no network in clear. A TLS proxy on this
 * very machine is fine.
 */
static pp_res check_listening(const struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_address a;

    if (is_tls() != (config.tls_chain.len > 0))
        return pp_daemon_refuse(problem, "tls_key", "both of tls_chain and tls_key, or none",
                                PP_STR("one"));
    PP_TRY(pp_address_parse(config.common.listen, &a)); /* has been read once: it is one */
    if (d->is_prod && !is_tls() && !pp_address_is_local(&a))
        return pp_daemon_refuse(problem, "listen", "this machine alone, or tls_chain and tls_key",
                                config.common.listen);
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_kv_list *names = &config.assertion_keys;

    PP_TRY(check_listening(d, problem));
    PP_TRY(check_kind(problem));
    for (size_t i = 0; i < names->count; i++)
        if (i == ISS_ASSERTION_KEYS_MAX || names->items[i].len > NAME_BYTES_MAX)
            return pp_daemon_refuse(problem, "assertion_key", "one or two file names",
                                    names->items[i]);
    return PP_OK;
}

static pp_res read_assertion_keys(struct pp_problem *problem)
{
    char path[NAME_BYTES_MAX + 1];

    worker.assertions.issuer = config.issuer;
    for (size_t i = 0; i < config.assertion_keys.count; i++) {
        copy_name(path, config.assertion_keys.items[i]);
        PP_TRY(iss_assertions_add_key(&worker.assertions, path, problem));
    }
    return PP_OK;
}

static pp_res read_accounts(struct pp_problem *problem)
{
    if (!has_logins())
        return read_assertion_keys(problem);
    worker.logins.rules = (struct iss_jwt_rules){ .issuer = config.jwt_issuer,
                                                  .audience = config.jwt_audience };
    copy_name(worker.jwks_path, config.jwks);
    return iss_logins_load(&worker.logins, worker.jwks_path, problem);
}

static pp_res find_store(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(pp_where_read(config.store, problem, &worker.store));
    for (size_t i = 0; i < worker.store.port_count; i++)
        PP_TRY(pp_daemon_allow_connect(d, worker.store.ports[i]));
    return PP_OK;
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    front.daemon = d;
    PP_TRY(pp_crypto_init()); /* before the sandbox: OpenSSL reads its files */
    copy_name(worker.keys_path, config.keys);
    if (is_tls()) {
        copy_name(front.tls_chain, config.tls_chain);
        copy_name(front.tls_key, config.tls_key);
    }
    /* A file that is not there is a wrong configuration, whatever the system calls it. */
    PP_TRY_AS(PP_E_CONFIG, read_accounts(problem));
    PP_TRY_AS(PP_E_CONFIG, pp_token_keys_load(worker.keys_path, pp_clock_posix_s(&d->clock),
                                              problem, &worker.keys));
    PP_TRY(find_store(d, problem));
    return pp_daemon_listen(d, "http", config.common.listen, problem, &front.listener);
}

static uint32_t at_most(uint64_t value, uint32_t max)
{
    return value < max ? (uint32_t)value : max;
}

static pp_res start_server(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_http_route routes[] = {
        { "POST", ISS_REQUEST_PATH, ISS_BODY_BYTES_MAX, on_token_request, NULL },
        { "GET", ISS_DIRECTORY_PATH, 0, on_directory, NULL },
    };
    const struct pp_http_server_config c = {
        .routes = routes,
        .route_count = PP_ARRAY_COUNT(routes),
        .scratch_bytes = sizeof(struct ticket) + 64,
        .connections_max = (uint32_t)config.connections,
        .requests_max = at_most(config.connections, REQUESTS_MAX),
        .streams_max = at_most(config.connections, STREAMS_MAX),
        .connections_per_address_max = (uint32_t)config.connections_per_address,
    };

    PP_TRY(pp_http_server_new(d->loop, &c, &front.server));
    pp_daemon_count_http(d, front.server);
    if (!is_tls())
        return pp_http_server_listen(front.server, front.listener);
    PP_TRY(load_tls(problem));
    return pp_http_server_listen_tls(front.server, front.listener);
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(iss_counts_open(pp_where_text(&worker.store), problem, &worker.counts));
    worker.service = (struct iss_service){
        .accounts = has_logins() ? iss_accounts_of_logins(&worker.logins)
                                 : iss_accounts_of_assertions(&worker.assertions),
        .counts = worker.counts,
        .keys = &worker.keys,
        .batches_max = (uint32_t)config.batches,
        .random = d->random,
    };
    front.challenge = worker.service.accounts.challenge;
    PP_TRY(pp_pool_new(d->loop, 1, WAITING_MAX, &front.pool));
    PP_TRY(pp_timer_new(d->loop, on_reload, NULL, &front.keys_timer));
    PP_TRY(pp_timer_new(d->loop, on_totals, NULL, &front.totals_timer));
    PP_TRY(pp_signal_new(d->loop, SIGHUP, on_reload, NULL, &front.hangup));
    pp_timer_set(front.totals_timer, TOTALS_EVERY_MS);
    PP_TRY(start_server(d, problem));
    on_reload(NULL);
    pp_daemon_ready(d);
    return PP_OK;
}

static void on_drained(void *ctx)
{
    tell_totals();
    pp_daemon_stopped(ctx);
}

static void stop(struct pp_daemon *d)
{
    pp_timer_cancel(front.keys_timer);
    pp_http_server_drain(front.server, on_drained, d);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_pool_free(front.pool); /* the worker ends before what it works with */
    pp_http_server_free(front.server);
    pp_timer_free(front.keys_timer);
    pp_timer_free(front.totals_timer);
    pp_signal_free(front.hangup);
    iss_counts_close(worker.counts);
    pp_where_done(&worker.store);
    pp_token_keys_done(&worker.keys);
    iss_assertions_done(&worker.assertions);
}

int main(int argc, char **argv)
{
    static const struct pp_daemon_program program = {
        .name = "pp-issuerd",
        .what = "gives accounts their anonymous tokens",
        .party = PP_PARTY_ISSUER,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .check = check,
        .open = open_all,
        .serve = serve,
        .stop = stop,
        .close = close_all,
    };

    return pp_daemon_main(&program, argc, argv);
}
