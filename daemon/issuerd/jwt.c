/* SPDX-License-Identifier: Apache-2.0 */
#include "jwt.h"

#include "jwt_int.h"
#include "text.h"

#define SCHEME "Bearer "

enum { SIGNATURE_BYTES = 64 };

#define REFUSE_UNLESS(cond, fault) PP_CHECK((cond), PP_E_AUTH, (fault))

/* The parts of the compact form; borrowed. */
struct parts {
    struct pp_span header, payload, signature; /* base64url, not decoded yet */
    struct pp_span signing_input;              /* header, '.', payload: what the signature covers */
};

static pp_res cut(struct pp_span field, struct parts *ret)
{
    struct pp_span scheme = PP_STR(SCHEME), rest;
    struct parts p;

    REFUSE_UNLESS(field.len > scheme.len && pp_span_eq(pp_span(field.at, scheme.len), scheme),
                  ISS_JWT_FORM);
    rest = pp_span(field.at + scheme.len, field.len - scheme.len);
    REFUSE_UNLESS(rest.len <= ISS_JWT_BYTES_MAX, ISS_JWT_FORM);
    p.signing_input = rest;
    REFUSE_UNLESS(pp_text_cut(&rest, '.', &p.header), ISS_JWT_FORM);
    REFUSE_UNLESS(pp_text_cut(&rest, '.', &p.payload), ISS_JWT_FORM);
    p.signature = rest; /* a further '.' is no base64url */
    p.signing_input.len = p.header.len + 1 + p.payload.len;
    *ret = p;
    return PP_OK;
}

/* The JSON object of a part. The caller gives it back. */
static pp_res read_object(struct pp_span part, json_t **ret)
{
    uint8_t text[ISS_JWT_BYTES_MAX];
    size_t len = 0;

    REFUSE_UNLESS(pp_is_ok(pp_base64url_parse(part, 0, text, sizeof text, &len)), ISS_JWT_FORM);
    *ret = jwt_object(pp_span(text, len));
    REFUSE_UNLESS(*ret != NULL, ISS_JWT_FORM);
    return PP_OK;
}

/* --- the header ------------------------------------------------------------------------------- */

static pp_res check_header(const json_t *header, const struct iss_jwks *keys,
                           const struct iss_jwks_key **ret)
{
    static const char *const refused[] = {
        "crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "enc"
    };
    struct pp_span kid = jwt_string(json_object_get(header, "kid"));
    const json_t *typ = json_object_get(header, "typ");

    REFUSE_UNLESS(jwt_is(json_object_get(header, "alg"), "ES256"), ISS_JWT_ALGORITHM);
    for (size_t i = 0; i < PP_ARRAY_COUNT(refused); i++)
        REFUSE_UNLESS(json_object_get(header, refused[i]) == NULL, ISS_JWT_HEADER);
    REFUSE_UNLESS(typ == NULL || jwt_is(typ, "JWT") || jwt_is(typ, "at+jwt"), ISS_JWT_HEADER);
    for (size_t i = 0; i < keys->count; i++)
        if (pp_span_eq(kid, pp_span(keys->list[i].kid, keys->list[i].kid_len))) {
            *ret = &keys->list[i];
            return PP_OK;
        }
    return PP_FAIL(PP_E_AUTH, ISS_JWT_KEY);
}

static pp_res find_key(struct pp_span part, const struct iss_jwks *keys,
                       const struct iss_jwks_key **ret)
{
    json_t *header = NULL;

    PP_TRY(read_object(part, &header));
    pp_res r = check_header(header, keys, ret);
    json_decref(header);
    return r;
}

/* --- the signature ---------------------------------------------------------------------------- */

static pp_res check_signature(const struct parts *p, const struct iss_jwks_key *key)
{
    uint8_t rs[SIGNATURE_BYTES];
    size_t len = 0;

    REFUSE_UNLESS(pp_is_ok(pp_base64url_parse(p->signature, 0, rs, sizeof rs, &len)), ISS_JWT_FORM);
    REFUSE_UNLESS(len == sizeof rs, ISS_JWT_FORM);
    pp_res r = pp_ecdsa_verify_raw(PP_P256, PP_BYTES(key->point), PP_SHA256, p->signing_input, rs,
                                   rs + sizeof rs / 2);
    REFUSE_UNLESS(pp_is_ok(r), ISS_JWT_SIGNATURE);
    return PP_OK;
}

/* --- the claims ------------------------------------------------------------------------------- */

static pp_res check_audience(const json_t *aud, struct pp_span expected)
{
    int found = json_is_string(aud) && pp_span_eq(jwt_string(aud), expected);

    REFUSE_UNLESS(json_array_size(aud) <= ISS_JWT_AUDIENCES_MAX, ISS_JWT_AUDIENCE);
    for (size_t i = 0; i < json_array_size(aud); i++) {
        struct pp_span one = jwt_string(json_array_get(aud, i));
        REFUSE_UNLESS(one.at != NULL, ISS_JWT_FORM);
        found |= pp_span_eq(one, expected);
    }
    REFUSE_UNLESS(found, ISS_JWT_AUDIENCE);
    return PP_OK;
}

/* A NumericDate: whole seconds, not negative. */
static pp_res read_date(const json_t *v, uint64_t *ret)
{
    REFUSE_UNLESS(json_is_integer(v) && json_integer_value(v) >= 0, ISS_JWT_FORM);
    *ret = (uint64_t)json_integer_value(v);
    return PP_OK;
}

static pp_res check_not_yet(const json_t *v, uint64_t now_s)
{
    uint64_t from = 0;

    if (v == NULL)
        return PP_OK;
    PP_TRY(read_date(v, &from));
    REFUSE_UNLESS(from <= now_s + ISS_JWT_SKEW_SECONDS, ISS_JWT_NOT_YET);
    return PP_OK;
}

static pp_res check_dates(const json_t *claims, uint64_t now_s)
{
    uint64_t expiry = 0;

    PP_TRY(read_date(json_object_get(claims, "exp"), &expiry));
    REFUSE_UNLESS(expiry + ISS_JWT_SKEW_SECONDS > now_s, ISS_JWT_EXPIRED);
    REFUSE_UNLESS(expiry <= now_s + ISS_JWT_LIFE_SECONDS_MAX, ISS_JWT_LIFE);
    PP_TRY(check_not_yet(json_object_get(claims, "nbf"), now_s));
    return check_not_yet(json_object_get(claims, "iat"), now_s);
}

static pp_res check_claims(const json_t *claims, const struct iss_jwt_rules *rules, uint64_t now_s,
                           struct iss_jwt_subject *ret)
{
    struct pp_span iss = jwt_string(json_object_get(claims, "iss"));
    struct pp_span sub = jwt_string(json_object_get(claims, "sub"));

    REFUSE_UNLESS(iss.at != NULL && pp_span_eq(iss, rules->issuer), ISS_JWT_ISSUER);
    PP_TRY(check_audience(json_object_get(claims, "aud"), rules->audience));
    PP_TRY(check_dates(claims, now_s));
    REFUSE_UNLESS(sub.len >= 1 && sub.len <= sizeof ret->bytes, ISS_JWT_SUBJECT);
    memcpy(ret->bytes, sub.at, sub.len);
    ret->len = sub.len;
    return PP_OK;
}

pp_res iss_jwt_check(struct pp_span field, const struct iss_jwt_rules *rules,
                     const struct iss_jwks *keys, uint64_t now_s, struct iss_jwt_subject *ret)
{
    const struct iss_jwks_key *key = NULL;
    json_t *claims = NULL;
    struct parts p;

    PP_TRY(cut(field, &p));
    PP_TRY(find_key(p.header, keys, &key));
    PP_TRY(check_signature(&p, key)); /* before a claim is even read */
    PP_TRY(read_object(p.payload, &claims));
    pp_res r = check_claims(claims, rules, now_s, ret);
    json_decref(claims);
    return r;
}
