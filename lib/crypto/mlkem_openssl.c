/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM of OpenSSL 3.5 or later, behind the header of our own. Names and parameters are those
 * of EVP_PKEY-ML-KEM(7) and EVP_KEM-ML-KEM(7).
 *
 * Debian 12 has OpenSSL 3.0, which compiles this file only with the new names given by hand and
 * cannot run it: on a system with 3.5 the unit tests and the vectors are the proof, as they are the
 * same for both implementations.
 */
#include "mlkem_int.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct pp_mlkem_key {
    const struct pp_mlkem *set;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *decap; /* initialised once */
};

/* OSSL_PARAM has no const form; the library reads. */
static OSSL_PARAM bytes_param(const char *name, const uint8_t *bytes, size_t len)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes, len);
}

static EVP_PKEY *from_seed(const struct pp_mlkem *set, const uint8_t seed[PP_MLKEM_SEED_BYTES])
{
    OSSL_PARAM params[] = { bytes_param(OSSL_PKEY_PARAM_ML_KEM_SEED, seed, PP_MLKEM_SEED_BYTES),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, set->name, NULL);
    EVP_PKEY *pkey = NULL;

    if (c == NULL || EVP_PKEY_keygen_init(c) != 1 || EVP_PKEY_CTX_set_params(c, params) != 1 ||
        EVP_PKEY_keygen(c, &pkey) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(c);
    return pkey;
}

pp_res pp_mlkem_key_new(const struct pp_mlkem *set, const uint8_t seed[PP_MLKEM_SEED_BYTES],
                        uint8_t *ret_pk, struct pp_mlkem_key **ret)
{
    struct pp_mlkem_key *k = calloc(1, sizeof *k);
    size_t len = 0;

    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    k->set = set;
    k->pkey = from_seed(set, seed);
    if (k->pkey != NULL)
        k->decap = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    if (k->decap == NULL || EVP_PKEY_decapsulate_init(k->decap, NULL) != 1 ||
        EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY, ret_pk, set->pk_len,
                                        &len) != 1 ||
        len != set->pk_len) {
        pp_mlkem_key_free(k);
        return PP_FAIL(PP_E_CRYPTO, 0);
    }
    *ret = k;
    return PP_OK;
}

void pp_mlkem_key_free(struct pp_mlkem_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_CTX_free(k->decap);
    EVP_PKEY_free(k->pkey);
    free(k);
}

/* Imports a public key; the provider makes the checks of FIPS 203, 7.2. */
static EVP_PKEY *from_public(const struct pp_mlkem *set, const uint8_t *pk)
{
    OSSL_PARAM params[] = { bytes_param(OSSL_PKEY_PARAM_PUB_KEY, pk, set->pk_len),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, set->name, NULL);
    EVP_PKEY *pkey = NULL;

    if (c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(c);
    return pkey;
}

pp_res pp_mlkem_check(const struct pp_mlkem *set, const uint8_t *pk)
{
    EVP_PKEY *pkey = from_public(set, pk);

    PP_CHECK(pkey != NULL, PP_E_KEY, 0);
    EVP_PKEY_free(pkey);
    return PP_OK;
}

pp_res pp_mlkem_encap(const struct pp_mlkem *set, const uint8_t *pk,
                      const uint8_t m[PP_MLKEM_RANDOM_BYTES], uint8_t *ret_ct,
                      uint8_t ret_shared[PP_MLKEM_SECRET_BYTES])
{
    OSSL_PARAM params[] = { bytes_param(OSSL_KEM_PARAM_IKME, m, PP_MLKEM_RANDOM_BYTES),
                            OSSL_PARAM_construct_end() };
    size_t ct_len = set->ct_len, shared_len = PP_MLKEM_SECRET_BYTES;
    EVP_PKEY *pkey = from_public(set, pk);

    PP_CHECK(pkey != NULL, PP_E_KEY, 0);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    int ok = c != NULL && EVP_PKEY_encapsulate_init(c, params) == 1 &&
             EVP_PKEY_encapsulate(c, ret_ct, &ct_len, ret_shared, &shared_len) == 1;
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(pkey);
    PP_CHECK(ok && ct_len == set->ct_len && shared_len == PP_MLKEM_SECRET_BYTES, PP_E_CRYPTO, 0);
    return PP_OK;
}

pp_res pp_mlkem_decap(const struct pp_mlkem_key *k, const uint8_t *ct,
                      uint8_t ret_shared[PP_MLKEM_SECRET_BYTES])
{
    size_t len = PP_MLKEM_SECRET_BYTES;

    PP_CHECK(EVP_PKEY_decapsulate(k->decap, ret_shared, &len, ct, k->set->ct_len) == 1 &&
                 len == PP_MLKEM_SECRET_BYTES,
             PP_E_CRYPTO, 0);
    return PP_OK;
}
