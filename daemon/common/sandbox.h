/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h: giving up rights, for good: user, root folder, capabilities, new privileges, file
 * access, TCP, system calls. Called once, with everything opened and bound, before the first byte
 * from outside is read and before threads are made.
 *
 * What a process can do afterwards: use the descriptors it has; read and write files below its
 * home (and run none); connect to the TCP ports it named; make threads. A system call outside the
 * list kills it (SIGSYS). Core dumps and ptrace are off.
 *
 * Sanitizer builds (PP_SANITIZE) leave the system call filter out, because the sanitizers'
 * runtime makes calls of its own, and leave /proc readable for the leak check, which does not
 * happen behind a change of root folder. The report tells.
 */
#ifndef PP_SANDBOX_H
#define PP_SANDBOX_H

#include "problem.h"
#include "result.h"

enum { PP_SANDBOX_PORTS_MAX = 16, PP_SANDBOX_SYSCALLS_MAX = 64, PP_SANDBOX_FOLDERS_MAX = 8 };

struct pp_sandbox {
    /* The folder that stays reachable, with all below it. NULL: no file at all. */
    const char *home;

    /*
     * With any: these alone stay reachable, with all below them, in place of the whole home (they
     * are named as they are behind the change of root folder). For a process that shares its home
     * with one whose keys it must not read. What is no folder is passed over.
     */
    const char *folders[PP_SANDBOX_FOLDERS_MAX];
    size_t folder_count;
    uint32_t read_only; /* 1: nothing in these folders is changed or made */

    /* 1: no socket is made, connected or accepted: the descriptors it has are its world. */
    uint32_t no_network;

    /*
     * "UID", "UID:GID" (decimal) or a name of the system's list; only root can change. The new
     * user gets no other group, and `home` becomes the root folder. NULL or "": the process stays
     * who it is, and where it is root its capabilities are taken away all the same.
     */
    const char *user;

    /*
     * TCP ports to connect to, where Landlock can tell (version 4, Linux 6.7); binding is
     * refused.
     */
    uint16_t connect_ports[PP_SANDBOX_PORTS_MAX];
    size_t connect_port_count;

    /* System calls beyond the base list, as SCMP_SYS or SYS_ numbers. */
    const int *syscalls;
    size_t syscall_count; /* up to PP_SANDBOX_SYSCALLS_MAX */

    /* 1: go on where the kernel has no Landlock; the report tells. Never for a production party. */
    uint32_t landlock_optional;
};

/* Which walls stand; for an event. */
struct pp_sandbox_report {
    uint32_t user;     /* 1: another user now */
    uint32_t chroot;   /* 1: home is the root folder */
    uint32_t landlock; /* version of the kernel's Landlock that is in force; 0: none */
    uint32_t seccomp;  /* 1: the filter is in force */
};

/*
 * CONFIG (the user is unknown, or we are not root), SYSTEM (a wall could not be built; detail =
 * errno) with the words in `problem`. After a failure the process must end: some walls may stand.
 */
PP_MUST pp_res pp_sandbox_enter(const struct pp_sandbox *s, struct pp_problem *problem,
                                struct pp_sandbox_report *ret);

/*
 * Closes every descriptor from 3 on that is not in `keep`, and opens /dev/null for a missing
 * 0..2.
 */
PP_MUST pp_res pp_close_others(const int *keep, size_t keep_count);

#endif
