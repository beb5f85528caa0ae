/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if !PP_RELEASE
#include "clock_file.h"
#endif
#include "file.h"
#include "text.h"

enum { TOTALS_EVERY_MS = 600000 };
enum { EXIT_FAILED = 1, EXIT_WRONG = 2, STOP_MS_DEFAULT = 10000, STOP_MS_MAX = 600000 };

static const struct pp_kv_key COMMON_KEYS[] = {
    { "environment", PP_KV_TEXT, offsetof(struct pp_daemon_config, environment), 1, 1, 8,
      "prod, staging or dev" },
    { "listen", PP_KV_TEXT, offsetof(struct pp_daemon_config, listen), 0, 1, PP_ADDRESS_TEXT_MAX,
      "127.0.0.1:PORT, [::1]:PORT or unix:PATH; port 0 takes a free one" },
    { "user", PP_KV_TEXT, offsetof(struct pp_daemon_config, user), 0, 0, 64,
      "UID, UID:GID or a user of this machine to become (started as root)" },
    { "stop_ms", PP_KV_U64, offsetof(struct pp_daemon_config, stop_ms), 0, 1, STOP_MS_MAX,
      "milliseconds for a clean end, at most 600000" },
};

static struct pp_daemon_config *config_of(const struct pp_daemon *d)
{
    return (struct pp_daemon_config *)d->program->config;
}

/* --- what is said to people ----------------------------------------------------------------- */

static void say_file(const struct pp_daemon *d)
{
    fprintf(stderr, "  file:     %s", d->config_path);
    if (d->config_line > 0)
        fprintf(stderr, ", line %u", d->config_line);
    fprintf(stderr, "\n");
}

/* A line each, as ppctl says them. */
static void say_refusal(const struct pp_daemon *d, pp_res r, const struct pp_problem *problem)
{
    fprintf(stderr, "%s: %s (%s)\n", problem->party[0] != '\0' ? problem->party : d->program->name,
            pp_code_text(r.code), pp_code_name(r.code));
    if (r.code == PP_E_CONFIG && d->config_path != NULL)
        say_file(d);
    if (problem->field[0] != '\0')
        fprintf(stderr, "  field:    %s\n", problem->field);
    if (problem->expected[0] != '\0')
        fprintf(stderr, "  expected: %s\n", problem->expected);
    if (problem->field[0] != '\0' || problem->got[0] != '\0')
        fprintf(stderr, "  got:      %s\n", problem->got);
    if (r.code == PP_E_SYSTEM)
        fprintf(stderr, "  reason:   %s\n", strerror((int)r.detail));
    fprintf(stderr, "  do:       %s\n", pp_code_todo(r.code));
    if (!PP_RELEASE && r.where != NULL)
        fprintf(stderr, "  at:       %s, detail %u\n", r.where, r.detail);
}

static void say_default(const struct pp_kv_key *key, const void *config)
{
    const void *at = (const uint8_t *)config + key->offset;
    struct pp_span text;

    if (key->mandatory) {
        printf("; mandatory\n");
        return;
    }
    switch (key->kind) {
    case PP_KV_TEXT:
        text = *(const struct pp_span *)at;
        if (text.len > 0)
            printf("; default: %.*s\n", (int)text.len, (const char *)text.at);
        else
            printf("; default: none\n");
        return;
    case PP_KV_U64:
        printf("; default: %llu\n", (unsigned long long)*(const uint64_t *)at);
        return;
    case PP_KV_FLAG:
        printf("; default: %s\n", *(const uint32_t *)at != 0 ? "yes" : "no");
        return;
    case PP_KV_LIST:
        printf("; may repeat\n");
        return;
    }
}

static void say_help(const struct pp_daemon_program *p)
{
    printf(
        "%s: %s\n\n"
        "usage: %s --config FILE [--ready-fd N] [--check]\n"
        "       %s --help | --version\n\n"
        "  --config FILE   its folder is the home: working folder, and all that stays reachable\n"
        "  --ready-fd N    descriptor for the lines `listen NAME ADDRESS` and `ready`\n"
        "  --check         read the configuration, say what is wrong, and end\n\n"
        "FILE has one `key = value` a line; `#` starts a comment:\n\n",
        p->name, p->what, p->name, p->name);
    for (size_t i = 0; i < PP_ARRAY_COUNT(COMMON_KEYS); i++) {
        printf("  %-22s %s", COMMON_KEYS[i].name, COMMON_KEYS[i].expected);
        say_default(&COMMON_KEYS[i], p->config);
    }
    for (size_t i = 0; i < p->key_count; i++) {
        printf("  %-22s %s", p->keys[i].name, p->keys[i].expected);
        say_default(&p->keys[i], p->config);
    }
    printf("\nSIGTERM and SIGINT end it cleanly. Standard error carries events (docs/events.md).\n"
           "exit status: 0 ended as asked, 1 failed while running, 2 wrong call, configuration\n"
           "or port\n");
}

/* --- command line --------------------------------------------------------------------------- */

static pp_res wrong_option(struct pp_problem *problem, const char *option, const char *expected,
                           const char *got)
{
    pp_problem_set(problem, option, expected, pp_span_cstr(got));
    return PP_FAIL(PP_E_USAGE, 0);
}

static int is_open_descriptor(struct pp_span text, int *ret)
{
    uint64_t n;

    if (!pp_is_ok(pp_decimal_parse(text, INT32_MAX, &n)) || n < 3 || fcntl((int)n, F_GETFD) < 0)
        return 0;
    *ret = (int)n;
    return 1;
}

#if !PP_RELEASE
#define CLOCK_OPTION "--clock-fd"

/* The clock of a test; not in --help, since it is for nobody else. */
static pp_res take_clock(struct pp_daemon *d, const char *value, struct pp_problem *problem)
{
    int fd = -1;

    if (!is_open_descriptor(pp_span_cstr(value), &fd) ||
        !pp_is_ok(pp_clock_file_follow(fd, &d->clock)))
        return wrong_option(problem, CLOCK_OPTION, "an open file of 8 bytes", value);
    d->events = pp_event_sink_fd(STDERR_FILENO, d->clock);
    return PP_OK;
}
#endif

static int takes_value(const char *name)
{
#if !PP_RELEASE
    if (strcmp(name, CLOCK_OPTION) == 0)
        return 1;
#endif
    return strcmp(name, "--config") == 0 || strcmp(name, "--ready-fd") == 0;
}

static pp_res take_option(struct pp_daemon *d, const char *name, const char *value,
                          struct pp_problem *problem)
{
#if !PP_RELEASE
    if (strcmp(name, CLOCK_OPTION) == 0)
        return take_clock(d, value, problem);
#endif
    if (strcmp(name, "--config") == 0)
        d->config_path = value;
    else if (!is_open_descriptor(pp_span_cstr(value), &d->ready_fd))
        return wrong_option(problem, name, "an open descriptor from 3 on", value);
    return PP_OK;
}

static pp_res read_options(struct pp_daemon *d, int argc, char **argv, struct pp_problem *problem)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            d->check_only = 1;
            continue;
        }
        if (!takes_value(argv[i]))
            return wrong_option(problem, argv[i], "an option that --help lists", "an unknown one");
        if (i + 1 == argc)
            return wrong_option(problem, argv[i], "a value", "nothing");
        PP_TRY(take_option(d, argv[i], argv[i + 1], problem));
        i++;
    }
    if (d->config_path == NULL)
        return wrong_option(problem, "--config", "a file", "nothing");
    return PP_OK;
}

/* --- configuration -------------------------------------------------------------------------- */

pp_res pp_daemon_refuse(struct pp_problem *problem, const char *key, const char *expected,
                        struct pp_span got)
{
    pp_problem_set(problem, key, expected, got);
    return PP_FAIL(PP_E_CONFIG, 0);
}

/*
 * The home becomes the working folder, so that relative paths mean the same before and behind
 * chroot.
 */
static pp_res read_file(struct pp_daemon *d, struct pp_buf *text, struct pp_problem *problem)
{
    char folder[4096];
    char name[4096];

    if (snprintf(folder, sizeof folder, "%s", d->config_path) >= (int)sizeof folder ||
        snprintf(name, sizeof name, "%s", d->config_path) >= (int)sizeof name)
        return wrong_option(problem, "--config", "a shorter path", d->config_path);
    if (chdir(dirname(folder)) != 0)
        return wrong_option(problem, "--config", "a file in a folder that can be entered",
                            d->config_path);
    pp_res r = pp_file_read(AT_FDCWD, basename(name), PP_KV_BYTES_MAX, text);
    if (pp_is_ok(r))
        return PP_OK;
    snprintf(folder, sizeof folder, "%s: %s", d->config_path, pp_file_reason(r));
    return wrong_option(problem, "--config", "a readable file of at most 65536 bytes", folder);
}

static pp_res check_common(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_daemon_config *c = config_of(d);
    struct pp_address a;

    d->is_prod = pp_span_eq(c->environment, PP_STR("prod"));
    if (!d->is_prod && (PP_RELEASE || (!pp_span_eq(c->environment, PP_STR("staging")) &&
                                       !pp_span_eq(c->environment, PP_STR("dev")))))
        return pp_daemon_refuse(problem, "environment",
                                PP_RELEASE ? "prod, as this is a release build"
                                           : COMMON_KEYS[0].expected,
                                c->environment);
#if !PP_RELEASE
    if (d->clock.ctx != NULL && !pp_span_eq(c->environment, PP_STR("dev")))
        return pp_daemon_refuse(problem, "environment", "dev, as " CLOCK_OPTION " is given",
                                c->environment);
#endif
    if (!pp_is_ok(pp_address_parse(c->listen, &a)))
        return pp_daemon_refuse(problem, "listen", COMMON_KEYS[1].expected, c->listen);
    return PP_OK;
}

static pp_res read_config(struct pp_daemon *d, struct pp_buf *text, struct pp_problem *problem)
{
    const struct pp_daemon_program *p = d->program;
    struct pp_kv_key keys[PP_ARRAY_COUNT(COMMON_KEYS) + PP_DAEMON_KEYS_MAX];
    size_t count = 0;

    PP_ASSERT(p->key_count <= PP_DAEMON_KEYS_MAX);
    for (size_t i = 0; i < PP_ARRAY_COUNT(COMMON_KEYS); i++)
        keys[count++] = COMMON_KEYS[i];
    for (size_t i = 0; i < p->key_count; i++)
        keys[count++] = p->keys[i];
    PP_TRY(read_file(d, text, problem));
    pp_res r = pp_kv_read(pp_buf_span(text), keys, count, p->config, problem);
    if (!pp_is_ok(r)) {
        d->config_line = r.detail;
        return r;
    }
    PP_TRY(check_common(d, problem));
    if (p->check != NULL)
        PP_TRY(p->check(d, problem));
    return PP_OK;
}

static void set_defaults(const struct pp_daemon *d)
{
    struct pp_daemon_config *c = config_of(d);

    if (c->listen.len == 0)
        c->listen = PP_STR("127.0.0.1:0");
    if (c->stop_ms == 0)
        c->stop_ms = STOP_MS_DEFAULT;
}

/* --- with all rights ------------------------------------------------------------------------ */

/* Not this machine's, not this user's, in no folder: the configuration is to blame. */
static int is_wrong_address(int e)
{
    return e == EADDRNOTAVAIL || e == EAFNOSUPPORT || e == EACCES || e == EPERM || e == ENOTDIR;
}

pp_res pp_daemon_listen(struct pp_daemon *d, const char *name, struct pp_span address,
                        struct pp_problem *problem, const struct pp_listener **ret)
{
    struct pp_address a;
    char field[32];

    PP_ASSERT(snprintf(field, sizeof field, "listen %s", name) < (int)sizeof field);
    PP_CHECK(d->listener_count < PP_DAEMON_LISTENERS_MAX, PP_E_LIMIT, d->listener_count);
    if (!pp_is_ok(pp_address_parse(address, &a)))
        return pp_daemon_refuse(problem, field, COMMON_KEYS[1].expected, address);
    struct pp_listener *l = &d->listeners[d->listener_count].listener;
    pp_res r = pp_listener_open(&a, l);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, field, "an address where nobody listens and this user may",
                       address);
        if (r.code == PP_E_NOT_FOUND || (r.code == PP_E_SYSTEM && is_wrong_address((int)r.detail)))
            r.code = PP_E_CONFIG;
        return r;
    }
    pp_printable(d->listeners[d->listener_count].name, sizeof d->listeners[0].name,
                 pp_span_cstr(name));
    d->listener_count++;
    *ret = l;
    return PP_OK;
}

pp_res pp_daemon_allow_connect(struct pp_daemon *d, uint16_t port)
{
    PP_CHECK(d->sandbox.connect_port_count < PP_SANDBOX_PORTS_MAX, PP_E_LIMIT, port);
    d->sandbox.connect_ports[d->sandbox.connect_port_count++] = port;
    return PP_OK;
}

pp_res pp_daemon_allow_folder(struct pp_daemon *d, const char *folder)
{
    PP_CHECK(d->sandbox.folder_count < PP_SANDBOX_FOLDERS_MAX, PP_E_LIMIT, PP_SANDBOX_FOLDERS_MAX);
    d->sandbox.folders[d->sandbox.folder_count++] = folder;
    d->sandbox.read_only = 1;
    return PP_OK;
}

/* Descriptors, umask, limits and environment: nothing that the parent left may decide anything. */
static pp_res settle_process(const struct pp_daemon *d)
{
    struct rlimit files;

    PP_TRY(pp_close_others(&d->ready_fd, d->ready_fd >= 0));
    if (d->ready_fd >= 0 && fcntl(d->ready_fd, F_SETFD, FD_CLOEXEC) != 0)
        return pp_errno_res(errno);
    (void)umask(077);
    (void)clearenv();
    (void)signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return PP_OK;
}

static pp_res confine(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_daemon_config *c = config_of(d);
    struct pp_sandbox_report report;
    char user[65] = "";

    if (c->user.len > 0)
        memcpy(user, c->user.at, c->user.len); /* the table's limit is 64 */
    d->sandbox.home = ".";
    d->sandbox.user = user;
    d->sandbox.syscalls = d->program->syscalls;
    d->sandbox.syscall_count = d->program->syscall_count;
    d->sandbox.landlock_optional = !d->is_prod;
    PP_TRY(pp_sandbox_enter(&d->sandbox, problem, &report));
    d->sandbox.user = NULL;
    pp_ev_daemon_confined(&d->events, d->program->party, report.user, report.chroot,
                          report.landlock, report.seccomp);
    return PP_OK;
}

/* --- serving -------------------------------------------------------------------------------- */

static void finish(struct pp_daemon *d, pp_res result)
{
    if (pp_is_ok(d->result))
        d->result = result;
    pp_loop_stop(d->loop);
}

static void begin_stop(struct pp_daemon *d, enum pp_stop_reason reason)
{
    if (d->stopping) {
        finish(d, PP_FAIL(PP_E_CANCELLED, 0)); /* asked twice: at once */
        return;
    }
    d->stopping = 1;
    pp_ev_daemon_stopping(&d->events, d->program->party, reason);
    if (d->program->stop == NULL) {
        finish(d, PP_OK);
        return;
    }
    pp_timer_set(d->stop_timer, (uint32_t)config_of(d)->stop_ms);
    d->program->stop(d);
}

static void on_signal(void *ctx)
{
    begin_stop((struct pp_daemon *)ctx, PP_STOP_REASON_ASKED);
}

static void on_stop_late(void *ctx)
{
    finish((struct pp_daemon *)ctx, PP_FAIL(PP_E_TIMEOUT, 0));
}

void pp_daemon_ready(struct pp_daemon *d)
{
    char text[PP_DAEMON_LISTENERS_MAX * 160 + 16];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    d->is_ready = 1;
    pp_ev_daemon_ready(&d->events, d->program->party, d->listener_count);
    if (d->ready_fd < 0)
        return;
    for (size_t i = 0; i < d->listener_count; i++) {
        char address[PP_ADDRESS_TEXT_MAX];
        pp_address_write(&d->listeners[i].listener.address, address);
        pp_wr_text(&wr, "listen ");
        pp_wr_text(&wr, d->listeners[i].name);
        pp_wr_text(&wr, " ");
        pp_wr_text(&wr, address);
        pp_wr_text(&wr, "\n");
    }
    pp_wr_text(&wr, "ready\n");
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    pp_ignore(pp_fd_write(d->ready_fd, pp_wr_done(&wr)), "whoever asked may have gone");
    (void)close(d->ready_fd);
    d->ready_fd = -1;
}

static void write_totals(void *ctx)
{
    struct pp_daemon *d = (struct pp_daemon *)ctx;

    if (d->http == NULL)
        return;
    const struct pp_http_stats *s = pp_http_server_stats(d->http);
    if (memcmp(s, &d->totals, sizeof *s) != 0)
        pp_ev_http_totals(&d->events, d->program->party, s->answered, s->refused, s->busy, s->late,
                          s->gone);
    d->totals = *s;
    pp_timer_set(d->totals_timer, TOTALS_EVERY_MS);
}

void pp_daemon_count_http(struct pp_daemon *d, const struct pp_http_server *server)
{
    d->http = server;
    pp_timer_set(d->totals_timer, TOTALS_EVERY_MS);
}

void pp_daemon_stopped(struct pp_daemon *d)
{
    finish(d, PP_OK);
}

void pp_daemon_fail(struct pp_daemon *d, pp_res why)
{
    PP_ASSERT(!pp_is_ok(why));
    pp_ev_daemon_stopping(&d->events, d->program->party, PP_STOP_REASON_FAILED);
    finish(d, why);
}

static pp_res make_loop(struct pp_daemon *d)
{
    PP_TRY(pp_loop_new(&d->loop));
    PP_TRY(pp_timer_new(d->loop, on_stop_late, d, &d->stop_timer));
    PP_TRY(pp_timer_new(d->loop, write_totals, d, &d->totals_timer));
    PP_TRY(pp_signal_new(d->loop, SIGTERM, on_signal, d, &d->term));
    return pp_signal_new(d->loop, SIGINT, on_signal, d, &d->interrupt);
}

/* Everything between the configuration and the loop. */
static pp_res start(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_daemon_program *p = d->program;

    PP_TRY(make_loop(d));
    if (p->open != NULL)
        PP_TRY(p->open(d, problem));
    PP_TRY(confine(d, problem));
    return p->serve(d, problem);
}

static void clean_up(struct pp_daemon *d)
{
    write_totals(d);
    if (d->program->close != NULL)
        d->program->close(d);
    for (size_t i = 0; i < d->listener_count; i++)
        pp_listener_done(&d->listeners[i].listener);
    pp_timer_free(d->stop_timer);
    pp_timer_free(d->totals_timer);
    pp_signal_free(d->term);
    pp_signal_free(d->interrupt);
    pp_loop_free(d->loop);
    if (d->ready_fd >= 0)
        (void)close(d->ready_fd);
}

static int run(struct pp_daemon *d, struct pp_problem *problem)
{
    int status = 0;
    pp_res r = start(d, problem);

    if (!pp_is_ok(r)) {
        say_refusal(d, r, problem);
        status = pp_code_class(r.code) == PP_CLASS_USAGE ? EXIT_WRONG : EXIT_FAILED;
        d->result = r;
    } else {
        r = pp_loop_run(d->loop);
        if (pp_is_ok(d->result))
            d->result = r;
        status = pp_is_ok(d->result) ? 0 : EXIT_FAILED;
        if (!pp_is_ok(d->result) && !d->is_ready) /* it never served: a person waits for words */
            say_refusal(d, d->result, problem);
    }
    clean_up(d);
    pp_ev_daemon_stopped(&d->events, d->program->party, d->result.code);
    return status;
}

int pp_daemon_main(const struct pp_daemon_program *program, int argc, char **argv)
{
    struct pp_daemon d = { .program = program, .ready_fd = -1 };
    struct pp_problem problem = { 0 };
    struct pp_buf text = { 0 };

    d.clock = pp_clock_system();
    d.random = pp_random_system();
    d.events = pp_event_sink_fd(STDERR_FILENO, d.clock);
    set_defaults(&d);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        say_help(program);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("%s %s (%s build)\n", program->name, PP_VERSION,
               PP_RELEASE ? "release" : "development");
        return 0;
    }
    pp_res r = read_options(&d, argc, argv, &problem);
    if (pp_is_ok(r))
        r = settle_process(&d);
    if (pp_is_ok(r))
        r = read_config(&d, &text, &problem);
    if (!pp_is_ok(r)) {
        say_refusal(&d, r, &problem);
        pp_buf_done(&text);
        return EXIT_WRONG;
    }
    int status = 0;
    if (!d.check_only) {
        pp_ev_daemon_started(&d.events, program->party);
        status = run(&d, &problem);
    }
    pp_buf_done(&text);
    return status;
}
