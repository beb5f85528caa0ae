/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp_issue.h"

#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "x509_issue_int.h"

/* SEQUENCE { OBJECT IDENTIFIER 1.3.6.1.5.5.7.3.9 } */
const struct pp_span PP_ISSUE_OCSP_SIGNING = {
    (const uint8_t *)"\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x09", 12
};

static X509 *read_cert(struct pp_span der)
{
    const unsigned char *at = der.at;

    return der.len == 0 ? NULL : d2i_X509(NULL, &at, (long)der.len);
}

static pp_res add_single(OCSP_BASICRESP *basic, const struct pp_issue_ocsp *a, X509 *cert,
                         X509 *issuer)
{
    const EVP_MD *hash = a->hash == 0           ? EVP_sha1()
                         : a->hash == PP_SHA256 ? pp_algorithms()->sha256
                                                : pp_algorithms()->sha384;
    OCSP_CERTID *id = OCSP_cert_to_id(hash, cert, issuer);
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)a->this_update);
    ASN1_TIME *until = a->next_update == 0 ? NULL
                                           : ASN1_GENERALIZEDTIME_set(NULL, (time_t)a->next_update);
    int revoked = a->status == PP_OCSP_REVOKED || a->status == PP_OCSP_HOLD;
    int status = a->status == PP_OCSP_GOOD ? V_OCSP_CERTSTATUS_GOOD
                 : revoked                 ? V_OCSP_CERTSTATUS_REVOKED
                                           : V_OCSP_CERTSTATUS_UNKNOWN;
    int reason = a->status == PP_OCSP_HOLD ? OCSP_REVOKED_STATUS_CERTIFICATEHOLD
                                           : OCSP_REVOKED_STATUS_KEYCOMPROMISE;
    int ok = id != NULL && from != NULL &&
             OCSP_basic_add1_status(basic, id, status, reason, revoked ? from : NULL, from,
                                    until) != NULL;

    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    PP_CHECK(ok, PP_E_CRYPTO, 1);
    return PP_OK;
}

static pp_res fill(OCSP_BASICRESP *basic, const struct pp_issue_ocsp *a, X509 *cert, X509 *issuer)
{
    uint8_t nonce[PP_OCSP_NONCE_BYTES];

    for (unsigned i = 0; i < (a->copies == 0 ? 1 : a->copies); i++)
        PP_TRY(add_single(basic, a, cert, issuer));
    if (a->nonce != NULL) {
        memcpy(nonce, a->nonce, sizeof nonce);
        PP_CHECK(OCSP_basic_add1_nonce(basic, nonce, sizeof nonce) == 1, PP_E_CRYPTO, 2);
    }
    return PP_OK;
}

/* A second statement, about another certificate and perhaps of another issuer. */
static pp_res fill_also(OCSP_BASICRESP *basic, const struct pp_issue_ocsp *a)
{
    X509 *cert = read_cert(a->also), *issuer = read_cert(a->also_issuer);
    pp_res r = cert == NULL     ? PP_OK
               : issuer == NULL ? PP_FAIL(PP_E_FORMAT, 1)
                                : add_single(basic, a, cert, issuer);

    X509_free(cert);
    X509_free(issuer);
    return r;
}

static pp_res give(int status, OCSP_BASICRESP *basic, uint8_t *ret_der, size_t cap, size_t *ret_len)
{
    OCSP_RESPONSE *response = OCSP_response_create(status, basic);
    int len = response == NULL ? -1 : i2d_OCSP_RESPONSE(response, NULL);
    pp_res r = len <= 0            ? PP_FAIL(PP_E_CRYPTO, 3)
               : (size_t)len > cap ? PP_FAIL(PP_E_NO_SPACE, len)
                                   : PP_OK;

    if (pp_is_ok(r)) {
        PP_ASSERT(i2d_OCSP_RESPONSE(response, &ret_der) == len);
        *ret_len = (size_t)len;
    }
    OCSP_RESPONSE_free(response);
    return r;
}

pp_res pp_ocsp_issue(const struct pp_issue_ocsp *answer, const struct pp_issue_key *signer,
                     uint8_t *ret_der, size_t cap, size_t *ret_len)
{
    X509 *cert = read_cert(answer->cert), *issuer = read_cert(answer->issuer);
    X509 *responder = read_cert(answer->responder);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    unsigned long flags = pp_span_eq(answer->responder, answer->issuer)
                              ? OCSP_NOCERTS | OCSP_RESPID_KEY
                              : 0;
    pp_res r = cert == NULL || issuer == NULL || responder == NULL || basic == NULL
                   ? PP_FAIL(PP_E_FORMAT, 0)
                   : fill(basic, answer, cert, issuer);

    if (pp_is_ok(r))
        r = fill_also(basic, answer);
    if (pp_is_ok(r) && OCSP_basic_sign(basic, responder, pp_issue_key_pkey(signer),
                                       pp_algorithms()->sha384, NULL, flags) != 1)
        r = PP_FAIL(PP_E_CRYPTO, 4);
    if (pp_is_ok(r))
        r = give(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic, ret_der, cap, ret_len);
    OCSP_BASICRESP_free(basic);
    X509_free(cert);
    X509_free(issuer);
    X509_free(responder);
    ERR_clear_error();
    return r;
}

pp_res pp_ocsp_issue_error(uint8_t *ret_der, size_t cap, size_t *ret_len)
{
    return give(OCSP_RESPONSE_STATUS_TRYLATER, NULL, ret_der, cap, ret_len);
}
