/* SPDX-License-Identifier: Apache-2.0 */
/* P256-SHA256 and P384-SHA384 (RFC 9497 4.3, 4.4), on OpenSSL: see oprf.h for what they are for. */
#include "nist_int.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>

#include "oprf_int.h"

static struct pp_nist_curve p256 = {
    .nid = NID_X9_62_prime256v1, .z_negated = 10, .field_bytes = 32, .expand_bytes = 48
};
static struct pp_nist_curve p384 = {
    .nid = NID_secp384r1, .z_negated = 12, .field_bytes = 48, .expand_bytes = 72
};
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- curves, made once ----------------------------------------------------------------------- */

static int fill(struct pp_nist_curve *c)
{
    c->group = EC_GROUP_new_by_curve_name(c->nid);
    c->p = BN_new();
    c->a = BN_new();
    c->b = BN_new();
    c->p_minus_2 = BN_new();
    c->root = BN_new();
    if (c->group == NULL || c->p == NULL || c->a == NULL || c->b == NULL || c->p_minus_2 == NULL ||
        c->root == NULL || EC_GROUP_get_curve(c->group, c->p, c->a, c->b, NULL) != 1)
        return 0;
    c->n = BN_dup(EC_GROUP_get0_order(c->group));
    c->n_minus_2 = BN_dup(c->n);
    return c->n != NULL && c->n_minus_2 != NULL && BN_sub_word(c->n_minus_2, 2) == 1 &&
           BN_copy(c->p_minus_2, c->p) != NULL && BN_sub_word(c->p_minus_2, 2) == 1 &&
           BN_copy(c->root, c->p) != NULL && BN_add_word(c->root, 1) == 1 &&
           BN_rshift(c->root, c->root, 2) == 1; /* both primes are 3 modulo 4 */
}

static void fill_all(void)
{
    PP_ASSERT(fill(&p256) && fill(&p384)); /* out of memory at the first use */
}

/* Numbers and points of one computation; OpenSSL wipes what it frees here. */
struct work {
    BN_CTX *ctx;
    EC_POINT *point, *other;
    BIGNUM *x, *y;
};

static void work_done(struct work *w)
{
    EC_POINT_clear_free(w->point);
    EC_POINT_clear_free(w->other);
    BN_clear_free(w->x);
    BN_clear_free(w->y);
    BN_CTX_free(w->ctx);
    ERR_clear_error();
}

static pp_res work_init(struct work *w, const struct pp_nist_curve *c)
{
    PP_ASSERT(pthread_once(&once, fill_all) == 0);
    w->ctx = BN_CTX_new();
    w->point = EC_POINT_new(c->group);
    w->other = EC_POINT_new(c->group);
    w->x = BN_new();
    w->y = BN_new();
    PP_CHECK(w->ctx != NULL && w->point != NULL && w->other != NULL && w->x != NULL && w->y != NULL,
             PP_E_NO_MEMORY, 0);
    BN_set_flags(w->x, BN_FLG_CONSTTIME);
    BN_set_flags(w->y, BN_FLG_CONSTTIME);
    return PP_OK;
}

static pp_res number(const uint8_t *bytes, size_t len, BIGNUM *ret)
{
    PP_CHECK(BN_bin2bn(bytes, (int)len, ret) != NULL, PP_E_NO_MEMORY, 0);
    return PP_OK;
}

static pp_res number_write(const struct pp_nist_curve *c, const BIGNUM *b, uint8_t *ret)
{
    PP_CHECK(BN_bn2binpad(b, ret, (int)c->field_bytes) == (int)c->field_bytes, PP_E_CRYPTO, 0);
    return PP_OK;
}

/* SEC 1, compressed: 02 or 03 and x, which is below p and on the curve. */
static pp_res point(const struct pp_nist_curve *c, struct work *w, const uint8_t *element,
                    EC_POINT *ret)
{
    PP_CHECK(EC_POINT_oct2point(c->group, ret, element, c->field_bytes + 1, w->ctx) == 1, PP_E_KEY,
             0);
    return PP_OK;
}

/* The identity has no encoding of this length. */
static pp_res point_write(const struct pp_nist_curve *c, struct work *w, const EC_POINT *p,
                          uint8_t *ret)
{
    size_t len = c->field_bytes + 1;

    PP_CHECK(EC_POINT_is_at_infinity(c->group, p) == 0, PP_E_KEY, 0);
    PP_CHECK(EC_POINT_point2oct(c->group, p, POINT_CONVERSION_COMPRESSED, ret, len, w->ctx) == len,
             PP_E_CRYPTO, 0);
    return PP_OK;
}

/* --- elements -------------------------------------------------------------------------------- */

static pp_res map(const struct pp_nist_curve *c, const uint8_t *uniform, uint8_t *ret_element)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(pp_nist_hash_to_curve(c, uniform, w.point, w.ctx));
    return point_write(c, &w, w.point, ret_element);
}

static pp_res element_check(const struct pp_nist_curve *c, const uint8_t *element)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    return point(c, &w, element, w.point);
}

static pp_res multiply(const struct pp_nist_curve *c, const uint8_t *scalar, const uint8_t *element,
                       uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(point(c, &w, element, w.point));
    PP_TRY(number(scalar, c->field_bytes, w.x));
    PP_CHECK(EC_POINT_mul(c->group, w.other, NULL, w.point, w.x, w.ctx) == 1, PP_E_CRYPTO, 0);
    return point_write(c, &w, w.other, ret);
}

static pp_res multiply_base(const struct pp_nist_curve *c, const uint8_t *scalar, uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(number(scalar, c->field_bytes, w.x));
    PP_CHECK(EC_POINT_mul(c->group, w.point, w.x, NULL, NULL, w.ctx) == 1, PP_E_CRYPTO, 0);
    return point_write(c, &w, w.point, ret);
}

static pp_res add(const struct pp_nist_curve *c, const uint8_t *a, const uint8_t *b, uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(point(c, &w, a, w.point));
    PP_TRY(point(c, &w, b, w.other));
    PP_CHECK(EC_POINT_add(c->group, w.point, w.point, w.other, w.ctx) == 1, PP_E_CRYPTO, 0);
    return point_write(c, &w, w.point, ret);
}

/* --- scalars --------------------------------------------------------------------------------- */

static pp_res reduce(const struct pp_nist_curve *c, const uint8_t *wide, uint8_t *ret_scalar)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(number(wide, c->expand_bytes, w.x));
    PP_CHECK(BN_nnmod(w.y, w.x, c->n, w.ctx) == 1, PP_E_CRYPTO, 0);
    return number_write(c, w.y, ret_scalar);
}

static pp_res canonical(const struct pp_nist_curve *c, const uint8_t *scalar)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(number(scalar, c->field_bytes, w.x));
    PP_CHECK(BN_cmp(w.x, c->n) < 0, PP_E_ENCODING, 0);
    return PP_OK;
}

typedef int operation(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx);

static pp_res combine(const struct pp_nist_curve *c, operation *op, const uint8_t *a,
                      const uint8_t *b, uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(number(a, c->field_bytes, w.x));
    PP_TRY(number(b, c->field_bytes, w.y));
    PP_CHECK(op(w.x, w.x, w.y, c->n, w.ctx) == 1, PP_E_CRYPTO, 0);
    return number_write(c, w.x, ret);
}

/* By Fermat, whose steps are the same for every number. */
static pp_res scalar_invert(const struct pp_nist_curve *c, const uint8_t *a, uint8_t *ret)
{
    PP_AUTO(work) w = { 0 };

    PP_TRY(work_init(&w, c));
    PP_TRY(number(a, c->field_bytes, w.x));
    PP_CHECK(BN_mod_exp_mont_consttime(w.y, w.x, c->n_minus_2, c->n, w.ctx, NULL) == 1, PP_E_CRYPTO,
             0);
    return number_write(c, w.y, ret);
}

/* --- suites ---------------------------------------------------------------------------------- */

/* The functions of a suite know their curve. */
/* clang-format off */
#define OF_ELEMENTS(curve)                                                                         \
    static pp_res curve##_map(const uint8_t *u, uint8_t *r) { return map(&curve, u, r); }          \
    static pp_res curve##_check(const uint8_t *e) { return element_check(&curve, e); }             \
    static pp_res curve##_multiply(const uint8_t *s, const uint8_t *e, uint8_t *r)                 \
        { return multiply(&curve, s, e, r); }                                                      \
    static pp_res curve##_base(const uint8_t *s, uint8_t *r)                                       \
        { return multiply_base(&curve, s, r); }                                                    \
    static pp_res curve##_add(const uint8_t *a, const uint8_t *b, uint8_t *r)                      \
        { return add(&curve, a, b, r); }
#define OF_SCALARS(curve)                                                                          \
    static pp_res curve##_reduce(const uint8_t *w, uint8_t *r) { return reduce(&curve, w, r); }    \
    static pp_res curve##_canonical(const uint8_t *s) { return canonical(&curve, s); }             \
    static pp_res curve##_scalar_add(const uint8_t *a, const uint8_t *b, uint8_t *r)               \
        { return combine(&curve, BN_mod_add, a, b, r); }                                           \
    static pp_res curve##_scalar_sub(const uint8_t *a, const uint8_t *b, uint8_t *r)               \
        { return combine(&curve, BN_mod_sub, a, b, r); }                                           \
    static pp_res curve##_scalar_mul(const uint8_t *a, const uint8_t *b, uint8_t *r)               \
        { return combine(&curve, BN_mod_mul, a, b, r); }                                           \
    static pp_res curve##_invert(const uint8_t *a, uint8_t *r)                                     \
        { return scalar_invert(&curve, a, r); }
#define FUNCTIONS(curve)                                                                           \
    .map = curve##_map, .reduce = curve##_reduce, .element_check = curve##_check,                  \
    .multiply = curve##_multiply, .multiply_base = curve##_base, .add = curve##_add,               \
    .canonical = curve##_canonical, .scalar_add = curve##_scalar_add,                              \
    .scalar_sub = curve##_scalar_sub, .scalar_mul = curve##_scalar_mul,                            \
    .scalar_invert = curve##_invert

OF_ELEMENTS(p256)
OF_SCALARS(p256)
OF_ELEMENTS(p384)
OF_SCALARS(p384)
/* clang-format on */

const struct pp_oprf_suite PP_P256_SHA256 = {
    .identifier = "P256-SHA256",
    .hash = PP_SHA256,
    .element_bytes = 33,
    .scalar_bytes = 32,
    .wide_bytes = 48,
    .uniform_bytes = 96,
    FUNCTIONS(p256),
};

const struct pp_oprf_suite PP_P384_SHA384 = {
    .identifier = "P384-SHA384",
    .hash = PP_SHA384,
    .element_bytes = PP_OPRF_ELEMENT_BYTES_MAX,
    .scalar_bytes = PP_OPRF_SCALAR_BYTES_MAX,
    .wide_bytes = PP_OPRF_RANDOM_BYTES_MAX,
    .uniform_bytes = PP_OPRF_UNIFORM_BYTES_MAX,
    FUNCTIONS(p384),
};
