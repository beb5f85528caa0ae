/* SPDX-License-Identifier: Apache-2.0 */
#include "kv.h"

#include "text.h"

static struct pp_span trim(struct pp_span s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static int has_control(struct pp_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.at[i] < 0x20 && s.at[i] != '\t') || s.at[i] == 0x7F)
            return 1;
    return 0;
}

static const struct pp_kv_key *find(const struct pp_kv_key *keys, size_t count, struct pp_span name)
{
    for (size_t i = 0; i < count; i++)
        if (pp_span_eq(pp_span_cstr(keys[i].name), name))
            return &keys[i];
    return NULL;
}

static pp_res store(const struct pp_kv_key *key, struct pp_span value, void *target)
{
    uint8_t *at = (uint8_t *)target + key->offset;
    uint64_t max = key->max == 0 ? UINT64_MAX : key->max;

    switch (key->kind) {
    case PP_KV_TEXT:
        PP_CHECK(value.len >= key->min && value.len <= max, PP_E_RANGE, value.len);
        *(struct pp_span *)(void *)at = value;
        return PP_OK;
    case PP_KV_U64: {
        uint64_t v;
        PP_TRY(pp_decimal_parse(value, max, &v));
        PP_CHECK(v >= key->min, PP_E_RANGE, 0);
        *(uint64_t *)(void *)at = v;
        return PP_OK;
    }
    case PP_KV_FLAG: {
        int yes = pp_span_eq(value, PP_STR("yes"));
        PP_CHECK(yes || pp_span_eq(value, PP_STR("no")), PP_E_FORMAT, 0);
        *(uint32_t *)(void *)at = (uint32_t)yes;
        return PP_OK;
    }
    case PP_KV_LIST: {
        struct pp_kv_list *list = (struct pp_kv_list *)(void *)at;
        PP_CHECK(value.len > 0 && list->count < PP_KV_LIST_MAX, PP_E_RANGE, list->count);
        list->items[list->count++] = value;
        return PP_OK;
    }
    }
    return PP_FAIL(PP_E_STATE, key->kind);
}

static pp_res refuse(struct pp_problem *problem, struct pp_span key, const char *expected,
                     struct pp_span got, uint32_t line)
{
    char name[sizeof problem->field];

    pp_printable(name, sizeof name, key);
    pp_problem_set(problem, name, expected, got);
    return PP_FAIL(PP_E_CONFIG, line);
}

pp_res pp_kv_read(struct pp_span text, const struct pp_kv_key *keys, size_t key_count, void *target,
                  struct pp_problem *problem)
{
    enum { KEYS_MAX = 64 };
    uint8_t seen[KEYS_MAX] = { 0 };
    uint32_t line_number = 0;

    PP_ASSERT(key_count <= KEYS_MAX);
    if (text.len > PP_KV_BYTES_MAX)
        return refuse(problem, PP_STR("(file)"), "at most 65536 bytes", PP_STR("more"), 0);
    if (!pp_is_ok(pp_utf8_check(text)))
        return refuse(problem, PP_STR("(file)"), "UTF-8 text", PP_STR("other bytes"), 0);

    while (text.len > 0) {
        struct pp_span line;
        struct pp_span name;

        pp_text_cut(&text, '\n', &line);
        line_number++;
        line = trim(line);
        if (line.len == 0 || line.at[0] == '#')
            continue;
        struct pp_span value = line;
        if (!pp_text_cut(&value, '=', &name) || trim(name).len == 0 || has_control(line))
            return refuse(problem, line, "a line of the form: key = value", line, line_number);
        name = trim(name);
        value = trim(value);
        const struct pp_kv_key *key = find(keys, key_count, name);
        if (key == NULL)
            return refuse(problem, name, "a key that --help lists", PP_STR("an unknown key"),
                          line_number);
        size_t i = (size_t)(key - keys);
        if (seen[i] && key->kind != PP_KV_LIST)
            return refuse(problem, name, "the key once", PP_STR("a second time"), line_number);
        seen[i] = 1;
        if (!pp_is_ok(store(key, value, target)))
            return refuse(problem, name, key->expected, value, line_number);
    }
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].mandatory && !seen[i])
            return refuse(problem, pp_span_cstr(keys[i].name), keys[i].expected,
                          PP_STR("(missing)"), 0);
    return PP_OK;
}
