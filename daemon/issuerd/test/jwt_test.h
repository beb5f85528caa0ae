/* SPDX-License-Identifier: Apache-2.0 */
/* jwt_test.h: a login service for tests and fuzzing: one key of its own, and tokens under it. */
#ifndef JWT_TEST_H
#define JWT_TEST_H

#include "jwt.h"
#include "text.h"
#include "wr.h"

enum { JWT_NOW_S = 1771243200, JWT_FIELD_BYTES = 3 * ISS_JWT_BYTES_MAX };

#define JWT_X "iOH5SlJwoll_dUUrvarqeBQ1o6q5-yj1xK30z2zr4To"
#define JWT_Y "l6sLWsYij7Jr5oP1_YJnPMOjxb4Sw7zG1KiIZEDOGmk"
#define JWT_KEY(kid)                                                                               \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"" kid "\",\"x\":\"" JWT_X "\",\"y\":\"" JWT_Y "\"}"
#define JWT_KEYS   "{\"keys\":[" JWT_KEY("k1") "]}"
#define JWT_HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define JWT_CLAIMS                                                                                 \
    "{\"iss\":\"https://login.example\",\"aud\":\"issuer.example\",\"sub\":\"alice\","             \
    "\"exp\":1771243800,\"iat\":1771243200}"

static const struct iss_jwt_rules JWT_RULES = {
    .issuer = { (const uint8_t *)"https://login.example", 21 },
    .audience = { (const uint8_t *)"issuer.example", 14 },
};

/* Of these tests alone; nothing else has ever been signed with it. */
static const char JWT_KEY_DER[] =
    "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104206542d658739f94de72e3"
    "92c610be5e130cbff2b813e6062fbd0c614bab647756a1440342000488e1f94a5270a2597f75452bbdaaea781435"
    "a3aab9fb28f5c4adf4cf6cebe13a97ab0b5ac6228fb26be683f5fd82673cc3a3c5be12c3bcc6d4a8886440ce1a69";

static inline pp_res jwt_test_key(struct pp_ec_key **ret)
{
    uint8_t der[138];

    PP_TRY(pp_hex_parse(pp_span_cstr(JWT_KEY_DER), der, sizeof der));
    return pp_ec_key_import_der(PP_BYTES(der), ret);
}

/* r || s of the signature over what was written from `from` on. */
static inline pp_res jwt_test_sign(const struct pp_ec_key *key, struct pp_span input,
                                   uint8_t ret[64])
{
    uint8_t der[PP_ECDSA_DER_BYTES_MAX];
    size_t len = 0;

    PP_TRY(pp_ec_sign(key, PP_SHA256, input, der, sizeof der, &len));
    return pp_ecdsa_der_to_raw(pp_span(der, len), 32, ret, ret + 32);
}

/* "Bearer " and a token of these two texts, whatever they say. */
static inline pp_res jwt_test_field(const struct pp_ec_key *key, struct pp_span header,
                                    struct pp_span claims, struct pp_wr *wr)
{
    uint8_t rs[64];

    pp_wr_text(wr, "Bearer ");
    size_t from = wr->len;
    pp_wr_base64url(wr, header, 0);
    pp_wr_text(wr, ".");
    pp_wr_base64url(wr, claims, 0);
    PP_TRY(pp_wr_ok(wr));
    struct pp_span all = pp_wr_done(wr);
    PP_TRY(jwt_test_sign(key, pp_span(all.at + from, all.len - from), rs));
    pp_wr_text(wr, ".");
    pp_wr_base64url(wr, PP_BYTES(rs), 0);
    return pp_wr_ok(wr);
}

#endif
