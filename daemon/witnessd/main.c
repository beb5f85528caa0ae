/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-witnessd: cosigns logs that only ever grow; as a record witness, only a log that keeps the
 * rules.
 *
 * pp-witnessd --init FOLDER NAME     makes the witness's key and states, prints its vkey
 *     [--key FILE | --vkey VKEY --signer PROGRAM ARGUMENT...]     with a key that is there
 * pp-witnessd --config FOLDER/config
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto.h"
#include "daemon.h"
#include "former_reviews.h"
#include "service.h"
#include "signer_config.h"

enum { PATH_BYTES_MAX = 256, CONNECTIONS_MAX = 64 };

static struct config {
    struct pp_daemon_config common;
    struct pp_kv_list logs, former;
    struct pp_signer_config signer;
    struct pp_span previous, role, url, name_space, owner_policy, review_policy;
    uint64_t read_ms;
} config = {
    .signer = PP_SIGNER_CONFIG_DEFAULTS,
    .role = { (const uint8_t *)"plain", 5 },
    .read_ms = 5000,
};

static const struct pp_kv_key KEYS[] = {
    { "log", PP_KV_LIST, offsetof(struct config, logs), 1, 0, 0,
      "a log's vkey, and its origin if that is not the key's name; may repeat" },
    { "role", PP_KV_TEXT, offsetof(struct config, role), 0, 1, 8, "plain or record" },
    { "url", PP_KV_TEXT, offsetof(struct config, url), 0, 8, PATH_BYTES_MAX - 1,
      "record: where the log's tiles are, http(s)://HOST[:PORT][/PREFIX]" },
    { "namespace", PP_KV_TEXT, offsetof(struct config, name_space), 0, 1, PP_RECORD_WORD_MAX,
      "record: the one namespace of the log's records" },
    { "owner_policy", PP_KV_TEXT, offsetof(struct config, owner_policy), 0, 1, PATH_BYTES_MAX - 1,
      "record: a policy file: who signs host-sets and keys" },
    { "review_policy", PP_KV_TEXT, offsetof(struct config, review_policy), 0, 1, PATH_BYTES_MAX - 1,
      "record: a policy file: who reviews releases" },
    { "former_review_policy", PP_KV_LIST, offsetof(struct config, former), 0, 0, 0,
      "record: N FILE: who reviewed the entries below N; may repeat, N rising" },
    { "previous", PP_KV_TEXT, offsetof(struct config, previous), 0, 1, PP_VKEY_BYTES_MAX,
      "the vkey that this witness had before: what it cosigned then still binds it" },
    PP_SIGNER_CONFIG_KEYS(struct config, signer),
    { "read_ms", PP_KV_U64, offsetof(struct config, read_ms), 0, 10, 60000,
      "record: for one bundle of entries, 10 to 60000" },
};

static struct witness {
    struct pp_signer_file key;
    struct pp_note_key previous; /* read from the configuration, if it has one */
    struct pp_witness_book book;
    struct pp_witness_service service;
    struct pp_policy_file owner, review;
    struct pp_former_reviews former;
    struct pp_policy own_log; /* record: the log's key, for its status records */
    char url[PATH_BYTES_MAX];
    enum pp_record_env environment;
    int is_record;
    struct pp_http_server *server;
    const struct pp_listener *listener;
} witness = { .book.dir = -1 };

/* --- configuration -------------------------------------------------------------------------- */

static pp_res check_record(struct pp_problem *problem)
{
    const struct {
        const char *key;
        struct pp_span value;
    } needed[] = {
        { "url", config.url },
        { "namespace", config.name_space },
        { "owner_policy", config.owner_policy },
        { "review_policy", config.review_policy },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(needed); i++)
        if (witness.is_record != (needed[i].value.len > 0))
            return pp_daemon_refuse(problem, needed[i].key,
                                    witness.is_record ? "a value: the role is record"
                                                      : "no such line: the role is plain",
                                    needed[i].value);
    if (!witness.is_record && config.former.count > 0)
        return pp_daemon_refuse(problem, "former_review_policy", "no such line: the role is plain",
                                config.former.items[0]);
    if (witness.is_record && witness.book.count != 1)
        return pp_daemon_refuse(problem, "log", "one log, for a record witness", PP_STR("several"));
    for (size_t i = 0; witness.is_record && i < witness.book.pages[0].log.key_count; i++)
        if (witness.book.pages[0].log.keys[i].type != PP_NOTE_ED25519)
            return pp_daemon_refuse(problem, "log", "an Ed25519 key, for a log of records",
                                    witness.book.pages[0].log.keys[i].name);
    return PP_OK;
}

static pp_res check(struct pp_daemon *d, struct pp_problem *problem)
{
    (void)d;
    witness.is_record = pp_span_eq(config.role, PP_STR("record"));
    if (!witness.is_record && !pp_span_eq(config.role, PP_STR("plain")))
        return pp_daemon_refuse(problem, "role", "plain or record", config.role);
    PP_TRY(pp_signer_config_check(&config.signer, problem));
    if (!pp_is_ok(pp_record_env_parse(config.common.environment, &witness.environment)))
        return pp_daemon_refuse(problem, "environment", "prod, staging or dev",
                                config.common.environment);
    for (size_t i = 0; i < config.logs.count; i++)
        if (!pp_is_ok(pp_witness_book_add(&witness.book, config.logs.items[i])))
            return pp_daemon_refuse(problem, "log", KEYS[0].expected, config.logs.items[i]);
    if (config.previous.len > 0) {
        if (!pp_is_ok(pp_vkey_parse(config.previous, &witness.previous)) ||
            witness.previous.type != PP_NOTE_COSIGNATURE)
            return pp_daemon_refuse(problem, "previous", "the vkey of a witness", config.previous);
        witness.book.previous = &witness.previous;
    }
    return check_record(problem);
}

/* --- with all rights ------------------------------------------------------------------------ */

static pp_res load_policy(struct pp_span value, struct pp_problem *problem,
                          struct pp_policy_file *ret)
{
    char path[PATH_BYTES_MAX] = { 0 };

    PP_ASSERT(value.len < sizeof path);
    memcpy(path, value.at, value.len);
    return pp_policy_file_load(path, PP_POLICY_REVIEW, problem, ret);
}

static pp_res open_reader(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_witness_log *log = &witness.book.pages[0].log;
    uint16_t port;

    PP_TRY(load_policy(config.owner_policy, problem, &witness.owner));
    PP_TRY(load_policy(config.review_policy, problem, &witness.review));
    PP_TRY(pp_former_reviews_load(&config.former, problem, &witness.former));
    if (!pp_is_ok(pp_url_port(config.url, &port)))
        return pp_daemon_refuse(problem, "url", KEYS[2].expected, config.url);
    PP_TRY(pp_daemon_allow_connect(d, port));
    memcpy(witness.url, config.url.at, config.url.len);
    witness.own_log.kind = PP_POLICY_LOG;
    witness.own_log.log_count = log->key_count;
    for (size_t i = 0; i < log->key_count; i++)
        witness.own_log.log_keys[i] = log->keys[i];
    const struct pp_reader_config c = {
        .loop = d->loop,
        .url = witness.url,
        .ledger = log->origin,
        .name_space = config.name_space,
        .environment = witness.environment,
        .keys = { .log = &witness.own_log,
                  .owner = &witness.owner.policy,
                  .review = &witness.review.policy,
                  .former = witness.former.list,
                  .former_count = witness.former.count },
        .clock = d->clock,
        .events = &d->events,
        .deadline_ms = (uint32_t)config.read_ms,
    };
    return pp_reader_new(&c, &witness.service.reader);
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    PP_TRY(pp_crypto_init());
    witness.book.dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (witness.book.dir < 0)
        return pp_errno_res(errno);
    PP_TRY(pp_signer_config_open(&config.signer, PP_NOTE_COSIGNATURE, problem, &witness.key));
    witness.book.signer = &witness.key.signer;
    pp_res r = pp_witness_book_load(&witness.book);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "states", "states that this witness wrote, and no other process",
                       pp_span_cstr(pp_code_text(r.code)));
        return r;
    }
    if (witness.is_record)
        PP_TRY(open_reader(d, problem));
    return pp_daemon_listen(d, "witness", config.common.listen, problem, &witness.listener);
}

/* --- serving -------------------------------------------------------------------------------- */

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_http_route routes[PP_WITNESS_ROUTES];
    const struct pp_http_server_config c = {
        .routes = routes,
        .route_count = PP_WITNESS_ROUTES,
        .scratch_bytes = PP_WITNESS_SCRATCH_BYTES,
        .connections_max = CONNECTIONS_MAX,
        .connections_per_address_max = CONNECTIONS_MAX / 2,
    };

    (void)problem;
    witness.service.book = &witness.book;
    witness.service.events = &d->events;
    witness.service.clock = d->clock;
    pp_witness_service_routes(&witness.service, routes);
    PP_TRY(pp_http_server_new(d->loop, &c, &witness.server));
    pp_daemon_count_http(d, witness.server);
    PP_TRY(pp_http_server_listen(witness.server, witness.listener));
    pp_ev_witness_serves(&d->events,
                         witness.is_record ? PP_WITNESS_ROLE_RECORD : PP_WITNESS_ROLE_PLAIN,
                         witness.book.count);
    pp_daemon_ready(d);
    return PP_OK;
}

static void drained(void *ctx)
{
    pp_daemon_stopped((struct pp_daemon *)ctx);
}

static void stop(struct pp_daemon *d)
{
    pp_witness_service_stop(&witness.service);
    pp_http_server_drain(witness.server, drained, d);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_http_server_free(witness.server);
    pp_reader_free(witness.service.reader);
    pp_policy_file_done(&witness.owner);
    pp_policy_file_done(&witness.review);
    pp_former_reviews_done(&witness.former);
    pp_signer_file_done(&witness.key);
    if (witness.book.dir >= 0)
        (void)close(witness.book.dir);
}

/* --- --init --------------------------------------------------------------------------------- */

static pp_res create(const struct pp_signer_spec *spec, const char *folder,
                     struct pp_problem *problem)
{
    struct pp_signer_file key = { 0 };
    char vkey[PP_VKEY_BYTES_MAX + 1] = "";
    struct pp_wr wr = pp_wr_over(vkey, PP_VKEY_BYTES_MAX);

    PP_TRY(pp_crypto_init());
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return pp_errno_res(errno);
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return pp_errno_res(errno);
    pp_res r = pp_signer_init(spec, folder, problem, &key);
    if (pp_is_ok(r))
        r = pp_witness_book_create(dir);
    if (pp_is_ok(r)) {
        pp_vkey_write(&wr, &key.signer.key);
        printf("%s\n", vkey);
    }
    pp_signer_file_done(&key);
    (void)close(dir);
    return r;
}

static int init(int argc, char **argv)
{
    struct pp_signer_spec spec = { .type = PP_NOTE_COSIGNATURE };
    struct pp_problem problem = { 0 };

    if (argc < 4 || !pp_is_ok(pp_signer_init_args(argv + 4, &spec))) {
        fprintf(stderr, "usage: pp-witnessd --init FOLDER NAME\n"
                        "           [--key FILE | --vkey VKEY --signer PROGRAM ARGUMENT...]\n");
        return 2;
    }
    spec.name = pp_span_cstr(argv[3]);
    pp_res r = create(&spec, argv[2], &problem);
    return pp_is_ok(r) ? 0 : pp_signer_init_failed("pp-witnessd", argv[2], r, &problem);
}

/* Its signer is reaped behind the sandbox. */
static const int SYSCALLS[] = { SYS_wait4 };

int main(int argc, char **argv)
{
    static const struct pp_daemon_program PROGRAM = {
        .name = "pp-witnessd",
        .what = "cosigns logs that only grow; --init FOLDER NAME makes one and prints its vkey",
        .party = PP_PARTY_WITNESS,
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
