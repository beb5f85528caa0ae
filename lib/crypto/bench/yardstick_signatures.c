/* SPDX-License-Identifier: Apache-2.0 */
#include "yardstick_signatures.h"

#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

struct yardstick {
    EVP_PKEY_CTX *verify; /* lives as long as the benchmark */
    uint8_t signature[512];
    size_t len;
};

static struct yardstick p256, p384, rsa;
static const uint8_t digest[48] = { 1, 2, 3 }; /* P-256 takes the first 32 bytes of it */

static int parameters(EVP_PKEY_CTX *ctx, int is_rsa)
{
    return !is_rsa || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha384()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha384()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, sizeof digest) == 1);
}

static int start(struct yardstick *y, EVP_PKEY *key, int is_rsa)
{
    EVP_PKEY_CTX *sign = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);

    y->len = sizeof y->signature;
    int ok = sign != NULL && EVP_PKEY_sign_init(sign) == 1 && parameters(sign, is_rsa) &&
             EVP_PKEY_sign(sign, y->signature, &y->len, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(sign);
    y->verify = ok ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    EVP_PKEY_free(key);
    return y->verify != NULL && EVP_PKEY_verify_init(y->verify) == 1 &&
           parameters(y->verify, is_rsa);
}

int bench_bare_signatures_start(void)
{
    return start(&p256, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), 0) &&
           start(&p384, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), 0) &&
           start(&rsa, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096), 1);
}

static int verify(const struct yardstick *y)
{
    return EVP_PKEY_verify(y->verify, y->signature, y->len, digest, sizeof digest) == 1;
}

int bench_bare_p256_verify(void)
{
    return verify(&p256);
}

int bench_bare_p384_verify(void)
{
    return verify(&p384);
}

int bench_bare_rsa_4096_verify(void)
{
    return verify(&rsa);
}
