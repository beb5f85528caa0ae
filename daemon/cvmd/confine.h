/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h: what each process of pp-cvmd can still do: nothing but its own system calls on the
 * descriptors that it was given.
 *
 * Walls, from outside in: a network, mount, process and IPC namespace without anything in it and an
 * empty root folder (where the kernel lets us make them); no capability, no new privilege; a user
 * of its own (where we are root); Landlock without any right; a system call list per kind, outside
 * which the process is killed; no core dump, no ptrace, limits. Sanitizer builds leave the call
 * list out.
 */
#ifndef CVM_CONFINE_H
#define CVM_CONFINE_H

#include <stddef.h>

#include "result.h"

enum cvm_kind {
    CVM_KIND_SUPERVISOR,
    CVM_KIND_CHANNEL,
    CVM_KIND_ATTESTER,
    CVM_KIND_WORKER,
    CVM_KIND_WAITER,       /* outside of the namespaces: waits for the supervisor, and ends it */
    CVM_KIND_REPORTER_SEV, /* calls /dev/sev-guest at descriptor 3 */
    CVM_KIND_REPORTER_TSM, /* uses files in the folder at descriptor 3 */
};

/* Which walls stand; for an event. */
struct cvm_walls {
    uint32_t user;     /* 1: a user of its own */
    uint32_t landlock; /* version of the kernel's Landlock; 0: none */
    uint32_t seccomp;
};

/*
 * Called first of all, once: leaves every namespace, and makes the root folder empty where mounting
 * is allowed. `*ret` 1: done, and only a child is in the new process namespace, so the caller
 * forks; 0: this kernel or its rules do not allow it, and the other walls must do. SYSTEM: it
 * failed half way.
 */
PP_MUST pp_res cvm_leave_world(int *ret);

/* Shuts this process in, for good. SYSTEM: end the process. A reporter's own device is all that it
 * may touch: two calls of the one, one folder for the other, which stays its user's. */
PP_MUST pp_res cvm_confine(enum cvm_kind kind, struct cvm_walls *ret);

/* Puts `fds[i]` at descriptor 3 + i, at 0 to 2 something that gives no byte and takes none, and
 * closes all else. */
PP_MUST pp_res cvm_keep_only(const int *fds, size_t count);

#endif
