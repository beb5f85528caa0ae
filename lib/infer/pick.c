/* SPDX-License-Identifier: Apache-2.0 */
/* pick.c: the facts that say most in the words allowed, and their order. */
#include "infer_int.h"
#include "wr.h"

enum {
    COVERED_SLOTS = 4096,
    VALUE_WEIGHT = 3,
    SPEAKER_WEIGHT = 2,
    AGAIN_TENTHS = 8, /* worth of a second sentence about the same thing */
    MERGED_WORDS_MAX = 40,
};

struct choice {
    struct infer_said said;
    uint32_t fact;
    uint32_t kind;
    uint32_t message; /* of its last sentence */
    int opening;      /* what the conversation begins with */
    int alarm;        /* about a hostile message */
};

struct picker {
    struct infer_work *w;
    struct infer_facts *facts;
    uint32_t *words; /* of each fact as said; 0 = cannot be said */
    uint8_t *used;
    uint32_t *covered; /* hashes of subjects and values that are said already */
    uint8_t *threads;  /* per thread: something of it is said already */
    struct choice *chosen;
    uint32_t chosen_count;
};

/* The hash's slot or a free one; COVERED_SLOTS when there is none near. */
static uint32_t covered_slot(const struct picker *p, uint32_t hash)
{
    for (uint32_t probe = 0; probe < INFER_PROBES_MAX; probe++) {
        uint32_t at = (hash + probe) % COVERED_SLOTS;
        if (p->covered[at] == 0 || p->covered[at] == hash)
            return at;
    }
    return COVERED_SLOTS;
}

static void weigh_one(struct picker *p, uint32_t hash, uint32_t weight, uint32_t *ret_new,
                      uint32_t *ret_all, int enter)
{
    uint32_t at = covered_slot(p, hash);

    *ret_all += weight;
    if (at == COVERED_SLOTS)
        return;
    *ret_new += p->covered[at] == 0 ? weight : 0;
    if (enter)
        p->covered[at] = hash;
}

/* Walks the subjects and values of a fact: counts those that are new, or enters them. */
static void weigh(struct picker *p, const struct infer_fact *f, uint32_t *ret_new,
                  uint32_t *ret_all, int enter)
{
    struct infer_work *w = p->w;

    *ret_new = *ret_all = 0;
    for (uint32_t k = 0; k < f->unit_count; k++) {
        const struct infer_unit *u = &w->units[f->units[k]];
        /* Somebody who was not heard yet counts like a new word. */
        weigh_one(p, 0x5EED0000U + w->chat->messages[u->message].sender, SPEAKER_WEIGHT, ret_new,
                  ret_all, enter);
        for (uint32_t i = u->first; i < u->first + u->count; i++) {
            const struct infer_token *t = &w->tokens[i];
            int value = t->type == INFER_NUM || t->type == INFER_MIXED ||
                        (t->cues & CUE_WEEKDAY) != 0;
            uint32_t hash = value ? t->hash : t->stem;
            uint32_t weight = value ? VALUE_WEIGHT : 1;
            if (hash == 0 || t->type == INFER_PUNCT || (t->flags & INFER_TOKEN_DROPPED) != 0)
                continue;
            weigh_one(p, hash, weight, ret_new, ret_all, enter);
        }
    }
}

static uint32_t thread_of(const struct picker *p, const struct infer_fact *f)
{
    return p->w->talks[p->w->units[f->main].message].thread;
}

/* What the fact adds per word, times 1000. */
static int64_t worth(struct picker *p, uint32_t fact)
{
    const struct infer_fact *f = &p->facts->at[fact];
    uint32_t new;
    uint32_t all;

    weigh(p, f, &new, &all, 0);
    if (all == 0)
        return 0;
    int64_t score = (int64_t)f->score * (2 * new + all) / (3 * all);
    if (p->threads[thread_of(p, f)])
        score = score * AGAIN_TENTHS / 10;
    return score * 1000 / (p->words[fact] + 5);
}

/* Reading order: how it began, then by kind, warnings of others last in theirs, then by time. */
static int is_before(const struct choice *a, const struct choice *b)
{
    if (a->opening != b->opening)
        return a->opening;
    if (a->kind == b->kind && a->alarm != b->alarm)
        return b->alarm;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->message != b->message ? a->message < b->message : a->fact < b->fact;
}

/* 1 if `b` can go on in the item that `a` begins: the same speaker in the same kind of sentence. */
static int goes_on(const struct choice *a, const struct choice *b, size_t words_so_far,
                   size_t ids_so_far)
{
    return a->kind == b->kind && a->kind != PP_INFER_OPEN && a->said.form != INFER_OTHER_FORM &&
           a->said.form == b->said.form && a->said.speaker == b->said.speaker &&
           words_so_far + b->said.words <= MERGED_WORDS_MAX &&
           ids_so_far + b->said.id_count <= PP_INFER_ITEM_IDS_MAX;
}

/* An item: chosen sentences by index, in the order in which they are said. */
struct group {
    uint8_t members[PP_INFER_ITEM_IDS_MAX];
    uint32_t count;
    size_t words;
    size_t ids;
};

/* The item that begins with chosen[k]; marks its members in `placed`. */
static struct group group_from(const struct picker *p, uint32_t k, uint8_t *placed)
{
    struct group g = { .members = { (uint8_t)k }, .count = 1 };

    g.words = p->chosen[k].said.words;
    g.ids = p->chosen[k].said.id_count;
    placed[k] = 1;
    for (uint32_t j = k + 1; j < p->chosen_count && g.count < PP_ARRAY_COUNT(g.members); j++) {
        const struct choice *b = &p->chosen[j];
        if (placed[j] || !goes_on(&p->chosen[k], b, g.words, g.ids))
            continue;
        placed[j] = 1;
        g.members[g.count++] = (uint8_t)j;
        g.words += b->said.words - 1;
        g.ids += b->said.id_count;
    }
    return g;
}

static size_t total_words(const struct picker *p)
{
    uint8_t placed[PP_INFER_ITEMS_MAX] = { 0 };
    size_t total = 0;

    for (uint32_t k = 0; k < p->chosen_count; k++)
        if (!placed[k])
            total += group_from(p, k, placed).words;
    return total;
}

static void choose(struct picker *p, uint32_t fact)
{
    const struct infer_fact *f = &p->facts->at[fact];
    struct choice c = { .fact = fact, .kind = f->kind, .opening = f->opening };
    uint32_t at = p->chosen_count;
    uint32_t new;
    uint32_t all;

    infer_say(p->w, f, &c.said);
    c.message = p->w->units[f->main].message;
    c.alarm = (p->w->units[f->main].acts & ACT_ALARM) != 0;
    while (at > 0 && is_before(&c, &p->chosen[at - 1])) {
        p->chosen[at] = p->chosen[at - 1];
        at--;
    }
    p->chosen[at] = c;
    p->chosen_count++;
    weigh(p, f, &new, &all, 1);
    p->threads[thread_of(p, f)] = 1;
}

static int tells(const struct infer_fact *f, uint32_t unit)
{
    for (uint32_t i = 0; i < f->unit_count; i++)
        if (f->units[i] == unit)
            return 1;
    return 0;
}

/* A sentence is told once: facts lose what `told` says already, and go when that is all of them. */
static void tell_once(struct picker *p, const struct infer_fact *told)
{
    struct infer_said said;

    for (uint32_t k = 0; k < p->facts->count; k++) {
        struct infer_fact *f = &p->facts->at[k];
        uint32_t kept = 0;
        if (p->used[k])
            continue;
        if (tells(told, f->main)) {
            p->used[k] = 1;
            continue;
        }
        for (uint32_t i = 0; i < f->unit_count; i++)
            if (!tells(told, f->units[i]))
                f->units[kept++] = f->units[i];
        if (kept == f->unit_count)
            continue;
        f->unit_count = kept;
        /* What needed the rest to mean something has nothing left to say. */
        const struct infer_unit *u = &p->w->units[f->main];
        f->score = u->score;
        if (u->content <= 1 && u->values <= (u->content == 0)) {
            p->used[k] = 1;
            continue;
        }
        infer_say(p->w, f, &said);
        p->words[k] = (uint32_t)said.words;
    }
}

static void pick_all(struct picker *p)
{
    size_t words = 0;

    while (p->chosen_count < PP_INFER_ITEMS_MAX) {
        int64_t best_worth = 0;
        uint32_t best = UINT32_MAX;
        for (uint32_t k = 0; k < p->facts->count; k++) {
            if (p->used[k] || p->words[k] == 0 || words + p->words[k] > p->w->chat->words)
                continue;
            int64_t value = worth(p, k);
            if (value > best_worth) {
                best_worth = value;
                best = k;
            }
        }
        if (best == UINT32_MAX)
            break;
        choose(p, best);
        words = total_words(p);
        struct infer_fact told = p->facts->at[best];
        tell_once(p, &told);
    }
}

static void add_id(uint64_t *ids, size_t *count, uint64_t id)
{
    size_t at = *count;

    for (size_t i = 0; i < *count; i++)
        if (ids[i] == id)
            return;
    for (; at > 0 && ids[at - 1] > id; at--)
        ids[at] = ids[at - 1];
    ids[at] = id;
    (*count)++;
}

/* A group as one item: "(speaker): this; that." */
static pp_res make_item(struct picker *p, const struct group *g, struct pp_infer_item *ret)
{
    size_t cap = PP_INFER_ITEM_BYTES_MAX;
    uint8_t *text = pp_arena_alloc(p->w->arena, cap);
    uint64_t *ids = pp_arena_array(p->w->arena, PP_INFER_ITEM_IDS_MAX, sizeof *ids);
    struct pp_wr wr = pp_wr_over(text, cap);

    PP_CHECK(text != NULL && ids != NULL, PP_E_NO_MEMORY, cap);
    *ret = (struct pp_infer_item){ .kind = p->chosen[g->members[0]].kind, .ids = ids };
    for (uint32_t k = 0; k < g->count; k++) {
        const struct infer_said *s = &p->chosen[g->members[k]].said;
        int last = k + 1 == g->count;
        size_t from = k == 0 ? 0 : s->body;
        size_t end = last || s->text[s->len - 1] != '.' ? s->len : s->len - 1;
        pp_wr_bytes(&wr, s->text + from, end - from);
        if (!last)
            pp_wr_text(&wr, end < s->len ? "; " : " ");
        for (size_t i = 0; i < s->id_count; i++)
            add_id(ids, &ret->id_count, s->ids[i]);
    }
    PP_TRY(pp_wr_ok(&wr));
    ret->text = pp_wr_done(&wr);
    return PP_OK;
}

static pp_res give_items(struct picker *p, struct pp_infer_items *ret)
{
    struct pp_infer_items items = { .at = pp_arena_array(p->w->arena, p->chosen_count,
                                                         sizeof *items.at) };
    uint8_t placed[PP_INFER_ITEMS_MAX] = { 0 };

    PP_CHECK(items.at != NULL, PP_E_NO_MEMORY, p->chosen_count);
    for (uint32_t k = 0; k < p->chosen_count; k++) {
        if (placed[k])
            continue;
        struct group g = group_from(p, k, placed);
        PP_TRY(make_item(p, &g, &items.at[items.count++]));
    }
    *ret = items;
    return PP_OK;
}

pp_res infer_pick(struct infer_work *w, struct infer_facts *facts, struct pp_infer_items *ret)
{
    struct picker p = { .w = w, .facts = facts };
    struct infer_said said;

    p.words = pp_arena_array(w->arena, facts->count, sizeof *p.words);
    p.used = pp_arena_array(w->arena, facts->count, sizeof *p.used);
    p.covered = pp_arena_array(w->arena, COVERED_SLOTS, sizeof *p.covered);
    p.threads = pp_arena_alloc(w->arena, w->chat->message_count);
    p.chosen = pp_arena_array(w->arena, PP_INFER_ITEMS_MAX, sizeof *p.chosen);
    PP_CHECK(p.words != NULL && p.used != NULL && p.covered != NULL && p.threads != NULL &&
                 p.chosen != NULL,
             PP_E_NO_MEMORY, facts->count);
    for (uint32_t k = 0; k < facts->count; k++) {
        infer_say(w, &facts->at[k], &said);
        p.words[k] = (uint32_t)said.words;
    }
    pick_all(&p);
    return give_items(&p, ret);
}
