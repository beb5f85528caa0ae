/* SPDX-License-Identifier: Apache-2.0 */
/* A11.7: the guard knows what was signed last, whatever becomes of the log's folder. */
#include "record_test.h"

#include <sys/resource.h>

#include "guard.h"
#include "log_test.h"

static char path[64 + 8];
static struct pp_log_guard guard;

static int make_both(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    snprintf(path, sizeof path, "%s.guard", folder);
    return 0;
}

static int remove_both(void **state)
{
    pp_log_guard_done(&guard);
    (void)unlink(path);
    return remove_folder(state);
}

static pp_res start(void)
{
    pp_log_guard_done(&guard);
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    return pp_log_guard_open(&guard, path, &sequencer.store);
}

static pp_res grow(uint64_t number)
{
    begin_batch();
    add_number(number);
    assert_int_not_equal(submit(NOW), PP_SEQUENCER_REFUSED);
    return pp_sequencer_close_batch(&sequencer, NOW);
}

static struct pp_buf copy_of(const char *name)
{
    struct pp_buf b = { 0 };

    assert_ok(pp_file_read(dir, name, PP_LOG_NOTE_MAX, &b));
    return b;
}

static void a_new_log_makes_its_guard_and_leaves_each_tree_there(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(start());
    for (uint64_t i = 0; i < 5; i++) {
        assert_ok(grow(i));
        assert_ok(pp_file_read(AT_FDCWD, path, 2 * PP_LOG_GUARD_PLACE, &b));
        assert_int_equal(b.len, 2 * PP_LOG_GUARD_PLACE);
        assert_memory_equal(b.bytes + guard.place * PP_LOG_GUARD_PLACE, sequencer.store.note,
                            sequencer.store.note_len);
        pp_buf_done(&b);
        assert_ok(start());
    }
}

static void w27_t5_a_folder_that_was_restored_is_behind_its_guard(void **state)
{
    (void)state;

    assert_ok(start());
    assert_ok(grow(0));
    struct pp_buf old = copy_of("signed");
    assert_ok(grow(1));
    assert_ok(pp_file_write(dir, "signed", 0600, pp_buf_span(&old)));
    assert_code(start(), PP_E_LEDGER_ROLLBACK);
    /* and when it signed another tree meanwhile, without its guard */
    assert_ok(grow(7));
    assert_code(start(), PP_E_LEDGER_SPLIT);
    pp_buf_done(&old);
}

/* Power went between the two writes: the signature has not left. */
static void a_guard_that_is_behind_is_brought_up(void **state)
{
    (void)state;
    assert_ok(start());
    assert_ok(grow(0));
    sequencer.store.guard = NULL;
    for (uint64_t i = 1; i < 300; i++)
        assert_ok(grow(i));
    assert_ok(start());
    assert_memory_equal(guard.note, sequencer.store.note, sequencer.store.note_len);
}

static void a_log_that_has_none_gets_a_copy_of_signed(void **state)
{
    (void)state;
    assert_ok(reopen(PP_ADMISSION_OPAQUE));
    assert_ok(grow(0));
    struct pp_buf b = copy_of("signed");
    assert_code(start(), PP_E_NOT_FOUND);
    assert_ok(pp_file_write(AT_FDCWD, path, 0600, pp_buf_span(&b)));
    assert_ok(start());
    assert_ok(grow(1));
    assert_ok(start());
    pp_buf_done(&b);
}

static void a_write_that_was_cut_leaves_the_other_place(void **state)
{
    (void)state;
    struct pp_buf b = { 0 };

    assert_ok(start());
    assert_ok(grow(0));
    assert_ok(grow(1));
    size_t at = (size_t)guard.place * PP_LOG_GUARD_PLACE;
    assert_ok(pp_file_read(AT_FDCWD, path, 2 * PP_LOG_GUARD_PLACE, &b));
    memset(b.bytes + at + 40, 0, 100);
    pp_log_guard_done(&guard);
    assert_ok(pp_file_write(AT_FDCWD, path, 0600, pp_buf_span(&b)));
    assert_ok(start());
    assert_memory_equal(guard.note, sequencer.store.note, sequencer.store.note_len);
    memset(b.bytes, 'x', b.len);
    pp_log_guard_done(&guard);
    assert_ok(pp_file_write(AT_FDCWD, path, 0600, pp_buf_span(&b)));
    assert_code(start(), PP_E_LEDGER_SIGNATURE);
    pp_buf_done(&b);
}

/* Compare and swap: what somebody else left there is not written over, and nothing is signed. */
static void what_changed_behind_our_back_stops_the_log(void **state)
{
    (void)state;
    assert_ok(start());
    assert_ok(grow(0));
    struct pp_log_guard other = guard; /* a log that was cloned, where locks do not reach */
    assert_ok(grow(1));
    guard = other;
    for (int i = 0; i < 3; i++)
        assert_code(grow(2), PP_E_LEDGER_SPLIT);
    assert_int_equal(pp_log_store_size(&sequencer.store), 2);
    assert_int_equal(sequencer.pending_count, 1);
}

/* Storage that fails: the signature has not left, and is taken back or found by the next start. */
static void a_guard_that_cannot_be_written_signs_nothing_and_loses_nothing(void **state)
{
    (void)state;
    for (int starts_again = 0; starts_again < 2; starts_again++) {
        assert_ok(start());
        uint64_t size = pp_log_store_size(&sequencer.store);
        assert_ok(grow(size));
        int fd = guard.fd;
        guard.fd = open(path, O_RDONLY);
        assert_code(grow(size + 1), PP_E_SYSTEM);
        assert_code(grow(size + 2), PP_E_SYSTEM);
        close(guard.fd);
        guard.fd = fd;
        assert_int_equal(pp_log_store_size(&sequencer.store), size + 1);
        if (starts_again)
            assert_ok(start());
        assert_ok(grow(size + 3));
        assert_int_equal(pp_log_store_size(&sequencer.store), size + 4);
        assert_ok(start());
        assert_int_equal(pp_log_store_size(&sequencer.store), size + 4);
    }
}

/* It was written, and we were told that it was not: the next tree of that size is another one. */
static void a_write_that_failed_after_all_was_written_is_taken_back(void **state)
{
    (void)state;
    assert_ok(start());
    assert_ok(grow(0));
    struct pp_log_guard before = guard;
    struct pp_buf old = copy_of("signed");
    assert_ok(grow(1));
    pp_sequencer_done(&sequencer);
    memcpy(before.attempt, guard.attempt, sizeof before.attempt);
    before.attempt_len = guard.attempt_len;
    guard = before;
    assert_code(pp_log_guard_compare(&guard), PP_E_LEDGER_SPLIT);
    assert_ok(pp_log_guard_take_back(&guard));
    assert_ok(pp_log_guard_compare(&guard));
    assert_ok(pp_file_write(dir, "signed", 0600, pp_buf_span(&old)));
    assert_ok(start());
    assert_ok(grow(7));
    assert_ok(start());
    pp_buf_done(&old);
}

static void a_guard_belongs_to_one_process(void **state)
{
    (void)state;
    struct pp_log_guard second;

    assert_ok(start());
    assert_code(pp_log_guard_open(&second, path, &sequencer.store), PP_E_STATE_IN_USE);
    assert_ptr_equal(sequencer.store.guard, &guard);
}

static void a_note_longer_than_a_place_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[PP_LOG_GUARD_PLACE];

    assert_ok(start());
    memset(bytes, 'x', sizeof bytes);
    assert_code(pp_log_guard_write(&guard, PP_BYTES(bytes)), PP_E_LIMIT);
    assert_ok(pp_log_guard_write(&guard, pp_span(bytes, sizeof bytes - 1)));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_both, remove_both)

static const struct CMUnitTest TESTS[] = {
    IN_FOLDER(a_new_log_makes_its_guard_and_leaves_each_tree_there),
    IN_FOLDER(w27_t5_a_folder_that_was_restored_is_behind_its_guard),
    IN_FOLDER(a_guard_that_is_behind_is_brought_up),
    IN_FOLDER(a_log_that_has_none_gets_a_copy_of_signed),
    IN_FOLDER(a_write_that_was_cut_leaves_the_other_place),
    IN_FOLDER(what_changed_behind_our_back_stops_the_log),
    IN_FOLDER(a_guard_that_cannot_be_written_signs_nothing_and_loses_nothing),
    IN_FOLDER(a_write_that_failed_after_all_was_written_is_taken_back),
    IN_FOLDER(a_guard_belongs_to_one_process),
    IN_FOLDER(a_note_longer_than_a_place_is_refused),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_people, drop_people);
}
