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
#include "sim_gpu.h"
#include "sim_tdx.h"
#include "sp.h"
#include "sp_gpu.h"

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
    int is_tdx;          /* 1: a TDX module measures it, else a secure processor of SEV-SNP */
    int listen_fd;       /* frames of gateways; borrowed */
};

/* The running guest, as its host sees it. */
struct host_cvm {
    pid_t pid;     /* 0: none */
    int device_fd; /* the host's end of the secure processor's socket; closing it ends the guest */
    int events_fd; /* the reading end of what it logs */
    int way_fd;    /* the host's end of the guest's way to back-ends */
    struct sim_guest guest;  /* measurement, HOST_DATA and policy of its reports */
    struct sim_tdx_guest td; /* the same of a TDX guest's quotes */
};

/*
 * Puts the program into a sealed memory file, measures exactly these bytes as the kernel (empty
 * initrd, the command line, one processor), and runs the same file with the descriptors of cvm.h
 * and an empty environment. `policy` is the guest policy of its reports, of TDX its TDATTRIBUTES.
 * Before the sandbox.
 */
PP_MUST pp_res host_cvm_start(const struct host_launch *l, uint64_t policy,
                              const struct pp_random *random, struct host_cvm *ret);
void host_cvm_done(struct host_cvm *c); /* closes the descriptors; zero state is fine */

/* --- device.c: the secure processor's side of its socket ------------------------------------- */

/* faults.c: what is wrong with it, from its second report on. */
enum host_fault {
    HOST_FAULT_NONE,
    HOST_FAULT_TCB_CLAIM,   /* one patch level more than its certificate */
    HOST_FAULT_PROVISIONAL, /* firmware that is not committed */
    HOST_FAULT_DEBUG,       /* a guest whose memory the host may read */
    HOST_FAULT_OTHER_CHIP,  /* another machine's CHIP_ID */
    HOST_FAULT_UNSIGNED,    /* a signature that does not verify */
    HOST_FAULT_VMPL,        /* another privilege level */
    HOST_FAULT_STALE,       /* over the REPORT_DATA of the request before */
    HOST_FAULT_OTHER_DATA,  /* over another REPORT_DATA */
    HOST_FAULT_TRUNCATED,   /* a byte short */
    HOST_FAULT_NO_HINTS,    /* a report without the host's hints */
    HOST_FAULT_FAILING,     /* no report, ever */
    HOST_FAULT_BUSY,        /* no report, every other time */
    HOST_FAULT_SLOW,        /* HOST_SLOW_MS a report */
    HOST_FAULT_GPU_DEBUG, /* from the first report of its GPU on: firmware that nobody published */
    HOST_FAULT_GPU_NONCE, /* likewise: over another nonce */
};

enum { HOST_SLOW_MS = 1500 };

extern const char HOST_FAULT_NAMES[]; /* "none, tcb-claim, ..." */

PP_MUST pp_res host_fault_find(struct pp_span name, enum host_fault *ret); /* NOT_FOUND */
int host_fault_is_of_tdx(enum host_fault fault);                           /* 0: of SEV-SNP alone */
int host_fault_fails(enum host_fault fault, uint32_t served);
/* Before and behind the signature; `before` is the REPORT_DATA of the last request. */
void host_fault_fill(enum host_fault fault, const uint8_t *before, struct pp_snp_report *report);
void host_fault_fill_tdx(enum host_fault fault, const uint8_t *before, struct pp_tdx_body *body);
/* `signature`: the first byte of it. */
void host_fault_spoil(enum host_fault fault, uint8_t *signature, struct pp_sp_answer *answer);

/* --- gpu.c: the GPU's side of that socket ---------------------------------------------------- */

struct host_gpu {
    struct sim_gpu *gpu; /* NULL: the machine has none */
    const char *folder;  /* of ocsp1.der to ocsp3.der, read for every report */
    enum host_fault fault;
};

/* Answers one question about the GPU: with evidence, or that there is none. */
PP_MUST pp_res host_gpu_answer(const struct host_gpu *g, struct pp_span nonce, int device_fd);

struct host_device {
    const struct sim_chip *chip;
    const struct sim_tdx_platform *platform; /* in its place, of TDX; else NULL */
    const struct host_cvm *cvm;
    const char *hints_path; /* read for every report */
    enum host_fault fault;
    struct host_gpu gpu;
    uint32_t served; /* reports asked for so far */
    uint8_t before[PP_SP_REPORT_DATA_BYTES];
    uint8_t held[PP_SP_REQUEST_BYTES + 1]; /* one that a slow device has not answered yet */
    size_t held_len;                       /* 0: none */
};

/* Answers the requests that wait on the guest's socket; a slow device holds one instead, and the
 * caller releases it HOST_SLOW_MS later. CLOSED when the guest is gone. */
PP_MUST pp_res host_device_serve(struct host_device *d);
PP_MUST pp_res host_device_release(struct host_device *d);

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
