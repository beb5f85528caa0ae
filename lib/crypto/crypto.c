/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_int.h"

#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct pp_algorithms algorithms; /* written once, under pthread_once */
static pp_res outcome = { .code = PP_E_STATE };
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- memory of the library -------------------------------------------------------------------- */

/*
 * OpenSSL 3.0 frees a TLS session with its traffic and exporter secrets in it. What it gives back
 * is wiped here, whatever it was.
 */
static void wiped_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p == NULL)
        return;
    explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

static void *wiped_realloc(void *p, size_t len, const char *file, int line)
{
    size_t had = p == NULL ? 0 : malloc_usable_size(p);

    if (len == 0) {
        wiped_free(p, file, line);
        return NULL;
    }
    /* Allocated within the library, so that counts of allocations tell its own from ours. */
    void *new = CRYPTO_zalloc(len, file, line);
    if (new == NULL || p == NULL)
        return new;
    memcpy(new, p, had < len ? had : len);
    wiped_free(p, file, line);
    return new;
}

/* --- algorithms ------------------------------------------------------------------------------- */

static EVP_PKEY *make_frame(const char *group)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_end(),
    };

    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEY_PARAMETERS, params); /* else: NULL */
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static pp_res make_certificate_parts(struct pp_algorithms *a)
{
    PP_CHECK((a->p256_frame = make_frame("P-256")) != NULL, PP_E_CRYPTO, 13);
    PP_CHECK((a->p384_frame = make_frame("P-384")) != NULL, PP_E_CRYPTO, 14);
    PP_CHECK((a->bare = OSSL_LIB_CTX_new()) != NULL, PP_E_CRYPTO, 15);
    PP_CHECK(OSSL_PROVIDER_load(a->bare, "null") != NULL, PP_E_CRYPTO, 16);
    return PP_OK;
}

static pp_res fetch_all(void)
{
    struct pp_algorithms *a = &algorithms;

    /* Refused in a process that used OpenSSL before us, as an app may: its memory is its own. */
    (void)CRYPTO_set_mem_functions(NULL, wiped_realloc, wiped_free);
    /* A file of the machine must not change what a measured program, or any client, offers. */
    PP_CHECK(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1, PP_E_CRYPTO, 0);
    PP_CHECK(sodium_init() >= 0, PP_E_CRYPTO, 1);
    PP_CHECK((a->aes_128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL)) != NULL, PP_E_CRYPTO,
             2);
    PP_CHECK((a->aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) != NULL, PP_E_CRYPTO,
             3);
    PP_CHECK((a->chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL)) != NULL,
             PP_E_CRYPTO, 4);
    PP_CHECK((a->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL, PP_E_CRYPTO, 5);
    PP_CHECK((a->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL)) != NULL, PP_E_CRYPTO, 6);
    PP_CHECK((a->sha512 = EVP_MD_fetch(NULL, "SHA512", NULL)) != NULL, PP_E_CRYPTO, 7);
    PP_CHECK((a->x25519_keys = EVP_KEYMGMT_fetch(NULL, "X25519", NULL)) != NULL, PP_E_CRYPTO, 8);
    PP_CHECK((a->x25519_exchange = EVP_KEYEXCH_fetch(NULL, "X25519", NULL)) != NULL, PP_E_CRYPTO,
             9);
    PP_CHECK((a->p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)) != NULL, PP_E_CRYPTO, 10);
    PP_CHECK((a->p384 = EC_GROUP_new_by_curve_name(NID_secp384r1)) != NULL, PP_E_CRYPTO, 11);
    PP_CHECK((a->p521 = EC_GROUP_new_by_curve_name(NID_secp521r1)) != NULL, PP_E_CRYPTO, 12);
    return make_certificate_parts(a);
}

static void init(void)
{
    outcome = fetch_all();
}

pp_res pp_crypto_init(void)
{
    PP_ASSERT(pthread_once(&once, init) == 0);
    return outcome;
}

const struct pp_algorithms *pp_algorithms(void)
{
    PP_ASSERT(outcome.code == PP_E_OK);
    return &algorithms;
}

void pp_crypto_forget_errors(void)
{
    ERR_clear_error();
}
