/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer_int.h: what the files of lib/infer share. The stages of the embedded engine, in order:
 * chars, cues, token, sentence, value, hostile, act, link, replace, fact, pick, say.
 */
#ifndef PP_INFER_INT_H
#define PP_INFER_INT_H

#include "infer.h"

/* ---- chars.c: characters -------------------------------------------------------------------- */

enum infer_char {
    INFER_CHAR_SPACE,     /* Unicode White_Space, line breaks included */
    INFER_CHAR_WORD,      /* letters and what joins them */
    INFER_CHAR_DIGIT,     /* decimal digits of the scripts that phones offer */
    INFER_CHAR_PUNCT,     /* punctuation and symbols that may be shown */
    INFER_CHAR_PICTURE,   /* emoji and other pictures; never shown */
    INFER_CHAR_INVISIBLE, /* control, format, bidi, filler, private use: as if it were not there */
};

enum { INFER_MARK_OPEN = 0x27E8, INFER_MARK_CLOSE = 0x27E9 };

enum infer_char infer_char_class(uint32_t c);

/*
 * One form for what readers take for the same letter: lower case; Latin without diacritics; full
 * width, mathematical and look-alike Cyrillic and Greek letters as Latin.
 */
uint32_t infer_char_fold(uint32_t c);
int infer_char_is_upper(uint32_t c);

/* FNV-1a over folded characters; `infer_hash_text` is of a whole word of ours and never 0. */
#define INFER_HASH_START 0x811C9DC5U
uint32_t infer_hash_step(uint32_t hash, uint32_t folded);
uint32_t infer_hash_text(struct pp_span word);

/* ---- cues.c: everyday words ----------------------------------------------------------------- */

enum infer_language { INFER_EN, INFER_DE, INFER_FR, INFER_ES, INFER_LANGUAGE_COUNT };

#define INFER_CUE(n) (UINT64_C(1) << (n))
#define CUE_STOP     INFER_CUE(0) /* carries no subject */
#define CUE_AGREE    INFER_CUE(1) /* yes, fine */
#define CUE_NO       INFER_CUE(2) /* no, not, nobody */
#define CUE_FILLER   INFER_CUE(3) /* may be cut from the front of a sentence */
#define CUE_GREET    INFER_CUE(4)
#define CUE_LAUGH    INFER_CUE(5)
#define CUE_THANKS   INFER_CUE(6)
#define CUE_PRAISE   INFER_CUE(7)
#define CUE_FIRST    INFER_CUE(8)  /* I */
#define CUE_MODAL    INFER_CUE(9)  /* will, can */
#define CUE_ACTION   INFER_CUE(10) /* a verb that one can promise */
#define CUE_STATE    INFER_CUE(11) /* a verb that one cannot */
#define CUE_DONE     INFER_CUE(12) /* booked, sent, found */
#define CUE_DECIDE   INFER_CUE(13)
#define CUE_CHANGE   INFER_CUE(14) /* moved, instead, new */
#define CUE_WARN     INFER_CUE(15) /* only, never, allowed, careful */
#define CUE_NEED     INFER_CUE(16)
#define CUE_ASK      INFER_CUE(17) /* please */
#define CUE_HEDGE    INFER_CUE(18) /* maybe */
#define CUE_UNSURE   INFER_CUE(19) /* depends, undecided */
#define CUE_PLACE    INFER_CUE(20) /* is in, liegt auf */
#define CUE_ASKS     INFER_CUE(21) /* opens a question */
#define CUE_WHO      INFER_CUE(22)
#define CUE_WHEN     INFER_CUE(23)
#define CUE_WHERE    INFER_CUE(24)
#define CUE_HOWMUCH  INFER_CUE(25)
#define CUE_WEEKDAY  INFER_CUE(26)
#define CUE_MONTH    INFER_CUE(27)
#define CUE_DAYPART  INFER_CUE(28)
#define CUE_RELDAY   INFER_CUE(29)
#define CUE_UNIT     INFER_CUE(30)
#define CUE_MONEY    INFER_CUE(31)
#define CUE_EACH     INFER_CUE(32)
#define CUE_CLOCK    INFER_CUE(33) /* h, pm, Uhr */
#define CUE_AT       INFER_CUE(34) /* in front of a bare hour */
#define CUE_DEADLINE INFER_CUE(35)
#define CUE_PREP     INFER_CUE(36) /* goes with the day or time behind it */
#define CUE_NUMBER   INFER_CUE(37) /* two, drei */
#define CUE_ANYBODY  INFER_CUE(38) /* somebody, volunteers */
#define CUE_ABBREV   INFER_CUE(39) /* its full stop ends no sentence */
#define CUE_TITLE    INFER_CUE(40) /* Dr., Frau */
#define CUE_YOU      INFER_CUE(41)
#define CUE_THAT     INFER_CUE(42) /* points at something said before */
#define CUE_ABSENT   INFER_CUE(43)
#define CUE_IT       INFER_CUE(44)
#define CUE_IS       INFER_CUE(45)
#define CUE_ME       INFER_CUE(46)
#define CUE_OPTION   INFER_CUE(47) /* option, plan, variant */
#define CUE_DATEWORD INFER_CUE(48) /* date, time: says that a day follows, not of what */
#define CUE_INSTEAD  INFER_CUE(49) /* in front of the value that no longer holds */
#define CUE_THEN     INFER_CUE(50)
#define CUE_IF       INFER_CUE(51)
#define CUE_ASIDE    INFER_CUE(52) /* opens a clause that can be spared */
#define CUE_WISH     INFER_CUE(53) /* get well, see you */
#define CUE_SUGGEST  INFER_CUE(54) /* what about, shall we */
#define CUE_JOIN     INFER_CUE(55) /* count me in */
#define CUE_SUITS    INFER_CUE(56) /* for me: with a yes, what suits one person */
#define CUE_GROUP    INFER_CUE(57) /* everybody, all of us */
#define CUE_IN       INFER_CUE(58) /* behind a word in -ing it makes that a noun */
#define CUE_SPARE    INFER_CUE(59) /* may be left out anywhere */
#define CUE_HOLD     INFER_CUE(60) /* not a filler together with the next word */
#define CUE_LINK     INFER_CUE(61) /* and */
#define CUE_DEED     INFER_CUE(62) /* third person of what one can promise */
#define CUE_LEANS    INFER_CUE(63) /* in front: what it is about was said before */

enum { INFER_CUE_SLOTS = 4096 };

struct infer_cue_slot {
    uint32_t hash; /* of the folded word; 0 = free */
    uint64_t cues[INFER_LANGUAGE_COUNT];
};

struct infer_cues {
    struct infer_cue_slot *slots;
    uint32_t used;
};

PP_MUST pp_res infer_cues_init(struct infer_cues *c, struct pp_arena *a);
const struct infer_cue_slot *infer_cues_find(const struct infer_cues *c,
                                             uint32_t hash); /* or NULL */

/* The key of two neighbouring words that mean more than each; the lists write "get+well". */
uint32_t infer_pair_hash(uint32_t a, uint32_t b);

/* ---- token.c: words and sentences ----------------------------------------------------------- */

enum infer_token_type {
    INFER_WORD,
    INFER_NUM,    /* starts with a digit: 14:00, 5-7, 92, 4B, 20th */
    INFER_MIXED,  /* holds a digit: TP533, payments-v2 */
    INFER_PUNCT,  /* one character; `hash` is its code point ("..." is U+2026, "->" U+2192) */
    INFER_LINK,   /* web or mail address up to the next space */
    INFER_MARKUP, /* <...>: never shown */
    INFER_EMOJI,  /* a run of pictures: never shown */
};

enum {
    INFER_TOKEN_SPACE = 1,    /* white space stands before it */
    INFER_TOKEN_LINE = 2,     /* a line break stands before it */
    INFER_TOKEN_UPPER = 4,    /* begins with a capital */
    INFER_TOKEN_CAPS = 8,     /* two or more letters, all capitals */
    INFER_TOKEN_DROPPED = 16, /* a value that a later message replaced, and its preposition */
};

struct infer_token {
    uint64_t cues;
    uint64_t pair; /* cues of this word and the next together */
    uint32_t at;   /* byte offset in the message's text */
    uint32_t hash; /* of the folded text; punctuation: the code point */
    uint32_t stem; /* hash of a crude stem; 0 for words without subject and punctuation */
    uint16_t len;  /* bytes */
    uint8_t type;  /* enum infer_token_type */
    uint8_t flags;
};

enum {
    INFER_TOKENS_MAX = 98304, /* over all messages: what is behind it is not looked at */
    INFER_MESSAGE_TOKENS_MAX = 2048,
    INFER_UNITS_MAX = 16384,
    INFER_MESSAGE_UNITS_MAX = 64,
    INFER_UNIT_TOKENS_MAX = 64, /* a longer sentence is cut there */
    INFER_UNIT_STEMS_MAX = 12,  /* subjects that sentences are compared by */
    INFER_VALUES_MAX = 16384,
    INFER_AGREES_MAX = 3, /* people named as agreeing */
    INFER_WINDOW = 8,     /* messages between a question and its answer */
};

/* What a sentence does; one bit each, from value.c, act.c, link.c and replace.c. */
#define INFER_ACT(n) (UINT64_C(1) << (n))
#define ACT_QUESTION INFER_ACT(0)
#define ACT_AGREE    INFER_ACT(1) /* says yes, and nothing else of substance */
#define ACT_REFUSE   INFER_ACT(2) /* says no, and nothing else of substance */
#define ACT_CHATTER  INFER_ACT(3) /* greeting, laughter, thanks */
#define ACT_COMMIT   INFER_ACT(4) /* the speaker takes something on */
#define ACT_REQUEST  INFER_ACT(5) /* somebody is asked to do something */
#define ACT_DONE     INFER_ACT(6)
#define ACT_DECIDE   INFER_ACT(7)
#define ACT_CHANGE   INFER_ACT(8)
#define ACT_WARN     INFER_ACT(9)
#define ACT_NEED     INFER_ACT(10)
#define ACT_DEADLINE INFER_ACT(11)
#define ACT_HEDGE    INFER_ACT(12)
#define ACT_UNSURE   INFER_ACT(13)
#define ACT_PROPOSE  INFER_ACT(14)
#define ACT_FIRST    INFER_ACT(15) /* starts with I */
#define ACT_POINTS   INFER_ACT(16) /* its subject is in something said before */
#define ACT_ABSENT   INFER_ACT(17)
#define ACT_TIME     INFER_ACT(18)
#define ACT_DAY      INFER_ACT(19) /* weekday, date, today */
#define ACT_AMOUNT   INFER_ACT(20)
#define ACT_NAME     INFER_ACT(21)
#define ACT_ANSWERED INFER_ACT(22) /* a question that got an answer */
#define ACT_OPTION   INFER_ACT(23) /* one of several labelled alternatives */
#define ACT_DEAD     INFER_ACT(24) /* replaced, rejected or repeated */
#define ACT_NUMBER   INFER_ACT(25)
#define ACT_CLOSED   INFER_ACT(26) /* a question that agreement settled */
#define ACT_TAIL     INFER_ACT(27) /* a fragment: said with the sentence before it */
#define ACT_VOTE     INFER_ACT(28) /* what suits one person */
#define ACT_CONCLUDE INFER_ACT(29) /* "ok then ...": draws the line under what was said */
#define ACT_ALARM    INFER_ACT(30) /* about a hostile message */
#define ACT_DEED     INFER_ACT(31) /* somebody else does something: "Mr. Dorn brings" */
#define ACT_DOING    INFER_ACT(32) /* "rolling back now" */
#define ACT_PLACE    INFER_ACT(33) /* says where something is */
#define ACT_LISTED   INFER_ACT(34) /* a point of a numbered list */
#define ACT_STALE    INFER_ACT(35) /* a day or time from before the day was moved */
#define ACT_LEANS    INFER_ACT(36) /* "she has the key": who, was said before */

struct infer_unit {
    uint32_t first, count; /* tokens */
    uint32_t message;      /* index */
    uint64_t acts;
    uint32_t stems[INFER_UNIT_STEMS_MAX]; /* its first subjects, each once */
    uint32_t stem_count;
    uint32_t words;   /* as shown, about */
    uint32_t content; /* words with a subject, values not counted */
    uint32_t values;  /* tokens that are part of a value */
    uint32_t answers; /* unit + 1 that this one answers; 0 none */
    uint32_t about;   /* unit + 1 of somebody else that "it" or "yes" points to; 0 none */
    uint32_t context; /* unit + 1 that this one or the question before it completes; 0 none */
    uint32_t tail;    /* unit + 1 of the fragment that completes this one; 0 none */
    uint32_t agree[INFER_AGREES_MAX]; /* messages that agree */
    uint32_t agree_count;
    uint32_t value_first; /* index into the values; those of a sentence stand together */
    uint32_t lost;        /* values that a later message replaced */
    uint32_t same;        /* hash of its words */
    int32_t score;
};

struct infer_talk {        /* one message */
    uint32_t first, count; /* tokens */
    uint32_t unit, units;
    uint32_t thread;       /* messages about the same thing have the same number */
    uint32_t thread_after; /* how many later messages are about it too */
    uint8_t languages;     /* bit per enum infer_language */
    uint8_t hostile;       /* enum infer_hostile: never quoted, never context */
    uint8_t laughs;
};

struct infer_value {
    uint32_t unit;
    uint32_t first, count; /* tokens */
    uint32_t norm;         /* equal values have equal norms */
    uint32_t labels[4];    /* stems that stand beside it; 0 = none */
    uint8_t type;          /* enum infer_value_type */
    uint8_t dead;          /* replaced by a later one */
    uint8_t old;           /* named as what no longer holds: "instead of 17:00" */
};

enum infer_value_type {
    INFER_TIME,
    INFER_DATE,
    INFER_WEEKDAY,
    INFER_RELDAY,
    INFER_AMOUNT,
    INFER_NUMBER,
};

/* Searches in tables keyed by words of messages look at this many places, whatever the words. */
enum { INFER_STEM_SLOTS = 32768, INFER_PROBES_MAX = 16 };

/* The engine's state: everything in the arena, gone with it. */
struct infer_work {
    const struct pp_infer_chat *chat;
    struct pp_arena *arena;
    struct infer_cues cues;
    struct infer_talk *talks; /* one per message */
    struct infer_token *tokens;
    uint32_t token_count;
    struct infer_unit *units;
    uint32_t unit_count, unit_max;
    struct infer_value *values;
    uint32_t value_count, value_max;
    uint32_t *stems;           /* open addressing: stem hashes */
    uint16_t *stem_uses;       /* messages that use the stem */
    struct infer_forms *forms; /* of say.c */
    uint8_t languages;         /* those that matter in this chat */
    uint8_t language;          /* of the templates */
};

/*
 * Reads the token at `*at` of `text`; 0 when nothing is left. `cues` stay 0 (infer_tokenize fills).
 */
int infer_token_next(struct pp_span text, size_t *at, struct infer_token *ret);

/* Tokens, languages, cues, stems and sentences of all messages. NO_MEMORY. */
PP_MUST pp_res infer_tokenize(struct infer_work *w);

/* Shown bytes of a token: its text without invisible characters; a link's host. */
struct pp_span infer_token_text(const struct infer_work *w, const struct infer_unit *u,
                                const struct infer_token *t);
uint32_t infer_stem_uses(const struct infer_work *w, uint32_t stem);

/* The host of a link token's text, or an empty span when it must not be shown. */
struct pp_span infer_link_host(struct pp_span link);

/* ---- value.c: days, times, amounts ---------------------------------------------------------- */

PP_MUST pp_res infer_values_find(struct infer_work *w);

/* ---- hostile.c: what is never quoted -------------------------------------------------------- */

enum infer_hostile {
    INFER_FRIENDLY,
    INFER_INSTRUCTION, /* speaks to the machine, or plays a role */
    INFER_PAYMENT,     /* where and how to pay: accounts, cards, wallets, vouchers, links */
    INFER_TAINTED,     /* by the writer of such messages */
};

/* One text, whole: a message or an item. */
enum infer_hostile infer_hostile_text(struct pp_span text);

/* Judges every message, then what else their writers wrote. */
PP_MUST pp_res infer_hostile_find(struct infer_work *w);

/* ---- act.c, link.c -------------------------------------------------------------------------- */

/* The first token behind greetings and fillers: where a quote of the sentence begins. */
uint32_t infer_unit_head(const struct infer_work *w, const struct infer_unit *u);
int infer_is_gerund(const struct infer_work *w, const struct infer_unit *u,
                    const struct infer_token *t);
void infer_acts_find(struct infer_work *w);
int infer_shares_rare_stem(const struct infer_work *w, const struct infer_unit *a,
                           const struct infer_unit *b);
int infer_shares_stem(const struct infer_unit *a, const struct infer_unit *b);
PP_MUST pp_res infer_links_find(struct infer_work *w);

/* ---- replace.c ------------------------------------------------------------------------------ */

/* Takes out what later messages replaced, confirmed or repeated. NO_MEMORY. */
PP_MUST pp_res infer_replace(struct infer_work *w);

/* ---- fact.c, pick.c: what to say ------------------------------------------------------------ */

enum { INFER_FACT_UNITS_MAX = 5, INFER_FACTS_MAX = 512 };

struct infer_fact {
    uint32_t units[INFER_FACT_UNITS_MAX]; /* in the order in which they are said */
    uint32_t unit_count;
    uint32_t main; /* the unit that the fact is about; the others say what it needs */
    uint32_t kind; /* enum pp_infer_kind */
    int32_t score;
    int agreed;  /* say that others agreed */
    int opening; /* what the conversation begins with */
};

struct infer_facts {
    struct infer_fact *at; /* best first; at most INFER_FACTS_MAX */
    uint32_t count;
};

PP_MUST pp_res infer_facts_find(struct infer_work *w, struct infer_facts *ret);
PP_MUST pp_res infer_pick(struct infer_work *w, struct infer_facts *facts,
                          struct pp_infer_items *ret);

/* ---- say.c: sentences ----------------------------------------------------------------------- */

enum infer_form {
    INFER_OTHER_FORM,
    INFER_QUOTE_FORM, /* "<mark>: first match 9:30." */
    INFER_DEED_FORM,  /* "<mark> will bring the grill." */
};

struct infer_said {
    uint8_t text[PP_INFER_ITEM_BYTES_MAX];
    size_t len;
    size_t words;
    uint64_t ids[PP_INFER_ITEM_IDS_MAX];
    size_t id_count;
    uint32_t form;    /* enum infer_form */
    uint32_t speaker; /* whose sentence it is, unless the form is INFER_OTHER_FORM */
    size_t body;      /* where the sentence goes on after the speaker's mark */
};

/* Prepares the verb forms of the templates. NO_MEMORY. */
PP_MUST pp_res infer_say_init(struct infer_work *w);

/* The sentence for a fact; `ret->len` is 0 when nothing sayable is left of it. */
void infer_say(const struct infer_work *w, const struct infer_fact *f, struct infer_said *ret);

/* Words that templates may add: 1 if `hash` is one. For the guard. */
int infer_template_word(uint32_t hash);

/* ---- engines -------------------------------------------------------------------------------- */

extern const struct pp_infer_engine infer_engine_embedded;

#endif
