/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oprf.h: OPRF and VOPRF on ristretto255-SHA512 (RFC 9497).
 *
 * Elements and scalars are 32-byte strings. Non-canonical encodings, the identity element and zero
 * keys are refused. Everything that depends on a private key, a blind or an input runs in constant
 * time; proofs are made of public values except for the key and its nonce, and checked on public
 * values alone. Secret outputs go into memory of the caller, which wipes it (struct pp_secret).
 *
 * `random` gives 64 bytes a scalar, taken as a little-endian number modulo the group order.
 */
#ifndef PP_OPRF_H
#define PP_OPRF_H

#include "env.h"
#include "result.h"
#include "secret.h"
#include "span.h"

/* The mode separates the hashes of one key's uses (RFC 9497 3.1); its number is on the wire. */
enum pp_oprf_mode { PP_OPRF = 0, PP_VOPRF = 1 };

enum {
    PP_OPRF_ELEMENT_BYTES = 32, /* Ne */
    PP_OPRF_SCALAR_BYTES = 32,  /* Ns, little-endian */
    PP_OPRF_SEED_BYTES = 32,    /* Ns; of DeriveKeyPair */
    PP_OPRF_OUTPUT_BYTES = 64,  /* Nh */
    PP_OPRF_PROOF_BYTES = 64,   /* c || s */
    PP_OPRF_INPUT_BYTES_MAX = 65535,
    PP_OPRF_RANDOM_BYTES = 64, /* taken from `random` for each scalar */
    PP_OPRF_BATCH_MAX = 128,   /* our limit; the RFC allows 65535 */
};

/*
 * DeriveKeyPair (3.2.1). `*ret_sk` becomes a secret of 32 bytes that the caller releases. Fails
 * with RANGE (seed not 32 bytes, info above 65535), KEY (no counter gave a key) or as
 * pp_secret_alloc.
 */
PP_MUST pp_res pp_oprf_derive_key(enum pp_oprf_mode mode, struct pp_span seed_secret,
                                  struct pp_span info, struct pp_secret *ret_sk,
                                  uint8_t ret_pk[PP_OPRF_ELEMENT_BYTES]);

/* pk = sk * G. KEY for a zero or non-canonical scalar. */
PP_MUST pp_res pp_oprf_public(struct pp_span sk_secret, uint8_t ret_pk[PP_OPRF_ELEMENT_BYTES]);

/* KEY unless `pk` is the canonical encoding of an element other than the identity. */
PP_MUST pp_res pp_oprf_element_check(const uint8_t element[PP_OPRF_ELEMENT_BYTES]);

/*
 * Blind (3.3): a fresh non-zero blind, and the blinded element. Fails with RANGE (input too long),
 * KEY (the input hashes to the identity: nobody has found one) or RANDOM.
 */
PP_MUST pp_res pp_oprf_blind(enum pp_oprf_mode mode, struct pp_span input,
                             const struct pp_random *random,
                             uint8_t ret_blind_secret[PP_OPRF_SCALAR_BYTES],
                             uint8_t ret_blinded[PP_OPRF_ELEMENT_BYTES]);

/* BlindEvaluate of OPRF mode, one element, unproven. KEY for a bad key or element. */
PP_MUST pp_res pp_oprf_evaluate_blinded(struct pp_span sk_secret,
                                        const uint8_t blinded[PP_OPRF_ELEMENT_BYTES],
                                        uint8_t ret[PP_OPRF_ELEMENT_BYTES]);

/*
 * BlindEvaluate of VOPRF mode: evaluates `count` (1..PP_OPRF_BATCH_MAX) elements, 32 bytes each and
 * one behind the other, and proves them all under one DLEQ proof (2.2.1). `pk` is the public key of
 * `sk_secret`: with another one the proof is wrong. One bad element refuses the whole batch: KEY
 * with its index. RANGE (count), RANDOM. Outputs do not overlap inputs.
 */
PP_MUST pp_res pp_voprf_evaluate_batch(struct pp_span sk_secret,
                                       const uint8_t pk[PP_OPRF_ELEMENT_BYTES],
                                       const uint8_t *blinded, size_t count,
                                       const struct pp_random *random, uint8_t *ret_evaluated,
                                       uint8_t ret_proof[PP_OPRF_PROOF_BYTES]);

/*
 * VerifyProof (2.2.2) of such a batch. PROOF when it does not verify; KEY for a bad element, with
 * its index, or a bad key; ENCODING for a proof of non-canonical scalars; RANGE (count).
 */
PP_MUST pp_res pp_voprf_verify_batch(const uint8_t pk[PP_OPRF_ELEMENT_BYTES],
                                     const uint8_t *blinded, const uint8_t *evaluated, size_t count,
                                     const uint8_t proof[PP_OPRF_PROOF_BYTES]);

/*
 * Unblinds and hashes (3.3.1). In VOPRF mode the proof is checked before, with
 * pp_voprf_verify_batch: nothing here would notice a wrong element. KEY for a bad blind or element,
 * RANGE (input).
 */
PP_MUST pp_res pp_oprf_finalize(struct pp_span input, struct pp_span blind_secret,
                                const uint8_t evaluated[PP_OPRF_ELEMENT_BYTES],
                                uint8_t ret_output[PP_OPRF_OUTPUT_BYTES]);

/* Evaluate: the same output from the private key; what a redeemer compares. KEY, RANGE. */
PP_MUST pp_res pp_oprf_evaluate(enum pp_oprf_mode mode, struct pp_span sk_secret,
                                struct pp_span input, uint8_t ret_output[PP_OPRF_OUTPUT_BYTES]);

#endif
