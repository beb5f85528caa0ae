/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "sign.h"

/* RFC 8032, 7.1, test 2. */
#define SEED   "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNATURE                                                                                  \
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"                             \
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"

static void signatures_are_those_of_rfc_8032(void **state)
{
    (void)state;
    PP_HEX(seed, SEED);
    uint8_t pk[32], sig[64];

    assert_ok(pp_ed25519_public(pp_span(seed, 32), pk));
    assert_hex(pk, 32, PUBLIC);
    assert_ok(pp_ed25519_sign(pp_span(seed, 32), PP_STR("\x72"), sig));
    assert_hex(sig, 64, SIGNATURE);
    assert_ok(pp_ed25519_verify(pk, PP_STR("\x72"), PP_BYTES(sig)));
}

static void any_changed_bit_is_refused(void **state)
{
    (void)state;
    PP_HEX(pk, PUBLIC);
    PP_HEX(sig, SIGNATURE);

    for (size_t i = 0; i < 64 * 8; i++) {
        sig[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_code(pp_ed25519_verify(pk, PP_STR("\x72"), pp_span(sig, 64)), PP_E_SIGNATURE);
        sig[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_code(pp_ed25519_verify(pk, PP_STR("\x73"), pp_span(sig, 64)), PP_E_SIGNATURE);
    assert_code(pp_ed25519_verify(pk, PP_STR("\x72"), pp_span(sig, 63)), PP_E_SIGNATURE);
}

/* RFC 8032 5.1.7: S must be below L; small-order public keys sign anything. */
static void malleable_signatures_and_small_order_keys_are_refused(void **state)
{
    (void)state;
    PP_HEX(pk, PUBLIC);
    PP_HEX(sig, SIGNATURE);
    PP_HEX(order, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;

    for (size_t i = 0; i < 32; i++) {
        carry += sig[32 + i] + (unsigned)order[i];
        sig[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_code(pp_ed25519_verify(pk, PP_STR("\x72"), pp_span(sig, 64)), PP_E_SIGNATURE);

    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    };
    for (size_t k = 0; k < PP_ARRAY_COUNT(small); k++) {
        uint8_t key[32];
        uint8_t zero[64] = { 0 };
        pp_test_hex(small[k], key, sizeof key);
        memcpy(zero, key, 32);
        assert_code(pp_ed25519_verify(key, PP_STR("x"), PP_BYTES(zero)), PP_E_SIGNATURE);
    }
}

static void a_seed_has_32_bytes(void **state)
{
    (void)state;
    uint8_t pk[32];

    assert_code(pp_ed25519_public(PP_STR("short"), pk), PP_E_KEY);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(signatures_are_those_of_rfc_8032),
    cmocka_unit_test(any_changed_bit_is_refused),
    cmocka_unit_test(malleable_signatures_and_small_order_keys_are_refused),
    cmocka_unit_test(a_seed_has_32_bytes),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
