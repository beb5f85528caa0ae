/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collateral.h: what Intel says of one kind of TDX platform, as one blob of the directory bundle
 * (pp-wire 2; docs/protocol/policy.md 6).
 *
 *     CBOR ["tdx", bstr6 FMSPC, bool of the Platform CA, bstr TCB info, bstr its chain,
 *           bstr QE identity, bstr its chain, bstr PCK CRL, bstr root CRL]
 *
 * FMSPC and CA are the blob's name: which platforms it is for. Nothing believes them; the documents
 * are the vendor's bytes as they were signed, and lib/attest checks every one.
 */
#ifndef PP_COLLATERAL_H
#define PP_COLLATERAL_H

#include "rd.h"
#include "wr.h"

enum {
    PP_COLLATERAL_FMSPC_BYTES = 6,
    PP_COLLATERAL_DOCUMENT_BYTES_MAX = 65536,
};

/* Spans borrow. */
struct pp_collateral {
    uint8_t fmspc[PP_COLLATERAL_FMSPC_BYTES];
    int platform_ca; /* 1: PCK certificates of the Platform CA; 0: of the Processor CA */
    struct pp_span tcb_info, tcb_info_chain;
    struct pp_span qe_identity, qe_identity_chain;
    struct pp_span pck_crl, root_crl;
};

/* Fails as cbor.h says; UNSUPPORTED for a first word that is not "tdx". */
PP_MUST pp_res pp_collateral_parse(struct pp_span blob, struct pp_collateral *ret);
PP_MUST pp_res pp_collateral_write(struct pp_wr *wr, const struct pp_collateral *c); /* NO_SPACE */

#endif
