/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-cvmd: the confidential VM's program. Started by its host with four descriptors, the measured
 * command line as its only argument, and nothing else (cvm.h, docs/protocol/cvm.md).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "crypto.h"
#include "cvm.h"
#include "file.h"
#include "ipc.h"

static int help(void)
{
    printf("pp-cvmd: runs inside a confidential VM: TLS, Evidence and inference for sessions\n\n"
           "It is started by pp-hostd, or by the kernel of its image, and not by hand:\n"
           "  argument      the measured command line, pp.role=orchestrator\n"
           "  descriptor 2  a pipe for events (docs/events.md)\n"
           "  descriptor 3  the secure processor\n"
           "  descriptor 4  a listening socket for frames of gateways\n"
           "  descriptor 5  the measured configuration\n"
           "The environment is not consulted.\n");
    return EXIT_SUCCESS;
}

static pp_res read_config(struct pp_buf *bytes, struct pp_span cmdline, struct pp_problem *problem,
                          struct cvm_config *ret)
{
    char path[32];
    int fd = CVM_FD_CONFIG;

    PP_ASSERT(snprintf(path, sizeof path, "/proc/self/fd/%d", fd) < (int)sizeof path);
    PP_TRY(pp_file_read(-1, path, PP_EVIDENCE_CONFIG_BYTES_MAX, bytes));
    cvm_close(&fd);
    return cvm_config_parse(pp_buf_span(bytes), cmdline, problem, ret);
}

/* The first process outside of the new process namespace: passes its end on. */
static int wait_for(pid_t inner)
{
    int status;

    while (waitpid(inner, &status, 0) != inner) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static pid_t inner_pid;

/* Ending process 1 of a namespace ends all that is in it. */
static void end_inner(int number)
{
    (void)number;
    (void)kill(inner_pid, SIGKILL);
}

static int run(const struct cvm_config *config, const struct pp_event_sink *events)
{
    int apart = 0;

    if (!pp_is_ok(cvm_leave_world(&apart)))
        return EXIT_FAILURE;
    if (!apart)
        return cvm_supervisor_main(config, events);
    inner_pid = fork();
    if (inner_pid < 0)
        return EXIT_FAILURE;
    if (inner_pid == 0) {
        /* No parent, no machine. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
            return EXIT_FAILURE;
        return cvm_supervisor_main(config, events);
    }
    struct sigaction ending = { .sa_handler = end_inner };
    if (sigaction(SIGTERM, &ending, NULL) != 0 || sigaction(SIGINT, &ending, NULL) != 0)
        return EXIT_FAILURE;
    return wait_for(inner_pid);
}

int main(int argc, char **argv)
{
    struct pp_buf bytes = { 0 };
    struct pp_problem problem = { 0 };
    struct cvm_config config;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("pp-cvmd %s (%s build)\n", PP_VERSION, PP_RELEASE ? "release" : "development");
        return EXIT_SUCCESS;
    }
    /* Constant and empty: nothing that was not measured decides anything (W13). */
    if (clearenv() != 0 || argc != 2)
        return EXIT_FAILURE;
    const struct pp_event_sink events = pp_event_sink_fd(CVM_FD_EVENTS, pp_clock_system());
    pp_ev_daemon_started(&events, PP_PARTY_CVM);
    pp_res r = pp_crypto_init();
    if (pp_is_ok(r))
        r = read_config(&bytes, pp_span_cstr(argv[1]), &problem, &config);
    if (!pp_is_ok(r)) {
        pp_ev_daemon_stopped(&events, PP_PARTY_CVM, r.code);
        return EXIT_FAILURE;
    }
    return run(&config, &events);
}
