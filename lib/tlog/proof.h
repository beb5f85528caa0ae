/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof.h: offline proofs that an entry is in a log (C2SP tlog-proof): index, path and cosigned
 * checkpoint in one file.
 */
#ifndef PP_PROOF_H
#define PP_PROOF_H

#include "merkle.h"
#include "quorum.h"

enum {
    PP_PROOF_EXTRA_MAX = 16384, /* bytes of the Base64 of an `extra` line */
    PP_PROOF_BYTES_MAX = PP_NOTE_BYTES_MAX + PP_PROOF_EXTRA_MAX + 64 * 48,
};

struct pp_proof {
    int has_extra;
    struct pp_span extra_base64; /* borrowed; not authenticated; may be empty */
    uint64_t index;
    struct pp_merkle_path path;
    struct pp_span checkpoint; /* borrowed: the note, verbatim */
};

/* FORMAT, RANGE, LIMIT, TRUNCATED. The checkpoint is not looked into. */
PP_MUST pp_res pp_proof_parse(struct pp_span bytes, struct pp_proof *ret);
void pp_proof_write(struct pp_wr *wr, const struct pp_proof *p);

/*
 * Verifies that `leaf` (the hash of the entry bytes as received) is entry p->index of a log of the
 * policy, under a checkpoint that the policy's quorum cosigned with dates in [from, until]; 0 and
 * UINT64_MAX for no age rule. FORMAT, LEDGER_ORIGIN, LEDGER_SIGNATURE, LEDGER_QUORUM,
 * LEDGER_RECORD_WITNESS, LEDGER_PROOF. `*ret` tells the tree and all cosignatures, borrowed from p.
 */
PP_MUST pp_res pp_proof_verify(const struct pp_proof *p, const struct pp_merkle_hash *leaf,
                               const struct pp_policy *policy, uint64_t from, uint64_t until,
                               struct pp_policy_checkpoint *ret);

/*
 * The inclusion alone, for more proofs under a checkpoint that pp_proof_verify took before: `c` is
 * what it gave for exactly the bytes of p->checkpoint, under the same policy and dates.
 * LEDGER_PROOF.
 */
PP_MUST pp_res pp_proof_verify_under(const struct pp_proof *p, const struct pp_merkle_hash *leaf,
                                     const struct pp_policy_checkpoint *c);

#endif
