/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c: what sentences have to do with each other: answers, agreement, chosen options, threads.
 * Every search looks at a bounded number of neighbours.
 */
#include "infer_int.h"

enum {
    AGREE_WINDOW = 6, /* messages back to what is agreed to */
    OPTIONS_MAX = 8,
    OPTION_WINDOW = 24, /* messages with votes behind a list of options */
    QUESTIONS_MAX = 4,  /* of one message, the last ones */
    COMPARED_MAX = 4,   /* sentences of one message, the first ones */
};

static uint32_t sender_of(const struct infer_work *w, uint32_t message)
{
    return w->chat->messages[message].sender;
}

int infer_shares_stem(const struct infer_unit *a, const struct infer_unit *b)
{
    for (uint32_t i = 0; i < a->stem_count; i++)
        for (uint32_t k = 0; k < b->stem_count; k++)
            if (a->stems[i] == b->stems[k])
                return 1;
    return 0;
}

int infer_shares_rare_stem(const struct infer_work *w, const struct infer_unit *a,
                           const struct infer_unit *b)
{
    uint32_t often = 3 + (uint32_t)w->chat->message_count / 12;

    for (uint32_t i = 0; i < a->stem_count; i++)
        for (uint32_t k = 0; k < b->stem_count; k++)
            if (a->stems[i] == b->stems[k] && infer_stem_uses(w, a->stems[i]) <= often)
                return 1;
    return 0;
}

static uint64_t cues_of(const struct infer_work *w, const struct infer_unit *u)
{
    uint64_t cues = 0;

    for (uint32_t i = u->first; i < u->first + u->count; i++)
        cues |= w->tokens[i].cues;
    return cues;
}

/* 1 if the message says yes, alone or before it goes on. */
static int says_yes(const struct infer_work *w, uint32_t message)
{
    const struct infer_talk *talk = &w->talks[message];

    if (talk->units == 0)
        return 0;
    for (uint32_t k = 0; k < talk->units; k++)
        if ((w->units[talk->unit + k].acts & ACT_AGREE) != 0)
            return 1;
    const struct infer_unit *u = &w->units[talk->unit];
    return (w->tokens[u->first].cues & CUE_AGREE) != 0 && (u->acts & ACT_QUESTION) == 0;
}

static int is_substance(const struct infer_unit *u)
{
    return (u->acts & (ACT_CHATTER | ACT_REFUSE)) == 0 &&
           ((u->acts & ACT_AGREE) == 0 || u->values > 0) && (u->content > 0 || u->values > 0);
}

/* The last sentence of substance of a message; a vote carries only the thing's own words. */
static struct infer_unit *last_substance(struct infer_work *w, uint32_t message)
{
    const struct infer_talk *talk = &w->talks[message];

    for (uint32_t k = talk->units; talk->hostile == INFER_FRIENDLY && k > 0; k--) {
        struct infer_unit *u = &w->units[talk->unit + k - 1];
        if (is_substance(u) && (u->acts & (ACT_AGREE | ACT_TAIL | ACT_VOTE)) == 0)
            return u;
    }
    return NULL;
}

/*
 * What a "yes", a "that" or an "it" in `message` is said to: the last substance of somebody else.
 */
static struct infer_unit *said_to(struct infer_work *w, uint32_t message)
{
    for (uint32_t back = 1; back <= AGREE_WINDOW && back <= message; back++) {
        uint32_t m = message - back;
        struct infer_unit *u = sender_of(w, m) == sender_of(w, message) ? NULL
                                                                        : last_substance(w, m);
        if (u != NULL)
            return u;
    }
    return NULL;
}

static void add_agreement(struct infer_work *w, struct infer_unit *u, uint32_t message)
{
    uint32_t kept = u->agree_count < INFER_AGREES_MAX ? u->agree_count : INFER_AGREES_MAX;

    for (uint32_t k = 0; k < kept; k++)
        if (sender_of(w, u->agree[k]) == sender_of(w, message))
            return;
    if (u->agree_count < INFER_AGREES_MAX)
        u->agree[u->agree_count] = message;
    u->agree_count++;
}

/* The kind of answer that a question asks for, as a cue; CUE_AGREE for yes or no, CUE_STOP any. */
static uint64_t wanted(const struct infer_work *w, const struct infer_unit *q)
{
    uint32_t head = infer_unit_head(w, q);
    static const uint64_t ASKED[] = { CUE_WHEN, CUE_HOWMUCH, CUE_WHO, CUE_WHERE };

    /* Question words count where questions begin; the first decides: "who has the long ladder?" */
    for (uint32_t i = head; i < q->first + q->count && i < head + 4; i++) {
        uint64_t cues = w->tokens[i].cues | (w->tokens[i].pair & CUE_WHO);
        for (size_t k = 0; k < PP_ARRAY_COUNT(ASKED); k++)
            if ((cues & ASKED[k]) != 0)
                return ASKED[k];
    }
    return (w->tokens[head].cues & CUE_MODAL) != 0 ? CUE_AGREE : CUE_STOP;
}

static int answers(const struct infer_work *w, const struct infer_unit *u,
                   const struct infer_unit *q, uint32_t distance)
{
    uint64_t acts = u->acts;
    uint64_t first = w->tokens[u->first].cues;
    int yes_no = (first & (CUE_AGREE | CUE_NO)) != 0 || (acts & (ACT_AGREE | ACT_REFUSE)) != 0;
    int overlap = infer_shares_stem(u, q);

    if ((acts & ACT_QUESTION) != 0)
        return wanted(w, q) == CUE_WHO && (first & CUE_ME) != 0 && distance <= 4;
    if (u->content == 0 && u->values == 0 && !yes_no && distance > 1)
        return 0;
    if ((acts & ACT_CHATTER) != 0 && !yes_no)
        return 0;
    switch (wanted(w, q)) {
    case CUE_WHEN:
        return (acts & (ACT_TIME | ACT_DAY)) != 0;
    case CUE_HOWMUCH:
        return (acts & (ACT_AMOUNT | ACT_NUMBER | ACT_TIME)) != 0 || (overlap && distance <= 3);
    case CUE_WHO:
        return (distance <= 4 && (acts & (ACT_COMMIT | ACT_FIRST)) != 0) || overlap ||
               (distance <= 4 && (cues_of(w, u) & CUE_ME) != 0) ||
               (distance == 1 && (acts & ACT_NAME) != 0);
    case CUE_WHERE:
        return u->content > 0 && distance <= 3;
    case CUE_AGREE:
        return distance <= 2 || (yes_no && distance <= 4) || overlap;
    default:
        return distance == 1 || (yes_no && distance <= 2) || overlap;
    }
}

/* The question of somebody else that this message answers, the latest first. */
static struct infer_unit *question_before(struct infer_work *w, const struct infer_unit *u)
{
    for (uint32_t back = 1; back <= INFER_WINDOW && back <= u->message; back++) {
        uint32_t m = u->message - back;
        const struct infer_talk *talk = &w->talks[m];
        if (sender_of(w, m) == sender_of(w, u->message) || talk->hostile != INFER_FRIENDLY)
            continue;
        for (uint32_t k = talk->units, asked = 0; k > 0 && asked < QUESTIONS_MAX; k--) {
            struct infer_unit *q = &w->units[talk->unit + k - 1];
            asked += (q->acts & ACT_QUESTION) != 0;
            int taken = (q->acts & ACT_ANSWERED) != 0 && wanted(w, q) != CUE_WHO && back > 1;
            if ((q->acts & ACT_QUESTION) != 0 && !taken && answers(w, u, q, back))
                return q;
        }
    }
    return NULL;
}

/* The speaker's own last statement within three messages before `message`, as unit + 1; or 0. */
static uint32_t own_statement(const struct infer_work *w, uint32_t sender, uint32_t message)
{
    for (uint32_t back = 1; back <= 3 && back <= message; back++) {
        uint32_t m = message - back;
        const struct infer_talk *talk = &w->talks[m];
        if (sender_of(w, m) != sender || talk->hostile != INFER_FRIENDLY)
            continue;
        for (uint32_t k = talk->units; k > 0; k--) {
            const struct infer_unit *c = &w->units[talk->unit + k - 1];
            if (is_substance(c) && (c->acts & (ACT_QUESTION | ACT_TAIL)) == 0)
                return talk->unit + k;
        }
    }
    return 0;
}

/*
 * "when?" and "would 60 be ok?" have no subject of their own: what they are about is what the one
 * who answers, or else the one who asks, said just before.
 */
static void find_context(struct infer_work *w, struct infer_unit *u, const struct infer_unit *q)
{
    int yes_no = wanted(w, q) == CUE_AGREE;

    if (q->content > 0 || (yes_no && u->values > 0))
        return;
    u->context = yes_no ? 0 : own_statement(w, sender_of(w, u->message), q->message);
    if (u->context == 0)
        u->context = own_statement(w, sender_of(w, q->message), q->message);
}

/* 1 if the sentence has a number of the other one, as a time or plainly. */
static int same_figure(const struct infer_work *w, const struct infer_unit *a,
                       const struct infer_unit *b)
{
    for (uint32_t i = a->value_first; i < w->value_count && &w->units[w->values[i].unit] == a; i++)
        for (uint32_t k = b->value_first; k < w->value_count && &w->units[w->values[k].unit] == b;
             k++) {
            uint32_t x = w->values[i].norm * (w->values[i].type == INFER_NUMBER ? 60 : 1);
            uint32_t y = w->values[k].norm * (w->values[k].type == INFER_NUMBER ? 60 : 1);
            if (x == y)
                return 1;
        }
    return 0;
}

static void find_answer(struct infer_work *w, struct infer_talk *talk)
{
    for (uint32_t k = 0; k < talk->units && k < COMPARED_MAX; k++) {
        struct infer_unit *u = &w->units[talk->unit + k];
        struct infer_unit *q = (u->acts & ACT_TAIL) != 0 ? NULL : question_before(w, u);
        if (q == NULL)
            continue;
        q->acts |= ACT_ANSWERED;
        if ((u->acts & ACT_AGREE) != 0 && same_figure(w, u, q))
            return; /* "11 is perfect": agreement, which says nothing that the question does not */
        if (u->values > 0 && u->content < 4)
            q->acts |= ACT_CLOSED;
        u->answers = (uint32_t)(q - w->units) + 1;
        if ((u->acts & ACT_REFUSE) == 0)
            find_context(w, u, q);
        return;
    }
}

/*
 * The latest need or request that a promise can answer to; with `anybody` only one that asks for
 * somebody or a number of people.
 */
static struct infer_unit *need_before(struct infer_work *w, uint32_t message, int anybody)
{
    for (uint32_t back = 1; back <= INFER_WINDOW && back <= message; back++) {
        const struct infer_talk *talk = &w->talks[message - back];
        for (uint32_t k = talk->units; talk->hostile == INFER_FRIENDLY && k > 0; k--) {
            struct infer_unit *u = &w->units[talk->unit + k - 1];
            int need = (u->acts & (ACT_NEED | ACT_REQUEST)) != 0 && u->content > 1 &&
                       (!anybody || (cues_of(w, u) & CUE_ANYBODY) != 0);
            if (sender_of(w, message - back) != sender_of(w, message) && need &&
                (u->acts & ACT_TAIL) == 0)
                return u;
        }
    }
    return NULL;
}

/* What is left open by "let's decide in April": the latest proposal or figure worth deciding on. */
static struct infer_unit *matter_before(struct infer_work *w, uint32_t message)
{
    for (uint32_t back = 1; back <= AGREE_WINDOW && back <= message; back++) {
        const struct infer_talk *talk = &w->talks[message - back];
        for (uint32_t k = talk->units; talk->hostile == INFER_FRIENDLY && k > 0; k--) {
            struct infer_unit *u = &w->units[talk->unit + k - 1];
            if ((u->acts & (ACT_PROPOSE | ACT_HEDGE | ACT_AMOUNT)) != 0 && u->content > 1 &&
                (u->acts & (ACT_TAIL | ACT_AGREE)) == 0)
                return u;
        }
    }
    return NULL;
}

/*
 * "deal, I take it", "I can do it", "let's decide in April": sentences that need what they point
 * to.
 */
static void find_subject(struct infer_work *w, uint32_t message)
{
    struct infer_talk *talk = &w->talks[message];

    for (uint32_t k = 0; k < talk->units; k++) {
        struct infer_unit *u = &w->units[talk->unit + k];
        const struct infer_unit *before = k > 0 ? u - 1 : NULL;
        struct infer_unit *target = NULL;
        int points = (u->acts & (ACT_POINTS | ACT_COMMIT)) == (ACT_POINTS | ACT_COMMIT);
        if (before != NULL && (before->acts & ACT_QUESTION) != 0 && points && u->answers == 0) {
            u->context = talk->unit + k; /* "who takes the lamps? I can do that" */
            continue;
        }
        if (u->content > 1 || u->answers != 0 || (u->acts & (ACT_TAIL | ACT_QUESTION)) != 0)
            continue;
        int short_deal = u->values > 0 && (u->acts & ACT_COMMIT) != 0;
        int me_too = u->values > 0 && (cues_of(w, u) & CUE_ME) != 0 && u->content == 0;
        if (points && k == 0 && (u->acts & ACT_CONCLUDE) != 0)
            target = said_to(w, message);
        else if ((points || short_deal || me_too) && k == 0)
            target = need_before(w, message, !points);
        else if ((u->acts & ACT_UNSURE) != 0)
            target = matter_before(w, message);
        if (target == NULL)
            continue;
        u->about = (uint32_t)(target - w->units) + 1;
        u->context = target->context;
        if ((target->acts & (ACT_NEED | ACT_REQUEST)) != 0)
            target->acts |= ACT_ANSWERED;
    }
}

/* The message that this one goes on from, or UINT32_MAX when it begins something new. */
static uint32_t goes_on_from(const struct infer_work *w, uint32_t message,
                             const struct infer_unit *said)
{
    const struct infer_talk *talk = &w->talks[message];
    uint32_t content = 0;

    for (uint32_t k = 0; k < talk->units; k++) {
        const struct infer_unit *u = &w->units[talk->unit + k];
        content += u->content;
        if (u->answers != 0)
            return w->units[u->answers - 1].message;
        if (u->about != 0)
            return w->units[u->about - 1].message;
    }
    for (uint32_t back = 1; back <= INFER_WINDOW && back <= message; back++) {
        const struct infer_talk *before = &w->talks[message - back];
        for (uint32_t k = 0; k < talk->units && k < COMPARED_MAX; k++)
            for (uint32_t j = 0; j < before->units && j < COMPARED_MAX; j++)
                if (infer_shares_rare_stem(w, &w->units[talk->unit + k],
                                           &w->units[before->unit + j]))
                    return message - back;
    }
    if (said != NULL && content <= 1)
        return said->message;
    return content <= 1 && message > 0 ? message - 1 : UINT32_MAX;
}

static void link_message(struct infer_work *w, uint32_t message)
{
    struct infer_talk *talk = &w->talks[message];
    const struct infer_unit *said = NULL;

    talk->thread = message;
    if (talk->hostile != INFER_FRIENDLY)
        return;
    if (says_yes(w, message)) {
        struct infer_unit *target = said_to(w, message);
        if (target != NULL)
            add_agreement(w, target, message);
        said = target;
    }
    find_answer(w, talk);
    find_subject(w, message);
    uint32_t from = goes_on_from(w, message, said);
    if (from != UINT32_MAX)
        talk->thread = w->talks[from].thread;
}

/* "so 14-18 May? Thursday to Monday": what has no subject goes with the sentence before it. */
static void find_tails(struct infer_work *w)
{
    for (uint32_t k = 1; k < w->unit_count; k++) {
        struct infer_unit *u = &w->units[k];
        struct infer_unit *before = u - 1;
        int bare = u->content == 0 && (u->values > 0 || (u->acts & ACT_UNSURE) != 0) &&
                   u->words <= 8;
        bare |= (w->tokens[u->first].cues & CUE_IF) != 0 && u->words <= 8;
        if (before->message != u->message || !bare || !is_substance(before) ||
            (u->acts & (ACT_QUESTION | ACT_COMMIT | ACT_DONE | ACT_CHATTER)) != 0 ||
            before->tail != 0 || (before->acts & ACT_TAIL) != 0)
            continue;
        before->tail = k + 1;
        before->acts |= u->acts &
                        (ACT_TIME | ACT_DAY | ACT_AMOUNT | ACT_NUMBER | ACT_UNSURE | ACT_DEADLINE);
        before->values += u->values;
        u->acts |= ACT_TAIL;
    }
}

/*
 * "A: Alfama apartment", "option B Graca": 1 if the token is the label of an alternative. An option
 * goes on to the next label or the end of its sentence.
 */
static int is_label(const struct infer_work *w, const struct infer_talk *talk, uint32_t i)
{
    const struct infer_token *t = &w->tokens[i];

    if (t->type != INFER_WORD || t->len != 1 || (t->flags & INFER_TOKEN_UPPER) == 0 ||
        i + 1 >= talk->first + talk->count)
        return 0;
    int named = i > talk->first && (t[-1].cues & CUE_OPTION) != 0;
    return named || (t[1].type == INFER_PUNCT && (t[1].hash == ':' || t[1].hash == ')'));
}

static uint32_t unit_at(const struct infer_work *w, const struct infer_talk *talk, uint32_t token)
{
    uint32_t k = 0;

    while (k + 1 < talk->units && w->units[talk->unit + k + 1].first <= token)
        k++;
    return talk->unit + k;
}

/* A short message that names one letter, and says neither no nor asks, is a vote for it. */
static uint32_t voted_label(const struct infer_work *w, const struct infer_unit *u)
{
    uint32_t label = 0;

    if (u->words > 6 || (u->acts & (ACT_QUESTION | ACT_REFUSE)) != 0)
        return 0;
    for (uint32_t i = u->first; i < u->first + u->count; i++) {
        const struct infer_token *t = &w->tokens[i];
        if (t->type == INFER_WORD && t->len == 1 && (t->flags & INFER_TOKEN_UPPER) != 0 &&
            (t->cues & CUE_FIRST) == 0)
            label = t->hash;
    }
    return label;
}

struct options {
    struct infer_unit at[OPTIONS_MAX]; /* each alternative as a sentence of its own */
    uint32_t label[OPTIONS_MAX];
    uint32_t from[OPTIONS_MAX]; /* the sentence that it was part of */
    uint32_t count;
};

static void read_options(const struct infer_work *w, const struct infer_talk *talk,
                         struct options *o)
{
    for (uint32_t i = talk->first; i < talk->first + talk->count; i++) {
        const struct infer_unit *u = &w->units[unit_at(w, talk, i)];
        uint32_t end = u->first + u->count;
        if (!is_label(w, talk, i) || i < u->first || i >= end || o->count == OPTIONS_MAX)
            continue;
        uint32_t first = w->tokens[i + 1].type == INFER_PUNCT ? i + 2 : i + 1;
        uint32_t last = first;
        while (last < end && !is_label(w, talk, last))
            last++;
        if (first >= last)
            continue;
        o->label[o->count] = w->tokens[i].hash;
        o->from[o->count] = unit_at(w, talk, i);
        o->at[o->count] = (struct infer_unit){ .first = first,
                                               .count = last - first,
                                               .message = u->message,
                                               .acts = (u->acts &
                                                        (ACT_TIME | ACT_DAY | ACT_AMOUNT)),
                                               .value_first = w->value_count };
        for (uint32_t k = first; k < last; k++) {
            o->at[o->count].content += w->tokens[k].stem != 0;
            o->at[o->count].values += w->tokens[k].type == INFER_NUM;
            o->at[o->count].words += w->tokens[k].type <= INFER_MIXED;
        }
        o->count++;
    }
}

/* Counts the votes for labelled alternatives; the one that wins becomes a decision of its own. */
static void settle_options(struct infer_work *w, uint32_t message)
{
    const struct infer_talk *talk = &w->talks[message];
    struct options o = { .count = 0 };
    uint32_t best = 0;

    read_options(w, talk, &o);
    if (o.count < 2)
        return;
    for (uint32_t m = message + 1; m <= message + OPTION_WINDOW && m < w->chat->message_count;
         m++) {
        const struct infer_talk *later = &w->talks[m];
        for (uint32_t v = 0; later->hostile == INFER_FRIENDLY && v < later->units; v++)
            for (uint32_t k = 0; k < o.count; k++)
                if (voted_label(w, &w->units[later->unit + v]) == o.label[k])
                    add_agreement(w, &o.at[k], m);
    }
    for (uint32_t k = 1; k < o.count; k++)
        best = o.at[k].agree_count > o.at[best].agree_count ? k : best;
    if (o.at[best].agree_count == 0 || w->unit_count == w->unit_max)
        return;
    for (uint32_t k = 0; k < o.count; k++)
        w->units[o.from[k]].acts |= ACT_DEAD;
    o.at[best].acts |= ACT_OPTION | ACT_DECIDE;
    w->units[w->unit_count++] = o.at[best];
}

/* What comes late in a thread is nearer to how it ended. */
static pp_res count_threads(struct infer_work *w)
{
    uint32_t *later = pp_arena_array(w->arena, w->chat->message_count, sizeof *later);

    PP_CHECK(later != NULL, PP_E_NO_MEMORY, w->chat->message_count);
    for (size_t m = w->chat->message_count; m > 0; m--) {
        struct infer_talk *talk = &w->talks[m - 1];
        talk->thread_after = later[talk->thread]++;
    }
    return PP_OK;
}

/* What others say right after a hostile message warns of it or tells what was done about it. */
static void find_alarms(struct infer_work *w)
{
    for (uint32_t m = 1; m < w->chat->message_count; m++) {
        const struct infer_talk *talk = &w->talks[m];
        int near = 0;
        for (uint32_t back = 1; back <= AGREE_WINDOW && back <= m; back++)
            near |= w->talks[m - back].hostile == INFER_INSTRUCTION ||
                    w->talks[m - back].hostile == INFER_PAYMENT;
        for (uint32_t k = 0; near && talk->hostile == INFER_FRIENDLY && k < talk->units; k++) {
            struct infer_unit *u = &w->units[talk->unit + k];
            if ((u->acts & (ACT_WARN | ACT_DONE)) != 0 && (u->acts & ACT_LEANS) == 0 &&
                u->content > 1)
                u->acts |= ACT_ALARM;
        }
    }
}

pp_res infer_links_find(struct infer_work *w)
{
    find_tails(w);
    for (uint32_t m = 0; m < w->chat->message_count; m++)
        link_message(w, m);
    PP_TRY(count_threads(w));
    for (uint32_t m = 0; m < w->chat->message_count; m++)
        if (w->talks[m].hostile == INFER_FRIENDLY)
            settle_options(w, m);
    find_alarms(w);
    return PP_OK;
}
