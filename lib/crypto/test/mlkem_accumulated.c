/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many keys, encapsulations and rejections in one figure for each parameter set: the accumulated
 * vectors of C2SP CCTV. What is drawn comes from SHAKE128 of nothing, and what is made goes into
 * another SHAKE128.
 *
 * With the argument "long" these are the 10,000 rounds that CCTV publishes, without it the first
 * 100 of them, whose figures others' tests have.
 */
#include "harness.h"

#include "keccak_int.h"
#include "mlkem_poly_int.h"
#include "text.h"

enum { SEED_BYTES = 32, DIGEST_BYTES = 32 };

static int is_long;

/* The vector s of K-PKE.KeyGen (algorithm 13), which an expanded decapsulation key begins with. */
static void absorb_vector(struct pp_keccak *to, const struct pp_mlkem *set, const uint8_t *d)
{
    uint8_t seeds[2 * SEED_BYTES], bytes[PP_POLY_NOISE_BYTES_MAX], written[PP_POLY_BYTES];
    struct pp_poly s;

    pp_sha3_512(pp_span(d, SEED_BYTES), pp_span(&set->k, 1), seeds);
    for (uint8_t i = 0; i < set->k; i++) {
        pp_shake256_of(pp_span(seeds + SEED_BYTES, SEED_BYTES), pp_span(&i, 1), bytes,
                       64U * set->eta1);
        pp_poly_noise(bytes, set->eta1, &s);
        pp_poly_ntt(&s);
        pp_poly_write(&s, written);
        pp_keccak_absorb(to, PP_BYTES(written));
    }
}

static void absorb_private_key(struct pp_keccak *to, const struct pp_mlkem *set,
                               const uint8_t seed[PP_MLKEM_SEED_BYTES], struct pp_span ek)
{
    uint8_t hash[PP_SHA3_256_BYTES];

    absorb_vector(to, set, seed);
    pp_sha3_256(ek, PP_STR(""), hash);
    pp_keccak_absorb(to, ek);
    pp_keccak_absorb(to, PP_BYTES(hash));
    pp_keccak_absorb(to, pp_span(seed + SEED_BYTES, SEED_BYTES));
}

static void one_round(struct pp_keccak *from, struct pp_keccak *to, const struct pp_mlkem *set)
{
    uint8_t seed[PP_MLKEM_SEED_BYTES], m[PP_MLKEM_RANDOM_BYTES], ek[PP_MLKEM_PK_BYTES_MAX];
    uint8_t ct[PP_MLKEM_CT_BYTES_MAX], other[PP_MLKEM_CT_BYTES_MAX];
    uint8_t sent[PP_MLKEM_SECRET_BYTES], received[PP_MLKEM_SECRET_BYTES];
    struct pp_mlkem_key *k = NULL;

    pp_keccak_squeeze(from, seed, sizeof seed);
    pp_keccak_squeeze(from, m, sizeof m);
    pp_keccak_squeeze(from, other, set->ct_len);
    assert_ok(pp_mlkem_key_new(set, seed, ek, &k));
    pp_keccak_absorb(to, pp_span(ek, set->pk_len));
    absorb_private_key(to, set, seed, pp_span(ek, set->pk_len));
    assert_ok(pp_mlkem_encap(set, ek, m, ct, sent));
    assert_ok(pp_mlkem_decap(k, ct, received));
    assert_memory_equal(sent, received, sizeof sent);
    pp_keccak_absorb(to, pp_span(ct, set->ct_len));
    pp_keccak_absorb(to, PP_BYTES(sent));
    assert_ok(pp_mlkem_decap(k, other, received));
    pp_keccak_absorb(to, PP_BYTES(received));
    pp_mlkem_key_free(k);
}

static void check(const struct pp_mlkem *set, const char *brief, const char *whole)
{
    struct pp_keccak from = pp_shake128(), to = pp_shake128();
    uint8_t got[DIGEST_BYTES], want[DIGEST_BYTES];

    for (int i = 0; i < (is_long ? 10000 : 100); i++)
        one_round(&from, &to, set);
    pp_keccak_squeeze(&to, got, sizeof got);
    assert_ok(pp_hex_parse(pp_span_cstr(is_long ? whole : brief), want, sizeof want));
    assert_memory_equal(got, want, sizeof got);
}

static void ml_kem_512_makes_the_published_figure(void **state)
{
    (void)state;
    check(&PP_MLKEM_512, "449120c6e320ef3e9fbfa2316e5f2d2e1e6dd37d8ff5d086d5d2db7d42aff0a1",
          "705dcffc87f4e67e35a09dcaa31772e86f3341bd3ccf1e78a5fef99ae6a35a13");
}

static void ml_kem_768_makes_the_published_figure(void **state)
{
    (void)state;
    check(&PP_MLKEM_768, "8d65b902f28edc683cebee2872962fd165a4d197c9e24ec74caa4470270df0b7",
          "f959d18d3d1180121433bf0e05f11e7908cf9d03edc150b2b07cb90bef5bc1c1");
}

static void ml_kem_1024_makes_the_published_figure(void **state)
{
    (void)state;
    check(&PP_MLKEM_1024, "c3ffe9ebecfa479c142656cbfbc6417efa05b77e994fe538eef4daed166363df",
          "e3bf82b013307b2e9d47dde791ff6dfc82e694e6382404abdb948b908b75bad5");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ml_kem_512_makes_the_published_figure),
        cmocka_unit_test(ml_kem_768_makes_the_published_figure),
        cmocka_unit_test(ml_kem_1024_makes_the_published_figure),
    };

    is_long = argc == 2 && strcmp(argv[1], "long") == 0;
    return cmocka_run_group_tests_name("crypto/mlkem_accumulated", tests, NULL, NULL);
}
