/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the ledger; whole logs, good and bad, are rows of tests/vectors/records. */
#include "record_test.h"

#include "record_rules.h"

enum { RECORDS = 12, MEASUREMENTS = 10 };

static struct pp_rules_record records[RECORDS];
static struct pp_rules_measurement measurements[MEASUREMENTS];
static struct pp_rules rules;
static struct test_text text;
static struct pp_record record;

static void begin(void)
{
    struct pp_rules_config c = {
        .ledger = PP_STR(ORIGIN),
        .name_space = PP_STR(NAMESPACE),
        .environment = PP_RECORD_DEV,
        .keys = keys,
        .records = records,
        .record_cap = RECORDS,
        .measurements = measurements,
        .measurement_cap = MEASUREMENTS,
    };

    pp_rules_init(&rules, &c);
}

static pp_res feed(const struct pp_note_signer *by, size_t count)
{
    assert_ok(pp_record_sign(test_begin(&text), &record, by, count));
    return pp_rules_feed(&rules, test_end(&text), NOW);
}

static pp_res feed_release(uint64_t serial, enum pp_record_role role, uint8_t fill)
{
    release_of(&record, serial, role, fill);
    return feed(&signers[TEST_ALICE], 2);
}

static pp_res feed_hosts(uint64_t serial)
{
    host_set_of(&record, serial);
    return feed(&signers[TEST_OWNER], 2);
}

static pp_res feed_revoke(uint64_t serial, size_t target)
{
    struct pp_record_id id = records[target].id;

    revoke_of(&record, serial, &id);
    return feed(&signers[TEST_BOB], 1);
}

static pp_res feed_status(void)
{
    PP_TRY(pp_rules_status(&rules, NOW, &record));
    return feed(&signers[TEST_LOG], 1);
}

static void a_log_is_open_until_its_status(void **state)
{
    (void)state;
    begin();
    assert_code(pp_rules_closed(&rules), PP_E_LEDGER_NOT_LAST);
    assert_ok(feed_hosts(1));
    assert_code(pp_rules_closed(&rules), PP_E_LEDGER_NOT_LAST);
    assert_ok(feed_status());
    assert_ok(pp_rules_closed(&rules));
    assert_ok(feed_release(1, PP_RECORD_GUARD, 1));
    assert_code(pp_rules_closed(&rules), PP_E_LEDGER_NOT_LAST);
    assert_int_equal(rules.state.entries, 3);
}

static void a_refused_entry_changes_nothing(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    struct pp_rules_state before = pp_rules_save(&rules);
    assert_code(feed_hosts(1), PP_E_LEDGER_SERIAL);
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    assert_code(feed(&signers[TEST_ALICE], 1), PP_E_LEDGER_SIGNER);
    record.name_space = PP_STR("another");
    assert_code(feed(&signers[TEST_ALICE], 2), PP_E_LEDGER_NAMESPACE);
    assert_code(pp_rules_feed(&rules, PP_STR("noise\n"), NOW), PP_E_FORMAT);
    assert_memory_equal(&before, &rules.state, sizeof before);
}

/* The log tries a batch out, and the record witness reads one that it then refuses. */
static void a_batch_can_be_taken_back_revocations_included(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    assert_ok(feed_release(1, PP_RECORD_GUARD, 1));
    assert_ok(feed_release(1, PP_RECORD_GATEWAY, 2));
    assert_ok(feed_revoke(1, 1));
    assert_ok(feed_status());
    struct pp_rules_state saved = pp_rules_save(&rules);
    assert_ok(feed_revoke(2, 2));
    assert_ok(feed_release(2, PP_RECORD_GUARD, 3));
    assert_ok(feed_status());
    assert_int_equal(rules.state.record_count, 4);
    pp_rules_restore(&rules, &saved);
    assert_int_equal(rules.state.record_count, 3);
    assert_true(records[1].revoked_at != 0);
    assert_int_equal(records[2].revoked_at, 0);
    assert_ok(feed_revoke(2, 2)); /* what was taken back can be done again */
    assert_ok(feed_status());
    assert_int_equal(record.status.revoked_count, 2);
}

static pp_res feed_hosts_revoked(uint64_t serial)
{
    PP_TRY(feed_hosts(records[rules.state.record_count - 1].serial + 1));
    return feed_revoke(serial, rules.state.record_count - 1);
}

/* One stolen reviewer's key would end revocation for ever. */
static void one_record_cannot_use_up_the_serials_of_its_type(void **state)
{
    const uint64_t step = PP_RULES_SERIAL_STEP_MAX;

    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    assert_code(feed_revoke(PP_RECORD_NUMBER_MAX, 0), PP_E_LEDGER_SERIAL);
    assert_code(feed_revoke(step + 1, 0), PP_E_LEDGER_SERIAL);
    assert_ok(feed_revoke(step, 0));
    assert_code(feed_hosts_revoked(2 * step + 1), PP_E_LEDGER_SERIAL);
    assert_ok(feed_hosts_revoked(2 * step));
    assert_ok(feed_status());
    record.serial = PP_RECORD_NUMBER_MAX;
    assert_code(feed(&signers[TEST_LOG], 1), PP_E_LEDGER_SERIAL);
}

/* A stolen owner's key is a stolen month, and not the end of the ledger. */
static void keys_are_logged_a_month_ahead_at_most(void **state)
{
    const uint64_t today = 20000, month = PP_RULES_KEYS_AHEAD_S / PP_DAY_S;

    (void)state;
    begin();
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, PP_RECORD_TIME_MAX / PP_DAY_S - 2);
    assert_code(feed(&signers[TEST_OWNER], 1), PP_E_LEDGER_WINDOW);
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, today + month + 1);
    assert_code(feed(&signers[TEST_OWNER], 1), PP_E_LEDGER_WINDOW);
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, today + month);
    assert_ok(feed(&signers[TEST_OWNER], 1));
}

/* A log that takes such a record all the same does not make its monitors refuse what follows. */
static void a_serial_out_of_reach_is_not_the_last_one_for_who_goes_on_behind_it(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    assert_code(feed_hosts(PP_RECORD_NUMBER_MAX), PP_E_LEDGER_SERIAL);
    pp_rules_feed_broken(&rules, test_end(&text));
    assert_int_equal(rules.state.entries, 2);
    assert_ok(feed_hosts(2));
}

/* W21.T5 */
static void w21_t5_a_revoked_measurement_never_comes_back(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    assert_ok(feed_release(1, PP_RECORD_GUARD, 1));
    assert_ok(feed_release(2, PP_RECORD_GUARD, 1));
    assert_ok(feed_revoke(1, 1));
    assert_code(feed_release(3, PP_RECORD_GUARD, 1), PP_E_LEDGER_REVOKED);
    assert_ok(feed_release(3, PP_RECORD_GUARD, 2));
    assert_code(feed_release(1, PP_RECORD_PREDICTOR, 2), PP_E_LEDGER_TWO_ROLES);
    /* one role's refusal is not hidden by the other's: revoked and of another role */
    assert_code(feed_release(1, PP_RECORD_PREDICTOR, 1), PP_E_LEDGER_TWO_ROLES);
}

static void the_same_registers_in_another_order_are_another_tdx_measurement(void **state)
{
    (void)state;
    begin();
    for (int swapped = 0; swapped <= 1; swapped++) {
        release_of(&record, 1, swapped ? PP_RECORD_PREDICTOR : PP_RECORD_GUARD,
                   (uint8_t)(1 + swapped));
        record.release.tdx_count = 1;
        record.release.tdx[0].label = PP_STR("t");
        record.release.tdx[0].vcpus = 1;
        record.release.tdx[0].rtmr[swapped][0] = 1;
        assert_ok(feed(&signers[TEST_ALICE], 2));
    }
    record.release.role = PP_RECORD_GATEWAY;
    record.release.snp[0].measurement[0] = 9;
    assert_code(feed(&signers[TEST_ALICE], 2), PP_E_LEDGER_TWO_ROLES);
}

static void full_tables_refuse(void **state)
{
    (void)state;
    begin();
    for (uint64_t i = 1; i <= RECORDS; i++)
        assert_ok(feed_hosts(i));
    assert_code(feed_hosts(RECORDS + 1), PP_E_LIMIT);
    assert_ok(feed_status()); /* a full log can still be closed, and revoked from */
    assert_ok(feed_revoke(1, 0));
    assert_ok(feed_status());
    begin();
    for (uint8_t i = 1; i <= MEASUREMENTS; i++)
        assert_ok(feed_release(i, PP_RECORD_GUARD, i));
    assert_code(feed_release(MEASUREMENTS + 1, PP_RECORD_GUARD, 99), PP_E_LIMIT);
}

static void the_status_we_make_is_the_status_we_accept(void **state)
{
    (void)state;
    begin();
    assert_code(pp_rules_status(&rules, NOW, &record), PP_E_MISSING);
    assert_ok(feed_hosts(1));
    for (uint8_t i = 1; i <= 6; i++) {
        assert_ok(feed_release(i, PP_RECORD_ORCHESTRATOR, i));
        assert_ok(feed_status());
        assert_int_equal(record.serial, i);
        assert_int_equal(record.status.release_count, i < 4 ? i : 4);
        assert_int_equal(record.status.min_serial[PP_RECORD_ORCHESTRATOR], i <= 4 ? 1 : i - 3);
        assert_int_equal(record.status.min_serial[PP_RECORD_GUARD], 1);
    }
}

static void assert_no_status(void)
{
    assert_code(feed(&signers[TEST_LOG], 1), PP_E_LEDGER_STATUS);
}

/* As many of each as there should be, one of them another one; then one too few. */
static void a_status_that_names_another_record_is_refused(void **state)
{
    (void)state;
    struct pp_record right;

    begin();
    assert_ok(feed_hosts(1));
    assert_ok(feed_release(1, PP_RECORD_GUARD, 1));
    assert_ok(feed_release(1, PP_RECORD_GATEWAY, 2));
    assert_ok(feed_release(1, PP_RECORD_PREDICTOR, 3));
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, 20000);
    assert_ok(feed(&signers[TEST_OWNER], 1));
    key_epoch_of(&record, 1, PP_RECORD_ISSUER, 20000);
    assert_ok(feed(&signers[TEST_OWNER], 1));
    assert_ok(feed_revoke(1, 3));
    assert_ok(pp_rules_status(&rules, NOW, &right));
    struct pp_status *s = &record.status;
    assert_int_equal(right.status.release_count, 2);
    assert_int_equal(right.status.key_count, 2);
    assert_int_equal(right.status.revoked_count, 1);
    for (size_t i = 0; i < 2; i++) {
        record = right;
        s->releases[i].bytes[31] ^= 1;
        assert_no_status();
        record = right;
        s->keys[i].id.bytes[31] ^= 1;
        assert_no_status();
    }
    record = right;
    s->revoked[0].bytes[31] ^= 1;
    assert_no_status();
    record = right;
    s->hosts.bytes[31] ^= 1;
    assert_no_status();
    record = right;
    s->release_count--;
    assert_no_status();
    record = right;
    s->key_count--;
    assert_no_status();
    record = right;
    s->revoked_count--;
    assert_no_status();
    record = right;
    assert_ok(feed(&signers[TEST_LOG], 1));
}

/* W21: what a status has ruled out once, no later status brings back. */
static void a_lowest_serial_never_goes_down(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    assert_ok(feed_release(1, PP_RECORD_GUARD, 1));
    struct pp_record_id release = records[1].id;
    assert_ok(pp_rules_status(&rules, NOW, &record));
    record.status.min_serial[PP_RECORD_GUARD] = 2;
    record.status.release_count = 0;
    assert_ok(feed(&signers[TEST_LOG], 1));
    assert_ok(feed_hosts(2));
    assert_ok(pp_rules_status(&rules, NOW, &record));
    assert_int_equal(record.status.min_serial[PP_RECORD_GUARD], 2);
    record.status.min_serial[PP_RECORD_GUARD] = 1;
    record.status.releases[0] = release;
    record.status.release_count = 1;
    assert_code(feed(&signers[TEST_LOG], 1), PP_E_LEDGER_STATUS);
}

static void keys_of_today_and_tomorrow_are_listed(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    for (uint64_t i = 0; i < 3; i++)
        for (unsigned kind = 0; kind < PP_RECORD_KINDS; kind++) {
            key_epoch_of(&record, i + 1, (enum pp_record_kind)kind, 20000 + i);
            assert_ok(feed(&signers[TEST_OWNER], 1));
        }
    assert_ok(pp_rules_status(&rules, NOW, &record));
    assert_int_equal(record.status.key_count, 4);
    uint64_t midnight = UINT64_C(20001) * PP_DAY_S;
    assert_ok(pp_rules_status(&rules, midnight - 1, &record));
    assert_int_equal(record.status.key_count, 4);
    struct pp_status_key first = record.status.keys[0];
    assert_ok(pp_rules_status(&rules, midnight, &record));
    assert_int_equal(record.status.key_count, 4);
    assert_int_equal(first.kind, PP_RECORD_ISSUER);
    assert_ok(pp_rules_status(&rules, midnight + PP_DAY_S, &record));
    assert_int_equal(record.status.key_count, 2);
    assert_ok(pp_rules_status(&rules, midnight + 2 * PP_DAY_S, &record));
    assert_int_equal(record.status.key_count, 0);
}

/* A log of many years costs its reader the weeks that are alive. What lives behind what has ended
 * stays listed, and a batch that is taken back brings what it had ended to life again. */
static void what_has_ended_is_past_for_every_later_status(void **state)
{
    (void)state;
    uint64_t later = NOW + 3 * PP_DAY_S; /* the keys have ended, host-set and release have not */

    begin();
    key_epoch_of(&record, 1, PP_RECORD_ISSUER, 20000);
    assert_ok(feed(&signers[TEST_OWNER], 1));
    assert_ok(feed_release(1, PP_RECORD_ORCHESTRATOR, 1));
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, 20000);
    assert_ok(feed(&signers[TEST_OWNER], 1));
    assert_ok(feed_hosts(1));
    assert_ok(feed_status());
    assert_int_equal(record.status.key_count, 2);
    assert_int_equal(rules.state.record_live, 0);
    struct pp_rules_state saved = pp_rules_save(&rules);
    assert_ok(pp_rules_status(&rules, later, &record));
    assert_ok(pp_record_sign(test_begin(&text), &record, &signers[TEST_LOG], 1));
    assert_ok(pp_rules_feed(&rules, test_end(&text), later));
    assert_int_equal(rules.state.record_live, 1); /* the release keeps the key behind it */
    assert_int_equal(record.status.key_count, 0);
    assert_int_equal(record.status.release_count, 1);
    assert_true(pp_record_id_same(&record.status.hosts, &records[3].id));
    assert_ok(feed_revoke(1, 1)); /* what lives is found behind it */
    assert_ok(pp_rules_status(&rules, later, &record));
    assert_int_equal(record.status.release_count, 0);
    assert_int_equal(record.status.revoked_count, 1);
    pp_rules_restore(&rules, &saved);
    assert_int_equal(rules.state.record_live, 0);
    assert_ok(pp_rules_status(&rules, NOW, &record));
    assert_int_equal(record.status.key_count, 2);
    assert_int_equal(record.status.release_count, 1);
    /* When all of them have ended, the newest host-set is still the one that a status names. */
    assert_ok(pp_rules_status(&rules, NOW + 100 * PP_DAY_S, &record));
    assert_ok(pp_record_sign(test_begin(&text), &record, &signers[TEST_LOG], 1));
    assert_ok(pp_rules_feed(&rules, test_end(&text), NOW + 100 * PP_DAY_S));
    assert_int_equal(rules.state.record_live, 4);
    assert_true(pp_record_id_same(&record.status.hosts, &records[3].id));
}

/* A monitor that goes on behind a broken rule names the next fault, and not the first one again. */
static void behind_a_broken_rule_the_machine_goes_on(void **state)
{
    (void)state;
    begin();
    assert_ok(feed_hosts(1));
    assert_code(feed_release(1, PP_RECORD_GUARD, 1), PP_E_OK);
    assert_ok(feed_revoke(1, 1));
    assert_ok(feed_status());
    release_of(&record, 2, PP_RECORD_GUARD, 2);
    assert_code(feed(&signers[TEST_ALICE], 1), PP_E_LEDGER_SIGNER);
    pp_rules_feed_broken(&rules, test_end(&text));
    assert_int_equal(rules.state.entries, 5);
    assert_ok(feed_status()); /* the log lists what it took */
    assert_int_equal(record.status.release_count, 1);
    /* The same text again, a revoke of nothing, a day twice, and noise: counted and no more. */
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    assert_code(feed(&signers[TEST_ALICE], 2), PP_E_LEDGER_SERIAL);
    pp_rules_feed_broken(&rules, test_end(&text));
    assert_int_equal(rules.state.record_count, 3);
    revoke_of(&record, 2, &(struct pp_record_id){ { 9 } });
    assert_code(feed(&signers[TEST_BOB], 1), PP_E_NOT_FOUND);
    pp_rules_feed_broken(&rules, test_end(&text));
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, 20000);
    assert_ok(feed(&signers[TEST_OWNER], 1));
    key_epoch_of(&record, 2, PP_RECORD_OHTTP, 20000);
    assert_code(feed(&signers[TEST_OWNER], 1), PP_E_LEDGER_WINDOW);
    pp_rules_feed_broken(&rules, test_end(&text));
    pp_rules_feed_broken(&rules, PP_STR("noise\n"));
    assert_int_equal(rules.state.entries, 11);
    assert_int_equal(rules.state.record_count, 4);
    assert_code(pp_rules_closed(&rules), PP_E_LEDGER_NOT_LAST);
    /* A status of the future closes its batch, and is not what the next one is measured by. */
    assert_ok(pp_rules_status(&rules, NOW + 30 * PP_DAY_S, &record));
    assert_code(feed(&signers[TEST_LOG], 1), PP_E_LEDGER_FUTURE);
    pp_rules_feed_broken(&rules, test_end(&text));
    assert_ok(pp_rules_closed(&rules));
    assert_int_equal(rules.state.record_live, 0); /* nothing has ended by its word */
    assert_int_equal(rules.state.status_time, NOW);
    assert_ok(feed_status());
}

/* --- reviewers who change ------------------------------------------------------------------ */

enum { CHANGED_AT = 3 }; /* a host-set, a release and a status were logged by then */

static struct pp_note_signer carol; /* reviewed alone, before alice and bob did */
static struct pp_policy former_policy;
static struct test_text former_text;

static int make_former(void **state)
{
    if (make_people(state) != 0)
        return -1;
    carol = test_signer("carol.example", PP_NOTE_ED25519, 9);
    test_vkey(test_begin(&former_text), "witness c ", &carol);
    pp_wr_text(&former_text.wr, "quorum c\n");
    assert_ok(pp_policy_parse(test_end(&former_text), PP_POLICY_REVIEW, &former_policy));
    return 0;
}

static int drop_former(void **state)
{
    pp_note_signer_done(&carol);
    return drop_people(state);
}

static void begin_changed(uint64_t at)
{
    static struct pp_former_review former;

    former = (struct pp_former_review){ &former_policy, at };
    begin();
    rules.config.keys.former = &former;
    rules.config.keys.former_count = 1;
}

static void name_former(void)
{
    memcpy(record.release.review[0].sha256, former_policy.digest, PP_SHA256_BYTES);
}

static void name_both(void)
{
    record.release.review[1] = record.release.review[0];
    record.release.review[0].name = PP_STR("former");
    record.release.review_count = 2;
    name_former();
}

/* The first CHANGED_AT entries of a log whose reviewer was carol. */
static void feed_history(void)
{
    const struct pp_note_signer hosts_by[] = { signers[TEST_OWNER], carol };

    begin_changed(CHANGED_AT);
    host_set_of(&record, 1);
    assert_ok(feed(hosts_by, 2));
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    name_former();
    assert_ok(feed(&carol, 1));
    assert_ok(feed_status());
    assert_int_equal(rules.state.entries, CHANGED_AT);
}

/* B1: keys change, and the ledger keeps what was logged under the old ones. */
static void b1_a_release_of_former_reviewers_counts_below_the_change_and_not_behind_it(void **state)
{
    (void)state;
    feed_history();
    assert_int_equal(record.status.release_count, 1);
    release_of(&record, 2, PP_RECORD_GUARD, 2);
    name_former();
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER);
    /* Not even the reviewers of today put a former policy's name to anything new. */
    assert_code(feed(&signers[TEST_ALICE], 2), PP_E_MISMATCH);
    name_both();
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER);
    assert_int_equal(rules.state.entries, CHANGED_AT);
    assert_ok(feed_release(2, PP_RECORD_GUARD, 2));
}

/* The number is of the entry in the log: what is taken back is below the change again. */
static void b1_the_entry_before_the_change_is_the_last_of_former_reviewers(void **state)
{
    (void)state;
    for (uint64_t at = 0; at <= 2; at++) {
        begin_changed(at);
        assert_ok(feed_hosts(1));
        struct pp_rules_state saved = pp_rules_save(&rules);
        for (int again = 0; again <= 1; again++) {
            release_of(&record, 1, PP_RECORD_GUARD, 1);
            name_former();
            assert_code(feed(&carol, 1), at == 2 ? PP_E_OK : PP_E_LEDGER_SIGNER);
            pp_rules_restore(&rules, &saved);
        }
    }
}

static void b1_former_reviewers_answer_only_for_a_release_that_names_their_policy(void **state)
{
    (void)state;
    begin_changed(CHANGED_AT);
    release_of(&record, 1, PP_RECORD_GUARD, 1); /* names the policy of today */
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER);
    name_former();
    assert_code(feed(&signers[TEST_ALICE], 2), PP_E_MISMATCH);
    assert_int_equal(rules.state.entries, 0);
}

static void b1_a_release_of_the_overlap_names_both_policies_and_counts_under_either(void **state)
{
    (void)state;
    const struct pp_note_signer everybody[] = { signers[TEST_ALICE], signers[TEST_BOB], carol };

    begin_changed(CHANGED_AT);
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    name_both();
    assert_ok(feed(&carol, 1));
    record.serial++;
    assert_ok(feed(&signers[TEST_ALICE], 2));
    record.serial++;
    assert_ok(feed(everybody, 3));
    assert_int_equal(rules.state.entries, CHANGED_AT);
    record.serial++;
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER);
    assert_ok(feed(&signers[TEST_ALICE], 2));
    record.serial++;
    assert_ok(feed(everybody, 3));
    /* Half of each quorum is none. */
    const struct pp_note_signer halves[] = { signers[TEST_ALICE], carol };
    record.serial++;
    assert_code(feed(halves, 2), PP_E_LEDGER_SIGNER);
}

static void b1_one_former_reviewer_revokes_and_signs_host_sets_below_the_change_only(void **state)
{
    (void)state;
    const struct pp_note_signer hosts_by[] = { signers[TEST_OWNER], carol };
    struct pp_record_id first, second;

    begin_changed(CHANGED_AT);
    host_set_of(&record, 1);
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER); /* the owner is asked as before */
    assert_ok(feed(hosts_by, 2));
    assert_ok(feed_hosts(2));
    first = records[0].id;
    second = records[1].id;
    revoke_of(&record, 1, &first);
    assert_ok(feed(&carol, 1));
    assert_int_equal(rules.state.entries, CHANGED_AT);
    revoke_of(&record, 2, &second);
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER);
    assert_ok(feed(&signers[TEST_BOB], 1));
    host_set_of(&record, 3);
    assert_code(feed(hosts_by, 2), PP_E_LEDGER_SIGNER);
    assert_ok(feed(&signers[TEST_OWNER], 2));
}

static void b1_each_former_policy_has_its_own_end(void **state)
{
    (void)state;
    const struct pp_former_review former[] = { { &former_policy, 1 }, { &policies[1], 2 } };

    begin();
    rules.config.keys.former = former;
    rules.config.keys.former_count = 2;
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    name_former();
    assert_ok(feed(&carol, 1));
    record.serial++;
    assert_code(feed(&carol, 1), PP_E_LEDGER_SIGNER);
    memcpy(record.release.review[0].sha256, policies[1].digest, PP_SHA256_BYTES);
    assert_ok(feed(&signers[TEST_OWNER], 1));
    record.serial++;
    assert_code(feed(&signers[TEST_OWNER], 1), PP_E_LEDGER_SIGNER);
}

/* A wrong line of a reviewer of today is not overlooked because former ones are enough. */
static void b1_a_wrong_signature_of_a_reviewer_of_today_refuses_the_former_ones_too(void **state)
{
    (void)state;
    struct pp_note_signer wrong = test_signer("alice.example", PP_NOTE_ED25519, 42);
    const struct pp_note_signer by[] = { carol, wrong };

    begin_changed(CHANGED_AT);
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    name_former();
    assert_ok(feed(by, 2)); /* a key that nobody lists says nothing */
    struct pp_note_signer claims = wrong;
    claims.key.id = signers[TEST_ALICE].key.id;
    const struct pp_note_signer forged[] = { carol, claims };
    record.serial++;
    assert_code(feed(forged, 2), PP_E_LEDGER_SIGNER);
    pp_note_signer_done(&wrong);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_log_is_open_until_its_status),
    cmocka_unit_test(a_refused_entry_changes_nothing),
    cmocka_unit_test(a_batch_can_be_taken_back_revocations_included),
    cmocka_unit_test(w21_t5_a_revoked_measurement_never_comes_back),
    cmocka_unit_test(the_same_registers_in_another_order_are_another_tdx_measurement),
    cmocka_unit_test(full_tables_refuse),
    cmocka_unit_test(the_status_we_make_is_the_status_we_accept),
    cmocka_unit_test(a_status_that_names_another_record_is_refused),
    cmocka_unit_test(a_lowest_serial_never_goes_down),
    cmocka_unit_test(one_record_cannot_use_up_the_serials_of_its_type),
    cmocka_unit_test(keys_are_logged_a_month_ahead_at_most),
    cmocka_unit_test(a_serial_out_of_reach_is_not_the_last_one_for_who_goes_on_behind_it),
    cmocka_unit_test(keys_of_today_and_tomorrow_are_listed),
    cmocka_unit_test(what_has_ended_is_past_for_every_later_status),
    cmocka_unit_test(behind_a_broken_rule_the_machine_goes_on),
    cmocka_unit_test(b1_a_release_of_former_reviewers_counts_below_the_change_and_not_behind_it),
    cmocka_unit_test(b1_the_entry_before_the_change_is_the_last_of_former_reviewers),
    cmocka_unit_test(b1_former_reviewers_answer_only_for_a_release_that_names_their_policy),
    cmocka_unit_test(b1_a_release_of_the_overlap_names_both_policies_and_counts_under_either),
    cmocka_unit_test(b1_one_former_reviewer_revokes_and_signs_host_sets_below_the_change_only),
    cmocka_unit_test(b1_each_former_policy_has_its_own_end),
    cmocka_unit_test(b1_a_wrong_signature_of_a_reviewer_of_today_refuses_the_former_ones_too),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_former, drop_former);
}
