/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM and its hybrids beside their published vectors (tests/vectors/hpke, wycheproof): what is
 * refused, what is rejected in silence, and that the two cannot be told from outside.
 */
#include "harness.h"

#include "crypto.h"
#include "ct.h"
#include "keccak_int.h"
#include "kem.h"
#include "mlkem_int.h"

enum { SEED_BYTES = 32 };

static const struct pp_mlkem *const SETS[] = { &PP_MLKEM_512, &PP_MLKEM_768, &PP_MLKEM_1024 };
static const uint16_t SET_KEMS[] = { PP_KEM_MLKEM512, PP_KEM_MLKEM768, PP_KEM_MLKEM1024 };

/* The KEMs with a classical half, and where that begins in an encapsulation and a public key. */
static const struct hybrid {
    uint16_t kem;
    size_t ct_len, pk_len;
} HYBRIDS[] = {
    { PP_KEM_XWING, 1088, 1184 },
    { PP_KEM_MLKEM768_P256, 1088, 1184 },
    { PP_KEM_MLKEM1024_P384, 1568, 1568 },
};

static struct pp_random random_source;
static struct {
    uint8_t seed[PP_MLKEM_SEED_BYTES], pk[PP_MLKEM_PK_BYTES_MAX];
    struct pp_mlkem_key *key;
} keys[PP_ARRAY_COUNT(SETS)];

static int set_up(void **state)
{
    (void)state;
    random_source = pp_random_system();
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SETS); i++)
        if (!pp_is_ok(pp_random_fill(&random_source, keys[i].seed, sizeof keys[i].seed)) ||
            !pp_is_ok(pp_mlkem_key_new(SETS[i], keys[i].seed, keys[i].pk, &keys[i].key)))
            return 1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SETS); i++)
        pp_mlkem_key_free(keys[i].key);
    pp_mlkem_key_free(NULL);
    return 0;
}

/* FIPS 203, table 3, in numbers: what protocols call Npk and Nenc. */
static void the_sizes_of_a_parameter_set_are_those_of_the_standard(void **state)
{
    static const size_t pk[] = { 800, 1184, 1568 }, ct[] = { 768, 1088, 1568 };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SETS); i++) {
        assert_int_equal(SETS[i]->pk_len, pk[i]);
        assert_int_equal(SETS[i]->ct_len, ct[i]);
        assert_int_equal(pp_kem_info(SET_KEMS[i])->pk_len, pk[i]);
        assert_int_equal(pp_kem_info(SET_KEMS[i])->enc_len, ct[i]);
        assert_string_equal(pp_kem_info(SET_KEMS[i])->name, SETS[i]->name);
    }
}

static void both_sides_agree_for_many_keys(void **state)
{
    uint8_t s[PP_MLKEM_SEED_BYTES], pk[PP_MLKEM_PK_BYTES_MAX], m[PP_MLKEM_RANDOM_BYTES];
    uint8_t ct[PP_MLKEM_CT_BYTES_MAX], sent[PP_MLKEM_SECRET_BYTES], received[PP_MLKEM_SECRET_BYTES];

    (void)state;
    for (size_t round = 0; round < 150; round++) {
        const struct pp_mlkem *set = SETS[round % PP_ARRAY_COUNT(SETS)];
        struct pp_mlkem_key *k = NULL;

        assert_ok(pp_random_fill(&random_source, s, sizeof s));
        assert_ok(pp_random_fill(&random_source, m, sizeof m));
        assert_ok(pp_mlkem_key_new(set, s, pk, &k));
        assert_ok(pp_mlkem_encap(set, pk, m, ct, sent));
        assert_ok(pp_mlkem_decap(k, ct, received));
        assert_memory_equal(sent, received, sizeof sent);
        pp_mlkem_key_free(k);
    }
}

/* FIPS 203, 6.3: K-bar = J(z || c), which only the holder of z can compute. */
static void rejection_is_silent(size_t i)
{
    uint8_t m[PP_MLKEM_RANDOM_BYTES], ct[PP_MLKEM_CT_BYTES_MAX], sent[PP_MLKEM_SECRET_BYTES];
    uint8_t got[PP_MLKEM_SECRET_BYTES], rejected[PP_MLKEM_SECRET_BYTES];
    size_t last = SETS[i]->ct_len - 1;

    assert_ok(pp_random_fill(&random_source, m, sizeof m));
    assert_ok(pp_mlkem_encap(SETS[i], keys[i].pk, m, ct, sent));
    for (size_t at = 0; at <= last; at += 7) {
        ct[at] ^= (uint8_t)(1U << at % 8);
        pp_shake256_of(pp_span(keys[i].seed + SEED_BYTES, SEED_BYTES), pp_span(ct, last + 1),
                       rejected, sizeof rejected);
        assert_ok(pp_mlkem_decap(keys[i].key, ct, got));
        assert_memory_equal(got, rejected, sizeof got);
        ct[at] ^= (uint8_t)(1U << at % 8);
    }
    ct[last] ^= 0x80; /* the last bit of all */
    assert_ok(pp_mlkem_decap(keys[i].key, ct, got));
    assert_memory_not_equal(got, sent, sizeof got);
    ct[last] ^= 0x80;
    assert_ok(pp_mlkem_decap(keys[i].key, ct, got));
    assert_memory_equal(got, sent, sizeof got);
}

static void w12_t3_a_changed_ciphertext_gives_the_secret_of_its_rejection(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SETS); i++)
        rejection_is_silent(i);
}

/* FIPS 203, 7.2, for every coefficient of a key: 3328 is in order and 3329 is not. */
static void the_modulus_is_checked(const struct pp_mlkem *set, uint16_t kem, const uint8_t *pk)
{
    static const uint8_t m[PP_MLKEM_RANDOM_BYTES];
    uint8_t bad[PP_MLKEM_PK_BYTES_MAX], ct[PP_MLKEM_CT_BYTES_MAX], shared[PP_MLKEM_SECRET_BYTES];
    struct pp_span all = pp_span(bad, set->pk_len);

    for (size_t i = 0; i < set->k * 128U; i++) {
        memcpy(bad, pk, set->pk_len);
        bad[3 * i] = 0x01; /* 0xD01 is 3329 */
        bad[3 * i + 1] = (uint8_t)((bad[3 * i + 1] & 0xF0) | 0x0D);
        assert_code(pp_mlkem_encap(set, bad, m, ct, shared), PP_E_KEY);
        assert_code(pp_kem_public_check(kem, all), PP_E_KEY);
        bad[3 * i] = 0x00;
        assert_ok(pp_kem_public_check(kem, all));
        bad[3 * i + 1] = (uint8_t)((pk[3 * i + 1] & 0x0F) | 0x10);
        bad[3 * i] = pk[3 * i];
        bad[3 * i + 2] = 0xD0; /* its neighbour */
        assert_code(pp_mlkem_encap(set, bad, m, ct, shared), PP_E_KEY);
        bad[3 * i + 1] &= 0x0F;
        assert_ok(pp_mlkem_encap(set, bad, m, ct, shared));
    }
}

static void w12_t2_a_public_key_that_is_not_reduced_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(SETS); i++)
        the_modulus_is_checked(SETS[i], SET_KEMS[i], keys[i].pk);
}

/* The ML-KEM half of a hybrid key is checked as one alone, in front of any use. */
static void w12_t2_a_hybrid_key_whose_first_half_is_not_reduced_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(HYBRIDS); i++) {
        const struct pp_kem_info *info = pp_kem_info(HYBRIDS[i].kem);
        uint8_t bad[PP_KEM_PK_BYTES_MAX], enc[PP_KEM_ENC_BYTES_MAX];
        PP_AUTO(pp_secret) shared = { 0 };
        struct pp_kem_key *k = NULL;

        assert_ok(pp_kem_key_generate(info->id, &random_source, &k));
        memcpy(bad, pp_kem_key_public(k).at, info->pk_len);
        pp_kem_key_free(k);
        bad[0] = bad[1] = 0xFF;
        assert_code(pp_kem_public_check(info->id, pp_span(bad, info->pk_len)), PP_E_KEY);
        assert_code(
            pp_kem_encap(info->id, pp_span(bad, info->pk_len), &random_source, enc, &shared),
            PP_E_KEY);
        assert_null(shared.bytes);
    }
}

/* A key, its public key, an encapsulation to it, and the secret of that. */
struct exchange {
    const struct pp_kem_info *info;
    struct pp_kem_key *key;
    uint8_t pk[PP_KEM_PK_BYTES_MAX], enc[PP_KEM_ENC_BYTES_MAX];
    struct pp_secret sent, received;
};

static void exchange_done(struct exchange *x)
{
    pp_kem_key_free(x->key);
    pp_secret_done(&x->sent);
    pp_secret_done(&x->received);
}

static void exchange(uint16_t kem, struct exchange *x)
{
    x->info = pp_kem_info(kem);
    assert_ok(pp_kem_key_generate(kem, &random_source, &x->key));
    memcpy(x->pk, pp_kem_key_public(x->key).at, x->info->pk_len);
    assert_ok(pp_kem_encap(kem, pp_kem_key_public(x->key), &random_source, x->enc, &x->sent));
}

static pp_res decap(struct exchange *x)
{
    pp_secret_done(&x->received);
    return pp_kem_decap(x->key, pp_span(x->enc, x->info->enc_len), &x->received);
}

static pp_res encap(struct exchange *x, const struct pp_random *random)
{
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];

    pp_secret_done(&x->received);
    return pp_kem_encap(x->info->id, pp_span(x->pk, x->info->pk_len), random, enc, &x->received);
}

static int same_secret(const struct exchange *x)
{
    return pp_ct_eq(x->sent.bytes, x->received.bytes, x->info->secret_len) == 1;
}

/* Both halves count: an attacker who breaks one of them still does not know the secret. */
static void w12_t3_a_change_in_either_half_of_an_encapsulation_changes_the_secret(void **state)
{
    (void)state;
    for (size_t h = 0; h < PP_ARRAY_COUNT(HYBRIDS); h++) {
        PP_AUTO(exchange) x = { 0 };

        exchange(HYBRIDS[h].kem, &x);
        for (size_t i = 3; i < x.info->enc_len; i += 31) {
            x.enc[i] ^= 4;
            pp_res r = decap(&x); /* a changed point of a NIST curve is none */
            if (i < HYBRIDS[h].ct_len || x.info->id == PP_KEM_XWING)
                assert_ok(r);
            else
                assert_code(r, PP_E_AUTH);
            assert_true(!pp_is_ok(r) || !same_secret(&x));
            x.enc[i] ^= 4;
        }
        assert_ok(decap(&x));
        assert_true(same_secret(&x));
    }
}

/* The other point with the same x-coordinate gives the same product: the combiner sees the sign. */
static void the_combiner_hashes_the_whole_point_and_not_its_x_coordinate_alone(void **state)
{
    /* The prime of P-256: the other point has y' = p - y. */
    static const uint8_t p[] = { 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    1,    0,    0,    0,
                                 0,    0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    PP_AUTO(exchange) x = { 0 };
    int borrow = 0;

    (void)state;
    exchange(PP_KEM_MLKEM768_P256, &x);
    uint8_t *y = x.enc + x.info->enc_len - sizeof p;
    for (size_t i = sizeof p; i-- > 0;) {
        int d = p[i] - y[i] - borrow;
        borrow = d < 0;
        y[i] = (uint8_t)d;
    }
    assert_ok(decap(&x));
    assert_false(same_secret(&x));
}

static void w12_t1_an_encapsulation_without_its_classical_half_is_refused(void **state)
{
    (void)state;
    for (size_t h = 0; h < PP_ARRAY_COUNT(HYBRIDS); h++) {
        PP_AUTO(exchange) x = { 0 };

        /* For X25519 a point of low order: the result is all zero. None of a NIST curve. */
        exchange(HYBRIDS[h].kem, &x);
        memset(x.enc + HYBRIDS[h].ct_len, 0, x.info->enc_len - HYBRIDS[h].ct_len);
        assert_code(decap(&x), PP_E_AUTH);
        memset(x.pk + HYBRIDS[h].pk_len, 0, x.info->pk_len - HYBRIDS[h].pk_len);
        assert_code(encap(&x, &random_source), PP_E_KEY);
        assert_null(x.received.bytes);
    }
}

static void a_source_that_runs_dry_encapsulates_nothing(void **state)
{
    static const uint8_t bytes[160] = { 1, [32] = 1, [79] = 1 };

    (void)state;
    for (size_t h = 0; h < PP_ARRAY_COUNT(HYBRIDS); h++) {
        PP_AUTO(exchange) x = { 0 };

        exchange(HYBRIDS[h].kem, &x);
        struct pp_span short_script = pp_span(bytes, x.info->random_len - 1);
        struct pp_random dry = pp_random_script(&short_script);
        assert_code(encap(&x, &dry), PP_E_RANDOM);
        assert_null(x.received.bytes);
        struct pp_span script = pp_span(bytes, x.info->random_len);
        struct pp_random enough = pp_random_script(&script);
        assert_ok(encap(&x, &enough));
    }
}

/*
 * RandomScalar (draft-irtf-cfrg-concrete-hybrid-kems): a part of the seed that is 0 or not below
 * the order is passed over, and the next one taken; a seed without any is refused.
 */
static void an_ephemeral_key_is_the_first_part_of_the_seed_that_is_one(void **state)
{
    uint8_t bytes[128] = { 0 }, first[PP_KEM_ENC_BYTES_MAX], second[PP_KEM_ENC_BYTES_MAX];
    const struct pp_kem_info *info = pp_kem_info(PP_KEM_MLKEM768_P256);
    PP_AUTO(exchange) x = { 0 };
    PP_AUTO(pp_secret) shared = { 0 };

    (void)state;
    exchange(info->id, &x);
    for (size_t refused = 0; refused < 4; refused++) {
        struct pp_span script = PP_BYTES(bytes);
        struct pp_random random = pp_random_script(&script);

        memset(bytes + 32, 0xFF, 96); /* above the order, but the last of the refused is 0 */
        if (refused > 0)
            memset(bytes + 32 * refused, 0, 32);
        if (refused < 3)
            memset(bytes + 32 * (refused + 1), 7, 32);
        pp_res r = pp_kem_encap(info->id, pp_kem_key_public(x.key), &random,
                                refused == 0 ? first : second, &shared);
        pp_secret_done(&shared);
        assert_code(r, refused < 3 ? PP_E_OK : PP_E_KEY);
        if (refused > 0)
            assert_memory_equal(first, second, info->enc_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sizes_of_a_parameter_set_are_those_of_the_standard),
        cmocka_unit_test(both_sides_agree_for_many_keys),
        cmocka_unit_test(w12_t3_a_changed_ciphertext_gives_the_secret_of_its_rejection),
        cmocka_unit_test(w12_t2_a_public_key_that_is_not_reduced_is_refused),
        cmocka_unit_test(w12_t2_a_hybrid_key_whose_first_half_is_not_reduced_is_refused),
        cmocka_unit_test(w12_t3_a_change_in_either_half_of_an_encapsulation_changes_the_secret),
        cmocka_unit_test(the_combiner_hashes_the_whole_point_and_not_its_x_coordinate_alone),
        cmocka_unit_test(w12_t1_an_encapsulation_without_its_classical_half_is_refused),
        cmocka_unit_test(a_source_that_runs_dry_encapsulates_nothing),
        cmocka_unit_test(an_ephemeral_key_is_the_first_part_of_the_seed_that_is_one),
    };

    return cmocka_run_group_tests_name("crypto/mlkem", tests, set_up, tear_down);
}
