/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp.h: AMD SEV-SNP evidence as bytes: the attestation report, patch levels, product lines, and
 * what stands in a chip's certificate (docs/protocol/snp.md; AMD 56860, 57230).
 *
 * Nothing in here verifies. A report or certificate that was parsed is still only a claim; the one
 * way to something that may be believed is pp_snp_verify (snp_verify.h), whose result is of another
 * type. All integers of a report are little-endian.
 */
#ifndef PP_SNP_H
#define PP_SNP_H

#include "problem.h"
#include "result.h"
#include "span.h"
#include "x509.h"

enum {
    PP_SNP_REPORT_BYTES = 1184,
    PP_SNP_SIGNED_BYTES = 0x2A0, /* the part of a report that its signature covers */
    PP_SNP_SIGNATURE_INT_BYTES = 72,
    PP_SNP_REPORT_DATA_BYTES = 64,
    PP_SNP_MEASUREMENT_BYTES = 48,
    PP_SNP_HOST_DATA_BYTES = 32,
    PP_SNP_CHIP_ID_BYTES = 64,
    PP_SNP_KEY_DIGEST_BYTES = 48,
    PP_SNP_ID_BYTES = 16, /* FAMILY_ID, IMAGE_ID */
    PP_SNP_VERSION_MIN = 2,
    PP_SNP_VERSION_MAX = 5,
};

/* POLICY bits. */
#define PP_SNP_POLICY_SMT               (UINT64_C(1) << 16)
#define PP_SNP_POLICY_MUST_BE_ONE       (UINT64_C(1) << 17)
#define PP_SNP_POLICY_MIGRATE_MA        (UINT64_C(1) << 18)
#define PP_SNP_POLICY_DEBUG             (UINT64_C(1) << 19)
#define PP_SNP_POLICY_SINGLE_SOCKET     (UINT64_C(1) << 20)
#define PP_SNP_POLICY_CXL_ALLOW         (UINT64_C(1) << 21)
#define PP_SNP_POLICY_MEM_AES_256_XTS   (UINT64_C(1) << 22)
#define PP_SNP_POLICY_RAPL_DIS          (UINT64_C(1) << 23)
#define PP_SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
#define PP_SNP_POLICY_PAGE_SWAP_DISABLE (UINT64_C(1) << 25)
#define PP_SNP_POLICY_RESERVED          (~((UINT64_C(1) << 26) - 1))

/* PLATFORM_INFO bits. */
#define PP_SNP_PLATFORM_SMT_EN            (UINT64_C(1) << 0)
#define PP_SNP_PLATFORM_TSME_EN           (UINT64_C(1) << 1)
#define PP_SNP_PLATFORM_ECC_EN            (UINT64_C(1) << 2)
#define PP_SNP_PLATFORM_RAPL_DIS          (UINT64_C(1) << 3)
#define PP_SNP_PLATFORM_CIPHERTEXT_HIDING (UINT64_C(1) << 4)
#define PP_SNP_PLATFORM_ALIAS_CHECK       (UINT64_C(1) << 5)
#define PP_SNP_PLATFORM_TIO_EN            (UINT64_C(1) << 7)
#define PP_SNP_PLATFORM_RESERVED          (~UINT64_C(0xBF))

/* --- product lines and patch levels ----------------------------------------------------------- */

enum pp_snp_line {
    PP_SNP_LINE_NONE,
    PP_SNP_MILAN,
    PP_SNP_GENOA, /* also Bergamo and Siena, which AMD's key service calls Genoa */
    PP_SNP_TURIN,
    PP_SNP_VENICE, /* known by its CPUID; AMD has published no chain for it yet */
    PP_SNP_LINES
};

const char *pp_snp_line_name(enum pp_snp_line line); /* "Milan"; "-" for none */

/* NONE for a name or a CPUID that is not in the table. */
enum pp_snp_line pp_snp_line_by_name(struct pp_span name);
enum pp_snp_line pp_snp_line_by_cpuid(uint8_t family, uint8_t model);

/*
 * TCB_VERSION: eight component levels in the order of the line's layout. Levels compare component
 * by component and never as one number.
 */
struct pp_snp_tcb {
    uint8_t v[8];
};

/* The components by name. `reserved` is spl4..spl7, of which Turin has no spl4. */
struct pp_snp_tcb_parts {
    uint8_t fmc; /* Turin and later; 0 before */
    uint8_t boot_loader, tee, snp, microcode;
    uint8_t reserved[4];
};

int pp_snp_line_is_turin_like(enum pp_snp_line line); /* 1: Turin's layout, and an 8-byte HWID */
struct pp_snp_tcb pp_snp_tcb_join(enum pp_snp_line line, const struct pp_snp_tcb_parts *parts);
struct pp_snp_tcb_parts pp_snp_tcb_split(enum pp_snp_line line, const struct pp_snp_tcb *tcb);

/* 1 if every component of `a` is at most that of `b`. */
int pp_snp_tcb_le(const struct pp_snp_tcb *a, const struct pp_snp_tcb *b);
int pp_snp_tcb_eq(const struct pp_snp_tcb *a, const struct pp_snp_tcb *b);

/* --- the report ------------------------------------------------------------------------------- */

struct pp_snp_version {
    uint8_t major, minor, build;
};

/* ATTESTATION_REPORT, parsed and not verified. */
struct pp_snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[PP_SNP_ID_BYTES], image_id[PP_SNP_ID_BYTES];
    uint32_t vmpl; /* 0..3; 0xFFFFFFFF: asked for by the host */
    uint32_t signature_algo;
    struct pp_snp_tcb current_tcb;
    uint64_t platform_info;
    uint32_t key_info;
    uint8_t report_data[PP_SNP_REPORT_DATA_BYTES];
    uint8_t measurement[PP_SNP_MEASUREMENT_BYTES];
    uint8_t host_data[PP_SNP_HOST_DATA_BYTES];
    uint8_t id_key_digest[PP_SNP_KEY_DIGEST_BYTES], author_key_digest[PP_SNP_KEY_DIGEST_BYTES];
    uint8_t report_id[32], report_id_ma[32];
    struct pp_snp_tcb reported_tcb;
    uint8_t cpuid_family, cpuid_model, cpuid_step; /* version 3 and later, else 0 */
    uint8_t chip_id[PP_SNP_CHIP_ID_BYTES];
    struct pp_snp_tcb committed_tcb;
    struct pp_snp_version current, committed;
    struct pp_snp_tcb launch_tcb;
    uint64_t launch_mit_vector, current_mit_vector;                       /* version 5, else 0 */
    uint8_t r[PP_SNP_SIGNATURE_INT_BYTES], s[PP_SNP_SIGNATURE_INT_BYTES]; /* little-endian */
};

/* KEY_INFO. */
enum pp_snp_signer { PP_SNP_VCEK = 0, PP_SNP_VLEK = 1, PP_SNP_SIGNER_NONE = 7 };
static inline uint32_t pp_snp_signing_key(const struct pp_snp_report *r)
{
    return r->key_info >> 2 & 7;
}
static inline int pp_snp_author_key_en(const struct pp_snp_report *r)
{
    return (int)(r->key_info & 1);
}
static inline int pp_snp_mask_chip_key(const struct pp_snp_report *r)
{
    return (int)(r->key_info >> 1 & 1);
}

/*
 * Check 1: exactly 1184 bytes; version 2 to 5; every byte that must be zero in that version is;
 * POLICY bit 17 is one and bits 26..63 are zero; KEY_INFO bits 5..31 are zero. Fails with
 * SNP_FORMAT (detail = offset of the field) and fills `problem`, which may be NULL. R and S are not
 * looked at.
 */
PP_MUST pp_res pp_snp_report_parse(struct pp_span bytes, struct pp_snp_report *ret,
                                   struct pp_problem *problem);

/* The bytes of a report, PP_SNP_REPORT_BYTES of them, as a secure processor writes it. NO_SPACE. */
PP_MUST pp_res pp_snp_report_write(const struct pp_snp_report *report, uint8_t *ret, size_t cap);

/* --- a chip's certificate --------------------------------------------------------------------- */

enum { PP_SNP_TEXT_BYTES_MAX = 64 };

/* The extensions of a VCEK or VLEK certificate (57230), parsed and not verified. */
struct pp_snp_extensions {
    uint8_t struct_version;              /* 0: legacy components, 1: Turin's */
    char product[PP_SNP_TEXT_BYTES_MAX]; /* "Milan-B0" */
    struct pp_snp_tcb_parts tcb;
    uint8_t hwid[PP_SNP_CHIP_ID_BYTES]; /* zero-filled */
    size_t hwid_len;                    /* 64, 8 (Turin) or 0 (VLEK) */
    char csp_id[PP_SNP_TEXT_BYTES_MAX]; /* VLEK; else empty */
};

/* Where the extensions come from: gives the content of an extension, NOT_FOUND or DUPLICATE. */
struct pp_snp_extension_source {
    pp_res (*find)(void *ctx, const char *oid, struct pp_span *ret);
    void *ctx;
};

/*
 * All extensions that the structure version asks for, each once, in DER; HWID or CSP_ID and not
 * both. Fails with SNP_CERT_FORM (detail = number of the extension in the table of
 * docs/protocol/snp.md) and fills `problem`, which may be NULL.
 */
PP_MUST pp_res pp_snp_extensions_parse(const struct pp_snp_extension_source *source,
                                       struct pp_snp_extensions *ret, struct pp_problem *problem);

/* The same from a certificate. */
PP_MUST pp_res pp_snp_extensions_of(const struct pp_x509 *cert, struct pp_snp_extensions *ret,
                                    struct pp_problem *problem);

/* The line of a product name: the part before its first '-'. NONE for an unknown one. */
enum pp_snp_line pp_snp_line_of_product(const char *product);

#endif
