/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_int.h"
#include "hash.h"
#include "text.h"

#define FIELD_BEFORE "PrivateToken token=\""
#define FIELD_AFTER  "\""

pp_res pp_token_input_parse(struct pp_rd *rd, struct pp_token *ret)
{
    struct pp_token t = { 0 };

    t.type = pp_rd_u16(rd);
    pp_rd_copy(rd, t.nonce, sizeof t.nonce);
    pp_rd_copy(rd, t.challenge_digest, sizeof t.challenge_digest);
    pp_rd_copy(rd, t.key_id, sizeof t.key_id);
    PP_TRY(pp_rd_ok(rd));
    *ret = t;
    return PP_OK;
}

void pp_token_input_write(const struct pp_token *t, struct pp_wr *wr)
{
    pp_wr_u16(wr, t->type);
    pp_wr_span(wr, PP_BYTES(t->nonce));
    pp_wr_span(wr, PP_BYTES(t->challenge_digest));
    pp_wr_span(wr, PP_BYTES(t->key_id));
}

pp_res pp_token_parse(struct pp_span bytes, struct pp_token *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_token t;

    PP_TRY(pp_token_input_parse(&rd, &t));
    const struct cred_type *type = cred_type_find(t.type);
    PP_CHECK(type != NULL, PP_E_UNSUPPORTED, t.type);
    t.authenticator = pp_rd_bytes(&rd, type->authenticator_bytes);
    PP_TRY(pp_rd_end(&rd));
    *ret = t;
    return PP_OK;
}

void pp_token_write(const struct pp_token *t, struct pp_wr *wr)
{
    pp_token_input_write(t, wr);
    pp_wr_span(wr, t->authenticator);
}

void pp_spend_key(const struct pp_token *t, uint8_t ret[PP_SPEND_KEY_BYTES])
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, PP_BYTES(t->key_id));
    pp_hash_update(&h, PP_BYTES(t->nonce));
    pp_hash_final(&h, digest);
    memcpy(ret, digest, PP_SPEND_KEY_BYTES);
}

void pp_token_field_write(struct pp_span token, struct pp_wr *wr)
{
    pp_wr_text(wr, FIELD_BEFORE);
    pp_wr_base64url(wr, token, 1);
    pp_wr_text(wr, FIELD_AFTER);
}

pp_res pp_token_field_parse(struct pp_span field, uint8_t ret_token[PP_TOKEN_BYTES_MAX],
                            size_t *ret_len)
{
    struct pp_span before = PP_STR(FIELD_BEFORE);
    struct pp_span after = PP_STR(FIELD_AFTER);
    struct pp_rd rd = pp_rd_span(field);

    PP_CHECK(field.len >= before.len + after.len, PP_E_FORMAT, field.len);
    PP_CHECK(pp_span_eq(pp_rd_bytes(&rd, before.len), before), PP_E_FORMAT, 0);
    struct pp_span base64url = pp_rd_bytes(&rd, rd.left - after.len);
    PP_CHECK(pp_span_eq(pp_rd_rest(&rd), after), PP_E_FORMAT, field.len);
    return pp_base64url_parse(base64url, 1, ret_token, PP_TOKEN_BYTES_MAX, ret_len);
}
