/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h: the directory bundle (pp-wire 2): the status record and all that it names, with proofs.
 *
 *     CBOR [1, [entry, proof], [[entry, proof], ...], [blob, ...], [revoke note, ...]]
 *
 * The shape alone; lib/policy opens entries against proofs and pins.
 */
#ifndef PP_BUNDLE_H
#define PP_BUNDLE_H

#include "arena.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_BUNDLE_BYTES_MAX = 2 << 20,
    PP_BUNDLE_ENTRY_BYTES_MAX = 65535, /* what a tile of the log can hold */
    PP_BUNDLE_PROOF_BYTES_MAX = 65536,
    PP_BUNDLE_RECORD_MAX = 64,
    PP_BUNDLE_BLOB_MAX = 64,
    PP_BUNDLE_REVOKE_MAX = 256,
};

struct pp_bundle_entry {
    struct pp_span entry; /* log entry bytes: a signed note */
    struct pp_span proof; /* tlog-proof bytes */
};

/* All spans borrow from the bytes that were parsed; the lists come from the arena. */
struct pp_bundle {
    struct pp_bundle_entry status;
    struct pp_bundle_entry *records; /* in the order in which the status names them */
    size_t record_count;
    struct pp_span *blobs; /* strictly ascending by SHA-256 */
    size_t blob_count;
    struct pp_span *revokes;
    size_t revoke_count;
};

/* Fails as cbor.h says; LIMIT (whole size), UNSUPPORTED (version), ORDER and DUPLICATE (blobs),
 * NO_MEMORY. */
PP_MUST pp_res pp_bundle_parse(struct pp_span cbor, struct pp_arena *arena, struct pp_bundle *ret);

/* The blob whose SHA-256 that is; empty: none. At most seven hashes, for the blobs ascend. */
struct pp_span pp_bundle_blob(const struct pp_bundle *b, const uint8_t sha256[32]);

/* What it writes reads back. NO_SPACE; RANGE (a count or length), ORDER and DUPLICATE (blobs). */
PP_MUST pp_res pp_bundle_write(struct pp_wr *wr, const struct pp_bundle *b);

#endif
