/* SPDX-License-Identifier: Apache-2.0 */
/* Chat files: what is read keeps every limit of a request, and a refusal has its words. */
#include "fuzz.h"

#include "chat.h"
#include "text.h"

static void check(const struct pp_chat *c)
{
    FUZZ_CHECK(c->message_count >= 1 && c->message_count <= PP_CHAT_MESSAGE_MAX);
    FUZZ_CHECK(c->name_count >= 1 && c->name_count <= c->message_count);
    for (size_t i = 0; i < c->message_count; i++) {
        const struct pp_chat_message *m = &c->messages[i];

        FUZZ_CHECK(m->id == i && m->sender < c->name_count);
        FUZZ_CHECK(m->text.len <= PP_CHAT_TEXT_BYTES_MAX && pp_is_ok(pp_utf8_check(m->text)));
        FUZZ_CHECK(m->text.len == 0 || memchr(m->text.at, 0, m->text.len) == NULL);
    }
    for (size_t i = 0; i < c->name_count; i++) {
        FUZZ_CHECK(c->names[i].len >= 1 && c->names[i].len <= PP_CHAT_NAME_BYTES_MAX);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(!pp_span_eq(c->names[i], c->names[k]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static _Alignas(16) uint8_t memory[PP_CHAT_ARENA_BYTES];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    struct pp_problem problem = { 0 };
    struct pp_chat chat;

    pp_res r = pp_chat_parse(pp_span(data, len), &arena, &problem, &chat);
    if (pp_is_ok(r))
        check(&chat);
    else
        FUZZ_CHECK(pp_code_class(r.code) == PP_CLASS_USAGE && problem.field[0] != '\0' &&
                   problem.expected[0] != '\0');
    pp_arena_done(&arena);
    return 0;
}
