/* SPDX-License-Identifier: Apache-2.0 */
/* DHKEM(X25519, HKDF-SHA256): RFC 9180, section 4.1, on OpenSSL's X25519. */
#include <openssl/evp.h>

#include "ct.h"
#include "kem_int.h"
#include "labeled.h"

static const uint8_t SUITE_ID[PP_KEM_SUITE_ID_BYTES] = { 'K', 'E', 'M', 0x00, 0x20 };

/* The keys' raw forms go in and out of EVP objects here and nowhere else. */
static pp_res import_private(const uint8_t *sk, EVP_PKEY **ret)
{
    EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, PP_X25519_BYTES);

    PP_CHECK(k != NULL, PP_E_CRYPTO, 0);
    *ret = k;
    return PP_OK;
}

/*
 * RFC 9180 7.1.4 MUST: the all-zero result is refused. OpenSSL's derive fails on it by itself; the
 * second look costs nothing and does not depend on the version.
 */
static pp_res derive(EVP_PKEY_CTX *own, const uint8_t *peer_pk, uint8_t ret[PP_X25519_BYTES])
{
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer_pk, PP_X25519_BYTES);
    size_t len = PP_X25519_BYTES;

    PP_CHECK(peer != NULL, PP_E_CRYPTO, 0);
    int ok = EVP_PKEY_derive_set_peer_ex(own, peer, 0) == 1 && EVP_PKEY_derive(own, ret, &len) == 1;
    EVP_PKEY_free(peer);
    PP_CHECK(ok && len == PP_X25519_BYTES, PP_E_KEY, 0);
    uint32_t zero = pp_ct_is_zero(ret, PP_X25519_BYTES);
    PP_REVEAL(&zero, sizeof zero, "whether the peer's key was degenerate is public: we refuse it");
    PP_CHECK(zero == 0, PP_E_KEY, 1);
    return PP_OK;
}

/* ExtractAndExpand (4.1). */
static pp_res extract_and_expand(const uint8_t *dh, struct pp_span enc, struct pp_span pk,
                                 uint8_t *ret_shared)
{
    uint8_t prk[PP_SHA256_BYTES];
    uint8_t context[2 * PP_X25519_BYTES];
    struct pp_hmac_key k;

    memcpy(context, enc.at, PP_X25519_BYTES);
    memcpy(context + PP_X25519_BYTES, pk.at, PP_X25519_BYTES);
    pp_labeled_extract(PP_SHA256, PP_BYTES(SUITE_ID), PP_STR(""), PP_STR("eae_prk"),
                       pp_span(dh, PP_X25519_BYTES), prk);
    pp_hmac_key_init(&k, PP_SHA256, PP_BYTES(prk));
    pp_res r = pp_labeled_expand(PP_SHA256, PP_BYTES(SUITE_ID), &k, PP_STR("shared_secret"),
                                 PP_BYTES(context), ret_shared, PP_SHA256_BYTES);
    pp_hmac_key_done(&k);
    pp_wipe(prk, sizeof prk);
    return r;
}

/* A private key ready for many derivations: the context keeps the imported key. */
static pp_res x25519_import(struct pp_span sk, void **ret_handle, uint8_t *ret_pk)
{
    EVP_PKEY *k = NULL;
    size_t len = PP_X25519_BYTES;

    PP_CHECK(sk.len == PP_X25519_BYTES, PP_E_KEY, sk.len);
    PP_TRY(import_private(sk.at, &k));
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k, NULL);
    int ok = c != NULL && EVP_PKEY_derive_init(c) == 1 &&
             EVP_PKEY_get_raw_public_key(k, ret_pk, &len) == 1 && len == PP_X25519_BYTES;
    EVP_PKEY_free(k); /* the context holds its own reference */
    if (!ok) {
        EVP_PKEY_CTX_free(c);
        return PP_FAIL(PP_E_CRYPTO, 0);
    }
    *ret_handle = c;
    return PP_OK;
}

static void x25519_release(void *handle)
{
    EVP_PKEY_CTX_free(handle);
}

static pp_res x25519_encap(const struct pp_kem_ops *ops, struct pp_span pk,
                           struct pp_span random_bytes, uint8_t *ret_enc, uint8_t *ret_shared)
{
    uint8_t dh[PP_X25519_BYTES];
    void *ephemeral = NULL;

    (void)ops;
    PP_TRY(x25519_import(random_bytes, &ephemeral, ret_enc));
    pp_res r = derive(ephemeral, pk.at, dh);
    if (pp_is_ok(r))
        r = extract_and_expand(dh, pp_span(ret_enc, PP_X25519_BYTES), pk, ret_shared);
    x25519_release(ephemeral);
    pp_wipe(dh, sizeof dh);
    return r;
}

static pp_res x25519_decap(const struct pp_kem_ops *ops, void *handle, struct pp_span own_pk,
                           struct pp_span enc, uint8_t *ret_shared)
{
    uint8_t dh[PP_X25519_BYTES];

    (void)ops;
    pp_res r = derive(handle, enc.at, dh);
    if (pp_is_ok(r))
        r = extract_and_expand(dh, enc, own_pk, ret_shared);
    pp_wipe(dh, sizeof dh);
    return r;
}

pp_res pp_x25519(const uint8_t sk[PP_X25519_BYTES], const uint8_t pk[PP_X25519_BYTES],
                 uint8_t ret[PP_X25519_BYTES])
{
    uint8_t own_pk[PP_X25519_BYTES], out[PP_X25519_BYTES];
    void *own = NULL;

    PP_TRY(x25519_import(pp_span(sk, PP_X25519_BYTES), &own, own_pk));
    pp_res r = derive(own, pk, out);
    x25519_release(own);
    if (pp_is_ok(r))
        memcpy(ret, out, sizeof out);
    pp_wipe(out, sizeof out);
    return r;
}

/* DeriveKeyPair (7.1.3). */
static pp_res x25519_derive(const struct pp_kem_ops *ops, struct pp_span ikm, uint8_t *ret_sk)
{
    uint8_t prk[PP_SHA256_BYTES];
    struct pp_hmac_key k;

    (void)ops;
    pp_labeled_extract(PP_SHA256, PP_BYTES(SUITE_ID), PP_STR(""), PP_STR("dkp_prk"), ikm, prk);
    pp_hmac_key_init(&k, PP_SHA256, PP_BYTES(prk));
    pp_res r = pp_labeled_expand(PP_SHA256, PP_BYTES(SUITE_ID), &k, PP_STR("sk"), PP_STR(""),
                                 ret_sk, PP_X25519_BYTES);
    pp_hmac_key_done(&k);
    pp_wipe(prk, sizeof prk);
    return r;
}

const struct pp_kem_ops PP_KEM_OPS_X25519 = {
    .info = { .id = PP_KEM_X25519_SHA256,
              .pk_len = PP_X25519_BYTES,
              .sk_len = PP_X25519_BYTES,
              .enc_len = PP_X25519_BYTES,
              .secret_len = PP_SHA256_BYTES,
              .name = "DHKEM(X25519, HKDF-SHA256)" },
    .import = x25519_import,
    .release = x25519_release,
    .encap = x25519_encap,
    .decap = x25519_decap,
    .derive = x25519_derive,
};
