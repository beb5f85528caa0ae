/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.c: the last look at an answer. It knows nothing of the engine that made it: it reads the
 * item and the messages that the item cites, and nothing passes that does not stand there.
 */
#include "infer_int.h"
#include "text.h"

enum { WORDS_MAX = 256, SLOTS = 512 };

/* The item's words, to be found in the cited messages. */
struct lookup {
    struct pp_span item;
    struct infer_token words[WORDS_MAX];
    uint8_t found[WORDS_MAX];
    uint16_t slots[SLOTS]; /* index + 1 */
    uint32_t count;
};

static pp_res refuse(enum pp_infer_refusal why)
{
    return PP_FAIL(PP_E_ANSWER_REFUSED, why);
}

static struct pp_span text_of(struct pp_span whole, const struct infer_token *t)
{
    return pp_span(whole.at + t->at, t->len);
}

static uint32_t next_folded(struct pp_span s, size_t *at)
{
    while (*at < s.len) {
        uint32_t c = pp_utf8_next(s, at);
        if (infer_char_class(c) != INFER_CHAR_INVISIBLE)
            return infer_char_fold(c);
    }
    return 0;
}

/* Equal but for case, diacritics, look-alike letters and invisible characters. */
static int same_word(struct pp_span a, struct pp_span b)
{
    size_t i = 0;
    size_t k = 0;
    uint32_t c;

    do {
        c = next_folded(a, &i);
        if (c != next_folded(b, &k))
            return 0;
    } while (c != 0);
    return 1;
}

static pp_res check_shape(const struct pp_infer_item *item)
{
    if (item->kind >= PP_INFER_KIND_COUNT || item->text.len == 0 ||
        item->text.len > PP_INFER_ITEM_BYTES_MAX)
        return refuse(PP_INFER_REFUSED_SHAPE);
    if (!pp_is_ok(pp_utf8_check(item->text)))
        return refuse(PP_INFER_REFUSED_SHAPE);
    for (size_t at = 0; at < item->text.len;) {
        uint32_t c = pp_utf8_next(item->text, &at);
        enum infer_char cls = infer_char_class(c);
        if (cls == INFER_CHAR_INVISIBLE || (cls == INFER_CHAR_SPACE && c != ' ') || c == '<' ||
            c == '>' || c == '`')
            return refuse(PP_INFER_REFUSED_SHAPE);
    }
    return PP_OK;
}

static const struct pp_infer_message *message_of(const struct pp_infer_chat *chat, uint64_t id)
{
    size_t low = 0;
    size_t high = chat->message_count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (chat->messages[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < chat->message_count && chat->messages[low].id == id ? &chat->messages[low] : NULL;
}

static pp_res check_ids(const struct pp_infer_chat *chat, const struct pp_infer_item *item)
{
    if (item->id_count == 0 || item->id_count > PP_INFER_ITEM_IDS_MAX)
        return refuse(PP_INFER_REFUSED_IDS);
    for (size_t i = 0; i < item->id_count; i++)
        if (message_of(chat, item->ids[i]) == NULL || (i > 0 && item->ids[i] <= item->ids[i - 1]))
            return refuse(PP_INFER_REFUSED_IDS);
    return PP_OK;
}

/* A mark is U+27E8, an alias in its one decimal form, U+27E9, with nothing between. */
static pp_res check_mark(const struct pp_infer_chat *chat, const struct pp_infer_item *item,
                         const struct infer_token *alias, const struct infer_token *close)
{
    uint64_t value;

    if (alias->type != INFER_NUM || (alias->flags & INFER_TOKEN_SPACE) != 0 ||
        close->type != INFER_PUNCT || close->hash != INFER_MARK_CLOSE ||
        close->at != alias->at + alias->len)
        return refuse(PP_INFER_REFUSED_MARK);
    if (!pp_is_ok(pp_decimal_parse(text_of(item->text, alias), UINT32_MAX, &value)))
        return refuse(PP_INFER_REFUSED_MARK);
    for (size_t i = 0; i < item->id_count; i++)
        if (message_of(chat, item->ids[i])->sender == value)
            return PP_OK;
    return refuse(PP_INFER_REFUSED_MARK);
}

static void remember(struct lookup *l, const struct infer_token *t)
{
    uint32_t at = t->hash % SLOTS;

    while (l->slots[at] != 0)
        at = (at + 1) % SLOTS;
    l->words[l->count++] = *t;
    l->slots[at] = (uint16_t)l->count;
}

/* 1 if the address is a host and nothing else, but for the signs of the sentence behind it. */
static int is_host(struct pp_span link)
{
    struct pp_span host = infer_link_host(link);

    if (host.len == 0 || host.at != link.at)
        return 0;
    for (size_t at = host.len; at < link.len;) {
        uint32_t c = pp_utf8_next(link, &at);
        if (c == '/' || c == '?' || c == '#' || c == '@' || infer_char_class(c) != INFER_CHAR_PUNCT)
            return c == '?' && at == link.len;
    }
    return 1;
}

/* Reads the item: marks are judged at once, words are kept for the search. */
static pp_res read_item(const struct pp_infer_chat *chat, const struct pp_infer_item *item,
                        struct lookup *l)
{
    size_t at = 0;
    struct infer_token t;

    while (infer_token_next(item->text, &at, &t)) {
        if (t.type == INFER_MARKUP || t.type == INFER_EMOJI)
            return refuse(PP_INFER_REFUSED_SHAPE);
        if (t.type == INFER_PUNCT && t.hash == INFER_MARK_CLOSE)
            return refuse(PP_INFER_REFUSED_MARK);
        if (t.type == INFER_PUNCT && t.hash == INFER_MARK_OPEN) {
            struct infer_token alias = { 0 };
            struct infer_token close = { 0 };
            if (!infer_token_next(item->text, &at, &alias) ||
                !infer_token_next(item->text, &at, &close))
                return refuse(PP_INFER_REFUSED_MARK);
            PP_TRY(check_mark(chat, item, &alias, &close));
            continue;
        }
        if (t.type == INFER_PUNCT)
            continue;
        if (t.type == INFER_LINK && !is_host(text_of(item->text, &t)))
            return refuse(PP_INFER_REFUSED_LINK);
        if (l->count == WORDS_MAX)
            return refuse(PP_INFER_REFUSED_BUDGET);
        remember(l, &t);
    }
    return PP_OK;
}

static void find_word(struct lookup *l, struct pp_span text, uint32_t hash)
{
    for (uint32_t at = hash % SLOTS; l->slots[at] != 0; at = (at + 1) % SLOTS) {
        uint32_t k = (uint32_t)l->slots[at] - 1;
        if (!l->found[k] && l->words[k].hash == hash &&
            same_word(text_of(l->item, &l->words[k]), text))
            l->found[k] = 1;
    }
}

static void find_words(struct lookup *l, struct pp_span message)
{
    size_t at = 0;
    struct infer_token t;

    while (infer_token_next(message, &at, &t)) {
        if (t.type == INFER_LINK) {
            struct pp_span host = infer_link_host(text_of(message, &t));
            for (uint32_t k = 0; host.len > 0 && k < l->count; k++)
                if (l->words[k].type == INFER_LINK &&
                    pp_span_eq(infer_link_host(text_of(l->item, &l->words[k])), host))
                    l->found[k] = 1;
        } else if (t.type != INFER_PUNCT && t.type != INFER_EMOJI && t.type != INFER_MARKUP) {
            find_word(l, text_of(message, &t), t.hash);
        }
    }
}

pp_res pp_infer_guard(const struct pp_infer_chat *chat, const struct pp_infer_item *item)
{
    struct lookup l = { .item = item->text };

    PP_TRY(check_shape(item));
    PP_TRY(check_ids(chat, item));
    if (pp_infer_words(item->text) > chat->words)
        return refuse(PP_INFER_REFUSED_BUDGET);
    PP_TRY(read_item(chat, item, &l));
    for (size_t i = 0; i < item->id_count; i++)
        find_words(&l, message_of(chat, item->ids[i])->text);
    for (uint32_t k = 0; k < l.count; k++)
        if (!l.found[k] && (l.words[k].type != INFER_WORD || !infer_template_word(l.words[k].hash)))
            return refuse(l.words[k].type == INFER_LINK ? PP_INFER_REFUSED_LINK
                                                        : PP_INFER_REFUSED_WORD);
    if (infer_hostile_text(item->text) != INFER_FRIENDLY)
        return refuse(PP_INFER_REFUSED_HOSTILE);
    return PP_OK;
}

pp_res pp_infer_guard_line(struct pp_span text)
{
    const struct pp_infer_item item = { .kind = PP_INFER_TOPIC, .text = text };

    PP_TRY(check_shape(&item));
    if (infer_hostile_text(text) != INFER_FRIENDLY)
        return refuse(PP_INFER_REFUSED_HOSTILE);
    return PP_OK;
}
