/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-logd: a transparency log: the ledger of records, or a log of anything. What it does is in
 * sequencer.h, admission.h and service.h.
 *
 *     pp-logd --init FOLDER ORIGIN     makes the log's key and an empty log, prints its vkey
 *         [--key FILE | --vkey VKEY --signer PROGRAM ARGUMENT...]     with a key that is there
 *     pp-logd --config FOLDER/config
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "create.h"
#include "crypto.h"
#include "daemon.h"
#include "former_reviews.h"
#include "guard.h"
#include "key_config.h"
#include "service.h"

enum { PATH_BYTES_MAX = 256, BATCH_MS = 1000, BATCH_ENTRIES = 4096 };

static struct config {
    struct pp_daemon_config common;
    struct pp_span admission, name_space, policy, owner_policy, review_policy, guard;
    struct pp_kv_list former;
    struct pp_log_key_config keys;
    uint64_t witness_ms, retry_ms, answer_ms, batch_ms, batch_entries;
    uint32_t read_all;
} config = {
    .admission = PP_STR("records"),
    .keys = PP_LOG_KEY_CONFIG_DEFAULTS,
    .witness_ms = 5000,
    .retry_ms = 5000,
    .answer_ms = 15000,
};

static const struct pp_kv_key KEYS[] = {
    { "admission", PP_KV_TEXT, offsetof(struct config, admission), 0, 1, PP_RECORD_WORD_MAX,
      "records (the ledger) or opaque (any bytes are an entry)" },
    { "namespace", PP_KV_TEXT, offsetof(struct config, name_space), 0, 1, PP_RECORD_WORD_MAX,
      "records: the one namespace of the log's records; mandatory" },
    { "policy", PP_KV_TEXT, offsetof(struct config, policy), 1, 1, PATH_BYTES_MAX - 1,
      "a policy file: this log, its witnesses with their URLs, the quorum" },
    { "owner_policy", PP_KV_TEXT, offsetof(struct config, owner_policy), 0, 1, PATH_BYTES_MAX - 1,
      "records: a policy file: who signs host-sets and keys; mandatory" },
    { "review_policy", PP_KV_TEXT, offsetof(struct config, review_policy), 0, 1, PATH_BYTES_MAX - 1,
      "records: a policy file: who reviews releases; mandatory" },
    { "former_review_policy", PP_KV_LIST, offsetof(struct config, former), 0, 0, 0,
      "records: N FILE: who reviewed the entries below N; may repeat, N rising" },
    { "batch_ms", PP_KV_U64, offsetof(struct config, batch_ms), 0, 1, 3600000,
      "opaque: how long entries gather before they are signed, 1 to 3600000 [1000]" },
    { "batch_entries", PP_KV_U64, offsetof(struct config, batch_entries), 0, 1,
      PP_SEQUENCER_WAITING_MAX, "opaque: so many entries are signed at once, 1 to 16384 [4096]" },
    { "read_all", PP_KV_FLAG, offsetof(struct config, read_all), 0, 0, 0,
      "opaque: yes to read and hash every entry at the start [no]" },
    { "guard", PP_KV_TEXT, offsetof(struct config, guard), 0, 1, PATH_BYTES_MAX - 1,
      "a file on other storage that holds the last signed checkpoint once more" },
    PP_LOG_KEY_CONFIG_KEYS(struct config, keys),
    { "witness_ms", PP_KV_U64, offsetof(struct config, witness_ms), 0, 10, 60000,
      "for one witness's answer, 10 to 60000" },
    { "retry_ms", PP_KV_U64, offsetof(struct config, retry_ms), 0, 10, 600000,
      "before witnesses are asked again, 10 to 600000" },
    { "answer_ms", PP_KV_U64, offsetof(struct config, answer_ms), 0, 0, 60000,
      "how long a submission waits to be published, up to 60000" },
};

static struct log {
    struct pp_log_key_ring ring;
    struct pp_policy_file policy, owner, review;
    struct pp_former_reviews former;
    struct pp_sequencer sequencer;
    struct pp_log_guard guard;
    struct pp_log_service *service;
    struct pp_http_server *server;
    const struct pp_listener *listener;
    enum pp_record_env environment;
    int dir;
} log_ = { .dir = -1 };

/* --- configuration -------------------------------------------------------------------------- */

static int is_opaque(void)
{
    return pp_span_eq(config.admission, PP_STR("opaque"));
}

/* What only a log of records has is mandatory there, and nothing but a mistake elsewhere. */
static pp_res check_text(struct pp_problem *problem, const char *key, struct pp_span value)
{
    if (is_opaque() && value.len > 0)
        return pp_daemon_refuse(problem, key, "nothing, with admission = opaque", value);
    if (!is_opaque() && value.len == 0)
        return pp_daemon_refuse(problem, key, "a value, with admission = records", value);
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)d;
    if (!is_opaque() && !pp_span_eq(config.admission, PP_STR("records")))
        return pp_daemon_refuse(problem, "admission", "records or opaque", config.admission);
    PP_TRY(pp_log_key_config_check(&config.keys, problem));
    PP_TRY(check_text(problem, "namespace", config.name_space));
    PP_TRY(check_text(problem, "owner_policy", config.owner_policy));
    PP_TRY(check_text(problem, "review_policy", config.review_policy));
    if (is_opaque() && config.former.count > 0)
        return pp_daemon_refuse(problem, "former_review_policy", "nothing, with admission = opaque",
                                config.former.items[0]);
    if (!is_opaque() && config.batch_ms > 0)
        return pp_daemon_refuse(problem, "batch_ms", "nothing, with admission = records",
                                PP_STR("a time"));
    if (!is_opaque() && config.batch_entries > 0)
        return pp_daemon_refuse(problem, "batch_entries", "nothing, with admission = records",
                                PP_STR("a number"));
    /* The common key has been judged; only its number is ours. */
    if (!pp_is_ok(pp_record_env_parse(config.common.environment, &log_.environment)))
        return pp_daemon_refuse(problem, "environment", "prod, staging or dev",
                                config.common.environment);
    return PP_OK;
}

/* A configuration value as a C string: shorter than the array by its table. */
static const char *path_of(struct pp_span value, char buffer[PATH_BYTES_MAX])
{
    PP_ASSERT(value.len < PATH_BYTES_MAX);
    memset(buffer, 0, PATH_BYTES_MAX);
    memcpy(buffer, value.at, value.len);
    return buffer;
}

static pp_res load_policies(struct pp_problem *problem)
{
    char path[PATH_BYTES_MAX];

    PP_TRY(pp_policy_file_load(path_of(config.policy, path), PP_POLICY_LOG, problem, &log_.policy));
    if (is_opaque())
        return PP_OK;
    PP_TRY(pp_policy_file_load(path_of(config.owner_policy, path), PP_POLICY_REVIEW, problem,
                               &log_.owner));
    PP_TRY(pp_policy_file_load(path_of(config.review_policy, path), PP_POLICY_REVIEW, problem,
                               &log_.review));
    return pp_former_reviews_load(&config.former, problem, &log_.former);
}

static int is_listed(const struct pp_policy *p, const struct pp_note_key *key)
{
    for (size_t i = 0; i < p->log_count; i++)
        if (p->log_keys[i].id == key->id && pp_span_eq(p->log_keys[i].name, key->name))
            return 1;
    return 0;
}

/* Witnesses may share a port, and the sandbox has room for few. */
static int is_allowed(const struct pp_policy *p, size_t count, uint16_t port)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t other;
        if (pp_is_ok(pp_url_port(p->witness_urls[i], &other)) && other == port)
            return 1;
    }
    return 0;
}

/* Every witness has a URL that we may call; the log's own keys are in its policy. */
static pp_res check_policy(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_policy *p = &log_.policy.policy;

    for (size_t i = 0; i < log_.ring.keys.signer_count; i++)
        if (!is_listed(p, &log_.ring.signers[i].key))
            return pp_daemon_refuse(problem, "policy", "a log line with each key that signs",
                                    log_.ring.signers[i].key.name);
    for (size_t i = 0; i < p->witness_count; i++) {
        uint16_t port;
        if (!pp_is_ok(pp_url_port(p->witness_urls[i], &port)))
            return pp_daemon_refuse(problem, "policy", "a witness with an http URL",
                                    p->witness_names[i]);
        if (!is_allowed(p, i, port))
            PP_TRY(pp_daemon_allow_connect(d, port));
    }
    return PP_OK;
}

/* --- with all rights ------------------------------------------------------------------------ */

static pp_res open_sequencer(struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_sequencer_config c = {
        .dir = log_.dir,
        .kind = is_opaque() ? PP_ADMISSION_OPAQUE : PP_ADMISSION_RECORDS,
        .log = log_.ring.keys,
        .name_space = config.name_space,
        .environment = log_.environment,
        .keys = { .owner = &log_.owner.policy,
                  .review = &log_.review.policy,
                  .former = log_.former.list,
                  .former_count = log_.former.count },
        .check_all = config.read_all != 0,
    };

    PP_TRY(pp_random_fill(&d->random, (uint8_t *)&c.index_seed, sizeof c.index_seed));
    pp_res r = pp_sequencer_open(&log_.sequencer, &c);

    if (r.code == PP_E_LEDGER_SIGNATURE)
        return pp_daemon_refuse(problem, "former_key",
                                "the vkey of each key that signed here and is no key that signs",
                                pp_span_cstr(pp_code_text(r.code)));
    if (!pp_is_ok(r))
        pp_problem_set(problem, "folder", "a log that --init made and that keeps its own rules",
                       pp_span_cstr(pp_code_text(r.code)));
    return r;
}

/* A number above the log's size would let former reviewers log something new. */
static pp_res check_former(struct pp_problem *problem)
{
    uint64_t size = pp_log_store_size(&log_.sequencer.store);
    size_t count = log_.former.count;

    if (count == 0 || log_.former.list[count - 1].entries <= size)
        return PP_OK;
    pp_problem_set(problem, "former_review_policy", "at most as many entries as the log has",
                   config.former.items[count - 1]);
    return PP_FAIL(PP_E_CONFIG, 0);
}

static pp_res open_guard(struct pp_problem *problem)
{
    char path[PATH_BYTES_MAX];

    if (config.guard.len == 0)
        return PP_OK;
    pp_res r = pp_log_guard_open(&log_.guard, path_of(config.guard, path), &log_.sequencer.store);
    if (!pp_is_ok(r))
        pp_problem_set(problem, "guard",
                       "what this folder signed last (a log that has none: a copy of its `signed`)",
                       pp_span_cstr(pp_code_text(r.code)));
    return r;
}

static void on_failed(void *ctx, pp_res why)
{
    pp_daemon_fail((struct pp_daemon *)ctx, why);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(pp_crypto_init());
    log_.dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log_.dir < 0)
        return pp_errno_res(errno);
    PP_TRY(pp_log_key_ring_open(&config.keys, problem, &log_.ring));
    PP_TRY(load_policies(problem));
    PP_TRY(check_policy(d, problem));
    PP_TRY(open_sequencer(d, problem));
    PP_TRY(check_former(problem));
    PP_TRY(open_guard(problem));
    PP_TRY(pp_log_store_renew(&log_.sequencer.store));
    const struct pp_log_service_config c = {
        .loop = d->loop,
        .sequencer = &log_.sequencer,
        .policy = &log_.policy.policy,
        .events = &d->events,
        .clock = d->clock,
        .witness_ms = (uint32_t)config.witness_ms,
        .retry_ms = (uint32_t)config.retry_ms,
        .answer_ms = (uint32_t)config.answer_ms,
        .batch_ms = config.batch_ms > 0 ? (uint32_t)config.batch_ms : BATCH_MS,
        .batch_entries = config.batch_entries > 0 ? (size_t)config.batch_entries : BATCH_ENTRIES,
        .failed = on_failed,
        .ctx = d,
    };
    PP_TRY(pp_log_service_new(&c, &log_.service));
    return pp_daemon_listen(d, "log", config.common.listen, problem, &log_.listener);
}

/* --- serving -------------------------------------------------------------------------------- */

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_http_route routes[PP_LOG_ROUTES];
    const struct pp_http_server_config c = {
        .routes = routes,
        .route_count = PP_LOG_ROUTES,
        .scratch_bytes = PP_LOG_SCRATCH_BYTES,
        .connections_max = PP_LOG_CONNECTIONS_MAX,
        .connections_per_address_max = PP_LOG_CONNECTIONS_MAX / 2,
    };

    (void)problem;
    pp_log_service_routes(log_.service, routes);
    PP_TRY(pp_http_server_new(d->loop, &c, &log_.server));
    pp_daemon_count_http(d, log_.server);
    PP_TRY(pp_http_server_listen(log_.server, log_.listener));
    pp_log_service_start(log_.service);
    pp_daemon_ready(d);
    return PP_OK;
}

static void drained(void *ctx)
{
    pp_daemon_stopped((struct pp_daemon *)ctx);
}

static void stop(struct pp_daemon *d)
{
    pp_log_service_stop(log_.service);
    pp_http_server_drain(log_.server, drained, d);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(log_.server);
    pp_log_service_free(log_.service);
    pp_sequencer_done(&log_.sequencer);
    pp_log_guard_done(&log_.guard);
    pp_policy_file_done(&log_.policy);
    pp_policy_file_done(&log_.owner);
    pp_policy_file_done(&log_.review);
    pp_former_reviews_done(&log_.former);
    pp_log_key_ring_done(&log_.ring);
    if (log_.dir >= 0)
        (void)close(log_.dir);
}

/* --- --init --------------------------------------------------------------------------------- */

static int init(int argc, char **argv)
{
    struct pp_signer_spec spec = { .type = PP_NOTE_ED25519 };
    struct pp_problem problem = { 0 };
    char vkey[PP_VKEY_BYTES_MAX + 1] = "";

    if (argc < 4 || !pp_is_ok(pp_signer_init_args(argv + 4, &spec))) {
        fprintf(stderr, "usage: pp-logd --init FOLDER ORIGIN\n"
                        "           [--key FILE | --vkey VKEY --signer PROGRAM ARGUMENT...]\n");
        return 2;
    }
    spec.name = pp_span_cstr(argv[3]);
    pp_res r = pp_crypto_init();
    if (pp_is_ok(r))
        r = pp_log_create(&spec, argv[2], &problem, vkey);
    if (!pp_is_ok(r))
        return pp_signer_init_failed("pp-logd", argv[2], r, &problem);
    printf("%s\n", vkey);
    return 0;
}

/* Its signer is reaped behind the sandbox; files are sent on their way (fileset.h). */
static const int SYSCALLS[] = { SYS_wait4, SYS_sync_file_range };

int main(int argc, char **argv)
{
    static const struct pp_daemon_program PROGRAM = {
        .name = "pp-logd",
        .what = "a transparency log; --init FOLDER ORIGIN makes one and prints its vkey",
        .party = PP_PARTY_LOG,
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config,
        .syscalls = SYSCALLS,
        .syscall_count = PP_ARRAY_COUNT(SYSCALLS),
        .check = check,
        .open = open_all,
        .serve = serve,
        .stop = stop,
        .close = close_all,
    };

    if (argc > 1 && strcmp(argv[1], "--init") == 0)
        return init(argc, argv);
    return pp_daemon_main(&PROGRAM, argc, argv);
}
