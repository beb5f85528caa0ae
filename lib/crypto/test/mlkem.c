/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM-768 and X-Wing beside their published vectors (tests/vectors/hpke, wycheproof): what is
 * refused, what is rejected in silence, and that the two cannot be told from outside.
 */
#include "harness.h"

#include "crypto.h"
#include "ct.h"
#include "keccak_int.h"
#include "kem.h"
#include "mlkem_int.h"

enum { SEED_BYTES = 32 };

static struct pp_random random_source;
static uint8_t seed[PP_MLKEM_SEED_BYTES], pk[PP_MLKEM_PK_BYTES];
static struct pp_mlkem_key *key;

static int set_up(void **state)
{
    (void)state;
    random_source = pp_random_system();
    return !pp_is_ok(pp_crypto_init()) ||
           !pp_is_ok(pp_random_fill(&random_source, seed, sizeof seed)) ||
           !pp_is_ok(pp_mlkem_key_new(seed, pk, &key));
}

static int tear_down(void **state)
{
    (void)state;
    pp_mlkem_key_free(key);
    pp_mlkem_key_free(NULL);
    return 0;
}

static void encapsulate(uint8_t ct[PP_MLKEM_CT_BYTES], uint8_t shared[PP_MLKEM_SECRET_BYTES])
{
    uint8_t m[PP_MLKEM_RANDOM_BYTES];

    assert_ok(pp_random_fill(&random_source, m, sizeof m));
    assert_ok(pp_mlkem_encap(pk, m, ct, shared));
}

static void both_sides_agree_for_many_keys(void **state)
{
    uint8_t s[PP_MLKEM_SEED_BYTES], own_pk[PP_MLKEM_PK_BYTES], m[PP_MLKEM_RANDOM_BYTES];
    uint8_t ct[PP_MLKEM_CT_BYTES], sent[PP_MLKEM_SECRET_BYTES], received[PP_MLKEM_SECRET_BYTES];

    (void)state;
    for (int round = 0; round < 100; round++) {
        struct pp_mlkem_key *k = NULL;

        assert_ok(pp_random_fill(&random_source, s, sizeof s));
        assert_ok(pp_random_fill(&random_source, m, sizeof m));
        assert_ok(pp_mlkem_key_new(s, own_pk, &k));
        assert_ok(pp_mlkem_encap(own_pk, m, ct, sent));
        assert_ok(pp_mlkem_decap(k, ct, received));
        assert_memory_equal(sent, received, sizeof sent);
        pp_mlkem_key_free(k);
    }
}

/* FIPS 203, 6.3: K-bar = J(z || c), which only the holder of z can compute. */
static void w12_t3_a_changed_ciphertext_gives_the_secret_of_its_rejection(void **state)
{
    uint8_t ct[PP_MLKEM_CT_BYTES], sent[PP_MLKEM_SECRET_BYTES];
    uint8_t got[PP_MLKEM_SECRET_BYTES], rejected[PP_MLKEM_SECRET_BYTES];

    (void)state;
    encapsulate(ct, sent);
    for (size_t i = 0; i < sizeof ct; i += 7) {
        ct[i] ^= (uint8_t)(1U << i % 8);
        pp_shake256_of(pp_span(seed + SEED_BYTES, SEED_BYTES), PP_BYTES(ct), rejected,
                       sizeof rejected);
        assert_ok(pp_mlkem_decap(key, ct, got));
        assert_memory_equal(got, rejected, sizeof got);
        ct[i] ^= (uint8_t)(1U << i % 8);
    }
    ct[sizeof ct - 1] ^= 0x80; /* the last bit of all */
    assert_ok(pp_mlkem_decap(key, ct, got));
    assert_memory_not_equal(got, sent, sizeof got);
    ct[sizeof ct - 1] ^= 0x80;
    assert_ok(pp_mlkem_decap(key, ct, got));
    assert_memory_equal(got, sent, sizeof got);
}

static void w12_t2_a_public_key_that_is_not_reduced_is_refused(void **state)
{
    static const uint8_t m[PP_MLKEM_RANDOM_BYTES];
    uint8_t bad[PP_MLKEM_PK_BYTES], ct[PP_MLKEM_CT_BYTES], shared[PP_MLKEM_SECRET_BYTES] = { 0 };

    (void)state;
    for (size_t i = 0; i < 3 * 128; i++) {
        memcpy(bad, pk, sizeof bad);
        bad[3 * i] = 0x01; /* 0xD01 is 3329 */
        bad[3 * i + 1] = (uint8_t)((bad[3 * i + 1] & 0xF0) | 0x0D);
        assert_code(pp_mlkem_encap(bad, m, ct, shared), PP_E_KEY);
        assert_code(pp_kem_public_check(PP_KEM_MLKEM768, PP_BYTES(bad)), PP_E_KEY);
        bad[3 * i] = 0x00; /* and 3328 is in order */
        assert_ok(pp_mlkem_encap(bad, m, ct, shared));
        assert_ok(pp_kem_public_check(PP_KEM_MLKEM768, PP_BYTES(bad)));
    }
}

static void every_key_of_a_wrong_length_is_refused(void **state)
{
    static const uint16_t ids[] = { PP_KEM_MLKEM768, PP_KEM_XWING };
    static uint8_t bytes[PP_KEM_PK_BYTES_MAX + 1];
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    struct pp_secret shared = { 0 };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ids); i++) {
        const struct pp_kem_info *info = pp_kem_info(ids[i]);
        struct pp_kem_key *k = NULL;

        assert_code(pp_kem_key_import(ids[i], pp_span(bytes, info->sk_len - 1), &k), PP_E_KEY);
        assert_code(pp_kem_key_import(ids[i], pp_span(bytes, info->sk_len + 1), &k), PP_E_KEY);
        assert_code(pp_kem_key_derive(ids[i], pp_span(bytes, info->sk_len - 1), &k), PP_E_RANGE);
        assert_code(
            pp_kem_encap(ids[i], pp_span(bytes, info->pk_len - 1), &random_source, enc, &shared),
            PP_E_KEY);
        assert_code(
            pp_kem_encap(ids[i], pp_span(bytes, info->pk_len + 1), &random_source, enc, &shared),
            PP_E_KEY);
    }
}

static void x_wing(struct pp_kem_key **ret, uint8_t enc[1120], struct pp_secret *ret_sent)
{
    assert_ok(pp_kem_key_generate(PP_KEM_XWING, &random_source, ret));
    assert_ok(pp_kem_encap(PP_KEM_XWING, pp_kem_key_public(*ret), &random_source, enc, ret_sent));
}

static void an_x_wing_encapsulation_of_a_wrong_length_is_refused(void **state)
{
    PP_AUTO(pp_secret) sent = { 0 };
    PP_AUTO(pp_secret) received = { 0 };
    uint8_t enc[1121] = { 0 };
    struct pp_kem_key *k = NULL;

    (void)state;
    x_wing(&k, enc, &sent);
    assert_code(pp_kem_decap(k, pp_span(enc, 1119), &received), PP_E_AUTH);
    assert_code(pp_kem_decap(k, pp_span(enc, 1121), &received), PP_E_AUTH);
    assert_code(pp_kem_decap(k, pp_span(enc, 0), &received), PP_E_AUTH);
    assert_null(received.bytes);
    assert_ok(pp_kem_decap(k, pp_span(enc, 1120), &received));
    assert_int_equal(pp_ct_eq(sent.bytes, received.bytes, 32), 1);
    pp_kem_key_free(k);
}

/* Both halves count: an attacker who breaks one of them still does not know the secret. */
static void w12_t3_a_change_in_either_half_of_an_encapsulation_changes_the_secret(void **state)
{
    PP_AUTO(pp_secret) sent = { 0 };
    uint8_t enc[1120];
    struct pp_kem_key *k = NULL;

    (void)state;
    x_wing(&k, enc, &sent);
    for (size_t i = 3; i < sizeof enc; i += 31) {
        PP_AUTO(pp_secret) received = { 0 };

        enc[i] ^= 4;
        assert_ok(pp_kem_decap(k, PP_BYTES(enc), &received));
        assert_int_equal(pp_ct_eq(sent.bytes, received.bytes, 32), 0);
        enc[i] ^= 4;
    }
    pp_kem_key_free(k);
}

static void w12_t1_an_encapsulation_without_its_classical_half_is_refused(void **state)
{
    PP_AUTO(pp_secret) sent = { 0 };
    PP_AUTO(pp_secret) received = { 0 };
    uint8_t enc[1120], bad_pk[1216];
    struct pp_kem_key *k = NULL;

    (void)state;
    x_wing(&k, enc, &sent);
    memcpy(bad_pk, pp_kem_key_public(k).at, sizeof bad_pk);
    memset(enc + 1088, 0, 32); /* a point of low order: the result is all zero */
    assert_code(pp_kem_decap(k, PP_BYTES(enc), &received), PP_E_AUTH);
    memset(bad_pk + 1184, 0, 32);
    assert_code(pp_kem_encap(PP_KEM_XWING, PP_BYTES(bad_pk), &random_source, enc, &received),
                PP_E_KEY);
    memcpy(bad_pk, pp_kem_key_public(k).at, sizeof bad_pk);
    memset(bad_pk, 0xFF, 3);
    assert_code(pp_kem_encap(PP_KEM_XWING, PP_BYTES(bad_pk), &random_source, enc, &received),
                PP_E_KEY);
    assert_null(received.bytes);
    pp_kem_key_free(k);
}

static void a_source_that_runs_dry_encapsulates_nothing(void **state)
{
    static const uint8_t zeros[63]; /* one short of eseed */
    struct pp_span script = PP_BYTES(zeros);
    struct pp_random dry = pp_random_script(&script);
    PP_AUTO(pp_secret) shared = { 0 };
    uint8_t enc[1120];
    struct pp_kem_key *k = NULL;

    (void)state;
    x_wing(&k, enc, &shared);
    pp_secret_done(&shared);
    assert_code(pp_kem_encap(PP_KEM_XWING, pp_kem_key_public(k), &dry, enc, &shared), PP_E_RANDOM);
    assert_null(shared.bytes);
    pp_kem_key_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree_for_many_keys),
        cmocka_unit_test(w12_t3_a_changed_ciphertext_gives_the_secret_of_its_rejection),
        cmocka_unit_test(w12_t2_a_public_key_that_is_not_reduced_is_refused),
        cmocka_unit_test(every_key_of_a_wrong_length_is_refused),
        cmocka_unit_test(an_x_wing_encapsulation_of_a_wrong_length_is_refused),
        cmocka_unit_test(w12_t3_a_change_in_either_half_of_an_encapsulation_changes_the_secret),
        cmocka_unit_test(w12_t1_an_encapsulation_without_its_classical_half_is_refused),
        cmocka_unit_test(a_source_that_runs_dry_encapsulates_nothing),
    };

    return cmocka_run_group_tests_name("crypto/mlkem", tests, set_up, tear_down);
}
