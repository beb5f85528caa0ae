/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: starts attester, then channel, then workers, one a session and a few ahead; and
 * ends everything when one of the first two ends. It reads no byte from outside.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "cvm.h"
#include "ipc.h"
#include "packets.h"
#include "rd.h"
#include "report.h"
#include "totals.h"
#include "wr.h"

enum {
    START_MS = 30000,  /* for the attester's check and the channel's listening */
    TOTALS_MS = 60000, /* totals are written no more often */
    CHILD_DIED_CONFINING = 30,
};

struct worker_slot {
    pid_t pid; /* 0: free */
    uint32_t generation;
};

struct supervisor {
    const struct cvm_config *config;
    const struct pp_event_sink *events;
    pid_t attester, channel, reporter; /* reporter 0: the device speaks for itself */
    int attester_fd, channel_fd, signal_fd;
    struct worker_slot workers[CVM_WORKERS_MAX];
    uint32_t alive;  /* workers that run */
    uint32_t handed; /* workers told to the channel since the start */
    uint32_t taken;  /* of them, those that got a session, as the channel says */
    uint64_t answered, unused, refused, broken;
    uint64_t told; /* sessions that the last line stood for */
    uint64_t told_ms;
    struct pp_clock clock;
};

/* --- children -------------------------------------------------------------------------------- */

/* For whoever looks at the list of processes. */
static void set_name(enum cvm_kind kind)
{
    static const char *const NAMES[] = { "pp-cvm-super",  "pp-cvm-channel", "pp-cvm-attest",
                                         "pp-cvm-worker", "pp-cvm-waiter",  "pp-cvm-report",
                                         "pp-cvm-report" };

    (void)prctl(PR_SET_NAME, NAMES[kind], 0, 0, 0);
}

/* Forks; in the child keeps `fds` alone, at 3 and up, and shuts it in. 0 in the child. */
static pp_res start_child(enum cvm_kind kind, const int *fds, size_t count, pid_t *ret)
{
    struct cvm_walls walls;

    *ret = fork();
    PP_CHECK(*ret >= 0, PP_E_SYSTEM, errno);
    if (*ret > 0)
        return PP_OK;
    set_name(kind);
    if (!pp_is_ok(cvm_keep_only(fds, count)) || !pp_is_ok(cvm_confine(kind, &walls)))
        _exit(CHILD_DIED_CONFINING);
    return PP_OK;
}

/*
 * Where the device is the kernel's, a reporter takes it, and leaves in its place the socket over
 * which the attester asks. Before the supervisor shuts itself in, for its children inherit its
 * walls, and this one needs a hole that nobody else has.
 */
static pp_res start_reporter(struct supervisor *s)
{
    const struct cvm_kernel kernel = cvm_kernel_real();
    enum cvm_device device;
    int pair[2];

    PP_TRY(cvm_device_find(CVM_FD_DEVICE, s->config->platform, &device));
    if (device == CVM_DEVICE_SOCKET)
        return PP_OK;
    PP_TRY(cvm_pair(SOCK_SEQPACKET, pair));
    /* Only a quote has no room for what a host attaches. */
    int hints = s->config->platform == PP_PLATFORM_TDX ? CVM_FD_HINTS : -1;
    const int fds[] = { CVM_FD_DEVICE, pair[1], hints };
    PP_TRY(start_child(device == CVM_DEVICE_TSM ? CVM_KIND_REPORTER_TSM : CVM_KIND_REPORTER_SEV,
                       fds, hints < 0 ? 2 : 3, &s->reporter));
    if (s->reporter == 0)
        _exit(cvm_reporter_main(s->config->platform, &kernel, device, 3, 4, hints < 0 ? -1 : 5));
    cvm_close(&pair[1]);
    cvm_close(&hints);
    PP_CHECK(dup2(pair[0], CVM_FD_DEVICE) == CVM_FD_DEVICE, PP_E_SYSTEM, errno);
    cvm_close(&pair[0]);
    return PP_OK;
}

static pp_res start_attester(struct supervisor *s, int device_fd, int channel_side)
{
    int pair[2];

    PP_TRY(cvm_pair(SOCK_SEQPACKET, pair));
    const int fds[] = { device_fd, channel_side, pair[1] };
    PP_TRY(start_child(CVM_KIND_ATTESTER, fds, PP_ARRAY_COUNT(fds), &s->attester));
    if (s->attester == 0)
        _exit(cvm_attester_main(s->config, 3, 4, 5));
    cvm_close(&pair[1]);
    s->attester_fd = pair[0];
    return PP_OK;
}

static pp_res start_channel(struct supervisor *s, int listen_fd, int attester_side, int way_fd)
{
    int pair[2];

    PP_TRY(cvm_pair(SOCK_SEQPACKET, pair));
    const int fds[] = { listen_fd, attester_side, pair[1], way_fd };
    PP_TRY(start_child(CVM_KIND_CHANNEL, fds, PP_ARRAY_COUNT(fds), &s->channel));
    if (s->channel == 0)
        _exit(cvm_channel_main(s->config, 3, 4, 5, 6));
    cvm_close(&pair[1]);
    s->channel_fd = pair[0];
    return PP_OK;
}

static pp_res free_slot(const struct supervisor *s, uint32_t *ret)
{
    for (uint32_t i = 0; i < CVM_WORKERS_MAX; i++) {
        if (s->workers[i].pid != 0)
            continue;
        *ret = i;
        return PP_OK;
    }
    return PP_FAIL(PP_E_BUSY, CVM_WORKERS_MAX);
}

/* Both ends of a new worker's sockets: to the attester first, so that it knows a worker before any
 * session can name it. */
static pp_res hand_over(struct supervisor *s, uint32_t slot, int channel_end, int attester_end)
{
    uint8_t packet[8];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);

    cvm_name_write(&wr, (struct cvm_name){ slot, s->workers[slot].generation });
    PP_TRY(cvm_send(s->attester_fd, pp_wr_done(&wr), attester_end));
    PP_TRY(cvm_send(s->channel_fd, pp_wr_done(&wr), channel_end));
    s->handed++;
    return PP_OK;
}

static pp_res start_worker(struct supervisor *s)
{
    int session[2], key[2];
    uint32_t slot;
    pid_t pid = 0;

    PP_TRY(free_slot(s, &slot));
    PP_TRY(cvm_pair(SOCK_STREAM, session));
    PP_TRY(cvm_pair(SOCK_SEQPACKET, key));
    const int fds[] = { session[1], key[1] };
    PP_TRY(start_child(CVM_KIND_WORKER, fds, PP_ARRAY_COUNT(fds), &pid));
    if (pid == 0)
        _exit(cvm_worker_main(s->config, 3, 4));
    cvm_close(&session[1]);
    cvm_close(&key[1]);
    s->workers[slot].pid = pid;
    s->workers[slot].generation++;
    s->alive++;
    pp_res r = hand_over(s, slot, session[0], key[0]);
    cvm_close(&session[0]);
    cvm_close(&key[0]);
    return r;
}

/* Keeps a few workers ahead of the sessions that take them, up to the table's size and them. */
static pp_res keep_workers(struct supervisor *s)
{
    uint32_t most = s->config->sessions_max + s->config->workers_ready;

    while (s->handed - s->taken < s->config->workers_ready && s->alive < most)
        PP_TRY(start_worker(s));
    return PP_OK;
}

/* --- ends ------------------------------------------------------------------------------------ */

static void count_end(struct supervisor *s, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : CVM_WORKER_BROKEN;

    switch (code) {
    case CVM_WORKER_ANSWERED:
        s->answered++;
        return;
    case CVM_WORKER_UNUSED:
        s->unused++;
        return;
    case CVM_WORKER_UNOPENED:
    case CVM_WORKER_UNREAD:
    case CVM_WORKER_UNATTESTED:
        s->refused++;
        return;
    default:
        s->broken++;
        return;
    }
}

/* A worker's slot is free again; an attester or a channel that ended ends the machine. */
static pp_res reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->attester || pid == s->channel || pid == s->reporter) {
            pp_ev_cvm_process_ended(s->events, pid == s->attester  ? PP_CVM_PROCESS_ATTESTER
                                               : pid == s->channel ? PP_CVM_PROCESS_CHANNEL
                                                                   : PP_CVM_PROCESS_REPORTER);
            int unmeasured = pid == s->attester && WIFEXITED(status) &&
                             WEXITSTATUS(status) == CVM_ATTESTER_UNMEASURED;
            return PP_FAIL(unmeasured ? PP_E_SNP_HOST_DATA : PP_E_CHILD, status);
        }
        for (uint32_t i = 0; i < CVM_WORKERS_MAX; i++) {
            if (s->workers[i].pid != pid)
                continue;
            s->workers[i].pid = 0;
            s->alive--;
            count_end(s, status);
        }
    }
    return PP_OK;
}

static uint64_t sessions(const struct supervisor *s)
{
    return s->answered + s->unused + s->refused + s->broken;
}

static void tell_totals(struct supervisor *s)
{
    uint64_t now = pp_clock_mono_ms(&s->clock);

    if (now - s->told_ms < TOTALS_MS || !pp_totals_are_due(sessions(s), &s->told))
        return;
    s->told_ms = now;
    pp_ev_cvm_sessions(s->events, s->answered, s->unused, s->refused, s->broken);
}

static void kill_all(struct supervisor *s)
{
    const pid_t all[] = { s->channel, s->attester, s->reporter };

    for (size_t i = 0; i < PP_ARRAY_COUNT(all); i++)
        if (all[i] > 0)
            (void)kill(all[i], SIGKILL);
    for (uint32_t i = 0; i < CVM_WORKERS_MAX; i++)
        if (s->workers[i].pid > 0)
            (void)kill(s->workers[i].pid, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

/* --- the loop -------------------------------------------------------------------------------- */

/* 1: asked to end. */
static pp_res take_signals(struct supervisor *s, int *ret_asked)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            *ret_asked = 1;
    return reap(s);
}

static pp_res take_from_channel(struct supervisor *s)
{
    uint8_t packet[8];
    size_t len = 0;

    PP_TRY(cvm_recv(s->channel_fd, packet, sizeof packet, &len, NULL));
    struct pp_rd rd = pp_rd_over(packet, len);
    uint8_t kind = pp_rd_u8(&rd);
    uint32_t taken = pp_rd_u32(&rd);
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(kind == CVM_CHANNEL_TAKEN, PP_E_FORMAT, kind);
    PP_CHECK(taken - s->taken <= s->handed - s->taken, PP_E_FORMAT, taken);
    s->taken = taken;
    return PP_OK;
}

/* A socket that closed: its process is ending, and its status is what counts. */
static pp_res reap_next(struct supervisor *s)
{
    siginfo_t info;

    (void)waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
    return reap(s);
}

static pp_res supervise(struct supervisor *s)
{
    struct pollfd p[] = { { .fd = s->signal_fd, .events = POLLIN },
                          { .fd = s->channel_fd, .events = POLLIN } };
    int asked = 0;

    while (!asked) {
        PP_TRY(keep_workers(s));
        tell_totals(s);
        int wait_ms = sessions(s) > s->told ? TOTALS_MS : -1;
        if (poll(p, PP_ARRAY_COUNT(p), wait_ms) < 0 && errno != EINTR)
            return PP_FAIL(PP_E_SYSTEM, errno);
        if (p[0].revents != 0)
            PP_TRY(take_signals(s, &asked));
        if (p[1].revents == 0)
            continue;
        pp_res r = take_from_channel(s);
        PP_TRY(r.code == PP_E_CLOSED ? reap_next(s) : r);
    }
    return PP_OK;
}

/* --- start ----------------------------------------------------------------------------------- */

/* Waits for a child's one byte; what it says when it ends instead is in its status. */
static pp_res expect(struct supervisor *s, int fd, uint8_t want)
{
    uint8_t got[8];
    size_t len = 0;

    pp_res r = cvm_wait(fd, START_MS);
    if (pp_is_ok(r))
        r = cvm_recv(fd, got, sizeof got, &len, NULL);
    if (pp_is_ok(r) && (len != 1 || got[0] != want))
        r = PP_FAIL(PP_E_FORMAT, len);
    if (r.code == PP_E_CLOSED)
        PP_TRY(reap_next(s));
    return r;
}

static pp_res watch_signals(struct supervisor *s)
{
    sigset_t set;

    PP_CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGCHLD) == 0 &&
                 sigaddset(&set, SIGTERM) == 0 && sigaddset(&set, SIGINT) == 0,
             PP_E_SYSTEM, errno);
    PP_CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0, PP_E_SYSTEM, errno);
    s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    PP_CHECK(s->signal_fd >= 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

static pp_res start_all(struct supervisor *s)
{
    int between[2];
    int device = CVM_FD_DEVICE;
    int listen = CVM_FD_LISTEN;
    int way = CVM_FD_WAY;

    PP_TRY(watch_signals(s));
    PP_TRY(cvm_pair(SOCK_SEQPACKET, between));
    PP_TRY(start_attester(s, device, between[1]));
    cvm_close(&between[1]);
    cvm_close(&device);
    /* Nothing listens before the attester found its configuration measured. */
    PP_TRY(expect(s, s->attester_fd, CVM_ATTESTER_READY));
    PP_TRY(start_channel(s, listen, between[0], way));
    cvm_close(&between[0]);
    cvm_close(&listen);
    cvm_close(&way);
    return expect(s, s->channel_fd, CVM_CHANNEL_LISTENING);
}

int cvm_supervisor_main(const struct cvm_config *c, const struct pp_event_sink *events, int apart)
{
    static struct supervisor s;
    struct cvm_walls walls = { 0 };

    s.config = c;
    s.events = events;
    s.clock = pp_clock_system();
    set_name(CVM_KIND_SUPERVISOR);
    /*
     * The C library looks for a zone's file before it first compares any date, even in UTC, as a
     * worker does with a chip's certificate. Here it finds an empty root, and does not look again.
     */
    tzset();
    pp_res r = start_reporter(&s);
    if (pp_is_ok(r))
        r = cvm_confine(CVM_KIND_SUPERVISOR, &walls);
    if (pp_is_ok(r))
        r = start_all(&s);
    if (pp_is_ok(r))
        r = keep_workers(&s);
    if (pp_is_ok(r)) {
        pp_ev_daemon_confined(events, PP_PARTY_CVM, geteuid() == 0, (uint64_t)apart, walls.landlock,
                              walls.seccomp);
        pp_ev_daemon_ready(events, PP_PARTY_CVM, 1);
        r = supervise(&s);
    }
    kill_all(&s);
    pp_ev_daemon_stopped(events, PP_PARTY_CVM, r.code);
    return pp_is_ok(r) ? EXIT_SUCCESS : EXIT_FAILURE;
}
