/* SPDX-License-Identifier: Apache-2.0 */
/* chat.h: small conversations for the tests of lib/infer, and its stages run over them. */
#ifndef PP_INFER_TEST_CHAT_H
#define PP_INFER_TEST_CHAT_H

#include "harness.h"

#include "infer_int.h"

struct line {
    uint32_t sender;
    const char *text;
};

/* One conversation at a time: a message every two minutes, ids from 100. */
static struct pp_infer_message test_messages[PP_INFER_MESSAGES_MAX + 1];
static _Alignas(16) uint8_t test_memory[PP_INFER_ARENA_BYTES];
static struct pp_arena test_arena;

static inline struct pp_infer_chat chat_of(const struct line *lines, size_t count, uint32_t words)
{
    for (size_t i = 0; i < count; i++)
        test_messages[i] = (struct pp_infer_message){ .id = 100 + i,
                                                      .minute = 1000 + 2 * i,
                                                      .sender = lines[i].sender,
                                                      .text = pp_span_cstr(lines[i].text) };
    return (
        struct pp_infer_chat){ .words = words, .messages = test_messages, .message_count = count };
}

#define CHAT(lines, words) chat_of((lines), PP_ARRAY_COUNT(lines), (words))

static inline void fresh_arena(void)
{
    if (test_arena.base == NULL)
        test_arena = pp_arena_over(test_memory, sizeof test_memory);
    pp_arena_reset(&test_arena);
}

/* The engine's stages up to the links between sentences. */
static inline struct infer_work analysed(const struct pp_infer_chat *chat)
{
    struct infer_work w = { .chat = chat, .arena = &test_arena };

    fresh_arena();
    assert_ok(infer_cues_init(&w.cues, &test_arena));
    assert_ok(infer_tokenize(&w));
    assert_ok(infer_values_find(&w));
    assert_ok(infer_hostile_find(&w));
    infer_acts_find(&w);
    assert_ok(infer_links_find(&w));
    assert_ok(infer_replace(&w));
    return w;
}

static inline struct pp_infer_items summary_of(const struct pp_infer_chat *chat)
{
    struct pp_infer_items items = { 0 };

    fresh_arena();
    assert_ok(
        pp_infer_summarize(pp_infer_engine_find(PP_STR("embedded")), chat, &test_arena, &items));
    return items;
}

/* 1 if some item says `text`. */
static inline int says(const struct pp_infer_items *items, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < items->count; i++)
        if (items->at[i].text.len >= len &&
            memmem(items->at[i].text.at, items->at[i].text.len, text, len) != NULL)
            return 1;
    return 0;
}

static inline void print_items(const struct pp_infer_items *items)
{
    for (size_t i = 0; i < items->count; i++)
        print_message("%s: %.*s\n", pp_infer_kind_name(items->at[i].kind),
                      (int)items->at[i].text.len, (const char *)items->at[i].text.at);
}

/* The first sentence of a message. */
static inline const struct infer_unit *sentence(const struct infer_work *w, uint32_t message)
{
    assert_true(w->talks[message].units > 0);
    return &w->units[w->talks[message].unit];
}

#endif
