/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c: from facts to sentences. Words come from the messages in their order; what is added comes
 * from the templates here and from nowhere else (guard.c holds every answer to that).
 */
#include "infer_int.h"
#include "text.h"
#include "wr.h"

enum { QUOTE_WORDS_MAX = 30 };

/* What the templates add, by language: after an agreed proposal, before an open point. */
static const struct {
    const char *agreed, *open;
} WORDS[INFER_LANGUAGE_COUNT] = {
    [INFER_EN] = { "agreed", "Open" },
    [INFER_DE] = { "einverstanden", "Offen" },
    [INFER_FR] = { "accepté", "Ouvert" },
    [INFER_ES] = { "aceptado", "Pendiente" },
};

/*
 * First person to third: "I have" is "somebody has". Every right-hand word is template vocabulary.
 */
static const struct {
    const char *from, *to;
} FORMS[] = {
    { "have", "has" },          { "need", "needs" },
    { "want", "wants" },        { "am", "is" },
    { "think", "thinks" },      { "know", "knows" },
    { "love", "loves" },        { "like", "likes" },
    { "feel", "feels" },        { "hope", "hopes" },
    { "live", "lives" },        { "prefer", "prefers" },
    { "see", "sees" },          { "hear", "hears" },
    { "mean", "means" },        { "guess", "guesses" },
    { "suggest", "suggests" },  { "vote", "votes" },
    { "propose", "proposes" },  { "remember", "remembers" },
    { "believe", "believes" },  { "wonder", "wonders" },
    { "suppose", "supposes" },  { "wish", "wishes" },
    { "doubt", "doubts" },      { "understand", "understands" },
    { "agree", "agrees" },      { "own", "owns" },
    { "don't", "doesn't" },     { "i'll", "will" },
    { "i'd", "would" },         { "i'm", "is" },
    { "i've", "has" },          { "my", "their" },
    { "me", "them" },           { "mine", "theirs" },
    { "myself", "themselves" }, { "haven't", "hasn't" },
    { "does", "does" },
};

/* Words behind "I" that stay as they are. */
static const char PLAIN[] =
    "was can could will would should might must may can't couldn't won't wouldn't shouldn't didn't "
    "had got put sent found took made bought paid told brought gave went wrote saw heard left did "
    "spoke thought knew met lost sold read set cut drove came said forgot kept hadn't wasn't ";
/* Words that may stand between "I" and its verb. */
static const char BETWEEN[] =
    "also just only still already really then now probably always usually actually even never "
    "definitely ";

/* Persons that nobody but the speaker may speak of: such a sentence is only true as a quotation. */
static const char OTHER_PERSONS[] =
    "we us our ours ourselves we're we'll we've we'd let's your yours yourself yourselves you're "
    "you'll you've you'd u ur ya y'all ";
/* What "you" stands behind where it is no subject. */
static const char TOWARDS[] = "to for with from at about near behind give gave told ";
/* What follows "booked" where the speaker did it; "closed on Monday", "closed this week": who? */
static const char OBJECTS[] = "a an the my it them him her ";
/* Deeds that only people do, whose number or name behind them is what was done: "found 12". */
static const char PERSONAL[] = "asked called booked ordered found bought paid sent ";

enum { LISTED_MAX = 64 };

/* The lists above as hashes, made once a summary. */
struct infer_forms {
    uint32_t from[PP_ARRAY_COUNT(FORMS)];
    uint32_t plain[LISTED_MAX];
    uint32_t between[LISTED_MAX];
    uint32_t other_persons[LISTED_MAX];
    uint32_t towards[LISTED_MAX];
    uint32_t objects[LISTED_MAX];
    uint32_t personal[LISTED_MAX];
    int two_speak; /* nobody but the two: "you" is the other one */
};

static void hash_list(const char *list, uint32_t *ret)
{
    struct pp_span rest = pp_span_cstr(list);
    struct pp_span word;
    uint32_t count = 0;

    while (pp_text_cut(&rest, ' ', &word)) {
        PP_ASSERT(count < LISTED_MAX);
        ret[count++] = infer_hash_text(word);
    }
}

static int two_speak(const struct pp_infer_chat *chat)
{
    uint32_t one = chat->message_count == 0 ? 0 : chat->messages[0].sender;
    uint32_t other = one;

    for (size_t i = 0; i < chat->message_count; i++) {
        uint32_t sender = chat->messages[i].sender;
        if (sender == one || sender == other)
            continue;
        if (other != one)
            return 0;
        other = sender;
    }
    return other != one;
}

pp_res infer_say_init(struct infer_work *w)
{
    w->forms = pp_arena_alloc(w->arena, sizeof *w->forms);
    PP_CHECK(w->forms != NULL, PP_E_NO_MEMORY, sizeof *w->forms);
    for (size_t i = 0; i < PP_ARRAY_COUNT(FORMS); i++)
        w->forms->from[i] = infer_hash_text(pp_span_cstr(FORMS[i].from));
    hash_list(PLAIN, w->forms->plain);
    hash_list(BETWEEN, w->forms->between);
    hash_list(OTHER_PERSONS, w->forms->other_persons);
    hash_list(TOWARDS, w->forms->towards);
    hash_list(OBJECTS, w->forms->objects);
    hash_list(PERSONAL, w->forms->personal);
    w->forms->two_speak = two_speak(w->chat);
    return PP_OK;
}

static int is_in(const uint32_t *list, uint32_t hash)
{
    for (size_t i = 0; i < LISTED_MAX && list[i] != 0; i++)
        if (list[i] == hash)
            return 1;
    return 0;
}

static const char *form_of(const struct infer_work *w, uint32_t hash)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FORMS); i++)
        if (w->forms->from[i] == hash)
            return FORMS[i].to;
    return NULL;
}

int infer_template_word(uint32_t hash)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FORMS); i++)
        if (infer_hash_text(pp_span_cstr(FORMS[i].to)) == hash)
            return 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(WORDS); i++)
        if (infer_hash_text(pp_span_cstr(WORDS[i].agreed)) == hash ||
            infer_hash_text(pp_span_cstr(WORDS[i].open)) == hash)
            return 1;
    return 0;
}

/* The sentence being written. */
struct pen {
    const struct infer_work *w;
    struct pp_wr wr;
    struct infer_said *said;
    int gap;    /* something was left out: the next word stands apart */
    int turned; /* the sentence before was said in the third person */
};

static uint8_t last_byte(const struct pen *p)
{
    return p->wr.len == 0 ? ' ' : p->wr.at[p->wr.len - 1];
}

static void put_space(struct pen *p)
{
    if (p->wr.len > 0 && last_byte(p) != ' ')
        pp_wr_u8(&p->wr, ' ');
}

static void put_mark(struct pen *p, uint32_t alias)
{
    pp_wr_text(&p->wr, "\xE2\x9F\xA8");
    pp_wr_decimal(&p->wr, alias);
    pp_wr_text(&p->wr, "\xE2\x9F\xA9");
}

static uint32_t sender_of(const struct pen *p, uint32_t message)
{
    return p->w->chat->messages[message].sender;
}

/* Ids ascend; a sentence that needs more messages than fit is not said. */
static void cite(struct pen *p, uint32_t message)
{
    struct infer_said *s = p->said;
    uint64_t id = p->w->chat->messages[message].id;
    size_t at = s->id_count;

    for (size_t i = 0; i < s->id_count; i++)
        if (s->ids[i] == id)
            return;
    if (s->id_count == PP_INFER_ITEM_IDS_MAX) {
        p->wr.failed = PP_E_NO_SPACE;
        return;
    }
    for (; at > 0 && s->ids[at - 1] > id; at--)
        s->ids[at] = s->ids[at - 1];
    s->ids[at] = id;
    s->id_count++;
}

/* The bytes of a text without what is invisible. */
static void put_visible(struct pen *p, struct pp_span text)
{
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        enum infer_char cls = infer_char_class(pp_utf8_next(text, &at));
        if (cls != INFER_CHAR_INVISIBLE && cls != INFER_CHAR_SPACE)
            pp_wr_bytes(&p->wr, text.at + from, at - from);
    }
}

/*
 * How a sign of the message is shown: 0 not at all, `c` itself as it is. Ends of sentences become
 * commas inside one; brackets become round, so that a speaker mark can never come from a message;
 * what means something to a renderer goes.
 */
static uint32_t shown_sign(uint32_t c)
{
    switch (c) {
    case '!':
    case '.':
    case ';':
    case 0x2026:
        return ',';
    case '[':
    case '{':
    case INFER_MARK_OPEN:
        return '(';
    case ']':
    case '}':
    case INFER_MARK_CLOSE:
        return ')';
    case '<':
    case '>':
    case '*':
    case '_':
    case '~':
    case '`':
    case '|':
    case '\\':
    case '^':
    case '#':
    case '@':
    case '"':
        return 0;
    default:
        return c;
    }
}

static void put_sign(struct pen *p, const struct infer_unit *u, const struct infer_token *t)
{
    uint32_t c = shown_sign(t->hash);
    uint8_t before = last_byte(p);

    if (c == 0) {
        p->gap = 1;
        return;
    }
    if (c == ',' || c == ':') {
        if (before != ',' && before != ':' && before != '(' && before != ' ')
            pp_wr_u8(&p->wr, (uint8_t)c);
        p->gap = 1; /* "2 :00" must not become a time */
        return;
    }
    if ((t->flags & INFER_TOKEN_SPACE) != 0 || p->gap)
        put_space(p);
    p->gap = 0;
    if (c == 0x2192)
        pp_wr_text(&p->wr, "\xE2\x86\x92"); /* also for "->" */
    else if (c == t->hash)
        put_visible(p, infer_token_text(p->w, u, t));
    else
        pp_wr_u8(&p->wr, (uint8_t)c);
}

/* A word; an address as its host, and a sentence without a host to show is not said. */
static void put_word(struct pen *p, const struct infer_unit *u, const struct infer_token *t)
{
    struct pp_span text = infer_token_text(p->w, u, t);

    if (t->type == INFER_LINK)
        text = infer_link_host(text);
    if (text.len == 0)
        p->wr.failed = PP_E_NO_SPACE;
    put_visible(p, text);
}

/* A token that shows nothing, or must not be shown. */
static int is_hidden(const struct infer_token *t)
{
    return (t->cues & CUE_SPARE) != 0 || t->type == INFER_EMOJI || t->type == INFER_MARKUP ||
           (t->flags & INFER_TOKEN_DROPPED) != 0;
}

struct span_of_tokens {
    uint32_t first, end;
    int cut; /* the sentence went on: shown as an ellipsis */
};

static int holds_value(const struct infer_work *w, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (w->tokens[i].type == INFER_NUM || w->tokens[i].type == INFER_MIXED)
            return 1;
    return 0;
}

static int holds_subject(const struct infer_work *w, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (w->tokens[i].stem != 0)
            return 1;
    return 0;
}

static int is_comma(const struct infer_token *t)
{
    return t->type == INFER_PUNCT && t->hash == ',';
}

/* "..., she's grown out of it": a clause that adds no name, day, number, deed or rule. */
static int is_spare(const struct infer_work *w, uint32_t first, uint32_t end)
{
    static const uint64_t SUBSTANCE = CUE_NO | CUE_WARN | CUE_NEED | CUE_ACTION | CUE_DEADLINE |
                                      CUE_DONE | CUE_CHANGE | CUE_MODAL | CUE_WEEKDAY | CUE_MONTH |
                                      CUE_RELDAY | CUE_NUMBER | CUE_UNSURE | CUE_IF;

    uint32_t small = 0;

    if (first >= end || (w->tokens[first].cues & CUE_LINK) != 0)
        return 0;
    for (uint32_t i = first; i < end; i++) {
        const struct infer_token *t = &w->tokens[i];
        small += (t->cues & CUE_STOP) != 0;
        int name = (t->flags & INFER_TOKEN_UPPER) != 0 && t->stem != 0 && t->cues == 0;
        if (t->type == INFER_NUM || t->type == INFER_MIXED || name || (t->cues & SUBSTANCE) != 0)
            return 0;
    }
    /* Without small words it is one more thing in a list. */
    return (w->tokens[first].cues & CUE_ASIDE) != 0 || (small > 0 && end - first > 3);
}

/* 1 if the clause is more than a reason. */
static int promises(const struct infer_work *w, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if ((w->tokens[i].cues & (CUE_FIRST | CUE_ACTION | CUE_NEED | CUE_WARN | CUE_IF)) != 0)
            return 1;
    return 0;
}

/* "he can't come on Saturday though, so the rehearsal moves to Friday": the reason comes first. */
static uint32_t cut_reason(const struct infer_work *w, uint32_t first, uint32_t end)
{
    enum { WORDS_LEFT_MIN = 5 };

    for (uint32_t i = first; i + WORDS_LEFT_MIN < end; i++)
        if (is_comma(&w->tokens[i]) && (w->tokens[i + 1].cues & CUE_THEN) != 0)
            return holds_value(w, first, i) || promises(w, first, i) ? first : i + 2;
    return first;
}

static uint32_t cut_spare_clauses(const struct infer_work *w, uint32_t first, uint32_t end)
{
    enum { WORDS_LEFT_MIN = 4 };

    for (uint32_t i = end; i > first + WORDS_LEFT_MIN; i--)
        if (is_comma(&w->tokens[i - 1])) {
            if (!is_spare(w, i, end) || !holds_subject(w, first, i - 1))
                break;
            end = i - 1;
        }
    return end;
}

/* A long question is asked in its last clause. */
static uint32_t cut_preamble(const struct infer_work *w, uint32_t first, uint32_t end)
{
    enum { SHORT_TOKENS = 10 };

    for (uint32_t i = end; end - first > SHORT_TOKENS && i > first; i--) {
        uint32_t subjects = 0;
        if (!is_comma(&w->tokens[i - 1]))
            continue;
        for (uint32_t k = i; k < end; k++)
            subjects += w->tokens[k].stem != 0;
        return subjects >= 2 && !holds_value(w, first, i) ? i : first;
    }
    return first;
}

/* What of the sentence is worth showing: fillers and signs off both ends, and not too long. */
static struct span_of_tokens trim(const struct infer_work *w, const struct infer_unit *u)
{
    struct span_of_tokens s = { .first = infer_unit_head(w, u), .end = u->first + u->count };
    uint32_t words = 0;

    while (s.end > s.first + 1) {
        const struct infer_token *t = &w->tokens[s.end - 1];
        int sign = t->type == INFER_PUNCT && t->hash != ')' && t->hash != '%' && t->hash != 0xB0 &&
                   !(t->hash >= 0x20A0 && t->hash <= 0x20CF) && t->hash != '$' && t->hash != 0xA3;
        int filler = (t->cues & (CUE_LAUGH | CUE_THANKS)) != 0;
        if (!sign && !filler && !is_hidden(t))
            break;
        s.end--;
    }
    s.end = cut_spare_clauses(w, s.first, s.end);
    if ((u->acts & ACT_QUESTION) == 0)
        s.first = cut_reason(w, s.first, s.end);
    if ((u->acts & ACT_QUESTION) != 0)
        s.first = cut_preamble(w, s.first, s.end);
    for (uint32_t i = s.first; i < s.end; i++) {
        words += w->tokens[i].type != INFER_PUNCT && !is_hidden(&w->tokens[i]);
        int clause = is_comma(&w->tokens[i]);
        if ((words > QUOTE_WORDS_MAX / 3 * 2 && clause) || words > QUOTE_WORDS_MAX) {
            s.end = i;
            s.cut = 1;
            break;
        }
    }
    return s;
}

/* "Dr.", "27. Juni", "node.js": a full stop that belongs to the word before it. */
static int is_inner_stop(const struct infer_token *t)
{
    if ((t->flags & INFER_TOKEN_SPACE) != 0 || t[-1].type == INFER_PUNCT)
        return 0;
    return (t[-1].cues & CUE_ABBREV) != 0 || t[-1].type == INFER_NUM || t[-1].len == 1 ||
           (t[1].flags & INFER_TOKEN_SPACE) == 0;
}

/* Tokens as they stand. */
static void put_tokens(struct pen *p, const struct infer_unit *u, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        const struct infer_token *t = &p->w->tokens[i];
        if (is_hidden(t)) {
            p->gap = 1;
            continue;
        }
        if (t->type == INFER_PUNCT) {
            if (t->hash == '.' && i + 1 < u->first + u->count && i > u->first && is_inner_stop(t))
                pp_wr_u8(&p->wr, '.');
            else
                put_sign(p, u, t);
            continue;
        }
        if ((t->flags & INFER_TOKEN_SPACE) != 0 || (p->gap && last_byte(p) != '('))
            put_space(p);
        p->gap = 0;
        put_word(p, u, t);
    }
}

/*
 * "I ..." at token `i`: the verb form that follows the speaker's mark, and how many tokens it
 * stands for. NULL when this "I" cannot be turned safely.
 */
static const char *third_person(const struct infer_work *w, uint32_t i, uint32_t end,
                                uint32_t *ret_verb)
{
    const struct infer_token *t = &w->tokens[i];
    uint32_t verb = i + 1;

    *ret_verb = i;
    if (t->len > 1)
        return form_of(w, t->hash);
    while (verb < end && w->tokens[verb].type == INFER_WORD &&
           is_in(w->forms->between, w->tokens[verb].hash))
        verb++;
    if (verb >= end || w->tokens[verb].type != INFER_WORD)
        return NULL;
    const struct infer_token *v = &w->tokens[verb];
    *ret_verb = verb;
    const char *form = form_of(w, v->hash);
    if (form != NULL)
        return form;
    if (v->hash == infer_hash_text(PP_STR("do")) && verb + 1 < end && (v[1].cues & CUE_NO) != 0)
        return "does";
    if (is_in(w->forms->plain, v->hash) ||
        ((v->cues & CUE_DONE) != 0 && (v->cues & CUE_ACTION) == 0))
        return "";
    return (v->cues & CUE_ACTION) != 0 || v->hash == infer_hash_text(PP_STR("do")) ? "will" : NULL;
}

static void put_cut(struct pen *p, struct span_of_tokens s)
{
    if (s.cut)
        pp_wr_text(&p->wr, "\xE2\x80\xA6");
}

static void begin_body(struct pen *p, const struct infer_unit *u, enum infer_form form)
{
    if (p->said->body != 0)
        return;
    p->said->body = p->wr.len;
    p->said->form = form;
    p->said->speaker = sender_of(p, u->message);
}

/* A name, unless it only begins the sentence. */
static int is_called(const struct infer_token *t)
{
    return t->type == INFER_WORD && (t->flags & INFER_TOKEN_UPPER) != 0 && t->cues == 0 &&
           t->stem != 0;
}

/* "to you", "bring it": no subject. `t` is not the first token. */
static int is_governed(const struct infer_work *w, const struct infer_token *t)
{
    return t[-1].type == INFER_WORD &&
           ((t[-1].cues & (CUE_ACTION | CUE_DONE)) != 0 || is_in(w->forms->towards, t[-1].hash));
}

/*
 * 1 if the "I" at `i` may be left out: "..., I'll also drive", "and I have two"; not where somebody
 * else came between: "I paid, Ann cooks, and I'll drive".
 */
static int is_ellipsis(const struct pen *p, uint32_t i, uint32_t first)
{
    const struct infer_token *before = &p->w->tokens[i - (i > first)];

    if (i == first || (!is_comma(before) && (before->cues & CUE_LINK) == 0))
        return 0;
    for (uint32_t k = first + 1; k < i; k++) {
        const struct infer_token *t = &p->w->tokens[k];
        if ((is_called(t) || (t->cues & CUE_LEANS) != 0) && !is_governed(p->w, t))
            return 0;
    }
    return 1;
}

static uint32_t put_turned(struct pen *p, const struct infer_unit *u, uint32_t i, uint32_t first,
                           uint32_t end)
{
    uint32_t verb;
    const char *form = third_person(p->w, i, end, &verb);

    put_space(p);
    /* "... and I'll drive": who, was said at the head of the sentence. */
    if (!is_ellipsis(p, i, first))
        put_mark(p, sender_of(p, u->message));
    if (p->said->body == 0) {
        pp_wr_u8(&p->wr, ' ');
        begin_body(p, u, INFER_DEED_FORM);
    }
    if (form == NULL)
        return i + 1;
    put_tokens(p, u, i + 1, verb);
    if (verb == i || *form == '\0' ||
        infer_hash_text(pp_span_cstr(form)) != infer_hash_text(PP_STR("will")))
        verb++;
    if (*form != '\0') {
        put_space(p);
        pp_wr_text(&p->wr, form);
        return verb;
    }
    put_tokens(p, u, verb - 1, verb);
    return verb;
}

static int is_you(const struct infer_token *t)
{
    return t->type == INFER_WORD && t->hash == infer_hash_text(PP_STR("you"));
}

/* 1 if the "you" at `i` is no subject: "Ann bring the stove" is said by nobody. */
static int is_object(const struct infer_work *w, struct span_of_tokens s, uint32_t i)
{
    const struct infer_token *t = &w->tokens[i];

    if (i == s.first || !is_governed(w, t))
        return 0;
    return i + 1 >= s.end || (t[1].cues & (CUE_ACTION | CUE_STATE | CUE_DONE | CUE_MODAL |
                                           CUE_ASKS | CUE_IS | CUE_GROUP)) == 0;
}

/*
 * Whom the "you" at `i` means: 1 and a message of theirs if that is certain, which it is only where
 * two talk, and one answers the other. "sent you the 184 Ann" names somebody else.
 */
static int knows_you(const struct infer_work *w, const struct infer_unit *u,
                     struct span_of_tokens s, uint32_t i, uint32_t *ret_message)
{
    uint32_t said_to = u->answers != 0 ? u->answers : u->about;

    if (!w->forms->two_speak || said_to == 0 || !is_object(w, s, i))
        return 0;
    for (uint32_t k = i + 1; k < s.end; k++)
        if (is_called(&w->tokens[k]))
            return 0;
    uint32_t message = w->units[said_to - 1].message;
    const struct pp_infer_message *m = w->chat->messages;
    if (w->talks[message].hostile != INFER_FRIENDLY || m[message].sender == m[u->message].sender)
        return 0;
    *ret_message = message;
    return 1;
}

/* 1 if every first and second person of the span can be turned. */
static int can_turn(const struct infer_work *w, const struct infer_unit *u, struct span_of_tokens s)
{
    for (uint32_t i = s.first; i < s.end; i++) {
        const struct infer_token *t = &w->tokens[i];
        uint32_t other;
        if ((t->cues & CUE_FIRST) != 0 && third_person(w, i, s.end, &other) == NULL)
            return 0;
        if (is_you(t) && !knows_you(w, u, s, i, &other))
            return 0;
        if (t->type == INFER_WORD && is_in(w->forms->other_persons, t->hash))
            return 0;
    }
    return 1;
}

/* "booked the saw": a deed without its subject, which is the speaker. "Done, it is paid" is not. */
static int is_done_deed(const struct infer_work *w, const struct infer_token *t)
{
    if ((t->cues & CUE_DONE) == 0)
        return 0;
    if (t[1].type == INFER_WORD && is_in(w->forms->objects, t[1].hash))
        return 1;
    return is_in(w->forms->personal, t->hash) &&
           (t[1].type == INFER_NUM || (t[1].cues & CUE_NUMBER) != 0 || is_called(&t[1]));
}

/* "calling him tonight", but not "camping on Saturday", which may be what it is all about. */
static int is_doing(const struct infer_work *w, const struct infer_unit *u,
                    const struct infer_token *t)
{
    return infer_is_gerund(w, u, t) &&
           ((t[1].cues & CUE_PREP) == 0 || is_in(w->forms->objects, t[1].hash));
}

/* What "my", "me", "mine" and "myself" become; NULL for other words. */
static const char *third_person_pronoun(const struct infer_work *w, const struct infer_token *t)
{
    static const char *const WORDS_TURNED[] = { "my", "me", "mine", "myself" };

    if (t->type != INFER_WORD || (t->cues & CUE_STOP) == 0)
        return NULL;
    for (size_t i = 0; i < PP_ARRAY_COUNT(WORDS_TURNED); i++)
        if (t->hash == infer_hash_text(pp_span_cstr(WORDS_TURNED[i])))
            return form_of(w, t->hash);
    return NULL;
}

/* "I'll pick you up" as "(speaker) will pick (addressee) up". */
static void put_third_person(struct pen *p, const struct infer_unit *u, struct span_of_tokens s)
{
    for (uint32_t i = s.first; i < s.end;) {
        const struct infer_token *t = &p->w->tokens[i];
        uint32_t message;
        if ((t->cues & CUE_FIRST) != 0) {
            i = put_turned(p, u, i, s.first, s.end);
            continue;
        }
        const char *form = third_person_pronoun(p->w, t);
        if (form != NULL) {
            put_space(p);
            pp_wr_text(&p->wr, form);
        } else if (is_you(t) && knows_you(p->w, u, s, i, &message)) {
            put_space(p);
            put_mark(p, sender_of(p, message));
            cite(p, message);
        } else {
            put_tokens(p, u, i, i + 1);
        }
        i++;
    }
}

/* 1 if it matters who asked: in a deal, or when the question is about the one who asks. */
static int asker_matters(const struct infer_work *w, const struct infer_unit *q)
{
    uint64_t cues = 0;

    for (uint32_t i = q->first; i < q->first + q->count; i++)
        cues |= w->tokens[i].cues;
    return q->values > 0 || (cues & (CUE_FIRST | CUE_ME)) != 0;
}

/* One sentence with its speaker. */
static void put_unit(struct pen *p, const struct infer_unit *u, int named)
{
    const struct infer_work *w = p->w;
    struct span_of_tokens s = trim(w, u);
    const struct infer_token *first = &w->tokens[s.first];
    int can = w->talks[u->message].languages == 1U << INFER_EN && can_turn(w, u, s);
    int turns = can && (u->acts & ACT_QUESTION) == 0;
    int i_do = turns && (first->cues & CUE_FIRST) != 0;
    /* Behind a name, a capital would show that the sentence began here. */
    int bare = s.end - s.first > 1 && (first->flags & INFER_TOKEN_UPPER) == 0;
    int doing = bare && is_doing(w, u, first);

    put_space(p);
    cite(p, u->message);
    turns &= doing || (bare && is_done_deed(w, first));
    /* "(speaker) will come; I thank you": whose "I" that is must be said again. */
    named |= p->turned && !can;
    p->turned = i_do || (named ? turns : p->turned);
    if (named && !i_do) {
        put_mark(p, sender_of(p, u->message));
        pp_wr_text(&p->wr, turns ? " " : ": ");
        begin_body(p, u, turns ? INFER_DEED_FORM : INFER_QUOTE_FORM);
        if (turns && doing)
            pp_wr_text(&p->wr, "is ");
    }
    if (p->turned)
        put_third_person(p, u, s);
    else
        put_tokens(p, u, s.first, s.end);
    put_cut(p, s);
}

static int ends_cut(const struct pen *p)
{
    return p->wr.len >= 3 && memcmp(p->wr.at + p->wr.len - 3, "\xE2\x80\xA6", 3) == 0;
}

static void end_sentence(struct pen *p, const char *end)
{
    while (p->wr.len > 0 && (last_byte(p) == ' ' || last_byte(p) == ',' || last_byte(p) == ':'))
        p->wr.len--;
    pp_wr_text(&p->wr, end);
}

/* 1 if a word is no word: an encoded blob could carry anything. */
static int has_blob(const struct infer_work *w, const struct infer_unit *u)
{
    enum { WORD_BYTES_MAX = 48 };

    for (uint32_t i = u->first; i < u->first + u->count; i++)
        if (w->tokens[i].type <= INFER_MIXED && w->tokens[i].len > WORD_BYTES_MAX)
            return 1;
    return 0;
}

/* 1 if something is left to show of the sentence. */
static int has_words(const struct infer_work *w, const struct infer_unit *u)
{
    for (uint32_t i = u->first; i < u->first + u->count; i++)
        if (w->tokens[i].type <= INFER_MIXED && !is_hidden(&w->tokens[i]))
            return 1;
    return 0;
}

static int other_speaker_next(const struct pen *p, const struct infer_fact *f, uint32_t k)
{
    if (k + 1 >= f->unit_count)
        return 0;
    return sender_of(p, p->w->units[f->units[k + 1]].message) !=
           sender_of(p, p->w->units[f->units[k]].message);
}

void infer_say(const struct infer_work *w, const struct infer_fact *f, struct infer_said *ret)
{
    struct pen p = { .w = w, .said = ret };
    uint32_t voices = 0;

    *ret = (struct infer_said){ .form = INFER_OTHER_FORM };
    p.wr = pp_wr_over(ret->text, sizeof ret->text);
    if (f->kind == PP_INFER_OPEN) {
        pp_wr_text(&p.wr, WORDS[w->language].open);
        pp_wr_text(&p.wr, ": ");
    }
    for (uint32_t k = 0; k < f->unit_count; k++) {
        const struct infer_unit *u = &w->units[f->units[k]];
        int again = k > 0 &&
                    sender_of(&p, u->message) == sender_of(&p, w->units[f->units[k - 1]].message);
        p.turned &= again;
        if (has_blob(w, u))
            return;
        if (k > 0 && !has_words(w, u))
            continue;
        if (again && last_byte(&p) != '?')
            end_sentence(&p, ";");
        int agreed = f->agreed && f->units[k] == f->main;
        int quiet = (u->acts & ACT_QUESTION) != 0 && !agreed && other_speaker_next(&p, f, k) &&
                    !asker_matters(w, u);
        put_unit(&p, u, !again && !quiet);
        voices += !again;
        if ((u->acts & ACT_QUESTION) != 0 && !agreed)
            end_sentence(&p, "?");
        else if (other_speaker_next(&p, f, k))
            end_sentence(&p, ".");
        if (agreed) {
            for (uint32_t g = 0; g < u->agree_count && g < INFER_AGREES_MAX; g++)
                cite(&p, u->agree[g]);
        }
    }
    if (f->agreed) {
        end_sentence(&p, " (");
        pp_wr_text(&p.wr, WORDS[w->language].agreed);
        pp_wr_text(&p.wr, ")");
    }
    if (last_byte(&p) != '?' && !ends_cut(&p))
        end_sentence(&p, ".");
    if (voices > 1 || f->kind == PP_INFER_OPEN)
        ret->form = INFER_OTHER_FORM;
    ret->len = p.wr.failed == PP_E_OK ? p.wr.len : 0;
    ret->words = pp_infer_words(pp_span(ret->text, ret->len));
}
