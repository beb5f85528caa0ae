/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "ct.h"
#include "sign.h"

_Static_assert(PP_ED25519_PK_BYTES == crypto_sign_PUBLICKEYBYTES, "sizes agree");
_Static_assert(PP_ED25519_SIG_BYTES == crypto_sign_BYTES, "sizes agree");

pp_res pp_ed25519_verify(const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_span message,
                         struct pp_span signature)
{
    PP_CHECK(signature.len == PP_ED25519_SIG_BYTES, PP_E_SIGNATURE, signature.len);
    /* libsodium refuses s >= L, small-order R, and small-order or non-canonical public keys. */
    PP_CHECK(crypto_sign_verify_detached(signature.at, message.at, message.len, pk) == 0,
             PP_E_SIGNATURE, 0);
    return PP_OK;
}

static pp_res expand(struct pp_span seed_secret, struct pp_secret *ret_sk,
                     uint8_t ret_pk[PP_ED25519_PK_BYTES])
{
    PP_CHECK(seed_secret.len == PP_ED25519_SEED_BYTES, PP_E_KEY, seed_secret.len);
    PP_TRY(pp_secret_alloc(ret_sk, crypto_sign_SECRETKEYBYTES));
    PP_CHECK(crypto_sign_seed_keypair(ret_pk, ret_sk->bytes, seed_secret.at) == 0, PP_E_CRYPTO, 0);
    return PP_OK;
}

pp_res pp_ed25519_public(struct pp_span seed_secret, uint8_t ret_pk[PP_ED25519_PK_BYTES])
{
    PP_AUTO(pp_secret) sk = { 0 };

    return expand(seed_secret, &sk, ret_pk);
}

pp_res pp_ed25519_sign(struct pp_span seed_secret, struct pp_span message,
                       uint8_t ret[PP_ED25519_SIG_BYTES])
{
    PP_AUTO(pp_secret) sk = { 0 };
    uint8_t pk[PP_ED25519_PK_BYTES];

    PP_TRY(expand(seed_secret, &sk, pk));
    PP_CHECK(crypto_sign_detached(ret, NULL, message.at, message.len, sk.bytes) == 0, PP_E_CRYPTO,
             0);
    return PP_OK;
}
