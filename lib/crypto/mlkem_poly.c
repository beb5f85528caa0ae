/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of ML-KEM in portable C.
 *
 * No coefficient is divided: a division by a constant is a multiplication only if the compiler
 * thinks so, and a division instruction's time depends on its operand (known as KyberSlash).
 * Selections by a secret bit are multiplications or masks behind pp_ct_barrier, as compilers turn
 * the bare mask into a branch (seen with clang and the decoding of a message).
 */
#include "mlkem_poly_int.h"

#include "ct.h"
#include "keccak_int.h"

enum {
    Q = PP_MLKEM_Q,
    N = PP_MLKEM_N,
    Q_INVERSE = -3327,      /* of q, modulo 2^16 */
    R_SQUARED = 1353,       /* 2^32 modulo q */
    R_SQUARED_128TH = 1441, /* 2^32 / 128 modulo q */
    BARRETT = 20159,        /* 2^26 / q, rounded */
};

/* 17^bitrev(i) * 2^16 modulo q, centred (FIPS 203, appendix A). */
static const int16_t ROOTS[N / 2] = {
    -1044, -758,  -359,  -1517, 1493,  1422,  287,   202,   -171,  622,   1577,  182,   962,
    -1202, -1474, 1468,  573,   -1325, 264,   383,   -829,  1458,  -1602, -130,  -681,  1017,
    732,   608,   -1542, 411,   -205,  -1571, 1223,  652,   -552,  1015,  -1293, 1491,  -282,
    -1544, 516,   -8,    -320,  -666,  -1618, -1162, 126,   1469,  -853,  -90,   -271,  830,
    107,   -1421, -247,  -951,  -398,  961,   -1508, -725,  448,   -1065, 677,   -1275, -1103,
    430,   555,   843,   -1251, 871,   1550,  105,   422,   587,   177,   -235,  -291,  -460,
    1574,  1653,  -246,  778,   1159,  -147,  -777,  1483,  -602,  1119,  -1590, 644,   -872,
    349,   418,   329,   -156,  -75,   817,   1097,  603,   610,   1322,  -1285, -1465, 384,
    -1215, -136,  1218,  -1335, -874,  220,   -1187, -1659, -1185, -1530, -1278, 794,   -1510,
    -854,  -870,  478,   -108,  -308,  996,   991,   958,   -1460, 1522,  1628
};

/* The high half of a product: one instruction on vectors, and compilers see it. */
static inline int16_t high(int16_t a, int16_t b)
{
    return (int16_t)(((int32_t)a * b) >> 16);
}

/* x * Q_INVERSE modulo 2^16. */
static inline int16_t times_inverse(int16_t x)
{
    return (int16_t)((uint32_t)(uint16_t)x * (uint16_t)Q_INVERSE);
}

/* a * b / 2^16 modulo q, in -q..q for |b| <= q / 2; `b_inverse` is times_inverse(b). */
static inline int16_t multiply(int16_t a, int16_t b, int16_t b_inverse)
{
    int16_t m = (int16_t)((uint32_t)(uint16_t)a * (uint16_t)b_inverse);

    return (int16_t)(high(a, b) - high(m, Q));
}

/* The same for a 32-bit product or sum below 2^15 q. */
static inline int16_t reduce_product(int32_t a)
{
    int16_t m = times_inverse((int16_t)a);

    return (int16_t)((a - (int32_t)m * Q) >> 16);
}

/* The representative in -q/2..q/2. */
static inline int16_t reduce(int16_t a)
{
    int16_t t = (int16_t)((high(a, BARRETT) + (1 << 9)) >> 10);

    return (int16_t)(a - t * Q);
}

/* The representative in 0..q-1 of a number in -q..q. */
static inline uint32_t canonical(int16_t a)
{
    return (uint32_t)(a + (Q & (a >> 15)));
}

/*
 * One layer of the transform (FIPS 203, algorithm 9). Inlined with a constant length each, so that
 * the loop becomes vector instructions. Bounds grow by less than q a layer: seven fit 16 bits.
 */
static inline __attribute__((always_inline)) void forward_layer(int16_t c[N], size_t len)
{
    for (size_t block = 0; block < N / (2 * len); block++) {
        int16_t root = ROOTS[N / (2 * len) + block], inverse = times_inverse(root);
        int16_t *low = c + 2 * len * block, *upper = low + len;

        for (size_t j = 0; j < len; j++) {
            int16_t t = multiply(upper[j], root, inverse);
            upper[j] = (int16_t)(low[j] - t);
            low[j] = (int16_t)(low[j] + t);
        }
    }
}

void pp_poly_ntt(struct pp_poly *p)
{
    forward_layer(p->c, 128);
    forward_layer(p->c, 64);
    forward_layer(p->c, 32);
    forward_layer(p->c, 16);
    forward_layer(p->c, 8);
    forward_layer(p->c, 4);
    forward_layer(p->c, 2);
    pp_poly_reduce(p);
}

/* Algorithm 10: the roots in reverse; with 17^128 = -1 their negatives are the inverses. */
static inline __attribute__((always_inline)) void backward_layer(int16_t c[N], size_t len)
{
    for (size_t block = 0; block < N / (2 * len); block++) {
        int16_t root = ROOTS[N / len - 1 - block], inverse = times_inverse(root);
        int16_t *low = c + 2 * len * block, *upper = low + len;

        for (size_t j = 0; j < len; j++) {
            int16_t t = low[j];
            low[j] = reduce((int16_t)(t + upper[j]));
            upper[j] = multiply((int16_t)(upper[j] - t), root, inverse);
        }
    }
}

void pp_poly_invert_ntt(struct pp_poly *p)
{
    backward_layer(p->c, 2);
    backward_layer(p->c, 4);
    backward_layer(p->c, 8);
    backward_layer(p->c, 16);
    backward_layer(p->c, 32);
    backward_layer(p->c, 64);
    backward_layer(p->c, 128);
    for (size_t i = 0; i < N; i++)
        p->c[i] = multiply(p->c[i], R_SQUARED_128TH, times_inverse(R_SQUARED_128TH));
}

void pp_poly_add(struct pp_poly *p, const struct pp_poly *other)
{
    for (size_t i = 0; i < N; i++)
        p->c[i] = (int16_t)(p->c[i] + other->c[i]);
}

void pp_poly_reduce(struct pp_poly *p)
{
    for (size_t i = 0; i < N; i++)
        p->c[i] = reduce(p->c[i]);
}

void pp_poly_lift(struct pp_poly *p)
{
    for (size_t i = 0; i < N; i++)
        p->c[i] = multiply(p->c[i], R_SQUARED, times_inverse(R_SQUARED));
}

void pp_polyvec_prepare(struct pp_polyvec *v, size_t k)
{
    for (size_t j = 0; j < k; j++)
        for (size_t i = 0; i < N / 2; i++) {
            int16_t root = ROOTS[N / 4 + i / 2];

            root = (int16_t)(i % 2 == 0 ? root : -root);
            v->rooted[j][i] = reduce_product(v->p[j].c[2 * i + 1] * root);
        }
}

/* Algorithm 11 k times. Eight products below q^2 stay under 2^15 q: one reduction is enough. */
static inline __attribute__((always_inline)) void dot(const struct pp_poly *a, size_t stride,
                                                      const struct pp_polyvec *b, size_t k,
                                                      struct pp_poly *ret)
{
    for (size_t i = 0; i < N / 2; i++) {
        int32_t even = 0, odd = 0;

        for (size_t j = 0; j < k; j++) {
            const int16_t *pair = a[j * stride].c + 2 * i;

            even += pair[0] * b->p[j].c[2 * i] + pair[1] * b->rooted[j][i];
            odd += pair[0] * b->p[j].c[2 * i + 1] + pair[1] * b->p[j].c[2 * i];
        }
        ret->c[2 * i] = reduce_product(even);
        ret->c[2 * i + 1] = reduce_product(odd);
    }
}

/* Inlined with a constant count each, so that the loop becomes vector instructions. */
void pp_polyvec_dot(const struct pp_poly *a, size_t stride, const struct pp_polyvec *b, size_t k,
                    struct pp_poly *ret)
{
    switch (k) {
    case 2:
        dot(a, stride, b, 2, ret);
        return;
    case 3:
        dot(a, stride, b, 3, ret);
        return;
    default:
        PP_ASSERT(k == 4);
        dot(a, stride, b, 4, ret);
    }
}

/* Takes what is below q from a block of 12-bit numbers; gives the new count. */
static size_t take_below_q(const uint8_t *bytes, size_t len, struct pp_poly *p, size_t count)
{
    for (size_t i = 0; i < len && count < N; i += 3) {
        uint32_t three = bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16;

        p->c[count] = (int16_t)(three & 0xFFF);
        count += (three & 0xFFF) < Q;
        if (count < N) {
            p->c[count] = (int16_t)(three >> 12);
            count += three >> 12 < Q;
        }
    }
    return count;
}

void pp_poly_sample_public(const uint8_t seed[32], uint8_t column, uint8_t row, struct pp_poly *ret)
{
    uint8_t block[PP_SHAKE128_RATE]; /* a multiple of 3 */
    uint8_t place[2] = { column, row };
    struct pp_keccak k = pp_shake128();
    size_t count = 0;

    pp_keccak_absorb(&k, pp_span(seed, 32));
    pp_keccak_absorb(&k, PP_BYTES(place));
    while (count < N) {
        pp_keccak_squeeze(&k, block, sizeof block);
        count = take_below_q(block, sizeof block, ret, count);
    }
}

/* Pairs of bits are added side by side: no coefficient is looked at alone. */
static void noise_2(const uint8_t *bytes, struct pp_poly *ret)
{
    for (size_t i = 0; i < N / 2; i++) {
        uint32_t pairs = (bytes[i] & 0x55U) + (bytes[i] >> 1 & 0x55U);

        ret->c[2 * i] = (int16_t)((int32_t)(pairs & 3) - (int32_t)(pairs >> 2 & 3));
        ret->c[2 * i + 1] = (int16_t)((int32_t)(pairs >> 4 & 3) - (int32_t)(pairs >> 6));
    }
}

/* The same with triples: 24 bits are four coefficients. */
static void noise_3(const uint8_t *bytes, struct pp_poly *ret)
{
    for (size_t i = 0; i < N / 4; i++) {
        const uint8_t *b = bytes + 3 * i;
        uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16;
        uint32_t triples = (bits & 0x249249) + (bits >> 1 & 0x249249) + (bits >> 2 & 0x249249);

        for (size_t j = 0; j < 4; j++)
            ret->c[4 * i + j] = (int16_t)((int32_t)(triples >> (6 * j) & 7) -
                                          (int32_t)(triples >> (6 * j + 3) & 7));
    }
}

void pp_poly_noise(const uint8_t *bytes, unsigned eta, struct pp_poly *ret)
{
    PP_ASSERT(eta == 2 || eta == 3);
    if (eta == 2)
        noise_2(bytes, ret);
    else
        noise_3(bytes, ret);
}

void pp_poly_write(const struct pp_poly *p, uint8_t ret[PP_POLY_BYTES])
{
    for (size_t i = 0; i < N / 2; i++) {
        uint32_t two = canonical(p->c[2 * i]) | canonical(p->c[2 * i + 1]) << 12;

        ret[3 * i] = (uint8_t)two;
        ret[3 * i + 1] = (uint8_t)(two >> 8);
        ret[3 * i + 2] = (uint8_t)(two >> 16);
    }
}

uint32_t pp_poly_read(const uint8_t bytes[PP_POLY_BYTES], struct pp_poly *ret)
{
    uint32_t outside = 0; /* the top bit is set by q - 1 - c when c is not below q */

    for (size_t i = 0; i < N / 2; i++) {
        uint32_t two = bytes[3 * i] | (uint32_t)bytes[3 * i + 1] << 8 |
                       (uint32_t)bytes[3 * i + 2] << 16;

        ret->c[2 * i] = (int16_t)(two & 0xFFF);
        ret->c[2 * i + 1] = (int16_t)(two >> 12);
        outside |= (Q - 1 - (two & 0xFFF)) | (Q - 1 - (two >> 12));
    }
    return 1 - (outside >> 31);
}

/*
 * Compress (FIPS 203, 4.7): (2^bits c + q/2) / q. The product with 2^37 / q, rounded up, is exact:
 * its error is below 1 / q for every number under 2^24.
 */
static inline uint32_t compress(int16_t c, unsigned bits)
{
    uint64_t scaled = (canonical(c) << bits) + Q / 2;

    return (uint32_t)(scaled * 41285359 >> 37) & ((1U << bits) - 1);
}

/* Decompress: (q v + 2^(bits - 1)) / 2^bits. */
static inline int16_t decompress(uint32_t v, unsigned bits)
{
    return (int16_t)((v * Q + (1U << (bits - 1))) >> bits);
}

/* Eight coefficients are `bits` bytes. Inlined with a constant each, so that the loops unroll. */
static inline __attribute__((always_inline)) void pack(const struct pp_poly *p, unsigned bits,
                                                       uint8_t *ret)
{
    for (size_t i = 0; i < N / 8; i++) {
        uint64_t waiting = 0;
        unsigned count = 0;
        size_t at = bits * i;

        for (size_t j = 0; j < 8; j++) {
            waiting |= (uint64_t)compress(p->c[8 * i + j], bits) << count;
            for (count += bits; count >= 8; count -= 8) {
                ret[at++] = (uint8_t)waiting;
                waiting >>= 8;
            }
        }
    }
}

static inline __attribute__((always_inline)) void unpack(const uint8_t *bytes, unsigned bits,
                                                         struct pp_poly *ret)
{
    for (size_t i = 0; i < N / 8; i++) {
        uint64_t waiting = 0;
        unsigned count = 0;
        size_t at = bits * i;

        for (size_t j = 0; j < 8; j++) {
            for (; count < bits; count += 8)
                waiting |= (uint64_t)bytes[at++] << count;
            ret->c[8 * i + j] = decompress((uint32_t)waiting & ((1U << bits) - 1), bits);
            waiting >>= bits;
            count -= bits;
        }
    }
}

void pp_poly_compress(const struct pp_poly *p, unsigned bits, uint8_t *ret)
{
    switch (bits) {
    case 4:
        pack(p, 4, ret);
        return;
    case 5:
        pack(p, 5, ret);
        return;
    case 10:
        pack(p, 10, ret);
        return;
    default:
        PP_ASSERT(bits == 11);
        pack(p, 11, ret);
    }
}

void pp_poly_decompress(const uint8_t *bytes, unsigned bits, struct pp_poly *ret)
{
    switch (bits) {
    case 4:
        unpack(bytes, 4, ret);
        return;
    case 5:
        unpack(bytes, 5, ret);
        return;
    case 10:
        unpack(bytes, 10, ret);
        return;
    default:
        PP_ASSERT(bits == 11);
        unpack(bytes, 11, ret);
    }
}

void pp_poly_write_1(const struct pp_poly *p, uint8_t ret[PP_POLY_1_BYTES])
{
    for (size_t i = 0; i < PP_POLY_1_BYTES; i++) {
        uint32_t eight = 0;

        for (size_t j = 0; j < 8; j++)
            eight |= compress(p->c[8 * i + j], 1) << j;
        ret[i] = (uint8_t)eight;
    }
}

void pp_poly_read_1(const uint8_t bytes[PP_POLY_1_BYTES], struct pp_poly *ret)
{
    for (size_t i = 0; i < N; i++) {
        uint32_t bit = pp_ct_barrier((uint32_t)(bytes[i / 8] >> (i % 8)) & 1);

        ret->c[i] = (int16_t)(bit * ((Q + 1) / 2));
    }
}
