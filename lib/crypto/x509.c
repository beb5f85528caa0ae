/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of one certificate, and its fields. */
#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "ec_int.h"
#include "rd.h"
#include "x509_int.h"

pp_res pp_asn1_time(const ASN1_TIME *t, uint64_t *ret)
{
    struct tm tm;

    PP_CHECK(t != NULL && ASN1_TIME_to_tm(t, &tm) == 1, PP_E_FORMAT, 0);
    time_t at = timegm(&tm);
    *ret = at < 0 ? 0 : (uint64_t)at;
    return PP_OK;
}

/* Which of our curves the key is on, by its exact encoding: there is one form of each. */
static int is_ec_key(struct pp_span spki, enum pp_curve *ret)
{
    for (int i = 0; i < 2; i++) {
        enum pp_curve curve = i == 0 ? PP_P256 : PP_P384;
        struct pp_span head = pp_ec_spki_head(curve);
        if (spki.len == head.len + 1 + 2 * pp_curve_len(curve) &&
            pp_span_eq(pp_span(spki.at, head.len), head)) {
            *ret = curve;
            return 1;
        }
    }
    return 0;
}

/*
 * OpenSSL sets up its decoders again for every certificate that it reads, which costs more than an
 * ECDSA verification on P-256. Keys of the form that we know are imported without them. A key that
 * cannot be read leaves `pkey` NULL, an EC key in any other form than ours counts as OTHER.
 */
static void take_key(struct pp_x509 *c, struct pp_span spki)
{
    enum pp_curve curve;

    if (is_ec_key(spki, &curve)) {
        size_t head = pp_ec_spki_head(curve).len;
        pp_res r = pp_ec_point_import(curve, pp_span(spki.at + head, spki.len - head), &c->pkey);
        c->ready = pp_is_ok(r) ? pp_ecdsa_ready(c->pkey) : NULL;
        if (c->ready != NULL)
            c->key_kind = curve == PP_P256 ? PP_X509_KEY_P256 : PP_X509_KEY_P384;
        return;
    }
    const unsigned char *at = spki.at;
    c->pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    if (c->pkey != NULL && (EVP_PKEY_is_a(c->pkey, "RSA") || EVP_PKEY_is_a(c->pkey, "RSA-PSS")))
        c->key_kind = PP_X509_KEY_RSA;
}

static pp_res read_key(struct pp_x509 *c)
{
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &spki);

    PP_CHECK(len > 0, PP_E_FORMAT, 3);
    take_key(c, pp_span(spki, (size_t)len));
    OPENSSL_free(spki);
    return PP_OK;
}

/* A tag and a length of DER; a certificate is short enough for these three forms. */
static size_t read_head(struct pp_rd *rd)
{
    (void)pp_rd_u8(rd);
    uint8_t first = pp_rd_u8(rd);
    if (first == 0x81)
        return pp_rd_u8(rd);
    return first == 0x82 ? pp_rd_u16(rd) : first;
}

/* Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, ... }; the bytes are known to be DER. */
static pp_res find_signed_part(struct pp_x509 *c)
{
    struct pp_rd rd = pp_rd_over(c->der, c->der_len);

    (void)read_head(&rd);
    c->tbs_from = c->der_len - rd.left;
    size_t len = read_head(&rd);
    PP_TRY(pp_rd_ok(&rd));
    PP_CHECK(len <= rd.left, PP_E_FORMAT, 4);
    c->tbs_len = c->der_len - rd.left - c->tbs_from + len;
    return PP_OK;
}

/* DER has one encoding per value; OpenSSL's decoder also takes BER on the outside, and passes over
 * what stands behind the value. */
static pp_res check_canonical(X509 *x, struct pp_span der)
{
    unsigned char *again = NULL;
    int len = i2d_X509(x, &again);
    int same = len > 0 && pp_span_eq(der, pp_span(again, (size_t)len));

    OPENSSL_free(again);
    PP_CHECK(same, PP_E_FORMAT, 2);
    return PP_OK;
}

/* RFC 5280, 4.2.1.3 and 4.2.1.9. One that is there twice makes the certificate EXFLAG_INVALID. */
static void read_constraints(struct pp_x509 *c)
{
    BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(c->x, NID_basic_constraints, NULL, NULL);
    ASN1_BIT_STRING *usage = X509_get_ext_d2i(c->x, NID_key_usage, NULL, NULL);

    c->is_ca = basic != NULL && basic->ca != 0;
    c->may_certify = usage == NULL || ASN1_BIT_STRING_get_bit(usage, 5 /* keyCertSign */) == 1;
    c->path_len = basic == NULL || basic->pathlen == NULL ? -1 : ASN1_INTEGER_get(basic->pathlen);
    BASIC_CONSTRAINTS_free(basic);
    ASN1_BIT_STRING_free(usage);
}

static pp_res fill(struct pp_x509 *c, struct pp_span der)
{
    const unsigned char *at = der.at;

    PP_TRY(pp_crypto_init());
    c->x = (X509 *)ASN1_item_d2i_ex(NULL, &at, (long)der.len, ASN1_ITEM_rptr(X509),
                                    pp_algorithms()->bare, NULL);
    ERR_clear_error();
    PP_CHECK(c->x != NULL, PP_E_FORMAT, 0);
    PP_TRY(check_canonical(c->x, der));
    PP_TRY(pp_asn1_time(X509_get0_notBefore(c->x), &c->not_before));
    PP_TRY(pp_asn1_time(X509_get0_notAfter(c->x), &c->not_after));
    PP_CHECK((c->der = OPENSSL_memdup(der.at, der.len)) != NULL, PP_E_NO_MEMORY, 0);
    c->der_len = der.len;
    PP_TRY(find_signed_part(c));
    PP_TRY(read_key(c));
    /* Fills OpenSSL's cache of the extensions now, so that later reads change nothing. */
    (void)X509_check_purpose(c->x, -1, 0);
    read_constraints(c);
    ERR_clear_error();
    return PP_OK;
}

pp_res pp_x509_parse(struct pp_span der, struct pp_x509 **ret)
{
    struct pp_x509 *c;

    PP_CHECK(der.len <= PP_X509_DER_BYTES_MAX, PP_E_LIMIT, der.len);
    PP_CHECK((c = OPENSSL_zalloc(sizeof *c)) != NULL, PP_E_NO_MEMORY, 0);
    pp_res r = fill(c, der);
    if (!pp_is_ok(r)) {
        pp_x509_free(c);
        return r;
    }
    *ret = c;
    return PP_OK;
}

void pp_x509_free(struct pp_x509 *c)
{
    if (c == NULL)
        return;
    X509_free(c->x);
    EVP_PKEY_CTX_free(c->ready);
    EVP_PKEY_free(c->pkey);
    OPENSSL_free(c->der);
    OPENSSL_free(c);
}

int pp_x509_version(const struct pp_x509 *c)
{
    return (int)X509_get_version(c->x) + 1;
}

enum pp_x509_key_kind pp_x509_key_kind(const struct pp_x509 *c)
{
    return c->key_kind;
}

size_t pp_x509_key_bits(const struct pp_x509 *c)
{
    int bits = c->pkey == NULL ? 0 : EVP_PKEY_get_bits(c->pkey);

    return bits > 0 ? (size_t)bits : 0;
}

enum pp_x509_sig_kind pp_sig_kind(int digest_nid, int key_nid, unsigned flags)
{
    /* For RSA-PSS, OpenSSL sets the TLS flag exactly when MGF1 uses the same hash and the salt has
     * its length. */
    if (key_nid == EVP_PKEY_RSA_PSS && digest_nid == NID_sha384 && (flags & X509_SIG_INFO_TLS) != 0)
        return PP_X509_SIG_PSS_SHA384;
    if (key_nid == EVP_PKEY_EC && digest_nid == NID_sha256)
        return PP_X509_SIG_ECDSA_SHA256;
    if (key_nid == EVP_PKEY_EC && digest_nid == NID_sha384)
        return PP_X509_SIG_ECDSA_SHA384;
    return PP_X509_SIG_OTHER;
}

enum pp_x509_sig_kind pp_x509_sig_kind(const struct pp_x509 *c)
{
    int digest_nid = NID_undef;
    int key_nid = NID_undef;
    uint32_t flags = 0;

    if (X509_get_signature_info(c->x, &digest_nid, &key_nid, NULL, &flags) != 1)
        return PP_X509_SIG_OTHER;
    return pp_sig_kind(digest_nid, key_nid, flags);
}

uint64_t pp_x509_not_before(const struct pp_x509 *c)
{
    return c->not_before;
}

uint64_t pp_x509_not_after(const struct pp_x509 *c)
{
    return c->not_after;
}

struct pp_span pp_x509_der(const struct pp_x509 *c)
{
    return pp_span(c->der, c->der_len);
}

int pp_x509_equal(const struct pp_x509 *a, const struct pp_x509 *b)
{
    return pp_span_eq(pp_x509_der(a), pp_x509_der(b));
}

void pp_x509_digest(const struct pp_x509 *c, uint8_t ret[PP_SHA256_BYTES])
{
    pp_sha256(pp_x509_der(c), ret);
}

pp_res pp_x509_spki(const struct pp_x509 *c, uint8_t *ret, size_t cap, size_t *ret_len)
{
    X509_PUBKEY *key = X509_get_X509_PUBKEY(c->x);
    int len = i2d_X509_PUBKEY(key, NULL);

    PP_CHECK(len > 0, PP_E_KEY, 0);
    PP_CHECK((size_t)len <= cap, PP_E_NO_SPACE, len);
    PP_CHECK(i2d_X509_PUBKEY(key, &ret) == len, PP_E_KEY, 0);
    *ret_len = (size_t)len;
    return PP_OK;
}

pp_res pp_x509_point(const struct pp_x509 *c, uint8_t *ret, size_t cap, size_t *ret_len)
{
    uint8_t spki[PP_P384_SPKI_BYTES];
    size_t len;

    PP_CHECK(c->key_kind == PP_X509_KEY_P256 || c->key_kind == PP_X509_KEY_P384, PP_E_KEY, 0);
    PP_TRY(pp_x509_spki(c, spki, sizeof spki, &len));
    size_t head = pp_ec_spki_head(c->key_kind == PP_X509_KEY_P256 ? PP_P256 : PP_P384).len;
    PP_CHECK(len - head <= cap, PP_E_NO_SPACE, len - head);
    memcpy(ret, spki + head, len - head);
    *ret_len = len - head;
    return PP_OK;
}

pp_res pp_x509_ecdsa_verify_raw(const struct pp_x509 *c, enum pp_hash_id hash,
                                struct pp_span message, const uint8_t *r, const uint8_t *s)
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len;

    PP_CHECK(c->key_kind == PP_X509_KEY_P256 || c->key_kind == PP_X509_KEY_P384, PP_E_KEY, 0);
    PP_TRY(pp_ecdsa_raw_to_der(r, s, c->key_kind == PP_X509_KEY_P256 ? 32 : 48, der, sizeof der,
                               &len));
    return pp_ecdsa_verify_ready(c->ready, hash, message, pp_span(der, len));
}

static X509_NAME *name_of(const struct pp_x509 *c, enum pp_x509_side side)
{
    return side == PP_X509_ISSUER ? X509_get_issuer_name(c->x) : X509_get_subject_name(c->x);
}

size_t pp_x509_name_count(const struct pp_x509 *c, enum pp_x509_side side)
{
    int n = X509_NAME_entry_count(name_of(c, side));

    return n > 0 ? (size_t)n : 0;
}

pp_res pp_x509_name(const struct pp_x509 *c, enum pp_x509_side side, const char *attribute,
                    char ret[PP_X509_NAME_BYTES_MAX])
{
    X509_NAME *name = name_of(c, side);
    int nid = OBJ_sn2nid(attribute);
    unsigned char *text = NULL;

    PP_ASSERT(nid != NID_undef);
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    PP_CHECK(at >= 0, PP_E_NOT_FOUND, nid);
    PP_CHECK(X509_NAME_get_index_by_NID(name, nid, at) < 0, PP_E_DUPLICATE, nid);
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    ERR_clear_error();
    PP_CHECK(len >= 0, PP_E_FORMAT, nid);
    pp_res r = PP_OK;
    if (len >= PP_X509_NAME_BYTES_MAX)
        r = PP_FAIL(PP_E_RANGE, len);
    else if (len > 0 && memchr(text, 0, (size_t)len) != NULL)
        r = PP_FAIL(PP_E_FORMAT, nid);
    if (pp_is_ok(r)) {
        memset(ret, 0, PP_X509_NAME_BYTES_MAX);
        if (len > 0)
            memcpy(ret, text, (size_t)len);
    }
    OPENSSL_free(text);
    return r;
}

pp_res pp_x509_extension(const struct pp_x509 *c, const char *oid, struct pp_span *ret)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    PP_CHECK(object != NULL, PP_E_NO_MEMORY, 0);
    int at = X509_get_ext_by_OBJ(c->x, object, -1);
    int next = at < 0 ? -1 : X509_get_ext_by_OBJ(c->x, object, at);
    ASN1_OBJECT_free(object);
    PP_CHECK(at >= 0, PP_E_NOT_FOUND, 0);
    PP_CHECK(next < 0, PP_E_DUPLICATE, next);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(c->x, at));
    *ret = pp_span(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    return PP_OK;
}

int pp_x509_repeats_extension(const struct pp_x509 *c)
{
    for (int i = 0; i < X509_get_ext_count(c->x); i++) {
        ASN1_OBJECT *kind = X509_EXTENSION_get_object(X509_get_ext(c->x, i));
        if (X509_get_ext_by_OBJ(c->x, kind, i) >= 0)
            return 1;
    }
    return 0;
}

int pp_x509_serial_is_positive(const struct pp_x509 *c)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x);
    int is_zero = ASN1_STRING_length(serial) == 0 ||
                  (ASN1_STRING_length(serial) == 1 && ASN1_STRING_get0_data(serial)[0] == 0);

    return ASN1_STRING_type(serial) == V_ASN1_INTEGER && !is_zero; /* a negative one: NEG_INTEGER */
}
