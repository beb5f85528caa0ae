/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h: the launch digest that a secure processor computes over a guest, and the ID block that
 * its owner may sign (docs/protocol/snp.md; AMD 56860).
 *
 * Bytes in, bytes out, nothing allocated: whoever publishes or audits a release calls it with the
 * very files that are launched, and the simulated secure processor calls it too.
 */
#ifndef PP_LAUNCH_H
#define PP_LAUNCH_H

#include "hash.h"
#include "result.h"
#include "span.h"

enum {
    PP_LAUNCH_PAGE_BYTES = 4096,
    PP_LAUNCH_DIGEST_BYTES = 48,
    PP_FIRMWARE_BYTES_MAX = 16 << 20,
    PP_FIRMWARE_SECTIONS_MAX = 64,
    PP_FIRMWARE_ENTRIES_MAX = 64,        /* of the footer table */
    PP_LAUNCH_SECTION_PAGES_MAX = 65536, /* of all metadata sections together: 256 MiB */
    PP_LAUNCH_VCPUS_MAX = 4096,
};

/* --- the firmware file ------------------------------------------------------------------------ */

/* Section types of the SNP metadata. */
enum pp_firmware_section_type {
    PP_SECTION_MEM = 1,
    PP_SECTION_SECRETS = 2,
    PP_SECTION_CPUID = 3,
    PP_SECTION_SVSM_CAA = 4,
    PP_SECTION_KERNEL_HASHES = 0x10,
};

struct pp_firmware_section {
    uint32_t gpa, size; /* bytes; both multiples of the page size */
    uint32_t type;      /* one of the above; others are refused */
};

struct pp_firmware {
    struct pp_span file;   /* borrowed */
    uint32_t ap_reset_eip; /* of the SEV-ES reset block; 0: none, as in an SVSM */
    uint32_t svsm_entry;   /* offset in the file where an SVSM starts; 0: it is none */
    uint32_t hashes_gpa;   /* kernel-hashes table; 0: the firmware has none */
    uint32_t hashes_size;  /* bytes */
    struct pp_firmware_section sections[PP_FIRMWARE_SECTIONS_MAX];
    size_t section_count;
};

/*
 * Reads the footer table at the end of a firmware file and the SNP metadata that it points to.
 * FORMAT (not a multiple of 4096, no table, lengths that do not fit, an entry twice, an SVSM that
 * starts outside of its file), MISSING (neither SEV-ES reset block nor SVSM entry, or no SNP
 * metadata), UNSUPPORTED (metadata version, section type), LIMIT.
 */
PP_MUST pp_res pp_firmware_parse(struct pp_span file, struct pp_firmware *ret);

/* --- the digest ------------------------------------------------------------------------------- */

/*
 * They differ in page types, order and the initial register state. SVSM is QEMU with a secure
 * monitor (COCONUT) that starts first and starts the firmware itself.
 */
enum pp_vmm { PP_VMM_QEMU, PP_VMM_EC2, PP_VMM_GCE, PP_VMM_SVSM };

/* "qemu", "ec2", "gce", "svsm" in either case. NOT_FOUND. */
PP_MUST pp_res pp_vmm_by_name(struct pp_span name, enum pp_vmm *ret);

/* What direct boot hashes: SHA-256 of kernel file, initrd file, and command line with its NUL. */
struct pp_kernel_hashes {
    uint8_t kernel[PP_SHA256_BYTES], initrd[PP_SHA256_BYTES], cmdline[PP_SHA256_BYTES];
};

/* Kernel and initrd as whole files; `cmdline` without its terminating zero, which is added here. */
void pp_kernel_hashes_of(struct pp_span kernel, struct pp_span initrd, struct pp_span cmdline,
                         struct pp_kernel_hashes *ret);

/* The page that the VMM writes for the firmware, the table at `offset` in it. RANGE: does not fit.
 */
PP_MUST pp_res pp_kernel_hashes_page(const struct pp_kernel_hashes *hashes, size_t offset,
                                     uint8_t ret[PP_LAUNCH_PAGE_BYTES]);

struct pp_launch {
    const struct pp_firmware *firmware;
    const uint8_t *firmware_digest; /* 48 bytes: LD after the firmware pages; NULL: computed */
    const struct pp_kernel_hashes *hashes; /* NULL: no direct boot */
    uint32_t vcpus;                        /* 1..PP_LAUNCH_VCPUS_MAX */
    uint32_t vcpu_sig;       /* CPUID 1 EAX of the CPU model; not used by EC2 and GCE */
    uint64_t guest_features; /* SEV_FEATURES: 0x1 SNP alone, 0x21 with DebugSwap; SVSM: 0x1 */
    enum pp_vmm vmm;
    const struct pp_firmware *svsm; /* SVSM alone: the monitor's file */
    uint32_t vars_bytes;            /* SVSM alone: UEFI variables, between monitor and firmware */
};

/*
 * The launch digest, MEASUREMENT of the report. MISSING: a kernel is given but the firmware has no
 * place for its hashes (never measured without them), or the file that starts has no entry point.
 * RANGE (vcpus, vars_bytes), FORMAT (hashes table outside its section), LIMIT (too many pages).
 */
PP_MUST pp_res pp_launch_measure(const struct pp_launch *launch,
                                 uint8_t ret[PP_LAUNCH_DIGEST_BYTES]);

/* The modes before SNP. Their digests say less, and no report of ours carries one. */
enum pp_sev_mode { PP_SEV, PP_SEV_ES };

/*
 * The launch digest of those: SHA-256 of the firmware file, the kernel-hashes table, and with
 * SEV-ES the processors' first states. Only QEMU, EC2 and GCE. MISSING as above, RANGE (vcpus),
 * UNSUPPORTED (SVSM).
 */
PP_MUST pp_res pp_launch_measure_sev(const struct pp_launch *launch, enum pp_sev_mode mode,
                                     uint8_t ret[PP_SHA256_BYTES]);

/* LD after the firmware pages alone, which may be published in the file's place. */
void pp_launch_firmware_digest(const struct pp_firmware *firmware,
                               uint8_t ret[PP_LAUNCH_DIGEST_BYTES]);

/* CPUID 1 EAX from family, model and stepping; from the name of a QEMU model ("EPYC-v4"):
 * NOT_FOUND. */
uint32_t pp_vcpu_signature(uint32_t family, uint32_t model, uint32_t stepping);
PP_MUST pp_res pp_vcpu_signature_by_name(struct pp_span name, uint32_t *ret);

/* --- the ID block ----------------------------------------------------------------------------- */

enum { PP_ID_BLOCK_BYTES = 96, PP_ID_KEY_BYTES = 0x404, PP_ID_SIGNATURE_BYTES = 512 };

struct pp_id_block {
    uint8_t launch_digest[PP_LAUNCH_DIGEST_BYTES];
    uint8_t family_id[16], image_id[16];
    uint32_t guest_svn;
    uint64_t policy;
};

PP_MUST pp_res pp_id_block_parse(struct pp_span bytes, struct pp_id_block *ret); /* FORMAT */
void pp_id_block_write(const struct pp_id_block *b, uint8_t ret[PP_ID_BLOCK_BYTES]);

/* AMD's structure of a P-384 public key, from 04 || X || Y (97 bytes, else KEY). */
PP_MUST pp_res pp_id_key_write(struct pp_span point, uint8_t ret[PP_ID_KEY_BYTES]);

/* ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of the report: SHA-384 of that structure. */
PP_MUST pp_res pp_id_key_digest(struct pp_span point, uint8_t ret[PP_LAUNCH_DIGEST_BYTES]);

/* The signature structure (R, S little-endian, zeros) over `message`. FORMAT, KEY, SIGNATURE. */
PP_MUST pp_res pp_id_signature_verify(struct pp_span point, struct pp_span message,
                                      struct pp_span signature);

#endif
