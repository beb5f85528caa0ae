/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hints.h: what the host tells the attester about the outside (pp-wire 4): one unmeasured CBOR map.
 *
 * Nothing in it is trusted. The attester copies it into Evidence, and every verifier recomputes
 * what it says; a record text counts only if its SHA-256 is the id that the client named.
 */
#ifndef PP_HINTS_H
#define PP_HINTS_H

#include "backend.h"
#include "evidence.h"
#include "rd.h"
#include "wr.h"

enum {
    PP_HINTS_BYTES_MAX = 65536,
    PP_HINTS_RECORD_MAX = 8,
    PP_HINTS_RECORD_BYTES_MAX = 32768, /* a ledger record's limit */
    PP_HINTS_COLLATERAL_MAX = 16,
};

struct pp_hints {
    struct pp_span endorsements[PP_EVIDENCE_ENDORSEMENT_MAX];
    size_t endorsement_count;
    uint8_t release_id[PP_RECORD_ID_BYTES];
    struct pp_backends backends;
    struct pp_host_path hosts[PP_HOST_PATHS_MAX];
    size_t host_count;
    struct pp_span records[PP_HINTS_RECORD_MAX]; /* texts of host-set and release records */
    size_t record_count;
    struct pp_span collateral[PP_HINTS_COLLATERAL_MAX];
    size_t collateral_count;
};

/* Keys 3, 6 and 12 are mandatory; 11, 13 and 14 are absent when they would be empty. `*ret` borrows
 * from `cbor`. Fails as cbor.h says; LIMIT (whole size), UNKNOWN_FIELD, MISSING, ORDER. */
PP_MUST pp_res pp_hints_parse(struct pp_span cbor, struct pp_hints *ret);
PP_MUST pp_res pp_hints_write(struct pp_wr *wr, const struct pp_hints *h); /* NO_SPACE, RANGE */

#endif
