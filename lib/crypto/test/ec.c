/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "crypto.h"
#include "sign.h"

/* RFC 6979 A.2.5 and A.2.6, message "sample". */
static const char P256_POINT[] =
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
static const char P256_R[] = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
static const char P256_S[] = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
static const char P384_POINT[] = "04"
                                 "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e"
                                 "06aae5286b300c64def8f0ea9055866064a254515480bc13"
                                 "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9"
                                 "f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720";
static const char P384_R[] = "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
                             "81a648152e44acf96e36dd1e80fabe46";
static const char P384_S[] = "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
                             "a329c145786e679e7b82c71a38628ac8";

struct figure {
    enum pp_curve curve;
    enum pp_hash_id hash;
    uint8_t point[97], r[48], s[48], der[PP_ECDSA_DER_BYTES_MAX];
    size_t point_len, len, der_len;
};

static struct figure load(enum pp_curve curve)
{
    struct figure f = { .curve = curve, .hash = curve == PP_P256 ? PP_SHA256 : PP_SHA384 };
    int small = curve == PP_P256;

    f.point_len = pp_test_hex(small ? P256_POINT : P384_POINT, f.point, sizeof f.point);
    f.len = pp_test_hex(small ? P256_R : P384_R, f.r, sizeof f.r);
    assert_int_equal(pp_test_hex(small ? P256_S : P384_S, f.s, sizeof f.s), f.len);
    assert_int_equal(f.len, pp_curve_len(curve));
    assert_ok(pp_ecdsa_raw_to_der(f.r, f.s, f.len, f.der, sizeof f.der, &f.der_len));
    return f;
}

static pp_res verify(const struct figure *f, struct pp_span message)
{
    return pp_ecdsa_verify(f->curve, pp_span(f->point, f->point_len), f->hash, message,
                           pp_span(f->der, f->der_len));
}

static void signatures_of_rfc_6979_verify_in_both_forms(void **state)
{
    (void)state;
    for (int c = PP_P256; c <= PP_P384; c++) {
        struct figure f = load((enum pp_curve)c);
        assert_ok(verify(&f, PP_STR("sample")));
        assert_ok(pp_ecdsa_verify_raw(f.curve, pp_span(f.point, f.point_len), f.hash,
                                      PP_STR("sample"), f.r, f.s));
        assert_code(verify(&f, PP_STR("Sample")), PP_E_SIGNATURE);
        f.hash = PP_SHA512;
        assert_code(verify(&f, PP_STR("sample")), PP_E_SIGNATURE);
    }
}

static void any_changed_bit_of_a_signature_is_refused(void **state)
{
    (void)state;
    struct figure f = load(PP_P256);

    for (size_t i = 0; i < f.der_len * 8; i++) {
        f.der[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_code(verify(&f, PP_STR("sample")), PP_E_SIGNATURE);
        f.der[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    for (size_t n = 0; n < f.der_len; n++) {
        struct figure cut = f;
        cut.der_len = n;
        assert_code(verify(&cut, PP_STR("sample")), PP_E_SIGNATURE);
    }
    assert_ok(verify(&f, PP_STR("sample")));
}

/* FIPS 186-5, 6.4.2 step 1: r and s are in [1, n-1]. */
static void zero_and_the_group_order_are_refused(void **state)
{
    (void)state;
    static const char order[] = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
                                "581a0db248b0a77aecec196accc52973";
    struct figure f = load(PP_P384);
    struct pp_span point = pp_span(f.point, f.point_len);
    uint8_t zero[48] = { 0 };
    uint8_t n[48];

    pp_test_hex(order, n, sizeof n);
    assert_code(pp_ecdsa_verify_raw(PP_P384, point, PP_SHA384, PP_STR("sample"), zero, f.s),
                PP_E_SIGNATURE);
    assert_code(pp_ecdsa_verify_raw(PP_P384, point, PP_SHA384, PP_STR("sample"), f.r, zero),
                PP_E_SIGNATURE);
    assert_code(pp_ecdsa_verify_raw(PP_P384, point, PP_SHA384, PP_STR("sample"), n, f.s),
                PP_E_SIGNATURE);
    assert_code(pp_ecdsa_verify_raw(PP_P384, point, PP_SHA384, PP_STR("sample"), f.r, n),
                PP_E_SIGNATURE);
}

static void a_point_must_be_uncompressed_and_on_the_curve(void **state)
{
    (void)state;
    struct figure f = load(PP_P256);

    f.point[64] ^= 1;
    assert_code(verify(&f, PP_STR("sample")), PP_E_KEY);
    f.point[64] ^= 1;
    f.point[0] = 0x06; /* the hybrid form of X9.62 */
    assert_code(verify(&f, PP_STR("sample")), PP_E_KEY);
    f.point[0] = 0x03;
    f.point_len = 33;
    assert_code(verify(&f, PP_STR("sample")), PP_E_KEY);
    f.point[0] = 0x00; /* the point at infinity */
    f.point_len = 1;
    assert_code(verify(&f, PP_STR("sample")), PP_E_KEY);
    f = load(PP_P256);
    f.curve = PP_P384;
    assert_code(pp_ecdsa_verify_raw(f.curve, pp_span(f.point, f.point_len), f.hash,
                                    PP_STR("sample"), f.r, f.s),
                PP_E_KEY);
}

static void the_der_form_of_a_signature_is_the_only_one(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint32_t code;
    } rows[] = {
        { "3006020101020102", PP_E_OK },
        { "3006020100020100", PP_E_OK },       /* zero is the verifier's business */
        { "300702020080020102", PP_E_OK },     /* the one zero byte that a high bit asks for */
        { "300702020001020102", PP_E_FORMAT }, /* one that nothing asks for */
        { "3006020181020102", PP_E_FORMAT },   /* negative */
        { "30050200020102", PP_E_FORMAT },     /* empty integer */
        { "308106020101020102", PP_E_FORMAT }, /* long form of a short length */
        { "300602010102010200", PP_E_FORMAT }, /* behind the end */
        { "300702010102010200", PP_E_FORMAT },
        { "3003020101", PP_E_FORMAT }, /* one integer */
        { "3006030101020102", PP_E_FORMAT },
        { "3106020101020102", PP_E_FORMAT },
        { "", PP_E_FORMAT },
        { "3026 0221 01 00000000000000000000000000000000000000000000000000000000000000 00"
          "020101",
          PP_E_RANGE }, /* 33 bytes */
    };
    uint8_t r[32], s[32], der[64];

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        size_t len = pp_test_hex(rows[i].hex, der, sizeof der);
        memset(r, 0xAA, sizeof r);
        assert_code(pp_ecdsa_der_to_raw(pp_span(der, len), 32, r, s), rows[i].code);
        if (rows[i].code != PP_E_OK) {
            assert_int_equal(r[0], 0xAA); /* written only on success */
            continue;
        }
        uint8_t again[64];
        size_t again_len;
        assert_ok(pp_ecdsa_raw_to_der(r, s, 32, again, sizeof again, &again_len));
        assert_memory_equal(again, der, len);
        assert_int_equal(again_len, len);
        assert_code(pp_ecdsa_raw_to_der(r, s, 32, again, len - 1, &again_len), PP_E_NO_SPACE);
    }
}

static void a_key_signs_and_survives_export(void **state)
{
    (void)state;
    for (int c = PP_P256; c <= PP_P384; c++) {
        struct pp_ec_key *key = NULL;
        struct pp_ec_key *again = NULL;
        PP_AUTO(pp_secret) der = { 0 };
        uint8_t point[97], point2[97], spki[PP_P384_SPKI_BYTES], sig[PP_ECDSA_DER_BYTES_MAX];
        size_t len, len2;

        assert_ok(pp_ec_key_generate((enum pp_curve)c, &key));
        assert_ok(pp_ec_key_point(key, point, sizeof point, &len));
        assert_int_equal(len, 1 + 2 * pp_curve_len((enum pp_curve)c));
        assert_code(pp_ec_key_point(key, point, len - 1, &len2), PP_E_NO_SPACE);
        assert_ok(pp_ec_key_spki(key, spki, sizeof spki, &len2));
        assert_int_equal(len2, c == PP_P256 ? PP_P256_SPKI_BYTES : PP_P384_SPKI_BYTES);
        assert_memory_equal(spki + len2 - len, point, len);
        assert_code(pp_ec_key_spki(key, spki, len2 - 1, &len2), PP_E_NO_SPACE);

        assert_ok(pp_ec_key_export_der(key, &der));
        assert_ok(pp_ec_key_import_der(pp_secret_span(&der), &again));
        assert_int_equal(pp_ec_key_curve(again), c);
        assert_ok(pp_ec_key_point(again, point2, sizeof point2, &len2));
        assert_memory_equal(point, point2, len);

        assert_ok(pp_ec_sign(again, PP_SHA384, PP_STR("m"), sig, sizeof sig, &len2));
        assert_ok(pp_ecdsa_verify((enum pp_curve)c, pp_span(point, len), PP_SHA384, PP_STR("m"),
                                  pp_span(sig, len2)));
        assert_code(pp_ec_sign(again, PP_SHA384, PP_STR("m"), sig, sizeof sig - 1, &len2),
                    PP_E_NO_SPACE);
        pp_ec_key_free(key);
        pp_ec_key_free(again);
    }
    pp_ec_key_free(NULL);
}

static void a_damaged_private_key_is_refused(void **state)
{
    (void)state;
    struct pp_ec_key *key = NULL;
    struct pp_ec_key *again = NULL;
    PP_AUTO(pp_secret) der = { 0 };
    uint8_t changed[600] = { 0 };

    assert_ok(pp_ec_key_generate(PP_P256, &key));
    assert_ok(pp_ec_key_export_der(key, &der));
    assert_true(der.len + 1 < sizeof changed);
    for (size_t n = 0; n < der.len; n++)
        assert_code(pp_ec_key_import_der(pp_span(der.bytes, n), &again), PP_E_KEY);
    memcpy(changed, der.bytes, der.len);
    assert_code(pp_ec_key_import_der(pp_span(changed, der.len + 1), &again), PP_E_KEY);
    changed[der.len - 1] ^= 1; /* the public half, at the end, no longer fits */
    assert_code(pp_ec_key_import_der(pp_span(changed, der.len), &again), PP_E_KEY);
    assert_code(pp_ec_key_import_der(PP_BYTES(changed), &again), PP_E_KEY);
    assert_null(again);
    pp_ec_key_free(key);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(signatures_of_rfc_6979_verify_in_both_forms),
    cmocka_unit_test(any_changed_bit_of_a_signature_is_refused),
    cmocka_unit_test(zero_and_the_group_order_are_refused),
    cmocka_unit_test(a_point_must_be_uncompressed_and_on_the_curve),
    cmocka_unit_test(the_der_form_of_a_signature_is_the_only_one),
    cmocka_unit_test(a_key_signs_and_survives_export),
    cmocka_unit_test(a_damaged_private_key_is_refused),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
