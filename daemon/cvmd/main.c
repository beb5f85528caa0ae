/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-cvmd: the confidential VM's program. Started by its host with five descriptors (six on tdx),
 * the measured command line as its only argument, and nothing else (cvm.h, docs/protocol/cvm.md).
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
#include "ipc.h"

static int help(void)
{
    size_t count;
    const struct pp_kv_key *keys = cvm_config_keys(&count);

    printf("pp-cvmd: runs inside a confidential VM: TLS, Evidence and inference for sessions\n\n"
           "It is started by pp-hostd, or by the kernel of its image, and not by hand:\n"
           "  argument      the measured command line, pp.role=orchestrator, predictor or guard\n"
           "  descriptor 2  a pipe for events (docs/events.md)\n"
           "  descriptor 3  the device that reports: a socket, /dev/sev-guest, or the folder\n"
           "                /sys/kernel/config/tsm/report, as the platform says\n"
           "  descriptor 4  a listening socket for frames of gateways\n"
           "  descriptor 5  the measured configuration\n"
           "  descriptor 6  the way to back-ends\n"
           "  descriptor 7  on tdx: a packet socket to the host, for its hints\n"
           "The environment is not consulted. The configuration has one `key = value` a line;\n"
           "docs/protocol/cvm.md says what each means:\n\n");
    for (size_t i = 0; i < count; i++)
        printf("  %-22s %s\n", keys[i].name, keys[i].expected);
    printf("\nIt ends with status 0 when its host lets go of it, and 1 after any failure.\n");
    return EXIT_SUCCESS;
}

/* Reads the file at its descriptor to the end, once; one byte more than the limit tells a longer
 * one. */
static pp_res read_config(uint8_t *bytes, size_t cap, struct pp_span *ret)
{
    int fd = CVM_FD_CONFIG;
    size_t len = 0;

    while (len < cap) {
        ssize_t n = read(fd, bytes + len, cap - len);
        PP_CHECK(n >= 0, PP_E_SYSTEM, n);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    cvm_close(&fd);
    PP_CHECK(len < cap, PP_E_LIMIT, len);
    *ret = pp_span(bytes, len);
    return PP_OK;
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
    struct cvm_walls walls;
    int apart = 0;

    if (!pp_is_ok(cvm_leave_world(&apart)))
        return EXIT_FAILURE;
    if (!apart)
        return cvm_supervisor_main(config, events, 0);
    inner_pid = fork();
    if (inner_pid < 0)
        return EXIT_FAILURE;
    if (inner_pid == 0) {
        /* No parent, no machine. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
            return EXIT_FAILURE;
        return cvm_supervisor_main(config, events, 1);
    }
    struct sigaction ending = { .sa_handler = end_inner };
    if (sigaction(SIGTERM, &ending, NULL) != 0 || sigaction(SIGINT, &ending, NULL) != 0)
        return EXIT_FAILURE;
    /* It has no use for the secure processor, the listener or a right: a number will come. */
    if (!pp_is_ok(cvm_keep_only(NULL, 0)) || !pp_is_ok(cvm_confine(CVM_KIND_WAITER, &walls))) {
        end_inner(SIGTERM);
        return EXIT_FAILURE;
    }
    return wait_for(inner_pid);
}

static pp_res configure(const char *cmdline, const struct pp_event_sink *events,
                        struct cvm_config *ret)
{
    static uint8_t bytes[PP_EVIDENCE_CONFIG_BYTES_MAX + 1];
    struct pp_event_digest digest;
    struct pp_span config;

    PP_TRY(pp_crypto_init());
    PP_TRY(read_config(bytes, sizeof bytes, &config));
    PP_TRY(cvm_config_parse(config, pp_span_cstr(cmdline), NULL, ret));
    memcpy(digest.bytes, ret->digest, sizeof digest.bytes);
    pp_ev_cvm_configured(events, digest);
    return PP_OK;
}

int main(int argc, char **argv)
{
    static struct cvm_config config;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("pp-cvmd %s (%s build)\n", PP_VERSION, PP_RELEASE ? "release" : "development");
        return EXIT_SUCCESS;
    }
    /* Constant and empty: nothing that was not measured decides anything (W13). */
    if (clearenv() != 0 || argc != 2)
        return EXIT_FAILURE;
    (void)prctl(PR_SET_NAME, "pp-cvmd", 0, 0, 0); /* run from memory, it has no name of its own */
    const struct pp_event_sink events = pp_event_sink_fd(CVM_FD_EVENTS, pp_clock_system());
    pp_ev_daemon_started(&events, PP_PARTY_CVM);
    pp_res r = configure(argv[1], &events, &config);
    if (!pp_is_ok(r)) {
        pp_ev_daemon_stopped(&events, PP_PARTY_CVM, r.code);
        return EXIT_FAILURE;
    }
    return run(&config, &events);
}
