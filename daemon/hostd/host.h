/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h: the parts of pp-hostd: it measures and starts one confidential VM, is its secure
 * processor, and passes on what it logs. Development programs only: the secure processor is the
 * simulated one.
 */
#ifndef HOST_H
#define HOST_H

#include "address.h"
#include "daemon.h"
#include "file.h"
#include "sim.h"

enum {
    HOST_PROGRAM_BYTES_MAX = 64 << 20,
    HOST_CONFIG_BYTES_MAX = 4096,
    HOST_HINTS_BYTES_MAX = 65536,
};

/* --- launch.c: from files to a running guest ------------------------------------------------- */

struct host_launch {
    /* What is launched, read once; the same bytes are measured and run. */
    struct pp_span program, firmware, config;
    const char *cmdline; /* measured, and the guest's only argument */
    int listen_fd;       /* frames of gateways; borrowed */
};

/* The running guest, as its host sees it. */
struct host_cvm {
    pid_t pid;     /* 0: none */
    int device_fd; /* the host's end of the secure processor's socket; closing it ends the guest */
    int events_fd; /* the reading end of what it logs */
    int way_fd;    /* the host's end of the guest's way to back-ends */
    struct sim_guest guest; /* measurement, HOST_DATA and policy of its reports */
};

/*
 * Puts the program into a sealed memory file, measures exactly these bytes as the kernel (empty
 * initrd, the command line, one processor), and runs the same file with the descriptors of cvm.h
 * and an empty environment. `policy` is the guest policy of its reports. Before the sandbox.
 */
PP_MUST pp_res host_cvm_start(const struct host_launch *l, uint64_t policy,
                              const struct pp_random *random, struct host_cvm *ret);
void host_cvm_done(struct host_cvm *c); /* closes the descriptors; zero state is fine */

/* --- device.c: the secure processor's side of its socket ------------------------------------- */

struct host_device {
    const struct sim_chip *chip;
    const struct host_cvm *cvm;
    const char *hints_path; /* read for every report */
};

/* Answers the requests that wait on the guest's socket. CLOSED when the guest is gone. */
PP_MUST pp_res host_device_serve(struct host_device *d);

/* --- way.c: connections of the guest to its back-ends ---------------------------------------- */

enum { HOST_BACKENDS = 2 }; /* guard, predictor: as the guest numbers them (daemon/cvmd/cvm.h) */

struct host_way {
    const struct host_cvm *cvm;
    struct pp_address to[HOST_BACKENDS];
    int has[HOST_BACKENDS];
};

/*
 * Answers what waits on the guest's way: a socket that is connecting to the back-end asked for, or
 * that there is none. What passes on it the host does not see but sealed. CLOSED when the guest is
 * gone.
 */
PP_MUST pp_res host_way_serve(struct host_way *w);

/* --- lines.c: what the guest logs ------------------------------------------------------------ */

struct host_lines {
    const struct pp_event_sink *to;
    uint8_t line[PP_EVENT_LINE_MAX];
    size_t len;
    int skipping; /* the rest of a line that is too long */
    uint64_t refused;
};

/* Passes on whole lines that an event of the guest's has, and counts the others. Returns 1 when one
 * of them says that the guest is ready. */
int host_lines_feed(struct host_lines *l, struct pp_span bytes);

#endif
