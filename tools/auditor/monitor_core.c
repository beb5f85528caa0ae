/* SPDX-License-Identifier: Apache-2.0 */
/* The verified tree: reading what a source gives, and growing. */
#include "monitor_int.h"

#include <stdio.h>

void pp_monitor_init(struct pp_monitor *m, const struct pp_monitor_config *config)
{
    m->config = *config;
    m->now = 0;
    m->tree = (struct pp_merkle_range){ 0 };
    m->last.len = m->before.len = 0;
    m->broken_entry = 0;
    m->expected_count = 0;
    for (size_t i = 0; i < PP_POLICY_WITNESSES_MAX; i++) {
        m->witnesses[i].len = 0;
        m->witness_posix_s[i] = 0;
    }
    for (size_t i = 0; i < PP_MONITOR_AHEAD_MAX; i++)
        m->ahead[i].len = 0;
    for (size_t i = 0; i < PP_MONITOR_FORKS_MAX; i++)
        m->forks[i].kept.len = 0;
    if (config->rules != NULL)
        pp_rules_init(&m->rules, config->rules);
}

/* --- words ------------------------------------------------------------------------------------ */

struct pp_monitor_finding monitor_begin(const struct pp_monitor *m, enum pp_finding_level level,
                                        enum pp_finding_kind kind, enum pp_code code)
{
    struct pp_monitor_finding f = { .level = level, .kind = kind, .code = code, .posix_s = m->now };

    monitor_add_text(f.who, sizeof f.who, PP_STR("log "));
    monitor_add_text(f.who, sizeof f.who, m->config.origin);
    return f;
}

void monitor_add_text(char *text, size_t cap, struct pp_span more)
{
    size_t len = strlen(text);

    if (cap - len >= 4)
        pp_printable(text + len, cap - len, more);
}

void monitor_set_text(char *text, size_t cap, const char *value)
{
    pp_printable(text, cap, pp_span_cstr(value));
}

void monitor_add_witnesses(const struct pp_monitor *m, uint64_t set, char *text, size_t cap)
{
    const struct pp_policy *p = m->config.log;
    const char *before = "";

    for (size_t i = 0; i < p->witness_count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        monitor_add_text(text, cap, pp_span_cstr(before));
        monitor_add_text(text, cap, PP_STR("witness "));
        monitor_add_text(text, cap, p->witness_keys[i].name);
        before = ", ";
    }
}

pp_res monitor_found(struct pp_monitor *m, const struct pp_monitor_finding *f,
                     const struct pp_monitor_evidence *evidence, size_t count)
{
    PP_ASSERT(count <= PP_FINDING_EVIDENCE_MAX);
    return m->config.sink.found(m->config.sink.ctx, f, evidence, count);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void note_tree(const struct pp_monitor *m, struct pp_monitor_reading *r)
{
    if (r->range.size != m->tree.size)
        return;
    r->at_tree = 1;
    pp_merkle_range_root(&r->range, &r->tree_root);
}

void pp_monitor_read_begin(const struct pp_monitor *m, const struct pp_monitor_source *source,
                           struct pp_monitor_reading *ret)
{
    *ret = (struct pp_monitor_reading){ 0 };
    /* What is behind the tree was never compared with it. */
    if (source->read.size <= m->tree.size)
        ret->range = source->read;
    note_tree(m, ret);
}

pp_res pp_monitor_read_leaf(const struct pp_monitor *m, struct pp_monitor_reading *r,
                            const struct pp_merkle_hash *leaf)
{
    PP_TRY(pp_merkle_append(&r->range, leaf, NULL));
    note_tree(m, r);
    return PP_OK;
}

static pp_res entries_are_others(struct pp_monitor *m, const struct pp_monitor_source *source,
                                 const struct pp_monitor_head *head,
                                 const struct pp_merkle_hash *root)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_CONDITION,
                                                PP_E_LOG_ROOT);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint", head->note } };

    monitor_set_text(f.who, sizeof f.who, source->name);
    snprintf(f.subject, sizeof f.subject, "entries of the tree of size %llu",
             (unsigned long long)head->opened.checkpoint.size);
    pp_problem_hex(&f.words, "root of the tree", PP_BYTES(head->opened.checkpoint.root.bytes),
                   PP_BYTES(root->bytes));
    return monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence));
}

pp_res pp_monitor_read_end(struct pp_monitor *m, struct pp_monitor_source *source,
                           const struct pp_monitor_reading *r, const struct pp_monitor_head *head,
                           const struct pp_merkle_nodes *theirs, int *ret_good)
{
    struct pp_merkle_hash root, tree;

    *ret_good = 0;
    pp_merkle_range_root(&r->range, &root);
    if (r->range.size != head->opened.checkpoint.size ||
        !pp_merkle_same(&root, &head->opened.checkpoint.root))
        return entries_are_others(m, source, head, &root);
    pp_merkle_range_root(&m->tree, &tree);
    if (r->at_tree && !pp_merkle_same(&r->tree_root, &tree))
        return monitor_fork(m, head, source->name, &r->tree_root, theirs);
    source->read = r->range;
    *ret_good = 1;
    return PP_OK;
}

/* --- growing ---------------------------------------------------------------------------------- */

pp_res pp_monitor_grow(struct pp_monitor *m, const struct pp_monitor_reading *r,
                       const struct pp_monitor_head *head)
{
    const uint64_t size = head->opened.checkpoint.size;

    PP_ASSERT(size == r->range.size && size > m->tree.size);
    if (m->last.len > 0)
        PP_TRY(monitor_check_order(m, &m->last.head, head));
    if (m->last.len > 0)
        monitor_keep(m, &m->before, &m->last.head);
    m->tree = r->range;
    monitor_keep(m, &m->last, head);
    PP_TRY(monitor_on_chain(m, head));
    for (size_t i = 0; i < PP_MONITOR_AHEAD_MAX; i++) {
        struct pp_monitor_kept *k = &m->ahead[i];
        if (k->len == 0 || k->head.opened.checkpoint.size > size)
            continue;
        if (!pp_span_eq(k->head.note, head->note))
            PP_TRY(monitor_compare(m, &k->head, "somebody before"));
        k->len = 0;
    }
    return PP_OK;
}
