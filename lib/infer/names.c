/* SPDX-License-Identifier: Apache-2.0 */
/* names.c: the device's part: names in the place of speaker marks. */
#include "infer_int.h"
#include "text.h"
#include "wr.h"

enum { MARK_BYTES = 3 };

static const uint8_t OPEN[MARK_BYTES] = { 0xE2, 0x9F, 0xA8 };
static const uint8_t CLOSE[MARK_BYTES] = { 0xE2, 0x9F, 0xA9 };

/* One person as shown. */
struct shown {
    struct pp_span full;    /* what the device calls the person, cleaned */
    struct pp_span without; /* without what stands in brackets, if unique; else full */
    struct pp_span single;  /* one word, unique */
};

static int is_mark_char(uint32_t c)
{
    return c == INFER_MARK_OPEN || c == INFER_MARK_CLOSE;
}

/* Visible characters, single spaces, no marks, at most PP_INFER_NAME_BYTES_MAX. */
static void write_clean(struct pp_wr *wr, struct pp_span name)
{
    int space = 0;

    for (size_t at = 0; at < name.len;) {
        size_t from = at;
        uint32_t c = pp_utf8_next(name, &at);
        enum infer_char cls = infer_char_class(c);
        if (cls == INFER_CHAR_SPACE)
            space = wr->len > 0;
        if (cls == INFER_CHAR_SPACE || cls == INFER_CHAR_INVISIBLE || is_mark_char(c) || c == '<' ||
            c == '>')
            continue;
        if (wr->len + (at - from) + 1 > PP_INFER_NAME_BYTES_MAX)
            return;
        if (space)
            pp_wr_u8(wr, ' ');
        space = 0;
        pp_wr_bytes(wr, name.at + from, at - from);
    }
}

static pp_res clean(struct pp_arena *a, struct pp_span name, size_t alias, struct pp_span *ret)
{
    uint8_t buf[PP_INFER_NAME_BYTES_MAX + 16];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    PP_TRY(pp_utf8_check(name));
    write_clean(&wr, name);
    if (wr.len == 0) {
        pp_wr_u8(&wr, '#');
        pp_wr_decimal(&wr, alias);
    }
    return pp_arena_copy(a, pp_wr_done(&wr), ret);
}

static struct pp_span without_brackets(struct pp_span name)
{
    for (size_t i = 1; i < name.len; i++)
        if (name.at[i] == '(' || name.at[i] == '[') {
            size_t end = i;
            while (end > 0 && name.at[end - 1] == ' ')
                end--;
            return end == 0 ? name : pp_span(name.at, end);
        }
    return name;
}

/* The given name; behind a title the last word: "Anna", but "Keller" of "Dr. Keller". */
static struct pp_span one_word(struct pp_span name)
{
    static const char TITLES[] =
        "coach uncle aunt auntie captain mr mrs ms miss herr frau prof professor sr sra "
        "señor señora mme madame monsieur tante onkel tío tía oncle trainer doctor dr "
        "sister brother grandma grandpa oma opa ";
    struct pp_span rest = name;
    struct pp_span first;
    struct pp_span title = pp_span_cstr(TITLES);
    struct pp_span word;

    if (!pp_text_cut(&rest, ' ', &first))
        return name;
    int titled = first.len > 0 && first.at[first.len - 1] == '.';
    while (!titled && pp_text_cut(&title, ' ', &word))
        titled = infer_hash_text(word) == infer_hash_text(first);
    if (!titled)
        return first;
    while (pp_text_cut(&rest, ' ', &word))
        ;
    return word;
}

static int taken(const struct shown *people, size_t count, size_t self, struct pp_span word)
{
    for (size_t i = 0; i < count; i++)
        if (i != self && !pp_span_eq(people[i].full, people[self].full) &&
            (pp_span_eq(one_word(people[i].full), word) || pp_span_eq(people[i].full, word) ||
             pp_span_eq(without_brackets(people[i].full), word)))
            return 1;
    return 0;
}

/* A name of one word that nobody else in the chat has; at worst all of it, joined. */
static pp_res make_single(struct pp_arena *a, struct shown *people, size_t count, size_t self)
{
    struct pp_span word = one_word(people[self].without);
    uint8_t *joined = pp_arena_alloc(a, people[self].full.len);

    PP_CHECK(joined != NULL, PP_E_NO_MEMORY, people[self].full.len);
    if (taken(people, count, self, word)) {
        for (size_t i = 0; i < people[self].full.len; i++)
            joined[i] = people[self].full.at[i] == ' ' ? '-' : people[self].full.at[i];
        word = pp_span(joined, people[self].full.len);
    }
    people[self].single = word;
    return PP_OK;
}

/* Reads the mark at `*at` and moves behind it; 0 when there is none. */
static pp_res read_mark(struct pp_span text, size_t *at, size_t name_count, size_t *ret_alias,
                        int *ret_found)
{
    size_t digits = *at + MARK_BYTES;
    size_t end = digits;
    uint64_t alias;

    *ret_found = 0;
    if (text.len - *at < MARK_BYTES)
        return PP_OK;
    PP_CHECK(memcmp(text.at + *at, CLOSE, MARK_BYTES) != 0, PP_E_FORMAT, *at);
    if (memcmp(text.at + *at, OPEN, MARK_BYTES) != 0)
        return PP_OK;
    while (end < text.len && text.at[end] >= '0' && text.at[end] <= '9')
        end++;
    PP_CHECK(text.len - end >= MARK_BYTES && memcmp(text.at + end, CLOSE, MARK_BYTES) == 0,
             PP_E_FORMAT, *at);
    PP_TRY(pp_decimal_parse(pp_span(text.at + digits, end - digits), UINT32_MAX, &alias));
    PP_CHECK(alias < name_count, PP_E_RANGE, alias);
    *ret_alias = (size_t)alias;
    *at = end + MARK_BYTES;
    *ret_found = 1;
    return PP_OK;
}

enum form {
    FORM_LONG,       /* always the name */
    FORM_LONG_FIRST, /* the name once, then one word */
    FORM_SHORT,      /* always one word */
    FORM_COUNT,
};

struct writing {
    const struct shown *people;
    size_t name_count;
    enum form form;
    uint8_t *met; /* per alias: was mentioned */
};

static pp_res write_item(struct writing *g, struct pp_span text, struct pp_wr *wr)
{
    for (size_t at = 0; at < text.len;) {
        size_t alias;
        int found;
        PP_TRY(read_mark(text, &at, g->name_count, &alias, &found));
        if (!found) {
            pp_wr_u8(wr, text.at[at++]);
            continue;
        }
        int single = g->form == FORM_SHORT || (g->form == FORM_LONG_FIRST && g->met[alias]);
        pp_wr_span(wr, single ? g->people[alias].single : g->people[alias].without);
        g->met[alias] = 1;
    }
    return pp_wr_ok(wr);
}

/* Bytes that the item can grow to: every mark is at least 7 bytes. */
static size_t room_for(struct pp_span text)
{
    return text.len + (text.len / 7 + 1) * (PP_INFER_NAME_BYTES_MAX + 16);
}

static pp_res write_all(struct writing *g, const struct pp_infer_items *items, struct pp_arena *a,
                        struct pp_infer_items *ret, size_t *ret_words)
{
    *ret_words = 0;
    memset(g->met, 0, g->name_count);
    for (size_t i = 0; i < items->count; i++) {
        size_t cap = room_for(items->at[i].text);
        uint8_t *buf = pp_arena_alloc(a, cap);
        PP_CHECK(buf != NULL, PP_E_NO_MEMORY, cap);
        struct pp_wr wr = pp_wr_over(buf, cap);
        PP_TRY(write_item(g, items->at[i].text, &wr));
        ret->at[i] = items->at[i];
        ret->at[i].text = pp_wr_done(&wr);
        *ret_words += pp_infer_words(ret->at[i].text);
    }
    ret->count = items->count;
    return PP_OK;
}

/*
 * Two members whose names look the same once cleaned stay two: whoever joined later with an
 * invisible character in a name gets a number, so that nobody speaks under another's name.
 */
static pp_res tell_apart(struct pp_arena *a, const struct pp_span *names, struct shown *people,
                         size_t self)
{
    struct pp_span full = people[self].full;
    uint8_t buf[PP_INFER_NAME_BYTES_MAX + 32];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);

    for (size_t i = 0; i < self; i++)
        if (pp_span_eq(people[i].full, full) && !pp_span_eq(names[i], names[self])) {
            pp_wr_span(&wr, full);
            pp_wr_u8(&wr, '#');
            pp_wr_decimal(&wr, self);
            PP_TRY(pp_wr_ok(&wr));
            return pp_arena_copy(a, pp_wr_done(&wr), &people[self].full);
        }
    return PP_OK;
}

/* People in all three lengths; brackets go when the rest is nobody else's name. */
static pp_res make_people(struct pp_arena *a, const struct pp_span *names, size_t count,
                          struct shown *people)
{
    for (size_t i = 0; i < count; i++)
        PP_TRY(clean(a, names[i], i, &people[i].full));
    for (size_t i = count; i-- > 0;)
        PP_TRY(tell_apart(a, names, people, i));
    for (size_t i = 0; i < count; i++) {
        struct pp_span shorter = without_brackets(people[i].full);
        people[i].without = taken(people, count, i, shorter) ? people[i].full : shorter;
        PP_TRY(make_single(a, people, count, i));
    }
    return PP_OK;
}

pp_res pp_infer_names_apply(const struct pp_infer_items *items, const struct pp_span *names,
                            size_t name_count, uint32_t words, struct pp_arena *a,
                            struct pp_infer_items *ret)
{
    struct shown *people = pp_arena_array(a, name_count, sizeof *people);
    struct writing g = { .people = people, .name_count = name_count };
    struct pp_infer_items out = { .at = pp_arena_array(a, items->count, sizeof *out.at) };
    size_t total = 0;

    g.met = pp_arena_alloc(a, name_count);
    PP_CHECK(people != NULL && g.met != NULL && out.at != NULL, PP_E_NO_MEMORY, name_count);
    PP_CHECK(name_count <= PP_INFER_MESSAGES_MAX, PP_E_LIMIT, name_count);
    PP_TRY(make_people(a, names, name_count, people));
    for (g.form = FORM_LONG; g.form < FORM_COUNT; g.form++) {
        PP_TRY(write_all(&g, items, a, &out, &total));
        if (total <= words)
            break;
    }
    PP_CHECK(total <= words, PP_E_LIMIT, total);
    *ret = out;
    return PP_OK;
}
