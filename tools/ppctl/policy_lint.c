/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_lint.h"

#include <stdio.h>
#include <string.h>

const char *const POLICY_LINT_NAMES[POLICY_LINT_KINDS] = { "log", "owner", "review" };

/* --- findings ------------------------------------------------------------------------------ */

static void tell(const struct policy_lint_sink *sink, const struct policy_lint *file, uint32_t code,
                 uint32_t line, const char *field, const char *expected, struct pp_span got)
{
    struct policy_finding f = { .file = file, .code = code, .line = line };

    pp_problem_set(&f.problem, field, expected, got);
    sink->tell(sink->ctx, &f);
}

/* The line in which a name or key stands that the policy borrows from its text. */
static uint32_t line_of(const struct policy_lint *file, struct pp_span at)
{
    uint32_t line = 1;

    for (const uint8_t *c = file->text.at; c < at.at; c++)
        line += *c == '\n';
    return line;
}

static struct pp_span text_line(struct pp_span text, uint32_t number)
{
    for (uint32_t line = 1;; line++) {
        size_t n = 0;
        while (n < text.len && text.at[n] != '\n')
            n++;
        if (line == number || n == text.len)
            return pp_span(text.at, n);
        text = pp_span(text.at + n + 1, text.len - n - 1);
    }
}

/* --- one file ------------------------------------------------------------------------------ */

static enum pp_policy_kind grammar_of(enum policy_lint_kind kind)
{
    return kind == POLICY_LINT_LOG ? PP_POLICY_LOG : PP_POLICY_REVIEW;
}

enum policy_lint_kind policy_lint_guess(const char *path, struct pp_span text)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    struct pp_policy p;

    if (strstr(name, "owner") != NULL)
        return POLICY_LINT_OWNER;
    if (strstr(name, "review") != NULL)
        return POLICY_LINT_REVIEW;
    pp_res log = pp_policy_parse(text, PP_POLICY_LOG, &p);
    pp_res people = pp_policy_parse(text, PP_POLICY_REVIEW, &p);
    if (pp_is_ok(log) || (!pp_is_ok(people) && people.detail <= log.detail))
        return POLICY_LINT_LOG;
    return POLICY_LINT_REVIEW;
}

/* What the line should have been; a code of the parser says which rule it broke. */
static const char *grammar_rule(uint32_t code, enum policy_lint_kind kind)
{
    switch (code) {
    case PP_E_DUPLICATE:
        return "a name, key or member that did not stand before";
    case PP_E_NOT_FOUND:
        return "a name that a line before this one defines";
    case PP_E_MISSING:
        return "a quorum line, and members in each group";
    case PP_E_MISMATCH:
        return "a key whose id is that of its name and bytes";
    case PP_E_UNSUPPORTED:
        return kind == POLICY_LINT_LOG ? "logs with keys of type 01, witnesses with type 04"
                                       : "people with keys of type 01";
    case PP_E_TRUNCATED:
        return "a line feed behind each line";
    case PP_E_RANGE:
        return "1 <= k <= members";
    case PP_E_UNKNOWN_FIELD:
        return kind == POLICY_LINT_LOG ? "log, witness, group or quorum"
                                       : "witness, group or quorum";
    default:
        return "log VKEY [URL], witness NAME VKEY [URL], group NAME K MEMBER..., quorum NAME";
    }
}

/* The one log, whose name is the origin; two keys of it while it changes from one to the other. */
static void judge_log(const struct policy_lint *f, struct pp_span origin,
                      const struct policy_lint_sink *sink)
{
    const struct pp_policy *p = &f->policy;

    if (p->log_count == 0)
        tell(sink, f, PP_E_POLICY_LOG, 0, "log", "a line log VKEY", PP_STR("none"));
    for (size_t i = 0; i < p->log_count; i++) {
        struct pp_span name = p->log_keys[i].name;
        if (origin.len > 0 && !pp_span_eq(name, origin))
            tell(sink, f, PP_E_POLICY_LOG, line_of(f, name), "log", "the origin of --origin", name);
        else if (!pp_span_eq(name, p->log_keys[0].name))
            tell(sink, f, PP_E_POLICY_LOG, line_of(f, name), "log",
                 "the origin of the log before it", name);
    }
}

static struct pp_span quorum_words(const struct pp_policy *p)
{
    if (p->quorum == PP_QUORUM_NONE)
        return PP_STR("no quorum");
    if (p->quorum == PP_QUORUM_WITNESS)
        return PP_STR("one witness, and no record witness");
    if (p->groups[p->quorum_index].groups == 0)
        return PP_STR("a group of witnesses, and no record witness beside it");
    return PP_STR("other groups");
}

static uint32_t quorum_line(const struct policy_lint *f)
{
    static const struct pp_span WORD = { (const uint8_t *)"quorum", 6 };
    uint32_t found = 0;
    uint32_t line = 1;

    for (size_t i = 0; i < f->text.len; line++) {
        struct pp_span text = text_line(pp_span(f->text.at + i, f->text.len - i), 1);
        struct pp_span first = text;
        while (first.len > 0 && (first.at[0] == ' ' || first.at[0] == '\t'))
            first = pp_span(first.at + 1, first.len - 1);
        if (first.len >= WORD.len && pp_span_eq(pp_span(first.at, WORD.len), WORD))
            found = line;
        i += text.len + 1;
    }
    return found;
}

/* The line of the group of plain witnesses; the record witness's may be one of `any`. */
static uint32_t plain_line(const struct policy_lint *f, const struct pp_policy_shape *shape)
{
    const struct pp_policy *p = &f->policy;
    uint64_t groups = p->groups[p->quorum_index].groups;

    for (; groups != 0; groups &= groups - 1) {
        const struct pp_policy_group *g = &p->groups[__builtin_ctzll(groups)];
        if (g->needed == shape->needed && g->members == shape->plain)
            return line_of(f, g->name);
    }
    return 0;
}

/*
 * An `any` group stands for one party while its old key and the next overlap. Of two parties it
 * would make one, and k of n would count less than it says: the name of the keys tells them apart.
 */
static void judge_overlaps(const struct policy_lint *f, const struct policy_lint_sink *sink)
{
    const struct pp_policy *p = &f->policy;

    for (size_t i = 0; i < p->group_count; i++) {
        const struct pp_policy_group *g = &p->groups[i];
        if (g->needed != 1 || g->witnesses == 0)
            continue;
        struct pp_span first = p->witness_keys[__builtin_ctzll(g->witnesses)].name;
        for (uint64_t left = g->witnesses; left != 0; left &= left - 1) {
            const struct pp_note_key *key = &p->witness_keys[__builtin_ctzll(left)];
            if (!pp_span_eq(key->name, first))
                tell(sink, f, PP_E_POLICY_SHAPE, line_of(f, g->name), "group",
                     "keys of one party, under one name, where any of them is enough", key->name);
        }
    }
}

/* B7: one dishonest plain witness and the log must not be able to show two histories. */
static void judge_shape(const struct policy_lint *f, const struct policy_lint_sink *sink)
{
    struct pp_policy_shape shape;
    char got[64];
    char expected[64];

    if (!pp_is_ok(pp_policy_shape(&f->policy, &shape))) {
        tell(sink, f, PP_E_POLICY_SHAPE, quorum_line(f), "quorum",
             "all of {k of n plain witnesses, one record witness}", quorum_words(&f->policy));
        return;
    }
    if (pp_is_ok(pp_policy_shape_safe(&shape, 1))) {
        judge_overlaps(f, sink); /* k is 2 or more, so what asks for one is no k of n */
        return;
    }
    snprintf(expected, sizeof expected, "at least %u of %u", (shape.plain + 1) / 2 + 1,
             shape.plain);
    snprintf(got, sizeof got, "%u of %u", shape.needed, shape.plain);
    tell(sink, f, PP_E_POLICY_QUORUM, plain_line(f, &shape), "group", expected, pp_span_cstr(got));
}

void policy_lint_one(struct policy_lint *f, struct pp_span origin,
                     const struct policy_lint_sink *sink)
{
    pp_res r = pp_policy_parse(f->text, grammar_of(f->kind), &f->policy);

    f->is_read = pp_is_ok(r);
    if (!f->is_read) {
        tell(sink, f, r.code, r.detail, "line", grammar_rule(r.code, f->kind),
             text_line(f->text, r.detail));
        return;
    }
    if (f->kind == POLICY_LINT_LOG) {
        judge_log(f, origin, sink);
        judge_shape(f, sink);
    } else if (f->policy.quorum == PP_QUORUM_NONE) {
        tell(sink, f, PP_E_POLICY_NOBODY, quorum_line(f), "quorum", "a name", PP_STR("none"));
    }
}

/* --- files against each other ---------------------------------------------------------------- */

struct party {
    const struct pp_note_key *key;
    int is_log;
};

static struct party party_at(const struct pp_policy *p, size_t i)
{
    if (i < p->log_count)
        return (struct party){ &p->log_keys[i], 1 };
    return (struct party){ &p->witness_keys[i - p->log_count], 0 };
}

static int is_same(const struct party *a, const struct party *b)
{
    return memcmp(a->key->pk, b->key->pk, sizeof a->key->pk) == 0;
}

/* What two places of one key mean: nothing for the same party in two files of one kind. */
static uint32_t code_of(const struct policy_lint *a, const struct party *x,
                        const struct policy_lint *b, const struct party *y)
{
    if (a->kind == b->kind)
        return x->is_log == y->is_log ? PP_E_OK : PP_E_POLICY_KEY_TWICE;
    if (a->kind != POLICY_LINT_LOG && b->kind != POLICY_LINT_LOG)
        return PP_E_POLICY_PARTIES;
    return PP_E_POLICY_KEY_TWICE;
}

/* Within one file the grammar compares logs with logs and witnesses with witnesses. */
static void judge_keys(const struct policy_lint *a, const struct policy_lint *b,
                       const struct policy_lint_sink *sink)
{
    for (size_t i = 0; i < a->policy.log_count + a->policy.witness_count; i++) {
        struct party x = party_at(&a->policy, i);
        for (size_t j = a == b ? i + 1 : 0; j < b->policy.log_count + b->policy.witness_count;
             j++) {
            struct party y = party_at(&b->policy, j);
            uint32_t code = is_same(&x, &y) ? code_of(a, &x, b, &y) : PP_E_OK;
            if (code != PP_E_OK)
                tell(sink, b, code, line_of(b, y.key->name), "key", "a key that no other party has",
                     y.key->name);
        }
    }
}

/* How few signatures satisfy the quorum. Names are members of one group at most: it is a tree. */
static uint32_t fewest(const struct pp_policy *p)
{
    uint32_t needs[PP_POLICY_GROUPS_MAX];

    for (size_t g = 0; g < p->group_count; g++) {
        const struct pp_policy_group *group = &p->groups[g];
        uint32_t left = group->needed;
        uint32_t singles = (uint32_t)__builtin_popcountll(group->witnesses);
        uint64_t groups = group->groups;
        needs[g] = left < singles ? left : singles; /* a witness is the cheapest member */
        left -= needs[g];
        for (; left > 0; left--) {
            size_t best = (size_t)__builtin_ctzll(groups);
            for (size_t i = best; i < g; i++)
                if ((groups >> i & 1) != 0 && needs[i] < needs[best])
                    best = i;
            groups &= ~(UINT64_C(1) << best);
            needs[g] += needs[best];
        }
    }
    if (p->quorum == PP_QUORUM_GROUP)
        return needs[p->quorum_index];
    return p->quorum == PP_QUORUM_WITNESS;
}

/* A11: who watches must not be content with less than those who are watched over. */
static void judge_monitors(const struct policy_lint *clients, const struct policy_lint *monitors,
                           const struct policy_lint_sink *sink)
{
    const struct pp_policy *c = &clients->policy;
    const struct pp_policy *m = &monitors->policy;
    char expected[64];
    char got[64];

    snprintf(expected, sizeof expected, "at least %u cosignatures, as clients", fewest(c));
    snprintf(got, sizeof got, "%u", fewest(m));
    if (fewest(m) < fewest(c))
        tell(sink, monitors, PP_E_POLICY_MONITORS, quorum_line(monitors), "quorum", expected,
             pp_span_cstr(got));
    if (c->log_count > 0 && m->log_count > 0 &&
        !pp_span_eq(c->log_keys[0].name, m->log_keys[0].name))
        tell(sink, monitors, PP_E_POLICY_LOG, line_of(monitors, m->log_keys[0].name), "log",
             "the clients' log", m->log_keys[0].name);
    for (size_t i = 0; i < c->witness_count; i++) {
        size_t j = 0;
        while (j < m->witness_count &&
               memcmp(c->witness_keys[i].pk, m->witness_keys[j].pk, sizeof m->witness_keys[j].pk))
            j++;
        if (j == m->witness_count)
            tell(sink, monitors, PP_E_POLICY_MONITORS, 0, "witness",
                 "every witness that clients know; this one is missing", c->witness_names[i]);
    }
}

void policy_lint_all(const struct policy_lint *files, size_t count,
                     const struct policy_lint_sink *sink)
{
    const struct policy_lint *clients = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!files[i].is_read)
            continue;
        for (size_t j = 0; j <= i; j++)
            if (files[j].is_read)
                judge_keys(&files[j], &files[i], sink);
        if (files[i].kind != POLICY_LINT_LOG)
            continue;
        if (clients == NULL)
            clients = &files[i];
        else
            judge_monitors(clients, &files[i], sink);
    }
}
