/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpu.h: attestation reports of NVIDIA GPUs (docs/protocol/gpu.md): SPDM 1.1 GET_MEASUREMENTS
 * request and MEASUREMENTS response, as the GPU's firmware signs them.
 *
 * Bytes in, values out; nothing is believed here (gpu_verify.h). Allocates nothing; any thread.
 */
#ifndef PP_GPU_H
#define PP_GPU_H

#include "hash.h"
#include "problem.h"
#include "wr.h"
#include "x509.h"

enum {
    PP_GPU_NONCE_BYTES = 32,
    PP_GPU_HASH_BYTES = 48, /* of a measurement and of a FWID */
    PP_GPU_BLOCKS_MAX = 64, /* measurements of a report; their indexes go from 0 to 63 here */
    PP_GPU_REPORT_BYTES_MAX = 16384,
    PP_GPU_OPAQUE_BYTES_MAX = 8192,
    PP_GPU_TEXT_BYTES_MAX = 32, /* of a version or a chip's name, final NUL included */
    PP_GPU_SIGNATURE_INT_BYTES = 48,
};

/* Types of opaque fields. What is not listed is known to the vendor and not used here. */
enum pp_gpu_field {
    PP_GPU_FIELD_DRIVER_VERSION = 3,
    PP_GPU_FIELD_VBIOS_VERSION = 6,
    PP_GPU_FIELD_NVDEC0_STATUS = 11,
    PP_GPU_FIELD_BOARD_ID = 14,
    PP_GPU_FIELD_CHIP_SKU = 15,
    PP_GPU_FIELD_CHIP_SKU_MOD = 16,
    PP_GPU_FIELD_PROJECT = 17,
    PP_GPU_FIELD_PROJECT_SKU = 18,
    PP_GPU_FIELD_PROJECT_SKU_MOD = 19,
    PP_GPU_FIELD_FWID = 20,
    PP_GPU_FIELD_PROTECTED_PCIE_STATUS = 21,
    PP_GPU_FIELD_FEATURE_FLAG = 36,
    PP_GPU_FIELDS = 37, /* types from here on are counted and not kept */
};

enum { PP_GPU_ENABLED = 0xAA, PP_GPU_DISABLED = 0x55 }; /* one-byte states in opaque fields */

/*
 * A report. What a field says is given beside the field, in the form in which it is compared; a
 * report without the field has zero there.
 */
struct pp_gpu_report {
    uint8_t nonce[PP_GPU_NONCE_BYTES]; /* of the request: what the asker chose */
    uint8_t responder_nonce[PP_GPU_NONCE_BYTES];
    uint64_t present; /* bit i: runtime measurement i (block index i + 1) is there */
    size_t block_count;
    uint8_t value_types[PP_GPU_BLOCKS_MAX]; /* DMTF measurement value type */
    uint8_t measurements[PP_GPU_BLOCKS_MAX][PP_GPU_HASH_BYTES];

    size_t opaque_len;
    struct pp_span fields[PP_GPU_FIELDS]; /* by type; borrowed from the report; empty: absent */
    size_t unknown_fields;                /* of types that are not kept */
    char driver[PP_GPU_TEXT_BYTES_MAX];   /* "550.90.07" */
    char vbios[PP_GPU_TEXT_BYTES_MAX];    /* "96.00.9F.00.01" */
    uint8_t nvdec0;                       /* PP_GPU_ENABLED or _DISABLED; 0: absent */
    uint8_t protected_pcie;               /* likewise */
    int has_fwid, has_feature_flag;
    uint8_t fwid[PP_GPU_HASH_BYTES];
    uint16_t feature_flag; /* 0 SPT, 1 MPT, 2 PPCIE */

    uint8_t r[PP_GPU_SIGNATURE_INT_BYTES], s[PP_GPU_SIGNATURE_INT_BYTES]; /* big-endian */
    size_t signed_len; /* the signature covers this many bytes from the report's first */
};

/*
 * Reads a report (DMTF DSP0274 1.1, sections GET_MEASUREMENTS and MEASUREMENTS). The signature is
 * found by the lengths in front of it, never from the end; behind it only zeros may stand. The
 * spans of `*ret` borrow from `bytes`. GPU_FORMAT; `problem` (may be NULL) says where.
 */
PP_MUST pp_res pp_gpu_report_parse(struct pp_span bytes, struct pp_gpu_report *ret,
                                   struct pp_problem *problem);

/*
 * Writes a report: the measurements that are `present`, the `fields` in the order of their types, r
 * and s. `*ret_signed_len` is what a signature has to cover; the texts and numbers beside `fields`
 * are not looked at. NO_SPACE, RANGE (a length).
 */
PP_MUST pp_res pp_gpu_report_write(struct pp_wr *wr, const struct pp_gpu_report *r,
                                   size_t *ret_signed_len);

/* "96.00.9F.00.01" of the 8 bytes of an opaque VBIOS_VERSION. */
void pp_gpu_vbios_text(const uint8_t bytes[8], char ret[PP_GPU_TEXT_BYTES_MAX]);

/*
 * The nonce of pp-wire 7: SHA-256("pp-gpu-nonce-v1" || 00 || fresh || u32le index), where `fresh`
 * is what the guest drew and `index` counts its GPUs from 0.
 */
void pp_gpu_nonce(const uint8_t fresh[PP_GPU_NONCE_BYTES], uint32_t index,
                  uint8_t ret[PP_GPU_NONCE_BYTES]);

/*
 * The firmware id that a leaf certificate carries, SHA-384: of the extension 2.23.133.5.4.1.1, else
 * of 2.23.133.5.4.1. Two encodings are read: the RIoT CompositeDeviceID of Hopper, whose last field
 * is the FWID, and the DICE TcbInfo of later chips, whose first fwid counts. GPU_FWID.
 */
PP_MUST pp_res pp_gpu_cert_fwid(const struct pp_x509 *leaf, uint8_t ret[PP_GPU_HASH_BYTES]);
PP_MUST pp_res pp_gpu_fwid_parse(struct pp_span extension, uint8_t ret[PP_GPU_HASH_BYTES]);

/*
 * Compares versions of parts that are divided by dots, number by number: decimal for drivers
 * (`base` 10), hexadecimal for VBIOS texts (16); parts that one text lacks count as 0. Negative, 0
 * or positive in `*ret`. FORMAT: a part that is no number of at most 8 digits, or over 8 parts.
 */
PP_MUST pp_res pp_gpu_version_compare(struct pp_span a, struct pp_span b, int base, int *ret);

#endif
