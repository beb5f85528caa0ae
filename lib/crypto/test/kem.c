/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and encapsulations of every KEM that is offered, and what each of them refuses. */
#include "harness.h"

#include "crypto.h"
#include "ct.h"
#include "hpke.h"

static struct pp_random random_source;

#define KEM(name, pk, sk, enc, secret, random, auth, title) PP_KEM_##name,
static const uint16_t ALL[] = {
#include "kems.def"
};
#undef KEM

/* The curves, and the order of each: RFC 9180 takes private keys from 1 to the order less one. */
static const struct curve {
    uint16_t kem;
    const char *order;
} CURVES[] = {
    { PP_KEM_P256_SHA256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551" },
    { PP_KEM_P384_SHA384, "ffffffffffffffffffffffffffffffffffffffffffffffff"
                          "c7634d81f4372ddf581a0db248b0a77aecec196accc52973" },
    { PP_KEM_P521_SHA512, "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
                          "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409" },
};

static int set_up(void **state)
{
    (void)state;
    random_source = pp_random_system();
    return !pp_is_ok(pp_crypto_init());
}

static void every_kem_gives_both_sides_one_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ALL); i++) {
        const struct pp_kem_info *info = pp_kem_info(ALL[i]);
        PP_AUTO(pp_secret) ours = { 0 };
        PP_AUTO(pp_secret) theirs = { 0 };
        PP_AUTO(pp_secret) sk = { 0 };
        uint8_t enc[PP_KEM_ENC_BYTES_MAX];
        struct pp_kem_key *key = NULL, *again = NULL;

        assert_ok(pp_kem_key_generate(ALL[i], &random_source, &key));
        assert_ok(pp_kem_encap(ALL[i], pp_kem_key_public(key), &random_source, enc, &ours));
        assert_int_equal(ours.len, info->secret_len);
        /* The exported form is the whole key. */
        assert_ok(pp_kem_key_export(key, &sk));
        assert_ok(pp_kem_key_import(ALL[i], pp_secret_span(&sk), &again));
        assert_true(pp_span_eq(pp_kem_key_public(key), pp_kem_key_public(again)));
        assert_ok(pp_kem_decap(again, pp_span(enc, info->enc_len), &theirs));
        assert_int_equal(pp_ct_eq(ours.bytes, theirs.bytes, ours.len), 1);
        pp_kem_key_free(again);
        pp_kem_key_free(key);
    }
}

static void other_lengths_are_refused_by_every_kem(void **state)
{
    (void)state;
    static uint8_t bytes[PP_KEM_PK_BYTES_MAX + PP_KEM_ENC_BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(ALL); i++) {
        const struct pp_kem_info *info = pp_kem_info(ALL[i]);
        PP_AUTO(pp_secret) shared = { 0 };
        uint8_t enc[PP_KEM_ENC_BYTES_MAX];
        struct pp_kem_key *key = NULL, *none = NULL;

        assert_ok(pp_kem_key_generate(ALL[i], &random_source, &key));
        for (size_t off = 0; off < 2; off++) {
            struct pp_span pk = pp_span(bytes, off ? info->pk_len + 1 : info->pk_len - 1);
            struct pp_span sk = pp_span(bytes, off ? info->sk_len + 1 : info->sk_len - 1);
            struct pp_span in = pp_span(bytes, off ? info->enc_len + 1 : info->enc_len - 1);
            assert_code(pp_kem_encap(ALL[i], pk, &random_source, enc, &shared), PP_E_KEY);
            assert_code(pp_kem_key_import(ALL[i], sk, &none), PP_E_KEY);
            assert_code(pp_kem_decap(key, in, &shared), PP_E_AUTH);
            if (info->auth)
                assert_code(pp_kem_auth_decap(key, pp_span(bytes, info->enc_len), pk, &shared),
                            PP_E_AUTH);
        }
        assert_code(pp_kem_key_derive(ALL[i], pp_span(bytes, info->sk_len - 1), &none), PP_E_RANGE);
        assert_null(none);
        assert_null(shared.bytes);
        pp_kem_key_free(key);
    }
}

static void a_kem_that_is_not_offered_gives_nothing(void **state)
{
    (void)state;
    enum { UNKNOWN = 0x0013 }; /* DHKEM(CP-256, HKDF-SHA256) */
    uint8_t bytes[PP_KEM_ENC_BYTES_MAX] = { 1 };
    PP_AUTO(pp_secret) shared = { 0 };
    struct pp_kem_key *k = NULL;
    struct pp_span some = pp_span(bytes, 56);

    assert_null(pp_kem_info(UNKNOWN));
    assert_code(pp_kem_key_generate(UNKNOWN, &random_source, &k), PP_E_UNSUPPORTED);
    assert_code(pp_kem_key_derive(UNKNOWN, some, &k), PP_E_UNSUPPORTED);
    assert_code(pp_kem_key_import(UNKNOWN, some, &k), PP_E_UNSUPPORTED);
    assert_code(pp_kem_encap(UNKNOWN, some, &random_source, bytes, &shared), PP_E_UNSUPPORTED);
    assert_null(k);
    assert_null(shared.bytes);
}

/* RFC 9180 5.1: SetupAuth exists for a KEM that has AuthEncap. */
static void the_modes_with_a_sender_need_a_kem_with_authentication(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ALL); i++) {
        struct pp_hpke_suite suite = { ALL[i], PP_HKDF_SHA256, PP_AES_128_GCM };
        uint32_t want = pp_kem_info(ALL[i])->auth ? PP_E_OK : PP_E_UNSUPPORTED;
        struct pp_span id = PP_STR("id"), none = PP_STR("");
        struct pp_hpke_info info;

        assert_ok(pp_hpke_info_init_mode(&info, suite, PP_HPKE_PSK, id, none));
        assert_code(pp_hpke_info_init_mode(&info, suite, PP_HPKE_AUTH, none, none), want);
        assert_code(pp_hpke_info_init_mode(&info, suite, PP_HPKE_AUTH_PSK, id, none), want);
    }
}

static void bare_diffie_hellman_on_p256_takes_whole_keys(void **state)
{
    (void)state;
    uint8_t sk[PP_P256_BYTES + 1] = { 0 }, out[PP_P256_BYTES], pk[65 + 1] = { 0 };
    struct pp_kem_key *key = NULL;

    sk[PP_P256_BYTES - 1] = 1;
    assert_ok(pp_kem_key_generate(PP_KEM_P256_SHA256, &random_source, &key));
    memcpy(pk, pp_kem_key_public(key).at, 65);
    pp_kem_key_free(key);
    assert_ok(pp_p256_dh(pp_span(sk, 32), pp_span(pk, 65), out));
    assert_memory_equal(out, pk + 1, sizeof out); /* one times a point */
    for (size_t off = 0; off < 2; off++) {
        assert_code(pp_p256_dh(pp_span(sk, 31 + 2 * off), pp_span(pk, 65), out), PP_E_KEY);
        assert_code(pp_p256_dh(pp_span(sk, 32), pp_span(pk, 64 + 2 * off), out), PP_E_KEY);
    }
}

/* AuthEncap (RFC 9180 4.1): the secret is the same only for the sender that is expected. */
static void an_authenticated_secret_needs_the_sender_that_is_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ALL); i++) {
        const struct pp_kem_info *info = pp_kem_info(ALL[i]);
        PP_AUTO(pp_secret) ours = { 0 };
        PP_AUTO(pp_secret) theirs = { 0 };
        PP_AUTO(pp_secret) others = { 0 };
        PP_AUTO(pp_secret) nobodys = { 0 };
        uint8_t bytes[PP_KEM_ENC_BYTES_MAX];
        struct pp_span enc = pp_span(bytes, info->enc_len);
        struct pp_kem_key *key = NULL, *sender = NULL;

        assert_ok(pp_kem_key_generate(ALL[i], &random_source, &key));
        assert_ok(pp_kem_key_generate(ALL[i], &random_source, &sender));
        struct pp_span pk = pp_kem_key_public(key), sender_pk = pp_kem_key_public(sender);
        if (info->auth) {
            assert_ok(pp_kem_auth_encap(sender, pk, &random_source, bytes, &ours));
            assert_ok(pp_kem_auth_decap(key, enc, sender_pk, &theirs));
            assert_ok(pp_kem_auth_decap(key, enc, pk, &others));
            assert_ok(pp_kem_decap(key, enc, &nobodys));
            assert_int_equal(pp_ct_eq(ours.bytes, theirs.bytes, ours.len), 1);
            assert_int_equal(pp_ct_eq(ours.bytes, others.bytes, ours.len), 0);
            assert_int_equal(pp_ct_eq(ours.bytes, nobodys.bytes, ours.len), 0);
        } else {
            assert_code(pp_kem_auth_encap(sender, pk, &random_source, bytes, &ours),
                        PP_E_UNSUPPORTED);
            assert_code(pp_kem_auth_decap(key, enc, sender_pk, &ours), PP_E_UNSUPPORTED);
        }
        pp_kem_key_free(sender);
        pp_kem_key_free(key);
    }
}

/* RFC 9180 7.1.4 MUST: public keys are validated on both sides. */
static void what_is_no_point_of_the_curve_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(CURVES); i++) {
        uint16_t kem = CURVES[i].kem;
        size_t len = pp_kem_info(kem)->pk_len;
        PP_AUTO(pp_secret) shared = { 0 };
        uint8_t enc[PP_KEM_ENC_BYTES_MAX], good[PP_KEM_PK_BYTES_MAX], bad[PP_KEM_PK_BYTES_MAX];
        struct pp_kem_key *key = NULL;

        assert_ok(pp_kem_key_generate(kem, &random_source, &key));
        memcpy(good, pp_kem_key_public(key).at, len);
        for (size_t n = 0; n < 6; n++) {
            memcpy(bad, good, len);
            if (n == 0)
                bad[len - 1] ^= 1; /* beside the curve */
            else if (n == 1)
                memset(bad + 1, 0, len - 1); /* (0, 0) */
            else if (n == 2)
                memset(bad + 1, 0xff, len - 1); /* beyond the field */
            else if (n == 3)
                bad[0] = 0x00; /* how infinity begins */
            else
                bad[0] = (uint8_t)(0x06 | (good[len - 1] & 1)) ^ (n == 5); /* with a sign bit */
            assert_code(pp_kem_encap(kem, pp_span(bad, len), &random_source, enc, &shared),
                        PP_E_KEY);
            assert_code(pp_kem_decap(key, pp_span(bad, len), &shared), PP_E_AUTH);
            assert_code(pp_kem_auth_decap(key, pp_span(good, len), pp_span(bad, len), &shared),
                        PP_E_AUTH);
            assert_null(shared.bytes);
        }
        pp_kem_key_free(key);
    }
}

/* RFC 9180 7.1.4 MUST: an all-zero result is refused, by who sends and by who receives. */
static void a_montgomery_point_of_low_order_is_refused(void **state)
{
    static const uint16_t kems[] = { PP_KEM_X25519_SHA256, PP_KEM_X448_SHA512 };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(kems); i++)
        for (uint8_t u = 0; u < 2; u++) { /* 0 and 1 are of low order on both */
            uint8_t point[PP_KEM_PK_BYTES_MAX] = { u }, enc[PP_KEM_ENC_BYTES_MAX];
            struct pp_span low = pp_span(point, pp_kem_info(kems[i])->pk_len);
            PP_AUTO(pp_secret) shared = { 0 };
            struct pp_kem_key *key = NULL;

            assert_ok(pp_kem_key_generate(kems[i], &random_source, &key));
            assert_code(pp_kem_encap(kems[i], low, &random_source, enc, &shared), PP_E_KEY);
            assert_code(pp_kem_auth_encap(key, low, &random_source, enc, &shared), PP_E_KEY);
            assert_code(pp_kem_decap(key, low, &shared), PP_E_AUTH);
            assert_code(pp_kem_auth_decap(key, pp_kem_key_public(key), low, &shared), PP_E_AUTH);
            assert_null(shared.bytes);
            pp_kem_key_free(key);
        }
}

static void a_private_key_is_from_one_to_the_order_less_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(CURVES); i++) {
        size_t len = pp_kem_info(CURVES[i].kem)->sk_len;
        uint8_t sk[PP_KEM_SK_BYTES_MAX] = { 0 };
        struct pp_kem_key *k = NULL;

        assert_code(pp_kem_key_import(CURVES[i].kem, pp_span(sk, len), &k), PP_E_KEY); /* 0 */
        sk[len - 1] = 1;
        assert_ok(pp_kem_key_import(CURVES[i].kem, pp_span(sk, len), &k));
        pp_kem_key_free(k);
        k = NULL;
        pp_test_hex(CURVES[i].order, sk, len);
        assert_code(pp_kem_key_import(CURVES[i].kem, pp_span(sk, len), &k), PP_E_KEY);
        sk[len - 1]--;
        assert_ok(pp_kem_key_import(CURVES[i].kem, pp_span(sk, len), &k));
        pp_kem_key_free(k);
        k = NULL;
        sk[len - 1] += 2; /* the order and one */
        assert_code(pp_kem_key_import(CURVES[i].kem, pp_span(sk, len), &k), PP_E_KEY);
        memset(sk, 0xff, sizeof sk);
        assert_code(pp_kem_key_import(CURVES[i].kem, pp_span(sk, len), &k), PP_E_KEY);
        assert_null(k);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(every_kem_gives_both_sides_one_secret),
    cmocka_unit_test(other_lengths_are_refused_by_every_kem),
    cmocka_unit_test(a_kem_that_is_not_offered_gives_nothing),
    cmocka_unit_test(the_modes_with_a_sender_need_a_kem_with_authentication),
    cmocka_unit_test(bare_diffie_hellman_on_p256_takes_whole_keys),
    cmocka_unit_test(an_authenticated_secret_needs_the_sender_that_is_expected),
    cmocka_unit_test(what_is_no_point_of_the_curve_is_refused),
    cmocka_unit_test(a_montgomery_point_of_low_order_is_refused),
    cmocka_unit_test(a_private_key_is_from_one_to_the_order_less_one),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, set_up, NULL);
}
