/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_int.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ct.h"
#include "ec_int.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 4096 };

static const EVP_MD *digest_of(enum pp_hash_id hash)
{
    const struct pp_algorithms *a = pp_algorithms();

    return hash == PP_SHA256 ? a->sha256 : hash == PP_SHA384 ? a->sha384 : a->sha512;
}

pp_res pp_rsa_pss_verify_pkey(EVP_PKEY *pkey, enum pp_hash_id hash, size_t salt_len,
                              struct pp_span message, struct pp_span signature)
{
    uint8_t digest[PP_HASH_BYTES_MAX];
    int bits = EVP_PKEY_get_bits(pkey);
    EVP_PKEY_CTX *ctx;

    PP_CHECK(EVP_PKEY_is_a(pkey, "RSA") == 1 || EVP_PKEY_is_a(pkey, "RSA-PSS") == 1, PP_E_KEY, 0);
    PP_CHECK(bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX, PP_E_KEY, bits);
    pp_hash_of(hash, message, digest);
    PP_REVEAL(digest, sizeof digest, "the comparison tells whether the signature is good, no more");
    PP_CHECK((ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL)) != NULL, PP_E_NO_MEMORY, 0);
    int ok = EVP_PKEY_verify_init(ctx) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_signature_md(ctx, digest_of(hash)) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, digest_of(hash)) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)salt_len) == 1 &&
             EVP_PKEY_verify(ctx, signature.at, signature.len, digest, pp_hash_len(hash)) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    PP_CHECK(ok, PP_E_SIGNATURE, 0);
    return PP_OK;
}

pp_res pp_rsa_pss_verify(struct pp_span spki, enum pp_hash_id hash, size_t salt_len,
                         struct pp_span message, struct pp_span signature)
{
    const unsigned char *at = spki.at;

    PP_CHECK(spki.len > 0 && spki.len <= PP_RSA_SPKI_BYTES_MAX, PP_E_KEY, spki.len);
    PP_CHECK(salt_len <= PP_HASH_BYTES_MAX, PP_E_RANGE, salt_len);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    ERR_clear_error();
    pp_res r = pkey == NULL || at != spki.at + spki.len
                   ? PP_FAIL(PP_E_KEY, 0)
                   : pp_rsa_pss_verify_pkey(pkey, hash, salt_len, message, signature);
    EVP_PKEY_free(pkey);
    return r;
}
