/* SPDX-License-Identifier: Apache-2.0 */
/* value.c: days, times and amounts, as people write them in four languages. */
#include "infer_int.h"
#include "text.h"

enum { GROUPS_MAX = 4 };

/* A number's text taken apart: "14-16h" is groups 14, 16, sign '-', suffix h. */
struct number {
    uint32_t group[GROUPS_MAX];
    uint32_t digits[GROUPS_MAX]; /* of each group */
    uint32_t count;
    uint32_t sign;   /* first sign between groups; 0 = none */
    uint32_t suffix; /* hash of the letters behind; 0 = none */
};

static struct number take_apart(struct pp_span text)
{
    struct number n = { 0 };
    uint32_t suffix = INFER_HASH_START;
    int in_group = 0;

    for (size_t at = 0; at < text.len;) {
        uint32_t c = infer_char_fold(pp_utf8_next(text, &at));
        if (c >= '0' && c <= '9') {
            if (!in_group && n.count == GROUPS_MAX)
                return (struct number){ 0 };
            n.count += !in_group;
            uint32_t *g = &n.group[n.count - 1];
            *g = *g < 100000000 ? *g * 10 + (c - '0') : *g;
            n.digits[n.count - 1]++;
            in_group = 1;
            continue;
        }
        if (c >= 'a' && c <= 'z') {
            suffix = infer_hash_step(suffix, c);
            n.suffix = suffix;
        } else if (n.sign == 0 && in_group) {
            n.sign = c;
        }
        in_group = 0;
    }
    return n;
}

static uint32_t hash_of(const char *word)
{
    return infer_hash_text(pp_span_cstr(word));
}

struct reader {
    struct infer_work *w;
    const struct infer_unit *u;
    uint32_t unit;
};

/* The token `by` places from `i` if it is in the sentence, else one without any property. */
static const struct infer_token *near(const struct reader *r, uint32_t i, int by)
{
    static const struct infer_token NONE = { .type = INFER_EMOJI };
    int64_t at = (int64_t)i + by;

    if (at < r->u->first || at >= (int64_t)r->u->first + r->u->count)
        return &NONE;
    return &r->w->tokens[at];
}

static int is_sign(const struct infer_token *t, uint32_t c)
{
    return t->type == INFER_PUNCT && t->hash == c;
}

static int is_currency(const struct infer_token *t)
{
    return t->type == INFER_PUNCT && (t->hash == '$' || t->hash == 0xA3 || t->hash == 0xA5 ||
                                      (t->hash >= 0x20A0 && t->hash <= 0x20CF));
}

static struct number number_at(const struct reader *r, const struct infer_token *t)
{
    return take_apart(infer_token_text(r->w, r->u, t));
}

static void add_value(struct reader *r, uint32_t first, uint32_t count, enum infer_value_type type,
                      uint32_t norm)
{
    struct infer_work *w = r->w;

    if (w->value_count == w->value_max)
        return;
    w->values[w->value_count++] = (struct infer_value){
        .unit = r->unit, .first = first, .count = count, .type = (uint8_t)type, .norm = norm
    };
    for (uint32_t i = first; i < first + count; i++)
        w->tokens[i].stem = 0;
}

static int is_clock_suffix(uint32_t suffix)
{
    return suffix != 0 && (suffix == hash_of("h") || suffix == hash_of("uhr"));
}

static uint32_t clock_minutes(const struct number *n, uint32_t suffix)
{
    uint32_t minutes = n->sign == ':' || n->sign == '.' || is_clock_suffix(n->suffix)
                           ? n->group[0] * 60 + (n->count > 1 ? n->group[1] : 0)
                           : n->group[0] * 60 + (n->count > 1 ? n->group[1] * 100000 : 0);

    return suffix == hash_of("pm") && n->group[0] < 12 ? minutes + 720 : minutes;
}

/* "14:00", "14h30", "6 pm", "18 Uhr", "11-13h"; "at 8" when nothing else claims the number. */
static uint32_t read_time(struct reader *r, uint32_t i, const struct number *n)
{
    const struct infer_token *after = near(r, i, 1);
    const struct infer_token *before = near(r, i, -1);
    int half_day = n->suffix == hash_of("am") || n->suffix == hash_of("pm");
    int clock_behind = (after->cues & CUE_CLOCK) != 0 && (after->flags & INFER_TOKEN_SPACE) != 0;

    if (n->count == 4 && n->sign == ':' && n->group[0] <= 24 &&
        n->group[2] <= 24) { /* 13:57-14:25 */
        add_value(r, i, 1, INFER_TIME,
                  n->group[0] * 60 + n->group[1] + (n->group[2] * 60 + n->group[3]) * 10000);
        return 1;
    }
    if (n->count == 0 || n->count > 2 || n->group[0] > 24 || (n->count == 2 && n->group[1] > 59))
        return 0;
    if ((n->count == 2 && n->sign == ':' && n->digits[1] == 2) || is_clock_suffix(n->suffix) ||
        half_day) {
        add_value(r, i, 1, INFER_TIME, clock_minutes(n, n->suffix));
        return 1;
    }
    if (clock_behind && n->suffix == 0) {
        add_value(r, i, 2, INFER_TIME, clock_minutes(n, after->hash));
        return 2;
    }
    if (n->count != 1 || n->suffix != 0 || (before->cues & CUE_AT) == 0 || n->group[0] == 0)
        return 0;
    /* Without a clock word: at the end of a clause, or before a day. */
    if (after->type == INFER_WORD &&
        (after->cues & (CUE_WEEKDAY | CUE_DAYPART | CUE_RELDAY | CUE_STOP)) == 0)
        return 0;
    if (after->type == INFER_NUM || is_currency(after) ||
        (after->cues & (CUE_UNIT | CUE_MONEY | CUE_MONTH)))
        return 0;
    add_value(r, i, 1, INFER_TIME, n->group[0] * 60);
    return 1;
}

static uint32_t day_norm(const struct number *n, uint32_t month)
{
    uint32_t last = n->count > 1 && n->sign == '-' ? n->group[1] : 0;

    return n->group[0] | last << 8 | month << 16;
}

static int is_ordinal_suffix(uint32_t suffix)
{
    static const char *const ENDINGS[] = { "th", "st", "nd", "rd", "er", "ter", "te" };

    for (size_t k = 0; k < PP_ARRAY_COUNT(ENDINGS); k++)
        if (suffix == hash_of(ENDINGS[k]))
            return 1;
    return 0;
}

/* Months by their first three folded letters, which suffices to see that two differ. */
static uint32_t month_norm(const struct reader *r, const struct infer_token *t)
{
    struct pp_span text = infer_token_text(r->w, r->u, t);
    uint32_t hash = INFER_HASH_START;
    size_t at = 0;

    for (int k = 0; k < 3 && at < text.len; k++)
        hash = infer_hash_step(hash, infer_char_fold(pp_utf8_next(text, &at)));
    return hash & 0x7FFF;
}

/* "18 Sept", "27. Juni", "17 de mayo", "5-7 October", "May 14", "the 20th", "Sunday 21", "12/5". */
static uint32_t read_date(struct reader *r, uint32_t i, const struct number *n)
{
    uint32_t behind = 1;

    if (n->count == 0 || n->group[0] == 0 || n->group[0] > 31)
        return 0;
    if (n->count == 2 && (n->sign != '-' || n->group[1] > 31)) {
        if (n->sign == '/' && n->group[1] <= 12) {
            add_value(r, i, 1, INFER_DATE, day_norm(n, n->group[1]));
            return 1;
        }
        return 0;
    }
    if (n->count > 2 || (n->suffix != 0 && !is_ordinal_suffix(n->suffix)))
        return 0;
    const struct infer_token *next = near(r, i, 1);
    if (is_sign(next, '.') || (next->cues & (CUE_STOP | CUE_MONTH)) == CUE_STOP)
        behind = 2; /* "27. Juni", "17 de mayo"; but "18 May" */
    const struct infer_token *month = near(r, i, (int)behind);
    if ((month->cues & CUE_MONTH) != 0) {
        add_value(r, i, behind + 1, INFER_DATE, day_norm(n, month_norm(r, month)));
        return behind + 1;
    }
    const struct infer_token *before = near(r, i, -1);
    if ((before->cues & CUE_MONTH) != 0 && (near(r, i, 1)->cues & CUE_CLOCK) == 0) {
        add_value(r, i, 1, INFER_DATE, day_norm(n, month_norm(r, before)));
        return 1;
    }
    if (n->suffix != 0 || (before->cues & CUE_WEEKDAY) != 0) {
        add_value(r, i, 1, INFER_DATE, day_norm(n, 0));
        return 1;
    }
    return 0;
}

/* Digits without their grouping: 12'500, 12.500 and 12 500 are one amount. */
static uint32_t amount_norm(const struct number *n)
{
    uint32_t norm = n->group[0];

    for (uint32_t k = 1; k < n->count; k++)
        norm = n->digits[k] == 3 && n->sign != ':' ? norm * 1000 + n->group[k]
                                                   : norm * 31 + n->group[k] + 7;
    return norm;
}

static uint32_t read_amount(struct reader *r, uint32_t i, const struct number *n)
{
    uint32_t count = 1;
    uint32_t norm = amount_norm(n);
    const struct infer_token *after = near(r, i, 1);

    if (after->type == INFER_NUM && after->len == 3 && n->count == 1 && n->digits[0] <= 3) {
        struct number tail = number_at(r, after);
        if (tail.count == 1 && tail.digits[0] == 3 && tail.suffix == 0) {
            norm = norm * 1000 + tail.group[0];
            count = 2;
            after = near(r, i, 2);
        }
    }
    int money = is_currency(after) || is_currency(near(r, i, -1)) ||
                (after->cues & (CUE_MONEY | CUE_EACH)) != 0;
    if (is_currency(after) || (after->cues & CUE_MONEY) != 0)
        count++;
    uint32_t hash = r->w->tokens[i].hash;
    add_value(r, i, count, money ? INFER_AMOUNT : INFER_NUMBER, norm);
    /* A version number names something: it can be what several messages are about. */
    if (!money && n->count > 1 && n->sign == '.' && n->digits[n->count - 1] != 3)
        r->w->tokens[i].stem = hash;
    return count;
}

static uint32_t read_number(struct reader *r, uint32_t i)
{
    struct number n = number_at(r, &r->w->tokens[i]);
    uint32_t used = read_time(r, i, &n);

    if (used == 0)
        used = read_date(r, i, &n);
    return used == 0 ? read_amount(r, i, &n) : used;
}

/* "sat" and "sun" are days only when written like one. */
static int is_short_weekend(const struct reader *r, uint32_t i)
{
    const struct infer_token *t = &r->w->tokens[i];

    return (t->flags & INFER_TOKEN_UPPER) != 0 && t->len == 3 &&
           (t->hash == hash_of("sat") || t->hash == hash_of("sun")) &&
           near(r, i, 1)->type != INFER_WORD;
}

static void find_in_unit(struct reader *r)
{
    struct infer_work *w = r->w;
    uint32_t end = r->u->first + r->u->count;

    for (uint32_t i = r->u->first; i < end;) {
        struct infer_token *t = &w->tokens[i];
        uint32_t used = 1;
        if (t->type == INFER_NUM && is_sign(near(r, i, -1), '+') && t->len == 1) {
            t->cues |= CUE_AGREE | CUE_STOP; /* +1 */
        } else if (t->type == INFER_NUM) {
            used = read_number(r, i);
        } else if ((t->cues & CUE_WEEKDAY) != 0 || is_short_weekend(r, i)) {
            t->cues |= CUE_WEEKDAY;
            add_value(r, i, 1, INFER_WEEKDAY, month_norm(r, t));
        } else if ((t->cues & CUE_RELDAY) != 0) {
            add_value(r, i, 1, INFER_RELDAY, t->hash);
        } else if ((t->cues & CUE_MONTH) != 0 &&
                   (t->len > 3 || (t->flags & INFER_TOKEN_UPPER) != 0) &&
                   (near(r, i, -1)->cues & CUE_PREP) != 0) {
            add_value(r, i, 1, INFER_DATE, month_norm(r, t) << 16);
        } else if ((t->cues & CUE_DAYPART) != 0) {
            t->stem = 0;
        }
        i += used;
    }
}

/* "14 to 18 May": the first number is a day like the second; likewise times. */
static void join_ranges(struct infer_work *w)
{
    uint32_t kept = 0;

    for (uint32_t k = 0; k < w->value_count; k++) {
        const struct infer_value *v = &w->values[k];
        struct infer_value *a = kept == 0 ? NULL : &w->values[kept - 1];
        /* "between 8 and 12" */
        if (a != NULL && a->unit == v->unit && a->type == INFER_TIME && v->type == INFER_NUMBER &&
            v->norm <= 24 && v->first == a->first + a->count + 1 &&
            (w->tokens[v->first - 1].cues & CUE_STOP) != 0) {
            a->count = v->first + v->count - a->first;
            a->norm += v->norm * 100000;
            continue;
        }
        w->values[kept++] = *v;
    }
    w->value_count = kept;
    for (uint32_t k = 0; k + 1 < w->value_count; k++) {
        struct infer_value *a = &w->values[k];
        const struct infer_value *b = a + 1;
        if (a->unit != b->unit || a->type != INFER_NUMBER || b->first - a->first > 2)
            continue;
        if (b->type != INFER_DATE && b->type != INFER_TIME)
            continue;
        if (a->norm <= (b->type == INFER_DATE ? 31U : 24U)) {
            a->type = b->type;
            a->norm = b->type == INFER_DATE ? a->norm | (b->norm & 0x7FFF0000U) : a->norm * 60;
        }
    }
}

static int ends_clause(const struct infer_token *t)
{
    return t->type == INFER_PUNCT && (t->hash == ',' || t->hash == ';' || t->hash == '(' ||
                                      t->hash == ')' || t->hash == 0x2013 || t->hash == 0x2014);
}

static int is_label(const struct infer_token *t)
{
    return t->stem != 0 && t->type == INFER_WORD &&
           (t->cues & (CUE_CHANGE | CUE_DECIDE | CUE_DATEWORD | CUE_AGREE)) == 0;
}

/* The nearest words with a subject in the value's clause: first those before it, then behind. */
static void find_labels(struct infer_work *w, struct infer_value *v)
{
    const struct infer_unit *u = &w->units[v->unit];
    uint32_t n = 0;

    for (uint32_t i = v->first; i > u->first && n < 3; i--) {
        const struct infer_token *t = &w->tokens[i - 1];
        if (ends_clause(t) && (n > 0 || i != v->first))
            break;
        if (is_label(t))
            v->labels[n++] = t->stem;
    }
    for (uint32_t i = v->first + v->count; i < u->first + u->count && n < PP_ARRAY_COUNT(v->labels);
         i++) {
        const struct infer_token *t = &w->tokens[i];
        if (ends_clause(t))
            break;
        if (is_label(t))
            v->labels[n++] = t->stem;
    }
}

/* "now 19:00 instead of 17:00" */
static int is_old(const struct infer_work *w, const struct infer_value *v)
{
    const struct infer_unit *u = &w->units[v->unit];

    for (uint32_t i = v->first; i > u->first && v->first - i < 3; i--)
        if ((w->tokens[i - 1].cues & CUE_INSTEAD) != 0)
            return 1;
    return 0;
}

pp_res infer_values_find(struct infer_work *w)
{
    static const uint64_t ACTS[] = {
        [INFER_TIME] = ACT_TIME,  [INFER_DATE] = ACT_DAY,      [INFER_WEEKDAY] = ACT_DAY,
        [INFER_RELDAY] = ACT_DAY, [INFER_AMOUNT] = ACT_AMOUNT, [INFER_NUMBER] = ACT_NUMBER
    };

    w->value_max = w->token_count < INFER_VALUES_MAX ? w->token_count : INFER_VALUES_MAX;
    w->values = pp_arena_array(w->arena, w->value_max, sizeof *w->values);
    PP_CHECK(w->values != NULL, PP_E_NO_MEMORY, w->value_max);
    for (uint32_t u = 0; u < w->unit_count; u++) {
        struct reader r = { .w = w, .u = &w->units[u], .unit = u };
        w->units[u].value_first = w->value_count;
        find_in_unit(&r);
    }
    join_ranges(w);
    for (uint32_t k = w->value_count; k > 0; k--)
        w->units[w->values[k - 1].unit].value_first = k - 1;
    for (uint32_t k = 0; k < w->value_count; k++) {
        struct infer_value *v = &w->values[k];
        w->units[v->unit].acts |= ACTS[v->type];
        w->units[v->unit].values += v->count;
        find_labels(w, v);
        v->old = (uint8_t)is_old(w, v);
    }
    return PP_OK;
}
