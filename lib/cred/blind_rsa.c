/* SPDX-License-Identifier: Apache-2.0 */
/* Token type 0x0002: Blind RSA (RFC 9578 6), RSABSSA-SHA384-PSS-Deterministic with 2048 bits. */
#include "cred_int.h"

#include "blindrsa.h"

enum { NUMBER_BYTES = 256, SALT_BYTES = PP_BLINDRSA_SALT_BYTES };

_Static_assert((int)PP_CRED_PK_BYTES_MAX >= (int)PP_BLINDRSA_SPKI_BYTES, "a row fits");
_Static_assert((int)PP_CRED_ELEMENT_BYTES_MAX >= (int)NUMBER_BYTES, "a row fits");
_Static_assert((int)PP_CRED_ELEMENTS_BYTES_MAX >= (int)NUMBER_BYTES, "a row fits");
_Static_assert((int)PP_CRED_BLIND_BYTES_MAX >= (int)NUMBER_BYTES, "a row fits");
_Static_assert((int)PP_TOKEN_AUTHENTICATOR_BYTES_MAX >= (int)NUMBER_BYTES, "a row fits");

/* A public key for the length of one computation. */
struct borrowed {
    struct pp_blindrsa_key *key;
};

static void borrowed_done(struct borrowed *b)
{
    pp_blindrsa_free(b->key);
}

static pp_res borrow(const struct pp_cred_public *key, struct borrowed *ret)
{
    return pp_blindrsa_import_spki(pp_span(key->pk, key->pk_len), &ret->key);
}

/* --- keys ------------------------------------------------------------------------------------ */

static pp_res public_check(struct pp_span pk)
{
    PP_AUTO(borrowed) b = { 0 };

    return pp_blindrsa_import_spki(pk, &b.key);
}

static pp_res import(struct pp_span sk_secret, struct pp_cred_key *ret)
{
    PP_AUTO(borrowed) b = { 0 };

    PP_TRY(pp_blindrsa_import_der(sk_secret, &b.key));
    PP_TRY_AS(PP_E_KEY, pp_blindrsa_spki(b.key, ret->pub.pk)); /* of another size */
    ret->rsa = b.key;
    b.key = NULL;
    return PP_OK;
}

static pp_res public_only(struct pp_span pk, struct pp_cred_key *ret)
{
    return pp_blindrsa_import_spki(pk, &ret->rsa);
}

/* --- the device ------------------------------------------------------------------------------ */

static pp_res blind(const struct pp_cred_public *key, struct pp_span input,
                    const struct pp_random *random, uint8_t *ret_blind_secret, uint8_t *ret_blinded)
{
    PP_AUTO(borrowed) b = { 0 };

    PP_TRY(borrow(key, &b));
    return pp_blindrsa_blind(b.key, input, SALT_BYTES, random, ret_blind_secret, ret_blinded);
}

/* There is no proof beside the signature, which is whole only when it is unblinded: `finalize`. */
static pp_res verify(const struct pp_cred_public *key, const uint8_t *blinded,
                     const uint8_t *evaluated, size_t count, const uint8_t *proof)
{
    PP_AUTO(borrowed) b = { 0 };

    (void)blinded;
    (void)proof;
    PP_ASSERT(count == 1);
    PP_TRY(borrow(key, &b));
    return pp_blindrsa_check(b.key, pp_span(evaluated, NUMBER_BYTES));
}

static pp_res finalize(const struct pp_cred_public *key, struct pp_span input,
                       struct pp_span blind_secret, const uint8_t *evaluated,
                       uint8_t *ret_authenticator)
{
    PP_AUTO(borrowed) b = { 0 };

    PP_TRY(borrow(key, &b));
    pp_res r = pp_blindrsa_finalize(b.key, input, SALT_BYTES, blind_secret,
                                    pp_span(evaluated, NUMBER_BYTES), ret_authenticator);
    PP_CHECK(r.code != PP_E_SIGNATURE, PP_E_PROOF, 0);
    return r;
}

/* --- issuer and redeemer --------------------------------------------------------------------- */

static pp_res issue(const struct pp_cred_key *key, const uint8_t *blinded, size_t count,
                    const struct pp_random *random, uint8_t *ret_evaluated, uint8_t *ret_proof)
{
    (void)random; /* OpenSSL blinds its computation with numbers of its own */
    (void)ret_proof;
    PP_ASSERT(count == 1);
    return pp_blindrsa_sign(key->rsa, pp_span(blinded, NUMBER_BYTES), ret_evaluated);
}

static pp_res authenticate(const struct pp_cred_key *key, struct pp_span input,
                           struct pp_span authenticator)
{
    PP_TRY_AS(PP_E_AUTH, pp_blindrsa_verify(key->rsa, input, SALT_BYTES, authenticator));
    return PP_OK;
}

const struct cred_type CRED_BLIND_RSA = {
    .type = PP_TOKEN_BLIND_RSA,
    .batches = 0,
    .pk_bytes = PP_BLINDRSA_SPKI_BYTES,
    .blind_bytes = NUMBER_BYTES,
    .element_bytes = NUMBER_BYTES,
    .proof_bytes = 0,
    .authenticator_bytes = NUMBER_BYTES,
    .public_check = public_check,
    .import = import,
    .public_only = public_only,
    .blind = blind,
    .verify = verify,
    .finalize = finalize,
    .issue = issue,
    .authenticate = authenticate,
};
