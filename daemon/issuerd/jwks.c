/* SPDX-License-Identifier: Apache-2.0 */
/* A login service's key set: the P-256 keys in it that sign. */
#include "jwt.h"

#include "jwt_int.h"
#include "text.h"

enum { COORDINATE_BYTES = 32 };

static int holds(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (jwt_is(json_array_get(list, i), text))
            return 1;
    return 0;
}

/* RFC 7517, 4 and RFC 7518, 6.2: ours are of one curve, and not said to be for something else. */
static int is_ours(const json_t *key)
{
    const json_t *use = json_object_get(key, "use"), *alg = json_object_get(key, "alg");
    const json_t *ops = json_object_get(key, "key_ops");

    return jwt_is(json_object_get(key, "kty"), "EC") &&
           jwt_is(json_object_get(key, "crv"), "P-256") && (use == NULL || jwt_is(use, "sig")) &&
           (alg == NULL || jwt_is(alg, "ES256")) && (ops == NULL || holds(ops, "verify"));
}

static pp_res read_coordinate(const json_t *v, uint8_t ret[COORDINATE_BYTES])
{
    struct pp_span text = jwt_string(v);
    size_t len = 0;

    PP_CHECK(text.at != NULL, PP_E_FORMAT, 0);
    PP_TRY_AS(PP_E_ENCODING, pp_base64url_parse(text, 0, ret, COORDINATE_BYTES, &len));
    PP_CHECK(len == COORDINATE_BYTES, PP_E_ENCODING, len);
    return PP_OK;
}

/* Nothing verifies under a point that is none, and the verification is what can tell. */
static pp_res check_point(const uint8_t point[PP_P256_POINT_BYTES])
{
    const uint8_t one[COORDINATE_BYTES] = { [COORDINATE_BYTES - 1] = 1 };
    pp_res r = pp_ecdsa_verify_raw(PP_P256, pp_span(point, PP_P256_POINT_BYTES), PP_SHA256,
                                   PP_STR(""), one, one);

    PP_CHECK(r.code == PP_E_SIGNATURE, PP_E_KEY, 0);
    return PP_OK;
}

static pp_res read_key(const json_t *key, struct iss_jwks_key *ret)
{
    struct pp_span kid = jwt_string(json_object_get(key, "kid"));
    struct iss_jwks_key k = { .kid_len = kid.len, .point = { 4 } };

    PP_CHECK(kid.at != NULL, PP_E_MISSING, 0);
    PP_CHECK(kid.len >= 1 && kid.len <= sizeof k.kid, PP_E_RANGE, kid.len);
    memcpy(k.kid, kid.at, kid.len);
    PP_TRY(read_coordinate(json_object_get(key, "x"), k.point + 1));
    PP_TRY(read_coordinate(json_object_get(key, "y"), k.point + 1 + COORDINATE_BYTES));
    PP_TRY(check_point(k.point));
    *ret = k;
    return PP_OK;
}

static pp_res add_key(const json_t *key, struct iss_jwks *set)
{
    struct iss_jwks_key k;

    PP_CHECK(json_is_object(key), PP_E_FORMAT, 0);
    PP_CHECK(json_object_get(key, "d") == NULL, PP_E_UNSUPPORTED, 0);
    if (!is_ours(key))
        return PP_OK;
    PP_TRY(read_key(key, &k));
    for (size_t i = 0; i < set->count; i++)
        PP_CHECK(
            !pp_span_eq(pp_span(set->list[i].kid, set->list[i].kid_len), pp_span(k.kid, k.kid_len)),
            PP_E_DUPLICATE, i);
    PP_CHECK(set->count < ISS_JWKS_KEYS_MAX, PP_E_LIMIT, set->count);
    set->list[set->count++] = k;
    return PP_OK;
}

static pp_res read_set(const json_t *root, struct iss_jwks *ret)
{
    const json_t *keys = json_object_get(root, "keys");
    struct iss_jwks set = { 0 };

    PP_CHECK(json_is_array(keys), PP_E_FORMAT, 0);
    for (size_t i = 0; i < json_array_size(keys); i++)
        PP_TRY(add_key(json_array_get(keys, i), &set));
    PP_CHECK(set.count > 0, PP_E_MISSING, 0);
    *ret = set;
    return PP_OK;
}

pp_res iss_jwks_parse(struct pp_span json, struct iss_jwks *ret)
{
    PP_CHECK(json.len <= ISS_JWKS_BYTES_MAX, PP_E_LIMIT, json.len);
    json_t *root = jwt_object(json);
    pp_res r = read_set(root, ret); /* which finds no list in what is no object */
    json_decref(root);
    return r;
}
