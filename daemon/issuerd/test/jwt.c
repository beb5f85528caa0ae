/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7515, 7517, 7518, 7519, 8725: tokens of a login service, and every way to forge one. */
#include "harness.h"

#include "crypto.h"
#include "jwt_test.h"

static struct iss_jwks keys;
static struct pp_ec_key *key;
static char field[JWT_FIELD_BYTES];

static int setup(void **state)
{
    (void)state;
    return pp_is_ok(pp_crypto_init()) && pp_is_ok(jwt_test_key(&key)) &&
                   pp_is_ok(iss_jwks_parse(PP_STR(JWT_KEYS), &keys))
               ? 0
               : -1;
}

static int teardown(void **state)
{
    (void)state;
    pp_ec_key_free(key);
    return 0;
}

static struct pp_span sign(const char *header, const char *claims)
{
    struct pp_wr wr = pp_wr_over(field, sizeof field);

    assert_ok(jwt_test_field(key, pp_span_cstr(header), pp_span_cstr(claims), &wr));
    return pp_wr_done(&wr);
}

static pp_res check(struct pp_span f, uint64_t now_s, struct iss_jwt_subject *ret)
{
    return iss_jwt_check(f, &JWT_RULES, &keys, now_s, ret);
}

/* 0 for a token that is taken, else the fault. */
static uint32_t fault_at(struct pp_span f, uint64_t now_s)
{
    struct iss_jwt_subject s = { .len = 77 };
    pp_res r = check(f, now_s, &s);

    if (pp_is_ok(r))
        return 0;
    assert_code(r, PP_E_AUTH);
    assert_int_equal(s.len, 77);
    return r.detail;
}

static uint32_t fault(const char *header, const char *claims)
{
    return fault_at(sign(header, claims), JWT_NOW_S);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void a_token_of_the_login_service_names_its_subject(void **state)
{
    (void)state;
    struct iss_jwt_subject s;

    assert_ok(check(sign(JWT_HEADER, JWT_CLAIMS), JWT_NOW_S, &s));
    assert_int_equal(s.len, 5);
    assert_memory_equal(s.bytes, "alice", 5);
}

/* RFC 7515, A.3: the one published figure for ES256; its header has no kid, so it is read as JWS
 * here and refused as a token. */
static void the_published_es256_signature_verifies(void **state)
{
    (void)state;
    static const char published[] =
        "Bearer eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
        "VlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJ"
        "qPP3-Kg6NU1Q";
    static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a3\","
                              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    struct iss_jwks one;
    uint8_t rs[64];
    size_t len = 0;
    struct pp_span rest = pp_span_cstr(published), header, payload;

    assert_ok(iss_jwks_parse(pp_span_cstr(set), &one));
    assert_int_equal(fault_at(pp_span_cstr(published), JWT_NOW_S), ISS_JWT_KEY);
    rest = pp_span(rest.at + 7, rest.len - 7);
    const uint8_t *start = rest.at;
    assert_true(pp_text_cut(&rest, '.', &header) && pp_text_cut(&rest, '.', &payload));
    assert_ok(pp_base64url_parse(rest, 0, rs, sizeof rs, &len));
    assert_ok(pp_ecdsa_verify_raw(PP_P256, PP_BYTES(one.list[0].point), PP_SHA256,
                                  pp_span(start, header.len + 1 + payload.len), rs, rs + 32));
}

static void every_other_algorithm_is_refused(void **state)
{
    (void)state;
    static const char *const algorithms[] = {
        "\"none\"",   "\"None\"",  "\"NONE\"",  "\"HS256\"",  "\"HS512\"",   "\"RS256\"",
        "\"PS256\"",  "\"ES384\"", "\"ES512\"", "\"ES256K\"", "\"EdDSA\"",   "\"es256\"",
        "\"ES256 \"", "\"\"",      "null",      "256",        "[\"ES256\"]", "{}",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(algorithms); i++) {
        char header[128];
        snprintf(header, sizeof header, "{\"alg\":%s,\"kid\":\"k1\"}", algorithms[i]);
        assert_int_equal(fault(header, JWT_CLAIMS), ISS_JWT_ALGORITHM);
    }
    assert_int_equal(fault("{\"kid\":\"k1\"}", JWT_CLAIMS), ISS_JWT_ALGORITHM);
}

/* RFC 8725, 2.1: the token without signature, and the public key taken for an HMAC key. */
static void an_unsigned_token_and_one_under_the_public_key_as_a_secret_are_refused(void **state)
{
    (void)state;
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    uint8_t tag[PP_SHA256_BYTES];

    pp_wr_text(&wr, "Bearer ");
    pp_wr_base64url(&wr, PP_STR("{\"alg\":\"none\",\"kid\":\"k1\"}"), 0);
    pp_wr_text(&wr, ".");
    pp_wr_base64url(&wr, PP_STR(JWT_CLAIMS), 0);
    pp_wr_text(&wr, ".");
    assert_int_equal(fault_at(pp_wr_done(&wr), JWT_NOW_S), ISS_JWT_ALGORITHM);

    wr = pp_wr_over(field, sizeof field);
    pp_wr_text(&wr, "Bearer ");
    pp_wr_base64url(&wr, PP_STR("{\"alg\":\"HS256\",\"kid\":\"k1\"}"), 0);
    pp_wr_text(&wr, ".");
    pp_wr_base64url(&wr, PP_STR(JWT_CLAIMS), 0);
    struct pp_span all = pp_wr_done(&wr);
    pp_hmac_of(PP_SHA256, PP_BYTES(keys.list[0].point), pp_span(all.at + 7, all.len - 7), tag);
    pp_wr_text(&wr, ".");
    pp_wr_base64url(&wr, PP_BYTES(tag), 0);
    assert_int_equal(fault_at(pp_wr_done(&wr), JWT_NOW_S), ISS_JWT_ALGORITHM);
}

static void a_header_that_brings_a_key_or_a_duty_is_refused(void **state)
{
    (void)state;
    static const char *const more[] = {
        "\"crit\":[\"exp\"]",
        "\"crit\":[]",
        "\"b64\":false",
        "\"jwk\":" JWT_KEY("k1"),
        "\"jku\":\"https://login.example/keys\"",
        "\"x5u\":\"https://login.example/chain\"",
        "\"x5c\":[]",
        "\"zip\":\"DEF\"",
        "\"enc\":\"A128GCM\"",
        "\"typ\":\"JWE\"",
        "\"typ\":\"jwt\"",
        "\"typ\":1",
        "\"typ\":\"secevent+jwt\"",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(more); i++) {
        char header[512];
        snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"k1\",%s}", more[i]);
        assert_int_equal(fault(header, JWT_CLAIMS), ISS_JWT_HEADER);
    }
    /* What does not choose a key is ignored (RFC 7515, 4), and so is a missing typ. */
    assert_int_equal(
        fault("{\"alg\":\"ES256\",\"kid\":\"k1\",\"x5t\":\"AAAA\",\"cty\":\"x\"}", JWT_CLAIMS), 0);
    assert_int_equal(fault("{\"typ\":\"at+jwt\",\"kid\":\"k1\",\"alg\":\"ES256\"}", JWT_CLAIMS), 0);
}

static void a_kid_that_is_missing_unknown_or_no_text_is_refused(void **state)
{
    (void)state;
    static const char *const kids[] = { "\"k2\"", "\"K1\"", "\"k\"", "\"k1 \"", "\"k11\"",
                                        "\"\"",   "1",      "null",  "[\"k1\"]" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(kids); i++) {
        char header[128];
        snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":%s}", kids[i]);
        assert_int_equal(fault(header, JWT_CLAIMS), ISS_JWT_KEY);
    }
    assert_int_equal(fault("{\"alg\":\"ES256\"}", JWT_CLAIMS), ISS_JWT_KEY);
}

/* A token of the other key under this one's name, and of this one under the other's. */
static void the_kid_chooses_the_one_key_that_may_verify(void **state)
{
    (void)state;
    struct pp_ec_key *other = NULL;
    struct iss_jwks two = keys;
    struct iss_jwt_subject s;
    size_t len = 0;

    assert_ok(pp_ec_key_generate(PP_P256, &other));
    two.list[1] = (struct iss_jwks_key){ .kid = "k2", .kid_len = 2 };
    assert_ok(pp_ec_key_point(other, two.list[1].point, sizeof two.list[1].point, &len));
    two.count = 2;
    struct pp_span f = sign("{\"alg\":\"ES256\",\"kid\":\"k2\"}", JWT_CLAIMS);
    pp_res r = iss_jwt_check(f, &JWT_RULES, &two, JWT_NOW_S, &s);
    assert_code(r, PP_E_AUTH);
    assert_int_equal(r.detail, ISS_JWT_SIGNATURE);
    assert_ok(iss_jwt_check(sign(JWT_HEADER, JWT_CLAIMS), &JWT_RULES, &two, JWT_NOW_S, &s));
    pp_ec_key_free(other);
}

static void json_that_two_readers_could_read_differently_is_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"k1\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k2\",\"kid\":\"k1\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"k\\u0069d\":\"k1\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\"} x",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",}",
        "[\"ES256\",\"k1\"]",
        "\"ES256\"",
        "",
        "{\"alg\":\"ES256\",\"kid\":\"k1\\u0000\"}",
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"t\":\"\xff\"}",
        "{'alg':'ES256','kid':'k1'}",
    };
    static const char *const claims[] = {
        "{\"iss\":\"https://login.example\",\"aud\":\"issuer.example\",\"sub\":\"mallory\","
        "\"sub\":\"alice\",\"exp\":1771243800}",
        "{\"iss\":\"https://login.example\",\"aud\":\"issuer.example\",\"sub\":\"alice\\u0000\","
        "\"exp\":1771243800}",
        "[]",
        "null",
        "",
        "{",
        JWT_CLAIMS JWT_CLAIMS,
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(headers); i++)
        assert_int_equal(fault(headers[i], JWT_CLAIMS), ISS_JWT_FORM);
    for (size_t i = 0; i < PP_ARRAY_COUNT(claims); i++)
        assert_int_equal(fault(JWT_HEADER, claims[i]), ISS_JWT_FORM);
}

static const char *claims_with(const char *iss, const char *aud, const char *sub, const char *rest)
{
    static char text[1024];

    snprintf(text, sizeof text, "{\"iss\":%s,\"aud\":%s,\"sub\":%s,%s}", iss, aud, sub, rest);
    return text;
}

#define ISS  "\"https://login.example\""
#define AUD  "\"issuer.example\""
#define SUB  "\"alice\""
#define GOOD "\"exp\":1771243800"

static void claims_of_somebody_else_are_refused(void **state)
{
    (void)state;
    static const char *const issuers[] = { "\"https://login.example/\"",
                                           "\"https://login.exampl\"",
                                           "\"HTTPS://login.example\"",
                                           "\"\"",
                                           "1",
                                           "null",
                                           "[\"https://login.example\"]" };
    static const char *const audiences[] = {
        "\"other.example\"",  "\"issuer.example.\"", "\"\"", "null", "1", "{}", "[]",
        "[\"other.example\"]"
    };
    static const char *const subjects[] = { "\"\"", "1", "null", "[\"alice\"]", "true" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(issuers); i++)
        assert_int_equal(fault(JWT_HEADER, claims_with(issuers[i], AUD, SUB, GOOD)),
                         ISS_JWT_ISSUER);
    for (size_t i = 0; i < PP_ARRAY_COUNT(audiences); i++)
        assert_int_equal(fault(JWT_HEADER, claims_with(ISS, audiences[i], SUB, GOOD)),
                         ISS_JWT_AUDIENCE);
    for (size_t i = 0; i < PP_ARRAY_COUNT(subjects); i++)
        assert_int_equal(fault(JWT_HEADER, claims_with(ISS, AUD, subjects[i], GOOD)),
                         ISS_JWT_SUBJECT);
    assert_int_equal(fault(JWT_HEADER, claims_with(ISS, "[" AUD ",1]", SUB, GOOD)), ISS_JWT_FORM);
    assert_int_equal(fault(JWT_HEADER, claims_with(ISS, "[\"x\"," AUD "]", SUB, GOOD)), 0);
    assert_int_equal(fault(JWT_HEADER, "{}"), ISS_JWT_ISSUER);
    assert_int_equal(fault(JWT_HEADER, "{\"iss\":" ISS ",\"sub\":" SUB "," GOOD "}"),
                     ISS_JWT_AUDIENCE);
    assert_int_equal(fault(JWT_HEADER, "{\"iss\":" ISS ",\"aud\":" AUD "," GOOD "}"),
                     ISS_JWT_SUBJECT);
}

static void names_and_lists_are_taken_at_their_limits_and_not_past_them(void **state)
{
    (void)state;
    char sub[ISS_JWT_NAME_BYTES_MAX + 4], aud[20 * (ISS_JWT_AUDIENCES_MAX + 2)];
    struct iss_jwt_subject s;

    memset(sub, 'a', sizeof sub);
    sub[0] = sub[ISS_JWT_NAME_BYTES_MAX + 1] = '"';
    sub[ISS_JWT_NAME_BYTES_MAX + 2] = '\0';
    assert_ok(check(sign(JWT_HEADER, claims_with(ISS, AUD, sub, GOOD)), JWT_NOW_S, &s));
    assert_int_equal(s.len, ISS_JWT_NAME_BYTES_MAX);
    sub[ISS_JWT_NAME_BYTES_MAX + 1] = 'a';
    sub[ISS_JWT_NAME_BYTES_MAX + 2] = '"';
    sub[ISS_JWT_NAME_BYTES_MAX + 3] = '\0';
    assert_int_equal(fault(JWT_HEADER, claims_with(ISS, AUD, sub, GOOD)), ISS_JWT_SUBJECT);

    for (size_t n = ISS_JWT_AUDIENCES_MAX; n <= ISS_JWT_AUDIENCES_MAX + 1; n++) {
        size_t len = (size_t)snprintf(aud, sizeof aud, "[" AUD);
        for (size_t i = 1; i < n; i++)
            len += (size_t)snprintf(aud + len, sizeof aud - len, ",\"x\"");
        snprintf(aud + len, sizeof aud - len, "]");
        assert_int_equal(fault(JWT_HEADER, claims_with(ISS, aud, SUB, GOOD)),
                         n == ISS_JWT_AUDIENCES_MAX ? 0 : ISS_JWT_AUDIENCE);
    }
}

static void a_token_is_good_for_its_time_and_a_minute_of_skew(void **state)
{
    (void)state;
    const uint64_t exp = 1771243800;
    struct pp_span f = sign(JWT_HEADER, claims_with(ISS, AUD, SUB, GOOD));

    assert_int_equal(fault_at(f, exp - 1), 0);
    assert_int_equal(fault_at(f, exp + ISS_JWT_SKEW_SECONDS - 1), 0);
    assert_int_equal(fault_at(f, exp + ISS_JWT_SKEW_SECONDS), ISS_JWT_EXPIRED);
    assert_int_equal(fault_at(f, UINT64_MAX / 2), ISS_JWT_EXPIRED);
    assert_int_equal(fault_at(f, exp - ISS_JWT_LIFE_SECONDS_MAX), 0);
    assert_int_equal(fault_at(f, exp - ISS_JWT_LIFE_SECONDS_MAX - 1), ISS_JWT_LIFE);
    static const char *const names[] = { "nbf", "iat" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        char rest[128];
        snprintf(rest, sizeof rest, GOOD ",\"%s\":1771243200", names[i]);
        f = sign(JWT_HEADER, claims_with(ISS, AUD, SUB, rest));
        assert_int_equal(fault_at(f, 1771243200 - ISS_JWT_SKEW_SECONDS), 0);
        assert_int_equal(fault_at(f, 1771243200 - ISS_JWT_SKEW_SECONDS - 1), ISS_JWT_NOT_YET);
    }
}

static void dates_that_are_no_whole_seconds_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"exp\":\"1771243800\"",
        "\"exp\":1771243800.5",
        "\"exp\":1.7712438e9",
        "\"exp\":-1",
        "\"exp\":null",
        "\"exp\":99999999999999999999",
        "\"x\":1",
        GOOD ",\"nbf\":\"0\"",
        GOOD ",\"iat\":-1",
        GOOD ",\"nbf\":null",
        GOOD ",\"iat\":1.5",
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++)
        assert_int_equal(fault(JWT_HEADER, claims_with(ISS, AUD, SUB, bad[i])), ISS_JWT_FORM);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void every_truncation_and_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    static uint8_t copy[JWT_FIELD_BYTES];
    struct pp_span f = sign(JWT_HEADER, JWT_CLAIMS);

    for (size_t n = 0; n < f.len; n++)
        assert_int_not_equal(fault_at(pp_span(f.at, n), JWT_NOW_S), 0);
    for (size_t i = 0; i < f.len; i++)
        for (unsigned bit = 0; bit < 8; bit += 3) {
            memcpy(copy, f.at, f.len);
            copy[i] ^= (uint8_t)(1u << bit);
            assert_int_not_equal(fault_at(pp_span(copy, f.len), JWT_NOW_S), 0);
        }
}

static void other_serialisations_are_refused(void **state)
{
    (void)state;
    char text[JWT_FIELD_BYTES];
    struct pp_span f = sign(JWT_HEADER, JWT_CLAIMS);
    int len = (int)f.len - 7;
    const char *token = (const char *)f.at + 7, *dot = strrchr(field, '.');
    static const char *const around[][2] = {
        { "Bearer ", "." }, { "Bearer ", "=" },         { "Bearer  ", "" },
        { "Bearer ", " " }, { "bearer ", "" },          { "BEARER ", "" },
        { "", "" },         { "PP-Assertion ", "" },    { "Bearer\t", "" },
        { "Bearer .", "" }, { "Bearer ", ",Bearer x" },
    };

    field[f.len] = '\0';
    dot = strrchr(field, '.');
    for (size_t i = 0; i < PP_ARRAY_COUNT(around); i++) {
        int n = snprintf(text, sizeof text, "%s%.*s%s", around[i][0], len, token, around[i][1]);
        assert_int_equal(fault_at(pp_span(text, (size_t)n), JWT_NOW_S), ISS_JWT_FORM);
    }
    /* Two signatures, one behind the other; four and five parts. */
    int n = snprintf(text, sizeof text, "%s%s", field, dot);
    assert_int_equal(fault_at(pp_span(text, (size_t)n), JWT_NOW_S), ISS_JWT_FORM);
    n = snprintf(text, sizeof text, "%s%s", field, dot + 1);
    assert_int_equal(fault_at(pp_span(text, (size_t)n), JWT_NOW_S), ISS_JWT_FORM);
    n = snprintf(text, sizeof text, "%s.AA.AA", field);
    assert_int_equal(fault_at(pp_span(text, (size_t)n), JWT_NOW_S), ISS_JWT_FORM);
    n = snprintf(text, sizeof text, "Bearer {\"payload\":\"%s\",\"signatures\":[]}", token);
    assert_int_equal(fault_at(pp_span(text, (size_t)n), JWT_NOW_S), ISS_JWT_FORM);
}

/* What the token of a signature of `bytes` is refused for; 0 if it is taken. `field` holds one. */
static uint32_t fault_of_signature(struct pp_span bytes)
{
    static char text[JWT_FIELD_BYTES];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    const char *dot = strrchr(field, '.');

    pp_wr_span(&wr, pp_span(field, (size_t)(dot - field) + 1));
    pp_wr_base64url(&wr, bytes, 0);
    return fault_at(pp_wr_done(&wr), JWT_NOW_S);
}

/* DER where JOSE wants r || s, a byte too few or too many, zeros (CVE-2022-21449), s before r. */
static void signatures_of_another_form_or_value_are_refused(void **state)
{
    (void)state;
    uint8_t der[PP_ECDSA_DER_BYTES_MAX], rs[65] = { 0 }, other[64] = { 0 };
    size_t len = 0;
    struct pp_span f = sign(JWT_HEADER, JWT_CLAIMS);

    field[f.len] = '\0';
    const char *dot = strrchr(field, '.');
    struct pp_span input = pp_span(field + 7, (size_t)(dot - field) - 7);
    assert_ok(pp_ec_sign(key, PP_SHA256, input, der, sizeof der, &len));
    assert_ok(pp_ecdsa_der_to_raw(pp_span(der, len), 32, rs, rs + 32));
    assert_int_equal(fault_of_signature(pp_span(rs, 64)), 0);
    assert_int_equal(fault_of_signature(pp_span(rs, 63)), ISS_JWT_FORM);
    assert_int_equal(fault_of_signature(pp_span(rs, 65)), ISS_JWT_FORM);
    assert_int_equal(fault_of_signature(pp_span(rs, 0)), ISS_JWT_FORM);
    assert_int_equal(fault_of_signature(pp_span(der, len)), ISS_JWT_FORM);
    assert_int_equal(fault_of_signature(PP_BYTES(other)), ISS_JWT_SIGNATURE);
    memcpy(other, rs + 32, 32);
    memcpy(other + 32, rs, 32);
    assert_int_equal(fault_of_signature(PP_BYTES(other)), ISS_JWT_SIGNATURE);
}

static void a_token_is_taken_at_its_largest_size_and_not_past_it(void **state)
{
    (void)state;
    static char claims[ISS_JWT_BYTES_MAX];
    size_t taken = 0;

    for (size_t pad = 2700; pad < 2900; pad++) {
        snprintf(claims, sizeof claims,
                 "{\"iss\":" ISS ",\"aud\":" AUD ",\"sub\":" SUB ",%s,\"p\":\"%0*d\"}", GOOD,
                 (int)pad, 0);
        struct pp_span f = sign(JWT_HEADER, claims);
        uint32_t got = fault_at(f, JWT_NOW_S);
        assert_int_equal(got, f.len - 7 <= ISS_JWT_BYTES_MAX ? 0 : ISS_JWT_FORM);
        taken += got == 0;
    }
    assert_in_range(taken, 1, 199);
}

/* --- key sets --------------------------------------------------------------------------------- */

static uint32_t parse_set(const char *json)
{
    struct iss_jwks set = { .count = 77 };
    pp_res r = iss_jwks_parse(pp_span_cstr(json), &set);

    assert_true(pp_is_ok(r) || set.count == 77);
    return r.code;
}

static void keys_for_something_else_are_passed_over(void **state)
{
    (void)state;
    struct iss_jwks set;

    assert_ok(iss_jwks_parse(
        PP_STR("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k1\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
               "{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"AAAA\"},"
               "{\"kty\":\"EC\",\"crv\":\"P-384\",\"kid\":\"k1\",\"x\":\"AA\",\"y\":\"AA\"},"
               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"use\":\"enc\"},"
               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"alg\":\"ECDH-ES\"},"
               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"key_ops\":[\"deriveKey\"]},"
               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k2\",\"use\":\"sig\",\"alg\":\"ES256\","
               "\"key_ops\":[\"verify\"],\"x\":\"" JWT_X "\",\"y\":\"" JWT_Y "\"}],\"more\":1}"),
        &set));
    assert_int_equal(set.count, 1);
    assert_memory_equal(set.list[0].kid, "k2", 2);
}

static void a_set_with_one_wrong_key_is_refused_as_a_whole(void **state)
{
    (void)state;
#define GOOD_KEY JWT_KEY("k1")
    static const struct {
        const char *json;
        uint32_t code;
    } wrong[] = {
        { "", PP_E_FORMAT },
        { "[]", PP_E_FORMAT },
        { "{}", PP_E_FORMAT },
        { "{\"keys\":{}}", PP_E_FORMAT },
        { "{\"keys\":[]}", PP_E_MISSING },
        { "{\"keys\":[1]}", PP_E_FORMAT },
        { "{\"keys\":[" GOOD_KEY "]", PP_E_FORMAT },
        { "{\"keys\":[" GOOD_KEY "]} x", PP_E_FORMAT },
        { "{\"keys\":[],\"keys\":[" GOOD_KEY "]}", PP_E_FORMAT },
        { "{\"keys\":[" GOOD_KEY "," GOOD_KEY "]}", PP_E_DUPLICATE },
        { "{\"keys\":[" GOOD_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" JWT_X
          "\",\"y\":\"" JWT_Y "\"}]}",
          PP_E_MISSING },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"\",\"x\":\"" JWT_X
          "\",\"y\":\"" JWT_Y "\"}]}",
          PP_E_RANGE },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"" JWT_X "\"}]}",
          PP_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"AA\",\"y\":\"" JWT_Y
          "\"}]}",
          PP_E_ENCODING },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"" JWT_X
          "=\",\"y\":\"" JWT_Y "\"}]}",
          PP_E_ENCODING },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"" JWT_Y
          "\",\"y\":\"" JWT_X "\"}]}",
          PP_E_KEY }, /* not on the curve */
        { "{\"keys\":[" GOOD_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":\"" JWT_X
          "\",\"y\":\"" JWT_Y "\",\"d\":\"AA\"}]}",
          PP_E_UNSUPPORTED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(wrong); i++)
        if (parse_set(wrong[i].json) != wrong[i].code)
            fail_msg("%zu: %u", i, parse_set(wrong[i].json));
}

static void a_set_is_taken_at_its_limits_and_not_past_them(void **state)
{
    (void)state;
    static char json[ISS_JWKS_BYTES_MAX + 64];
    char kid[ISS_JWT_KID_BYTES_MAX + 2];

    for (int n = ISS_JWKS_KEYS_MAX; n <= ISS_JWKS_KEYS_MAX + 1; n++) {
        int len = snprintf(json, sizeof json, "{\"keys\":[");
        for (int i = 0; i < n; i++)
            len += snprintf(json + len, sizeof json - (size_t)len,
                            "%s{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k%d\",\"x\":\"" JWT_X
                            "\",\"y\":\"" JWT_Y "\"}",
                            i == 0 ? "" : ",", i);
        snprintf(json + len, sizeof json - (size_t)len, "]}");
        assert_int_equal(parse_set(json), n == ISS_JWKS_KEYS_MAX ? PP_E_OK : PP_E_LIMIT);
    }
    for (int n = ISS_JWT_KID_BYTES_MAX; n <= ISS_JWT_KID_BYTES_MAX + 1; n++) {
        memset(kid, 'k', sizeof kid);
        snprintf(json, sizeof json,
                 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%.*s\","
                 "\"x\":\"" JWT_X "\",\"y\":\"" JWT_Y "\"}]}",
                 n, kid);
        assert_int_equal(parse_set(json), n == ISS_JWT_KID_BYTES_MAX ? PP_E_OK : PP_E_RANGE);
    }
    for (int n = ISS_JWKS_BYTES_MAX; n <= ISS_JWKS_BYTES_MAX + 1; n++) {
        snprintf(json, sizeof json, "%-*s", n, JWT_KEYS);
        assert_int_equal(parse_set(json), n == ISS_JWKS_BYTES_MAX ? PP_E_OK : PP_E_LIMIT);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_token_of_the_login_service_names_its_subject),
    cmocka_unit_test(the_published_es256_signature_verifies),
    cmocka_unit_test(every_other_algorithm_is_refused),
    cmocka_unit_test(an_unsigned_token_and_one_under_the_public_key_as_a_secret_are_refused),
    cmocka_unit_test(a_header_that_brings_a_key_or_a_duty_is_refused),
    cmocka_unit_test(a_kid_that_is_missing_unknown_or_no_text_is_refused),
    cmocka_unit_test(the_kid_chooses_the_one_key_that_may_verify),
    cmocka_unit_test(json_that_two_readers_could_read_differently_is_refused),
    cmocka_unit_test(claims_of_somebody_else_are_refused),
    cmocka_unit_test(names_and_lists_are_taken_at_their_limits_and_not_past_them),
    cmocka_unit_test(a_token_is_good_for_its_time_and_a_minute_of_skew),
    cmocka_unit_test(dates_that_are_no_whole_seconds_are_refused),
    cmocka_unit_test(every_truncation_and_every_flipped_bit_is_refused),
    cmocka_unit_test(other_serialisations_are_refused),
    cmocka_unit_test(signatures_of_another_form_or_value_are_refused),
    cmocka_unit_test(a_token_is_taken_at_its_largest_size_and_not_past_it),
    cmocka_unit_test(keys_for_something_else_are_passed_over),
    cmocka_unit_test(a_set_with_one_wrong_key_is_refused_as_a_whole),
    cmocka_unit_test(a_set_is_taken_at_its_limits_and_not_past_them),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, setup, teardown);
}
