/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens. The first byte chooses: a field as it comes, or header and claims, with a NUL between,
 * that are signed here, since no fuzzer signs and the claims stand behind the signature.
 */
#include "fuzz.h"

#include "../test/jwt_test.h"
#include "jwt.h"

static void check(struct pp_span field, const struct iss_jwks *keys)
{
    struct iss_jwt_subject s;
    pp_res r = iss_jwt_check(field, &JWT_RULES, keys, JWT_NOW_S, &s);

    FUZZ_CHECK(pp_is_ok(r) ||
               (r.code == PP_E_AUTH && r.detail >= ISS_JWT_FORM && r.detail <= ISS_JWT_NOT_YET));
    if (pp_is_ok(r))
        FUZZ_CHECK(s.len >= 1 && s.len <= sizeof s.bytes && memchr(s.bytes, 0, s.len) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct iss_jwks keys;
    static struct pp_ec_key *key;
    static char field[JWT_FIELD_BYTES];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    struct pp_span header, rest = pp_span(data, len);

    if (key == NULL)
        FUZZ_CHECK(pp_is_ok(jwt_test_key(&key)) &&
                   pp_is_ok(iss_jwks_parse(PP_STR(JWT_KEYS), &keys)));
    if (len == 0)
        return 0;
    rest = pp_span(data + 1, len - 1);
    if (data[0] != 's') {
        check(rest, &keys);
        return 0;
    }
    (void)pp_text_cut(&rest, '\0', &header);
    if (pp_is_ok(jwt_test_field(key, header, rest, &wr)))
        check(pp_wr_done(&wr), &keys);
    return 0;
}
