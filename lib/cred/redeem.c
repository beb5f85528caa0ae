/* SPDX-License-Identifier: Apache-2.0 */
#include "cred_int.h"
#include "ct.h"

pp_res pp_cred_epoch_init(struct pp_cred_epoch *e, const struct pp_cred_key *key, uint32_t day,
                          struct pp_span issuer, struct pp_span authority)
{
    struct pp_cred_epoch made = { .key = key, .day = day };

    PP_TRY(pp_token_epoch_digest(key->pub.type, issuer, authority, day, made.challenge_digest));
    *e = made;
    return PP_OK;
}

int pp_cred_epoch_accepts(uint32_t day, uint64_t now_s)
{
    uint64_t from = (uint64_t)day * PP_EPOCH_SECONDS;
    uint64_t until = from + PP_EPOCH_SECONDS;

    return now_s + PP_EPOCH_SLACK_SECONDS >= from && now_s < until + PP_EPOCH_SLACK_SECONDS;
}

static const struct pp_cred_epoch *find(const struct pp_cred_epoch *epochs, size_t count,
                                        uint64_t now_s, const struct pp_token *t)
{
    for (size_t i = 0; i < count; i++)
        if (pp_cred_epoch_accepts(epochs[i].day, now_s) && epochs[i].key->pub.type == t->type &&
            pp_span_eq(PP_BYTES(epochs[i].key->pub.key_id), PP_BYTES(t->key_id)))
            return &epochs[i];
    return NULL;
}

/* Cheap checks first: what a stranger can send without a token never costs a multiplication. */
static pp_res check(const struct pp_cred_epoch *epochs, size_t count, uint64_t now_s,
                    struct pp_span token, struct pp_cred_redeemed *ret)
{
    struct pp_token t;

    PP_TRY(pp_token_parse(token, &t));
    const struct cred_type *type = cred_type_find(t.type);
    PP_CHECK(type != NULL, PP_E_UNSUPPORTED, t.type);
    const struct pp_cred_epoch *e = find(epochs, count, now_s, &t);
    PP_CHECK(e != NULL, PP_E_NOT_FOUND, 0);
    PP_CHECK(pp_span_eq(PP_BYTES(t.challenge_digest), PP_BYTES(e->challenge_digest)), PP_E_MISMATCH,
             0);
    PP_TRY(type->authenticate(e->key, pp_span(token.at, PP_TOKEN_INPUT_BYTES), t.authenticator));
    ret->day = e->day;
    pp_spend_key(&t, ret->spend_key);
    return PP_OK;
}

pp_res pp_cred_redeem_check(const struct pp_cred_epoch *epochs, size_t epoch_count, uint64_t now_s,
                            struct pp_span field, struct pp_cred_redeemed *ret)
{
    uint8_t token[PP_TOKEN_BYTES_MAX];
    struct pp_cred_redeemed redeemed = { 0 };
    size_t len = 0;
    pp_res r = pp_token_field_parse(field, token, &len);

    if (pp_is_ok(r))
        r = check(epochs, epoch_count, now_s, pp_span(token, len), &redeemed);
    pp_wipe(token, sizeof token); /* whoever reads a token can spend it until it is stored */
    PP_CHECK(pp_is_ok(r), PP_E_TOKEN_REFUSED, r.code);
    *ret = redeemed;
    return PP_OK;
}
