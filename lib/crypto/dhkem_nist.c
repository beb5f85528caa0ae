/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHKEM on P-256, P-384 and P-521 (RFC 9180, sections 4.1 and 7.1), on OpenSSL's curve arithmetic.
 * Its multiplications by a secret are constant in time; the conversion of a secret to its numbers
 * shows leading zero bytes, which X25519 does not have: our own parties use that.
 */
#include <openssl/ec.h>
#include <openssl/err.h>

#include "crypto_int.h"
#include "ct.h"
#include "dhkem.h"
#include "kem_int.h"
#include "labeled.h"

enum { POINT_UNCOMPRESSED = 0x04, FIELD_BYTES_MAX = 66, COUNTER_MAX = 255 };

static const EC_GROUP *group_of(const struct pp_kem_info *info)
{
    const struct pp_algorithms *a = pp_algorithms();

    switch (info->id) {
    case PP_KEM_P256_SHA256:
        return a->p256;
    case PP_KEM_P384_SHA384:
        return a->p384;
    default:
        return a->p521;
    }
}

/* 1 if 0 < sk < order, 0 if not, without a branch on `sk`. */
static uint32_t in_range(const struct pp_kem_info *info, const uint8_t *sk)
{
    uint8_t order[FIELD_BYTES_MAX];
    uint32_t borrow = 0;

    int len = BN_bn2binpad(EC_GROUP_get0_order(group_of(info)), order, (int)info->sk_len);
    PP_ASSERT(len == (int)info->sk_len);
    for (size_t i = info->sk_len; i-- > 0;)
        borrow = (uint32_t)(sk[i] - order[i] - (int)borrow) >> 31;
    return pp_ct_barrier(borrow) & (1 ^ pp_ct_is_zero(sk, info->sk_len));
}

/* The order of P-521 has 521 bits. */
static void mask(const struct pp_kem_info *info, uint8_t *sk)
{
    if (info->id == PP_KEM_P521_SHA512)
        sk[0] &= 0x01;
}

/* What one multiplication needs. OpenSSL wipes the numbers of a context and these points. */
struct work {
    BN_CTX *numbers;
    EC_POINT *point;
};

static void work_done(struct work *w)
{
    EC_POINT_clear_free(w->point);
    BN_CTX_free(w->numbers);
    ERR_clear_error();
}

static pp_res work_init(struct work *w, const EC_GROUP *group)
{
    w->numbers = BN_CTX_new();
    w->point = EC_POINT_new(group);
    PP_CHECK(w->numbers != NULL && w->point != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static void nist_release(void *handle)
{
    BN_clear_free(handle);
}

static pp_res nist_import(const struct pp_kem_info *info, struct pp_span sk, void **ret_handle,
                          uint8_t *ret_pk)
{
    PP_AUTO(work) w = { 0 };
    const EC_GROUP *group = group_of(info);

    uint32_t valid = in_range(info, sk.at);
    PP_REVEAL(&valid, sizeof valid, "a number that is no private key is refused");
    PP_CHECK(valid, PP_E_KEY, 0);
    PP_TRY(work_init(&w, group));
    BIGNUM *scalar = BN_bin2bn(sk.at, (int)sk.len, NULL);
    PP_CHECK(scalar != NULL, PP_E_NO_MEMORY, 0);
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    if (EC_POINT_mul(group, w.point, scalar, NULL, NULL, w.numbers) != 1 ||
        EC_POINT_point2oct(group, w.point, POINT_CONVERSION_UNCOMPRESSED, ret_pk, info->pk_len,
                           w.numbers) != info->pk_len) {
        BN_clear_free(scalar);
        return PP_FAIL(PP_E_CRYPTO, 0);
    }
    *ret_handle = scalar;
    return PP_OK;
}

/* The x-coordinate of scalar times the point in `pk`. KEY unless that is on the curve. */
static pp_res nist_dh(const struct pp_kem_info *info, const void *scalar, const uint8_t *pk,
                      uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };
    const EC_GROUP *group = group_of(info);

    PP_TRY(work_init(&w, group));
    /* oct2point also takes a form of the same length with a sign bit; HPKE has the plain one. */
    PP_CHECK(pk[0] == POINT_UNCOMPRESSED, PP_E_KEY, pk[0]);
    PP_CHECK(EC_POINT_oct2point(group, w.point, pk, info->pk_len, w.numbers) == 1, PP_E_KEY, 1);
    PP_CHECK(EC_POINT_mul(group, w.point, NULL, w.point, scalar, w.numbers) == 1, PP_E_CRYPTO, 2);
    BN_CTX_start(w.numbers);
    BIGNUM *x = BN_CTX_get(w.numbers);
    int ok = x != NULL &&
             EC_POINT_get_affine_coordinates(group, w.point, x, NULL, w.numbers) == 1 &&
             BN_bn2binpad(x, ret, (int)info->sk_len) == (int)info->sk_len;
    BN_CTX_end(w.numbers);
    PP_CHECK(ok, PP_E_KEY, 3); /* the point at infinity has no coordinates */
    return PP_OK;
}

/* Two results in a row when the sender has a key of its own: ephemeral first (AuthEncap). */
struct results {
    uint8_t bytes[2 * FIELD_BYTES_MAX];
};

static void results_done(struct results *r)
{
    pp_wipe(r, sizeof *r);
}

/* DeriveKeyPair: a candidate outside the range is drawn anew, which P-256 does once in 2^32. */
static pp_res nist_derive(const struct pp_kem_info *info, struct pp_span ikm, uint8_t *ret_sk)
{
    uint8_t id[PP_KEM_SUITE_ID_BYTES];
    struct pp_hmac_key prk;
    uint32_t valid = 0;
    pp_res r = PP_OK;

    pp_kem_suite_id(info, id);
    pp_dhkem_dkp(info, ikm, &prk);
    for (uint32_t n = 0; n <= COUNTER_MAX && pp_is_ok(r) && !valid; n++) {
        uint8_t counter = (uint8_t)n;
        r = pp_labeled_expand(pp_dhkem_hash(info), PP_BYTES(id), &prk, PP_STR("candidate"),
                              pp_span(&counter, 1), ret_sk, info->sk_len);
        mask(info, ret_sk);
        valid = in_range(info, ret_sk);
        PP_REVEAL(&valid, sizeof valid, "how many candidates were refused says nothing of the one");
    }
    pp_hmac_key_done(&prk);
    PP_TRY(r);
    PP_CHECK(valid, PP_E_KEY, COUNTER_MAX);
    return PP_OK;
}

/*
 * The random bytes are the ephemeral key. One draw in 2^32 is none on P-256 (fewer elsewhere), and
 * gives one by DeriveKeyPair.
 */
static pp_res new_ephemeral(const struct pp_kem_info *info, struct pp_span random_bytes,
                            void **ret_scalar, uint8_t *ret_pk)
{
    uint8_t sk[FIELD_BYTES_MAX];
    pp_res r = PP_OK;

    memcpy(sk, random_bytes.at, info->sk_len);
    mask(info, sk);
    uint32_t valid = in_range(info, sk);
    PP_REVEAL(&valid, sizeof valid, "that a draw was refused says nothing of the next key");
    if (!valid)
        r = nist_derive(info, random_bytes, sk);
    if (pp_is_ok(r))
        r = nist_import(info, pp_span(sk, info->sk_len), ret_scalar, ret_pk);
    pp_wipe(sk, sizeof sk);
    return r;
}

static pp_res nist_encap(const struct pp_kem_info *info, struct pp_span pk,
                         const struct pp_kem_key *sender, struct pp_span random_bytes,
                         uint8_t *ret_enc, uint8_t *ret_shared)
{
    PP_AUTO(results) both = { { 0 } };
    struct pp_span sender_pk = { 0 };
    size_t len = info->sk_len;
    void *ephemeral = NULL;

    PP_TRY(new_ephemeral(info, random_bytes, &ephemeral, ret_enc));
    pp_res r = nist_dh(info, ephemeral, pk.at, both.bytes);
    nist_release(ephemeral);
    PP_TRY(r);
    if (sender != NULL) {
        PP_TRY(nist_dh(info, sender->handle, pk.at, both.bytes + len));
        sender_pk = pp_kem_key_public(sender);
        len *= 2;
    }
    return pp_dhkem_shared(info, pp_span(both.bytes, len), pp_span(ret_enc, info->enc_len), pk,
                           sender_pk, ret_shared);
}

static pp_res nist_decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                         uint8_t *ret_shared)
{
    PP_AUTO(results) both = { { 0 } };
    size_t len = k->info->sk_len;

    PP_TRY(nist_dh(k->info, k->handle, enc.at, both.bytes));
    if (sender_pk.len > 0) {
        PP_TRY(nist_dh(k->info, k->handle, sender_pk.at, both.bytes + len));
        len *= 2;
    }
    return pp_dhkem_shared(k->info, pp_span(both.bytes, len), enc, pp_kem_key_public(k), sender_pk,
                           ret_shared);
}

pp_res pp_p256_dh(struct pp_span sk, struct pp_span pk, uint8_t ret[PP_P256_BYTES])
{
    const struct pp_kem_info *info = pp_kem_info(PP_KEM_P256_SHA256);
    uint8_t own_pk[PP_KEM_PK_BYTES_MAX], out[PP_P256_BYTES];
    void *own = NULL;

    PP_CHECK(sk.len == info->sk_len && pk.len == info->pk_len, PP_E_KEY, pk.len);
    PP_TRY(nist_import(info, sk, &own, own_pk));
    pp_res r = nist_dh(info, own, pk.at, out);
    nist_release(own);
    if (pp_is_ok(r))
        memcpy(ret, out, sizeof out);
    pp_wipe(out, sizeof out);
    return r;
}

#define OPS                                                                                        \
    {                                                                                              \
        .import = nist_import, .release = nist_release, .encap = nist_encap, .decap = nist_decap,  \
        .dh = nist_dh, .derive = nist_derive,                                                      \
    }
const struct pp_kem_ops PP_KEM_OPS_P256_SHA256 = OPS;
const struct pp_kem_ops PP_KEM_OPS_P384_SHA384 = OPS;
const struct pp_kem_ops PP_KEM_OPS_P521_SHA512 = OPS;
