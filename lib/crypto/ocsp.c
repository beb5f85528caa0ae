/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp.h"

#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include "x509_int.h"

struct pp_ocsp {
    OCSP_BASICRESP *basic;
};

/* The hash by which a CertID names its issuer: SHA-256 or SHA-384, else NULL. */
static const EVP_MD *cert_id_hash(OCSP_CERTID *id)
{
    ASN1_OBJECT *algorithm = NULL;

    if (OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, id) != 1)
        return NULL;
    int nid = OBJ_obj2nid(algorithm);
    return nid == NID_sha256   ? pp_algorithms()->sha256
           : nid == NID_sha384 ? pp_algorithms()->sha384
                               : NULL;
}

static int names(OCSP_SINGLERESP *single, const struct pp_ocsp_question *q)
{
    OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
    const EVP_MD *hash = cert_id_hash(id);
    OCSP_CERTID *ours = hash == NULL ? NULL : OCSP_cert_to_id(hash, q->cert->x, q->issuer->x);
    int same = ours != NULL && OCSP_id_cmp(id, ours) == 0;

    OCSP_CERTID_free(ours);
    return same;
}

static pp_res find_single(OCSP_BASICRESP *basic, const struct pp_ocsp_question *q,
                          OCSP_SINGLERESP **ret)
{
    OCSP_SINGLERESP *found = NULL;

    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (!names(single, q))
            continue;
        PP_CHECK(found == NULL, PP_E_FORMAT, 3);
        found = single;
    }
    PP_CHECK(found != NULL, PP_E_NOT_FOUND, 0);
    *ret = found;
    return PP_OK;
}

/*
 * The one trust anchor is the issuer's own certificate, wherever it stands in its chain: OpenSSL
 * then asks that the signer is it, or has a certificate from it with the purpose OCSP signing.
 */
static pp_res verify(OCSP_BASICRESP *basic, const struct pp_ocsp_question *q)
{
    int nid = OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic)->algorithm);
    X509_STORE *store;
    X509 *issuer;

    PP_CHECK(nid == NID_ecdsa_with_SHA384 || nid == NID_ecdsa_with_SHA256, PP_E_SIGNATURE, nid);
    PP_CHECK((store = X509_STORE_new()) != NULL, PP_E_NO_MEMORY, 0);
    if ((issuer = pp_x509_with_key(q->issuer)) == NULL) {
        X509_STORE_free(store);
        return PP_FAIL(PP_E_NO_MEMORY, 1);
    }
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(param, (time_t)q->posix_s);
    X509_VERIFY_PARAM_set_depth(param, 0); /* nothing between the responder and the issuer */
    int ok = X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
             X509_STORE_add_cert(store, issuer) == 1;
    /* An issuer that signs for itself sends no certificate: it is found among these. */
    STACK_OF(X509) *certs = sk_X509_new_null();
    ok = ok && certs != NULL && sk_X509_push(certs, issuer) > 0 &&
         OCSP_basic_verify(basic, certs, store, OCSP_NOEXPLICIT) == 1;
    sk_X509_free(certs); /* without what is in it */
    X509_STORE_free(store);
    X509_free(issuer);
    PP_CHECK(ok, PP_E_SIGNATURE, 0);
    return PP_OK;
}

/* RFC 8954: the extension's value is the DER of an OCTET STRING. */
static pp_res check_nonce(OCSP_BASICRESP *basic, const uint8_t *nonce)
{
    uint8_t expected[2 + PP_OCSP_NONCE_BYTES] = { V_ASN1_OCTET_STRING, PP_OCSP_NONCE_BYTES };

    if (nonce == NULL)
        return PP_OK;
    memcpy(expected + 2, nonce, PP_OCSP_NONCE_BYTES);
    int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    PP_CHECK(at >= 0, PP_E_MISMATCH, 0);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
    struct pp_span got = pp_span(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    PP_CHECK(pp_span_eq(got, PP_BYTES(expected)), PP_E_MISMATCH, 1);
    return PP_OK;
}

static pp_res read_status(OCSP_SINGLERESP *single, const struct pp_ocsp_question *q,
                          enum pp_ocsp_status *ret)
{
    ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
    uint64_t from, until;
    int reason = -1;
    int status = OCSP_single_get0_status(single, &reason, NULL, &this_update, &next_update);

    PP_TRY(pp_asn1_time(this_update, &from));
    PP_TRY(pp_asn1_time(next_update, &until)); /* absent: FORMAT */
    PP_CHECK(from <= q->posix_s && q->posix_s < until, PP_E_RANGE, 0);
    PP_CHECK(q->posix_s - from <= q->max_age_s, PP_E_RANGE, 1);
    *ret = status == V_OCSP_CERTSTATUS_GOOD                ? PP_OCSP_GOOD
           : status != V_OCSP_CERTSTATUS_REVOKED           ? PP_OCSP_UNKNOWN
           : reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD ? PP_OCSP_HOLD
                                                           : PP_OCSP_REVOKED;
    return PP_OK;
}

pp_res pp_ocsp_check(const struct pp_ocsp *o, const struct pp_ocsp_question *question,
                     enum pp_ocsp_status *ret)
{
    OCSP_SINGLERESP *single;

    PP_CHECK(question->posix_s <= INT64_MAX, PP_E_RANGE, 2);
    PP_TRY(find_single(o->basic, question, &single));
    pp_res r = verify(o->basic, question);
    ERR_clear_error();
    PP_TRY(r);
    PP_TRY(check_nonce(o->basic, question->nonce));
    return read_status(single, question, ret);
}

pp_res pp_ocsp_parse(struct pp_span der, struct pp_ocsp **ret)
{
    const unsigned char *at = der.at;
    struct pp_ocsp *o = NULL;

    PP_CHECK(der.len <= PP_OCSP_BYTES_MAX, PP_E_LIMIT, der.len);
    PP_CHECK(der.len > 0, PP_E_FORMAT, 0);
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
    OCSP_BASICRESP *basic = response == NULL || at != der.at + der.len ||
                                    OCSP_response_status(response) !=
                                        OCSP_RESPONSE_STATUS_SUCCESSFUL
                                ? NULL
                                : OCSP_response_get1_basic(response);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    PP_CHECK(basic != NULL, PP_E_FORMAT, 1);
    if ((o = OPENSSL_zalloc(sizeof *o)) == NULL) {
        OCSP_BASICRESP_free(basic);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    o->basic = basic;
    *ret = o;
    return PP_OK;
}

void pp_ocsp_free(struct pp_ocsp *o)
{
    if (o == NULL)
        return;
    OCSP_BASICRESP_free(o->basic);
    OPENSSL_free(o);
}
