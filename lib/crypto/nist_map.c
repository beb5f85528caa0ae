/* SPDX-License-Identifier: Apache-2.0 */
/* P256_XMD:SHA-256_SSWU_RO_ and P384_XMD:SHA-384_SSWU_RO_ (RFC 9380 8.2, 8.3), behind the hash. */
#include "nist_int.h"

/* Arithmetic modulo p. The first call that fails makes `ok` 0, and it stays so. */
struct field {
    const struct pp_nist_curve *c;
    BN_CTX *ctx;
    int ok;
};

static BIGNUM *element(struct field *f)
{
    BIGNUM *e = f->ok ? BN_CTX_get(f->ctx) : NULL;

    f->ok = e != NULL;
    if (e != NULL)
        BN_set_flags(e, BN_FLG_CONSTTIME);
    return e;
}

static void multiply(struct field *f, BIGNUM *r, const BIGNUM *a, const BIGNUM *b)
{
    f->ok = f->ok && BN_mod_mul(r, a, b, f->c->p, f->ctx) == 1;
}

static void add(struct field *f, BIGNUM *r, const BIGNUM *a, const BIGNUM *b)
{
    f->ok = f->ok && BN_mod_add(r, a, b, f->c->p, f->ctx) == 1;
}

static void negate(struct field *f, BIGNUM *r, const BIGNUM *a)
{
    f->ok = f->ok && BN_mod_sub(r, f->c->p, a, f->c->p, f->ctx) == 1;
}

static void power(struct field *f, BIGNUM *r, const BIGNUM *a, const BIGNUM *exponent)
{
    f->ok = f->ok && BN_mod_exp_mont_consttime(r, a, exponent, f->c->p, f->ctx, NULL) == 1;
}

/* a and b change places if `swap` is 1; which one it was does not show. */
static void swap(struct field *f, int yes, BIGNUM *a, BIGNUM *b)
{
    int words = ((int)f->c->field_bytes + BN_BYTES - 1) / BN_BYTES;

    f->ok = f->ok && BN_set_bit(a, 8 * words * BN_BYTES) == 1 &&
            BN_set_bit(b, 8 * words * BN_BYTES) == 1;
    if (!f->ok)
        return;
    BN_consttime_swap((BN_ULONG)yes, a, b, words + 1);
    f->ok = BN_clear_bit(a, 8 * words * BN_BYTES) == 1 &&
            BN_clear_bit(b, 8 * words * BN_BYTES) == 1;
}

/* y = the square root of x^3 + a * x + b; 1 if there is one. */
static int curve_root(struct field *f, const BIGNUM *x, BIGNUM *y)
{
    BIGNUM *square = element(f), *again = element(f);

    if (!f->ok)
        return 0;
    multiply(f, square, x, x);
    add(f, square, square, f->c->a);
    multiply(f, square, square, x);
    add(f, square, square, f->c->b);
    power(f, y, square, f->c->root);
    multiply(f, again, y, y);
    return f->ok && BN_cmp(again, square) == 0;
}

/* The two candidates for x: one of them, or both, are on the curve. */
static void candidates(struct field *f, const BIGNUM *u, BIGNUM *x1, BIGNUM *x2)
{
    BIGNUM *zu2 = element(f), *t = element(f), *z = element(f), *other = element(f);

    f->ok = f->ok && BN_set_word(z, f->c->z_negated) == 1;
    if (!f->ok)
        return;
    negate(f, z, z);
    multiply(f, zu2, u, u);
    multiply(f, zu2, zu2, z);
    multiply(f, t, zu2, zu2);
    add(f, t, t, zu2);
    power(f, t, t, f->c->p_minus_2); /* inv0: zero stays zero */
    int exceptional = f->ok && BN_is_zero(t);

    add(f, x1, t, BN_value_one()); /* x1 = (-b / a) * (1 + t), or b / (z * a) if t is 0 */
    negate(f, other, f->c->b);
    multiply(f, x1, x1, other);
    power(f, t, f->c->a, f->c->p_minus_2);
    multiply(f, x1, x1, t);
    power(f, other, z, f->c->p_minus_2);
    multiply(f, other, other, f->c->b);
    multiply(f, other, other, t);
    swap(f, exceptional, x1, other);
    multiply(f, x2, zu2, x1);
}

static void map_to_curve(struct field *f, const BIGNUM *u, EC_POINT *ret)
{
    BIGNUM *x1 = element(f), *x2 = element(f), *y1 = element(f), *y2 = element(f);

    if (!f->ok)
        return;
    candidates(f, u, x1, x2);
    int first = curve_root(f, x1, y1);
    int second = curve_root(f, x2, y2);
    f->ok = f->ok && (first || second);
    swap(f, !first, x1, x2);
    swap(f, !first, y1, y2);
    negate(f, y2, y1);
    swap(f, f->ok && BN_is_odd(u) != BN_is_odd(y1), y1, y2); /* sgn0 */
    f->ok = f->ok && EC_POINT_set_affine_coordinates(f->c->group, ret, x1, y1, f->ctx) == 1;
}

static void hash_to_curve(struct field *f, const uint8_t *uniform, EC_POINT *ret, EC_POINT *second)
{
    int len = (int)f->c->expand_bytes;
    BIGNUM *u0 = element(f), *u1 = element(f);

    f->ok = f->ok && BN_bin2bn(uniform, len, u0) != NULL &&
            BN_bin2bn(uniform + len, len, u1) != NULL && BN_nnmod(u0, u0, f->c->p, f->ctx) == 1 &&
            BN_nnmod(u1, u1, f->c->p, f->ctx) == 1;
    map_to_curve(f, u0, ret);
    map_to_curve(f, u1, second);
    f->ok = f->ok && EC_POINT_add(f->c->group, ret, ret, second, f->ctx) == 1;
}

pp_res pp_nist_hash_to_curve(const struct pp_nist_curve *c, const uint8_t *uniform, EC_POINT *ret,
                             BN_CTX *ctx)
{
    struct field f = { .c = c, .ctx = ctx, .ok = 1 };
    EC_POINT *second = EC_POINT_new(c->group);

    PP_CHECK(second != NULL, PP_E_NO_MEMORY, 0);
    BN_CTX_start(ctx);
    hash_to_curve(&f, uniform, ret, second);
    BN_CTX_end(ctx);
    EC_POINT_clear_free(second);
    PP_CHECK(f.ok, PP_E_CRYPTO, 0);
    return PP_OK;
}
