/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim.h: the simulated secure processor. It protects nothing.
 *
 * It makes its own root (ARK), authority (ASK) and chip keys (VCEK), measures the very files that
 * are launched, and signs reports of the genuine format under that root. Its names are clearly not
 * AMD's, its roots stand in no trust file but those of development states, and this library is
 * linked into development programs and tests only. The verifier (lib/attest) treats its evidence as
 * any other: with the simulator's root as anchor it verifies, with AMD's it does not.
 *
 *     struct sim_root *root = NULL;
 *     struct sim_chip *chip = NULL;
 *     sim_root_create(PP_SNP_GENOA, now_s, &root);
 *     sim_root_save(root, AT_FDCWD, "STATE/hostd/root");
 *     struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
 *     sim_chip_create(root, &params, &random, now_s, &chip);      the chip: key, certificate
 *     sim_chip_save(chip, AT_FDCWD, "STATE/hostd/chip");
 *
 *     sim_firmware_make(firmware);
 *     sim_measure_launch(firmware, program, PP_STR(""), cmdline, 1, guest.measurement);
 *     sim_chip_report(chip, &guest, report_data, report);         once per session
 *
 * In-process calls only; who serves them over a socket is a daemon's business. Objects belong to
 * the caller; a chip may report from any thread.
 */
#ifndef SIM_H
#define SIM_H

#include "env.h"
#include "launch.h"
#include "snp.h"

/* The organisation in every name; AMD's certificates say "Advanced Micro Devices". */
#define SIM_ORGANISATION "pp simulated secure processor, protects nothing"

enum { SIM_CERT_BYTES_MAX = 2048, SIM_FIRMWARE_BYTES = 4096, SIM_PATH_BYTES_MAX = 1024 };

/* --- the root --------------------------------------------------------------------------------- */

/* ARK and ASK of one product line: RSA-4096 keys and their certificates. */
struct sim_root;

/* Makes both (about two seconds), valid from `now_s` for ten years. CRYPTO, UNSUPPORTED (line). */
PP_MUST pp_res sim_root_create(enum pp_snp_line line, uint64_t now_s, struct sim_root **ret);

/*
 * Files in the folder `path` under `dir_fd`: ark.der, ask.der, ark.key, ask.key (PKCS#8 DER, mode
 * 0600). Saving makes the folder (0700) if there is none. SYSTEM, DISK_FULL; NOT_FOUND, KEY,
 * FORMAT, MISMATCH (a key that is not the certificate's).
 */
PP_MUST pp_res sim_root_save(const struct sim_root *r, int dir_fd, const char *path);
PP_MUST pp_res sim_root_load(int dir_fd, const char *path, struct sim_root **ret);
void sim_root_free(struct sim_root *r); /* NULL is fine */

enum pp_snp_line sim_root_line(const struct sim_root *r);
struct pp_span sim_root_ark(const struct sim_root *r); /* DER, borrowed */
struct pp_span sim_root_ask(const struct sim_root *r);

/*
 * Adds an authority of VLEKs (ASVK), which another second makes; it is in no file, as fleets have
 * none. STATE: there is one already. Until then sim_root_asvk gives no bytes.
 */
PP_MUST pp_res sim_root_add_asvk(struct sim_root *r, uint64_t now_s);
struct pp_span sim_root_asvk(const struct sim_root *r);

/* The root's revocation list, in force from `now_s` for 30 days, and which authority is on it. */
enum sim_revoked { SIM_REVOKES_NONE, SIM_REVOKES_ASK, SIM_REVOKES_ASVK };
PP_MUST pp_res sim_root_crl(const struct sim_root *r, uint64_t now_s, enum sim_revoked revoked,
                            uint8_t *ret, size_t cap, size_t *ret_len);

/* --- the chip --------------------------------------------------------------------------------- */

/*
 * What a machine is: what its certificate says (line and patch level) and what its reports say.
 * _default gives one that the strict policy accepts; faults change a field.
 */
struct sim_chip_params {
    enum pp_snp_line line;
    struct pp_snp_tcb_parts tcb; /* certified; also reported, committed, current, and at launch */
    uint32_t report_version;     /* 3 for Genoa, 5 for Turin */
    uint8_t cpuid_family, cpuid_model, cpuid_step;
    struct pp_snp_version firmware;
    uint64_t platform_info;
    uint64_t mitigations; /* version 5 */
};

struct sim_chip_params sim_chip_params_default(enum pp_snp_line line); /* Genoa or Turin */

/* A chip's VCEK (P-384) with its certificate, and a HWID drawn from `random`. */
struct sim_chip;

/* Valid from `now_s` for seven years. CRYPTO, RANDOM, MISMATCH (another line than the root's). */
PP_MUST pp_res sim_chip_create(const struct sim_root *root, const struct sim_chip_params *params,
                               const struct pp_random *random, uint64_t now_s,
                               struct sim_chip **ret);

/*
 * The same with a provider's key (VLEK) in the place of the chip's: the certificate names the
 * provider `csp_id` (1 to 63 printable characters, borrowed) and no chip, and the reports say VLEK.
 * STATE: the root has no ASVK.
 */
PP_MUST pp_res sim_chip_create_vlek(const struct sim_root *root,
                                    const struct sim_chip_params *params, const char *csp_id,
                                    const struct pp_random *random, uint64_t now_s,
                                    struct sim_chip **ret);

/*
 * Files in the folder `path`: vcek.der, vcek.key. Loading takes line and patch level from the
 * certificate and the rest from _default of that line; sim_chip_params gives access to it.
 */
PP_MUST pp_res sim_chip_save(const struct sim_chip *c, int dir_fd, const char *path);
PP_MUST pp_res sim_chip_load(int dir_fd, const char *path, struct sim_chip **ret);
void sim_chip_free(struct sim_chip *c); /* NULL is fine */

struct pp_span sim_chip_vcek(const struct sim_chip *c);      /* or VLEK; DER, borrowed */
const uint8_t *sim_chip_id(const struct sim_chip *c);        /* 64 bytes, CHIP_ID of its reports */
struct sim_chip_params *sim_chip_params(struct sim_chip *c); /* borrowed; changes show in reports */

/* --- guests and reports ----------------------------------------------------------------------- */

/* What a launch fixed for a guest. */
struct sim_guest {
    uint8_t measurement[PP_SNP_MEASUREMENT_BYTES];
    uint8_t host_data[PP_SNP_HOST_DATA_BYTES];
    uint64_t policy;
    uint32_t vmpl, guest_svn;
    uint8_t family_id[PP_SNP_ID_BYTES], image_id[PP_SNP_ID_BYTES];
    uint8_t report_id[32]; /* random per guest instance */
};

/* A guest policy that the strict profile accepts. */
#define SIM_GUEST_POLICY                                                                           \
    (PP_SNP_POLICY_MUST_BE_ONE | PP_SNP_POLICY_SINGLE_SOCKET | PP_SNP_POLICY_MEM_AES_256_XTS |     \
     PP_SNP_POLICY_RAPL_DIS | PP_SNP_POLICY_CIPHERTEXT_HIDING | PP_SNP_POLICY_PAGE_SWAP_DISABLE)

/* A whole report, PP_SNP_REPORT_BYTES of it, over the 64 bytes that the guest chose. CRYPTO. */
PP_MUST pp_res sim_chip_report(const struct sim_chip *c, const struct sim_guest *guest,
                               const uint8_t report_data[PP_SNP_REPORT_DATA_BYTES],
                               uint8_t ret[PP_SNP_REPORT_BYTES]);

/* The two halves of it, for faults and tests: fill the fields, change some, sign. */
void sim_chip_fill(const struct sim_chip *c, const struct sim_guest *guest,
                   const uint8_t report_data[PP_SNP_REPORT_DATA_BYTES], struct pp_snp_report *ret);
PP_MUST pp_res sim_chip_sign(const struct sim_chip *c, const struct pp_snp_report *report,
                             uint8_t ret[PP_SNP_REPORT_BYTES]);

/* --- launch ----------------------------------------------------------------------------------- */

/* The simulator's own firmware file: no code, only the tables that measuring reads. Always the
 * same. */
void sim_firmware_make(uint8_t ret[SIM_FIRMWARE_BYTES]);

/*
 * The launch digest of a guest: that firmware (or another file of its kind), the kernel's and
 * initrd's bytes, the command line, `vcpus` processors of model EPYC-Genoa, SEV_FEATURES 1, under
 * QEMU. For a process-level fleet the "kernel" is the program file, and the initrd is empty.
 */
PP_MUST pp_res sim_measure_launch(struct pp_span firmware, struct pp_span kernel,
                                  struct pp_span initrd, struct pp_span cmdline, uint32_t vcpus,
                                  uint8_t ret[PP_LAUNCH_DIGEST_BYTES]);

#endif
