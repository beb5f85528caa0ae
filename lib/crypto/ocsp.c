/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp.h"

#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "ec_int.h"
#include "rd.h"
#include "x509_int.h"

struct pp_ocsp {
    OCSP_BASICRESP *basic;
    uint8_t *der; /* of it: a copy */
    struct pp_span signed_part;
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

/* The whole answer is this issuer's: one that mixes two is not ours to take apart. */
static int is_all_of(OCSP_BASICRESP *basic, const struct pp_ocsp_question *q)
{
    int all = 1;

    for (int i = 0; i < OCSP_resp_count(basic) && all; i++) {
        OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(OCSP_resp_get0(basic, i));
        const EVP_MD *hash = cert_id_hash(id);
        OCSP_CERTID *ours = hash == NULL ? NULL : OCSP_cert_to_id(hash, NULL, q->issuer->x);
        all = ours != NULL && OCSP_id_issuer_cmp(id, ours) == 0;
        OCSP_CERTID_free(ours);
    }
    return all;
}

/* The signer by the name or key that the answer gives: the issuer, or a certificate in it. */
static pp_res find_signer(OCSP_BASICRESP *basic, const struct pp_ocsp_question *q, X509 **ret)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    int found = certs != NULL && sk_X509_push(certs, q->issuer->x) > 0 &&
                OCSP_resp_get0_signer(basic, ret, certs) == 1;

    sk_X509_free(certs); /* without what is in it */
    PP_CHECK(found, PP_E_SIGNATURE, 1);
    return PP_OK;
}

static pp_res check_signature(const struct pp_ocsp *o, const struct pp_x509 *signer)
{
    const ASN1_BIT_STRING *bits = OCSP_resp_get0_signature(o->basic);
    int nid = OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(o->basic)->algorithm);

    PP_CHECK(nid == NID_ecdsa_with_SHA384 || nid == NID_ecdsa_with_SHA256, PP_E_SIGNATURE, nid);
    PP_CHECK((bits->flags & 7) == 0, PP_E_SIGNATURE, 3); /* whole bytes */
    return pp_ecdsa_verify_ready(signer->ready,
                                 nid == NID_ecdsa_with_SHA384 ? PP_SHA384 : PP_SHA256,
                                 o->signed_part, pp_span(bits->data, (size_t)bits->length));
}

/* RFC 6960, 4.2.2.2: the issuer certified this responder itself, and for that. */
static pp_res check_responder(const struct pp_x509 *responder, const struct pp_ocsp_question *q)
{
    uint32_t purposes = (X509_get_extension_flags(responder->x) & EXFLAG_XKUSAGE) == 0
                            ? 0
                            : X509_get_extended_key_usage(responder->x);

    PP_CHECK((purposes & XKU_OCSP_SIGN) != 0, PP_E_SIGNATURE, 4);
    return pp_x509_link_verify(responder, q->issuer, q->posix_s);
}

static pp_res verify_delegated(const struct pp_ocsp *o, X509 *signer,
                               const struct pp_ocsp_question *q)
{
    struct pp_x509 *responder = NULL;
    unsigned char *der = NULL;
    int len = i2d_X509(signer, &der);
    pp_res r = len <= 0 ? PP_FAIL(PP_E_NO_MEMORY, 0)
                        : pp_x509_parse(pp_span(der, (size_t)len), &responder);

    OPENSSL_free(der);
    if (pp_is_ok(r))
        r = check_responder(responder, q);
    if (pp_is_ok(r))
        r = check_signature(o, responder);
    pp_x509_free(responder);
    return r;
}

/* The one trust anchor is the issuer's own certificate, wherever it stands in its chain. */
static pp_res verify(const struct pp_ocsp *o, const struct pp_ocsp_question *q)
{
    X509 *signer = NULL;

    PP_CHECK(is_all_of(o->basic, q), PP_E_SIGNATURE, 5);
    PP_TRY(find_signer(o->basic, q, &signer));
    PP_CHECK(pp_x509_is_plain(q->issuer) && pp_x509_in_force(q->issuer, q->posix_s), PP_E_SIGNATURE,
             6);
    return signer == q->issuer->x ? check_signature(o, q->issuer) : verify_delegated(o, signer, q);
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

    PP_TRY(find_single(o->basic, question, &single));
    pp_res r = verify(o, question);
    ERR_clear_error();
    if (r.code == PP_E_NO_MEMORY)
        return r;
    PP_TRY_AS(PP_E_SIGNATURE, r);
    PP_TRY(check_nonce(o->basic, question->nonce));
    return read_status(single, question, ret);
}

/* --- reading ---------------------------------------------------------------------------------- */

enum { DER_OCTET_STRING = 0x04, DER_OID = 0x06, DER_ENUMERATED = 0x0A, DER_SEQUENCE = 0x30 };
enum { DER_RESPONSE_BYTES = 0xA0 }; /* [0] EXPLICIT */

/* The content of the next value, which has this tag; its length in the one form that DER has. */
static struct pp_rd der_value(struct pp_rd *rd, uint8_t tag)
{
    uint8_t got = pp_rd_u8(rd);
    size_t len = pp_rd_u8(rd);
    size_t least = 0;

    if (len == 0x81) {
        len = pp_rd_u8(rd);
        least = 0x80;
    } else if (len == 0x82) {
        len = pp_rd_u16(rd);
        least = 0x100;
    } else if (len >= 0x80) {
        pp_rd_fail(rd, PP_E_ENCODING);
    }
    if (got != tag || len < least)
        pp_rd_fail(rd, PP_E_FORMAT);
    return pp_rd_sub(rd, len);
}

/* RFC 6960, 4.2.1: OCSPResponse, down to the BasicOCSPResponse in its OCTET STRING. */
static pp_res unwrap(struct pp_span der, struct pp_span *ret)
{
    static const uint8_t basic[] = { 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01 };
    static const uint8_t successful[] = { OCSP_RESPONSE_STATUS_SUCCESSFUL };
    struct pp_rd rd = pp_rd_span(der);
    struct pp_rd response = der_value(&rd, DER_SEQUENCE);
    struct pp_rd status = der_value(&response, DER_ENUMERATED);
    struct pp_rd tagged = der_value(&response, DER_RESPONSE_BYTES);
    struct pp_rd bytes = der_value(&tagged, DER_SEQUENCE);
    struct pp_rd oid = der_value(&bytes, DER_OID);
    struct pp_rd content = der_value(&bytes, DER_OCTET_STRING);

    PP_TRY(pp_rd_end(&bytes));
    PP_TRY(pp_rd_end(&tagged));
    PP_TRY(pp_rd_end(&response));
    PP_TRY(pp_rd_end(&rd));
    PP_CHECK(pp_span_eq(pp_rd_rest(&status), PP_BYTES(successful)), PP_E_FORMAT, 2);
    PP_CHECK(pp_span_eq(pp_rd_rest(&oid), PP_BYTES(basic)), PP_E_FORMAT, 3);
    *ret = pp_rd_rest(&content);
    return PP_OK;
}

/* BasicOCSPResponse ::= SEQUENCE { tbsResponseData SEQUENCE, ... }, known to be DER. */
static struct pp_span signed_part_of(struct pp_span basic)
{
    struct pp_rd rd = pp_rd_span(basic);
    struct pp_rd body = der_value(&rd, DER_SEQUENCE);
    struct pp_span from = pp_span(body.at, body.left);

    (void)der_value(&body, DER_SEQUENCE);
    return body.failed != PP_E_OK ? (struct pp_span){ 0 } : pp_span(from.at, from.len - body.left);
}

/* As with certificates: no decoder is set up for keys, and one value has one encoding. */
static pp_res fill(struct pp_ocsp *o, struct pp_span basic)
{
    const unsigned char *at = basic.at;
    unsigned char *again = NULL;

    PP_TRY(pp_crypto_init());
    o->basic = (OCSP_BASICRESP *)ASN1_item_d2i_ex(
        NULL, &at, (long)basic.len, ASN1_ITEM_rptr(OCSP_BASICRESP), pp_algorithms()->bare, NULL);
    int len = i2d_OCSP_BASICRESP(o->basic, &again);
    o->der = again;
    PP_CHECK(len > 0 && pp_span_eq(basic, pp_span(again, (size_t)len)), PP_E_FORMAT, 5);
    o->signed_part = signed_part_of(pp_span(again, (size_t)len));
    PP_CHECK(o->signed_part.len > 0, PP_E_FORMAT, 6);
    return PP_OK;
}

pp_res pp_ocsp_parse(struct pp_span der, struct pp_ocsp **ret)
{
    struct pp_span basic;
    struct pp_ocsp *o;

    PP_CHECK(der.len <= PP_OCSP_BYTES_MAX, PP_E_LIMIT, der.len);
    PP_TRY_AS(PP_E_FORMAT, unwrap(der, &basic));
    PP_CHECK((o = OPENSSL_zalloc(sizeof *o)) != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = fill(o, basic);
    ERR_clear_error();
    if (!pp_is_ok(r)) {
        pp_ocsp_free(o);
        return r;
    }
    *ret = o;
    return PP_OK;
}

void pp_ocsp_free(struct pp_ocsp *o)
{
    if (o == NULL)
        return;
    OCSP_BASICRESP_free(o->basic);
    OPENSSL_free(o->der);
    OPENSSL_free(o);
}
