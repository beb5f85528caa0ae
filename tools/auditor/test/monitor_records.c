/* SPDX-License-Identifier: Apache-2.0 */
/* Records that break the rules of B1 to B5, and what is late or missing: found, and named. */
#include "monitor_world.h"

#include "host_list.h"

static struct test_text note;

/* The first batch is in and green; the test's record is what comes next. */
static void begin_with(enum pp_record_env environment)
{
    world_begin(environment);
    history_first_batch(&honest);
    world_publish(NOW);
    if (environment == PP_RECORD_DEV)
        assert_int_equal(found_count, 0);
    found_count = 0;
}

static void close_and_publish(uint64_t time)
{
    history_status(&honest, time);
    monitor.now = time + 60;
    world_publish(time);
}

/* Anybody checks the accusation with the two files: the entry is under the log's signature. */
static void assert_evidence(const struct found *f, uint64_t index)
{
    struct pp_policy_checkpoint c;
    struct pp_merkle_hash leaf;
    struct pp_proof proof;

    assert_true(pp_span_eq(world_evidence(f, 0),
                           pp_span(honest.entries[index].bytes, honest.entries[index].len)));
    assert_ok(pp_proof_parse(world_evidence(f, 1), &proof));
    assert_int_equal(proof.index, index);
    pp_merkle_leaf(world_evidence(f, 0), &leaf);
    assert_ok(pp_proof_verify(&proof, &leaf, &log_policy, 0, UINT64_MAX, &c));
}

static void an_unreviewed_release_is_found_with_who_signed_it(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    release_of(&record, 2, PP_RECORD_ORCHESTRATOR, 2);
    history_sign(&honest, TEST_ALICE, 1);
    close_and_publish(NOW + 60);
    const struct found *f = world_one(PP_E_LEDGER_SIGNER);
    assert_string_equal(f->f.who, "log " ORIGIN ", record witness record.example");
    assert_says(f->f.subject, "entry 7, cvm-release ");
    assert_string_equal(f->f.words.expected, "the review quorum");
    assert_string_equal(f->f.words.got, "signed by alice.example");
    assert_evidence(f, 7);
}

static void records_signed_by_the_wrong_party_are_found(void **state)
{
    static const struct {
        const char *expected, *got;
    } want[] = { { "the owner and one reviewer", "signed by alice.example, bob.example" },
                 { "the owner", "signed by alice.example" },
                 { "one reviewer", "signed by owner.example" },
                 { "the log", "signed by owner.example" },
                 { "the review quorum", "signed by " ORIGIN } };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(want); i++) {
        begin_with(PP_RECORD_DEV);
        size_t by = TEST_ALICE, count = 1;
        if (i == 0) {
            host_set_of(&record, 2);
            count = 2;
        } else if (i == 1) {
            key_epoch_of(&record, 3, PP_RECORD_OHTTP, 20002);
        } else if (i == 2) {
            revoke_of(&record, 1, &honest.records[1].id);
            by = TEST_OWNER;
        } else if (i == 3) {
            assert_ok(pp_rules_status(&honest.rules, NOW + 30, &record));
            by = TEST_OWNER;
        } else {
            release_of(&record, 2, PP_RECORD_GUARD, 5);
            by = TEST_LOG;
        }
        history_sign(&honest, by, count);
        close_and_publish(NOW + 60);
        const struct found *f = world_one(PP_E_LEDGER_SIGNER);
        assert_string_equal(f->f.words.expected, want[i].expected);
        assert_string_equal(f->f.words.got, want[i].got);
    }
}

static void a_wrong_signature_of_a_listed_key_is_found(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    release_of(&record, 2, PP_RECORD_ORCHESTRATOR, 2);
    assert_ok(pp_record_sign(test_begin(&entry_text), &record, &signers[TEST_ALICE], 2));
    struct pp_span entry = test_end(&entry_text);
    char *line = strstr(entry_text.bytes, "alice.example ") + strlen("alice.example ") + 20;
    *line = *line == 'A' ? 'B' : 'A';
    history_append(&honest, entry);
    pp_rules_feed_broken(&honest.rules, entry);
    close_and_publish(NOW + 60);
    assert_int_equal(found_count, 1);
    assert_says(found[0].f.words.got, "a wrong signature of a listed key");
}

static void one_measurement_in_two_roles_is_found_with_both(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_release(&honest, 1, PP_RECORD_GUARD, 1);
    close_and_publish(NOW + 60);
    const struct found *f = world_one(PP_E_LEDGER_TWO_ROLES);
    assert_says(f->f.subject, "entry 7, cvm-release ");
    assert_says(f->f.words.expected, "not that of orchestrator ");
    assert_string_equal(f->f.words.got, "guard");
    assert_evidence(f, 7);
}

/* A2: the leaf is of the whole entry, so another signature line makes another leaf of one text. */
static void un_revocation_by_logging_the_text_under_another_leaf_is_found(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    revoke_of(&record, 1, &honest.records[1].id);
    history_sign(&honest, TEST_BOB, 1);
    close_and_publish(NOW + 60);
    assert_int_equal(found_count, 0);
    release_of(&record, 1, PP_RECORD_ORCHESTRATOR, 1);
    history_sign(&honest, TEST_OWNER, 3); /* the owner's line as well */
    close_and_publish(NOW + 120);
    const struct found *f = world_one(PP_E_LEDGER_REVOKED);
    assert_says(f->f.subject, "entry 9, cvm-release ");
    assert_string_equal(f->f.words.expected, "never again: entry 7 revoked it");
    assert_evidence(f, 9);
}

static void a_text_that_was_not_revoked_is_a_repetition(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    release_of(&record, 1, PP_RECORD_ORCHESTRATOR, 1);
    history_sign(&honest, TEST_OWNER, 3);
    close_and_publish(NOW + 60);
    world_one(PP_E_DUPLICATE);
}

static void a_revoked_measurement_in_a_new_release_is_found(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    revoke_of(&record, 1, &honest.records[1].id);
    history_sign(&honest, TEST_BOB, 1);
    history_release(&honest, 2, PP_RECORD_ORCHESTRATOR, 1);
    close_and_publish(NOW + 60);
    assert_says(world_one(PP_E_LEDGER_REVOKED)->f.words.expected,
                "not that of the revoked release");
}

static void a_status_that_lists_a_revoked_release_is_found_once(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    revoke_of(&record, 1, &honest.records[1].id);
    history_sign(&honest, TEST_BOB, 1);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_ok(pp_rules_status(&honest.rules, NOW + i * 60, &record));
        record.status.release_count = 1;
        record.status.releases[0] = honest.records[1].id;
        history_sign(&honest, TEST_LOG, 1);
        world_publish(NOW + i * 60);
    }
    assert_int_equal(found_count, 3);
    struct pp_monitor_finding_id first, second, third;
    pp_monitor_finding_id_of(&found[0].f, &first);
    pp_monitor_finding_id_of(&found[1].f, &second);
    pp_monitor_finding_id_of(&found[2].f, &third);
    assert_int_equal(found[0].f.code, PP_E_LEDGER_STATUS);
    assert_says(found[0].f.subject, "entry 8, status ");
    assert_says(found[1].f.subject, "status records behind entry 8, difference ");
    assert_memory_equal(&second, &third, sizeof second); /* one finding, not one an hour */
    assert_memory_not_equal(&first, &second, sizeof first);
}

/* A log that breaks a small rule once is not free to say anything from then on. */
static void another_lie_of_a_status_is_another_finding(void **state)
{
    struct pp_monitor_finding_id second, third;

    (void)state;
    begin_with(PP_RECORD_DEV);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_ok(pp_rules_status(&honest.rules, NOW + i * 60, &record));
        if (i == 3) {
            record.status.release_count = 0;
            record.status.key_count = 4;
        } else {
            record.status.key_count = 3;
        }
        history_sign(&honest, TEST_LOG, 1);
        world_publish(NOW + i * 60);
    }
    assert_int_equal(found_count, 3);
    pp_monitor_finding_id_of(&found[1].f, &second);
    pp_monitor_finding_id_of(&found[2].f, &third);
    assert_memory_not_equal(&second, &third, sizeof second);
}

/* More revocations than a status can list are a fault of the log, and no reason to read no more. */
static void the_revocation_that_is_one_too_many_is_found_and_read_past(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    for (uint64_t i = 0; i <= PP_STATUS_REVOKED_MAX; i++)
        history_hosts(&honest, i + 2);
    for (uint64_t i = 0; i <= PP_STATUS_REVOKED_MAX; i++) {
        revoke_of(&record, i + 1, &honest.records[honest.rules.state.record_count - 1 - i].id);
        history_sign(&honest, TEST_BOB, 1);
    }
    close_and_publish(NOW + 60);
    const struct found *f = world_one(PP_E_LIMIT);
    assert_says(f->f.subject, ", revoke ");
    history_release(&honest, 1, PP_RECORD_GUARD, 1);
    close_and_publish(NOW + 120);
    assert_int_equal(found_count, 2);
    assert_int_equal(found[1].f.code, PP_E_LEDGER_TWO_ROLES);
}

static void what_is_no_record_is_found_with_its_entry(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_append(&honest, PP_STR("noise\n"));
    pp_rules_feed_broken(&honest.rules, PP_STR("noise\n"));
    close_and_publish(NOW + 60);
    const struct found *f = world_one(PP_E_LEDGER_RECORD);
    assert_string_equal(f->f.subject, "entry 7");
    assert_evidence(f, 7);
}

static void a_record_of_another_place_is_found(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    host_set_of(&record, 2);
    record.environment = PP_RECORD_STAGING;
    history_sign(&honest, TEST_OWNER, 2);
    close_and_publish(NOW + 60);
    world_one(PP_E_LEDGER_NAMESPACE);
}

static void a_tree_that_no_status_closes_is_found(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_hosts(&honest, 2);
    world_publish(NOW + 60);
    assert_string_equal(world_one(PP_E_LEDGER_NOT_LAST)->f.subject, "size 8");
}

/* --- dates ------------------------------------------------------------------------------------ */

static void a_status_dated_before_the_quorum_of_a_smaller_tree_is_back_dated(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    world_publish(NOW + 5 * HOUR); /* the witnesses say: seven entries, and no more */
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR); /* waiting times would count from here */
    monitor.now = NOW + 6 * HOUR;
    world_publish(NOW + 6 * HOUR);
    const struct found *f = world_one(PP_E_LEDGER_BACKDATED);
    assert_says(f->f.subject, "entry 8, status ");
    assert_evidence(f, 8);
    assert_int_equal(f->evidence_count, 3); /* and the checkpoint that shows how large it was */
}

static void a_status_a_little_before_the_quorum_is_not(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    world_publish(NOW + HOUR);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR - PP_MONITOR_SKEW_S);
    monitor.now = NOW + HOUR;
    world_publish(NOW + HOUR + 1);
    assert_int_equal(found_count, 0);
}

static void a_status_of_the_future_is_found_by_its_cosignatures(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + HOUR);
    monitor.now = NOW + 2 * HOUR; /* the monitor's own clock is not what counts */
    world_publish(NOW + 60);
    assert_says(world_one(PP_E_LEDGER_FUTURE)->f.subject, "entry 8, status ");
}

/* Outside dev: keys two days, releases a day before their use, statuses on the hour. */
static void records_that_did_not_wait_are_found(void **state)
{
    (void)state;
    world_begin(PP_RECORD_PROD);
    host_set_of(&record, 1);
    record.environment = PP_RECORD_PROD;
    history_sign(&honest, TEST_OWNER, 2);
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, 20001); /* use begins in 14 hours */
    record.environment = PP_RECORD_PROD;
    record.time = NOW - 2 * PP_DAY_S; /* dated back, but the status counts */
    history_sign(&honest, TEST_OWNER, 1);
    history_status(&honest, NOW);
    world_publish(NOW + 2);
    assert_int_equal(found_count, 1);
    assert_int_equal(found[0].f.code, PP_E_LEDGER_WINDOW);
}

static void a_status_that_comes_hours_late_is_told(void **state)
{
    (void)state;
    world_begin(PP_RECORD_STAGING);
    host_set_of(&record, 1);
    record.environment = PP_RECORD_STAGING;
    history_sign(&honest, TEST_OWNER, 2);
    history_status(&honest, NOW);
    world_publish(NOW);
    history_status(&honest, NOW + HOUR);
    world_publish(NOW + HOUR);
    assert_int_equal(found_count, 0);
    history_status(&honest, NOW + 4 * HOUR);
    monitor.now = NOW + 4 * HOUR;
    world_publish(NOW + 4 * HOUR);
    const struct found *f = world_one(PP_E_LEDGER_LATE);
    assert_int_equal(f->f.level, PP_FINDING_WARNING);
    assert_evidence(f, 3);
}

/* --- conditions ------------------------------------------------------------------------------- */

static size_t count_of(enum pp_code code, enum pp_finding_level level)
{
    size_t n = 0;

    for (size_t i = 0; i < found_count; i++)
        n += found[i].f.code == code && found[i].f.level == level;
    return n;
}

static void conditions_at(uint64_t now)
{
    found_count = 0;
    monitor.now = now;
    assert_ok(pp_monitor_conditions(&monitor));
}

static void a_quorum_older_than_six_hours_is_an_alarm(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    conditions_at(NOW + PP_MONITOR_LATE_S);
    assert_int_equal(found_count, 0);
    conditions_at(NOW + PP_MONITOR_LATE_S + 1);
    assert_int_equal(world_one(PP_E_LEDGER_LATE)->f.level, PP_FINDING_WARNING);
    conditions_at(NOW + PP_MONITOR_QUORUM_S);
    assert_int_equal(count_of(PP_E_LEDGER_STALE, PP_FINDING_ALARM), 0);
    conditions_at(NOW + PP_MONITOR_QUORUM_S + 1);
    assert_int_equal(count_of(PP_E_LEDGER_STALE, PP_FINDING_ALARM), 1);
}

static void a_slow_witness_is_named_until_it_comes_back(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + 25 * HOUR);
    monitor.now = NOW + 25 * HOUR;
    world_round(&source, &honest,
                history_note(&note, &honest, honest.count, NOW + 25 * HOUR, QUORUM));
    conditions_at(NOW + 25 * HOUR);
    assert_int_equal(count_of(PP_E_LEDGER_WITNESS_SLOW, PP_FINDING_WARNING), 1);
    for (size_t i = 0; i < found_count; i++)
        if (found[i].f.code == PP_E_LEDGER_WITNESS_SLOW)
            assert_string_equal(found[i].f.who, "witness w3.example");
    /* Its own monitoring endpoint shows that it is there after all. */
    world_show(history_note(&note, &honest, honest.count, NOW + 25 * HOUR, 8), "w3");
    conditions_at(NOW + 25 * HOUR);
    assert_int_equal(count_of(PP_E_LEDGER_WITNESS_SLOW, PP_FINDING_WARNING), 0);
}

static void a_larger_tree_that_the_log_no_longer_serves_is_an_alarm(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + 60);
    world_show(history_note(&note, &honest, 9, NOW + 60, QUORUM), "a receipt");
    conditions_at(NOW + 60);
    assert_int_equal(found_count, 0);
    conditions_at(NOW + 2 * HOUR);
    assert_int_equal(count_of(PP_E_LEDGER_REWIND, PP_FINDING_ALARM), 1);
    world_publish(NOW + 2 * HOUR);
    conditions_at(NOW + 2 * HOUR);
    assert_int_equal(count_of(PP_E_LEDGER_REWIND, PP_FINDING_ALARM), 0);
}

/* A batch that waits for its witnesses is shown by those that cosigned it already. */
static void a_larger_tree_that_waits_for_its_quorum_is_late(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    history_hosts(&honest, 2);
    history_status(&honest, NOW + 60);
    world_show(history_note(&note, &honest, 9, NOW + 60, 3), "w0");
    conditions_at(NOW + 2 * HOUR);
    assert_int_equal(count_of(PP_E_LEDGER_REWIND, PP_FINDING_ALARM), 0);
    assert_int_equal(count_of(PP_E_LEDGER_LATE, PP_FINDING_WARNING), 2); /* and the status */
}

static void an_acknowledged_record_that_is_not_there_is_withheld(void **state)
{
    (void)state;
    begin_with(PP_RECORD_DEV);
    release_of(&record, 2, PP_RECORD_ORCHESTRATOR, 7);
    static struct test_text text;
    assert_ok(pp_record_write(test_begin(&text), &record));
    pp_record_id_of(test_end(&text), &monitor.expected[0]);
    monitor.expected_found[0] = 0;
    monitor.expected_count = 1;
    conditions_at(NOW + 60);
    assert_int_equal(world_one(PP_E_LEDGER_WITHHELD)->f.level, PP_FINDING_ALARM);
    history_release(&honest, 2, PP_RECORD_ORCHESTRATOR, 7);
    close_and_publish(NOW + 120);
    conditions_at(NOW + 120);
    assert_int_equal(found_count, 0);
}

/* pp-wire 13: alarms at half time, while there is time to publish the next one. */
static void what_runs_out_is_told_at_half_time_and_at_the_end(void **state)
{
    static const struct {
        uint64_t at;
        size_t warnings, alarms;
    } rows[] = {
        { NOW, 0, 0 },
        { UINT64_C(20001) * PP_DAY_S, 2, 0 }, /* no keys of the day after */
        { UINT64_C(20002) * PP_DAY_S, 0, 2 }, /* none of today */
        { NOW + PP_HOST_SET_LIFE_S / 2 - 1, 0, 2 },
        { NOW + PP_HOST_SET_LIFE_S / 2, 1, 2 },
        { NOW + PP_HOST_SET_LIFE_S, 0, 3 },
        { NOW + PP_RELEASE_LIFE_S / 2, 1, 3 },
        { NOW + PP_RELEASE_LIFE_S, 0, 4 },
    };

    (void)state;
    begin_with(PP_RECORD_DEV);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        conditions_at(rows[i].at);
        assert_int_equal(count_of(PP_E_LEDGER_EXPIRING, PP_FINDING_WARNING), rows[i].warnings);
        assert_int_equal(count_of(PP_E_LEDGER_EXPIRING, PP_FINDING_ALARM), rows[i].alarms);
    }
}

static void nothing_is_overdue_in_an_empty_log(void **state)
{
    (void)state;
    world_begin(PP_RECORD_DEV);
    conditions_at(NOW + 100 * HOUR);
    assert_int_equal(found_count, 0);
}

/* --- publications ----------------------------------------------------------------------------- */

static struct pp_monitor_publication publication_of(uint64_t index)
{
    struct pp_monitor_publication p = { 0 };

    assert_int_equal(
        pp_monitor_publication_of(pp_span(honest.entries[index].bytes, honest.entries[index].len),
                                  index, &p),
        1);
    return p;
}

static void a_release_without_its_image_is_an_alarm_after_a_day(void **state)
{
    struct pp_monitor_publication p;
    int done;

    (void)state;
    begin_with(PP_RECORD_DEV);
    p = publication_of(1);
    assert_string_equal(p.where, "https://images.example.org/1");
    monitor.now = NOW + PP_MONITOR_PUBLIC_S - 1;
    assert_ok(pp_monitor_publish(&monitor, &p, NULL, &done));
    assert_int_equal(found_count + (size_t)done, 0);
    monitor.now++;
    assert_ok(pp_monitor_publish(&monitor, &p, NULL, &done));
    assert_int_equal(done, 0);
    const struct found *f = world_one(PP_E_LEDGER_UNPUBLISHED);
    assert_says(f->f.subject, "entry 1, image of release ");
    assert_string_equal(f->f.words.got, "https://images.example.org/1");
    found_count = 0;
    monitor.now = p.until; /* nobody runs it any more */
    assert_ok(pp_monitor_publish(&monitor, &p, NULL, &done));
    assert_int_equal(done, 1);
    assert_int_equal(found_count, 0);
}

static void an_image_is_compared_in_length_and_digest(void **state)
{
    struct pp_monitor_publication p;
    struct pp_monitor_published got = { .bytes = 1 };
    int done;

    (void)state;
    begin_with(PP_RECORD_DEV);
    p = publication_of(1);
    memcpy(got.sha256, p.sha256, sizeof got.sha256);
    assert_ok(pp_monitor_publish(&monitor, &p, &got, &done));
    assert_int_equal(done, 1);
    assert_int_equal(found_count, 0);
    got.bytes = 2;
    assert_ok(pp_monitor_publish(&monitor, &p, &got, &done));
    assert_int_equal(done, 0);
    assert_string_equal(world_one(PP_E_LEDGER_UNPUBLISHED)->f.words.field, "bytes");
    found_count = 0;
    got.bytes = 1;
    got.sha256[31] ^= 1;
    assert_ok(pp_monitor_publish(&monitor, &p, &got, &done));
    assert_string_equal(world_one(PP_E_LEDGER_UNPUBLISHED)->f.words.field, "SHA-256");
}

static void a_host_list_has_to_give_the_root_of_its_record(void **state)
{
    const struct pp_host_list head = { .ledger = PP_STR(ORIGIN),
                                       .name_space = PP_STR(NAMESPACE),
                                       .environment = PP_RECORD_DEV,
                                       .serial = 1,
                                       .not_after = NOW + PP_DAY_S,
                                       .where = PP_STR("https://hosts.example.org/1") };
    struct pp_host_row row = { .product = PP_HOST_GENOA, .from = NOW, .until = NOW + PP_DAY_S };
    struct pp_monitor_publication p = { .type = PP_RECORD_HOST_SET, .posix_s = NOW };
    struct pp_monitor_published got = { 0 };
    uint8_t id[PP_HOST_ID_BYTES] = { 7 };
    static struct test_text list;
    int done;

    (void)state;
    begin_with(PP_RECORD_DEV);
    assert_ok(pp_host_row_id(PP_HOST_GENOA, PP_BYTES(id), &row.host));
    pp_host_list_write(test_begin(&list), &head);
    pp_host_row_write(&list.wr, &row);
    got.list = test_end(&list);
    got.bytes = got.list.len;
    p.until = NOW + PP_DAY_S;
    pp_merkle_leaf(PP_BYTES(row.host.entry), &p.root);
    assert_ok(pp_monitor_publish(&monitor, &p, &got, &done));
    assert_int_equal(done, 1);
    assert_int_equal(found_count, 0);
    p.root.bytes[0] ^= 1;
    assert_ok(pp_monitor_publish(&monitor, &p, &got, &done));
    assert_int_equal(done, 0);
    assert_string_equal(world_one(PP_E_LEDGER_UNPUBLISHED)->f.words.field, "root of the list");
    found_count = 0;
    got.list.len--; /* no list at all */
    assert_ok(pp_monitor_publish(&monitor, &p, &got, &done));
    assert_string_equal(world_one(PP_E_LEDGER_UNPUBLISHED)->f.words.got, "");
    struct pp_monitor_publication none;
    assert_int_equal(pp_monitor_publication_of(PP_STR("noise\n"), 0, &none), 0);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(an_unreviewed_release_is_found_with_who_signed_it),
    cmocka_unit_test(records_signed_by_the_wrong_party_are_found),
    cmocka_unit_test(a_wrong_signature_of_a_listed_key_is_found),
    cmocka_unit_test(one_measurement_in_two_roles_is_found_with_both),
    cmocka_unit_test(un_revocation_by_logging_the_text_under_another_leaf_is_found),
    cmocka_unit_test(a_text_that_was_not_revoked_is_a_repetition),
    cmocka_unit_test(a_revoked_measurement_in_a_new_release_is_found),
    cmocka_unit_test(a_status_that_lists_a_revoked_release_is_found_once),
    cmocka_unit_test(another_lie_of_a_status_is_another_finding),
    cmocka_unit_test(the_revocation_that_is_one_too_many_is_found_and_read_past),
    cmocka_unit_test(what_is_no_record_is_found_with_its_entry),
    cmocka_unit_test(a_record_of_another_place_is_found),
    cmocka_unit_test(a_tree_that_no_status_closes_is_found),
    cmocka_unit_test(a_status_dated_before_the_quorum_of_a_smaller_tree_is_back_dated),
    cmocka_unit_test(a_status_a_little_before_the_quorum_is_not),
    cmocka_unit_test(a_status_of_the_future_is_found_by_its_cosignatures),
    cmocka_unit_test(records_that_did_not_wait_are_found),
    cmocka_unit_test(a_status_that_comes_hours_late_is_told),
    cmocka_unit_test(a_quorum_older_than_six_hours_is_an_alarm),
    cmocka_unit_test(a_slow_witness_is_named_until_it_comes_back),
    cmocka_unit_test(a_larger_tree_that_the_log_no_longer_serves_is_an_alarm),
    cmocka_unit_test(a_larger_tree_that_waits_for_its_quorum_is_late),
    cmocka_unit_test(an_acknowledged_record_that_is_not_there_is_withheld),
    cmocka_unit_test(what_runs_out_is_told_at_half_time_and_at_the_end),
    cmocka_unit_test(nothing_is_overdue_in_an_empty_log),
    cmocka_unit_test(a_release_without_its_image_is_an_alarm_after_a_day),
    cmocka_unit_test(an_image_is_compared_in_length_and_digest),
    cmocka_unit_test(a_host_list_has_to_give_the_root_of_its_record),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, world_make, world_drop);
}
