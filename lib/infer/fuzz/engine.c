/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole engine over any conversation. Input: u8 words, then records of u8 sender, u8 length /
 * 4, text. Bytes that are not UTF-8 are refused before the engine; a first byte with its top bit
 * set turns them into question marks instead, so that mutations reach the engine.
 */
#include "fuzz.h"

#include "infer_int.h"
#include "text.h"

enum { MESSAGES_MAX = 300, INPUT_BYTES_MAX = 1 << 16 };

static struct pp_infer_message messages[MESSAGES_MAX];
static _Alignas(16) uint8_t memory[PP_INFER_ARENA_BYTES];
static _Alignas(16) uint8_t names_memory[8 << 20];
static uint8_t text[INPUT_BYTES_MAX];

static void make_valid(uint8_t *bytes, size_t len)
{
    struct pp_span span = pp_span(bytes, len);

    for (size_t at = 0; at < len;) {
        size_t from = at;
        if (pp_utf8_next(span, &at) == 0xFFFD && at - from == 1)
            bytes[from] = '?';
    }
}

static size_t read_messages(size_t len)
{
    uint32_t senders = 0;
    size_t count = 0;

    for (size_t at = 1; at + 2 <= len && count < MESSAGES_MAX; count++) {
        uint32_t sender = text[at] % 7;
        size_t size = (size_t)text[at + 1] * 4;
        at += 2;
        size = size < len - at ? size : len - at;
        sender = sender < senders ? sender : senders;
        senders += sender == senders;
        if (text[0] & 0x80)
            make_valid(text + at, size);
        messages[count] = (struct pp_infer_message){
            .id = 3 * count, .minute = count, .sender = sender, .text = pp_span(text + at, size)
        };
        at += size;
    }
    return count;
}

static void check_answer(const struct pp_infer_chat *chat, const struct pp_infer_items *items)
{
    static const struct pp_span names[] = {
        { (const uint8_t *)"Ann", 3 },     { (const uint8_t *)"Ann B", 5 },
        { (const uint8_t *)"Coach C", 7 }, { (const uint8_t *)"", 0 },
        { (const uint8_t *)"E (f)", 5 },   { (const uint8_t *)"G", 1 },
        { (const uint8_t *)"H I J", 5 }
    };
    struct pp_arena a = pp_arena_over(names_memory, sizeof names_memory);
    struct pp_infer_items named;
    size_t words = 0;

    FUZZ_CHECK(items->count <= PP_INFER_ITEMS_MAX);
    for (size_t i = 0; i < items->count; i++) {
        FUZZ_CHECK(pp_is_ok(pp_infer_guard(chat, &items->at[i])));
        words += pp_infer_words(items->at[i].text);
    }
    FUZZ_CHECK(words <= chat->words);
    FUZZ_CHECK(pp_is_ok(
        pp_infer_names_apply(items, names, PP_ARRAY_COUNT(names), chat->words, &a, &named)));
    words = 0;
    for (size_t i = 0; i < named.count; i++) {
        FUZZ_CHECK(pp_is_ok(pp_utf8_check(named.at[i].text)));
        words += pp_infer_words(named.at[i].text);
    }
    FUZZ_CHECK(words <= chat->words);
}

/*
 * What the engine says is made of what it cites. The guard may still refuse an item for what its
 * parts say together, or a mark that fell to a cut; it never has to refuse a word from nowhere.
 */
static void check_engine(const struct pp_infer_chat *chat, struct pp_arena *a)
{
    struct pp_infer_items items = { 0 };

    if (chat->message_count == 0 || !pp_is_ok(infer_engine_embedded.summarize(chat, a, &items)))
        return;
    for (size_t i = 0; i < items.count; i++) {
        pp_res r = pp_infer_guard(chat, &items.at[i]);
        FUZZ_CHECK(pp_is_ok(r) || r.detail == PP_INFER_REFUSED_HOSTILE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_arena a = pp_arena_over(memory, sizeof memory);
    struct pp_infer_items items = { 0 };

    if (len == 0 || len > sizeof text)
        return 0;
    memcpy(text, data, len);
    struct pp_infer_chat chat = { .words = PP_INFER_WORDS_MIN + (text[0] & 0x7FU) * 3,
                                  .messages = messages,
                                  .message_count = read_messages(len) };
    pp_res r = pp_infer_summarize(pp_infer_engine_find(PP_STR("embedded")), &chat, &a, &items);
    FUZZ_CHECK(pp_is_ok(r) || r.code == PP_E_UTF8 || r.code == PP_E_RANGE ||
               r.code == PP_E_ANSWER_REFUSED);
    if (!pp_is_ok(r) && r.code != PP_E_ANSWER_REFUSED)
        return 0;
    if (pp_is_ok(r))
        check_answer(&chat, &items);
    a = pp_arena_over(memory, sizeof memory);
    check_engine(&chat, &a);
    return 0;
}
