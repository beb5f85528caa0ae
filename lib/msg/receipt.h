/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.h: what a device keeps of a session so that it can be checked again, years later (pp-wire
 * 10): evidence, proofs, decisions and sizes; no message text, no token, no address, no handle.
 */
#ifndef PP_RECEIPT_H
#define PP_RECEIPT_H

#include "arena.h"
#include "backend.h"
#include "bundle.h"
#include "engine.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_RECEIPT_BYTES_MAX = (2 << 20) + 262144, /* a bundle and the rest */
    PP_RECEIPT_TIME_STEP_S = 3600,
    PP_RECEIPT_ANCHOR_MAX = 32,
    PP_RECEIPT_ANCHOR_NAME_BYTES_MAX = 64,
    PP_RECEIPT_ANCHOR_BYTES_MAX = 8192,
    PP_RECEIPT_EVIDENCE_BYTES_MAX = 28668,
    PP_RECEIPT_EKM_BYTES = 32,
    PP_RECEIPT_SPKI_BYTES = 91,
    PP_RECEIPT_CHECK_MAX = 96,
    PP_RECEIPT_CODE_BYTES_MAX = 48,
    PP_RECEIPT_CHECK_ANCHOR_BYTES_MAX = 160,
    PP_RECEIPT_FEATURE_BYTES_MAX = 32,
};

enum pp_verdict { PP_VERDICT_PROVEN = 1, PP_VERDICT_ASSERTED = 2, PP_VERDICT_SKIPPED = 3 };

struct pp_receipt_anchor {
    struct pp_span name; /* strictly ascending */
    struct pp_span bytes;
};

struct pp_receipt_check {
    uint32_t number;     /* of the check order, 1..31 */
    struct pp_span code; /* "OK", or the local code's name */
    enum pp_verdict verdict;
    struct pp_span anchor; /* against what, for people; may be empty */
};

struct pp_receipt {
    uint64_t posix_s; /* a multiple of 3600 */
    struct pp_receipt_anchor *anchors;
    size_t anchor_count;
    struct pp_bundle bundle; /* what was used of it */
    struct pp_span evidence; /* the CBOR map of pp-wire 7 */
    uint8_t ekm[PP_RECEIPT_EKM_BYTES];
    uint8_t spki[PP_RECEIPT_SPKI_BYTES];
    struct pp_receipt_check *checks;
    size_t check_count;
    struct {
        uint32_t up, down; /* bytes of the OHTTP bodies */
    } exchanges[2];
    struct pp_span feature;
    uint32_t outcome; /* enum pp_outcome */
    struct pp_engine engine;
    struct pp_backends used; /* whom the orchestrator asked, in call order; often nobody */
};

/* Texts and blobs borrow from `cbor`, lists come from `arena`. Fails as cbor.h says; LIMIT,
 * UNSUPPORTED (version), UNKNOWN_FIELD, MISSING, ORDER and DUPLICATE (anchors), FORMAT,
 * NO_MEMORY. */
PP_MUST pp_res pp_receipt_parse(struct pp_span cbor, struct pp_arena *arena,
                                struct pp_receipt *ret);

/* NO_SPACE; FORMAT, RANGE, ORDER and DUPLICATE for what would not read back. */
PP_MUST pp_res pp_receipt_write(struct pp_wr *wr, const struct pp_receipt *r);

#endif
