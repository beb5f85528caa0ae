/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_gpu.h: the simulated GPU. It protects nothing, as sim.h says of the rest.
 *
 * It makes a device root with a chain of five certificates, and a RIM root with a chain of four;
 * signs reports of the genuine format, RIM files with the vendor's algorithms, and OCSP answers.
 * Everything may be changed before it is signed: that is how a test makes each single fault.
 *
 *     struct sim_gpu *gpu = NULL;
 *     struct sim_gpu_params params = sim_gpu_params_default();
 *     sim_gpu_create(&(struct sim_gpu_making){ .now_s = now_s }, &gpu);
 *     sim_gpu_report(gpu, &params, nonce, &wr);
 *     sim_gpu_rim(gpu, &rim, &xml);
 */
#ifndef SIM_GPU_H
#define SIM_GPU_H

#include "gpu_verify.h"
#include "ocsp_issue.h"

enum {
    SIM_GPU_CERTS = PP_GPU_CHAIN, /* leaf first, root last */
    SIM_RIM_CERTS = 4,
    SIM_GPU_CERT_BYTES_MAX = 1024,
    SIM_GPU_TEXT_BYTES_MAX = 24,
};

/* Keys and certificates of one device, and of those who vouch for it and for its values. */
struct sim_gpu;

/*
 * What a device is. The root certificates are valid from `now_s` for twenty years, all others
 * for `life_s` (0: two years).
 */
struct sim_gpu_making {
    uint64_t now_s, life_s;
    const char *chip;  /* first word of the leaf's CN; NULL: "GH100" */
    int dice_tcb_info; /* 1: the firmware id as later chips encode it */
    int wrong_fwid;    /* 1: the certificate has another than reports */
    int leaf_sha256;   /* 1: its leaf is signed with SHA-256, which no GPU's is */
};

PP_MUST pp_res sim_gpu_create(const struct sim_gpu_making *making, struct sim_gpu **ret);
void sim_gpu_free(struct sim_gpu *g); /* NULL is fine */

/*
 * The device chain as files in a folder, which is made: device0.der (the leaf) to device4.der (the
 * root), and keys: all of them, as the vendor has them, or the leaf's, which is what a machine with
 * such a GPU holds. One that was loaded makes reports, and OCSP answers where it has the issuer's
 * key; it makes no RIM files. NOT_FOUND, SYSTEM.
 */
enum sim_gpu_part { SIM_GPU_VENDOR = 1, SIM_GPU_DEVICE };
PP_MUST pp_res sim_gpu_save(const struct sim_gpu *g, enum sim_gpu_part part, int dir_fd,
                            const char *path);
PP_MUST pp_res sim_gpu_load(int dir_fd, const char *path, struct sim_gpu **ret);

struct pp_span sim_gpu_cert(const struct sim_gpu *g, size_t i);     /* DER, borrowed; 4: the root */
struct pp_span sim_gpu_rim_cert(const struct sim_gpu *g, size_t i); /* 0: signer; 3: the root */
const struct pp_issue_key *sim_gpu_key(const struct sim_gpu *g, size_t i);
const struct pp_issue_key *sim_gpu_rim_key(const struct sim_gpu *g, size_t i);

/* --- reports ---------------------------------------------------------------------------------- */

/* What reports say; _default is what the strict policy accepts. */
struct sim_gpu_params {
    char driver[SIM_GPU_TEXT_BYTES_MAX]; /* "590.12" */
    uint8_t vbios[8];                    /* 96.00.9F.00.01 */
    uint8_t nvdec0, protected_pcie;      /* PP_GPU_ENABLED, _DISABLED; 0: no such field */
    int feature_flag;                    /* below 0: no such field */
    uint8_t feature_bytes[2];            /* scratch that reports borrow from */
};

struct sim_gpu_params sim_gpu_params_default(void);

/* The measurement with this index, from 0, of every simulated GPU. */
void sim_gpu_measurement(size_t index, uint8_t ret[PP_GPU_HASH_BYTES]);

/* The two halves of a report, for faults: fill the fields (they borrow from `params` and the
 * device), change some, sign. */
void sim_gpu_fill(const struct sim_gpu *g, struct sim_gpu_params *params,
                  const uint8_t nonce[PP_GPU_NONCE_BYTES], struct pp_gpu_report *ret);
PP_MUST pp_res sim_gpu_sign(const struct sim_gpu *g, const struct pp_gpu_report *report,
                            struct pp_wr *wr);
PP_MUST pp_res sim_gpu_report(const struct sim_gpu *g, struct sim_gpu_params *params,
                              const uint8_t nonce[PP_GPU_NONCE_BYTES], struct pp_wr *wr);

/* --- reference values ------------------------------------------------------------------------- */

/* The measurements that the vendor's driver and VBIOS files have active. */
#define SIM_RIM_DRIVER UINT64_C(0x1ffffe00080)
#define SIM_RIM_VBIOS  UINT64_C(0x1f7f)

struct sim_rim {
    const char *chip, *version;
    uint64_t active; /* measurement i is compared if bit i is one; 0 to 63 stand in the file */
    uint64_t wrong;  /* bits whose value is not the GPU's */
    uint32_t alternatives; /* up to 10 of each active one, the last the right one; 0 counts 1 */
    const char *extra;     /* canonical XML in front of the signature; NULL: none */
    const char *signature_method; /* NULL: the right URI */
    size_t first_cert;            /* signer's place in the chain: 0; 1 makes the L3 sign */
};

/*
 * Writes a RIM file: canonical as it stands, so that digest and signature need no XML library.
 * NO_SPACE, CRYPTO.
 */
PP_MUST pp_res sim_gpu_rim(const struct sim_gpu *g, const struct sim_rim *rim, struct pp_wr *wr);

/* --- revocation ------------------------------------------------------------------------------- */

/*
 * An answer about certificate `i` of the device (or of the RIM chain) by its own issuer. `answer`
 * gives status, times and nonce; who is filled in.
 */
PP_MUST pp_res sim_gpu_ocsp(const struct sim_gpu *g, size_t i, struct pp_issue_ocsp answer,
                            struct pp_wr *wr);
PP_MUST pp_res sim_gpu_rim_ocsp(const struct sim_gpu *g, size_t i, struct pp_issue_ocsp answer,
                                struct pp_wr *wr);

#endif
