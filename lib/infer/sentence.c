/* SPDX-License-Identifier: Apache-2.0 */
/* sentence.c: from messages to tokens with cues, and from tokens to sentences. */
#include "infer_int.h"

static struct pp_span message_text(const struct infer_work *w, uint32_t message)
{
    return w->chat->messages[message].text;
}

/* Every message gets the same share, so that no long one pushes the others out. */
static uint32_t share(size_t total, size_t messages, uint32_t max)
{
    size_t each = total / (messages == 0 ? 1 : messages);

    return each < max ? (uint32_t)each : max;
}

static void read_tokens(struct infer_work *w)
{
    uint32_t max = share(INFER_TOKENS_MAX, w->chat->message_count, INFER_MESSAGE_TOKENS_MAX);

    for (uint32_t m = 0; m < w->chat->message_count; m++) {
        struct infer_talk *talk = &w->talks[m];
        size_t at = 0;
        talk->first = w->token_count;
        while (talk->count < max &&
               infer_token_next(message_text(w, m), &at, &w->tokens[w->token_count])) {
            w->token_count++;
            talk->count++;
        }
    }
}

/* The language of the templates: what the request names, if there are templates in it. */
static uint32_t language_asked(struct pp_span tag, uint32_t otherwise)
{
    static const char *const TAGS[] = {
        [INFER_EN] = "en", [INFER_DE] = "de", [INFER_FR] = "fr", [INFER_ES] = "es"
    };

    for (uint32_t k = 0; k < PP_ARRAY_COUNT(TAGS); k++)
        if (pp_span_eq(tag, pp_span_cstr(TAGS[k])))
            return k;
    return otherwise;
}

/* The language whose small words a message uses; several when it is too short to tell. */
static void find_languages(struct infer_work *w)
{
    uint32_t votes[INFER_LANGUAGE_COUNT] = { 0 };
    uint32_t all = 0;

    for (uint32_t m = 0; m < w->chat->message_count; m++) {
        struct infer_talk *talk = &w->talks[m];
        uint32_t here[INFER_LANGUAGE_COUNT] = { 0 };
        uint32_t best = 0;
        for (uint32_t i = talk->first; i < talk->first + talk->count; i++) {
            const struct infer_cue_slot *s = infer_cues_find(&w->cues, w->tokens[i].hash);
            for (unsigned k = 0;
                 s != NULL && w->tokens[i].type == INFER_WORD && k < INFER_LANGUAGE_COUNT; k++)
                here[k] += (s->cues[k] & CUE_STOP) != 0;
        }
        for (unsigned k = 0; k < INFER_LANGUAGE_COUNT; k++)
            best = here[k] > best ? here[k] : best;
        for (unsigned k = 0; best > 0 && k < INFER_LANGUAGE_COUNT; k++)
            if (here[k] == best)
                talk->languages |= (uint8_t)(1U << k);
        for (unsigned k = 0; k < INFER_LANGUAGE_COUNT; k++)
            votes[k] += here[k] == best ? here[k] : 0;
        all += best;
    }
    uint32_t best = 0;
    for (unsigned k = 0; k < INFER_LANGUAGE_COUNT; k++) {
        if (votes[k] * 6 > all)
            w->languages |= (uint8_t)(1U << k);
        if (votes[k] > votes[best])
            best = k;
    }
    if (w->languages == 0)
        w->languages = (1U << INFER_LANGUAGE_COUNT) - 1;
    w->language = (uint8_t)language_asked(w->chat->language, best);
}

static uint64_t cues_in(const struct infer_cue_slot *s, uint8_t languages)
{
    uint64_t cues = 0;

    for (unsigned k = 0; s != NULL && k < INFER_LANGUAGE_COUNT; k++)
        if (languages >> k & 1)
            cues |= s->cues[k];
    return cues;
}

/* A message that could be of several languages is taken to be of those that the chat speaks. */
static void give_cues(struct infer_work *w)
{
    for (uint32_t m = 0; m < w->chat->message_count; m++) {
        struct infer_talk *talk = &w->talks[m];
        if (talk->languages == 0)
            talk->languages = w->languages;
        else if ((talk->languages & w->languages) != 0)
            talk->languages &= w->languages;
        for (uint32_t i = talk->first; i < talk->first + talk->count; i++) {
            struct infer_token *t = &w->tokens[i];
            const struct infer_cue_slot *s = infer_cues_find(&w->cues, t->hash);
            if (t->type != INFER_WORD && t->type != INFER_NUM) {
                t->stem = t->type == INFER_MIXED ? t->stem : 0;
                continue;
            }
            t->cues |= cues_in(s, talk->languages);
            if (i + 1 < talk->first + talk->count && t[1].type == INFER_WORD)
                t->pair = cues_in(infer_cues_find(&w->cues, infer_pair_hash(t->hash, t[1].hash)),
                                  talk->languages);
            if ((t->cues & (CUE_STOP | CUE_GREET | CUE_LAUGH | CUE_THANKS)) != 0 ||
                (t->type == INFER_NUM && t->len < 3) || t->len < 2)
                t->stem = 0;
        }
    }
}

/* The stem's slot or a free one; INFER_STEM_SLOTS when there is none near. */
static uint32_t stem_slot(const struct infer_work *w, uint32_t stem)
{
    for (uint32_t probe = 0; probe < INFER_PROBES_MAX; probe++) {
        uint32_t at = (stem + probe) % INFER_STEM_SLOTS;
        if (w->stems[at] == 0 || w->stems[at] == stem)
            return at;
    }
    return INFER_STEM_SLOTS;
}

/* How many messages share a subject. What finds no place in the table counts as seen once. */
static void count_stems(struct infer_work *w)
{
    for (uint32_t m = 0; m < w->chat->message_count; m++) {
        const struct infer_talk *talk = &w->talks[m];
        for (uint32_t i = talk->first; i < talk->first + talk->count; i++) {
            uint32_t stem = w->tokens[i].stem;
            int again = 0;
            for (uint32_t k = i > talk->first + 32 ? i - 32 : talk->first; k < i; k++)
                again |= w->tokens[k].stem == stem;
            if (stem == 0 || again)
                continue;
            uint32_t slot = stem_slot(w, stem);
            if (slot == INFER_STEM_SLOTS)
                continue;
            w->stems[slot] = stem;
            w->stem_uses[slot]++;
        }
    }
}

uint32_t infer_stem_uses(const struct infer_work *w, uint32_t stem)
{
    uint32_t slot = stem_slot(w, stem);

    return slot < INFER_STEM_SLOTS && w->stems[slot] == stem ? w->stem_uses[slot] : 1;
}

static int is_stop(const struct infer_token *t)
{
    return t->type == INFER_PUNCT && (t->hash == '.' || t->hash == '!' || t->hash == '?' ||
                                      t->hash == 0x2026 || t->hash == ';' || t->hash == 0x3002);
}

/* 1 if the full stop at `i` belongs to an abbreviation, an ordinal or a name's initial. */
static int stop_inside(const struct infer_work *w, const struct infer_talk *talk, uint32_t i)
{
    const struct infer_token *t = &w->tokens[i];
    const struct infer_token *before = i > talk->first ? t - 1 : NULL;
    const struct infer_token *after = i + 1 < talk->first + talk->count ? t + 1 : NULL;

    if (t->hash != '.' || after == NULL || (after->flags & INFER_TOKEN_LINE) != 0)
        return 0;
    if ((after->flags & INFER_TOKEN_SPACE) == 0)
        return !is_stop(after);
    if (before == NULL)
        return 1;
    if (before->type == INFER_WORD && ((before->cues & CUE_ABBREV) != 0 || before->len == 1))
        return (before->cues & CUE_NO) == 0;
    return before->type == INFER_NUM && (after->cues & (CUE_MONTH | CUE_UNIT)) != 0;
}

/* "1." or "2)" in front of a point of a list: the number of tokens that it takes, or 0. */
static uint32_t list_marker(const struct infer_work *w, const struct infer_talk *talk, uint32_t i)
{
    const struct infer_token *t = &w->tokens[i];

    if (i + 2 >= talk->first + talk->count || t->type != INFER_NUM || t->len > 2)
        return 0;
    if (t[1].type != INFER_PUNCT || (t[1].flags & INFER_TOKEN_SPACE) != 0)
        return 0;
    if (t[1].hash == ')')
        return 2;
    return t[1].hash == '.' && i == talk->first && (t[2].flags & INFER_TOKEN_SPACE) != 0 &&
                   (t[2].cues & CUE_MONTH) == 0
               ? 2
               : 0;
}

static void add_unit(struct infer_work *w, uint32_t message, uint32_t first, uint32_t end,
                     int listed)
{
    struct infer_talk *talk = &w->talks[message];
    uint32_t max = share(INFER_UNITS_MAX, w->chat->message_count, INFER_MESSAGE_UNITS_MAX);
    int words = 0;

    for (uint32_t i = first; i < end; i++)
        words |= w->tokens[i].type <= INFER_MIXED || w->tokens[i].type == INFER_LINK;
    /* Pictures alone can be an answer, so they stay if the message has nothing else. */
    if (first >= end || talk->units >= max || (!words && talk->units > 0))
        return;
    w->units[w->unit_count++] = (struct infer_unit){
        .first = first, .count = end - first, .message = message, .acts = listed ? ACT_LISTED : 0
    };
    talk->units++;
}

/* 1 if the token asks, or asks for a yes: "who makes dough?", "ok if she sleeps here?" */
static int opens_question(const struct infer_token *t)
{
    return (t->cues & (CUE_ASKS | CUE_AGREE)) != 0;
}

/* "first baking day is Sunday 20 Sept, who makes dough?" is a statement and a question. */
static void add_units(struct infer_work *w, uint32_t message, uint32_t first, uint32_t end,
                      int listed)
{
    enum { TOKENS_MIN = 4 };
    uint32_t cut = first;
    int values = 0;

    if (end > first && w->tokens[end - 1].type == INFER_PUNCT && w->tokens[end - 1].hash == '?')
        for (uint32_t i = first; i + 2 < end; i++) {
            const struct infer_token *t = &w->tokens[i];
            values |= t->type == INFER_NUM || (t->cues & CUE_WEEKDAY) != 0;
            if (t->type == INFER_PUNCT && t->hash == ',' && values && i >= first + TOKENS_MIN &&
                opens_question(t + 1))
                cut = i + 1;
        }
    add_unit(w, message, first, cut, listed);
    add_unit(w, message, cut, end, listed && cut == first);
}

static void split_message(struct infer_work *w, uint32_t message)
{
    struct infer_talk *talk = &w->talks[message];
    uint32_t end = talk->first + talk->count;
    uint32_t from = talk->first;
    int listed = 0;

    talk->unit = w->unit_count;
    for (uint32_t i = talk->first; i < end; i++) {
        struct infer_token *t = &w->tokens[i];
        uint32_t marker = list_marker(w, talk, i);
        if (marker > 0 || (t->flags & INFER_TOKEN_LINE) != 0 || i - from >= INFER_UNIT_TOKENS_MAX) {
            add_units(w, message, from, i, listed);
            from = i + marker;
            listed = marker > 0;
            i += marker > 0 ? marker - 1 : 0;
            continue;
        }
        if (t->type == INFER_EMOJI || (is_stop(t) && !stop_inside(w, talk, i))) {
            while (i + 1 < end && is_stop(&w->tokens[i + 1]))
                i++;
            /* "booked! 736 total": one word alone leads to what follows it. */
            if (i - from == 1 && i + 1 < end && t->hash != '?' &&
                (t[1].flags & INFER_TOKEN_LINE) == 0)
                continue;
            add_units(w, message, from, i + 1, listed);
            from = i + 1;
            listed = 0;
        }
    }
    add_units(w, message, from, end, listed);
}

pp_res infer_tokenize(struct infer_work *w)
{
    size_t count = w->chat->message_count;
    size_t tokens = 1;

    /* A token is at least one byte, a unit at least one token: room for what can come, no more. */
    for (size_t m = 0; m < count && tokens < INFER_TOKENS_MAX; m++)
        tokens += w->chat->messages[m].text.len;
    tokens = tokens < INFER_TOKENS_MAX ? tokens : INFER_TOKENS_MAX;
    w->talks = pp_arena_array(w->arena, count, sizeof *w->talks);
    w->tokens = pp_arena_array(w->arena, tokens, sizeof *w->tokens);
    w->unit_max = tokens < INFER_UNITS_MAX ? (uint32_t)tokens : INFER_UNITS_MAX;
    w->units = pp_arena_array(w->arena, w->unit_max, sizeof *w->units);
    w->stems = pp_arena_array(w->arena, INFER_STEM_SLOTS, sizeof *w->stems);
    w->stem_uses = pp_arena_array(w->arena, INFER_STEM_SLOTS, sizeof *w->stem_uses);
    PP_CHECK(w->talks != NULL && w->tokens != NULL && w->units != NULL && w->stems != NULL &&
                 w->stem_uses != NULL,
             PP_E_NO_MEMORY, count);
    read_tokens(w);
    find_languages(w);
    give_cues(w);
    count_stems(w);
    for (uint32_t m = 0; m < count; m++)
        split_message(w, m);
    return PP_OK;
}

struct pp_span infer_token_text(const struct infer_work *w, const struct infer_unit *u,
                                const struct infer_token *t)
{
    struct pp_span text = message_text(w, u->message);

    return pp_span(text.at + t->at, t->len);
}
