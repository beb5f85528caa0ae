/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmw.h: Evidence in other people's wrappings, for offline looks (ra-tls 2 and 3): the CBOR forms
 * of Conceptual Message Wrappers (draft-ietf-rats-msg-wrap), and the structure that interoperable
 * RA-TLS puts into a certificate's extension 2.23.133.5.4.9.
 *
 * None of it is on our own wire. Nothing here verifies a quote.
 */
#ifndef PP_CMW_H
#define PP_CMW_H

#include "hash.h"
#include "result.h"
#include "span.h"

enum {
    PP_CMW_DEPTH_MAX = 2, /* a collection, and its records or one more collection */
    PP_CMW_ITEM_MAX = 8,
    PP_CMW_TEXT_BYTES_MAX = 128,
    PP_CMW_VALUE_BYTES_MAX = 65536,
};

/* Bits of `ind`: what kinds of message the value holds; 0 when the record does not say. */
enum pp_cmw_ind {
    PP_CMW_REFERENCE_VALUES = 1,
    PP_CMW_ENDORSEMENTS = 2,
    PP_CMW_EVIDENCE = 4,
    PP_CMW_RESULTS = 8,
    PP_CMW_POLICY = 16,
};

struct pp_cmw_record {
    struct pp_span label;      /* in its collection; empty for a record alone */
    struct pp_span media_type; /* or empty, and then */
    uint32_t content_format;   /* the CoAP content format */
    struct pp_span value;      /* borrowed */
    uint32_t ind;
};

/* All records of one wrapper, inner collections included, in the order in which they stood. */
struct pp_cmw {
    struct pp_span collection_type; /* "__cmwc_t" of the outermost collection, or empty */
    struct pp_cmw_record records[PP_CMW_ITEM_MAX];
    size_t count;
};

/*
 * Reads a CBOR record or collection; definite lengths and shortest heads only, map keys in any
 * order. UNSUPPORTED for the JSON and tag forms, LIMIT (nesting, items), and the codes of cbor.h.
 */
PP_MUST pp_res pp_cmw_parse(struct pp_span bytes, struct pp_cmw *ret);

/* CBOR tag 60000([quote, claims]); claims = map with "pubkey-hash": bstr of CBOR [alg, hash]. */
struct pp_ccc_evidence {
    struct pp_span quote;
    struct pp_span claims; /* its encoding; SHA-256 of it begins the quote's report data */
    enum pp_hash_id hash;
    struct pp_span pubkey_hash; /* of the DER SubjectPublicKeyInfo */
    struct pp_span nonce;       /* or empty */
};

/* The content of the extension. Claims of other names are skipped, whatever is in them; names may
 * hold any byte. FORMAT, MISSING (the hash), UNSUPPORTED (tag; hash algorithm), and those of
 * cbor.h. */
PP_MUST pp_res pp_ccc_parse(struct pp_span bytes, struct pp_ccc_evidence *ret);

#endif
