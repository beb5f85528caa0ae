/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat.h: a chat file as a person exports it: JSON with `messages` [{sender, time, text}].
 *
 * Only what a request needs is read. Senders become numbers in order of first appearance: names
 * stay on the device and are put back when the answer is here.
 */
#ifndef PP_CHAT_H
#define PP_CHAT_H

#include "arena.h"
#include "problem.h"
#include "request.h"
#include "result.h"
#include "span.h"

enum {
    PP_CHAT_FILE_BYTES_MAX = 64 << 20,
    PP_CHAT_NAME_BYTES_MAX = 256,
    PP_CHAT_TEXTS_BYTES_MAX = 256 << 10, /* together: no bucket is larger */
    PP_CHAT_ARENA_BYTES = 2 << 20,       /* what a chat takes from its arena, at most */
};

struct pp_chat {
    struct pp_chat_message *messages; /* ids are positions in the file, from 0 */
    size_t message_count;             /* 1..PP_CHAT_MESSAGE_MAX */
    struct pp_span *names;            /* names[alias] */
    size_t name_count;
    int closed; /* 1: its members closed this chat to AI ("closed_to_ai": true) */
};

/*
 * Reads a chat; everything is copied to `arena`. Fails with INPUT and the field in `problem`
 * ("messages[17].text"): not JSON, no messages, wrong types, missing fields, invalid UTF-8, a text
 * above PP_CHAT_TEXT_BYTES_MAX, empty texts alone, more than PP_CHAT_MESSAGE_MAX messages.
 * TOO_LARGE for texts that fit no request together; `problem` and detail say how many of the latest
 * messages do. NO_MEMORY.
 */
PP_MUST pp_res pp_chat_parse(struct pp_span json, struct pp_arena *arena,
                             struct pp_problem *problem, struct pp_chat *ret);

#endif
