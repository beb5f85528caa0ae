/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bare.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

struct check {
    EVP_PKEY *key;
    EVP_PKEY_CTX *verify; /* set up once: what remains is the arithmetic */
    uint8_t signature[512];
    size_t len;
};

static struct check p384, rsa;
static const uint8_t digest[48] = { 1, 2, 3 };

static void must(int ok)
{
    if (ok != 1)
        abort();
}

static void parameters(EVP_PKEY_CTX *ctx, int is_rsa)
{
    if (!is_rsa)
        return;
    must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING));
    must(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha384()));
    must(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha384()));
    must(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48));
}

static void setup(struct check *c, EVP_PKEY *key, int is_rsa)
{
    EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(key, NULL);

    must(key != NULL && sign != NULL);
    c->key = key;
    c->len = sizeof c->signature;
    must(EVP_PKEY_sign_init(sign));
    parameters(sign, is_rsa);
    must(EVP_PKEY_sign(sign, c->signature, &c->len, digest, sizeof digest));
    EVP_PKEY_CTX_free(sign);
    c->verify = EVP_PKEY_CTX_new(key, NULL);
    must(c->verify != NULL);
    must(EVP_PKEY_verify_init(c->verify));
    parameters(c->verify, is_rsa);
}

void bare_setup(void)
{
    setup(&p384, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), 0);
    setup(&rsa, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096), 1);
}

static void verify(const struct check *c)
{
    must(EVP_PKEY_verify(c->verify, c->signature, c->len, digest, sizeof digest));
}

void bare_p384_verify(void)
{
    verify(&p384);
}

void bare_rsa_4096_verify(void)
{
    verify(&rsa);
}
