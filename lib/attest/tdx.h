/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx.h: Intel TDX evidence as bytes: the quote, the quoting enclave's report inside it, and what
 * stands in the platform's certificate (docs/protocol/tdx.md).
 *
 * Nothing in here verifies. What was parsed is only a claim; the one way to something that may be
 * believed is pp_tdx_verify (tdx_verify.h), whose result is of another type. All integers of a
 * quote are little-endian; the integers of signatures and keys are big-endian.
 */
#ifndef PP_TDX_H
#define PP_TDX_H

#include "problem.h"
#include "result.h"
#include "span.h"
#include "wr.h"
#include "x509.h"

enum {
    PP_TDX_QUOTE_BYTES_MAX = 65536, /* padding included */
    PP_TDX_HEADER_BYTES = 48,
    PP_TDX_BODY_10_BYTES = 584, /* TDX 1.0: version 4, and version 5 with body type 2 */
    PP_TDX_BODY_15_BYTES = 648, /* TDX 1.5: version 5 with body type 3 */
    PP_TDX_MEASUREMENT_BYTES = 48,
    PP_TDX_LAUNCH_BYTES = 4 * PP_TDX_MEASUREMENT_BYTES, /* MRTD, RTMR0, RTMR1, RTMR2 */
    PP_TDX_REPORT_DATA_BYTES = 64,
    PP_TDX_SVN_BYTES = 16,
    PP_TDX_ID_BYTES = 16, /* PPID, platform instance id, QE vendor id */
    PP_TDX_FMSPC_BYTES = 6,
    PP_TDX_PCE_ID_BYTES = 2,
    PP_TDX_SIGNATURE_BYTES = 64, /* R || S, and X || Y of a key */
    PP_TDX_RTMRS = 4,
    PP_TDX_QE_REPORT_BYTES = 384,
    PP_TDX_QE_AUTH_BYTES_MAX = 1024, /* our limit; 32 in practice */
    PP_TDX_PCK_CHAIN_BYTES_MAX = 32768,
};

/* TDATTRIBUTES bits. All others are reserved. */
#define PP_TDX_ATTR_DEBUG           (UINT64_C(1) << 0)
#define PP_TDX_ATTR_SEPT_VE_DISABLE (UINT64_C(1) << 28)
#define PP_TDX_ATTR_PKS             (UINT64_C(1) << 30)
#define PP_TDX_ATTR_PERFMON         (UINT64_C(1) << 63)
#define PP_TDX_ATTR_RESERVED                                                                       \
    (~(PP_TDX_ATTR_DEBUG | PP_TDX_ATTR_SEPT_VE_DISABLE | PP_TDX_ATTR_PKS | PP_TDX_ATTR_PERFMON))

/* XFAM: x87 and SSE are always on; what a TD may switch on beyond them. */
#define PP_TDX_XFAM_ALWAYS  UINT64_C(0x3)
#define PP_TDX_XFAM_ALLOWED UINT64_C(0x6DBE7)

/* The vendor id of Intel's quoting enclaves. */
extern const uint8_t PP_TDX_QE_VENDOR_INTEL[PP_TDX_ID_BYTES];

/* --- the quote -------------------------------------------------------------------------------- */

enum pp_tdx_body_type { PP_TDX_BODY_10 = 2, PP_TDX_BODY_15 = 3 };

/* The TD's report. */
struct pp_tdx_body {
    uint8_t tee_tcb_svn[PP_TDX_SVN_BYTES];
    uint8_t mrseam[PP_TDX_MEASUREMENT_BYTES], mrsignerseam[PP_TDX_MEASUREMENT_BYTES];
    uint64_t seam_attributes, td_attributes, xfam;
    uint8_t mrtd[PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrconfigid[PP_TDX_MEASUREMENT_BYTES];
    uint8_t mrowner[PP_TDX_MEASUREMENT_BYTES], mrownerconfig[PP_TDX_MEASUREMENT_BYTES];
    uint8_t rtmr[PP_TDX_RTMRS][PP_TDX_MEASUREMENT_BYTES];
    uint8_t report_data[PP_TDX_REPORT_DATA_BYTES];
    uint8_t tee_tcb_svn_2[PP_TDX_SVN_BYTES];       /* TDX 1.5, else zero */
    uint8_t mrservicetd[PP_TDX_MEASUREMENT_BYTES]; /* TDX 1.5, else zero */
};

/* The quoting enclave's report (an SGX report body): what verifiers read of it. */
struct pp_tdx_qe_report {
    uint8_t cpu_svn[PP_TDX_SVN_BYTES];
    uint32_t misc_select;
    uint8_t attributes[16];
    uint8_t mrenclave[32], mrsigner[32];
    uint16_t isv_prod_id, isv_svn;
    uint8_t report_data[64];
};

/* A quote, parsed and not verified. Spans borrow the quote's bytes. */
struct pp_tdx_quote {
    uint16_t version;                /* 4 or 5 */
    enum pp_tdx_body_type body_type; /* of version 4: PP_TDX_BODY_10 */
    uint8_t qe_vendor[PP_TDX_ID_BYTES];
    uint8_t user_data[20];
    struct pp_tdx_body body;
    struct pp_span signed_part; /* header to end of body: what the attestation key signs */

    uint8_t signature[PP_TDX_SIGNATURE_BYTES];
    uint8_t attestation_key[PP_TDX_SIGNATURE_BYTES];
    struct pp_tdx_qe_report qe;
    struct pp_span qe_report; /* its bytes, which the PCK key signs */
    uint8_t qe_signature[PP_TDX_SIGNATURE_BYTES];
    struct pp_span qe_auth;
    struct pp_span pck_chain; /* PEM: leaf, authority, root; may end in NUL bytes */
    size_t len;               /* bytes up to where the signature data ends; padding follows */
};

/*
 * Check 1: version 4 or 5, ECDSA-P256 attestation key, TEE type TDX, Intel's QE vendor id, body
 * type and size that agree, certification data of types 6 and 5, and nested sizes that fill each
 * other exactly. Bytes behind the signature data are padding, never looked at, at most
 * PP_TDX_QUOTE_BYTES_MAX in all. Fails with TDX_FORMAT (detail = offset) and fills `problem`, which
 * may be NULL.
 */
PP_MUST pp_res pp_tdx_quote_parse(struct pp_span bytes, struct pp_tdx_quote *ret,
                                  struct pp_problem *problem);

/* Header and body, as the quoting enclave signs them: for the simulator and round-trip tests. */
void pp_tdx_quote_write_signed(struct pp_wr *wr, const struct pp_tdx_quote *q);
void pp_tdx_qe_report_write(struct pp_wr *wr, const struct pp_tdx_qe_report *qe);

/* The signature data behind it, from the quote's own fields and spans. */
void pp_tdx_quote_write_rest(struct pp_wr *wr, const struct pp_tdx_quote *q);

/* --- the platform's certificate --------------------------------------------------------------- */

#define PP_TDX_SGX_EXTENSIONS "1.2.840.113741.1.13.1"

/* Intel's extension of a PCK certificate, parsed and not verified. */
struct pp_tdx_pck {
    uint8_t ppid[PP_TDX_ID_BYTES];
    uint8_t component_svn[PP_TDX_SVN_BYTES];
    uint16_t pce_svn;
    uint8_t cpu_svn[PP_TDX_SVN_BYTES];
    uint8_t pce_id[PP_TDX_PCE_ID_BYTES];
    uint8_t fmspc[PP_TDX_FMSPC_BYTES];
    int has_instance_id; /* certificates of the Platform CA */
    uint8_t instance_id[PP_TDX_ID_BYTES];
};

/*
 * The content of the extension: a DER SEQUENCE of { OID, value }, in any order. PPID, TCB (all
 * eighteen of its parts), PCEID and FMSPC are there exactly once, the platform instance id at most
 * once; other parts of Intel's arc are passed over. Fails with TDX_PCK_CHAIN (detail = last number
 * of the OID; 0 for the outer structure) and fills `problem`, which may be NULL.
 */
PP_MUST pp_res pp_tdx_pck_parse(struct pp_span extension, struct pp_tdx_pck *ret,
                                struct pp_problem *problem);

/* The same from a certificate. */
PP_MUST pp_res pp_tdx_pck_of(const struct pp_x509 *cert, struct pp_tdx_pck *ret,
                             struct pp_problem *problem);

#endif
