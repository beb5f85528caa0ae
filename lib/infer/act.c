/* SPDX-License-Identifier: Apache-2.0 */
/* act.c: what each sentence does: asks, agrees, promises, decides, warns. */
#include "infer_int.h"

static int is_wordlike(const struct infer_token *t)
{
    return t->type == INFER_WORD || t->type == INFER_NUM || t->type == INFER_MIXED ||
           t->type == INFER_LINK;
}

/* Pictures that say yes, and pictures that laugh. */
static uint64_t picture_cues(uint32_t c)
{
    switch (c) {
    case 0x1F44D: /* thumbs up */
    case 0x1F44C: /* OK hand */
    case 0x2705:  /* check mark */
    case 0x2714:
    case 0x1F4AF: /* hundred points */
    case 0x1F4AA: /* flexed arm */
        return CUE_AGREE;
    case 0x1F602: /* tears of joy */
    case 0x1F923: /* rolling on the floor */
    case 0x1F605:
    case 0x1F644: /* rolling eyes */
    case 0x1F61C:
        return CUE_LAUGH;
    default:
        return 0;
    }
}

/* 1 if the token may be cut from the front: a filler that stands apart or leads on. */
static int is_filler(const struct infer_token *t)
{
    const struct infer_token *next = t + 1;
    int apart = next->type == INFER_PUNCT || next->type == INFER_EMOJI;
    int leads = is_wordlike(next) && (t->cues & (CUE_STOP | CUE_AGREE | CUE_GREET | CUE_LAUGH |
                                                 CUE_THANKS | CUE_SPARE)) != 0;

    if ((t->cues & CUE_FILLER) == 0 || (t->cues & CUE_NO) != 0 || (t->pair & CUE_HOLD) != 0)
        return 0;
    return apart || leads || t->len <= 3;
}

/* The token behind a first clause that only reacts: "oh that would be lovely, ..."; else `head`. */
static uint32_t behind_reaction(const struct infer_work *w, uint32_t head, uint32_t end)
{
    enum { TOKENS_MAX = 7 };
    uint64_t cues = 0;

    for (uint32_t i = head; i < end && i < head + TOKENS_MAX; i++) {
        const struct infer_token *t = &w->tokens[i];
        if (t->type == INFER_PUNCT && (t->hash == ',' || t->hash == '!' || t->hash == '.'))
            return (cues & (CUE_PRAISE | CUE_AGREE | CUE_THANKS)) != 0 && i + 2 < end ? i + 1
                                                                                      : head;
        cues |= t->cues | t->pair;
        if (!is_wordlike(t) || t->type != INFER_WORD ||
            (t->stem != 0 &&
             (t->cues & (CUE_PRAISE | CUE_AGREE | CUE_THANKS | CUE_FILLER | CUE_MODAL)) == 0))
            return head;
    }
    return head;
}

uint32_t infer_unit_head(const struct infer_work *w, const struct infer_unit *u)
{
    uint32_t end = u->first + u->count;
    uint32_t head = u->first;

    for (uint32_t i = u->first; i < end; i++) {
        const struct infer_token *t = &w->tokens[i];
        if (!is_wordlike(t)) {
            /* A sign ends what was cut so far; quotes and brackets belong to what follows. */
            if (t->type != INFER_PUNCT || (t->hash != '"' && t->hash != '(' && t->hash != 0x201C &&
                                           t->hash != INFER_MARK_OPEN))
                head = head == i ? i + 1 : head;
            continue;
        }
        int thanked = i > u->first && (t[-1].cues & CUE_THANKS) != 0 &&
                      (t->cues & (CUE_YOU | CUE_STOP)) != 0;
        if (i != head || i + 1 >= end || (!is_filler(t) && !thanked))
            break;
        head = i + 1;
    }
    if (head >= end)
        return u->first;
    uint32_t behind = behind_reaction(w, head, end);
    while (behind > head && behind + 1 < end && is_wordlike(&w->tokens[behind]) &&
           is_filler(&w->tokens[behind]))
        behind++;
    return behind;
}

static int is_question(const struct infer_work *w, const struct infer_unit *u)
{
    for (uint32_t i = u->first + u->count; i > u->first; i--) {
        const struct infer_token *t = &w->tokens[i - 1];
        if (is_wordlike(t))
            return 0;
        if (t->type == INFER_PUNCT && t->hash == '?')
            return 1;
    }
    return 0;
}

/* 1 if the sentence is made in English and nothing else: some rules know only its word order. */
static int is_english(const struct infer_work *w, const struct infer_unit *u)
{
    return w->talks[u->message].languages == 1U << INFER_EN;
}

static int speaks(const struct infer_work *w, const struct infer_unit *u,
                  enum infer_language language)
{
    return w->talks[u->message].languages >> language & 1;
}

struct tally {
    uint64_t cues; /* of all tokens, and of pairs of them */
    uint32_t words;
    uint32_t content;
    uint32_t agrees; /* tokens that say yes */
    uint32_t names;
    int it_is;      /* "... it is" at the end */
    int shouted_no; /* "NO" */
};

static int is_name(const struct infer_work *w, const struct infer_unit *u, uint32_t i,
                   uint32_t head)
{
    const struct infer_token *t = &w->tokens[i];

    if (t->type == INFER_MIXED)
        return 1;
    if (t->type != INFER_WORD || (t->flags & INFER_TOKEN_UPPER) == 0 || t->stem == 0 || t->len < 2)
        return 0;
    if (speaks(w, u, INFER_DE))
        return i > u->first && (t[-1].cues & CUE_TITLE) != 0;
    return i != head && i != u->first &&
           (t->cues & ~(uint64_t)(CUE_TITLE | CUE_UNIT | CUE_ABSENT)) == 0;
}

static struct tally tally_unit(const struct infer_work *w, const struct infer_unit *u,
                               uint32_t head)
{
    static const uint64_t LIGHT = CUE_AGREE | CUE_FILLER | CUE_THANKS | CUE_LAUGH | CUE_PRAISE |
                                  CUE_ASK | CUE_MODAL | CUE_HEDGE | CUE_DAYPART | CUE_GREET |
                                  CUE_DECIDE | CUE_STATE | CUE_UNSURE;
    struct tally t = { 0 };
    const struct infer_token *last = NULL;

    for (uint32_t i = u->first; i < u->first + u->count; i++) {
        const struct infer_token *k = &w->tokens[i];
        if (k->type == INFER_EMOJI) {
            t.cues |= picture_cues(k->hash);
            t.agrees += (picture_cues(k->hash) & CUE_AGREE) != 0;
        }
        if (!is_wordlike(k))
            continue;
        t.cues |= k->cues | k->pair;
        t.words++;
        t.agrees += ((k->cues | k->pair) & CUE_AGREE) != 0;
        t.content += k->stem != 0 && (k->cues & LIGHT) == 0;
        t.names += is_name(w, u, i, head) != 0;
        t.shouted_no |= (k->cues & CUE_NO) != 0 && (k->flags & INFER_TOKEN_CAPS) != 0;
        t.it_is = last != NULL && (last->cues & CUE_IT) != 0 && (k->cues & CUE_IS) != 0;
        last = k;
    }
    return t;
}

/* 1 if the speaker says that he or she will do something. */
static int commits(const struct infer_work *w, const struct infer_unit *u, uint32_t head)
{
    uint32_t end = u->first + u->count;
    int english = is_english(w, u);

    for (uint32_t i = head; i < end; i++) {
        const struct infer_token *t = &w->tokens[i];
        if ((t->cues & CUE_ACTION) != 0 && !english && speaks(w, u, INFER_ES) &&
            t->type == INFER_WORD)
            return 1;
        if ((t->cues & CUE_FIRST) == 0)
            continue;
        if (!english) {
            for (uint32_t k = head; k < end; k++)
                if ((w->tokens[k].cues & CUE_ACTION) != 0)
                    return 1;
            continue;
        }
        /* "I", at most two words between, then the verb. */
        for (uint32_t k = i; k < end && k < i + 4; k++) {
            const struct infer_token *v = &w->tokens[k];
            if ((v->cues & (CUE_STATE | CUE_NO)) != 0 || v->type == INFER_PUNCT)
                break;
            if ((v->cues & CUE_ACTION) != 0 || (k == i && (v->cues & CUE_MODAL) != 0))
                return 1;
        }
    }
    return 0;
}

/* "calling him tonight", "rolling back now": a promise without a subject. */
int infer_is_gerund(const struct infer_work *w, const struct infer_unit *u,
                    const struct infer_token *t)
{
    struct pp_span s = infer_token_text(w, u, t);

    /* A verb when a small word follows; "meeting point" and "swimming starts" are nouns. */
    return is_english(w, u) && t->type == INFER_WORD && s.len > 5 && t->cues == 0 &&
           memcmp(s.at + s.len - 3, "ing", 3) == 0 && t < &w->tokens[u->first + u->count - 1] &&
           (t[1].cues & (CUE_STOP | CUE_RELDAY)) != 0 &&
           (t[1].cues & (CUE_IS | CUE_MODAL | CUE_IN)) == 0;
}

/*
 * "ok then Bruno goes to Hugo", "perfect, Samir opens": a "so", or a yes that goes on to something.
 */
static int concludes(const struct infer_work *w, const struct infer_unit *u, uint32_t head)
{
    uint64_t cues = 0;

    for (uint32_t i = u->first; i < head; i++)
        cues |= w->tokens[i].cues;
    if ((cues & CUE_THEN) != 0)
        return 1;
    return (cues & CUE_AGREE) != 0 &&
           (u->values > 0 || (u->acts & (ACT_NAME | ACT_COMMIT | ACT_DECIDE)) != 0);
}

static uint64_t acts_of_cues(const struct tally *t)
{
    static const struct {
        uint64_t cue;
        uint64_t act;
    } TABLE[] = {
        { CUE_DECIDE, ACT_DECIDE }, { CUE_CHANGE, ACT_CHANGE }, { CUE_WARN, ACT_WARN },
        { CUE_NEED, ACT_NEED },     { CUE_HEDGE, ACT_HEDGE },   { CUE_UNSURE, ACT_UNSURE },
        { CUE_ASK, ACT_REQUEST },   { CUE_ABSENT, ACT_ABSENT }, { CUE_DEED, ACT_DEED },
        { CUE_PLACE, ACT_PLACE },
    };
    uint64_t acts = 0;

    for (size_t i = 0; i < PP_ARRAY_COUNT(TABLE); i++)
        if ((t->cues & TABLE[i].cue) != 0)
            acts |= TABLE[i].act;
    if (t->shouted_no)
        acts |= ACT_WARN;
    if (t->it_is)
        acts |= ACT_DECIDE;
    if (t->names > 0)
        acts |= ACT_NAME;
    if ((t->cues & CUE_SUITS) != 0 && t->agrees > 0)
        acts |= ACT_VOTE;
    return acts;
}

static void find_answers_yes_no(struct infer_unit *u, const struct tally *t)
{
    int light = t->content <= 1 && t->words <= 8 && (u->acts & ACT_QUESTION) == 0;

    if (light && (t->agrees > 0 || (t->cues & CUE_JOIN) != 0) && (t->cues & CUE_NO) == 0)
        u->acts |= ACT_AGREE;
    if (light && (t->cues & CUE_NO) != 0 && t->agrees == 0 && t->words <= 4)
        u->acts |= ACT_REFUSE;
    int light_only = (t->cues & (CUE_AGREE | CUE_FILLER | CUE_THANKS | CUE_LAUGH | CUE_GREET |
                                 CUE_PRAISE)) != 0;

    if ((t->content == 0 && u->values == 0 && (u->acts & ACT_UNSURE) == 0 &&
         (light_only || t->words < 2)) ||
        ((t->cues & CUE_WISH) != 0 && t->words <= 6))
        u->acts |= ACT_CHATTER;
    if (t->content <= 2 && u->values == 0 &&
        (t->cues & (CUE_LAUGH | CUE_THANKS | CUE_PRAISE)) != 0 &&
        (u->acts & (ACT_QUESTION | ACT_COMMIT)) == 0)
        u->acts |= ACT_CHATTER;
}

static void collect_stems(const struct infer_work *w, struct infer_unit *u)
{
    for (uint32_t i = u->first; i < u->first + u->count && u->stem_count < INFER_UNIT_STEMS_MAX;
         i++) {
        uint32_t stem = w->tokens[i].stem;
        int again = stem == 0;
        for (uint32_t k = 0; k < u->stem_count; k++)
            again |= u->stems[k] == stem;
        if (!again)
            u->stems[u->stem_count++] = stem;
    }
}

/* "he comes", "looks good"; but not "this Friday", "that evening". */
static int leans(const struct infer_work *w, const struct infer_unit *u, uint32_t head)
{
    const struct infer_token *t = &w->tokens[head];
    uint64_t names = CUE_WEEKDAY | CUE_MONTH | CUE_DAYPART | CUE_NUMBER | CUE_DATEWORD;

    if ((u->acts & ACT_QUESTION) != 0)
        return 0;
    if ((t->cues & CUE_DEED) != 0 && is_english(w, u))
        return 1;
    if ((t->cues & CUE_LEANS) == 0)
        return 0;
    if ((t->cues & CUE_THAT) == 0 || head + 1 >= u->first + u->count)
        return 1;
    return t[1].type != INFER_NUM && (t[1].cues & names) == 0;
}

static void find_unit_acts(struct infer_work *w, struct infer_unit *u)
{
    uint32_t head = infer_unit_head(w, u);
    const struct infer_token *first = &w->tokens[head];
    struct tally t = tally_unit(w, u, head);

    collect_stems(w, u);
    u->words = t.words;
    u->content = t.content;
    u->acts |= acts_of_cues(&t);
    if (is_question(w, u))
        u->acts |= ACT_QUESTION;
    if ((first->cues & CUE_FIRST) != 0)
        u->acts |= ACT_FIRST;
    if ((u->acts & ACT_QUESTION) == 0 && commits(w, u, head))
        u->acts |= ACT_COMMIT;
    if (leans(w, u, head))
        u->acts |= ACT_LEANS;
    if (infer_is_gerund(w, u, first) && t.words > 1)
        u->acts |= ACT_DOING;
    if ((first->cues & CUE_ACTION) != 0 && is_english(w, u) && t.words > 2 &&
        first[1].type == INFER_WORD)
        u->acts |= ACT_REQUEST;
    if ((t.cues & CUE_DONE) != 0 &&
        ((first->cues & CUE_DONE) != 0 || (u->acts & ACT_QUESTION) == 0))
        u->acts |= ACT_DONE;
    if ((t.cues & CUE_DEADLINE) != 0 && (u->acts & (ACT_DAY | ACT_TIME)) != 0)
        u->acts |= ACT_DEADLINE;
    if ((t.cues & CUE_SUGGEST) != 0 ||
        ((u->acts & ACT_QUESTION) != 0 && (u->values > 0 || (u->acts & ACT_HEDGE) != 0)))
        u->acts |= ACT_PROPOSE;
    if ((t.cues & CUE_THAT) != 0 && t.content <= 2)
        u->acts |= ACT_POINTS;
    if ((first->cues & CUE_NO) != 0 && (first->pair & CUE_AGREE) == 0 && u->count > 2 &&
        first[1].stem != 0 && t.content > 0)
        u->acts |= ACT_WARN;
    if (concludes(w, u, head) && (u->acts & ACT_QUESTION) == 0 && t.content + u->values > 1)
        u->acts |= ACT_CONCLUDE;
    if ((t.cues & CUE_LAUGH) != 0)
        w->talks[u->message].laughs = 1;
    find_answers_yes_no(u, &t);
}

void infer_acts_find(struct infer_work *w)
{
    for (uint32_t u = 0; u < w->unit_count; u++)
        find_unit_acts(w, &w->units[u]);
}
