/* SPDX-License-Identifier: Apache-2.0 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"
#include "sev_guest.h"

enum {
    FDS_MAX = 8,
    FD_FIRST = 3,      /* of those that a process keeps */
    FD_PARK = 64,      /* where descriptors stand while they are sorted */
    USER_BASE = 61440, /* users of nobody: one a kind, so that none can touch another */
};

/* --- namespaces ------------------------------------------------------------------------------ */

/* An empty folder that cannot be written becomes the root. */
static int empty_root(void)
{
    const unsigned long closed = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", "/proc", "tmpfs", closed, "size=4k,nr_inodes=1,mode=0500") != 0 ||
        chdir("/proc") != 0)
        return -1;
    /* In an initramfs the root cannot be moved away; chroot leaves it behind as well as it can. */
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        if (umount2(".", MNT_DETACH) != 0)
            return -1;
    } else if (chroot(".") != 0) {
        return -1;
    }
    return chdir("/") != 0 || mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | closed, NULL) != 0
               ? -1
               : 0;
}

pp_res cvm_leave_world(int *ret)
{
    int all = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

    *ret = 0;
    if (geteuid() != 0)
        all |= CLONE_NEWUSER;
    if (unshare(all) != 0)
        return PP_OK;
    /*
     * Some systems give a user namespace and no right to mount in it, and inside a chroot the root
     * is no mount point (EINVAL): Landlock then stands alone.
     */
    if (empty_root() != 0 && errno != EPERM && errno != EACCES && errno != EINVAL)
        return pp_errno_res(errno);
    *ret = 1;
    return PP_OK;
}

/* --- rights ---------------------------------------------------------------------------------- */

static pp_res limit_to(int resource, rlim_t soft_and_hard)
{
    const struct rlimit l = { soft_and_hard, soft_and_hard };

    PP_CHECK(setrlimit((__rlimit_resource_t)resource, &l) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

static pp_res set_limits(enum cvm_kind kind)
{
    struct rlimit files;

    PP_TRY(limit_to(RLIMIT_CORE, 0));
    PP_TRY(limit_to(RLIMIT_FSIZE, 0));
    PP_CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0, PP_E_SYSTEM, errno);
    PP_TRY(limit_to(RLIMIT_NOFILE, files.rlim_max));
    if (kind != CVM_KIND_SUPERVISOR)
        PP_TRY(limit_to(RLIMIT_NPROC, 0));
    return PP_OK;
}

static pp_res become_nobody(enum cvm_kind kind, struct cvm_walls *walls)
{
    uid_t id = USER_BASE + (uid_t)kind;

    /* The supervisor stays: it gives each child its user; and who ends it stays with it. Elsewhere
     * there is nobody to become. */
    if (geteuid() != 0 || kind == CVM_KIND_SUPERVISOR || kind == CVM_KIND_WAITER)
        return PP_OK;
    if (kind == CVM_KIND_REPORTER_TSM)
        return PP_OK; /* the kernel's folder is root's, and without rights root is who owns it */
    PP_CHECK(setgroups(0, NULL) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(setresgid(id, id, id) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(setresuid(id, id, id) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(setuid(0) != 0, PP_E_SYSTEM, EPERM);
    walls->user = 1;
    return PP_OK;
}

static pp_res drop_rights(enum cvm_kind kind)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct keep[2] = { { 0 } };

    /* What the supervisor needs to shut its children in, and no more. */
    if (kind == CVM_KIND_SUPERVISOR && geteuid() == 0)
        keep[0].permitted = keep[0].effective = 1U << CAP_SETUID | 1U << CAP_SETGID |
                                                1U << CAP_KILL;
    PP_CHECK(syscall(SYS_capset, &header, keep) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, PP_E_SYSTEM, errno);
    PP_CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, PP_E_SYSTEM, errno);
    int on_parents_end = kind == CVM_KIND_SUPERVISOR || kind == CVM_KIND_WAITER ? 0 : SIGKILL;
    PP_CHECK(prctl(PR_SET_PDEATHSIG, on_parents_end, 0, 0, 0) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}

/* What is beneath the folder at FD_FIRST can be made, opened and removed. */
static int leave_folder(int ruleset)
{
    const struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                          LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR,
        .parent_fd = FD_FIRST,
    };

    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* Every right that this kernel's Landlock knows is handled, and none is given but to the reporter
 * that works in a folder. */
static pp_res shut_files(enum cvm_kind kind, struct cvm_walls *walls)
{
    struct {
        uint64_t fs, net, scoped;
    } r = { (1 << 13) - 1, 0, 0 };
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version <= 0)
        return PP_OK;
    if (version >= 2)
        r.fs |= 1 << 13;
    if (version >= 3)
        r.fs |= 1 << 14;
    if (version >= 4)
        r.net = 3;
    if (version >= 5)
        r.fs |= 1 << 15;
    if (version >= 6)
        r.scoped = 1; /* abstract unix sockets; signals stay the supervisor's */
    int fd = (int)syscall(SYS_landlock_create_ruleset, &r,
                          version < 4   ? (size_t)8
                          : version < 6 ? (size_t)16
                                        : sizeof r,
                          0);
    PP_CHECK(fd >= 0, PP_E_SYSTEM, errno);
    long done = kind == CVM_KIND_REPORTER_TSM ? leave_folder(fd) : 0;
    if (done == 0)
        done = syscall(SYS_landlock_restrict_self, fd, 0);
    int e = errno;
    (void)close(fd);
    PP_CHECK(done == 0, PP_E_SYSTEM, e);
    walls->landlock = (uint32_t)version;
    return PP_OK;
}

/* --- system calls ---------------------------------------------------------------------------- */

#ifdef PP_SANITIZE

static pp_res filter_calls(enum cvm_kind kind, struct cvm_walls *walls)
{
    (void)kind;
    (void)walls;
    return PP_OK;
}

#else

/* Memory, time, chance, bytes on open descriptors, the end. */
static const int EVERY[] = {
    SCMP_SYS(read),         SCMP_SYS(write),
    SCMP_SYS(close),        SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),      SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),      SCMP_SYS(poll),
    SCMP_SYS(ppoll),        SCMP_SYS(brk),
    SCMP_SYS(munmap),       SCMP_SYS(mremap),
    SCMP_SYS(madvise),      SCMP_SYS(mlock),
    SCMP_SYS(mlock2),       SCMP_SYS(munlock),
    SCMP_SYS(getrandom),    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(futex),
    SCMP_SYS(getpid),       SCMP_SYS(gettid),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield),  SCMP_SYS(sysinfo), /* qsort(3) asks for the memory's size */
};

static const int CHANNEL[] = {
    SCMP_SYS(getuid),       SCMP_SYS(geteuid),       SCMP_SYS(getgid),     SCMP_SYS(getegid),
    SCMP_SYS(accept),       SCMP_SYS(accept4),       SCMP_SYS(shutdown),   SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),  SCMP_SYS(getsockopt),    SCMP_SYS(setsockopt), SCMP_SYS(fcntl),
    SCMP_SYS(readv),        SCMP_SYS(writev),        SCMP_SYS(epoll_ctl),  SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),  SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2),   SCMP_SYS(pipe2),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(clock_getres),  SCMP_SYS(fstat),      SCMP_SYS(newfstatat),
};

static const int ATTESTER[] = {
    SCMP_SYS(setsockopt), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
};

static const int WORKER[] = { SCMP_SYS(setitimer) };

static const int REPORTER_TSM[] = { SCMP_SYS(openat), SCMP_SYS(mkdirat), SCMP_SYS(unlinkat) };

static const int WAITER[] = { SCMP_SYS(wait4), SCMP_SYS(kill) };

/* Making children and shutting them in; theirs are narrower. */
static const int SUPERVISOR[] = {
    SCMP_SYS(clone),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
    SCMP_SYS(kill),
    SCMP_SYS(prctl),
    SCMP_SYS(seccomp),
    SCMP_SYS(capset),
    SCMP_SYS(setgroups),
    SCMP_SYS(setresgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(prlimit64),
    SCMP_SYS(setrlimit),
    SCMP_SYS(getrlimit),
    SCMP_SYS(close_range),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(signalfd4),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
};

static int allow(scmp_filter_ctx f, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* A negative number is a call that this machine does not have. */
        int r = calls[i] < 0 ? 0 : seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
        if (r != 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

#define ALLOW(f, list) allow((f), (list), PP_ARRAY_COUNT(list))

/* Reports, with and without what the host attaches. No derived key, which the device makes too. */
static int allow_reports(scmp_filter_ctx f)
{
    const scmp_datum_t calls[] = { CVM_SEV_GET_REPORT, CVM_SEV_GET_EXT_REPORT };
    int r = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(calls) && r == 0; i++)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2, SCMP_A0(SCMP_CMP_EQ, FD_FIRST),
                             SCMP_A1(SCMP_CMP_EQ, calls[i]));
    return r;
}

static int allow_kind(scmp_filter_ctx f, enum cvm_kind kind)
{
    switch (kind) {
    case CVM_KIND_CHANNEL:
        return ALLOW(f, CHANNEL);
    case CVM_KIND_ATTESTER:
        return ALLOW(f, ATTESTER);
    case CVM_KIND_WORKER:
        return ALLOW(f, WORKER);
    case CVM_KIND_WAITER:
        return ALLOW(f, WAITER);
    case CVM_KIND_REPORTER_SEV:
        return allow_reports(f);
    case CVM_KIND_REPORTER_TSM:
        return ALLOW(f, REPORTER_TSM);
    case CVM_KIND_SUPERVISOR:
        break;
    }
    int r = ALLOW(f, SUPERVISOR);
    if (r == 0)
        r = ALLOW(f, CHANNEL);
    if (r == 0)
        r = ALLOW(f, ATTESTER);
    return r == 0 ? ALLOW(f, WORKER) : r;
}

/* abort(3) signals its own process. Children inherit the supervisor's list besides their own, so it
 * has room for theirs; it can signal them anyhow. */
static int allow_abort(scmp_filter_ctx f, enum cvm_kind kind)
{
    if (kind == CVM_KIND_SUPERVISOR)
        return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A2(SCMP_CMP_EQ, SIGABRT));
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()),
                            SCMP_A2(SCMP_CMP_EQ, SIGABRT));
}

/* Pairs for its children, of the two kinds that ipc.h knows. Nobody makes another socket. */
static int allow_pairs(scmp_filter_ctx f)
{
    const scmp_datum_t type = UINT32_MAX & ~(scmp_datum_t)SOCK_CLOEXEC;
    const scmp_datum_t types[] = { SOCK_STREAM, SOCK_SEQPACKET };
    int r = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(types) && r == 0; i++)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2,
                             SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
                             SCMP_A1(SCMP_CMP_MASKED_EQ, type, types[i]));
    return r;
}

/* Calls with some arguments only: no memory is ever made executable. */
static int allow_some(scmp_filter_ctx f, enum cvm_kind kind)
{
    int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0)
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0)
        r = allow_abort(f, kind);
    if (r == 0 && kind == CVM_KIND_SUPERVISOR)
        r = allow_pairs(f);
    if (r == 0) /* glibc tries it first, and takes no for an answer */
        r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return r;
}

static pp_res filter_calls(enum cvm_kind kind, struct cvm_walls *walls)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int r = f == NULL ? -ENOMEM : ALLOW(f, EVERY);

    if (r == 0)
        r = allow_kind(f, kind);
    if (r == 0)
        r = allow_some(f, kind);
    if (r == 0)
        r = seccomp_load(f);
    if (f != NULL)
        seccomp_release(f);
    PP_CHECK(r == 0, PP_E_SYSTEM, -r);
    walls->seccomp = 1;
    return PP_OK;
}

#endif

pp_res cvm_confine(enum cvm_kind kind, struct cvm_walls *ret)
{
    struct cvm_walls walls = { 0 };

    PP_TRY(set_limits(kind));
    PP_TRY(become_nobody(kind, &walls));
    PP_TRY(drop_rights(kind)); /* behind the change of user, which resets "dumpable" */
    PP_TRY(shut_files(kind, &walls));
    PP_TRY(filter_calls(kind, &walls)); /* last: it forbids what the others needed */
    *ret = walls;
    return PP_OK;
}

/* --- descriptors ----------------------------------------------------------------------------- */

/*
 * The end of a pipe that nobody writes to. What the guest was started with stands there else, and
 * that is the host's choice: the kernel gives its first process the console.
 */
static pp_res shut_standard(void)
{
    int pipe_fds[2];

    PP_CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0, PP_E_SYSTEM, errno);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        PP_CHECK(dup2(pipe_fds[0], fd) == fd, PP_E_SYSTEM, errno);
    return PP_OK; /* the caller closes the other end with all that it does not keep */
}

pp_res cvm_keep_only(const int *fds, size_t count)
{
    int parked[FDS_MAX];

    PP_ASSERT(count <= FDS_MAX);
    for (size_t i = 0; i < count; i++) {
        parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FD_PARK);
        PP_CHECK(parked[i] >= 0, PP_E_SYSTEM, errno);
    }
    PP_TRY(shut_standard());
    for (size_t i = 0; i < count; i++)
        PP_CHECK(dup2(parked[i], FD_FIRST + (int)i) == FD_FIRST + (int)i, PP_E_SYSTEM, errno);
    PP_CHECK(close_range(FD_FIRST + (unsigned)count, UINT_MAX, 0) == 0, PP_E_SYSTEM, errno);
    return PP_OK;
}
