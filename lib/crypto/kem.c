/* SPDX-License-Identifier: Apache-2.0 */
#include "kem.h"

#include <stdlib.h>

#include "ct.h"
#include "kem_int.h"
#include "wr.h"

struct row {
    struct pp_kem_info info;
    const struct pp_kem_ops *ops;
};

#define KEM(name, pk, sk, enc, secret, random, auth, title)                                        \
    { { PP_KEM_##name, pk, sk, enc, secret, random, auth, title }, &PP_KEM_OPS_##name },
static const struct row TABLE[] = {
#include "kems.def"
};
#undef KEM

static const struct row *row_of(uint16_t id)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(TABLE); i++)
        if (TABLE[i].info.id == id)
            return &TABLE[i];
    return NULL;
}

const struct pp_kem_info *pp_kem_info(uint16_t id)
{
    const struct row *row = row_of(id);

    return row == NULL ? NULL : &row->info;
}

void pp_kem_suite_id(const struct pp_kem_info *info, uint8_t ret[PP_KEM_SUITE_ID_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PP_KEM_SUITE_ID_BYTES);

    pp_wr_text(&wr, "KEM");
    pp_wr_u16(&wr, info->id);
}

pp_res pp_kem_key_import(uint16_t id, struct pp_span sk, struct pp_kem_key **ret)
{
    const struct row *row = row_of(id);

    PP_CHECK(row != NULL, PP_E_UNSUPPORTED, id);
    PP_CHECK(sk.len == row->info.sk_len, PP_E_KEY, sk.len);
    struct pp_kem_key *k = calloc(1, sizeof *k);
    PP_CHECK(k != NULL, PP_E_NO_MEMORY, sizeof *k);
    k->info = &row->info;
    k->ops = row->ops;
    pp_res r = pp_secret_copy(&k->sk_secret, sk);
    if (pp_is_ok(r))
        r = k->ops->import(k->info, sk, &k->handle, k->pk);
    if (!pp_is_ok(r)) {
        pp_kem_key_free(k);
        return r;
    }
    *ret = k;
    return PP_OK;
}

pp_res pp_kem_key_generate(uint16_t id, const struct pp_random *random, struct pp_kem_key **ret)
{
    PP_AUTO(pp_secret) bytes = { 0 };
    const struct row *row = row_of(id);

    PP_CHECK(row != NULL, PP_E_UNSUPPORTED, id);
    PP_TRY(pp_secret_alloc(&bytes, row->info.sk_len));
    PP_TRY(pp_random_fill(random, bytes.bytes, bytes.len));
    if (row->ops->any_bytes_are_a_key)
        return pp_kem_key_import(id, pp_secret_span(&bytes), ret);
    return pp_kem_key_derive(id, pp_secret_span(&bytes), ret);
}

pp_res pp_kem_key_derive(uint16_t id, struct pp_span ikm, struct pp_kem_key **ret)
{
    PP_AUTO(pp_secret) sk = { 0 };
    const struct row *row = row_of(id);

    PP_CHECK(row != NULL, PP_E_UNSUPPORTED, id);
    /* RFC 9180 7.1.3: ikm SHOULD have at least Nsk bytes of entropy; we insist on the length. */
    PP_CHECK(ikm.len >= row->info.sk_len, PP_E_RANGE, ikm.len);
    PP_TRY(pp_secret_alloc(&sk, row->info.sk_len));
    PP_TRY(row->ops->derive(&row->info, ikm, sk.bytes));
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
    return k->info->id;
}

struct pp_span pp_kem_key_public(const struct pp_kem_key *k)
{
    return pp_span(k->pk, k->info->pk_len);
}

pp_res pp_kem_key_export(const struct pp_kem_key *k, struct pp_secret *ret)
{
    return pp_secret_copy(ret, pp_secret_span(&k->sk_secret));
}

pp_res pp_kem_public_check(uint16_t id, struct pp_span pk)
{
    const struct row *row = row_of(id);

    PP_CHECK(row != NULL, PP_E_UNSUPPORTED, id);
    PP_CHECK(pk.len == row->info.pk_len, PP_E_KEY, pk.len);
    return row->ops->check == NULL ? PP_OK : row->ops->check(&row->info, pk);
}

static pp_res encap(const struct row *row, struct pp_span pk, const struct pp_kem_key *sender,
                    const struct pp_random *random, uint8_t *ret_enc, struct pp_secret *ret_shared)
{
    PP_AUTO(pp_secret) fresh = { 0 };
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];

    PP_CHECK(pk.len == row->info.pk_len, PP_E_KEY, pk.len);
    PP_TRY(pp_secret_alloc(&fresh, row->info.random_len));
    PP_TRY(pp_random_fill(random, fresh.bytes, fresh.len));
    PP_TRY(pp_secret_alloc(ret_shared, row->info.secret_len));
    pp_res r = row->ops->encap(&row->info, pk, sender, pp_secret_span(&fresh), enc,
                               ret_shared->bytes);
    if (!pp_is_ok(r)) {
        pp_secret_done(ret_shared);
        return r;
    }
    memcpy(ret_enc, enc, row->info.enc_len);
    return PP_OK;
}

pp_res pp_kem_encap(uint16_t id, struct pp_span pk, const struct pp_random *random,
                    uint8_t *ret_enc, struct pp_secret *ret_shared)
{
    const struct row *row = row_of(id);

    PP_CHECK(row != NULL, PP_E_UNSUPPORTED, id);
    return encap(row, pk, NULL, random, ret_enc, ret_shared);
}

pp_res pp_kem_auth_encap(const struct pp_kem_key *sender, struct pp_span pk,
                         const struct pp_random *random, uint8_t *ret_enc,
                         struct pp_secret *ret_shared)
{
    PP_CHECK(sender->info->auth, PP_E_UNSUPPORTED, sender->info->id);
    return encap(row_of(sender->info->id), pk, sender, random, ret_enc, ret_shared);
}

static pp_res decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                    struct pp_secret *ret_shared)
{
    PP_CHECK(enc.len == k->info->enc_len, PP_E_AUTH, 0);
    PP_TRY(pp_secret_alloc(ret_shared, k->info->secret_len));
    if (!pp_is_ok(k->ops->decap(k, enc, sender_pk, ret_shared->bytes))) {
        pp_secret_done(ret_shared);
        return PP_FAIL(PP_E_AUTH, 0);
    }
    return PP_OK;
}

pp_res pp_kem_decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_secret *ret_shared)
{
    return decap(k, enc, pp_span(NULL, 0), ret_shared);
}

pp_res pp_kem_auth_decap(const struct pp_kem_key *k, struct pp_span enc, struct pp_span sender_pk,
                         struct pp_secret *ret_shared)
{
    PP_CHECK(k->info->auth, PP_E_UNSUPPORTED, k->info->id);
    PP_CHECK(sender_pk.len == k->info->pk_len, PP_E_AUTH, 0);
    return decap(k, enc, sender_pk, ret_shared);
}
