/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox_int.h"

#ifdef PP_SANITIZE

pp_res pp_seccomp_enter_(const struct pp_sandbox *s, struct pp_problem *problem,
                         struct pp_sandbox_report *report)
{
    (void)s;
    (void)problem;
    (void)report;
    return PP_OK;
}

#else

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What a loop, a store, a client and glibc need on x86-64 and arm64. No execve, no new sockets of
 * other families, no executable memory, no signals to others, no rights to change: those are
 * below, or absent.
 */
static const int BASE[] = {
    /* Files; where they may be is Landlock's part. */
    SCMP_SYS(openat),
    SCMP_SYS(close),
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(fcntl),
    SCMP_SYS(flock),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchown), /* SQLite as root: a journal is its database's owner's */
    SCMP_SYS(link),   /* lib/store: a new file appears whole */
    SCMP_SYS(linkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(umask),
    SCMP_SYS(dup),
    SCMP_SYS(dup3),
    /* Memory. */
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
    SCMP_SYS(msync),
    /* Sockets that exist, and the loop. */
    SCMP_SYS(shutdown),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2),
    /* Time, chance, threads, signals to ourselves, the end. */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getrandom),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

static const int NETWORK[] = { SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect) };

static int allow_each(scmp_filter_ctx filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* A negative number is a call that this machine's kernel does not have. */
        int r = calls[i] < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        if (r != 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/*
 * Calls that are harmless with some arguments only. Sockets are streams: where they may connect to
 * is Landlock's part, which knows TCP alone, so a datagram could leave for anywhere (names are
 * resolved before the walls stand, and nobody logs over a socket).
 */
static int allow_some(scmp_filter_ctx filter, const struct pp_sandbox *s)
{
    const int families[] = { AF_UNIX, AF_INET, AF_INET6 };
    const scmp_datum_t type = UINT32_MAX & ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
    const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    int r = 0;

#define ALLOW(call, count, ...)                                                                    \
    if (r == 0)                                                                                    \
    r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(call), count, __VA_ARGS__)
    for (size_t i = 0; i < PP_ARRAY_COUNT(families) && !s->no_network; i++) {
        ALLOW(socket, 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
              SCMP_A1(SCMP_CMP_MASKED_EQ, type, SOCK_STREAM));
    }
    ALLOW(socketpair, 2, SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
          SCMP_A1(SCMP_CMP_MASKED_EQ, type, SOCK_STREAM));
    ALLOW(mmap, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    ALLOW(mprotect, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    ALLOW(clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
    ALLOW(ioctl, 1, SCMP_A1(SCMP_CMP_EQ, FIONBIO));
    ALLOW(prctl, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    ALLOW(prlimit64, 1, SCMP_A2(SCMP_CMP_EQ, 0));                   /* asks, changes nothing */
    ALLOW(tgkill, 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())); /* abort(3) */
#undef ALLOW
    /* glibc asks for these and takes no for an answer: clone3's flags cannot be seen from here. */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_EQ, TCGETS));
    return r;
}

pp_res pp_seccomp_enter_(const struct pp_sandbox *s, struct pp_problem *problem,
                         struct pp_sandbox_report *report)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int r = filter == NULL ? -ENOMEM : allow_each(filter, BASE, PP_ARRAY_COUNT(BASE));

    if (r == 0 && !s->no_network)
        r = allow_each(filter, NETWORK, PP_ARRAY_COUNT(NETWORK));
    if (r == 0)
        r = allow_some(filter, s);
    if (r == 0)
        r = allow_each(filter, s->syscalls, s->syscall_count);
    if (r == 0)
        r = seccomp_load(filter);
    if (filter != NULL)
        seccomp_release(filter);
    if (r != 0) {
        pp_problem_set(problem, "system call filter", "to install it", pp_span_cstr(strerror(-r)));
        return PP_FAIL(PP_E_SYSTEM, -r);
    }
    report->seccomp = 1;
    return PP_OK;
}

#endif
