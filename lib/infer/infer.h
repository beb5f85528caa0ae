/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer.h: engines that work on a conversation: typed records in, typed records out (pp-wire 9,
 * docs/protocol/summaries.md).
 *
 * An engine never sees who speaks: a message carries its sender's alias, a number by order of first
 * appearance. Where a sentence needs a speaker the engine writes a *speaker mark*, the alias in
 * decimal between U+27E8 and U+27E9 (for alias 3: "\u27e83\u27e9"). Both characters are turned into
 * round brackets wherever message text is read, so no message can forge a mark. The device puts the
 * names in after the answer has arrived: pp_infer_names_apply.
 *
 * Bytes in, bytes out: no file, clock, random source or heap; memory comes from the caller's arena.
 * Deterministic: equal requests give equal answers on every machine. Any thread, one arena each.
 */
#ifndef PP_INFER_H
#define PP_INFER_H

#include "arena.h"
#include "result.h"
#include "span.h"

enum {
    PP_INFER_MESSAGES_MAX = 2000,
    PP_INFER_TEXT_BYTES_MAX = 16384, /* of one message */
    PP_INFER_LANGUAGE_BYTES_MAX = 16,
    PP_INFER_WORDS_MIN = 20,
    PP_INFER_WORDS_MAX = 400,
    PP_INFER_ITEMS_MAX = 64,
    PP_INFER_ITEM_IDS_MAX = 12,
    PP_INFER_ITEM_BYTES_MAX = 1024,
    PP_INFER_NAME_BYTES_MAX = 64, /* of a name as it is shown; longer ones are cut */
    /*
     * What the largest request needs: pp_infer_summarize with the embedded engine, guard included.
     */
    PP_INFER_ARENA_BYTES = 12 << 20,
};

struct pp_infer_message {
    uint64_t id;
    uint64_t minute;     /* POSIX time / 60; 0 unknown */
    uint32_t sender;     /* alias: order of first appearance, from 0 */
    struct pp_span text; /* UTF-8, at most PP_INFER_TEXT_BYTES_MAX */
};

struct pp_infer_chat {
    struct pp_span language; /* lower-case BCP 47 primary tag, or empty: taken from the messages */
    uint32_t words;          /* budget: PP_INFER_WORDS_MIN..PP_INFER_WORDS_MAX */
    const struct pp_infer_message *messages; /* ids strictly ascending */
    size_t message_count;                    /* 0..PP_INFER_MESSAGES_MAX */
};

enum pp_infer_kind {
    PP_INFER_TOPIC,    /* what it is about; facts and warnings */
    PP_INFER_DECISION, /* settled between people, or done */
    PP_INFER_DATE,     /* a day, time or deadline */
    PP_INFER_TASK,     /* who does what */
    PP_INFER_OPEN,     /* asked or postponed, and not settled */
    PP_INFER_KIND_COUNT,
};

/* "topic", "decision", "date", "task", "open"; NULL for other values. */
const char *pp_infer_kind_name(uint32_t kind);

struct pp_infer_item {
    uint32_t kind;       /* enum pp_infer_kind */
    struct pp_span text; /* UTF-8, one line, speaker marks instead of names */
    const uint64_t *ids; /* the messages that it rests on, ascending */
    size_t id_count;     /* 1..PP_INFER_ITEM_IDS_MAX */
};

struct pp_infer_items {
    struct pp_infer_item *at;
    size_t count; /* 0..PP_INFER_ITEMS_MAX */
};

/*
 * One engine. `kind` and `name` are what the answer's key 4 says; the model digest is the caller's.
 */
struct pp_infer_engine {
    const char *kind; /* "embedded" */
    const char *name;
    /* The chat has been checked; what comes back is judged by the guard, not believed. */
    pp_res (*summarize)(const struct pp_infer_chat *chat, struct pp_arena *a,
                        struct pp_infer_items *ret);
};

/* The engine of a configuration's word, or NULL. */
const struct pp_infer_engine *pp_infer_engine_find(struct pp_span kind);

/*
 * Summarises a chat: checks it, runs the engine, and gives what the guard lets pass, in reading
 * order (how the conversation began, then by kind). No messages, or nothing worth saying, is no
 * items. Items and their texts live in `a`. Fails with LIMIT (messages or bytes), RANGE (words,
 * alias; detail = message index), ORDER (ids), UTF8, FORMAT (language), NO_MEMORY, and
 * ANSWER_REFUSED when the guard let nothing pass.
 */
PP_MUST pp_res pp_infer_summarize(const struct pp_infer_engine *engine,
                                  const struct pp_infer_chat *chat, struct pp_arena *a,
                                  struct pp_infer_items *ret);

/*
 * The guard: whether one item may leave. Its ids exist; its marks name senders of cited messages;
 * every word stands in a cited message or in the fixed vocabulary of the templates (so numbers,
 * names and links stand in a cited message); one line of UTF-8 without control, bidi or invisible
 * characters; no active link; nothing instruction-like or payment-like. Fails with ANSWER_REFUSED;
 * detail is an enum pp_infer_refusal.
 */
enum pp_infer_refusal {
    PP_INFER_REFUSED_SHAPE = 1,   /* kind, length, UTF-8, control characters */
    PP_INFER_REFUSED_IDS = 2,     /* none, too many, unknown, out of order */
    PP_INFER_REFUSED_MARK = 3,    /* malformed, or of somebody who is not cited */
    PP_INFER_REFUSED_WORD = 4,    /* a word from nowhere */
    PP_INFER_REFUSED_LINK = 5,    /* an address that could be followed */
    PP_INFER_REFUSED_HOSTILE = 6, /* reads like an instruction or a demand for payment */
    PP_INFER_REFUSED_BUDGET = 7,  /* more words than asked for */
};
PP_MUST pp_res pp_infer_guard(const struct pp_infer_chat *chat, const struct pp_infer_item *item);

/*
 * What the guard can say of a line without the conversation that it is about: its shape, and that
 * it reads like no instruction or demand. ANSWER_REFUSED, as above.
 */
PP_MUST pp_res pp_infer_guard_line(struct pp_span text);

/*
 * Words of a text: maximal runs of characters other than Unicode white space. A speaker mark is one
 * word. This is what budgets are counted in.
 */
size_t pp_infer_words(struct pp_span text);

/*
 * The device's part: puts names in the place of marks. `names[i]` belongs to alias i. Names lose
 * control, bidi and mark characters, and what stands in brackets after a name that is unique
 * without ("Carla (Nico's mum)"). When the whole would exceed `words`, repeated mentions, then all,
 * take a one-word form that is unique in this chat, so the words never grow past those of the items
 * with each mark counted as one. Items live in `a`; `items` is left alone. Fails with RANGE (a mark
 * past the names), FORMAT (a mark's character outside a mark), LIMIT (the items were too long
 * before any name went in; detail = words), UTF8, NO_MEMORY.
 */
PP_MUST pp_res pp_infer_names_apply(const struct pp_infer_items *items, const struct pp_span *names,
                                    size_t name_count, uint32_t words, struct pp_arena *a,
                                    struct pp_infer_items *ret);

#endif
