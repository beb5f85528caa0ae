/* SPDX-License-Identifier: Apache-2.0 */
/* fact.c: which sentences, alone or together, tell one thing, and how much it matters. */
#include "infer_int.h"
#ifdef INFER_DEBUG
#include <stdio.h>
#endif

static const struct {
    uint64_t act;
    int32_t points;
} WEIGHTS[] = {
    { ACT_TIME, 26 }, { ACT_DAY, 16 }, { ACT_AMOUNT, 18 }, { ACT_NUMBER, 2 },
    { ACT_NAME, 10 }, { ACT_COMMIT, 24 }, { ACT_REQUEST, 6 }, { ACT_DONE, 10 },
    { ACT_DECIDE, 26 }, { ACT_CHANGE, 12 }, { ACT_WARN, 12 }, { ACT_NEED, 12 },
    { ACT_DEADLINE, 10 }, { ACT_ABSENT, 16 }, { ACT_OPTION, 40 }, { ACT_PROPOSE, 8 },
    { ACT_HEDGE, -6 }, { ACT_QUESTION, -8 }, { ACT_POINTS, -10 }, { ACT_VOTE, -24 },
    { ACT_CONCLUDE, 8 }, { ACT_AGREE, -4 }, { ACT_REFUSE, -40 }, { ACT_CHATTER, -60 },
    { ACT_FIRST, -10 },
    { ACT_TITLE, 2 }, { ACT_THANKED, 2 }, { ACT_DEED, 5 }, { ACT_GROUP, 0 }, { ACT_STALE, -12 },
};

enum {
    AGREE_POINTS = 8,
    ANSWER_POINTS = 10,
    LAUGH_POINTS = -14,
    LOST_POINTS = -16,
    LOST_SOME_POINTS = -4,
    KEPT_POINTS = -30, /* a promise that was kept: what was done tells more */
    FIRST_POINTS = 8, /* what opens the conversation says what it is about */
    OPEN_POINTS = 16,
    BUSY_POINTS = -10, /* when somebody has time or not */
    EMPTY_POINTS = -18,  /* a promise without saying what */
    SUBJECT_POINTS_MAX = 36,
    SCORE_MIN = 18,
};

/* Subjects that come back in many messages are what the conversation is about. */
static int32_t subject_points(const struct infer_work *w, const struct infer_unit *u)
{
    int32_t points = 0;

    for (uint32_t i = u->first; i < u->first + u->count; i++) {
        uint32_t stem = w->tokens[i].stem;
        uint32_t uses = stem == 0 ? 0 : infer_stem_uses(w, stem);
        points += uses == 0 ? 0 : 1 + (int32_t)(uses < 7 ? uses - 1 : 6);
    }
    return points < SUBJECT_POINTS_MAX ? points : SUBJECT_POINTS_MAX;
}

/* 1 if the speaker says later that it is done. */
static int is_kept(const struct infer_work *w, const struct infer_unit *u)
{
    enum { LATER = 40 };

    for (uint32_t m = u->message + 1; m <= u->message + LATER && m < w->chat->message_count; m++) {
        const struct infer_talk *talk = &w->talks[m];
        if (w->chat->messages[m].sender != w->chat->messages[u->message].sender)
            continue;
        for (uint32_t k = 0; k < talk->units; k++) {
            const struct infer_unit *later = &w->units[talk->unit + k];
            if ((later->acts & ACT_DONE) == 0)
                continue;
            for (uint32_t i = u->first; i < u->first + u->count; i++)
                for (uint32_t j = later->first; j < later->first + later->count; j++)
                    if (w->tokens[j].stem != 0 && w->tokens[j].stem == w->tokens[i].stem &&
                        (w->tokens[j].cues & CUE_DONE) != 0)
                        return 1;
        }
    }
    return 0;
}

static int32_t score_unit(const struct infer_work *w, const struct infer_unit *u)
{
    const struct infer_talk *talk = &w->talks[u->message];
    int32_t score = subject_points(w, u);

    for (size_t i = 0; i < PP_ARRAY_COUNT(WEIGHTS); i++)
        if ((u->acts & WEIGHTS[i].act) != 0)
            score += WEIGHTS[i].points;
    score += 6 * (int32_t)(u->values < 5 ? u->values : 5);
    score += 2 * (int32_t)(u->content < 6 ? u->content : 6);
    score += (u->values > 0 && (u->acts & ACT_CHANGE) != 0) ? 14 : 0;
    if ((u->acts & (ACT_PROPOSE | ACT_DECIDE)) != 0)
        score += AGREE_POINTS * (int32_t)(u->agree_count < 3 ? u->agree_count : 3);
    score += u->answers != 0 ? ANSWER_POINTS : 0;
    score += talk->laughs ? LAUGH_POINTS : 0;
    score += (u->values > 0 ? LOST_SOME_POINTS : LOST_POINTS) * (int32_t)(u->lost < 3 ? u->lost : 3);
    if ((u->acts & ACT_COMMIT) != 0 && (u->acts & ACT_DONE) == 0 && is_kept(w, u))
        score += KEPT_POINTS;
    if ((u->acts & (ACT_COMMIT | ACT_DONE | ACT_DECIDE | ACT_REQUEST)) != 0 && u->content <= 1 &&
        u->values == 0 && u->about == 0)
        score += EMPTY_POINTS;
    if ((u->acts & (ACT_FIRST | ACT_COMMIT | ACT_DONE)) == ACT_FIRST)
        score += BUSY_POINTS;
    if (u->message < 2 && u->content >= 2)
        score += FIRST_POINTS;
    score += (int32_t)(22 * (uint64_t)u->message / w->chat->message_count);
    return u->words < 3 ? score - 12 : score;
}

static uint32_t kind_of(const struct infer_unit *u)
{
    if ((u->acts & (ACT_DECIDE | ACT_OPTION)) != 0 || ((u->acts & ACT_PROPOSE) != 0 && u->agree_count > 0))
        return PP_INFER_DECISION;
    if ((u->acts & (ACT_COMMIT | ACT_REQUEST)) != 0)
        return PP_INFER_TASK;
    if ((u->acts & ACT_DONE) != 0)
        return PP_INFER_DECISION;
    if ((u->acts & (ACT_TIME | ACT_DAY)) != 0)
        return PP_INFER_DATE;
    return PP_INFER_TOPIC;
}

/* 1 if the answer does not say by itself what it is about. */
static int needs_question(const struct infer_work *w, const struct infer_unit *u, const struct infer_unit *q)
{
    if (u->content >= 4 || q->content + q->values == 0)
        return 0;
    if ((u->acts & ACT_POINTS) == 0 && u->content >= 2 && infer_shares_stem(w, u, q))
        return 0;
    if ((u->acts & (ACT_AGREE | ACT_REFUSE | ACT_POINTS)) != 0 || u->content <= 2)
        return 1;
    return (w->tokens[u->first].cues & (CUE_AGREE | CUE_NO)) != 0;
}

static void add_unit(const struct infer_work *w, struct infer_fact *f, uint32_t unit)
{
    if (f->unit_count < INFER_FACT_UNITS_MAX)
        f->units[f->unit_count++] = unit;
    if (w->units[unit].tail != 0 && f->unit_count < INFER_FACT_UNITS_MAX)
        f->units[f->unit_count++] = w->units[unit].tail - 1;
}

static int32_t half(int32_t score)
{
    return score > 0 ? score / 2 : 0;
}

/* "I take 8 to 14" - "and me 14 to 20": short answers to the same need belong together. */
static void add_same(const struct infer_work *w, struct infer_fact *f, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];

    for (uint32_t k = unit + 1; k < w->unit_count && w->units[k].message <= u->message + 4; k++) {
        const struct infer_unit *other = &w->units[k];
        if (u->about != 0 && other->about == u->about && other->content <= 1 && (other->acts & ACT_DEAD) == 0)
            add_unit(w, f, k);
    }
}

static struct infer_fact statement(const struct infer_work *w, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];
    const struct infer_unit *q = u->answers == 0 ? NULL : &w->units[u->answers - 1];
    struct infer_fact f = { .kind = kind_of(u), .score = u->score };
    int unsure = (u->acts & ACT_UNSURE) != 0 && (u->acts & (ACT_DONE | ACT_AGREE)) == 0;
    int asked = q != NULL && (q->acts & ACT_DEAD) == 0 && (unsure || needs_question(w, u, q));

    if (u->context != 0 && (w->units[u->context - 1].acts & ACT_DEAD) == 0) {
        const struct infer_unit *c = &w->units[u->context - 1];
        add_unit(w, &f, u->context - 1);
        f.score += half(c->score);
        if ((c->acts & (ACT_COMMIT | ACT_DECIDE)) != 0)
            f.kind = kind_of(c);
    }
    if (u->about != 0 && (w->units[u->about - 1].acts & ACT_DEAD) == 0) {
        add_unit(w, &f, u->about - 1);
        f.score += half(w->units[u->about - 1].score);
    } else if (asked && q->content + q->values > 0) {
        add_unit(w, &f, u->answers - 1);
        f.score += half(q->score);
    }
    add_unit(w, &f, unit);
    add_same(w, &f, unit);
    if (unsure) {
        f.kind = PP_INFER_OPEN;
        f.score += OPEN_POINTS;
    }
    return f;
}

static struct infer_fact question(const struct infer_work *w, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];
    struct infer_fact f = { .kind = PP_INFER_OPEN, .score = u->score };

    add_unit(w, &f, unit);
    if (u->agree_count > 0 && (u->acts & (ACT_PROPOSE | ACT_DECIDE)) != 0 && (u->acts & ACT_CLOSED) == 0) {
        f.kind = PP_INFER_DECISION;
        f.agreed = 1;
        return f;
    }
    if ((u->acts & ACT_ANSWERED) != 0 || u->content < 2)
        f.score = 0;
    else if (u->message * 3 >= w->chat->message_count * 2)
        f.score += OPEN_POINTS; /* asked late and not answered: probably still open */
    return f;
}

static int is_quotable(const struct infer_work *w, const struct infer_unit *u)
{
    if (w->talks[u->message].hostile != INFER_FRIENDLY || (u->acts & (ACT_DEAD | ACT_CHATTER | ACT_TAIL)) != 0)
        return 0;
    if ((u->acts & (ACT_AGREE | ACT_REFUSE)) != 0 && u->values == 0 && u->answers == 0)
        return 0;
    return u->content + u->values > 0 || u->answers != 0;
}

/* A total order, so that the outcome never depends on the sorting method. */
static int is_before(const struct infer_fact *a, const struct infer_fact *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    return a->units[a->unit_count - 1] < b->units[b->unit_count - 1];
}

/* Keeps the best INFER_FACTS_MAX in order. */
static void insert(struct infer_facts *facts, const struct infer_fact *f)
{
    uint32_t at = facts->count;

    if (at == INFER_FACTS_MAX && !is_before(f, &facts->at[at - 1]))
        return;
    at -= at == INFER_FACTS_MAX;
    while (at > 0 && is_before(f, &facts->at[at - 1])) {
        facts->at[at] = facts->at[at - 1];
        at--;
    }
    facts->at[at] = *f;
    facts->count += facts->count < INFER_FACTS_MAX;
}

pp_res infer_facts_find(struct infer_work *w, struct infer_facts *ret)
{
    struct infer_facts facts = { .at = pp_arena_array(w->arena, INFER_FACTS_MAX + 1, sizeof *facts.at) };

    PP_CHECK(facts.at != NULL, PP_E_NO_MEMORY, INFER_FACTS_MAX);
    for (uint32_t u = 0; u < w->unit_count; u++)
        w->units[u].score = score_unit(w, &w->units[u]);
    for (uint32_t u = 0; u < w->unit_count; u++) {
        if (!is_quotable(w, &w->units[u]))
            continue;
        struct infer_fact f =
            (w->units[u].acts & ACT_QUESTION) != 0 ? question(w, u) : statement(w, u);
        if (f.score >= SCORE_MIN)
            insert(&facts, &f);
    }
#ifdef INFER_DEBUG
    for (uint32_t k = 0; k < facts.count; k++) {
        fprintf(stderr, "%d k%u", facts.at[k].score, facts.at[k].kind);
        for (uint32_t q = 0; q < facts.at[k].unit_count; q++) {
            const struct infer_unit *u = &w->units[facts.at[k].units[q]];
            const struct infer_token *a = &w->tokens[u->first], *b = &w->tokens[u->first + u->count - 1];
            fprintf(stderr, " | m%u acts %09lx c%u v%u ag%u lost%u: %.*s", u->message, u->acts, u->content, u->values, u->agree_count, u->lost,
                    (int)(b->at + b->len - a->at), (const char *)w->chat->messages[u->message].text.at + a->at);
        }
        fprintf(stderr, "\n");
    }
#endif
    *ret = facts;
    return PP_OK;
}
