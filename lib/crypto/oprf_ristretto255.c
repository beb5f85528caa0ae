/* SPDX-License-Identifier: Apache-2.0 */
/* ristretto255-SHA512 (RFC 9497 4.1), on libsodium. */
#include "oprf_int.h"

#include <sodium.h>

_Static_assert(PP_OPRF_ELEMENT_BYTES == crypto_core_ristretto255_BYTES, "sizes agree");
_Static_assert(PP_OPRF_SCALAR_BYTES == crypto_core_ristretto255_SCALARBYTES, "sizes agree");
_Static_assert(PP_OPRF_RANDOM_BYTES == crypto_core_ristretto255_NONREDUCEDSCALARBYTES,
               "sizes agree");
_Static_assert(PP_SHA512_BYTES == crypto_core_ristretto255_HASHBYTES, "sizes agree");

static pp_res map(const uint8_t *uniform, uint8_t *ret_element)
{
    PP_CHECK(crypto_core_ristretto255_from_hash(ret_element, uniform) == 0, PP_E_CRYPTO, 0);
    PP_REVEAL(
        ret_element, PP_OPRF_ELEMENT_BYTES,
        "libsodium checks every element that it reads; one that it wrote itself always passes");
    return PP_OK;
}

static pp_res reduce(const uint8_t *wide, uint8_t *ret_scalar)
{
    crypto_core_ristretto255_scalar_reduce(ret_scalar, wide);
    return PP_OK;
}

static pp_res element_check(const uint8_t *element)
{
    PP_CHECK(crypto_core_ristretto255_is_valid_point(element) == 1, PP_E_KEY, 0);
    PP_CHECK(pp_ct_is_zero(element, PP_OPRF_ELEMENT_BYTES) == 0, PP_E_KEY, 0);
    return PP_OK;
}

/*
 * libsodium refuses non-canonical encodings and the identity as a result, and a result is the
 * identity only if the scalar is zero or the element was the identity.
 */
static pp_res multiply(const uint8_t *scalar, const uint8_t *element, uint8_t *ret)
{
    PP_AUTO(pp_oprf_scratch) product;
    int failed = crypto_scalarmult_ristretto255(product.bytes, scalar, element);

    PP_REVEAL(&failed, sizeof failed, "scalars are not zero here: this tells of the element alone");
    PP_CHECK(failed == 0, PP_E_KEY, 0);
    memcpy(ret, product.bytes, PP_OPRF_ELEMENT_BYTES);
    return PP_OK;
}

static pp_res multiply_base(const uint8_t *scalar, uint8_t *ret)
{
    PP_AUTO(pp_oprf_scratch) product;
    int failed = crypto_scalarmult_ristretto255_base(product.bytes, scalar);

    PP_REVEAL(&failed, sizeof failed, "set for a zero scalar alone, which no key or nonce is");
    PP_CHECK(failed == 0, PP_E_KEY, 0);
    memcpy(ret, product.bytes, PP_OPRF_ELEMENT_BYTES);
    return PP_OK;
}

static pp_res add(const uint8_t *a, const uint8_t *b, uint8_t *ret)
{
    uint8_t sum[PP_OPRF_ELEMENT_BYTES];

    PP_CHECK(crypto_core_ristretto255_add(sum, a, b) == 0, PP_E_KEY, 0);
    PP_CHECK(pp_ct_is_zero(sum, sizeof sum) == 0, PP_E_KEY, 0);
    memcpy(ret, sum, sizeof sum);
    return PP_OK;
}

/* Without telling which scalar it is. */
static pp_res canonical(const uint8_t *scalar)
{
    PP_AUTO(pp_oprf_scratch) wide = { 0 };
    PP_AUTO(pp_oprf_scratch) reduced;

    memcpy(wide.bytes, scalar, PP_OPRF_SCALAR_BYTES);
    crypto_core_ristretto255_scalar_reduce(reduced.bytes, wide.bytes);
    uint32_t same = pp_ct_eq(reduced.bytes, scalar, PP_OPRF_SCALAR_BYTES);
    PP_REVEAL(&same, sizeof same,
              "that a scalar is well-formed says nothing about which one it is");
    PP_CHECK(same == 1, PP_E_ENCODING, 0);
    return PP_OK;
}

static pp_res scalar_add(const uint8_t *a, const uint8_t *b, uint8_t *ret)
{
    crypto_core_ristretto255_scalar_add(ret, a, b);
    return PP_OK;
}

static pp_res scalar_sub(const uint8_t *a, const uint8_t *b, uint8_t *ret)
{
    crypto_core_ristretto255_scalar_sub(ret, a, b);
    return PP_OK;
}

static pp_res scalar_mul(const uint8_t *a, const uint8_t *b, uint8_t *ret)
{
    crypto_core_ristretto255_scalar_mul(ret, a, b);
    return PP_OK;
}

static pp_res scalar_invert(const uint8_t *a, uint8_t *ret)
{
    int failed = crypto_core_ristretto255_scalar_invert(ret, a);

    PP_REVEAL(&failed, sizeof failed, "set for zero alone, which was refused before");
    PP_CHECK(failed == 0, PP_E_CRYPTO, 0);
    return PP_OK;
}

const struct pp_oprf_suite PP_RISTRETTO255_SHA512 = {
    .identifier = "ristretto255-SHA512",
    .hash = PP_SHA512,
    .element_bytes = PP_OPRF_ELEMENT_BYTES,
    .scalar_bytes = PP_OPRF_SCALAR_BYTES,
    .wide_bytes = PP_OPRF_RANDOM_BYTES,
    .uniform_bytes = PP_SHA512_BYTES,
    .map = map,
    .reduce = reduce,
    .element_check = element_check,
    .multiply = multiply,
    .multiply_base = multiply_base,
    .add = add,
    .canonical = canonical,
    .scalar_add = scalar_add,
    .scalar_sub = scalar_sub,
    .scalar_mul = scalar_mul,
    .scalar_invert = scalar_invert,
};
