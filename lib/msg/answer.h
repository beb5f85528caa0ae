/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h: what a worker answers (pp-wire 9).
 *
 * An answer that does not fit its bucket loses its last items, whole, until it does. Text has been
 * cleaned (clean.h) before it is written; the device refuses text that was not.
 */
#ifndef PP_ANSWER_H
#define PP_ANSWER_H

#include "arena.h"
#include "backend.h"
#include "clean.h"
#include "engine.h"
#include "rd.h"
#include "request.h"
#include "wr.h"

enum {
    PP_ANSWER_BYTES_MAX = 16384,
    PP_ANSWER_ITEM_MAX = 64,
    PP_ANSWER_TEXT_BYTES_MAX = 4096,
    PP_ANSWER_CITED_MAX = 64, /* message ids of one item */
};

enum pp_outcome { PP_OUTCOME_OK = 0, PP_OUTCOME_REFUSED = 1, PP_OUTCOME_FAILED = 2 };

enum pp_item_kind {
    PP_ITEM_TOPIC = 0,
    PP_ITEM_DECISION = 1,
    PP_ITEM_TASK = 2,
    PP_ITEM_DATE = 3,
    PP_ITEM_OPEN = 4,
};
enum { PP_ITEM_KIND_COUNT = 5 };

const char *pp_item_kind_name(enum pp_item_kind k); /* "decision" */

/* One sentence of a summary, and the messages that it rests on. */
struct pp_item {
    enum pp_item_kind kind;
    struct pp_span text;
    const uint32_t *cited; /* message ids, strictly ascending */
    size_t cited_count;    /* 0..PP_ANSWER_CITED_MAX */
};

struct pp_answer {
    enum pp_outcome outcome;
    struct pp_item *items; /* 1..PP_ANSWER_ITEM_MAX with PP_OUTCOME_OK, none otherwise */
    size_t item_count;
    struct pp_backends used; /* in call order */
    struct pp_engine engine;
};

/*
 * Replaces every item's text by its cleaned form, which comes from `arena`; an item of which
 * nothing is left is dropped, and without any item the outcome is PP_OUTCOME_FAILED. NO_MEMORY.
 */
PP_MUST pp_res pp_answer_clean(struct pp_answer *a, struct pp_arena *arena);

/*
 * Writes as padded plaintext of exactly `room` bytes (pp_answer_room), with as many leading items
 * as fit; when none does, with PP_OUTCOME_FAILED. `ret_items` is how many went in. FORMAT and UTF8
 * (text that was not cleaned), RANGE (a count or text above its limit), NO_SPACE.
 */
PP_MUST pp_res pp_answer_write_padded(struct pp_wr *wr, const struct pp_answer *a, size_t room,
                                      size_t *ret_items);

/*
 * Reads an answer to a request of `feature`. Texts borrow from `cbor`, lists come from `arena`.
 * Fails as cbor.h says; UNSUPPORTED (version; a feature without a form here), UNKNOWN_FIELD,
 * MISSING, FORMAT (items that do not go with the outcome; text that was not cleaned; an unknown
 * kind), ORDER and DUPLICATE (cited ids), NO_MEMORY.
 */
PP_MUST pp_res pp_answer_parse(struct pp_span cbor, enum pp_feature feature, struct pp_arena *arena,
                               struct pp_answer *ret);

#endif
