/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp_wire.h: vectors of our own formats (docs/protocol), one JSON file a format:
 *
 *     {"format": "evidence", "rows": [{"name", "hex", "expect": "ok" or a code, "fields": {...}}]}
 *
 * A row's bytes are `hex`, then `zeros` zero bytes, then the hex `tail`; the last two are optional.
 */
#ifndef PPCTL_PP_WIRE_H
#define PPCTL_PP_WIRE_H

#include "vectors.h"

/*
 * Reads `bytes` as the format and gives what stood there, as the row's `fields` has it; the caller
 * drops the reference. Where the format has one encoding and a writer, it has also been written
 * back and compared (MISMATCH). `row` is for what a format needs besides the bytes.
 */
typedef pp_res pp_wire_run(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                           json_t **ret_fields);

pp_wire_run pp_wire_answer, pp_wire_bundle, pp_wire_clienthello, pp_wire_evidence,
    pp_wire_evidence_body, pp_wire_frame, pp_wire_handle, pp_wire_hints, pp_wire_padded,
    pp_wire_receipt, pp_wire_request, pp_wire_seal;

/* pp_wire_cred.c */
pp_wire_run pp_wire_assertion, pp_wire_challenge, pp_wire_token_field, pp_wire_wallet_entry;

/* Lower-case hex as a JSON string. */
json_t *pp_wire_hex(struct pp_span bytes);

#endif
