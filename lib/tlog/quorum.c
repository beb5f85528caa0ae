/* SPDX-License-Identifier: Apache-2.0 */
#include "quorum.h"

#include "text.h"

#include "tlog_int.h"

/* One line as items; spaces and tabs separate them. */
struct items {
    struct pp_span rest;
};

static int is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static int next_item(struct items *line, struct pp_span *ret)
{
    struct pp_span s = line->rest;

    while (s.len > 0 && is_blank(s.at[0]))
        s = pp_span(s.at + 1, s.len - 1);
    size_t n = 0;
    while (n < s.len && !is_blank(s.at[n]))
        n++;
    *ret = pp_span(s.at, n);
    line->rest = n == s.len ? pp_span(NULL, 0) : pp_span(s.at + n, s.len - n);
    return n > 0;
}

static pp_res one_item(struct items *line, struct pp_span *ret)
{
    PP_CHECK(next_item(line, ret), PP_E_FORMAT, 0);
    return PP_OK;
}

static pp_res no_more_items(struct items *line)
{
    struct pp_span extra;

    PP_CHECK(!next_item(line, &extra), PP_E_FORMAT, 0);
    return PP_OK;
}

/* An optional URL is the last item. */
static pp_res last_url(struct items *line, struct pp_span *ret)
{
    (void)next_item(line, ret);
    return no_more_items(line);
}

/* --- names --------------------------------------------------------------------------------- */

static pp_res find_name(const struct pp_policy *p, struct pp_span name, enum pp_policy_quorum *kind,
                        size_t *index)
{
    for (size_t i = 0; i < p->witness_count; i++) {
        if (pp_span_eq(p->witness_names[i], name)) {
            *kind = PP_QUORUM_WITNESS;
            *index = i;
            return PP_OK;
        }
    }
    for (size_t i = 0; i < p->group_count; i++) {
        if (pp_span_eq(p->groups[i].name, name)) {
            *kind = PP_QUORUM_GROUP;
            *index = i;
            return PP_OK;
        }
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

static pp_res new_name(const struct pp_policy *p, struct items *line, struct pp_span *ret)
{
    enum pp_policy_quorum kind;
    size_t index;

    PP_TRY(one_item(line, ret));
    PP_CHECK(ret->len <= PP_POLICY_NAME_MAX, PP_E_LIMIT, ret->len);
    PP_CHECK(!pp_span_eq(*ret, PP_STR("none")), PP_E_FORMAT, 0);
    PP_CHECK(!pp_is_ok(find_name(p, *ret, &kind, &index)), PP_E_DUPLICATE, 0);
    return PP_OK;
}

static pp_res new_key(struct items *line, unsigned types, const struct pp_note_key *others,
                      size_t count, struct pp_note_key *ret)
{
    struct pp_span text;
    struct pp_note_key key;

    PP_TRY(one_item(line, &text));
    PP_TRY(pp_vkey_parse(text, &key));
    PP_CHECK((types >> key.type & 1) != 0, PP_E_UNSUPPORTED, key.type);
    for (size_t i = 0; i < count; i++)
        PP_CHECK(memcmp(others[i].pk, key.pk, sizeof key.pk) != 0, PP_E_DUPLICATE, i);
    *ret = key;
    return PP_OK;
}

/* --- lines --------------------------------------------------------------------------------- */

static pp_res log_line(struct pp_policy *p, struct items *line)
{
    unsigned types = 1U << PP_NOTE_ED25519;
    size_t i = p->log_count;

    if (p->kind == PP_POLICY_FOREIGN)
        types |= 1U << PP_NOTE_ECDSA_P256;
    PP_CHECK(p->kind != PP_POLICY_REVIEW, PP_E_UNKNOWN_FIELD, 0);
    PP_CHECK(i < PP_POLICY_LOGS_MAX, PP_E_LIMIT, i);
    PP_TRY(new_key(line, types, p->log_keys, i, &p->log_keys[i]));
    PP_TRY(last_url(line, &p->log_urls[i]));
    p->log_count++;
    return PP_OK;
}

static pp_res witness_line(struct pp_policy *p, struct items *line)
{
    enum pp_note_type type = p->kind == PP_POLICY_REVIEW ? PP_NOTE_ED25519 : PP_NOTE_COSIGNATURE;
    size_t i = p->witness_count;

    PP_CHECK(i < PP_POLICY_WITNESSES_MAX, PP_E_LIMIT, i);
    PP_TRY(new_name(p, line, &p->witness_names[i]));
    PP_TRY(new_key(line, 1U << type, p->witness_keys, i, &p->witness_keys[i]));
    PP_TRY(last_url(line, &p->witness_urls[i]));
    p->witness_count++;
    return PP_OK;
}

static pp_res add_member(struct pp_policy *p, struct pp_policy_group *g, struct pp_span name)
{
    enum pp_policy_quorum kind;
    size_t index;

    PP_TRY(find_name(p, name, &kind, &index));
    uint64_t bit = UINT64_C(1) << index;
    uint64_t taken = kind == PP_QUORUM_WITNESS ? g->witnesses : g->groups;
    for (size_t i = 0; i < p->group_count; i++)
        taken |= kind == PP_QUORUM_WITNESS ? p->groups[i].witnesses : p->groups[i].groups;
    PP_CHECK((taken & bit) == 0, PP_E_DUPLICATE, index);
    if (kind == PP_QUORUM_WITNESS)
        g->witnesses |= bit;
    else
        g->groups |= bit;
    g->members++;
    return PP_OK;
}

static pp_res group_line(struct pp_policy *p, struct items *line)
{
    struct pp_policy_group g = { 0 };
    struct pp_span needed;
    struct pp_span name;
    uint64_t k;

    PP_CHECK(p->group_count < PP_POLICY_GROUPS_MAX, PP_E_LIMIT, p->group_count);
    PP_TRY(new_name(p, line, &g.name));
    PP_TRY(one_item(line, &needed));
    while (next_item(line, &name))
        PP_TRY(add_member(p, &g, name));
    PP_CHECK(g.members > 0, PP_E_MISSING, 0);
    if (pp_span_eq(needed, PP_STR("all")))
        k = g.members;
    else if (pp_span_eq(needed, PP_STR("any")))
        k = 1;
    else
        PP_TRY(pp_decimal_parse(needed, g.members, &k));
    PP_CHECK(k > 0, PP_E_RANGE, 0);
    g.needed = (uint32_t)k;
    p->groups[p->group_count++] = g;
    return PP_OK;
}

static pp_res quorum_line(struct pp_policy *p, struct items *line)
{
    struct pp_span name;

    PP_TRY(one_item(line, &name));
    PP_TRY(no_more_items(line));
    if (pp_span_eq(name, PP_STR("none"))) {
        p->quorum = PP_QUORUM_NONE;
        return PP_OK;
    }
    return find_name(p, name, &p->quorum, &p->quorum_index);
}

static pp_res policy_line(struct pp_policy *p, struct pp_span text, int *have_quorum)
{
    struct items line = { text };
    struct pp_span keyword;

    for (size_t i = 0; i < text.len; i++)
        PP_CHECK(text.at[i] == '\t' || (text.at[i] >= 0x20 && text.at[i] != 0x7F), PP_E_FORMAT, i);
    if (!next_item(&line, &keyword) || keyword.at[0] == '#')
        return PP_OK;
    if (pp_span_eq(keyword, PP_STR("log")))
        return log_line(p, &line);
    if (pp_span_eq(keyword, PP_STR("witness")))
        return witness_line(p, &line);
    if (pp_span_eq(keyword, PP_STR("group")))
        return group_line(p, &line);
    PP_CHECK(pp_span_eq(keyword, PP_STR("quorum")), PP_E_UNKNOWN_FIELD, 0);
    PP_CHECK(!*have_quorum, PP_E_DUPLICATE, 0);
    *have_quorum = 1;
    return quorum_line(p, &line);
}

pp_res pp_policy_parse(struct pp_span text, enum pp_policy_kind kind, struct pp_policy *ret)
{
    struct pp_policy p = { .kind = kind };
    struct pp_span line;
    uint32_t number = 0;
    int have_quorum = 0;

    PP_CHECK(text.len <= PP_POLICY_BYTES_MAX, PP_E_LIMIT, 0);
    pp_sha256(text, p.digest);
    while (text.len > 0) {
        number++;
        pp_res r = pp_tlog_line(&text, &line);
        if (pp_is_ok(r))
            r = policy_line(&p, line, &have_quorum);
        if (!pp_is_ok(r)) {
            r.detail = number;
            return r;
        }
    }
    PP_CHECK(have_quorum, PP_E_MISSING, number);
    *ret = p;
    return PP_OK;
}

/* --- decisions ----------------------------------------------------------------------------- */

static int is_met(const struct pp_policy *p, uint64_t set)
{
    uint64_t met = 0;

    /* Groups only name earlier ones, so file order is evaluation order. */
    for (size_t i = 0; i < p->group_count; i++) {
        const struct pp_policy_group *g = &p->groups[i];
        unsigned have = (unsigned)__builtin_popcountll(g->witnesses & set) +
                        (unsigned)__builtin_popcountll(g->groups & met);
        if (have >= g->needed)
            met |= UINT64_C(1) << i;
    }
    switch (p->quorum) {
    case PP_QUORUM_NONE:
        return 1;
    case PP_QUORUM_WITNESS:
        return (set >> p->quorum_index & 1) != 0;
    case PP_QUORUM_GROUP:
        return (met >> p->quorum_index & 1) != 0;
    }
    return 0;
}

pp_res pp_policy_decide(const struct pp_policy *p, uint64_t set)
{
    struct pp_policy_shape shape;

    if (p->quorum == PP_QUORUM_NONE || is_met(p, set))
        return PP_OK;
    if (pp_is_ok(pp_policy_shape(p, &shape)) && is_met(p, set | shape.record_witness))
        return PP_FAIL(PP_E_LEDGER_RECORD_WITNESS, 0);
    return PP_FAIL(PP_E_LEDGER_QUORUM, __builtin_popcountll(set));
}

pp_res pp_policy_time(const struct pp_policy *p, const struct pp_note_signers *s,
                      uint64_t *ret_time)
{
    uint64_t best = 0;

    PP_TRY(pp_policy_decide(p, s->set));
    if (p->quorum == PP_QUORUM_NONE) {
        *ret_time = 0;
        return PP_OK;
    }
    /* T can only be the time of a signature; at most 64 of them, so every one is tried. */
    for (size_t i = 0; i < PP_NOTE_KEYS_MAX; i++) {
        if ((s->set >> i & 1) == 0 || s->times[i] <= best)
            continue;
        if (is_met(p, pp_note_signers_dated(s, s->times[i], UINT64_MAX)))
            best = s->times[i];
    }
    *ret_time = best;
    return PP_OK;
}

/* One party under several keys: `any` of them speaks for it, and all of them count once. */
static int is_party(const struct pp_policy_group *g)
{
    return g->needed == 1 && g->groups == 0;
}

static int are_parties(const struct pp_policy *p, uint64_t groups)
{
    for (; groups != 0; groups &= groups - 1)
        if (!is_party(&p->groups[__builtin_ctzll(groups)]))
            return 0;
    return 1;
}

/* The two members of `all`: keys of the record witness, and the group of plain witnesses. */
static const struct pp_policy_group *split_members(const struct pp_policy *p,
                                                   const struct pp_policy_group *all,
                                                   uint64_t *ret_record_witness)
{
    const struct pp_policy_group *a = &p->groups[__builtin_ctzll(all->groups)];

    if (all->witnesses != 0) {
        *ret_record_witness = all->witnesses;
        return a;
    }
    const struct pp_policy_group *b = &p->groups[__builtin_ctzll(all->groups & (all->groups - 1))];
    if (is_party(a) == is_party(b))
        return NULL; /* nothing says which of the two is which */
    *ret_record_witness = is_party(a) ? a->witnesses : b->witnesses;
    return is_party(a) ? b : a;
}

pp_res pp_policy_shape(const struct pp_policy *p, struct pp_policy_shape *ret)
{
    uint64_t record_witness = 0;

    PP_CHECK(p->quorum == PP_QUORUM_GROUP, PP_E_NOT_FOUND, 0);
    const struct pp_policy_group *all = &p->groups[p->quorum_index];
    PP_CHECK(all->members == 2 && all->needed == 2 && all->groups != 0, PP_E_NOT_FOUND, 0);
    const struct pp_policy_group *plain = split_members(p, all, &record_witness);
    PP_CHECK(plain != NULL && are_parties(p, plain->groups), PP_E_NOT_FOUND, 0);
    *ret = (struct pp_policy_shape){
        .needed = plain->needed,
        .plain = plain->members,
        .record_witness = record_witness,
    };
    return PP_OK;
}

pp_res pp_policy_shape_safe(const struct pp_policy_shape *s, uint32_t dishonest)
{
    PP_CHECK(s->needed > (s->plain + dishonest) / 2, PP_E_RANGE, s->needed);
    return PP_OK;
}

pp_res pp_policy_open(const struct pp_policy *p, struct pp_span note,
                      struct pp_policy_checkpoint *ret)
{
    struct pp_policy_checkpoint c = { 0 };
    struct pp_note_signers logs;
    struct pp_note n;

    PP_TRY(pp_note_parse(note, &n));
    PP_TRY(pp_checkpoint_parse(n.text, &c.checkpoint));
    PP_TRY_AS(PP_E_LEDGER_SIGNATURE, pp_note_check(&n, p->log_keys, p->log_count, &logs));
    PP_TRY_AS(PP_E_LEDGER_SIGNATURE,
              pp_note_check(&n, p->witness_keys, p->witness_count, &c.witnesses));
    int listed = 0;
    for (size_t i = 0; i < p->log_count; i++) {
        if (!pp_span_eq(p->log_keys[i].name, c.checkpoint.origin))
            continue;
        listed = 1;
        if ((logs.set >> i & 1) != 0) {
            c.log = i;
            *ret = c;
            return PP_OK;
        }
    }
    return PP_FAIL(listed ? PP_E_LEDGER_SIGNATURE : PP_E_LEDGER_ORIGIN, 0);
}
