/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of ML-KEM against the definitions of FIPS 203, written out slowly. */
#include "harness.h"

#include "env.h"
#include "mlkem_poly_int.h"

enum { Q = PP_MLKEM_Q, N = PP_MLKEM_N };

static struct pp_random random_source;

static int set_up(void **state)
{
    (void)state;
    random_source = pp_random_system();
    return 0;
}

static uint32_t modulo(int32_t v)
{
    return (uint32_t)(((v % Q) + Q) % Q);
}

static void draw(struct pp_poly *ret)
{
    for (size_t i = 0; i < N; i++) {
        uint64_t v;

        assert_ok(pp_random_below(&random_source, 2 * Q - 1, &v));
        ret->c[i] = (int16_t)((int32_t)v - (Q - 1)); /* -q < c < q */
    }
}

/* Section 2.4.5: in the ring, X^256 = -1. */
static void multiply_slowly(const struct pp_poly *a, const struct pp_poly *b, struct pp_poly *ret)
{
    for (size_t i = 0; i < N; i++) {
        int32_t sum = 0;

        for (size_t j = 0; j < N; j++) {
            int32_t term = (int32_t)modulo(a->c[j] * b->c[(i + N - j) % N]);

            sum += j <= i ? term : -term;
        }
        ret->c[i] = (int16_t)modulo(sum);
    }
}

/* The roots, the layers, the products of pairs and the way back are all in this one. */
static void a_dot_product_by_transform_is_the_sum_of_the_slow_products(void **state)
{
    struct pp_poly a[PP_MLKEM_K], slow, sum, fast;
    struct pp_polyvec b;
    const struct pp_poly *const row[PP_MLKEM_K] = { &a[0], &a[1], &a[2] };

    (void)state;
    for (int round = 0; round < 20; round++) {
        sum = (struct pp_poly){ { 0 } };
        for (size_t k = 0; k < PP_MLKEM_K; k++) {
            draw(&a[k]);
            draw(&b.p[k]);
            multiply_slowly(&a[k], &b.p[k], &slow);
            pp_poly_add(&sum, &slow);
            pp_poly_reduce(&sum);
            pp_poly_ntt(&a[k]);
            pp_poly_ntt(&b.p[k]);
        }
        pp_polyvec_prepare(&b);
        pp_polyvec_dot(row, &b, &fast);
        pp_poly_invert_ntt(&fast);
        for (size_t i = 0; i < N; i++)
            assert_int_equal(modulo(fast.c[i]), modulo(sum.c[i]));
    }
}

static void the_transform_keeps_its_bounds_at_the_extremes(void **state)
{
    (void)state;
    for (int pattern = 0; pattern < 4; pattern++) {
        struct pp_poly p, back;

        for (size_t i = 0; i < N; i++)
            p.c[i] = (int16_t)((pattern & 1 && i % 2) || (pattern & 2 && i >= N / 2) ? 1 - Q
                                                                                     : Q - 1);
        back = p;
        pp_poly_ntt(&back);
        for (size_t i = 0; i < N; i++)
            assert_true(back.c[i] >= -Q / 2 && back.c[i] <= Q / 2);
        pp_poly_invert_ntt(&back); /* the factor 2^16 of a product is still in */
        for (size_t i = 0; i < N; i++)
            assert_int_equal(modulo(back.c[i]), p.c[i] * (int64_t)65536 % Q < 0
                                                    ? p.c[i] * (int64_t)65536 % Q + Q
                                                    : p.c[i] * (int64_t)65536 % Q);
    }
}

static void reduction_is_exact_for_every_16_bit_number(void **state)
{
    (void)state;
    for (int32_t base = INT16_MIN; base <= INT16_MAX; base += N) {
        struct pp_poly p;

        for (int32_t i = 0; i < N; i++)
            p.c[i] = (int16_t)(base + i);
        pp_poly_reduce(&p);
        for (int32_t i = 0; i < N; i++) {
            assert_int_equal(modulo(p.c[i]), modulo(base + i));
            assert_true(p.c[i] >= -Q / 2 && p.c[i] <= Q / 2);
        }
    }
}

/* Compress (4.7), with the division that the code may not use: round(2^d c / q) modulo 2^d. */
static uint32_t compressed(int32_t c, unsigned bits)
{
    return ((modulo(c) << (bits + 1)) + Q) / (2 * Q) & ((1U << bits) - 1);
}

static void compression_is_exact_for_every_coefficient(void **state)
{
    (void)state;
    for (int32_t c = 1 - Q; c < Q; c++) {
        struct pp_poly p = { { 0 } };
        uint8_t ten[PP_POLY_10_BYTES], four[PP_POLY_4_BYTES], one[PP_POLY_1_BYTES];

        p.c[0] = p.c[N - 1] = (int16_t)c;
        pp_poly_write_10(&p, ten);
        assert_int_equal(ten[0] | (ten[1] & 3) << 8, compressed(c, 10));
        assert_int_equal(ten[sizeof ten - 1] << 2 | ten[sizeof ten - 2] >> 6, compressed(c, 10));
        pp_poly_write_4(&p, four);
        assert_int_equal(four[0], compressed(c, 4));
        assert_int_equal(four[sizeof four - 1] >> 4, compressed(c, 4));
        pp_poly_write_1(&p, one);
        assert_int_equal(one[0], compressed(c, 1));
        assert_int_equal(one[sizeof one - 1] >> 7, compressed(c, 1));
    }
}

static void what_was_compressed_comes_back_the_same(void **state)
{
    uint8_t ten[PP_POLY_10_BYTES], four[PP_POLY_4_BYTES], one[PP_POLY_1_BYTES];
    uint8_t again[PP_POLY_10_BYTES];
    struct pp_poly p;

    (void)state;
    for (int round = 0; round < 20; round++) {
        assert_ok(pp_random_fill(&random_source, ten, sizeof ten));
        assert_ok(pp_random_fill(&random_source, four, sizeof four));
        assert_ok(pp_random_fill(&random_source, one, sizeof one));
        pp_poly_read_10(ten, &p);
        pp_poly_write_10(&p, again);
        assert_memory_equal(again, ten, sizeof ten);
        pp_poly_read_4(four, &p);
        pp_poly_write_4(&p, again);
        assert_memory_equal(again, four, sizeof four);
        pp_poly_read_1(one, &p);
        pp_poly_write_1(&p, again);
        assert_memory_equal(again, one, sizeof one);
    }
}

/* FIPS 203, 7.2: the check that decoding and encoding an encapsulation key again would make. */
static void w12_t2_a_coefficient_that_is_not_reduced_is_seen_in_every_place(void **state)
{
    uint8_t bytes[PP_POLY_BYTES], again[PP_POLY_BYTES];
    struct pp_poly p;

    (void)state;
    for (size_t i = 0; i < N; i++)
        for (uint32_t v = Q - 2; v < Q + 2; v++) {
            size_t bit = 12 * i;

            memset(bytes, 0, sizeof bytes);
            bytes[bit / 8] = (uint8_t)(v << bit % 8);
            bytes[bit / 8 + 1] = (uint8_t)(v >> (8 - bit % 8));
            assert_int_equal(pp_poly_read(bytes, &p), v < Q);
            if (v < Q) {
                pp_poly_write(&p, again);
                assert_memory_equal(again, bytes, sizeof bytes);
            }
        }
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(pp_poly_read(bytes, &p), 0);
}

/* Algorithm 8: a coefficient is (b0 + b1) - (b2 + b3) of its four bits. */
static void noise_is_the_difference_of_two_sums_of_bits(void **state)
{
    uint8_t bytes[PP_POLY_NOISE_BYTES];
    struct pp_poly p;

    (void)state;
    for (size_t start = 0; start < 256; start += sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(start + i);
        pp_poly_noise(bytes, &p);
        for (size_t i = 0; i < N; i++) {
            unsigned four = bytes[i / 2] >> (4 * (i % 2)) & 0xF;

            assert_int_equal(p.c[i], (int)((four & 1) + (four >> 1 & 1)) -
                                         (int)((four >> 2 & 1) + (four >> 3 & 1)));
        }
    }
}

static void a_public_polynomial_follows_from_its_seed_and_place(void **state)
{
    static const uint8_t seed[32] = { 7 };
    struct pp_poly a, b;

    (void)state;
    pp_poly_sample_public(seed, 1, 2, &a);
    pp_poly_sample_public(seed, 1, 2, &b);
    assert_memory_equal(&a, &b, sizeof a);
    pp_poly_sample_public(seed, 2, 1, &b);
    assert_memory_not_equal(&a, &b, sizeof a);
    for (size_t i = 0; i < N; i++)
        assert_true(a.c[i] >= 0 && a.c[i] < Q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dot_product_by_transform_is_the_sum_of_the_slow_products),
        cmocka_unit_test(the_transform_keeps_its_bounds_at_the_extremes),
        cmocka_unit_test(reduction_is_exact_for_every_16_bit_number),
        cmocka_unit_test(compression_is_exact_for_every_coefficient),
        cmocka_unit_test(what_was_compressed_comes_back_the_same),
        cmocka_unit_test(w12_t2_a_coefficient_that_is_not_reduced_is_seen_in_every_place),
        cmocka_unit_test(noise_is_the_difference_of_two_sums_of_bits),
        cmocka_unit_test(a_public_polynomial_follows_from_its_seed_and_place),
    };

    return cmocka_run_group_tests_name("crypto/mlkem_poly", tests, set_up, NULL);
}
