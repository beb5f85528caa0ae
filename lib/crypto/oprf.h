/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oprf.h: OPRF and VOPRF on ristretto255-SHA512 (RFC 9497).
 *
 * Elements and scalars are 32-byte strings. Non-canonical encodings, the identity element and zero
 * keys are refused (KEY for elements and keys, PROOF for a proof that does not verify).
 */
#ifndef PP_OPRF_H
#define PP_OPRF_H

#include "env.h"
#include "result.h"
#include "secret.h"
#include "span.h"

enum pp_oprf_mode { PP_OPRF = 0, PP_VOPRF = 1 };

enum {
    PP_OPRF_ELEMENT_BYTES = 32, /* Ne */
    PP_OPRF_SCALAR_BYTES = 32,  /* Ns, little-endian */
    PP_OPRF_OUTPUT_BYTES = 64,  /* Nh */
    PP_OPRF_PROOF_BYTES = 64,   /* c || s */
    PP_OPRF_INPUT_BYTES_MAX = 65535,
    PP_OPRF_BATCH_MAX = 128,
};

/* DeriveKeyPair (3.2.1): seed is 32 bytes. */
PP_MUST pp_res pp_oprf_derive_key(enum pp_oprf_mode mode, struct pp_span seed_secret,
                                  struct pp_span info, struct pp_secret *ret_sk,
                                  uint8_t ret_pk[PP_OPRF_ELEMENT_BYTES]);

/* pk = sk * G. KEY for a zero or non-canonical scalar. */
PP_MUST pp_res pp_oprf_public(struct pp_span sk_secret, uint8_t ret_pk[PP_OPRF_ELEMENT_BYTES]);

/* Blind (3.3): fresh non-zero r into `ret_blind` (32 bytes), and the blinded element. */
PP_MUST pp_res pp_oprf_blind(enum pp_oprf_mode mode, struct pp_span input,
                             const struct pp_random *random, struct pp_secret *ret_blind,
                             uint8_t ret_blinded[PP_OPRF_ELEMENT_BYTES]);
/* The same with a given r, for vectors and for wallets that derive their blinds. */
PP_MUST pp_res pp_oprf_blind_with(enum pp_oprf_mode mode, struct pp_span input,
                                  struct pp_span blind_secret,
                                  uint8_t ret_blinded[PP_OPRF_ELEMENT_BYTES]);

/* BlindEvaluate, one element; 32 bytes each. KEY for a bad element. */
PP_MUST pp_res pp_oprf_evaluate_blinded(struct pp_span sk_secret,
                                        const uint8_t blinded[PP_OPRF_ELEMENT_BYTES],
                                        uint8_t ret[PP_OPRF_ELEMENT_BYTES]);

/*
 * VOPRF batch: evaluates `count` (1..PP_OPRF_BATCH_MAX) elements, each 32 bytes one behind the
 * other, and proves them under one DLEQ proof (2.2.1). One bad element refuses the whole batch.
 */
PP_MUST pp_res pp_voprf_evaluate_batch(struct pp_span sk_secret,
                                       const uint8_t pk[PP_OPRF_ELEMENT_BYTES],
                                       const uint8_t *blinded, size_t count,
                                       const struct pp_random *random, uint8_t *ret_evaluated,
                                       uint8_t ret_proof[PP_OPRF_PROOF_BYTES]);

/* VerifyProof (2.2.2) of such a batch. PROOF, KEY. */
PP_MUST pp_res pp_voprf_verify_batch(const uint8_t pk[PP_OPRF_ELEMENT_BYTES],
                                     const uint8_t *blinded, const uint8_t *evaluated, size_t count,
                                     const uint8_t proof[PP_OPRF_PROOF_BYTES]);

/* Unblinds and hashes (3.3.1). The proof is checked before, with pp_voprf_verify_batch. */
PP_MUST pp_res pp_oprf_finalize(struct pp_span input, struct pp_span blind_secret,
                                const uint8_t evaluated[PP_OPRF_ELEMENT_BYTES],
                                uint8_t ret_output[PP_OPRF_OUTPUT_BYTES]);

/* Evaluate: the same output from the private key; what a redeemer compares. */
PP_MUST pp_res pp_oprf_evaluate(enum pp_oprf_mode mode, struct pp_span sk_secret,
                                struct pp_span input, uint8_t ret_output[PP_OPRF_OUTPUT_BYTES]);

#endif
