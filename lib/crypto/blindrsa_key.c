/* SPDX-License-Identifier: Apache-2.0 */
#include "blindrsa_int.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "crypto_int.h"
#include "ec_int.h"
#include "rd.h"
#include "wr.h"

enum { SPKI_MODULUS_BYTES = 256 };

/*
 * All of the token key in front of the modulus: SEQUENCE, id-RSASSA-PSS with SHA-384, MGF1 with
 * SHA-384 and a salt of 48, BIT STRING, RSAPublicKey, and the zero in front of a modulus whose top
 * bit is set. Behind the modulus stands the exponent.
 */
static const uint8_t SPKI_HEAD[] = {
    0x30, 0x82, 0x01, 0x52, 0x30, 0x3d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
    0x01, 0x01, 0x0a, 0x30, 0x30, 0xa0, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
    0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0xa1, 0x1a, 0x30, 0x18, 0x06, 0x09, 0x2a, 0x86,
    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
    0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0xa2, 0x03, 0x02, 0x01, 0x30, 0x03, 0x82, 0x01,
    0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00,
};
static const uint8_t SPKI_TAIL[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };

_Static_assert(sizeof SPKI_HEAD + SPKI_MODULUS_BYTES + sizeof SPKI_TAIL == PP_BLINDRSA_SPKI_BYTES,
               "sizes agree");

void pp_blindrsa_free(struct pp_blindrsa_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey); /* wipes the private numbers */
    BN_free(k->n);
    BN_free(k->e);
    BN_MONT_CTX_free(k->mont);
    OPENSSL_free(k);
}

/* The public numbers, and what arithmetic with them needs. */
static pp_res fill(struct pp_blindrsa_key *k)
{
    BN_CTX *ctx;
    int bits;

    PP_CHECK(EVP_PKEY_is_a(k->pkey, "RSA") == 1, PP_E_KEY, 1);
    PP_CHECK(EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_N, &k->n) == 1, PP_E_KEY, 2);
    PP_CHECK(EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_E, &k->e) == 1, PP_E_KEY, 3);
    bits = BN_num_bits(k->n);
    PP_CHECK(bits >= PP_BLINDRSA_BITS_MIN && bits <= PP_BLINDRSA_BITS_MAX && bits % 8 == 0,
             PP_E_KEY, bits);
    PP_CHECK(BN_is_odd(k->n) == 1 && BN_is_word(k->e, PP_BLINDRSA_E) == 1, PP_E_KEY, 4);
    k->bytes = (size_t)bits / 8;
    PP_CHECK((k->mont = BN_MONT_CTX_new()) != NULL, PP_E_NO_MEMORY, 0);
    PP_CHECK((ctx = BN_CTX_new()) != NULL, PP_E_NO_MEMORY, 0);
    int ok = BN_MONT_CTX_set(k->mont, k->n, ctx);
    BN_CTX_free(ctx);
    PP_CHECK(ok == 1, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* Signing checks its own result, so one signature tells that the halves belong together. */
static pp_res try_out(const struct pp_blindrsa_key *k)
{
    uint8_t number[PP_BLINDRSA_BYTES_MAX] = { 0 }, signature[PP_BLINDRSA_BYTES_MAX];

    if (!k->is_private)
        return PP_OK;
    number[k->bytes - 1] = 2;
    PP_TRY_AS(PP_E_KEY, pp_blindrsa_sign(k, pp_span(number, k->bytes), signature));
    return PP_OK;
}

/* Takes `pkey` over, also on failure. NULL is a key that could not be read. */
static pp_res key_take(EVP_PKEY *pkey, int is_private, struct pp_blindrsa_key **ret)
{
    struct pp_blindrsa_key *k = OPENSSL_zalloc(sizeof *k);

    ERR_clear_error();
    if (k == NULL) {
        EVP_PKEY_free(pkey);
        return PP_FAIL(PP_E_NO_MEMORY, 0);
    }
    k->pkey = pkey;
    k->is_private = is_private;
    pp_res r = pkey == NULL ? PP_FAIL(PP_E_KEY, 0) : fill(k);
    if (pp_is_ok(r))
        r = try_out(k);
    ERR_clear_error();
    if (!pp_is_ok(r)) {
        pp_blindrsa_free(k);
        return r;
    }
    *ret = k;
    return PP_OK;
}

pp_res pp_blindrsa_generate(struct pp_blindrsa_key **ret)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)PP_BLINDRSA_BITS_MIN);

    PP_CHECK(pkey != NULL, PP_E_CRYPTO, 0);
    return key_take(pkey, 1, ret);
}

pp_res pp_blindrsa_import_der(struct pp_span der_secret, struct pp_blindrsa_key **ret)
{
    const unsigned char *at = der_secret.at;

    PP_CHECK(der_secret.len > 0 && der_secret.len <= PP_BLINDRSA_DER_BYTES_MAX, PP_E_KEY,
             der_secret.len);
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der_secret.len);
    int whole = info != NULL && at == der_secret.at + der_secret.len;
    EVP_PKEY *pkey = whole ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return key_take(pkey, 1, ret);
}

pp_res pp_blindrsa_export_der(const struct pp_blindrsa_key *k, struct pp_secret *ret)
{
    PP_CHECK(k->is_private, PP_E_STATE, 0);
    return pp_pkey_export_der(k->pkey, ret);
}

static EVP_PKEY *from_numbers(const BIGNUM *n, const BIGNUM *d)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (build != NULL && ctx != NULL && n != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_uint(build, OSSL_PKEY_PARAM_RSA_E, PP_BLINDRSA_E) == 1 &&
        (d == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d) == 1) &&
        (params = OSSL_PARAM_BLD_to_param(build)) != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, d == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR,
                                params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

pp_res pp_blindrsa_import_numbers(struct pp_span n, struct pp_span d_secret,
                                  struct pp_blindrsa_key **ret)
{
    int is_private = d_secret.len > 0;

    PP_CHECK(n.len > 0 && n.len <= PP_BLINDRSA_BYTES_MAX, PP_E_KEY, n.len);
    PP_CHECK(d_secret.len <= PP_BLINDRSA_BYTES_MAX, PP_E_KEY, d_secret.len);
    BIGNUM *modulus = BN_bin2bn(n.at, (int)n.len, NULL);
    BIGNUM *d = is_private ? BN_secure_new() : NULL; /* so that OpenSSL wipes each copy of it */
    int ok = !is_private || (d != NULL && BN_bin2bn(d_secret.at, (int)d_secret.len, d) != NULL);
    EVP_PKEY *pkey = ok ? from_numbers(modulus, d) : NULL;
    BN_free(modulus);
    BN_clear_free(d);
    return key_take(pkey, is_private, ret);
}

pp_res pp_blindrsa_import_spki(struct pp_span spki, struct pp_blindrsa_key **ret)
{
    struct pp_rd rd = pp_rd_span(spki);

    PP_CHECK(pp_span_eq(pp_rd_bytes(&rd, sizeof SPKI_HEAD), PP_BYTES(SPKI_HEAD)), PP_E_KEY, 1);
    struct pp_span n = pp_rd_bytes(&rd, SPKI_MODULUS_BYTES);
    PP_CHECK(pp_span_eq(pp_rd_rest(&rd), PP_BYTES(SPKI_TAIL)), PP_E_KEY, 2);
    return pp_blindrsa_import_numbers(n, pp_span(NULL, 0), ret);
}

pp_res pp_blindrsa_spki(const struct pp_blindrsa_key *k, uint8_t ret[PP_BLINDRSA_SPKI_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PP_BLINDRSA_SPKI_BYTES);

    PP_CHECK(k->bytes == SPKI_MODULUS_BYTES, PP_E_UNSUPPORTED, k->bytes);
    pp_wr_span(&wr, PP_BYTES(SPKI_HEAD));
    PP_ASSERT(BN_bn2binpad(k->n, pp_wr_reserve(&wr, SPKI_MODULUS_BYTES), SPKI_MODULUS_BYTES) ==
              SPKI_MODULUS_BYTES);
    pp_wr_span(&wr, PP_BYTES(SPKI_TAIL));
    return pp_wr_ok(&wr);
}

size_t pp_blindrsa_bytes(const struct pp_blindrsa_key *k)
{
    return k->bytes;
}
