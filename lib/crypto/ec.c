/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_int.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "ec_int.h"
#include "hash.h"
#include "rd.h"
#include "wr.h"

enum { DER_SEQUENCE = 0x30, DER_INTEGER = 0x02, POINT_UNCOMPRESSED = 0x04 };

struct pp_ec_key {
    EVP_PKEY *pkey;
    enum pp_curve curve;
};

/* All of SubjectPublicKeyInfo in front of the point: SEQUENCE, id-ecPublicKey, the curve's OID. */
static const uint8_t SPKI_HEAD_P256[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
};
static const uint8_t SPKI_HEAD_P384[] = {
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
};

size_t pp_curve_len(enum pp_curve curve)
{
    return curve == PP_P256 ? 32 : 48;
}

struct pp_span pp_ec_spki_head(enum pp_curve curve)
{
    return curve == PP_P256 ? PP_BYTES(SPKI_HEAD_P256) : PP_BYTES(SPKI_HEAD_P384);
}

static const char *group_name(enum pp_curve curve)
{
    return curve == PP_P256 ? "P-256" : "P-384";
}

static size_t point_len(enum pp_curve curve)
{
    return 1 + 2 * pp_curve_len(curve);
}

/* --- keys ------------------------------------------------------------------------------------ */

/* Takes `pkey` over, also on failure. */
static pp_res key_take(EVP_PKEY *pkey, enum pp_curve curve, struct pp_ec_key **ret)
{
    struct pp_ec_key *k = OPENSSL_zalloc(sizeof *k);

    if (k == NULL) {
        EVP_PKEY_free(pkey);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    k->pkey = pkey;
    k->curve = curve;
    *ret = k;
    return PP_OK;
}

/* From parameters that are there already: that halves the cost of a session's key. */
static EVP_PKEY *generate_p256(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pp_algorithms()->p256_frame, NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1)
        (void)EVP_PKEY_generate(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

pp_res pp_ec_key_generate(enum pp_curve curve, struct pp_ec_key **ret)
{
    EVP_PKEY *pkey = curve == PP_P256 ? generate_p256()
                                      : EVP_PKEY_Q_keygen(NULL, NULL, "EC", group_name(curve));

    PP_CHECK(pkey != NULL, PP_E_CRYPTO, 0);
    return key_take(pkey, curve, ret);
}

/* Which of our curves a key is on. A key without its public half, or with another one, is refused.
 */
static pp_res key_curve(EVP_PKEY *pkey, enum pp_curve *ret)
{
    char name[32];
    size_t len;
    EVP_PKEY_CTX *ctx;

    PP_CHECK(EVP_PKEY_is_a(pkey, "EC") == 1, PP_E_KEY, 1);
    PP_CHECK(EVP_PKEY_get_group_name(pkey, name, sizeof name, &len) == 1, PP_E_KEY, 2);
    if (strcmp(name, SN_X9_62_prime256v1) == 0)
        *ret = PP_P256;
    else if (strcmp(name, SN_secp384r1) == 0)
        *ret = PP_P384;
    else
        return PP_FAIL(PP_E_KEY, 3);
    PP_CHECK((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL)) != NULL, PP_E_NO_MEMORY, 0);
    int valid = EVP_PKEY_check(ctx);
    EVP_PKEY_CTX_free(ctx);
    PP_CHECK(valid == 1, PP_E_KEY, 4);
    return PP_OK;
}

pp_res pp_ec_key_import_der(struct pp_span der, struct pp_ec_key **ret)
{
    const unsigned char *at = der.at;
    enum pp_curve curve;

    PP_CHECK(der.len > 0 && der.len <= PP_EC_PKCS8_BYTES_MAX, PP_E_KEY, der.len);
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    EVP_PKEY *pkey = info == NULL || at != der.at + der.len ? NULL : EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    PP_CHECK(pkey != NULL, PP_E_KEY, 0);
    pp_res r = key_curve(pkey, &curve);
    ERR_clear_error();
    if (!pp_is_ok(r)) {
        EVP_PKEY_free(pkey);
        return r;
    }
    return key_take(pkey, curve, ret);
}

pp_res pp_ec_key_export_der(const struct pp_ec_key *k, struct pp_secret *ret)
{
    return pp_pkey_export_der(k->pkey, ret);
}

/* Shared with the RSA keys that x509_issue.h makes. */
pp_res pp_pkey_export_der(const EVP_PKEY *pkey, struct pp_secret *ret)
{
    struct pp_secret out = { 0 };
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    int len = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
    pp_res r = len <= 0 ? PP_FAIL(PP_E_CRYPTO, 0) : pp_secret_alloc(&out, (size_t)len);

    if (pp_is_ok(r)) {
        unsigned char *at = out.bytes;
        PP_ASSERT(i2d_PKCS8_PRIV_KEY_INFO(info, &at) == len);
        *ret = out;
    }
    PKCS8_PRIV_KEY_INFO_free(info); /* wipes its copy of the key */
    return r;
}

struct evp_pkey_st *pp_ec_key_handle(const struct pp_ec_key *k)
{
    return k->pkey;
}

void pp_ec_key_free(struct pp_ec_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    OPENSSL_free(k);
}

enum pp_curve pp_ec_key_curve(const struct pp_ec_key *k)
{
    return k->curve;
}

EVP_PKEY *pp_ec_key_evp(const struct pp_ec_key *k)
{
    return k->pkey;
}

pp_res pp_ec_key_point(const struct pp_ec_key *k, uint8_t *ret, size_t cap, size_t *ret_len)
{
    size_t len = 0;

    PP_CHECK(cap >= point_len(k->curve), PP_E_NO_SPACE, point_len(k->curve));
    PP_CHECK(EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY, ret, cap, &len) == 1,
             PP_E_CRYPTO, 0);
    PP_ASSERT(len == point_len(k->curve) && ret[0] == POINT_UNCOMPRESSED);
    *ret_len = len;
    return PP_OK;
}

pp_res pp_ec_key_spki(const struct pp_ec_key *k, uint8_t *ret, size_t cap, size_t *ret_len)
{
    struct pp_wr wr = pp_wr_over(ret, cap);
    uint8_t *point;
    size_t len;

    pp_wr_span(&wr, pp_ec_spki_head(k->curve));
    point = pp_wr_reserve(&wr, point_len(k->curve));
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(pp_ec_key_point(k, point, point_len(k->curve), &len));
    *ret_len = wr.len;
    return PP_OK;
}

/* --- signatures ------------------------------------------------------------------------------ */

pp_res pp_ec_sign(const struct pp_ec_key *k, enum pp_hash_id hash, struct pp_span message,
                  uint8_t *ret_der, size_t cap, size_t *ret_len)
{
    uint8_t digest[PP_HASH_BYTES_MAX];
    size_t len = cap;
    EVP_PKEY_CTX *ctx;

    PP_CHECK(cap >= PP_ECDSA_DER_BYTES_MAX, PP_E_NO_SPACE, PP_ECDSA_DER_BYTES_MAX);
    pp_hash_of(hash, message, digest);
    PP_CHECK((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL)) != NULL, PP_E_NO_MEMORY, 0);
    int ok = EVP_PKEY_sign_init(ctx) == 1 &&
             EVP_PKEY_sign(ctx, ret_der, &len, digest, pp_hash_len(hash)) == 1;
    EVP_PKEY_CTX_free(ctx);
    PP_CHECK(ok, PP_E_CRYPTO, 0);
    *ret_len = len;
    return PP_OK;
}

/* Takes a DER INTEGER of at most `len` significant bytes; shorter and longer encodings fail. */
static void read_integer(struct pp_rd *rd, size_t len, uint8_t *ret)
{
    uint8_t tag = pp_rd_u8(rd);
    struct pp_rd body = pp_rd_block8(rd); /* a body of 128 bytes or more is out of range below */
    uint8_t first = pp_rd_u8(&body);

    if (rd->failed != PP_E_OK || body.failed != PP_E_OK || tag != DER_INTEGER || first > 0x7F) {
        pp_rd_fail(rd, PP_E_FORMAT);
        return;
    }
    if (first == 0 && body.left > 0 && body.at[0] <= 0x7F) { /* a zero that nothing asks for */
        pp_rd_fail(rd, PP_E_FORMAT);
        return;
    }
    size_t significant = body.left + (first != 0);
    if (significant > len) {
        pp_rd_fail(rd, PP_E_RANGE);
        return;
    }
    struct pp_wr wr = pp_wr_over(ret, len);
    pp_wr_zeros(&wr, len - significant);
    if (first != 0)
        pp_wr_u8(&wr, first);
    pp_wr_span(&wr, pp_rd_rest(&body));
}

pp_res pp_ecdsa_der_to_raw(struct pp_span der, size_t len, uint8_t *ret_r, uint8_t *ret_s)
{
    uint8_t r[PP_EC_FIELD_BYTES_MAX], s[PP_EC_FIELD_BYTES_MAX];
    struct pp_rd rd = pp_rd_span(der);

    PP_ASSERT(len == 32 || len == 48);
    uint8_t tag = pp_rd_u8(&rd);
    struct pp_rd body = pp_rd_block8(&rd); /* at most 104 bytes: the short form is the only one */
    PP_CHECK(rd.failed == PP_E_OK && tag == DER_SEQUENCE && rd.left == 0, PP_E_FORMAT, 0);
    PP_CHECK(body.left <= 0x7F, PP_E_FORMAT, body.left);
    read_integer(&body, len, r);
    read_integer(&body, len, s);
    PP_CHECK(body.failed == PP_E_OK || body.failed == PP_E_RANGE, PP_E_FORMAT, body.detail);
    PP_TRY(pp_rd_ok(&body));
    PP_CHECK(body.left == 0, PP_E_FORMAT, body.left);
    memcpy(ret_r, r, len);
    memcpy(ret_s, s, len);
    return PP_OK;
}

static void write_integer(struct pp_wr *wr, const uint8_t *bytes, size_t len)
{
    size_t zeros = 0;

    while (zeros + 1 < len && bytes[zeros] == 0)
        zeros++;
    pp_wr_u8(wr, DER_INTEGER);
    size_t mark = pp_wr_block8_begin(wr);
    if (bytes[zeros] > 0x7F)
        pp_wr_u8(wr, 0);
    pp_wr_bytes(wr, bytes + zeros, len - zeros);
    pp_wr_block8_end(wr, mark);
}

pp_res pp_ecdsa_raw_to_der(const uint8_t *r, const uint8_t *s, size_t len, uint8_t *ret_der,
                           size_t cap, size_t *ret_len)
{
    struct pp_wr wr = pp_wr_over(ret_der, cap);

    PP_ASSERT(len == 32 || len == 48);
    pp_wr_u8(&wr, DER_SEQUENCE);
    size_t mark = pp_wr_block8_begin(&wr);
    write_integer(&wr, r, len);
    write_integer(&wr, s, len);
    pp_wr_block8_end(&wr, mark);
    PP_TRY(pp_wr_ok(&wr));
    *ret_len = wr.len;
    return PP_OK;
}

/* --- verification ---------------------------------------------------------------------------- */

pp_res pp_ec_point_import(enum pp_curve curve, struct pp_span point, EVP_PKEY **ret)
{
    EVP_PKEY *pkey;

    PP_TRY(pp_crypto_init()); /* long done, but in programs that only verify */
    PP_CHECK(point.len == point_len(curve) && point.at[0] == POINT_UNCOMPRESSED, PP_E_KEY,
             point.len);
    const struct pp_algorithms *a = pp_algorithms();
    PP_CHECK((pkey = EVP_PKEY_dup(curve == PP_P256 ? a->p256_frame : a->p384_frame)) != NULL,
             PP_E_NO_MEMORY, 0);
    if (EVP_PKEY_set1_encoded_public_key(pkey, point.at, point.len) != 1) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return PP_FAIL(PP_E_KEY, 0); /* not on the curve */
    }
    *ret = pkey;
    return PP_OK;
}

EVP_PKEY_CTX *pp_ecdsa_ready(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return NULL;
}

pp_res pp_ecdsa_verify_ready(const EVP_PKEY_CTX *ready, enum pp_hash_id hash,
                             struct pp_span message, struct pp_span der)
{
    uint8_t digest[PP_HASH_BYTES_MAX];
    EVP_PKEY_CTX *ctx;

    PP_CHECK(ready != NULL, PP_E_SIGNATURE, 1);
    pp_hash_of(hash, message, digest);
    PP_CHECK((ctx = EVP_PKEY_CTX_dup(ready)) != NULL, PP_E_NO_MEMORY, 0);
    int ok = EVP_PKEY_verify(ctx, der.at, der.len, digest, pp_hash_len(hash)) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    PP_CHECK(ok, PP_E_SIGNATURE, 0);
    return PP_OK;
}

struct pp_ec_public {
    EVP_PKEY_CTX *ready;
    enum pp_curve curve;
};

pp_res pp_ec_public_import(enum pp_curve curve, struct pp_span point, struct pp_ec_public **ret)
{
    struct pp_ec_public *k;
    EVP_PKEY *pkey = NULL;

    PP_TRY(pp_ec_point_import(curve, point, &pkey));
    EVP_PKEY_CTX *ready = pp_ecdsa_ready(pkey);
    EVP_PKEY_free(pkey); /* `ready` holds it */
    k = ready == NULL ? NULL : OPENSSL_zalloc(sizeof *k);
    if (k == NULL) {
        EVP_PKEY_CTX_free(ready);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    k->ready = ready;
    k->curve = curve;
    *ret = k;
    return PP_OK;
}

void pp_ec_public_free(struct pp_ec_public *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_CTX_free(k->ready);
    OPENSSL_free(k);
}

pp_res pp_ec_public_verify_raw(const struct pp_ec_public *k, enum pp_hash_id hash,
                               struct pp_span message, const uint8_t *r, const uint8_t *s)
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len;

    PP_TRY(pp_ecdsa_raw_to_der(r, s, pp_curve_len(k->curve), der, sizeof der, &len));
    return pp_ecdsa_verify_ready(k->ready, hash, message, pp_span(der, len));
}

pp_res pp_ecdsa_verify(enum pp_curve curve, struct pp_span point, enum pp_hash_id hash,
                       struct pp_span message, struct pp_span der)
{
    uint8_t r[PP_EC_FIELD_BYTES_MAX], s[PP_EC_FIELD_BYTES_MAX];
    struct pp_ec_public *k = NULL;

    PP_TRY_AS(PP_E_SIGNATURE, pp_ecdsa_der_to_raw(der, pp_curve_len(curve), r, s));
    PP_TRY(pp_ec_public_import(curve, point, &k));
    pp_res result = pp_ecdsa_verify_ready(k->ready, hash, message, der);
    pp_ec_public_free(k);
    return result;
}

pp_res pp_ecdsa_verify_raw(enum pp_curve curve, struct pp_span point, enum pp_hash_id hash,
                           struct pp_span message, const uint8_t *r, const uint8_t *s)
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len;

    PP_TRY(pp_ecdsa_raw_to_der(r, s, pp_curve_len(curve), der, sizeof der, &len));
    return pp_ecdsa_verify(curve, point, hash, message, pp_span(der, len));
}
