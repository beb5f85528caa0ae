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
    uint32_t ap_reset_eip; /* of the SEV-ES reset block */
    uint32_t hashes_gpa;   /* kernel-hashes table; 0: the firmware has none */
    uint32_t hashes_size;  /* bytes */
    struct pp_firmware_section sections[PP_FIRMWARE_SECTIONS_MAX];
    size_t section_count;
};

/*
 * Reads the footer table at the end of a firmware file and the SNP metadata that it points to.
 * FORMAT (not a multiple of 4096, no table, lengths that do not fit, an entry twice), MISSING (no
 * SEV-ES reset block or no SNP metadata), UNSUPPORTED (metadata version, section type), LIMIT.
 */
PP_MUST pp_res pp_firmware_parse(struct pp_span file, struct pp_firmware *ret);

/* --- the digest ------------------------------------------------------------------------------- */

/* They differ in page types, order and the initial register state. */
enum pp_vmm { PP_VMM_QEMU, PP_VMM_EC2, PP_VMM_GCE };

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
    uint64_t guest_features; /* SEV_FEATURES: 0x1 SNP alone, 0x21 with DebugSwap */
    enum pp_vmm vmm;
};

/*
 * The launch digest, MEASUREMENT of the report. MISSING: a kernel is given but the firmware has no
 * place for its hashes (never measured without them). RANGE (vcpus), FORMAT (hashes table outside
 * its section), LIMIT (too many pages).
 */
PP_MUST pp_res pp_launch_measure(const struct pp_launch *launch,
                                 uint8_t ret[PP_LAUNCH_DIGEST_BYTES]);

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
