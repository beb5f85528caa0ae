/* SPDX-License-Identifier: Apache-2.0 */
#include "kem.h"

#include <stdlib.h>

#include "ct.h"
#include "kem_int.h"

static const struct pp_kem_ops *const TABLE[] = { &PP_KEM_OPS_X25519 };

struct pp_kem_key {
    const struct pp_kem_ops *ops;
    void *handle; /* the row's library form */
    struct pp_secret sk_secret;
    uint8_t pk[PP_KEM_PK_BYTES_MAX];
};

static const struct pp_kem_ops *ops_of(uint16_t id)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(TABLE); i++)
        if (TABLE[i]->info.id == id)
            return TABLE[i];
    return NULL;
}

const struct pp_kem_info *pp_kem_info(uint16_t id)
{
    const struct pp_kem_ops *ops = ops_of(id);

    return ops == NULL ? NULL : &ops->info;
}

pp_res pp_kem_key_import(uint16_t id, struct pp_span sk, struct pp_kem_key **ret)
{
    const struct pp_kem_ops *ops = ops_of(id);

    PP_CHECK(ops != NULL, PP_E_UNSUPPORTED, id);
    PP_CHECK(sk.len == ops->info.sk_len, PP_E_KEY, sk.len);
    struct pp_kem_key *k = calloc(1, sizeof *k);
    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    k->ops = ops;
    pp_res r = pp_secret_copy(&k->sk_secret, sk);
    if (pp_is_ok(r))
        r = ops->import(sk, &k->handle, k->pk);
    if (!pp_is_ok(r)) {
        pp_kem_key_free(k);
        return r;
    }
    *ret = k;
    return PP_OK;
}

pp_res pp_kem_key_generate(uint16_t id, const struct pp_random *random, struct pp_kem_key **ret)
{
    PP_AUTO(pp_secret) sk = { 0 };
    const struct pp_kem_ops *ops = ops_of(id);

    PP_CHECK(ops != NULL, PP_E_UNSUPPORTED, id);
    PP_TRY(pp_secret_alloc(&sk, ops->info.sk_len));
    PP_TRY(pp_random_fill(random, sk.bytes, sk.len));
    return pp_kem_key_import(id, pp_secret_span(&sk), ret);
}

pp_res pp_kem_key_derive(uint16_t id, struct pp_span ikm, struct pp_kem_key **ret)
{
    PP_AUTO(pp_secret) sk = { 0 };
    const struct pp_kem_ops *ops = ops_of(id);

    PP_CHECK(ops != NULL, PP_E_UNSUPPORTED, id);
    /* RFC 9180 7.1.3: ikm SHOULD have at least Nsk bytes of entropy; we insist on the length. */
    PP_CHECK(ikm.len >= ops->info.sk_len, PP_E_RANGE, ikm.len);
    PP_TRY(pp_secret_alloc(&sk, ops->info.sk_len));
    PP_TRY(ops->derive(ops, ikm, sk.bytes));
    return pp_kem_key_import(id, pp_secret_span(&sk), ret);
}

void pp_kem_key_free(struct pp_kem_key *k)
{
    if (k == NULL)
        return;
    k->ops->release(k->handle);
    pp_secret_done(&k->sk_secret);
    free(k);
}

uint16_t pp_kem_key_id(const struct pp_kem_key *k)
{
    return k->ops->info.id;
}

struct pp_span pp_kem_key_public(const struct pp_kem_key *k)
{
    return pp_span(k->pk, k->ops->info.pk_len);
}

pp_res pp_kem_key_export(const struct pp_kem_key *k, struct pp_secret *ret)
{
    return pp_secret_copy(ret, pp_secret_span(&k->sk_secret));
}

pp_res pp_kem_encap(uint16_t id, struct pp_span pk, const struct pp_random *random,
                    uint8_t *ret_enc, struct pp_secret *ret_shared)
{
    PP_AUTO(pp_secret) fresh = { 0 };
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    const struct pp_kem_ops *ops = ops_of(id);

    PP_CHECK(ops != NULL, PP_E_UNSUPPORTED, id);
    PP_CHECK(pk.len == ops->info.pk_len, PP_E_KEY, pk.len);
    PP_TRY(pp_secret_alloc(&fresh, ops->info.sk_len));
    PP_TRY(pp_random_fill(random, fresh.bytes, fresh.len));
    PP_TRY(pp_secret_alloc(ret_shared, ops->info.secret_len));
    pp_res r = ops->encap(ops, pk, pp_secret_span(&fresh), enc, ret_shared->bytes);
    if (!pp_is_ok(r)) {
        pp_secret_done(ret_shared);
        return r;
    }
    memcpy(ret_enc, enc, ops->info.enc_len);
    return PP_OK;
}

pp_res pp_kem_decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_secret *ret_shared)
{
    PP_CHECK(enc.len == k->ops->info.enc_len, PP_E_AUTH, 0);
    PP_TRY(pp_secret_alloc(ret_shared, k->ops->info.secret_len));
    if (!pp_is_ok(k->ops->decap(k->ops, k->handle, pp_kem_key_public(k), enc, ret_shared->bytes))) {
        pp_secret_done(ret_shared);
        return PP_FAIL(PP_E_AUTH, 0);
    }
    return PP_OK;
}
