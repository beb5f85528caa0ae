/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpu_verify.h: appraisal of an NVIDIA GPU's evidence: 19 ordered checks against pinned roots, a
 * release's reference values and a policy (docs/protocol/gpu.md).
 *
 * As snp_verify.h: no simulators and no exceptions; a policy in the zero state asks for every check
 * and accepts nothing; skipped is no pass. All structures are the caller's; nothing here allocates
 * but certificates and OCSP answers while they are read. Any thread.
 *
 *     struct pp_gpu_anchors anchors = { 0 };
 *     struct pp_rim driver = { 0 }, vbios = { 0 };
 *     pp_gpu_anchors_add_nvidia(&anchors);
 *     pp_rim_open(&anchors.rims, driver_xml, &driver);           once per file: pp_rim_recall
 *     pp_rim_open(&anchors.rims, vbios_xml, &vbios);
 *     pp_gpu_verify(&anchors, &policy, &evidence, now_s, &checks, &result);     per GPU
 */
#ifndef PP_GPU_VERIFY_H
#define PP_GPU_VERIFY_H

#include "gpu.h"
#include "rim.h"
#include "verdict.h"

/* --- anchors ---------------------------------------------------------------------------------- */

enum { PP_GPU_ROOTS_MAX = 2 };

struct pp_gpu_anchors {
    struct pp_x509 *devices[PP_GPU_ROOTS_MAX]; /* roots of device identities */
    char labels[PP_GPU_ROOTS_MAX][64];
    size_t count;
    struct pp_rim_roots rims;
};

/* Adds NVIDIA's published roots of devices and of RIM files, compiled in. TRUST. */
PP_MUST pp_res pp_gpu_anchors_add_nvidia(struct pp_gpu_anchors *a);

/*
 * Adds a root of devices or of RIM files, DER: a certificate on P-384 that signed itself. TRUST
 * (none such, one that is there already, or one too many); the anchors stay as they were.
 */
PP_MUST pp_res pp_gpu_anchors_add_device(struct pp_gpu_anchors *a, struct pp_span der);
PP_MUST pp_res pp_gpu_anchors_add_rim(struct pp_gpu_anchors *a, struct pp_span der);
void pp_gpu_anchors_done(struct pp_gpu_anchors *a); /* zero state is fine */

/* --- policy ----------------------------------------------------------------------------------- */

/* The checks, by the numbers that receipts and `ppctl verify gpu` print. */
enum pp_gpu_check_number {
    PP_GPU_CHECK_FORMAT = 1,
    PP_GPU_CHECK_NONCE,
    PP_GPU_CHECK_CHAIN,
    PP_GPU_CHECK_ROOT,
    PP_GPU_CHECK_FWID,
    PP_GPU_CHECK_SIGNATURE,
    PP_GPU_CHECK_ARCH,
    PP_GPU_CHECK_MODE,
    PP_GPU_CHECK_DRIVER_VERSION,
    PP_GPU_CHECK_VBIOS_VERSION,
    PP_GPU_CHECK_RIM_SET,
    PP_GPU_CHECK_RIM_FORMAT,
    PP_GPU_CHECK_RIM_DIGEST,
    PP_GPU_CHECK_RIM_SIGNATURE,
    PP_GPU_CHECK_RIM_CHAIN,
    PP_GPU_CHECK_RIM_EXPIRED,
    PP_GPU_CHECK_RIM_CONFLICT,
    PP_GPU_CHECK_MEASUREMENT,
    PP_GPU_CHECK_OCSP,
    PP_GPU_CHECKS = PP_GPU_CHECK_OCSP
};

/* Those that a policy may leave out: what the caller asks, not what the evidence proves. */
#define PP_GPU_SKIPPABLE                                                                           \
    (PP_ATTEST_BIT(PP_GPU_CHECK_NONCE) | PP_ATTEST_BIT(PP_GPU_CHECK_RIM_SET) |                     \
     PP_ATTEST_BIT(PP_GPU_CHECK_OCSP))

/* Chip generations, by the chip's name in the certificates. */
enum pp_gpu_arch { PP_GPU_ARCH_NONE = 0, PP_GPU_HOPPER, PP_GPU_BLACKWELL };

/* How GPUs are given to guests. */
enum pp_gpu_mode {
    PP_GPU_SPT = 0,   /* one GPU for one guest */
    PP_GPU_MPT = 1,   /* several GPUs; on Hopper their links are in clear: always refused there */
    PP_GPU_PPCIE = 2, /* several GPUs behind switches, which this verifier does not appraise */
};

const char *pp_gpu_arch_name(enum pp_gpu_arch arch); /* "hopper" */
const char *pp_gpu_mode_name(enum pp_gpu_mode mode); /* "spt" */

/* One `gpu` row of a release record: files that belong together. */
struct pp_gpu_reference {
    struct pp_span driver, vbios; /* versions as the row spells them; empty: as the files do */
    uint8_t driver_rim[PP_SHA256_BYTES], vbios_rim[PP_SHA256_BYTES];
};

struct pp_gpu_policy {
    const char *name; /* shown as the anchor of what the policy decides; NULL: "policy" */
    uint32_t skip;    /* PP_ATTEST_BIT of each check that is not asked for */
    uint32_t archs;   /* PP_ATTEST_BIT(enum pp_gpu_arch) of each accepted one; check 7 */
    uint32_t modes;   /* PP_ATTEST_BIT(enum pp_gpu_mode) of each accepted one; check 8 */
    const char *driver_min, *vbios_min;        /* "550.90.07"; NULL: none; checks 9 and 10 */
    const struct pp_gpu_reference *references; /* check 11; none: nothing is accepted */
    size_t reference_count;
    const char *reference_anchor; /* NULL: "release record" */
    const uint8_t *nonce;         /* 32 bytes, recomputed by the caller; check 2 */
    const char *nonce_anchor;     /* NULL: "this session" */

    /* Check 19. An answer is at most so old; 0 accepts none. */
    uint64_t ocsp_max_age_s;
    const uint8_t *ocsp_nonce; /* 32 bytes that the answers must repeat; NULL: not asked */
    int rim_status_asked;      /* 1: RIM signers need an answer too. One that says "revoked" counts
                                  in any case */
    int rim_hold_allowed;      /* 1: revoked with reason certificate_hold is fine for RIM signers */
};

/*
 * Deny by default: Hopper alone, one GPU a guest, drivers from 550.90.07, OCSP answers of the last
 * 24 hours. It names no files and no nonce: the caller adds them or says, in `skip`, that it does
 * not ask.
 */
extern const struct pp_gpu_policy PP_GPU_POLICY_STRICT;

/* --- verdict ---------------------------------------------------------------------------------- */

enum {
    PP_GPU_CHAIN = 5, /* certificates of a device, root included */
    PP_GPU_OCSP_MAX = 12,
};

struct pp_gpu_checks {
    struct pp_attest_check rows[PP_GPU_CHECKS]; /* rows[n-1] is check n */
};

const char *pp_gpu_check_name(enum pp_gpu_check_number number); /* "FORMAT" */

/* Everything is borrowed. */
struct pp_gpu_evidence {
    struct pp_span report;
    struct pp_span certs[PP_GPU_CHAIN]; /* DER, leaf first */
    size_t cert_count;
    int root_left_out; /* 1: four certificates, as pp-wire 7 sends them, and a pinned root completes
                          them; 0: five, as drivers hand them out */
    struct pp_span ocsp[PP_GPU_OCSP_MAX]; /* DER; found by the certificate that they name */
    size_t ocsp_count;
    const struct pp_rim *driver_rim, *vbios_rim; /* as pp_rim_open left them; NULL: none came */
};

/* What verified evidence says. Only pp_gpu_verify makes one. */
struct pp_gpu_result {
    enum pp_gpu_arch arch;
    enum pp_gpu_mode mode;
    char driver[PP_GPU_TEXT_BYTES_MAX], vbios[PP_GPU_TEXT_BYTES_MAX];
    uint8_t fwid[PP_GPU_HASH_BYTES];
    uint8_t device_id[PP_SHA256_BYTES]; /* SHA-256 of the chip's own certificate (the second) */
    uint8_t nonce[PP_GPU_NONCE_BYTES];
    uint32_t skipped; /* PP_ATTEST_BIT of each check that did not run */
};

/*
 * Runs the checks in order. `checks` is always filled; behind unsound evidence (checks 1, 3 to 6,
 * 12 to 15) the others are skipped as not reached; where only the policy refuses they still run.
 * Returns the code of the lowest-numbered failing check, detail = its number. Without a failing
 * check, but with measurements that were not all compared because a RIM file is missing, it returns
 * GPU_UNMEASURED, detail = 18. Ok, and `*ret` written, in no other case. STATE: the policy skips a
 * check that it may not.
 */
PP_MUST pp_res pp_gpu_verify(const struct pp_gpu_anchors *anchors,
                             const struct pp_gpu_policy *policy,
                             const struct pp_gpu_evidence *evidence, uint64_t posix_s,
                             struct pp_gpu_checks *checks, struct pp_gpu_result *ret);

#endif
