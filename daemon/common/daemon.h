/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon.h: the life of every daemon: command line, configuration, rights, readiness, the end.
 *
 *     pp-relayd --config FILE [--ready-fd N] [--check]
 *     pp-relayd --help | --version
 *
 * The folder of FILE is the daemon's home: its working folder, what its relative paths mean, and
 * all that it can reach once it serves. The environment is not consulted, and emptied.
 *
 * What happens, in this order, and which of the author's functions run:
 *
 *     options; close inherited descriptors; umask 077; read FILE by the table     exit 2 if wrong
 *     check     values that the table cannot judge; --check ends behind it        exit 2
 *     open      with all rights: keys, stores' folders, listeners, clients
 *     (sandbox) user, chroot, capabilities, Landlock, system calls                see sandbox.h
 *     serve     servers, threads, stores; pp_daemon_ready now or later
 *     ...       the loop
 *     stop      SIGTERM or SIGINT: take nothing new, then pp_daemon_stopped
 *     close     free everything; also after a failure of open or serve: zero state is fine
 *
 * A refusal is said on standard error, a line each: party and what, file and line (of a wrong
 * configuration), field, expected, got, reason (of the system), do. The exit status is 2 when the
 * configuration or a taken port is to blame, else 1. While it
 * serves, a daemon says nothing but events. The end is status 0, or 1 if `stop` took longer than
 * `stop_ms` or pp_daemon_fail was called.
 *
 * With --ready-fd the daemon writes, when it is ready, a line "listen NAME ADDRESS" for each
 * listener (with the port that was chosen), then "ready", to that descriptor, and closes it. It
 * closes without "ready" if the daemon ends before.
 *
 * In a development build, and never in prod, `--clock-fd N` is the clock of a test
 * (clock_file.h): the daemon and the processes that it forks live at its time.
 *
 * daemon/common/test/echod.c is a whole daemon on less than two screens.
 */
#ifndef PP_DAEMON_H
#define PP_DAEMON_H

#include "env.h"
#include "events.h"
#include "kv.h"
#include "net.h"
#include "sandbox.h"

enum {
    PP_DAEMON_LISTENERS_MAX = 4,
    PP_DAEMON_KEYS_MAX = 56, /* of its own; the common ones come on top */
};

/* The first member of every daemon's configuration, filled from the keys of the same names. */
struct pp_daemon_config {
    struct pp_span listen; /* [127.0.0.1:0] see address.h */
    struct pp_span user;   /* [] see sandbox.h; empty: stay who we are */
    struct pp_span
        environment;  /* mandatory: prod, staging or dev; a release build takes prod alone */
    uint64_t stop_ms; /* [10000] for a clean end */
};

struct pp_daemon;

struct pp_daemon_program {
    const char *name; /* "pp-relayd" */
    const char *what; /* one line for --help */
    enum pp_party party;
    const struct pp_kv_key *keys; /* its own, offsets into `config` */
    size_t key_count;
    void *config; /* starts with a struct pp_daemon_config; holds the defaults of its own keys */
    const int *syscalls; /* beyond those of sandbox.h */
    size_t syscall_count;

    /* Any may be NULL but `serve`. `problem` is for the words of a refusal; its field is a key. */
    pp_res (*check)(struct pp_daemon *d, struct pp_problem *problem);
    pp_res (*open)(struct pp_daemon *d, struct pp_problem *problem);
    pp_res (*serve)(struct pp_daemon *d, struct pp_problem *problem);
    void (*stop)(struct pp_daemon *d); /* NULL: stopped at once */
    void (*close)(struct pp_daemon *d);
};

/* What the functions get. Public members are for reading; `check` may put a sink in front of
 * `events`. */
struct pp_daemon {
    const struct pp_daemon_program *program;
    struct pp_loop *loop; /* from `open` on */
    struct pp_event_sink events;
    struct pp_clock clock;
    struct pp_random random;
    int is_prod;    /* the environment is prod */
    int check_only; /* nothing follows `check`, which may look at files too then */

    /* Private. */
    struct {
        char name[16];
        struct pp_listener listener;
    } listeners[PP_DAEMON_LISTENERS_MAX];
    size_t listener_count;
    struct pp_sandbox sandbox;
    const char *config_path;
    uint32_t config_line; /* where the configuration is wrong; 0: no line, or not known */
    int ready_fd;         /* -1: none, or told already */
    int stopping;
    int is_ready;
    pp_res result;
    struct pp_signal *term, *interrupt;
    struct pp_timer *stop_timer, *totals_timer;
    const struct pp_http_server *http;
    uint64_t totals_told; /* what the last HTTP_TOTALS stood for */
};

/* The whole of main(). Returns the exit status. */
int pp_daemon_main(const struct pp_daemon_program *program, int argc, char **argv);

/* --- for `open` ----------------------------------------------------------------------------- */

/*
 * Listens on `address` (text of a configuration value); `name` stands in the ready lines. The
 * listener is the daemon's and stays open until behind `close`. PORT_TAKEN, CONFIG (no address),
 * LIMIT, SYSTEM.
 */
PP_MUST pp_res pp_daemon_listen(struct pp_daemon *d, const char *name, struct pp_span address,
                                struct pp_problem *problem, const struct pp_listener **ret);

/* Lets the sandbox connect to this TCP port. LIMIT. */
PP_MUST pp_res pp_daemon_allow_connect(struct pp_daemon *d, uint16_t port);

/*
 * Lets the process read this folder (of the home), with all below it; from the first call on, what
 * was not named so is out of reach, and nothing is written. The text is borrowed until `serve`.
 * LIMIT.
 */
PP_MUST pp_res pp_daemon_allow_folder(struct pp_daemon *d, const char *folder);

/* For `check` and `open`: a value of the configuration is wrong. Returns CONFIG. */
PP_MUST pp_res pp_daemon_refuse(struct pp_problem *problem, const char *key, const char *expected,
                                struct pp_span got);

/* --- for `serve` and callbacks -------------------------------------------------------------- */

/* The daemon answers now: tells the ready descriptor and the events. Once. */
void pp_daemon_ready(struct pp_daemon *d);

/*
 * Writes HTTP_TOTALS of `server` every ten minutes if enough happened (totals.h), and at the end.
 * For one server per daemon, made in `serve` and freed in `close`.
 */
void pp_daemon_count_http(struct pp_daemon *d, const struct pp_http_server *server);

/* What `stop` began is finished: the loop ends. */
void pp_daemon_stopped(struct pp_daemon *d);

/* Something that cannot be survived: the loop ends, the exit status is 1. */
void pp_daemon_fail(struct pp_daemon *d, pp_res why);

#endif
