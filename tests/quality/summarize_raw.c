/* SPDX-License-Identifier: Apache-2.0 */
/*
 * summarize_raw WORDS FILE...: the embedded engine by itself, without any of the parties: reads
 * chats (the format of tests/vectors/chats), does what device and CVM would do, and prints one line
 * of JSON a file: {"file", "summary", "items": [{"kind", "text", "messages"}]}.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer.h"

struct chat {
    struct pp_infer_chat chat;
    struct pp_infer_message messages[PP_INFER_MESSAGES_MAX];
    struct pp_span names[PP_INFER_MESSAGES_MAX];
    size_t name_count;
};

static uint32_t alias_of(struct chat *c, const char *sender)
{
    struct pp_span name = pp_span_cstr(sender);

    for (size_t i = 0; i < c->name_count; i++)
        if (pp_span_eq(c->names[i], name))
            return (uint32_t)i;
    c->names[c->name_count] = name;
    return (uint32_t)c->name_count++;
}

/* "2026-04-13T07:42:00" as minutes since some day; only differences matter to the engine. */
static uint64_t minute_of(const char *time)
{
    int year;
    int month;
    int day;
    int hour;
    int minute;

    if (time == NULL || sscanf(time, "%d-%d-%dT%d:%d", &year, &month, &day, &hour, &minute) != 5)
        return 0;
    return (uint64_t)(((year * 12 + month) * 31 + day) * 24 + hour) * 60 + (uint64_t)minute;
}

static int read_chat(json_t *root, struct chat *c)
{
    json_t *messages = json_object_get(root, "messages");
    size_t i;
    json_t *m;

    if (!json_is_array(messages) || json_array_size(messages) > PP_INFER_MESSAGES_MAX)
        return -1;
    json_array_foreach(messages, i, m)
    {
        const char *text = json_string_value(json_object_get(m, "text"));
        const char *sender = json_string_value(json_object_get(m, "sender"));
        if (text == NULL || sender == NULL)
            return -1;
        c->messages[i] = (struct pp_infer_message){
            .id = i,
            .minute = minute_of(json_string_value(json_object_get(m, "time"))),
            .sender = alias_of(c, sender),
            .text = pp_span_cstr(text),
        };
    }
    c->chat.messages = c->messages;
    c->chat.message_count = json_array_size(messages);
    return 0;
}

static void print_items(const char *file, const struct pp_infer_items *items)
{
    json_t *out = json_object();
    json_t *list = json_array();
    char summary[PP_INFER_ITEMS_MAX * 2048];
    size_t len = 0;

    for (size_t i = 0; i < items->count; i++) {
        const struct pp_infer_item *item = &items->at[i];
        json_t *o = json_object();
        json_t *ids = json_array();
        for (size_t k = 0; k < item->id_count; k++)
            json_array_append_new(ids, json_integer((json_int_t)item->ids[k]));
        json_object_set_new(o, "kind", json_string(pp_infer_kind_name(item->kind)));
        json_object_set_new(o, "text", json_stringn((const char *)item->text.at, item->text.len));
        json_object_set_new(o, "messages", ids);
        json_array_append_new(list, o);
        if (len + item->text.len + 1 < sizeof summary) {
            if (len > 0)
                summary[len++] = '\n';
            memcpy(summary + len, item->text.at, item->text.len);
            len += item->text.len;
        }
    }
    json_object_set_new(out, "file", json_string(file));
    json_object_set_new(out, "summary", json_stringn(summary, len));
    json_object_set_new(out, "items", list);
    char *text = json_dumps(out, JSON_COMPACT);
    if (text != NULL)
        puts(text);
    free(text);
    json_decref(out);
}

static pp_res summarize(struct chat *c, struct pp_arena *a, struct pp_infer_items *ret)
{
    struct pp_infer_items items;

    PP_TRY(pp_infer_summarize(pp_infer_engine_find(PP_STR("embedded")), &c->chat, a, &items));
    return pp_infer_names_apply(&items, c->names, c->name_count, c->chat.words, a, ret);
}

static int one_file(const char *file, uint32_t words, struct chat *c, struct pp_arena *a)
{
    json_error_t error;
    json_t *root = json_load_file(file, 0, &error);
    struct pp_infer_items items;

    *c = (struct chat){ .chat = { .words = words } };
    pp_arena_reset(a);
    if (root == NULL || read_chat(root, c) != 0) {
        fprintf(stderr, "%s: not a chat\n", file);
        json_decref(root);
        return 1;
    }
    pp_res r = summarize(c, a, &items);
    if (pp_is_ok(r))
        print_items(file, &items);
    else
        fprintf(stderr, "%s: %s (%u) at %s\n", file, pp_code_name(r.code), r.detail, r.where);
    json_decref(root);
    return !pp_is_ok(r);
}

int main(int argc, char **argv)
{
    static struct chat chat;
    int failed = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: summarize_raw WORDS FILE...\n");
        return 2;
    }
    void *mem = aligned_alloc(16, PP_INFER_ARENA_BYTES);
    if (mem == NULL)
        return 1;
    struct pp_arena arena = pp_arena_over(mem, PP_INFER_ARENA_BYTES);
    for (int i = 2; i < argc; i++)
        failed |= one_file(argv[i], (uint32_t)strtoul(argv[1], NULL, 10), &chat, &arena);
    free(mem);
    return failed;
}
