/* SPDX-License-Identifier: Apache-2.0 */
/* How a daemon starts: its command line, its configuration, and what is said of either. */
#include "daemon_int.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if !PP_RELEASE
#include "clock_file.h"
#endif
#include "text.h"

enum { STOP_MS_DEFAULT = 10000, STOP_MS_MAX = 600000 };

static const struct pp_kv_key COMMON_KEYS[] = {
    { "environment", PP_KV_TEXT, offsetof(struct pp_daemon_config, environment), 1, 1, 8,
      "prod, staging or dev" },
    { "listen", PP_KV_TEXT, offsetof(struct pp_daemon_config, listen), 0, 1, PP_ADDRESS_TEXT_MAX,
      PP_DAEMON_LISTEN_FORM_ },
    { "user", PP_KV_TEXT, offsetof(struct pp_daemon_config, user), 0, 0, 64,
      "UID, UID:GID or a user of this machine to become (started as root)" },
    { "stop_ms", PP_KV_U64, offsetof(struct pp_daemon_config, stop_ms), 0, 1, STOP_MS_MAX,
      "milliseconds for a clean end, at most 600000" },
};

struct pp_daemon_config *pp_daemon_config_(const struct pp_daemon *d)
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
void pp_daemon_say_refusal_(const struct pp_daemon *d, pp_res r, const struct pp_problem *problem)
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

void pp_daemon_say_help_(const struct pp_daemon_program *p)
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

pp_res pp_daemon_read_options_(struct pp_daemon *d, int argc, char **argv,
                               struct pp_problem *problem)
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
    const struct pp_daemon_config *c = pp_daemon_config_(d);
    struct pp_address a;

    d->is_prod = pp_span_eq(c->environment, PP_STR("prod"));
    if (!d->is_prod && (PP_RELEASE || (!pp_span_eq(c->environment, PP_STR("staging")) &&
                                       !pp_span_eq(c->environment, PP_STR("dev")))))
        return pp_daemon_refuse(problem, "environment",
                                PP_RELEASE ? "prod, as this is a release build"
                                           : COMMON_KEYS[0].expected,
                                c->environment);
#if !PP_RELEASE
    if (d->clock.ctx != NULL && d->is_prod)
        return pp_daemon_refuse(problem, "environment",
                                "dev or staging, as " CLOCK_OPTION " is given", c->environment);
#endif
    if (!pp_is_ok(pp_address_parse(c->listen, &a)))
        return pp_daemon_refuse(problem, "listen", COMMON_KEYS[1].expected, c->listen);
    return PP_OK;
}

pp_res pp_daemon_read_config_(struct pp_daemon *d, struct pp_buf *text, struct pp_problem *problem)
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

void pp_daemon_set_defaults_(const struct pp_daemon *d)
{
    struct pp_daemon_config *c = pp_daemon_config_(d);

    if (c->listen.len == 0)
        c->listen = PP_STR("127.0.0.1:0");
    if (c->stop_ms == 0)
        c->stop_ms = STOP_MS_DEFAULT;
}
