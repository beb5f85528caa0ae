/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a record ledger: which rule one breaks, and who is answerable for it. */
#include "monitor_int.h"

#include <stdio.h>

#include "host_list.h"

/* An entry, taken apart as far as it can be. */
struct reading {
    uint64_t index;
    struct pp_span entry;
    pp_res opened; /* of pp_record_open */
    struct pp_note note;
    struct pp_record record;
    struct pp_record_id id;
};

static void read_entry(struct pp_monitor *m, struct pp_span entry, struct reading *ret)
{
    ret->index = m->rules.state.entries;
    ret->entry = entry;
    ret->opened = pp_record_open(entry, &ret->note, &ret->record);
    if (pp_is_ok(ret->opened))
        pp_record_id_of(ret->note.text, &ret->id);
}

/* --- words ------------------------------------------------------------------------------------ */

static void add_id(char *text, size_t cap, const struct pp_record_id *id)
{
    char hex[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);

    pp_wr_hex(&wr, PP_BYTES(id->bytes));
    monitor_add_text(text, cap, pp_span_cstr(hex));
}

static void name_entry(const struct reading *e, struct pp_monitor_finding *f)
{
    snprintf(f->subject, sizeof f->subject, "entry %llu", (unsigned long long)e->index);
    if (!pp_is_ok(e->opened))
        return;
    monitor_add_text(f->subject, sizeof f->subject, PP_STR(", "));
    monitor_add_text(f->subject, sizeof f->subject,
                     pp_span_cstr(pp_record_type_name(e->record.type)));
    monitor_add_text(f->subject, sizeof f->subject, PP_STR(" "));
    add_id(f->subject, sizeof f->subject, &e->id);
}

/* The record witness read the entry too, and cosigned all the same. */
static void name_record_witness(const struct pp_monitor *m, struct pp_monitor_finding *f)
{
    struct pp_policy_shape shape;
    uint64_t set = m->last.head.opened.witnesses.set;

    if (!pp_is_ok(pp_policy_shape(m->config.log, &shape)) || (set & shape.record_witness) == 0)
        return;
    monitor_add_text(f->who, sizeof f->who, PP_STR(", record "));
    monitor_add_witnesses(m, set & shape.record_witness, f->who, sizeof f->who);
}

static int add_signers(const struct pp_note *note, const struct pp_note_key *keys, size_t count,
                       int any, char *text, size_t cap)
{
    struct pp_note_signers s;

    if (!pp_is_ok(pp_note_check(note, keys, count, &s))) {
        monitor_add_text(text, cap, pp_span_cstr(any ? ", " : ""));
        monitor_add_text(text, cap, PP_STR("a wrong signature of a listed key"));
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        if ((s.set >> i & 1) == 0)
            continue;
        monitor_add_text(text, cap, pp_span_cstr(any ? ", " : "signed by "));
        monitor_add_text(text, cap, keys[i].name);
        any = 1;
    }
    return any;
}

static void say_signers(const struct pp_monitor *m, const struct reading *e, char *text, size_t cap)
{
    const struct pp_record_keys *k = &m->config.rules->keys;
    int any = 0;

    text[0] = '\0';
    any = add_signers(&e->note, k->review->witness_keys, k->review->witness_count, any, text, cap);
    any = add_signers(&e->note, k->owner->witness_keys, k->owner->witness_count, any, text, cap);
    any = add_signers(&e->note, k->log->log_keys, k->log->log_count, any, text, cap);
    for (size_t i = 0; i < k->former_count && !any; i++) {
        const struct pp_policy *former = k->former[i].policy;
        any = add_signers(&e->note, former->witness_keys, former->witness_count, any, text, cap);
    }
    if (!any)
        monitor_add_text(text, cap, PP_STR("signed by nobody whom the policies list"));
}

static const char *signers_of(enum pp_record_type type)
{
    switch (type) {
    case PP_RECORD_RELEASE:
        return "the review quorum";
    case PP_RECORD_HOST_SET:
        return "the owner and one reviewer";
    case PP_RECORD_KEY_EPOCH:
        return "the owner";
    case PP_RECORD_REVOKE:
        return "one reviewer";
    case PP_RECORD_STATUS:
        return "the log";
    }
    return "";
}

/* --- broken rules ----------------------------------------------------------------------------- */

static const struct pp_rules_record *find(const struct pp_monitor *m, const struct pp_record_id *id)
{
    for (size_t i = 0; i < m->rules.state.record_count; i++)
        if (pp_record_id_same(&m->rules.config.records[i].id, id))
            return &m->rules.config.records[i];
    return NULL;
}

/* A text that stands in the log already: under another leaf a revoked one would live again. */
static int say_repeated(const struct pp_monitor *m, const struct reading *e,
                        struct pp_monitor_finding *f)
{
    const struct pp_rules_record *first = pp_is_ok(e->opened) ? find(m, &e->id) : NULL;
    char expected[96];

    if (first == NULL)
        return 0;
    f->code = first->revoked_at != 0 ? PP_E_LEDGER_REVOKED : PP_E_DUPLICATE;
    snprintf(expected, sizeof expected, "once");
    if (first->revoked_at != 0)
        snprintf(expected, sizeof expected, "never again: entry %llu revoked it",
                 (unsigned long long)(first->revoked_at - 1));
    pp_problem_set(&f->words, "record text", expected,
                   PP_STR("logged again, as another leaf: the same text, other signature lines"));
    return 1;
}

static void say_other(const struct pp_monitor *m, const struct reading *e, pp_res broken,
                      struct pp_monitor_finding *f)
{
    int of_measurement = broken.code == PP_E_LEDGER_TWO_ROLES || broken.code == PP_E_LEDGER_REVOKED;
    char expected[160];

    if (!of_measurement || broken.detail >= m->rules.state.record_count) {
        pp_problem_set(&f->words, "rule", "a record that keeps the rules of the ledger",
                       PP_STR(""));
        say_signers(m, e, f->words.got, sizeof f->words.got);
        return;
    }
    const struct pp_rules_record *of = &m->rules.config.records[broken.detail];
    snprintf(expected, sizeof expected, "not that of %s ",
             broken.code == PP_E_LEDGER_REVOKED
                 ? "the revoked release"
                 : pp_record_role_name((enum pp_record_role)of->role_or_kind));
    add_id(expected, sizeof expected, &of->id);
    pp_problem_set(&f->words, "measurement", expected,
                   pp_span_cstr(pp_record_role_name(e->record.release.role)));
}

static void say_broken(const struct pp_monitor *m, const struct reading *e, pp_res broken,
                       struct pp_monitor_finding *f)
{
    f->code = (enum pp_code)broken.code;
    if (!pp_is_ok(e->opened)) {
        f->code = PP_E_LEDGER_RECORD;
        pp_problem_set(&f->words, "entry", "a signed record in its one encoding",
                       pp_span_cstr(pp_code_name(broken.code)));
    } else if (broken.code == PP_E_LEDGER_SIGNER) {
        pp_problem_set(&f->words, "signatures", signers_of(e->record.type), PP_STR(""));
        say_signers(m, e, f->words.got, sizeof f->words.got);
    } else if (broken.code != PP_E_LEDGER_SERIAL || !say_repeated(m, e, f)) {
        say_other(m, e, broken, f);
    }
}

/* The offline proof that the entry is in the log, under the checkpoint that was verified last. */
static struct pp_span prove_entry(struct pp_monitor *m, uint64_t index)
{
    struct pp_wr wr = pp_wr_over(m->scratch, sizeof m->scratch);
    struct pp_proof proof = { .index = index, .checkpoint = m->last.head.note };

    if (!pp_is_ok(pp_merkle_inclusion(index, m->tree.size, &m->config.nodes, &proof.path)))
        return PP_STR("");
    pp_proof_write(&wr, &proof);
    return pp_is_ok(pp_wr_ok(&wr)) ? pp_wr_done(&wr) : PP_STR("");
}

static pp_res found_entry(struct pp_monitor *m, const struct reading *e,
                          const struct pp_monitor_finding *f, struct pp_span checkpoint)
{
    const struct pp_monitor_evidence evidence[] = { { "entry", e->entry },
                                                    { "entry.tlog-proof",
                                                      prove_entry(m, e->index) },
                                                    { "checkpoint", checkpoint } };

    return monitor_found(m, f, evidence, checkpoint.len > 0 ? 3 : 2);
}

/* --- what a status says otherwise ------------------------------------------------------------- */

static int holds(const struct pp_record_id *ids, size_t count, const struct pp_record_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (pp_record_id_same(&ids[i], id))
            return 1;
    return 0;
}

static void hash_missing(struct pp_hash *h, const struct pp_record_id *from, size_t from_count,
                         const struct pp_record_id *in, size_t in_count)
{
    for (size_t i = 0; i < from_count; i++)
        if (!holds(in, in_count, &from[i]))
            pp_hash_update(h, PP_BYTES(from[i].bytes));
    pp_hash_update(h, pp_span("/", 1));
}

static void hash_difference(struct pp_hash *h, const struct pp_record_id *a, size_t a_count,
                            const struct pp_record_id *b, size_t b_count)
{
    hash_missing(h, a, a_count, b, b_count);
    hash_missing(h, b, b_count, a, a_count);
}

static size_t key_ids(const struct pp_status *s, struct pp_record_id ret[PP_ARRAY_COUNT(s->keys)])
{
    for (size_t i = 0; i < s->key_count; i++)
        ret[i] = s->keys[i].id;
    return s->key_count;
}

/*
 * A number for what a status lists and should not, or the other way round: the same every hour for
 * the same lie, and another one for another lie.
 */
static void say_difference(const struct pp_monitor *m, const struct pp_record *got, char *text,
                           size_t cap)
{
    struct pp_record_id got_keys[PP_ARRAY_COUNT(got->status.keys)];
    struct pp_record_id want_keys[PP_ARRAY_COUNT(got->status.keys)];
    const struct pp_status *g = &got->status;
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_record want = { 0 };
    struct pp_hash h;

    /* Where none can be made, it is compared with one that lists nothing. */
    pp_ignore(pp_rules_status(&m->rules, got->time, &want), "it stays empty");
    const struct pp_status *w = &want.status;
    size_t g_keys = key_ids(g, got_keys), w_keys = key_ids(w, want_keys);
    pp_hash_init(&h, PP_SHA256);
    hash_difference(&h, g->releases, g->release_count, w->releases, w->release_count);
    hash_difference(&h, &g->hosts, 1, &w->hosts, 1);
    hash_difference(&h, got_keys, g_keys, want_keys, w_keys);
    hash_difference(&h, g->revoked, g->revoked_count, w->revoked, w->revoked_count);
    pp_hash_final(&h, digest);
    char hex[2 * 8 + 1] = "";
    struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);
    pp_wr_hex(&wr, pp_span(digest, 8));
    monitor_add_text(text, cap, pp_span_cstr(hex));
}

static pp_res broken_rule(struct pp_monitor *m, const struct reading *e, pp_res broken)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                (enum pp_code)broken.code);

    name_record_witness(m, &f);
    name_entry(e, &f);
    /*
     * Later statuses that list what a broken record brought are one fault with it; one that leaves
     * out a revocation too is another, or a small fault would hide all that come after it.
     */
    if (broken.code == PP_E_LEDGER_STATUS && m->broken_entry > 0) {
        snprintf(f.subject, sizeof f.subject, "status records behind entry %llu, difference ",
                 (unsigned long long)(m->broken_entry - 1));
        say_difference(m, &e->record, f.subject, sizeof f.subject);
    } else {
        m->broken_entry = e->index + 1;
    }
    say_broken(m, e, broken, &f);
    return found_entry(m, e, &f, PP_STR(""));
}

/* --- dates ------------------------------------------------------------------------------------ */

/* A quorum said how large the log was at a time; what came later cannot have been dated before. */
static pp_res check_backdated(struct pp_monitor *m, const struct reading *e)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                PP_E_LEDGER_BACKDATED);
    const struct pp_monitor_head *before = &m->before.head;

    if (m->before.len == 0 || e->index < before->opened.checkpoint.size ||
        e->record.time + PP_MONITOR_SKEW_S >= before->quorum_posix_s)
        return PP_OK;
    name_record_witness(m, &f);
    name_entry(e, &f);
    pp_problem_numbers(&f.words, "time, behind the quorum of a smaller tree",
                       before->quorum_posix_s, e->record.time);
    return found_entry(m, e, &f, before->note);
}

/* Outside dev a status comes every hour. */
static pp_res check_gap(struct pp_monitor *m, const struct reading *e, uint64_t status_before)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_WARNING, PP_FINDING_FACT,
                                                PP_E_LEDGER_LATE);

    if (m->config.rules->environment == PP_RECORD_DEV || status_before == 0 ||
        e->record.time <= status_before + PP_MONITOR_LATE_S)
        return PP_OK;
    name_entry(e, &f);
    pp_problem_numbers(&f.words, "time, an hour behind the status before", status_before + 3600,
                       e->record.time);
    return found_entry(m, e, &f, PP_STR(""));
}

/* --- entries ---------------------------------------------------------------------------------- */

static void note_expected(struct pp_monitor *m, const struct pp_record_id *id)
{
    for (size_t i = 0; i < m->expected_count; i++)
        if (pp_record_id_same(&m->expected[i], id))
            m->expected_found[i] = 1;
}

pp_res pp_monitor_entry(struct pp_monitor *m, struct pp_span entry)
{
    const uint64_t status_before = m->rules.state.status_time;
    const uint64_t quorum = m->last.head.quorum_posix_s;
    struct reading e;

    PP_ASSERT(m->rules.state.entries < m->tree.size);
    read_entry(m, entry, &e);
    pp_res r = pp_rules_feed(&m->rules, entry, quorum != 0 ? quorum : m->now);
    if (r.code == PP_E_LIMIT && pp_is_ok(e.opened) && e.record.type != PP_RECORD_REVOKE)
        return r; /* our tables are full: that is no fault of the log. A revoke needs no place */
    if (!pp_is_ok(r)) {
        PP_TRY(broken_rule(m, &e, r));
        pp_rules_feed_broken(&m->rules, entry);
    }
    if (!pp_is_ok(e.opened))
        return PP_OK;
    note_expected(m, &e.id);
    if (e.record.type != PP_RECORD_STATUS)
        return PP_OK;
    PP_TRY(check_backdated(m, &e));
    return check_gap(m, &e, status_before);
}

pp_res pp_monitor_closed(struct pp_monitor *m)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_FACT,
                                                PP_E_LEDGER_NOT_LAST);
    const struct pp_monitor_evidence evidence[] = { { "checkpoint", m->last.head.note } };

    if (m->tree.size == 0 || pp_is_ok(pp_rules_closed(&m->rules)))
        return PP_OK;
    name_record_witness(m, &f);
    snprintf(f.subject, sizeof f.subject, "size %llu", (unsigned long long)m->tree.size);
    pp_problem_set(&f.words, "last entry", "a status record", PP_STR("another"));
    return monitor_found(m, &f, evidence, PP_ARRAY_COUNT(evidence));
}

/* --- publications ----------------------------------------------------------------------------- */

int pp_monitor_publication_of(struct pp_span entry, uint64_t index,
                              struct pp_monitor_publication *ret)
{
    struct pp_monitor_publication p = { .index = index };
    struct pp_span where = PP_STR("");
    struct pp_record r;
    struct pp_note n;
    uint64_t from;

    if (!pp_is_ok(pp_record_open(entry, &n, &r)))
        return 0;
    p.type = r.type;
    p.posix_s = r.time;
    pp_record_id_of(n.text, &p.record);
    pp_record_window(&r, &from, &p.until);
    if (r.type == PP_RECORD_RELEASE) {
        memcpy(p.sha256, r.release.image.sha256, sizeof p.sha256);
        p.bytes = r.release.image.bytes;
        where = r.release.image.where;
    } else if (r.type == PP_RECORD_HOST_SET) {
        memcpy(p.sha256, r.host_set.list, sizeof p.sha256);
        p.root = r.host_set.root;
        where = r.host_set.where;
    } else {
        return 0;
    }
    monitor_set_text(p.where, sizeof p.where, "");
    monitor_add_text(p.where, sizeof p.where, where);
    *ret = p;
    return 1;
}

static pp_res add_host(void *ctx, const struct pp_host_row *row)
{
    struct pp_merkle_hash leaf;

    pp_merkle_leaf(PP_BYTES(row->host.entry), &leaf);
    return pp_merkle_append(ctx, &leaf, NULL);
}

/* The root of a host list; 0 for anything else. That it is the record's list its digest says. */
static int root_of_list(struct pp_span list, struct pp_merkle_hash *ret)
{
    struct pp_merkle_range range = { 0 };
    struct pp_host_list head;

    if (!pp_is_ok(pp_host_list_read(list, &head, add_host, &range)))
        return 0;
    pp_merkle_range_root(&range, ret);
    return 1;
}

/* The words of what is wrong; 0 when nothing is. */
static int say_unpublished(const struct pp_monitor_publication *p,
                           const struct pp_monitor_published *got, struct pp_problem *words)
{
    const struct pp_merkle_hash *root = NULL;
    struct pp_merkle_hash of_list;

    if (got == NULL) {
        pp_problem_set(words, "where published", "public within a day", pp_span_cstr(p->where));
        return 1;
    }
    if (p->bytes != 0 && got->bytes != p->bytes) {
        pp_problem_numbers(words, "bytes", p->bytes, got->bytes);
        return 1;
    }
    if (memcmp(got->sha256, p->sha256, sizeof got->sha256) != 0) {
        pp_problem_hex(words, "SHA-256", PP_BYTES(p->sha256), PP_BYTES(got->sha256));
        return 1;
    }
    if (p->type != PP_RECORD_HOST_SET)
        return 0;
    if (root_of_list(got->list, &of_list))
        root = &of_list;
    if (root != NULL && pp_merkle_same(root, &p->root))
        return 0;
    pp_problem_hex(words, "root of the list", PP_BYTES(p->root.bytes),
                   root == NULL ? PP_STR("") : PP_BYTES(root->bytes));
    return 1;
}

pp_res pp_monitor_publish(struct pp_monitor *m, const struct pp_monitor_publication *p,
                          const struct pp_monitor_published *got, int *ret_done)
{
    struct pp_monitor_finding f = monitor_begin(m, PP_FINDING_ALARM, PP_FINDING_CONDITION,
                                                PP_E_LEDGER_UNPUBLISHED);

    *ret_done = m->now >= p->until;
    if (*ret_done || (got == NULL && m->now < p->posix_s + PP_MONITOR_PUBLIC_S))
        return PP_OK;
    if (!say_unpublished(p, got, &f.words)) {
        *ret_done = 1;
        return PP_OK;
    }
    f.since = p->posix_s;
    snprintf(f.subject, sizeof f.subject, "entry %llu, %s ", (unsigned long long)p->index,
             p->type == PP_RECORD_RELEASE ? "image of release" : "list of host-set");
    add_id(f.subject, sizeof f.subject, &p->record);
    return monitor_found(m, &f, NULL, 0);
}
