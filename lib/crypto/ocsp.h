/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp.h: stapled answers about the revocation of one certificate (RFC 6960). Nothing is fetched.
 */
#ifndef PP_OCSP_H
#define PP_OCSP_H

#include "x509.h"

enum { PP_OCSP_BYTES_MAX = 16384, PP_OCSP_NONCE_BYTES = 32 };

enum pp_ocsp_status {
    PP_OCSP_GOOD = 1,
    PP_OCSP_REVOKED,
    PP_OCSP_HOLD,    /* revoked, reason certificateHold */
    PP_OCSP_UNKNOWN, /* the responder does not know the certificate */
};

/* A parsed answer, owned by the caller. Nothing of it is believed before pp_ocsp_check. */
struct pp_ocsp;

/* One successful basic OCSPResponse in DER. FORMAT, LIMIT (PP_OCSP_BYTES_MAX). */
PP_MUST pp_res pp_ocsp_parse(struct pp_span der, struct pp_ocsp **ret);
void pp_ocsp_free(struct pp_ocsp *o); /* NULL is fine */

struct pp_ocsp_question {
    const struct pp_x509 *cert, *issuer;
    uint64_t posix_s;     /* now */
    uint64_t max_age_s;   /* thisUpdate may be that far back */
    const uint8_t *nonce; /* PP_OCSP_NONCE_BYTES that the answer must repeat; NULL: not asked */
};

/*
 * What the answer says of the certificate. It must name it once (CertID by SHA-256 or SHA-384), be
 * signed with ECDSA by the issuer or by a responder to whom the issuer gave a certificate for OCSP
 * signing, valid now, and be in force: thisUpdate <= posix_s < nextUpdate, and not older than
 * max_age_s.
 *
 * NOT_FOUND (it is about other certificates), FORMAT, SIGNATURE, RANGE (not in force or too old),
 * MISMATCH (nonce). NOT_FOUND is said before anything else is checked.
 */
PP_MUST pp_res pp_ocsp_check(const struct pp_ocsp *o, const struct pp_ocsp_question *question,
                             enum pp_ocsp_status *ret);

#endif
