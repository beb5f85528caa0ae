/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c: what sentences have to do with each other: answers, agreement, chosen options, and later
 * values in the place of earlier ones. Every search looks at a bounded number of neighbours.
 */
#include "infer_int.h"

enum {
    AGREE_WINDOW = 6,     /* messages back to what is agreed to */
    OPTION_WINDOW = 24,   /* messages with votes behind a list of options */
    VALUE_WINDOW = 160,   /* valued phrases back that a new one may replace */
    LISTING_MINUTES = 4,  /* one writer's messages this close belong to one list */
    BARE_WINDOW = 40,     /* messages over which bare dates are about the same thing */
};

static uint32_t sender_of(const struct infer_work *w, uint32_t message)
{
    return w->chat->messages[message].sender;
}

int infer_shares_stem(const struct infer_work *w, const struct infer_unit *a, const struct infer_unit *b)
{
    for (uint32_t i = a->first; i < a->first + a->count; i++) {
        uint32_t stem = w->tokens[i].stem;
        for (uint32_t k = b->first; stem != 0 && k < b->first + b->count; k++)
            if (w->tokens[k].stem == stem)
                return 1;
    }
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

/* What a "yes", a "that" or an "it" in `message` is said to: the last substance of somebody else. */
static struct infer_unit *said_to(struct infer_work *w, uint32_t message)
{
    for (uint32_t back = 1; back <= AGREE_WINDOW && back <= message; back++) {
        uint32_t m = message - back;
        struct infer_unit *u = sender_of(w, m) == sender_of(w, message) ? NULL : last_substance(w, m);
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
    uint64_t cues = 0;

    /* Question words count where questions begin; "how many" may also end a short one. */
    for (uint32_t i = head; i < q->first + q->count && i < head + 4; i++)
        cues |= w->tokens[i].cues | (w->tokens[i].pair & CUE_WHO);

    if ((cues & CUE_WHEN) != 0)
        return CUE_WHEN;
    if ((cues & CUE_HOWMUCH) != 0)
        return CUE_HOWMUCH;
    if ((cues & CUE_WHO) != 0)
        return CUE_WHO;
    if ((cues & CUE_WHERE) != 0)
        return CUE_WHERE;
    return (w->tokens[head].cues & CUE_MODAL) != 0 ? CUE_AGREE : CUE_STOP;
}

static int answers(const struct infer_work *w, const struct infer_unit *u, const struct infer_unit *q,
                   uint32_t distance)
{
    uint64_t acts = u->acts;
    uint64_t first = w->tokens[u->first].cues;
    int yes_no = (first & (CUE_AGREE | CUE_NO)) != 0 || (acts & (ACT_AGREE | ACT_REFUSE)) != 0;
    int overlap = infer_shares_stem(w, u, q);

    if ((acts & ACT_QUESTION) != 0 || (u->content == 0 && u->values == 0 && !yes_no))
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
               (distance <= 4 && (cues_of(w, u) & CUE_ME) != 0) || (distance == 1 && (acts & ACT_NAME) != 0);
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
        for (uint32_t k = talk->units; k > 0; k--) {
            struct infer_unit *q = &w->units[talk->unit + k - 1];
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
 * "when?" and "would 60 be ok?" have no subject of their own: what they are about is what the one who
 * answers, or else the one who asks, said just before.
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

static void find_answer(struct infer_work *w, struct infer_talk *talk)
{
    for (uint32_t k = 0; k < talk->units; k++) {
        struct infer_unit *u = &w->units[talk->unit + k];
        struct infer_unit *q = (u->acts & ACT_TAIL) != 0 ? NULL : question_before(w, u);
        if (q == NULL)
            continue;
        q->acts |= ACT_ANSWERED;
        if (u->values > 0 && u->content < 4)
            q->acts |= ACT_CLOSED;
        u->answers = (uint32_t)(q - w->units) + 1;
        if ((u->acts & ACT_REFUSE) == 0)
            find_context(w, u, q);
        return;
    }
}

/* The latest need, request or question of "who" that a promise can answer to. */
static struct infer_unit *need_before(struct infer_work *w, uint32_t message)
{
    for (uint32_t back = 1; back <= INFER_WINDOW && back <= message; back++) {
        const struct infer_talk *talk = &w->talks[message - back];
        for (uint32_t k = talk->units; talk->hostile == INFER_FRIENDLY && k > 0; k--) {
            struct infer_unit *u = &w->units[talk->unit + k - 1];
            int need = (u->acts & (ACT_NEED | ACT_REQUEST)) != 0 && u->content > 1;
            if (sender_of(w, message - back) != sender_of(w, message) && need && (u->acts & ACT_TAIL) == 0)
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

/* "deal, I take it", "I can do it", "let's decide in April": sentences that need what they point to. */
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
            target = need_before(w, message);
        else if ((u->acts & ACT_UNSURE) != 0)
            target = matter_before(w, message);
        if (target == NULL)
            continue;
        u->about = (uint32_t)(target - w->units) + 1;
        u->context = target->context;
    }
}

/* 1 if the message's first sentence thanks or praises. */
static int says_thanks(const struct infer_work *w, uint32_t message)
{
    const struct infer_talk *talk = &w->talks[message];

    return talk->units > 0 && (cues_of(w, &w->units[talk->unit]) & (CUE_THANKS | CUE_PRAISE)) != 0;
}

/* 1 if the sentences share a word that is not all over the conversation. */
static int shares_rare_stem(const struct infer_work *w, const struct infer_unit *a, const struct infer_unit *b)
{
    uint32_t often = 3 + (uint32_t)w->chat->message_count / 12;

    for (uint32_t i = a->first; i < a->first + a->count; i++) {
        uint32_t stem = w->tokens[i].stem;
        if (stem == 0 || infer_stem_uses(w, stem) > often)
            continue;
        for (uint32_t k = b->first; k < b->first + b->count; k++)
            if (w->tokens[k].stem == stem)
                return 1;
    }
    return 0;
}

/* The message that this one goes on from, or UINT32_MAX when it begins something new. */
static uint32_t goes_on_from(const struct infer_work *w, uint32_t message, const struct infer_unit *said)
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
        for (uint32_t k = 0; k < talk->units; k++)
            for (uint32_t j = 0; j < before->units; j++)
                if (shares_rare_stem(w, &w->units[talk->unit + k], &w->units[before->unit + j]))
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
    if (says_thanks(w, message)) {
        struct infer_unit *target = said_to(w, message);
        if (target != NULL && message - target->message <= 2)
            target->acts |= ACT_THANKED;
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
        int bare = u->content == 0 && (u->values > 0 || (u->acts & ACT_UNSURE) != 0) && u->words <= 8;
        bare |= (w->tokens[u->first].cues & CUE_IF) != 0 && u->words <= 8;
        if (before->message != u->message || !bare || !is_substance(before) ||
            (u->acts & (ACT_QUESTION | ACT_COMMIT | ACT_DONE | ACT_CHATTER)) != 0 || before->tail != 0 ||
            (before->acts & ACT_TAIL) != 0)
            continue;
        before->tail = k + 1;
        before->acts |= u->acts & (ACT_TIME | ACT_DAY | ACT_AMOUNT | ACT_NUMBER | ACT_UNSURE | ACT_DEADLINE);
        before->values += u->values;
        u->acts |= ACT_TAIL;
    }
}

/* "A", "option B", "C:" at the head of a sentence: the letter's hash, or 0. */
static uint32_t option_label(const struct infer_work *w, const struct infer_unit *u, uint32_t *ret_behind)
{
    uint32_t i = infer_unit_head(w, u);
    uint32_t end = u->first + u->count;
    int named = (w->tokens[i].cues & CUE_OPTION) != 0;

    i += named ? 1 : 0;
    if (i + 1 >= end || w->tokens[i].type != INFER_WORD || w->tokens[i].len != 1 ||
        (w->tokens[i].flags & INFER_TOKEN_UPPER) == 0)
        return 0;
    const struct infer_token *next = &w->tokens[i + 1];
    int marked = next->type == INFER_PUNCT && (next->hash == ':' || next->hash == ')');
    if (!named && !marked)
        return 0;
    *ret_behind = i + 1 + (uint32_t)marked;
    return w->tokens[i].hash;
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

static void settle_options(struct infer_work *w, uint32_t message)
{
    struct infer_talk *talk = &w->talks[message];
    struct infer_unit *options[INFER_MESSAGE_UNITS_MAX];
    uint32_t labels[INFER_MESSAGE_UNITS_MAX];
    uint32_t count = 0;
    uint32_t behind = 0;

    for (uint32_t k = 0; k < talk->units; k++) {
        struct infer_unit *u = &w->units[talk->unit + k];
        uint32_t label = option_label(w, u, &behind);
        if (label == 0)
            continue;
        options[count] = u;
        labels[count++] = label;
    }
    if (count < 2)
        return;
    uint32_t best = 0;
    for (uint32_t m = message + 1; m <= message + OPTION_WINDOW && m < w->chat->message_count; m++) {
        const struct infer_talk *later = &w->talks[m];
        for (uint32_t v = 0; later->hostile == INFER_FRIENDLY && v < later->units; v++)
            for (uint32_t o = 0; o < count; o++)
                if (voted_label(w, &w->units[later->unit + v]) == labels[o])
                    add_agreement(w, options[o], m);
    }
    for (uint32_t o = 1; o < count; o++)
        best = options[o]->agree_count > options[best]->agree_count ? o : best;
    if (options[best]->agree_count == 0)
        return;
    for (uint32_t o = 0; o < count; o++)
        options[o]->acts |= o == best ? ACT_OPTION | ACT_DECIDE : ACT_DEAD;
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
    for (uint32_t k = w->units[unit].value_first; k < w->value_count && w->values[k].unit == unit; k++)
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

/* Whether the later value, in a message that announces a change or not, replaces the earlier one. */
static int replaces(const struct infer_work *w, const struct infer_value *old, const struct infer_value *new,
                    int change)
{
    const struct infer_unit *a = &w->units[old->unit];
    const struct infer_unit *b = &w->units[new->unit];
    const struct pp_infer_message *ma = &w->chat->messages[a->message];
    const struct pp_infer_message *mb = &w->chat->messages[b->message];
    int settles = b->agree_count > 0 || (b->acts & (ACT_AGREE | ACT_DECIDE)) != 0;

    if (a->message == b->message || !same_class(old, new))
        return 0;
    if (!change && ma->sender == mb->sender && mb->minute - ma->minute <= LISTING_MINUTES)
        return 0;
    /* A bare "ok Sunday 21 then" settles what was bare before. */
    int bare = b->content == 0 && a->content <= 1 && b->message - a->message <= BARE_WINDOW &&
               (change || settles);
    uint32_t shared = shared_labels(old, new);
    int same = shared > 1 || (shared == 1 && (change || b->agree_count > 0));
    return (bare || same) && !repeats(w, old, new->unit);
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
            return 1;
    }
    return 0;
}

static int can_be_replaced(const struct infer_value *v)
{
    return v->type != INFER_NUMBER && v->type != INFER_RELDAY && !v->old;
}

/* 1 if the sentence has a time right behind a day: "Tuesday 20 October, 14:15". */
static int is_full_date(const struct infer_work *w, uint32_t unit)
{
    for (uint32_t k = w->units[unit].value_first; k + 1 < w->value_count && w->values[k + 1].unit == unit; k++) {
        const struct infer_value *a = &w->values[k];
        int day = a->type == INFER_DATE || a->type == INFER_WEEKDAY;
        if (day && a[1].type == INFER_TIME && a[1].first - (a->first + a->count) <= 1)
            return 1;
    }
    return 0;
}

/* When the day itself moves, the days and times said between the old one and the new are in doubt. */
static void make_stale(struct infer_work *w, uint32_t old_unit, uint32_t new_unit)
{
    for (uint32_t k = old_unit + 1; k < new_unit; k++)
        if ((w->units[k].acts & (ACT_TIME | ACT_DAY)) != 0 &&
            w->units[k].message != w->units[new_unit].message)
            w->units[k].acts |= ACT_STALE;
}

/*
 * "The new date is Friday at 10:45" shares no word with what it moves: it stands in the place of the
 * same writer's last day with a time.
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
                !repeats(w, &w->values[k], unit))
                w->values[k].dead = 1;
        make_stale(w, back - 1, unit);
        return;
    }
}

/* Lets one value of a sentence replace what it can; gives how many earlier values went. */
static uint32_t replace_by(struct infer_work *w, uint32_t k, int change)
{
    const struct infer_value *new = &w->values[k];
    uint32_t from = k > VALUE_WINDOW ? k - VALUE_WINDOW : 0;
    uint32_t replaced = 0;

    if (!can_be_replaced(new) || restates(w, k))
        return 0;
    for (uint32_t o = from; o < k; o++) {
        struct infer_value *old = &w->values[o];
        if (old->dead || !can_be_replaced(old) || !replaces(w, old, new, change))
            continue;
        old->dead = 1;
        replaced++;
        if (change && new->type != INFER_TIME && new->type != INFER_AMOUNT)
            make_stale(w, old->unit, new->unit);
    }
    return replaced;
}

static void supersede(struct infer_work *w)
{
    for (uint32_t unit = 0; unit < w->unit_count; unit++) {
        const struct infer_unit *u = &w->units[unit];
        uint32_t replaced = 0;
        if (w->talks[u->message].hostile != INFER_FRIENDLY)
            continue;
        if ((u->acts & ACT_QUESTION) != 0 && u->agree_count == 0)
            continue;
        int change = announces_change(w, unit);
        for (uint32_t k = u->value_first; k < w->value_count && w->values[k].unit == unit; k++)
            replaced += replace_by(w, k, change);
        if (replaced == 0 && (u->acts & ACT_CHANGE) != 0 && is_full_date(w, unit))
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
        if (w->units[k].lost > 0 && w->units[k].values == 0 && w->units[k].content <= 3)
            w->units[k].acts |= ACT_DEAD;
}

/* The same words again: the later sentence is the one that counts, except for the first mention of
 * an agreed decision. */
static pp_res drop_repeats(struct infer_work *w)
{
    enum { SLOTS = 4096 };
    uint32_t *slots = pp_arena_array(w->arena, SLOTS, sizeof *slots);

    PP_CHECK(slots != NULL, PP_E_NO_MEMORY, SLOTS);
    for (uint32_t k = 0; k < w->unit_count; k++) {
        struct infer_unit *u = &w->units[k];
        uint32_t hash = INFER_HASH_START;
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

pp_res infer_links_find(struct infer_work *w)
{
    find_tails(w);
    for (uint32_t m = 0; m < w->chat->message_count; m++)
        link_message(w, m);
    for (uint32_t m = 0; m < w->chat->message_count; m++)
        if (w->talks[m].hostile == INFER_FRIENDLY)
            settle_options(w, m);
    supersede(w);
    drop_dead_values(w);
    return drop_repeats(w);
}
