/* SPDX-License-Identifier: Apache-2.0 */
/* oprf_int.h: the proof of equal discrete logarithms (RFC 9497 2.2), which provable modes share. */
#ifndef PP_OPRF_INT_H
#define PP_OPRF_INT_H

#include "oprf.h"

/* What is proven: log_G(pk) == log_C[i](D[i]) for every i. All public, all checked elements. */
struct pp_oprf_statement {
    enum pp_oprf_mode mode; /* for the context string alone */
    const uint8_t *pk;
    const uint8_t *c, *d; /* `count` elements each */
    size_t count;
};

/* `k_secret` is the checked 32-byte logarithm. RANDOM, KEY. */
PP_MUST pp_res pp_oprf_prove(const struct pp_oprf_statement *s, const uint8_t *k_secret,
                             const struct pp_random *random,
                             uint8_t ret_proof[PP_OPRF_PROOF_BYTES]);

/* PROOF, or ENCODING for scalars that are not canonical. */
PP_MUST pp_res pp_oprf_prove_check(const struct pp_oprf_statement *s,
                                   const uint8_t proof[PP_OPRF_PROOF_BYTES]);

#endif
