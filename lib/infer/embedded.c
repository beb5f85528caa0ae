/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.c: the engine that is always there: rules and everyday words, no weights. */
#include "infer_int.h"

static pp_res summarize(const struct pp_infer_chat *chat, struct pp_arena *a,
                        struct pp_infer_items *ret)
{
    struct infer_work w = { .chat = chat, .arena = a };
    struct infer_facts facts;

    PP_TRY(infer_cues_init(&w.cues, a));
    PP_TRY(infer_tokenize(&w));
    PP_TRY(infer_values_find(&w));
    PP_TRY(infer_hostile_find(&w));
    infer_acts_find(&w);
    PP_TRY(infer_links_find(&w));
    PP_TRY(infer_replace(&w));
    PP_TRY(infer_facts_find(&w, &facts));
    PP_TRY(infer_say_init(&w));
    return infer_pick(&w, &facts, ret);
}

const struct pp_infer_engine infer_engine_embedded = { .kind = "embedded",
                                                       .name = "digest",
                                                       .summarize = summarize };
