/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_int.h"

#include "blindrsa.h"
#include "hash.h"

static void finish_public(const struct cred_type *type, struct pp_cred_public *p)
{
    p->type = type->type;
    p->pk_len = type->pk_bytes;
    pp_sha256(pp_span(p->pk, p->pk_len), p->key_id);
}

pp_res pp_cred_public_parse(struct pp_span config, struct pp_cred_public *ret)
{
    struct pp_rd rd = pp_rd_span(config);
    struct pp_cred_public p = { 0 };
    uint16_t number = pp_rd_u16(&rd);

    PP_TRY(pp_rd_ok(&rd));
    const struct cred_type *type = cred_type_find(number);
    PP_CHECK(type != NULL, PP_E_UNSUPPORTED, number);
    pp_rd_copy(&rd, p.pk, type->pk_bytes);
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(type->public_check(pp_span(p.pk, type->pk_bytes)));
    finish_public(type, &p);
    *ret = p;
    return PP_OK;
}

void pp_cred_public_write(const struct pp_cred_public *p, struct pp_wr *wr)
{
    pp_wr_u16(wr, p->type);
    pp_wr_bytes(wr, p->pk, p->pk_len);
}

pp_res pp_cred_key_derive(uint16_t type, struct pp_span seed_secret, struct pp_cred_key *ret)
{
    const struct cred_type *t = cred_type_find(type);
    struct pp_cred_key k = { 0 };

    PP_CHECK(t != NULL && t->derive != NULL, PP_E_UNSUPPORTED, type);
    PP_TRY(t->derive(seed_secret, &k));
    finish_public(t, &k.pub);
    *ret = k;
    return PP_OK;
}

pp_res pp_cred_key_import(uint16_t type, struct pp_span sk_secret, struct pp_cred_key *ret)
{
    const struct cred_type *t = cred_type_find(type);
    struct pp_cred_key k = { 0 };

    PP_CHECK(t != NULL, PP_E_UNSUPPORTED, type);
    PP_TRY(t->import(sk_secret, &k));
    finish_public(t, &k.pub);
    *ret = k;
    return PP_OK;
}

pp_res pp_cred_key_public(const struct pp_cred_public *pub, struct pp_cred_key *ret)
{
    const struct cred_type *t = cred_type_find(pub->type);
    struct pp_cred_key k = { .pub = *pub };

    PP_CHECK(t != NULL && t->public_only != NULL, PP_E_UNSUPPORTED, pub->type);
    PP_TRY(t->public_only(pp_span(pub->pk, pub->pk_len), &k));
    *ret = k;
    return PP_OK;
}

void pp_cred_key_done(struct pp_cred_key *k)
{
    pp_secret_done(&k->sk_secret);
    pp_blindrsa_free(k->rsa);
    *k = (struct pp_cred_key){ 0 };
}
