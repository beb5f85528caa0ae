/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit.h: a batch of entries on its way to a log (docs/protocol/ledger.md, "Calls"), and the
 * log's answer. The log takes a batch whole or not at all, and what it has already it does not take
 * twice: a batch whose answer was lost is sent again.
 */
#ifndef PP_SUBMIT_H
#define PP_SUBMIT_H

#include "problem.h"
#include "record.h"

enum {
    PP_SUBMIT_MAX = 64,            /* entries */
    PP_SUBMIT_BYTES_MAX = 2 << 20, /* of a batch, framed */
    PP_SUBMIT_MS = 60000,
};

struct pp_submit_answer {
    int published; /* 1: in a cosigned tree; 0: stored, it waits for the next one */
    uint64_t size; /* published: of that tree */
    uint64_t index[PP_SUBMIT_MAX];
    struct pp_record_id ids[PP_SUBMIT_MAX];
    size_t count;   /* of both: of the batch when it is published, else 0 */
    size_t refused; /* LOG_REFUSED: the entry, from 0; `count` of the batch: all of it */
    uint32_t rule;  /* LOG_REFUSED: the rule's code */
};

/*
 * Reads what a log answered to a batch of `count` entries. OK (published or pending); LOG_REFUSED
 * and BUSY, which are answers too; HTTP_STATUS (detail) for what the protocol does not have;
 * FORMAT.
 */
PP_MUST pp_res pp_submit_answer_parse(uint32_t status, struct pp_span body, size_t count,
                                      struct pp_submit_answer *ret);

/*
 * Sends entries as one batch to a log, "http://host:port". `ca_pem` vouches for https. `*ret` is
 * written with OK, LOG_REFUSED and BUSY. LIMIT (too many, or too large), NETWORK and so on;
 * MISMATCH when the log names other records than were sent; words in `problem`.
 */
PP_MUST pp_res pp_submit_batch(const char *url, struct pp_span ca_pem,
                               const struct pp_span *entries, size_t count,
                               struct pp_submit_answer *ret, struct pp_problem *problem);

#endif
