/* SPDX-License-Identifier: Apache-2.0 */
/* oprf_int.h: what a suite is made of, its hashes, and the proof of equal discrete logarithms. */
#ifndef PP_OPRF_INT_H
#define PP_OPRF_INT_H

#include "ct.h"
#include "hash.h"
#include "oprf.h"

enum { PP_OPRF_UNIFORM_BYTES_MAX = 144 }; /* that make one element: two field elements of P-384 */

/*
 * Arithmetic on encodings. Secret scalars and elements are told apart from public ones nowhere:
 * every function is constant in time where the suite can be (oprf.h). Scalars that are passed in
 * were checked or made by these functions. `ret` may be one of the inputs.
 */
struct pp_oprf_suite {
    const char *identifier;
    enum pp_hash_id hash;
    size_t element_bytes, scalar_bytes;
    size_t wide_bytes;    /* of random or hashed bytes that make one scalar */
    size_t uniform_bytes; /* of hashed bytes that make one element */

    pp_res (*map)(const uint8_t *uniform, uint8_t *ret_element); /* may give the identity */
    pp_res (*reduce)(const uint8_t *wide, uint8_t *ret_scalar);

    pp_res (*element_check)(const uint8_t *element);
    /* KEY: no element, or the identity; an element times a scalar other than zero is one. */
    pp_res (*multiply)(const uint8_t *scalar, const uint8_t *element, uint8_t *ret);
    pp_res (*multiply_base)(const uint8_t *scalar, uint8_t *ret);
    pp_res (*add)(const uint8_t *a, const uint8_t *b, uint8_t *ret); /* KEY: gives the identity */

    pp_res (*canonical)(const uint8_t *scalar); /* ENCODING unless below the order */
    pp_res (*scalar_add)(const uint8_t *a, const uint8_t *b, uint8_t *ret);
    pp_res (*scalar_sub)(const uint8_t *a, const uint8_t *b, uint8_t *ret);
    pp_res (*scalar_mul)(const uint8_t *a, const uint8_t *b, uint8_t *ret);
    pp_res (*scalar_invert)(const uint8_t *a, uint8_t *ret);
};

/* Bytes on the stack that may be secret: PP_AUTO(pp_oprf_scratch) wipes them however we leave. */
struct pp_oprf_scratch {
    uint8_t bytes[PP_OPRF_UNIFORM_BYTES_MAX];
};

static inline void pp_oprf_scratch_done(struct pp_oprf_scratch *s)
{
    pp_wipe(s, sizeof *s);
}

/* --- hashes (oprf_hash.c) -------------------------------------------------------------------- */

/* expand_message_xmd (RFC 9380 5.3.1): the message is hashed between the two. DST = label ||
 * contextString. At most PP_OPRF_UNIFORM_BYTES_MAX bytes come out. */
void pp_oprf_expand_begin(const struct pp_oprf_suite *s, struct pp_hash *h);
void pp_oprf_expand_end(const struct pp_oprf_suite *s, enum pp_oprf_mode mode, const char *label,
                        struct pp_hash *h, uint8_t *ret, size_t len);

/* HashToScalar of what was hashed since _begin. */
PP_MUST pp_res pp_oprf_scalar_end(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                                  const char *label, struct pp_hash *h, uint8_t *ret);

/* HashToGroup. RANGE; KEY for the identity. */
PP_MUST pp_res pp_oprf_hash_to_group(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                                     struct pp_span input, uint8_t *ret);

void pp_oprf_hash_block16(struct pp_hash *h, struct pp_span bytes);
void pp_oprf_hash_context(const struct pp_oprf_suite *s, struct pp_hash *h, enum pp_oprf_mode mode,
                          const char *label); /* label || contextString, behind its length */
void pp_oprf_hash_element(const struct pp_oprf_suite *s, struct pp_hash *h, const uint8_t *element);

/* --- the proof (oprf_proof.c) ---------------------------------------------------------------- */

/* What is proven: log_G(pk) == log_C[i](D[i]) for every i. All public. */
struct pp_oprf_statement {
    const struct pp_oprf_suite *suite;
    enum pp_oprf_mode mode; /* for the context string alone */
    const uint8_t *pk;
    const uint8_t *c, *d; /* `count` elements each */
    size_t count;
};

/* A random scalar other than zero. RANDOM. */
PP_MUST pp_res pp_oprf_random_scalar(const struct pp_oprf_suite *s, const struct pp_random *random,
                                     uint8_t *ret);

/* `k_secret` is the checked logarithm. RANDOM, KEY. */
PP_MUST pp_res pp_oprf_prove(const struct pp_oprf_statement *st, const uint8_t *k_secret,
                             const struct pp_random *random, uint8_t *ret_proof);

/* PROOF, KEY (with the index of what is no element; pk is checked by the caller), or ENCODING for
 * scalars that are not canonical. */
PP_MUST pp_res pp_oprf_prove_check(const struct pp_oprf_statement *st, const uint8_t *proof);

#endif
