/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_issue.h: making OCSP answers (RFC 6960), for the simulated GPU and for tests. Part of
 * pp_crypto_issue, which no program of the product links.
 */
#ifndef PP_OCSP_ISSUE_H
#define PP_OCSP_ISSUE_H

#include "ocsp.h"
#include "x509_issue.h"

struct pp_issue_ocsp {
    struct pp_span cert, issuer; /* DER: about whom, by whom certified */
    struct pp_span responder;    /* DER of the signer's certificate; sent along unless it is the
                                    issuer's */
    enum pp_hash_id hash;        /* of the CertID; 0: SHA-1, which verifiers refuse */
    enum pp_ocsp_status status;
    uint64_t this_update, next_update; /* POSIX seconds; next_update 0: left out */
    const uint8_t *nonce;              /* PP_OCSP_NONCE_BYTES; NULL: none */
    unsigned copies;                   /* of the single response; 0 stands for 1 */
    struct pp_span also, also_issuer;  /* another certificate that it is about; empty: none */
};

/* Writes an OCSPResponse, signed with ECDSA and SHA-384 by `signer`. NO_SPACE, CRYPTO, FORMAT. */
PP_MUST pp_res pp_ocsp_issue(const struct pp_issue_ocsp *answer, const struct pp_issue_key *signer,
                             uint8_t *ret_der, size_t cap, size_t *ret_len);

/* A response that says no more than that something went wrong ("tryLater"). NO_SPACE, CRYPTO. */
PP_MUST pp_res pp_ocsp_issue_error(uint8_t *ret_der, size_t cap, size_t *ret_len);

/* DER of the value of an extendedKeyUsage with the one purpose OCSP signing (2.5.29.37). */
extern const struct pp_span PP_ISSUE_OCSP_SIGNING;

#endif
