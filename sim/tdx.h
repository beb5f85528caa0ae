/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx.h: a simulated vendor of TDX platforms, and such a platform. It protects nothing.
 *
 * The vendor makes its own root, platform authority and signing key, certifies platforms, and signs
 * TCB info, QE identity and revocation lists. A platform quotes guests in the genuine format. Names
 * are clearly not Intel's; with this root as anchor the evidence verifies, with Intel's it does
 * not.
 *
 *     struct sim_tdx_vendor *vendor = NULL;
 *     struct sim_tdx_platform *platform = NULL;
 *     sim_tdx_vendor_create(now_s, &vendor);
 *     struct sim_tdx_params params = sim_tdx_params_default();
 *     sim_tdx_platform_create(vendor, &params, &random, now_s, &platform);
 *     sim_tdx_collateral(vendor, platform, now_s, &collateral);       what a mirror would serve
 *     sim_tdx_quote(platform, &guest, report_data, quote, cap, &len); once per session
 *
 * In-process calls only. Objects belong to the caller; a platform may quote from any thread.
 */
#ifndef SIM_TDX_H
#define SIM_TDX_H

#include "env.h"
#include "tdx_collateral.h"
#include "x509_issue.h"

enum {
    SIM_TDX_CERT_BYTES_MAX = 2048,
    SIM_TDX_CHAIN_BYTES_MAX = 8192,
    SIM_TDX_QUOTE_BYTES_MAX = 8192,
    SIM_TDX_DOCUMENT_BYTES_MAX = 32768,
    SIM_TDX_SERIAL_AUTHORITY = 2,
    SIM_TDX_SERIAL_SIGNER = 3,
    SIM_TDX_SERIAL_PCK = 4,
};

/* --- the vendor ------------------------------------------------------------------------------- */

/* Root, platform authority and document signer: P-256 keys and certificates, ten years. */
struct sim_tdx_vendor;

PP_MUST pp_res sim_tdx_vendor_create(uint64_t now_s, struct sim_tdx_vendor **ret); /* CRYPTO */
void sim_tdx_vendor_free(struct sim_tdx_vendor *v); /* NULL is fine */

/*
 * Files in the folder `path` under `dir_fd`: root, authority and signer, each as NAME.der and
 * NAME.key (PKCS#8 DER, mode 0600). Saving makes the folder (0700) if there is none. SYSTEM,
 * DISK_FULL; NOT_FOUND, KEY, FORMAT, MISMATCH (a key that is not the certificate's).
 */
PP_MUST pp_res sim_tdx_vendor_save(const struct sim_tdx_vendor *v, int dir_fd, const char *path);
PP_MUST pp_res sim_tdx_vendor_load(int dir_fd, const char *path, struct sim_tdx_vendor **ret);

struct pp_span sim_tdx_root(const struct sim_tdx_vendor *v);         /* DER, borrowed */
struct pp_span sim_tdx_signer_chain(const struct sim_tdx_vendor *v); /* PEM, borrowed */

/* {"<name>":<inner>,"signature":"<hex>"}: signs whatever object it is given. NO_SPACE, CRYPTO. */
PP_MUST pp_res sim_tdx_sign_document(const struct sim_tdx_vendor *v, const char *name,
                                     struct pp_span inner, uint8_t *ret, size_t cap,
                                     size_t *ret_len);

/* The inner objects, in the vendor's order of members. */
void sim_tdx_tcb_info_write(struct pp_wr *wr, const struct pp_tdx_tcb_info *info);
void sim_tdx_qe_identity_write(struct pp_wr *wr, const struct pp_tdx_qe_identity *id);

/* A revocation list of root or authority with these serial numbers; next_update_s 0: none. */
enum sim_tdx_issuer { SIM_TDX_BY_ROOT, SIM_TDX_BY_AUTHORITY };
PP_MUST pp_res sim_tdx_crl(const struct sim_tdx_vendor *v, enum sim_tdx_issuer issuer,
                           uint64_t from_s, uint64_t until_s, const uint64_t *serials,
                           size_t serial_count, uint8_t *ret, size_t cap, size_t *ret_len);

/* --- a platform ------------------------------------------------------------------------------- */

/* What a machine is; _default gives one that default collateral calls up to date. */
struct sim_tdx_params {
    uint16_t version; /* of its quotes: 4 or 5 */
    enum pp_tdx_body_type body_type;
    struct pp_tdx_pck pck;                 /* its PPID is drawn, not taken from here */
    uint8_t tee_tcb_svn[PP_TDX_SVN_BYTES]; /* what its module reports */
    uint8_t mrseam[PP_TDX_MEASUREMENT_BYTES];
    struct pp_tdx_qe_report qe; /* its quoting enclave, but for the report data */
};

struct sim_tdx_params sim_tdx_params_default(void); /* version 5, TDX 1.5 */

/* PCK key with its certificate, and an attestation key. */
struct sim_tdx_platform;

/* Valid from `now_s` for seven years. CRYPTO, RANDOM. */
PP_MUST pp_res sim_tdx_platform_create(const struct sim_tdx_vendor *v,
                                       const struct sim_tdx_params *params,
                                       const struct pp_random *random, uint64_t now_s,
                                       struct sim_tdx_platform **ret);
void sim_tdx_platform_free(struct sim_tdx_platform *p); /* NULL is fine */

/*
 * The same with the files pck.der, pck.key, attestation.key, qe.auth, authorities.pem. Loading
 * takes PPID, patch level and kind from the certificate and the rest from _default.
 */
PP_MUST pp_res sim_tdx_platform_save(const struct sim_tdx_platform *p, int dir_fd,
                                     const char *path);
PP_MUST pp_res sim_tdx_platform_load(int dir_fd, const char *path, struct sim_tdx_platform **ret);

struct sim_tdx_params *sim_tdx_params(struct sim_tdx_platform *p); /* changes show in quotes */
const uint8_t *sim_tdx_ppid(const struct sim_tdx_platform *p);     /* 16 bytes */

/*
 * A PCK certificate before it is signed, with the memory that it borrows; do not move it. Tests
 * change a field and issue it: a platform that the vendor would never have certified. The last
 * extension is the SGX one.
 */
struct sim_tdx_leaf {
    struct pp_issue_cert cert;
    enum pp_x509_sig_kind sig; /* how it is signed */
    uint8_t spki[PP_P256_SPKI_BYTES];
    uint8_t bytes[1024]; /* DER of the extension values */
};
PP_MUST pp_res sim_tdx_leaf_fill(const struct sim_tdx_vendor *v, const struct sim_tdx_platform *p,
                                 uint64_t now_s, struct sim_tdx_leaf *ret);
/* Signs it and makes it the platform's. */
PP_MUST pp_res sim_tdx_leaf_issue(const struct sim_tdx_vendor *v, const struct sim_tdx_leaf *leaf,
                                  struct sim_tdx_platform *p);

/* The content of an SGX extension. */
void sim_tdx_pck_write(struct pp_wr *wr, const struct pp_tdx_pck *pck);

/* --- collateral and quotes -------------------------------------------------------------------- */

/* What the vendor says of this platform: all levels as the platform has them, all up to date. */
void sim_tdx_tcb_info_of(const struct sim_tdx_platform *p, uint64_t now_s,
                         struct pp_tdx_tcb_info *ret);
void sim_tdx_qe_identity_of(const struct sim_tdx_platform *p, uint64_t now_s,
                            struct pp_tdx_qe_identity *ret);

/* All of it as a mirror serves it, in force from `now_s` for thirty days. */
struct sim_tdx_collateral {
    uint8_t tcb_info[SIM_TDX_DOCUMENT_BYTES_MAX], qe_identity[SIM_TDX_DOCUMENT_BYTES_MAX];
    uint8_t pck_crl[SIM_TDX_CERT_BYTES_MAX], root_crl[SIM_TDX_CERT_BYTES_MAX];
    size_t tcb_info_len, qe_identity_len, pck_crl_len, root_crl_len;
};
PP_MUST pp_res sim_tdx_collateral(const struct sim_tdx_vendor *v, const struct sim_tdx_platform *p,
                                  uint64_t now_s, struct sim_tdx_collateral *ret);

/* What a launch fixed for a guest. */
struct sim_tdx_guest {
    uint64_t td_attributes, xfam;
    uint8_t mrtd[PP_TDX_MEASUREMENT_BYTES];
    uint8_t rtmr[PP_TDX_RTMRS][PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrconfigid[PP_TDX_MEASUREMENT_BYTES];
};

/*
 * Fills MRTD and the registers: MRTD of that firmware (sim_firmware_make, or another file with TDX
 * metadata), RTMR1 extended by the kernel's bytes, RTMR2 by command line and initrd; RTMR0 and
 * RTMR3 stay zero, for no host makes tables here. For a process-level fleet the "kernel" is the
 * program file. Fails as pp_tdvf_parse does.
 */
PP_MUST pp_res sim_tdx_measure_launch(struct pp_span firmware, struct pp_span kernel,
                                      struct pp_span initrd, struct pp_span cmdline,
                                      struct sim_tdx_guest *guest);

/* Attributes that the strict profile accepts. */
#define SIM_TDX_ATTRIBUTES PP_TDX_ATTR_SEPT_VE_DISABLE
#define SIM_TDX_XFAM       UINT64_C(0x602E7)

/* A whole quote over the 64 bytes that the guest chose. NO_SPACE, CRYPTO. */
PP_MUST pp_res sim_tdx_quote(const struct sim_tdx_platform *p, const struct sim_tdx_guest *guest,
                             const uint8_t report_data[PP_TDX_REPORT_DATA_BYTES], uint8_t *ret,
                             size_t cap, size_t *ret_len);

/* The two halves of it, for faults and tests: fill the fields, change some, sign. Spans of `ret`
 * borrow from the platform. */
void sim_tdx_quote_fill(const struct sim_tdx_platform *p, const struct sim_tdx_guest *guest,
                        const uint8_t report_data[PP_TDX_REPORT_DATA_BYTES],
                        struct pp_tdx_quote *ret);
PP_MUST pp_res sim_tdx_quote_sign(const struct sim_tdx_platform *p,
                                  const struct pp_tdx_quote *quote, uint8_t *ret, size_t cap,
                                  size_t *ret_len);

#endif
