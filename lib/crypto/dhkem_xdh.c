/* SPDX-License-Identifier: Apache-2.0 */
/* DHKEM on X25519 and X448 (RFC 9180, sections 4.1 and 7.1), on OpenSSL's RFC 7748. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "ct.h"
#include "dhkem.h"
#include "kem_int.h"
#include "labeled.h"

enum { RESULT_BYTES_MAX = 56 }; /* X448's; keys and results of a curve have one length */

/* A private key ready for many derivations; `_done` wipes and is safe on the zero state. */
struct xdh_key {
    EVP_PKEY_CTX *derive;
    EVP_PKEY *peer;
};

static void xdh_key_done(struct xdh_key *k)
{
    EVP_PKEY_CTX_free(k->derive);
    EVP_PKEY_free(k->peer);
    *k = (struct xdh_key){ 0 };
}

/*
 * The context keeps the imported key and refers to `peer`, whose bytes alone change from one
 * derivation to the next: making and joining a key object for each peer costs an eighth of the
 * scalar multiplication itself. With an OpenSSL that copied the peer no message would open, which
 * the published vectors show.
 */
static pp_res xdh_key_init(struct xdh_key *k, const struct pp_kem_info *info, struct pp_span sk,
                           uint8_t *ret_pk)
{
    int type = info->id == PP_KEM_X448_SHA512 ? EVP_PKEY_X448 : EVP_PKEY_X25519;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(type, NULL, sk.at, sk.len);
    size_t len = info->pk_len;

    PP_CHECK(own != NULL, PP_E_CRYPTO, 0);
    int ok = EVP_PKEY_get_raw_public_key(own, ret_pk, &len) == 1 && len == info->pk_len &&
             (k->peer = EVP_PKEY_new_raw_public_key(type, NULL, ret_pk, len)) != NULL &&
             (k->derive = EVP_PKEY_CTX_new(own, NULL)) != NULL &&
             EVP_PKEY_derive_init(k->derive) == 1 &&
             EVP_PKEY_derive_set_peer_ex(k->derive, k->peer, 0) == 1;
    EVP_PKEY_free(own); /* the context holds its own reference */
    PP_CHECK(ok, PP_E_CRYPTO, 1);
    return PP_OK;
}

static void xdh_release(void *handle)
{
    if (handle == NULL)
        return;
    xdh_key_done(handle);
    free(handle);
}

static pp_res xdh_import(const struct pp_kem_info *info, struct pp_span sk, void **ret_handle,
                         uint8_t *ret_pk)
{
    struct xdh_key *k = calloc(1, sizeof *k);

    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    pp_res r = xdh_key_init(k, info, sk, ret_pk);
    if (!pp_is_ok(r)) {
        xdh_release(k);
        return r;
    }
    *ret_handle = k;
    return PP_OK;
}

/*
 * RFC 9180 7.1.4 MUST: the all-zero result is refused. OpenSSL's derive fails on it by itself; the
 * second look costs nothing and does not depend on the version.
 */
static pp_res xdh(const struct pp_kem_info *info, const void *handle, const uint8_t *peer_pk,
                  uint8_t *ret)
{
    const struct xdh_key *own = handle;
    size_t len = info->sk_len;

    PP_CHECK(EVP_PKEY_set1_encoded_public_key(own->peer, peer_pk, info->pk_len) == 1, PP_E_CRYPTO,
             0);
    int ok = EVP_PKEY_derive(own->derive, ret, &len) == 1;
    PP_CHECK(ok && len == info->sk_len, PP_E_KEY, 0);
    uint32_t zero = pp_ct_is_zero(ret, len);
    PP_REVEAL(&zero, sizeof zero, "whether the peer's key was degenerate is public: we refuse it");
    PP_CHECK(zero == 0, PP_E_KEY, 1);
    return PP_OK;
}

/* Two results in a row when the sender has a key of its own: ephemeral first (AuthEncap). */
struct results {
    uint8_t bytes[2 * RESULT_BYTES_MAX];
};

static void results_done(struct results *r)
{
    pp_wipe(r, sizeof *r);
}

static pp_res xdh_encap(const struct pp_kem_info *info, struct pp_span pk,
                        const struct pp_kem_key *sender, struct pp_span random_bytes,
                        uint8_t *ret_enc, uint8_t *ret_shared)
{
    PP_AUTO(results) both = { { 0 } };
    struct pp_span sender_pk = { 0 };
    PP_AUTO(xdh_key) ephemeral = { 0 };

    PP_TRY(xdh_key_init(&ephemeral, info, random_bytes, ret_enc));
    PP_TRY(xdh(info, &ephemeral, pk.at, both.bytes));
    if (sender != NULL) {
        PP_TRY(xdh(info, sender->handle, pk.at, both.bytes + info->sk_len));
        sender_pk = pp_kem_key_public(sender);
    }
    return pp_dhkem_shared(info, pp_span(both.bytes, info->sk_len + sender_pk.len),
                           pp_span(ret_enc, info->enc_len), pk, sender_pk, ret_shared);
}

static pp_res xdh_decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                        uint8_t *ret_shared)
{
    PP_AUTO(results) both = { { 0 } };
    size_t len = k->info->sk_len;

    PP_TRY(xdh(k->info, k->handle, enc.at, both.bytes));
    if (sender_pk.len > 0)
        PP_TRY(xdh(k->info, k->handle, sender_pk.at, both.bytes + len));
    return pp_dhkem_shared(k->info, pp_span(both.bytes, len + sender_pk.len), enc,
                           pp_kem_key_public(k), sender_pk, ret_shared);
}

pp_res pp_x25519(const uint8_t sk[PP_X25519_BYTES], const uint8_t pk[PP_X25519_BYTES],
                 uint8_t ret[PP_X25519_BYTES])
{
    const struct pp_kem_info *info = pp_kem_info(PP_KEM_X25519_SHA256);
    uint8_t own_pk[PP_X25519_BYTES], out[PP_X25519_BYTES];
    PP_AUTO(xdh_key) own = { 0 };

    PP_TRY(xdh_key_init(&own, info, pp_span(sk, PP_X25519_BYTES), own_pk));
    pp_res r = xdh(info, &own, pk, out);
    if (pp_is_ok(r))
        memcpy(ret, out, sizeof out);
    pp_wipe(out, sizeof out);
    return r;
}

static pp_res xdh_derive(const struct pp_kem_info *info, struct pp_span ikm, uint8_t *ret_sk)
{
    uint8_t id[PP_KEM_SUITE_ID_BYTES];
    struct pp_hmac_key prk;

    pp_kem_suite_id(info, id);
    pp_dhkem_dkp(info, ikm, &prk);
    pp_res r = pp_labeled_expand(pp_dhkem_hash(info), PP_BYTES(id), &prk, PP_STR("sk"), PP_STR(""),
                                 ret_sk, info->sk_len);
    pp_hmac_key_done(&prk);
    return r;
}

#define OPS                                                                                        \
    {                                                                                              \
        .any_bytes_are_a_key = 1, .import = xdh_import, .release = xdh_release,                    \
        .encap = xdh_encap, .decap = xdh_decap, .dh = xdh, .derive = xdh_derive,                   \
    }
const struct pp_kem_ops PP_KEM_OPS_X25519_SHA256 = OPS;
const struct pp_kem_ops PP_KEM_OPS_X448_SHA512 = OPS;
