/* SPDX-License-Identifier: Apache-2.0 */
#include "cred.h"
#include "hash.h"

enum { CONTEXT_BYTES = 32 };

static pp_res check(const struct pp_token_challenge *c)
{
    PP_CHECK(c->issuer_name.len >= 1 && c->issuer_name.len <= UINT16_MAX, PP_E_RANGE,
             c->issuer_name.len);
    PP_CHECK(c->redemption_context.len == 0 || c->redemption_context.len == CONTEXT_BYTES,
             PP_E_RANGE, c->redemption_context.len);
    PP_CHECK(c->origin_info.len <= UINT16_MAX, PP_E_RANGE, c->origin_info.len);
    return PP_OK;
}

pp_res pp_token_challenge_parse(struct pp_span bytes, struct pp_token_challenge *ret)
{
    struct pp_rd rd = pp_rd_span(bytes);
    struct pp_token_challenge c = { 0 };

    c.type = pp_rd_u16(&rd);
    c.issuer_name = pp_rd_bytes(&rd, pp_rd_u16(&rd));
    c.redemption_context = pp_rd_bytes(&rd, pp_rd_u8(&rd));
    c.origin_info = pp_rd_bytes(&rd, pp_rd_u16(&rd));
    PP_TRY(pp_rd_end(&rd));
    PP_TRY(check(&c));
    *ret = c;
    return PP_OK;
}

pp_res pp_token_challenge_write(const struct pp_token_challenge *c, struct pp_wr *wr)
{
    PP_TRY(check(c));
    pp_wr_u16(wr, c->type);
    pp_wr_u16(wr, (uint16_t)c->issuer_name.len);
    pp_wr_span(wr, c->issuer_name);
    pp_wr_u8(wr, (uint8_t)c->redemption_context.len);
    pp_wr_span(wr, c->redemption_context);
    pp_wr_u16(wr, (uint16_t)c->origin_info.len);
    pp_wr_span(wr, c->origin_info);
    return pp_wr_ok(wr);
}

pp_res pp_token_challenge_digest(const struct pp_token_challenge *c,
                                 uint8_t ret[PP_TOKEN_DIGEST_BYTES])
{
    struct pp_hash h;

    PP_TRY(check(c));
    pp_hash_init(&h, PP_SHA256);
    pp_hash_u16(&h, c->type);
    pp_hash_u16(&h, (uint16_t)c->issuer_name.len);
    pp_hash_update(&h, c->issuer_name);
    pp_hash_u8(&h, (uint8_t)c->redemption_context.len);
    pp_hash_update(&h, c->redemption_context);
    pp_hash_u16(&h, (uint16_t)c->origin_info.len);
    pp_hash_update(&h, c->origin_info);
    pp_hash_final(&h, ret);
    return PP_OK;
}

pp_res pp_token_epoch_digest(uint16_t type, struct pp_span issuer, struct pp_span authority,
                             uint32_t day, uint8_t ret[PP_TOKEN_DIGEST_BYTES])
{
    uint8_t context[PP_SHA256_BYTES];
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, PP_STR("pp-epoch-v1"));
    pp_hash_u8(&h, 0);
    pp_hash_u32(&h, day);
    pp_hash_final(&h, context);

    const struct pp_token_challenge c = {
        .type = type,
        .issuer_name = issuer,
        .redemption_context = PP_BYTES(context),
        .origin_info = authority,
    };
    return pp_token_challenge_digest(&c, ret);
}
