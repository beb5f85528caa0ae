/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_poly_int.h: polynomials over Z_3329[X]/(X^256 + 1) for ML-KEM (FIPS 203, 4).
 *
 * Coefficients are 16-bit and signed; a function says what range it takes and gives, where q is
 * 3329. Products carry a factor 2^-16 (Montgomery), which pp_poly_invert_ntt takes out again.
 * Constant time in the coefficients, except where a name says `public`.
 */
#ifndef PP_MLKEM_POLY_INT_H
#define PP_MLKEM_POLY_INT_H

#include "mlkem_int.h"

enum {
    PP_MLKEM_Q = 3329,
    PP_MLKEM_N = 256, /* coefficients */
    PP_POLY_BYTES = 384,
    PP_POLY_1_BYTES = 32, /* compressed to 1 bit a coefficient */
    PP_POLY_NOISE_BYTES_MAX = 192,
};

struct pp_poly {
    int16_t c[PP_MLKEM_N];
};

/* A vector in the NTT domain, and per pair of coefficients the odd one times the pair's root. */
struct pp_polyvec {
    struct pp_poly p[PP_MLKEM_K_MAX];
    int16_t rooted[PP_MLKEM_K_MAX][PP_MLKEM_N / 2];
};

void pp_poly_ntt(struct pp_poly *p);                              /* takes -q..q, gives -q/2..q/2 */
void pp_poly_invert_ntt(struct pp_poly *p);                       /* takes products, gives -q..q */
void pp_poly_add(struct pp_poly *p, const struct pp_poly *other); /* the sum must fit 16 bits */
void pp_poly_reduce(struct pp_poly *p);                           /* any; gives -q/2..q/2 */

/* The roots, after all `k` of v->p went through pp_poly_ntt. */
void pp_polyvec_prepare(struct pp_polyvec *v, size_t k);

/*
 * ret = a[0] b[0] + a[stride] b[1] + ..., `k` products, times 2^-16; takes -q..q, gives -q..q. A
 * row of a matrix has the stride 1, a column the length of a row. k is 2, 3 or 4.
 */
void pp_polyvec_dot(const struct pp_poly *a, size_t stride, const struct pp_polyvec *b, size_t k,
                    struct pp_poly *ret);
void pp_poly_lift(struct pp_poly *p); /* times 2^16, for a product that stays in the NTT domain */

/* Algorithm 7: a uniform polynomial of the NTT domain, from the public seed || column || row. */
void pp_poly_sample_public(const uint8_t seed[32], uint8_t column, uint8_t row,
                           struct pp_poly *ret);
/* Algorithm 8 on 64 eta bytes: gives -eta..eta. `eta` is 2 or 3. */
void pp_poly_noise(const uint8_t *bytes, unsigned eta, struct pp_poly *ret);

/* ByteEncode12 of any -q..q; ByteDecode12, which returns 1 if every coefficient was below q. */
void pp_poly_write(const struct pp_poly *p, uint8_t ret[PP_POLY_BYTES]);
uint32_t pp_poly_read(const uint8_t bytes[PP_POLY_BYTES], struct pp_poly *ret);

/*
 * Compress and ByteEncode, ByteDecode and Decompress; writers take -q..q, readers give 0..q-1. A
 * polynomial is 32 bytes a bit. `bits` is 4, 5, 10 or 11 for ciphertexts and 1 for messages.
 */
void pp_poly_compress(const struct pp_poly *p, unsigned bits, uint8_t *ret);
void pp_poly_decompress(const uint8_t *bytes, unsigned bits, struct pp_poly *ret);
void pp_poly_write_1(const struct pp_poly *p, uint8_t ret[PP_POLY_1_BYTES]);
void pp_poly_read_1(const uint8_t bytes[PP_POLY_1_BYTES], struct pp_poly *ret);

#endif
