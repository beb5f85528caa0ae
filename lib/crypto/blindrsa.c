/* SPDX-License-Identifier: Apache-2.0 */
#include "blindrsa_int.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "ct.h"
#include "ec_int.h"
#include "hash.h"

enum { BLIND_TRIES_MAX = 128 }; /* each is below the modulus in at least one case of two */

/* --- numbers --------------------------------------------------------------------------------- */

/* Numbers of one computation. OpenSSL wipes each of them with the context. */
struct work {
    BN_CTX *ctx;
};

static void work_done(struct work *w)
{
    if (w->ctx != NULL)
        BN_CTX_end(w->ctx);
    BN_CTX_free(w->ctx);
    ERR_clear_error();
}

static pp_res work_init(struct work *w)
{
    PP_CHECK((w->ctx = BN_CTX_new()) != NULL, PP_E_NO_MEMORY, 0);
    BN_CTX_start(w->ctx);
    return PP_OK;
}

/* A new number; with bytes, their value. */
static pp_res number_new(struct work *w, struct pp_span bytes, BIGNUM **ret)
{
    BIGNUM *b = BN_CTX_get(w->ctx);

    PP_CHECK(b != NULL, PP_E_NO_MEMORY, 0);
    PP_CHECK(bytes.len == 0 || BN_bin2bn(bytes.at, (int)bytes.len, b) != NULL, PP_E_NO_MEMORY, 0);
    *ret = b;
    return PP_OK;
}

/* The value of bytes that a peer sent: as long as the modulus, and below it. */
static pp_res number_read(const struct pp_blindrsa_key *k, struct work *w, struct pp_span bytes,
                          BIGNUM **ret)
{
    PP_CHECK(bytes.len == k->bytes, PP_E_KEY, bytes.len);
    PP_TRY(number_new(w, bytes, ret));
    PP_CHECK(BN_cmp(*ret, k->n) < 0, PP_E_KEY, 0);
    return PP_OK;
}

static pp_res number_write(const struct pp_blindrsa_key *k, const BIGNUM *b, uint8_t *ret)
{
    PP_CHECK(BN_bn2binpad(b, ret, (int)k->bytes) == (int)k->bytes, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* ret = a * b modulo n: `a` is taken into Montgomery form, and the product comes out of it. */
static pp_res multiply(const struct pp_blindrsa_key *k, struct work *w, BIGNUM *ret,
                       const BIGNUM *a, const BIGNUM *b)
{
    BIGNUM *a_mont;

    PP_TRY(number_new(w, pp_span(NULL, 0), &a_mont));
    PP_CHECK(BN_to_montgomery(a_mont, a, k->mont, w->ctx) == 1, PP_E_CRYPTO, 0);
    PP_CHECK(BN_mod_mul_montgomery(ret, a_mont, b, k->mont, w->ctx) == 1, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* ret = base^65537 modulo n: sixteen squarings and a product, whatever the base. */
static pp_res raise(const struct pp_blindrsa_key *k, struct work *w, BIGNUM *ret,
                    const BIGNUM *base)
{
    PP_CHECK(BN_mod_exp_mont(ret, base, k->e, k->n, w->ctx, k->mont) == 1, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* Of public numbers: how long it takes depends on them. */
static pp_res invert_public(const struct pp_blindrsa_key *k, struct work *w, BIGNUM *ret,
                            const BIGNUM *number)
{
    PP_CHECK(BN_mod_inverse(ret, number, k->n, w->ctx) != NULL, PP_E_KEY, 0);
    return PP_OK;
}

pp_res pp_blindrsa_check(const struct pp_blindrsa_key *k, struct pp_span number)
{
    PP_AUTO(work) w = { 0 };
    BIGNUM *ignored;

    PP_TRY(work_init(&w));
    return number_read(k, &w, number, &ignored);
}

pp_res pp_blindrsa_invert(const struct pp_blindrsa_key *k, struct pp_span number, uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };
    BIGNUM *value, *inverse;

    PP_TRY(work_init(&w));
    PP_TRY(number_read(k, &w, number, &value));
    PP_TRY(number_new(&w, pp_span(NULL, 0), &inverse));
    PP_TRY(invert_public(k, &w, inverse, value));
    return number_write(k, inverse, ret);
}

/* --- the client ------------------------------------------------------------------------------ */

/* A uniform number from 1 to n - 1. What is thrown away says nothing about what is kept. */
static pp_res random_number(const struct pp_blindrsa_key *k, struct work *w,
                            const struct pp_random *random, BIGNUM **ret)
{
    uint8_t bytes[PP_BLINDRSA_BYTES_MAX];
    pp_res r = PP_FAIL(PP_E_RANDOM, 0);

    for (int i = 0; i < BLIND_TRIES_MAX; i++) {
        r = pp_random_fill(random, bytes, k->bytes);
        if (!pp_is_ok(r))
            break;
        PP_REVEAL(bytes, k->bytes, "OpenSSL drops leading zeros of a number (blindrsa.h)");
        r = number_read(k, w, pp_span(bytes, k->bytes), ret);
        if (r.code != PP_E_KEY && (!pp_is_ok(r) || !BN_is_zero(*ret)))
            break;
        r = PP_FAIL(PP_E_RANDOM, i);
    }
    pp_wipe(bytes, sizeof bytes);
    return r;
}

/*
 * The inverse of a secret number. The steps of an inversion depend on the number, so what is
 * inverted is the number times a random one: a uniform number, whatever the secret is.
 */
static pp_res invert_secret(const struct pp_blindrsa_key *k, struct work *w,
                            const struct pp_random *random, BIGNUM *ret, const BIGNUM *secret)
{
    BIGNUM *mask, *masked, *inverse;

    PP_TRY(random_number(k, w, random, &mask));
    PP_TRY(number_new(w, pp_span(NULL, 0), &masked));
    PP_TRY(number_new(w, pp_span(NULL, 0), &inverse));
    PP_TRY(multiply(k, w, masked, secret, mask));
    PP_TRY(invert_public(k, w, inverse, masked));
    return multiply(k, w, ret, inverse, mask);
}

/* The encoded message as a number. */
static pp_res encode(const struct pp_blindrsa_key *k, struct work *w, struct pp_span message,
                     size_t salt_len, const struct pp_random *random, BIGNUM **ret)
{
    uint8_t salt[PP_BLINDRSA_SALT_BYTES], em[PP_BLINDRSA_BYTES_MAX];

    PP_CHECK(salt_len <= sizeof salt, PP_E_RANGE, salt_len);
    if (salt_len > 0)
        PP_TRY(pp_random_fill(random, salt, salt_len));
    pp_res r = pp_blindrsa_encode(message, pp_span(salt, salt_len), em, k->bytes);
    if (pp_is_ok(r)) {
        PP_REVEAL(em, sizeof em, "OpenSSL drops leading zeros of a number (blindrsa.h)");
        r = number_new(w, pp_span(em, k->bytes), ret);
    }
    pp_wipe(salt, sizeof salt);
    pp_wipe(em, sizeof em);
    return r;
}

pp_res pp_blindrsa_blind(const struct pp_blindrsa_key *k, struct pp_span message, size_t salt_len,
                         const struct pp_random *random, uint8_t *ret_inverse_secret,
                         uint8_t *ret_blinded)
{
    PP_AUTO(work) w = { 0 };
    BIGNUM *em, *blind, *inverse, *raised, *blinded, *ignored;

    PP_TRY(work_init(&w));
    PP_TRY(encode(k, &w, message, salt_len, random, &em));
    PP_TRY(random_number(k, &w, random, &blind));
    PP_TRY(number_new(&w, pp_span(NULL, 0), &raised));
    PP_TRY(number_new(&w, pp_span(NULL, 0), &inverse));
    PP_TRY(number_new(&w, pp_span(NULL, 0), &blinded));
    PP_TRY(number_new(&w, pp_span(NULL, 0), &ignored));
    PP_TRY(raise(k, &w, raised, blind));
    PP_TRY(multiply(k, &w, blinded, raised, em));
    /* RFC 9474 4.2: a message that shares a factor with n is refused. So is its blinded form, which
     * everybody may see: there the inversion need not be masked. */
    PP_TRY(invert_public(k, &w, ignored, blinded));
    PP_TRY(invert_secret(k, &w, random, inverse, blind));
    PP_TRY(number_write(k, inverse, ret_inverse_secret));
    return number_write(k, blinded, ret_blinded);
}

pp_res pp_blindrsa_finalize(const struct pp_blindrsa_key *k, struct pp_span message,
                            size_t salt_len, struct pp_span inverse_secret,
                            struct pp_span blind_signature, uint8_t *ret_signature)
{
    PP_AUTO(work) w = { 0 };
    uint8_t signature[PP_BLINDRSA_BYTES_MAX];
    BIGNUM *blinded, *inverse, *s;

    PP_TRY(work_init(&w));
    PP_TRY(number_read(k, &w, blind_signature, &blinded));
    PP_TRY(number_read(k, &w, inverse_secret, &inverse));
    PP_TRY(number_new(&w, pp_span(NULL, 0), &s));
    PP_TRY(multiply(k, &w, s, inverse, blinded));
    PP_TRY(number_write(k, s, signature));
    pp_res r = pp_blindrsa_verify(k, message, salt_len, pp_span(signature, k->bytes));
    if (pp_is_ok(r))
        memcpy(ret_signature, signature, k->bytes);
    pp_wipe(signature, sizeof signature);
    return r;
}

pp_res pp_blindrsa_verify(const struct pp_blindrsa_key *k, struct pp_span message, size_t salt_len,
                          struct pp_span signature)
{
    PP_CHECK(salt_len <= PP_BLINDRSA_SALT_BYTES, PP_E_RANGE, salt_len);
    return pp_rsa_pss_verify_pkey(k->pkey, PP_SHA384, salt_len, message, signature);
}

/* --- the signer ------------------------------------------------------------------------------ */

/* s = z^d modulo n. */
static pp_res sign(const struct pp_blindrsa_key *k, struct pp_span z, uint8_t *ret)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    size_t len = k->bytes;

    PP_CHECK(ctx != NULL, PP_E_NO_MEMORY, 0);
    int ok = EVP_PKEY_sign_init(ctx) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
             EVP_PKEY_sign(ctx, ret, &len, z.at, z.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    PP_CHECK(ok && len == k->bytes, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* RFC 9474 4.3: s^e must give z again. A wrong half of a CRT computation would factor n. */
static pp_res check_fault(const struct pp_blindrsa_key *k, struct work *w, const BIGNUM *z,
                          struct pp_span s)
{
    BIGNUM *value, *raised;

    PP_TRY(number_new(w, s, &value));
    PP_TRY(number_new(w, pp_span(NULL, 0), &raised));
    PP_TRY(raise(k, w, raised, value));
    PP_CHECK(BN_cmp(raised, z) == 0, PP_E_CRYPTO, 1);
    return PP_OK;
}

pp_res pp_blindrsa_sign(const struct pp_blindrsa_key *k, struct pp_span blinded, uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };
    uint8_t s[PP_BLINDRSA_BYTES_MAX];
    BIGNUM *z;

    PP_CHECK(k->is_private, PP_E_STATE, 0);
    PP_TRY(work_init(&w));
    PP_TRY(number_read(k, &w, blinded, &z));
    PP_TRY(sign(k, blinded, s));
    pp_res r = check_fault(k, &w, z, pp_span(s, k->bytes));
    if (pp_is_ok(r))
        memcpy(ret, s, k->bytes);
    pp_wipe(s, sizeof s); /* a faulty one factors n */
    return r;
}
