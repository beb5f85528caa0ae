/* SPDX-License-Identifier: Apache-2.0 */
/* Token type 0x0005: VOPRF(ristretto255, SHA-512), as RFC 9578 5 builds type 1 on P-384. */
#include "cred_int.h"

#include "ct.h"
#include "oprf.h"

_Static_assert((int)PP_CRED_PK_BYTES_MAX >= (int)PP_OPRF_ELEMENT_BYTES, "a row fits");
_Static_assert((int)PP_CRED_ELEMENT_BYTES_MAX >= (int)PP_OPRF_ELEMENT_BYTES, "a row fits");
_Static_assert((int)PP_CRED_PROOF_BYTES_MAX >= (int)PP_OPRF_PROOF_BYTES, "a row fits");
_Static_assert((int)PP_CRED_BLIND_BYTES_MAX >= (int)PP_OPRF_SCALAR_BYTES, "a row fits");
_Static_assert((int)PP_TOKEN_AUTHENTICATOR_BYTES_MAX >= (int)PP_OPRF_OUTPUT_BYTES, "a row fits");
_Static_assert((int)PP_CRED_BATCH_MAX <= (int)PP_OPRF_BATCH_MAX, "a batch fits");
_Static_assert((int)PP_CRED_ELEMENTS_BYTES_MAX >= PP_CRED_BATCH_MAX * PP_OPRF_ELEMENT_BYTES,
               "a batch fits");
_Static_assert((int)PP_CRED_SEED_BYTES == (int)PP_OPRF_SEED_BYTES, "sizes agree");

static pp_res public_check(struct pp_span pk)
{
    return pp_oprf_element_check(&PP_RISTRETTO255_SHA512, pk.at);
}

static pp_res derive(struct pp_span seed_secret, struct pp_cred_key *ret)
{
    return pp_oprf_derive_key(&PP_RISTRETTO255_SHA512, PP_VOPRF, seed_secret, PP_STR("PrivacyPass"),
                              &ret->sk_secret, ret->pub.pk);
}

static pp_res import(struct pp_span sk_secret, struct pp_cred_key *ret)
{
    PP_TRY(pp_oprf_public(&PP_RISTRETTO255_SHA512, sk_secret,
                          ret->pub.pk)); /* refuses a bad key before a copy is made */
    return pp_secret_copy(&ret->sk_secret, sk_secret);
}

static pp_res blind(const struct pp_cred_public *key, struct pp_span input,
                    const struct pp_random *random, uint8_t *ret_blind_secret, uint8_t *ret_blinded)
{
    (void)key; /* a blinded element is one for every key */
    return pp_oprf_blind(&PP_RISTRETTO255_SHA512, PP_VOPRF, input, random, ret_blind_secret,
                         ret_blinded);
}

static pp_res verify(const struct pp_cred_public *key, const uint8_t *blinded,
                     const uint8_t *evaluated, size_t count, const uint8_t *proof)
{
    return pp_voprf_verify_batch(&PP_RISTRETTO255_SHA512, key->pk, blinded, evaluated, count,
                                 proof);
}

static pp_res finalize(const struct pp_cred_public *key, struct pp_span input,
                       struct pp_span blind_secret, const uint8_t *evaluated,
                       uint8_t *ret_authenticator)
{
    (void)key; /* the proof was about the key */
    return pp_oprf_finalize(&PP_RISTRETTO255_SHA512, input, blind_secret, evaluated,
                            ret_authenticator);
}

static pp_res issue(const struct pp_cred_key *key, const uint8_t *blinded, size_t count,
                    const struct pp_random *random, uint8_t *ret_evaluated, uint8_t *ret_proof)
{
    return pp_voprf_evaluate_batch(&PP_RISTRETTO255_SHA512, pp_secret_span(&key->sk_secret),
                                   key->pub.pk, blinded, count, random, ret_evaluated, ret_proof);
}

static pp_res authenticate(const struct pp_cred_key *key, struct pp_span input,
                           struct pp_span authenticator)
{
    uint8_t expected[PP_OPRF_OUTPUT_BYTES];

    PP_CHECK(authenticator.len == sizeof expected, PP_E_AUTH, authenticator.len);
    PP_TRY(pp_oprf_evaluate(&PP_RISTRETTO255_SHA512, PP_VOPRF, pp_secret_span(&key->sk_secret),
                            input, expected));
    uint32_t equal = pp_ct_eq(expected, authenticator.at, sizeof expected);
    pp_wipe(expected, sizeof expected);
    PP_REVEAL(&equal, sizeof equal, "the verdict is what the caller acts on");
    PP_CHECK(equal == 1, PP_E_AUTH, 0);
    return PP_OK;
}

const struct cred_type CRED_VOPRF_RISTRETTO255 = {
    .type = PP_TOKEN_VOPRF_RISTRETTO255,
    .batches = 1,
    .pk_bytes = PP_OPRF_ELEMENT_BYTES,
    .blind_bytes = PP_OPRF_SCALAR_BYTES,
    .element_bytes = PP_OPRF_ELEMENT_BYTES,
    .proof_bytes = PP_OPRF_PROOF_BYTES,
    .authenticator_bytes = PP_OPRF_OUTPUT_BYTES,
    .public_check = public_check,
    .derive = derive,
    .import = import,
    .blind = blind,
    .verify = verify,
    .finalize = finalize,
    .issue = issue,
    .authenticate = authenticate,
};
