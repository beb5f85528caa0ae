/* SPDX-License-Identifier: Apache-2.0 */
#include "x509_issue_int.h"

#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ec_int.h"

struct pp_issue_key {
    EVP_PKEY *pkey;
};

/* --- keys ------------------------------------------------------------------------------------ */

/* Takes `pkey` over, also on failure. */
static pp_res key_take(EVP_PKEY *pkey, struct pp_issue_key **ret)
{
    struct pp_issue_key *k = OPENSSL_zalloc(sizeof *k);

    if (k == NULL) {
        EVP_PKEY_free(pkey);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    k->pkey = pkey;
    *ret = k;
    return PP_OK;
}

pp_res pp_issue_key_generate_rsa(size_t rsa_bits, struct pp_issue_key **ret)
{
    PP_CHECK(rsa_bits == 2048 || rsa_bits == 3072 || rsa_bits == 4096, PP_E_RANGE, rsa_bits);
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", rsa_bits);
    PP_CHECK(pkey != NULL, PP_E_CRYPTO, 0);
    return key_take(pkey, ret);
}

pp_res pp_issue_key_from_ec(const struct pp_ec_key *ec, struct pp_issue_key **ret)
{
    EVP_PKEY *pkey = pp_ec_key_evp(ec);

    PP_CHECK(EVP_PKEY_up_ref(pkey) == 1, PP_E_CRYPTO, 0);
    return key_take(pkey, ret);
}

pp_res pp_issue_key_import_der(struct pp_span der, struct pp_issue_key **ret)
{
    const unsigned char *at = der.at;

    PP_CHECK(der.len > 0 && der.len <= PP_ISSUE_RSA_DER_BYTES_MAX, PP_E_KEY, der.len);
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    EVP_PKEY *pkey = info == NULL || at != der.at + der.len ? NULL : EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    PP_CHECK(pkey != NULL, PP_E_KEY, 0);
    return key_take(pkey, ret);
}

pp_res pp_issue_key_export_der(const struct pp_issue_key *k, struct pp_secret *ret)
{
    return pp_pkey_export_der(k->pkey, ret);
}

void pp_issue_key_free(struct pp_issue_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    OPENSSL_free(k);
}

EVP_PKEY *pp_issue_key_pkey(const struct pp_issue_key *k)
{
    return k->pkey;
}

pp_res pp_issue_key_spki(const struct pp_issue_key *k, uint8_t *ret, size_t cap, size_t *ret_len)
{
    int len = i2d_PUBKEY(k->pkey, NULL);

    PP_CHECK(len > 0, PP_E_CRYPTO, 0);
    PP_CHECK((size_t)len <= cap, PP_E_NO_SPACE, len);
    PP_CHECK(i2d_PUBKEY(k->pkey, &ret) == len, PP_E_CRYPTO, 0);
    *ret_len = (size_t)len;
    return PP_OK;
}

/* --- parts ----------------------------------------------------------------------------------- */

static pp_res fill_name(X509_NAME *name, const struct pp_issue_name *rows, size_t count)
{
    PP_CHECK(count <= PP_ISSUE_NAMES_MAX, PP_E_RANGE, count);
    for (size_t i = 0; i < count; i++)
        PP_CHECK(X509_NAME_add_entry_by_txt(name, rows[i].attribute, MBSTRING_UTF8,
                                            (const unsigned char *)rows[i].text, -1, -1, 0) == 1,
                 PP_E_CRYPTO, i);
    return PP_OK;
}

/* A signing context set up for `sig`; the caller frees it. */
static pp_res signing(const struct pp_issue_key *signer, enum pp_x509_sig_kind sig,
                      EVP_MD_CTX **ret)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL; /* belongs to ctx */
    const EVP_MD *md = sig == PP_X509_SIG_ECDSA_SHA256 ? pp_algorithms()->sha256
                                                       : pp_algorithms()->sha384;

    PP_CHECK(ctx != NULL, PP_E_NO_MEMORY, 0);
    int ok = EVP_DigestSignInit(ctx, &key, md, NULL, signer->pkey) == 1;
    if (sig == PP_X509_SIG_PSS_SHA384)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(key, md) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1;
    ERR_clear_error();
    if (!ok) {
        EVP_MD_CTX_free(ctx);
        return PP_FAIL(PP_E_CRYPTO, 1);
    }
    *ret = ctx;
    return PP_OK;
}

static pp_res add_extension(X509 *x, const struct pp_issue_extension *e)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(e->oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    int ok = oid != NULL && value != NULL &&
             ASN1_OCTET_STRING_set(value, e->value.at, (int)e->value.len) == 1;

    if (ok)
        extension = X509_EXTENSION_create_by_OBJ(NULL, oid, e->critical, value);
    ok = extension != NULL && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    PP_CHECK(ok, PP_E_CRYPTO, 2);
    return PP_OK;
}

static pp_res add_ca_extensions(X509 *x, int path_len)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    int ok = constraints != NULL && usage != NULL;

    if (ok) {
        constraints->ca = 0xFF;
        if (path_len >= 0)
            ok = (constraints->pathlen = ASN1_INTEGER_new()) != NULL &&
                 ASN1_INTEGER_set(constraints->pathlen, path_len) == 1;
    }
    ok = ok && ASN1_BIT_STRING_set_bit(usage, 5, 1) == 1 && /* keyCertSign */
         ASN1_BIT_STRING_set_bit(usage, 6, 1) == 1 &&       /* cRLSign */
         X509_add1_ext_i2d(x, NID_basic_constraints, constraints, 1, X509V3_ADD_APPEND) == 1 &&
         X509_add1_ext_i2d(x, NID_key_usage, usage, 1, X509V3_ADD_APPEND) == 1;
    ASN1_BIT_STRING_free(usage);
    BASIC_CONSTRAINTS_free(constraints);
    PP_CHECK(ok, PP_E_CRYPTO, 3);
    return PP_OK;
}

static pp_res set_spki(X509 *x, struct pp_span spki)
{
    const unsigned char *at = spki.at;
    X509_PUBKEY *key = d2i_X509_PUBKEY(NULL, &at, (long)spki.len);
    EVP_PKEY *pkey = key == NULL ? NULL : X509_PUBKEY_get0(key);
    int ok = pkey != NULL && at == spki.at + spki.len && X509_set_pubkey(x, pkey) == 1;

    X509_PUBKEY_free(key);
    ERR_clear_error();
    PP_CHECK(ok, PP_E_KEY, 0);
    return PP_OK;
}

static pp_res fill_cert(X509 *x, const struct pp_issue_cert *cert)
{
    PP_CHECK(cert->extension_count <= PP_ISSUE_EXTENSIONS_MAX, PP_E_RANGE, cert->extension_count);
    PP_CHECK(cert->version >= 0 && cert->version <= 3, PP_E_RANGE, cert->version);
    PP_CHECK(X509_set_version(x, cert->version == 0 ? X509_VERSION_3 : cert->version - 1) == 1,
             PP_E_CRYPTO, 4);
    PP_CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), cert->serial) == 1, PP_E_CRYPTO, 5);
    PP_CHECK(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)cert->not_before) != NULL, PP_E_RANGE,
             1);
    PP_CHECK(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)cert->not_after) != NULL, PP_E_RANGE, 2);
    PP_TRY(fill_name(X509_get_subject_name(x), cert->subject, cert->subject_count));
    PP_TRY(fill_name(X509_get_issuer_name(x), cert->issuer, cert->issuer_count));
    PP_TRY(set_spki(x, cert->spki));
    if (cert->is_ca)
        PP_TRY(add_ca_extensions(x, cert->path_len));
    for (size_t i = 0; i < cert->extension_count; i++)
        PP_TRY(add_extension(x, &cert->extensions[i]));
    return PP_OK;
}

static pp_res give_der(unsigned char *der, int len, uint8_t *ret, size_t cap, size_t *ret_len)
{
    pp_res r = len <= 0            ? PP_FAIL(PP_E_CRYPTO, 6)
               : (size_t)len > cap ? PP_FAIL(PP_E_NO_SPACE, len)
                                   : PP_OK;

    if (pp_is_ok(r)) {
        memcpy(ret, der, (size_t)len);
        *ret_len = (size_t)len;
    }
    OPENSSL_free(der);
    return r;
}

/* --- certificates and lists ------------------------------------------------------------------ */

pp_res pp_x509_issue(const struct pp_issue_cert *cert, const struct pp_issue_key *signer,
                     enum pp_x509_sig_kind sig, uint8_t *ret_der, size_t cap, size_t *ret_len)
{
    EVP_MD_CTX *ctx = NULL;
    unsigned char *der = NULL;
    X509 *x = X509_new();
    pp_res r = x == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : fill_cert(x, cert);

    if (pp_is_ok(r))
        r = signing(signer, sig, &ctx);
    if (pp_is_ok(r) && X509_sign_ctx(x, ctx) <= 0)
        r = PP_FAIL(PP_E_CRYPTO, 7);
    if (pp_is_ok(r)) {
        int len = i2d_X509(x, &der);
        r = give_der(der, len, ret_der, cap, ret_len);
    }
    EVP_MD_CTX_free(ctx);
    X509_free(x);
    ERR_clear_error();
    return r;
}

static pp_res add_serial(X509_CRL *c, uint64_t serial, const ASN1_TIME *when)
{
    X509_REVOKED *row = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    int ok = row != NULL && number != NULL && ASN1_INTEGER_set_uint64(number, serial) == 1 &&
             X509_REVOKED_set_serialNumber(row, number) == 1 &&
             X509_REVOKED_set_revocationDate(row, (ASN1_TIME *)when) == 1 &&
             X509_CRL_add0_revoked(c, row) == 1;

    ASN1_INTEGER_free(number);
    if (!ok)
        X509_REVOKED_free(row);
    PP_CHECK(ok, PP_E_CRYPTO, 8);
    return PP_OK;
}

static pp_res fill_crl(X509_CRL *c, const struct pp_issue_crl *crl)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)crl->this_update);
    ASN1_TIME *until = crl->next_update == 0 ? NULL : ASN1_TIME_set(NULL, (time_t)crl->next_update);
    pp_res r = fill_name(X509_CRL_get_issuer(c), crl->issuer, crl->issuer_count);

    if (crl->serial_count > PP_ISSUE_CRL_SERIALS_MAX)
        r = PP_FAIL(PP_E_RANGE, crl->serial_count);
    if (pp_is_ok(r) && (X509_CRL_set_version(c, 1) != 1 || from == NULL ||
                        X509_CRL_set1_lastUpdate(c, from) != 1 ||
                        (until != NULL && X509_CRL_set1_nextUpdate(c, until) != 1)))
        r = PP_FAIL(PP_E_CRYPTO, 9);
    for (size_t i = 0; pp_is_ok(r) && i < crl->serial_count; i++)
        r = add_serial(c, crl->serials[i], from);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return r;
}

pp_res pp_x509_issue_crl(const struct pp_issue_crl *crl, const struct pp_issue_key *signer,
                         enum pp_x509_sig_kind sig, uint8_t *ret_der, size_t cap, size_t *ret_len)
{
    EVP_MD_CTX *ctx = NULL;
    unsigned char *der = NULL;
    X509_CRL *c = X509_CRL_new();
    pp_res r = c == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : fill_crl(c, crl);

    if (pp_is_ok(r))
        r = signing(signer, sig, &ctx);
    if (pp_is_ok(r) && (X509_CRL_sort(c) != 1 || X509_CRL_sign_ctx(c, ctx) <= 0))
        r = PP_FAIL(PP_E_CRYPTO, 10);
    if (pp_is_ok(r)) {
        int len = i2d_X509_CRL(c, &der);
        r = give_der(der, len, ret_der, cap, ret_len);
    }
    EVP_MD_CTX_free(ctx);
    X509_CRL_free(c);
    ERR_clear_error();
    return r;
}
