/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: a submitted batch of entries, as it is sent and stored: u32 length || entry, and so on.
 * What an entry says is the admission's concern (admission.h).
 */
#ifndef PP_BATCH_H
#define PP_BATCH_H

#include "record.h"

enum {
    PP_BATCH_MAX = 256,           /* entries */
    PP_BATCH_BYTES_MAX = 2 << 20, /* framed */
};

struct pp_batch {
    struct pp_span entries[PP_BATCH_MAX];  /* borrow the bytes that were parsed */
    struct pp_record_id ids[PP_BATCH_MAX]; /* filled in by who knows what an entry is */
    size_t count;
};

/*
 * Takes a batch apart: at least one entry, each of at most `entry_max` bytes. On failure
 * `*ret_entry` is the entry that is wrong, from 0. FORMAT (nothing at all), TRUNCATED, LIMIT. The
 * ids are not written.
 */
PP_MUST pp_res pp_batch_parse(struct pp_span bytes, size_t entry_max, struct pp_batch *ret,
                              size_t *ret_entry);

/* Adds one entry. */
void pp_batch_write(struct pp_wr *wr, struct pp_span entry);

/*
 * The id of the record in an entry, if it is a signed note: of what stands before its last empty
 * line. FORMAT without one. What stands behind it is not looked at: the rules do that, and for an
 * id that the log has it makes no difference.
 */
PP_MUST pp_res pp_entry_id(struct pp_span entry, struct pp_record_id *ret);

#endif
