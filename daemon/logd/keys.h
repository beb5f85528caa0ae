/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h: the keys of a log. One signs; while another takes its place, both do, so that readers
 * who know either accept all that the log says; and those that have left still count in what was
 * signed with them before. All have one name, the log's origin.
 */
#ifndef PP_LOG_KEYS_H
#define PP_LOG_KEYS_H

#include "note.h"

enum {
    PP_LOG_SIGNERS_MAX = 2,
    PP_LOG_FORMER_MAX = 4,
    PP_LOG_KEYS_MAX = PP_LOG_SIGNERS_MAX + PP_LOG_FORMER_MAX,
};

struct pp_log_keys {
    const struct pp_note_signer *signers; /* each signs everything; borrowed */
    size_t signer_count;                  /* 1 or 2 */
    const struct pp_note_key *former;     /* sign nothing more; borrowed */
    size_t former_count;                  /* 0 to 4 */
};

/* The log's name in checkpoints and records. */
static inline struct pp_span pp_log_keys_origin(const struct pp_log_keys *k)
{
    return k->signers[0].key.name;
}

/* All public keys, the signers' first; how many. They borrow their names. */
size_t pp_log_keys_known(const struct pp_log_keys *k, struct pp_note_key ret[PP_LOG_KEYS_MAX]);

/*
 * LEDGER_ORIGIN (a key of another name) or DUPLICATE (a public key twice); detail is the number of
 * the key in the list above.
 */
PP_MUST pp_res pp_log_keys_check(const struct pp_log_keys *k);

#endif
