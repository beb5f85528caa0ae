/* SPDX-License-Identifier: Apache-2.0 */
#include "infer_int.h"
#include "text.h"

static const struct pp_infer_engine *const ENGINES[] = { &infer_engine_embedded };

const struct pp_infer_engine *pp_infer_engine_find(struct pp_span kind)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(ENGINES); i++)
        if (pp_span_eq(kind, pp_span_cstr(ENGINES[i]->kind)))
            return ENGINES[i];
    return NULL;
}

const char *pp_infer_kind_name(uint32_t kind)
{
    static const char *const NAMES[] = {
        [PP_INFER_TOPIC] = "topic", [PP_INFER_DECISION] = "decision", [PP_INFER_DATE] = "date",
        [PP_INFER_TASK] = "task",   [PP_INFER_OPEN] = "open",
    };

    return kind < PP_INFER_KIND_COUNT ? NAMES[kind] : NULL;
}

static pp_res check_language(struct pp_span language)
{
    PP_CHECK(language.len <= PP_INFER_LANGUAGE_BYTES_MAX, PP_E_FORMAT, language.len);
    for (size_t i = 0; i < language.len; i++)
        PP_CHECK(language.at[i] >= 'a' && language.at[i] <= 'z', PP_E_FORMAT, i);
    return PP_OK;
}

static pp_res check_chat(const struct pp_infer_chat *chat)
{
    uint32_t senders = 0;

    PP_CHECK(chat->message_count <= PP_INFER_MESSAGES_MAX, PP_E_LIMIT, chat->message_count);
    PP_CHECK(chat->words >= PP_INFER_WORDS_MIN && chat->words <= PP_INFER_WORDS_MAX, PP_E_RANGE,
             chat->words);
    PP_TRY(check_language(chat->language));
    for (size_t i = 0; i < chat->message_count; i++) {
        const struct pp_infer_message *m = &chat->messages[i];
        PP_CHECK(i == 0 || m->id > m[-1].id, PP_E_ORDER, i);
        PP_CHECK(m->sender <= senders, PP_E_RANGE, i);
        senders += m->sender == senders;
        PP_CHECK(m->text.len <= PP_INFER_TEXT_BYTES_MAX, PP_E_LIMIT, i);
        PP_TRY(pp_utf8_check(m->text));
    }
    return PP_OK;
}

/* Keeps what the guard lets pass, within the budget, in the engine's order. */
static pp_res guard_items(const struct pp_infer_chat *chat, struct pp_infer_items *items)
{
    size_t kept = 0;
    size_t words = 0;
    pp_res last = PP_OK;

    for (size_t i = 0; i < items->count; i++) {
        struct pp_infer_item item = items->at[i];
        pp_res r = pp_infer_guard(chat, &item);
        size_t more = pp_is_ok(r) ? pp_infer_words(item.text) : 0;
        if (pp_is_ok(r) && (words + more > chat->words || kept == PP_INFER_ITEMS_MAX))
            r = PP_FAIL(PP_E_ANSWER_REFUSED, PP_INFER_REFUSED_BUDGET);
        if (!pp_is_ok(r)) {
            last = r;
            continue;
        }
        words += more;
        items->at[kept++] = item;
    }
    if (kept == 0 && items->count > 0)
        return last;
    items->count = kept;
    return PP_OK;
}

pp_res pp_infer_summarize(const struct pp_infer_engine *engine, const struct pp_infer_chat *chat,
                          struct pp_arena *a, struct pp_infer_items *ret)
{
    struct pp_infer_items items = { 0 };

    PP_TRY(check_chat(chat));
    if (chat->message_count > 0)
        PP_TRY(engine->summarize(chat, a, &items));
    PP_TRY(guard_items(chat, &items));
    *ret = items;
    return PP_OK;
}
