/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile.c: what is never quoted: text that gives orders to the machine or plays a role in its
 * conversation, and text that says where and how to pay.
 *
 * Words are put into classes; a rule is "this class within so many words after that one". The rules
 * prefer to lose a sentence over letting one through. Warnings about such messages are not hit as
 * long as they do not repeat the orders or the account.
 */
#include "infer_int.h"
#include "text.h"

enum class {
    IGNORE,  /* ignore, disregard */
    BEFORE,  /* previous, above, all */
    RULES,   /* instructions, prompt */
    TALK,    /* messages, chat */
    MACHINE, /* AI, assistant */
    ADDRESS, /* dear, attention, note */
    CALLED,  /* a machine that was spoken to; no words of its own */
    SUMMARY, /* the noun */
    SUM_UP,  /* the verb */
    TELL,    /* write, say, include */
    MUST,
    NEGATION,
    WHEN,
    FIRST_PERSON,
    ARTICLE,
    YOU_ARE,
    NOW,
    MODE, /* admin, developer, jailbreak */
    MODE_NOUN,
    SYSTEM,
    SYSTEM_NOUN,
    ROLE,
    FRESH,
    PAY, /* pay, send, transfer */
    ACCOUNT,
    COIN,
    PRESS,  /* urgent, click, verify, claim */
    SECRET, /* password, card number */
    GIFT,
    CARD,
    CODE,
    REMIT, /* Western Union */
    PHONE,
    LOST,
    LANGUAGE, /* of "language model" */
    MODEL,
    TASK,
    WESTERN, /* of "Western Union" */
    UNION,
    CLASS_COUNT,
};

#define BIT(class) (UINT64_C(1) << (class))

static const struct {
    enum class class;
    const char *words;
} LISTS[] = {
    { IGNORE,
      "ignore ignores ignoring disregard forget aside override bypass discard neglect ignoriere "
      "ignoriert ignorieren vergiss vergesst missachte ignorez oublie oubliez ignora ignorad "
      "ignoren olvida olvidad olvide desestima" },
    { BEFORE,
      "previous prior above earlier preceding all any your former foregoing vorherige vorherigen "
      "vorige vorigen bisherige bisherigen obigen alle deine précédentes précédents précédente "
      "antérieures toutes tes vos anteriores previas todas tus before" },
    { RULES,
      "instruction instructions prompt prompts rule rules directive directives guideline "
      "guidelines command commands constraints programming anweisung anweisungen regeln befehle "
      "vorgaben consigne consignes règles instrucciones instrucción reglas órdenes indicaciones" },
    { TALK,
      "told message messages chat conversation context text nachrichten mensajes messagerie" },
    { MACHINE,
      "ai assistant assistants chatbot llm gpt chatgpt summarizer summariser ki ia asistente "
      "assistent" },
    { ADDRESS,
      "dear hey hello hi attention note notice important memo reminder achtung hinweis liebe "
      "hallo remarque cher bonjour atención nota querido querida hola" },
    { SUMMARY, "summary summaries zusammenfassung résumé resumen" },
    { SUM_UP, "summarise summarize summarising summarizing summarised summarized zusammenfassen "
              "zusammenfasst résumer résumez resumir resume resumas" },
    { TELL,
      "write say state include mention output respond reply answer print add tell report claim "
      "repeat announce insert put schreibe schreib schreiben sage sag erwähne antworte nenne "
      "écris écrivez dis dites réponds répondez ajoute mentionne escribe escribid di decid "
      "responde añade menciona" },
    { MUST, "must should shall needs has muss soll doit devez debe debes" },
    { NEGATION, "not don't dont never no nobody nicht niemals ne pas nunca nie jamais nadie" },
    { WHEN, "when if before while once wenn quand si cuando al" },
    { FIRST_PERSON, "i i'll i'm i've i'd we we'll ich wir je nous yo" },
    { ARTICLE, "the a an our my short this your die eine der le la un une el una los of" },
    { YOU_ARE, "you're are act pretend behave roleplay bist es eres" },
    { NOW, "now as to jetzt maintenant ahora" },
    { MODE, "admin administrator developer jailbreak jailbroken dan unrestricted" },
    { MODE_NOUN, "mode modus" },
    { SYSTEM, "system sys systemnachricht" },
    { SYSTEM_NOUN,
      "prompt message override instruction instructions notice command administrator nachricht "
      "meldung mensaje" },
    { ROLE, "system assistant user human ai developer instruction instructions prompt" },
    { FRESH, "new updated real actual following hidden secret important" },
    { PAY,
      "pay payment payments send sent transfer wire deposit fee fees money cash invoice settle "
      "zahle zahlen zahlung bezahlen überweise überweisen überweisung geld gebühr payer paiement "
      "payez virement verse argent frais paga pagar pago pagad envía transfiere transferencia "
      "dinero" },
    { ACCOUNT, "iban bic swift account accounts konto kontonummer compte cuenta routing" },
    { COIN, "bitcoin btc ethereum eth usdt crypto wallet monero xmr dogecoin tether" },
    { PRESS,
      "urgent urgently immediately click verify claim prize winner won unlock customs parcel "
      "login suspended expire expires blocked confirm dringend sofort klicken klicke gewonnen "
      "zoll paket urgente premio aduana clic gagné douane colis cliquez whatsapp call text "
      "investment profit guaranteed bank paypal venmo revolut zelle bizum twint" },
    { SECRET, "password passwort cvv cvc otp passcode contraseña credentials" },
    { GIFT, "gift itunes steam guthabenkarte geschenkkarten" },
    { CARD, "card cards karte karten carte tarjeta kreditkarte kartennummer" },
    { CODE, "code codes number numbers nummer numéro número pin scratch photo picture enter phrase "
            "details" },
    { REMIT, "moneygram paysafecard westernunion" },
    { WESTERN, "western" },
    { UNION, "union" },
    { LANGUAGE, "language sprachmodell langage lenguaje" },
    { MODEL, "model models modèle modelo" },
    { TASK, "task role goal objective mission persona aufgabe tâche tarea" },
    { PHONE, "number nummer phone handy numéro téléphone número móvil" },
    { LOST, "lost broken new neue neues nouveau nuevo verloren perdu perdí roto" },
};

enum { SLOTS = 1024 };

struct classes {
    uint32_t hash[SLOTS];
    uint64_t bits[SLOTS];
};

static uint32_t slot_of(const struct classes *c, uint32_t hash)
{
    uint32_t at = hash % SLOTS;

    while (c->hash[at] != 0 && c->hash[at] != hash)
        at = (at + 1) % SLOTS;
    return at;
}

static void classes_init(struct classes *c)
{
    uint32_t used = 0;

    *c = (struct classes){ 0 };
    for (size_t i = 0; i < PP_ARRAY_COUNT(LISTS); i++) {
        struct pp_span rest = pp_span_cstr(LISTS[i].words);
        struct pp_span word;
        int more;
        do {
            more = pp_text_cut(&rest, ' ', &word);
            uint32_t hash = infer_hash_text(word);
            uint32_t at = slot_of(c, hash);
            used += c->hash[at] == 0;
            PP_ASSERT(used < SLOTS / 4 * 3);
            c->hash[at] = hash;
            c->bits[at] |= BIT(LISTS[i].class);
        } while (more);
    }
}

/* What was seen so far in one text, by word position. */
struct watch {
    struct pp_span text;
    int32_t at[CLASS_COUNT]; /* position of the last word of the class */
    int32_t now;             /* position of this word */
    uint32_t digits;         /* in this run of number groups */
    uint32_t groups;
    int spaced_amount; /* the run can be one large amount: 1 200 000 */
    int address;       /* account, card, wallet or phone number seen */
    int link;
    int order; /* speaks to the machine */
    int demand;
};

static int within(const struct watch *w, enum class c, int32_t words)
{
    return w->at[c] >= 0 && w->now - w->at[c] <= words;
}

static int seen(const struct watch *w, enum class c)
{
    return w->at[c] >= 0;
}

/* 1 if an order that begins with `verb` is turned into its opposite: "don't forget the rules". */
static int negated(const struct watch *w, enum class verb)
{
    return w->at[NEGATION] >= 0 && w->at[verb] > w->at[NEGATION] &&
           w->at[verb] - w->at[NEGATION] <= 2;
}

static void rules_for_orders(struct watch *w, uint64_t bits)
{
    if ((bits & BIT(RULES)) && within(w, IGNORE, 6) && !negated(w, IGNORE))
        w->order = 1;
    if ((bits & (BIT(TALK) | BIT(BEFORE))) && within(w, IGNORE, 6) && within(w, TALK, 5) &&
        within(w, BEFORE, 5) && !negated(w, IGNORE) && !within(w, FIRST_PERSON, 4))
        w->order = 1;
    if ((bits & BIT(MODEL)) && within(w, LANGUAGE, 1))
        w->at[MACHINE] = w->now;
    if (w->at[MACHINE] == w->now && within(w, ADDRESS, 5))
        w->at[CALLED] = w->now;
    if ((bits & BIT(TASK)) && within(w, FRESH, 1) && within(w, BEFORE, 3))
        w->order = 1;
    if ((bits & (BIT(TELL) | BIT(SUM_UP) | BIT(IGNORE) | BIT(SUMMARY) | BIT(MUST))) &&
        within(w, CALLED, 14))
        w->order = 1;
    /* "in the summary say", "the summary must state"; but not "I'll write the summary". */
    if ((bits & BIT(TELL)) && within(w, SUMMARY, 5) && !within(w, FIRST_PERSON, 8))
        w->order = 1;
    if ((bits & BIT(SUMMARY)) && within(w, TELL, 8) && !within(w, TELL, 1) &&
        !(within(w, ARTICLE, 1) && within(w, TELL, 3)) && !within(w, FIRST_PERSON, 10))
        w->order = 1;
    if ((bits & BIT(SUM_UP)) && (within(w, NEGATION, 3) || within(w, WHEN, 4)))
        w->order = 1;
    if ((bits & BIT(TELL)) && within(w, SUM_UP, 10) && !within(w, FIRST_PERSON, 12))
        w->order = 1;
    if ((bits & (BIT(MODE) | BIT(MACHINE))) && within(w, YOU_ARE, 6) && within(w, NOW, 5))
        w->order = 1;
    if ((bits & BIT(MODE_NOUN)) && within(w, MODE, 1))
        w->order = 1;
    if ((bits & BIT(SYSTEM_NOUN)) && within(w, SYSTEM, 1))
        w->order = 1;
}

static void rules_for_demands(struct watch *w, uint64_t bits)
{
    if ((bits & (BIT(CODE) | BIT(PAY))) && within(w, GIFT, 10) && within(w, CARD, 9) &&
        !negated(w, PAY))
        w->demand = 1;
    if ((bits & BIT(CARD)) && within(w, GIFT, 1) && !negated(w, PAY) &&
        (within(w, PRESS, 14) || within(w, PAY, 3)))
        w->demand = 1;
    if ((bits & BIT(CODE)) && within(w, CARD, 1))
        w->demand = 1;
    if ((bits & BIT(SECRET)) && (within(w, PAY, 8) || within(w, TELL, 8) || within(w, PRESS, 8)))
        w->demand = 1;
    if ((bits & BIT(REMIT)) || ((bits & BIT(UNION)) && within(w, WESTERN, 1)))
        w->demand = 1;
    if ((bits & BIT(COIN)) && within(w, PAY, 8) && !negated(w, PAY))
        w->demand = 1;
    if ((bits & BIT(PAY)) && within(w, PHONE, 24) && within(w, LOST, 28) &&
        within(w, FIRST_PERSON, 40) && w->groups > 0)
        w->demand = 1;
}

/* A number that is an account, a card or a phone rather than a count, a date or an amount. */
static void rules_for_numbers(struct watch *w)
{
    if (w->digits >= 7 && !(w->spaced_amount && w->digits <= 9))
        w->address = 1;
}

static void watch_number(struct watch *w, const struct infer_token *t, int joined)
{
    struct pp_span text = pp_span(w->text.at + t->at, t->len);
    uint32_t digits = 0;
    uint32_t letters = 0;
    uint32_t dashes = 0;
    uint32_t colons = 0;
    uint32_t changes = 0; /* from letters to digits or back */
    int zero = 0;
    int was_digit = -1;

    for (size_t at = 0; at < text.len;) {
        uint32_t c = infer_char_fold(pp_utf8_next(text, &at));
        int digit = c >= '0' && c <= '9';
        int letter = c >= 'a' && c <= 'z';
        zero |= c == '0' && digits == 0;
        changes += (digit || letter) && was_digit >= 0 && was_digit != digit;
        was_digit = digit || letter ? digit : was_digit;
        digits += (uint32_t)digit;
        letters += (uint32_t)letter;
        dashes += c == '-';
        colons += c == ':';
    }
    if (!joined) {
        w->digits = 0;
        w->groups = 0;
        w->spaced_amount = !zero && digits <= 3;
    } else {
        w->spaced_amount &= digits == 3;
    }
    /* A date of eight digits and a span of two times are no account. */
    if (colons > 0 || (digits == 8 && dashes == 2 && !joined)) {
        w->digits = 0;
        return;
    }
    w->digits += digits;
    w->groups++;
    /* Wallets and account numbers in one piece: long, with letters and digits in no order. */
    if (digits >= 3 && letters >= 2 && digits + letters >= 12 && changes >= 2)
        w->address = 1;
    rules_for_numbers(w);
}

/* DE12 3456 ..., XX00 1234: two capitals and two digits, then groups. */
static int is_iban_head(const struct watch *w, const struct infer_token *t)
{
    const uint8_t *s = w->text.at + t->at;

    return t->type == INFER_MIXED && t->len >= 4 && (s[0] | 0x20) >= 'a' && (s[0] | 0x20) <= 'z' &&
           (s[1] | 0x20) >= 'a' && (s[1] | 0x20) <= 'z' && s[2] >= '0' && s[2] <= '9' &&
           s[3] >= '0' && s[3] <= '9' && (t->len == 4 || t->len >= 12);
}

/* <system>, </messages>, <|im_start|>: tags that play a part in the machine's own format. */
static int is_role_tag(const struct classes *c, struct pp_span tag)
{
    size_t at = 0;
    struct infer_token t;

    for (size_t i = 0; i < tag.len; i++)
        if (tag.at[i] == '|')
            return 1;
    tag = pp_span(tag.at + 1, tag.len - 2);
    while (infer_token_next(tag, &at, &t)) {
        uint32_t slot = slot_of(c, t.hash);
        if (t.type == INFER_WORD && c->hash[slot] == t.hash &&
            (c->bits[slot] & (BIT(ROLE) | BIT(SYSTEM) | BIT(TALK) | BIT(RULES))) != 0)
            return 1;
    }
    return 0;
}

struct reading {
    const struct classes *classes;
    struct watch watch;
    uint64_t previous; /* class bits of the word before */
    int line_start;    /* that word began a line */
    int head;          /* the token before was the head of an account number */
};

static void read_word(struct reading *r, const struct infer_token *t)
{
    struct watch *w = &r->watch;
    uint32_t slot = slot_of(r->classes, t->hash);
    uint64_t bits = r->classes->hash[slot] == t->hash ? r->classes->bits[slot] : 0;

    w->now++;
    for (int c = 0; c < CLASS_COUNT; c++)
        if ((bits >> c & 1))
            w->at[c] = w->now;
    rules_for_orders(w, bits);
    rules_for_demands(w, bits);
    r->line_start = w->now == 0 || (t->flags & INFER_TOKEN_LINE) != 0;
    r->previous = bits;
}

static void read_sign(struct reading *r, const struct infer_token *t)
{
    /* "SYSTEM:", "assistant:", "[system]", "### Instruction:", "new instructions:" */
    if (t->hash == ':' && (r->previous & BIT(ROLE)) && r->line_start)
        r->watch.order = 1;
    if (t->hash == ':' && (r->previous & BIT(RULES)) && within(&r->watch, FRESH, 1))
        r->watch.order = 1;
    /* "Note for the language model: ..." */
    if (t->hash == ':' && within(&r->watch, CALLED, 1))
        r->watch.order = 1;
    if ((t->hash == ':' || t->hash == ',') && within(&r->watch, MACHINE, 1))
        r->watch.at[CALLED] = r->watch.now;
    if (t->hash == ']' && (r->previous & (BIT(ROLE) | BIT(SYSTEM))))
        r->watch.order = 1;
}

static enum infer_hostile judge(const struct classes *c, struct pp_span text)
{
    struct reading r = { .classes = c, .watch = { .text = text, .now = -1 } };
    struct watch *w = &r.watch;
    struct infer_token t;
    size_t at = 0;
    size_t numbers_end = 0;

    for (int k = 0; k < CLASS_COUNT; k++)
        w->at[k] = -1;
    while (infer_token_next(text, &at, &t)) {
        int joined = numbers_end != 0 && t.at - numbers_end <= 2;
        if (t.type == INFER_MARKUP && is_role_tag(c, pp_span(text.at + t.at, t.len)))
            w->order = 1;
        if (t.type == INFER_LINK)
            w->link = 1;
        if (t.type == INFER_NUM || t.type == INFER_MIXED) {
            w->address |= r.head && t.type == INFER_NUM && t.len >= 3;
            r.head = is_iban_head(w, &t);
            w->address |= r.head && t.len >= 12;
            watch_number(w, &t, joined);
            numbers_end = at;
        }
        if (t.type == INFER_PUNCT)
            read_sign(&r, &t);
        else if (t.type == INFER_WORD || t.type == INFER_NUM || t.type == INFER_MIXED)
            read_word(&r, &t);
    }
    if (w->order)
        return INFER_INSTRUCTION;
    if (w->demand || w->address)
        return INFER_PAYMENT;
    if (w->link && (seen(w, PAY) || seen(w, PRESS) || seen(w, SECRET) || seen(w, COIN)))
        return INFER_PAYMENT;
    if (seen(w, ACCOUNT) && w->digits >= 6)
        return INFER_PAYMENT;
    return INFER_FRIENDLY;
}

enum infer_hostile infer_hostile_text(struct pp_span text)
{
    struct classes c;

    classes_init(&c);
    return judge(&c, text);
}

/*
 * Who writes such messages and little else is not quoted at all; who does it once, as a joke or a
 * test, is not quoted in the message right behind it, where the rest of the text may stand.
 */
static void taint_writers(struct infer_work *w, const uint16_t *all, const uint16_t *bad)
{
    for (uint32_t m = 0; m < w->chat->message_count; m++) {
        uint32_t sender = w->chat->messages[m].sender;
        if (w->talks[m].hostile != INFER_FRIENDLY || bad[sender] == 0)
            continue;
        if (bad[sender] * 3 >= all[sender])
            w->talks[m].hostile = INFER_TAINTED;
        else if (m > 0 && w->chat->messages[m - 1].sender == sender &&
                 (w->talks[m - 1].hostile == INFER_INSTRUCTION ||
                  w->talks[m - 1].hostile == INFER_PAYMENT))
            w->talks[m].hostile = INFER_TAINTED;
    }
}

pp_res infer_hostile_find(struct infer_work *w)
{
    size_t count = w->chat->message_count;
    uint16_t *all = pp_arena_array(w->arena, count, sizeof *all);
    uint16_t *bad = pp_arena_array(w->arena, count, sizeof *bad);
    struct classes c;

    PP_CHECK(all != NULL && bad != NULL, PP_E_NO_MEMORY, count);
    classes_init(&c);
    for (uint32_t m = 0; m < count; m++) {
        const struct pp_infer_message *message = &w->chat->messages[m];
        struct pp_span read = message->text;
        const struct infer_talk *talk = &w->talks[m];
        /* What no sentence can come from need not be judged; it keeps long messages cheap. */
        if (talk->count > 0) {
            const struct infer_token *last = &w->tokens[talk->first + talk->count - 1];
            read.len = last->at + last->len;
        }
        w->talks[m].hostile = (uint8_t)judge(&c, read);
        all[message->sender]++;
        bad[message->sender] = (uint16_t)(bad[message->sender] +
                                          (w->talks[m].hostile != INFER_FRIENDLY));
    }
    taint_writers(w, all, bad);
    return PP_OK;
}
