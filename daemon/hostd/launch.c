/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GUEST_FDS = 5, FD_PARK = 64, CHILD_DIED = 125, PROCESSORS = 1 };

/* Descriptors of the guest, from 2 on (daemon/cvmd/cvm.h). */
struct guest_fds {
    int events, device, listen, config, way;
};

static void shut(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* A file in memory that nobody can change any more, this process included. */
static pp_res sealed_file(const char *name, struct pp_span bytes, int *ret)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return pp_errno_res(errno);
    pp_res r = pp_fd_write(fd, bytes);
    if (pp_is_ok(r) &&
        (lseek(fd, 0, SEEK_SET) != 0 || fchmod(fd, 0500) != 0 ||
         fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0))
        r = pp_errno_res(errno);
    if (!pp_is_ok(r)) {
        shut(&fd);
        return r;
    }
    *ret = fd;
    return PP_OK;
}

/* In the child: the guest's descriptors at 2 to 6, /dev/null at 0 and 1, and nothing else. */
static int place(const struct guest_fds *g)
{
    const int fds[GUEST_FDS] = { g->events, g->device, g->listen, g->config, g->way };
    int parked[GUEST_FDS];

    for (int i = 0; i < GUEST_FDS; i++)
        if ((parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FD_PARK)) < 0)
            return -1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) != 0 || dup2(null, 1) != 1)
        return -1;
    for (int i = 0; i < GUEST_FDS; i++)
        if (dup2(parked[i], 2 + i) != 2 + i)
            return -1;
    return 0;
}

_Noreturn static void become_guest(int program, const char *cmdline, const struct guest_fds *g,
                                   pid_t host)
{
    char name[] = "pp-cvmd";
    char *argv[] = { name, (char *)(uintptr_t)cmdline, NULL };
    char *envp[] = { NULL }; /* constant and empty */
    sigset_t none;
    int fd = fcntl(program, F_DUPFD_CLOEXEC, FD_PARK + GUEST_FDS);

    if (fd < 0 || sigemptyset(&none) != 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != host || place(g) != 0 ||
        close_range(2 + GUEST_FDS, FD_PARK - 1, 0) != 0 ||
        close_range((unsigned)fd + 1, UINT_MAX, 0) != 0)
        _exit(CHILD_DIED);
    (void)fexecve(fd, argv, envp);
    _exit(CHILD_DIED);
}

static pp_res run_guest(struct host_cvm *c, int program, const char *cmdline,
                        const struct guest_fds *g)
{
    pid_t host = getpid();
    pid_t pid = fork();

    PP_CHECK(pid >= 0, PP_E_SYSTEM, errno);
    if (pid == 0)
        become_guest(program, cmdline, g, host);
    c->pid = pid;
    return PP_OK;
}

/* What the secure processor knows of a guest for as long as it runs. */
static pp_res measure(const struct host_launch *l, uint64_t policy, const struct pp_random *random,
                      struct sim_guest *ret)
{
    struct sim_guest g = { .policy = policy };

    PP_TRY(sim_measure_launch(l->firmware, l->program, PP_STR(""), pp_span_cstr(l->cmdline),
                              PROCESSORS, g.measurement));
    pp_sha256(l->config, g.host_data);
    PP_TRY(pp_random_fill(random, g.report_id, sizeof g.report_id));
    *ret = g;
    return PP_OK;
}

/* The same of a TDX module: MRCONFIGID is the digest of the configuration, then zeros. */
static pp_res measure_tdx(const struct host_launch *l, uint64_t attributes,
                          struct sim_tdx_guest *ret)
{
    struct sim_tdx_guest g = { .td_attributes = attributes, .xfam = SIM_TDX_XFAM };

    PP_TRY(
        sim_tdx_measure_launch(l->firmware, l->program, PP_STR(""), pp_span_cstr(l->cmdline), &g));
    pp_sha256(l->config, g.mrconfigid);
    *ret = g;
    return PP_OK;
}

static pp_res start(const struct host_launch *l, struct host_cvm *c, struct guest_fds *g,
                    int *program)
{
    int device[2], lines[2], way[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, device) != 0)
        return pp_errno_res(errno);
    c->device_fd = device[0];
    g->device = device[1];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, way) != 0)
        return pp_errno_res(errno);
    c->way_fd = way[0];
    g->way = way[1];
    if (pipe2(lines, O_CLOEXEC) != 0)
        return pp_errno_res(errno);
    c->events_fd = lines[0];
    g->events = lines[1];
    PP_TRY(sealed_file("config", l->config, &g->config));
    PP_TRY(sealed_file("pp-cvmd", l->program, program));
    g->listen = l->listen_fd;
    PP_TRY(run_guest(c, *program, l->cmdline, g));
    if (fcntl(c->device_fd, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(c->way_fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(c->events_fd, F_SETFL, O_NONBLOCK) != 0)
        return pp_errno_res(errno);
    return PP_OK;
}

pp_res host_cvm_start(const struct host_launch *l, uint64_t policy, const struct pp_random *random,
                      struct host_cvm *ret)
{
    struct host_cvm c = { .device_fd = -1, .events_fd = -1, .way_fd = -1 };
    struct guest_fds g = { .events = -1, .device = -1, .listen = -1, .config = -1, .way = -1 };
    int program = -1;

    pp_res r = l->is_tdx ? measure_tdx(l, policy, &c.td) : measure(l, policy, random, &c.guest);
    if (pp_is_ok(r))
        r = start(l, &c, &g, &program);
    shut(&g.events);
    shut(&g.device);
    shut(&g.config);
    shut(&g.way);
    shut(&program);
    if (!pp_is_ok(r)) {
        shut(&c.device_fd);
        shut(&c.way_fd);
        shut(&c.events_fd);
        return r;
    }
    *ret = c;
    return PP_OK;
}

void host_cvm_done(struct host_cvm *c)
{
    if (c->pid == 0)
        return;
    shut(&c->device_fd);
    shut(&c->events_fd);
    shut(&c->way_fd);
}
