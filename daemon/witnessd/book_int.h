/* SPDX-License-Identifier: Apache-2.0 */
/* book_int.h: the stored note, for the tests and the fuzzer of this folder. */
#ifndef PP_WITNESS_BOOK_INT_H
#define PP_WITNESS_BOOK_INT_H

#include "book.h"

/* What we cosigned last for `origin`. SIGNATURE unless we did; FORMAT (another origin), and the
 * codes of the parsers. */
PP_MUST pp_res pp_witness_state_read(struct pp_span note, const struct pp_note_key *own,
                                     struct pp_span origin, struct pp_witness_state *ret);

#endif
