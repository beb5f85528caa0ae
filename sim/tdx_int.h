/* SPDX-License-Identifier: Apache-2.0 */
/* tdx_int.h: what the tdx_*.c files share. */
#ifndef SIM_TDX_INT_H
#define SIM_TDX_INT_H

#include "sim.h"
#include "tdx.h"

struct sim_tdx_cert {
    uint8_t der[SIM_TDX_CERT_BYTES_MAX];
    size_t len;
};

struct sim_tdx_party {
    struct pp_ec_key *key;
    struct pp_issue_key *issuer; /* the same key, as one that issues */
    struct sim_tdx_cert cert;
    uint8_t spki[PP_P256_SPKI_BYTES];
};

struct sim_tdx_vendor {
    struct sim_tdx_party root, authority, signer;
    uint8_t signer_chain[SIM_TDX_CHAIN_BYTES_MAX];
    size_t signer_chain_len;
};

enum { SIM_TDX_QE_AUTH_BYTES = 32 };

struct sim_tdx_platform {
    struct sim_tdx_params params;
    struct sim_tdx_party pck;
    struct pp_ec_key *attestation_key;
    uint8_t attestation_point[PP_P256_POINT_BYTES];
    uint8_t qe_auth[SIM_TDX_QE_AUTH_BYTES];
    uint8_t authorities[SIM_TDX_CHAIN_BYTES_MAX]; /* PEM of authority and root */
    size_t authorities_len;
    uint8_t chain[SIM_TDX_CHAIN_BYTES_MAX]; /* PEM of all three, and a NUL byte, as Intel's have */
    size_t chain_len;
};

#define SIM_TDX_ROOT_CN      "Simulated Root CA"
#define SIM_TDX_AUTHORITY_CN "Simulated PCK Platform CA"
#define SIM_TDX_SIGNER_CN    "Simulated TCB Signing"
#define SIM_TDX_PCK_CN       "Simulated PCK Certificate"

/* The simulator's names with this CN; returns their number. `cn` is borrowed. */
size_t sim_tdx_names(struct pp_issue_name *ret, const char *cn);

/* Extensions of every certificate: authority and subject key identifiers, 2 of them. */
void sim_tdx_add_key_ids(struct pp_issue_cert *cert, const struct sim_tdx_party *issuer,
                         struct pp_span spki, uint8_t ret_bytes[64]);

PP_MUST pp_res sim_tdx_party_create(struct sim_tdx_party *p);
void sim_tdx_party_done(struct sim_tdx_party *p);

/* The PEM texts that follow from certificates: the signer's chain, the chain of quotes. */
PP_MUST pp_res sim_tdx_chain_vendor(struct sim_tdx_vendor *v);
PP_MUST pp_res sim_tdx_chain_platform(struct sim_tdx_platform *p);

void sim_tdx_pem_write(struct pp_wr *wr, const struct sim_tdx_cert *cert);

/* An ECDSA signature as R || S. */
PP_MUST pp_res sim_tdx_sign(const struct pp_ec_key *key, struct pp_span message,
                            uint8_t ret[PP_TDX_SIGNATURE_BYTES]);

#endif
