/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.h: a disk that fails, and a process that is killed, at one chosen call that changes files.
 *
 * For programs that are linked with faults_link_args of tests/harness/meson.build: our own calls
 * go through here then (those of other libraries do not). Include it in exactly one file.
 */
#ifndef PP_FAULTS_H
#define PP_FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_KILL_BEFORE, /* SIGKILL in place of the call */
    FAULT_KILL_AFTER,  /* SIGKILL when the kernel has done it */
    FAULT_KILL_TORN,   /* of a write, the first half is done; else as AFTER */
    FAULT_KINDS_OF_KILLS,
};

/*
 * `calls` counts; at the call `kill_at` it dies; from `fail_from` on, `fail_count` calls fail. Or
 * they are chosen when a file gets the name `behind`: the next call fails, and it dies
 * `kill_behind` calls later.
 */
static struct faults {
    unsigned long calls;
    enum fault_kind kind;
    unsigned long kill_at;
    unsigned long fail_from, fail_count;
    int error;
    unsigned long failed;
    const char *behind;
    unsigned long kill_behind;
} faults;

/* 1: the call fails with errno; 0: it is to be done. May not return. */
static inline int fault_before(void)
{
    faults.calls++;
    if (faults.calls == faults.kill_at && faults.kind == FAULT_KILL_BEFORE)
        (void)raise(SIGKILL);
    if (faults.fail_from == 0 || faults.calls < faults.fail_from ||
        faults.calls - faults.fail_from >= faults.fail_count)
        return 0;
    faults.failed++;
    errno = faults.error;
    return 1;
}

static inline void fault_after(void)
{
    if (faults.calls == faults.kill_at && faults.kind != FAULT_NONE)
        (void)raise(SIGKILL);
}

#define FAULT_EXPORT __attribute__((visibility("default")))

#define FAULT_WRAP(type, name, parameters, arguments)                                              \
    type __real_##name parameters;                                                                 \
    FAULT_EXPORT type __wrap_##name parameters;                                                    \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (fault_before())                                                                        \
            return -1;                                                                             \
        type done = __real_##name arguments;                                                       \
        int e = errno;                                                                             \
        fault_after();                                                                             \
        errno = e;                                                                                 \
        return done;                                                                               \
    }

FAULT_WRAP(int, fsync, (int fd), (fd))
FAULT_WRAP(int, fdatasync, (int fd), (fd))
FAULT_WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAULT_WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
FAULT_WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
FAULT_WRAP(int, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b))
int __real_renameat2(int from, const char *a, int to, const char *b, unsigned flags);
FAULT_EXPORT int __wrap_renameat2(int from, const char *a, int to, const char *b, unsigned flags);
int __wrap_renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
    if (fault_before())
        return -1;
    int done = __real_renameat2(from, a, to, b, flags);
    int e = errno;
    if (done == 0 && faults.behind != NULL && strcmp(b, faults.behind) == 0) {
        faults.fail_from = faults.calls + 1;
        faults.fail_count = 1;
        faults.kill_at = faults.calls + 1 + faults.kill_behind;
        faults.behind = NULL;
    }
    fault_after();
    errno = e;
    return done;
}

ssize_t __real_write(int fd, const void *bytes, size_t len);
FAULT_EXPORT ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (fault_before())
        return -1;
    int torn = faults.calls == faults.kill_at && faults.kind == FAULT_KILL_TORN;
    ssize_t n = __real_write(fd, bytes, torn ? len / 2 : len);
    int e = errno;
    fault_after();
    errno = e;
    return n;
}

/* Only the calls that make a file count. Its name is openat64 where file offsets have 64 bits. */
#define FAULT_WRAP_OPENAT(name)                                                                    \
    int __real_##name(int dir, const char *path, int flags, ...);                                  \
    FAULT_EXPORT int __wrap_##name(int dir, const char *path, int flags, ...);                     \
    int __wrap_##name(int dir, const char *path, int flags, ...)                                   \
    {                                                                                              \
        va_list arguments;                                                                         \
        if ((flags & O_CREAT) == 0)                                                                \
            return __real_##name(dir, path, flags);                                                \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        if (fault_before())                                                                        \
            return -1;                                                                             \
        int fd = __real_##name(dir, path, flags, mode);                                            \
        int e = errno;                                                                             \
        fault_after();                                                                             \
        errno = e;                                                                                 \
        return fd;                                                                                 \
    }

FAULT_WRAP_OPENAT(openat)
FAULT_WRAP_OPENAT(openat64)

#endif
