/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publication.h: how a release gets out: its files into the folder that the world reads, its record
 * into the log, and the proof that it is there, made from the log's published files alone.
 *
 * Each step can be done again, and whoever is killed in one leaves the whole of a file or none.
 */
#ifndef PP_PUBLICATION_H
#define PP_PUBLICATION_H

#include "log_prove.h"
#include "problem.h"
#include "quorum.h"
#include "record.h"

enum { PP_PUBLISHED_NAME_MAX = 128 };

/*
 * The name that a published file has in its folder: what follows the last slash of the record's
 * `where`. FORMAT unless it is letters, digits, '.', '_' and '-', and begins with none of the last
 * three.
 */
PP_MUST pp_res pp_published_name(struct pp_span where, char ret[PP_PUBLISHED_NAME_MAX]);

/*
 * Copies a file to `dir_fd`/`name`, in pieces, and waits for the disk: there it is whole, or not at
 * all. RELEASE_FILE: what was read has another digest, or another file has the name already, which
 * is left as it is. INPUT, DISK_FULL, SYSTEM; words in `problem`.
 */
PP_MUST pp_res pp_publish_file(const char *from, int dir_fd, const char *name,
                               const uint8_t digest[PP_SHA256_BYTES], struct pp_problem *problem);

/* The same for bytes that are in memory. */
PP_MUST pp_res pp_publish_bytes(struct pp_span bytes, int dir_fd, const char *name,
                                struct pp_problem *problem);

struct pp_submitted {
    int published;  /* 1: in a cosigned tree, at `index`; 0: stored, it waits for its batch */
    uint64_t index; /* of the entry */
};

/*
 * Sends one entry to a log ("http://host:port"); sent again it is not taken twice. LOG_REFUSED with
 * the rule's code in problem->got, the rule itself in *ret_rule; BUSY; NETWORK and so on.
 */
PP_MUST pp_res pp_submit_entry(const char *url, struct pp_span ca_pem, struct pp_span entry,
                               struct pp_submitted *ret, uint32_t *ret_rule,
                               struct pp_problem *problem);

/*
 * Makes the tlog-proof of the record `id` at `index` from the log's published files, and verifies
 * it from its bytes under the policy's quorum. RELEASE_PENDING while the cosigned tree is too
 * small; LEDGER_*, LOG_*; LEDGER_PROOF also when another record stands there. `ret_size` is the
 * size of the tree. The caller drops `*ret`.
 */
PP_MUST pp_res pp_prove_logged(struct pp_log_source *source, const struct pp_policy *policy,
                               const struct pp_record_id *id, uint64_t index, struct pp_buf *ret,
                               uint64_t *ret_size, struct pp_problem *problem);

#endif
