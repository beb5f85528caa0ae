/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session certificate. Everything in it but the point and the signature is constant, so its DER
 * is a template; the object for OpenSSL is a copy of the template's object, part by part.
 */
#include "x509.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto_int.h"
#include "wr.h"

enum { DER_SEQUENCE = 0x30, DER_BIT_STRING = 0x03, DER_LONG_1 = 0x81, TBS_BYTES = 178 };

/* TBSCertificate up to the SubjectPublicKeyInfo (RFC 5280, 4.1). */
static const uint8_t TBS_HEAD[] = {
    0x30, 0x81, 0xaf,                                                       /* TBSCertificate */
    0xa0, 0x03, 0x02, 0x01, 0x02,                                           /* version 3 */
    0x02, 0x01, 0x01,                                                       /* serial 1 */
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, /* ecdsa-with-SHA256 */
    0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03,       /* issuer CN */
    0x0c, 0x02, 'p',  'p',                                                  /* ..."pp" */
    0x30, 0x20, 0x17, 0x0d, '0',  '0',  '0',  '1',  '0',  '1',  '0',  '0',
    '0',  '0',  '0',  '0',  'Z',  0x18, 0x0f, '9',  '9',  '9',  '9',  '1',
    '2',  '3',  '1',  '2',  '3',  '5',  '9',  '5',  '9',  'Z',        /* validity */
    0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x03, /* subject CN */
    0x0c, 0x02, 'p',  'p',                                            /* ..."pp" */
};

static const uint8_t ECDSA_SHA256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
};

pp_res pp_x509_make_session(const struct pp_ec_key *key, uint8_t *ret_der, size_t cap,
                            size_t *ret_len)
{
    uint8_t tbs[sizeof TBS_HEAD + PP_P256_SPKI_BYTES];
    uint8_t signature[PP_ECDSA_DER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(tbs, sizeof tbs);
    size_t len;

    _Static_assert(sizeof tbs == TBS_BYTES, "the length byte of TBS_HEAD says so");
    PP_CHECK(pp_ec_key_curve(key) == PP_P256, PP_E_KEY, 0);
    pp_wr_span(&wr, PP_BYTES(TBS_HEAD));
    PP_TRY(pp_ec_key_spki(key, tbs + sizeof TBS_HEAD, PP_P256_SPKI_BYTES, &len));
    PP_ASSERT(len == PP_P256_SPKI_BYTES);
    PP_TRY(pp_ec_sign(key, PP_SHA256, PP_BYTES(tbs), signature, sizeof signature, &len));

    wr = pp_wr_over(ret_der, cap);
    pp_wr_u8(&wr, DER_SEQUENCE);
    pp_wr_u8(&wr, DER_LONG_1 + 1);
    size_t outer = pp_wr_block16_begin(&wr);
    pp_wr_span(&wr, PP_BYTES(tbs));
    pp_wr_span(&wr, PP_BYTES(ECDSA_SHA256));
    pp_wr_u8(&wr, DER_BIT_STRING);
    size_t bits = pp_wr_block8_begin(&wr);
    pp_wr_u8(&wr, 0); /* no unused bits */
    pp_wr_bytes(&wr, signature, len);
    pp_wr_block8_end(&wr, bits);
    pp_wr_block16_end(&wr, outer);
    PP_TRY(pp_wr_ok(&wr));
    /* Two length bytes are the shortest form from 256 on. A signature with eight leading zero bytes
     * would fall below, once in 2^60 keys: that key gets no certificate. */
    PP_CHECK(wr.len >= 4 + 256, PP_E_CRYPTO, wr.len);
    *ret_len = wr.len;
    return PP_OK;
}

/* --- as an object ----------------------------------------------------------------------------- */

struct pp_x509_maker {
    X509 *pattern;    /* over a key that nobody has any more */
    EVP_PKEY *params; /* P-256 without a point, in the form that needs no decoder (below) */
};

static pp_res make_pattern(struct pp_x509_maker *m, const struct pp_ec_key *key)
{
    uint8_t der[PP_X509_SESSION_BYTES_MAX];
    const unsigned char *at = der;
    size_t len = 0;

    PP_TRY(pp_x509_make_session(key, der, sizeof der, &len));
    m->pattern = d2i_X509(NULL, &at, (long)len);
    m->params = EVP_PKEY_new();
    PP_CHECK(m->pattern != NULL && m->params != NULL, PP_E_NO_MEMORY, 0);
    int ok = EVP_PKEY_set_type(m->params, EVP_PKEY_EC) == 1 &&
             EVP_PKEY_copy_parameters(m->params, pp_ec_key_handle(key)) == 1;
    PP_CHECK(ok, PP_E_CRYPTO, 0);
    return PP_OK;
}

pp_res pp_x509_maker_new(struct pp_x509_maker **ret)
{
    struct pp_x509_maker *m = OPENSSL_zalloc(sizeof *m);
    struct pp_ec_key *key = NULL;

    PP_CHECK(m != NULL, PP_E_NO_MEMORY, sizeof *m);
    pp_res r = pp_ec_key_generate(PP_P256, &key);
    if (pp_is_ok(r))
        r = make_pattern(m, key);
    pp_ec_key_free(key);
    ERR_clear_error();
    if (!pp_is_ok(r)) {
        pp_x509_maker_free(m);
        return r;
    }
    *ret = m;
    return PP_OK;
}

void pp_x509_maker_free(struct pp_x509_maker *m)
{
    if (m == NULL)
        return;
    X509_free(m->pattern);
    EVP_PKEY_free(m->params);
    OPENSSL_free(m);
}

/*
 * The public half as a key whose type was set by number. X509_set_pubkey writes such a key by a
 * method that it has at hand; one of a provider it would encode and decode again.
 */
static EVP_PKEY *public_half(const struct pp_x509_maker *m, const struct pp_ec_key *key)
{
    uint8_t point[PP_P256_POINT_BYTES];
    size_t len = 0;
    EVP_PKEY *k = EVP_PKEY_new();

    if (k == NULL)
        return NULL;
    int ok = pp_is_ok(pp_ec_key_point(key, point, sizeof point, &len)) &&
             EVP_PKEY_set_type(k, EVP_PKEY_EC) == 1 &&
             EVP_PKEY_copy_parameters(k, m->params) == 1 &&
             EVP_PKEY_set1_encoded_public_key(k, point, len) == 1;
    if (ok)
        return k;
    EVP_PKEY_free(k);
    return NULL;
}

static int fill(X509 *x, const X509 *pattern, EVP_PKEY *public_key, const struct pp_ec_key *key)
{
    return X509_set_version(x, X509_get_version(pattern)) == 1 &&
           X509_set_serialNumber(x, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(pattern)) &&
           X509_set_issuer_name(x, X509_get_issuer_name(pattern)) == 1 &&
           X509_set_subject_name(x, X509_get_subject_name(pattern)) == 1 &&
           X509_set1_notBefore(x, X509_get0_notBefore(pattern)) == 1 &&
           X509_set1_notAfter(x, X509_get0_notAfter(pattern)) == 1 &&
           X509_set_pubkey(x, public_key) == 1 &&
           X509_sign(x, pp_ec_key_handle(key), pp_algorithms()->sha256) > 0;
}

pp_res pp_x509_maker_make(const struct pp_x509_maker *m, const struct pp_ec_key *key, X509 **ret)
{
    PP_CHECK(pp_ec_key_curve(key) == PP_P256, PP_E_KEY, 0);
    X509 *x = X509_new();
    EVP_PKEY *public_key = public_half(m, key);
    int ok = x != NULL && public_key != NULL && fill(x, m->pattern, public_key, key);

    EVP_PKEY_free(public_key); /* the certificate has its own reference */
    ERR_clear_error();
    if (!ok) {
        X509_free(x);
        return PP_FAIL(PP_E_CRYPTO, 0);
    }
    *ret = x;
    return PP_OK;
}
