/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor_world.h: logs that a test forges with pp's own writers, and a monitor that is shown them.
 *
 * Four plain witnesses of which three are needed, and a record witness; every party's keys are
 * here, so a test can play any of them. Two histories may share a beginning.
 */
#ifndef PP_MONITOR_WORLD_H
#define PP_MONITOR_WORLD_H

#include "record_test.h"

#include "monitor_core.h"

enum {
    WORLD_ENTRIES = 640,
    WORLD_ENTRY_BYTES = 24000,
    WORLD_RECORDS = 320,
    WORLD_WITNESSES = 5,
    WORLD_FINDINGS = 32,
    ALL = 31,     /* everybody cosigns */
    QUORUM = 23,  /* three plain witnesses and the record witness */
    RECORD_W = 4, /* its index */
};

#define HOUR UINT64_C(3600)

struct history {
    struct {
        uint8_t bytes[WORLD_ENTRY_BYTES];
        size_t len;
    } entries[WORLD_ENTRIES];
    size_t count;
    struct pp_rules rules; /* the log's own, for its statuses */
    struct pp_rules_record records[WORLD_RECORDS];
    struct pp_rules_measurement measurements[64];
};

struct found {
    struct pp_monitor_finding f;
    size_t evidence_count;
    uint8_t evidence[PP_FINDING_EVIDENCE_MAX][WORLD_ENTRY_BYTES];
    size_t evidence_len[PP_FINDING_EVIDENCE_MAX];
};

static struct pp_note_signer witness_keys[WORLD_WITNESSES];
static struct pp_policy log_policy;
static struct test_text log_policy_text;
static struct history honest, other;
static struct found found[WORLD_FINDINGS];
static size_t found_count;
static struct pp_monitor monitor;
static struct pp_monitor_source source, mirror;
static struct pp_rules_record monitor_records[WORLD_RECORDS];
static struct pp_rules_measurement monitor_measurements[64];
static struct pp_rules_config rules_config;
static struct test_text entry_text;
static struct pp_record record;

/* --- parties ---------------------------------------------------------------------------------- */

static inline int world_make(void **state)
{
    static const char *const names[WORLD_WITNESSES] = { "w0.example", "w1.example", "w2.example",
                                                        "w3.example", "record.example" };
    struct pp_wr *wr = test_begin(&log_policy_text);

    if (make_people(state) != 0)
        return -1;
    test_vkey(wr, "log ", &signers[TEST_LOG]);
    for (uint8_t i = 0; i < WORLD_WITNESSES; i++) {
        char line[16];
        witness_keys[i] = test_signer(names[i], PP_NOTE_COSIGNATURE, (uint8_t)(101 + i));
        snprintf(line, sizeof line, "witness w%u ", i);
        test_vkey(wr, line, &witness_keys[i]);
    }
    pp_wr_text(wr, "group plain 3 w0 w1 w2 w3\ngroup both all plain w4\nquorum both\n");
    assert_ok(pp_policy_parse(test_end(&log_policy_text), PP_POLICY_LOG, &log_policy));
    return 0;
}

static inline int world_drop(void **state)
{
    for (size_t i = 0; i < WORLD_WITNESSES; i++)
        pp_note_signer_done(&witness_keys[i]);
    return drop_people(state);
}

/* --- logs ------------------------------------------------------------------------------------- */

static inline void history_begin(struct history *h)
{
    struct pp_rules_config c = rules_config;

    h->count = 0;
    c.records = h->records;
    c.measurements = h->measurements;
    pp_rules_init(&h->rules, &c);
}

static inline void history_append(struct history *h, struct pp_span entry)
{
    assert_true(h->count < WORLD_ENTRIES && entry.len <= WORLD_ENTRY_BYTES);
    memcpy(h->entries[h->count].bytes, entry.at, entry.len);
    h->entries[h->count++].len = entry.len;
}

/* Appends `record`, signed so; what breaks a rule stands in the log all the same. */
static inline void history_sign(struct history *h, size_t first, size_t count)
{
    assert_ok(pp_record_sign(test_begin(&entry_text), &record, &signers[first], count));
    struct pp_span entry = test_end(&entry_text);
    history_append(h, entry);
    if (!pp_is_ok(pp_rules_feed(&h->rules, entry, UINT32_MAX)))
        pp_rules_feed_broken(&h->rules, entry);
}

static inline void history_status(struct history *h, uint64_t time)
{
    assert_ok(pp_rules_status(&h->rules, time, &record));
    history_sign(h, TEST_LOG, 1);
}

static inline void history_hosts(struct history *h, uint64_t serial)
{
    host_set_of(&record, serial);
    history_sign(h, TEST_OWNER, 2);
}

static inline void history_release(struct history *h, uint64_t serial, enum pp_record_role role,
                                   uint8_t fill)
{
    release_of(&record, serial, role, fill);
    history_sign(h, TEST_ALICE, 2);
}

/* A host-set, a release of one role, keys of today and tomorrow, and a status. */
static inline void history_first_batch(struct history *h)
{
    history_begin(h);
    history_hosts(h, 1);
    history_release(h, 1, PP_RECORD_ORCHESTRATOR, 1);
    for (uint64_t i = 0; i < 2; i++)
        for (unsigned kind = 0; kind < PP_RECORD_KINDS; kind++) {
            key_epoch_of(&record, i + 1, (enum pp_record_kind)kind, 20000 + i);
            history_sign(h, TEST_OWNER, 1);
        }
    history_status(h, NOW);
}

static inline void history_leaf(const struct history *h, uint64_t index, struct pp_merkle_hash *ret)
{
    pp_merkle_leaf(pp_span(h->entries[index].bytes, h->entries[index].len), ret);
}

static inline pp_res history_node(void *ctx, unsigned level, uint64_t index,
                                  struct pp_merkle_hash *ret)
{
    const struct history *h = ctx;
    struct pp_merkle_range r = { 0 };

    PP_CHECK(((index + 1) << level) <= h->count, PP_E_NOT_FOUND, 0);
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        struct pp_merkle_hash leaf;
        history_leaf(h, i, &leaf);
        PP_TRY(pp_merkle_append(&r, &leaf, NULL));
    }
    pp_merkle_range_root(&r, ret);
    return PP_OK;
}

static inline struct pp_merkle_nodes history_nodes(struct history *h)
{
    return (struct pp_merkle_nodes){ history_node, h };
}

/* The checkpoint of the first `size` entries, cosigned by `witnesses` (a set of bits) at `time`. */
static inline struct pp_span history_note(struct test_text *t, const struct history *h,
                                          uint64_t size, uint64_t time, unsigned witnesses)
{
    struct pp_merkle_range r = { 0 };
    struct pp_merkle_hash root;
    char text[512];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    for (uint64_t i = 0; i < size; i++) {
        struct pp_merkle_hash leaf;
        history_leaf(h, i, &leaf);
        assert_ok(pp_merkle_append(&r, &leaf, NULL));
    }
    pp_merkle_range_root(&r, &root);
    pp_checkpoint_write(&wr, PP_STR(ORIGIN), size, &root);
    struct pp_wr *out = test_begin(t);
    assert_ok(pp_note_write(out, pp_wr_done(&wr), &signers[TEST_LOG], 1));
    for (unsigned i = 0; i < WORLD_WITNESSES; i++)
        if ((witnesses >> i & 1) != 0)
            assert_ok(pp_cosign_line_write(out, &witness_keys[i], time, pp_wr_done(&wr)));
    return test_end(t);
}

/* --- the monitor ------------------------------------------------------------------------------ */

static inline pp_res world_found(void *ctx, const struct pp_monitor_finding *f,
                                 const struct pp_monitor_evidence *evidence, size_t count)
{
    (void)ctx;
    assert_true(found_count < WORLD_FINDINGS && count <= PP_FINDING_EVIDENCE_MAX);
    struct found *to = &found[found_count++];
    to->f = *f;
    to->evidence_count = count;
    for (size_t i = 0; i < count; i++) {
        assert_true(evidence[i].bytes.len > 0 && evidence[i].bytes.len <= WORLD_ENTRY_BYTES);
        memcpy(to->evidence[i], evidence[i].bytes.at, evidence[i].bytes.len);
        to->evidence_len[i] = evidence[i].bytes.len;
    }
    return PP_OK;
}

static inline struct pp_span world_evidence(const struct found *f, size_t i)
{
    assert_true(i < f->evidence_count);
    return pp_span(f->evidence[i], f->evidence_len[i]);
}

static inline void world_source(struct pp_monitor_source *s, const char *name)
{
    *s = (struct pp_monitor_source){ 0 };
    snprintf(s->name, sizeof s->name, "%s", name);
}

/* A monitor that has seen nothing, and two empty logs. Before history_begin: the environment. */
static inline void world_begin(enum pp_record_env environment)
{
    rules_config = (struct pp_rules_config){
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR(NAMESPACE),
        .environment = environment,
        .keys = { &log_policy, &policies[1], &policies[2] },
        .records = monitor_records,
        .record_cap = PP_ARRAY_COUNT(monitor_records),
        .measurements = monitor_measurements,
        .measurement_cap = PP_ARRAY_COUNT(monitor_measurements),
    };
    const struct pp_monitor_config c = {
        .origin = PP_STR(ORIGIN),
        .log = &log_policy,
        .rules = &rules_config,
        .nodes = history_nodes(&honest),
        .sink = { world_found, NULL },
        .witness_late_s = PP_MONITOR_WITNESS_S,
    };
    pp_monitor_init(&monitor, &c);
    monitor.now = NOW + 60;
    found_count = 0;
    history_begin(&honest);
    history_begin(&other);
    world_source(&source, "http://log.example");
    world_source(&mirror, "http://mirror.example");
}

/* Reads the entries up to a head from a source that serves `h`. 1 if it was taken at its word. */
static inline int world_read(struct pp_monitor_source *s, struct history *h,
                             const struct pp_monitor_head *head, struct pp_monitor_reading *r)
{
    const struct pp_merkle_nodes theirs = history_nodes(h);
    int good;

    pp_monitor_read_begin(&monitor, s, r);
    while (r->range.size < head->opened.checkpoint.size && r->range.size < h->count) {
        struct pp_merkle_hash leaf;
        history_leaf(h, r->range.size, &leaf);
        assert_ok(pp_monitor_read_leaf(&monitor, r, &leaf));
    }
    assert_ok(pp_monitor_read_end(&monitor, s, r, head, &theirs, &good));
    return good;
}

/* What a round does with one source. */
static inline void world_round(struct pp_monitor_source *s, struct history *h, struct pp_span note)
{
    static struct pp_monitor_head head;
    struct pp_monitor_reading r;

    assert_ok(pp_monitor_open(&monitor, note, &head));
    assert_ok(pp_monitor_show(&monitor, &head, s->name));
    assert_ok(pp_monitor_serve(&monitor, s, &head));
    if (head.opened.checkpoint.size < s->read.size || !world_read(s, h, &head, &r) ||
        head.opened.checkpoint.size <= monitor.tree.size || head.quorum != PP_E_OK)
        return;
    assert_ok(pp_monitor_grow(&monitor, &r, &head));
    while (monitor.rules.state.entries < monitor.tree.size) {
        uint64_t i = monitor.rules.state.entries;
        assert_ok(pp_monitor_entry(&monitor, pp_span(h->entries[i].bytes, h->entries[i].len)));
    }
    assert_ok(pp_monitor_closed(&monitor));
}

/* The log publishes what it has. */
static inline void world_publish(uint64_t time)
{
    static struct test_text t;

    world_round(&source, &honest, history_note(&t, &honest, honest.count, time, ALL));
}

/* A checkpoint that somebody brings. */
static inline void world_show(struct pp_span note, const char *who)
{
    static struct pp_monitor_head head;

    assert_ok(pp_monitor_open(&monitor, note, &head));
    assert_ok(pp_monitor_show(&monitor, &head, who));
}

static inline const struct found *world_one(enum pp_code code)
{
    if (found_count != 1)
        for (size_t i = 0; i < found_count; i++)
            print_error("%s: %s, %s: %s / %s / %s\n", pp_code_name(found[i].f.code), found[i].f.who,
                        found[i].f.subject, found[i].f.words.field, found[i].f.words.expected,
                        found[i].f.words.got);
    assert_int_equal(found_count, 1);
    assert_string_equal(pp_code_name(found[0].f.code), pp_code_name(code));
    return &found[0];
}

static inline void assert_says(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        print_error("\"%s\" does not say \"%s\"\n", text, words);
    assert_non_null(strstr(text, words));
}

#endif
