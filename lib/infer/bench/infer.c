/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdlib.h>

#include "infer.h"

/* Everyday messages, so that the engine has something to do in each. */
static const char *const TEXTS[] = {
    "ok people, lake weekend. Saturday 9 May?",
    "perfect",
    "great, dates fixed: Saturday 9 May to Sunday 10 May",
    "who books the cabin?",
    "I can do that. budget?",
    "max 50 per person?",
    "booked! 196 total, free cancellation until 30 April. please send me 49 each",
    "I'll bring the grill and my small tent",
    "NO campfire please, the forest office says it's forbidden",
    "train is 9:38 from the main station, platform changes are on the board",
    "haha see you there",
    "update: the train moved to 9:12",
    "and a sauna evening maybe? I heard it is nice and costs 12 each",
    "let's decide that there",
};

static struct pp_infer_message messages[PP_INFER_MESSAGES_MAX];
static char long_text[PP_INFER_TEXT_BYTES_MAX];

static void fill(size_t count, size_t senders)
{
    for (size_t i = 0; i < count; i++)
        messages[i] = (struct pp_infer_message){ .id = i,
                                                 .minute = i,
                                                 .sender = (uint32_t)(i % senders),
                                                 .text = pp_span_cstr(TEXTS[(i + i / 14) % 14]) };
}

static void run(struct pp_arena *a, size_t count)
{
    struct pp_infer_chat chat = { .words = 130, .messages = messages, .message_count = count };
    struct pp_infer_items items;

    pp_arena_reset(a);
    if (!pp_is_ok(pp_infer_summarize(pp_infer_engine_find(PP_STR("embedded")), &chat, a, &items)))
        abort();
}

int main(void)
{
    void *mem = aligned_alloc(16, PP_INFER_ARENA_BYTES);
    struct pp_arena a = pp_arena_over(mem, mem == NULL ? 0 : PP_INFER_ARENA_BYTES);

    fill(50, 6);
    BENCH("summary of a chat, 50 messages", "chat", { run(&a, 50); });
    fill(500, 12);
    BENCH("summary of a chat, 500 messages", "chat", { run(&a, 500); });
    fill(PP_INFER_MESSAGES_MAX, 40);
    BENCH("summary of a chat, 2000 messages", "chat", { run(&a, PP_INFER_MESSAGES_MAX); });
    printf("%-58s %10.2f MiB\n", "arena used by it", (double)a.used / (1 << 20));
    for (size_t i = 0; i < sizeof long_text; i++)
        long_text[i] = TEXTS[6][i % 75];
    for (size_t i = 0; i < PP_INFER_MESSAGES_MAX; i++)
        messages[i].text = pp_span(long_text, sizeof long_text);
    BENCH("summary of a chat, 2000 messages of 16 KiB", "chat",
          { run(&a, PP_INFER_MESSAGES_MAX); });
    printf("%-58s %10.2f MiB\n", "arena used by it", (double)a.used / (1 << 20));
    BENCH("summary of a chat, 48 messages of 16 KiB", "chat", { run(&a, 48); });
    for (size_t i = 0; i < sizeof long_text; i++)
        long_text[i] = "I'll pay 1? I'll book 2? paid 3? "[i % 33];
    BENCH("summary of a chat, 48 messages of 16 KiB, hostile", "chat", { run(&a, 48); });
    BENCH("summary of a chat, 2000 messages of 16 KiB, hostile", "chat",
          { run(&a, PP_INFER_MESSAGES_MAX); });
    free(mem);
    return 0;
}
