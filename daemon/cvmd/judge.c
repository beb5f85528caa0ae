/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard: a second look at a request and at the answer to it, in a machine of its own. It has no
 * model and no opinion: words that its measured configuration names do not pass either way, and an
 * answer must be lines that the guard of lib/infer takes without knowing the conversation.
 */
#include "rd.h"
#include "text.h"
#include "worker.h"

static uint8_t folded(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Letters and digits of ASCII, and every byte of any other character. */
static int in_word(uint8_t c)
{
    uint8_t f = folded(c);

    return (f >= 'a' && f <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static int same_word(struct pp_span text, struct pp_span lower)
{
    if (text.len != lower.len)
        return 0;
    for (size_t i = 0; i < text.len; i++)
        if (folded(text.at[i]) != lower.at[i])
            return 0;
    return 1;
}

static int is_blocked(struct pp_span word, struct pp_span blocked)
{
    struct pp_span one;

    while (blocked.len > 0) {
        (void)pp_text_cut(&blocked, ' ', &one);
        if (same_word(word, one))
            return 1;
    }
    return 0;
}

static int holds_blocked(struct pp_span text, struct pp_span blocked)
{
    for (size_t from = 0; blocked.len > 0 && from < text.len;) {
        size_t to = from;

        while (to < text.len && in_word(text.at[to]))
            to++;
        if (to > from && is_blocked(pp_span(text.at + from, to - from), blocked))
            return 1;
        from = to + 1;
    }
    return 0;
}

pp_res worker_judge(struct worker *w, const struct pp_judge *j, struct pp_answer *answer)
{
    for (size_t i = 0; i < j->text_count; i++) {
        PP_CHECK(!holds_blocked(j->texts[i], w->config->blocked), PP_E_ANSWER_REFUSED, i);
        if (j->what == PP_JUDGED_ANSWER)
            PP_TRY(pp_infer_guard_line(j->texts[i]));
    }
    struct pp_item *passed = pp_arena_array(&w->arena, 1, sizeof *passed);
    PP_CHECK(passed != NULL, PP_E_NO_MEMORY, 1);
    *passed = (struct pp_item){ .kind = PP_ITEM_TOPIC, .text = PP_STR("passed") };
    answer->items = passed;
    answer->item_count = 1;
    return PP_OK;
}
