/* SPDX-License-Identifier: Apache-2.0 */
/* sev_guest.h: the calls of /dev/sev-guest that we make (Linux, uapi/linux/sev-guest.h). */
#ifndef CVM_SEV_GUEST_H
#define CVM_SEV_GUEST_H

#include <stdint.h>
#include <sys/ioctl.h>

struct cvm_sev_report_req {
    uint8_t user_data[64];
    uint32_t vmpl;
    uint8_t reserved[28];
};

struct cvm_sev_ext_report_req {
    struct cvm_sev_report_req data;
    uint64_t certs_address;
    uint32_t certs_len;
};

struct cvm_sev_request {
    uint8_t msg_version;
    uint64_t req_data, resp_data; /* addresses */
    uint32_t fw_error, vmm_error; /* exitinfo2 */
};

_Static_assert(sizeof(struct cvm_sev_report_req) == 96, "the kernel's layout");
_Static_assert(sizeof(struct cvm_sev_ext_report_req) == 112, "the kernel's layout");
_Static_assert(sizeof(struct cvm_sev_request) == 32, "the kernel's layout");

#define CVM_SEV_GET_REPORT     _IOWR('S', 0, struct cvm_sev_request)
#define CVM_SEV_GET_EXT_REPORT _IOWR('S', 2, struct cvm_sev_request)

enum { CVM_SEV_VMM_INVALID_LEN = 1, CVM_SEV_VMM_BUSY = 2 };

#define CVM_SEV_NO_FIRMWARE_CALL UINT32_C(0xFFFFFFFF)

#endif
