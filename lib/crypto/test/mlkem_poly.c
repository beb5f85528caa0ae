/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of ML-KEM against the definitions of FIPS 203, written out slowly. */
#include "harness.h"

#include "env.h"
#include "mlkem_poly_int.h"

enum { Q = PP_MLKEM_Q, N = PP_MLKEM_N, BITS_MAX = 11 };

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
    struct pp_poly a[PP_MLKEM_K_MAX * PP_MLKEM_K_MAX], slow, sum, fast;
    struct pp_polyvec b;

    (void)state;
    for (size_t round = 0; round < 24; round++) {
        size_t k = 2 + round % 3, stride = round % 2 == 0 ? 1 : k; /* a row, or a column */

        sum = (struct pp_poly){ { 0 } };
        for (size_t j = 0; j < k; j++) {
            draw(&a[j * stride]);
            draw(&b.p[j]);
            multiply_slowly(&a[j * stride], &b.p[j], &slow);
            pp_poly_add(&sum, &slow);
            pp_poly_reduce(&sum);
            pp_poly_ntt(&a[j * stride]);
            pp_poly_ntt(&b.p[j]);
        }
        pp_polyvec_prepare(&b, k);
        pp_polyvec_dot(a, stride, &b, k, &fast);
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

/* The number of `bits` bits at place i of a string whose first bit is the lowest (4.2.1). */
static uint32_t place(const uint8_t *bytes, unsigned bits, size_t i)
{
    uint32_t v = 0;

    for (size_t j = 0; j < bits; j++)
        v |= (uint32_t)(bytes[(bits * i + j) / 8] >> (bits * i + j) % 8 & 1) << j;
    return v;
}

static const unsigned BITS[] = { 4, 5, 10, 11 };

static void compression_is_exact_for_every_coefficient(void **state)
{
    (void)state;
    for (int32_t base = 1 - Q; base < Q; base += N) {
        struct pp_poly p;
        uint8_t bytes[BITS_MAX * 32], one[PP_POLY_1_BYTES];

        for (int32_t i = 0; i < N; i++)
            p.c[i] = (int16_t)(base + i < Q ? base + i : 0);
        for (size_t b = 0; b < PP_ARRAY_COUNT(BITS); b++) {
            pp_poly_compress(&p, BITS[b], bytes);
            for (size_t i = 0; i < N; i++)
                assert_int_equal(place(bytes, BITS[b], i), compressed(p.c[i], BITS[b]));
        }
        pp_poly_write_1(&p, one);
        for (size_t i = 0; i < N; i++)
            assert_int_equal(place(one, 1, i), compressed(p.c[i], 1));
    }
}

/* Decompress (4.7): round(q v / 2^d). */
static void decompression_is_exact_for_every_number(void **state)
{
    (void)state;
    for (size_t b = 0; b < PP_ARRAY_COUNT(BITS); b++)
        for (uint32_t base = 0; base < 1U << BITS[b]; base += N) {
            uint8_t bytes[BITS_MAX * 32] = { 0 };
            struct pp_poly p;

            for (size_t bit = 0; bit < BITS[b] * (size_t)N; bit++)
                bytes[bit / 8] |= (uint8_t)(((base + bit / BITS[b]) >> bit % BITS[b] & 1)
                                            << bit % 8);
            pp_poly_decompress(bytes, BITS[b], &p);
            for (size_t i = 0; i < N; i++)
                assert_int_equal(p.c[i], (2 * Q * place(bytes, BITS[b], i) + (1U << BITS[b])) >>
                                             (BITS[b] + 1));
        }
}

static void what_was_compressed_comes_back_the_same(void **state)
{
    uint8_t bytes[BITS_MAX * 32], again[BITS_MAX * 32];
    struct pp_poly p;

    (void)state;
    for (int round = 0; round < 20; round++) {
        assert_ok(pp_random_fill(&random_source, bytes, sizeof bytes));
        for (size_t b = 0; b < PP_ARRAY_COUNT(BITS); b++) {
            pp_poly_decompress(bytes, BITS[b], &p);
            pp_poly_compress(&p, BITS[b], again);
            assert_memory_equal(again, bytes, 32 * BITS[b]);
        }
        pp_poly_read_1(bytes, &p);
        pp_poly_write_1(&p, again);
        assert_memory_equal(again, bytes, PP_POLY_1_BYTES);
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

/* Algorithm 8: a coefficient is the sum of its first eta bits less that of its next. */
static void noise_is_the_difference_of_two_sums_of_bits(void **state)
{
    uint8_t bytes[PP_POLY_NOISE_BYTES_MAX];
    struct pp_poly p;

    (void)state;
    for (unsigned eta = 2; eta <= 3; eta++)
        for (int round = 0; round < 20; round++) {
            assert_ok(pp_random_fill(&random_source, bytes, sizeof bytes));
            pp_poly_noise(bytes, eta, &p);
            for (size_t i = 0; i < N; i++) {
                uint32_t x = place(bytes, eta, 2 * i), y = place(bytes, eta, 2 * i + 1);

                assert_int_equal(p.c[i], __builtin_popcount(x) - __builtin_popcount(y));
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
        cmocka_unit_test(decompression_is_exact_for_every_number),
        cmocka_unit_test(what_was_compressed_comes_back_the_same),
        cmocka_unit_test(w12_t2_a_coefficient_that_is_not_reduced_is_seen_in_every_place),
        cmocka_unit_test(noise_is_the_difference_of_two_sums_of_bits),
        cmocka_unit_test(a_public_polynomial_follows_from_its_seed_and_place),
    };

    return cmocka_run_group_tests_name("crypto/mlkem_poly", tests, set_up, NULL);
}
