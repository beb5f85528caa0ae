/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replace.c: later values in the place of earlier ones, and what is said twice. Runs after the
 * links: it matters who agreed to what. Every search looks at a bounded number of neighbours.
 */
#include "infer_int.h"

enum {
    VALUE_WINDOW = 160,  /* values back that a new one may replace */
    AGREE_WINDOW = 6,    /* messages back to what is said again */
    LISTING_MINUTES = 4, /* one writer's messages this close belong to one list */
    STALE_WINDOW = 200,  /* sentences back from a moved date */
    BARE_WINDOW = 40,    /* messages over which bare dates are about the same thing */
};

static uint32_t sender_of(const struct infer_work *w, uint32_t message)
{
    return w->chat->messages[message].sender;
}

static int is_friendly(const struct infer_work *w, const struct infer_unit *u)
{
    return w->talks[u->message].hostile == INFER_FRIENDLY;
}

static int same_class(const struct infer_value *a, const struct infer_value *b)
{
    int day_a = a->type == INFER_DATE || a->type == INFER_WEEKDAY;
    int day_b = b->type == INFER_DATE || b->type == INFER_WEEKDAY;

    return a->type == b->type || (day_a && day_b);
}

static uint32_t shared_labels(const struct infer_value *a, const struct infer_value *b)
{
    uint32_t shared = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(a->labels) && a->labels[i] != 0; i++)
        for (size_t k = 0; k < PP_ARRAY_COUNT(b->labels) && b->labels[k] != 0; k++)
            shared += a->labels[i] == b->labels[k];
    return shared;
}

/* 1 if the sentence has the same value, and not as what no longer holds: then it is confirmed. */
static int repeats(const struct infer_work *w, const struct infer_value *old, uint32_t unit)
{
    for (uint32_t k = w->units[unit].value_first; k < w->value_count && w->values[k].unit == unit;
         k++)
        if (w->values[k].type == old->type && w->values[k].norm == old->norm && !w->values[k].old)
            return 1;
    return 0;
}

/* 1 if a change is announced in the message of `unit`. */
static int announces_change(const struct infer_work *w, uint32_t unit)
{
    const struct infer_talk *talk = &w->talks[w->units[unit].message];

    for (uint32_t k = 0; k < talk->units; k++)
        if ((w->units[talk->unit + k].acts & ACT_CHANGE) != 0)
            return 1;
    return 0;
}

/*
 * Whether the later value, in a message that announces a change or not, replaces the earlier one.
 */
static int replaces(const struct infer_work *w, const struct infer_value *old,
                    const struct infer_value *later, int change)
{
    const struct infer_unit *a = &w->units[old->unit];
    const struct infer_unit *b = &w->units[later->unit];
    const struct pp_infer_message *ma = &w->chat->messages[a->message];
    const struct pp_infer_message *mb = &w->chat->messages[b->message];
    int concludes = (b->acts & (ACT_CONCLUDE | ACT_DECIDE)) != 0;
    int settles = b->agree_count > 0 || (b->acts & (ACT_AGREE | ACT_DECIDE)) != 0;

    if (a->message == b->message || !same_class(old, later))
        return 0;
    if (!change && !concludes && ma->sender == mb->sender &&
        mb->minute - ma->minute <= LISTING_MINUTES)
        return 0;
    /* A bare "ok Sunday 21 then" settles what was bare before. */
    int own = b->answers == 0 || w->units[b->answers - 1].content == 0;
    int bare = own && b->content == 0 && a->content <= 1 &&
               b->message - a->message <= BARE_WINDOW && (change || settles);
    uint32_t shared = shared_labels(old, later);
    int same = shared > 1 || (shared == 1 && (change || concludes || b->agree_count > 0));
    return (bare || same) && !repeats(w, old, later->unit);
}

/* 1 if a mere "11 is fine" says again what was said with its subject just before. */
static int restates(const struct infer_work *w, uint32_t value)
{
    const struct infer_value *v = &w->values[value];
    const struct infer_unit *u = &w->units[v->unit];

    if ((u->acts & ACT_DECIDE) != 0 || (u->acts & (ACT_AGREE | ACT_VOTE)) == 0)
        return 0;
    for (uint32_t k = value; k > 0 && value - k < 32; k--) {
        const struct infer_value *before = &w->values[k - 1];
        const struct infer_unit *other = &w->units[before->unit];
        if (u->message - other->message > AGREE_WINDOW)
            return 0;
        if (other->message != u->message && before->type == v->type && before->norm == v->norm)
            return before->labels[0] != 0;
    }
    return 0;
}

static int can_be_replaced(const struct infer_value *v)
{
    return v->type != INFER_NUMBER && v->type != INFER_RELDAY && !v->old;
}

static int has_date(const struct infer_work *w, uint32_t unit)
{
    for (uint32_t k = w->units[unit].value_first; k < w->value_count && w->values[k].unit == unit;
         k++)
        if (w->values[k].type == INFER_DATE)
            return 1;
    return 0;
}

/* 1 if the sentence has a time right behind a day: "Tuesday 20 October, 14:15". */
static int is_full_date(const struct infer_work *w, uint32_t unit)
{
    for (uint32_t k = w->units[unit].value_first;
         k + 1 < w->value_count && w->values[k + 1].unit == unit; k++) {
        const struct infer_value *a = &w->values[k];
        int day = a->type == INFER_DATE || a->type == INFER_WEEKDAY;
        if (day && a[1].type == INFER_TIME && a[1].first - (a->first + a->count) <= 1)
            return 1;
    }
    return 0;
}

/*
 * When the day itself moves, the days and times said between the old one and the new are in doubt.
 */
static void make_stale(struct infer_work *w, uint32_t old_unit, uint32_t new_unit)
{
    uint32_t from = new_unit - old_unit > STALE_WINDOW ? new_unit - STALE_WINDOW : old_unit + 1;

    for (uint32_t k = from; k < new_unit; k++)
        if ((w->units[k].acts & (ACT_TIME | ACT_DAY)) != 0 &&
            w->units[k].message != w->units[new_unit].message)
            w->units[k].acts |= ACT_STALE;
}

/*
 * "The new date is Friday at 10:45" shares no word with what it moves: it stands in the place of
 * the same writer's last day with a time.
 */
static void replace_full_date(struct infer_work *w, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];

    for (uint32_t back = unit; back > 0 && unit - back < BARE_WINDOW * 4; back--) {
        const struct infer_unit *a = &w->units[back - 1];
        if (sender_of(w, a->message) != sender_of(w, u->message) || a->message == u->message ||
            !is_full_date(w, back - 1))
            continue;
        for (uint32_t k = a->value_first; k < w->value_count && w->values[k].unit == back - 1; k++)
            if (can_be_replaced(&w->values[k]) && w->values[k].type != INFER_AMOUNT &&
                (w->values[k].type != INFER_TIME || (u->acts & ACT_TIME) != 0) &&
                !repeats(w, &w->values[k], unit))
                w->values[k].dead = 1;
        make_stale(w, back - 1, unit);
        return;
    }
}

static uint32_t plain_norm(const struct infer_value *v)
{
    return v->type == INFER_NUMBER ? v->norm * 60 : v->norm;
}

/* "13:00 instead of 16:00": what is named as gone is gone wherever it was said. */
static void drop_named(struct infer_work *w, uint32_t k)
{
    const struct infer_value *gone = &w->values[k];
    uint32_t from = k > VALUE_WINDOW ? k - VALUE_WINDOW : 0;

    for (uint32_t o = from; o < k; o++) {
        struct infer_value *old = &w->values[o];
        int alike = old->type == gone->type ||
                    (old->type == INFER_TIME && gone->type == INFER_NUMBER);
        if (old->unit != gone->unit && alike && plain_norm(old) == plain_norm(gone))
            old->dead = old->type != INFER_NUMBER;
    }
}

/* Lets one value of a sentence replace what it can; gives how many earlier values went. */
static uint32_t replace_by(struct infer_work *w, uint32_t k, int change)
{
    const struct infer_value *later = &w->values[k];
    uint32_t from = k > VALUE_WINDOW ? k - VALUE_WINDOW : 0;
    uint32_t replaced = 0;

    if (!can_be_replaced(later) || restates(w, k))
        return 0;
    for (uint32_t o = from; o < k; o++) {
        struct infer_value *old = &w->values[o];
        if (old->dead || !can_be_replaced(old) || !replaces(w, old, later, change))
            continue;
        old->dead = 1;
        replaced++;
        if (change && later->type != INFER_TIME && later->type != INFER_AMOUNT)
            make_stale(w, old->unit, later->unit);
    }
    return replaced;
}

static void supersede(struct infer_work *w)
{
    for (uint32_t unit = 0; unit < w->unit_count; unit++) {
        const struct infer_unit *u = &w->units[unit];
        uint32_t replaced = 0;
        if (!is_friendly(w, u))
            continue;
        if ((u->acts & ACT_QUESTION) != 0 && u->agree_count == 0)
            continue;
        int change = announces_change(w, unit);
        for (uint32_t k = u->value_first; k < w->value_count && w->values[k].unit == unit; k++) {
            replaced += replace_by(w, k, change);
            if (w->values[k].old)
                drop_named(w, k);
        }
        int dated = has_date(w, unit) && (u->acts & (ACT_CHANGE | ACT_DECIDE)) != 0;
        if (replaced == 0 && change && (dated || is_full_date(w, unit)))
            replace_full_date(w, unit);
    }
}

/* Takes replaced values out of their sentences, with the small words that lead to them. */
static void drop_dead_values(struct infer_work *w)
{
    for (uint32_t k = 0; k < w->value_count; k++) {
        const struct infer_value *v = &w->values[k];
        struct infer_unit *u = &w->units[v->unit];
        if (!v->dead)
            continue;
        uint32_t first = v->first;
        while (first > u->first && (w->tokens[first - 1].cues & CUE_PREP) != 0 &&
               w->tokens[first - 1].type == INFER_WORD)
            first--;
        for (uint32_t i = first; i < v->first + v->count; i++)
            w->tokens[i].flags |= INFER_TOKEN_DROPPED;
        u->values -= v->count < u->values ? v->count : u->values;
        u->lost++;
    }
    for (uint32_t k = 0; k < w->unit_count; k++)
        if (w->units[k].lost > 0 &&
            (w->units[k].content == 0 || (w->units[k].values == 0 && w->units[k].content <= 3)))
            w->units[k].acts |= ACT_DEAD;
}

/* "Friday is ok" says no more than the proposal that it agrees to. */
static void drop_echoes(struct infer_work *w)
{
    for (uint32_t k = 0; k < w->value_count; k++) {
        struct infer_unit *u = &w->units[w->values[k].unit];
        if (u->content == 0 && u->answers == 0 && restates(w, k))
            u->acts |= ACT_DEAD;
    }
}

/* The same words again: the later sentence is the one that counts. */
static pp_res drop_repeats(struct infer_work *w)
{
    enum { SLOTS = 4096 };
    uint32_t *slots = pp_arena_array(w->arena, SLOTS, sizeof *slots);

    PP_CHECK(slots != NULL, PP_E_NO_MEMORY, SLOTS);
    for (uint32_t k = 0; k < w->unit_count; k++) {
        struct infer_unit *u = &w->units[k];
        uint32_t hash = INFER_HASH_START;
        if (!is_friendly(w, u))
            continue;
        for (uint32_t i = u->first; i < u->first + u->count; i++)
            if (w->tokens[i].type <= INFER_MIXED && (w->tokens[i].cues & CUE_FILLER) == 0)
                hash = infer_hash_step(infer_hash_step(hash, w->tokens[i].hash & 0xFFFF),
                                       w->tokens[i].hash >> 16);
        uint32_t at = hash % SLOTS;
        if (slots[at] != 0 && w->units[slots[at] - 1].same == hash && (u->acts & ACT_AGREE) == 0)
            w->units[slots[at] - 1].acts |= ACT_DEAD;
        u->same = hash;
        slots[at] = k + 1;
    }
    return PP_OK;
}

pp_res infer_replace(struct infer_work *w)
{
    supersede(w);
    drop_echoes(w);
    drop_dead_values(w);
    return drop_repeats(w);
}
