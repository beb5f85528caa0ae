/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints that contradict each other: logs that fork and rewind, witnesses that lie. */
#include "monitor_world.h"

static struct test_text note, second;

static void an_honest_log_gives_no_finding(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    world_publish(NOW);
    world_round(&mirror, &honest, history_note(&note, &honest, honest.count, NOW, QUORUM));
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR);
    monitor.now = NOW + HOUR + 60;
    world_publish(NOW + HOUR);
    assert_ok(pp_monitor_conditions(&monitor));
    /* Heads that people bring, of any size that the log once had. */
    world_show(history_note(&note, &honest, 7, NOW + 5, QUORUM), "a receipt");
    world_show(history_note(&note, &honest, 3, NOW - 5, 1), "a receipt");
    assert_int_equal(found_count, 0);
    assert_int_equal(monitor.tree.size, 9);
    assert_int_equal(source.read.size, 9);
    assert_int_equal(mirror.read.size, 7);
}

static void what_is_no_checkpoint_of_this_log_accuses_nobody(void **state)
{
    struct pp_monitor_head head;

    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    assert_ok(pp_note_write(test_begin(&note),
                            PP_STR("another.example\n0\n"
                                   "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
                            &signers[TEST_LOG], 1));
    assert_code(pp_monitor_open(&monitor, test_end(&note), &head), PP_E_LEDGER_ORIGIN);
    struct pp_span good = history_note(&note, &honest, 7, NOW, ALL);
    char *size = strchr(note.bytes, '\n') + 1;
    *size = '8';
    assert_code(pp_monitor_open(&monitor, good, &head), PP_E_LEDGER_SIGNATURE);
    assert_code(pp_monitor_open(&monitor, PP_STR("<html>no such page</html>\n"), &head),
                PP_E_FORMAT);
    assert_int_equal(found_count, 0);
}

/* W27.T1: two clients are given different heads of one size. */
static void w27_t1_a_fork_of_equal_size_is_found_and_the_log_named(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_first_batch(&other);
    history_hosts(&honest, 2);
    history_release(&other, 2, PP_RECORD_ORCHESTRATOR, 9);
    world_publish(NOW); /* eight entries; a status is wanting */
    found_count = 0;
    struct pp_span theirs = history_note(&note, &other, 8, NOW, 0);
    world_show(theirs, "a receipt");
    const struct found *f = world_one(PP_E_LEDGER_FORK);
    assert_string_equal(f->f.who, "log " ORIGIN);
    assert_int_equal(f->f.kind, PP_FINDING_FACT);
    assert_int_equal(f->f.level, PP_FINDING_ALARM);
    assert_says(f->f.subject, "size 8, root ");
    assert_says(f->f.words.got, "shown by a receipt");
    /* Whoever has the two files needs nothing else: two roots of one size under one key. */
    assert_int_equal(f->evidence_count, 2);
    struct pp_monitor_head one, two;
    assert_ok(pp_monitor_open(&monitor, world_evidence(f, 0), &one));
    assert_ok(pp_monitor_open(&monitor, world_evidence(f, 1), &two));
    assert_int_equal(one.opened.checkpoint.size, two.opened.checkpoint.size);
    assert_false(pp_merkle_same(&one.opened.checkpoint.root, &two.opened.checkpoint.root));
    assert_true(pp_span_eq(world_evidence(f, 1), theirs));
}

static void read_consistency(struct pp_span text, uint64_t *ret_size, struct pp_merkle_hash *ret,
                             struct pp_merkle_path *ret_path)
{
    struct pp_span line;
    size_t len;

    assert_int_equal(pp_text_cut(&text, '\n', &line), 1);
    assert_ok(pp_decimal_parse(pp_span(line.at + 4, line.len - 4), UINT64_MAX, ret_size));
    assert_int_equal(pp_text_cut(&text, '\n', &line), 1);
    assert_ok(pp_base64_parse(line, ret->bytes, sizeof ret->bytes, &len));
    ret_path->count = 0;
    while (pp_text_cut(&text, '\n', &line))
        assert_ok(pp_base64_parse(line, ret_path->hashes[ret_path->count++].bytes, 32, &len));
}

/* A smaller tree that is no beginning of ours: the evidence proves what its size looked like. */
static void w27_t1_a_smaller_fork_is_found_with_a_proof(void **state)
{
    struct pp_merkle_path path;
    struct pp_merkle_hash root;
    uint64_t size;

    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_begin(&other);
    history_hosts(&other, 2);
    world_publish(NOW);
    world_show(history_note(&note, &other, 1, NOW, 0), "a friend");
    const struct found *f = world_one(PP_E_LEDGER_FORK);
    assert_int_equal(f->evidence_count, 3);
    struct pp_monitor_head ours, theirs;
    assert_ok(pp_monitor_open(&monitor, world_evidence(f, 0), &ours));
    assert_ok(pp_monitor_open(&monitor, world_evidence(f, 1), &theirs));
    read_consistency(world_evidence(f, 2), &size, &root, &path);
    assert_int_equal(size, 1);
    assert_ok(pp_merkle_consistency_verify(size, 7, &root, &ours.opened.checkpoint.root, &path));
    assert_false(pp_merkle_same(&root, &theirs.opened.checkpoint.root));
}

/* The log serves a larger tree of another history, entries and all. */
static void w27_t1_a_larger_fork_is_found_when_its_entries_are_read(void **state)
{
    struct pp_merkle_path path;
    struct pp_merkle_hash root;
    uint64_t size;

    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_begin(&other);
    history_hosts(&other, 2);
    for (uint8_t i = 1; i < 10; i++)
        history_release(&other, i, PP_RECORD_GUARD, i);
    world_publish(NOW);
    world_round(&mirror, &other, history_note(&note, &other, 10, NOW + HOUR, QUORUM));
    assert_true(found_count > 1); /* and the witnesses that cosigned both */
    const struct found *f = &found[0];
    assert_int_equal(f->f.code, PP_E_LEDGER_FORK);
    assert_says(f->f.words.got, "shown by http://mirror.example");
    struct pp_monitor_head theirs;
    assert_ok(pp_monitor_open(&monitor, world_evidence(f, 1), &theirs));
    read_consistency(world_evidence(f, 2), &size, &root, &path);
    assert_int_equal(size, 7);
    assert_ok(pp_merkle_consistency_verify(size, 10, &root, &theirs.opened.checkpoint.root, &path));
    assert_int_equal(monitor.tree.size, 7); /* the fork is not followed */
    assert_int_equal(mirror.read.size, 0);
}

static void a_larger_head_waits_until_its_size_can_be_computed(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_first_batch(&other);
    world_publish(NOW);
    history_hosts(&other, 2);
    history_release(&honest, 2, PP_RECORD_ORCHESTRATOR, 7);
    history_status(&honest, NOW + 60);
    world_show(history_note(&note, &other, 8, NOW + 60, 3), "a receipt");
    assert_int_equal(found_count, 0);
    world_publish(NOW + 60);
    assert_int_equal(found[0].f.code, PP_E_LEDGER_FORK);
    assert_says(found[0].f.subject, "size 8");
}

static void two_larger_heads_of_one_size_are_a_fork_at_once(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_begin(&other);
    history_hosts(&other, 2);
    world_show(history_note(&note, &honest, 1, NOW, 1), "one receipt");
    world_show(history_note(&note, &honest, 1, NOW + 5, 1), "the same again");
    assert_int_equal(found_count, 0);
    world_show(history_note(&note, &other, 1, NOW, 3), "another receipt");
    assert_int_equal(found_count, 2);
    assert_int_equal(found[0].f.code, PP_E_LEDGER_FORK);
    assert_int_equal(found[1].f.code, PP_E_LEDGER_WITNESS);
    assert_string_equal(found[1].f.who, "witness w0.example");
}

/* W27: a witness that cosigned both histories is named, one that saw the other alone is not. */
static void a_lying_witness_is_named_whichever_history_comes_first(void **state)
{
    for (int fork_first = 0; fork_first <= 1; fork_first++) {
        (void)state;
        world_begin(PP_RECORD_DEV);
        history_first_batch(&honest);
        history_begin(&other);
        history_hosts(&other, 2);
        /* Witnesses 1 and 3 cosign the fork; 3 nothing else. */
        struct pp_span fork = history_note(&note, &other, 1, NOW, 1U << 1 | 1U << 3);
        struct pp_span good = history_note(&second, &honest, 7, NOW, QUORUM & ~(1U << 3));
        world_round(&source, &honest, history_note(&second, &honest, 7, NOW, 0));
        found_count = 0; /* served without cosignatures, and kept ahead */
        if (fork_first)
            world_show(fork, "a receipt");
        good = history_note(&second, &honest, 7, NOW, 7U | 1U << RECORD_W);
        world_round(&source, &honest, good);
        if (!fork_first)
            world_show(fork, "a receipt");
        assert_int_equal(found_count, 2);
        assert_int_equal(found[0].f.code, PP_E_LEDGER_FORK);
        assert_says(found[0].f.words.got, "witness w1.example, witness w3.example");
        assert_int_equal(found[1].f.code, PP_E_LEDGER_WITNESS);
        assert_string_equal(found[1].f.who, "witness w1.example");
        assert_int_equal(found[1].evidence_count, 2);
    }
}

/* It followed the fork from a tree that both histories share: it may have been lied to. */
static void a_witness_that_was_led_astray_is_not_accused(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_first_batch(&other);
    world_publish(NOW);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + 60);
    history_release(&other, 2, PP_RECORD_ORCHESTRATOR, 9);
    world_round(&source, &honest, history_note(&note, &honest, 9, NOW + 60, QUORUM));
    /* Witness 3 cosigned the shared tree of 7, and then the other one of 8. */
    world_show(history_note(&note, &other, 8, NOW + 60, 1U << 3), "a receipt");
    world_one(PP_E_LEDGER_FORK);
    /* Cosigning a larger tree of ours as well is what accuses it. */
    history_hosts(&honest, 3);
    history_status(&honest, NOW + 120);
    world_publish(NOW + 120);
    assert_int_equal(found_count, 2);
    assert_int_equal(found[1].f.code, PP_E_LEDGER_WITNESS);
    assert_string_equal(found[1].f.who, "witness w3.example");
}

/*
 * With three of four needed, one dishonest witness cannot help a log to two histories; two can, and
 * while nobody brings the second one nobody sees it. The first head that a victim brings names all.
 */
static void one_witness_too_few_honest_is_seen_with_the_first_head_that_a_victim_brings(
    void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_begin(&other);
    history_hosts(&other, 5);
    history_status(&other, NOW);
    /* Witnesses 0, 1 and the record witness sign everything; 2 and 3 one history each. */
    unsigned dishonest = 3 | 1U << RECORD_W;
    world_round(&source, &honest, history_note(&note, &honest, 7, NOW, dishonest | 1U << 2));
    assert_ok(pp_monitor_conditions(&monitor));
    for (size_t i = 0; i < found_count; i++) /* witness 3 never cosigned here */
        assert_int_equal(found[i].f.code, PP_E_LEDGER_WITNESS_SLOW);
    found_count = 0;
    struct pp_span victim = history_note(&note, &other, 2, NOW, dishonest | 1U << 3);
    struct pp_monitor_head head;
    assert_ok(pp_monitor_open(&monitor, victim, &head));
    assert_int_equal(head.quorum, PP_E_OK); /* a device believed it */
    assert_ok(pp_monitor_show(&monitor, &head, "a victim's receipt"));
    assert_int_equal(found_count, 4);
    assert_int_equal(found[0].f.code, PP_E_LEDGER_FORK);
    assert_string_equal(found[1].f.who, "witness w0.example");
    assert_string_equal(found[2].f.who, "witness w1.example");
    assert_string_equal(found[3].f.who, "witness record.example");
}

static void a_witness_that_cosigns_a_smaller_tree_later_is_named(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    world_publish(NOW);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR);
    world_publish(NOW + HOUR);
    world_show(history_note(&note, &honest, 7, NOW + HOUR + PP_MONITOR_SKEW_S, 1), "w0");
    assert_int_equal(found_count, 0); /* clocks may differ */
    world_show(history_note(&note, &honest, 7, NOW + HOUR + PP_MONITOR_SKEW_S + 1, 1), "w0");
    const struct found *f = world_one(PP_E_LEDGER_WITNESS);
    assert_string_equal(f->f.who, "witness w0.example");
    assert_string_equal(f->f.words.field, "time of the cosignature");
}

/* A log whose quorum cosigns a smaller tree after a larger one was rewound, whoever serves what. */
static void w27_t5_a_rewound_log_is_found_by_the_times_of_its_quorums(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    world_publish(NOW);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR);
    world_publish(NOW + HOUR);
    world_show(history_note(&note, &honest, 7, NOW + 3 * HOUR, ALL), "a receipt");
    size_t rewinds = 0, witnesses = 0;
    for (size_t i = 0; i < found_count; i++) {
        rewinds += found[i].f.code == PP_E_LEDGER_REWIND;
        witnesses += found[i].f.code == PP_E_LEDGER_WITNESS;
    }
    assert_int_equal(rewinds, 1);
    assert_int_equal(witnesses, WORLD_WITNESSES);
    assert_string_equal(found[found_count - 1].f.who, "log " ORIGIN);
}

static void w27_t5_a_source_that_goes_back_is_named(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    struct pp_span old = history_note(&note, &honest, 7, NOW, ALL);
    world_round(&source, &honest, old);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + 60);
    world_publish(NOW + 60);
    assert_int_equal(found_count, 0);
    world_round(&source, &honest, old);
    const struct found *f = world_one(PP_E_LEDGER_REWIND);
    assert_string_equal(f->f.who, "http://log.example");
    assert_string_equal(f->f.subject, "size 7 after size 9");
    assert_int_equal(monitor.tree.size, 9); /* what was verified is not gone behind */
}

static void a_stale_mirror_is_named(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    struct pp_span old = history_note(&note, &honest, 7, NOW, ALL);
    world_publish(NOW);
    world_round(&mirror, &honest, old);
    for (unsigned i = 1; i <= 2; i++) {
        history_hosts(&honest, 1 + i);
        history_status(&honest, NOW + i * HOUR);
        monitor.now = NOW + i * HOUR + 60;
        world_publish(NOW + i * HOUR);
        world_round(&mirror, &honest, old);
        assert_int_equal(found_count, i - 1); /* an hour behind is what a mirror may be */
    }
    const struct found *f = world_one(PP_E_LEDGER_STALE);
    assert_string_equal(f->f.who, "http://mirror.example");
    assert_string_equal(f->f.words.field, "time of the quorum");
}

static void a_mirror_with_other_entries_is_named(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    history_first_batch(&other);
    other.entries[3].bytes[100] ^= 1;
    world_publish(NOW);
    world_round(&mirror, &other, history_note(&note, &honest, 7, NOW, ALL));
    const struct found *f = world_one(PP_E_LOG_ROOT);
    assert_string_equal(f->f.who, "http://mirror.example");
    assert_string_equal(f->f.words.field, "root of the tree");
    assert_int_equal(mirror.read.size, 0);
    found_count = 0;
    other.count = 5; /* entries withheld */
    world_round(&mirror, &other, history_note(&note, &honest, 7, NOW, ALL));
    world_one(PP_E_LOG_ROOT);
}

/* A11.11: monitors need at least the clients' quorum. */
static void a11_11_a_head_with_too_few_cosignatures_is_told_and_not_followed(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    world_round(&source, &honest, history_note(&note, &honest, 7, NOW, 3U | 1U << RECORD_W));
    assert_says(world_one(PP_E_LEDGER_QUORUM)->f.words.got, "witness w0.example, witness w1");
    assert_int_equal(monitor.tree.size, 0);
    found_count = 0;
    world_round(&source, &honest, history_note(&note, &honest, 7, NOW, 15));
    world_one(PP_E_LEDGER_RECORD_WITNESS);
    assert_int_equal(monitor.tree.size, 0);
    found_count = 0;
    world_publish(NOW);
    assert_int_equal(found_count, 0);
    assert_int_equal(monitor.tree.size, 7);
}

static void a_flood_of_heads_is_bounded(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    history_begin(&honest);
    for (uint64_t i = 1; i <= PP_MONITOR_AHEAD_MAX + 8; i++) {
        history_hosts(&honest, i);
        world_show(history_note(&note, &honest, i, NOW, 1), "a flood");
    }
    history_begin(&other);
    history_hosts(&other, 99);
    world_publish(NOW);
    found_count = 0;
    for (size_t i = 0; i < PP_MONITOR_FORKS_MAX + 4; i++) {
        world_show(history_note(&note, &other, i + 1, NOW, 0), "a flood");
        history_hosts(&other, 100 + i);
    }
    assert_int_equal(found_count, PP_MONITOR_FORKS_MAX + 4);
}

/* An accusation may not rest on a copy that forgot a bit. */
static pp_res damaged_node(void *ctx, unsigned level, uint64_t index, struct pp_merkle_hash *ret)
{
    PP_TRY(history_node(ctx, level, index, ret));
    if (level == 0)
        ret->bytes[0] ^= 1;
    return PP_OK;
}

static void a_damaged_copy_accuses_nobody(void **state)
{
    struct pp_monitor_head head;

    (void)state;
    world_begin(PP_RECORD_DEV);
    history_first_batch(&honest);
    world_publish(NOW);
    monitor.config.nodes.read = damaged_node;
    assert_ok(pp_monitor_open(&monitor, history_note(&note, &honest, 5, NOW, 0), &head));
    assert_code(pp_monitor_show(&monitor, &head, "a receipt"), PP_E_PROOF);
    assert_int_equal(found_count, 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_honest_log_gives_no_finding),
    cmocka_unit_test(what_is_no_checkpoint_of_this_log_accuses_nobody),
    cmocka_unit_test(w27_t1_a_fork_of_equal_size_is_found_and_the_log_named),
    cmocka_unit_test(w27_t1_a_smaller_fork_is_found_with_a_proof),
    cmocka_unit_test(w27_t1_a_larger_fork_is_found_when_its_entries_are_read),
    cmocka_unit_test(a_larger_head_waits_until_its_size_can_be_computed),
    cmocka_unit_test(two_larger_heads_of_one_size_are_a_fork_at_once),
    cmocka_unit_test(a_lying_witness_is_named_whichever_history_comes_first),
    cmocka_unit_test(a_witness_that_was_led_astray_is_not_accused),
    cmocka_unit_test(one_witness_too_few_honest_is_seen_with_the_first_head_that_a_victim_brings),
    cmocka_unit_test(a_witness_that_cosigns_a_smaller_tree_later_is_named),
    cmocka_unit_test(w27_t5_a_rewound_log_is_found_by_the_times_of_its_quorums),
    cmocka_unit_test(w27_t5_a_source_that_goes_back_is_named),
    cmocka_unit_test(a_stale_mirror_is_named),
    cmocka_unit_test(a_mirror_with_other_entries_is_named),
    cmocka_unit_test(a11_11_a_head_with_too_few_cosignatures_is_told_and_not_followed),
    cmocka_unit_test(a_flood_of_heads_is_bounded),
    cmocka_unit_test(a_damaged_copy_accuses_nobody),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, world_make, world_drop);
}
