/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h: how a guest has its own kernel make reports: two interfaces of Linux behind one of
 * ours.
 *
 *     configfs-tsm      the folder /sys/kernel/config/tsm/report (Linux 6.7 and later): SEV-SNP and
 *                       TDX. Documentation/ABI/testing/configfs-tsm-report
 *     /dev/sev-guest    the device (Linux 5.19 and later): SEV-SNP alone.
 *                       Documentation/virt/coco/sev-guest.rst
 *
 * Both block for as long as the secure processor takes. That is why a process of its own asks them
 * (reporter.c), and speaks sp.h to the attester, as the simulated secure processor does: the
 * attester waits for none of the three.
 */
#ifndef CVM_REPORT_H
#define CVM_REPORT_H

#include <sys/types.h>

#include "evidence.h"
#include "result.h"
#include "sp.h"

enum {
    CVM_CERT_TABLE_BYTES_MAX = 16384, /* SEV_FW_BLOB_MAX_SIZE of the kernel */
    CVM_REPORT_RETRY_MS = 5000,       /* how long a busy device is asked again */
};

/* What kind of device a descriptor is, which says how it is asked. */
enum cvm_device {
    CVM_DEVICE_SOCKET = 1, /* sp.h: the simulated secure processor */
    CVM_DEVICE_SEV_GUEST,  /* a character device */
    CVM_DEVICE_TSM,        /* a folder */
};

/*
 * Finds out, and whether it goes with the platform that the measured configuration names: simulated
 * platforms have sockets, sev-snp has either interface of the kernel, tdx the folder. UNSUPPORTED;
 * SYSTEM.
 */
PP_MUST pp_res cvm_device_find(int fd, enum pp_platform platform, enum cvm_device *ret);

/* What the kernel does for us; tests have their own. Calls return as Linux's do, with errno. */
struct cvm_kernel {
    int (*open_at)(void *ctx, int folder_fd, const char *name, int flags);
    ssize_t (*read)(void *ctx, int fd, void *buf, size_t len);
    ssize_t (*write)(void *ctx, int fd, const void *buf, size_t len);
    int (*close)(void *ctx, int fd);
    int (*make_folder)(void *ctx, int folder_fd, const char *name);
    int (*remove_folder)(void *ctx, int folder_fd, const char *name);
    int (*control)(void *ctx, int fd, unsigned long request, void *arg); /* ioctl(2) */
    uint64_t (*mono_ms)(void *ctx);
    void (*pause)(void *ctx, int ms);
    void *ctx;
};

struct cvm_kernel cvm_kernel_real(void);

/* A report as the kernel gave it, with the certificate table that the host attached. */
struct cvm_report {
    uint8_t report[PP_SP_REPORT_BYTES_MAX];
    size_t report_len;
    _Alignas(4096) uint8_t table[CVM_CERT_TABLE_BYTES_MAX];
    size_t table_len; /* 0: none */
};

/* One of the two, open. Zero state is closed. */
struct cvm_reporter {
    const struct cvm_kernel *kernel;
    enum cvm_device device;
    int fd;       /* the device, or the folder; borrowed */
    int entry_fd; /* our own entry in the folder */
};

/*
 * Opens it: a device is open already; in the folder an entry of ours is made, which must say that
 * it makes reports for `platform`, and stays for as long as the guest runs. MISMATCH (another
 * provider), SYSTEM, CLOSED (there is none).
 */
PP_MUST pp_res cvm_reporter_open(struct cvm_reporter *r, const struct cvm_kernel *kernel,
                                 enum cvm_device device, int fd, enum pp_platform platform);

/*
 * One report over 64 bytes, at privilege level 0. A device that is busy is asked again for up to
 * CVM_REPORT_RETRY_MS, as is one whose report may be over somebody else's bytes. BUSY (still),
 * LIMIT (a report or a table that is too large), FORMAT (no report), CLOSED (there will be no
 * report any more), SYSTEM (detail: errno, or the firmware's status above 0x10000). On failure
 * `*ret` holds anything.
 */
PP_MUST pp_res cvm_reporter_ask(struct cvm_reporter *r,
                                const uint8_t report_data[PP_SP_REPORT_DATA_BYTES],
                                struct cvm_report *ret);

/* What the host attached, in the certificate table (snp_table.h): the chip's certificate and the
 * hints of pp-wire 4, each empty when it is not there. */
struct cvm_attached {
    struct pp_span vcek, hints;
};

/* Reads a table; an empty one attaches nothing. Nothing of it is trusted, and a malformed one is
 * refused as a whole: as snp_table.h says, and LIMIT (a part that is too large). */
PP_MUST pp_res cvm_attached_parse(struct pp_span table, struct cvm_attached *ret);

enum {
    CVM_HINTS_MS = 2000, /* how long a host is waited for, which does nothing but read a file */
    CVM_HOST_ANSWER_BYTES_MAX = 1 + PP_SP_HINTS_BYTES_MAX,
};

/*
 * A TDX quote has no table, so the host is asked on a packet socket of its own (report_hints.c):
 *
 *     request   01
 *     answer    01 || hints of pp-wire 4
 *
 * `*ret` borrows from `buf`; nothing of it is trusted. TIMEOUT, LIMIT, FORMAT, BUSY: it gave none
 * this time. CLOSED: it is gone. SYSTEM.
 */
PP_MUST pp_res cvm_host_hints(int fd, int patience_ms, uint8_t buf[CVM_HOST_ANSWER_BYTES_MAX],
                              struct pp_span *ret);

/*
 * The process (reporter.c): answers the attester on `attester_fd` until it is gone, or the device
 * is, or the host at `hints_fd` (-1: it attaches its hints to reports). Its exit status.
 */
int cvm_reporter_main(enum pp_platform platform, const struct cvm_kernel *kernel,
                      enum cvm_device device, int device_fd, int attester_fd, int hints_fd);

#endif
