/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints against each other: a log may sign one history, and a witness may cosign one.
 *
 * The monitor has every entry of the verified tree, so it computes what any smaller tree must have
 * looked like; a signed one that looks different is a fork, whoever showed it.
 */
#include "monitor_int.h"

#include <stdio.h>

pp_res pp_monitor_open(const struct pp_monitor *m, struct pp_span note, struct pp_monitor_head *ret)
{
    struct pp_monitor_head h = { .note = note };

    PP_TRY(pp_policy_open(m->config.log, note, &h.opened));
    PP_CHECK(pp_span_eq(h.opened.checkpoint.origin, m->config.origin), PP_E_LEDGER_ORIGIN, 0);
    pp_res r = pp_policy_decide(m->config.log, h.opened.witnesses.set);
    h.quorum = r.code;
    if (pp_is_ok(r))
        PP_TRY(pp_policy_time(m->config.log, &h.opened.witnesses, &h.quorum_posix_s));
    *ret = h;
    return PP_OK;
}

void monitor_keep(const struct pp_monitor *m, struct pp_monitor_kept *k,
                  const struct pp_monitor_head *head)
{
    PP_ASSERT(head->note.len <= sizeof k->bytes);
    memmove(k->bytes, head->note.at, head->note.len);
    k->len = head->note.len;
    k->shown_posix_s = m->now;
    pp_res r = pp_monitor_open(m, pp_span(k->bytes, k->len), &k->head);
    PP_ASSERT(pp_is_ok(r));
}

/* --- what a tree must have looked like -------------------------------------------------------- */

/*
 * The root of the verified tree when it had `size` entries. An accusation may not rest on a disk
 * that forgot a bit, so the root is proven to belong to the verified one.
 */
static pp_res root_at(const struct pp_monitor *m, uint64_t size, struct pp_merkle_hash *ret)
{
    struct pp_merkle_hash root, tree;
    struct pp_merkle_range range;
    struct pp_merkle_path path;

    pp_merkle_range_root(&m->tree, &tree);
    if (size == m->tree.size) {
        *ret = tree;
        return PP_OK;
    }
    if (size == 0) {
        pp_merkle_empty(ret);
        return PP_OK;
    }
    PP_TRY(pp_merkle_range_load(size, &m->config.nodes, &range));
    pp_merkle_range_root(&range, &root);
    PP_TRY(pp_merkle_consistency(size, m->tree.size, &m->config.nodes, &path));
    PP_TRY(pp_merkle_consistency_verify(size, m->tree.size, &root, &tree, &path));
    *ret = root;
    return PP_OK;
}

/* --- witnesses -------------------------------------------------------------------------------- */

static pp_res accuse_witness(struct pp_monitor *m, size_t w, const struct pp_monitor_head *one,
                             const struct pp_monitor_head *other, const char *field,
                             const char *expected)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                PP_E_LEDGER_WITNESS);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint-1", one->note },
                                                    { "checkpoint-2", other->note } };
    char got[160];

    f.who[0] = '\0';
    monitor_add_witnesses(m, UINT64_C(1) << w, f.who, sizeof f.who);
    snprintf(f.subject, sizeof f.subject, "trees of sizes %llu and %llu",
             (unsigned long long)one->opened.checkpoint.size,
             (unsigned long long)other->opened.checkpoint.size);
    snprintf(got, sizeof got, "cosigned both, at %llu and %llu",
             (unsigned long long)one->opened.witnesses.times[w],
             (unsigned long long)other->opened.witnesses.times[w]);
    pp_problem_set(&f.words, field, expected, pp_span_cstr(got));
    return monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence));
}

/* A cosignature says that no larger tree had been seen by then. */
static int went_back(const struct pp_monitor_head *small, const struct pp_monitor_head *large,
                     size_t w)
{
    return small->opened.checkpoint.size < large->opened.checkpoint.size &&
           small->opened.witnesses.times[w] > large->opened.witnesses.times[w] + PP_MONITOR_SKEW_S;
}

static pp_res check_witness_order(struct pp_monitor *m, const struct pp_monitor_head *head)
{
    for (size_t w = 0; w < m->config.log->witness_count; w++) {
        const struct pp_monitor_kept *k = &m->witnesses[w];
        if ((head->opened.witnesses.set >> w & 1) == 0 || k->len == 0)
            continue;
        if (went_back(head, &k->head, w) || went_back(&k->head, head, w))
            PP_TRY(accuse_witness(m, w, &k->head, head, "time of the cosignature",
                                  "no smaller tree after a larger one"));
    }
    return PP_OK;
}

/* Of the witnesses of `head`, which is of our history, those that cosigned another one too. */
static pp_res check_forks(struct pp_monitor *m, const struct pp_monitor_head *head)
{
    for (size_t i = 0; i < PP_MONITOR_FORKS_MAX; i++) {
        const struct pp_monitor_fork *fork = &m->forks[i];
        if (fork->kept.len == 0 || head->opened.checkpoint.size < fork->from)
            continue;
        uint64_t both = fork->kept.head.opened.witnesses.set & head->opened.witnesses.set;
        for (size_t w = 0; w < m->config.log->witness_count; w++)
            if ((both >> w & 1) != 0)
                PP_TRY(accuse_witness(m, w, head, &fork->kept.head, "history",
                                      "one, of which every tree is a beginning"));
    }
    return PP_OK;
}

static void keep_witnesses(struct pp_monitor *m, const struct pp_monitor_head *head)
{
    for (size_t w = 0; w < m->config.log->witness_count; w++) {
        struct pp_monitor_kept *k = &m->witnesses[w];
        uint64_t time = head->opened.witnesses.times[w];
        if ((head->opened.witnesses.set >> w & 1) == 0)
            continue;
        if (time > m->witness_posix_s[w])
            m->witness_posix_s[w] = time;
        if (k->len == 0 || head->opened.checkpoint.size > k->head.opened.checkpoint.size)
            monitor_keep(m, k, head);
    }
}

/* --- forks ------------------------------------------------------------------------------------ */

static void keep_fork(struct pp_monitor *m, const struct pp_monitor_head *head, uint64_t from)
{
    for (size_t i = 0; i < PP_MONITOR_FORKS_MAX; i++) {
        struct pp_monitor_fork *f = &m->forks[i];
        if (f->kept.len > 0 && !pp_span_eq(f->kept.head.note, head->note))
            continue;
        monitor_keep(m, &f->kept, head);
        f->from = from;
        return;
    }
}

static pp_res accuse_witnesses_of_fork(struct pp_monitor *m, const struct pp_monitor_head *head,
                                       uint64_t from)
{
    for (size_t w = 0; w < m->config.log->witness_count; w++) {
        const struct pp_monitor_kept *k = &m->witnesses[w];
        if ((head->opened.witnesses.set >> w & 1) != 0 && k->len > 0 &&
            k->head.opened.checkpoint.size >= from)
            PP_TRY(accuse_witness(m, w, &k->head, head, "history",
                                  "one, of which every tree is a beginning"));
    }
    return PP_OK;
}

/* The text of the evidence file: "old SIZE", the root there, the hashes of the proof. */
static struct pp_span write_consistency(struct pp_monitor *m, uint64_t size,
                                        const struct pp_merkle_hash *root,
                                        const struct pp_merkle_path *path)
{
    struct pp_wr wr = pp_wr_over(m->scratch, sizeof m->scratch);

    pp_wr_text(&wr, "old ");
    pp_wr_decimal(&wr, size);
    pp_wr_u8(&wr, '\n');
    pp_wr_base64(&wr, PP_BYTES(root->bytes));
    pp_wr_u8(&wr, '\n');
    for (size_t i = 0; i < path->count; i++) {
        pp_wr_base64(&wr, PP_BYTES(path->hashes[i].bytes));
        pp_wr_u8(&wr, '\n');
    }
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return pp_wr_done(&wr);
}

/* That `root` at `size` belongs to the tree of `head`; empty where the source has no such nodes. */
static struct pp_span prove_fork(struct pp_monitor *m, uint64_t size,
                                 const struct pp_merkle_hash *root,
                                 const struct pp_monitor_head *head,
                                 const struct pp_merkle_nodes *theirs)
{
    const struct pp_checkpoint *c = &head->opened.checkpoint;
    struct pp_merkle_path path;

    if (theirs == NULL || size == 0 || size >= c->size ||
        !pp_is_ok(pp_merkle_consistency(size, c->size, theirs, &path)) ||
        !pp_is_ok(pp_merkle_consistency_verify(size, c->size, root, &c->root, &path)))
        return PP_STR("");
    return write_consistency(m, size, root, &path);
}

static void name_fork(const struct pp_monitor *m, const struct pp_monitor_head *head,
                      const char *who, uint64_t size, struct pp_monitor_finding *f)
{
    const struct pp_checkpoint *c = &head->opened.checkpoint;
    char text[PP_MONITOR_NAME_MAX + 64], root[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(root, sizeof root - 1);

    pp_wr_hex(&wr, PP_BYTES(c->root.bytes));
    snprintf(f->subject, sizeof f->subject, "size %llu, root %s", (unsigned long long)c->size,
             root);
    snprintf(text, sizeof text, "size %llu ", (unsigned long long)size);
    monitor_set_text(f->words.field, sizeof f->words.field, "history");
    monitor_set_text(f->words.expected, sizeof f->words.expected,
                     "the verified tree's, as in checkpoint-1");
    snprintf(text, sizeof text, "differs within the first %llu entries; shown by %s; ",
             (unsigned long long)size, who);
    monitor_set_text(f->words.got, sizeof f->words.got, text);
    monitor_add_witnesses(m, head->opened.witnesses.set, f->words.got, sizeof f->words.got);
}

pp_res monitor_fork(struct pp_monitor *m, const struct pp_monitor_head *head, const char *who,
                    const struct pp_merkle_hash *root, const struct pp_merkle_nodes *theirs)
{
    uint64_t size = head->opened.checkpoint.size;
    uint64_t from = size < m->tree.size ? size : m->tree.size;
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                PP_E_LEDGER_FORK);
    struct pp_merkle_path path;
    struct pp_monitor_evidence evidence[] = { { "checkpoint-1", m->last.head.note },
                                              { "checkpoint-2", head->note },
                                              { "consistency", PP_STR("") } };

    name_fork(m, head, who, from, &f);
    if (size > m->tree.size)
        evidence[2].bytes = prove_fork(m, from, root, head, theirs);
    else if (size > 0 && size < m->tree.size &&
             pp_is_ok(pp_merkle_consistency(size, m->tree.size, &m->config.nodes, &path)))
        evidence[2].bytes = write_consistency(m, size, root, &path);
    PP_TRY(monitor_found(m, &f, evidence, evidence[2].bytes.len > 0 ? 3 : 2));
    PP_TRY(accuse_witnesses_of_fork(m, head, from));
    keep_fork(m, head, from);
    return PP_OK;
}

/* Two trees of one size, both larger than what could be read. */
static pp_res fork_ahead(struct pp_monitor *m, const struct pp_monitor_head *one,
                         const struct pp_monitor_head *other, const char *who)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                PP_E_LEDGER_FORK);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint-1", one->note },
                                                    { "checkpoint-2", other->note } };
    uint64_t both = one->opened.witnesses.set & other->opened.witnesses.set;

    name_fork(m, other, who, other->opened.checkpoint.size, &f);
    PP_TRY(monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence)));
    for (size_t w = 0; w < m->config.log->witness_count; w++)
        if ((both >> w & 1) != 0)
            PP_TRY(accuse_witness(m, w, one, other, "history",
                                  "one, of which every tree is a beginning"));
    return PP_OK;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* The quorum's time of a smaller tree may not lie behind that of a larger one. */
pp_res monitor_check_order(struct pp_monitor *m, const struct pp_monitor_head *small,
                           const struct pp_monitor_head *large)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                PP_E_LEDGER_REWIND);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint-1", large->note },
                                                    { "checkpoint-2", small->note } };

    if (small->quorum_posix_s == 0 || large->quorum_posix_s == 0 ||
        small->quorum_posix_s <= large->quorum_posix_s + PP_MONITOR_SKEW_S)
        return PP_OK;
    snprintf(f.subject, sizeof f.subject, "size %llu after size %llu",
             (unsigned long long)small->opened.checkpoint.size,
             (unsigned long long)large->opened.checkpoint.size);
    pp_problem_numbers(&f.words, "time of the smaller tree's quorum", large->quorum_posix_s,
                       small->quorum_posix_s);
    return monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence));
}

pp_res monitor_on_chain(struct pp_monitor *m, const struct pp_monitor_head *head)
{
    uint64_t size = head->opened.checkpoint.size;

    PP_TRY(check_witness_order(m, head));
    PP_TRY(check_forks(m, head));
    keep_witnesses(m, head);
    if (size < m->tree.size && m->last.len > 0)
        return monitor_check_order(m, head, &m->last.head);
    if (size == m->tree.size &&
        (m->last.len == 0 || head->quorum_posix_s > m->last.head.quorum_posix_s))
        monitor_keep(m, &m->last, head);
    return PP_OK;
}

pp_res monitor_compare(struct pp_monitor *m, const struct pp_monitor_head *head, const char *who)
{
    struct pp_merkle_hash root;

    PP_TRY(root_at(m, head->opened.checkpoint.size, &root));
    if (pp_merkle_same(&root, &head->opened.checkpoint.root))
        return monitor_on_chain(m, head);
    return monitor_fork(m, head, who, &root, NULL);
}

static pp_res show_ahead(struct pp_monitor *m, const struct pp_monitor_head *head, const char *who)
{
    const struct pp_checkpoint *c = &head->opened.checkpoint;
    struct pp_monitor_kept *place = &m->ahead[PP_MONITOR_AHEAD_MAX - 1];

    PP_TRY(check_witness_order(m, head));
    for (size_t i = PP_MONITOR_AHEAD_MAX; i > 0; i--) {
        struct pp_monitor_kept *k = &m->ahead[i - 1];
        const struct pp_checkpoint *o = &k->head.opened.checkpoint;
        if (k->len == 0) {
            place = k;
        } else if (o->size == c->size && pp_merkle_same(&o->root, &c->root)) {
            uint64_t shown = k->shown_posix_s;
            monitor_keep(m, k, head);
            k->shown_posix_s = shown;
            return PP_OK;
        } else if (o->size == c->size) {
            PP_TRY(fork_ahead(m, &k->head, head, who));
        }
    }
    monitor_keep(m, place, head);
    return PP_OK;
}

pp_res pp_monitor_show(struct pp_monitor *m, const struct pp_monitor_head *head, const char *who)
{
    if (head->opened.checkpoint.size > m->tree.size)
        return show_ahead(m, head, who);
    return monitor_compare(m, head, who);
}

/* --- serving ---------------------------------------------------------------------------------- */

static pp_res served_fewer(struct pp_monitor *m, const struct pp_monitor_source *s,
                           const struct pp_monitor_head *head)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_CONDITION,
                                                (enum pp_code)head->quorum);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint", head->note } };

    monitor_set_text(f.who, sizeof f.who, s->name);
    snprintf(f.subject, sizeof f.subject, "size %llu",
             (unsigned long long)head->opened.checkpoint.size);
    pp_problem_set(&f.words, "cosignatures", "the quorum of the policy", PP_STR(""));
    monitor_add_witnesses(m, head->opened.witnesses.set, f.words.got, sizeof f.words.got);
    return monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence));
}

static pp_res served_older(struct pp_monitor *m, const struct pp_monitor_source *s,
                           const struct pp_monitor_head *head, enum pp_code code)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_CONDITION, code);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint-1", m->last.head.note },
                                                    { "checkpoint-2", head->note } };
    uint64_t size = head->opened.checkpoint.size;

    monitor_set_text(f.who, sizeof f.who, s->name);
    if (code == PP_E_LEDGER_REWIND) {
        snprintf(f.subject, sizeof f.subject, "size %llu after size %llu", (unsigned long long)size,
                 (unsigned long long)s->size_max);
        pp_problem_numbers(&f.words, "size", s->size_max, size);
    } else {
        snprintf(f.subject, sizeof f.subject, "size %llu", (unsigned long long)size);
        pp_problem_numbers(&f.words, "time of the quorum", m->last.head.quorum_posix_s,
                           head->quorum_posix_s);
    }
    return monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence));
}

pp_res pp_monitor_serve(struct pp_monitor *m, struct pp_monitor_source *source,
                        const struct pp_monitor_head *head)
{
    uint64_t size = head->opened.checkpoint.size;

    if (head->quorum != PP_E_OK)
        return served_fewer(m, source, head);
    if (size < source->size_max)
        PP_TRY(served_older(m, source, head, PP_E_LEDGER_REWIND));
    else if (m->last.len > 0 &&
             head->quorum_posix_s + PP_MONITOR_LATE_S < m->last.head.quorum_posix_s)
        PP_TRY(served_older(m, source, head, PP_E_LEDGER_STALE));
    if (size > source->size_max)
        source->size_max = size;
    return PP_OK;
}
