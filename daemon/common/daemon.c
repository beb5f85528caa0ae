/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "totals.h"

enum { TOTALS_EVERY_MS = 600000 };
enum { EXIT_FAILED = 1, EXIT_WRONG = 2 };

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
        return pp_daemon_refuse(problem, field, PP_DAEMON_LISTEN_FORM_, address);
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
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a write that fails */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return PP_OK;
}

static pp_res confine(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_daemon_config *c = pp_daemon_config_(d);
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
    pp_timer_set(d->stop_timer, (uint32_t)pp_daemon_config_(d)->stop_ms);
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

static void write_totals(const struct pp_daemon *d)
{
    const struct pp_http_stats *s = pp_http_server_stats(d->http);

    pp_ev_http_totals(&d->events, d->program->party, s->answered, s->refused, s->busy, s->late,
                      s->gone);
}

static void on_totals(void *ctx)
{
    struct pp_daemon *d = (struct pp_daemon *)ctx;
    const struct pp_http_stats *s = pp_http_server_stats(d->http);
    uint64_t all = s->answered + s->refused + s->busy + s->late + s->gone;

    if (pp_totals_are_due(all, &d->totals_told))
        write_totals(d);
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
    PP_TRY(pp_timer_new(d->loop, on_totals, d, &d->totals_timer));
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
    if (d->http != NULL)
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
        pp_daemon_say_refusal_(d, r, problem);
        status = pp_code_class(r.code) == PP_CLASS_USAGE ? EXIT_WRONG : EXIT_FAILED;
        d->result = r;
    } else {
        r = pp_loop_run(d->loop);
        if (pp_is_ok(d->result))
            d->result = r;
        status = pp_is_ok(d->result) ? 0 : EXIT_FAILED;
        if (!pp_is_ok(d->result) && !d->is_ready) /* it never served: a person waits for words */
            pp_daemon_say_refusal_(d, d->result, problem);
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
    pp_daemon_set_defaults_(&d);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        pp_daemon_say_help_(program);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("%s %s (%s build)\n", program->name, PP_VERSION,
               PP_RELEASE ? "release" : "development");
        return 0;
    }
    pp_res r = pp_daemon_read_options_(&d, argc, argv, &problem);
    if (pp_is_ok(r))
        r = settle_process(&d);
    if (pp_is_ok(r))
        r = pp_daemon_read_config_(&d, &text, &problem);
    if (!pp_is_ok(r)) {
        pp_daemon_say_refusal_(&d, r, &problem);
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
