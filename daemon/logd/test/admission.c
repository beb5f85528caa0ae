/* SPDX-License-Identifier: Apache-2.0 */
/* What an opaque log takes and what a ledger takes; what a log of the other kind is not. */
#include "record_test.h"

#include <signal.h>
#include <sys/resource.h>

#include "log_test.h"

#define LATER (UINT64_C(1) << 62)

static struct test_text text;
static struct pp_record record;

static void fill(size_t from, size_t count)
{
    begin_batch();
    add_numbers(from, count);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
}

static void add_hosts(uint64_t serial)
{
    host_set_of(&record, serial);
    assert_ok(pp_record_sign(test_begin(&text), &record, &signers[TEST_OWNER], 2));
    add_bytes(test_end(&text));
}

/* --- opaque -------------------------------------------------------------------------------- */

static void an_opaque_log_takes_any_bytes_and_adds_nothing(void **state)
{
    (void)state;
    struct pp_buf entry = { 0 };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    begin_batch();
    add_bytes(pp_span(NULL, 0));
    add_bytes(PP_STR("\xff\0 no note\n"));
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(pp_sequencer_due(&sequencer, NOW), 0);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
    assert_ok(pp_log_store_entry(&sequencer.store, 0, &entry));
    assert_int_equal(entry.len, 0);
    pp_buf_done(&entry);
    assert_ok(publish());
    assert_true(there("public/checkpoint"));
    assert_false(there("public/directory"));
    assert_int_equal(pp_sequencer_due(&sequencer, NOW), UINT64_MAX);
}

static void nothing_is_signed_when_nothing_waits(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_code(pp_sequencer_close_batch(&sequencer, NOW), PP_E_MISSING);
    assert_ok(publish()); /* a log of size 0 is never served */
    assert_false(there("public/checkpoint"));
    fill(0, 1);
    assert_code(pp_sequencer_close_batch(&sequencer, NOW), PP_E_MISSING);
    assert_int_equal(pp_log_store_size(&sequencer.store), 1);
}

static void an_entry_of_65535_bytes_is_taken_and_one_more_is_refused_by_name(void **state)
{
    (void)state;
    static uint8_t large[PP_ENTRY_BYTES_MAX + 1];
    struct pp_buf entry = { 0 };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    begin_batch();
    add_bytes(pp_span(large, PP_ENTRY_BYTES_MAX));
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    add_bytes(pp_span(large, PP_ENTRY_BYTES_MAX + 1));
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LIMIT);
    assert_int_equal(answer.entry, 1);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_ok(pp_log_store_entry(&sequencer.store, 0, &entry));
    assert_int_equal(entry.len, PP_ENTRY_BYTES_MAX);
    pp_buf_done(&entry);
}

static void a_bundle_of_the_largest_entries_is_written_and_read(void **state)
{
    (void)state;
    static uint8_t large[PP_ENTRY_BYTES_MAX];
    struct pp_tile t = { .entries = 1, .width = PP_TILE_WIDTH };
    struct pp_buf b = { 0 };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    for (unsigned i = 0; i < PP_TILE_WIDTH + 8; i += 8) {
        begin_batch();
        for (unsigned k = 0; k < 8; k++) {
            large[0] = (uint8_t)(i + k);
            large[1] = (uint8_t)((i + k) >> 8);
            add_bytes(PP_BYTES(large));
        }
        assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
        assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    }
    assert_ok(pp_log_store_tile(&sequencer.store, &t, &b));
    assert_int_equal(b.len, PP_LOG_BUNDLE_MAX);
    pp_buf_done(&b);
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_int_equal(pp_log_store_size(&sequencer.store), PP_TILE_WIDTH + 8);
}

static void an_opaque_entry_is_taken_once(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    begin_batch();
    add_number(7);
    add_number(8);
    add_number(7); /* twice in one batch */
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(sequencer.pending_count, 1);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
    for (int opened_again = 0; opened_again < 2; opened_again++) {
        assert_int_equal(submit(NOW), PP_SEQUENCER_LOGGED);
        assert_int_equal(answer.size, 2);
        assert_int_equal(answer.index[0], 0);
        assert_int_equal(answer.index[1], 1);
        assert_int_equal(answer.index[2], 0);
        assert_false(there("pending/0000000000000002"));
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
    }
}

static void every_growth_gives_the_proofs_of_all_that_was_there(void **state)
{
    (void)state;
    static const size_t steps[] = { 1, 254, 1, 256, 1, 255, 200, 256, 256, 32 };
    uint64_t size = 0;

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    for (size_t i = 0; i < PP_ARRAY_COUNT(steps); i++) {
        fill(size, steps[i]);
        if (i % 2 == 0)
            assert_ok(publish());
        size += steps[i];
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
        assert_int_equal(pp_log_store_size(&sequencer.store), size);
        for (uint64_t k = 0; k < size; k += 1 + k / 7)
            check_number(k, k);
        check_number(size - 1, size - 1);
    }
}

/* --- opening an opaque log ------------------------------------------------------------------ */

/* What was not read cannot be missed: only the right edge is looked at. */
static void opening_reads_the_right_edge_alone(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    for (uint64_t i = 0; i < 4; i++)
        fill(i * 256, 256);
    fill(1024, 7);
    assert_int_equal(unlinkat(dir, "public/tile/entries/001", 0), 0);
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    struct pp_sequencer_config all = config_of(PP_ADMISSION_OPAQUE);
    all.check_all = 1;
    pp_sequencer_done(&sequencer);
    assert_code(pp_sequencer_open(&sequencer, &all), PP_E_NOT_FOUND);
}

static void lost_and_damaged_hash_tiles_are_made_again(void **state)
{
    (void)state;
    static const char *const tiles[] = { "public/tile/0/000", "public/tile/0/004.p/7",
                                         "public/tile/1/000.p/4" };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    for (uint64_t i = 0; i < 4; i++)
        fill(i * 256, 256);
    fill(1024, 7);
    for (size_t i = 0; i < PP_ARRAY_COUNT(tiles); i++) {
        assert_int_equal(unlinkat(dir, tiles[i], 0), 0);
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
        assert_true(there(tiles[i]));
        check_number(3, 3);
        if (i == 0)
            continue;
        assert_ok(pp_file_write(dir, tiles[i], 0644, PP_STR("damaged")));
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
        check_number(1030, 1030);
    }
}

static void lost_and_changed_entries_at_the_edge_are_noticed(void **state)
{
    (void)state;
    static const char *const bundles[] = { "public/tile/entries/000",
                                           "public/tile/entries/001.p/7" };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    fill(0, 256);
    fill(256, 7);
    for (size_t i = 0; i < PP_ARRAY_COUNT(bundles); i++) {
        struct pp_buf b = { 0 };
        assert_ok(pp_file_read(dir, bundles[i], 1 << 20, &b));
        b.bytes[9] ^= 1;
        assert_ok(pp_file_write(dir, bundles[i], 0644, pp_buf_span(&b)));
        assert_code(reopen(PP_ADMISSION_OPAQUE), PP_E_PROOF);
        assert_int_equal(unlinkat(dir, bundles[i], 0), 0);
        assert_code(reopen(PP_ADMISSION_OPAQUE), PP_E_NOT_FOUND);
        b.bytes[9] ^= 1;
        assert_ok(pp_file_write(dir, bundles[i], 0644, pp_buf_span(&b)));
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
        pp_buf_done(&b);
    }
}

static void what_waits_in_an_opaque_log_waits_after_a_restart(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    fill(0, 3);
    begin_batch();
    add_numbers(2, 3); /* one of them is logged */
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_int_equal(sequencer.waiting_count, 2);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_int_equal(sequencer.pending_count, 1);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    for (uint64_t i = 0; i < 5; i++)
        check_number(i, i);
}

/* A crash between the signature and the removal of what waited. */
static void a_batch_that_was_signed_is_not_signed_again(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    begin_batch();
    add_numbers(0, 5);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_file_read(dir, "pending/0000000000000001", 1 << 20, &b));
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(pp_file_write(dir, "pending/0000000000000001", 0600, pp_buf_span(&b)));
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_int_equal(sequencer.pending_count, 0);
    assert_false(there("pending/0000000000000001"));
    pp_buf_done(&b);
}

static void more_bytes_than_may_wait_are_refused_and_nothing_is_lost(void **state)
{
    (void)state;
    static uint8_t large[PP_ENTRY_BYTES_MAX];
    size_t taken = 0;

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    for (uint32_t i = 0;; i++) {
        begin_batch();
        for (unsigned k = 0; k < 31; k++) {
            large[0] = (uint8_t)k;
            large[1] = (uint8_t)i;
            add_bytes(PP_BYTES(large));
        }
        if (submit(NOW) == PP_SEQUENCER_REFUSED)
            break;
        taken += 31;
    }
    assert_int_equal(answer.code, PP_E_BUSY);
    assert_int_equal(answer.entry, answer.count); /* the batch */
    assert_int_equal(taken, PP_SEQUENCER_PENDING_BYTES_MAX / (31 * (4 + PP_ENTRY_BYTES_MAX)) * 31);
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), taken);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING); /* the refused one has room now */
}

static void the_clock_means_nothing_to_an_opaque_log(void **state)
{
    (void)state;
    static const uint64_t times[] = { 0, UINT64_MAX, INT64_MAX, NOW };

    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    for (size_t i = 0; i < PP_ARRAY_COUNT(times); i++) {
        begin_batch();
        add_number(i);
        assert_int_equal(submit(times[i]), PP_SEQUENCER_PENDING);
        assert_int_equal(pp_sequencer_due(&sequencer, times[i]), 0);
        assert_ok(pp_sequencer_close_batch(&sequencer, times[i]));
    }
}

/* --- two kinds ------------------------------------------------------------------------------ */

static void a_log_is_not_opened_as_one_of_the_other_kind(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_RECORDS));
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_code(reopen(PP_ADMISSION_OPAQUE), PP_E_MISMATCH);
    assert_ok(reopen(PP_ADMISSION_RECORDS));
    remove_folder(state);
    assert_int_equal(make_folder(state), 0);
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    begin_batch();
    add_hosts(1); /* somebody else's record is bytes like others */
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_code(reopen(PP_ADMISSION_RECORDS), PP_E_LEDGER_NOT_LAST);
}

/* --- records -------------------------------------------------------------------------------- */

/* Rules that were full answer so, and go on with what they hold. */
static void full_tables_of_the_rules_refuse_and_the_log_goes_on(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_RECORDS));
    sequencer.admission.rules.config.record_cap = 2;
    begin_batch();
    add_hosts(1);
    add_hosts(2);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    begin_batch();
    add_hosts(3);
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LIMIT);
    assert_int_equal(answer.entry, 0);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW + 60)); /* a status needs no place */
    assert_int_equal(pp_log_store_size(&sequencer.store), 4);
}

static void a_clock_that_goes_backwards_closes_nothing_and_loses_nothing(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_RECORDS));
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    begin_batch();
    add_hosts(2);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_code(pp_sequencer_close_batch(&sequencer, NOW - 301), PP_E_LEDGER_FUTURE);
    assert_int_equal(sequencer.pending_count, 1);
    begin_batch();
    add_hosts(3);
    assert_int_equal(submit(NOW - 301), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LEDGER_FUTURE);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW - 300)); /* dated as the one before it */
    assert_int_equal(sequencer.admission.rules.state.status_time, NOW);
    assert_int_equal(pp_log_store_size(&sequencer.store), 4);
}

static void a_time_that_no_record_can_have_is_refused(void **state)
{
    (void)state;
    static const uint64_t times[] = { PP_RECORD_TIME_MAX, INT64_MAX, UINT64_MAX - 1, UINT64_MAX };

    assert_ok(reopen(PP_ADMISSION_RECORDS));
    for (size_t i = 0; i < PP_ARRAY_COUNT(times); i++) {
        begin_batch();
        add_hosts(1);
        assert_int_equal(submit(times[i]), PP_SEQUENCER_REFUSED);
        assert_int_equal(answer.code, PP_E_RANGE);
        (void)pp_sequencer_due(&sequencer, times[i]);
        assert_code(pp_sequencer_close_batch(&sequencer, times[i]), PP_E_RANGE);
    }
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    for (size_t i = 0; i < PP_ARRAY_COUNT(times); i++)
        assert_code(pp_sequencer_close_batch(&sequencer, times[i]), PP_E_RANGE);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
}

/* The log writes them, and nobody else: not even who has the log's key. */
static void a_submitted_status_is_refused(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_RECORDS));
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_rules_status(&sequencer.admission.rules, NOW, &record));
    assert_ok(pp_record_sign(test_begin(&text), &record, &signers[TEST_LOG], 1));
    begin_batch();
    add_bytes(test_end(&text));
    assert_int_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    assert_int_equal(answer.code, PP_E_LEDGER_STATUS);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
}

/* A policy that has changed since the batch was taken: it is dropped at the next tree. */
static void what_waits_is_judged_again_after_a_start_with_other_rules(void **state)
{
    (void)state;
    struct pp_sequencer_config c = config_of(PP_ADMISSION_RECORDS);

    assert_ok(reopen(PP_ADMISSION_RECORDS));
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    c.keys.owner = &policies[2];
    pp_sequencer_done(&sequencer);
    assert_ok(pp_sequencer_open(&sequencer, &c));
    assert_int_equal(sequencer.pending_count, 1);
    assert_true(there("pending/0000000000000001"));
    assert_code(pp_sequencer_close_batch(&sequencer, NOW), PP_E_MISSING);
    assert_int_equal(sequencer.pending_count, 0);
    assert_int_equal(sequencer.dropped, 1);
}

/* A million times the same record: nothing is written, and the answer is the same. */
static void a_record_that_is_logged_is_answered_without_a_trace(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_RECORDS));
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    struct pp_rules_state before = pp_admission_save(&sequencer.admission);
    for (unsigned i = 0; i < 20000; i++) {
        assert_int_equal(submit(LATER), PP_SEQUENCER_LOGGED);
        assert_int_equal(answer.index[0], 0);
    }
    struct pp_rules_state after = pp_admission_save(&sequencer.admission);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(sequencer.next_number, 2);
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
}

/* The id of an entry is that of its text, whatever the text has in it. */
static void the_id_of_an_entry_is_that_of_its_record(void **state)
{
    (void)state;
    static const char *const texts[] = { "a\n\nb\n", "\n", "a\n" };
    struct pp_record_id id;

    for (size_t i = 0; i < PP_ARRAY_COUNT(texts); i++) {
        struct pp_record_id own;
        struct pp_note n;
        assert_ok(pp_note_write(test_begin(&text), pp_span_cstr(texts[i]), signers, 2));
        assert_ok(pp_note_parse(test_end(&text), &n));
        pp_record_id_of(n.text, &own);
        assert_ok(pp_entry_id(test_end(&text), &id));
        assert_true(pp_record_id_same(&id, &own));
    }
    assert_code(pp_entry_id(PP_STR("a\nb\n"), &id), PP_E_FORMAT);
    assert_code(pp_entry_id(PP_STR("\n"), &id), PP_E_FORMAT);
    assert_code(pp_entry_id(pp_span(NULL, 0), &id), PP_E_FORMAT);
}

/* --- taken and stored ----------------------------------------------------------------------- */

static void what_was_taken_is_durable_when_it_was_stored_or_signed(void **state)
{
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
        for (uint64_t i = 0; i < 3; i++) {
            begin_batch();
            add_number(i);
            assert_ok(pp_sequencer_take(&sequencer, pp_wr_done(&batch), NOW, &answer));
            assert_int_equal(answer.state, PP_SEQUENCER_PENDING);
        }
        if (stored)
            assert_ok(pp_sequencer_store(&sequencer));
        assert_int_equal(there("pending/0000000000000003"), stored);
        assert_ok(reopen(PP_ADMISSION_OPAQUE));
        assert_int_equal(sequencer.pending_count, stored ? 3 : 0);
    }
    begin_batch();
    add_number(3);
    assert_ok(pp_sequencer_take(&sequencer, pp_wr_done(&batch), NOW, &answer));
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_int_equal(pp_log_store_size(&sequencer.store), 4);
}

/* What could not be stored waits no more; what was stored before does. */
static void a_failure_to_store_takes_back_what_was_not_stored(void **state)
{
    (void)state;
    struct rlimit old;

    assert_ok(reopen(PP_ADMISSION_RECORDS));
    begin_batch();
    add_hosts(1);
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    for (uint64_t i = 2; i < 4; i++) {
        begin_batch();
        add_hosts(i);
        assert_ok(pp_sequencer_take(&sequencer, pp_wr_done(&batch), NOW, &answer));
        assert_int_equal(answer.state, PP_SEQUENCER_PENDING);
    }
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { 100, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    pp_res r = pp_sequencer_store(&sequencer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_code(r, PP_E_SYSTEM);
    assert_int_equal(sequencer.pending_count, 1);
    assert_int_equal(sequencer.waiting_count, 1);
    assert_int_equal(sequencer.dropped, 0);
    assert_true(there("pending/0000000000000001"));
    begin_batch();
    add_hosts(2); /* its serial is free again */
    assert_int_equal(submit(NOW), PP_SEQUENCER_PENDING);
    assert_ok(pp_sequencer_close_batch(&sequencer, NOW));
    assert_int_equal(pp_log_store_size(&sequencer.store), 3);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(an_opaque_log_takes_any_bytes_and_adds_nothing),
    IN_FOLDER(nothing_is_signed_when_nothing_waits),
    IN_FOLDER(an_entry_of_65535_bytes_is_taken_and_one_more_is_refused_by_name),
    IN_FOLDER(a_bundle_of_the_largest_entries_is_written_and_read),
    IN_FOLDER(an_opaque_entry_is_taken_once),
    IN_FOLDER(every_growth_gives_the_proofs_of_all_that_was_there),
    IN_FOLDER(opening_reads_the_right_edge_alone),
    IN_FOLDER(lost_and_damaged_hash_tiles_are_made_again),
    IN_FOLDER(lost_and_changed_entries_at_the_edge_are_noticed),
    IN_FOLDER(what_waits_in_an_opaque_log_waits_after_a_restart),
    IN_FOLDER(a_batch_that_was_signed_is_not_signed_again),
    IN_FOLDER(more_bytes_than_may_wait_are_refused_and_nothing_is_lost),
    IN_FOLDER(the_clock_means_nothing_to_an_opaque_log),
    IN_FOLDER(a_log_is_not_opened_as_one_of_the_other_kind),
    IN_FOLDER(full_tables_of_the_rules_refuse_and_the_log_goes_on),
    IN_FOLDER(a_clock_that_goes_backwards_closes_nothing_and_loses_nothing),
    IN_FOLDER(a_time_that_no_record_can_have_is_refused),
    IN_FOLDER(a_submitted_status_is_refused),
    IN_FOLDER(what_waits_is_judged_again_after_a_start_with_other_rules),
    IN_FOLDER(a_record_that_is_logged_is_answered_without_a_trace),
    IN_FOLDER(the_id_of_an_entry_is_that_of_its_record),
    IN_FOLDER(what_was_taken_is_durable_when_it_was_stored_or_signed),
    IN_FOLDER(a_failure_to_store_takes_back_what_was_not_stored),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_people, drop_people);
}
