/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oprf.h: OPRF, VOPRF and POPRF (RFC 9497).
 *
 * Elements and scalars are byte strings of the suite's lengths. Non-canonical encodings, the
 * identity element and zero keys are refused. Proofs are made of public values except for the key
 * and its nonce, and checked on public values alone. Secret outputs go into memory of the caller,
 * which wipes it (struct pp_secret).
 *
 * `random` gives PP_OPRF_RANDOM_BYTES a scalar, taken as a little-endian number modulo the group
 * order (in the NIST suites 48 or 72 bytes, big-endian, as hash_to_field has it).
 */
#ifndef PP_OPRF_H
#define PP_OPRF_H

#include "env.h"
#include "result.h"
#include "secret.h"
#include "span.h"

/* The mode separates the hashes of one key's uses (RFC 9497 3.1); its number is on the wire. */
enum pp_oprf_mode { PP_OPRF = 0, PP_VOPRF = 1, PP_POPRF = 2 };

/* A group and its hash (RFC 9497 4). */
struct pp_oprf_suite;

/* What pp uses. All that depends on a private key, a blind or an input runs in constant time. */
extern const struct pp_oprf_suite PP_RISTRETTO255_SHA512;

/*
 * For published vectors and for work with other people's software, and nothing else: multiplication
 * by secrets is OpenSSL's, constant in time, but hashing to the curve runs on OpenSSL's numbers,
 * which are not quite, and every call decodes its points again.
 */
extern const struct pp_oprf_suite PP_P256_SHA256, PP_P384_SHA384;

enum {
    /* of ristretto255-SHA512 */
    PP_OPRF_ELEMENT_BYTES = 32, /* Ne */
    PP_OPRF_SCALAR_BYTES = 32,  /* Ns, little-endian */
    PP_OPRF_OUTPUT_BYTES = 64,  /* Nh */
    PP_OPRF_PROOF_BYTES = 64,   /* c || s */
    PP_OPRF_RANDOM_BYTES = 64,  /* taken from `random` for each scalar */
    /* of the largest suite, P384-SHA384, or Nh of the above */
    PP_OPRF_ELEMENT_BYTES_MAX = 49,
    PP_OPRF_SCALAR_BYTES_MAX = 48,
    PP_OPRF_OUTPUT_BYTES_MAX = 64,
    PP_OPRF_PROOF_BYTES_MAX = 96,
    PP_OPRF_RANDOM_BYTES_MAX = 72,

    PP_OPRF_SEED_BYTES = 32,         /* of DeriveKeyPair, in every suite */
    PP_OPRF_INPUT_BYTES_MAX = 65535, /* of an input, and of an info */
    PP_OPRF_BATCH_MAX = 128,         /* our limit; the RFC allows 65535 */
};

size_t pp_oprf_element_bytes(const struct pp_oprf_suite *s);
size_t pp_oprf_scalar_bytes(const struct pp_oprf_suite *s); /* a proof has two */
size_t pp_oprf_output_bytes(const struct pp_oprf_suite *s);
size_t pp_oprf_random_bytes(const struct pp_oprf_suite *s);

/*
 * DeriveKeyPair (3.2.1). `*ret_sk` becomes a secret of Ns bytes that the caller releases. Fails
 * with RANGE (seed not 32 bytes, info above 65535), KEY (no counter gave a key) or as
 * pp_secret_alloc.
 */
PP_MUST pp_res pp_oprf_derive_key(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                                  struct pp_span seed_secret, struct pp_span info,
                                  struct pp_secret *ret_sk, uint8_t *ret_pk);

/* pk = sk * G. KEY for a zero or non-canonical scalar. */
PP_MUST pp_res pp_oprf_public(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                              uint8_t *ret_pk);

/* KEY unless it is the canonical encoding of an element other than the identity. */
PP_MUST pp_res pp_oprf_element_check(const struct pp_oprf_suite *s, const uint8_t *element);

/*
 * Blind (3.3): a fresh non-zero blind, and the blinded element. Fails with RANGE (input too long),
 * KEY (the input hashes to the identity: nobody has found one) or RANDOM.
 */
PP_MUST pp_res pp_oprf_blind(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                             struct pp_span input, const struct pp_random *random,
                             uint8_t *ret_blind_secret, uint8_t *ret_blinded);

/* BlindEvaluate of OPRF mode, one element, unproven. KEY for a bad key or element. */
PP_MUST pp_res pp_oprf_evaluate_blinded(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                                        const uint8_t *blinded, uint8_t *ret);

/*
 * BlindEvaluate of VOPRF mode: evaluates `count` (1..PP_OPRF_BATCH_MAX) elements, one behind the
 * other, and proves them all under one DLEQ proof (2.2.1). `pk` is the public key of `sk_secret`:
 * with another one the proof is wrong. One bad element refuses the whole batch: KEY with its index.
 * RANGE (count), RANDOM. Outputs do not overlap inputs.
 */
PP_MUST pp_res pp_voprf_evaluate_batch(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                                       const uint8_t *pk, const uint8_t *blinded, size_t count,
                                       const struct pp_random *random, uint8_t *ret_evaluated,
                                       uint8_t *ret_proof);

/*
 * VerifyProof (2.2.2) of such a batch. PROOF when it does not verify; KEY for a bad element, with
 * its index, or a bad key; ENCODING for a proof of non-canonical scalars; RANGE (count).
 */
PP_MUST pp_res pp_voprf_verify_batch(const struct pp_oprf_suite *s, const uint8_t *pk,
                                     const uint8_t *blinded, const uint8_t *evaluated, size_t count,
                                     const uint8_t *proof);

/*
 * Unblinds and hashes (3.3.1). In VOPRF mode the proof is checked before, with
 * pp_voprf_verify_batch: nothing here would notice a wrong element. KEY for a bad blind or element,
 * RANGE (input).
 */
PP_MUST pp_res pp_oprf_finalize(const struct pp_oprf_suite *s, struct pp_span input,
                                struct pp_span blind_secret, const uint8_t *evaluated,
                                uint8_t *ret_output);

/* Evaluate of OPRF and VOPRF mode: the same output from the private key; what a redeemer compares.
 * KEY, RANGE. */
PP_MUST pp_res pp_oprf_evaluate(const struct pp_oprf_suite *s, enum pp_oprf_mode mode,
                                struct pp_span sk_secret, struct pp_span input,
                                uint8_t *ret_output);

/* --- POPRF (3.3.3): one key, and a public `info` that both sides mix into it ------------------ */

/*
 * The tweaked key m * G + pk of a client: it belongs to `info`, and every batch under both is
 * verified with it. KEY: a bad key, or the identity as the sum, which a server would have chosen.
 * RANGE (info).
 */
PP_MUST pp_res pp_poprf_tweak(const struct pp_oprf_suite *s, const uint8_t *pk, struct pp_span info,
                              uint8_t *ret_tweaked);

/* BlindEvaluate: as pp_voprf_evaluate_batch. KEY also when `info` and the key give zero: then the
 * client has found the key, and it must be replaced (7.3). */
PP_MUST pp_res pp_poprf_evaluate_batch(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                                       struct pp_span info, const uint8_t *blinded, size_t count,
                                       const struct pp_random *random, uint8_t *ret_evaluated,
                                       uint8_t *ret_proof);

/* As pp_voprf_verify_batch, under the tweaked key. */
PP_MUST pp_res pp_poprf_verify_batch(const struct pp_oprf_suite *s, const uint8_t *tweaked,
                                     const uint8_t *blinded, const uint8_t *evaluated, size_t count,
                                     const uint8_t *proof);

/* Behind pp_poprf_verify_batch, as pp_oprf_finalize. */
PP_MUST pp_res pp_poprf_finalize(const struct pp_oprf_suite *s, struct pp_span input,
                                 struct pp_span info, struct pp_span blind_secret,
                                 const uint8_t *evaluated, uint8_t *ret_output);

PP_MUST pp_res pp_poprf_evaluate(const struct pp_oprf_suite *s, struct pp_span sk_secret,
                                 struct pp_span input, struct pp_span info, uint8_t *ret_output);

#endif
