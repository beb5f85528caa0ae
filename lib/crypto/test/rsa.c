/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "sign.h"

/* Wycheproof, rsa_pss_2048_sha384_mgf1_48, case 3: the message is "Test". */
static const char SPKI[] =
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100cda6fa"
    "5ca76bfe0492ec57e0a3bfff7272dc8d1e25ad1fb338aa050f02c104e63133d6b5b7c498"
    "5ebbae9ac036a5b9c03074d60aec8e25baf392a0c430ff05b88e948805d3dd74511d8885"
    "250a7b574215ada015c559076686e253ccc96c0815b1291ee787cc3363b4f77d930eb998"
    "d7c582b24cea9ce21de9722791989863a27ebc80a00de5bd2f9228775e5a4ceb054d58c9"
    "be36a054336971a13642dd9510dd696aa268db3aab2299d5d88f8e562434d1427094d3df"
    "8e72d1ef69b4ed34d12bac375223b2a25cf227f735f816e85e17239304769a6082154cd1"
    "5899fc1eaefb69b748a3e5ed24d38372597de3e4e2a27b951d6ac7db182d6809d8ff511b"
    "7f0203010001";
static const char SIGNATURE[] =
    "1ad8f3e3e3327398960ed19275c2cdf187001516a6116b7ba2ce301ac4952f1d180e0873"
    "1eeb14e5e94d49ec6c79a31cae6d256e32f01980cdbfcb34feeda260048c371358cbb70a"
    "73b5da7aa245a83372d543383a0eeb58e7602144f70e7858dcfd04592b2bfc5b83ed5817"
    "0bf692d00e546d8a734a726df499816d6e2829fc7028850a2732a1261f2b8448b3020d29"
    "b27ed1fab22c932ddf85ea7ca9bab730653cd59505e0bfc1344a46e6f9dfe6e68f98ae2c"
    "ad303367f598b8845801c8b274117d28f8393504b7a32c9ffc64bd42c2759f64157c3f80"
    "33e67e5285e94ff992692424869ed0d24a9d003670532002da0c2f9df524b1bc3b23b9a7"
    "8f5b53ef";

struct figure {
    uint8_t spki[300], signature[256];
    size_t spki_len;
};

static struct figure load(void)
{
    struct figure f = { 0 };

    f.spki_len = pp_test_hex(SPKI, f.spki, sizeof f.spki);
    assert_int_equal(pp_test_hex(SIGNATURE, f.signature, sizeof f.signature), 256);
    return f;
}

static pp_res verify(const struct figure *f, struct pp_span message)
{
    return pp_rsa_pss_verify(pp_span(f->spki, f->spki_len), PP_SHA384, 48, message,
                             PP_BYTES(f->signature));
}

static void a_published_signature_verifies_with_its_parameters_alone(void **state)
{
    (void)state;
    struct figure f = load();
    struct pp_span spki = pp_span(f.spki, f.spki_len);
    struct pp_span sig = PP_BYTES(f.signature);

    assert_ok(verify(&f, PP_STR("Test")));
    assert_code(verify(&f, PP_STR("test")), PP_E_SIGNATURE);
    assert_code(pp_rsa_pss_verify(spki, PP_SHA256, 48, PP_STR("Test"), sig), PP_E_SIGNATURE);
    assert_code(pp_rsa_pss_verify(spki, PP_SHA384, 47, PP_STR("Test"), sig), PP_E_SIGNATURE);
    assert_code(pp_rsa_pss_verify(spki, PP_SHA384, 0, PP_STR("Test"), sig), PP_E_SIGNATURE);
    assert_code(pp_rsa_pss_verify(spki, PP_SHA384, 65, PP_STR("Test"), sig), PP_E_RANGE);
}

static void any_changed_byte_of_a_signature_is_refused(void **state)
{
    (void)state;
    struct figure f = load();

    for (size_t i = 0; i < sizeof f.signature; i++) {
        f.signature[i] ^= (uint8_t)(1U << i % 8);
        assert_code(verify(&f, PP_STR("Test")), PP_E_SIGNATURE);
        f.signature[i] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t n = 0; n < sizeof f.signature; n += 17)
        assert_code(pp_rsa_pss_verify(pp_span(f.spki, f.spki_len), PP_SHA384, 48, PP_STR("Test"),
                                      pp_span(f.signature, n)),
                    PP_E_SIGNATURE);
}

static void a_key_that_is_not_one_rsa_key_is_refused(void **state)
{
    (void)state;
    struct figure f = load();
    struct pp_span sig = PP_BYTES(f.signature);
    static const char p256[] = "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
                               "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                               "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
    uint8_t ec[PP_P256_SPKI_BYTES];

    for (size_t n = 0; n < f.spki_len; n++)
        assert_code(pp_rsa_pss_verify(pp_span(f.spki, n), PP_SHA384, 48, PP_STR("Test"), sig),
                    PP_E_KEY);
    f.spki[f.spki_len] = 0;
    assert_code(
        pp_rsa_pss_verify(pp_span(f.spki, f.spki_len + 1), PP_SHA384, 48, PP_STR("Test"), sig),
        PP_E_KEY);
    pp_test_hex(p256, ec, sizeof ec);
    assert_code(pp_rsa_pss_verify(PP_BYTES(ec), PP_SHA384, 48, PP_STR("Test"), sig), PP_E_KEY);
}

/* 1024 bits, the size that was enough once; a SubjectPublicKeyInfo beyond our limit. */
static void keys_outside_2048_to_4096_bits_are_refused(void **state)
{
    (void)state;
    uint8_t small[162] = { 0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                           0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x81,
                           0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00 };
    uint8_t large[PP_RSA_SPKI_BYTES_MAX + 1] = { 0x30, 0x82, 0x03, 0xfd };
    uint8_t sig[128] = { 1 };

    memset(small + 29, 0xC1, 128); /* an odd modulus of 1024 bits */
    memcpy(small + 157, "\x02\x03\x01\x00\x01", 5);
    pp_res r = pp_rsa_pss_verify(PP_BYTES(small), PP_SHA384, 48, PP_STR("x"), PP_BYTES(sig));
    assert_code(r, PP_E_KEY);
    assert_int_equal(r.detail, 1024);
    assert_code(pp_rsa_pss_verify(PP_BYTES(large), PP_SHA384, 48, PP_STR("x"), PP_BYTES(sig)),
                PP_E_KEY);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_published_signature_verifies_with_its_parameters_alone),
    cmocka_unit_test(any_changed_byte_of_a_signature_is_refused),
    cmocka_unit_test(a_key_that_is_not_one_rsa_key_is_refused),
    cmocka_unit_test(keys_outside_2048_to_4096_bits_are_refused),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
