/* SPDX-License-Identifier: Apache-2.0 */
/* cred_int.h: the table of token types. A further type is a further row and its functions. */
#ifndef PP_CRED_INT_H
#define PP_CRED_INT_H

#include "cred.h"

struct cred_type {
    uint16_t type;
    int batches; /* whether many tokens can go under one proof */
    size_t pk_bytes, blind_bytes;
    size_t element_bytes; /* of a blinded and of an evaluated message */
    size_t proof_bytes;   /* behind the evaluated messages; 0 if the type has none */
    size_t authenticator_bytes;

    /* Keys: these fill the secret half of `*ret` and pub.pk. A function that a type cannot have is
     * NULL: UNSUPPORTED. */
    pp_res (*public_check)(struct pp_span pk);
    pp_res (*derive)(struct pp_span seed_secret, struct pp_cred_key *ret);
    pp_res (*import)(struct pp_span sk_secret, struct pp_cred_key *ret);
    pp_res (*public_only)(struct pp_span pk, struct pp_cred_key *ret);

    /* The device. `verify` and `finalize` give PROOF for what another key made, and other codes for
     * what is malformed. */
    pp_res (*blind)(const struct pp_cred_public *key, struct pp_span input,
                    const struct pp_random *random, uint8_t *ret_blind_secret,
                    uint8_t *ret_blinded);
    pp_res (*verify)(const struct pp_cred_public *key, const uint8_t *blinded,
                     const uint8_t *evaluated, size_t count, const uint8_t *proof);
    pp_res (*finalize)(const struct pp_cred_public *key, struct pp_span input,
                       struct pp_span blind_secret, const uint8_t *evaluated,
                       uint8_t *ret_authenticator);

    /* The issuer. */
    pp_res (*issue)(const struct pp_cred_key *key, const uint8_t *blinded, size_t count,
                    const struct pp_random *random, uint8_t *ret_evaluated, uint8_t *ret_proof);

    /* The redeemer: AUTH unless the authenticator is the one for this input. */
    pp_res (*authenticate)(const struct pp_cred_key *key, struct pp_span input,
                           struct pp_span authenticator);
};

extern const struct cred_type CRED_VOPRF_RISTRETTO255, CRED_BLIND_RSA;

/* NULL for a type that is not in the table. */
const struct cred_type *cred_type_find(uint16_t type);

#endif
