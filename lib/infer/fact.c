/* SPDX-License-Identifier: Apache-2.0 */
/* fact.c: which sentences, alone or together, tell one thing, and how much it matters. */
#include "infer_int.h"

/*
 * What makes a sentence worth telling. The numbers come from conversations with known key facts
 * (tests/quality); their order of size is what matters.
 */
static const struct {
    uint64_t act;
    int32_t points;
} WEIGHTS[] = {
    { ACT_TIME, 29 },    { ACT_DAY, 14 },      { ACT_AMOUNT, 10 },  { ACT_NUMBER, 5 },
    { ACT_NAME, 5 },     { ACT_COMMIT, 24 },   { ACT_REQUEST, 6 },  { ACT_DONE, 9 },
    { ACT_DECIDE, 19 },  { ACT_CHANGE, 11 },   { ACT_WARN, 16 },    { ACT_NEED, 9 },
    { ACT_DEADLINE, 4 }, { ACT_ABSENT, 12 },   { ACT_OPTION, 40 },  { ACT_PROPOSE, 8 },
    { ACT_HEDGE, -6 },   { ACT_QUESTION, -8 }, { ACT_POINTS, -8 },  { ACT_VOTE, -24 },
    { ACT_CONCLUDE, 8 }, { ACT_AGREE, -4 },    { ACT_REFUSE, -40 }, { ACT_CHATTER, -60 },
    { ACT_FIRST, -11 },  { ACT_ALARM, 16 },    { ACT_DEED, 5 },     { ACT_STALE, -12 },
    { ACT_DOING, 10 },   { ACT_PLACE, 8 },     { ACT_LISTED, 16 },  { ACT_LEANS, -25 },
};

enum {
    VALUE_POINTS = 5,      /* each, up to 5 */
    CONTENT_POINTS = 2,    /* each, up to 6 */
    NEW_VALUE_POINTS = 14, /* a value in a sentence that announces a change */
    PLACE_POINTS = 33,     /* for the end of the conversation, nothing for its beginning */
    SHORT_POINTS = -12,    /* one or two words */
    AGREE_POINTS = 8,      /* each person, up to 3 */
    ANSWER_POINTS = 19,
    LAUGH_POINTS = -14,    /* the message laughs */
    LOST_POINTS = -18,     /* each replaced value, up to 3, with none left */
    LOST_SOME_POINTS = -1, /* the same, with others left */
    LATER_POINTS = -2,     /* each later message about it, up to 6 */
    KEPT_POINTS = -30,     /* a promise that was kept: what was done tells more */
    FIRST_POINTS = 8,      /* what opens the conversation says what it is about */
    OPENING_POINTS = 32,   /* the first sentence that says something */
    OPEN_POINTS = 16,
    FILLED_POINTS = -23,  /* a need that somebody answered to */
    SETTLED_POINTS = -30, /* left open, and settled later */
    BUSY_POINTS = -10,    /* when somebody has time or not */
    EMPTY_POINTS = -18,   /* a promise without saying what */
    SUBJECT_POINTS_MAX = 36,
    SCORE_MIN = 18,
    SLIGHT_SCORE_MIN = 33, /* of few words that say little */
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

/*
 * "Mrs. Dorn says yes", after "I'll ask Mrs. Dorn": 1 if `later` opens with whom the promise names.
 */
static int reports_on(const struct infer_work *w, const struct infer_unit *later,
                      const struct infer_unit *promise)
{
    enum { OPENING_TOKENS = 3 };

    for (uint32_t i = promise->first + 1; i < promise->first + promise->count; i++) {
        const struct infer_token *name = &w->tokens[i];
        if ((name->flags & INFER_TOKEN_UPPER) == 0 || name->stem == 0 || name->cues != 0)
            continue;
        for (uint32_t k = later->first;
             k < later->first + later->count && k < later->first + OPENING_TOKENS; k++)
            if ((w->tokens[k].flags & INFER_TOKEN_UPPER) != 0 && w->tokens[k].stem == name->stem)
                return 1;
    }
    return 0;
}

/* 1 if the speaker says later that it is done, or what came of it. */
static int is_kept(const struct infer_work *w, uint32_t unit)
{
    enum { LATER = 100 };
    const struct infer_unit *u = &w->units[unit];
    uint32_t sender = w->chat->messages[u->message].sender;

    for (uint32_t k = unit + 1; k < w->unit_count && k <= unit + LATER; k++) {
        const struct infer_unit *later = &w->units[k];
        if (w->chat->messages[later->message].sender != sender ||
            (later->acts & (ACT_QUESTION | ACT_COMMIT)) != 0)
            continue;
        if (later->message > u->message && reports_on(w, later, u))
            return 1;
        if ((later->acts & ACT_DONE) == 0)
            continue;
        for (uint32_t i = later->first; i < later->first + later->count && i < later->first + 4;
             i++)
            for (uint32_t j = 0; j < u->stem_count; j++)
                if ((w->tokens[i].cues & CUE_DONE) != 0 && w->tokens[i].stem == u->stems[j])
                    return 1;
    }
    return 0;
}

static int32_t score_unit(const struct infer_work *w, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];
    const struct infer_talk *talk = &w->talks[u->message];
    int32_t score = subject_points(w, u);

    for (size_t i = 0; i < PP_ARRAY_COUNT(WEIGHTS); i++)
        if ((u->acts & WEIGHTS[i].act) != 0)
            score += WEIGHTS[i].points;
    score += VALUE_POINTS * (int32_t)(u->values < 5 ? u->values : 5);
    score += CONTENT_POINTS * (int32_t)(u->content < 6 ? u->content : 6);
    score += (u->values > 0 && (u->acts & ACT_CHANGE) != 0) ? NEW_VALUE_POINTS : 0;
    if ((u->acts & (ACT_PROPOSE | ACT_DECIDE)) != 0)
        score += AGREE_POINTS * (int32_t)(u->agree_count < 3 ? u->agree_count : 3);
    score += u->answers != 0 ? ANSWER_POINTS : 0;
    score += talk->laughs ? LAUGH_POINTS : 0;
    score += (u->values > 0 ? LOST_SOME_POINTS : LOST_POINTS) *
             (int32_t)(u->lost < 3 ? u->lost : 3);
    if ((u->acts & ACT_COMMIT) != 0 && (u->acts & ACT_DONE) == 0 && is_kept(w, unit))
        score += KEPT_POINTS;
    if ((u->acts & (ACT_COMMIT | ACT_DONE | ACT_DECIDE | ACT_REQUEST | ACT_DOING)) != 0 &&
        u->content <= 1 && u->values == 0 && u->about == 0)
        score += EMPTY_POINTS;
    if ((u->acts & (ACT_FIRST | ACT_COMMIT | ACT_DONE)) == ACT_FIRST)
        score += BUSY_POINTS;
    score += LATER_POINTS * (int32_t)(talk->thread_after < 6 ? talk->thread_after : 6);
    if (u->message < 2 && u->content >= 2)
        score += FIRST_POINTS;
    score += (int32_t)(PLACE_POINTS * (uint64_t)u->message / w->chat->message_count);
    return u->words < 3 && u->answers == 0 ? score + SHORT_POINTS : score;
}

static uint32_t kind_of(const struct infer_unit *u)
{
    if ((u->acts & (ACT_DECIDE | ACT_OPTION)) != 0 ||
        ((u->acts & ACT_PROPOSE) != 0 && u->agree_count > 0))
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
static int needs_question(const struct infer_work *w, const struct infer_unit *u,
                          const struct infer_unit *q)
{
    if (u->content >= 4 || q->content + q->values == 0)
        return 0;
    if ((u->acts & ACT_POINTS) == 0 && u->content >= 2 && infer_shares_stem(u, q))
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
        if (u->about != 0 && other->about == u->about && other->content <= 1 &&
            (other->acts & ACT_DEAD) == 0)
            add_unit(w, f, k);
    }
}

/* 1 if somebody says more about the open matter later: it is no longer open. */
static int is_settled(const struct infer_work *w, const struct infer_fact *f)
{
    enum { LATER = 100 };
    const struct infer_unit *asked = &w->units[f->units[0]];
    uint32_t from = f->units[f->unit_count - 1] + 1;

    for (uint32_t k = from; k < w->unit_count && k < from + LATER; k++) {
        const struct infer_unit *u = &w->units[k];
        if (u->message > w->units[from - 1].message + 1 &&
            w->talks[u->message].hostile == INFER_FRIENDLY &&
            (u->acts & (ACT_QUESTION | ACT_UNSURE | ACT_CHATTER)) == 0 && u->content > 1 &&
            infer_shares_rare_stem(w, asked, u))
            return 1;
    }
    return 0;
}

/* "Friday", and "around 25" to somebody's question: nothing without what it was said to. */
static int is_bare(const struct infer_unit *u)
{
    int deed = (u->acts & (ACT_COMMIT | ACT_DONE | ACT_DECIDE | ACT_OPTION)) != 0;

    return u->values <= 1 && (u->content == 0 || (u->content == 1 && u->answers != 0 && !deed));
}

static struct infer_fact statement(const struct infer_work *w, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];
    const struct infer_unit *q = u->answers == 0 ? NULL : &w->units[u->answers - 1];
    struct infer_fact f = { .main = unit, .kind = kind_of(u), .score = u->score };
    int unsure = (u->acts & ACT_UNSURE) != 0 && (u->acts & ACT_AGREE) == 0;
    int asked = q != NULL && (q->acts & ACT_DEAD) == 0 && (unsure || needs_question(w, u, q));

    if (u->context != 0 && (w->units[u->context - 1].acts & ACT_DEAD) == 0) {
        const struct infer_unit *c = &w->units[u->context - 1];
        add_unit(w, &f, u->context - 1);
        f.score += half(c->score);
        /* "at 9" completes a promise; what has a subject of its own is no part of one. */
        if (u->content <= 1 && (c->acts & (ACT_COMMIT | ACT_DECIDE)) != 0)
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
    if ((u->acts & ACT_ANSWERED) != 0)
        f.score += FILLED_POINTS;
    if (unsure && is_settled(w, &f)) {
        f.score += SETTLED_POINTS;
    } else if (unsure && (f.unit_count > 1 || u->content > 2)) {
        f.kind = PP_INFER_OPEN;
        f.score += OPEN_POINTS;
    }
    if (f.unit_count == 1 && is_bare(u))
        f.score = 0;
    if (asked && q->content <= 2 && u->content + u->values <= 1 && f.unit_count <= 2 &&
        (u->acts & (ACT_COMMIT | ACT_DONE | ACT_DECIDE | ACT_UNSURE)) == 0)
        f.score = q->content <= 1 ? 0 : f.score + EMPTY_POINTS; /* "sure?" "yes, no problem" */
    return f;
}

static struct infer_fact question(const struct infer_work *w, uint32_t unit)
{
    const struct infer_unit *u = &w->units[unit];
    struct infer_fact f = { .main = unit, .kind = PP_INFER_OPEN, .score = u->score };

    if (u->answers != 0)
        add_unit(w, &f, u->answers - 1);
    add_unit(w, &f, unit);
    if (u->agree_count > 0 && (u->acts & (ACT_PROPOSE | ACT_DECIDE)) != 0 &&
        (u->acts & ACT_CLOSED) == 0) {
        f.kind = PP_INFER_DECISION;
        f.agreed = 1;
        if (u->content == 0 && (u->acts & ACT_TIME) == 0 && u->answers == 0)
            f.score = 0; /* "tomorrow?" */
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
    if (w->talks[u->message].hostile != INFER_FRIENDLY ||
        (u->acts & (ACT_DEAD | ACT_CHATTER | ACT_TAIL)) != 0)
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
    return a->main < b->main;
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

/* The first sentence that says something: what the conversation is about. */
static uint32_t opening_of(const struct infer_work *w)
{
    for (uint32_t k = 0; k < w->unit_count && w->units[k].message == 0; k++) {
        const struct infer_unit *u = &w->units[k];
        if (is_quotable(w, u) && u->content >= 2 && u->lost == 0 &&
            (u->acts & (ACT_QUESTION | ACT_LEANS | ACT_FIRST | ACT_ABSENT)) == 0)
            return k;
    }
    return UINT32_MAX;
}

pp_res infer_facts_find(struct infer_work *w, struct infer_facts *ret)
{
    struct infer_facts facts = { .at = pp_arena_array(w->arena, INFER_FACTS_MAX + 1,
                                                      sizeof *facts.at) };

    PP_CHECK(facts.at != NULL, PP_E_NO_MEMORY, INFER_FACTS_MAX);
    for (uint32_t u = 0; u < w->unit_count; u++)
        w->units[u].score = score_unit(w, u);
    uint32_t opening = opening_of(w);
    if (opening < w->unit_count)
        w->units[opening].score += OPENING_POINTS;
    for (uint32_t u = 0; u < w->unit_count; u++) {
        if (!is_quotable(w, &w->units[u]))
            continue;
        struct infer_fact f = (w->units[u].acts & ACT_QUESTION) != 0 ? question(w, u)
                                                                     : statement(w, u);
        f.opening = u == opening;
        int slight = w->units[u].content <= 2 && w->units[u].values == 0 && f.unit_count == 1;
        if (f.score >= (slight ? SLIGHT_SCORE_MIN : SCORE_MIN))
            insert(&facts, &f);
    }
    *ret = facts;
    return PP_OK;
}
